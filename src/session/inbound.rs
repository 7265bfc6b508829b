//! What a bound session may send: the checks of RFC 6120 §4.9.3 and §8.1 on each element.

use std::sync::Arc;

use bytes::Bytes;
use compact_str::CompactString;

use crate::hooks::{Mail, Session, refusal};
use crate::proto::reading::{self, ReadError};
use crate::proto::{Condition, Stanza, StanzaError, StreamCondition, StreamError, ns};
use crate::xml::{Limits, Parsed, Scope, parse};

/// What a bound session was sent.
#[derive(Debug)]
pub(super) enum Inbound {
    /// For the router.
    Stanza(Mail),
    /// For the session itself: an element in another namespace than the stanzas'.
    Nonza(Box<Parsed>),
}

/// Why an element is not taken.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The stream ends.
    Fatal(StreamError),
    /// The stanza is refused, with an answer where one is allowed; the stream goes on.
    Refused(Option<Box<Stanza>>),
}

/// Reads one element; a stanza is of this session then, with `from` stamped and the stream's
/// language where it has none (RFC 6120 §8.1.5).
pub(super) fn read(
    bytes: Bytes,
    scope: &Scope,
    lang: Option<&CompactString>,
    limits: &Limits,
    session: &Session,
) -> Result<Inbound, Unfit> {
    let parsed = parse(bytes, scope, limits).map_err(|error| Unfit::Fatal(error.into()))?;
    if parsed.tag.ns() != ns::CLIENT {
        return Ok(Inbound::Nonza(Box::new(parsed)));
    }
    let mut stanza = reading::stanza(parsed, ns::CLIENT).map_err(|error| match error {
        ReadError::NotAStanza => Unfit::Fatal(StreamCondition::UnsupportedStanzaType.into()),
        ReadError::From => Unfit::Fatal(StreamCondition::InvalidFrom.into()),
        ReadError::Refused(stanza, error) => refused(*stanza, &error, session),
    })?;
    // RFC 6120 §8.1.2.1: the account's own address is overridden with the session's. A client
    // that has just resumed may still name the resource that it meant to bind.
    if let Some(from) = &stanza.from
        && from.bare() != session.account().jid()
    {
        return Err(Unfit::Fatal(StreamCondition::InvalidFrom.into()));
    }
    stanza.from = Some(session.address());
    if stanza.lang.is_none() {
        stanza.lang = lang.cloned();
    }
    Ok(Inbound::Stanza(Arc::new(stanza)))
}

fn refused(mut stanza: Stanza, error: &StanzaError, session: &Session) -> Unfit {
    stanza.from = Some(session.address());
    if error.condition == Condition::JidMalformed {
        // The malformed address cannot be the sender of the answer.
        stanza.to = None;
    }
    Unfit::Refused(refusal(&stanza, error).map(Box::new))
}
