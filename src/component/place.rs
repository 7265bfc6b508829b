//! One component's place: what waits for it, and who is connected.
//!
//! The queue and the state change under one lock, so that nothing is put into the queue of a component that
//! has just been given up.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::delegation::{self, Delegated, Nested};
use crate::clock::Clock;
use crate::config::{Component, ComponentConflict};
use crate::hooks::{
    Durable, Mail, PeerDirection, PeerKind, PeerSecurity, PeerState, PeerStatus, Published,
    Services, refusal,
};
use crate::peer::{Queue, QueueLimits, Refused, Waiting};
use crate::proto::{BareJid, Condition, StanzaError, StreamCondition, StreamError};

/// How long a connection may take to give back what it was writing when the server stops.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// A configured component.
pub(super) struct Place {
    config: Component,
    domain: BareJid,
    queue: Queue,
    /// Changed under its own lock only; [`Place::locked`] orders that with the queue.
    state: watch::Sender<State>,
    lock: Mutex<()>,
    /// What it was asked in the server's place.
    delegated: Delegated,
    /// What it can do in the server's place.
    nested: Nested,
    /// What operators see of it, from the start of the server on.
    known: OnceLock<(Published, Clock)>,
}

/// Whether somebody is connected.
#[derive(Clone, Debug)]
enum State {
    /// The token tells that connection to make room for another.
    Connected(CancellationToken),
    /// What comes for it waits until then.
    Away { until: Instant },
    /// It has been away for too long.
    GivenUp,
}

impl Place {
    pub(super) fn new(config: &Component) -> Self {
        let limits = QueueLimits {
            stanzas_max: config.queue_stanzas_max as usize,
            bytes_max: config.queue_bytes_max.as_usize(),
        };
        // A component finds its server by trying again: after a start there is no other state to begin with.
        let until = Instant::now() + config.reconnect_seconds.duration();
        Self {
            config: config.clone(),
            domain: config.domain.to_jid(),
            queue: Queue::new(limits),
            state: watch::Sender::new(State::Away { until }),
            lock: Mutex::default(),
            delegated: Delegated::new(config),
            nested: Nested::default(),
            known: OnceLock::new(),
        }
    }

    pub(super) const fn config(&self) -> &Component {
        &self.config
    }

    pub(super) const fn domain(&self) -> &BareJid {
        &self.domain
    }

    pub(super) const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Makes it known to operators, also while nobody is connected: what waits for it counts then, too.
    pub(super) fn publish(self: &Arc<Self>, services: &Services) {
        let local = services.hosts.first();
        let status = PeerStatus {
            kind: PeerKind::Component,
            domain: self.domain.to_string(),
            local: local.map(ToString::to_string).unwrap_or_default(),
            direction: PeerDirection::Both,
            state: PeerState::Away,
            since: services.clock.now(),
            address: None,
            security: PeerSecurity::Plain,
            queued_stanzas: 0,
            queued_bytes: 0,
        };
        let place = Arc::downgrade(self);
        let depth = move || place.upgrade().map_or((0, 0), |it| it.queue.depth());
        let published = services.peers.publish(status, depth);
        // Published once; a second time would say the same.
        drop(self.known.set((published, services.clock.clone())));
    }

    fn show(&self, state: PeerState, address: Option<IpAddr>) {
        if let Some((published, clock)) = self.known.get() {
            published.change(clock.now(), |status| {
                status.state = state;
                status.address = address;
            });
        }
    }

    pub(super) const fn delegated(&self) -> &Delegated {
        &self.delegated
    }

    pub(super) const fn nested(&self) -> &Nested {
        &self.nested
    }

    /// Whether somebody is connected at this moment.
    pub(super) fn is_taken(&self) -> bool {
        matches!(&*self.state.borrow(), State::Connected(_))
    }

    /// Takes a stanza that would mean nothing later (XEP-0355 §4.3).
    pub(super) fn send_at_once(&self, stanza: Mail) -> Result<(), StanzaError> {
        let _locked = self.locked();
        if !self.is_taken() {
            return Err(delegation::unavailable());
        }
        self.queue
            .put(stanza)
            .map(drop)
            .map_err(|refused| match refused {
                Refused::Full => Condition::ResourceConstraint.into(),
                Refused::Closed => delegation::unavailable(),
            })
    }

    /// Takes a stanza, to be sent now or when the component is back.
    pub(super) fn send(&self, stanza: Mail) -> Result<Option<Durable>, StanzaError> {
        let _locked = self.locked();
        let waits = match &*self.state.borrow() {
            State::Connected(_) => true,
            State::Away { until } => *until > Instant::now(),
            State::GivenUp => false,
        };
        if !waits {
            return Err(away());
        }
        self.queue.put(stanza).map_err(|refused| match refused {
            Refused::Full => {
                StanzaError::new(Condition::ResourceConstraint).text("too much waits for it")
            }
            Refused::Closed => away(),
        })
    }

    /// Sits down; who sat here before has to go first, or nobody gets in, as is configured. `peer` is who does.
    ///
    /// # Errors
    /// `conflict` when there is somebody, and is to stay.
    pub(super) async fn sit_down(self: &Arc<Self>, peer: IpAddr) -> Result<Seat, StreamError> {
        let mut states = self.state.subscribe();
        loop {
            if let Some(seat) = self.try_to_sit_down(peer)? {
                return Ok(seat);
            }
            // The place itself holds the sender, so this always comes to an end.
            if states.changed().await.is_err() {
                return Err(StreamCondition::InternalServerError.into());
            }
        }
    }

    fn try_to_sit_down(self: &Arc<Self>, peer: IpAddr) -> Result<Option<Seat>, StreamError> {
        let _locked = self.locked();
        if let State::Connected(told) = &*self.state.borrow() {
            return match self.config.conflict {
                ComponentConflict::Refuse => Err(StreamCondition::Conflict.into()),
                ComponentConflict::Replace => {
                    warn!("replaces an older connection");
                    told.cancel();
                    Ok(None)
                }
            };
        }
        let told = CancellationToken::new();
        self.state.send_replace(State::Connected(told.clone()));
        self.show(PeerState::Established, Some(peer));
        Ok(Some(Seat {
            place: Arc::clone(self),
            told,
            in_flight: Vec::new(),
        }))
    }

    /// Gives back what waits when the component has been away for too long, until `stop`.
    pub(super) async fn watch(&self, services: &Services, stop: &CancellationToken) {
        let mut states = self.state.subscribe();
        loop {
            let state = states.borrow_and_update().clone();
            let until = match state {
                State::Connected(_) | State::GivenUp => None,
                State::Away { until } => Some(until),
            };
            let over = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                _ = states.changed() => {}
                () = over => self.give_back(self.given_up(), services).await,
            }
        }
    }

    /// Gives back everything when the server has told its component to end, and takes nothing any more.
    pub(super) async fn end(&self, services: &Services) {
        let mut states = self.state.subscribe();
        let left = states.wait_for(|state| !matches!(state, State::Connected(_)));
        // What a connection gives back later than that is lost with the process.
        drop(timeout(LAST_WRITE, left).await);
        self.give_back(self.queue.close(), services).await;
    }

    fn given_up(&self) -> Vec<Waiting> {
        let _locked = self.locked();
        if !matches!(&*self.state.borrow(), State::Away { .. }) {
            // It came back at the last moment.
            return Vec::new();
        }
        self.state.send_replace(State::GivenUp);
        self.queue.drain()
    }

    async fn give_back(&self, waiting: Vec<Waiting>, services: &Services) {
        if !waiting.is_empty() {
            info!(domain = %self.domain, stanzas = waiting.len(), "given back to the senders");
        }
        for waiting in waiting {
            if !waiting.stanza.kind.asks_no_answer()
                && let Some(refusal) = refusal(&waiting.stanza, &away())
            {
                services.route(refusal).await;
            }
        }
    }

    /// A panic while the lock was held cannot have left anything half changed.
    fn locked(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RFC 6120 §8.3.3.17: it is known where the domain is, and it is not to be reached.
fn away() -> StanzaError {
    StanzaError::new(Condition::RemoteServerTimeout).text("the component is not connected")
}

/// A connection's right to the queue; dropping it leaves the place, and puts back what was not written.
pub(super) struct Seat {
    place: Arc<Place>,
    told: CancellationToken,
    /// Taken out of the queue, and not written yet.
    pub(super) in_flight: Vec<Waiting>,
}

impl Seat {
    pub(super) const fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Says when another connection takes over.
    pub(super) fn told(&self) -> CancellationToken {
        self.told.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _locked = self.place.locked();
        // What was asked in the server's place is refused now, and shall not be done later.
        let given_up = self.place.delegated.give_up();
        let queue = &self.place.queue;
        if given_up.is_empty() {
            queue.put_back(self.in_flight.drain(..));
        } else {
            let behind = queue.drain();
            let waits = |it: &Waiting| {
                !it.stanza
                    .id
                    .as_ref()
                    .is_some_and(|id| given_up.contains(id.as_str()))
            };
            queue.put_back(self.in_flight.drain(..).chain(behind).filter(waits));
        }
        let until = Instant::now() + self.place.config.reconnect_seconds.duration();
        self.place.state.send_replace(State::Away { until });
        self.place.show(PeerState::Away, None);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("domain", &self.domain)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
