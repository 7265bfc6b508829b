//! `[log]`: what is written to standard error.

use super::section::section;
use crate::observe::{Filter, Format};

section! {
    /// The log, on standard error.
    pub struct Log {
        /// error, warn, info, debug or trace, for parts of the program too:
        /// "info,parlour::router=debug". info tells the life of the server, debug every stanza
        /// (never its text).
        level: Filter = Filter::default();
        /// "text" for people, "json" for machines: one object per line.
        format: Format = Format::Text;
    }
}
