//! What an extension may use besides what its hook is given.

use std::fmt;
use std::sync::{Arc, Weak};

use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::config::Config;
use crate::hooks::disco::Info;
use crate::hooks::gateway::Gateway;
use crate::hooks::iq::At;
use crate::hooks::online::Account;
use crate::hooks::passage::{Durable, Tidings};
use crate::hooks::peers::Peers;
use crate::hooks::requests::Requests;
use crate::hooks::table::Hooks;
use crate::proto::{BareJid, Stanza};
use crate::store::Store;

/// What came of a stanza that the server sends.
#[derive(Default)]
pub struct Sent {
    /// Writes that were begun: it is where it belongs when these are durable.
    pub durable: Vec<Durable>,
    /// Whether the server could not even begin with what belongs to it: it is not there.
    pub failed: bool,
}

impl Sent {
    /// Whether it is where it belongs.
    pub async fn is_kept(self) -> bool {
        let mut kept = !self.failed;
        for write in self.durable {
            kept &= write.await.is_ok();
        }
        kept
    }
}

/// The router as extensions see it.
pub trait Routing: Send + Sync {
    /// Routes a stanza that the server or an extension made, to wherever `to` says.
    fn route(&self, stanza: Stanza) -> BoxFuture<'_, ()>;

    /// Tells many accounts of a presence, as if it were routed to each of them. What some of them are to be told behind
    /// something that has to be waited for is left to the caller to await; there is seldom any.
    fn tell(&self, tidings: Tidings) -> Option<BoxFuture<'_, ()>>;

    /// Like [`Routing::route`], for what must not be lost.
    fn send(&self, stanza: Stanza) -> BoxFuture<'_, Sent>;

    /// Routes a stanza that came from outside, from a component or another server, which has checked
    /// `from`. It counts as handled there when the writes that are returned are durable (XEP-0198 §4).
    fn arrive(&self, stanza: Stanza) -> BoxFuture<'_, Vec<Durable>>;

    /// Sends a message in the name of an account of this server: the hooks of its side run as if one of its
    /// sessions had sent it, but for those of [`Stage::Guard`], then it is routed like any other.
    ///
    /// For a hook of that stage that stopped a message to wait for the database, and for what the server says for
    /// somebody. The session that `from` names, if any, is the sending one.
    ///
    /// [`Stage::Guard`]: super::Stage::Guard
    fn speak(&self, stanza: Stanza) -> BoxFuture<'_, Sent>;

    /// The account's sessions; none while it is offline.
    fn online(&self, account: &BareJid) -> Option<Arc<Account>>;

    /// All accounts that are online on this node, in no order.
    fn all_online(&self) -> Vec<Arc<Account>>;
}

/// Everything an extension may use, made once at start-up.
pub struct Services {
    /// The database.
    pub store: Store,
    /// Wall-clock time.
    pub clock: Clock,
    /// What the operator configured.
    pub config: Arc<Config>,
    /// The hosts that this server serves, the first being the default.
    pub hosts: Vec<BareJid>,
    /// All hooks: service discovery reads them.
    pub hooks: Arc<Hooks>,
    /// The ways out of this server, in the order in which they are asked.
    pub gateways: Vec<Arc<dyn Gateway>>,
    /// The connections with other servers and components, and what went wrong with them.
    pub peers: Arc<Peers>,
    /// Requests of the server's own that wait for an answer.
    pub requests: Requests,
    /// The router, weakly, for it owns these services.
    pub router: Weak<dyn Routing>,
}

impl Services {
    /// Whether this server serves that host.
    #[must_use]
    pub fn serves(&self, domain: &str) -> bool {
        self.hosts.iter().any(|host| host.as_str() == domain)
    }

    /// The way to a domain that is neither a host nor a service of this server.
    #[must_use]
    pub fn gateway(&self, domain: &str) -> Option<&Arc<dyn Gateway>> {
        self.gateways
            .iter()
            .find(|gateway| gateway.leads_to(domain))
    }

    /// What an address as a whole is and can do: what the extensions tell, and what components that answer
    /// in the server's place do (XEP-0355 §7.2).
    #[must_use]
    pub fn disco_info(&self, at: At, address: &BareJid) -> Info {
        let mut info = self.hooks.disco().info(at, address);
        for gateway in &self.gateways {
            gateway.nest(at, address, &mut info);
        }
        info
    }

    /// Whether there is a way to that domain: a host, a service of this server, or a way out.
    #[must_use]
    pub fn reaches(&self, domain: &str) -> bool {
        self.serves(domain)
            || self.hooks.find_service(domain).is_some()
            || self.gateway(domain).is_some()
    }

    /// Routes a stanza that the server or an extension made. After the router is gone, at
    /// the very end of a shutdown, there is nobody left to route to.
    pub async fn route(&self, stanza: Stanza) {
        if let Some(router) = self.router.upgrade() {
            router.route(stanza).await;
        }
    }

    /// Tells many accounts of this server of a presence.
    pub async fn tell(&self, tidings: Tidings) {
        if let Some(router) = self.router.upgrade()
            && let Some(rest) = router.tell(tidings)
        {
            rest.await;
        }
    }

    /// The account's sessions; none while it is offline.
    #[must_use]
    pub fn online(&self, account: &BareJid) -> Option<Arc<Account>> {
        self.router.upgrade()?.online(account)
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}
