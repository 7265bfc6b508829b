//! The bytes of a connection, over TCP with or without TLS, or carried by HTTP.
//!
//! A read buffer is taken only when there is something to read, and is as large as that: a session that is idle
//! holds none, which is most of what it would weigh, and what is kept of a stanza holds on to little else.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::web::Web;
use crate::stream::Framing;

/// How much is read at once.
const READ_BYTES: usize = 4096;

/// What a peer has to take within [`WRITE_TIMEOUT`]: a slow link is not cut off because much
/// was kept for it.
const WRITE_PIECE_BYTES: usize = 16 * 1024;

/// How long a peer may take to read what is written, before it counts as gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a peer may take to close its end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection.
#[derive(Debug)]
pub enum Transport {
    /// Without encryption.
    Tcp(TcpStream),
    /// TLS. On the heap: it is a kilobyte of state.
    Tls(Box<TlsStream<TcpStream>>),
    /// Inside of HTTP.
    Web(Box<Web>),
}

impl Transport {
    /// How elements are put on the wire.
    #[must_use]
    pub fn framing(&self) -> Framing {
        match self {
            Self::Tcp(_) | Self::Tls(_) => Framing::Stream,
            Self::Web(web) => web.framing(),
        }
    }

    /// Whether nobody on the way can read it.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        match self {
            Self::Tcp(_) => false,
            Self::Tls(_) => true,
            Self::Web(web) => web.is_encrypted(),
        }
    }

    /// Expects a new stream.
    pub fn restart(&mut self) {
        match self {
            Self::Tcp(_) | Self::Tls(_) => {}
            Self::Web(web) => web.restart(),
        }
    }

    /// Waits for bytes and appends them to the buffer; 0 means that the peer has closed.
    /// Cancel-safe: nothing is taken from the socket before it is in the buffer.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => loop {
                socket.readable().await?;
                match read_now(socket, buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    outcome => return outcome,
                }
            },
            Self::Tls(stream) => {
                let available = stream.fill_buf().await?;
                let count = available.len();
                buffer.extend_from_slice(available);
                stream.consume(count);
                Ok(count)
            }
            Self::Web(web) => web.read(buffer).await,
        }
    }

    /// Writes what the socket takes at once and tells how much that was. Over TLS and HTTP
    /// nothing, for these are not to be begun without being able to wait.
    ///
    /// # Errors
    /// When the connection is broken.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(_) if bytes.is_empty() => Ok(0),
            Self::Tls(_) | Self::Web(_) => Ok(0),
            Self::Tcp(socket) => match socket.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
                outcome => outcome,
            },
        }
    }

    /// Writes everything. Not cancel-safe: a caller that gives up closes the connection.
    ///
    /// # Errors
    /// When the connection is broken, or the peer does not take a piece of it in a minute.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Self::Web(web) = self {
            return web.write(bytes).await;
        }
        for piece in bytes.chunks(WRITE_PIECE_BYTES) {
            tokio::time::timeout(WRITE_TIMEOUT, self.write_slowly(piece)).await??;
        }
        Ok(())
    }

    async fn write_slowly(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.write_all(bytes).await,
            Self::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Self::Web(web) => web.write(bytes).await,
        }
    }

    /// Closes the sending direction and waits shortly for the peer to do the same
    /// (RFC 6120 §4.4), so that what was written last is not lost to a reset.
    pub async fn close(mut self) {
        let closing = async {
            match &mut self {
                Self::Tcp(socket) => socket.shutdown().await?,
                Self::Tls(stream) => stream.shutdown().await?,
                // Its carrier does the rest.
                Self::Web(_) => return Ok(()),
            }
            let mut rest = BytesMut::new();
            while self.read(&mut rest).await? > 0 {
                rest.clear();
            }
            io::Result::Ok(())
        };
        // Whichever way it goes, the connection is over.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
    }
}

/// Reads what there is by now. What it is read into lies on the stack, for most of it is shorter by far.
fn read_now(socket: &TcpStream, buffer: &mut BytesMut) -> io::Result<usize> {
    let mut bytes = [0; READ_BYTES];
    let count = socket.try_read(&mut bytes)?;
    buffer.extend_from_slice(bytes.get(..count).unwrap_or_default());
    Ok(count)
}
