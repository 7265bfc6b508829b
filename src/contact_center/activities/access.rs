//! Who may read an activity, and the history of a customer (S1-33 to S1-36): the agent whose it is, whoever has a part in the
//! interaction or in one with the same customer, exactly as long as that part lasts, and whoever has the right, which is
//! written down.

use std::collections::BTreeSet;

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
    let deals = dealt_with(caller).await?.contains(customer);
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

/// Whether the caller takes part in that interaction now, or is asked about it.
pub(in crate::contact_center) async fn has_part_in(
    caller: &Caller,
    id: &InteractionId,
) -> Result<bool, Refused> {
    let Some(interaction) = interactions::find(&caller.services, id).await? else {
        return Ok(false);
    };
    let access = interactions::access(&caller.services, &interaction, &caller.agent).await?;
    Ok(access != Access::None)
}

/// The customers whom the caller deals with now: of the interactions in which it has a part, and of those about which a colleague
/// who deals with the customer asks it by instant messages.
pub(in crate::contact_center) async fn dealt_with(
    caller: &Caller,
) -> Result<BTreeSet<CustomerId>, Refused> {
    let own = caller.agent.to_string();
    let records = caller.services.store.records();
    let order = ListOrder::Descending;
    let mut customers = BTreeSet::new();
    let page = records.listed(KIND, (CURRENT, &own), None, order, PARTS_MAX);
    for stored in page.await? {
        let activity: Activity = record::read(&stored)?;
        let subject = activity
            .subject
            .as_ref()
            .filter(|_| is_own(caller, &activity));
        let Some((interaction, customer)) =
            subject.and_then(|it| Some((&it.interaction, it.customer.as_ref()?)))
        else {
            continue;
        };
        if !customers.contains(customer) && has_part_in(caller, interaction).await? {
            customers.insert(customer.clone());
        }
    }
    let page = records.listed(im::KIND, (CHANNEL, &own), None, order, PARTS_MAX);
    for stored in page.await? {
        customers.extend(asked_about(caller, &record::read(&stored)?).await?);
    }
    Ok(customers)
}

/// The customer about whom the caller is asked in that session.
async fn asked_about(caller: &Caller, session: &ImSession) -> Result<Option<CustomerId>, Refused> {
    let Some(about) = &session.about else {
        return Ok(None);
    };
    let interaction = interactions::find(&caller.services, about).await?;
    let interaction = interaction.filter(|it| asks(it, session, caller));
    let Some(theirs) = interaction.and_then(|it| it.customer) else {
        return Ok(None);
    };
    // It may have been merged into another since.
    let theirs = customers::find(&caller.services, &caller.place, &theirs).await?;
    Ok(theirs.map(|theirs| theirs.id))
}

fn asks(interaction: &Interaction, session: &ImSession, caller: &Caller) -> bool {
    interaction.access_with(&caller.agent, Some(session)) != Access::None
}
