//! A client's session: connecting, negotiation (RFC 6120 §5 to §7), and reading item by item.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::scan::{self, Item, Scanner};
use crate::scram::Exchange;
use crate::target::{Target, Transport};

/// TCP with or without TLS.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection, logged in and bound, or raw for the relay.
pub(crate) struct Session<W = Box<dyn Wire>> {
    wire: W,
    scanner: Scanner,
    /// The full JID; empty on a raw connection.
    pub(crate) jid: String,
}

impl Session {
    /// Connects as the account of this number, logs in and binds the resource.
    pub(crate) async fn log_in(target: &Target, number: usize, resource: &str) -> Result<Self> {
        let account = || format!("login as {}", target.account(number));
        let login = timeout(LOGIN_TIME_MAX, Self::negotiate(target, number, resource));
        login
            .await
            .context("it took too long")
            .with_context(account)?
            .with_context(account)
    }

    /// Connects without XMPP: says hello to the relay, which pairs connections by it.
    pub(crate) async fn raw(target: &Target, number: usize, hello: &[u8]) -> Result<Self> {
        let stream = target.connect(number).await?;
        let wire: Box<dyn Wire> = match target.transport() {
            Transport::Plain => Box::new(stream),
            Transport::Tls => Box::new(target.secure(stream).await?),
            Transport::Starttls => bail!("the relay knows no STARTTLS"),
        };
        let mut session = Self::inside_stream(wire);
        session.send(hello).await?;
        Ok(session)
    }

    /// A connection on which children of a stream come without its header.
    pub(crate) fn inside_stream(wire: Box<dyn Wire>) -> Self {
        Self {
            wire,
            scanner: Scanner::inside_stream(),
            jid: String::new(),
        }
    }

    async fn negotiate(target: &Target, number: usize, resource: &str) -> Result<Self> {
        let stream = target.connect(number).await?;
        let wire: Box<dyn Wire> = match target.transport() {
            Transport::Plain => Box::new(stream),
            Transport::Tls => Box::new(target.secure(stream).await?),
            Transport::Starttls => Box::new(target.secure(start_tls(target, stream).await?).await?),
        };
        let mut session = Self::over(wire);
        session.authenticate(target, number).await?;
        session.scanner = Scanner::before_header();
        session.open(target).await?;
        let bind = format!(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>{resource}</resource></bind></iq>"
        );
        session.send(bind.as_bytes()).await?;
        let bound = session.expect("<iq").await?;
        session.jid = scan::between(&bound, "<jid>", "</jid>")
            .context("no resource was bound")?
            .to_owned();
        Ok(session)
    }

    /// RFC 6120 §6.4 with a mechanism of RFC 5802.
    async fn authenticate(&mut self, target: &Target, number: usize) -> Result<()> {
        let features = self.open(target).await?;
        let mechanism = target.mechanism();
        let offer = format!(">{}<", mechanism.name());
        ensure!(
            scan::contains(&features, &offer),
            "{} is not offered",
            mechanism.name()
        );
        let exchange = Exchange::new(mechanism, &target.account(number))?;
        let (name, first) = (mechanism.name(), exchange.first());
        let auth = format!("<auth xmlns='{SASL}' mechanism='{name}'>{first}</auth>");
        self.send(auth.as_bytes()).await?;
        let challenge = self.expect("<challenge").await?;
        let challenge = scan::text(&challenge).context("an empty challenge")?;
        let (last, verifier) = exchange.last(challenge, target.password(), &target.salted)?;
        self.send(format!("<response xmlns='{SASL}'>{last}</response>").as_bytes())
            .await?;
        let success = self.expect("<success").await?;
        ensure!(
            scan::text(&success) == Some(&verifier),
            "the server's signature is wrong"
        );
        Ok(())
    }
}

/// RFC 6120 §5.4: the socket, ready for the handshake.
async fn start_tls(target: &Target, stream: TcpStream) -> Result<TcpStream> {
    let mut session = Session::over(stream);
    session.open(target).await?;
    session
        .send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        .await?;
    session.expect("<proceed").await?;
    Ok(session.wire)
}

impl<W: Wire> Session<W> {
    const fn over(wire: W) -> Self {
        Self {
            wire,
            scanner: Scanner::before_header(),
            jid: String::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.wire.write_all(bytes).await.context("write")?;
        self.wire.flush().await.context("write")
    }

    /// Waits until more bytes have arrived.
    pub(crate) async fn fill(&mut self) -> Result<()> {
        let count = self
            .wire
            .read_buf(self.scanner.space()?)
            .await
            .context("read")?;
        ensure!(
            count > 0,
            "the server closed the connection of {}",
            self.jid
        );
        Ok(())
    }

    /// The next child among the bytes that have arrived.
    pub(crate) fn arrived(&mut self) -> Result<Option<&[u8]>> {
        match self.scanner.next() {
            None => Ok(None),
            Some(Item::Child(child)) => {
                if child.starts_with(b"<stream:error") {
                    bail!("stream error: {}", String::from_utf8_lossy(child));
                }
                Ok(Some(child))
            }
            Some(Item::Header) => bail!("a stream header inside the stream"),
            Some(Item::End) => bail!("the server ended the stream of {}", self.jid),
        }
    }

    /// Opens the stream, once or again; the features.
    async fn open(&mut self, target: &Target) -> Result<Vec<u8>> {
        let header = format!(
            "<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>",
            target.domain()
        );
        self.send(header.as_bytes()).await?;
        while self.scanner.next() != Some(Item::Header) {
            self.fill().await?;
        }
        self.expect("<stream:features").await
    }

    /// The next child, which must begin so.
    async fn expect(&mut self, begin: &str) -> Result<Vec<u8>> {
        let child = self.child().await?;
        ensure!(
            child.starts_with(begin.as_bytes()),
            "{} instead of {begin}",
            String::from_utf8_lossy(&child)
        );
        Ok(child)
    }

    /// The next child.
    pub(crate) async fn child(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(child) = self.arrived()? {
                return Ok(child.to_vec());
            }
            self.fill().await?;
        }
    }

    /// Sends the request, whose id is given, and reads until its answer; everything before goes to `meanwhile`.
    pub(crate) async fn ask(
        &mut self,
        id: &str,
        request: &str,
        mut meanwhile: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<Vec<u8>> {
        self.send(request.as_bytes()).await?;
        let answer = async {
            loop {
                let child = self.child().await?;
                let answers = matches!(scan::attribute(&child, "type"), Some("result" | "error"));
                if answers && child.starts_with(b"<iq") && scan::attribute(&child, "id") == Some(id)
                {
                    return Ok(child);
                }
                meanwhile(&child)?;
            }
        };
        timeout(ANSWER_TIME_MAX, answer)
            .await
            .with_context(|| format!("no answer to {request}"))?
    }

    /// XEP-0199: whatever the server had sent before has arrived when this returns.
    pub(crate) async fn ping(
        &mut self,
        domain: &str,
        meanwhile: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let ping =
            format!("<iq type='get' id='ping' to='{domain}'><ping xmlns='urn:xmpp:ping'/></iq>");
        self.ask("ping", &ping, meanwhile).await.map(drop)
    }

    /// Closes the stream (RFC 6120 §4.4) and waits until the server has done so too.
    pub(crate) async fn close(mut self) -> Result<()> {
        self.send(b"</stream:stream>").await?;
        let closed = async {
            loop {
                while let Some(item) = self.scanner.next() {
                    if item == Item::End {
                        return Ok(());
                    }
                }
                if self.wire.read_buf(self.scanner.space()?).await.unwrap_or(0) == 0 {
                    return Ok(());
                }
            }
        };
        timeout(CLOSE_TIME_MAX, closed)
            .await
            .context("the server does not close the stream")?
    }
}

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// From connecting to the bound resource; a server at its limit with many logins waiting needs long.
const LOGIN_TIME_MAX: Duration = Duration::from_secs(60);
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
const CLOSE_TIME_MAX: Duration = Duration::from_secs(10);
