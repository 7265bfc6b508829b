//! The edge to the network: TLS, limits per address, DNS.

pub mod address_limits;
pub mod dns;
pub mod listener;
pub mod tls;
