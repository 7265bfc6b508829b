//! Customers made, changed and merged.

use super::{element, merging, wire};
use crate::contact_center::center::Place;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{self, Refused};
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::trail;
use crate::contact_center::values::Values;
use crate::domain::customer::{Command, Customer, Profile, Rejection, decide};
use crate::domain::ids::CustomerId;
use crate::hooks::Services;
use crate::proto::StanzaError;

/// The operation `create`.
pub(super) async fn create(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let profile = profile(&caller, &values)?;
    let Caller {
        services, place, ..
    } = &caller;
    let decided = async |mut draft: Draft| {
        crm_id_is_free(&mut draft, services, place, &profile, None).await?;
        let id = CustomerId::made(caller.now());
        let before = Customer::new(id, place.host.to_string());
        let events = decide(&before, Command::Create(profile.clone()), caller.now())?;
        let after = draft.change(&before, &events)?;
        trail::wrote(&mut draft, &caller, "customer create", after.id.as_str());
        Ok((draft, after))
    };
    let made = Box::pin(caller.center.save(services, decided)).await?;
    let told = format!("{} is a customer now.", wire::title(&made));
    Ok(shown(told, &made))
}

/// The operation `edit`.
pub(super) async fn edit(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = wire::id(&values, "id")?;
    let read = wire::version(&values, "version")?;
    let profile = profile(&caller, &values)?;
    let Caller {
        services, place, ..
    } = &caller;
    let decided = async |mut draft: Draft| {
        let before = exact(services, place, &id).await?;
        let profile = profile.clone();
        crm_id_is_free(&mut draft, services, place, &profile, Some(&id)).await?;
        let edit = Command::Edit { read, profile };
        let events = decide(&before, edit, caller.now()).map_err(|it| refused(it, &before))?;
        let after = draft.change(&before, &events)?;
        if !events.is_empty() {
            trail::wrote(&mut draft, &caller, "customer edit", id.as_str());
        }
        Ok((draft, after))
    };
    let changed = Box::pin(caller.center.save(services, decided)).await?;
    let told = format!("{} is written down.", wire::title(&changed));
    Ok(shown(told, &changed))
}

/// The operation `merge`: both records change in one write, and the activities follow. Asked once more it does what an
/// interruption has left.
pub(super) async fn merge(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let (id, other) = (wire::id(&values, "id")?, wire::id(&values, "other")?);
    let read = wire::version(&values, "version")?;
    let other_read = wire::version(&values, "other-version")?;
    let merged = Box::pin(write_merged(&caller, (&id, read), (&other, other_read))).await?;
    let Caller {
        center,
        services,
        place,
        ..
    } = &caller;
    merging::finish(center, services, place, &other).await?;
    let told = format!("Both are {} now.", wire::title(&merged));
    Ok(shown(told, &merged))
}

/// Writes that the second one is the first, and that its activities have still to follow.
pub(super) async fn write_merged(
    caller: &Caller,
    (id, read): (&CustomerId, u64),
    (other, other_read): (&CustomerId, u64),
) -> Result<Customer, Refused> {
    let Caller {
        services, place, ..
    } = caller;
    let decided = async |mut draft: Draft| {
        // Two merges at once could make each of two customers a part of the other.
        let customers = services.store.customers();
        draft.guard(customers.merge_guard(place.host.as_str()).await?);
        let (first, second) = (
            exact(services, place, id).await?,
            exact(services, place, other).await?,
        );
        if second.merged_into.as_ref() == Some(&first.id) {
            return Ok((draft, first));
        }
        let into = Command::MergeInto {
            read: other_read,
            other: first.id.clone(),
        };
        let gone = decide(&second, into, caller.now()).map_err(|it| refused(it, &second))?;
        let absorb = Command::Absorb {
            read,
            other: second.profile.clone(),
        };
        let more = decide(&first, absorb, caller.now()).map_err(|it| refused(it, &first))?;
        let after = draft.change(&first, &more)?;
        draft.change(&second, &gone)?;
        merging::began(&mut draft, &second)?;
        trail::wrote(&mut draft, caller, "customer merge", other.as_str());
        Ok((draft, after))
    };
    Box::pin(caller.center.save(services, decided)).await
}

fn shown(told: String, customer: &Customer) -> Outcome {
    Outcome::told(told)
        .with(element(customer))
        .listing(wire::table(std::slice::from_ref(customer)))
}

/// What was written of the customer.
fn profile(caller: &Caller, values: &Values) -> Result<Profile, Refused> {
    let region = caller.services.config.contact_center.region;
    Ok(wire::written(values).understood(region)?)
}

/// The customer of that very id, also when it is part of another.
pub(super) async fn exact(
    services: &Services,
    place: &Place,
    id: &CustomerId,
) -> Result<Customer, Refused> {
    let customers = services.store.customers();
    let found = customers.find(place.host.as_str(), id.as_str()).await?;
    found.ok_or_else(|| Rejection::Unknown.into())
}

/// Whoever read an old version is given the present one with the refusal, so that nobody has to ask for it.
fn refused(rejection: Rejection, present: &Customer) -> Refused {
    let stale = rejection == Rejection::Stale;
    let refused = Refused::from(rejection);
    if !stale {
        return refused;
    }
    let error = StanzaError::from(refused);
    let code = crate::xml::Element::new(errors::NS, "customer-changed");
    Refused::Stanza(error.application(code.child(element(present))))
}

/// An id of the CRM has one customer.
async fn crm_id_is_free(
    draft: &mut Draft,
    services: &Services,
    place: &Place,
    profile: &Profile,
    own: Option<&CustomerId>,
) -> Result<(), Refused> {
    let Some(crm_id) = &profile.crm_id else {
        return Ok(());
    };
    let (customers, host) = (services.store.customers(), place.host.as_str());
    draft.guard(customers.crm_guard(host, crm_id).await?);
    let found = customers.by_crm(host, crm_id).await?;
    let found = found.filter(|it| it.merged_into.is_none());
    match found {
        Some(other) if Some(&other.id) != own => Err(Rejection::Exists.into()),
        Some(_) | None => Ok(()),
    }
}
