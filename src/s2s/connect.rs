//! From a domain to a stream that is ready: looking up, connecting, TLS, and the driver of
//! [`super::initiating`]. Every step has its time.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::rustls::pki_types::ServerName;

use super::Federation;
use super::dialback::{Pair, Verdict};
use super::failure::{Failure, Step};
use super::house;
use super::initiating::{Agreed, Encryption, Initiating, Input, Next, Purpose};
use super::targets::{self, Target};
use super::wire;
use crate::net::dns::ascii_domain;
use crate::net::tls::client::connector;
use crate::net::tls::server::Application;
use crate::peer::{Connection, ReadError};
use crate::proto::{StreamCondition, StreamError};
use crate::xml::{Frame, Scope, parse};

/// How many addresses of one domain are tried before it counts as not reachable.
const ADDRESSES_TRIED_MAX: usize = 8;

/// After how long of silence the kernel asks whether the peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(120);

/// How many times `connect_seconds` the negotiation of one stream may take together. It has about ten steps;
/// a server with which all of them are slow is no use.
const NEGOTIATION_TIMES: u32 = 3;

/// How long a server that was too slow may take to read that it was.
const REFUSAL: Duration = Duration::from_secs(2);

/// Places for those that connect at the same time.
#[derive(Debug)]
pub(super) struct Places(Semaphore);

impl Places {
    pub(super) const fn new(max: usize) -> Self {
        Self(Semaphore::const_new(max))
    }

    /// Connects when there is a place, which is waited for no longer than that.
    ///
    /// # Errors
    /// Those of `attempt`, or that there was no place in time.
    pub(super) async fn connect<T>(
        &self,
        limit: Duration,
        attempt: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        // It is never closed.
        let Ok(Ok(_place)) = timeout(limit, self.0.acquire()).await else {
            let reason = "too many other servers are being connected to";
            return Err(Failure::passing(Step::Connect, reason));
        };
        attempt.await
    }
}

/// Runs a negotiation whose steps may take `step` each; nothing when all of them together take too long.
async fn in_time<T>(step: Duration, negotiation: impl Future<Output = T>) -> Option<T> {
    let limit = step.saturating_mul(NEGOTIATION_TIMES);
    timeout(limit, negotiation).await.ok()
}

/// A stream that came about.
pub(super) struct Reached {
    pub(super) connection: Connection,
    pub(super) address: IpAddr,
    pub(super) scope: Scope,
    pub(super) outcome: Outcome,
}

/// What the stream is good for now.
pub(super) enum Outcome {
    /// Stanzas.
    Ready(Agreed),
    /// Nothing more: the key was verified, or not.
    Verified(Verdict),
}

/// Opens a stream for a pair of domains.
///
/// # Errors
/// What was wrong with the last address that was tried.
pub(super) async fn reach(
    federation: &Federation,
    pair: &Pair,
    purpose: &Purpose,
) -> Result<Reached, Failure> {
    let mut failure = None;
    let mut tried = 0;
    for target in looked_up(federation, &pair.remote).await? {
        let addresses = match federation.dns.addresses(&target.host).await {
            Ok(addresses) => addresses,
            Err(error) => {
                failure = Some(error.into());
                continue;
            }
        };
        for address in addresses {
            if tried == ADDRESSES_TRIED_MAX {
                break;
            }
            tried += 1;
            let address = SocketAddr::new(address, target.port);
            let attempt = Attempt {
                federation,
                pair,
                target: &target,
                address,
            };
            match Box::pin(attempt.run(purpose.clone())).await {
                Ok(reached) => return Ok(reached),
                Err(error) if error.step == Step::Connect || error.step == Step::Tls => {
                    failure = Some(error);
                }
                // Who answers so is the right one, or nobody is.
                Err(error) => return Err(error),
            }
        }
    }
    Err(failure.unwrap_or_else(|| {
        let reason = format!("{} has no address", pair.remote);
        Failure::lasting(Step::Dns, reason)
    }))
}

async fn looked_up(federation: &Federation, domain: &str) -> Result<Vec<Target>, Failure> {
    if domain.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Ok(vec![Target {
            host: domain.to_owned(),
            port: targets::USUAL_PORT,
            direct_tls: false,
        }]);
    }
    let [direct, starttls] = Target::SERVICES;
    let (direct, starttls) = tokio::join!(
        federation.dns.srv(direct, domain),
        federation.dns.srv(starttls, domain),
    );
    targets::targets(domain, direct, starttls, random_up_to)
}

/// A number up to and including `max`; 0 when the system has no random numbers.
fn random_up_to(max: u32) -> u32 {
    let number = getrandom::u32().unwrap_or(0);
    number.checked_rem(max.saturating_add(1)).unwrap_or(0)
}

/// One address.
struct Attempt<'a> {
    federation: &'a Federation,
    pair: &'a Pair,
    target: &'a Target,
    address: SocketAddr,
}

impl Attempt<'_> {
    async fn run(&self, purpose: Purpose) -> Result<Reached, Failure> {
        let federation = self.federation;
        let limit = federation.config.s2s.connect_seconds.duration();
        let connecting = timeout(limit, TcpStream::connect(self.address)).await;
        let socket = match connecting {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => return Err(self.failure(Step::Connect, error)),
            Err(_) => return Err(self.failure(Step::Connect, "no answer in time")),
        };
        tune(&socket);
        let connection = Connection::new(socket, federation.limits());
        let machine = Initiating::new(
            self.pair.clone(),
            federation.policy(),
            purpose,
            federation.secret.clone(),
        );
        let mut driver = Driver {
            attempt: self,
            connection,
            machine,
            scope: Scope::default(),
        };
        // The machine is told how it ended; the peer is not kept waiting for it.
        let Some(outcome) = in_time(limit, driver.negotiate()).await else {
            let failure = driver.too_slow("the negotiation took too long");
            return Err(failure.await);
        };
        let outcome = outcome?;
        Ok(Reached {
            connection: driver.connection,
            scope: driver.scope,
            address: self.address.ip(),
            outcome,
        })
    }

    fn failure(&self, step: Step, reason: impl std::fmt::Display) -> Failure {
        Failure::passing(step, format!("{}: {reason}", self.address))
    }
}

/// Takes the machine through one connection.
struct Driver<'a> {
    attempt: &'a Attempt<'a>,
    connection: Connection,
    machine: Initiating,
    scope: Scope,
}

impl Driver<'_> {
    async fn negotiate(&mut self) -> Result<Outcome, Failure> {
        let mut encryption = Encryption::Plain;
        if self.attempt.target.direct_tls {
            encryption = self.encrypt(Some(Application::XmppServer)).await?;
        }
        let mut output = self.machine.handle(Input::Connected(encryption));
        loop {
            if matches!(output.next, Next::Restart) {
                self.connection.restart();
            }
            if !output.bytes.is_empty() {
                self.connection
                    .write(&output.bytes)
                    .await
                    .map_err(|error| self.attempt.failure(Step::Stream, error))?;
            }
            output = match output.next {
                Next::Read | Next::Restart => self.read().await?,
                Next::StartTls => {
                    let encryption = self.encrypt(None).await?;
                    self.machine.handle(Input::Connected(encryption))
                }
                Next::Ready(agreed) => return Ok(Outcome::Ready(agreed)),
                Next::Verified(verdict) => return Ok(Outcome::Verified(verdict)),
                Next::Failed(failure) => {
                    // Politeness; the failure is what counts.
                    let _ = self.connection.write(wire::CLOSE).await;
                    return Err(failure);
                }
            };
        }
    }

    async fn read(&mut self) -> Result<super::initiating::Output, Failure> {
        let limit = self
            .attempt
            .federation
            .config
            .s2s
            .connect_seconds
            .duration();
        let frame = match timeout(limit, self.connection.next()).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(error @ (ReadError::Broken(_) | ReadError::Closed))) => {
                return Err(self.attempt.failure(Step::Stream, error));
            }
            Ok(Err(ReadError::Xml(error))) => {
                return Err(self.refuse(error.into(), error.to_string()).await);
            }
            Err(_) => return Err(self.too_slow("no answer in time").await),
        };
        match frame {
            Frame::Open(opening) => {
                self.scope = opening.scope.clone();
                Ok(self.machine.handle(Input::Header(&opening)))
            }
            Frame::Element(bytes) => {
                let limits = self.attempt.federation.limits();
                let element = parse(bytes, &self.scope, &limits).and_then(|it| it.to_element());
                match element {
                    Ok(element) => Ok(self.machine.handle(Input::Element(element))),
                    Err(error) => Err(self.refuse(error.into(), error.to_string()).await),
                }
            }
            Frame::Close => Err(self
                .attempt
                .failure(Step::Stream, "the other server closed the stream")),
        }
    }

    /// Tells the other server why its stream ends.
    async fn refuse(&mut self, error: StreamError, reason: String) -> Failure {
        let mut bytes = Vec::new();
        wire::fail(&mut bytes, &error);
        // Whether it arrives or not, the stream is over.
        let _ = self.connection.write(&bytes).await;
        self.attempt.failure(Step::Stream, reason)
    }

    async fn too_slow(&mut self, reason: &str) -> Failure {
        let error = StreamCondition::ConnectionTimeout.into();
        let refusing = timeout(REFUSAL, self.refuse(error, reason.to_owned())).await;
        refusing.unwrap_or_else(|_| self.attempt.failure(Step::Stream, reason))
    }

    async fn encrypt(&mut self, announced: Option<Application>) -> Result<Encryption, Failure> {
        let Attempt {
            federation, pair, ..
        } = self.attempt;
        let own = federation.own_certificate(&pair.local);
        let oldest = federation.config.tls.min_version;
        let connector = connector(own, announced, oldest)
            .map_err(|error| self.attempt.failure(Step::Tls, error))?;
        let ascii = ascii_domain(&pair.remote);
        let name = ServerName::try_from(ascii.trim_matches(['[', ']']).to_owned())
            .map_err(|error| self.attempt.failure(Step::Tls, error))?;
        let limit = federation.config.s2s.connect_seconds.duration();
        let shaking = self.connection.connect_tls(&connector, name);
        match timeout(limit, Box::pin(shaking)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(self.attempt.failure(Step::Tls, error)),
            Err(_) => return Err(self.attempt.failure(Step::Tls, "no answer in time")),
        }
        let chain = house::chain(&self.connection);
        let judged = federation
            .trust
            .judge(&chain, &pair.remote, federation.clock.now());
        Ok(Encryption::Tls(judged.map_err(|it| it.to_string())))
    }
}

/// Stanzas are small and answers are awaited, so nothing is held back to be joined.
pub(super) fn tune(socket: &TcpStream) {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    let tuned = socket
        .set_nodelay(true)
        .and_then(|()| SockRef::from(socket).set_tcp_keepalive(&keepalive));
    if let Err(error) = tuned {
        tracing::debug!(%error, "socket options");
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_answers_for_ever_in_time_is_too_slow() {
        let step = Duration::from_secs(20);
        let endless = async {
            while timeout(step, sleep(step - Duration::from_secs(1)))
                .await
                .is_ok()
            {}
        };
        let start = Instant::now();
        assert_eq!(in_time(step, endless).await, None);
        assert_eq!(start.elapsed(), step * NEGOTIATION_TIMES);
        assert_eq!(in_time(step, sleep(step)).await, Some(()));
    }

    #[tokio::test(start_paused = true)]
    async fn only_so_many_connect_at_once() {
        let places = Places::new(1);
        let limit = Duration::from_secs(20);
        let takes = |seconds| async move {
            sleep(Duration::from_secs(seconds)).await;
            Ok(Instant::now())
        };
        let start = Instant::now();
        let (first, second, third) = tokio::join!(
            places.connect(limit, takes(15)),
            places.connect(limit, takes(15)),
            places.connect(limit, takes(15)),
        );
        let after = |seconds| Ok(start + Duration::from_secs(seconds));
        assert_eq!((first, second), (after(15), after(30)));
        assert_eq!(third.unwrap_err().step, Step::Connect);
        assert_eq!(places.connect(limit, takes(0)).await, after(30));
    }
}
