//! One stream while stanzas are exchanged over it, in either direction; for streams that others open, from
//! the first byte on.
//!
//! One loop: frames come, what waits in the link's queue goes, and whatever takes too long ends the stream.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use compact_str::CompactString;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tracing::{Instrument, debug, error, info, info_span};

use super::Federation;
use super::connect::tune;
use super::dialback::{Pair, Verdict};
use super::failure::{Failure, Step};
use super::house::{self, House};
use super::initiating::Agreed;
use super::link::Claim;
use super::management::Management;
use super::outgoing::verify;
use super::receiving::{self, Receiving};
use super::wire;
use crate::hooks::{
    Durable, PeerDirection, PeerKind, PeerSecurity, PeerState, PeerStatus, Published,
};
use crate::net::rate::Bucket;
use crate::peer::{Connection, ReadError, Turn, Waiting};
use crate::proto::reading::{self, ReadError as StanzaProblem};
use crate::proto::{Stanza, StanzaError, StreamCondition, StreamError, ns};
use crate::stream::management as nonza;
use crate::xml::{Element, Frame, Opening, Scope, parse};

/// How much is taken from the queue for one write.
const WRITE_BYTES: usize = 64 * 1024;

/// How long the peer may take to read a piece of what is written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the peer may take to acknowledge, to say who it is, or to close its side.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a stanza that came may wait for what it has caused.
const SETTLING_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the last write may take when the server stops.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How many stanzas may wait for an acknowledgement before no more are sent.
const OUTSTANDING_MAX: usize = 1_000;

/// Whether TLS begins with the first byte (XEP-0368) or on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// TLS from the first byte.
    DirectTls,
    /// STARTTLS.
    Plain,
}

/// How a stream ended.
#[derive(Debug)]
pub(super) enum End {
    /// As it should.
    Over {
        /// Stanzas were exchanged before.
        useful: bool,
    },
    /// Something went wrong.
    Broken {
        /// What.
        failure: Failure,
        /// Stanzas were exchanged before: the next attempt need not wait.
        useful: bool,
    },
}

/// Whose stream it is.
enum Side {
    /// We opened it.
    Ours {
        /// For whom.
        pair: Pair,
        /// They may send, too (XEP-0288).
        bidi: bool,
    },
    /// They opened it.
    Theirs(Box<Theirs>),
}

struct Theirs {
    receiving: Receiving,
    chain: Vec<CertificateDer<'static>>,
    /// When they must have proved who they are.
    deadline: Instant,
    verifying: FuturesUnordered<BoxFuture<'static, (Pair, Verdict)>>,
}

/// A stream and everything that belongs to it.
pub(super) struct Exchange {
    federation: Arc<Federation>,
    connection: Connection,
    scope: Scope,
    lang: Option<CompactString>,
    side: Side,
    /// What is about to be written.
    out: BytesMut,
    /// Since when the peer does not take it.
    stuck: Option<Instant>,
    /// What is in `out`, and without acknowledgements is handed over when that is empty.
    written: VecDeque<Waiting>,
    /// The right to send.
    claim: Option<Claim>,
    management: Option<Management>,
    bucket: Bucket,
    /// Until when nothing is read, for the peer sends too fast.
    paused: Option<Instant>,
    /// When the last stanza went or came.
    active: Instant,
    useful: bool,
    /// Our end is said; until when theirs is waited for.
    closing: Option<Instant>,
}

/// What happens next.
enum Event {
    Stop,
    Turn(Result<Turn, ReadError>),
    Taken(Vec<Waiting>),
    Settled(bool),
    Verified(Pair, Verdict),
    Late(Late),
}

/// What took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Late {
    Proof,
    Write,
    Acknowledgement,
    /// Nothing: reading may go on.
    Pause,
    /// Nobody has anything to say.
    Idle,
    Close,
}

/// Serves a connection that another server has opened.
pub(super) async fn serve(
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
    /// A stream of ours that is ready for stanzas.
    pub(super) fn ours(
        federation: &Arc<Federation>,
        connection: Connection,
        scope: Scope,
        claim: Claim,
        agreed: Agreed,
    ) -> Self {
        let side = Side::Ours {
            pair: claim.link.pair.clone(),
            bidi: agreed.bidi,
        };
        let mut exchange = Self::new(federation, connection, side);
        exchange.scope = scope;
        exchange.claim = Some(claim);
        if agreed.management {
            exchange.element(&Element::new(ns::STREAM_MANAGEMENT, "enable"));
            exchange.management = Some(Management::default());
        }
        exchange
    }

    fn theirs(federation: &Arc<Federation>, socket: TcpStream) -> Self {
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

    fn new(federation: &Arc<Federation>, connection: Connection, side: Side) -> Self {
        let s2s = &federation.config.s2s;
        let now = Instant::now();
        let per_second = s2s.bytes_per_second_max.as_u64();
        let burst = per_second.max(s2s.stanza_bytes_max.as_u64());
        Self {
            federation: Arc::clone(federation),
            connection,
            scope: Scope::default(),
            lang: None,
            side,
            out: BytesMut::new(),
            stuck: None,
            written: VecDeque::new(),
            claim: None,
            management: None,
            bucket: Bucket::new(per_second, burst, now),
            paused: None,
            active: now,
            useful: false,
            closing: None,
        }
    }

    /// Exchanges stanzas over a stream of ours; what was not handed over is in the queue again.
    pub(super) async fn run_ours(mut self, published: Published) -> (End, Claim) {
        let end = self.run(&published).await;
        self.put_back();
        let claim = self.claim.take();
        #[expect(
            clippy::expect_used,
            reason = "a stream of ours is made with its claim"
        )]
        let claim = claim.expect("a stream of ours has its claim");
        (end, claim)
    }

    async fn run_theirs(&mut self, published: &Published, start: Start) {
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

    /// What was not handed over goes to the front of the queue.
    fn put_back(&mut self) {
        let mut rest = VecDeque::new();
        if let Some(management) = self.management.take() {
            rest = management.into_unacknowledged();
        }
        rest.append(&mut self.written);
        if let Some(claim) = &self.claim
            && !rest.is_empty()
        {
            claim.link.queue.put_back(rest.into_iter());
        }
    }

    /// The link of a stream of theirs is served by a stream of ours from now on, when anything waits.
    fn give_back(mut self) {
        self.put_back();
        if let Some(claim) = self.claim.take()
            && let Some(still) = claim.give_back_if_idle()
        {
            self.federation.connect(still);
        }
    }

    async fn run(&mut self, published: &Published) -> End {
        loop {
            let event = self.event().await;
            let outcome = match event {
                Event::Stop => return self.say_goodbye().await,
                Event::Turn(Ok(Turn::Frame(frame))) => Box::pin(self.frame(frame, published)).await,
                Event::Turn(Ok(Turn::Wrote { all })) => {
                    self.wrote(all);
                    Ok(None)
                }
                Event::Turn(Err(ReadError::Xml(error))) => Err(error.into()),
                Event::Turn(Err(error)) => Ok(Some(self.broken(error.to_string()))),
                Event::Taken(stanzas) => {
                    self.send(stanzas);
                    Ok(None)
                }
                Event::Settled(true) => {
                    self.acknowledge();
                    Ok(None)
                }
                Event::Settled(false) => Err(StreamCondition::InternalServerError.into()),
                Event::Verified(pair, verdict) => {
                    Box::pin(self.receive(receiving::Input::Verified(pair, verdict), published))
                        .await
                }
                Event::Late(late) => self.late(late),
            };
            match outcome {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(error) => return self.fail(error).await,
            }
        }
    }

    async fn event(&mut self) -> Event {
        let (deadline, late) = self.deadline();
        let reading =
            self.paused.is_none() && self.management.as_ref().is_none_or(Management::takes_more);
        let outstanding = self.management.as_ref().map_or(0, Management::outstanding);
        let sends = self.out.is_empty() && self.closing.is_none() && outstanding < OUTSTANDING_MAX;
        let stop = &self.federation.stop;
        let verifying = match &mut self.side {
            Side::Theirs(theirs) if !theirs.verifying.is_empty() => Some(&mut theirs.verifying),
            Side::Theirs(_) | Side::Ours { .. } => None,
        };
        tokio::select! {
            () = stop.cancelled(), if self.closing.is_none() => Event::Stop,
            turn = self.connection.turn(&mut self.out, reading) => Event::Turn(turn),
            taken = taken(self.claim.as_ref()), if sends => Event::Taken(taken),
            settled = settled(self.management.as_mut()) => Event::Settled(settled),
            (pair, verdict) = verified(verifying) => Event::Verified(pair, verdict),
            () = sleep_until(deadline) => Event::Late(late),
        }
    }

    /// What takes too long first, and when.
    fn deadline(&self) -> (Instant, Late) {
        let idle = self.federation.config.s2s.idle_seconds.duration();
        let idle = self.closing.is_none().then(|| self.active + idle);
        let asked = self.management.as_ref().and_then(Management::asked);
        let proof = match &self.side {
            Side::Theirs(theirs) if !theirs.receiving.is_admitted() => Some(theirs.deadline),
            Side::Theirs(_) | Side::Ours { .. } => None,
        };
        let others = [
            (proof, Late::Proof),
            (self.stuck.map(|since| since + WRITE_TIMEOUT), Late::Write),
            (
                asked.map(|since| since + ANSWER_TIMEOUT),
                Late::Acknowledgement,
            ),
            (self.paused, Late::Pause),
            (self.closing, Late::Close),
            (idle, Late::Idle),
        ];
        let first = (Instant::now() + ANSWER_TIMEOUT, Late::Pause);
        let due = others
            .into_iter()
            .filter_map(|(at, late)| Some((at?, late)));
        due.fold(
            first,
            |first, other| if other.0 < first.0 { other } else { first },
        )
    }

    fn late(&mut self, late: Late) -> Result<Option<End>, StreamError> {
        match late {
            Late::Pause => self.paused = None,
            Late::Proof => return Err(StreamCondition::ConnectionTimeout.into()),
            Late::Write => return Ok(Some(self.broken("it does not read".to_owned()))),
            Late::Acknowledgement => {
                return Ok(Some(self.broken("it does not acknowledge".to_owned())));
            }
            Late::Close => return Ok(Some(self.over())),
            Late::Idle => {
                self.write(wire::CLOSE);
                self.closing = Some(Instant::now() + WRITE_TIMEOUT);
                self.active = Instant::now();
            }
        }
        Ok(None)
    }

    const fn over(&self) -> End {
        End::Over {
            useful: self.useful,
        }
    }

    fn broken(&self, reason: String) -> End {
        End::Broken {
            failure: Failure::passing(Step::Established, reason),
            useful: self.useful,
        }
    }

    /// Writes the error, and what was to be written before it.
    async fn fail(&mut self, error: StreamError) -> End {
        let mut bytes = Vec::new();
        let mut failure = Failure::ours(Step::Established, &error);
        match &mut self.side {
            Side::Ours { .. } => wire::fail(&mut bytes, &error),
            Side::Theirs(theirs) => {
                let house = House {
                    federation: &self.federation,
                    chain: &theirs.chain,
                };
                if !theirs.receiving.is_admitted() {
                    failure = theirs.refused(&error, &house);
                }
                theirs.receiving.fail(error, &house, &mut bytes);
            }
        }
        self.write(&bytes);
        self.finish().await;
        End::Broken {
            failure,
            useful: self.useful,
        }
    }

    /// Writes what is left and lets the peer close.
    async fn finish(&mut self) {
        let rest = self.out.split();
        self.stuck = None;
        if self.connection.write(&rest).await.is_ok() {
            self.written.clear();
        }
    }

    /// The server stops: what waits is sent still.
    async fn say_goodbye(&mut self) -> End {
        let rest = self.claim.as_ref().map(|claim| claim.link.queue.drain());
        self.send(rest.unwrap_or_default());
        let mut bytes = Vec::new();
        wire::fail(&mut bytes, &StreamCondition::SystemShutdown.into());
        self.write(&bytes);
        if timeout(LAST_WORDS, self.finish()).await.is_ok() {
            // It is on its way; whether it arrives, nobody stays to hear.
            self.management = None;
        }
        self.over()
    }

    fn write(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.out.extend_from_slice(bytes);
            self.stuck.get_or_insert_with(Instant::now);
        }
    }

    fn element(&mut self, element: &Element) {
        let mut bytes = Vec::new();
        wire::element(&mut bytes, element);
        self.write(&bytes);
    }

    fn wrote(&mut self, all: bool) {
        self.stuck = (!all).then(Instant::now);
        if all {
            self.useful |= !self.written.is_empty();
            self.written.clear();
        }
    }

    fn send(&mut self, stanzas: Vec<Waiting>) {
        if stanzas.is_empty() {
            return;
        }
        let mut bytes = Vec::new();
        for waiting in &stanzas {
            waiting.stanza.write(&mut bytes, None);
        }
        self.write(&bytes);
        self.active = Instant::now();
        if let Some(management) = &mut self.management {
            management.sent(stanzas, self.active);
            self.element(&nonza::request());
        } else {
            self.written.extend(stanzas);
        }
    }

    fn acknowledge(&mut self) {
        if let Some(management) = &mut self.management {
            let handled = management.handled();
            self.element(&nonza::ack(handled));
        }
    }

    async fn frame(
        &mut self,
        frame: Frame,
        published: &Published,
    ) -> Result<Option<End>, StreamError> {
        match frame {
            Frame::Open(opening) => self.opened(&opening, published).await,
            Frame::Element(bytes) => self.came(bytes, published).await,
            Frame::Close => {
                if self.closing.is_none() {
                    self.write(wire::CLOSE);
                    self.finish().await;
                }
                Ok(Some(self.over()))
            }
        }
    }

    async fn opened(
        &mut self,
        opening: &Opening,
        published: &Published,
    ) -> Result<Option<End>, StreamError> {
        self.scope = opening.scope.clone();
        self.lang = reading::stream_lang(&opening.tag);
        self.receive(receiving::Input::Header(opening), published)
            .await
    }

    async fn came(
        &mut self,
        bytes: Bytes,
        published: &Published,
    ) -> Result<Option<End>, StreamError> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let now = Instant::now();
        self.paused = self.bucket.take(size, now).map(|wait| now + wait);
        let limits = self.federation.limits();
        let parsed = parse(bytes, &self.scope, &limits)?;
        if parsed.tag.ns() == ns::SERVER {
            return match reading::stanza(parsed, ns::SERVER) {
                Ok(stanza) => self.stanza(stanza).await.map(|()| None),
                Err(problem) => self.no_stanza(problem).await.map(|()| None),
            };
        }
        let element = parsed.to_element()?;
        if element.is(ns::STREAMS, "error") {
            self.write(wire::CLOSE);
            self.finish().await;
            return Ok(Some(End::Broken {
                failure: Failure::told(Step::Established, &element),
                useful: self.useful,
            }));
        }
        match &self.side {
            Side::Theirs(_) => {
                self.receive(receiving::Input::Element(&element), published)
                    .await
            }
            Side::Ours { .. } => self.answered(&element).map(|()| None),
        }
    }

    async fn stanza(&mut self, mut stanza: Stanza) -> Result<(), StreamError> {
        self.admits(&stanza)?;
        self.active = Instant::now();
        self.useful = true;
        if stanza.lang.is_none() {
            stanza.lang.clone_from(&self.lang);
        }
        let Some(router) = self.federation.router.upgrade() else {
            return Err(StreamCondition::SystemShutdown.into());
        };
        let writes = router.arrive(stanza).await;
        if let Some(management) = &mut self.management {
            management.received(writes.into_iter().map(bounded).collect());
        }
        Ok(())
    }

    fn admits(&self, stanza: &Stanza) -> Result<(), StreamError> {
        match &self.side {
            Side::Theirs(theirs) => {
                let house = House {
                    federation: &self.federation,
                    chain: &theirs.chain,
                };
                theirs.receiving.admits(stanza, &house)
            }
            Side::Ours { bidi: false, .. } => Err(StreamCondition::NotAuthorized.into()),
            Side::Ours { pair, .. } => {
                let (Some(from), Some(to)) = (&stanza.from, &stanza.to) else {
                    return Err(StreamCondition::ImproperAddressing.into());
                };
                if from.domain() != pair.remote {
                    return Err(StreamCondition::InvalidFrom.into());
                }
                if !self.federation.serves(to.domain()) {
                    return Err(StreamCondition::HostUnknown.into());
                }
                Ok(())
            }
        }
    }

    /// What cannot be read as a stanza goes back to its sender, or ends the stream.
    async fn no_stanza(&mut self, problem: StanzaProblem) -> Result<(), StreamError> {
        let (mut stanza, error): (Box<Stanza>, StanzaError) = match problem {
            StanzaProblem::NotAStanza => {
                return Err(StreamCondition::UnsupportedStanzaType.into());
            }
            StanzaProblem::From => return Err(StreamCondition::InvalidFrom.into()),
            StanzaProblem::Refused(stanza, error) => (stanza, error),
        };
        if stanza.to.is_none() {
            // The malformed address cannot be the sender of the answer.
            let local = self.local();
            stanza.to = local.and_then(|domain| crate::proto::Jid::parse(&domain).ok());
        }
        self.admits(&stanza)?;
        if let Some(refusal) = stanza.refusal(&error)
            && let Some(router) = self.federation.router.upgrade()
        {
            router.route(refusal).await;
        }
        if let Some(management) = &mut self.management {
            management.received(Vec::new());
        }
        Ok(())
    }

    fn local(&self) -> Option<String> {
        match &self.side {
            Side::Ours { pair, .. } => Some(pair.local.clone()),
            Side::Theirs(theirs) => theirs.receiving.wanted().map(str::to_owned),
        }
    }

    /// An element over a stream of ours that is no stanza.
    fn answered(&mut self, element: &Element) -> Result<(), StreamError> {
        match (element.ns(), element.name()) {
            (ns::STREAM_MANAGEMENT, "r" | "a") if self.management.is_some() => {
                self.managed(element)
            }
            // They do not acknowledge after all: what was written counts as handed over.
            (ns::STREAM_MANAGEMENT, "failed") => {
                self.management = None;
                Ok(())
            }
            (ns::STREAM_MANAGEMENT, "enabled") | (ns::STREAMS, "features") => Ok(()),
            (ns::DIALBACK, name @ ("result" | "verify")) => {
                self.decline(element, name);
                Ok(())
            }
            _ => Err(StreamCondition::UnsupportedStanzaType.into()),
        }
    }

    /// Who wants to prove or to verify something opens a stream for it.
    fn decline(&mut self, element: &Element, name: &str) {
        if element.attribute("type").is_some() {
            return;
        }
        let said = |name: &str| element.attribute(name).unwrap_or_default();
        let verdict = Verdict::Error(crate::proto::Condition::NotAllowed);
        let (from, to, id) = (said("to"), said("from"), element.attribute("id"));
        let mut bytes = Vec::new();
        super::dialback::answer(&mut bytes, name, from, to, id, verdict);
        self.write(&bytes);
    }

    fn managed(&mut self, element: &Element) -> Result<(), StreamError> {
        let Some(management) = &mut self.management else {
            return Ok(());
        };
        if element.name() == "r" {
            self.acknowledge();
            return Ok(());
        }
        let h = element.attribute("h").and_then(nonza::count);
        let Some(h) = h else {
            return Err(StreamError::new(StreamCondition::BadFormat)
                .text("an acknowledgement needs 'h', a number"));
        };
        let handed_over = management.acknowledge(h, Instant::now())?;
        self.useful |= handed_over > 0;
        Ok(())
    }

    /// Hands something to the machine of a stream of theirs, and does what it says.
    async fn receive(
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

    fn verify(&self, pair: Pair, id: String, key: String) {
        if let Side::Theirs(theirs) = &self.side {
            let federation = Arc::clone(&self.federation);
            theirs
                .verifying
                .push(Box::pin(verify(federation, pair, id, key)));
        }
    }

    /// They have proved who they are: now they may send what servers send, and be sent to over the same
    /// connection when they wish it.
    fn admitted(&mut self, pair: Pair, published: &Published) {
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
    async fn encrypt(&mut self) -> Result<(), Failure> {
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
    fn refused(&self, error: &StreamError, house: &House<'_>) -> Failure {
        use super::receiving::Surroundings as _;
        let from = self.receiving.claimed();
        match from.map(|from| house.certificate(from)) {
            Some(Err(reason)) if error.condition == StreamCondition::NotAuthorized => {
                Failure::lasting(Step::Certificate, format!("of its stream to us: {reason}"))
            }
            _ => Failure::ours(Step::Stream, error),
        }
    }

    fn security(&self, domain: &str, house: &House<'_>) -> PeerSecurity {
        use super::receiving::Surroundings as _;
        if !self.receiving.is_encrypted() {
            PeerSecurity::Plain
        } else if house.certificate(domain).is_ok() {
            PeerSecurity::Authenticated
        } else {
            PeerSecurity::Encrypted
        }
    }
}

/// A stanza counts as handled after that time, whatever it waits for: what goes to a third server that does
/// not answer waits in a queue of ours, and is our affair.
fn bounded(write: Durable) -> Durable {
    Box::pin(async move {
        match timeout(SETTLING_TIMEOUT, write).await {
            Ok(outcome) => outcome,
            Err(_) => Ok(()),
        }
    })
}

/// What waits in the queue of the link; nothing ever without one.
async fn taken(claim: Option<&Claim>) -> Vec<Waiting> {
    match claim {
        Some(claim) => match claim.link.queue.take(WRITE_BYTES).await {
            Some(stanzas) => stanzas,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}

/// Whether the writes went well that an answer waited for.
async fn settled(management: Option<&mut Management>) -> bool {
    match management {
        Some(management) => poll_fn(|cx| management.poll_settled(cx)).await.is_ok(),
        None => std::future::pending().await,
    }
}

async fn verified(
    verifying: Option<&mut FuturesUnordered<BoxFuture<'static, (Pair, Verdict)>>>,
) -> (Pair, Verdict) {
    match verifying {
        Some(verifying) => match verifying.next().await {
            Some(answer) => answer,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}
