//! The changes of activities on their way to the CRMs that are subscribed: each at least once, in their order.
//!
//! What there is to send stands in the database, and up to where a CRM has acknowledged it. Only what was sent and is not
//! acknowledged yet is known here alone: after a restart of the server, or of the CRM, it is sent once more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use super::{find, is_crm, journal, wire};
use crate::clock::Timestamp;
use crate::contact_center::center::{Center, Place};
use crate::domain::activity::Activity;
use crate::hooks::Services;
use crate::proto::{BareJid, MessageType, Stanza};
use crate::store::{JournalFollower, StoreError};
use crate::xml::Element;

/// How often it is looked whether a CRM that was away has come back, and whether one is late.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long nothing is done as long as nobody is subscribed and nobody says otherwise.
const SLEEP_MAX: Duration = Duration::from_secs(600);

/// A host, and the domain of a CRM that follows its activities.
type Way = (String, String);

/// What wakes whoever sends.
#[derive(Debug, Default)]
pub(in crate::contact_center) struct Feed {
    changed: Notify,
    /// What is sent again from where it is acknowledged. As long as the list of components.
    again: Mutex<BTreeSet<Way>>,
}

impl Feed {
    /// There are new changes, or what was sent is acknowledged.
    pub(in crate::contact_center) fn wake(&self) {
        self.changed.notify_one();
    }

    /// A CRM begins anew: with what it has not acknowledged.
    pub(in crate::contact_center) fn again(&self, host: &str, follower: &str) {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        again.insert((host.to_owned(), follower.to_owned()));
        drop(again);
        self.wake();
    }

    fn is_asked_again(&self, way: &Way) -> bool {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        again.remove(way)
    }
}

/// What is on its way to one CRM.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sent {
    /// The places of what is not acknowledged yet; at most as many as the window has.
    open: VecDeque<i64>,
    /// The place behind which the next is read.
    read: i64,
    acknowledged: i64,
    /// Since when nothing of what is open was acknowledged.
    since: Timestamp,
}

impl Sent {
    const fn from_place(acknowledged: i64, now: Timestamp) -> Self {
        Self {
            open: VecDeque::new(),
            read: acknowledged,
            acknowledged,
            since: now,
        }
    }

    /// The CRM has everything up to that place.
    fn acknowledge(&mut self, place: i64, now: Timestamp) {
        if place > self.acknowledged {
            self.acknowledged = place;
            self.read = self.read.max(place);
            self.since = now;
            self.open.retain(|open| *open > place);
        }
    }

    fn push(&mut self, place: i64, now: Timestamp) {
        if self.open.is_empty() {
            self.since = now;
        }
        self.open.push_back(place);
    }

    fn is_late(&self, now: Timestamp, seconds: u32) -> bool {
        !self.open.is_empty() && now.seconds_since(self.since) >= i64::from(seconds)
    }
}

/// Sends what there is, until it is told to stop.
pub(in crate::contact_center) async fn run(
    center: Arc<Center>,
    services: Arc<Services>,
    stop: CancellationToken,
) {
    let mut ways = BTreeMap::new();
    loop {
        let pause = match turn(&center, &services, &mut ways).await {
            Ok(0) => SLEEP_MAX,
            Ok(_) => LOOK_EVERY,
            Err(error) => {
                error!(%error, "the subscribers of activities cannot be read");
                LOOK_EVERY
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = center.feed.changed.notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Sends what there is to everybody who has room for it; tells how many follow.
async fn turn(
    center: &Center,
    services: &Arc<Services>,
    ways: &mut BTreeMap<Way, Sent>,
) -> Result<usize, StoreError> {
    let mut known = BTreeSet::new();
    for place in center.places() {
        let host = place.host.as_str();
        let followers = services.store.journals().followers(&journal(host)).await?;
        for follower in followers {
            let way = (host.to_owned(), follower.follower.clone());
            known.insert(way.clone());
            let crm = &follower.follower;
            if !is_crm(services, place, crm) || !is_there(services, crm) {
                // What was sent to the connection that is gone may be lost.
                ways.remove(&way);
                continue;
            }
            let now = services.clock.now();
            let begins = center.feed.is_asked_again(&way);
            let sent = ways.remove(&way).filter(|_| !begins);
            let sent = sent.unwrap_or_else(|| Sent::from_place(follower.acknowledged, now));
            match send(services, place, &follower, sent).await {
                Ok(sent) => drop(ways.insert(way, sent)),
                // One that cannot be served keeps no other from being.
                Err(error) => warn!(%error, follower = way.1, "changes of activities wait"),
            }
        }
    }
    ways.retain(|way, _| known.contains(way));
    Ok(known.len())
}

/// A CRM that is there again is fed at once, with what it has not acknowledged: what was sent over the connection that is gone may
/// be lost.
pub(super) fn comes(center: &Center, services: &Services, domain: &str) {
    let places = center.places().iter();
    let own = places.filter(|place| is_crm(services, place, domain));
    for place in own.filter(|_| is_there(services, domain)) {
        center.feed.again(place.host.as_str(), domain);
    }
}

/// Whether a component is connected. What no component carries is on this server.
fn is_there(services: &Services, domain: &str) -> bool {
    let gateway = services.gateway(domain);
    gateway.is_none_or(|gateway| gateway.is_there(domain))
}

/// Sends one CRM what fits into its window.
async fn send(
    services: &Arc<Services>,
    place: &Place,
    follower: &JournalFollower,
    mut sent: Sent,
) -> Result<Sent, StoreError> {
    let set = &services.config.contact_center;
    let now = services.clock.now();
    sent.acknowledge(follower.acknowledged, now);
    if sent.is_late(now, set.activity_resend_seconds.as_u32()) {
        debug!(
            follower = follower.follower,
            "changes of activities are sent again"
        );
        sent = Sent::from_place(sent.acknowledged, now);
    }
    let Ok(to) = BareJid::new(&follower.follower) else {
        return Ok(sent);
    };
    let open = u32::try_from(sent.open.len()).unwrap_or(u32::MAX);
    let free = set.activity_window.saturating_sub(open);
    if free == 0 {
        return Ok(sent);
    }
    let name = journal(place.host.as_str());
    let journals = services.store.journals();
    for entry in journals.after(&name, sent.read, free).await? {
        sent.read = entry.place;
        let Ok(id) = entry.id.parse() else { continue };
        // What was dropped meanwhile cannot be shown any more.
        let Some(activity) = find(services, &id).await? else {
            continue;
        };
        let Some(router) = services.router.upgrade() else {
            return Ok(sent);
        };
        let change = change((entry.place, &activity), wire::NOTES_BYTES_MAX, now);
        let id = format!("activity-{}", entry.place);
        let mut stanza = Stanza::message(MessageType::Normal)
            .from(place.address.clone())
            .to(to.clone())
            .child(&change);
        stanza.id = Some(id.as_str().into());
        router.send(stanza).await;
        sent.push(entry.place, now);
    }
    if sent.open.is_empty() && sent.read > sent.acknowledged {
        // Nothing that the CRM could acknowledge.
        journals
            .acknowledge(&name, &follower.follower, sent.read)
            .await?;
        sent.acknowledged = sent.read;
    }
    Ok(sent)
}

/// `<change cursor='17'><activity …/></change>`: the activity as it is now, which may be later than the change, with so
/// many bytes of its last notes.
pub(super) fn change(
    (place, activity): (i64, &Activity),
    notes_bytes_max: usize,
    now: Timestamp,
) -> Element {
    let notes = wire::last_notes(activity, notes_bytes_max);
    Element::new(wire::NS, "change")
        .attr("cursor", place.to_string())
        .child(wire::activity(activity, notes, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    #[test]
    fn what_is_open_is_late_when_nothing_of_it_was_acknowledged_in_time() {
        let mut sent = Sent::from_place(5, START);
        assert!(!sent.is_late(START.plus_seconds(1_000), 60));
        sent.push(6, START);
        sent.push(9, START.plus_seconds(30));
        assert!(!sent.is_late(START.plus_seconds(59), 60));
        assert!(sent.is_late(START.plus_seconds(60), 60));
        sent.acknowledge(6, START.plus_seconds(60));
        assert_eq!(sent.open, [9]);
        assert!(!sent.is_late(START.plus_seconds(119), 60));
        assert!(sent.is_late(START.plus_seconds(120), 60));
        // An older one changes nothing; one behind everything leaves nothing open.
        sent.acknowledge(5, START.plus_seconds(120));
        assert!(sent.is_late(START.plus_seconds(120), 60));
        sent.acknowledge(12, START.plus_seconds(120));
        assert_eq!((sent.open.len(), sent.read), (0, 12));
    }
}
