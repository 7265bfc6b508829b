//! `[admin]`, `[audit]`: who administers what, and how long it is remembered.

use super::blocking::Address;
use super::section::section;

section! {
    /// Who administers the server. An account with the role administrator acts on its own host. Where
    /// only one host is served it also acts on the server as a whole: restarts it, changes the log,
    /// reads the configuration anew. Whoever may run the command line does everything.
    pub struct Admin {
        /// Administrators who act on every host and on the server as a whole, where there is more
        /// than one host. They need the role administrator as well.
        server_administrators: Vec<Address> = Vec::new();
    }
}

section! {
    /// The audit trail: every act of an administrator with its time, origin, target and result, and
    /// every attempt that was refused. `parlour audit list` shows it.
    pub struct Audit {
        /// After how many days an entry is deleted.
        keep_days: u32 = 365, in 1..=3_650;
        /// How many are kept; the oldest go.
        entries_max: u32 = 100_000, in 100..=10_000_000;
    }
}
