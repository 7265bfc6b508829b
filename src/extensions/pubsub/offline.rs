//! `pubsub#purge_offline` (XEP-0060 §16.4.4): what an account has published goes when it has no available session
//! any more, from its own nodes and from those of services.
//!
//! Of publishers of other servers it is not known when they go. What an account left that was online when the
//! server was killed goes the next time that it goes offline.

use std::sync::Arc;

use tracing::warn;

use super::notify::{self, Event};
use super::place::{Face, Place};
use crate::hooks::{Flow, Hooks, Services, Stage};
use crate::proto::{BareJid, Kind, PresenceType, StanzaError};
use crate::store::Dropped;

/// Nodes that are purged for one account that goes; others stay until it goes the next time.
const NODES_MAX: u32 = 1_000;

/// Registers the hooks: a session says that it is unavailable, or ends.
pub(super) fn register(hooks: &mut Hooks) {
    hooks.outgoing_presence(Stage::Deliver, |passage| {
        let gone = Kind::Presence(PresenceType::Unavailable);
        if passage.stanza.to.is_none() && passage.stanza.kind == gone {
            let services = Arc::clone(passage.services);
            let account = passage.account.clone();
            passage.effects.then(async move {
                Box::pin(gone_offline(&services, &account)).await;
                Ok(())
            });
        }
        Flow::Continue
    });
    hooks.closed(|session, services| async move {
        Box::pin(gone_offline(&services, session.account().jid())).await;
    });
}

async fn gone_offline(services: &Arc<Services>, account: &BareJid) {
    let online = services.online(account);
    let sessions = online.map(|account| account.sessions()).unwrap_or_default();
    if sessions.iter().any(|session| session.is_available()) {
        return;
    }
    if let Err(error) = Box::pin(purge(services, account)).await {
        warn!(
            condition = error.condition.name(),
            "items of a publisher that is offline stay"
        );
    }
}

async fn purge(services: &Arc<Services>, publisher: &BareJid) -> Result<(), StanzaError> {
    let pubsub = services.store.pubsub();
    for left in pubsub.left_by(publisher, NODES_MAX).await? {
        let Ok(address) = BareJid::new(&left.service) else {
            continue;
        };
        let face = if address == *publisher {
            Face::Account
        } else {
            Face::Service
        };
        let place = Place {
            services: Arc::clone(services),
            address,
            face,
        };
        Box::pin(purge_node(&place, &left.node, publisher)).await?;
    }
    Ok(())
}

async fn purge_node(place: &Place, name: &str, publisher: &BareJid) -> Result<(), StanzaError> {
    let Some(node) = place.find(name).await? else {
        return Ok(());
    };
    let turn = super::turn(place, name).await;
    let store = place.store();
    let dropped = store.drop_of(&place.address, name, publisher).await?;
    if node.config.notify_retract {
        match dropped {
            Dropped::All => notify::tell(place, &node, &Event::purge(name)).await?,
            Dropped::Some(gone) => {
                for id in gone {
                    notify::tell(place, &node, &Event::retract(name, &id)).await?;
                }
            }
        }
    }
    drop(turn);
    super::conversion::retracted(place, &node).await;
    Ok(())
}
