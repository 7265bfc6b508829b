//! The task of a connected component: it reads and routes, and writes what waits, until one side ends it.
//!
//! The protocol knows no acknowledgements: what the socket has taken counts as handed over. What it has not
//! goes back into the queue in its old order when the connection is lost, in whole pieces, so that a component
//! may get twice what it had begun to read, and never misses what was not written.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use compact_str::CompactString;
use tokio::time::{Instant, Sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::Setup;
use super::delegation::{self, Answered};
use super::inbound::{self, Rules, Unfit};
use super::place::Seat;
use super::privilege::{self, Opened};
use crate::config::Component;
use crate::hooks::{PeerFailure, Services};
use crate::net::rate::Bucket;
use crate::peer::{Connection, ReadError};
use crate::proto::{BareJid, IqType, Stanza, StreamCondition, StreamError, ns};
use crate::stream::{Framing, Outbox};
use crate::xml::{Element, Frame, Limits, Scope};

/// How much is taken out of the queue for one write: what a socket's buffer takes without waiting.
const WRITE_BYTES: usize = 64 * 1024;

/// How long the last words may take. A component that does not read must not hold up the server's end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What was agreed on while the stream was opened.
pub(super) struct Terms {
    pub(super) scope: Scope,
    pub(super) lang: Option<CompactString>,
    pub(super) limits: Limits,
}

/// A connected component at work.
pub(super) struct Task {
    connection: Connection,
    seat: Seat,
    terms: Terms,
    services: Arc<Services>,
    stop: CancellationToken,
    bucket: Bucket,
    paused_until: Option<Instant>,
    asked: bool,
}

/// Why the loop ends.
enum End {
    /// The component closed its stream: ours is closed in return.
    Closed,
    /// A stream error is sent.
    Failed(StreamError),
    /// The connection is gone.
    Lost,
}

impl From<StreamCondition> for End {
    fn from(condition: StreamCondition) -> Self {
        Self::Failed(condition.into())
    }
}

impl Task {
    pub(super) fn new(connection: Connection, seat: Seat, setup: &Setup, terms: Terms) -> Self {
        let config = seat.place().config();
        let bucket = Bucket::new(
            config.bytes_per_second_max.as_u64(),
            config.burst_bytes_max.as_u64(),
            Instant::now(),
        );
        Self {
            connection,
            seat,
            terms,
            services: Arc::clone(&setup.services),
            stop: setup.stop.clone(),
            bucket,
            paused_until: None,
            asked: false,
        }
    }

    /// The domain that is served.
    pub(super) fn domain(&self) -> BareJid {
        self.seat.place().domain().clone()
    }

    /// Runs until the connection is over, and tells the component why.
    pub(super) async fn run(mut self) {
        let end = match self.advertise().await {
            Ok(()) => {
                let domain = self.seat.place().domain();
                self.services
                    .hooks
                    .run_component(domain, &self.services)
                    .await;
                self.turns().await
            }
            Err(end) => end,
        };
        let Self {
            mut connection,
            seat,
            services,
            ..
        } = self;
        let domain = seat.place().domain().clone();
        // First of all: another connection may wait for it.
        drop(seat);
        let mut out = Outbox::new(Framing::Stream);
        match end {
            End::Closed => out.close(),
            End::Failed(error) => {
                warn!(condition = error.condition.name(), "stream error");
                out.fail(&error);
                remember(&services, domain.as_str(), error.condition);
            }
            End::Lost => return info!("the connection of a component is lost"),
        }
        info!("a component is disconnected");
        let last_words = async {
            if connection.write(out.bytes()).await.is_ok() {
                connection.close().await;
            }
        };
        // Whichever way it goes, the connection is over.
        let _ = timeout(LAST_WORDS, last_words).await;
    }

    /// XEP-0356 §4.2, XEP-0355 §4.2: it learns what it may do, and is to do, before anything else.
    async fn advertise(&mut self) -> Result<(), End> {
        let place = Arc::clone(self.seat.place());
        let mut out = Outbox::new(Framing::Stream);
        for host in &self.services.hosts {
            let privileges = privilege::advertisement(place.config(), host);
            let delegations = delegation::advertisement(place.config(), host);
            for told in privileges.iter().chain(&delegations) {
                out.stanza(told);
            }
            for question in delegation::questions(&place, host) {
                out.stanza(&question);
            }
        }
        // XEP-0356 §8: whose presence it would know if it had been there before.
        for presence in privilege::presences(place.config(), &self.services) {
            out.stanza(&presence);
            if out.bytes().len() >= WRITE_BYTES {
                self.write(&out).await?;
                out = Outbox::new(Framing::Stream);
            }
        }
        self.write(&out).await
    }

    /// One turn after the other, each for whatever is ready first.
    async fn turns(&mut self) -> End {
        let place = Arc::clone(self.seat.place());
        let (told, stop) = (self.seat.told(), self.stop.clone());
        let silence = tokio::time::sleep(patience(place.config(), false));
        tokio::pin!(silence);
        loop {
            let paused = self.paused_until;
            let asks = !place.config().idle_seconds.duration().is_zero();
            let turn = tokio::select! {
                () = told.cancelled() => Err(StreamCondition::Conflict.into()),
                () = stop.cancelled() => Err(StreamCondition::SystemShutdown.into()),
                taken = place.queue().take(WRITE_BYTES) => match taken {
                    Some(taken) => {
                        self.seat.in_flight = taken;
                        self.write_mail().await
                    }
                    None => Err(StreamCondition::SystemShutdown.into()),
                },
                frame = self.connection.next(), if paused.is_none() => {
                    let next = self.received(frame).await;
                    self.heard(silence.as_mut());
                    next
                }
                () = wait_until(paused), if paused.is_some() => {
                    self.paused_until = None;
                    self.heard(silence.as_mut());
                    Ok(())
                }
                () = &mut silence, if asks => self.silent(silence.as_mut()).await,
            };
            if let Err(end) = turn {
                return end;
            }
        }
    }

    /// Whatever it says shows that it is there.
    fn heard(&mut self, silence: std::pin::Pin<&mut Sleep>) {
        self.asked = false;
        silence.reset(Instant::now() + patience(self.seat.place().config(), false));
    }

    /// Asks whether it is there, and ends the connection when it was asked already.
    async fn silent(&mut self, silence: std::pin::Pin<&mut Sleep>) -> Result<(), End> {
        if self.asked {
            return Err(StreamCondition::ConnectionTimeout.into());
        }
        self.asked = true;
        silence.reset(Instant::now() + patience(self.seat.place().config(), true));
        let Some(host) = self.services.hosts.first() else {
            return Ok(());
        };
        // Nobody waits for this very answer: anything at all will do.
        let ping = Stanza::iq(IqType::Get, &crate::id::random())
            .from(host.clone())
            .to(self.seat.place().domain().clone())
            .child(&Element::new(ns::PING, "ping"));
        let mut out = Outbox::new(Framing::Stream);
        out.stanza(&ping);
        self.write(&out).await
    }

    /// Writes what was taken out of the queue.
    async fn write_mail(&mut self) -> Result<(), End> {
        let mut out = Outbox::new(Framing::Stream);
        for waiting in &self.seat.in_flight {
            out.stanza(&waiting.stanza);
        }
        self.write(&out).await?;
        self.seat.in_flight.clear();
        Ok(())
    }

    /// Writes; a component that does not read cannot keep another connection of its own from taking over.
    async fn write(&mut self, out: &Outbox) -> Result<(), End> {
        let told = self.seat.told();
        tokio::select! {
            biased;
            written = self.connection.write(out.bytes()) => written.map_err(|error| {
                debug!(%error, "not written");
                End::Lost
            }),
            // Half a stanza may be out: there is no place for an error.
            () = told.cancelled() => Err(End::Lost),
            () = self.stop.cancelled() => Err(End::Lost),
        }
    }

    async fn received(&mut self, frame: Result<Frame, ReadError>) -> Result<(), End> {
        match frame {
            Ok(Frame::Element(bytes)) => self.element(bytes).await,
            Ok(Frame::Close) => Err(End::Closed),
            // The framer gives one header only.
            Ok(Frame::Open(_)) => Err(StreamCondition::BadFormat.into()),
            Err(ReadError::Xml(error)) => Err(End::Failed(error.into())),
            Err(ReadError::Broken(_) | ReadError::Closed) => Err(End::Lost),
        }
    }

    async fn element(&mut self, bytes: Bytes) -> Result<(), End> {
        let now = Instant::now();
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.paused_until = self.bucket.take(count, now).map(|pause| now + pause);
        let rules = Rules {
            domain: self.seat.place().domain(),
            scope: &self.terms.scope,
            lang: self.terms.lang.as_ref(),
            limits: &self.terms.limits,
        };
        match inbound::read(bytes, &rules) {
            Ok(stanza) => {
                let place = Arc::clone(self.seat.place());
                let opened = privilege::open(stanza, place.config(), &self.services);
                match Box::pin(opened).await {
                    Opened::Ordinary(stanza) => {
                        match delegation::answered(self.seat.place(), stanza) {
                            Answered::Other(stanza) | Answered::Tell(stanza) => {
                                self.route(stanza).await;
                            }
                            Answered::Done => {}
                        }
                        Ok(())
                    }
                    Opened::Unwrapped(stanza) => {
                        self.route(stanza).await;
                        Ok(())
                    }
                    Opened::Refused(answer) => self.answer(answer).await,
                }
            }
            Err(Unfit::Fatal(error)) => Err(End::Failed(error)),
            Err(Unfit::Refused(answer)) => self.answer(answer).await,
        }
    }

    /// Says why a stanza is refused, where that is allowed.
    async fn answer(&mut self, answer: Option<Box<Stanza>>) -> Result<(), End> {
        let Some(mut answer) = answer else {
            return Ok(());
        };
        if answer.from.is_none() {
            // XEP-0114 §3: both addresses have to be there.
            answer.from = self.services.hosts.first().cloned().map(Into::into);
        }
        let mut out = Outbox::new(Framing::Stream);
        out.stanza(&answer);
        self.write(&out).await
    }

    /// The protocol has no acknowledgement that would have to wait until writes are durable.
    async fn route(&self, stanza: Stanza) {
        if let Some(router) = self.services.router.upgrade() {
            drop(router.arrive(stanza).await);
        }
    }
}

/// Tells operators why a stream was ended, unless the end was ours.
fn remember(services: &Services, domain: &str, condition: StreamCondition) {
    if condition != StreamCondition::SystemShutdown {
        let failure = PeerFailure {
            at: services.clock.now(),
            step: "stream",
            reason: format!("ended with {}", condition.name()),
        };
        services.peers.failed(domain, failure);
    }
}

/// How long it may be silent.
const fn patience(config: &Component, asked: bool) -> Duration {
    if asked {
        config.idle_answer_seconds.duration()
    } else {
        config.idle_seconds.duration()
    }
}

async fn wait_until(moment: Option<Instant>) {
    if let Some(moment) = moment {
        tokio::time::sleep_until(moment).await;
    }
}
