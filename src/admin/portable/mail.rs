//! Messages: those that wait, and the archive with what is wanted in it (XEP-0227 §4.5, §4.11).

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::PIE_MAM;
use super::contacts::as_client;
use crate::clock::Timestamp;
use crate::proto::common::delay::Delay;
use crate::proto::common::kept;
use crate::proto::{BareJid, Jid, Kind, Stanza, ns, reading};
use crate::store::{
    ArchiveId, ArchiveIds, ArchivePreference, Archived, ArrivedMessage, NewArchived, OfflineMessage,
};
use crate::xml::{Child, Element};

/// ejabberd's mark of archived messages, from before there was XEP-0359.
const OLD_ARCHIVED: &str = "urn:xmpp:mam:tmp";

/// A message that waits, with the time when it came.
pub(super) fn write_offline(message: OfflineMessage, host: &Jid) -> Option<Vec<u8>> {
    let delay = Delay {
        from: Some(host.clone()),
        stamp: message.received_at,
    };
    let mut stanza = reading::stored(message.stanza)?;
    // A stamp that only claims to be ours is not.
    stanza
        .payload
        .retain(|child| stamp_of(child, host).is_none());
    Some(stanza.child(&delay.to_element()).to_document())
}

fn stamp_of(child: &Child<'_>, host: &Jid) -> Option<Timestamp> {
    let delay = delay(child)?;
    (delay.from?.to_bare() == *host).then_some(delay.stamp)
}

fn delay(child: &Child<'_>) -> Option<Delay> {
    let is_delay = child.is(Some(ns::DELAY), "delay");
    let element = is_delay
        .then(|| child.to_element(ns::CLIENT).ok())
        .flatten()?;
    Delay::parse(&element)
}

/// Reads a message that waits; `ids` tells which ids of the other archive have become which of ours.
pub(super) fn read_offline(
    message: &Element,
    owner: &BareJid,
    ids: &HashMap<String, ArchiveId>,
    now: Timestamp,
) -> Option<ArrivedMessage> {
    let mut stanza = message_of(message)?;
    let host = Jid::from(BareJid::from_parts(None, owner.domain()));
    let ours = stanza
        .payload
        .iter()
        .find_map(|child| stamp_of(&child, &host));
    // Whoever stamped it: it is as old as that.
    let any = || {
        stanza
            .payload
            .iter()
            .find_map(|child| delay(&child))
            .map(|delay| delay.stamp)
    };
    let received_at = ours.or_else(any).unwrap_or(now).min(now);
    let archived = stanza
        .payload
        .iter()
        .find_map(|child| given_id(&child, owner));
    let archived = archived.and_then(|id| ids.get(&id).copied());
    stanza
        .payload
        .retain(|child| stamp_of(child, &host).is_none());
    forget_ids(&mut stanza, owner);
    if let Some(id) = archived {
        let mark = Element::new(ns::STANZA_ID, "stanza-id").attr("by", owner.as_str());
        stanza = stanza.child(&mark.attr("id", id.to_string()));
    }
    Some(ArrivedMessage {
        received_at,
        stanza: stanza.to_document(),
        archived,
    })
}

fn message_of(message: &Element) -> Option<Stanza> {
    let stanza = reading::stored(kept::to_bytes(&as_client(message)).into())?;
    matches!(stanza.kind, Kind::Message(_)).then_some(stanza)
}

/// The id that the owner's archive gave (XEP-0359).
fn given_id(child: &Child<'_>, owner: &BareJid) -> Option<String> {
    let is_id = child.is(Some(ns::STANZA_ID), "stanza-id");
    let element = is_id.then(|| child.to_element(ns::CLIENT).ok()).flatten()?;
    (element.attribute("by") == Some(owner.as_str())).then_some(())?;
    element.attribute("id").map(str::to_owned)
}

/// Ids that the other archive gave would mislead clients, for ours may have others.
fn forget_ids(stanza: &mut Stanza, owner: &BareJid) {
    stanza.payload.retain(|child| {
        given_id(child, owner).is_none() && !child.is(Some(OLD_ARCHIVED), "archived")
    });
}

/// `<result/>`, of the id and the time that the archive has.
pub(super) fn write_archived(out: &mut Vec<u8>, message: &Archived) {
    let head = format!(
        "<result xmlns='{}' id='{}'><forwarded xmlns='{}'><delay xmlns='{}' stamp='{}'/>",
        ns::MAM,
        message.id,
        ns::FORWARD,
        ns::DELAY,
        message.id.moment(),
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&message.stanza);
    out.extend_from_slice(b"</forwarded></result>");
}

/// A message of another archive.
#[derive(Debug)]
pub(super) struct Past {
    id: Option<String>,
    moment: Timestamp,
    stanza: Stanza,
    with: Jid,
}

/// Reads `<result/>` of an archive of `owner`.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read_archived(
    result: &Element,
    owner: &BareJid,
    now: Timestamp,
) -> Result<Past, String> {
    let id = result.attribute("id").map(str::to_owned);
    let wrong = |what: &str| format!("an archived message is left out: {what}");
    let forwarded = result.find(ns::FORWARD, "forwarded");
    let forwarded = forwarded.ok_or_else(|| wrong("nothing is forwarded"))?;
    let delay = forwarded.find(ns::DELAY, "delay").and_then(Delay::parse);
    let delay = delay.ok_or_else(|| wrong("it has no time"))?;
    let mut messages = forwarded
        .children()
        .filter(|child| child.name() == "message");
    let stanza = messages.next().and_then(message_of);
    let mut stanza = stanza.ok_or_else(|| wrong("it is no message"))?;
    let own = Jid::from(owner.clone());
    let from = stanza.from.clone().unwrap_or_else(|| own.clone());
    let with = if from.bare() == owner {
        stanza.to.clone().unwrap_or(own)
    } else {
        from
    };
    forget_ids(&mut stanza, owner);
    Ok(Past {
        id,
        moment: delay.stamp.min(now),
        stanza,
        with,
    })
}

/// What an archive becomes: its messages with their ids, and which id has become which.
pub(super) type Arranged = (Vec<(ArchiveId, NewArchived)>, HashMap<String, ArchiveId>);

/// Gives the messages their ids, which tell the time: those that this server gave once are kept.
pub(super) fn arrange(
    mut past: Vec<Past>,
    owner: &BareJid,
    words: impl Fn(&Stanza) -> Vec<i64>,
) -> Arranged {
    past.sort_by_key(|message| message.moment);
    let mut fresh = ArchiveIds::default();
    let (mut messages, mut ids) = (Vec::with_capacity(past.len()), HashMap::new());
    let mut seen = HashSet::new();
    for message in past {
        let given = message.id.as_deref().and_then(|id| id.parse().ok());
        let given =
            given.filter(|id: &ArchiveId| id.moment().as_seconds() == message.moment.as_seconds());
        let id = given.unwrap_or_else(|| fresh.next(message.moment, rand_bits()));
        // Of one id there is one message.
        if !seen.insert(id) || message.id.as_ref().is_some_and(|old| ids.contains_key(old)) {
            continue;
        }
        ids.extend(message.id.map(|old| (old, id)));
        let words = words(&message.stanza);
        let archived = NewArchived {
            owner: owner.clone(),
            with: message.with,
            stanza: Bytes::from(message.stanza.to_document()),
            words,
        };
        messages.push((id, archived));
    }
    messages.sort_by_key(|(id, _)| *id);
    (messages, ids)
}

fn rand_bits() -> u128 {
    uuid::Uuid::new_v4().as_u128()
}

/// `<prefs/>` of XEP-0441, which the document does not mention.
pub(super) fn write_preference(preference: &ArchivePreference) -> Element {
    let list = |name: &str, addresses: &[String]| {
        let jids = addresses
            .iter()
            .map(|jid| Element::new(ns::MAM, "jid").text(jid.as_str()));
        Element::new(ns::MAM, name).children_from(jids)
    };
    Element::new(ns::MAM, "prefs")
        .attr("default", &preference.otherwise)
        .child(list("always", &preference.always))
        .child(list("never", &preference.never))
}

/// Reads `<prefs/>`; `None` when it is none.
pub(super) fn read_preference(prefs: &Element) -> Option<ArchivePreference> {
    let otherwise = prefs.attribute("default")?;
    let list = |name: &str| {
        let list = prefs.find(ns::MAM, name).into_iter();
        let jids = list
            .flat_map(Element::children)
            .filter(|child| child.is(ns::MAM, "jid"));
        jids.filter_map(|jid| Jid::parse(jid.text_content().trim()).ok())
            .map(|jid| jid.to_string())
            .collect()
    };
    matches!(otherwise, "always" | "never" | "roster").then(|| ArchivePreference {
        otherwise: otherwise.to_owned(),
        always: list("always"),
        never: list("never"),
    })
}

/// Whether it is `<archive/>`.
pub(super) fn is_archive(child: &Child<'_>) -> bool {
    child.is(Some(PIE_MAM), "archive")
}
