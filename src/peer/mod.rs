//! What connections of components and of other servers share: the bytes ([`Connection`]), and the queue of
//! what is to be sent there ([`Queue`]). Who the peer is and what it may do is theirs to know.

mod connection;
mod queue;

pub use connection::{Connection, ReadError, Turn};
pub use queue::{Queue, QueueLimits, Refused, Waiting};
