//! Who may be an agent (S0-9, S0-10): an account that loses its role or the right `agent-state` while it is logged in is
//! logged out for a reason of the system's, whether it has a session or not.

use std::sync::Arc;

use tracing::warn;

use super::command;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::domain::agent_state::{Command, State};
use crate::domain::ids::AgentId;
use crate::domain::rights::Right;
use crate::hooks::Services;

/// Logs the agent out when it may take part no longer. What cannot be found out or written now is tried again. The caller
/// must not have the agent's turn.
pub(super) async fn require(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    id: &AgentId,
) {
    if center.agents.agent(id).state() == State::LoggedOut {
        return;
    }
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
    if !may(services, place, id).await? {
        Box::pin(command(center, services, place, id, Command::Revoke)).await?;
    }
    Ok(())
}

async fn may(services: &Services, place: &Place, id: &AgentId) -> Result<bool, Refused> {
    let Some(known) = services.store.accounts().find(id.jid()).await? else {
        // Its record goes with it.
        return Ok(true);
    };
    let online = services.online(id.jid());
    let allowed = place.allowed(&services.store, online.as_deref(), id.jid(), known.role);
    let (rights, _) = allowed.await?;
    Ok(known.enabled && rights.has(Right::AgentState))
}
