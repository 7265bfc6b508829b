//! `[roster]`: how many contacts an account may have.

use super::section::section;

section! {
    /// Contacts (RFC 6121 §2) and who asks to become one.
    pub struct Roster {
        /// How many contacts an account may have. All of them are sent at once when a client asks.
        items_max: u32 = 5_000, in 1..=100_000;
        /// How many requests to see the presence of an account may wait for its answer. All of them
        /// are sent to each client that comes online.
        requests_max: u32 = 500, in 1..=10_000;
    }
}
