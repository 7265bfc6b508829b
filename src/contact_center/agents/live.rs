//! All agents as they change, for supervisors: a node of publish-subscribe (XEP-0060) at the service, whose items
//! are the agents.
//!
//! One may subscribe as long as one has the right to list agents; whoever loses it is told that the subscription has
//! ended when the next change would have been told. Nobody publishes, configures or owns. What changes while
//! others are being told is told together with what follows, so that a flood of changes costs no more than
//! the slowest of it. What cannot be told, since the database does not say to whom, is told after a pause.

mod requests;
mod watchers;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::behind::PAUSE;
use super::list::item;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::domain::ids::AgentId;
use crate::domain::rights::Right;
use crate::extensions::pubsub::Event;
use crate::hooks::{Hooks, Services};
use crate::proto::{BareJid, Jid, MessageType, Stanza, ns};

pub(in crate::contact_center) use requests::{FEATURES, answer, info};
pub(super) use watchers::{forget, start};

/// The node.
pub(in crate::contact_center) const NODE: &str = "urn:parlour:agent:0#agents";

/// Items of one notification.
const ITEMS_MAX: usize = 50;

/// Who watches, and what they have not been told yet: never more than there are agents.
#[derive(Debug, Default)]
pub(super) struct Live {
    watchers: watchers::Board,
    changed: Mutex<BTreeSet<AgentId>>,
    /// Whether rights may have been taken away.
    check: AtomicBool,
    more: Notify,
}

impl Live {
    /// What is told of the agent is something else than before.
    pub(super) fn note(&self, place: &Place, id: &AgentId) {
        if !self.watchers.are_there(&place.host) {
            return;
        }
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.insert(id.clone());
        drop(changed);
        self.more.notify_one();
    }

    /// Rights may have been taken away.
    pub(super) fn check_rights(&self) {
        self.check.store(true, Ordering::Release);
        self.more.notify_one();
    }

    /// It could not be told, and is told later.
    fn put_back(&self, untold: &[&AgentId], check: bool) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.extend(untold.iter().copied().cloned());
        drop(changed);
        if check {
            self.check.store(true, Ordering::Release);
        }
        self.more.notify_one();
    }

    #[cfg(test)]
    pub(super) fn is_untold(&self) -> bool {
        let changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        !changed.is_empty()
    }

    fn take(&self) -> BTreeSet<AgentId> {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *changed)
    }
}

/// Ends what was subscribed for a session alone when the session ends.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let closing = Arc::clone(center);
    hooks.closed(move |session, services| {
        let center = Arc::clone(&closing);
        async move {
            // When the server stops, all of them end; at its next start none of them is there.
            if !center.is_stopping() {
                let jid = Jid::from(session.jid().clone());
                Box::pin(watchers::closed(&center, &services, &jid)).await;
            }
        }
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
            () = center.agents.live.more.notified() => {}
            () = stop.cancelled() => return,
        }
        let check = center.agents.live.check.swap(false, Ordering::AcqRel);
        let changed = center.agents.live.take();
        let mut is_behind = false;
        for place in center.places() {
            let here = |id: &&AgentId| id.host() == place.host.as_str();
            let here: Vec<&AgentId> = changed.iter().filter(here).collect();
            if here.is_empty() && !check {
                continue;
            }
            if let Err(refused) = Box::pin(tell(&center, &services, place, &here)).await {
                warn!(%refused, host = %place.host, "who watches the agents is told of a change later");
                center.agents.live.put_back(&here, check);
                is_behind = true;
            }
        }
        if is_behind {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return,
            }
        }
    }
}

async fn tell(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    changed: &[&AgentId],
) -> Result<(), Refused> {
    let recipients = entitled(center, services, place).await?;
    let seen = changed.iter().filter_map(|id| center.agents.find(id.jid()));
    let items: Vec<_> = seen.map(|seen| item(ns::PUBSUB_EVENT, &seen)).collect();
    for items in items.chunks(ITEMS_MAX) {
        let message = headline(place, &Event::items(NODE, items.to_vec()));
        to_each(services, &message, &recipients).await;
    }
    // Whose account is removed is on the board no longer.
    for id in changed.iter().filter(|id| !center.agents.has(id)) {
        let message = headline(place, &Event::retract(NODE, id.jid().as_str()));
        to_each(services, &message, &recipients).await;
    }
    Ok(())
}

async fn to_each(services: &Services, message: &Stanza, recipients: &[Jid]) {
    for to in recipients {
        services.route(message.clone().to(to.clone())).await;
    }
}

/// Those who watch and may. The subscriptions of the others end.
async fn entitled(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
) -> Result<Vec<Jid>, Refused> {
    let watchers = center.agents.live.watchers.of(&place.host);
    let mut entitled = Vec::with_capacity(watchers.jids.len());
    let mut known: Option<(BareJid, bool)> = None;
    for jid in &watchers.jids {
        // In the order of their addresses: those of one account follow each other.
        let may = match &known {
            Some((account, may)) if account == jid.bare() => *may,
            _ => may_watch(services, place, jid.bare()).await?,
        };
        known = Some((jid.bare().clone(), may));
        if may {
            entitled.push(jid.clone());
        } else {
            watchers::leave(center, services, place, jid).await?;
            let ended = Event::subscription(NODE, jid, "none");
            services
                .route(headline(place, &ended).to(jid.clone()))
                .await;
        }
    }
    Ok(entitled)
}

async fn may_watch(services: &Services, place: &Place, account: &BareJid) -> Result<bool, Refused> {
    let store = &services.store;
    let known = store.accounts().find(account).await?;
    let Some(known) = known.filter(|known| known.enabled) else {
        return Ok(false);
    };
    let rights = place.rights(store, account, known.role).await?;
    Ok(rights.has(Right::AgentList))
}

fn headline(place: &Place, event: &Event) -> Stanza {
    let mut message = Stanza::message(MessageType::Headline)
        .from(place.address.clone())
        .child(event.element());
    message.id = Some(crate::id::random().into());
    message
}
