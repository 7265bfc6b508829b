//! XML as the test clients read it: a small tree on top of `rxml`.
//!
//! Deliberately not the server's own parser, so that an error there is not
//! repeated here. Comments, processing instructions and the place of text among
//! elements are not kept.

use std::fmt;

use anyhow::{Context as _, Result, anyhow};
use rxml::Parse as _;
use rxml::error::EndOrError;

/// RFC 6120 §4.8.2.
pub(crate) const CLIENT: &str = "jabber:client";
/// RFC 6120 §4.8.1.
pub(crate) const STREAMS: &str = "http://etherx.jabber.org/streams";
/// Namespaces in XML 1.0 §3.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// An element with resolved namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) ns: String,
    pub(crate) name: String,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) children: Vec<Self>,
    pub(crate) text: String,
}

/// An attribute; `ns` is empty for the unprefixed kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) ns: String,
    pub(crate) name: String,
    pub(crate) value: String,
}

impl Node {
    /// The elements that `text` holds, one after the other, in the namespaces
    /// that a client's stream declares.
    pub(crate) fn parse_all(text: &str) -> Result<Vec<Self>> {
        let mut parser = StreamParser::default();
        parser
            .push(format!("<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}'>").as_bytes());
        parser.push(text.as_bytes());
        parser.push(b"</stream:stream>");
        let mut nodes = Vec::new();
        loop {
            match parser.next().with_context(|| format!("not XML: {text}"))? {
                Some(Event::Opened(_)) => {}
                Some(Event::Element(node)) => nodes.push(node),
                Some(Event::Closed) => return Ok(nodes),
                None => return Err(anyhow!("an element is not closed: {text}")),
            }
        }
    }

    /// The unprefixed attribute called `name`.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self
            .attributes
            .iter()
            .find(|a| a.ns.is_empty() && a.name == name)?;
        Some(&found.value)
    }

    /// The first child of this name, in any namespace.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn write(&self, out: &mut fmt::Formatter<'_>, outer: &str) -> fmt::Result {
        let (prefix, inner) = if self.ns == STREAMS {
            ("stream:", outer)
        } else {
            ("", &*self.ns)
        };
        write!(out, "<{prefix}{}", self.name)?;
        if inner != outer {
            write!(out, " xmlns='{inner}'")?;
        }
        for attribute in &self.attributes {
            let prefix = match attribute.ns.as_str() {
                "" => "",
                XML => "xml:",
                other => {
                    write!(out, " xmlns:a='{other}'")?;
                    "a:"
                }
            };
            let value = escaped(&attribute.value);
            write!(out, " {prefix}{}='{value}'", attribute.name)?;
        }
        if self.children.is_empty() && self.text.is_empty() {
            return out.write_str("/>");
        }
        write!(out, ">{}", escaped(&self.text))?;
        for child in &self.children {
            child.write(out, inner)?;
        }
        write!(out, "</{prefix}{}>", self.name)
    }
}

/// In one line, whatever it holds.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&apos;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            other => escaped.push(other),
        }
    }
    escaped
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(out, CLIENT)
    }
}

/// What one side of an XML stream says (RFC 6120 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The stream header, without children.
    Opened(Node),
    /// A first-level element of the stream.
    Element(Node),
    /// The closing stream tag.
    Closed,
}

/// Cuts the bytes of a stream into [`Event`]s.
#[derive(Default)]
pub(crate) struct StreamParser {
    parser: rxml::Parser,
    pending: Vec<u8>,
    /// The header and the elements open below it.
    open: Vec<Node>,
}

impl StreamParser {
    /// Takes what was read from the socket.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The bytes not yet looked at.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.pending
    }

    /// The next event, or `None` when more bytes are needed.
    pub(crate) fn next(&mut self) -> Result<Option<Event>> {
        loop {
            let mut rest = self.pending.as_slice();
            let parsed = self.parser.parse(&mut rest, false);
            let used = self.pending.len() - rest.len();
            self.pending.drain(..used);
            let event = match parsed {
                Ok(Some(event)) => event,
                Ok(None) | Err(EndOrError::NeedMoreData) => return Ok(None),
                Err(EndOrError::Error(error)) => return Err(error.into()),
            };
            if let Some(event) = self.take(event) {
                return Ok(Some(event));
            }
        }
    }

    fn take(&mut self, event: rxml::Event) -> Option<Event> {
        match event {
            rxml::Event::StartElement(_, (ns, name), attributes) => {
                let attributes = attributes
                    .into_iter()
                    .map(|((ns, name), value)| Attribute {
                        ns: ns.as_str().to_owned(),
                        name: name.as_str().to_owned(),
                        value,
                    })
                    .collect();
                let node = Node {
                    ns: ns.as_str().to_owned(),
                    name: name.as_str().to_owned(),
                    attributes,
                    ..Node::default()
                };
                self.open.push(node.clone());
                (self.open.len() == 1).then_some(Event::Opened(node))
            }
            rxml::Event::Text(_, text) => {
                // Whitespace between stanzas is a keepalive (RFC 6120 §4.6.1).
                if self.open.len() > 1
                    && let Some(node) = self.open.last_mut()
                {
                    node.text.push_str(&text);
                }
                None
            }
            rxml::Event::EndElement(_) => {
                let mut node = self.open.pop()?;
                if !node.children.is_empty() {
                    node.text = node.text.trim().to_owned();
                }
                match self.open.len() {
                    0 => Some(Event::Closed),
                    1 => Some(Event::Element(node)),
                    _ => {
                        if let Some(parent) = self.open.last_mut() {
                            parent.children.push(node);
                        }
                        None
                    }
                }
            }
            rxml::Event::XmlDeclaration(..) => None,
        }
    }
}
