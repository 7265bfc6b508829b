//! What connectors offer is done in lanes, beside the task of their stream: a customer who is looked up slowly holds nobody up. What
//! is said of an interaction while its lane is busy waits there, behind that; everything else is done at once in the stream's
//! task, so that nothing that the connector says later overtakes it.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::error;

use super::connector::NS;
use crate::config::ComponentRole;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::doors;
use crate::contact_center::errors::Refused;
use crate::domain::refusal::{Class, Refusal};
use crate::hooks::{Iq, IqAnswer, Later, Mail, Services, refusal};
use crate::proto::{Condition, StanzaError};

/// What one connector has begun and is done at once: as many share a commit, and as many customers are looked up. Everything else
/// does not wait for these.
const AT_ONCE: usize = 64;

/// Whether it may take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// A customer is looked up for it.
    Slow,
    /// It is only written.
    Quick,
}

/// Something that waits for its turn.
struct Job {
    work: Work,
    pace: Pace,
}

/// Something that a connector has said, until it is done.
pub(super) type Work = BoxFuture<'static, ()>;

/// What all connectors have said and is not done yet.
#[derive(Debug, Default)]
pub(in crate::contact_center) struct Lanes {
    /// As many as there are connectors.
    connectors: Mutex<HashMap<String, Waiting>>,
    idle: Notify,
}

/// What one connector has said.
struct Waiting {
    /// What waits and what is being done.
    count: usize,
    /// What waits behind what is being done, by the interaction.
    lanes: HashMap<String, VecDeque<Job>>,
    turns: Arc<Semaphore>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiting({})", self.count)
    }
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            count: 0,
            lanes: HashMap::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

/// So much of the connector waits already that this is not taken.
pub(super) struct Full(pub(super) Work);

impl Lanes {
    /// Does it behind what was put into the same lane before.
    ///
    /// # Errors
    /// [`Full`] when so much of the connector waits.
    pub(super) fn put(
        self: &Arc<Self>,
        tasks: &TaskTracker,
        (connector, lane): (&str, &str),
        waiting_max: usize,
        (pace, work): (Pace, Work),
    ) -> Result<(), Full> {
        let mut connectors = self.locked();
        let waiting = connectors.entry(connector.to_owned()).or_default();
        if waiting.count >= waiting_max {
            return Err(Full(work));
        }
        waiting.count += 1;
        let job = Job { work, pace };
        if let Some(behind) = waiting.lanes.get_mut(lane) {
            behind.push_back(job);
            return Ok(());
        }
        waiting.lanes.insert(lane.to_owned(), VecDeque::new());
        let turns = Arc::clone(&waiting.turns);
        drop(connectors);
        let (lanes, way) = (Arc::clone(self), (connector.to_owned(), lane.to_owned()));
        tasks.spawn(async move { lanes.work_off(&way, &turns, job).await });
        Ok(())
    }

    /// One after the other, until the lane is empty.
    async fn work_off(&self, way: &(String, String), turns: &Semaphore, first: Job) {
        let mut next = Some(first);
        while let Some(Job { work, pace }) = next {
            let turn = match pace {
                Pace::Slow => Some(turns.acquire().await),
                Pace::Quick => None,
            };
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                error!(connector = way.0, "what a connector has said failed");
            }
            drop(turn);
            next = self.done(way);
        }
    }

    /// One less; what comes next in that lane.
    fn done(&self, (connector, lane): &(String, String)) -> Option<Job> {
        let mut connectors = self.locked();
        let waiting = connectors.get_mut(connector)?;
        waiting.count = waiting.count.saturating_sub(1);
        let next = waiting.lanes.get_mut(lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            waiting.lanes.remove(lane);
        }
        if waiting.count == 0 {
            connectors.remove(connector);
            self.idle.notify_waiters();
        }
        next
    }

    /// Whether something of that interaction waits or is being done.
    pub(super) fn is_busy(&self, (connector, lane): (&str, &str)) -> bool {
        let connectors = self.locked();
        let waiting = connectors.get(connector);
        waiting.is_some_and(|waiting| waiting.lanes.contains_key(lane))
    }

    /// Waits until all is done that the connector has said by now.
    pub(in crate::contact_center) async fn idle(&self, connector: &str) {
        loop {
            let notified = self.idle.notified();
            if !self.locked().contains_key(connector) {
                return;
            }
            notified.await;
        }
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.connectors
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// An offer is done in the interaction's lane, and what is said of it while that is busy; everything else at once.
///
/// # Errors
/// When too much of the connector waits already.
pub(in crate::contact_center) fn put_off(
    center: &Arc<Center>,
    place: &Arc<Place>,
    iq: &Iq,
    request: &Mail,
) -> Result<Later, StanzaError> {
    let visitor = doors::visitor(center, place, iq);
    let visitor = visitor.filter(|(_, role)| *role == ComponentRole::Connector);
    let lane = iq.payload.attribute("interaction");
    let (Some((visitor, _)), Some(lane), true) = (visitor, lane, iq.payload.ns() == NS) else {
        return Ok(Later::No);
    };
    let way = (visitor.component.as_str(), lane);
    let pace = match iq.payload.name() {
        "offer" => Pace::Slow,
        _ if center.lanes.is_busy(way) => Pace::Quick,
        _ => return Ok(Later::No),
    };
    let work = {
        let (center, place) = (Arc::clone(center), Arc::clone(place));
        let (iq, request) = (iq.clone(), Arc::clone(request));
        Box::pin(async move {
            let services = Arc::clone(&iq.services);
            let answer = doors::iq::answer(&center, &place, iq).await;
            reply(&services, &request, answer).await;
        })
    };
    match put(center, &iq.services, way, (pace, work)) {
        Ok(()) => Ok(Later::Yes),
        Err(Full(_)) => Err(Refused::Rule(too_much()).into()),
    }
}

fn too_much() -> Refusal {
    Refusal {
        class: Class::Limit,
        code: "too-much-waits",
        text: "You have said more than could be done by now. Try again.".to_owned(),
    }
}

/// What is asked of all interactions of a connector is answered behind all that it has said before.
pub(in crate::contact_center) fn is_of_all(iq: &Iq) -> bool {
    iq.payload.ns() == NS && iq.payload.attribute("interaction").is_none()
}

/// Puts it into a lane of the connector.
pub(super) fn put(
    center: &Center,
    services: &Services,
    way: (&str, &str),
    job: (Pace, Work),
) -> Result<(), Full> {
    let max = services.config.contact_center.connector_waiting_max;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    center.lanes.put(center.tasks(), way, max, job)
}

async fn reply(services: &Services, request: &Mail, answer: Option<IqAnswer>) {
    let answer = answer.unwrap_or_else(|| Err(Condition::ServiceUnavailable.into()));
    let stanza = match answer {
        Ok(payload) => Some(request.result(payload.as_ref())),
        Err(error) => refusal(request, &error),
    };
    if let Some(stanza) = stanza {
        services.route(stanza).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    fn said(log: &Arc<Mutex<Vec<&'static str>>>, what: &'static str) -> Work {
        let log = Arc::clone(log);
        Box::pin(async move { log.lock().unwrap().push(what) })
    }

    /// What is said of one interaction waits for what was said of it before; what is said of another does not.
    #[tokio::test]
    async fn each_lane_keeps_its_own_order() {
        let (lanes, tasks) = (Arc::new(Lanes::default()), TaskTracker::new());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (go, gone) = oneshot::channel::<()>();
        let slow: Work = {
            let log = Arc::clone(&log);
            Box::pin(async move {
                gone.await.unwrap();
                log.lock().unwrap().push("a1");
            })
        };
        lanes
            .put(&tasks, ("pbx", "a"), 5, (Pace::Slow, slow))
            .ok()
            .unwrap();
        for (lane, what) in [("a", "a2"), ("b", "b1"), ("a", "a3"), ("b", "b2")] {
            let work = said(&log, what);
            lanes
                .put(&tasks, ("pbx", lane), 5, (Pace::Slow, work))
                .ok()
                .unwrap();
        }
        // As many as may wait; another connector has its own.
        let more = said(&log, "more");
        assert!(
            lanes
                .put(&tasks, ("pbx", "c"), 5, (Pace::Quick, more))
                .is_err()
        );
        let other = said(&log, "other");
        lanes
            .put(&tasks, ("chat", "a"), 5, (Pace::Slow, other))
            .ok()
            .unwrap();
        lanes.idle("chat").await;
        while log.lock().unwrap().len() < 3 {
            tokio::task::yield_now().await;
        }
        assert!(log.lock().unwrap().iter().all(|it| !it.starts_with('a')));
        go.send(()).unwrap();
        lanes.idle("pbx").await;
        let log = log.lock().unwrap();
        let of = |lane| log.iter().filter(move |it| it.starts_with(lane));
        assert_eq!(of('a').collect::<Vec<_>>(), [&"a1", &"a2", &"a3"]);
        assert_eq!(of('b').collect::<Vec<_>>(), [&"b1", &"b2"]);
        assert!(lanes.locked().is_empty());
    }

    /// What fails holds nothing up that comes behind it.
    #[tokio::test]
    async fn what_fails_is_over() {
        let (lanes, tasks) = (Arc::new(Lanes::default()), TaskTracker::new());
        let log = Arc::new(Mutex::new(Vec::new()));
        let fails: Work = Box::pin(async { panic!("as a test wants it") });
        lanes
            .put(&tasks, ("pbx", "a"), 5, (Pace::Quick, fails))
            .ok()
            .unwrap();
        lanes
            .put(&tasks, ("pbx", "a"), 5, (Pace::Slow, said(&log, "a2")))
            .ok()
            .unwrap();
        lanes.idle("pbx").await;
        assert_eq!(*log.lock().unwrap(), ["a2"]);
    }

    /// However many customers are looked up slowly, what is quick goes on, and so does another connector.
    #[tokio::test]
    async fn what_is_quick_does_not_wait_for_what_is_slow() {
        let (lanes, tasks) = (Arc::new(Lanes::default()), TaskTracker::new());
        let log = Arc::new(Mutex::new(Vec::new()));
        let open = Arc::new(Semaphore::new(0));
        let max = 4 * AT_ONCE;
        for number in 0..2 * AT_ONCE {
            let open = Arc::clone(&open);
            let slow: Work = Box::pin(async move { drop(open.acquire().await) });
            let lane = number.to_string();
            let put = lanes.put(&tasks, ("pbx", &lane), max, (Pace::Slow, slow));
            assert!(put.is_ok());
        }
        for (connector, pace, what) in
            [("pbx", Pace::Quick, "quick"), ("chat", Pace::Slow, "other")]
        {
            let job = (pace, said(&log, what));
            assert!(lanes.put(&tasks, (connector, "a"), max, job).is_ok());
        }
        while log.lock().unwrap().len() < 2 {
            tokio::task::yield_now().await;
        }
        open.add_permits(1);
        lanes.idle("pbx").await;
    }
}
