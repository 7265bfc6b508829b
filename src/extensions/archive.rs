//! XEP-0313: Message Archive Management, version 1.1.3, with full-text search (XEP-0431, version 0.2.0): every
//! message of an account that matters can be asked for later, by any of its clients.
//!
//! An account asks at its own address, or at the host's, where some clients look. Messages of rooms are in the rooms' own archives, which share `query` and the store. Both sides of
//! a conversation are archived when the message passes; nobody waits for that but the
//! acknowledgement that the sender gets. Groupchat messages are not in the archive of an account (§5.1.1), and
//! archives of publish-subscribe nodes (XEP-0442) are not offered.

pub(crate) mod page;
mod policy;
pub(crate) mod preferences;
pub(crate) mod query;
mod recording;
mod retention;
pub(crate) mod rules;
pub(crate) mod words;

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{At, Hooks, Iq, IqAnswer, Stage};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, StanzaError, ns};
use query::Access;
pub(in crate::extensions) use recording::once;

/// XEP-0313 §7: queries by id, flipped pages, metadata.
pub(crate) const EXTENDED: &str = "urn:xmpp:mam:2#extended";
/// XEP-0313 §7: the field `include-groupchat` is understood.
const GROUPCHAT_FIELD: &str = "urn:xmpp:mam:2#groupchat-field";
/// Where an account finds its archive.
const OWN_OR_HOST: &[At] = &[At::Own, At::Host];
/// XEP-0431 §2.1.
pub(crate) const FULL_TEXT: &str = "urn:xmpp:fulltext:0";

/// Registers recording, queries, preferences and forgetting.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0059", "Result Set Management", "1.0"));
    hooks.document(Document::new("XEP-0297", "Stanza Forwarding", "1.0"));
    hooks.document(Document::new(
        "XEP-0313",
        "Message Archive Management",
        "1.1.3",
    ));
    hooks.feature(OWN_OR_HOST, ns::MAM);
    hooks.feature(OWN_OR_HOST, EXTENDED);
    hooks.feature(OWN_OR_HOST, GROUPCHAT_FIELD);
    if config.archive.full_text {
        hooks.document(Document::new(
            "XEP-0431",
            "Full Text Search in MAM",
            "0.2.0",
        ));
        hooks.feature(OWN_OR_HOST, FULL_TEXT);
    }
    hooks.outgoing_presence(Stage::Guard, policy::load_early);
    hooks.outgoing_iq(Stage::Guard, policy::load_early);
    hooks.outgoing_message(Stage::Record, recording::outgoing);
    hooks.incoming_message(Stage::Record, recording::incoming);
    hooks.iq_get(OWN_OR_HOST, ns::MAM, "query", |iq| async move {
        owner(&iq)?;
        Ok(Some(query::form(
            &iq.services.config.archive,
            query::Senders::Known,
        )))
    });
    hooks.iq_set(OWN_OR_HOST, ns::MAM, "query", ask);
    hooks.iq_get(OWN_OR_HOST, ns::MAM, "metadata", |iq| async move {
        query::metadata(&iq, owner(&iq)?).await
    });
    for name in ["query", "metadata"] {
        hooks.iq_get(&[At::Account], ns::MAM, name, refuse);
    }
    hooks.iq_set(&[At::Account], ns::MAM, "query", refuse);
    preferences::register(hooks);
    hooks.daily(retention::forget);
}

/// §4: a query of the own archive. What it gives needs not be given as an offline message any more
/// (§5.1.1).
async fn ask(iq: Iq) -> IqAnswer {
    let owner = owner(&iq)?;
    let access = Access {
        owner,
        asked_at: &iq.to,
        senders: query::Senders::Known,
        shown: None,
    };
    let (answer, given) = Box::pin(query::answer(&iq, access)).await?;
    let offline = iq.services.store.offline_messages();
    Box::pin(offline.delete_archived(owner, &given)).await?;
    Ok(Some(answer))
}

/// Whose archive is meant: the asker's own, at the account as at its host (§3.1 leaves open which more addresses
/// give an archive; clients that learn of it at the host ask there).
///
/// # Errors
/// `forbidden` for whoever has no account of that host (§8.1).
fn owner(iq: &Iq) -> Result<&BareJid, StanzaError> {
    let asker = iq.from.bare();
    let at_home = iq.at == At::Own || asker.domain() == iq.to.domain();
    let own = at_home && iq.session.is_some();
    own.then_some(asker)
        .ok_or_else(|| Condition::Forbidden.into())
}

/// §8.1: another's archive.
async fn refuse(_iq: Iq) -> IqAnswer {
    Err(Condition::Forbidden.into())
}

#[cfg(test)]
mod tests;
