//! One component's place: what waits for it, and who is connected.
//!
//! The queue and the state change under one lock, so that nothing is put into the queue of a component that
//! has just been given up.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::config::{Component, ComponentConflict};
use crate::hooks::{Durable, Mail, Services};
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

    /// Sits down; who sat here before has to go first, or nobody gets in, as is configured.
    ///
    /// # Errors
    /// `conflict` when there is somebody, and is to stay.
    pub(super) async fn sit_down(self: &Arc<Self>) -> Result<Seat, StreamError> {
        let mut states = self.state.subscribe();
        loop {
            if let Some(seat) = self.try_to_sit_down()? {
                return Ok(seat);
            }
            // The place itself holds the sender, so this always comes to an end.
            if states.changed().await.is_err() {
                return Err(StreamCondition::InternalServerError.into());
            }
        }
    }

    fn try_to_sit_down(self: &Arc<Self>) -> Result<Option<Seat>, StreamError> {
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
                && let Some(refusal) = waiting.stanza.refusal(&away())
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
        self.place.queue.put_back(self.in_flight.drain(..));
        let until = Instant::now() + self.place.config.reconnect_seconds.duration();
        self.place.state.send_replace(State::Away { until });
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
