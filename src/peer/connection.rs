//! One connection with a peer, cut into frames.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use crate::xml::{Frame, Framer, Limits, XmlError};

/// How much is read at once: peers send for many accounts.
const READ_BYTES: usize = 16 * 1024;

/// What a peer has to take within [`WRITE_TIMEOUT`].
const WRITE_PIECE_BYTES: usize = 64 * 1024;

/// How long a peer may take to read a piece of what is written, before it counts as gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a peer may take to close its end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Why there is no further frame.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The connection is broken.
    #[error("the connection broke: {0}")]
    Broken(#[from] io::Error),
    /// The peer closed it without closing the stream.
    #[error("the connection was closed")]
    Closed,
    /// What came is not to be read (RFC 6120 §4.9.3).
    #[error("bad XML: {0}")]
    Xml(XmlError),
}

/// What [`Connection::turn`] came to.
#[derive(Debug)]
pub enum Turn {
    /// A frame came.
    Frame(Frame),
    /// Something was written; `all` when everything has left for the network.
    Wrote {
        /// Whether nothing is left.
        all: bool,
    },
}

/// What one look at the socket came to.
enum Moved {
    Read(usize),
    Wrote(usize),
    Flushed,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    /// On the heap: it is a kilobyte of state.
    Tls(Box<TlsStream<TcpStream>>),
    /// While its TLS handshake is under way, and after one that failed.
    None,
}

/// A connection with a peer: bytes on one side, frames on the other.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    framer: Framer,
    buffer: BytesMut,
    /// Something was written by [`Connection::turn`] and not flushed yet.
    unflushed: bool,
    /// Whose turn it is to be looked at first, so that neither direction starves the other.
    write_first: bool,
}

impl Connection {
    /// Frames on a socket without TLS.
    #[must_use]
    pub fn new(socket: TcpStream, limits: Limits) -> Self {
        Self {
            socket: Socket::Tcp(socket),
            framer: Framer::new(limits),
            buffer: BytesMut::new(),
            unflushed: false,
            write_first: true,
        }
    }

    /// The next frame. Cancel-safe: what was read stays in the buffer.
    ///
    /// # Errors
    /// When there is none any more.
    pub async fn next(&mut self) -> Result<Frame, ReadError> {
        loop {
            if let Some(frame) = self.framer.next(&mut self.buffer).map_err(ReadError::Xml)? {
                return Ok(frame);
            }
            if self.fill().await? == 0 {
                return Err(ReadError::Closed);
            }
        }
    }

    /// Writes from the front of `out` and reads at the same time, so that two peers that both have much to
    /// say never wait for each other. With `reading` off nothing is read. Cancel-safe: what was written is
    /// gone from `out`. Whoever calls it watches over the time that a peer takes to read.
    ///
    /// # Errors
    /// When the connection is broken or the peer's XML is.
    pub async fn turn(&mut self, out: &mut BytesMut, reading: bool) -> Result<Turn, ReadError> {
        loop {
            if reading
                && let Some(frame) = self.framer.next(&mut self.buffer).map_err(ReadError::Xml)?
            {
                return Ok(Turn::Frame(frame));
            }
            self.write_first = !self.write_first;
            let moved = poll_fn(|cx| self.poll_turn(cx, out, reading)).await?;
            match moved {
                Moved::Read(0) => return Err(ReadError::Closed),
                Moved::Read(_) => {}
                Moved::Wrote(0) => return Err(ReadError::Closed),
                Moved::Wrote(_) => return Ok(Turn::Wrote { all: false }),
                Moved::Flushed => {
                    return Ok(Turn::Wrote {
                        all: out.is_empty(),
                    });
                }
            }
        }
    }

    fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut BytesMut,
        reading: bool,
    ) -> Poll<io::Result<Moved>> {
        for writes in [self.write_first, !self.write_first] {
            let moved = if writes {
                self.poll_write(cx, out)
            } else if reading {
                pin!(self.fill()).poll(cx).map_ok(Moved::Read)
            } else {
                Poll::Pending
            };
            if moved.is_ready() {
                return moved;
            }
        }
        Poll::Pending
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, out: &mut BytesMut) -> Poll<io::Result<Moved>> {
        if out.is_empty() && !self.unflushed {
            return Poll::Pending;
        }
        let written = match &mut self.socket {
            Socket::None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            Socket::Tcp(socket) if !out.is_empty() => pin!(socket.write(out)).poll(cx),
            Socket::Tls(stream) if !out.is_empty() => pin!(stream.write(out)).poll(cx),
            Socket::Tcp(_) => Poll::Ready(Ok(0)),
            Socket::Tls(stream) => pin!(stream.flush()).poll(cx).map_ok(|()| 0),
        };
        let flushing = out.is_empty();
        written.map_ok(|bytes| {
            out.advance(bytes);
            self.unflushed = !flushing;
            if flushing {
                Moved::Flushed
            } else {
                Moved::Wrote(bytes)
            }
        })
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ_BYTES);
        match &mut self.socket {
            Socket::Tcp(socket) => socket.read_buf(&mut self.buffer).await,
            Socket::Tls(stream) => stream.read_buf(&mut self.buffer).await,
            Socket::None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Writes everything. Not cancel-safe: a caller that gives up closes the connection.
    ///
    /// # Errors
    /// When the connection is broken, or the peer does not take a piece of it in time.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(WRITE_PIECE_BYTES) {
            tokio::time::timeout(WRITE_TIMEOUT, self.write_slowly(piece)).await??;
        }
        Ok(())
    }

    async fn write_slowly(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.socket {
            Socket::Tcp(socket) => socket.write_all(bytes).await,
            Socket::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
            Socket::None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Expects a new stream header (RFC 6120 §4.3.3). What was read already belongs to it.
    pub fn restart(&mut self) {
        self.framer.restart();
    }

    /// Applies other limits from the next frame on, as after authentication.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.framer.set_limits(limits);
    }

    /// The server's side of TLS. What was read before it is thrown away, for nobody vouches for it
    /// (RFC 6120 §5.4.3.3).
    ///
    /// # Errors
    /// When the handshake fails; the connection is over then.
    pub async fn accept_tls(&mut self, config: std::sync::Arc<ServerConfig>) -> io::Result<()> {
        let socket = self.plain()?;
        let stream = TlsAcceptor::from(config).accept(socket).await?;
        self.encrypted(TlsStream::Server(stream));
        Ok(())
    }

    /// The client's side of TLS.
    ///
    /// # Errors
    /// As [`Self::accept_tls`], also when the certificate is not accepted by the connector's verifier.
    pub async fn connect_tls(
        &mut self,
        connector: &TlsConnector,
        name: ServerName<'static>,
    ) -> io::Result<()> {
        let socket = self.plain()?;
        let stream = connector.connect(name, socket).await?;
        self.encrypted(TlsStream::Client(stream));
        Ok(())
    }

    fn plain(&mut self) -> io::Result<TcpStream> {
        self.buffer.clear();
        match std::mem::replace(&mut self.socket, Socket::None) {
            Socket::Tcp(socket) => Ok(socket),
            Socket::Tls(_) | Socket::None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn encrypted(&mut self, stream: TlsStream<TcpStream>) {
        self.socket = Socket::Tls(Box::new(stream));
        self.framer.restart();
    }

    /// What the handshake agreed on; `None` without TLS.
    #[must_use]
    pub fn tls(&self) -> Option<&TlsStream<TcpStream>> {
        match &self.socket {
            Socket::Tls(stream) => Some(stream),
            Socket::Tcp(_) | Socket::None => None,
        }
    }

    /// Closes the sending direction and waits shortly for the peer to do the same (RFC 6120 §4.4), so that
    /// what was written last is not lost to a reset.
    pub async fn close(mut self) {
        let closing = async {
            match &mut self.socket {
                Socket::Tcp(socket) => socket.shutdown().await?,
                Socket::Tls(stream) => stream.shutdown().await?,
                Socket::None => return Ok(()),
            }
            self.buffer.clear();
            while self.fill().await? > 0 {
                self.buffer.clear();
            }
            io::Result::Ok(())
        };
        // Whichever way it goes, the connection is over.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, closing).await;
    }
}
