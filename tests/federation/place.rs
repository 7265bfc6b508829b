//! Where servers listen: each at a loopback address of its own.
//!
//! All of 127.0.0.0/8 is loopback on Linux. At an address that nobody else has the ports are free, and they
//! stay a server's own while it is restarted. They are not the customary ones, which a server that is
//! installed on the machine may have taken at every address; SRV records say which.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};

/// Other servers, with STARTTLS.
pub(crate) const SERVERS: u16 = 15269;
/// Other servers, TLS from the first byte.
pub(crate) const SERVERS_DIRECT_TLS: u16 = 15270;
/// Clients.
pub(crate) const CLIENTS: u16 = 15222;

/// How many addresses are tried; a neighbour is a test that runs at the same time.
const TRIES_MAX: u32 = 100;

/// Addresses that were given to tests of this process.
static GIVEN: AtomicU32 = AtomicU32::new(0);

/// The loopback address of one server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(pub(crate) Ipv4Addr);

impl Place {
    /// An address at which nothing listens, far from those of other processes.
    pub(crate) fn new() -> Result<Self> {
        for _ in 0..TRIES_MAX {
            let number = GIVEN.fetch_add(1, Ordering::Relaxed);
            let number = std::process::id().wrapping_mul(64).wrapping_add(number);
            // 127.1.0.0 to 127.255.255.255.
            let address = Ipv4Addr::from(0x7f01_0000 + number % 0x00ff_0000);
            if TcpListener::bind((address, SERVERS)).is_ok() {
                return Ok(Self(address));
            }
        }
        Err(std::io::Error::last_os_error()).context("no loopback address is free")
    }

    /// A port here.
    pub(crate) fn at(self, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.0, port)
    }

    /// The same for sockets.
    pub(crate) fn socket(self, port: u16) -> SocketAddr {
        SocketAddr::V4(self.at(port))
    }
}
