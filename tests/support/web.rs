//! The client's side of WebSocket (RFC 7395) and BOSH (XEP-0124, XEP-0206): what a script says on
//! a stream is put into messages and requests, and what they bring is told as a stream.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail, ensure};
use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use super::{Arrival, Socket};
use crate::xml::{Attribute, CLIENT, Event, Node, STREAMS, StreamParser, XML};

const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";

/// One connection by WebSocket.
pub(crate) struct WebSocket {
    stream: WebSocketStream<Box<dyn Socket>>,
    over: bool,
}

impl WebSocket {
    pub(super) async fn connect(socket: Box<dyn Socket>, host: &str) -> Result<Self> {
        let mut request = format!("wss://{host}/xmpp-websocket").into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", "xmpp".parse()?);
        let (stream, response) = tokio_tungstenite::client_async(request, socket).await?;
        let protocol = response.headers().get("sec-websocket-protocol");
        ensure!(
            protocol.is_some_and(|it| it == "xmpp"),
            "the subprotocol is not confirmed"
        );
        Ok(Self {
            stream,
            over: false,
        })
    }

    pub(super) async fn send(&mut self, text: &str) -> Result<()> {
        for said in said(text) {
            let text = match said {
                Said::Open(header) => open(&header),
                Said::Element(text) | Said::Raw(text) => text,
                Said::Close => format!("<close xmlns='{FRAMING}'/>"),
            };
            self.stream.send(Message::text(text)).await?;
        }
        Ok(())
    }

    pub(super) async fn next(&mut self) -> Result<Arrival> {
        while !self.over {
            let text = match self.stream.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => {
                    self.over = true;
                    break;
                }
                Some(Ok(other)) => bail!("expected text, found {other:?}"),
            };
            let node = document(&text)?;
            return Ok(match (node.ns.as_str(), node.name.as_str()) {
                (FRAMING, "open") => Arrival::Header(Node {
                    ns: STREAMS.to_owned(),
                    name: "stream".to_owned(),
                    ..node
                }),
                (FRAMING, "close") => Arrival::StreamEnd,
                _ => Arrival::Element(node),
            });
        }
        Ok(Arrival::Disconnected)
    }
}

/// A session of BOSH, each request on a connection of its own.
pub(crate) struct Bosh {
    address: SocketAddr,
    sid: Option<String>,
    rid: u64,
    /// How many requests may be under way.
    requests_max: usize,
    requests: JoinSet<(u64, Result<String>)>,
    /// Answers that came before their turn.
    early: BTreeMap<u64, String>,
    next_answer: u64,
    ready: VecDeque<Arrival>,
    /// The attributes of the stream's header, which BOSH does not have.
    header: Vec<Attribute>,
    opening: bool,
    over: bool,
}

impl Bosh {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            sid: None,
            rid: 1_573_741_820,
            requests_max: 2,
            requests: JoinSet::new(),
            early: BTreeMap::new(),
            next_answer: 1_573_741_820,
            ready: VecDeque::new(),
            header: Vec::new(),
            opening: false,
            over: false,
        }
    }

    pub(super) async fn send(&mut self, text: &str) -> Result<()> {
        let mut payload = String::new();
        let mut attributes = String::new();
        for said in said(text) {
            match said {
                Said::Element(text) | Said::Raw(text) => payload.push_str(&text),
                Said::Close => attributes.push_str(" type='terminate'"),
                Said::Open(header) => {
                    self.opening = true;
                    attributes.push_str(if self.sid.is_some() {
                        " xmpp:restart='true'"
                    } else {
                        " wait='50' hold='1' ver='1.11' content='text/xml; charset=utf-8'"
                    });
                    for attribute in &header.attributes {
                        let (name, value) = (&attribute.name, &attribute.value);
                        match (attribute.ns.as_str(), name.as_str()) {
                            ("", "version") => {
                                attributes.push_str(&format!(" xmpp:version='{value}'"));
                            }
                            (XML, _) => attributes.push_str(&format!(" xml:{name}='{value}'")),
                            _ => attributes.push_str(&format!(" {name}='{value}'")),
                        }
                    }
                }
            }
        }
        // One more than may be held is for the end of the session (XEP-0124 §11).
        while self.requests.len() >= self.requests_max && !self.over {
            self.await_answer().await?;
        }
        self.post(&attributes, &payload);
        Ok(())
    }

    pub(super) async fn next(&mut self) -> Result<Arrival> {
        loop {
            if let Some(arrival) = self.ready.pop_front() {
                return Ok(arrival);
            }
            if self.over {
                return Ok(Arrival::Disconnected);
            }
            if self.requests.is_empty() {
                self.post("", "");
            }
            self.await_answer().await?;
        }
    }

    fn post(&mut self, attributes: &str, payload: &str) {
        let rid = self.rid;
        self.rid += 1;
        let sid = self.sid.as_ref();
        let sid = sid.map_or_else(String::new, |sid| format!(" sid='{sid}'"));
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' \
             rid='{rid}'{sid}{attributes}>{payload}</body>"
        );
        let address = self.address;
        self.requests
            .spawn(async move { (rid, request(address, &body).await) });
    }

    async fn await_answer(&mut self) -> Result<()> {
        let Some(answered) = self.requests.join_next().await else {
            bail!("nothing is under way");
        };
        let (rid, answer) = answered?;
        match answer {
            Ok(text) => {
                self.early.insert(rid, text);
            }
            Err(_) => self.over = true,
        }
        while let Some(text) = self.early.remove(&self.next_answer) {
            self.next_answer += 1;
            self.take(&text)?;
        }
        Ok(())
    }

    fn take(&mut self, text: &str) -> Result<()> {
        let mut parser = StreamParser::default();
        parser.push(text.as_bytes());
        let Some(Event::Opened(body)) = parser.next()? else {
            bail!("expected a body, found {text}");
        };
        ensure!(body.name == "body", "expected a body, found {text}");
        if let Some(sid) = body.attribute("sid") {
            self.created(sid, &body)?;
        }
        if std::mem::take(&mut self.opening) && !self.header.is_empty() {
            self.ready.push_back(Arrival::Header(Node {
                ns: STREAMS.to_owned(),
                name: "stream".to_owned(),
                attributes: self.header.clone(),
                ..Node::default()
            }));
        }
        loop {
            match parser.next()? {
                Some(Event::Element(node)) => self.ready.push_back(Arrival::Element(node)),
                Some(Event::Closed) => break,
                Some(Event::Opened(_)) | None => bail!("the body is not whole: {text}"),
            }
        }
        if body.attribute("type") == Some("terminate") {
            self.over = true;
            self.ready.push_back(Arrival::StreamEnd);
        }
        Ok(())
    }

    fn created(&mut self, sid: &str, body: &Node) -> Result<()> {
        self.sid = Some(sid.to_owned());
        let requests = body.attribute("requests").context("no 'requests'")?;
        self.requests_max = requests.parse()?;
        let attribute = |name: &str, value: Option<&str>| Attribute {
            ns: String::new(),
            name: name.to_owned(),
            value: value.unwrap_or_default().to_owned(),
        };
        let mut attributes = body.attributes.iter();
        let version = attributes.find(|it| it.ns == "urn:xmpp:xbosh" && it.name == "version");
        self.header = vec![
            attribute("from", body.attribute("from")),
            attribute("id", Some(sid)),
            attribute("version", version.map(|version| version.value.as_str())),
        ];
        Ok(())
    }
}

/// One POST, answered with 200, as text.
async fn request(address: SocketAddr, body: &str) -> Result<String> {
    let mut socket = TcpStream::connect(address).await?;
    let head = format!(
        "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer)?;
    let (head, text) = answer.split_once("\r\n\r\n").context("no answer")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "answered with {head}");
    let kind = "content-type: text/xml; charset=utf-8";
    ensure!(head.contains(kind), "not as XML: {head}");
    Ok(text.to_owned())
}

/// What is said on a stream.
enum Said {
    Open(Node),
    Element(String),
    Close,
    /// What is no XML; it goes as it is.
    Raw(String),
}

fn said(text: &str) -> Vec<Said> {
    let mut found = Vec::new();
    let mut rest = text;
    let trimmed = rest.trim_start();
    if let Some((_, behind)) = trimmed
        .strip_prefix("<?xml ")
        .and_then(|declaration| declaration.split_once("?>"))
    {
        rest = behind;
    }
    if rest.starts_with("<stream:stream") {
        let end = rest.find('>').map_or(rest.len(), |at| at + 1);
        let (header, behind) = rest.split_at(end);
        match opened(header).next() {
            Ok(Some(Event::Opened(node))) => found.push(Said::Open(node)),
            _ => return vec![Said::Raw(text.to_owned())],
        }
        rest = behind;
    }
    let mut start = 0;
    let mut parser = in_a_stream();
    let mut pushed = 0;
    for (at, _) in rest.match_indices('>') {
        parser.push(&rest.as_bytes()[pushed..=at]);
        pushed = at + 1;
        match parser.next() {
            Ok(Some(Event::Element(node))) => {
                found.push(Said::Element(qualified(rest[start..pushed].trim(), &node)));
                start = pushed;
            }
            Ok(Some(Event::Closed)) => {
                found.push(Said::Close);
                start = pushed;
            }
            Ok(Some(Event::Opened(_)) | None) => {}
            Err(_) => break,
        }
    }
    let left = &rest[start..];
    if !left.trim().is_empty() || found.is_empty() {
        found.push(Said::Raw(left.to_owned()));
    }
    found
}

fn in_a_stream() -> StreamParser {
    let header = format!("<stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAMS}'>");
    let mut parser = opened(&header);
    let _ = parser.next();
    parser
}

fn opened(header: &str) -> StreamParser {
    let mut parser = StreamParser::default();
    parser.push(header.as_bytes());
    parser
}

/// The element as a document of its own: with the namespace that the stream would give it.
fn qualified(text: &str, node: &Node) -> String {
    let end = text.find('>').unwrap_or(text.len());
    let prefixed = text.starts_with(&format!("<{}:", "stream"));
    if node.ns != CLIENT || text[..end].contains("xmlns=") || prefixed {
        return text.to_owned();
    }
    let name = format!("<{}", node.name);
    text.replacen(&name, &format!("{name} xmlns='{CLIENT}'"), 1)
}

/// RFC 7395 §3.4.
fn open(header: &Node) -> String {
    let attributes = header.attributes.iter().map(|attribute| {
        let prefix = if attribute.ns == XML { "xml:" } else { "" };
        format!(" {prefix}{}='{}'", attribute.name, attribute.value)
    });
    format!(
        "<open xmlns='{FRAMING}'{}/>",
        attributes.collect::<String>()
    )
}

/// One element that stands alone.
fn document(text: &str) -> Result<Node> {
    let mut parser = opened("<alone>");
    parser.next()?;
    parser.push(text.as_bytes());
    match parser.next().with_context(|| format!("not XML: {text}"))? {
        Some(Event::Element(node)) => {
            ensure!(parser.unread().is_empty(), "more than one element: {text}");
            Ok(node)
        }
        other => bail!("expected one element, found {other:?} in {text}"),
    }
}
