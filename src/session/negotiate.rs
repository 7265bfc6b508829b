//! Drives the negotiation machine over a connection until a resource is bound.

mod login;
mod proof;
mod resumption;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use compact_str::CompactString;
use tokio::sync::oneshot;
use tokio::time::{Duration, Instant};
use tracing::{Instrument as _, debug, error, info};

use super::management::Management;
use super::resumables::Handover;
use super::transport::Transport;
use super::web::refusal;
use super::{Listener, Start};
use crate::clock::Timestamp;
use crate::hooks::{Session, Slots, StreamIq};
use crate::net::tls::facts::{TlsFacts, TlsVersion as FactsVersion};
use crate::proto::{BareJid, Condition, IqType, StreamCondition, StreamError, reading};
use crate::stream::sasl::{Security, TlsVersion};
use crate::stream::{Framing, Input, Negotiation, Next, Outbox, Output};
use crate::xml::{Element, Frame, Framer, Scope, parse};

/// A connection whose resource is bound.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) transport: Transport,
    pub(super) buffer: BytesMut,
    pub(super) framer: Framer,
    pub(super) scope: Scope,
    pub(super) lang: Option<CompactString>,
    pub(super) framing: Framing,
    pub(super) session: Arc<Session>,
    pub(super) management: Option<Box<Management>>,
    pub(super) beginning: Beginning,
}

/// Whether a session is new to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// It was just bound.
    New,
    /// It goes on where another connection was lost (XEP-0198 §5).
    Resumed,
}

/// Negotiates within the time that the configuration gives; `None` when it came to nothing.
pub(super) async fn negotiate(
    listener: &Arc<Listener>,
    transport: Transport,
    peer: IpAddr,
    start: Start,
) -> Option<Bound> {
    let config = &listener.router.services().config;
    let limit = config.c2s.negotiation_timeout_seconds;
    let form = config.registration.form_seconds;
    let (registers, registering) = oneshot::channel();
    let stop = listener.stop.clone();
    let mut driver = Driver {
        listener: Arc::clone(listener),
        machine: None,
        peer,
        transport_name: match transport.framing() {
            Framing::Stream => "tcp",
            Framing::WebSocket => "websocket",
            Framing::Bosh => "bosh",
        },
        framing: transport.framing(),
        transport: Some(transport),
        buffer: BytesMut::new(),
        framer: Framer::new(listener.negotiation_limits),
        scope: Scope::default(),
        lang: None,
        claimed: None,
        slots: Arc::default(),
        proved_at: listener.router.services().clock.now(),
        bound: None,
        management: Mutex::default(),
        beginning: Beginning::New,
        awaited: None,
        registers: Some(registers),
    };
    let deadline = deadline(limit.duration(), form.duration(), registering);
    let cut_off = {
        let run = Box::pin(driver.run(start));
        tokio::select! {
            biased;
            ran = run => {
                if let Err(error) = ran {
                    debug!(%error, "connection lost in negotiation");
                }
                None
            }
            () = deadline => {
                debug!("negotiation took too long");
                Some(StreamCondition::ConnectionTimeout)
            }
            () = stop.cancelled() => Some(StreamCondition::SystemShutdown),
        }
    };
    if let Some(condition) = cut_off {
        driver.cut_off(condition).await;
    }
    Box::pin(driver.finish()).await
}

struct Driver {
    listener: Arc<Listener>,
    peer: IpAddr,
    /// None only before the first stream, and within a step.
    machine: Option<Negotiation>,
    /// None only while a handshake owns the socket, and after one that failed.
    transport: Option<Transport>,
    transport_name: &'static str,
    framing: Framing,
    buffer: BytesMut,
    framer: Framer,
    scope: Scope,
    lang: Option<CompactString>,
    /// Who the client last said it is.
    claimed: Option<BareJid>,
    /// What extensions keep of the stream while it is not authenticated.
    slots: Arc<Slots>,
    /// Before the store was last asked for what the client's proof is compared with.
    proved_at: Timestamp,
    bound: Option<Arc<Session>>,
    /// The stream management of the bound session, where it is enabled already. Never locked: a
    /// future that is shared must not hold what only one may poll.
    management: Mutex<Option<Box<Management>>>,
    beginning: Beginning,
    /// A session that another task was asked for. Here and not in a future, which the deadline
    /// could drop with the session in it.
    awaited: Option<oneshot::Receiver<Handover>>,
    /// Told once that a person is registering, who needs more time.
    registers: Option<oneshot::Sender<()>>,
}

/// The end of the time for the whole, so that a slow peer gains nothing by trickling. It is put off
/// once, when registration was asked about and answered.
async fn deadline(limit: Duration, form: Duration, registering: oneshot::Receiver<()>) {
    let told = tokio::time::timeout(limit, told(registering)).await;
    if told.is_ok() {
        tokio::time::sleep(form).await;
    }
}

/// Waits for ever where nothing is told.
async fn told(registering: oneshot::Receiver<()>) {
    if registering.await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Driver {
    async fn run(&mut self, start: Start) -> std::io::Result<()> {
        let security = self.security(start).await?;
        let rules = Arc::clone(&self.listener.rules);
        self.machine = Some(Negotiation::new(
            rules,
            self.framing,
            security,
            crate::id::random,
        ));
        let Some(mut input) = self.read().await? else {
            return Ok(());
        };
        while let Some(machine) = self.machine.take() {
            let (machine, output) = machine.handle(input);
            self.machine = Some(machine);
            input = match self.send(output).await? {
                Next::Close | Next::Ready(_) => return Ok(()),
                Next::StartTls => {
                    // What was said before is not believed.
                    self.slots = Arc::default();
                    Input::Secured(self.start_tls().await?)
                }
                next @ (Next::Read | Next::Restart) => {
                    if matches!(next, Next::Restart) {
                        self.framer.restart();
                        self.io()?.restart();
                    }
                    let Some(input) = self.read().await? else {
                        return Ok(());
                    };
                    input
                }
                Next::Keys { account, hash } => self.keys(&account, hash).await,
                Next::Password { account, password } => self.password(account, password).await,
                Next::Admit { account } => self.admit(&account).await,
                Next::Bind { account, resource } => {
                    Input::Bound(Box::pin(self.bind(account, resource)).await)
                }
                next @ (Next::Tokens { .. }
                | Next::Hashes { .. }
                | Next::Upgrade { .. }
                | Next::Exchange { .. }
                | Next::Establish { .. }) => Box::pin(self.complete(next)).await,
                Next::Resume { account, resume } => {
                    Input::Resumed(Box::pin(self.resume(&account, &resume)).await)
                }
                Next::Answer {
                    host,
                    kind,
                    payload,
                } => self.answer(host, kind, payload).await,
            };
        }
        Ok(())
    }

    /// What protects the connection from the first byte on.
    async fn security(&mut self, start: Start) -> std::io::Result<Security> {
        Ok(match start {
            // Of a channel that a proxy or a browser ends, neither side knows the other's.
            Start::Plain if self.is_encrypted() => {
                Security::tls(TlsVersion::V1_3, None, None, Vec::new())
            }
            Start::Plain => Security::Cleartext {
                plain: self.listener.plain,
            },
            Start::DirectTls => {
                self.transport_name = "direct-tls";
                self.handshake().await?
            }
        })
    }

    /// Sends what the machine has to say, late where it says so, and tells what comes next.
    async fn send(&mut self, output: Output) -> std::io::Result<Next> {
        if let Some(condition) = output.failed {
            self.tell_failure(condition);
        }
        if !output.delay.is_zero() {
            let now = Instant::now().into_std();
            let more = self
                .listener
                .addresses
                .authentication_failed(self.peer, now);
            tokio::time::sleep(output.delay.max(more)).await;
        }
        if !output.out.is_empty() {
            self.io()?.write(output.out.bytes()).await?;
        }
        Ok(output.next)
    }

    async fn start_tls(&mut self) -> std::io::Result<Security> {
        // White space (§4.6.1) says nothing; some clients end each element with a line feed.
        if self.buffer.iter().all(u8::is_ascii_whitespace) {
            self.buffer.clear();
        } else {
            // RFC 6120 §5.4.3.3: what came before the handshake was not protected by it; whoever
            // put it there wants it to be taken for what it is not.
            info!("data pipelined behind STARTTLS");
            return Err(std::io::Error::other("data pipelined behind STARTTLS"));
        }
        self.transport_name = "tls";
        self.handshake().await
    }

    /// The next frame as the machine's input. `None` when the stream is over; the reason has
    /// been told then.
    async fn read(&mut self) -> std::io::Result<Option<Input>> {
        loop {
            let frame = match self.framer.next(&mut self.buffer) {
                Ok(frame) => frame,
                Err(error) => return self.refuse(&error.into()).await,
            };
            match frame {
                Some(Frame::Open(opening)) => {
                    self.scope = opening.scope.clone();
                    self.lang = reading::stream_lang(&opening.tag);
                    return Ok(Some(Input::Open(opening)));
                }
                Some(Frame::Element(bytes)) => {
                    let limits = &self.listener.negotiation_limits;
                    return match parse(bytes, &self.scope, limits) {
                        Ok(parsed) => Ok(Some(Input::Element(parsed))),
                        Err(error) => self.refuse(&error.into()).await,
                    };
                }
                Some(Frame::Close) => {
                    let mut out = Outbox::new(self.framing);
                    out.close();
                    self.io()?.write(out.bytes()).await?;
                    return Ok(None);
                }
                None => {
                    let transport = self.transport.as_mut().ok_or_else(broken)?;
                    match transport.read(&mut self.buffer).await {
                        Ok(0) => return Ok(None),
                        Ok(_) => {}
                        Err(error) => return self.refuse(&refusal(error)?).await,
                    }
                }
            }
        }
    }

    async fn refuse(&mut self, error: &StreamError) -> std::io::Result<Option<Input>> {
        let out = self.last_words(error);
        self.io()?.write(out.bytes()).await?;
        Ok(None)
    }

    /// A stream error, behind a header where none was sent yet.
    fn last_words(&mut self, error: &StreamError) -> Outbox {
        let machine = self.machine.as_mut();
        machine
            .map(|machine| machine.fail(error).out)
            .unwrap_or_default()
    }

    async fn handshake(&mut self) -> std::io::Result<Security> {
        let absent = || std::io::Error::other("no certificate is configured");
        let setup = self.listener.tls.clone().ok_or_else(absent)?;
        let Some(Transport::Tcp(socket)) = self.transport.take() else {
            return Err(broken());
        };
        let stream = setup.acceptor.accept(socket).await?;
        let facts = TlsFacts::of(stream.get_ref().1, &setup.certificates).ok_or_else(broken)?;
        self.transport = Some(Transport::Tls(Box::new(stream)));
        let version = match facts.version {
            FactsVersion::Tls12 => TlsVersion::V1_2,
            FactsVersion::Tls13 => TlsVersion::V1_3,
        };
        Ok(Security::tls(
            version,
            facts.exporter.map(|exporter| exporter.to_vec()),
            facts.server_end_point,
            facts.client_identities,
        ))
    }

    async fn answer(&mut self, host: BareJid, kind: IqType, payload: Element) -> Input {
        let services = self.listener.router.services();
        let request = StreamIq {
            host,
            peer: self.peer,
            encrypted: self.is_encrypted(),
            kind,
            payload,
            slots: Arc::clone(&self.slots),
            services: Arc::clone(services),
        };
        let Some(answer) = services.hooks.answer_stream(request) else {
            return Input::Answered(Err(Condition::NotAuthorized.into()));
        };
        // A task of its own: the deadline must not leave half of it done.
        let answer = self.listener.tasks.spawn(answer.in_current_span());
        let answer = answer.await.unwrap_or_else(|error| {
            error!(%error, "an answer failed");
            Err(Condition::InternalServerError.into())
        });
        if answer.is_ok()
            && let Some(registers) = self.registers.take()
        {
            // Nobody waits for it any more where the time is over.
            let _ = registers.send(());
        }
        Input::Answered(answer)
    }

    async fn unbind(&mut self) {
        if let Some(mut awaited) = self.awaited.take() {
            // What is under way arrives, and nothing after it.
            awaited.close();
            if let Ok(handover) = awaited.try_recv() {
                self.take_over(handover);
            }
        }
        if let Some(session) = self.bound.take() {
            let management = self.management().take();
            let listener = Arc::clone(&self.listener);
            let work = async move {
                let Listener {
                    router, resumables, ..
                } = listener.as_ref();
                super::give_back(router, resumables, &session, management, VecDeque::new()).await;
            };
            // A task of its own: the deadline must not lose what the session held.
            let work = self.listener.tasks.spawn(work.in_current_span());
            if let Err(error) = work.await {
                error!(%error, "a session could not be given back");
            }
        }
    }

    fn is_encrypted(&self) -> bool {
        let transport = self.transport.as_ref();
        transport.is_some_and(Transport::is_encrypted)
    }

    fn io(&mut self) -> std::io::Result<&mut Transport> {
        self.transport.as_mut().ok_or_else(broken)
    }

    fn store(&self) -> &crate::store::Store {
        &self.listener.router.services().store
    }

    /// Ends the negotiation from outside.
    async fn cut_off(&mut self, condition: StreamCondition) {
        self.unbind().await;
        let out = self.last_words(&condition.into());
        if let Some(transport) = &mut self.transport {
            // The peer may be gone; then there is nobody to tell.
            let _ = transport.write(out.bytes()).await;
        }
    }

    async fn finish(mut self) -> Option<Bound> {
        if self.transport.is_none() {
            self.unbind().await;
        }
        let transport = self.transport?;
        let Some(session) = self.bound else {
            transport.close().await;
            return None;
        };
        let mut framer = self.framer;
        framer.set_limits(self.listener.session_limits);
        Some(Bound {
            transport,
            buffer: self.buffer,
            framer,
            scope: self.scope,
            lang: self.lang,
            framing: self.framing,
            session,
            management: self
                .management
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            beginning: self.beginning,
        })
    }
}

fn broken() -> std::io::Error {
    std::io::Error::other("the connection was lost in a handshake")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);
    const FORM: Duration = Duration::from_secs(300);

    #[tokio::test(start_paused = true)]
    async fn the_time_is_put_off_for_who_registers_and_only_then() {
        let begin = Instant::now();
        let (registers, registering) = oneshot::channel();
        let registers: oneshot::Sender<()> = registers;
        deadline(LIMIT, FORM, registering).await;
        assert_eq!(begin.elapsed(), LIMIT);
        assert!(registers.send(()).is_err(), "too late");

        // The negotiation is over before its time, and nobody will tell.
        let begin = Instant::now();
        let (registers, registering) = oneshot::channel();
        drop(registers);
        deadline(LIMIT, FORM, registering).await;
        assert_eq!(begin.elapsed(), LIMIT);

        let begin = Instant::now();
        let (registers, registering) = oneshot::channel();
        let person = async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            registers.send(()).unwrap();
        };
        tokio::join!(deadline(LIMIT, FORM, registering), person);
        assert_eq!(begin.elapsed(), Duration::from_secs(20) + FORM);
    }
}
