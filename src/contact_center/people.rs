//! What is known of an account when it shall work with another.

use std::sync::Arc;

use super::center::Place;
use super::errors::Refused;
use super::operation::Caller;
use crate::domain::chat_profile::ChatProfile;
use crate::domain::colleague::Colleague;
use crate::domain::ids::AgentId;
use crate::domain::reach::Blocking;
use crate::domain::rights::{Rights, Role};
use crate::extensions::blocking;
use crate::hooks::Services;
use crate::proto::StanzaError;
use crate::store::Store;

/// An account, or the lack of one.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: AgentId,
    /// `None` when there is no such account, or it is disabled.
    pub(super) role: Option<Role>,
    pub(super) rights: Arc<Rights>,
    pub(super) profile: Arc<ChatProfile>,
}

impl Person {
    /// Looks the account up.
    pub(super) async fn find(place: &Place, store: &Store, id: &AgentId) -> Result<Self, Refused> {
        let known = match id.host() == place.host.as_str() {
            true => store.accounts().find(id.jid()).await?,
            false => None,
        };
        let role = known.filter(|it| it.enabled).map(|it| it.role);
        let (rights, profile) = match role {
            Some(role) => place.allowed(store, None, id.jid(), role).await?,
            None => <(Arc<Rights>, Arc<ChatProfile>)>::default(),
        };
        Ok(Self {
            id: id.clone(),
            role,
            rights,
            profile,
        })
    }

    /// Whoever has an operation done.
    pub(super) fn caller(caller: &Caller) -> Self {
        Self {
            id: caller.agent.clone(),
            role: Some(caller.role),
            rights: Arc::clone(&caller.rights),
            profile: Arc::clone(&caller.profile),
        }
    }

    /// As the rules of the domain take it.
    pub(super) fn colleague(&self) -> Colleague<'_> {
        Colleague {
            id: &self.id,
            role: self.role,
            rights: &self.rights,
            profile: &self.profile,
        }
    }
}

/// Whether one of the two has blocked the other (XEP-0191). Where both have, it is as if only the other had: nothing
/// of it may be told.
pub(super) async fn between(
    services: &Services,
    own: &AgentId,
    other: &AgentId,
) -> Result<Blocking, StanzaError> {
    if blocking::has_blocked(services, other.jid(), own.jid()).await? {
        return Ok(Blocking::ByThem);
    }
    if blocking::has_blocked(services, own.jid(), other.jid()).await? {
        return Ok(Blocking::ByYou);
    }
    Ok(Blocking::None)
}
