//! Accounts in the format that servers exchange (XEP-0227): `parlour export` and `parlour import`.
//!
//! A file goes through account by account, whatever its size. Each kind of data has a file in `portable/` that
//! knows how it is written and read; `document` cuts a file into users, `person` puts one together. An account
//! that is read is there with all it had or not at all.

mod contacts;
mod credentials;
mod document;
mod mail;
mod nodes;
mod person;
mod reading;
mod writing;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde::Serialize;

pub use super::backup_files::FileError;
pub use reading::import;
pub use writing::{Choice, export};

use crate::config;
use crate::proto::{BareJid, Stanza};
use crate::store::StoreError;
use crate::xml::Element;

/// XEP-0227 §4.
const PIE: &str = "urn:xmpp:pie:0";
/// XEP-0227 §4.3.
const PIE_SCRAM: &str = "urn:xmpp:pie:0#scram";
/// XEP-0227 §4.11.
const PIE_MAM: &str = "urn:xmpp:pie:0#mam";
/// XEP-0227 §5.
const XINCLUDE: &str = "http://www.w3.org/2001/XInclude";
/// XEP-0016, which only files of other servers have.
const PRIVACY: &str = "jabber:iq:privacy";

/// Bytes of one user in a file. 64 MiB: a hundred thousand messages, and little beside what a server has in
/// memory anyway.
const USER_BYTES_MAX: usize = 64 << 20;

/// Remarks that are told one by one.
const REMARKS_MAX: usize = 1_000;

/// A node's configuration as it is kept, and what could not be taken over.
pub type Configured = (Vec<u8>, Vec<String>);

/// What accounts are made of that extensions decide.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The words of a message by which its archive finds it.
    pub words: fn(&config::Archive, &BareJid, &Stanza) -> Vec<i64>,
    /// A node's configuration as it is kept, from that of another server and the number of its items; with what
    /// could not be taken over.
    pub node: fn(Option<&Element>, usize) -> Configured,
}

/// Why a file could not be written or read to its end.
#[derive(Debug, thiserror::Error)]
pub enum PortableError {
    /// The database failed.
    #[error("the database failed: {0}")]
    Store(#[from] StoreError),
    /// A file failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The system gave no random numbers, or no thread.
    #[error("{0}")]
    Keys(String),
    /// There is no database.
    #[error("there is nothing to export: the server has no database yet")]
    Nothing,
    /// The database is of another version.
    #[error("the tables are of another version: {0}")]
    Version(&'static str),
    /// The file is there already.
    #[error("{}: is there already; name a file that is not", .0.display())]
    Exists(PathBuf),
    /// Somebody who shall be exported does not exist.
    #[error("there is no account {0}")]
    NoAccount(BareJid),
    /// The file is no file of users, and nothing behind this place can be read.
    #[error("{}, line {line}: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong.
        what: String,
    },
}

impl PortableError {
    fn unreadable(path: &std::path::Path, line: u64, what: impl Into<String>) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            line,
            what: what.into(),
        }
    }
}

/// Something that an operator is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The file.
    pub file: PathBuf,
    /// The line in which the user, or what it is about, begins.
    pub line: u64,
    /// The user, where one is meant.
    pub account: Option<String>,
    /// What there is to say.
    pub text: String,
}

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Accounts that are made, or that would be.
    pub accounts: u64,
    /// Accounts that are not made.
    pub skipped: u64,
    /// Why accounts are not made, and what could not be read at all.
    pub problems: Vec<Remark>,
    /// What of accounts that are made could not be taken over.
    pub notes: Vec<Remark>,
    /// Problems and notes that there was no room for.
    pub untold: u64,
}

impl Imported {
    /// Whether everybody is in.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// Notes that a file could not be read to its end.
    pub fn end(&mut self, file: &std::path::Path, error: &PortableError) {
        let (line, text) = match error {
            PortableError::Unreadable { line, what, .. } => (*line, what.clone()),
            other => (1, other.to_string()),
        };
        let file = match error {
            PortableError::Unreadable { path, .. } => path.clone(),
            _ => file.to_owned(),
        };
        self.problem(Remark {
            file,
            line,
            account: None,
            text: format!("{text}; nothing behind it is read"),
        });
    }

    fn problem(&mut self, remark: Remark) {
        push(&mut self.problems, remark, &mut self.untold);
    }

    fn note(&mut self, remark: Remark) {
        push(&mut self.notes, remark, &mut self.untold);
    }
}

fn push(remarks: &mut Vec<Remark>, remark: Remark, untold: &mut u64) {
    if remarks.len() < REMARKS_MAX {
        remarks.push(remark);
    } else {
        *untold += 1;
    }
}

/// What is in a file that was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Accounts.
    pub accounts: u64,
    /// Those of another role than member, which no file carries.
    pub with_role: u64,
    /// Those that may not log in; they are written without what they log in with.
    pub disabled: u64,
    /// Those that are larger than what [`import`] reads.
    pub too_large: Vec<String>,
}
