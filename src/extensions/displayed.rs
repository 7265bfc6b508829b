//! XEP-0490: Message Displayed Synchronization, version 1.0.1: a node of the account that only its owner reads, and what
//! the server does to save the client a request (§4.3).

use std::sync::Arc;

use tracing::warn;

use crate::config::Config;
use crate::extensions::pubsub::{NodeConfig, Place, publish_own};
use crate::hooks::{At, Flow, Hooks, Passage, Stage};
use crate::proto::document::Document;
use crate::proto::ns;

/// §5: the node, and the namespace of its items.
pub(in crate::extensions) const DISPLAYED: &str = "urn:xmpp:mds:displayed:0";

/// Registers the assistance of §4.3.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new(
        "XEP-0490",
        "Message Displayed Synchronization",
        "1.0.1",
    ));
    hooks.feature(&[At::Own, At::Account], "urn:xmpp:mds:server-assist:0");
    hooks.outgoing_message(Stage::Rewrite, |passage| {
        publish(passage);
        Flow::Continue
    });
}

/// §4.3: takes the marker out of the message, before anybody keeps or copies it, and publishes it.
fn publish(passage: &mut Passage<'_>) {
    let Some(marker) = passage.stanza.find(DISPLAYED, "displayed") else {
        return;
    };
    let marker = marker.to_element(ns::CLIENT).ok();
    passage
        .stanza
        .payload
        .retain(|child| !child.is(Some(DISPLAYED), "displayed"));
    let (Some(marker), Some(to)) = (marker, passage.stanza.to.clone()) else {
        return;
    };
    let place = Place::account(passage.services, passage.account);
    passage.effects.then(async move {
        let id = to.to_string();
        let config = NodeConfig::private();
        let published = Box::pin(publish_own(&place, DISPLAYED, config, &id, marker)).await;
        if let Err(error) = published {
            // The message itself goes on.
            warn!(condition = error.condition.name(), "not noted as displayed");
        }
        Ok(())
    });
}

#[cfg(test)]
mod tests;
