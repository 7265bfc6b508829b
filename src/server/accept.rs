//! Takes connections and hands each to a task of its own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::component;
use crate::http::{Places, Site};
use crate::net::address_limits::AddressLimits;
use crate::s2s::{self, Federation};
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
    /// The protocol of components (XEP-0114).
    Component(component::Setup),
    /// XMPP of other servers.
    Servers {
        /// Who serves it.
        federation: Arc<Federation>,
        /// Servers have limits of their own.
        addresses: Arc<AddressLimits>,
        /// How TLS begins.
        start: s2s::Start,
    },
}

impl Door {
    async fn serve(
        self,
        listener: Arc<Listener>,
        connection: TcpStream,
        address: IpAddr,
        places: Option<Places>,
    ) {
        match (self, places) {
            (Self::Xmpp(start), Some((slot, place))) => {
                serve(listener, Transport::Tcp(connection), address, start, place).await;
                drop(slot);
            }
            (Self::Component(setup), Some((slot, place))) => {
                component::serve(setup, connection, address, place).await;
                drop(slot);
            }
            // Every peer of XMPP has its places.
            (Self::Xmpp(_) | Self::Component(_), None) => {}
            (
                Self::Servers {
                    federation, start, ..
                },
                places,
            ) => {
                federation.serve(connection, address, start).await;
                drop(places);
            }
            (Self::Http(site), places) => {
                Box::pin(site.serve(connection, address, places)).await;
            }
        }
    }

    fn limits<'a>(&'a self, listener: &'a Listener) -> &'a AddressLimits {
        match self {
            Self::Servers { addresses, .. } => addresses,
            Self::Xmpp(_) | Self::Component(_) | Self::Http(_) => &listener.addresses,
        }
    }

    /// Where its connections are served: those of servers last longer than the others.
    fn tasks<'a>(&'a self, listener: &'a Listener) -> &'a TaskTracker {
        match self {
            Self::Servers { federation, .. } => federation.tasks(),
            Self::Xmpp(_) | Self::Component(_) | Self::Http(_) => &listener.tasks,
        }
    }

    /// Whether the connections of this address are those of many clients, who are limited one by
    /// one when their requests tell who they are.
    fn is_for_many(&self, address: IpAddr) -> bool {
        match self {
            Self::Xmpp(_) | Self::Component(_) | Self::Servers { .. } => false,
            Self::Http(site) => site.trusts(address),
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
    let limits = door.limits(listener);
    let places = if door.is_for_many(address) {
        None
    } else {
        match limits.connect(address, Instant::now().into_std()) {
            Ok(places) => Some(places),
            Err(refusal) => return debug!(%address, %refusal, "connection refused"),
        }
    };
    if let Err(error) = tune(&connection) {
        debug!(%error, "socket options");
    }
    let listener = Arc::clone(listener);
    let tasks = door.tasks(&listener).clone();
    tasks.spawn(door.clone().serve(listener, connection, address, places));
}

/// Stanzas are small and answers are awaited, so nothing is held back to be joined.
fn tune(connection: &TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    SockRef::from(connection).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE))
}
