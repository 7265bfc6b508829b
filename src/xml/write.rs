//! Elements and text to bytes.
//!
//! Prefixes are not kept: an element declares its namespace as the default
//! where that changes, but for the one namespace that can only be had by its
//! prefix, `xml` (Namespaces in XML 1.0 §3). Characters that XML 1.0 §2.2 forbids are written as
//! U+FFFD, so that no value from inside can break a peer's stream.

use std::fmt;

use super::characters::is_char;
use super::element::{Attribute, Element, Node, XML_NS};

/// Writes an element into a place where `inherited_ns` is the default namespace.
/// Its declaration, where it needs one, comes directly after its name.
pub fn element(out: &mut Vec<u8>, element: &Element, inherited_ns: &str) {
    let (prefix, default_ns) = match element.ns() {
        XML_NS => (XML_PREFIX, inherited_ns),
        ns => ("", ns),
    };
    out.push(b'<');
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(element.name().as_bytes());
    if default_ns != inherited_ns {
        out.extend_from_slice(b" xmlns='");
        escape_attribute(out, element.ns());
        out.push(b'\'');
    }
    for (index, attribute) in element.attributes().iter().enumerate() {
        write_attribute(out, attribute, index);
    }
    if element.nodes().is_empty() {
        out.extend_from_slice(b"/>");
        return;
    }
    out.push(b'>');
    for node in element.nodes() {
        match node {
            Node::Element(child) => self::element(out, child, default_ns),
            Node::Text(text) => escape_text(out, text),
        }
    }
    out.extend_from_slice(b"</");
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(element.name().as_bytes());
    out.push(b'>');
}

/// How many bytes [`element`] writes, but for characters that are escaped and attributes of other namespaces than XML's,
/// both of which are rare.
pub(super) fn length(element: &Element, inherited_ns: &str) -> usize {
    let (prefix, default_ns) = match element.ns() {
        XML_NS => (XML_PREFIX, inherited_ns),
        ns => ("", ns),
    };
    let name = prefix.len() + element.name().len();
    let declaration = match default_ns == inherited_ns {
        true => 0,
        false => " xmlns=''".len() + element.ns().len(),
    };
    let attributes = element.attributes().iter().map(|attribute| {
        let prefix = match attribute.ns.as_ref() {
            XML_NS => XML_PREFIX.len(),
            ns => ns.len(),
        };
        " =''".len() + prefix + attribute.name.len() + attribute.value.len()
    });
    let start = "<".len() + name + declaration + attributes.sum::<usize>();
    if element.nodes().is_empty() {
        return start + "/>".len();
    }
    let nodes = element.nodes().iter().map(|node| match node {
        Node::Element(child) => length(child, default_ns),
        Node::Text(text) => text.len(),
    });
    start + ">".len() + nodes.sum::<usize>() + "</>".len() + name
}

/// Writes character data. A carriage return becomes a reference, as a reader
/// would turn it into a line feed (XML 1.0 §2.11).
pub fn escape_text(out: &mut Vec<u8>, text: &str) {
    escape(out, text, |byte| matches!(byte, b'<' | b'>' | b'&' | b'\r'));
}

/// Writes the value of an attribute, fit for either kind of quote. White space
/// other than the space becomes references, as a reader would turn it into
/// spaces (XML 1.0 §3.3.3).
pub fn escape_attribute(out: &mut Vec<u8>, value: &str) {
    escape(out, value, |byte| {
        matches!(
            byte,
            b'<' | b'>' | b'&' | b'\'' | b'"' | b'\r' | b'\n' | b'\t'
        )
    });
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        element(&mut out, self, "");
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// What stands before a name in [`XML_NS`].
pub(super) const XML_PREFIX: &str = "xml:";

fn write_attribute(out: &mut Vec<u8>, attribute: &Attribute, index: usize) {
    out.push(b' ');
    if attribute.ns == XML_NS {
        out.extend_from_slice(XML_PREFIX.as_bytes());
    } else if !attribute.ns.is_empty() {
        // A prefix for each such attribute: they are rare, and no element uses prefixes.
        let prefix = format!("a{index}");
        out.extend_from_slice(b"xmlns:");
        out.extend_from_slice(prefix.as_bytes());
        out.extend_from_slice(b"='");
        escape_attribute(out, &attribute.ns);
        out.extend_from_slice(b"' ");
        out.extend_from_slice(prefix.as_bytes());
        out.push(b':');
    }
    out.extend_from_slice(attribute.name.as_bytes());
    out.extend_from_slice(b"='");
    escape_attribute(out, &attribute.value);
    out.push(b'\'');
}

fn escape(out: &mut Vec<u8>, text: &str, special: impl Fn(u8) -> bool) {
    // 0xEF begins U+FFFE and U+FFFF, among others.
    let careful = |byte: u8| (byte < 0x20 && byte != b'\n') || byte == 0xef || special(byte);
    // Nearly always nothing is special: looked at without a stop, many bytes are compared at once.
    if !text
        .bytes()
        .fold(false, |found, byte| found | careful(byte))
    {
        return out.extend_from_slice(text.as_bytes());
    }
    let mut rest = text;
    while let Some(at) = rest.bytes().position(careful) {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.extend_from_slice(plain.as_bytes());
        let mut tail = tail.chars();
        if let Some(c) = tail.next() {
            escape_one(out, c, &special);
        }
        rest = tail.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
}

fn escape_one(out: &mut Vec<u8>, c: char, special: impl Fn(u8) -> bool) {
    let reference: &[u8] = match c {
        '<' => b"&lt;",
        '>' => b"&gt;",
        '&' => b"&amp;",
        '\'' => b"&apos;",
        '"' => b"&quot;",
        '\r' => b"&#13;",
        '\n' => b"&#10;",
        '\t' if special(b'\t') => b"&#9;",
        c if is_char(c) => return out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        _ => "\u{fffd}".as_bytes(),
    };
    out.extend_from_slice(reference);
}
