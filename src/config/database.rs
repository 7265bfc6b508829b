//! `[database]`: where everything is stored.

use std::path::PathBuf;

use super::section::section;
use super::units::Seconds;
use crate::observe::Secret;

section! {
    /// Storage: SQLite in data_dir unless another database is named.
    pub struct Database {
        /// "sqlite:path" or "postgres://user:password@server/database". Empty: the file
        /// parlour.db in data_dir.
        url: Option<Secret<String>> = None;
        /// How many connections are held at most. More than some per processor make a
        /// database slower.
        connections_max: u32 = 16, in 1..=1000;
        /// How long a request waits for a free connection before it fails, with the stanza it
        /// serves (internal-server-error, to be tried again). Longer than a hiccup, shorter than clients wait.
        acquire_timeout_seconds: Seconds = Seconds::new(10),
            in Seconds::new(1)..=Seconds::new(300);
    }
}

/// Which database serves.
#[derive(Clone, Debug, PartialEq)]
pub enum DatabaseLocation {
    /// The embedded one, in this file.
    SqliteFile(PathBuf),
    /// The one of this URL; it may hold a password.
    Url(Secret<String>),
}

/// What the URL of a database begins with.
pub(super) const SCHEMES: [&str; 3] = ["sqlite:", "postgres://", "postgresql://"];
