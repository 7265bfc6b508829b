//! What is written at the beginning and the end of a stream between servers (RFC 6120 §4.2 to §4.9).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::proto::{StreamCondition, StreamError, ns};
use crate::stream::header;
use crate::xml::{Element, Opening, write};

/// What a valid header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    /// Who sent it, prepared.
    pub(super) from: Option<String>,
    /// For whom it is, prepared.
    pub(super) to: Option<String>,
    /// The stream's id; the one who was connected to gives it.
    pub(super) id: Option<String>,
}

/// Checks a header (RFC 6120 §4.7, §4.8).
///
/// # Errors
/// The stream error that §4.9.3 names for what is wrong.
pub(super) fn header(opening: &Opening) -> Result<Header, StreamError> {
    header::expect_content(opening, ns::SERVER)?;
    header::expect_version(opening)?;
    let tag = &opening.tag;
    let domain = |name: &str, condition: StreamCondition| {
        let value = tag.attribute(name).map(domain);
        value
            .map(|it| it.ok_or_else(|| StreamError::from(condition)))
            .transpose()
    };
    Ok(Header {
        from: domain("from", StreamCondition::InvalidFrom)?,
        to: domain("to", StreamCondition::HostUnknown)?,
        id: tag.attribute("id").map(str::to_owned),
    })
}

/// A prepared domain; `None` for everything else.
pub(super) fn domain(text: &str) -> Option<String> {
    let jid = crate::proto::Jid::parse(text).ok()?;
    let bare = jid.local().is_none() && jid.resource().is_none();
    bare.then(|| jid.domain().to_owned())
}

/// RFC 6120 §6.4.2: the domain that they want to be, in Base64; `=` or nothing for the one in the header.
pub(super) fn authzid(text: &str) -> Result<Option<String>, &'static str> {
    let text = text.trim();
    if text.is_empty() || text == "=" {
        return Ok(None);
    }
    let bytes = STANDARD.decode(text).map_err(|_| "incorrect-encoding")?;
    let text = String::from_utf8(bytes).map_err(|_| "invalid-authzid")?;
    domain(&text).map(Some).ok_or("invalid-authzid")
}

/// Writes a header.
pub(super) fn open(out: &mut Vec<u8>, from: &str, to: Option<&str>, id: Option<&str>) {
    out.extend_from_slice(b"<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' xml:lang='en'");
    for (name, value) in [("from", Some(from)), ("to", to), ("id", id)] {
        if let Some(value) = value {
            out.extend_from_slice(format!(" {name}='").as_bytes());
            write::escape_attribute(out, value);
            out.push(b'\'');
        }
    }
    out.push(b'>');
}

/// Writes an element that is no stanza.
pub(super) fn element(out: &mut Vec<u8>, element: &Element) {
    write::element(out, element, ns::SERVER);
}

/// Writes an element of the stream's own namespace: features, an error.
fn of_stream(out: &mut Vec<u8>, element: &Element) {
    let name = element.name().as_bytes();
    out.extend_from_slice(b"<stream:");
    out.extend_from_slice(name);
    out.push(b'>');
    for child in element.children() {
        write::element(out, child, ns::SERVER);
    }
    out.extend_from_slice(b"</stream:");
    out.extend_from_slice(name);
    out.push(b'>');
}

/// Writes `<stream:features/>`.
pub(super) fn features(out: &mut Vec<u8>, features: impl IntoIterator<Item = Element>) {
    let all = Element::new(ns::STREAMS, "features").children_from(features);
    of_stream(out, &all);
}

/// The end of a stream.
pub(super) const CLOSE: &[u8] = b"</stream:stream>";

/// Writes `<stream:error/>` and the end of the stream; the header must have been sent.
pub(super) fn fail(out: &mut Vec<u8>, error: &StreamError) {
    of_stream(out, &error.to_element());
    out.extend_from_slice(CLOSE);
}
