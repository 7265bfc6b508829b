//! Streams that other servers open: what their machine says is done here.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tracing::{Instrument, debug, error, info, info_span};

use super::{ANSWER_TIMEOUT, End, Exchange, Side, Start, Theirs};
use crate::hooks::{PeerDirection, PeerKind, PeerSecurity, PeerState, PeerStatus, Published};
use crate::peer::Connection;
use crate::proto::{StreamCondition, StreamError};
use crate::s2s::Federation;
use crate::s2s::connect::tune;
use crate::s2s::dialback::Pair;
use crate::s2s::failure::{Failure, Step};
use crate::s2s::house::{self, House};
use crate::s2s::management::Management;
use crate::s2s::outgoing::verify;
use crate::s2s::receiving::{self, Receiving, Surroundings};

/// Serves a connection that another server has opened.
pub(in crate::s2s) async fn serve(
    federation: &Arc<Federation>,
    socket: TcpStream,
    address: IpAddr,
    start: Start,
) {
    tune(&socket);
    let span = info_span!("s2s", %address, remote = tracing::field::Empty);
    let published = publish(federation, address);
    let mut exchange = Exchange::theirs(federation, socket);
    let running = AssertUnwindSafe(Box::pin(exchange.run_theirs(&published, start)));
    let ended = running.catch_unwind().instrument(span).await;
    if ended.is_err() {
        error!("a stream of another server panicked");
    }
    exchange.give_back();
}

fn publish(federation: &Federation, address: IpAddr) -> Published {
    let status = PeerStatus {
        kind: PeerKind::Server,
        domain: String::new(),
        local: String::new(),
        direction: PeerDirection::Incoming,
        state: PeerState::Negotiating,
        since: federation.clock.now(),
        address: Some(address),
        security: PeerSecurity::Nothing,
        queued_stanzas: 0,
        queued_bytes: 0,
    };
    federation.peers.publish(status, || (0, 0))
}

impl Exchange {
    pub(super) fn theirs(federation: &Arc<Federation>, socket: TcpStream) -> Self {
        let limits = crate::xml::Limits {
            stanza_bytes_max: federation.config.c2s.negotiation_bytes_max.as_usize(),
            ..federation.limits()
        };
        let side = Side::Theirs(Box::new(Theirs {
            receiving: Receiving::new(federation.policy(), federation.secret.clone()),
            chain: Vec::new(),
            deadline: Instant::now() + ANSWER_TIMEOUT,
            verifying: FuturesUnordered::new(),
        }));
        Self::new(federation, Connection::new(socket, limits), side)
    }

    pub(super) async fn run_theirs(&mut self, published: &Published, start: Start) {
        if start == Start::DirectTls
            && let Err(failure) = self.encrypt().await
        {
            return debug!(%failure, "no stream");
        }
        let end = self.run(published).await;
        let Side::Theirs(theirs) = &self.side else {
            return;
        };
        if let (End::Broken { failure, .. }, Some(domain)) = (&end, theirs.receiving.claimed()) {
            self.federation.failed(domain, failure);
        } else {
            debug!(?end, "a stream of another server ends");
        }
    }

    /// The link of a stream of theirs is served by a stream of ours from now on, when anything waits.
    pub(super) fn give_back(mut self) {
        self.put_back();
        if let Some(claim) = self.claim.take()
            && let Some(still) = claim.give_back_if_idle()
        {
            self.federation.connect(still);
        }
    }

    /// Hands something to the machine of a stream of theirs, and does what it says.
    pub(super) async fn receive(
        &mut self,
        input: receiving::Input<'_>,
        published: &Published,
    ) -> Result<Option<End>, StreamError> {
        let element = match &input {
            receiving::Input::Element(element) => Some((*element).clone()),
            _ => None,
        };
        let Side::Theirs(theirs) = &mut self.side else {
            return Err(StreamCondition::BadFormat.into());
        };
        let house = House {
            federation: &self.federation,
            chain: &theirs.chain,
        };
        let output = theirs.receiving.handle(input, &house);
        let refused = match &output.next {
            receiving::Next::Close(error) => Some(theirs.refused(error, &house)),
            _ => None,
        };
        if refused.is_some() {
            self.acknowledge_at_last().await;
        }
        self.write(&output.bytes);
        match output.next {
            receiving::Next::Read => {}
            receiving::Next::Restart => self.connection.restart(),
            receiving::Next::StartTls => {
                self.finish().await;
                if let Err(failure) = self.encrypt().await {
                    let useful = self.useful;
                    return Ok(Some(End::Broken { failure, useful }));
                }
            }
            receiving::Next::Admitted(pair) => self.admitted(pair, published),
            receiving::Next::Verify { pair, id, key } => self.verify(pair, id, key),
            receiving::Next::Manage => self.management = Some(Management::default()),
            receiving::Next::Managed => {
                if let Some(element) = element {
                    self.managed(&element)?;
                }
            }
            receiving::Next::Close(error) => {
                self.finish().await;
                let ours = || Failure::ours(Step::Established, &error);
                let failure = refused.unwrap_or_else(ours);
                let useful = self.useful;
                return Ok(Some(End::Broken { failure, useful }));
            }
        }
        Ok(None)
    }

    pub(super) fn verify(&self, pair: Pair, id: String, key: String) {
        if let Side::Theirs(theirs) = &self.side {
            let federation = Arc::clone(&self.federation);
            theirs
                .verifying
                .push(Box::pin(verify(federation, pair, id, key)));
        }
    }

    /// They have proved who they are: now they may send what servers send, and be sent to over the same
    /// connection when they wish it.
    pub(super) fn admitted(&mut self, pair: Pair, published: &Published) {
        let Side::Theirs(theirs) = &self.side else {
            return;
        };
        tracing::Span::current().record("remote", tracing::field::display(&pair.remote));
        info!(local = %pair.local, remote = %pair.remote, bidi = theirs.receiving.bidi(), "stream admitted");
        let house = House {
            federation: &self.federation,
            chain: &theirs.chain,
        };
        let security = theirs.security(&pair.remote, &house);
        self.connection.set_limits(self.federation.limits());
        if theirs.receiving.bidi() && self.claim.is_none() {
            let link = self.federation.link(&pair);
            self.claim = link.and_then(|link| {
                link.succeeded();
                link.claim()
            });
        }
        let both = self.claim.is_some();
        published.change(self.federation.clock.now(), |status| {
            status.domain = pair.remote;
            status.local = pair.local;
            status.state = PeerState::Established;
            status.security = security;
            if both {
                status.direction = PeerDirection::Both;
            }
        });
    }

    /// The handshake as the one who was connected to.
    pub(super) async fn encrypt(&mut self) -> Result<(), Failure> {
        let limit = self.federation.config.s2s.connect_seconds.duration();
        let config = Arc::clone(&self.federation.tls);
        let shaking = Box::pin(self.connection.accept_tls(config));
        match timeout(limit, shaking).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(Failure::passing(Step::Tls, error.to_string())),
            Err(_) => return Err(Failure::passing(Step::Tls, "no answer in time")),
        }
        if let Side::Theirs(theirs) = &mut self.side {
            theirs.chain = house::chain(&self.connection);
            let house = House {
                federation: &self.federation,
                chain: &theirs.chain,
            };
            theirs.receiving.handle(receiving::Input::Encrypted, &house);
        }
        Ok(())
    }
}

impl Theirs {
    /// Why nothing came of their stream, with what their certificate lacks.
    pub(super) fn refused(&self, error: &StreamError, house: &House<'_>) -> Failure {
        let from = self.receiving.claimed();
        match from.map(|from| house.certificate(from)) {
            Some(Err(reason)) if error.condition == StreamCondition::NotAuthorized => {
                Failure::lasting(Step::Certificate, format!("of its stream to us: {reason}"))
            }
            _ => Failure::ours(Step::Stream, error),
        }
    }

    pub(super) fn security(&self, domain: &str, house: &House<'_>) -> PeerSecurity {
        if !self.receiving.is_encrypted() {
            PeerSecurity::Plain
        } else if house.certificate(domain).is_ok() {
            PeerSecurity::Authenticated
        } else {
            PeerSecurity::Encrypted
        }
    }
}
