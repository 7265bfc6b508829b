//! The task of a bound session: reads, routes, writes, until one side ends it.
//!
//! With stream management (XEP-0198) it goes on without a connection: see `parked`.

mod backlog;
mod nonzas;
mod parked;
mod parting;
mod writing;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;

use bytes::BytesMut;
use compact_str::CompactString;
use tokio::time::{Duration, Instant};
use tracing::info;

use super::Listener;
use super::client_state::Held;
use super::inbound::{self, Inbound, Unfit};
use super::management::{Management, Origin};
use super::negotiate::{Beginning, Bound};
use super::resumables::Resumables;
use super::transport::Transport;
use super::web::refusal;
use crate::hooks::{Mail, Session, Told};
use crate::net::rate::Bucket;
use crate::proto::{IqType, Stanza, StreamCondition, StreamError, ns};
use crate::router::{Replies, Router};
use crate::store::StoreError;
use crate::stream::Outbox;
use crate::xml::{Element, Frame, Framer, Limits, Scope};

/// How much is gathered before it is written: what one TLS record and a socket's send
/// buffer take without waiting.
const WRITE_BYTES: usize = 64 * 1024;

/// How many stanzas, beside those in the mailbox, wait until all kept messages were given: as many as
/// a lively room says while a telephone with a slow link reads what it missed.
const BEHIND_STANZAS_MAX: usize = 1_024;

/// The same in bytes.
const BEHIND_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A bound session at work.
pub(super) struct Task {
    router: Arc<Router>,
    limits: Limits,
    transport: Option<Transport>,
    buffer: BytesMut,
    framer: Framer,
    scope: Scope,
    /// The language that the client's stream header gave (RFC 6120 §4.7.4).
    lang: Option<CompactString>,
    session: Arc<Session>,
    resumables: Arc<Resumables>,
    /// XEP-0198, where the client has enabled it.
    management: Option<Box<Management>>,
    /// What waits while the client is inactive (XEP-0352); none while it is active.
    held: Option<Box<Held>>,
    beginning: Beginning,
    /// Taken from the mailbox and not written yet.
    in_flight: VecDeque<Mail>,
    out: Outbox,
    bucket: Bucket,
    paused_until: Option<Instant>,
    heard: Instant,
    asked: bool,
    given_back: bool,
}

/// Why the loop ends.
enum End {
    /// The peer closed its stream: ours is closed in return.
    Closed,
    /// A stream error is sent.
    Failed(StreamError),
    /// The connection is gone.
    Lost,
    /// Another connection of the client takes the session over (XEP-0198 §5). This one is told,
    /// unless half a stanza is out.
    TakenOver { mid_stanza: bool },
}

impl Task {
    pub(super) fn new(listener: &Arc<Listener>, bound: Bound) -> Self {
        let now = Instant::now();
        let c2s = &listener.router.services().config.c2s;
        Self {
            router: Arc::clone(&listener.router),
            limits: listener.session_limits,
            transport: Some(bound.transport),
            buffer: bound.buffer,
            framer: bound.framer,
            scope: bound.scope,
            lang: bound.lang,
            held: bound.session.is_inactive().then(Box::default),
            session: bound.session,
            resumables: Arc::clone(&listener.resumables),
            management: bound.management,
            beginning: bound.beginning,
            in_flight: VecDeque::new(),
            out: Outbox::new(bound.framing),
            bucket: Bucket::new(
                c2s.bytes_per_second_max.as_u64(),
                c2s.burst_bytes_max.as_u64(),
                now,
            ),
            paused_until: None,
            heard: now,
            asked: false,
            given_back: false,
        }
    }

    /// Runs until the session is over, and tells the peer why.
    pub(super) async fn run(&mut self) {
        let Some(mut transport) = self.transport.take() else {
            return;
        };
        let mut end = match Box::pin(self.begin(&mut transport)).await {
            Ok(()) => self.turns(&mut transport).await,
            Err(end) => end,
        };
        while let End::TakenOver { mid_stanza } = end {
            end = match Box::pin(self.hand_over()).await {
                Ok(()) if mid_stanza => return,
                Ok(()) => End::Failed(StreamCondition::Conflict.into()),
                Err(End::Failed(_)) if mid_stanza => return Box::pin(self.give_back()).await,
                // Whoever wanted it is gone, and this client is not.
                Err(End::Lost) if !mid_stanza => self.turns(&mut transport).await,
                Err(end) => end,
            };
        }
        if matches!(end, End::Lost) {
            drop(transport);
            return Box::pin(self.lost()).await;
        }
        // Before the peer learns of it: when it comes again, what was kept is there.
        Box::pin(self.give_back()).await;
        match end {
            End::Closed => self.out.close(),
            End::Failed(error) => {
                info!(condition = error.condition.name(), "stream error");
                self.out.fail(&error);
            }
            End::Lost | End::TakenOver { .. } => return,
        }
        let last_words = async {
            if transport.write(self.out.bytes()).await.is_ok() {
                transport.close().await;
            }
        };
        Box::pin(last_words).await;
    }

    /// What is due before the first turn: a client that is back gets what it missed, and what came
    /// together with the last step of the negotiation is read.
    async fn begin(&mut self, transport: &mut Transport) -> Result<(), End> {
        if self.beginning == Beginning::Resumed {
            self.resume(transport).await?;
        }
        self.frames(transport).await
    }

    /// One turn after the other, each for whatever is ready first.
    async fn turns(&mut self, transport: &mut Transport) -> End {
        let c2s = &self.router.services().config.c2s;
        let (idle, answer) = (
            c2s.idle_seconds.duration(),
            c2s.idle_answer_seconds.duration(),
        );
        let session = Arc::clone(&self.session);
        let told = session.until_told();
        let silence = tokio::time::sleep(idle);
        tokio::pin!(told, silence);
        loop {
            if let Some(moment) = self.next_moment()
                && moment < silence.deadline()
            {
                silence.as_mut().reset(moment);
            }
            let paused = self.paused_until;
            let may_write = !self.must_wait();
            // In no fixed order: a flood of mail must not keep the session from being heard.
            let turn = tokio::select! {
                told = &mut told => Err(match told {
                    Told::End(error) => {
                        self.last_presence(&error);
                        End::Failed(error)
                    }
                    Told::HandOver => End::TakenOver { mid_stanza: false },
                }),
                mail = session.mail(), if may_write => self.mailbox(mail, transport).await,
                read = transport.read(&mut self.buffer), if paused.is_none() => match read {
                    // On the heap while it lasts, so that an idle session's future is small.
                    Ok(count) if count > 0 => Box::pin(self.received(count, transport)).await,
                    Ok(_) => Err(End::Lost),
                    Err(error) => Err(refusal(error).map_or(End::Lost, End::Failed)),
                },
                () = wait_until(paused), if paused.is_some() => {
                    self.paused_until = None;
                    Ok(())
                }
                settled = settled(self.management.as_deref_mut()) => {
                    Box::pin(self.settled(settled, transport)).await
                }
                () = &mut silence => {
                    let next = Box::pin(self.silent(idle, answer, transport)).await;
                    next.map(|next| silence.as_mut().reset(next))
                }
            };
            if let Err(end) = turn {
                return end;
            }
        }
    }

    async fn received(&mut self, count: usize, transport: &mut Transport) -> Result<(), End> {
        self.heard = Instant::now();
        self.asked = false;
        if let Some(wait) = self.bucket.take(count as u64, self.heard) {
            self.paused_until = Some(self.heard + wait);
        }
        // What came before is written before what is answered now.
        if !self.must_wait() {
            let mail = self.session.mail_now();
            if self.goes_with_the_answer(&mail) {
                mail.iter()
                    .for_each(|mail| self.out.mail(self.session.jid(), mail));
            } else {
                self.mail(mail, transport).await?;
            }
        }
        self.frames(transport).await
    }

    /// Routes every complete stanza in the buffer.
    async fn frames(&mut self, transport: &mut Transport) -> Result<(), End> {
        while let Some(inbound) = self.next_inbound()? {
            match inbound {
                Ok(Inbound::Stanza(stanza)) => self.submit(stanza, transport).await?,
                Ok(Inbound::Nonza(parsed)) => {
                    Box::pin(self.nonza(&parsed, transport)).await?;
                }
                Err(Unfit::Refused(answer)) => {
                    self.write(answer.into_iter().map(Arc::from));
                    self.count(Vec::new());
                    if self.management.is_some() {
                        Box::pin(self.keep_within_bounds(transport)).await?;
                    }
                }
                Err(Unfit::Fatal(error)) => return Err(End::Failed(error)),
            }
        }
        if self.buffer.is_empty() {
            // An idle session holds no buffer.
            self.buffer = BytesMut::new();
        }
        self.flush_with_mail(transport).await
    }

    /// The next element in the buffer that is complete.
    fn next_inbound(&mut self) -> Result<Option<Result<Inbound, Unfit>>, End> {
        let frame = self.framer.next(&mut self.buffer);
        match frame.map_err(|error| End::Failed(error.into()))? {
            Some(Frame::Element(bytes)) => {
                let lang = self.lang.as_ref();
                let inbound = inbound::read(bytes, &self.scope, lang, &self.limits, &self.session);
                Ok(Some(inbound))
            }
            Some(Frame::Close) => Err(End::Closed),
            Some(Frame::Open(_)) => Err(End::Failed(StreamCondition::BadFormat.into())),
            None => Ok(None),
        }
    }

    async fn submit(&mut self, stanza: Mail, transport: &mut Transport) -> Result<(), End> {
        let (replies, waited) = {
            let routing = pin!(self.router.submit(&self.session, stanza));
            noticing(routing).await
        };
        let Replies {
            stanzas,
            durable,
            became_available,
            ..
        } = replies;
        if waited && !stanzas.is_empty() {
            // What many wait for comes for many at once, and what each of them does then is told to others: whoever can go on
            // does so before this is written, so that what comes of it goes along.
            tokio::task::yield_now().await;
        }
        let weight: usize = stanzas.iter().map(|stanza| stanza.weight()).sum();
        self.out.reserve(weight.min(WRITE_BYTES));
        self.write(stanzas);
        if self.management.is_some() {
            self.count(durable);
            if became_available {
                self.owe_backlog();
            }
            Box::pin(self.keep_within_bounds(transport)).await?;
        }
        if self.out.len() >= WRITE_BYTES {
            self.flush(transport).await?;
        }
        if became_available {
            Box::pin(self.backlog_due(transport)).await?;
        }
        Ok(())
    }

    /// Gives the session what was kept for its account. A page counts as delivered when it
    /// has been written, and with stream management when it has been acknowledged; then the next
    /// one is asked for.
    async fn backlog(&mut self, transport: &mut Transport) -> Result<(), End> {
        let services = Arc::clone(self.router.services());
        loop {
            let page = services.hooks.next_backlog(&self.session, &services).await;
            if page.is_empty() {
                return self.mail(VecDeque::new(), transport).await;
            }
            if let Some(management) = &mut self.management {
                for stanza in page {
                    self.out.stanza(&stanza);
                    management.sent(Arc::new(stanza), Origin::Kept);
                }
                management.end_page();
                return self.flush(transport).await;
            }
            self.write(page.into_iter().map(Arc::new));
            self.flush(transport).await?;
            self.put_behind_the_backlog();
        }
    }

    /// Makes room in the mailbox while older messages are being given: what came in the meantime
    /// is written behind them.
    fn put_behind_the_backlog(&mut self) {
        let weight: usize = self.in_flight.iter().map(|mail| mail.weight()).sum();
        if self.in_flight.len() < BEHIND_STANZAS_MAX && weight < BEHIND_BYTES_MAX {
            self.in_flight.extend(self.session.mail_now());
        }
    }

    /// The silence timer fired: a peer that has said nothing for the whole time is asked
    /// (RFC 6120 §4.6), and given up when it does not answer.
    async fn silent(
        &mut self,
        idle: Duration,
        answer: Duration,
        transport: &mut Transport,
    ) -> Result<Instant, End> {
        let now = Instant::now();
        if self.management.is_some() {
            return self.silent_managed(now, idle, transport).await;
        }
        let quiet_until = self.heard + idle;
        if now < quiet_until {
            return Ok(quiet_until);
        }
        if self.asked {
            let error = StreamError::new(StreamCondition::ConnectionTimeout);
            return Err(End::Failed(error.text("no answer to a ping")));
        }
        self.asked = true;
        let host = self.session.account().jid().domain();
        let ping = Stanza::iq(IqType::Get, &crate::id::random())
            .from(crate::proto::BareJid::from_parts(None, host))
            .to(self.session.address())
            .child(&Element::new(ns::PING, "ping"));
        self.write([Arc::new(ping)]);
        self.flush(transport).await?;
        Ok(now + answer)
    }

    /// Gives back what the session held: its place, what waits in its mailbox, and its
    /// presence. Runs also after a panic.
    pub(super) async fn finish(mut self) {
        Box::pin(self.give_back()).await;
    }
}

/// What the work comes to, and whether it had to be waited for.
async fn noticing<T>(mut work: Pin<&mut impl Future<Output = T>>) -> (T, bool) {
    let mut waited = false;
    let done = poll_fn(|context| {
        let polled = work.as_mut().poll(context);
        waited |= polled.is_pending();
        polled
    });
    let done = done.await;
    (done, waited)
}

async fn wait_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Waits until more of what was received is durable.
async fn settled(management: Option<&mut Management>) -> Result<(), StoreError> {
    match management {
        Some(management) if management.is_settling() => management.settled().await,
        Some(_) | None => std::future::pending().await,
    }
}
