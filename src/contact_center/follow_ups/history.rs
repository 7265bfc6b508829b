//! Follow-ups in the history of a customer.

use super::{CUSTOMER, KIND, access, of_agent, of_host, wire};
use crate::contact_center::customers::Sees;
use crate::contact_center::errors::Refused;
use crate::contact_center::history::{Entry, Place, Records, Shows, Sort};
use crate::contact_center::operation::Caller;
use crate::contact_center::record;
use crate::domain::follow_up::FollowUp;
use crate::domain::rights::Right;
use crate::store::StoredRecord;

/// Those about the customer that the caller sees: all, or its own.
pub(in crate::contact_center) fn history(caller: &Caller, sees: Sees<'_>) -> Option<Records> {
    if !caller.rights.has(Right::FollowUp) {
        return None;
    }
    let (host, customer) = (caller.place.host.as_str(), &sees.customer.id);
    let (owner, shows): (_, Shows) = match sees.deals || access::by_right(caller).is_some() {
        true => (of_host(host, customer.as_str()), any),
        false => (of_agent(host, customer, &caller.agent), own),
    };
    Some(Records::listed(KIND, (CUSTOMER, owner), shows))
}

fn any(caller: &Caller, stored: &StoredRecord) -> Result<Vec<Entry>, Refused> {
    let follow_up: FollowUp = record::read(stored)?;
    Ok(vec![entry(caller, &follow_up)])
}

/// One of the caller's own: what an earlier account of the same name has planned or was given is not.
fn own(caller: &Caller, stored: &StoredRecord) -> Result<Vec<Entry>, Refused> {
    let follow_up: FollowUp = record::read(stored)?;
    let own = access::is_own(caller, &follow_up).then(|| entry(caller, &follow_up));
    Ok(own.into_iter().collect())
}

fn entry(caller: &Caller, follow_up: &FollowUp) -> Entry {
    let words = wire::Words::of(caller);
    let plan = follow_up.plan.as_ref();
    let kind = plan.map(|it| words.transaction_type(&it.transaction_type));
    let due = plan.and_then(|it| it.due).map(|due| format!(", due {due}"));
    Entry {
        place: Place::new(Sort::FollowUp, follow_up.id.to_string()),
        id: follow_up.id.to_string(),
        at: follow_up.planned_at,
        agent: plan.map(|it| it.responsible.clone()),
        state: Some(follow_up.status.name()),
        title: plan.map(|it| it.title.clone()).unwrap_or_default(),
        summary: format!("{}{}", kind.unwrap_or_default(), due.unwrap_or_default()),
    }
}
