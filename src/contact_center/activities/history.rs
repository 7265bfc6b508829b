//! Activities in the history of a customer, and the interactions that they are parts of.

use super::{CUSTOMER, KIND, access, of_agent, of_host};
use crate::contact_center::customers::Sees;
use crate::contact_center::errors::Refused;
use crate::contact_center::history::{Entry, Place, Records, Shows, Sort};
use crate::contact_center::operation::Caller;
use crate::contact_center::record;
use crate::domain::activity::{Activity, Subject, id_of};
use crate::domain::reason_code::Kind as ReasonKind;
use crate::domain::rights::Right;
use crate::store::StoredRecord;

/// Those with the customer that the caller sees: all, or its own.
pub(in crate::contact_center) fn history(caller: &Caller, sees: Sees<'_>) -> Option<Records> {
    let has = |right| caller.rights.has(right);
    let activities = has(Right::Activity) && (sees.deals || has(Right::ActivityShow));
    let interactions = (sees.deals && has(Right::Interaction)) || has(Right::InteractionShow);
    let customer = &sees.customer.id;
    let all = of_host(caller.place.host.as_str(), customer.as_str());
    let (owner, shows): (_, Shows) = match (activities, interactions) {
        (true, true) => (all, |caller, it| entries(caller, it, (true, true))),
        (true, false) => (all, |caller, it| entries(caller, it, (true, false))),
        (false, true) => (all, |caller, it| entries(caller, it, (false, true))),
        (false, false) if has(Right::Activity) => (of_agent(customer, &caller.agent), own),
        (false, false) => return None,
    };
    Some(Records::listed(KIND, (CUSTOMER, owner), shows))
}

/// One of the caller's own.
fn own(caller: &Caller, stored: &StoredRecord) -> Result<Vec<Entry>, Refused> {
    let activity: Activity = record::read(stored)?;
    match access::is_own(caller, &activity) {
        true => entries(caller, stored, (true, false)),
        false => Ok(Vec::new()),
    }
}

/// The activity, and its interaction where that began with it: what is told of one is known from the part of who was asked
/// first, also when its own record is kept no longer.
fn entries(
    caller: &Caller,
    stored: &StoredRecord,
    (as_activity, as_interaction): (bool, bool),
) -> Result<Vec<Entry>, Refused> {
    let activity: Activity = record::read(stored)?;
    let Some(subject) = &activity.subject else {
        return Ok(Vec::new());
    };
    let began = activity
        .created_at
        .map(|at| id_of(&subject.interaction, 0, at));
    let first = began.is_some_and(|it| it == activity.id);
    let own = caller.rights.has(Right::Activity) && access::is_own(caller, &activity);
    let own = as_activity || own;
    let own = own.then(|| of_activity(caller, &activity, subject));
    let whole = (as_interaction && first).then(|| of_interaction(&activity, subject));
    Ok(own.into_iter().chain(whole).collect())
}

fn of_activity(caller: &Caller, activity: &Activity, subject: &Subject) -> Entry {
    let settings = caller.place.settings.load();
    let came = activity.wrap_up.as_deref().map(|code| {
        let known = settings.reasons.find(ReasonKind::WrapUp, code);
        known.map_or(code, |it| it.label(&caller.language))
    });
    let came = came.map(|it| format!(". {it}")).unwrap_or_default();
    let seconds = activity.duration_seconds(caller.now());
    let state = match activity.is_current() {
        true => "current",
        false => "closed",
    };
    Entry {
        place: Place::new(Sort::Activity, activity.id.to_string()),
        id: activity.id.to_string(),
        at: activity.created_at,
        agent: Some(subject.agent.clone()),
        state: Some(state),
        title: subject.name.clone(),
        summary: format!("{}, {seconds} seconds{came}", dealing(subject)),
    }
}

fn of_interaction(activity: &Activity, subject: &Subject) -> Entry {
    Entry {
        place: Place::new(Sort::Interaction, activity.id.to_string()),
        id: subject.interaction.to_string(),
        at: activity.created_at,
        agent: Some(subject.agent.clone()),
        state: None,
        title: subject.name.clone(),
        summary: format!("{}, {}", dealing(subject), subject.address),
    }
}

/// `voice, inbound`.
fn dealing(subject: &Subject) -> String {
    let direction = super::wire::direction(subject.direction);
    format!("{}, {direction}", subject.medium.name())
}
