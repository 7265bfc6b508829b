//! Stream negotiation as a machine without IO (RFC 6120 §4 to §7).
//!
//! [`Negotiation::handle`] takes what happened and gives back what to send and what to do
//! next. It knows no sockets, no TLS library, no database and no clock; the drivers of TCP,
//! TLS and other transports feed the same machine.

mod features;
pub mod header;
mod interface;
mod machine;
mod outbox;
pub mod sasl;
#[cfg(test)]
mod tests;

pub use interface::{Admission, Input, Next, Output, Rules, StreamFeatures, Tls};
pub use machine::Negotiation;
pub use outbox::{Framing, Outbox, split};
