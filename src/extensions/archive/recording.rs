//! Messages on their way into the archives of those who exchange them (XEP-0313 §3.4, §5.1.1).
//!
//! Mostly all is decided on the spot. Where the database has to be asked first (for an account that is
//! offline, or whose roster is not in memory), an incoming message waits for that and is routed again;
//! the mark on it tells that it was decided.

use std::sync::Arc;

use bytes::Bytes;
use compact_str::ToCompactString;

use super::{policy, rules, words};
use crate::extensions::stanza_id;
use crate::hooks::{Effects, Flow, Passage, Services};
use crate::proto::{ArchiveMark, BareJid, Jid, Stanza, StanzaError};
use crate::store::{ArchiveAppended, NewArchived};

/// The sender's side: the message goes on as it is, for its id is none of the recipient's business
/// (§3.4); copies for the sender's other clients find it in the mark.
pub(super) fn outgoing(passage: &mut Passage<'_>) -> Flow {
    // To oneself: archived once, when it comes in.
    let to = passage.stanza.to.clone();
    let Some(to) = to.filter(|to| to.bare() != passage.account) else {
        return Flow::Continue;
    };
    if !rules::is_kept(passage.stanza) {
        return Flow::Continue;
    }
    match known(passage, &to) {
        Some(false) => {}
        Some(true) => {
            let begun = append(passage.services, passage.account, &to, passage.stanza);
            passage.stanza.archived = Some(mark(passage.account, Some(&begun)));
            follow(passage.effects, begun);
        }
        None => {
            let services = Arc::clone(passage.services);
            let (account, stanza) = (passage.account.clone(), passage.stanza.clone());
            passage.effects.then_effects(async move {
                let mut effects = Effects::default();
                if policy::decide(&services, &account, &to).await? {
                    follow(&mut effects, append(&services, &account, &to, &stanza));
                }
                Ok(effects)
            });
        }
    }
    Flow::Continue
}

/// The recipient's side: the message gets its id before it is delivered.
pub(super) fn incoming(passage: &mut Passage<'_>) -> Flow {
    let decided = passage.stanza.archived.as_ref();
    if decided.is_some_and(|mark| mark.by == *passage.account) {
        return Flow::Continue;
    }
    passage.stanza.archived = None;
    let Some(from) = passage.stanza.from.clone() else {
        return Flow::Continue;
    };
    if !rules::is_kept(passage.stanza) {
        return Flow::Continue;
    }
    match known(passage, &from) {
        Some(false) => Flow::Continue,
        Some(true) => {
            let begun = append(passage.services, passage.account, &from, passage.stanza);
            stamp(passage.stanza, passage.account, &begun);
            follow(passage.effects, begun);
            Flow::Continue
        }
        None => {
            let services = Arc::clone(passage.services);
            let (account, stanza) = (passage.account.clone(), passage.stanza.clone());
            passage
                .effects
                .then_effects(decide_first(services, account, from, stanza));
            Flow::Stop
        }
    }
}

/// The recipient's side of a message that goes to several of the account's sessions: it is archived before
/// it is sent to them, and all are told the same id.
///
/// # Errors
/// When the database fails.
pub(in crate::extensions) async fn once(
    services: &Services,
    account: &BareJid,
    stanza: &mut Stanza,
) -> Result<Effects, StanzaError> {
    let mut effects = Effects::default();
    stanza_id::remove(stanza, account);
    stanza.archived = None;
    let Some(from) = stanza.from.clone() else {
        return Ok(effects);
    };
    if !rules::is_kept(stanza) {
        return Ok(effects);
    }
    if policy::decide(services, account, &from).await? {
        let begun = append(services, account, &from, stanza);
        stamp(stanza, account, &begun);
        follow(&mut effects, begun);
    } else {
        stanza.archived = Some(mark(account, None));
    }
    Ok(effects)
}

async fn decide_first(
    services: Arc<Services>,
    account: BareJid,
    from: Jid,
    mut stanza: Stanza,
) -> Result<Effects, StanzaError> {
    let mut effects = Effects::default();
    if policy::decide(&services, &account, &from).await? {
        let mut begun = append(&services, &account, &from, &stanza);
        stamp(&mut stanza, &account, &begun);
        if begun.queued {
            effects.durable.push(begun.written);
        } else {
            // The queue is full: the sender waits for its turn.
            begun.written.as_mut().await?;
        }
    } else {
        stanza.archived = Some(mark(&account, None));
    }
    effects.route.push(stanza);
    Ok(effects)
}

/// What the account wants, when that is known without asking the database.
fn known(passage: &Passage<'_>, target: &Jid) -> Option<bool> {
    policy::known(passage.online?, target)
}

fn append(services: &Services, owner: &BareJid, with: &Jid, stanza: &Stanza) -> ArchiveAppended {
    let message = NewArchived {
        owner: owner.clone(),
        with: with.clone(),
        stanza: Bytes::from(stanza.to_document()),
        words: words::noted(&services.config.archive, owner, stanza),
    };
    let received_at = stanza.received_at.unwrap_or_else(|| services.clock.now());
    services.store.archive().append(message, received_at)
}

fn mark(by: &BareJid, begun: Option<&ArchiveAppended>) -> Arc<ArchiveMark> {
    Arc::new(ArchiveMark {
        by: by.clone(),
        id: begun.map(|begun| begun.id.to_compact_string()),
    })
}

/// §3.4: the recipient is told the id.
fn stamp(stanza: &mut Stanza, by: &BareJid, begun: &ArchiveAppended) {
    let id = begun.id.to_string();
    let element = stanza_id::element(by, &id);
    stanza.payload.push(&element, crate::proto::ns::CLIENT);
    stanza.archived = Some(mark(by, Some(begun)));
}

/// Delivery does not wait for the write, the sender's acknowledgement does. Where the queue is full
/// the sender waits, and nobody else.
fn follow(effects: &mut Effects, begun: ArchiveAppended) {
    if begun.queued {
        effects.durable.push(begun.written);
    } else {
        effects.then(async move { Ok(begun.written.await?) });
    }
}
