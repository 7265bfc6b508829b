//! Customers who are known elsewhere: by their ids there they are made once and kept as they are there.

use crate::clock::Timestamp;
use crate::domain::customer::{Command, Customer, Event, MATCHES_MAX, Profile, Rejection, decide};
use crate::domain::ids::CustomerId;
use crate::store::{Guard, Store, StoreError};

/// What becomes of the record of somebody who is known elsewhere.
#[derive(Clone, Debug)]
pub struct KnownCustomer {
    /// The record as it is.
    pub before: Customer,
    /// What happens to it; nothing where all is known, or where it was merged into another.
    pub events: Vec<Event>,
    /// What is to be written under, so that nobody makes another of the same id at the same moment.
    pub guard: Option<Guard>,
}

/// Decides what becomes of the record of somebody of whom that is known now: the one of that id in the CRM is
/// written anew, or one is made. One that was merged is left: of whom it became part of, the CRM may know other things.
///
/// Without an id there it is whoever has the same name and company and one of the numbers or addresses: that one gets what it
/// has not.
///
/// # Errors
/// When the database fails; inside, what the domain refuses.
pub async fn known_customer(
    store: &Store,
    host: &str,
    profile: Profile,
    now: Timestamp,
) -> Result<Result<KnownCustomer, Rejection>, StoreError> {
    let customers = store.customers();
    let (guard, found) = match &profile.crm_id {
        Some(id) => {
            let guard = customers.crm_guard(host, id).await?;
            (Some(guard), customers.by_crm(host, id).await?)
        }
        None => (None, same(store, host, &profile).await?),
    };
    let (before, command) = match found {
        Some(known) if known.merged_into.is_some() => (known, None),
        Some(known) => {
            let read = known.version;
            let command = match profile.crm_id {
                Some(_) => Command::Edit { read, profile },
                None => Command::Absorb {
                    read,
                    other: profile,
                },
            };
            (known, Some(command))
        }
        None => {
            let new = Customer::new(CustomerId::made(now), host.to_owned());
            (new, Some(Command::Create(profile)))
        }
    };
    let events = match command {
        Some(command) => decide(&before, command, now),
        None => Ok(Vec::new()),
    };
    Ok(events.map(|events| KnownCustomer {
        before,
        events,
        guard,
    }))
}

/// Whoever has that name and company, and one of the numbers or addresses.
async fn same(
    store: &Store,
    host: &str,
    profile: &Profile,
) -> Result<Option<Customer>, StoreError> {
    let max = u32::try_from(MATCHES_MAX).unwrap_or(u32::MAX);
    let customers = store.customers();
    for key in profile.keys() {
        let known = customers.by_address(host, &key, max).await?;
        let own = |it: &Customer| {
            it.profile.name == profile.name && it.profile.company == profile.company
        };
        if let Some(known) = known.into_iter().find(own) {
            return Ok(Some(known));
        }
    }
    Ok(None)
}
