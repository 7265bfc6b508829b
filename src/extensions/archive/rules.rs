//! Which messages an account's archive keeps (XEP-0313 §5.1.1): those that say something, and those
//! that change what another said. Not who is typing.

use crate::extensions::hints::Hint;
use crate::proto::{Kind, MessageType, Stanza, ns};
use crate::xml::Child;

/// Whether the message belongs into the archives of those who exchange it.
pub(crate) fn is_kept(stanza: &Stanza) -> bool {
    let Kind::Message(kind) = stanza.kind else {
        return false;
    };
    if Hint::NoStore.is_on(stanza) || Hint::NoPermanentStore.is_on(stanza) {
        return false;
    }
    match kind {
        MessageType::Chat | MessageType::Normal => says_something(stanza),
        MessageType::Headline => Hint::Store.is_on(stanza),
        MessageType::Groupchat | MessageType::Error => false,
    }
}

/// Whether it has content that matters, or is to be kept although it does not look like it.
pub(crate) fn says_something(stanza: &Stanza) -> bool {
    Hint::Store.is_on(stanza) || stanza.payload.iter().any(|child| matters(&child))
}

/// Payloads that matter, by namespace; without names all of its elements.
const CONTENT: &[(&str, &[&str])] = &[
    (ns::RECEIPTS, &["received"]),
    (ns::CHAT_MARKERS, &["received", "displayed", "acknowledged"]),
    (ns::CONFERENCE, &["x"]),
    // XEP-0308, XEP-0424, XEP-0444, XEP-0422: what changes an earlier message.
    ("urn:xmpp:message-correct:0", &["replace"]),
    ("urn:xmpp:message-retract:0", &["retract"]),
    ("urn:xmpp:message-retract:1", &["retract"]),
    ("urn:xmpp:reactions:0", &["reactions"]),
    ("urn:xmpp:fasten:0", &["apply-to"]),
    // XEP-0384, XEP-0373, XEP-0027: what is for the recipient's eyes only.
    ("eu.siacs.conversations.axolotl", &["encrypted"]),
    ("urn:xmpp:omemo:1", &["encrypted"]),
    ("urn:xmpp:omemo:2", &["encrypted"]),
    ("urn:xmpp:openpgp:0", &["openpgp"]),
    ("jabber:x:encrypted", &["x"]),
    // XEP-0066, XEP-0447: files.
    ("jabber:x:oob", &["x"]),
    ("urn:xmpp:sfs:0", &["file-sharing", "sources"]),
    // XEP-0353 §3: a call; that it rings is over when it is read.
    (
        "urn:xmpp:jingle-message:0",
        &[
            "propose", "accept", "proceed", "reject", "retract", "finish",
        ],
    ),
    // XEP-0482.
    ("urn:xmpp:call-invites:0", &[]),
];

fn matters(child: &Child<'_>) -> bool {
    let Some(namespace) = child.ns() else {
        return matches!(child.name(), "body" | "subject");
    };
    if namespace == ns::MUC_USER {
        return is_invitation(child);
    }
    let mut known = CONTENT.iter().filter(|(content, _)| *content == namespace);
    known.any(|(_, names)| names.is_empty() || names.contains(&child.name()))
}

/// XEP-0045 §7.8.2: an invitation through the room, or that it was declined.
pub(crate) fn is_invitation(child: &Child<'_>) -> bool {
    child.is(Some(ns::MUC_USER), "x")
        && child.to_element(ns::CLIENT).is_ok_and(|x| {
            let invites = |name| x.find(ns::MUC_USER, name).is_some();
            invites("invite") || invites("decline")
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::reading;

    fn kept(kind: &str, inside: &str) -> bool {
        let kind = match kind {
            "normal" => String::new(),
            kind => format!(" type='{kind}'"),
        };
        let message = format!("<message xmlns='jabber:client'{kind}>{inside}</message>");
        is_kept(&reading::stored(message.into()).unwrap())
    }

    /// A type, what is inside, and whether it is kept.
    const CASES: &[(&str, &str, bool)] = &[
        ("chat", "<body>Hi</body>", true),
        ("normal", "<body>Hi</body>", true),
        ("normal", "<subject>Hi</subject>", true),
        ("headline", "<body>Hi</body>", false),
        ("groupchat", "<body>Hi</body>", false),
        ("error", "<body>Hi</body>", false),
        ("chat", "", false),
        ("chat", "<thread>t</thread>", false),
        (
            "chat",
            "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
            false,
        ),
        ("chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", true),
        ("chat", "<request xmlns='urn:xmpp:receipts'/>", false),
        (
            "chat",
            "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
            true,
        ),
        ("chat", "<markable xmlns='urn:xmpp:chat-markers:0'/>", false),
        (
            "chat",
            "<replace xmlns='urn:xmpp:message-correct:0' id='1'/>",
            true,
        ),
        (
            "normal",
            "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>",
            true,
        ),
        (
            "chat",
            "<reactions xmlns='urn:xmpp:reactions:0' id='1'/>",
            true,
        ),
        (
            "chat",
            "<encrypted xmlns='eu.siacs.conversations.axolotl'/>",
            true,
        ),
        ("chat", "<encrypted xmlns='urn:xmpp:omemo:2'/>", true),
        (
            "chat",
            "<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>",
            true,
        ),
        (
            "chat",
            "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/>",
            true,
        ),
        (
            "chat",
            "<finish xmlns='urn:xmpp:jingle-message:0' id='1'/>",
            true,
        ),
        (
            "chat",
            "<ringing xmlns='urn:xmpp:jingle-message:0' id='1'/>",
            false,
        ),
        (
            "chat",
            "<invite xmlns='urn:xmpp:call-invites:0' video='true'/>",
            true,
        ),
        (
            "chat",
            "<left xmlns='urn:xmpp:call-invites:0' id='1'/>",
            true,
        ),
        ("normal", "<x xmlns='jabber:x:conference' jid='a@b'/>", true),
        (
            "normal",
            "<x xmlns='http://jabber.org/protocol/muc#user'><invite from='a@b'/></x>",
            true,
        ),
        (
            "chat",
            "<x xmlns='http://jabber.org/protocol/muc#user'/>",
            false,
        ),
        (
            "normal",
            "<event xmlns='http://jabber.org/protocol/pubsub#event'/>",
            false,
        ),
        ("normal", "<x xmlns='jabber:x:data' type='form'/>", false),
        ("chat", "<body xmlns='urn:example'>Hi</body>", false),
        (
            "chat",
            "<other xmlns='urn:example'/><store xmlns='urn:xmpp:hints'/>",
            true,
        ),
    ];

    #[test]
    fn messages_that_say_something_are_kept_xep_0313_section_5_1_1() {
        for (kind, inside, expected) in CASES {
            assert_eq!(kept(kind, inside), *expected, "{kind} {inside}");
        }
    }

    #[test]
    fn hints_say_what_is_kept_xep_0334_section_4() {
        let hint = |name: &str| format!("<body>Hi</body><{name} xmlns='urn:xmpp:hints'/>");
        for (kind, inside, expected) in [
            ("chat", &hint("no-store"), false),
            ("chat", &hint("no-permanent-store"), false),
            ("chat", &hint("no-copy"), true),
            ("headline", &hint("store"), true),
            ("groupchat", &hint("store"), false),
            ("error", &hint("store"), false),
            (
                "chat",
                &format!("{}<store xmlns='urn:xmpp:hints'/>", hint("no-store")),
                false,
            ),
        ] {
            assert_eq!(kept(kind, inside), expected, "{kind} {inside}");
        }
    }
}
