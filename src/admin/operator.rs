//! What operations act on: the database, and the running server where there is one.

use std::fmt;
use std::sync::Arc;

use super::operation::Refusal;
use crate::clock::Clock;
use crate::config::Config;
use crate::hooks::{Account, Routing, Services, Session};
use crate::proto::{BareJid, StreamError};
use crate::store::Store;

/// What operations act on; clones act on the same.
#[derive(Clone)]
pub struct Operator {
    /// The database.
    pub store: Store,
    /// Wall-clock time.
    pub clock: Clock,
    /// What the operator configured.
    pub config: Arc<Config>,
    /// The running server; none while operations act on the database alone.
    pub services: Option<Arc<Services>>,
}

impl Operator {
    /// Acts inside a running server.
    #[must_use]
    pub fn running(services: Arc<Services>) -> Self {
        Self {
            store: services.store.clone(),
            clock: services.clock.clone(),
            config: Arc::clone(&services.config),
            services: Some(services),
        }
    }

    /// Acts on the database of a server that does not run.
    #[must_use]
    pub const fn stopped(store: Store, clock: Clock, config: Arc<Config>) -> Self {
        Self {
            store,
            clock,
            config,
            services: None,
        }
    }

    /// The router of the running server.
    pub(super) fn router(&self) -> Result<Arc<dyn Routing>, Refusal> {
        let services = self.services.as_ref();
        services
            .and_then(|services| services.router.upgrade())
            .ok_or_else(|| {
                Refusal::NotRunning("the server is not running: there are no sessions".to_owned())
            })
    }

    pub(super) fn online(&self, jid: &BareJid) -> Option<Arc<Account>> {
        self.services.as_ref()?.online(jid)
    }

    pub(super) fn sessions(&self, jid: &BareJid) -> Vec<Arc<Session>> {
        match self.online(jid) {
            Some(account) => account.sessions().to_vec(),
            None => Vec::new(),
        }
    }

    /// Ends the account's sessions and tells how many there were.
    pub(super) fn end_sessions(&self, jid: &BareJid, error: &StreamError) -> usize {
        let sessions = self.sessions(jid);
        for session in &sessions {
            session.end(error.clone());
        }
        sessions.len()
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator")
            .field("running", &self.services.is_some())
            .finish_non_exhaustive()
    }
}
