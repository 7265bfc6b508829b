//! Who sees a follow-up: whoever has planned it or is responsible, whoever has a part in its interaction or deals with its
//! customer, exactly as long, and whoever has the right to those of others, which is written down. The first two change it, and the
//! last.

use crate::contact_center::activities;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::contact_center::trail;
use crate::domain::follow_up::{FollowUp, Rejection, SourceKind};
use crate::domain::rights::Right;

/// Why somebody may see a follow-up, or change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The agent has planned it or is responsible.
    Own,
    /// It belongs to what the agent takes part in now.
    ByPart,
    /// The agent has the right. The audit trail has to know.
    ByRight,
}

/// Whether it is the caller's own: what an earlier account of the same name has planned or was given is not.
pub(super) fn is_own(caller: &Caller, follow_up: &FollowUp) -> bool {
    let since = |at: Option<crate::clock::Timestamp>| at.is_none_or(|at| at >= caller.since);
    let author = follow_up.author.as_ref() == Some(&caller.agent);
    let plan = follow_up.plan.as_ref();
    let responsible = plan.is_some_and(|plan| plan.responsible == caller.agent);
    author && since(follow_up.planned_at) || responsible && since(follow_up.assigned_at)
}

/// Whether it is of the caller's host.
pub(super) fn is_of_host(caller: &Caller, follow_up: &FollowUp) -> bool {
    let author = follow_up.author.as_ref();
    author.is_some_and(|author| author.host() == caller.place.host.as_str())
}

/// Why the caller may see it.
///
/// # Errors
/// When it may not even know of it.
pub(super) async fn to(caller: &Caller, follow_up: &FollowUp) -> Result<Way, Refused> {
    if !is_of_host(caller, follow_up) {
        return Err(Rejection::Unknown.into());
    }
    if is_own(caller, follow_up) {
        return Ok(Way::Own);
    }
    if has_part(caller, follow_up).await? {
        return Ok(Way::ByPart);
    }
    by_right(caller).ok_or_else(|| Rejection::Unknown.into())
}

/// Why the caller may change it.
///
/// # Errors
/// When it may not; whoever may not know of it learns nothing.
pub(super) async fn to_change(caller: &Caller, follow_up: &FollowUp) -> Result<Way, Refused> {
    match to(caller, follow_up).await? {
        Way::Own => Ok(Way::Own),
        Way::ByPart | Way::ByRight => by_right(caller).ok_or_else(|| Rejection::NotYours.into()),
    }
}

/// The right to those of others.
pub(super) fn by_right(caller: &Caller) -> Option<Way> {
    let has = caller.rights.has(Right::FollowUpShow);
    has.then_some(Way::ByRight)
}

async fn has_part(caller: &Caller, follow_up: &FollowUp) -> Result<bool, Refused> {
    if let Some(source) = &follow_up.source
        && source.kind == SourceKind::InteractionRecord
        && let Ok(id) = source.id.parse()
        && activities::has_part_in(caller, &id).await?
    {
        return Ok(true);
    }
    let customer = follow_up.plan.as_ref().and_then(|it| it.customer.as_ref());
    Ok(match customer {
        Some(customer) => activities::dealt_with(caller).await?.contains(customer),
        None => false,
    })
}

/// Writes down what is looked at by right, before it is shown.
pub(super) async fn note(
    caller: &Caller,
    way: Way,
    operation: &'static str,
    target: &str,
) -> Result<(), Refused> {
    match way {
        Way::Own | Way::ByPart => Ok(()),
        Way::ByRight => trail::shown(caller, operation, target).await,
    }
}
