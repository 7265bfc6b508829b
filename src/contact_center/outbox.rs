//! What was decided to be told to others, on its way: sent as soon as it is written, forgotten when it is
//! durable where it belongs, and sent once more after a crash in between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::center::Center;
use crate::hooks::Services;
use crate::proto::{Kind, Stanza, ns, reading};
use crate::store::StoreError;
use crate::xml::{Limits, Scope, parse};

/// Stanzas that are read at once after a crash.
const PAGE: u32 = 100;

/// What was sent and is not forgotten yet. Its length is bounded by what is decided while one
/// deletion runs.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    sent: Mutex<Vec<String>>,
    more: Notify,
    /// Whether nobody waits for more: what is sent from then on is forgotten at once.
    ended: AtomicBool,
}

impl Outbox {
    /// Sends what was written. Returns when it is durable where it belongs, as far as that is known here.
    pub(super) async fn send(&self, services: &Services, ids: Vec<String>, told: Vec<Stanza>) {
        if ids.is_empty() {
            return;
        }
        let mut kept = true;
        for stanza in told {
            kept &= send_one(services, stanza).await;
        }
        if kept {
            self.sent
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(ids);
            self.more.notify_one();
            if self.ended.load(Ordering::Acquire) {
                forget(self, services).await;
            }
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether it is where it belongs; if not it stays in the outbox, for the next start.
async fn send_one(services: &Services, stanza: Stanza) -> bool {
    let Some(router) = services.router.upgrade() else {
        return false;
    };
    let mut kept = true;
    // What is said for an account is in its archive, too, and on its devices.
    let agent = stanza.from.as_ref().is_some_and(|from| {
        let message = matches!(stanza.kind, Kind::Message(_));
        message && from.local().is_some() && services.serves(from.domain())
    });
    let durable = match agent {
        true => router.speak(stanza).await,
        false => router.send(stanza).await,
    };
    for durable in durable {
        kept &= durable.await.is_ok();
    }
    kept
}

/// Forgets what is sent, many at once.
pub(super) async fn run(center: Arc<Center>, services: Arc<Services>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = center.outbox.more.notified() => {}
            () = stop.cancelled() => {
                // Sessions still work, and say their last.
                center.outbox.ended.store(true, Ordering::Release);
                return Box::pin(forget(&center.outbox, &services)).await;
            }
        }
        Box::pin(forget(&center.outbox, &services)).await;
    }
}

async fn forget(outbox: &Outbox, services: &Services) {
    let ids = outbox.take();
    if ids.is_empty() {
        return;
    }
    if let Err(error) = Box::pin(services.store.records().sent(&ids)).await {
        warn!(%error, count = ids.len(), "what was sent is not forgotten yet");
        outbox
            .sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(ids);
    }
}

/// Sends what the last run has left, before anything new is decided: so nothing overtakes it, and nothing is sent
/// twice.
pub(super) async fn send_left(center: &Center, services: &Services) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let page = services.store.records().outbox(&after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after.clone_from(&last.id);
        for outgoing in page {
            let parsed = parse(
                outgoing.stanza,
                &Scope::with_default(ns::CLIENT),
                &Limits::default(),
            );
            let stanza = parsed
                .ok()
                .and_then(|it| reading::stanza(it, ns::CLIENT).ok());
            match stanza {
                Some(stanza) => {
                    center
                        .outbox
                        .send(services, vec![outgoing.id], vec![stanza])
                        .await;
                }
                None => error!(id = outgoing.id, "the outbox holds what is no stanza"),
            }
        }
    }
}
