//! Changes as they happen, on devices that watch: a headline, which nobody keeps, with ids and what happened, and never with words
//! of the stream. Who is told is asked at each notice: whoever sees the stream then. Whoever has lost sight of
//! it is told that it is gone, and whoever has lost the right that there is nothing more to watch.

mod notes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::changes::Done;
use super::{NS, find};
use crate::clock::Timestamp;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::values::Values;
use crate::domain::ids::AgentId;
use crate::domain::message_stream::{Part, Stream};
use crate::domain::rights::Rights;
use crate::hooks::{Hooks, Services};
use crate::proto::{Jid, MessageType, Stanza};
use crate::store::StoreError;
use crate::xml::Element;

pub(super) use notes::What;
use notes::{Note, Notes};

/// How long to wait before those are looked for again who watch, when the database did not tell: as long as it takes to come back.
const PAUSE: Duration = Duration::from_secs(5);

/// Who watches, and what they have not been told yet.
#[derive(Debug, Default)]
pub(in crate::contact_center) struct Live {
    /// On which devices, each with the parts that it was told to see: never more than sessions.
    watching: Mutex<BTreeMap<Jid, BTreeSet<Part>>>,
    notes: Mutex<Notes>,
    more: Notify,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    /// Something has happened.
    pub(super) fn note(&self, place: &Place, done: &Done) {
        self.add(|| Some(Note::of(place.host.as_str(), done)));
    }

    /// The stream was there, and nothing is left of it: it was kept for long enough, or its customer is erased.
    pub(in crate::contact_center) fn note_gone(&self, stream: &Stream) {
        self.add(|| Note::of_gone(stream));
    }

    /// Where nobody watches there is nothing to tell.
    fn add(&self, note: impl FnOnce() -> Option<Note>) {
        if locked(&self.watching).is_empty() {
            return;
        }
        if let Some(note) = note() {
            locked(&self.notes).add(note);
            self.more.notify_one();
        }
    }

    /// Rights may have been taken away.
    pub(in crate::contact_center) fn check_rights(&self) {
        self.more.notify_one();
    }

    fn leave(&self, device: &Jid) {
        locked(&self.watching).remove(device);
    }
}

/// The operation `watch`.
pub(super) async fn watch(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let (on, live) = (values.flag("on"), &caller.center.streams);
    match on {
        true => {
            let parts = parts(&caller.rights);
            locked(&live.watching).insert(caller.from.clone(), parts);
        }
        false => live.leave(&caller.from),
    }
    let (text, told) = match on {
        true => ("true", "You are told of changes from now on."),
        false => ("false", "You are told of nothing more."),
    };
    Ok(Outcome::told(told).with(Element::new(NS, "watch").attr("on", text)))
}

fn parts(rights: &Rights) -> BTreeSet<Part> {
    let all = [Part::Message, Part::Comment, Part::Property, Part::Tag];
    all.into_iter()
        .filter(|it| rights.has(it.right()))
        .collect()
}

/// A device watches as long as its session lasts.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let center = Arc::clone(center);
    hooks.closed(move |session, _| {
        center.streams.leave(&session.address());
        async {}
    });
}

/// Tells of changes, until it is told to stop.
pub(in crate::contact_center) async fn run(
    center: Arc<Center>,
    services: Arc<Services>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = center.streams.more.notified() => {}
            () = stop.cancelled() => return,
        }
        if Box::pin(tell_all(&center, &services)).await {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => center.streams.more.notify_one(),
            () = stop.cancelled() => return,
        }
    }
}

/// Tells those of all hosts; `false` when something is left, and is to be told later.
async fn tell_all(center: &Center, services: &Arc<Services>) -> bool {
    let mut notes = std::mem::take(&mut *locked(&center.streams.notes));
    let mut all = true;
    for place in center.places() {
        let mut own = notes.take_of(place.host.as_str());
        if let Err(refused) = Box::pin(tell(center, services, place, &mut own)).await {
            warn!(%refused, host = %place.host, "who watches message streams is told of changes later");
            locked(&center.streams.notes).put_back(own);
            all = false;
        }
    }
    all
}

/// A device that watches and may.
struct Watcher {
    device: Jid,
    agent: AgentId,
    /// Since when there is the account.
    since: Timestamp,
    rights: Arc<Rights>,
}

/// Tells those of one host. What cannot be told now, because the database does not say who watches or what has changed, stays in the
/// notes. Of a stream that nobody can read any more nobody is told what has happened, but all are to read anew.
async fn tell(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    notes: &mut Notes,
) -> Result<(), Refused> {
    let watchers = entitled(center, services, place).await?;
    while let Some(note) = notes.waiting.front() {
        let stream = match find(services, place, &note.stream).await {
            Ok(stream) => stream,
            Err(Refused::Store(error @ StoreError::Corrupt { .. })) => {
                warn!(%error, stream = %note.stream, "a message stream that has changed cannot be read");
                notes.missed = true;
                notes.waiting.pop_front();
                continue;
            }
            Err(refused) => return Err(refused),
        };
        for watcher in &watchers {
            if let Some(notice) = notice(note, stream.as_ref(), watcher) {
                send(services, place, &watcher.device, notice).await;
            }
        }
        notes.waiting.pop_front();
    }
    if std::mem::take(&mut notes.missed) {
        for watcher in &watchers {
            send(services, place, &watcher.device, Element::new(NS, "reload")).await;
        }
    }
    Ok(())
}

/// What the device is told, if anything.
fn notice(note: &Note, stream: Option<&Stream>, watcher: &Watcher) -> Option<Element> {
    let (agent, rights) = (&watcher.agent, &watcher.rights);
    let saw = note.before.as_ref();
    let saw = saw.map(|it| it.has(agent, watcher.since));
    let Some(stream) = stream.filter(|it| it.is_seen_by(agent, watcher.since, rights)) else {
        let gone = Element::new(NS, "gone").attr("id", note.stream.as_str());
        return (saw == Some(true)).then_some(gone);
    };
    let added = saw == Some(false);
    let what = match added {
        true => "added",
        false => note.what.name(),
    };
    let changed = Element::new(NS, "changed")
        .attr("id", stream.id.as_str())
        .attr_opt("customer", stream.customer.as_ref().map(|it| it.as_str()))
        .attr("version", stream.version_for(rights).to_string())
        .attr("what", what);
    (added || rights.has(note.part.right())).then_some(changed)
}

/// The devices of the host that watch and may. The others are told that this has ended, and those that see other parts now than
/// before to read anew.
async fn entitled(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
) -> Result<Vec<Watcher>, Refused> {
    let host = place.host.as_str();
    let watching = locked(&center.streams.watching).clone();
    let watching = watching.into_iter().filter(|(it, _)| it.domain() == host);
    let mut entitled: Vec<Watcher> = Vec::new();
    for (device, before) in watching {
        let Some(agent) = AgentId::new(device.bare().clone()) else {
            continue;
        };
        // In the order of their addresses: those of one account follow each other.
        let known = entitled.last().filter(|it| it.agent == agent);
        let rights = match known {
            Some(known) => Some((Arc::clone(&known.rights), known.since)),
            None => rights_of(services, place, &agent).await?,
        };
        let rights = rights.filter(|(it, _)| it.has(Part::Message.right()));
        let Some((rights, since)) = rights else {
            center.streams.leave(&device);
            send(services, place, &device, Element::new(NS, "ended")).await;
            continue;
        };
        let now = parts(&rights);
        if now != before {
            if let Some(told) = locked(&center.streams.watching).get_mut(&device) {
                *told = now;
            }
            send(services, place, &device, Element::new(NS, "reload")).await;
        }
        entitled.push(Watcher {
            device,
            agent,
            since,
            rights,
        });
    }
    Ok(entitled)
}

/// What the account may do now, and since when there is one; `None` when there is none, or it is kept out.
async fn rights_of(
    services: &Services,
    place: &Place,
    agent: &AgentId,
) -> Result<Option<(Arc<Rights>, Timestamp)>, Refused> {
    let store = &services.store;
    let known = store.accounts().find(agent.jid()).await?;
    let Some(known) = known.filter(|it| it.enabled) else {
        return Ok(None);
    };
    let online = services.online(agent.jid());
    let allowed = place.allowed(store, online.as_deref(), agent.jid(), known.role);
    Ok(Some((allowed.await?.0, known.created_at)))
}

async fn send(services: &Services, place: &Place, device: &Jid, notice: Element) {
    let mut message = Stanza::message(MessageType::Headline)
        .from(place.address.clone())
        .to(device.clone())
        .child(&notice);
    message.id = Some(crate::id::random().into());
    services.route(message).await;
}
