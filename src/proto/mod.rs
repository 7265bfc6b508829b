//! The vocabulary of XMPP as types: addresses, stanzas, errors, namespaces and payloads.

pub mod common;
pub mod document;
pub mod error;
pub mod jid;
pub mod media_type;
pub mod ns;
pub mod reading;
pub mod scram;
pub mod stanza;
pub mod uri;

pub use error::{Condition, ErrorType, StanzaError, StreamCondition, StreamError};
pub use jid::{BareJid, FullJid, Jid, Resource};
pub use media_type::MediaType;
pub use stanza::{ArchiveMark, IqType, Kind, MessageType, PresenceType, Stanza, ToEach};
