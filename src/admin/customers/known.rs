//! Customers who are known elsewhere: by their ids there they are made once and kept as they are there.

use crate::clock::Timestamp;
use crate::domain::customer::{Command, Customer, Event, Profile, Rejection, decide};
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
        None => (None, None),
    };
    let (before, command) = match found {
        Some(known) if known.merged_into.is_some() => (known, None),
        Some(known) => {
            let read = known.version;
            (known, Some(Command::Edit { read, profile }))
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
