//! Requests of HTTP byte by byte, and a WebSocket that says whatever a test wants.

use anyhow::{Context as _, Result, bail};
use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::house::{House, PATIENCE};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// One request on a connection of its own.
pub(crate) async fn ask(
    house: &House,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Answer> {
    let mut socket = TcpStream::connect(house.address("http")?).await?;
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text.push_str("Host: localhost\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    // A server that has heard enough closes before all is said.
    let _ = socket.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut answer)).await??;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    Ok(Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// What a WebSocket brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Brought {
    Text(String),
    Ping,
    /// With its code.
    Close(Option<u16>),
    /// The end of the connection.
    End,
}

/// A WebSocket over plain HTTP.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Connects with these headers, or tells the status that refuses.
    pub(crate) async fn connect(
        house: &House,
        headers: &[(&'static str, &str)],
    ) -> Result<Result<Self, u16>> {
        let socket = TcpStream::connect(house.address("http")?).await?;
        let mut request = "ws://localhost/xmpp-websocket".into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse()?);
        }
        match tokio_tungstenite::client_async(request, socket).await {
            Ok((stream, _)) => Ok(Ok(Self(stream))),
            Err(Error::Http(response)) => Ok(Err(response.status().as_u16())),
            Err(error) => Err(error.into()),
        }
    }

    /// Connects as a client does.
    pub(crate) async fn xmpp(house: &House) -> Result<Self> {
        let connected = Self::connect(house, &[("sec-websocket-protocol", "xmpp")]).await?;
        connected.map_err(|status| anyhow::anyhow!("refused with {status}"))
    }

    pub(crate) async fn send(&mut self, message: impl Into<Message>) -> Result<()> {
        Ok(self.0.send(message.into()).await?)
    }

    pub(crate) async fn next(&mut self) -> Result<Brought> {
        let message = timeout(PATIENCE, self.0.next()).await;
        Ok(match message.context("nothing arrives")? {
            Some(Ok(Message::Text(text))) => Brought::Text(text.to_string()),
            Some(Ok(Message::Ping(_))) => Brought::Ping,
            Some(Ok(Message::Close(frame))) => Brought::Close(frame.map(|it| it.code.into())),
            Some(Ok(other)) => bail!("received {other:?}"),
            Some(Err(_)) | None => Brought::End,
        })
    }

    /// The next text.
    pub(crate) async fn text(&mut self) -> Result<String> {
        match self.next().await? {
            Brought::Text(text) => Ok(text),
            other => bail!("expected text, found {other:?}"),
        }
    }
}
