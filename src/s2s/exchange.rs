//! One stream while stanzas are exchanged over it, in either direction; for streams that others open, from
//! the first byte on.
//!
//! One loop: frames come, what waits in the link's queue goes, and whatever takes too long ends the stream.

mod came;
mod theirs;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use compact_str::CompactString;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::Federation;
use super::dialback::{Pair, Verdict};
use super::failure::{Failure, Step};
use super::house::House;
use super::initiating::Agreed;
use super::link::Claim;
use super::management::Management;
use super::receiving::{self, Receiving};
use super::wire;
use crate::hooks::Published;
use crate::net::rate::Bucket;
use crate::peer::{Connection, ReadError, Turn, Waiting};
use crate::proto::{StreamCondition, StreamError, ns};
use crate::stream::management as nonza;
use crate::xml::{Element, Scope};

pub(super) use theirs::serve;

/// How much is taken from the queue for one write.
const WRITE_BYTES: usize = 64 * 1024;

/// How long the peer may take to read a piece of what is written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the peer may take to acknowledge, to say who it is, or to close its side.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the last write may take when the server stops, and what came may take to be durable before the
/// last acknowledgement.
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
                Event::Late(late) => self.late(late).await,
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

    async fn late(&mut self, late: Late) -> Result<Option<End>, StreamError> {
        match late {
            Late::Pause => self.paused = None,
            Late::Proof => return Err(StreamCondition::ConnectionTimeout.into()),
            Late::Write => return Ok(Some(self.broken("it does not read".to_owned()))),
            Late::Acknowledgement => {
                return Ok(Some(self.broken("it does not acknowledge".to_owned())));
            }
            Late::Close => return Ok(Some(self.over())),
            Late::Idle => {
                self.acknowledge_at_last().await;
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
        self.acknowledge_at_last().await;
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
        self.acknowledge_at_last().await;
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

    /// Before the end of the stream, so that what has arrived is not sent again or given back
    /// (XEP-0198 §4).
    async fn acknowledge_at_last(&mut self) {
        if let Some(management) = &mut self.management
            && let Some(handled) = management.handled_at_last(LAST_WORDS).await
        {
            self.element(&nonza::ack(handled));
        }
    }
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
