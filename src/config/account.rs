//! `[offline]`, `[private_storage]`, `[vcard]`: how much is kept for one account.

use super::section::section;
use super::units::Bytes;

section! {
    /// Messages for accounts of which no resource is connected (XEP-0160).
    pub struct Offline {
        /// How many are kept for one account; the sender of one more is told
        /// (service-unavailable). A long absence brings hundreds, a flood more.
        messages_per_account_max: u32 = 1000, in 0..=1_000_000;
        /// After how many days one is dropped; 0 for never, since its sender was told that it
        /// is kept.
        expire_days: u32 = 0, in 0..=36_500;
    }
}

section! {
    /// What clients keep on the server for themselves (XEP-0049).
    pub struct PrivateStorage {
        /// How much one account may keep, all elements together. Bookmarks and settings take
        /// some KiB.
        bytes_max: Bytes = Bytes::mib(1), in Bytes::new(0)..=Bytes::mib(64);
    }
}

section! {
    /// Cards of accounts (vcard-temp, XEP-0054).
    pub struct Vcard {
        /// How large a card may be, with its picture. A stanza cannot carry more than `[c2s]`
        /// stanza_bytes_max anyway.
        bytes_max: Bytes = Bytes::kib(256), in Bytes::new(0)..=Bytes::mib(16);
    }
}
