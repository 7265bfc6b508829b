//! `[archive]`: what is archived, for how long, and how much is given at once.

use super::section::{section, words};
use super::units::Bytes;

section! {
    /// Archives of messages, of accounts and rooms (XEP-0313).
    pub struct Archive {
        /// Whose messages are archived for accounts that have not said what they prefer
        /// (XEP-0441).
        default: ArchiveDefault = ArchiveDefault::Always;
        /// After how many days a message is dropped; 0 for never.
        keep_days: u32 = 0, in 0..=36_500;
        /// How many messages one archive keeps; the oldest go, once a day, so that it may have more for as
        /// long. 0 for any number.
        messages_max: u32 = 1_000_000, in 0..=100_000_000;
        /// Whether messages can be searched for words (XEP-0431). A word costs about 10 bytes of
        /// disk for each message that it is in.
        full_text: bool = true;
        /// How many messages a query is answered with that asks for no number.
        page_messages: u32 = 50, in 1..=1_000;
        /// How many messages a query is answered with at most.
        page_messages_max: u32 = 250, in 1..=1_000;
        /// A page ends with the message that reaches this size, for all of it is in memory at once.
        page_bytes_max: Bytes = Bytes::mib(1), in Bytes::kib(1)..=Bytes::mib(64);
        /// How many addresses an account may list in its preferences.
        preference_addresses_max: u32 = 500, in 0..=10_000;
    }
}

words! {
    /// Whose messages are archived where nothing else was said (XEP-0441 §2.1.1).
    pub enum ArchiveDefault {
        /// Everybody's.
        Always = "always",
        /// Nobody's.
        Never = "never",
        /// Those of contacts.
        Roster = "roster",
    }
}
