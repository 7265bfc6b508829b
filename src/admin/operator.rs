//! What operations act on: the database, and the running server where there is one.

use std::fmt;
use std::sync::Arc;

use super::actor::Reach;
use super::machinery::{Live, Machine, Machinery};
use super::refusal::Refusal;
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
    /// What the operator configured, with what was read anew since the start.
    pub config: Arc<Config>,
    /// The running server; none while operations act on the database alone.
    pub services: Option<Arc<Services>>,
    /// How far whoever has it done reaches.
    pub(super) reach: Reach,
    /// The account that has it done; none of the command line.
    pub(super) account: Option<BareJid>,
}

impl Operator {
    /// Acts inside a running server.
    #[must_use]
    pub fn running(services: Arc<Services>) -> Self {
        Self {
            store: services.store.clone(),
            clock: services.clock.clone(),
            config: Self::configured(&services),
            services: Some(services),
            reach: Reach::Server,
            account: None,
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
            reach: Reach::Server,
            account: None,
        }
    }

    /// The configuration, with what was read anew since the start.
    #[must_use]
    pub fn configured(services: &Services) -> Arc<Config> {
        match services.hooks.offers().find::<Live>() {
            Some(live) => live.config(),
            None => Arc::clone(&services.config),
        }
    }

    /// The same for whoever has something done.
    #[must_use]
    pub fn as_seen_by(&self, actor: &super::Actor) -> Self {
        self.within(&actor.reach)
    }

    /// The same for somebody who reaches so far.
    pub(super) fn within(&self, reach: &Reach) -> Self {
        Self {
            reach: reach.clone(),
            ..self.clone()
        }
    }

    /// The hosts that are reached, in the order of the configuration.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        let hosts = self.config.hosts.iter().map(|host| host.domain.as_str());
        hosts.filter(|host| self.reach.includes(host))
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

    /// The running server.
    pub(super) fn services(&self) -> Result<&Arc<Services>, Refusal> {
        let not_running = || Refusal::NotRunning("the server is not running".to_owned());
        self.services.as_ref().ok_or_else(not_running)
    }

    /// What the running server does beyond its hooks.
    pub(super) fn machinery(&self) -> Result<Arc<dyn Machinery>, Refusal> {
        let machine = self.services()?.hooks.offers().find::<Machine>();
        let machine = machine.ok_or_else(|| {
            Refusal::NotRunning("this server was not started by the program parlour".to_owned())
        })?;
        Ok(Arc::clone(&machine.0))
    }

    pub(super) fn online(&self, jid: &BareJid) -> Option<Arc<Account>> {
        self.services.as_ref()?.online(jid)
    }

    /// Every account within reach that is online, in the order of their addresses.
    pub(super) fn all_online(&self) -> Result<Vec<Arc<Account>>, Refusal> {
        let mut accounts = self.router()?.all_online();
        accounts.retain(|account| {
            self.reach.includes_account(account.jid()) && !account.sessions().is_empty()
        });
        accounts.sort_by(|a, b| a.jid().cmp(b.jid()));
        Ok(accounts)
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
