//! Why no stream to another server comes about, or why one ends: for the log and for whoever sent something.

use crate::clock::Timestamp;
use crate::hooks::PeerFailure;
use crate::net::dns::DnsError;
use crate::proto::{Condition, StanzaError, StreamError, ns};
use crate::xml::Element;

/// Where it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Looking the domain up.
    Dns,
    /// Connecting.
    Connect,
    /// Asking for TLS, and its handshake.
    Tls,
    /// What the certificate says.
    Certificate,
    /// SASL (XEP-0178).
    Sasl,
    /// Dialback (XEP-0220).
    Dialback,
    /// The stream itself: its header, its features, an error in it.
    Stream,
    /// After it was established.
    Established,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Sasl => "sasl",
            Self::Dialback => "dialback",
            Self::Stream => "stream",
            Self::Established => "established",
        }
    }
}

/// How much of a reason is kept, in characters: some of it is what the other server said.
const REASON_MAX: usize = 300;

/// Something that went wrong with another server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", step.name())]
pub(super) struct Failure {
    /// Where.
    pub(super) step: Step,
    /// What, for a person who operates the server.
    pub(super) reason: String,
    /// What those are told whose stanzas come back: `remote-server-not-found` where waiting does not help,
    /// `remote-server-timeout` where it may (RFC 6120 §8.3.3.16 and §8.3.3.17).
    pub(super) condition: Condition,
}

impl Failure {
    /// One that may be over when it is tried again.
    pub(super) fn passing(step: Step, reason: impl Into<String>) -> Self {
        Self {
            step,
            reason: printable(&reason.into()),
            condition: Condition::RemoteServerTimeout,
        }
    }

    /// One that stays until somebody does something about it.
    pub(super) fn lasting(step: Step, reason: impl Into<String>) -> Self {
        Self {
            condition: Condition::RemoteServerNotFound,
            ..Self::passing(step, reason)
        }
    }

    /// What the other server said when it closed the stream (RFC 6120 §4.9).
    pub(super) fn told(step: Step, error: &Element) -> Self {
        let condition = error
            .children()
            .find(|child| child.ns() == ns::STREAM_ERRORS && child.name() != "text")
            .map_or("undefined-condition", Element::name);
        let reason = match error.child_text(ns::STREAM_ERRORS, "text") {
            Some(text) => format!("the other server closed the stream: {condition} ({text})"),
            None => format!("the other server closed the stream: {condition}"),
        };
        match condition {
            "host-unknown" | "host-gone" => Self::lasting(step, reason),
            _ => Self::passing(step, reason),
        }
    }

    /// What we told the other server when we closed the stream.
    pub(super) fn ours(step: Step, error: &StreamError) -> Self {
        let condition = error.condition.name();
        let reason = match error.text {
            Some(text) => format!("we closed the stream: {condition} ({text})"),
            None => format!("we closed the stream: {condition}"),
        };
        Self::passing(step, reason)
    }

    /// What the sender of a stanza is told: the step, but not what only concerns operators.
    pub(super) fn to_stanza_error(&self) -> StanzaError {
        StanzaError::new(self.condition).text(match self.step {
            Step::Dns => "there is no server for this domain, or it cannot be looked up",
            Step::Connect => "the server of this domain cannot be reached",
            Step::Tls => "the connection to the server of this domain cannot be encrypted",
            Step::Certificate => "the certificate of the server of this domain is not valid",
            Step::Sasl | Step::Dialback | Step::Stream => {
                "the server of this domain does not take our connection"
            }
            Step::Established => "the connection to the server of this domain broke",
        })
    }

    /// For the list that operators read.
    pub(super) fn to_peer_failure(&self, at: Timestamp) -> PeerFailure {
        PeerFailure {
            at,
            step: self.step.name(),
            reason: self.reason.clone(),
        }
    }
}

/// One line that is not too long for a log, whatever the other server has said.
fn printable(reason: &str) -> String {
    let plain = reason
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it });
    let mut kept: String = plain.clone().take(REASON_MAX).collect();
    if plain.count() > REASON_MAX {
        kept.pop();
        kept.push('…');
    }
    kept
}

impl From<DnsError> for Failure {
    fn from(error: DnsError) -> Self {
        let reason = error.to_string();
        match error {
            DnsError::BadName(_) => Self::lasting(Step::Dns, reason),
            DnsError::Configuration(_) | DnsError::TimedOut { .. } | DnsError::Failed { .. } => {
                Self::passing(Step::Dns, reason)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::StreamCondition;

    #[test]
    fn what_the_other_server_says_decides_whether_waiting_helps() {
        for (condition, expected) in [
            (
                StreamCondition::HostUnknown,
                Condition::RemoteServerNotFound,
            ),
            (
                StreamCondition::SystemShutdown,
                Condition::RemoteServerTimeout,
            ),
        ] {
            let error = StreamError::new(condition).text("why");
            let failure = Failure::told(Step::Stream, &error.to_element());
            assert_eq!(failure.condition, expected);
            let said = failure.to_string();
            assert!(said.contains(condition.name()) && said.contains("why"));
        }
    }

    #[test]
    fn what_the_other_server_says_does_not_fill_the_log() {
        let text = |text: String| {
            let condition = Element::new(ns::STREAM_ERRORS, "policy-violation");
            Element::new(ns::STREAMS, "error")
                .child(condition)
                .child(Element::new(ns::STREAM_ERRORS, "text").text(text))
        };
        let lines = Failure::told(Step::Stream, &text("one\n\u{9b}two\tthree".to_owned()));
        assert!(lines.reason.ends_with("(one  two three)"), "{lines}");
        let long = Failure::told(Step::Stream, &text("ü".repeat(500_000)));
        assert_eq!(long.reason.chars().count(), REASON_MAX);
        assert!(long.reason.ends_with("ü…"));
        let name = "x".repeat(500_000);
        let named =
            Element::new(ns::STREAMS, "error").child(Element::new(ns::STREAM_ERRORS, &name));
        let named = Failure::told(Step::Stream, &named);
        assert_eq!(named.reason.chars().count(), REASON_MAX);
    }
}
