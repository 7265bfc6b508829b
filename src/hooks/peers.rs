//! What is known of connections with other servers and with components, for those who operate this one:
//! which there are, what waits for them, and what went wrong last.
//!
//! Whoever has such a connection publishes it here ([`Peers::publish`]) and says what failed
//! ([`Peers::failed`]); the doors of `admin` read. Nothing is decided from it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Timestamp;

/// How many failures of one domain are remembered: enough to see whether they are always the same.
const FAILURES_MAX: usize = 10;

/// Of how many domains failures are remembered. Strangers can cause them, at will.
const FAILING_DOMAINS_MAX: usize = 1_000;

/// How long the reason of a failure may be, in characters: parts of it may come from the peer.
const REASON_CHARACTERS_MAX: usize = 300;

/// Who is on the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PeerKind {
    /// Another server (RFC 6120 §2.5.3).
    Server,
    /// An external component (XEP-0114).
    Component,
}

/// Which way stanzas go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerDirection {
    /// To the peer.
    Outgoing,
    /// From the peer.
    Incoming,
    /// Both (XEP-0288, XEP-0114).
    Both,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// Not there; what is for it waits.
    Away,
    /// Being looked up and connected to.
    Connecting,
    /// Connected, and not yet known for who it says it is.
    Negotiating,
    /// Stanzas are exchanged.
    Established,
    /// Closed on the way out.
    Closing,
}

impl PeerState {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::Away,
        Self::Connecting,
        Self::Negotiating,
        Self::Established,
        Self::Closing,
    ];

    /// As operators see it in lists and numbers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Connecting => "connecting",
            Self::Negotiating => "negotiating",
            Self::Established => "established",
            Self::Closing => "closing",
        }
    }
}

/// What protects a connection and proves who the peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerSecurity {
    /// Nothing yet.
    Nothing,
    /// No TLS; the peer is known by dialback (XEP-0220) or by a shared secret (XEP-0114).
    Plain,
    /// TLS with a certificate that is not valid for the peer, which is known otherwise.
    Encrypted,
    /// TLS with a certificate that is valid for the peer, or with a shared secret.
    Authenticated,
}

/// One connection, as it is at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Who is on the other side.
    pub kind: PeerKind,
    /// The peer's domain; empty while it has not said it.
    pub domain: String,
    /// Our own domain that it is connected with.
    pub local: String,
    /// Which way stanzas go.
    pub direction: PeerDirection,
    /// How far it is.
    pub state: PeerState,
    /// Since when it is in that state.
    pub since: Timestamp,
    /// The peer's address; none before there is a socket.
    pub address: Option<IpAddr>,
    /// What protects it.
    pub security: PeerSecurity,
    /// How many stanzas wait to be sent.
    pub queued_stanzas: usize,
    /// How many bytes these are.
    pub queued_bytes: usize,
}

/// Something that went wrong with a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerFailure {
    /// When.
    pub at: Timestamp,
    /// At which step, in a word or two: `dns`, `connect`, `tls`, `certificate`, `sasl`, `dialback`.
    pub step: &'static str,
    /// What happened, for a person to read.
    pub reason: String,
}

/// How many stanzas and bytes wait.
type Depth = Box<dyn Fn() -> (usize, usize) + Send + Sync>;

/// The connections there are, and what went wrong.
#[derive(Default)]
pub struct Peers {
    next: AtomicU64,
    connections: Mutex<BTreeMap<u64, Entry>>,
    failures: Mutex<Failures>,
}

struct Entry {
    status: PeerStatus,
    depth: Depth,
}

#[derive(Default)]
struct Failures {
    by_domain: HashMap<String, VecDeque<PeerFailure>>,
    /// The domains, the one that failed longest ago first.
    order: VecDeque<String>,
}

impl Peers {
    /// Makes a connection known until the answer is dropped. `depth` tells how many stanzas and bytes wait
    /// for it; the numbers in `status` are not looked at.
    pub fn publish(
        self: &Arc<Self>,
        status: PeerStatus,
        depth: impl Fn() -> (usize, usize) + Send + Sync + 'static,
    ) -> Published {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let depth: Depth = Box::new(depth);
        lock(&self.connections).insert(number, Entry { status, depth });
        Published {
            number,
            peers: Arc::clone(self),
        }
    }

    /// Remembers that something went wrong with a domain, and forgets what is too old.
    pub fn failed(&self, domain: &str, mut failure: PeerFailure) {
        if let Some((end, _)) = failure.reason.char_indices().nth(REASON_CHARACTERS_MAX) {
            failure.reason.truncate(end);
        }
        let mut failures = lock(&self.failures);
        failures.order.retain(|known| known != domain);
        failures.order.push_back(domain.to_owned());
        let of_domain = failures.by_domain.entry(domain.to_owned()).or_default();
        of_domain.push_back(failure);
        if of_domain.len() > FAILURES_MAX {
            of_domain.pop_front();
        }
        if failures.order.len() > FAILING_DOMAINS_MAX
            && let Some(oldest) = failures.order.pop_front()
        {
            failures.by_domain.remove(&oldest);
        }
    }

    /// Every connection, the oldest first.
    #[must_use]
    pub fn connections(&self) -> Vec<PeerStatus> {
        let connections = lock(&self.connections);
        let statuses = connections.values().map(|entry| {
            let (queued_stanzas, queued_bytes) = (entry.depth)();
            PeerStatus {
                queued_stanzas,
                queued_bytes,
                ..entry.status.clone()
            }
        });
        statuses.collect()
    }

    /// What went wrong with a domain, the oldest first.
    #[must_use]
    pub fn failures(&self, domain: &str) -> Vec<PeerFailure> {
        let failures = lock(&self.failures);
        let of_domain = failures.by_domain.get(domain);
        of_domain.into_iter().flatten().cloned().collect()
    }

    /// The domains with which something went wrong, and the last of it; the latest first.
    #[must_use]
    pub fn failing(&self) -> Vec<(String, PeerFailure)> {
        let failures = lock(&self.failures);
        let latest = failures.order.iter().rev().filter_map(|domain| {
            let last = failures.by_domain.get(domain)?.back()?;
            Some((domain.clone(), last.clone()))
        });
        latest.collect()
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peers({} connections)", lock(&self.connections).len())
    }
}

/// A connection that is known; dropping it makes it unknown.
#[derive(Debug)]
pub struct Published {
    number: u64,
    peers: Arc<Peers>,
}

impl Published {
    /// Says what has changed. When `state` has, `since` becomes `now`.
    pub fn change(&self, now: Timestamp, change: impl FnOnce(&mut PeerStatus)) {
        if let Some(entry) = lock(&self.peers.connections).get_mut(&self.number) {
            let before = entry.status.state;
            change(&mut entry.status);
            if entry.status.state != before {
                entry.status.since = now;
            }
        }
    }
}

impl Drop for Published {
    fn drop(&mut self) {
        lock(&self.peers.connections).remove(&self.number);
    }
}

/// A panic while a lock was held cannot have left what is behind it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn failure(reason: &str) -> PeerFailure {
        PeerFailure {
            at: NOW,
            step: "connect",
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn a_connection_is_known_as_long_as_there_is_one() {
        let peers = Arc::new(Peers::default());
        let status = PeerStatus {
            kind: PeerKind::Server,
            domain: "b.example".to_owned(),
            local: "a.example".to_owned(),
            direction: PeerDirection::Outgoing,
            state: PeerState::Connecting,
            since: NOW,
            address: None,
            security: PeerSecurity::Nothing,
            queued_stanzas: 0,
            queued_bytes: 0,
        };
        let published = peers.publish(status, || (3, 70));
        let later = NOW.plus_seconds(9);
        published.change(later, |it| it.security = PeerSecurity::Encrypted);
        assert_eq!(peers.connections()[0].since, NOW);
        published.change(later, |it| it.state = PeerState::Established);
        let shown = &peers.connections()[0];
        assert_eq!((shown.queued_stanzas, shown.queued_bytes), (3, 70));
        assert_eq!(shown.since, later);
        drop(published);
        assert!(peers.connections().is_empty());
    }

    #[test]
    fn failures_are_remembered_up_to_their_bounds() {
        let peers = Peers::default();
        for number in 0..=FAILURES_MAX {
            peers.failed("b.example", failure(&number.to_string()));
        }
        let found = peers.failures("b.example");
        assert_eq!(found.len(), FAILURES_MAX);
        assert_eq!(found[0].reason, "1");
        for number in 0..FAILING_DOMAINS_MAX {
            peers.failed(&format!("{number}.example"), failure(&"ü".repeat(1_000)));
        }
        assert!(peers.failures("b.example").is_empty());
        let failing = peers.failing();
        assert_eq!(failing.len(), FAILING_DOMAINS_MAX);
        assert_eq!(failing[0].0, "999.example");
        assert_eq!(failing[0].1.reason.chars().count(), 300);
    }
}
