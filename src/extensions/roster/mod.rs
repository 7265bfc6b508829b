//! RFC 6121 §2: the roster: asked for, changed, pushed to interested resources, with versions.
//!
//! What subscription stanzas do to items is in [`subscription`]. The roster of an account
//! that is online is held in memory (`contacts.rs`), for presence is sent by it.

mod contacts;
mod item;
mod mutual;
mod privileged;
#[cfg(test)]
mod tests;
mod together;

use std::sync::Arc;

use crate::config::Config;
use crate::extensions::subscription;
use crate::hooks::{At, Hooks, Iq, IqAnswer, Services, StreamPhase};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, StanzaError, ns};
use crate::store::{RosterItem, Subscription};
use crate::xml::Element;

pub(crate) use contacts::Write;
use contacts::push;
pub(in crate::extensions) use contacts::{Snapshot, Writing, is_interested, load, loaded};
use item::Wish;
pub(crate) use mutual::{MutualContacts, Mutuality, Taken};
pub(in crate::extensions) use mutual::{subscribing, unlisted};
pub(crate) use together::{Found, Pair, Side, Wish as PairWish, together};

/// The most changes that a client which was away is told one by one (§2.6.3). They wait in the
/// session's mailbox, whose least bound is 16; past that the whole roster is the better answer.
const CHANGES_TOLD_MAX: usize = 8;

/// How often a change is decided anew because another node changed the same item.
pub(in crate::extensions) const TRIES_MAX: usize = 5;

/// Registers the answers and the stream feature.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new(
        "RFC 6121",
        "XMPP: Instant Messaging and Presence",
        "",
    ));
    hooks.iq_get(&[At::Own], ns::ROSTER, "query", get);
    hooks.iq_set(&[At::Own], ns::ROSTER, "query", set);
    hooks.iq_get(&[At::Account], ns::ROSTER, "query", privileged::of_another);
    hooks.iq_set(&[At::Account], ns::ROSTER, "query", privileged::of_another);
    hooks.stream_feature(StreamPhase::Authenticated, |_| {
        Some(Element::new(ns::ROSTER_VERSIONING, "ver"))
    });
}

/// §2.2, §2.6: the roster, or what has changed since the version that the client has.
async fn get(iq: Iq) -> IqAnswer {
    let session = iq.session()?;
    let owner = session.account().jid();
    let writing = Writing::begin(&iq.services, owner).await;
    let snapshot = writing.interest(session).await?;
    let known = iq.payload.attribute("ver").and_then(|ver| ver.parse().ok());
    if known == Some(snapshot.version()) {
        return Ok(None);
    }
    if let Some(known) = known {
        let changes = iq
            .services
            .store
            .rosters()
            .changes_since(owner, known)
            .await;
        let changes = changes?;
        if let Some(changes) = changes.filter(|changes| changes.len() <= CHANGES_TOLD_MAX) {
            // They lie in the mailbox, which is written after the empty answer.
            for change in &changes {
                push(session, change);
            }
            return Ok(None);
        }
    }
    let items = snapshot.items().iter().map(|item| item::element(item));
    Ok(Some(item::query(snapshot.version(), items)))
}

/// The whole roster, for one who is no session of the account.
async fn whole(services: &Services, owner: &BareJid) -> Result<Element, StanzaError> {
    let roster = services.store.rosters().load(owner).await?;
    let items = roster.items.iter().map(item::element);
    Ok(item::query(roster.version, items))
}

/// §2.3, §2.4, §2.5: one contact added, changed or removed.
async fn set(iq: Iq) -> IqAnswer {
    let owner = iq.session()?.account().jid();
    change(&iq, owner).await?;
    Ok(None)
}

async fn change(iq: &Iq, owner: &BareJid) -> Result<(), StanzaError> {
    match Wish::read(&iq.payload, owner)? {
        Wish::Put {
            contact,
            name,
            groups,
        } => put(iq, owner, contact, name, groups).await,
        Wish::Remove(contact) => remove(iq, owner, contact).await,
    }
}

async fn put(
    iq: &Iq,
    owner: &BareJid,
    contact: BareJid,
    name: Option<String>,
    groups: Vec<String>,
) -> Result<(), StanzaError> {
    let mut writing = Writing::begin(&iq.services, owner).await;
    for _ in 0..TRIES_MAX {
        let found = writing.find(&contact).await?;
        let item = RosterItem {
            name: name.clone(),
            groups: groups.clone(),
            ..found.unwrap_or_else(|| RosterItem::new(contact.clone()))
        };
        if let Some(change) = writing.write(Write::Put(item)).await? {
            writing.tell(&change);
            return Ok(());
        }
    }
    Err(contended())
}

/// §2.5.2: subscriptions in either direction end with the item.
async fn remove(iq: &Iq, owner: &BareJid, contact: BareJid) -> Result<(), StanzaError> {
    if unlisted(&iq.services, owner, &contact).await? == Taken::Done {
        return Ok(());
    }
    let removed = {
        let mut writing = Writing::begin(&iq.services, owner).await;
        let Some(item) = writing.find(&contact).await? else {
            return Err(Condition::ItemNotFound.into());
        };
        let Some(change) = writing.write(Write::Remove(contact)).await? else {
            return Err(Condition::ItemNotFound.into());
        };
        writing.tell(&change);
        item
    };
    if removed.subscription != Subscription::None || removed.ask {
        // Not under the lock: the contact's roster has one of its own.
        for stanza in subscription::farewell(&iq.services, owner, &removed) {
            iq.services.route(stanza).await;
        }
    }
    Ok(())
}

/// The answer when others kept changing the same item.
pub(in crate::extensions) fn contended() -> StanzaError {
    StanzaError::new(Condition::ResourceConstraint).text("the contact is being changed elsewhere")
}
