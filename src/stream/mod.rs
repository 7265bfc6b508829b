//! Stream negotiation as machines without IO (RFC 6120 §4 to §7).

pub mod sasl;
