//! Which sessions take a stanza that is addressed to a local account (RFC 6121 §8.5).
//!
//! Pure: the table of §8.5.4 as a function.

use crate::proto::{Condition, MessageType, PresenceType};

/// What becomes of a stanza.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// To the session whose resource is named in `to`.
    Exact,
    /// To every available session whose priority is not negative.
    NonNegative,
    /// To every available session.
    Available,
    /// To nobody now: offered to what keeps messages for later.
    Undelivered,
    /// Back to the sender.
    Bounce(Condition),
    /// Nowhere, without a word.
    Drop,
}

/// What is known of the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Whether `to` names a resource.
    pub names_resource: bool,
    /// Whether a session with that resource is connected.
    pub connected: bool,
    /// Whether any session is available with a priority that is not negative.
    pub any_non_negative: bool,
}

/// Decides about a message.
#[must_use]
pub const fn message(kind: MessageType, recipient: Recipient) -> Decision {
    if recipient.names_resource && recipient.connected {
        return Decision::Exact;
    }
    match (kind, recipient.names_resource) {
        // §8.5.3.2.1: as if it were addressed to the bare JID.
        (MessageType::Chat, _) | (MessageType::Normal, false) => {
            if recipient.any_non_negative {
                Decision::NonNegative
            } else {
                Decision::Undelivered
            }
        }
        (MessageType::Headline, false) => {
            if recipient.any_non_negative {
                Decision::NonNegative
            } else {
                Decision::Drop
            }
        }
        (MessageType::Normal, true) | (MessageType::Groupchat, _) => {
            Decision::Bounce(Condition::ServiceUnavailable)
        }
        (MessageType::Headline, true) | (MessageType::Error, _) => Decision::Drop,
    }
}

/// Decides about a presence that is not a subscription nor a probe: those never reach a
/// session by this way.
#[must_use]
pub const fn presence(kind: PresenceType, recipient: Recipient) -> Decision {
    if recipient.names_resource {
        return if recipient.connected {
            Decision::Exact
        } else {
            Decision::Drop
        };
    }
    match kind {
        PresenceType::Available | PresenceType::Unavailable => Decision::Available,
        PresenceType::Subscribe
        | PresenceType::Subscribed
        | PresenceType::Unsubscribe
        | PresenceType::Unsubscribed => Decision::Available,
        PresenceType::Error | PresenceType::Probe => Decision::Drop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn recipient(names_resource: bool, connected: bool, any_non_negative: bool) -> Recipient {
        Recipient {
            names_resource,
            connected,
            any_non_negative,
        }
    }

    #[test]
    fn messages_follow_the_table_of_rfc_6121_section_8_5_4() {
        use Decision::{Bounce, Drop, Exact, NonNegative, Undelivered};
        use MessageType::{Chat, Error, Groupchat, Headline, Normal};
        let refused = Bounce(Condition::ServiceUnavailable);
        for (kind, to, expected) in [
            // Bare JID, nobody who could take it.
            (Normal, recipient(false, false, false), Undelivered),
            (Chat, recipient(false, false, false), Undelivered),
            (Groupchat, recipient(false, false, false), refused),
            (Headline, recipient(false, false, false), Drop),
            (Error, recipient(false, false, false), Drop),
            // Bare JID, somebody available.
            (Normal, recipient(false, false, true), NonNegative),
            (Chat, recipient(false, false, true), NonNegative),
            (Groupchat, recipient(false, false, true), refused),
            (Headline, recipient(false, false, true), NonNegative),
            (Error, recipient(false, false, true), Drop),
            // Full JID that is connected, also with negative priority.
            (Normal, recipient(true, true, false), Exact),
            (Chat, recipient(true, true, false), Exact),
            (Groupchat, recipient(true, true, true), Exact),
            (Headline, recipient(true, true, false), Exact),
            (Error, recipient(true, true, false), Exact),
            // Full JID that is gone.
            (Normal, recipient(true, false, true), refused),
            (Chat, recipient(true, false, true), NonNegative),
            (Chat, recipient(true, false, false), Undelivered),
            (Groupchat, recipient(true, false, true), refused),
            (Headline, recipient(true, false, true), Drop),
            (Error, recipient(true, false, true), Drop),
        ] {
            assert_eq!(message(kind, to), expected, "{kind:?} {to:?}");
        }
    }

    #[test]
    fn presence_for_a_gone_resource_is_dropped() {
        let gone = recipient(true, false, true);
        assert_eq!(presence(PresenceType::Available, gone), Decision::Drop);
        let bare = recipient(false, false, true);
        assert_eq!(
            presence(PresenceType::Unavailable, bare),
            Decision::Available
        );
        assert_eq!(presence(PresenceType::Error, bare), Decision::Drop);
    }
}
