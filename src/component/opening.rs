//! The opening of a component's stream (XEP-0114 §3): its header, and the proof that it knows the secret.
//!
//! Whatever is wrong is said inside of a stream, which has to be opened for that (RFC 6120 §4.9.1.2).

use std::net::IpAddr;
use std::sync::Arc;

use compact_str::CompactString;
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use super::Setup;
use super::place::{Place, Seat};
use super::task::{Task, Terms};
use crate::config::Config;
use crate::hooks::PeerFailure;
use crate::peer::{Connection, ReadError};
use crate::proto::{BareJid, StreamCondition, StreamError, ns, reading};
use crate::stream::{Framing, Outbox, header};
use crate::xml::{Element, Frame, Limits, Opening, Scope, parse, write};

/// Why a connection does not become a component's.
enum Failure {
    /// The peer is told.
    Told(StreamError),
    /// There is nobody to tell.
    Gone,
}

impl From<StreamError> for Failure {
    fn from(error: StreamError) -> Self {
        Self::Told(error)
    }
}

impl From<StreamCondition> for Failure {
    fn from(condition: StreamCondition) -> Self {
        Self::Told(condition.into())
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Xml(error) => Self::Told(error.into()),
            ReadError::Broken(_) | ReadError::Closed => Self::Gone,
        }
    }
}

/// Opens the stream; `None` when nothing came of it, which the peer has been told.
pub(super) async fn open(setup: &Setup, socket: TcpStream, peer: IpAddr) -> Option<Task> {
    let config = &setup.services.config;
    let mut opened = Opened {
        connection: Connection::new(
            socket,
            limits(config, config.c2s.negotiation_bytes_max.as_usize()),
        ),
        header: None,
        domain: None,
    };
    let patience = config.c2s.negotiation_timeout_seconds.duration();
    let outcome = tokio::select! {
        () = setup.stop.cancelled() => Err(StreamCondition::SystemShutdown.into()),
        outcome = timeout(patience, opened.admit(setup, peer)) => match outcome {
            Ok(outcome) => outcome,
            Err(_) => Err(StreamCondition::ConnectionTimeout.into()),
        },
    };
    match outcome {
        Ok(seat) => opened.into_task(setup, seat),
        Err(Failure::Told(error)) => {
            warn!(
                condition = error.condition.name(),
                "a component is not let in"
            );
            if let Some(domain) = &opened.domain {
                let step = if opened.header.is_some() {
                    "handshake"
                } else {
                    "stream"
                };
                let failure = PeerFailure {
                    at: setup.services.clock.now(),
                    step,
                    reason: reason(&error, peer),
                };
                setup.services.peers.failed(domain.as_str(), failure);
            }
            opened.refuse(setup, &error).await;
            None
        }
        Err(Failure::Gone) => None,
    }
}

struct Opened {
    connection: Connection,
    /// What the peer's header said, when ours has been sent.
    header: Option<Header>,
    /// The domain that the peer named.
    domain: Option<BareJid>,
}

struct Header {
    scope: Scope,
    /// The language that its stanzas have where they say none (RFC 6120 §4.7.4).
    lang: Option<CompactString>,
}

impl Opened {
    async fn admit(&mut self, setup: &Setup, peer: IpAddr) -> Result<Seat, Failure> {
        let opening = match self.connection.next().await? {
            Frame::Open(opening) => opening,
            Frame::Element(_) | Frame::Close => return Err(StreamCondition::BadFormat.into()),
        };
        let domain = check(&opening)?;
        self.domain = Some(domain.clone());
        let place = setup.components.place(domain.as_str());
        let place = place.ok_or(StreamCondition::HostUnknown)?;
        tracing::Span::current().record("domain", domain.as_str());
        let id = crate::id::random();
        self.answer(&domain, &id).await?;
        self.header = Some(Header {
            lang: reading::stream_lang(&opening.tag),
            scope: opening.scope,
        });
        let seat = self.prove(setup, place, &id, peer).await?;
        let done = Element::new(ns::COMPONENT, "handshake");
        let mut out = Outbox::new(Framing::Stream);
        out.element(&done);
        self.write(out.bytes()).await?;
        Ok(seat)
    }

    /// §3: the handshake is the hash of the stream's id and the secret.
    async fn prove(
        &mut self,
        setup: &Setup,
        place: &Arc<Place>,
        id: &str,
        peer: IpAddr,
    ) -> Result<Seat, Failure> {
        let bytes = match self.connection.next().await? {
            Frame::Element(bytes) => bytes,
            Frame::Open(_) => return Err(StreamCondition::BadFormat.into()),
            Frame::Close => return Err(Failure::Gone),
        };
        let scope = self.header.as_ref().map(|header| &header.scope);
        let limits = limits(
            &setup.services.config,
            setup.services.config.c2s.negotiation_bytes_max.as_usize(),
        );
        let nothing = Scope::default();
        let element = parse(bytes, scope.unwrap_or(&nothing), &limits);
        let element = element.map_err(StreamError::from)?;
        // RFC 6120 §4.9.3.12: stanzas come after the proof.
        let good = element.tag.is(ns::COMPONENT, "handshake")
            && knows(&element.text(), id, place.config().secret.expose());
        let now = Instant::now().into_std();
        let delay = if good {
            setup.addresses.authentication_delay(peer, now)
        } else {
            setup.addresses.authentication_failed(peer, now)
        };
        tokio::time::sleep(delay).await;
        if good {
            Ok(place.sit_down(peer).await?)
        } else {
            Err(StreamCondition::NotAuthorized.into())
        }
    }

    /// §3, example 2. No version: a component would wait for features.
    async fn answer(&mut self, domain: &BareJid, id: &str) -> Result<(), Failure> {
        let mut out = Vec::new();
        out.extend_from_slice(b"<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='");
        write::escape_attribute(&mut out, domain.as_str());
        out.extend_from_slice(b"' id='");
        write::escape_attribute(&mut out, id);
        out.extend_from_slice(b"'>");
        self.write(&out).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.connection.write(bytes).await;
        written.map_err(|_| Failure::Gone)
    }

    async fn refuse(mut self, setup: &Setup, error: &StreamError) {
        if self.header.is_none() {
            // RFC 6120 §4.9.1.3: of a stream for nobody, the server says who it is itself.
            let Some(host) = setup.services.hosts.first() else {
                return;
            };
            if self.answer(host, &crate::id::random()).await.is_err() {
                return;
            }
        }
        let mut out = Outbox::new(Framing::Stream);
        out.fail(error);
        if self.write(out.bytes()).await.is_ok() {
            self.connection.close().await;
        }
    }

    fn into_task(mut self, setup: &Setup, seat: Seat) -> Option<Task> {
        let header = self.header?;
        let limits = limits(
            &setup.services.config,
            seat.place().config().stanza_bytes_max.as_usize(),
        );
        self.connection.set_limits(limits);
        info!("a component is connected");
        let terms = Terms {
            scope: header.scope,
            lang: header.lang,
            limits,
        };
        Some(Task::new(self.connection, seat, setup, terms))
    }
}

fn limits(config: &Config, stanza_bytes_max: usize) -> Limits {
    Limits {
        stanza_bytes_max,
        depth_max: config.c2s.depth_max as usize,
        ..Limits::default()
    }
}

/// What operators are told of a refusal. The secret that was tried is not known, nor would it be shown.
fn reason(error: &StreamError, peer: IpAddr) -> String {
    let why = match error.condition {
        StreamCondition::NotAuthorized => "the secret is wrong",
        StreamCondition::HostUnknown => "no such component is configured",
        StreamCondition::Conflict => "another connection is open, and conflict is \"refuse\"",
        StreamCondition::ConnectionTimeout => "it did not prove who it is in time",
        other => other.name(),
    };
    format!("{peer} was not let in: {why}")
}

/// Which component the header is for.
fn check(opening: &Opening) -> Result<BareJid, StreamError> {
    header::expect_content(opening, ns::COMPONENT)?;
    let Some(to) = opening.tag.attribute("to") else {
        return Err(StreamError::new(StreamCondition::ImproperAddressing)
            .text("the header needs 'to', the domain of the component"));
    };
    BareJid::new(to).map_err(|_| StreamCondition::HostUnknown.into())
}

/// Whether the handshake was made with the secret. How long the comparison takes tells nothing of it.
fn knows(handshake: &str, id: &str, secret: &str) -> bool {
    let mut hash = Sha1::new();
    hash.update(id);
    hash.update(secret);
    let expected = hash
        .finalize()
        .iter()
        .fold(String::new(), |mut text, byte| {
            text.push_str(&format!("{byte:02x}"));
            text
        });
    expected
        .as_bytes()
        .ct_eq(handshake.trim().as_bytes())
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handshake_is_the_hash_of_the_id_and_the_secret_in_lower_case() {
        // The examples 2 and 3 of XEP-0114 §3, which do not say their secret.
        let hash = "aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e";
        assert!(knows(hash, "3BF96D32", "test"));
        for (handshake, id, secret) in [
            (hash, "3BF96D33", "test"),
            (hash, "3BF96D32", "Test"),
            (&hash.to_uppercase(), "3BF96D32", "test"),
            ("aaee83c26aeeafcb", "3BF96D32", "test"),
            ("", "3BF96D32", "test"),
        ] {
            assert!(!knows(handshake, id, secret), "{handshake} {id} {secret}");
        }
    }
}
