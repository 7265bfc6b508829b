//! The vocabulary of XMPP as types: addresses, stanza heads, errors, namespaces and payloads.

pub mod jid;
pub mod ns;
pub mod scram;
