//! The vCard of a room and its picture (XEP-0054, XEP-0153, and XEP-0486 for rooms): its owner sets it, everybody may
//! read it; occupants are told the hash of the picture by a presence of the room.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::{Digest, Sha1};

use super::model::Affiliation;
use super::persistence::Draft;
use super::presence::codes;
use super::room::{Card, Post, Room, State};
use super::rooms::Rooms;
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::kept;
use crate::proto::{Condition, IqType, MessageType, PresenceType, Stanza, StanzaError, ns};
use crate::xml::Element;

/// XEP-0153 §3.
const UPDATE: &str = "vcard-temp:x:update";

impl Rooms {
    /// Gives the card, or takes it from an owner.
    pub(super) async fn vcard(&self, iq: &Iq, room: &std::sync::Arc<Room>) -> IqAnswer {
        match iq.kind {
            IqType::Set => self.set_vcard(iq, room).await,
            _ => {
                let xml = room.lock().card.as_ref().map(|card| card.xml.clone());
                let xml = xml.ok_or(Condition::ItemNotFound)?;
                kept::from_bytes(&xml).map(Some)
            }
        }
    }

    async fn set_vcard(&self, iq: &Iq, room: &std::sync::Arc<Room>) -> IqAnswer {
        let card = Card::read(&iq.payload);
        if card.xml.len() > self.limits().vcard_bytes_max.as_usize() {
            return Err(StanzaError::new(Condition::PolicyViolation).text("the vCard is too large"));
        }
        let mut saved = room.saving.lock().await;
        if room.lock().affiliation(iq.from.bare()) < Affiliation::Owner {
            return Err(Condition::Forbidden.into());
        }
        let empty = iq.payload.children().next().is_none();
        let card = (!empty).then_some(card);
        let draft = Draft {
            card: Some(card.clone()),
            ..Draft::default()
        };
        self.write(room, &mut saved, &draft, &iq.services).await?;
        let mut post = Post::default();
        {
            let mut state = room.lock();
            state.card = card;
            let presence = Stanza::presence(PresenceType::Available)
                .from(room.jid.clone())
                .child(&update(
                    state.card.as_ref().and_then(|card| card.photo.as_deref()),
                ));
            let message = Stanza::message(MessageType::Groupchat)
                .from(room.jid.clone())
                .child(&codes(&[104]));
            for (_, _, seat) in state.seats() {
                post.send(seat, presence.clone());
                post.send(seat, message.clone());
            }
        }
        drop(saved);
        post.carry_out(&iq.services).await;
        Ok(None)
    }
}

impl Card {
    /// The card with the SHA-1 of its picture (XEP-0153 §4.1).
    pub(super) fn read(element: &Element) -> Self {
        let photo = element.find(ns::VCARD, "PHOTO");
        let encoded = photo.and_then(|photo| photo.child_text(ns::VCARD, "BINVAL"));
        let bare = encoded.map(|text| text.split_whitespace().collect::<String>());
        let picture = bare.and_then(|text| BASE64.decode(text).ok());
        let picture = picture.filter(|picture| !picture.is_empty());
        Self {
            xml: kept::to_bytes(element),
            photo: picture.map(|picture| hex(&Sha1::digest(picture))),
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| format!("{byte:02x}");
    bytes.iter().map(digits).collect()
}

fn update(photo: Option<&str>) -> Element {
    let hash = Element::new(UPDATE, "photo").text(photo.unwrap_or_default());
    Element::new(UPDATE, "x").child(hash)
}

/// The presence of the room itself; only a room with a picture has one.
pub(super) fn avatar_presence(room: &Room, state: &State) -> Option<Stanza> {
    let photo = state.card.as_ref()?.photo.as_deref()?;
    let presence = Stanza::presence(PresenceType::Available).from(room.jid.clone());
    Some(presence.child(&update(Some(photo))))
}
