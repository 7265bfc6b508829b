//! What was decided to be told to others, on its way: sent as soon as it is written, forgotten when it is
//! durable where it belongs, and sent once more after a crash in between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::center::Center;
use super::errors::Refused;
use super::message_streams::{Deliveries, is_delivery};
use crate::hooks::Services;
use crate::proto::{Kind, Stanza, ns, reading};
use crate::store::StoreError;
use crate::xml::{Limits, Scope, parse};

/// Stanzas that are read at once after a crash.
const PAGE: u32 = 100;

/// How long what could not be kept waits before it is sent once more.
const AGAIN: Duration = Duration::from_secs(30);

/// Stanzas that wait for that; more wait for the next start.
const WAITING_MAX: usize = 1_000;

/// What was sent and is not forgotten yet. Its length is bounded by what is decided while one
/// deletion runs.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    sent: Mutex<Vec<String>>,
    more: Notify,
    /// What is not where it belongs, for the database has failed there.
    waiting: Mutex<Vec<(String, Stanza)>>,
    /// What goes to connectors, which may be away for long: it waits in the database, and nobody waits for it.
    pub(super) deliveries: Deliveries,
    /// Whether nobody waits for more: what is sent from then on is forgotten at once.
    ended: AtomicBool,
}

impl Outbox {
    /// Sends what was written, each stanza by its id. Returns when it is durable where it belongs, as far as that is
    /// known here.
    pub(super) async fn send(&self, services: &Services, told: Vec<(String, Stanza)>) {
        if told.is_empty() {
            return;
        }
        let mut sent = Vec::with_capacity(told.len());
        for (id, stanza) in told {
            if is_delivery(&stanza) {
                self.deliveries.wake();
                continue;
            }
            // Cheap: what it carries is shared.
            let again = stanza.clone();
            match send_one(services, stanza).await {
                true => sent.push(id),
                false => self.wait(id, again),
            }
        }
        locked(&self.sent).extend(sent);
        self.more.notify_one();
        if self.ended.load(Ordering::Acquire) {
            forget(self, services).await;
        }
    }

    /// Takes back what is about something that is gone, as far as it is not sent yet.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn withdraw(
        &self,
        services: &Services,
        about: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Refused> {
        locked(&self.waiting).retain(|(_, stanza)| !about(stanza.to_document().as_ref()));
        let records = services.store.records();
        let mut after = String::new();
        loop {
            let page = records.outbox(&after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.id);
            let gone = page.iter().filter(|it| about(&it.stanza));
            let gone: Vec<String> = gone.map(|it| it.id.clone()).collect();
            if !gone.is_empty() {
                Box::pin(records.sent(&gone)).await?;
            }
        }
    }

    fn wait(&self, id: String, stanza: Stanza) {
        let mut waiting = locked(&self.waiting);
        if waiting.len() < WAITING_MAX {
            waiting.push((id, stanza));
        }
    }

    /// Sends once more what could not be kept.
    async fn send_again(&self, services: &Services) {
        let waiting = std::mem::take(&mut *locked(&self.waiting));
        self.send(services, waiting).await;
    }
}

fn locked<T>(list: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it is where it belongs; if not it stays in the outbox.
async fn send_one(services: &Services, stanza: Stanza) -> bool {
    let Some(router) = services.router.upgrade() else {
        return false;
    };
    // What is said for an account is in its archive, too, and on its devices.
    let agent = stanza.from.as_ref().is_some_and(|from| {
        let message = matches!(stanza.kind, Kind::Message(_));
        message && from.local().is_some() && services.serves(from.domain())
    });
    let sent = match agent {
        true => router.speak(stanza).await,
        false => router.send(stanza).await,
    };
    sent.is_kept().await
}

/// Forgets what is sent, many at once.
pub(super) async fn run(center: Arc<Center>, services: Arc<Services>, stop: CancellationToken) {
    let mut again = tokio::time::interval(AGAIN);
    loop {
        tokio::select! {
            () = center.outbox.more.notified() => {}
            _ = again.tick() => {
                Box::pin(center.outbox.send_again(&services)).await;
            }
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
    let ids = std::mem::take(&mut *locked(&outbox.sent));
    if ids.is_empty() {
        return;
    }
    if let Err(error) = Box::pin(services.store.records().sent(&ids)).await {
        warn!(%error, count = ids.len(), "what was sent is not forgotten yet");
        locked(&outbox.sent).extend(ids);
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
            match read(outgoing.stanza) {
                Some(stanza) => {
                    let told = vec![(outgoing.id, stanza)];
                    center.outbox.send(services, told).await;
                }
                None => error!(id = outgoing.id, "the outbox holds what is no stanza"),
            }
        }
    }
}

/// A stanza as it stands in the outbox.
pub(super) fn read(stored: bytes::Bytes) -> Option<Stanza> {
    let scope = Scope::with_default(ns::CLIENT);
    let parsed = parse(stored, &scope, &Limits::STORED).ok()?;
    reading::stanza(parsed, ns::CLIENT).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact_center::testing::{CENTER, Floor};

    fn hello(id: &str) -> (String, Stanza) {
        let text = format!(
            "<message from='{CENTER}' to='romeo@localhost' type='chat' id='{id}'><body>Hello</body></message>"
        );
        let parsed = parse(
            text.into(),
            &Scope::with_default(ns::CLIENT),
            &Limits::default(),
        );
        let stanza = reading::stanza(parsed.unwrap(), ns::CLIENT).unwrap();
        (id.to_owned(), stanza)
    }

    /// What the recipient's side could not keep waits, and is sent once more; what it has kept is forgotten.
    #[tokio::test]
    async fn what_is_not_kept_is_sent_again() {
        let floor = Floor::new(&["romeo"]).await;
        let services = floor.house.router.services();
        let outbox = Outbox::default();
        outbox.send(services, vec![hello("1")]).await;
        assert_eq!(*locked(&outbox.sent), ["1"]);
        services.store.close().await;
        outbox.send(services, vec![hello("2")]).await;
        outbox.send_again(services).await;
        assert_eq!(*locked(&outbox.sent), ["1"]);
        let waiting: Vec<String> = locked(&outbox.waiting)
            .iter()
            .map(|it| it.0.clone())
            .collect();
        assert_eq!(waiting, ["2"]);
    }
}
