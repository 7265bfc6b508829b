//! `[stream_management]`: how a lost connection is survived (XEP-0198).

use super::section::section;
use super::units::{Bytes, Seconds};

section! {
    /// Acknowledged stanzas and resumed sessions (XEP-0198).
    pub struct StreamManagement {
        /// For how long a session whose connection was lost waits for its client to come back;
        /// 0 ends it at once. A client may ask for less. Trains leave most tunnels within
        /// five minutes.
        resume_seconds: Seconds = Seconds::new(300), in Seconds::new(0)..=Seconds::new(86_400);
        /// How many stanzas may be sent to a client that does not acknowledge them, and wait for
        /// one that is away. More wait in the mailbox of a client that is connected; the session
        /// of one that is away ends, and its messages are kept for later.
        unacknowledged_stanzas_max: u32 = 1000, in 16..=100_000;
        /// The same in bytes. Not less than `[c2s]` stanza_bytes_max.
        unacknowledged_bytes_max: Bytes = Bytes::mib(4), in Bytes::kib(64)..=Bytes::mib(1024);
        /// How long a client may take to acknowledge when it is asked to, before its connection
        /// counts as lost. What it says otherwise in the meantime counts as a sign of life.
        acknowledge_seconds: Seconds = Seconds::new(60), in Seconds::new(1)..=Seconds::new(3600);
    }
}
