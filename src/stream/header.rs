//! The opening and closing of a stream, and errors that end it (RFC 6120 §4.2 to §4.9).

use crate::proto::{BareJid, Jid, StreamCondition, StreamError, ns};
use crate::xml::{Element, Opening, write};

/// What a valid header said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The host that the client wants to talk to (RFC 6120 §4.7.2).
    pub host: BareJid,
    /// Who the client says it is (RFC 6120 §4.7.1); proves nothing, and is only said back.
    pub from: Option<BareJid>,
}

/// Checks the header of a client's stream.
///
/// # Errors
/// The stream error that RFC 6120 §4.9.3 names for what is wrong.
pub fn check(opening: &Opening, hosts: &[BareJid]) -> Result<Header, StreamError> {
    expect_content(opening, ns::CLIENT)?;
    expect_version(opening)?;
    let tag = &opening.tag;
    let Some(to) = tag.attribute("to") else {
        return Err(StreamError::new(StreamCondition::ImproperAddressing)
            .text("the header needs 'to', the domain of the account"));
    };
    let host = BareJid::new(to).map_err(|_| StreamCondition::HostUnknown)?;
    if !hosts.contains(&host) {
        return Err(StreamCondition::HostUnknown.into());
    }
    // A client may name its full JID; it is answered with the bare one.
    let from = tag.attribute("from").map(Jid::parse).transpose();
    let from = from.map_err(|_| StreamCondition::InvalidFrom)?;
    Ok(Header {
        host,
        from: from.map(|from| from.bare().clone()),
    })
}

/// Checks that a header opens a stream whose stanzas are of the namespace `content` (RFC 6120 §4.8).
///
/// # Errors
/// The stream error that §4.9.3 names for what is wrong.
pub fn expect_content(opening: &Opening, content: &str) -> Result<(), StreamError> {
    let tag = &opening.tag;
    if tag.ns() != ns::STREAMS {
        return Err(StreamError::new(StreamCondition::InvalidNamespace)
            .text("the stream namespace is http://etherx.jabber.org/streams"));
    }
    if tag.name() != "stream" {
        return Err(StreamError::new(StreamCondition::BadFormat).text("a stream was expected"));
    }
    if opening.scope.default_ns() != content {
        let text = match content {
            ns::CLIENT => "the content namespace is jabber:client",
            ns::SERVER => "the content namespace is jabber:server",
            ns::COMPONENT => "the content namespace is jabber:component:accept",
            _ => "this is no content namespace",
        };
        return Err(StreamError::new(StreamCondition::InvalidNamespace).text(text));
    }
    Ok(())
}

/// Checks that a header is one of XMPP 1.0 or later (RFC 6120 §4.7.5): one without a version is of the
/// protocol before that.
///
/// # Errors
/// `unsupported-version`.
pub fn expect_version(opening: &Opening) -> Result<(), StreamError> {
    let version = opening.tag.attribute("version");
    let major = version.and_then(|version| version.split('.').next());
    let major = major.and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < 1) {
        return Err(StreamCondition::UnsupportedVersion.into());
    }
    Ok(())
}

/// Writes the server's header (RFC 6120 §4.7). `to` is there when and only when the client
/// said who it is (§4.7.2).
pub(super) fn open(out: &mut Vec<u8>, host: &BareJid, to: Option<&BareJid>, id: &str) {
    out.extend_from_slice(b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' xml:lang='en' from='");
    write::escape_attribute(out, host.as_str());
    if let Some(to) = to {
        out.extend_from_slice(b"' to='");
        write::escape_attribute(out, to.as_str());
    }
    out.extend_from_slice(b"' id='");
    write::escape_attribute(out, id);
    out.extend_from_slice(b"'>");
}

/// Writes the closing tag (RFC 6120 §4.4).
pub(super) fn close(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</stream:stream>");
}

/// Writes a child of the stream in the stream namespace, with the prefix that every client
/// expects there, and `declaration` where nothing around it declares the prefix.
pub(super) fn stream_element(
    out: &mut Vec<u8>,
    element: &Element,
    declaration: &[u8],
    outer_ns: &str,
) {
    let name = element.name().as_bytes();
    out.extend_from_slice(b"<stream:");
    out.extend_from_slice(name);
    out.extend_from_slice(declaration);
    out.push(b'>');
    for child in element.children() {
        write::element(out, child, outer_ns);
    }
    out.extend_from_slice(b"</stream:");
    out.extend_from_slice(name);
    out.push(b'>');
}
