//! What waits for the relay: a few tasks, so that one e-mail that takes long keeps no other waiting.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use super::letter::{Failure, Relay};
use super::record::{Email, Event, KIND, Stage};
use crate::clock::Timestamp;
use crate::contact_center::center::Center;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::record;
use crate::contact_center::telling;
use crate::hooks::Services;
use crate::xml::Element;

/// Connections with the relay at once: few, for relays count them.
const TASKS: usize = 4;

/// E-mails in memory that wait for one of them; the others wait in the database.
const IN_HAND_MAX: usize = 16;

/// How long an e-mail waits for a place among these.
const PLACE_SECONDS: i64 = 5;

/// Seconds between two tries at most.
const PAUSE_SECONDS_MAX: i64 = 3_600;

/// Beyond the longest that a try may take, before it counts as forgotten by a crash.
const GRACE_SECONDS: i64 = 30;

/// The way to the tasks, among [`crate::hooks::Hooks::offers`].
struct Post {
    relay: Relay,
    queue: mpsc::Sender<Handed>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// An e-mail in the hand of a task.
#[derive(Debug)]
struct Handed {
    id: String,
    /// As it was then. When it has waited too long it was due again, and is handed over by another version.
    version: u64,
}

/// Starts the tasks, if there is a relay.
pub(super) fn start(center: &Arc<Center>, services: &Arc<Services>) {
    let relay = match Relay::new(&services.config.contact_center.email) {
        Ok(Some(relay)) => relay,
        Ok(None) => return,
        Err(error) => return error!(%error, "no e-mail is sent"),
    };
    let (queue, waiting) = mpsc::channel(IN_HAND_MAX);
    let stop = CancellationToken::new();
    let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
    let tasks = TaskTracker::new();
    for _ in 0..TASKS {
        let work = Work {
            center: Arc::clone(center),
            services: Arc::clone(services),
            relay: relay.clone(),
        };
        tasks.spawn(run(work, Arc::clone(&waiting), stop.clone()));
    }
    services.hooks.offers().set(Post {
        relay,
        queue,
        stop,
        tasks,
    });
}

/// Whether there is a relay that can be used.
pub(super) fn is_started(services: &Services) -> bool {
    services.hooks.offers().find::<Post>().is_some()
}

/// Ends the tasks. What they have not sent is sent after the next start.
pub(super) async fn stop(services: &Services) {
    let Some(post) = services.hooks.offers().find::<Post>() else {
        return;
    };
    post.stop.cancel();
    post.tasks.close();
    post.tasks.wait().await;
}

struct Work {
    center: Arc<Center>,
    services: Arc<Services>,
    relay: Relay,
}

type Waiting = Arc<tokio::sync::Mutex<mpsc::Receiver<Handed>>>;

async fn run(work: Work, waiting: Waiting, stop: CancellationToken) {
    loop {
        let next = async { waiting.lock().await.recv().await };
        let handed = tokio::select! {
            handed = next => handed,
            () = stop.cancelled() => return,
        };
        let Some(handed) = handed else { return };
        tokio::select! {
            done = work.send(&handed) => if let Err(refused) = done {
                warn!(%refused, handed.id, "what became of an e-mail is not written");
            },
            () = stop.cancelled() => return,
        }
    }
}

impl Work {
    /// Sends one, unless somebody else has or will, and writes down what came of it.
    async fn send(&self, Handed { id, version }: &Handed) -> Result<(), Refused> {
        let records = self.services.store.records();
        let found = record::find::<Email>(&self.services.store, id).await?;
        let Some(email) = found.filter(|it| it.version == *version) else {
            return Ok(());
        };
        match self.relay.send(&email).await {
            Ok(()) => {
                records.remove(KIND, id).await?;
                info!(id, tries = email.tries, "an e-mail is sent");
                Ok(())
            }
            Err(failure) => {
                warn!(
                    id,
                    tries = email.tries,
                    text = failure.text,
                    "an e-mail is not sent"
                );
                failed(&self.center, &self.services, id, &failure).await
            }
        }
    }
}

/// One is due: it is handed to a task, and due again if nothing is heard of it.
pub(in crate::contact_center) async fn time_is_up(
    center: Arc<Center>,
    services: Arc<Services>,
    id: String,
) -> Result<(), Refused> {
    let Some(email) = record::find::<Email>(&services.store, &id).await? else {
        return Ok(());
    };
    if matches!(email.stage, Stage::GivenUp { .. }) {
        services.store.records().remove(KIND, &id).await?;
        return Ok(());
    }
    if !super::has_relay(&services) {
        let failure = Failure {
            permanent: true,
            text: "There is no mail relay any more.".to_owned(),
        };
        return failed(&center, &services, &id, &failure).await;
    }
    let now = services.clock.now();
    let post = services.hooks.offers().find::<Post>();
    let place = post.as_ref().and_then(|post| post.queue.try_reserve().ok());
    let event = match (&post, &place) {
        (Some(post), Some(_)) => {
            let patience = i64::try_from(post.relay.patience.as_secs()).unwrap_or(i64::MAX);
            let seconds = patience.saturating_add(GRACE_SECONDS);
            let until = now.plus_seconds(seconds);
            Event::Tried { at: now, until }
        }
        (Some(_) | None, _) => Event::Postponed {
            at: now,
            until: now.plus_seconds(PLACE_SECONDS),
        },
    };
    let version = change(&center, &services, &id, |_| (event.clone(), None)).await?;
    if let Some((place, version)) = place.zip(version) {
        place.send(Handed { id, version });
    }
    Ok(())
}

/// What a failed try leads to: another one later, or a word to the agent.
async fn failed(
    center: &Center,
    services: &Arc<Services>,
    id: &str,
    failure: &Failure,
) -> Result<(), Refused> {
    let settings = &services.config.contact_center.email;
    let now = services.clock.now();
    change(center, services, id, |email| {
        if failure.permanent || email.tries >= settings.tries_max {
            return (Event::GivenUp { at: now }, Some(failure));
        }
        let first = i64::from(settings.retry_seconds.as_u32());
        let until = later(now, first, email.tries);
        (Event::Failed { at: now, until }, None)
    })
    .await
    .map(drop)
}

/// Twice as long each time.
fn later(now: Timestamp, first: i64, tries: u32) -> Timestamp {
    let doubled = first.saturating_mul(
        1_i64
            .checked_shl(tries.saturating_sub(1))
            .unwrap_or(i64::MAX),
    );
    now.plus_seconds(doubled.clamp(first, PAUSE_SECONDS_MAX.max(first)))
}

/// Writes what has happened to one, with a word to the agent where it is the end; its version then, if there still is one.
async fn change<'a>(
    center: &Center,
    services: &Arc<Services>,
    id: &str,
    decide: impl Fn(&Email) -> (Event, Option<&'a Failure>),
) -> Result<Option<u64>, Refused> {
    let decided = async |mut draft: Draft| {
        let Some(email) = record::find::<Email>(&services.store, id).await? else {
            return Ok((draft, None));
        };
        let (event, failure) = decide(&email);
        let email = draft.change(&email, &[event])?;
        let place = center.place_of(email.sender.host());
        if let (Some(failure), Some(place)) = (failure, place) {
            let (body, payload) = told(&email, failure);
            let message = telling::message(&place.address, &email.sender, &body, &payload);
            draft.tell(message);
        }
        Ok((draft, Some(email.version)))
    };
    center.save(services, decided).await
}

/// What the agent is told of one that cannot be sent.
fn told(email: &Email, failure: &Failure) -> (String, Element) {
    let body = format!(
        "Your e-mail “{}” to {} was not sent. {}",
        email.subject, email.to, failure.text
    );
    let text = |name: &str, text: &str| Element::new(super::NS, name).text(text);
    let payload = Element::new(super::NS, "email-failed")
        .attr("id", &email.id)
        .attr("colleague", email.colleague.jid().as_str())
        .child(text("subject", &email.subject))
        .child(text("why", &failure.text));
    (body, payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Email as Settings, EmailTls};
    use crate::contact_center::testing::Floor;

    /// A relay that is not there: a port that was free a moment ago.
    fn no_relay() -> Relay {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = Settings {
            host: Some("127.0.0.1".to_owned()),
            port: port.local_addr().unwrap().port().into(),
            tls: EmailTls::None,
            from: Some("center@parlour.example".to_owned()),
            ..Settings::default()
        };
        Relay::new(&settings).unwrap().unwrap()
    }

    /// What has waited for a task so long that it was due again is in the queue twice, and sent once.
    #[tokio::test]
    async fn what_was_handed_over_anew_is_not_sent_as_it_was_before() {
        let floor = Floor::new(&["romeo"]).await;
        let services = Arc::clone(floor.house.router.services());
        let (center, _) = floor.inside();
        let at = services.clock.now();
        let until = at.plus_seconds(3_600);
        let email = Email {
            id: "e1".to_owned(),
            version: 0,
            sender: "romeo@localhost".parse().unwrap(),
            sender_name: "Romeo".to_owned(),
            reply_to: None,
            colleague: "juliet@localhost".parse().unwrap(),
            to: "juliet@mail.example".to_owned(),
            subject: "Lunch".to_owned(),
            text: "At noon?".to_owned(),
            queued_at: at,
            tries: 0,
            stage: Stage::New,
        };
        let tried = [Event::Tried { at, until }, Event::Tried { at, until }];
        let decided = async |mut draft: Draft| {
            draft.change(&email, &tried)?;
            Ok((draft, ()))
        };
        center.save(&services, decided).await.unwrap();
        let work = Work {
            center,
            services: Arc::clone(&services),
            relay: no_relay(),
        };
        // Each try that is made leaves another version behind.
        for (version, left) in [(1, 2), (3, 2), (2, 3), (2, 3)] {
            let id = "e1".to_owned();
            work.send(&Handed { id, version }).await.unwrap();
            let email = record::find::<Email>(&services.store, "e1").await.unwrap();
            assert_eq!(email.unwrap().version, left, "{version}");
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let now = Timestamp::from_micros(0);
        let pauses = (1..=9).map(|tries| later(now, 60, tries).as_seconds());
        let expected = [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600];
        assert_eq!(pauses.collect::<Vec<_>>(), expected);
        assert_eq!(later(now, 60, u32::MAX).as_seconds(), 3_600);
        assert_eq!(later(now, 1, 0).as_seconds(), 1);
    }
}
