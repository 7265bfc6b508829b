//! A peer that does exactly what a test says, good or bad: it writes bytes, stops reading, shows a
//! certificate, speaks an old version of TLS.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, server};

use crate::house::{House, PATIENCE};
use crate::judge::complaints;
use crate::xml::{Event, Node, STREAMS, StreamParser};

#[expect(clippy::panic, reason = "a test that hears something wrong has failed")]
impl Drop for Peer {
    /// Whatever the test looked at, all that the server sent is as its schemas have it.
    fn drop(&mut self) {
        if std::thread::panicking() || !self.is_judged || self.heard.is_empty() {
            return;
        }
        match complaints(&self.heard) {
            Ok(wrong) if wrong.is_empty() => {}
            Ok(wrong) => panic!("not as the schemas have it:\n{}", wrong.join("\n")),
            Err(why) => panic!("what was heard cannot be judged: {why:#}"),
        }
    }
}

trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// The peer is the server of it.
    Served(Box<server::TlsStream<TcpStream>>),
}

impl Wire {
    fn socket(&mut self) -> &mut dyn Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(socket) => socket,
            Self::Served(socket) => socket,
        }
    }
}

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Header(Node),
    Element(Node),
    StreamEnd,
    Disconnected,
}

/// One connection.
pub(crate) struct Peer {
    /// `None` after a disconnection.
    wire: Option<Wire>,
    parser: StreamParser,
    domain: String,
    barriers: u32,
    /// The elements that came, by their texts.
    heard: BTreeMap<String, (Node, String)>,
    /// Whether they come from our server, whose schemas they have to keep to.
    pub(crate) is_judged: bool,
}

impl Peer {
    /// Connects without TLS.
    pub(crate) async fn connect(house: &House, domain: &str) -> Result<Self> {
        let socket = TcpStream::connect(house.address("c2s")?).await?;
        Self::over(socket, domain)
    }

    /// Connects with little room for what is not read yet.
    pub(crate) async fn narrow(house: &House, domain: &str) -> Result<Self> {
        Self::narrow_at(house, "c2s", domain).await
    }

    /// The same at another listener.
    pub(crate) async fn narrow_at(house: &House, listener: &str, domain: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        Self::over(socket.connect(house.address(listener)?).await?, domain)
    }

    /// Connects from an address of this machine.
    pub(crate) async fn from_address(house: &House, own: Ipv4Addr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((own, 0).into())?;
        Self::over(socket.connect(house.address("c2s")?).await?, "localhost")
    }

    /// Over a socket that is there already; `domain` is the server's.
    pub(crate) fn over(socket: TcpStream, domain: &str) -> Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self {
            wire: Some(Wire::Plain(socket)),
            parser: StreamParser::default(),
            domain: domain.to_owned(),
            barriers: 0,
            heard: BTreeMap::new(),
            is_judged: true,
        })
    }

    /// Connects with TLS from the first byte.
    pub(crate) async fn direct(
        house: &House,
        domain: &str,
        tls: &Arc<ClientConfig>,
    ) -> Result<Self> {
        let socket = TcpStream::connect(house.address("c2s_direct_tls")?).await?;
        let mut peer = Self::over(socket, domain)?;
        peer.secure(tls).await?;
        Ok(peer)
    }

    /// Connects, with STARTTLS; the stream is not open again yet.
    pub(crate) async fn starttls(
        house: &House,
        domain: &str,
        tls: &Arc<ClientConfig>,
    ) -> Result<Self> {
        let mut peer = Self::connect(house, domain).await?;
        peer.open().await?;
        peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            .await?;
        let answer = peer.element().await?;
        ensure!(answer.name == "proceed", "{answer}");
        peer.secure(tls).await?;
        Ok(peer)
    }

    /// The TLS handshake.
    pub(crate) async fn secure(&mut self, tls: &Arc<ClientConfig>) -> Result<()> {
        let Some(Wire::Plain(socket)) = self.wire.take() else {
            bail!("there is TLS already");
        };
        let name = ServerName::try_from(self.domain.clone())?;
        let shaken = Box::pin(TlsConnector::from(Arc::clone(tls)).connect(name, socket));
        let socket = timeout(PATIENCE, shaken)
            .await
            .context("no end of the handshake")??;
        self.wire = Some(Wire::Tls(Box::new(socket)));
        Ok(())
    }

    /// The TLS handshake of a connection that came to the peer, with whatever certificate.
    pub(crate) async fn serve(&mut self, tls: &Arc<ServerConfig>) -> Result<()> {
        let Some(Wire::Plain(socket)) = self.wire.take() else {
            bail!("there is TLS already");
        };
        let shaken = Box::pin(TlsAcceptor::from(Arc::clone(tls)).accept(socket));
        let socket = timeout(PATIENCE, shaken)
            .await
            .context("no end of the handshake")??;
        self.wire = Some(Wire::Served(Box::new(socket)));
        Ok(())
    }

    /// The header of a stream that the other side opens, or opens anew.
    pub(crate) async fn is_opened(&mut self) -> Result<Node> {
        self.parser = StreamParser::default();
        match self.next().await? {
            Arrival::Header(node) => Ok(node),
            other => bail!("expected a header, found {other:?}"),
        }
    }

    /// Says goodbye as TLS has it, and no more.
    pub(crate) async fn hang_up(mut self) -> Result<()> {
        if let Some(mut wire) = self.wire.take() {
            timeout(PATIENCE, wire.socket().shutdown()).await??;
        }
        Ok(())
    }

    /// The TLS connection.
    pub(crate) fn tls(&self) -> Result<&tokio_rustls::rustls::ClientConnection> {
        match &self.wire {
            Some(Wire::Tls(socket)) => Ok(socket.get_ref().1),
            _ => bail!("there is no TLS"),
        }
    }

    /// Writes; a server that has closed is no error, for what it said before says why.
    pub(crate) async fn send(&mut self, text: &str) -> Result<()> {
        let socket = self
            .wire
            .as_mut()
            .context("there is no connection")?
            .socket();
        let written = async {
            socket.write_all(text.as_bytes()).await?;
            socket.flush().await
        };
        let _closed = timeout(PATIENCE, written)
            .await
            .context("the server does not read")?;
        Ok(())
    }

    /// What comes next.
    pub(crate) async fn next(&mut self) -> Result<Arrival> {
        let arrival = timeout(PATIENCE, self.read()).await;
        let arrival = arrival.context("nothing arrives")??;
        if let Arrival::Element(node) = &arrival {
            let place = "what a peer heard".to_owned();
            self.heard.insert(node.to_string(), (node.clone(), place));
        }
        Ok(arrival)
    }

    async fn read(&mut self) -> Result<Arrival> {
        loop {
            match self.parser.next().context("the server's XML is wrong")? {
                Some(Event::Opened(node)) => return Ok(Arrival::Header(node)),
                Some(Event::Element(node)) => return Ok(Arrival::Element(node)),
                Some(Event::Closed) => return Ok(Arrival::StreamEnd),
                None => {}
            }
            let Some(wire) = self.wire.as_mut() else {
                return Ok(Arrival::Disconnected);
            };
            let mut buffer = Vec::with_capacity(16 * 1024);
            match wire.socket().read_buf(&mut buffer).await {
                Ok(0) | Err(_) => self.wire = None,
                Ok(_) => self.parser.push(&buffer),
            }
        }
    }

    /// What comes next, which has to be an element.
    pub(crate) async fn element(&mut self) -> Result<Node> {
        match self.next().await? {
            Arrival::Element(node) => Ok(node),
            other => bail!("expected an element, found {other:?}"),
        }
    }

    /// Elements up to one that `wanted` accepts, which is returned.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Node) -> bool) -> Result<Node> {
        loop {
            let node = self.element().await?;
            if wanted(&node) {
                return Ok(node);
            }
        }
    }

    /// Opens a stream and returns its features.
    pub(crate) async fn open(&mut self) -> Result<Node> {
        self.parser = StreamParser::default();
        let header = header(&self.domain);
        self.send(&header).await?;
        match self.next().await? {
            Arrival::Header(_) => self.element().await,
            other => bail!("expected a header, found {other:?}"),
        }
    }

    /// Sends the header of a new stream, to another host perhaps.
    pub(crate) async fn restart(&mut self, domain: &str) -> Result<()> {
        self.restart_with(&header(domain)).await
    }

    /// Sends this header of a new stream.
    pub(crate) async fn restart_with(&mut self, header: &str) -> Result<()> {
        self.parser = StreamParser::default();
        self.send(header).await
    }

    /// Sends the first message of a SASL mechanism and returns the answer.
    pub(crate) async fn authenticate(&mut self, mechanism: &str, message: &[u8]) -> Result<Node> {
        let initial = match BASE64.encode(message) {
            empty if empty.is_empty() => "=".to_owned(),
            text => text,
        };
        self.send(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{mechanism}'>{initial}</auth>"
        ))
        .await?;
        self.element().await
    }

    /// From an open stream to a session, with PLAIN; returns the full JID.
    pub(crate) async fn log_in(
        &mut self,
        user: &str,
        password: &str,
        resource: &str,
    ) -> Result<String> {
        let message = format!("\0{user}\0{password}");
        let answer = self.authenticate("PLAIN", message.as_bytes()).await?;
        ensure!(answer.name == "success", "{answer}");
        self.open().await?;
        self.bind(resource).await
    }

    /// Binds a resource on an authenticated stream; returns the full JID.
    pub(crate) async fn bind(&mut self, resource: &str) -> Result<String> {
        let answer = self.ask_to_bind(resource).await?;
        let jid = answer.child("bind").and_then(|bind| bind.child("jid"));
        jid.map(|jid| jid.text.clone())
            .with_context(|| format!("not bound: {answer}"))
    }

    /// Asks for a resource and returns the answer.
    pub(crate) async fn ask_to_bind(&mut self, resource: &str) -> Result<Node> {
        self.send(&format!(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
             <resource>{resource}</resource></bind></iq>"
        ))
        .await?;
        self.element().await
    }

    /// Connects without TLS and logs in; available when `presence` says so.
    pub(crate) async fn session(house: &House, user: &str, presence: Presence) -> Result<Self> {
        let mut peer = Self::connect(house, "localhost").await?;
        peer.begin(user, presence).await?;
        Ok(peer)
    }

    /// From a connection to a session of `user`, whose password is [`PASSWORD`].
    pub(crate) async fn begin(&mut self, user: &str, presence: Presence) -> Result<()> {
        self.open().await?;
        self.log_in(user, PASSWORD, "desk").await?;
        if presence == Presence::Available {
            self.send("<presence/>").await?;
        }
        Ok(())
    }

    /// What arrives before the answer to a ping sent now: a server handles the stanzas of a
    /// stream in order (RFC 6120 §10.1).
    pub(crate) async fn barrier(&mut self) -> Result<Vec<Node>> {
        self.barriers += 1;
        let id = format!("barrier-{}", self.barriers);
        self.send(&format!(
            "<iq type='get' id='{id}' to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
            self.domain
        ))
        .await?;
        let mut before = Vec::new();
        loop {
            let node = self.element().await?;
            if node.attribute("id") == Some(&id) {
                return Ok(before);
            }
            before.push(node);
        }
    }

    /// Reads to the end and returns the condition of the stream error, which the closing tag has
    /// to follow; `None` when the connection closes without an error.
    pub(crate) async fn end(&mut self) -> Result<Option<String>> {
        let mut condition = None;
        loop {
            match self.next().await? {
                Arrival::Element(node) if node.name == "error" && node.ns == STREAMS => {
                    condition = node.children.first().map(|child| child.name.clone());
                    ensure!(
                        self.next().await? == Arrival::StreamEnd,
                        "the stream is not closed"
                    );
                }
                Arrival::Header(_) | Arrival::Element(_) | Arrival::StreamEnd => {}
                Arrival::Disconnected => return Ok(condition),
            }
        }
    }

    /// The socket, without TLS, to do with it what one likes.
    pub(crate) fn raw(&mut self) -> Result<&mut TcpStream> {
        match &mut self.wire {
            Some(Wire::Plain(socket)) => Ok(socket),
            _ => bail!("there is TLS"),
        }
    }
}

/// Whether a session is available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Available,
    Silent,
}

/// Everybody's password where nothing depends on it.
pub(crate) const PASSWORD: &str = "with love's light wings";

/// A client's stream header.
pub(crate) fn header(domain: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' \
         xmlns='jabber:client' xmlns:stream='{STREAMS}'>"
    )
}

/// A chat message.
pub(crate) fn chat(to: &str, id: &str, body: &str) -> String {
    format!("<message type='chat' to='{to}' id='{id}'><body>{body}</body></message>")
}

/// The body of a message; empty for anything else.
pub(crate) fn body(node: &Node) -> String {
    node.child("body")
        .map(|body| body.text.clone())
        .unwrap_or_default()
}

/// The names of the mechanisms in the features.
pub(crate) fn mechanisms(features: &Node) -> Vec<String> {
    let list = features.child("mechanisms");
    list.map(|list| list.children.iter().map(|name| name.text.clone()).collect())
        .unwrap_or_default()
}
