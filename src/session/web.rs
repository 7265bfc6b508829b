//! The session's end of a stream that HTTP carries.
//!
//! The carrier, a WebSocket or a session of BOSH, brings documents as RFC 7395 frames them, one
//! element each; they become the bytes that the same stream would have over TCP, so that one
//! framer, one negotiation and one task serve all transports. What the session writes goes to the
//! carrier, framed by [`crate::stream::Outbox`], and counts as written when the carrier says so.

use std::fmt;
use std::io;

use bytes::{Bytes, BytesMut};
use tokio::sync::{mpsc, oneshot};

use crate::proto::{StreamCondition, StreamError, ns};
use crate::stream::{Framing, split};
use crate::xml::{Frame, Framer, Limits, Scope, Tag, parse, write};

/// Documents that may wait for the session; the carrier reads no more meanwhile.
const INCOMING_MAX: usize = 8;

/// What a carrier brings.
#[derive(Debug)]
pub enum Incoming {
    /// One message of RFC 7395 §3.3, as it came.
    Document(Bytes),
    /// What cannot be taken: the stream ends with this error.
    Refused(StreamError),
}

/// What a session has written.
#[derive(Debug)]
pub struct Outgoing {
    bytes: Vec<u8>,
    written: oneshot::Sender<()>,
}

impl Outgoing {
    /// Each element by itself, a document each.
    pub fn elements(&self) -> impl Iterator<Item = &[u8]> {
        split(&self.bytes)
    }

    /// Tells the session that it is on its way.
    pub fn written(self) {
        // A session that has ended does not ask.
        let _ = self.written.send(());
    }
}

/// The carrier's end.
#[derive(Debug)]
pub struct Carrier {
    /// To the session.
    pub incoming: mpsc::Sender<Incoming>,
    /// From the session; at its end there is no more.
    pub outgoing: mpsc::Receiver<Outgoing>,
}

/// Whether what carries the stream is encrypted, by us or by a proxy that is trusted to do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carriage {
    /// HTTPS.
    Encrypted,
    /// HTTP.
    Open,
}

/// The session's end.
pub struct Web {
    framing: Framing,
    carriage: Carriage,
    incoming: mpsc::Receiver<Incoming>,
    outgoing: mpsc::Sender<Outgoing>,
    limits: Limits,
    framer: Framer,
    /// Whether the next document has to be `<open/>` (RFC 7395 §3.4).
    opens: bool,
}

/// Both ends of a stream that HTTP carries. `limits` are those of a bound session; the stream itself
/// keeps to narrower ones before.
#[must_use]
pub fn carried(framing: Framing, carriage: Carriage, limits: Limits) -> (Web, Carrier) {
    let (to_session, incoming) = mpsc::channel(INCOMING_MAX);
    // One at a time, and the next when it is written: what is not taken stays in the mailbox.
    let (outgoing, from_session) = mpsc::channel(1);
    let web = Web {
        framing,
        carriage,
        incoming,
        outgoing,
        limits,
        framer: Framer::of_children(limits),
        opens: true,
    };
    let carrier = Carrier {
        incoming: to_session,
        outgoing: from_session,
    };
    (web, carrier)
}

impl Web {
    pub(super) const fn framing(&self) -> Framing {
        self.framing
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.carriage == Carriage::Encrypted
    }

    /// Expects `<open/>` again, as after SASL.
    pub(super) const fn restart(&mut self) {
        self.opens = true;
    }

    /// Waits for a document and appends it as a stream of TCP would have it; 0 when there
    /// will be no more. Cancel-safe.
    ///
    /// # Errors
    /// [`refusal`] tells the stream error that it means.
    pub(super) async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        match self.incoming.recv().await {
            None => Ok(0),
            Some(Incoming::Refused(error)) => Err(io::Error::other(Refused(error))),
            Some(Incoming::Document(document)) => self
                .take(&document, buffer)
                .map(|()| document.len().max(1))
                .map_err(|error| io::Error::other(Refused(error))),
        }
    }

    /// Hands over what was written, and waits until it is on its way. How long that may take
    /// is for the carrier, which ends when its client is gone.
    ///
    /// # Errors
    /// When the carrier is gone.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let (written, done) = oneshot::channel();
        let bytes = bytes.to_vec();
        let sent = self.outgoing.send(Outgoing { bytes, written }).await;
        sent.map_err(|_| gone())?;
        done.await.map_err(|_| gone())
    }

    /// RFC 7395 §3.3.3: a message is one complete element.
    fn take(&mut self, document: &[u8], buffer: &mut BytesMut) -> Result<(), StreamError> {
        let mut rest = BytesMut::from(document);
        let frame = self.framer.next(&mut rest)?;
        match frame {
            Some(Frame::Element(element)) => {
                let more = self.framer.next(&mut rest)?;
                if more.is_some() || !rest.is_empty() {
                    return Err(StreamError::new(StreamCondition::BadFormat)
                        .text("a message is one element"));
                }
                self.translate(&element, buffer)
            }
            // White space to keep the connection alive.
            None if rest.is_empty() => {
                buffer.extend_from_slice(b" ");
                Ok(())
            }
            None | Some(Frame::Open(_) | Frame::Close) => {
                Err(StreamError::new(StreamCondition::NotWellFormed)
                    .text("a message is one whole element"))
            }
        }
    }

    fn translate(&mut self, element: &Bytes, buffer: &mut BytesMut) -> Result<(), StreamError> {
        if !self.opens && !may_frame(element) {
            buffer.extend_from_slice(element);
            return Ok(());
        }
        let parsed = parse(element.clone(), &Scope::default(), &self.limits);
        if !self.opens {
            match parsed {
                Ok(parsed) if parsed.tag.is(ns::FRAMING, "close") => {
                    buffer.extend_from_slice(b"</stream:stream>");
                }
                // Not expected here, and refused as any other stranger.
                Ok(_) | Err(_) => buffer.extend_from_slice(element),
            }
            return Ok(());
        }
        let tag = parsed?.tag;
        if tag.ns() != ns::FRAMING {
            return Err(StreamError::new(StreamCondition::InvalidNamespace)
                .text("a stream begins with <open/> in urn:ietf:params:xml:ns:xmpp-framing"));
        }
        if tag.name() != "open" {
            return Err(
                StreamError::new(StreamCondition::BadFormat).text("a stream begins with <open/>")
            );
        }
        self.opens = false;
        header(&tag, buffer);
        Ok(())
    }
}

/// What `<open/>` says, as the header of a stream. The name of its prefix is one that no client
/// would use by accident.
fn header(open: &Tag, buffer: &mut BytesMut) {
    let mut out =
        b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
            .to_vec();
    for (name, value) in [
        (" to='", open.attribute("to")),
        (" from='", open.attribute("from")),
        (" version='", open.attribute("version")),
        (" xml:lang='", open.lang()),
    ] {
        if let Some(value) = value {
            out.extend_from_slice(name.as_bytes());
            write::escape_attribute(&mut out, value);
            out.push(b'\'');
        }
    }
    out.push(b'>');
    buffer.extend_from_slice(&out);
}

/// Whether the element may be `<open/>` or `<close/>`; nearly all are told apart by it without
/// being parsed twice.
fn may_frame(element: &[u8]) -> bool {
    let name = element.split(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>'));
    let name = name.into_iter().next().unwrap_or_default();
    name.ends_with(b"open") || name.ends_with(b"close")
}

/// The stream error that a failed read means; the error itself when the connection is broken.
pub(super) fn refusal(error: io::Error) -> Result<StreamError, io::Error> {
    let refused = error.get_ref().and_then(|inner| inner.downcast_ref());
    match refused {
        Some(Refused(refused)) => Ok(refused.clone()),
        None => Err(error),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refused(StreamError);

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web")
            .field("framing", &self.framing)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0' xml:lang='de'/>";
    const CLOSE: &str = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

    /// What the session reads of these documents, and the condition that ends it.
    async fn read(documents: &[&str]) -> (String, Option<StreamCondition>) {
        let (mut web, carrier) =
            carried(Framing::WebSocket, Carriage::Encrypted, Limits::default());
        let mut buffer = BytesMut::new();
        for document in documents {
            let document = Bytes::copy_from_slice(document.as_bytes());
            carrier
                .incoming
                .send(Incoming::Document(document))
                .await
                .unwrap();
            if let Err(error) = web.read(&mut buffer).await {
                let text = String::from_utf8(buffer.to_vec()).unwrap();
                return (text, Some(refusal(error).unwrap().condition));
            }
        }
        (String::from_utf8(buffer.to_vec()).unwrap(), None)
    }

    #[tokio::test]
    async fn documents_become_a_stream() {
        let (text, failed) = read(&[OPEN, "<presence xmlns='jabber:client'/>", " ", CLOSE]).await;
        assert_eq!(failed, None);
        assert_eq!(
            text,
            "<stream:stream xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0' \
             xml:lang='de'><presence xmlns='jabber:client'/> </stream:stream>"
        );
    }

    #[tokio::test]
    async fn a_message_is_one_whole_element_rfc_7395_section_3_3_3() {
        use StreamCondition as C;
        for (documents, condition) in [
            (
                &["<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'"][..],
                C::NotWellFormed,
            ),
            (
                &["<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>"],
                C::NotWellFormed,
            ),
            (
                &["<open xmlns='urn:other' to='localhost'/>"],
                C::InvalidNamespace,
            ),
            (&["<presence xmlns='jabber:client'/>"], C::InvalidNamespace),
            (&[CLOSE], C::BadFormat),
            (&["<open/>"], C::InvalidNamespace),
            (&["open"], C::BadFormat),
            (&[OPEN, "<presence/><presence/>"], C::BadFormat),
            (&[OPEN, "<presence/>text"], C::BadFormat),
            (&[OPEN, "<message><body>"], C::NotWellFormed),
            (&[OPEN, "<!-- a --><presence/>"], C::RestrictedXml),
            (&[OPEN, "</stream:stream>"], C::NotWellFormed),
        ] {
            let (_, failed) = read(documents).await;
            assert_eq!(failed, Some(condition), "{documents:?}");
        }
    }

    #[tokio::test]
    async fn a_second_opening_is_for_the_stream_to_refuse() {
        let (text, failed) = read(&[OPEN, OPEN]).await;
        assert_eq!(failed, None);
        assert!(text.ends_with(OPEN), "{text}");
    }

    #[tokio::test]
    async fn what_is_written_counts_when_the_carrier_says_so() {
        let (mut web, mut carrier) = carried(Framing::WebSocket, Carriage::Open, Limits::default());
        {
            let writing = web.write(b"<a/>\0<b/>\0");
            tokio::pin!(writing);
            let outgoing = tokio::select! {
                _ = &mut writing => panic!("written before it was taken"),
                outgoing = carrier.outgoing.recv() => outgoing.unwrap(),
            };
            let elements: Vec<_> = outgoing.elements().collect();
            assert_eq!(elements, [b"<a/>", b"<b/>"]);
            outgoing.written();
            writing.await.unwrap();
        }
        drop(carrier);
        assert!(web.write(b"<c/>\0").await.is_err());
    }
}
