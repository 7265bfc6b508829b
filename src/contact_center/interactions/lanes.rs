//! What connectors say waits in lanes: what is said of one interaction is done in its order, what is said of others goes on beside
//! it, and the stream of the connector is read meanwhile. So a customer who is looked up slowly holds nobody else up.

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
use crate::contact_center::errors;
use crate::hooks::{Iq, IqAnswer, Later, Mail, Services};
use crate::proto::{Condition, StanzaError};
use crate::xml::Element;

/// What is done at once of all connectors: as many share a commit, and as many customers are looked up.
const AT_ONCE: usize = 64;

/// Something that a connector has said, until it is done.
pub(super) type Work = BoxFuture<'static, ()>;

/// What all connectors have said and is not done yet.
#[derive(Debug)]
pub(in crate::contact_center) struct Lanes {
    /// As many as there are connectors.
    connectors: Mutex<HashMap<String, Waiting>>,
    turns: Semaphore,
    idle: Notify,
}

/// What one connector has said.
#[derive(Default)]
struct Waiting {
    /// What waits and what is being done.
    count: usize,
    /// What waits behind what is being done, by the interaction.
    lanes: HashMap<String, VecDeque<Work>>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Waiting({})", self.count)
    }
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            connectors: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
            idle: Notify::new(),
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
        work: Work,
    ) -> Result<(), Full> {
        let mut connectors = self.locked();
        let waiting = connectors.entry(connector.to_owned()).or_default();
        if waiting.count >= waiting_max {
            return Err(Full(work));
        }
        waiting.count += 1;
        if let Some(behind) = waiting.lanes.get_mut(lane) {
            behind.push_back(work);
            return Ok(());
        }
        waiting.lanes.insert(lane.to_owned(), VecDeque::new());
        drop(connectors);
        let (lanes, way) = (Arc::clone(self), (connector.to_owned(), lane.to_owned()));
        tasks.spawn(async move { lanes.work_off(&way, work).await });
        Ok(())
    }

    /// One after the other, until the lane is empty.
    async fn work_off(&self, way: &(String, String), first: Work) {
        let mut next = Some(first);
        while let Some(work) = next {
            let turn = self.turns.acquire().await;
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                error!(connector = way.0, "what a connector has said failed");
            }
            drop(turn);
            next = self.done(way);
        }
    }

    /// One less; what comes next in that lane.
    fn done(&self, (connector, lane): &(String, String)) -> Option<Work> {
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

/// What a connector says of an interaction is done in that one's lane; everything else at once.
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
    let work = {
        let (center, place) = (Arc::clone(center), Arc::clone(place));
        let (iq, request) = (iq.clone(), Arc::clone(request));
        Box::pin(async move {
            let services = Arc::clone(&iq.services);
            let answer = Box::pin(doors::iq::answer(&center, &place, iq)).await;
            reply(&services, &request, answer).await;
        })
    };
    let way = (visitor.component.as_str(), lane);
    match put(center, &iq.services, way, work) {
        Ok(()) => Ok(Later::Yes),
        Err(Full(_)) => Err(StanzaError::new(Condition::ResourceConstraint)
            .text("You have said more than could be done by now. Try again.")
            .application(Element::new(errors::NS, "too-much-waits"))),
    }
}

/// Puts it into a lane of the connector.
pub(super) fn put(
    center: &Center,
    services: &Services,
    way: (&str, &str),
    work: Work,
) -> Result<(), Full> {
    let max = services.config.contact_center.connector_waiting_max;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    center.lanes.put(center.tasks(), way, max, work)
}

async fn reply(services: &Services, request: &Mail, answer: Option<IqAnswer>) {
    let answer = answer.unwrap_or_else(|| Err(Condition::ServiceUnavailable.into()));
    let stanza = match answer {
        Ok(payload) => Some(request.result(payload.as_ref())),
        Err(error) => request.refusal(&error),
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
        lanes.put(&tasks, ("pbx", "a"), 5, slow).ok().unwrap();
        for (lane, what) in [("a", "a2"), ("b", "b1"), ("a", "a3"), ("b", "b2")] {
            let work = said(&log, what);
            lanes.put(&tasks, ("pbx", lane), 5, work).ok().unwrap();
        }
        // As many as may wait; another connector has its own.
        let more = said(&log, "more");
        assert!(lanes.put(&tasks, ("pbx", "c"), 5, more).is_err());
        let other = said(&log, "other");
        lanes.put(&tasks, ("chat", "a"), 5, other).ok().unwrap();
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
        lanes.put(&tasks, ("pbx", "a"), 5, fails).ok().unwrap();
        lanes
            .put(&tasks, ("pbx", "a"), 5, said(&log, "a2"))
            .ok()
            .unwrap();
        lanes.idle("pbx").await;
        assert_eq!(*log.lock().unwrap(), ["a2"]);
    }
}
