//! Sockets that listen.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that the kernel holds until they are taken; as many as a reconnecting
/// contact center brings at once, and no more than Linux allows by default.
const BACKLOG: i32 = 4096;

/// Binds an address. IPv6 sockets take IPv6 only, so that `0.0.0.0` and `[::]` can be bound
/// side by side.
///
/// # Errors
/// When the address is in use or not this machine's, or the port needs a privilege.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(StdListener::from(socket))
}
