//! The task of a bound session: reads, routes, writes, until one side ends it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use compact_str::CompactString;
use tokio::time::{Duration, Instant};
use tracing::info;

use super::Listener;
use super::inbound::{self, Inbound};
use super::negotiate::Bound;
use super::rate::Bucket;
use super::transport::Transport;
use super::web::refusal;
use crate::hooks::{Mail, Session};
use crate::proto::{IqType, Stanza, StreamCondition, StreamError, ns};
use crate::router::Router;
use crate::stream::Outbox;
use crate::xml::{Element, Frame, Framer, Limits, Scope};

/// How much is gathered before it is written: what one TLS record and a socket's send
/// buffer take without waiting.
const WRITE_BYTES: usize = 64 * 1024;

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
            session: bound.session,
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
        let end = match Box::pin(self.frames(&mut transport)).await {
            Ok(()) => self.turns(&mut transport).await,
            Err(end) => end,
        };
        // Before the peer learns of it: when it comes again, what was kept is there.
        Box::pin(self.give_back()).await;
        match end {
            End::Closed => self.out.close(),
            End::Failed(error) => {
                info!(condition = error.condition.name(), "stream error");
                self.out.fail(&error);
            }
            End::Lost => return,
        }
        let last_words = async {
            if transport.write(self.out.bytes()).await.is_ok() {
                transport.close().await;
            }
        };
        Box::pin(last_words).await;
    }

    /// One turn after the other, each for whatever is ready first.
    async fn turns(&mut self, transport: &mut Transport) -> End {
        let c2s = &self.router.services().config.c2s;
        let (idle, answer) = (
            c2s.idle_seconds.duration(),
            c2s.idle_answer_seconds.duration(),
        );
        let session = Arc::clone(&self.session);
        let ended = session.until_ended();
        let silence = tokio::time::sleep(idle);
        tokio::pin!(ended, silence);
        loop {
            let paused = self.paused_until;
            // In no fixed order: a flood of mail must not keep the session from being heard.
            let turn = tokio::select! {
                error = &mut ended => Err(End::Failed(error)),
                mail = session.mail() => self.mail(mail, transport).await,
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

    /// Writes what waited in the mailbox, in as few pieces as may be. It counts as written,
    /// and is not given back when the session ends, piece by piece.
    async fn mail(&mut self, mail: VecDeque<Mail>, transport: &mut Transport) -> Result<(), End> {
        self.in_flight = mail;
        while !self.in_flight.is_empty() {
            let mut gathered = 0;
            let weight: usize = self.in_flight.iter().map(|mail| mail.weight()).sum();
            self.out.reserve(weight.min(WRITE_BYTES));
            for mail in &self.in_flight {
                self.out.stanza(mail);
                gathered += 1;
                if self.out.len() >= WRITE_BYTES {
                    break;
                }
            }
            self.flush(transport).await?;
            self.in_flight.drain(..gathered);
        }
        self.in_flight = VecDeque::new();
        Ok(())
    }

    /// Writes what was gathered. Nearly always the socket takes all of it at once.
    async fn flush(&mut self, transport: &mut Transport) -> Result<(), End> {
        // An idle session holds no buffer, so this one goes with what was in it.
        let out = self.out.take();
        let written = transport.try_write(out.bytes()).map_err(|_| End::Lost)?;
        match out.bytes().get(written..) {
            Some(left) if !left.is_empty() => Box::pin(self.flush_slowly(left, transport)).await,
            Some(_) | None => Ok(()),
        }
    }

    /// A session that is ended while its peer does not read gives back what it holds at once,
    /// and only then waits for the peer: others must not wait for it, nor what was for it be lost.
    async fn flush_slowly(&mut self, out: &[u8], transport: &mut Transport) -> Result<(), End> {
        let session = Arc::clone(&self.session);
        let writing = transport.write(out);
        tokio::pin!(writing);
        let error = tokio::select! {
            biased;
            written = &mut writing => return written.map_err(|_| End::Lost),
            error = session.until_ended() => error,
        };
        Box::pin(self.give_back()).await;
        // Half a stanza is out, and the error has to stand behind a whole one.
        writing.await.map_err(|_| End::Lost)?;
        Err(End::Failed(error))
    }

    async fn received(&mut self, count: usize, transport: &mut Transport) -> Result<(), End> {
        self.heard = Instant::now();
        self.asked = false;
        if let Some(wait) = self.bucket.take(count as u64, self.heard) {
            self.paused_until = Some(self.heard + wait);
        }
        // What came before is written before what is answered now.
        let mail = self.session.mail_now();
        self.mail(mail, transport).await?;
        self.frames(transport).await
    }

    /// Routes every complete stanza in the buffer.
    async fn frames(&mut self, transport: &mut Transport) -> Result<(), End> {
        loop {
            let frame = self.framer.next(&mut self.buffer);
            match frame.map_err(|error| End::Failed(inbound::xml(error)))? {
                Some(Frame::Element(bytes)) => {
                    let lang = self.lang.as_ref();
                    match inbound::read(bytes, &self.scope, lang, &self.limits, &self.session) {
                        Ok(stanza) => self.submit(stanza, transport).await?,
                        Err(Inbound::Refused(answer)) => {
                            self.write(answer.as_deref().map_or(&[], std::slice::from_ref));
                        }
                        Err(Inbound::Fatal(error)) => return Err(End::Failed(error)),
                    }
                }
                Some(Frame::Close) => return Err(End::Closed),
                Some(Frame::Open(_)) => {
                    return Err(End::Failed(StreamCondition::BadFormat.into()));
                }
                None => break,
            }
        }
        if self.buffer.is_empty() {
            // An idle session holds no buffer.
            self.buffer = BytesMut::new();
        }
        self.flush(transport).await?;
        Ok(())
    }

    async fn submit(&mut self, stanza: Mail, transport: &mut Transport) -> Result<(), End> {
        let replies = self.router.submit(&self.session, stanza).await;
        self.write(&replies.stanzas);
        if self.out.len() >= WRITE_BYTES {
            self.flush(transport).await?;
        }
        if replies.became_available {
            Box::pin(self.backlog(transport)).await?;
        }
        Ok(())
    }

    /// Gives the session what was kept for its account. A page counts as delivered when it
    /// has been written, which is when the next one is asked for.
    async fn backlog(&mut self, transport: &mut Transport) -> Result<(), End> {
        let services = Arc::clone(self.router.services());
        loop {
            let page = services.hooks.next_backlog(&self.session, &services).await;
            if page.is_empty() {
                return Ok(());
            }
            self.write(&page);
            self.flush(transport).await?;
        }
    }

    fn write(&mut self, stanzas: &[Stanza]) {
        for stanza in stanzas {
            self.out.stanza(stanza);
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
        self.write(std::slice::from_ref(&ping));
        self.flush(transport).await?;
        Ok(now + answer)
    }

    /// Gives back what the session held: its place, what waits in its mailbox, and its
    /// presence. Runs also after a panic.
    pub(super) async fn finish(mut self) {
        Box::pin(self.give_back()).await;
    }

    /// Once only, however the session ends.
    async fn give_back(&mut self) {
        if std::mem::replace(&mut self.given_back, true) {
            return;
        }
        // What was being written may have arrived in part: better twice than never.
        let in_flight = std::mem::take(&mut self.in_flight);
        super::give_back(&self.router, &self.session, in_flight).await;
    }
}

async fn wait_until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
