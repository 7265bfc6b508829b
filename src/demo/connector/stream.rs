//! The component's side of a stream (XEP-0114 §3): it opens it, proves that it knows the secret, and exchanges stanzas.

use std::io;

use bytes::{Bytes, BytesMut};
use sha1::{Digest as _, Sha1};
use thiserror::Error;
use tokio::net::TcpStream;

use crate::peer::{Connection, ReadError, Turn};
use crate::proto::reading;
use crate::proto::{BareJid, Stanza, ns};
use crate::stream::{Framing, Outbox};
use crate::xml::{Frame, Limits, Scope, XmlError, parse, write};

/// What may wait to be written while more is read: as much as the server keeps for a component.
const OUT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why there is no stream, or none any more.
#[derive(Debug, Error)]
pub enum StreamEnd {
    /// The server cannot be reached.
    #[error("no connection: {0}")]
    Unreachable(#[from] io::Error),
    /// The server does not let the component in, or ends its stream with an error.
    #[error("the server says {0}")]
    Refused(String),
    /// The connection broke.
    #[error(transparent)]
    Broken(#[from] ReadError),
    /// What came is not to be read.
    #[error("bad XML: {0}")]
    Xml(#[from] XmlError),
    /// The server closed the stream, or said what nobody expects there.
    #[error("the server ended the stream")]
    Closed,
    /// Nothing was heard for too long.
    #[error("the server is silent")]
    Silent,
}

/// An open stream.
pub(super) struct Stream {
    connection: Connection,
    scope: Scope,
    limits: Limits,
    out: BytesMut,
}

impl Stream {
    pub(super) async fn open(
        address: &str,
        domain: &BareJid,
        secret: &str,
    ) -> Result<Self, StreamEnd> {
        let socket = TcpStream::connect(address).await?;
        let limits = Limits::default();
        let mut connection = Connection::new(socket, limits);
        connection.write(&header(domain)).await?;
        let opening = match connection.next().await? {
            Frame::Open(opening) => opening,
            Frame::Element(_) | Frame::Close => return Err(StreamEnd::Closed),
        };
        let id = opening.tag.attribute("id").unwrap_or_default().to_owned();
        let mut stream = Self {
            connection,
            scope: opening.scope,
            limits,
            out: BytesMut::new(),
        };
        let proof = format!("<handshake>{}</handshake>", proof(&id, secret));
        stream.connection.write(proof.as_bytes()).await?;
        match stream.connection.next().await? {
            Frame::Element(bytes) => stream.let_in(bytes)?,
            Frame::Open(_) | Frame::Close => return Err(StreamEnd::Closed),
        }
        Ok(stream)
    }

    fn let_in(&self, bytes: Bytes) -> Result<(), StreamEnd> {
        let parsed = parse(bytes, &self.scope, &self.limits)?;
        if parsed.tag.is(ns::COMPONENT, "handshake") {
            return Ok(());
        }
        let element = parsed.to_element()?;
        let condition = element.children().next().map(|it| it.name().to_owned());
        Err(StreamEnd::Refused(condition.unwrap_or_default()))
    }

    /// Puts a stanza behind what waits to be written.
    pub(super) fn put(&mut self, stanza: &Stanza) {
        let mut outbox = Outbox::new(Framing::Stream);
        outbox.stanza(stanza);
        self.out.extend_from_slice(outbox.bytes());
    }

    /// The next stanza that comes, while what waits is written. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Stanza, StreamEnd> {
        loop {
            let reading = self.out.len() < OUT_BYTES_MAX;
            let turn = self.connection.turn(&mut self.out, reading).await?;
            let bytes = match turn {
                Turn::Wrote { .. } => continue,
                Turn::Frame(Frame::Element(bytes)) => bytes,
                Turn::Frame(Frame::Open(_) | Frame::Close) => return Err(StreamEnd::Closed),
            };
            let parsed = parse(bytes, &self.scope, &self.limits)?;
            if parsed.tag.is(ns::STREAMS, "error") {
                let element = parsed.to_element()?;
                let condition = element.children().next().map(|it| it.name().to_owned());
                return Err(StreamEnd::Refused(condition.unwrap_or_default()));
            }
            // What is no stanza, or a broken one, is the server's mistake, and no reason to hang up.
            if let Ok(stanza) = reading::stanza(parsed, ns::COMPONENT) {
                return Ok(stanza);
            }
        }
    }
}

fn header(domain: &BareJid) -> Vec<u8> {
    let mut out = b"<?xml version='1.0'?><stream:stream xmlns='".to_vec();
    out.extend_from_slice(ns::COMPONENT.as_bytes());
    out.extend_from_slice(b"' xmlns:stream='");
    out.extend_from_slice(ns::STREAMS.as_bytes());
    out.extend_from_slice(b"' to='");
    write::escape_attribute(&mut out, domain.as_str());
    out.extend_from_slice(b"'>");
    out
}

/// §3: the hash of the stream's id and the secret, in lower case.
fn proof(id: &str, secret: &str) -> String {
    let hash = Sha1::digest(format!("{id}{secret}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_one_of_the_standard() {
        // Examples 2 and 3 of XEP-0114 §3, which do not say their secret.
        let hash = "aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e";
        assert_eq!(proof("3BF96D32", "test"), hash);
    }
}
