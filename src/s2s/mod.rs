//! Streams with other servers (RFC 6120 §2.5.3): TLS, SASL EXTERNAL (XEP-0178), dialback (XEP-0220), both
//! directions over one connection (XEP-0288), acknowledgements (XEP-0198).
//!
//! [`Federation`] is the [`Gateway`] to every domain that is not ours. For each pair of domains there is a
//! `link::Link`, a bounded queue that one task at a time sends from: the one that connected
//! (`outgoing`), or the one of a stream that the other server opened for both directions. Both end up in
//! `exchange`. What is said before is decided by two machines without IO, `initiating` and
//! `receiving`. A server that is slow or broken has its own tasks and queues, and no part in others'.
//!
//! Not here: resumption of streams (XEP-0198 §5), for what was not acknowledged is sent again on the next.

mod backoff;
mod connect;
mod dialback;
mod exchange;
mod failure;
mod house;
mod initiating;
mod link;
mod management;
mod outgoing;
mod receiving;
mod table;
mod targets;
mod wire;

#[cfg(test)]
mod machines_tests;

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};

use crate::clock::Clock;
use crate::config::Config;
use crate::hooks::{Durable, Gateway, Hooks, Mail, Peers, Routing, refusal};
use crate::net::dns::{Dns, DnsError, ascii_domain};
use crate::net::tls::TlsError;
use crate::net::tls::resolver::CertificateStore;
use crate::net::tls::server::{Application, ClientCertificates, server_config};
use crate::net::tls::trust::Trust;
use crate::peer::QueueLimits;
use crate::proto::{Condition, StanzaError};
use crate::xml::Limits;
use backoff::Backoff;
use connect::Places;
use dialback::{Pair, Secret};
use failure::Failure;
use initiating::Policy;
use link::{Claim, Link};
use table::Table;

pub use exchange::Start;

/// How many links may be connecting at once. A burst of domains that do not answer waits here for its turn,
/// and not with a socket each.
const CONNECTING_MAX: usize = 256;

/// How long streams may take to end when the server stops: what came becomes durable, and the last words are
/// written, each within two seconds.
const END: Duration = Duration::from_secs(5);

/// Why there are no streams with other servers although they are switched on.
#[derive(Debug, thiserror::Error)]
pub enum FederationError {
    /// The authorities or our certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The name server cannot be used.
    #[error(transparent)]
    Dns(#[from] DnsError),
}

/// What streams with other servers are made of.
pub struct Parts {
    /// The configuration.
    pub config: Arc<Config>,
    /// Wall-clock time.
    pub clock: Clock,
    /// Who knows the services of this server.
    pub hooks: Arc<Hooks>,
    /// Where stanzas go that come in.
    pub router: Weak<dyn Routing>,
    /// Where the state of streams is told.
    pub peers: Arc<Peers>,
    /// Our certificates.
    pub certificates: Arc<CertificateStore>,
    /// What dialback keys are made with; the same on every node.
    pub secret: Vec<u8>,
    /// Cancelled when the server begins to stop.
    pub leaving: CancellationToken,
}

/// The way to other servers.
pub struct Federation {
    this: Weak<Self>,
    config: Arc<Config>,
    clock: Clock,
    hooks: Arc<Hooks>,
    router: Weak<dyn Routing>,
    peers: Arc<Peers>,
    certificates: Arc<CertificateStore>,
    trust: Trust,
    tls: Arc<ServerConfig>,
    dns: Dns,
    secret: Secret,
    tasks: TaskTracker,
    /// Cancelled when the server begins to stop: what waits for a connection goes back while its senders
    /// are there to hear of it.
    leaving: CancellationToken,
    /// Cancelled when nobody has anything more to say.
    stop: CancellationToken,
    links: Table,
    connecting: Places,
    incoming: Arc<Semaphore>,
}

impl Federation {
    /// Makes it; nothing is connected to yet. Blocks on the disk, for the authorities.
    ///
    /// # Errors
    /// When the authorities or the name server of the configuration cannot be used.
    pub fn new(parts: Parts) -> Result<Arc<Self>, FederationError> {
        let s2s = &parts.config.s2s;
        let limit = s2s.connect_seconds.duration();
        let dns = match s2s.name_server.0 {
            Some(address) => Dns::at(address, limit)?,
            None => Dns::system(limit)?,
        };
        let trust = Trust::load(s2s.authorities.0.as_deref())?;
        info!(authorities = trust.authorities(), "other servers");
        let tls = server_config(
            &parts.certificates,
            &ClientCertificates::Any,
            Application::XmppServer,
            parts.config.tls.min_version,
        )?;
        let streams = usize::try_from(s2s.streams_max).unwrap_or(usize::MAX);
        let limits = QueueLimits {
            stanzas_max: usize::try_from(s2s.queue_stanzas_max).unwrap_or(usize::MAX),
            bytes_max: s2s.queue_bytes_max.as_usize(),
        };
        Ok(Arc::new_cyclic(|this| Self {
            this: Weak::clone(this),
            incoming: Arc::new(Semaphore::new(streams)),
            connecting: Places::new(CONNECTING_MAX),
            links: Table::new(streams, limits),
            secret: Secret::new(&parts.secret),
            config: parts.config,
            clock: parts.clock,
            hooks: parts.hooks,
            router: parts.router,
            peers: parts.peers,
            certificates: parts.certificates,
            tasks: TaskTracker::new(),
            leaving: parts.leaving,
            stop: CancellationToken::new(),
            trust,
            tls,
            dns,
        }))
    }

    /// What serves other servers runs here, for it outlives the sessions ([`Self::end`]).
    #[must_use]
    pub const fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Closes all streams, after what waits for them was sent. Called when those who sent it are gone.
    pub async fn end(&self) {
        self.stop.cancel();
        self.tasks.close();
        if timeout(END, self.tasks.wait()).await.is_err() {
            warn!(
                left = self.tasks.len(),
                "streams with other servers were cut off"
            );
        }
    }

    /// Serves a connection that another server has opened, to its end.
    pub async fn serve(self: Arc<Self>, socket: TcpStream, address: IpAddr, start: Start) {
        let Ok(_place) = Arc::clone(&self.incoming).try_acquire_owned() else {
            return debug!(%address, "too many streams of other servers");
        };
        Box::pin(exchange::serve(&self, socket, address, start)).await;
    }

    /// Whether that is a domain of this server, of one of its services, or of a component.
    fn serves(&self, domain: &str) -> bool {
        let config = &self.config;
        config.hosts.iter().any(|it| it.domain.as_str() == domain)
            || self.hooks.find_service(domain).is_some()
            || config
                .components
                .iter()
                .any(|it| it.domain.as_str() == domain)
    }

    fn policy(&self) -> Policy {
        Policy {
            dialback: self.config.s2s.dialback,
            require_tls: self.config.s2s.require_tls,
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff {
            min: self.config.s2s.backoff_seconds_min.duration(),
            max: self.config.s2s.backoff_seconds_max.duration(),
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            stanza_bytes_max: self.config.s2s.stanza_bytes_max.as_usize(),
            depth_max: self.config.c2s.depth_max as usize,
            ..Limits::default()
        }
    }

    /// The link of a pair; a new one when there is none and room for it.
    fn link(&self, pair: &Pair) -> Option<Arc<Link>> {
        self.links.link(pair, Instant::now())
    }

    /// The certificate that a domain of ours shows: its own, or that of the host that it belongs to.
    fn own_certificate(&self, local: &str) -> Arc<CertifiedKey> {
        let ascii = ascii_domain(local);
        let own = self.certificates.find(Some(&ascii));
        if own.leaf.covers(&ascii) {
            return Arc::clone(&own.certified);
        }
        let host = self.config.hosts.iter().find(|host| {
            let above = local.strip_suffix(host.domain.as_str());
            above.is_some_and(|rest| rest.ends_with('.'))
        });
        let found = match host {
            Some(host) => self
                .certificates
                .find(Some(&ascii_domain(host.domain.as_str()))),
            None => own,
        };
        Arc::clone(&found.certified)
    }

    /// Connects for a link and sends what waits there, in a task of its own.
    fn connect(&self, claim: Claim) {
        if let Some(this) = self.this.upgrade() {
            self.tasks.spawn(outgoing::run(this, claim));
        }
    }

    /// Remembers for operators what went wrong.
    fn failed(&self, domain: &str, failure: &Failure) {
        info!(domain, step = ?failure.step, reason = %failure.reason, "other server failed");
        self.peers
            .failed(domain, failure.to_peer_failure(self.clock.now()));
    }

    /// Gives stanzas back to their senders.
    async fn bounce(&self, stanzas: Vec<crate::peer::Waiting>, error: &StanzaError) {
        let Some(router) = self.router.upgrade() else {
            return;
        };
        for waiting in stanzas {
            if !waiting.stanza.kind.asks_no_answer()
                && let Some(refusal) = refusal(&waiting.stanza, error)
            {
                router.route(refusal).await;
            }
        }
    }
}

impl Gateway for Federation {
    fn leads_to(&self, domain: &str) -> bool {
        !self.serves(domain) && self.config.s2s.permits(domain)
    }

    fn send(&self, stanza: Mail) -> Result<Option<Durable>, StanzaError> {
        let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else {
            return Err(Condition::InternalServerError.into());
        };
        let pair = Pair {
            local: from.domain().to_owned(),
            remote: to.domain().to_owned(),
        };
        if !self.serves(&pair.local) {
            // Nobody is let through from one other server to another (RFC 6120 §10.4).
            return Err(Condition::NotAllowed.into());
        }
        let Some(link) = self.link(&pair) else {
            return Err(StanzaError::new(Condition::ResourceConstraint)
                .text("too many streams to other servers"));
        };
        let (durable, claim) = link.put(stanza, Instant::now())?;
        if let Some(claim) = claim {
            self.connect(claim);
        }
        Ok(durable)
    }
}

impl fmt::Debug for Federation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Federation").finish_non_exhaustive()
    }
}
