//! Takes connections and hands each to a task of its own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::http::Site;
use crate::net::address_limits::{ConnectionSlot, NegotiationPlace};
use crate::session::transport::Transport;
use crate::session::{Listener, Start, serve};

/// After how long of silence the kernel asks whether the peer is still there. Behind the
/// session's own question ([c2s] idle_seconds); it serves connections that never got a session.
const KEEPALIVE: Duration = Duration::from_secs(120);

/// How long to wait when no connection can be taken, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is spoken behind a listener.
#[derive(Clone)]
pub(super) enum Door {
    /// XMPP.
    Xmpp(Start),
    /// HTTP.
    Http(Arc<Site>),
}

impl Door {
    async fn serve(
        self,
        listener: Arc<Listener>,
        connection: TcpStream,
        address: IpAddr,
        (slot, place): (ConnectionSlot, NegotiationPlace),
    ) {
        match self {
            Self::Xmpp(start) => {
                serve(listener, Transport::Tcp(connection), address, start, place).await;
                drop(slot);
            }
            Self::Http(site) => Box::pin(site.serve(connection, address, (slot, place))).await,
        }
    }
}

/// Takes connections until `stop`. Never ends by an error: what cannot be taken now can be
/// taken later.
pub(super) async fn accept(
    socket: TcpListener,
    listener: Arc<Listener>,
    door: Door,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = socket.accept() => accepted,
        };
        match accepted {
            Ok((connection, peer)) => welcome(connection, peer, &listener, &door),
            Err(error) => {
                warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn welcome(connection: TcpStream, peer: SocketAddr, listener: &Arc<Listener>, door: &Door) {
    let address = peer.ip().to_canonical();
    let admitted = listener
        .addresses
        .connect(address, Instant::now().into_std());
    let places = match admitted {
        Ok(admitted) => admitted,
        Err(refusal) => {
            debug!(%address, %refusal, "connection refused");
            return;
        }
    };
    if let Err(error) = tune(&connection) {
        debug!(%error, "socket options");
    }
    let listener = Arc::clone(listener);
    let tasks = listener.tasks.clone();
    tasks.spawn(door.clone().serve(listener, connection, address, places));
}

/// Stanzas are small and answers are awaited, so nothing is held back to be joined.
fn tune(connection: &TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    SockRef::from(connection).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
}
