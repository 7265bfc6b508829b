//! The edge to the network: TLS, limits per address, how fast a peer may send, DNS.

pub mod address_limits;
pub mod dns;
pub mod listener;
pub mod rate;
pub mod tls;
