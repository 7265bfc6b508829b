//! From a parsed element to a stanza: the rules of RFC 6120 §8 on what a peer may send.

use bytes::Bytes;
use compact_str::CompactString;

use crate::proto::error::{Condition, StanzaError};
use crate::proto::jid::{Jid, JidError};
use crate::proto::stanza::{IqType, Kind, MessageType, PresenceType, Stanza, ToEach};
use crate::xml::{Limits, Parsed, Scope, Tag, parse};

/// Bytes of an `id`, as of each part of an address (RFC 7622 §3.1): it is kept with what it
/// identifies, and said back.
pub const ID_BYTES_MAX: usize = 1_023;

/// Bytes of an `xml:lang`. RFC 5646 §4.4.1 sees no need for more than 35 in a language tag.
pub const LANG_BYTES_MAX: usize = 64;

/// Why an element is not taken as a stanza.
#[derive(Debug)]
pub enum ReadError {
    /// Neither message, presence nor iq in the content namespace: the stream is closed
    /// with `unsupported-stanza-type` (RFC 6120 §4.9.3.24).
    NotAStanza,
    /// `from` is no address: the stream is closed with `invalid-from` (RFC 6120 §4.9.3.9).
    From,
    /// A stanza that is refused; the stream goes on. The stanza has what could be read of
    /// its head: no `to` when that was malformed, no id or language when that was too long.
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
    let (kind, known) = kind(&tag).ok_or(ReadError::NotAStanza)?;
    let from = address(&tag, "from").map_err(|_| ReadError::From)?;
    let (id, lang) = (tag.attribute("id"), tag.lang());
    let id_fits = id.is_none_or(|id| id.len() <= ID_BYTES_MAX);
    let lang_fits = lang.is_none_or(|lang| lang.len() <= LANG_BYTES_MAX);
    let mut stanza = Stanza {
        kind,
        from,
        to: None,
        id: id.filter(|_| id_fits).map(CompactString::from),
        lang: lang.filter(|_| lang_fits).map(CompactString::from),
        payload: content,
        received_at: None,
        copies: None,
        archived: None,
        to_each: ToEach::No,
    };
    match address(&tag, "to") {
        Ok(to) => stanza.to = to,
        Err(error) => {
            let refusal = StanzaError::new(Condition::JidMalformed).text(error.to_string());
            return Err(ReadError::Refused(Box::new(stanza), refusal));
        }
    }
    let problem = if !id_fits {
        Some("the id is too long")
    } else if !lang_fits {
        Some("xml:lang is too long")
    } else if !known {
        Some("unknown type")
    } else {
        iq_problem(&stanza)
    };
    match problem {
        Some(text) => Err(ReadError::Refused(
            Box::new(stanza),
            StanzaError::bad_request(text),
        )),
        None => Ok(stanza),
    }
}

/// The language that a stream header gives to the stanzas without one (RFC 6120 §4.7.4). What
/// is too long for a language tag is as none: the stream need not end over it.
#[must_use]
pub fn stream_lang(header: &Tag) -> Option<CompactString> {
    let lang = header.lang().filter(|lang| lang.len() <= LANG_BYTES_MAX);
    lang.map(CompactString::from)
}

/// Reads a stanza that the server itself stored; `None` when the bytes are none.
#[must_use]
pub fn stored(bytes: Bytes) -> Option<Stanza> {
    let parsed = parse(bytes, &Scope::default(), &Limits::STORED).ok()?;
    stanza(parsed, crate::proto::ns::CLIENT).ok()
}

/// The kind of a stanza, and whether its type is one of the standard's.
fn kind(tag: &Tag) -> Option<(Kind, bool)> {
    let type_name = tag.attribute("type");
    Some(match tag.name() {
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
        _ => return None,
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::ns;

    fn read(text: &str) -> Result<Stanza, ReadError> {
        let scope = Scope::with_default(ns::CLIENT);
        let parsed = parse(text.to_owned().into(), &scope, &Limits::default()).unwrap();
        stanza(parsed, ns::CLIENT)
    }

    #[test]
    fn what_was_taken_under_wide_limits_is_read_back() {
        let depth = 200;
        let inside = format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        let attributes = (0..100).map(|number| format!(" a{number}=''"));
        let attributes = attributes.collect::<String>();
        let text = format!("<message xmlns='jabber:client'><b{attributes}/>{inside}</message>");
        let limits = Limits {
            depth_max: 256,
            attributes_max: 128,
            ..Limits::default()
        };
        let parsed = parse(text.into(), &Scope::default(), &limits).unwrap();
        let taken = stanza(parsed, ns::CLIENT).unwrap();
        let again = stored(taken.to_document().into()).unwrap();
        assert_eq!(again.payload, taken.payload);
    }

    #[test]
    fn an_id_and_a_language_have_a_length() {
        for (name, bytes_max) in [("id", 1_023), ("xml:lang", 64)] {
            let head = |bytes: usize| {
                let value = "x".repeat(bytes);
                read(&format!("<message {name}='{value}'><body/></message>"))
            };
            assert!(head(bytes_max).is_ok(), "{name}");
            let Err(ReadError::Refused(stanza, error)) = head(bytes_max + 1) else {
                panic!("{name} of any length");
            };
            assert_eq!(error.condition, Condition::BadRequest, "{name}");
            // The answer does not say it back.
            assert_eq!((stanza.id, stanza.lang), (None, None), "{name}");
        }
    }

    #[test]
    fn a_stream_gives_no_language_that_a_stanza_could_not_have() {
        let given = |bytes: usize| {
            let header = format!("<stream xml:lang='{}'/>", "x".repeat(bytes));
            let header = parse(header.into(), &Scope::default(), &Limits::default()).unwrap();
            stream_lang(&header.tag).map(|lang| lang.len())
        };
        assert_eq!(given(64), Some(64));
        assert_eq!(given(65), None);
    }

    #[test]
    fn a_stanza_weighs_what_it_is_written_with() {
        let (id, lang, local) = ("i".repeat(1_000), "l".repeat(60), "j".repeat(900));
        let text = format!(
            "<message from='{local}@a/r' to='{local}@b/{local}' id='{id}' xml:lang='{lang}'><body/></message>"
        );
        let stanza = read(&text).unwrap();
        assert!(stanza.weight() >= text.len());
        // Each child has a place in the index beside its bytes.
        let many = read(&format!("<message>{}</message>", "<a/>".repeat(1_000))).unwrap();
        assert!(many.weight() >= 36_000);
    }
}
