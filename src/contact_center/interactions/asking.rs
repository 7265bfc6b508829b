//! Connectors that are back are asked what is so, of a page of their interactions after the other; what they do not name has
//! ended. One that is there and does not tell, for it fails, is late, or loses the question, is asked again, after longer and longer
//! pauses, as long as it has an interaction that is interrupted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::change::{self, Work};
use super::streams::{AT_ONCE, is_there, read_page};
use super::told::{Told, reconciled};
use super::{CARRIED, carried_by, connector};
use crate::clock::Timestamp;
use crate::config::Component;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::domain::ids::InteractionId;
use crate::domain::interaction::Interaction;
use crate::hooks::{Answer, Effects, Services};
use crate::proto::{BareJid, IqType, Stanza};
use crate::xml::Element;

/// The first pause before a connector is asked again: longer than an answer takes.
const PAUSE_SECONDS: i64 = 5;

/// The longest, for one that fails for good.
const PAUSE_SECONDS_MAX: i64 = 60;

/// How long nothing is done as long as nobody is to be asked again and nobody says otherwise.
const SLEEP_MAX: Duration = Duration::from_secs(600);

/// The shortest sleep: what fails at once is not tried at once.
const SLEEP_MIN: Duration = Duration::from_secs(1);

/// Who is asked again, and when. As long as the list of components.
#[derive(Debug, Default)]
pub(in crate::contact_center) struct Asking {
    again: Mutex<BTreeMap<String, Again>>,
    changed: Notify,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Again {
    at: Timestamp,
    /// Seconds to the time after that.
    pause: i64,
    /// For what.
    which: Which,
}

impl Asking {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Again>> {
        self.again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expect(&self, connector: &str, which: Which, now: Timestamp) {
        let again = Again {
            at: now.plus_seconds(PAUSE_SECONDS),
            pause: 2 * PAUSE_SECONDS,
            which,
        };
        self.locked().insert(connector.to_owned(), again);
        self.changed.notify_one();
    }

    /// Something that the connector has said could not be written: soon it is asked for all.
    pub(super) fn expect_all(&self, connector: &str, now: Timestamp) {
        self.expect(connector, Which::All, now);
    }

    /// Whose time has come, and for what; each waits for longer the next time.
    pub(super) fn due(&self, now: Timestamp) -> Vec<(String, Which)> {
        let mut due = Vec::new();
        for (domain, again) in self.locked().iter_mut() {
            if again.at <= now {
                due.push((domain.clone(), again.which));
                again.at = now.plus_seconds(again.pause);
                again.pause = (2 * again.pause).min(PAUSE_SECONDS_MAX);
            }
        }
        due
    }

    /// It has been asked for all.
    fn asked(&self, domain: &str) {
        if let Some(again) = self.locked().get_mut(domain) {
            again.which = Which::Interrupted;
        }
    }

    fn forget(&self, domain: &str) {
        self.locked().remove(domain);
    }

    fn next(&self) -> Option<Timestamp> {
        self.locked().values().map(|again| again.at).min()
    }
}

/// The word of the connector, and the id.
type Asked = (InteractionId, InteractionId);

/// Which interactions a connector is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// All that it carries: it has just come.
    All,
    /// Those of which it has not told yet.
    Interrupted,
}

/// A connector has come, and is asked for all that it carries.
pub(super) async fn begin(
    center: &Arc<Center>,
    services: &Arc<Services>,
    connector: &Component,
) -> Result<(), Refused> {
    let now = services.clock.now();
    let domain = connector.domain.as_str();
    center.asking.expect(domain, Which::Interrupted, now);
    ask_everywhere((center, services), connector, Which::All).await?;
    Ok(())
}

async fn ask_everywhere(
    (center, services): (&Arc<Center>, &Arc<Services>),
    connector: &Component,
    which: Which,
) -> Result<usize, Refused> {
    let domain = connector.domain.to_jid();
    let mut count = 0;
    for place in center.places() {
        if connector.acts_for(place.host.as_str()) {
            count += ask((center, services), place, &domain, which).await?;
        }
    }
    Ok(count)
}

/// Asks again who has not told, until it is told to stop.
pub(in crate::contact_center) async fn run(
    center: Arc<Center>,
    services: Arc<Services>,
    stop: CancellationToken,
) {
    loop {
        Box::pin(turn(&center, &services)).await;
        let now = services.clock.now();
        let pause = center.asking.next().map(|next| next.seconds_since(now));
        let pause = pause.map(|it| Duration::from_secs(u64::try_from(it).unwrap_or(0)));
        let pause = pause.unwrap_or(SLEEP_MAX).clamp(SLEEP_MIN, SLEEP_MAX);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = center.asking.changed.notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Asks all whose time has come.
pub(super) async fn turn(center: &Arc<Center>, services: &Arc<Services>) {
    for (domain, which) in center.asking.due(services.clock.now()) {
        let mut components = services.config.components.iter();
        let connector = components.find(|it| it.domain.as_str() == domain);
        let connector = connector.filter(|_| is_there(services, &domain));
        let Some(connector) = connector else {
            // When it comes it is asked anyway.
            center.asking.forget(&domain);
            continue;
        };
        match ask_everywhere((center, services), connector, which).await {
            Ok(0) => center.asking.forget(&domain),
            Ok(count) => {
                center.asking.asked(&domain);
                warn!(connector = domain, count, "it is asked again");
            }
            Err(refused) => warn!(%refused, connector = domain, "it is asked again later"),
        }
    }
}

/// Asks what is so of those interactions; tells of how many.
async fn ask(
    (center, services): (&Arc<Center>, &Arc<Services>),
    place: &Arc<Place>,
    domain: &BareJid,
    which: Which,
) -> Result<usize, Refused> {
    let work = Work {
        center,
        services,
        place,
    };
    let owner = carried_by(domain.as_str(), place.host.as_str());
    let mut after: Option<InteractionId> = None;
    let mut count = 0;
    loop {
        let page = read_page(work, (CARRIED, &owner), after.as_ref()).await?;
        let Some(last) = page.last() else {
            return Ok(count);
        };
        after = Some(last.id.clone());
        let meant = page
            .into_iter()
            .filter(|it| which == Which::All || it.interrupted);
        let asked: Vec<Asked> = meant.map(|it| (it.word().clone(), it.id)).collect();
        if asked.is_empty() {
            continue;
        }
        count += asked.len();
        let named = asked
            .iter()
            .map(|(word, _)| Element::new(connector::NS, "interaction").attr("id", word.as_str()));
        let query = Element::new(connector::NS, "interactions").children_from(named);
        let iq = Stanza::iq(IqType::Get, &crate::id::random())
            .from(place.address.clone())
            .to(domain.clone())
            .child(&query);
        let (center, place, domain) = (Arc::clone(center), Arc::clone(place), domain.clone());
        let told = Box::new(move |answer: Answer| {
            let work = async move { told(&center, &place, &domain, &asked, answer).await };
            Box::pin(work) as futures_util::future::BoxFuture<'static, Effects>
        });
        let now = services.clock.now();
        if services.requests.remember(&iq, now, told) {
            services.route(iq).await;
        } else {
            warn!(connector = %owner, "too many requests wait: it is asked later");
        }
    }
}

/// A connector has told what is so of the interactions that it was asked for.
async fn told(
    center: &Arc<Center>,
    place: &Arc<Place>,
    domain: &BareJid,
    asked: &[Asked],
    answer: Answer,
) -> Effects {
    // Behind what it has said before.
    center.lanes.idle(domain.as_str()).await;
    let services = &answer.services;
    let work = Work {
        center,
        services,
        place,
    };
    let Some(payload) = answer
        .payload
        .filter(|it| it.is(connector::NS, "interactions"))
    else {
        warn!(connector = %domain, "it does not tell what goes on");
        return Effects::default();
    };
    let told: BTreeMap<InteractionId, Told> = payload.children().filter_map(Told::read).collect();
    info!(connector = %domain, asked = asked.len(), told = told.len(), "is back");
    futures_util::stream::iter(asked)
        .for_each_concurrent(AT_ONCE, |(word, id)| {
            let told = told.get(word);
            async move {
                let commands = |before: &Interaction| reconciled(work, before, told);
                if let Err(refused) = change::settle(work, id, &commands).await {
                    warn!(%refused, interaction = %id, "it is not as its connector says");
                }
            }
        })
        .await;
    Effects::default()
}
