//! Which messages are copied, and who gets them without a copy (XEP-0280 §6.1, §7).

use std::sync::Arc;

use crate::extensions::archive::rules::is_invitation;
use crate::extensions::hints::Hint;
use crate::hooks::Session;
use crate::proto::{Kind, MessageType, Stanza, ns};

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Sent,
    Received,
}

/// §6.1, errors apart: what they answer decides about them.
pub(super) fn is_eligible(stanza: &Stanza, way: Way) -> bool {
    let Kind::Message(kind) = stanza.kind else {
        return false;
    };
    // §9: only for its recipient.
    if stanza.has(ns::CARBONS, "private") || Hint::NoCopy.is_on(stanza) {
        return false;
    }
    let invitation = stanza.payload.iter().any(|child| is_invitation(&child));
    // The room sends it to each client that is in it.
    let private_in_room = stanza.has(ns::MUC_USER, "x") && !invitation;
    let from_occupant = stanza.from.as_ref().is_some_and(|from| !from.is_bare());
    if way == Way::Received && private_in_room && from_occupant {
        return false;
    }
    match kind {
        MessageType::Groupchat | MessageType::Error => false,
        MessageType::Chat => true,
        MessageType::Normal if stanza.has(ns::CLIENT, "body") => true,
        MessageType::Normal | MessageType::Headline => {
            invitation
                || stanza.payload.iter().any(|child| {
                    matches!(
                        child.ns(),
                        Some(ns::RECEIPTS | ns::CHAT_STATES | ns::CHAT_MARKERS | ns::CONFERENCE)
                    )
                })
        }
    }
}

/// The sessions that the message itself is delivered to (RFC 6121 §8.5); `None` when it is refused or
/// dropped.
pub(super) fn takers(stanza: &Stanza, sessions: &[Arc<Session>]) -> Option<Vec<*const Session>> {
    let Kind::Message(kind) = stanza.kind else {
        return None;
    };
    let resource = stanza.to.as_ref().and_then(|to| to.resource());
    let exact = resource.and_then(|resource| {
        let mut sessions = sessions.iter();
        sessions.find(|session| session.resource() == resource)
    });
    if let Some(exact) = exact {
        return Some(vec![Arc::as_ptr(exact)]);
    }
    let all = || {
        let takes = |session: &&Arc<Session>| session.priority().is_some_and(|it| it >= 0);
        sessions.iter().filter(takes).map(Arc::as_ptr).collect()
    };
    match kind {
        MessageType::Chat => Some(all()),
        MessageType::Normal | MessageType::Headline if resource.is_none() => Some(all()),
        MessageType::Normal
        | MessageType::Headline
        | MessageType::Groupchat
        | MessageType::Error => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::reading;

    #[test]
    fn messages_are_copied_as_xep_0280_section_6_1_says() {
        use Way::{Received, Sent};
        let room = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
        let invited = "<x xmlns='http://jabber.org/protocol/muc#user'><invite/></x>";
        let (private, no_copy) = (
            "<body/><private xmlns='urn:xmpp:carbons:2'/>",
            "<body/><no-copy xmlns='urn:xmpp:hints'/>",
        );
        for (kind, inside, way, expected) in [
            ("chat", "<body/>", Sent, true),
            ("chat", "", Received, true),
            (
                "chat",
                "<composing xmlns='http://jabber.org/protocol/chatstates'/>",
                Sent,
                true,
            ),
            ("normal", "<body/>", Received, true),
            ("normal", "", Received, false),
            (
                "normal",
                "<event xmlns='http://jabber.org/protocol/pubsub#event'/>",
                Received,
                false,
            ),
            (
                "normal",
                "<received xmlns='urn:xmpp:receipts' id='1'/>",
                Received,
                true,
            ),
            (
                "normal",
                "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>",
                Sent,
                true,
            ),
            (
                "normal",
                "<x xmlns='jabber:x:conference' jid='a@b'/>",
                Received,
                true,
            ),
            ("normal", invited, Received, true),
            ("headline", "<body/>", Received, false),
            ("groupchat", "<body/>", Sent, false),
            ("groupchat", "<body/>", Received, false),
            ("error", "<body/>", Received, false),
            ("chat", private, Sent, false),
            ("chat", private, Received, false),
            ("chat", no_copy, Sent, false),
            ("chat", no_copy, Received, false),
            ("chat", &format!("<body/>{room}"), Sent, true),
            ("chat", &format!("<body/>{room}"), Received, false),
        ] {
            let message = format!(
                "<message xmlns='jabber:client' type='{kind}' from='room@b/nick'>{inside}</message>"
            );
            let stanza = reading::stored(message.into()).unwrap();
            assert_eq!(
                is_eligible(&stanza, way),
                expected,
                "{way:?} {kind} {inside}"
            );
        }
    }
}
