//! Drives the negotiation machine over a connection until a resource is bound.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::BytesMut;
use compact_str::CompactString;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::inbound::xml;
use super::transport::Transport;
use super::web::refusal;
use super::{Listener, Start};
use crate::hooks::{Connection, MailboxLimits, Session, StreamIq};
use crate::net::tls::facts::{TlsFacts, TlsVersion as FactsVersion};
use crate::proto::scram::{ScramHash, ScramKeys};
use crate::proto::{
    BareJid, Condition, FullJid, Resource, StanzaError, StreamCondition, StreamError, reading,
};
use crate::router::registry::Binding;
use crate::stream::sasl::{PasswordVerdict, SaslCondition, Secret, Security, TlsVersion};
use crate::stream::{Admission, Framing, Input, Negotiation, Next, Outbox, Output};
use crate::xml::{Frame, Framer, Scope, parse};

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
}

/// Negotiates within the time that the configuration gives; `None` when it came to nothing.
pub(super) async fn negotiate(
    listener: &Arc<Listener>,
    transport: Transport,
    peer: IpAddr,
    start: Start,
) -> Option<Bound> {
    let limit = listener
        .router
        .services()
        .config
        .c2s
        .negotiation_timeout_seconds;
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
        bound: None,
    };
    let cut_off = {
        // The deadline is for the whole, so that a slow peer gains nothing by trickling.
        let run = tokio::time::timeout(limit.duration(), Box::pin(driver.run(start)));
        tokio::select! {
            biased;
            ran = run => match ran {
                Ok(Ok(())) => None,
                Ok(Err(error)) => {
                    debug!(%error, "connection lost in negotiation");
                    None
                }
                Err(_) => {
                    debug!("negotiation took too long");
                    Some(StreamCondition::ConnectionTimeout)
                }
            },
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
    bound: Option<Arc<Session>>,
}

impl Driver {
    async fn run(&mut self, start: Start) -> std::io::Result<()> {
        let security = match start {
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
        };
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
                Next::StartTls => Input::Secured(self.start_tls().await?),
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
                Next::Answer {
                    host,
                    kind,
                    payload,
                } => {
                    let request = StreamIq {
                        host,
                        peer: self.peer,
                        encrypted: self.is_encrypted(),
                        kind,
                        payload,
                        services: Arc::clone(self.listener.router.services()),
                    };
                    self.answer(request).await
                }
            };
        }
        Ok(())
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

    /// What a ban by address is made from, and what tells why somebody cannot log in.
    fn tell_failure(&self, condition: SaslCondition) {
        let account = self.claimed.as_ref().map(ToString::to_string);
        info!(account, condition = condition.name(), "login failed");
    }

    /// An address that has guessed often waits before each try, whether right or wrong: who
    /// could tell them apart by time would not wait for the answer.
    async fn hold_back(&self) {
        let now = Instant::now().into_std();
        let delay = self.listener.addresses.authentication_delay(self.peer, now);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
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
                Err(error) => return self.refuse(&xml(error)).await,
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
                        Err(error) => self.refuse(&xml(error)).await,
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

    async fn keys(&mut self, account: &BareJid, hash: ScramHash) -> Input {
        self.claimed = Some(account.clone());
        self.hold_back().await;
        match self.store().credentials().find(account, hash).await {
            Ok(login) => Input::Keys(login.and_then(|login| login.keys)),
            Err(error) => {
                warn!(%error, "credentials could not be read");
                Input::Unavailable
            }
        }
    }

    async fn password(&mut self, account: BareJid, password: Secret) -> Input {
        self.claimed = Some(account.clone());
        self.hold_back().await;
        let keys = match self.store().credentials().strongest(&account).await {
            Ok(login) => login.and_then(|login| login.keys),
            Err(error) => {
                warn!(%error, "credentials could not be read");
                return Input::Unavailable;
            }
        };
        let known = keys.is_some();
        let keys: ScramKeys =
            keys.unwrap_or_else(|| self.listener.rules.decoys.keys(&account, ScramHash::Sha512));
        // A derivation takes a millisecond or more, in which this thread serves nobody else.
        // As many at once as there are processors: strangers can ask for it.
        let _place = self.listener.derivations.acquire().await;
        let check = tokio::task::spawn_blocking(move || keys.verify_password(password.expose()));
        match check.await {
            Ok(true) if known => Input::Verdict(PasswordVerdict::Right),
            Ok(_) => Input::Verdict(PasswordVerdict::Wrong),
            Err(error) => {
                warn!(%error, "a password check failed to run");
                Input::Unavailable
            }
        }
    }

    async fn admit(&self, account: &BareJid) -> Input {
        match self.store().accounts().find(account).await {
            Ok(Some(found)) if found.enabled => Input::Admission(Admission::Granted),
            Ok(Some(_)) => Input::Admission(Admission::Disabled),
            Ok(None) => Input::Admission(Admission::Unknown),
            Err(error) => {
                warn!(%error, "the account could not be read");
                Input::Unavailable
            }
        }
    }

    async fn answer(&self, request: StreamIq) -> Input {
        let hooks = &self.listener.router.services().hooks;
        let answer = match hooks.answer_stream(request) {
            Some(answer) => answer.await,
            None => Err(Condition::NotAuthorized.into()),
        };
        Input::Answered(answer)
    }

    async fn bind(
        &mut self,
        account: BareJid,
        asked: Option<String>,
    ) -> Result<FullJid, StanzaError> {
        let services = self.listener.router.services();
        let resource = match asked {
            Some(asked) => Resource::new(&asked),
            None => Resource::new(&crate::id::random()),
        };
        let resource = resource.map_err(|error| StanzaError::bad_request(&error.to_string()))?;
        let limits = &services.config.c2s;
        let binding = Binding {
            account,
            resource,
            connection: Connection {
                peer: self.peer,
                transport: self.transport_name,
                since: services.clock.now(),
            },
            mailbox: MailboxLimits {
                stanzas_max: limits.mailbox_stanzas_max as usize,
                bytes_max: limits.mailbox_bytes_max.as_usize(),
            },
        };
        let sessions_max = limits.resources_per_account_max as usize;
        let session =
            self.listener
                .router
                .registry()
                .bind(binding, limits.conflict, sessions_max)?;
        let jid = session.jid().clone();
        self.bound = Some(session);
        // Asked again, now that who ends the account's sessions would find this one: the
        // account may have been disabled or removed since it logged in.
        let account = jid.bare();
        match self.store().accounts().find(account).await {
            Ok(Some(found)) if found.enabled => {}
            Ok(_) => {
                self.unbind().await;
                return Err(Condition::NotAuthorized.into());
            }
            Err(error) => {
                self.unbind().await;
                return Err(error.into());
            }
        }
        Ok(jid)
    }

    async fn unbind(&mut self) {
        if let Some(session) = self.bound.take() {
            super::give_back(&self.listener.router, &session, VecDeque::new()).await;
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
        })
    }
}

fn broken() -> std::io::Error {
    std::io::Error::other("the connection was lost in a handshake")
}
