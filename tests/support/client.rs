//! A client of our own for the tests: it does what a script says and nothing else.
//!
//! It speaks plain TCP, STARTTLS and direct TLS, WebSocket over TLS and BOSH, logs in with the `sasl` crate,
//! and reads with `rxml`: no code of the server is used, so that the two sides
//! cannot agree on an error.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

#[path = "component.rs"]
mod component;
#[path = "web.rs"]
mod web;

use web::{Bosh, WebSocket};

use crate::xml::{CLIENT, Event, Node, STREAMS, StreamParser};

/// The longest that a client waits for the next thing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How a client reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// TCP on loopback, without TLS.
    Tcp,
    /// RFC 6120 §5.
    StartTls,
    /// XEP-0368.
    DirectTls,
    /// RFC 7395, over TLS.
    WebSocket,
    /// XEP-0206, without TLS.
    Bosh,
}

impl Transport {
    pub(crate) const ALL: [Self; 5] = [
        Self::Tcp,
        Self::StartTls,
        Self::DirectTls,
        Self::WebSocket,
        Self::Bosh,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::StartTls => "starttls",
            Self::DirectTls => "direct-tls",
            Self::WebSocket => "websocket",
            Self::Bosh => "bosh",
        }
    }

    /// Whether it is an XML stream, which every server has; what other servers serve over
    /// HTTP is not compared.
    pub(crate) fn is_a_stream(self) -> bool {
        match self {
            Self::Tcp | Self::StartTls | Self::DirectTls => true,
            Self::WebSocket | Self::Bosh => false,
        }
    }

    /// The listener that serves it, as the server names it.
    pub(crate) fn listener(self) -> &'static str {
        match self {
            Self::Tcp | Self::StartTls => "c2s",
            Self::DirectTls => "c2s_direct_tls",
            Self::WebSocket => "https",
            Self::Bosh => "http",
        }
    }
}

impl FromStr for Transport {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL
            .into_iter()
            .find(|transport| transport.name() == name);
        found.with_context(|| format!("no transport is called {name}"))
    }
}

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Header(Node),
    Element(Node),
    /// `</stream:stream>`.
    StreamEnd,
    /// The end of the connection.
    Disconnected,
}

pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    WebSocket(Box<WebSocket>),
    Bosh(Box<Bosh>),
}

impl Wire {
    async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let text = || std::str::from_utf8(bytes).context("only text goes over HTTP");
        let socket: &mut dyn Socket = match self {
            Self::Plain(socket) => socket,
            Self::Tls(socket) => socket,
            Self::WebSocket(socket) => return socket.send(text()?).await,
            Self::Bosh(bosh) => return bosh.send(text()?).await,
        };
        socket.write_all(bytes).await?;
        Ok(socket.flush().await?)
    }
}

/// One connection to the server.
pub(crate) struct Client {
    name: String,
    domain: String,
    transport: Transport,
    tls: Arc<ClientConfig>,
    /// `None` while the TLS handshake takes it, or after it failed.
    wire: Option<Wire>,
    parser: StreamParser,
    /// What was said, for reports.
    pub(crate) transcript: Vec<String>,
    /// The elements that the server sent, pushes that are ignored too.
    pub(crate) heard: Vec<Node>,
    pings: u32,
    /// Drops the roster pushes that the server sends (RFC 6121 §2.1.6).
    pub(crate) ignore_roster_pushes: bool,
    /// The domain of a component, which says in each stanza who sends it.
    component: Option<String>,
}

impl Client {
    /// Connects; with direct TLS the handshake is done.
    pub(crate) async fn connect(
        name: &str,
        domain: &str,
        transport: Transport,
        address: SocketAddr,
        authority: &[u8],
    ) -> Result<Self> {
        let socket = TcpStream::connect(address).await.context("connecting")?;
        socket.set_nodelay(true)?;
        let mut client = Self {
            name: name.to_owned(),
            domain: domain.to_owned(),
            transport,
            tls: trusting(authority)?,
            wire: Some(Wire::Plain(socket)),
            parser: StreamParser::default(),
            transcript: Vec::new(),
            heard: Vec::new(),
            pings: 0,
            ignore_roster_pushes: false,
            component: None,
        };
        match transport {
            Transport::Tcp | Transport::StartTls => {}
            Transport::DirectTls => client.secure().await?,
            Transport::WebSocket => {
                client.secure().await?;
                if let Some(Wire::Tls(socket)) = client.wire.take() {
                    let connected = Box::pin(WebSocket::connect(socket, domain));
                    client.wire = Some(Wire::WebSocket(Box::new(connected.await?)));
                }
            }
            Transport::Bosh => client.wire = Some(Wire::Bosh(Box::new(Bosh::new(address)))),
        }
        Ok(client)
    }

    /// Writes `bytes` as they are.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(bytes);
        self.note("->", &text);
        let wire = self.wire.as_mut().context("there is no connection")?;
        match timeout(PATIENCE, wire.send(bytes)).await {
            Err(_) => bail!("the server does not read"),
            // A server that has closed says why in what it sent before.
            Ok(Err(error)) => {
                self.note("--", &format!("write failed: {error}"));
                Ok(())
            }
            Ok(Ok(())) => Ok(()),
        }
    }

    /// The next thing from the server.
    pub(crate) async fn next(&mut self) -> Result<Arrival> {
        let arrival = timeout(PATIENCE, self.read())
            .await
            .map_err(|_| anyhow!("nothing arrived within {PATIENCE:?}"))??;
        let arrival = match arrival {
            Arrival::Element(node) if self.component.is_some() => {
                Arrival::Element(as_of_client(node))
            }
            other => other,
        };
        match &arrival {
            Arrival::Header(node) => self.note("<-", &node.to_string()),
            Arrival::Element(node) => {
                self.heard.push(node.clone());
                self.note("<-", &node.to_string());
            }
            Arrival::StreamEnd => self.note("<-", "</stream:stream>"),
            Arrival::Disconnected => self.note("--", "disconnected"),
        }
        Ok(arrival)
    }

    async fn read(&mut self) -> Result<Arrival> {
        loop {
            match self.parser.next().context("the server's XML is wrong")? {
                Some(Event::Opened(node)) => return Ok(Arrival::Header(node)),
                Some(Event::Element(node)) if self.ignore_roster_pushes && is_push(&node) => {
                    self.heard.push(node);
                    continue;
                }
                Some(Event::Element(node)) => return Ok(Arrival::Element(node)),
                Some(Event::Closed) => return Ok(Arrival::StreamEnd),
                None => {}
            }
            let mut buffer = Vec::with_capacity(4096);
            let socket: &mut dyn Socket = match self.wire.as_mut() {
                None => return Ok(Arrival::Disconnected),
                Some(Wire::Plain(socket)) => socket,
                Some(Wire::Tls(socket)) => socket,
                Some(Wire::WebSocket(socket)) => match socket.next().await? {
                    Arrival::Element(node) if self.ignore_roster_pushes && is_push(&node) => {
                        self.heard.push(node);
                        continue;
                    }
                    arrival => return Ok(arrival),
                },
                Some(Wire::Bosh(bosh)) => match bosh.next().await? {
                    Arrival::Element(node) if self.ignore_roster_pushes && is_push(&node) => {
                        self.heard.push(node);
                        continue;
                    }
                    arrival => return Ok(arrival),
                },
            };
            match socket.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => {
                    self.wire = None;
                    return Ok(Arrival::Disconnected);
                }
                Ok(_) => self.parser.push(&buffer),
            }
        }
    }

    /// The next thing, which must be an element.
    pub(crate) async fn element(&mut self) -> Result<Node> {
        match self.next().await? {
            Arrival::Element(node) => Ok(node),
            other => bail!("expected a stanza, found {other:?}"),
        }
    }

    /// Opens a stream, with STARTTLS first where the transport is that, and
    /// returns the features.
    pub(crate) async fn open_stream(&mut self) -> Result<Node> {
        let features = self.restart_stream().await?;
        if self.transport != Transport::StartTls || matches!(self.wire, Some(Wire::Tls(_))) {
            return Ok(features);
        }
        self.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            .await?;
        let answer = self.element().await?;
        ensure!(
            answer.name == "proceed",
            "expected <proceed/>, found {answer}"
        );
        ensure!(
            self.parser.unread().is_empty(),
            "bytes in the clear after <proceed/>"
        );
        self.secure().await?;
        self.restart_stream().await
    }

    /// Sends a stream header on a fresh parser and reads up to the features.
    pub(crate) async fn restart_stream(&mut self) -> Result<Node> {
        self.parser = StreamParser::default();
        let header = format!(
            "<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='jabber:client' \
             xmlns:stream='{STREAMS}'>",
            self.domain
        );
        self.send(header.as_bytes()).await?;
        match self.next().await? {
            Arrival::Header(node) if node.name == "stream" && node.ns == STREAMS => {}
            other => bail!("expected a stream header, found {other:?}"),
        }
        let features = self.element().await?;
        ensure!(
            features.name == "features",
            "expected the features, found {features}"
        );
        Ok(features)
    }

    /// Becomes the component of that domain, which knows that secret (XEP-0114 §3).
    pub(crate) async fn attach(&mut self, domain: &str, secret: &str) -> Result<()> {
        self.send(component::header(domain).as_bytes()).await?;
        let id = match self.next().await? {
            Arrival::Header(node) => node.attribute("id").context("no id")?.to_owned(),
            other => bail!("expected a stream header, found {other:?}"),
        };
        let proof = component::handshake(&id, secret);
        self.send(proof.as_bytes()).await?;
        let answer = self.element().await?;
        ensure!(answer.name == "handshake", "not believed: {answer}");
        self.component = Some(domain.to_owned());
        Ok(())
    }

    /// Forgets the stream so far: the next bytes begin a new one.
    pub(crate) fn expect_new_stream(&mut self) {
        self.parser = StreamParser::default();
    }

    /// The TLS handshake.
    pub(crate) async fn secure(&mut self) -> Result<()> {
        let Some(Wire::Plain(socket)) = self.wire.take() else {
            bail!("TLS is there already, or the connection is gone");
        };
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.tls));
        let domain = ServerName::try_from(self.domain.clone())?;
        let socket = timeout(PATIENCE, Box::pin(connector.connect(domain, socket)))
            .await
            .context("the TLS handshake does not end")?
            .context("the TLS handshake")?;
        self.note("--", "TLS");
        self.wire = Some(Wire::Tls(Box::new(socket)));
        Ok(())
    }

    /// The keying material of RFC 9266, on TLS only.
    pub(crate) fn tls_exporter(&self) -> Option<Vec<u8>> {
        let Some(Wire::Tls(socket)) = &self.wire else {
            return None;
        };
        let label = b"EXPORTER-Channel-Binding";
        socket
            .get_ref()
            .1
            .export_keying_material(vec![0; 32], label, Some(b""))
            .ok()
    }

    /// Binds `resource`, or what the server chooses, and returns the full JID
    /// (RFC 6120 §7).
    pub(crate) async fn bind(&mut self, resource: Option<&str>) -> Result<String> {
        let wish = resource.map_or_else(String::new, |name| format!("<resource>{name}</resource>"));
        let request = format!(
            "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{wish}</bind></iq>"
        );
        self.send(request.as_bytes()).await?;
        let answer = self.element().await?;
        let jid = answer.child("bind").and_then(|bind| bind.child("jid"));
        match jid {
            Some(jid) if answer.attribute("type") == Some("result") => Ok(jid.text.clone()),
            _ => bail!("binding failed: {answer}"),
        }
    }

    /// Everything that arrives before the answer to a ping sent now (XEP-0199).
    ///
    /// A server handles the stanzas of one stream in order (RFC 6120 §10.1), so
    /// what earlier stanzas led to is there when the answer is.
    pub(crate) async fn until_ping(&mut self) -> Result<Vec<Node>> {
        self.pings += 1;
        let id = format!("curtain-{}", self.pings);
        let from = self.component.as_ref();
        let from = from.map_or(String::new(), |domain| format!(" from='{domain}'"));
        let ping = format!(
            "<iq type='get' id='{id}'{from} to='{}'><ping xmlns='urn:xmpp:ping'/></iq>",
            self.domain
        );
        self.send(ping.as_bytes()).await?;
        let mut before = Vec::new();
        loop {
            let node = self.element().await?;
            if node.name == "iq" && node.attribute("id") == Some(&id) {
                return Ok(before);
            }
            before.push(node);
        }
    }

    /// Drops the connection without a word.
    pub(crate) fn disconnect(&mut self) {
        self.wire = None;
        self.note("--", "cut");
    }

    fn note(&mut self, way: &str, text: &str) {
        let short: String = text.chars().take(600).collect();
        let cut = if short.len() < text.len() {
            " [cut]"
        } else {
            ""
        };
        self.transcript
            .push(format!("{} {way} {short}{cut}", self.name));
    }
}

/// What a component is sent is a client's, but for the namespace.
fn as_of_client(mut node: Node) -> Node {
    if node.ns == component::COMPONENT {
        CLIENT.clone_into(&mut node.ns);
    }
    node.children = node.children.into_iter().map(as_of_client).collect();
    node
}

fn is_push(node: &Node) -> bool {
    let roster = node
        .child("query")
        .is_some_and(|query| query.ns == "jabber:iq:roster");
    node.name == "iq" && node.attribute("type") == Some("set") && roster
}

fn trusting(authority: &[u8]) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut &*authority) {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
