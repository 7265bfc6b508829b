//! The edge to the network: TLS, limits per address and per connection, DNS.

pub mod address_limits;
pub mod dns;
pub mod listener;
pub mod rate;
pub mod tls;
