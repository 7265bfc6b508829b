//! HTTP as it goes over the socket: a request is bytes, and so may be a bad one.

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::house::{House, PATIENCE};

/// A request on a connection of its own.
pub(crate) struct Exchange(TcpStream);

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Exchange {
    /// Sends a head, whose last line break is added, with `Connection: close`.
    pub(crate) async fn begin(house: &House, head: &str) -> Result<Self> {
        let mut socket = TcpStream::connect(house.address("http")?).await?;
        let head = format!("{head}Connection: close\r\n\r\n");
        socket.write_all(head.as_bytes()).await?;
        Ok(Self(socket))
    }

    /// Sends some of the body. A server that has closed is no error: what it said before says why.
    pub(crate) async fn send(&mut self, body: &[u8]) -> Result<()> {
        let _closed = timeout(PATIENCE, self.0.write_all(body))
            .await
            .context("the server does not read")?;
        Ok(())
    }

    /// Reads the answer to its end.
    pub(crate) async fn reply(mut self) -> Result<Reply> {
        let mut bytes = Vec::new();
        // A connection that is reset behind the answer takes nothing of it away.
        let _reset = timeout(PATIENCE, self.0.read_to_end(&mut bytes))
            .await
            .context("no answer")?;
        Reply::read(&bytes).with_context(|| format!("{:?}", String::from_utf8_lossy(&bytes)))
    }

    /// A whole request and its answer.
    pub(crate) async fn whole(house: &House, head: &str, body: &[u8]) -> Result<Reply> {
        let mut exchange = Self::begin(house, head).await?;
        exchange.send(body).await?;
        exchange.reply().await
    }
}

impl Reply {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        Some(Self {
            status,
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: bytes.get(end + 4..)?.to_vec(),
        })
    }

    /// The value of a header, whose name is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }
}
