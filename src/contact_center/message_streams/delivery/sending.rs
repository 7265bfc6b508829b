//! Deliveries on their way to the connector, in the order in which they were written. They wait in the database, so that nobody waits for
//! a connector that is away or slow, and none is lost when the server ends. Each is sent at least once, always with the same id.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{DELIVER, about, connector, linking, recalling};
use crate::contact_center::center::Center;
use crate::contact_center::errors::Refused;
use crate::contact_center::interactions::CONNECTOR_NS;
use crate::contact_center::message_streams::find;
use crate::contact_center::outbox;
use crate::domain::message_stream::Stream;
use crate::hooks::{Hooks, Services};
use crate::proto::Stanza;
use crate::store::Outgoing;

/// Stanzas that are read at once: each can have 64 KiB of text.
const PAGE: u32 = 20;

/// How long a connector has to take one from its connection. What it does not take in time is sent once more.
const TAKING: Duration = Duration::from_secs(30);

/// After how long it is looked again whether one can be sent that could not.
const AGAIN: Duration = Duration::from_secs(30);

/// What wakes whoever sends.
#[derive(Debug, Default)]
pub(in crate::contact_center) struct Deliveries {
    more: Notify,
    /// Whether nothing waits of a stream that is passed on no more: at the start that is not known.
    settled: AtomicBool,
}

impl Deliveries {
    /// There is something to send, or somebody who takes it.
    pub(in crate::contact_center) fn wake(&self) {
        self.more.notify_one();
    }

    /// A stream is passed on no more: what waits of it is taken back.
    pub(in crate::contact_center) fn switched_off(&self) {
        self.settled.store(false, Ordering::Release);
        self.wake();
    }
}

/// What becomes of one that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The connector has it, or there is nothing any more that could be sent.
    Done,
    /// It is no delivery, or of a host that is not served at present.
    Kept,
    /// The stream is passed on no more: all that waits of it is taken back.
    Recalled,
    /// The connector takes nothing at present.
    Away,
}

/// Whether the stanza is one for a connector that passes it on.
pub(in crate::contact_center) fn is_delivery(stanza: &Stanza) -> bool {
    stanza.has(CONNECTOR_NS, DELIVER)
}

/// Sends what has waited when the connector is there.
pub(in crate::contact_center::message_streams) fn register(
    hooks: &mut Hooks,
    center: &Arc<Center>,
) {
    let center = Arc::clone(center);
    hooks.component(move |_, _| {
        center.outbox.deliveries.wake();
        std::future::ready(())
    });
}

/// Sends what there is, until it is told to stop. At the start it takes back what a crash has left of streams that are gone or passed on
/// no more, and does so where no connector is named any longer, too: nobody else comes to look at that. What was sent and is
/// not forgotten by then is sent once more at the next start.
pub(in crate::contact_center) async fn run(
    center: Arc<Center>,
    services: Arc<Services>,
    stop: CancellationToken,
) {
    loop {
        let turn = async {
            if let Err(refused) = Box::pin(turn(&center, &services)).await {
                warn!(%refused, "what is for customers waits");
            }
            tokio::select! {
                () = tokio::time::sleep(AGAIN) => {}
                () = center.outbox.deliveries.more.notified() => {}
            }
        };
        tokio::select! {
            () = turn => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Sends one after the other as long as the connector takes them, and takes back what shall not go any more.
async fn turn(center: &Arc<Center>, services: &Arc<Services>) -> Result<(), Refused> {
    let deliveries = &center.outbox.deliveries;
    let settled = deliveries.settled.swap(true, Ordering::AcqRel);
    let there = is_somebody_there(services);
    if settled && !there {
        return Ok(());
    }
    let done = Box::pin(walk(center, services, there)).await;
    if !matches!(done, Ok(true)) {
        deliveries.settled.store(false, Ordering::Release);
    }
    done.map(|_| ())
}

/// Goes through all that waits; whether it came to the end.
async fn walk(
    center: &Arc<Center>,
    services: &Arc<Services>,
    there: bool,
) -> Result<bool, Refused> {
    let records = services.store.records();
    let mut after = String::new();
    'pages: loop {
        let page = records.outbox(&after, PAGE).await?;
        if page.is_empty() {
            return Ok(true);
        }
        for waiting in page {
            let id = waiting.id.clone();
            after.clone_from(&id);
            match Box::pin(one(center, services, waiting, there)).await? {
                Fate::Done => Box::pin(records.sent(&[id])).await?,
                Fate::Kept => {}
                // What was read with it may be gone.
                Fate::Recalled => continue 'pages,
                Fate::Away if there => return Ok(false),
                Fate::Away => {}
            }
        }
    }
}

async fn one(
    center: &Arc<Center>,
    services: &Arc<Services>,
    waiting: Outgoing,
    there: bool,
) -> Result<Fate, Refused> {
    let Some(mut stanza) = outbox::read(waiting.stanza) else {
        error!(id = waiting.id, "the outbox holds what is no stanza");
        return Ok(Fate::Kept);
    };
    if !is_delivery(&stanza) {
        return Ok(Fate::Kept);
    }
    let of_place = |address: &str| {
        let mut places = center.places().iter();
        places.find(|it| it.address.as_str() == address)
    };
    let from = stanza.from.as_ref().map(|it| it.bare().as_str());
    let stream = stanza
        .id
        .as_deref()
        .and_then(about)
        .map(|(stream, _)| stream);
    let (Some(place), Some(stream)) = (from.and_then(of_place), stream) else {
        return Ok(Fate::Kept);
    };
    // Asked at the last moment: it may have become a whisper, or be gone.
    match find(services, place, &stream).await? {
        None => return Ok(Fate::Done),
        Some(stream) if stream.deleted_at.is_some() => return Ok(Fate::Done),
        Some(stream) if !Stream::is_for_the_customer(&stream) => {
            Box::pin(recalling::recall(center, services, place, &stream.id)).await?;
            return Ok(Fate::Recalled);
        }
        Some(_) => {}
    }
    if !there {
        return Ok(Fate::Away);
    }
    let Some(connector) = connector(services, place) else {
        return Ok(Fate::Kept);
    };
    // The operator may have named another one since.
    stanza.to = Some(connector.domain.to_jid().into());
    let domain = connector.domain.as_str();
    let stanza = linking::linked((center, place), services, domain, stanza);
    Ok(match hand_over(services, domain, stanza).await {
        true => Fate::Done,
        false => Fate::Away,
    })
}

/// Whether the connector that is named can be sent anything at this moment.
fn is_somebody_there(services: &Services) -> bool {
    let domain = services.config.contact_center.delivery.as_ref();
    domain.is_some_and(|it| is_there(services, it.as_str()))
}

fn is_there(services: &Services, domain: &str) -> bool {
    let gateway = services.gateway(domain);
    gateway.is_some_and(|gateway| gateway.is_there(domain))
}

/// Whether the connector has it. The gateway itself is asked, for through the router nobody would learn that it has no room.
async fn hand_over(services: &Services, domain: &str, stanza: Stanza) -> bool {
    let Some(gateway) = services.gateway(domain).filter(|it| it.is_there(domain)) else {
        return false;
    };
    match gateway.send(Arc::new(stanza)) {
        Ok(Some(taken)) => matches!(tokio::time::timeout(TAKING, taken).await, Ok(Ok(()))),
        Ok(None) => true,
        Err(_) => false,
    }
}
