//! The store's rules, each on SQLite and on PostgreSQL.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::large_futures,
    reason = "a test ends at what it does not expect, and has tasks and futures of its own"
)]

#[path = "../support/postgres.rs"]
mod postgres;

mod accounts;
mod administration;
mod archives;
mod arrivals;
mod attachments;
mod customers;
mod database;
mod disclosing;
mod erasing;
mod fast_tokens;
mod held_records;
mod journals;
mod mailboxes;
mod message_streams;
mod people;
mod pubsub;
mod pubsub_changes;
mod record_events;
mod records;
mod rooms;
mod rosters;
mod small;
mod snapshots;
mod uploads;

use parlour::clock::Timestamp;
use parlour::domain::rights::Role;
use parlour::proto::jid::BareJid;
use parlour::proto::scram::{ScramHash, ScramKeys};
use parlour::store::{Limits, Location, Store};

/// A database that goes with the test.
pub(crate) struct Place {
    pub(crate) location: Location,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            location: Location::Sqlite(folder.path().join("data/parlour.sqlite")),
            _folder: Some(folder),
        }
    }

    pub(crate) async fn postgres() -> Self {
        Self {
            location: postgres::database().await.parse().unwrap(),
            _folder: None,
        }
    }

    /// The file of SQLite.
    pub(crate) fn file(&self) -> Option<std::path::PathBuf> {
        match &self.location {
            Location::Sqlite(file) => Some(file.clone()),
            Location::Postgres(_) => None,
        }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.location, &Limits::default())
            .await
            .unwrap()
    }
}

/// Makes two tests of each rule, `sqlite::name` and `postgres::name`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::Place::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::Place::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both;

pub(crate) const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

pub(crate) fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

/// Keys as a password of that hash would have, told apart by `mark`.
pub(crate) fn keys(hash: ScramHash, mark: u8) -> ScramKeys {
    let length = match hash {
        ScramHash::Sha1 => 20,
        ScramHash::Sha256 => 32,
        ScramHash::Sha512 => 64,
    };
    ScramKeys {
        hash,
        salt: vec![0, mark, 255],
        iterations: 4_096 + u32::from(mark),
        stored_key: vec![mark; length],
        server_key: vec![mark ^ 0xFF; length],
    }
}

pub(crate) async fn account(store: &Store, text: &str) -> BareJid {
    let jid = jid(text);
    store
        .accounts()
        .create(&jid, Role::Member, &[keys(ScramHash::Sha256, 1)], NOW)
        .await
        .unwrap();
    jid
}
