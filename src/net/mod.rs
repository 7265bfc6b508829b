//! The edge to the network: limits per address, DNS.

pub mod address_limits;
pub mod dns;
