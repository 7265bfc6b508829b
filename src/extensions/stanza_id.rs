//! XEP-0359: Unique and Stable Stanza IDs, version 0.7.0: under which id an account's archive has a
//! message.
//!
//! `<origin-id/>` is the sender's and passes as it is.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{At, Flow, Hooks, Passage, Stage};
use crate::proto::document::Document;
use crate::proto::{BareJid, Jid, Stanza, ns};
use crate::xml::{Child, Element};

/// Registers the feature, and that nobody but the account gives its ids.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    let title = "Unique and Stable Stanza IDs";
    hooks.document(Document::new("XEP-0359", title, "0.7.0"));
    hooks.feature(&[At::Own, At::Account], ns::STANZA_ID);
    hooks.outgoing_message(Stage::Rewrite, strip);
    hooks.incoming_message(Stage::Rewrite, strip);
}

/// §3 rule 2: an id that only claims to be the account's goes, whether it gets one or not.
fn strip(passage: &mut Passage<'_>) -> Flow {
    let mark = passage.stanza.archived.as_ref();
    let decided = mark.is_some_and(|mark| mark.by == *passage.account);
    if !decided {
        remove(passage.stanza, passage.account);
    }
    Flow::Continue
}

/// Takes away the ids that `by` is said to have given.
pub(crate) fn remove(stanza: &mut Stanza, by: &BareJid) {
    if stanza.has(ns::STANZA_ID, "stanza-id") {
        stanza.payload.retain(|child| !is_by(child, by));
    }
}

/// The id that `by` gave the message.
pub(crate) fn find(stanza: &Stanza, by: &BareJid) -> Option<String> {
    let given = stanza.payload.iter().find(|child| is_by(child, by))?;
    let element = given.to_element(ns::CLIENT).ok()?;
    element.attribute("id").map(str::to_owned)
}

fn is_by(child: &Child<'_>, by: &BareJid) -> bool {
    if !child.is(Some(ns::STANZA_ID), "stanza-id") {
        return false;
    }
    let element = child.to_element(ns::CLIENT).ok();
    let said = element.and_then(|element| element.attribute("by").map(Jid::parse));
    matches!(said, Some(Ok(said)) if said.bare() == by)
}

/// `<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.org' id='…'/>`
pub(crate) fn element(by: &BareJid, id: &str) -> Element {
    Element::new(ns::STANZA_ID, "stanza-id")
        .attr("by", by.as_str())
        .attr("id", id)
}
