//! Who may be an agent (S0-9, S0-10): an account that loses its role or the right `agent-state` while it is logged in is
//! logged out for a reason of the system's, whether it has a session or not; so is one that is disabled. What it is offered is offered
//! to others, and the IM sessions end of whoever is no agent any more, or may neither talk in them nor end them itself.

use std::sync::Arc;

use tracing::warn;

use super::{display, in_turn};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::{Refused, only_failures};
use crate::contact_center::people::Person;
use crate::contact_center::{doors, im, interactions};
use crate::domain::agent_state::{Command, State};
use crate::domain::ids::AgentId;
use crate::domain::rights::{Right, Rights};
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;

/// Logs the agent out when it may take part no longer, and ends what it could not end itself. What cannot be found out or
/// written now is tried again. The caller must not have the agent's turn.
pub(super) async fn require(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &AgentId,
) {
    if let Err(refused) = revoke(center, services, place, id).await {
        warn!(%refused, agent = %id, "an agent stays one although it may not");
        center.agents.behind.add(id);
    }
}

async fn revoke(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &AgentId,
) -> Result<(), Refused> {
    let turn = center.agents.turn(id).await;
    // What holds in its turn: it may have been given back meanwhile, and the agent logged in anew.
    let Some(rights) = rights(services, place, id).await? else {
        return Ok(());
    };
    if rights.has(Right::AgentState) {
        return Ok(());
    }
    if center.agents.agent(id).state() == State::LoggedOut {
        drop(turn);
    } else {
        let out = in_turn(center, services, place, turn, (id, Command::Revoke));
        Box::pin(out).await?;
        Box::pin(interactions::withdraw(center, services, place, id)).await?;
    }
    if !rights.has(Right::InstantMessage) {
        Box::pin(im::leave_all(center, services, id)).await?;
    }
    Ok(())
}

/// Asks whether the account may be an agent now. The caller has the agent's turn.
///
/// # Errors
/// `forbidden` when it may not.
pub(super) async fn still(services: &Services, place: &Place, id: &AgentId) -> Result<(), Refused> {
    let standing = place.standing(services, id.jid()).await?;
    let standing = standing.ok_or_else(doors::stranger)?;
    standing.rights.require(Right::AgentState)?;
    Ok(())
}

/// Registers what follows a change of an account.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let center = Arc::clone(center);
    hooks.account_changed(move |account, services| {
        let center = Arc::clone(&center);
        async move {
            let followed = account_changed(&center, &services, account);
            only_failures(Box::pin(followed).await)
        }
    });
}

/// An account was disabled, or has another role: who may take part no longer does so no longer, also in sessions that are open,
/// and what it was asked others are asked.
async fn account_changed(
    center: &Center,
    services: &Arc<Services>,
    account: BareJid,
) -> Result<(), Refused> {
    let place = center.place_of(account.domain().as_str());
    let online = services.online(&account);
    let (Some(place), Some(id)) = (place, AgentId::new(account)) else {
        return Ok(());
    };
    let shown = match online {
        Some(online) => display::learn_anew(center, services, place, &online).await,
        None => Ok(()),
    };
    require(center, services, place, &id).await;
    center.agents.live.check_rights();
    center.streams.check_rights();
    let person = Person::find(place, &services.store, &id).await?;
    if !person.colleague().is_agent() {
        Box::pin(im::leave_all(center, services, &id)).await?;
    }
    shown
}

/// What the account may do; nothing where it is disabled. `None` where there is none: what it has goes with it.
async fn rights(
    services: &Services,
    place: &Place,
    id: &AgentId,
) -> Result<Option<Arc<Rights>>, Refused> {
    let Some(known) = services.store.accounts().find(id.jid()).await? else {
        return Ok(None);
    };
    if !known.enabled {
        return Ok(Some(Arc::default()));
    }
    let online = services.online(id.jid());
    let allowed = place.allowed(&services.store, online.as_deref(), id.jid(), known.role);
    Ok(Some(allowed.await?.0))
}
