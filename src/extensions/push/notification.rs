//! Which messages are worth waking a device, and what its push service is told (XEP-0357 §7): pure.

use crate::config::Push;
use crate::extensions::call_invites;
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::{IqType, Kind, MessageType, Stanza, ns};
use crate::store::PushRegistration;
use crate::xml::{Element, Limits, document};

use super::PUSH;

/// XEP-0357 §7.
const SUMMARY: &str = "urn:xmpp:push:summary";

/// What stands for a body that the server cannot read: XEP-0380, XEP-0384 old and new, XEP-0027, XEP-0373.
const ENCRYPTED: [(&str, &str); 5] = [
    ("urn:xmpp:eme:0", "encryption"),
    ("eu.siacs.conversations.axolotl", "encrypted"),
    ("urn:xmpp:omemo:2", "encrypted"),
    ("jabber:x:encrypted", "x"),
    ("urn:xmpp:openpgp:0", "openpgp"),
];

/// Whether the device is to be woken: for words, encrypted or not, invitations, and calls that begin. Not for
/// chat states, receipts, markers, events and what else programs tell each other.
pub(super) fn is_worth(stanza: &Stanza) -> bool {
    match stanza.kind {
        Kind::Message(MessageType::Chat | MessageType::Normal | MessageType::Groupchat) => {
            stanza.has(ns::CLIENT, "body")
                || is_encrypted(stanza)
                || stanza.has(ns::CONFERENCE, "x")
                || call_invites::rings(stanza)
        }
        Kind::Message(MessageType::Error | MessageType::Headline)
        | Kind::Presence(_)
        | Kind::Iq(_) => false,
    }
}

fn is_encrypted(stanza: &Stanza) -> bool {
    ENCRYPTED.iter().any(|(ns, name)| stanza.has(ns, name))
}

/// The request that publishes it; without addresses.
///
/// ```xml
/// <iq type='set' id='…'><pubsub xmlns='http://jabber.org/protocol/pubsub'>
///   <publish node='…'><item><notification xmlns='urn:xmpp:push:0'>
///     <x xmlns='jabber:x:data' type='form'>…</x></notification></item></publish>
///   <publish-options>…</publish-options>
/// </pubsub></iq>
/// ```
pub(super) fn publish(
    id: &str,
    registration: &PushRegistration,
    message: &Stanza,
    count: u64,
    config: &Push,
) -> Stanza {
    let notification = Element::new(PUSH, "notification");
    let notification = notification.child(summary(message, count, config).to_element());
    let publish = Element::new(ns::PUBSUB, "publish")
        .attr_opt("node", Some(&registration.node).filter(|it| !it.is_empty()))
        .child(Element::new(ns::PUBSUB, "item").child(notification));
    let options = registration.options.as_deref();
    let options = options.and_then(|bytes| document(bytes, &Limits::default()).ok());
    let options = options.map(|form| Element::new(ns::PUBSUB, "publish-options").child(form));
    let pubsub = Element::new(ns::PUBSUB, "pubsub")
        .child(publish)
        .child_opt(options);
    Stanza::iq(IqType::Set, id).child(&pubsub)
}

fn summary(message: &Stanza, count: u64, config: &Push) -> Form {
    let field = |var, value: String| Field::new(var, FieldType::TextSingle).value(value);
    let mut form = Form::new(FormType::Form)
        .form_type(SUMMARY)
        .field(field("message-count", count.to_string()));
    if let Some(from) = message.from.as_ref().filter(|_| config.include_sender) {
        let sender = Field::new("last-message-sender", FieldType::JidSingle);
        form = form.field(sender.value(from.to_string()));
    }
    let body = message.find(ns::CLIENT, "body");
    // Beside an encrypted text stands only that it is one.
    if let Some(body) = body.filter(|_| config.include_body && !is_encrypted(message)) {
        let text: String = body.text().chars().take(BODY_CHARACTERS_MAX).collect();
        form = form.field(field("last-message-body", text));
    }
    form
}

/// More is not shown on a locked screen.
const BODY_CHARACTERS_MAX: usize = 250;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::extensions::testing::written;
    use crate::proto::Jid;

    fn message(kind: MessageType, children: &[(&str, &str)]) -> Stanza {
        let from = Jid::parse("romeo@localhost/orchard").unwrap();
        let message = Stanza::message(kind).from(from);
        children.iter().fold(message, |message, (ns, name)| {
            message.child(&Element::new(ns, name).text("words"))
        })
    }

    #[test]
    fn a_device_is_woken_for_words_and_calls_only() {
        use MessageType::{Chat, Error, Groupchat, Headline, Normal};
        let body = (ns::CLIENT, "body");
        for (kind, children, expected) in [
            (Chat, &[body][..], true),
            (Normal, &[body], true),
            (Groupchat, &[body], true),
            (Headline, &[body], false),
            (Error, &[body], false),
            (Chat, &[(ns::CHAT_STATES, "composing")], false),
            (Chat, &[(ns::RECEIPTS, "received")], false),
            (Chat, &[(ns::CHAT_MARKERS, "displayed")], false),
            (Groupchat, &[(ns::CLIENT, "subject")], false),
            (Chat, &[("urn:xmpp:omemo:2", "encrypted")], true),
            (Chat, &[("urn:xmpp:jingle-message:0", "propose")], true),
            (Chat, &[("urn:xmpp:jingle-message:0", "retract")], false),
            (Chat, &[("urn:xmpp:jingle-message:0", "finish")], false),
            (Chat, &[("urn:xmpp:call-invites:0", "invite")], true),
            (Chat, &[("urn:xmpp:call-invites:0", "left")], false),
            (Normal, &[(ns::CONFERENCE, "x")], true),
        ] {
            let message = message(kind, children);
            assert_eq!(is_worth(&message), expected, "{}", written(&message));
        }
    }

    fn registration() -> PushRegistration {
        let options = "<x xmlns='jabber:x:data' type='submit'><field var='secret'>\
                       <value>s</value></field></x>";
        PushRegistration {
            service: Jid::parse("push.example").unwrap(),
            node: "n".to_owned(),
            resource: "r".to_owned(),
            options: Some(options.as_bytes().to_vec()),
            failures: 0,
            enabled_at: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn a_notification_says_no_more_than_the_operator_allows() {
        let plain = message(MessageType::Chat, &[(ns::CLIENT, "body")]);
        let encrypted = message(
            MessageType::Chat,
            &[(ns::CLIENT, "body"), ("urn:xmpp:eme:0", "encryption")],
        );
        for (message, include, sender, body) in [
            (&plain, false, false, false),
            (&plain, true, true, true),
            (&encrypted, true, true, false),
        ] {
            let config = Push {
                include_sender: include,
                include_body: include,
                ..Push::default()
            };
            let published = written(&publish("i", &registration(), message, 3, &config));
            assert!(published.contains("<value>3</value>"), "{published}");
            assert!(published.contains("<value>s</value>"), "{published}");
            assert_eq!(published.contains("romeo@"), sender, "{published}");
            assert_eq!(published.contains("words"), body, "{published}");
        }
    }
}
