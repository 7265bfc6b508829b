//! XEP-0398: User Avatar to vCard-Based Avatars Conversion, version 1.0.0, between XEP-0084: User Avatar, version
//! 1.1.4, and XEP-0153: vCard-Based Avatars, version 1.1.1.
//!
//! A picture published by one way is published by the other too, and its hash stands in the account's presences.
//! Nodes that not everybody may read are not converted, for everybody may read a vCard (§7). When the picture changes,
//! presences are broadcast again with the new hash; directed ones are left to the clients (§6.1).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest as _, Sha1};

use tracing::warn;

use crate::config::Config;
use crate::extensions::presence;
use crate::extensions::pubsub::{AccessModel, NodeConfig, Place, item, publish_own};
use crate::hooks::{Account, At, Effects, Flow, Hooks, Passage, Services, Stage};
use crate::proto::common::kept;
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, Kind, PresenceType, Stanza, StanzaError, ns};
use crate::store::{Put, Vcard};
use crate::xml::Element;

/// XEP-0084 §4.1.
pub(in crate::extensions) const METADATA: &str = "urn:xmpp:avatar:metadata";
/// XEP-0084 §4.2.
const DATA: &str = "urn:xmpp:avatar:data";
/// XEP-0398 §4.
const CONVERSION: &str = "urn:xmpp:pep-vcard-conversion:0";
/// XEP-0153 §5.
const UPDATE: &str = "vcard-temp:x:update";

/// The hash of the account's picture, empty for none; in the slots of an account that is online.
struct Photo(String);

/// Set on a session in whose last presence the server has said that there is no picture; otherwise it was the client.
struct Emptied;

/// Registers the hash in presences.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0084", "User Avatar", "1.1.4"));
    hooks.document(Document::new("XEP-0153", "vCard-Based Avatars", "1.1.1"));
    let title = "User Avatar to vCard-Based Avatars Conversion";
    hooks.document(
        Document::new("XEP-0398", title, "1.0.0").note("pictures whose node everybody may read"),
    );
    hooks.feature(&[At::Own, At::Account], CONVERSION);
    hooks.outgoing_presence(Stage::Rewrite, |passage| {
        rewrite(passage);
        Flow::Continue
    });
}

fn rewrite(passage: &mut Passage<'_>) {
    if let (None, Some(session)) = (&passage.stanza.to, passage.session) {
        session.slots().clear::<Emptied>();
    }
    let available = passage.stanza.kind == Kind::Presence(PresenceType::Available);
    let photo = passage
        .online
        .and_then(|account| account.slots().find::<Photo>());
    if let (true, Some(photo)) = (available, photo) {
        stamp(passage.stanza, &photo.0);
    }
}

/// The first presence of a session with the hash of the picture in it, which may have to be read for it
/// (XEP-0398 §5).
pub(in crate::extensions) async fn stamped(
    services: &Services,
    account: &Arc<Account>,
    presence: Arc<Stanza>,
) -> Result<Arc<Stanza>, StanzaError> {
    let known = account.slots().find::<Photo>();
    let hash = match &known {
        Some(photo) => photo.0.clone(),
        None => noted(services, account.jid()).await?,
    };
    let mut presence = presence;
    stamp(Arc::make_mut(&mut presence), &hash);
    if known.is_none() {
        account.slots().set(Photo(hash));
    }
    Ok(presence)
}

/// §5: the hash in a directed presence of an account of which no presence was seen before, such as one for a room: it
/// waits for the hash.
pub(in crate::extensions) fn directed(passage: &mut Passage<'_>) -> Flow {
    let Some(account) = passage.online.cloned() else {
        return Flow::Continue;
    };
    if account.slots().find::<Photo>().is_some() {
        return Flow::Continue;
    }
    let (services, mut presence) = (Arc::clone(passage.services), passage.stanza.clone());
    passage.effects.then_effects(async move {
        match noted(&services, account.jid()).await {
            Ok(hash) => {
                stamp(&mut presence, &hash);
                account.slots().find_or(|| Photo(hash));
            }
            Err(error) => warn!(?error, "a presence goes without the hash of the picture"),
        }
        Ok(Effects {
            route: vec![presence],
            ..Effects::default()
        })
    });
    Flow::Stop
}

/// §5: a client that says it has no picture is left alone, any other presence gets the hash.
fn stamp(presence: &mut Stanza, hash: &str) {
    if hash.is_empty() {
        return;
    }
    match told(presence) {
        Some(told) if told.trim().is_empty() || told == hash => return,
        Some(_) | None => {}
    }
    put_hash(presence, hash);
}

/// What a presence says of the picture.
fn told(presence: &Stanza) -> Option<String> {
    let update = presence.find(UPDATE, "x")?.to_element(ns::CLIENT).ok()?;
    update.find(UPDATE, "photo").map(Element::text_content)
}

fn put_hash(presence: &mut Stanza, hash: &str) {
    presence
        .payload
        .retain(|child| !child.is(Some(UPDATE), "x"));
    let photo = Element::new(UPDATE, "photo").text(hash);
    let update = Element::new(UPDATE, "x").child(photo);
    presence.payload.push(&update, ns::CLIENT);
}

/// The hash of the picture, worked out once for a vCard of before anybody noted hashes.
async fn noted(services: &Services, owner: &BareJid) -> Result<String, StanzaError> {
    let vcards = services.store.vcards();
    if let Some(hash) = vcards.photo(owner).await? {
        return Ok(hash);
    }
    let card = vcards.find(owner).await?;
    let card = card.map(|card| kept::from_bytes(&card.xml)).transpose()?;
    let hash = card
        .as_ref()
        .and_then(picture)
        .map(|it| hash(&it))
        .unwrap_or_default();
    vcards.put_photo(owner, &hash).await?;
    Ok(hash)
}

/// The picture in a vCard.
fn picture(card: &Element) -> Option<Vec<u8>> {
    let data = card
        .find(ns::VCARD, "PHOTO")?
        .child_text(ns::VCARD, "BINVAL")?;
    decoded(&data).filter(|picture| !picture.is_empty())
}

async fn note(services: &Services, owner: &BareJid, hash: &str) -> Result<(), StanzaError> {
    services.store.vcards().put_photo(owner, hash).await?;
    let Some(account) = services.online(owner) else {
        return Ok(());
    };
    let before = account.slots().find::<Photo>();
    account.slots().set(Photo(hash.to_owned()));
    if before.is_some_and(|before| before.0 == hash) {
        return Ok(());
    }
    for session in account.sessions().iter().filter(|it| it.is_available()) {
        let told = session.presence().and_then(|presence| told(&presence));
        let denied = told.is_some_and(|told| told.trim().is_empty());
        if denied && session.slots().find::<Emptied>().is_none() {
            continue;
        }
        if hash.is_empty() {
            // XEP-0153 §3.2: the element without a hash says that there is no picture any more.
            session.slots().set(Emptied);
        } else {
            session.slots().clear::<Emptied>();
        }
        presence::renew(services, session, |presence| put_hash(presence, hash)).await;
    }
    Ok(())
}

/// §4.1: what was published as XEP-0084 goes into the vCard; no metadata takes the picture out of it.
pub(in crate::extensions) async fn published(
    place: &Place,
    metadata: Option<&Element>,
) -> Result<(), StanzaError> {
    let (services, owner) = (place.services(), place.address());
    let infos = metadata.into_iter().flat_map(Element::children);
    let mut here = infos.filter(|it| it.is(METADATA, "info") && it.attribute("url").is_none());
    let Some(info) = here.next() else {
        let linked = metadata.is_some_and(|it| it.find(METADATA, "info").is_some());
        return if linked {
            Ok(())
        } else {
            put_photo(services, owner, None).await
        };
    };
    let open = place.find(DATA).await?;
    if !open.is_some_and(|node| node.config.access == AccessModel::Open) {
        return Ok(());
    }
    let id = info.attribute("id").unwrap_or_default();
    let item = item(place, DATA, id).await?;
    let data = kept::from_bytes(&item.payload)?.text_content();
    let Some(picture) = decoded(&data).filter(|picture| hash(picture) == id) else {
        return Err(Condition::NotAcceptable.into());
    };
    let kind = info.attribute("type").unwrap_or("image/png");
    let photo = Element::new(ns::VCARD, "PHOTO")
        .child(Element::new(ns::VCARD, "TYPE").text(kind))
        .child(Element::new(ns::VCARD, "BINVAL").text(BASE64.encode(&picture)));
    put_photo(services, owner, Some((photo, id))).await
}

/// Puts the picture into the vCard, or takes the one in it out.
async fn put_photo(
    services: &Services,
    owner: &BareJid,
    photo: Option<(Element, &str)>,
) -> Result<(), StanzaError> {
    let vcards = services.store.vcards();
    let card = match vcards.find(owner).await? {
        Some(card) => kept::from_bytes(&card.xml)?,
        None if photo.is_none() => return Ok(()),
        None => Element::new(ns::VCARD, "vCard"),
    };
    let rest = card
        .children()
        .filter(|child| !child.is(ns::VCARD, "PHOTO"))
        .cloned();
    let changed = Element::new(ns::VCARD, "vCard").children_from(rest);
    let hash = photo.as_ref().map_or("", |(_, hash)| hash).to_owned();
    let changed = changed.child_opt(photo.map(|(photo, _)| photo));
    let card = Vcard {
        xml: kept::to_bytes(&changed),
        updated_at: services.clock.now(),
    };
    let max = services.config.vcard.bytes_max.as_usize();
    match vcards.put(owner, &card, max).await? {
        Put::Stored => note(services, owner, &hash).await,
        Put::Full => Err(Condition::ResourceConstraint.into()),
    }
}

/// §4.2: a vCard that was set, and the one before it. A picture that it lacks and the earlier one
/// had is taken back by empty metadata (XEP-0084 §3.4).
pub(in crate::extensions) async fn card_set(
    services: &Arc<Services>,
    owner: &BareJid,
    card: &Element,
    before: Option<String>,
) -> Result<(), StanzaError> {
    let place = Place::account(services, owner);
    let open = NodeConfig::open();
    let Some(picture) = picture(card) else {
        note(services, owner, "").await?;
        if before.is_some_and(|hash| !hash.is_empty()) {
            let none = Element::new(METADATA, "metadata");
            Box::pin(publish_own(&place, METADATA, open, "none", none)).await?;
        }
        return Ok(());
    };
    let id = hash(&picture);
    note(services, owner, &id).await?;
    if before.as_deref() == Some(&id) {
        return Ok(());
    }
    let photo = card.find(ns::VCARD, "PHOTO");
    let kind = photo.and_then(|photo| photo.child_text(ns::VCARD, "TYPE"));
    let data = Element::new(DATA, "data").text(BASE64.encode(&picture));
    Box::pin(publish_own(&place, DATA, open.clone(), &id, data)).await?;
    let info = Element::new(METADATA, "info")
        .attr("bytes", picture.len().to_string())
        .attr("id", &id)
        .attr("type", kind.as_deref().unwrap_or("image/png"));
    let metadata = Element::new(METADATA, "metadata").child(info);
    Box::pin(publish_own(&place, METADATA, open, &id, metadata)).await
}

/// Base64 with the line breaks that many clients put in.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    BASE64.decode(text).ok()
}

/// In hexadecimal, as XEP-0153 §3.1 and XEP-0084 §3.1 write it.
fn hash(picture: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha1::digest(picture) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
