//! What is to be sent on one stream, as its transport frames it.
//!
//! The same elements look different on the wire: children of one long document over TCP (RFC 6120
//! §4.2), a document each over WebSocket (RFC 7395 §3.3) and inside of BOSH's `<body/>`
//! (XEP-0206 §3). This is the only place that knows.

use super::header;
use crate::proto::{BareJid, FullJid, Stanza, StreamError, ns};
use crate::xml::{Element, write};

/// How elements are put on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Children of `<stream:stream>` (RFC 6120 §4.2).
    #[default]
    Stream,
    /// One message each, and `<open/>` and `<close/>` around them (RFC 7395 §3.3).
    WebSocket,
    /// Children of `<body/>`, which also opens and closes the stream (XEP-0206 §3, §5).
    Bosh,
}

/// Elements that wait to be written.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    framing: Framing,
    /// Behind each element stands [`END`] where the transport needs to know.
    bytes: Vec<u8>,
}

/// [`Outbox::elements`] of [`Outbox::bytes`].
pub fn split(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let elements = bytes.split(|byte| *byte == END);
    elements.filter(|element| !element.is_empty())
}

/// What no XML contains.
const END: u8 = 0;

impl Outbox {
    /// An empty one.
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        Self {
            framing,
            bytes: Vec::new(),
        }
    }

    /// How it is framed.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// Everything as it goes over TCP. For the other transports see [`Outbox::elements`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Each element by itself. Over TCP, where nobody asks for them, everything is one.
    pub fn elements(&self) -> impl Iterator<Item = &[u8]> {
        split(&self.bytes)
    }

    /// Takes everything out and holds no memory any more.
    #[must_use]
    pub const fn take(&mut self) -> Self {
        let framing = self.framing;
        std::mem::replace(self, Self::new(framing))
    }

    /// Makes room for about that many bytes more.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// Adds everything of another of the same framing.
    pub fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// Adds a stanza.
    pub fn stanza(&mut self, stanza: &Stanza) {
        self.put(None, stanza);
    }

    /// Adds a stanza out of the mailbox of that session.
    pub fn mail(&mut self, reader: &FullJid, stanza: &Stanza) {
        self.put(Some(reader), stanza);
    }

    fn put(&mut self, reader: Option<&FullJid>, stanza: &Stanza) {
        let xmlns = match self.framing {
            Framing::Stream => None,
            Framing::WebSocket | Framing::Bosh => Some(ns::CLIENT),
        };
        stanza.write_for(reader, &mut self.bytes, xmlns);
        self.end();
    }

    /// Adds an element that is no stanza: a nonza of SASL, stream management and so on.
    pub fn element(&mut self, element: &Element) {
        let outer = self.outer_ns();
        write::element(&mut self.bytes, element, outer);
        self.end();
    }

    /// Adds an element in the stream namespace: features, an error.
    pub fn stream_element(&mut self, element: &Element) {
        let declaration: &[u8] = match self.framing {
            Framing::Stream => b"",
            Framing::WebSocket | Framing::Bosh => {
                b" xmlns:stream='http://etherx.jabber.org/streams'"
            }
        };
        let outer = self.outer_ns();
        header::stream_element(&mut self.bytes, element, declaration, outer);
        self.end();
    }

    /// Adds the opening of the stream (RFC 6120 §4.7, RFC 7395 §3.4). With BOSH it says nothing: the
    /// answering `<body/>` does.
    pub fn open(&mut self, host: &BareJid, to: Option<&BareJid>, id: &str) {
        match self.framing {
            Framing::Stream => header::open(&mut self.bytes, host, to, id),
            Framing::WebSocket => {
                let open = Element::new(ns::FRAMING, "open")
                    .attr("version", "1.0")
                    .attr("from", host.as_str())
                    .attr_opt("to", to.map(|to| to.as_str()))
                    .attr("id", id)
                    .lang("en");
                write::element(&mut self.bytes, &open, "");
            }
            Framing::Bosh => {}
        }
        self.end();
    }

    /// Adds the end of the stream (RFC 6120 §4.4, RFC 7395 §3.6).
    pub fn close(&mut self) {
        match self.framing {
            Framing::Stream => header::close(&mut self.bytes),
            Framing::WebSocket => {
                write::element(&mut self.bytes, &Element::new(ns::FRAMING, "close"), "");
            }
            Framing::Bosh => {}
        }
        self.end();
    }

    /// Adds `<stream:error/>` and the end of the stream; the opening must have been sent.
    pub fn fail(&mut self, error: &StreamError) {
        self.stream_element(&error.to_element());
        self.close();
    }

    const fn outer_ns(&self) -> &'static str {
        match self.framing {
            Framing::Stream => ns::CLIENT,
            Framing::WebSocket | Framing::Bosh => "",
        }
    }

    fn end(&mut self) {
        if self.framing != Framing::Stream {
            self.bytes.push(END);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{IqType, StreamCondition};

    fn written(framing: Framing) -> Vec<String> {
        let mut out = Outbox::new(framing);
        out.open(&BareJid::new("localhost").unwrap(), None, "s1");
        let bind = Element::new(ns::BIND, "bind");
        out.stream_element(&Element::new(ns::STREAMS, "features").child(bind));
        out.element(&Element::new(ns::SASL, "success"));
        out.stanza(&Stanza::iq(IqType::Result, "i1"));
        out.fail(&StreamCondition::Conflict.into());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        out.elements().map(text).collect()
    }

    #[test]
    fn over_websocket_every_element_is_a_document() {
        assert_eq!(
            written(Framing::WebSocket),
            [
                "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' from='localhost' id='s1' xml:lang='en'/>",
                "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
                "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
                "<iq xmlns='jabber:client' type='result' id='i1'/>",
                "<stream:error xmlns:stream='http://etherx.jabber.org/streams'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
                "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
            ]
        );
    }

    #[test]
    fn in_bosh_the_body_opens_and_closes() {
        let elements = written(Framing::Bosh);
        assert_eq!(elements.len(), 4, "{elements:?}");
        assert!(elements[0].starts_with("<stream:features xmlns:stream="));
        assert!(elements[3].starts_with("<stream:error xmlns:stream="));
    }

    #[test]
    fn over_tcp_all_is_one_piece() {
        let elements = written(Framing::Stream);
        assert_eq!(elements.len(), 1);
        assert!(elements[0].starts_with("<?xml"), "{}", elements[0]);
        assert!(elements[0].ends_with("</stream:error></stream:stream>"));
    }
}
