//! Who may read an activity, and the history of a customer (S1-33 to S1-36): the agent whose it is, whoever has a part in the
//! interaction or in one with the same customer, exactly as long as that part lasts, and whoever has the right, which is
//! written down.

use super::{CURRENT, KIND};
use crate::contact_center::customers;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::contact_center::{im, interactions, record};
use crate::domain::activity::Activity;
use crate::domain::ids::{CustomerId, InteractionId};
use crate::domain::im_session::ImSession;
use crate::domain::interaction::{Access, Interaction};
use crate::domain::rights::Right;
use crate::store::ListOrder;

/// Activities, and IM sessions, in which an agent can have a part at once: more than its capacity and its channels are.
const PARTS_MAX: u32 = 100;

/// The list of an agent's open IM sessions.
const CHANNEL: &str = "channel";

/// Why somebody may read something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// It is the agent's own.
    Own,
    /// It belongs to what the agent takes part in now.
    ByPart,
    /// The agent has the right. The audit trail has to know.
    ByRight,
}

/// Whether it is the caller's own: what an earlier account of the same name has done is not.
pub(super) fn is_own(caller: &Caller, activity: &Activity) -> bool {
    let own = super::agent_of(activity).is_some_and(|agent| *agent == caller.agent);
    own && activity.created_at.is_none_or(|at| at >= caller.since)
}

/// Why the caller may read the activity; `None` when it may not even know of it.
pub(super) async fn to_activity(
    caller: &Caller,
    activity: &Activity,
) -> Result<Option<Reading>, Refused> {
    let Some(subject) = &activity.subject else {
        return Ok(None);
    };
    if subject.agent.host() != caller.place.host.as_str() {
        return Ok(None);
    }
    if is_own(caller, activity) {
        return Ok(Some(Reading::Own));
    }
    if has_part_in(caller, &subject.interaction).await? {
        return Ok(Some(Reading::ByPart));
    }
    match &subject.customer {
        Some(customer) => to_customer(caller, customer).await,
        None => Ok(by_right(caller)),
    }
}

/// Why the caller may read the history of a customer.
pub(super) async fn to_customer(
    caller: &Caller,
    customer: &CustomerId,
) -> Result<Option<Reading>, Refused> {
    let deals = deals_with(caller, customer).await? || is_asked_about(caller, customer).await?;
    Ok(match deals {
        true => Some(Reading::ByPart),
        false => by_right(caller),
    })
}

/// The same of all activities of an interaction.
pub(super) async fn to_interaction(
    caller: &Caller,
    interaction: &InteractionId,
) -> Result<Option<Reading>, Refused> {
    Ok(match has_part_in(caller, interaction).await? {
        true => Some(Reading::ByPart),
        false => by_right(caller),
    })
}

fn by_right(caller: &Caller) -> Option<Reading> {
    let has = caller.rights.has(Right::ActivityShow);
    has.then_some(Reading::ByRight)
}

async fn has_part_in(caller: &Caller, id: &InteractionId) -> Result<bool, Refused> {
    let Some(interaction) = interactions::find(&caller.services, id).await? else {
        return Ok(false);
    };
    let access = interactions::access(&caller.services, &interaction, &caller.agent).await?;
    Ok(access != Access::None)
}

/// Whether the caller has a part in an interaction with that customer.
async fn deals_with(caller: &Caller, customer: &CustomerId) -> Result<bool, Refused> {
    let own = caller.agent.to_string();
    let records = caller.services.store.records();
    let order = ListOrder::Descending;
    let page = records.listed(KIND, (CURRENT, &own), None, order, PARTS_MAX);
    for stored in page.await? {
        let activity: Activity = record::read(&stored)?;
        let Some(subject) = &activity.subject else {
            continue;
        };
        let same = subject.customer.as_ref() == Some(customer) && is_own(caller, &activity);
        if same && has_part_in(caller, &subject.interaction).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a colleague who deals with that customer asks the caller about it by instant messages.
async fn is_asked_about(caller: &Caller, customer: &CustomerId) -> Result<bool, Refused> {
    let own = caller.agent.to_string();
    let records = caller.services.store.records();
    let order = ListOrder::Descending;
    let page = records.listed(im::KIND, (CHANNEL, &own), None, order, PARTS_MAX);
    for stored in page.await? {
        let session: ImSession = record::read(&stored)?;
        let Some(about) = &session.about else {
            continue;
        };
        let Some(interaction) = interactions::find(&caller.services, about).await? else {
            continue;
        };
        let Some(theirs) = &interaction.customer else {
            continue;
        };
        // It may have been merged into another since.
        let theirs = customers::find(&caller.services, &caller.place, theirs).await?;
        let same = theirs.is_some_and(|theirs| theirs.id == *customer);
        if same && asks(&interaction, &session, caller) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn asks(interaction: &Interaction, session: &ImSession, caller: &Caller) -> bool {
    interaction.access_with(&caller.agent, Some(session)) != Access::None
}
