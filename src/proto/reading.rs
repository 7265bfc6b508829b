//! From a parsed element to a stanza: the rules of RFC 6120 §8 on what a peer may send.

use bytes::Bytes;
use compact_str::CompactString;

use crate::proto::error::{Condition, StanzaError};
use crate::proto::jid::{Jid, JidError};
use crate::proto::stanza::{IqType, Kind, MessageType, PresenceType, Stanza};
use crate::xml::{Limits, Parsed, Scope, Tag, parse};

/// Why an element is not taken as a stanza.
#[derive(Debug)]
pub enum ReadError {
    /// Neither message, presence nor iq in the content namespace: the stream is closed
    /// with `unsupported-stanza-type` (RFC 6120 §4.9.3.24).
    NotAStanza,
    /// `from` is no address: the stream is closed with `invalid-from` (RFC 6120 §4.9.3.9).
    From,
    /// A stanza that is refused; the stream goes on. The stanza has what could be read of
    /// its head, and no `to` when that was malformed.
    Refused(Box<Stanza>, StanzaError),
}

/// Makes a stanza of an element in the namespace `content_ns`.
///
/// # Errors
/// [`ReadError`] tells whether the stream must end or only this stanza is refused.
pub fn stanza(parsed: Parsed, content_ns: &str) -> Result<Stanza, ReadError> {
    let Parsed { tag, content, .. } = parsed;
    if tag.ns() != content_ns {
        return Err(ReadError::NotAStanza);
    }
    let type_name = tag.attribute("type");
    let (kind, known) = match tag.name() {
        "message" => (Kind::Message(MessageType::from_name(type_name)), true),
        "presence" => {
            let kind = PresenceType::from_name(type_name);
            let shown = kind.unwrap_or(PresenceType::Available);
            (Kind::Presence(shown), kind.is_some())
        }
        "iq" => {
            let kind = IqType::from_name(type_name);
            (Kind::Iq(kind.unwrap_or(IqType::Get)), kind.is_some())
        }
        _ => return Err(ReadError::NotAStanza),
    };
    let from = address(&tag, "from").map_err(|_| ReadError::From)?;
    let mut stanza = Stanza {
        kind,
        from,
        to: None,
        id: tag.attribute("id").map(CompactString::from),
        lang: tag.lang().map(CompactString::from),
        payload: content,
        received_at: None,
        copies: None,
    };
    match address(&tag, "to") {
        Ok(to) => stanza.to = to,
        Err(error) => {
            let refusal = StanzaError::new(Condition::JidMalformed).text(error.to_string());
            return Err(ReadError::Refused(Box::new(stanza), refusal));
        }
    }
    let problem = if known {
        iq_problem(&stanza)
    } else {
        Some("unknown type")
    };
    match problem {
        Some(text) => Err(ReadError::Refused(
            Box::new(stanza),
            StanzaError::bad_request(text),
        )),
        None => Ok(stanza),
    }
}

/// Reads a stanza that the server itself stored; `None` when the bytes are none.
#[must_use]
pub fn stored(bytes: Bytes) -> Option<Stanza> {
    let limits = Limits {
        stanza_bytes_max: usize::MAX,
        ..Limits::default()
    };
    let parsed = parse(bytes, &Scope::default(), &limits).ok()?;
    stanza(parsed, crate::proto::ns::CLIENT).ok()
}

fn address(tag: &Tag, name: &str) -> Result<Option<Jid>, JidError> {
    tag.attribute(name).map(Jid::parse).transpose()
}

/// RFC 6120 §8.2.3: an IQ has an id; a request has exactly one child, an answer at most
/// one beside the error.
fn iq_problem(stanza: &Stanza) -> Option<&'static str> {
    let Kind::Iq(kind) = stanza.kind else {
        return None;
    };
    if stanza.id.is_none() {
        return Some("an iq needs an id");
    }
    let children = stanza.payload.iter().count();
    match kind {
        IqType::Get | IqType::Set if children != 1 => Some("a request has exactly one child"),
        IqType::Result if children > 1 => Some("a result has at most one child"),
        IqType::Get | IqType::Set | IqType::Result | IqType::Error => None,
    }
}
