use std::sync::Arc;

use super::*;
use crate::proto::reading;
use crate::xml::{Limits, Scope, parse};
use bytes::Bytes;

fn stanza(xml: &str) -> Stanza {
    let bytes = Bytes::from(xml.to_owned());
    let scope = Scope::with_default(ns::CLIENT);
    let parsed = parse(bytes, &scope, &Limits::default()).unwrap();
    reading::stanza(parsed, ns::CLIENT).unwrap()
}

fn message(inside: &str) -> Stanza {
    stanza(&format!("<message type='chat'>{inside}</message>"))
}

#[test]
fn what_matters_is_shown_at_once() {
    for inside in [
        "<body>Hi</body>",
        "<body>Hi</body><active xmlns='http://jabber.org/protocol/chatstates'/>",
        "<subject>Balcony</subject>",
        "<encrypted xmlns='eu.siacs.conversations.axolotl'/><store xmlns='urn:xmpp:hints'/>",
        "<propose xmlns='urn:xmpp:jingle-message:0' id='c1'/>",
        "<invite xmlns='urn:xmpp:call-invites:0'/>",
        "<x xmlns='jabber:x:conference' jid='room@rooms.localhost'/>",
        "<result xmlns='urn:xmpp:mam:2'/>",
        "<reactions xmlns='urn:xmpp:reactions:0' id='m1'/>",
        "<request xmlns='urn:xmpp:receipts'/>",
        "<never-heard-of xmlns='urn:example:new'/>",
        "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
            <message xmlns='jabber:client' type='chat'><body>Hi</body></message></forwarded></received>",
        "<received xmlns='urn:xmpp:carbons:2'/>",
    ] {
        assert_eq!(worth(&message(inside)), Worth::Now, "{inside}");
    }
    for whole in [
        "<message type='groupchat'><body>Hi all</body></message>",
        "<message type='error'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
        "<iq type='result' id='1'/>",
        "<presence type='subscribe'/>",
        "<presence type='unsubscribed'/>",
        "<presence type='error'/>",
        "<presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>",
    ] {
        assert_eq!(worth(&stanza(whole)), Worth::Now, "{whole}");
    }
}

#[test]
fn what_changes_nothing_for_who_does_not_look_waits() {
    for inside in [
        "",
        "<composing xmlns='http://jabber.org/protocol/chatstates'/><received xmlns='urn:xmpp:receipts' id='m1'/>",
        "<received xmlns='urn:xmpp:receipts' id='m1'/>",
        "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/><thread>t</thread>",
        "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='mood'/></event>",
        "<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='localhost'/>",
        "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
            <message xmlns='jabber:client' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message></forwarded></sent>",
    ] {
        assert_eq!(worth(&message(inside)), Worth::Later, "{inside}");
    }
    let state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    for beside in [
        "",
        "<no-store xmlns='urn:xmpp:hints'/>",
        "<thread>t</thread>",
    ] {
        assert_eq!(
            worth(&message(&format!("{state}{beside}"))),
            Worth::ChatState,
            "{beside}"
        );
    }
    for whole in [
        "<presence/>",
        "<presence type='unavailable'/>",
        "<presence><x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member'/></x></presence>",
    ] {
        assert_eq!(worth(&stanza(whole)), Worth::Presence, "{whole}");
    }
}

fn mail(from: &str, xml: &str) -> Mail {
    Arc::new(stanza(xml).from(crate::proto::Jid::parse(from).unwrap()))
}

fn typing(from: &str) -> Mail {
    let state = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    mail(from, &format!("<message>{state}</message>"))
}

/// The senders of what is given, with the first letter of the kind.
fn told(mail: impl IntoIterator<Item = Mail>) -> Vec<String> {
    let tell = |mail: &Mail| {
        let kind = match mail.kind {
            Kind::Message(_) => "message",
            Kind::Presence(PresenceType::Unavailable) => "unavailable",
            Kind::Presence(_) => "presence",
            Kind::Iq(_) => "iq",
        };
        format!("{kind} {}", mail.from.as_ref().unwrap())
    };
    mail.into_iter().map(|mail| tell(&mail)).collect()
}

#[test]
fn what_matters_takes_all_that_waits_along_in_order() {
    let (romeo, nurse) = ("romeo@localhost/orchard", "nurse@localhost/house");
    let mut held = Held::default();
    let quiet = [
        mail(romeo, "<presence/>"),
        typing(romeo),
        mail(nurse, "<presence/>"),
    ];
    assert!(held.sift(quiet.into()).is_empty());
    let loud = [
        mail(romeo, "<message><body>Hi</body></message>"),
        typing(nurse),
    ];
    assert_eq!(
        told(held.sift(loud.into())),
        [
            "presence romeo@localhost/orchard",
            "presence nurse@localhost/house",
            "message romeo@localhost/orchard",
        ]
    );
    assert_eq!(told(held.release()), ["message nurse@localhost/house"]);
    assert!(held.is_empty());
}

#[test]
fn of_each_sender_only_the_last_presence_stays_at_its_place_in_time() {
    let (orchard, street) = ("romeo@localhost/orchard", "romeo@localhost/street");
    let mut held = Held::default();
    let comings = [
        mail(orchard, "<presence/>"),
        mail(street, "<presence/>"),
        mail(orchard, "<presence><show>away</show></presence>"),
        mail(orchard, "<presence type='unavailable'/>"),
    ];
    assert!(held.sift(comings.into()).is_empty());
    assert_eq!(
        told(held.release()),
        [
            "presence romeo@localhost/street",
            "unavailable romeo@localhost/orchard",
        ]
    );
}

#[test]
fn of_what_somebody_was_doing_the_last_stays_until_the_words_come() {
    let (romeo, nurse) = ("romeo@localhost/orchard", "nurse@localhost/house");
    let mut held = Held::default();
    let busy = [typing(romeo), typing(nurse), typing(romeo), typing(romeo)];
    assert!(held.sift(busy.into()).is_empty());
    let said = mail(nurse, "<message><body>Peter!</body></message>");
    assert_eq!(
        told(held.sift([said].into())),
        [
            "message romeo@localhost/orchard",
            "message nurse@localhost/house"
        ]
    );
}

#[test]
fn what_waits_is_bounded_by_number_and_bytes() {
    let mut held = Held::default();
    let many = (0..=STANZAS_MAX).map(|number| typing(&format!("romeo@localhost/{number}")));
    assert_eq!(held.sift(many.collect()).len(), STANZAS_MAX + 1);
    assert!(held.is_empty());

    let status = "x".repeat(BYTES_MAX);
    let large = format!("<presence><status>{status}</status></presence>");
    let large = mail("romeo@localhost/orchard", &large);
    assert_eq!(held.sift([large].into()).len(), 1);
}
