//! The database behind the store: SQLite or PostgreSQL, chosen by one line of configuration.
//!
//! [`Db`] is an enum of pools; [`reading!`], [`writing!`] and [`transaction!`] write a body once and have
//! it compiled for both. Every text of SQL stands in a [`queries!`] block of its entity's
//! file, which also lists it, so that a test can prepare all of them on both databases.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool};

use super::connections::Connections;
use super::dialect;
use super::error::StoreError;
pub(super) use crate::observe::metrics::{StoreAct, StoreTimer};

/// Where the database is.
#[derive(Clone)]
pub enum Location {
    /// A file of SQLite; made when it does not exist.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Box<PgConnectOptions>),
}

/// Without what the URL holds: there may be a password in it.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => f.debug_tuple("Sqlite").field(file).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// For people: the file, or server and database.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "{}", file.display()),
            Self::Postgres(options) => {
                let (host, port) = (options.get_host(), options.get_port());
                let database = options.get_database().unwrap_or("postgres");
                write!(f, "PostgreSQL at {host}:{port}, database {database}")
            }
        }
    }
}

impl FromStr for Location {
    type Err = StoreError;

    /// Reads `sqlite:path/to/file` or `postgres://user@host/database`.
    ///
    /// A PostgreSQL server on a Unix socket is `postgres:///database?host=/folder/of/the/socket`.
    fn from_str(url: &str) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() || path.starts_with(":memory:") {
                Err(StoreError::Location(
                    "sqlite: must be followed by the path of a file".to_owned(),
                ))
            } else {
                Ok(Self::Sqlite(path.into()))
            };
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            // The parser's own message may repeat the password.
            return PgConnectOptions::from_str(url)
                .map(|options| Self::Postgres(Box::new(options)))
                .map_err(|_| {
                    StoreError::Location(
                        "expected postgres://user:password@host:port/database".to_owned(),
                    )
                });
        }
        Err(StoreError::Location(
            "expected sqlite:path or postgres://user@host/database".to_owned(),
        ))
    }
}

/// Bounds on what the store asks of the database.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections to PostgreSQL; SQLite has one writer and four readers whatever this says.
    pub connections_max: u32,
    /// How long to wait for a free connection before [`StoreError::Unavailable`].
    pub acquire_timeout: Duration,
    /// How long one statement may take or wait for a lock before [`StoreError::Timeout`].
    /// On SQLite it bounds the wait for the lock only.
    pub statement_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Enough to keep a database of eight cores busy, and a sixth of the hundred
            // connections that PostgreSQL allows by default.
            connections_max: 16,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(5),
        }
    }
}

/// An open database.
#[derive(Clone, Debug)]
pub enum Db {
    /// A file with one writing connection (SQLite has one writer at a time, so a second would
    /// only wait) and several that read.
    Sqlite {
        /// The connection that writes.
        writer: Arc<Connections>,
        /// Connections that only read.
        readers: Arc<Connections>,
    },
    /// A pool of connections that read and write.
    Postgres(PgPool),
}

pub(super) static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

impl Db {
    /// Opens the database and brings its tables to this version of the server.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be reached, [`StoreError::Schema`] when it was
    /// written by a later version.
    pub async fn open(location: &Location, limits: &Limits) -> Result<Self, StoreError> {
        Self::open_at(location, limits, None).await
    }

    /// [`Db::open`], with the tables as they were in `version`, where one is given.
    pub(super) async fn open_at(
        location: &Location,
        limits: &Limits,
        version: Option<i64>,
    ) -> Result<Self, StoreError> {
        match location {
            Location::Sqlite(file) => {
                let lock = dialect::lock_sqlite_schema(file).await?;
                let tables = dialect::open_sqlite(file, limits).await?;
                match version {
                    Some(version) => MIGRATIONS.run_to(version, &tables).await?,
                    None => MIGRATIONS.run(&tables).await?,
                }
                tables.close().await;
                drop(lock);
                let writer = Arc::new(dialect::sqlite_writer(file, limits));
                let readers = Arc::new(dialect::sqlite_readers(file, limits));
                Ok(Self::Sqlite { writer, readers })
            }
            Location::Postgres(options) => {
                let pool = dialect::open_postgres(options.as_ref().clone(), limits).await?;
                match version {
                    Some(version) => MIGRATIONS.run_to(version, &pool).await?,
                    None => MIGRATIONS.run(&pool).await?,
                }
                Ok(Self::Postgres(pool))
            }
        }
    }

    /// Waits for running statements and closes every connection.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                // The last connection to go folds the write-ahead log into the file.
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// `reading!(db, pool => expression)`: the expression for whichever database it is, on a
/// connection for reading.
macro_rules! reading {
    ($db:expr, $pool:ident => $body:expr) => {{
        let _measured = $crate::store::db::StoreTimer::start($crate::store::db::StoreAct::Read);
        match $db {
            $crate::store::Db::Sqlite { readers, .. } => {
                let mut lent = readers.lend().await?;
                let $pool = lent.connection()?;
                $body
            }
            $crate::store::Db::Postgres($pool) => $body,
        }
    }};
}

/// `writing!(db, pool => expression)`: one statement that writes, durable when it returns.
macro_rules! writing {
    ($db:expr, $pool:ident => $body:expr) => {{
        let _measured = $crate::store::db::StoreTimer::start($crate::store::db::StoreAct::Write);
        match $db {
            $crate::store::Db::Sqlite { writer, .. } => {
                let mut lent = writer.lend().await?;
                let $pool = lent.connection()?;
                $body
            }
            $crate::store::Db::Postgres($pool) => $body,
        }
    }};
}

/// `transaction!(db, tx => block)`: the block's statements run on `&mut *tx` and are committed
/// together at its end; a `return` or `?` in it, or dropping the future, undoes them all.
macro_rules! transaction {
    ($db:expr, $tx:ident => $body:block) => {{
        let _measured =
            $crate::store::db::StoreTimer::start($crate::store::db::StoreAct::Transaction);
        match $db {
            $crate::store::Db::Sqlite { writer, .. } => {
                let mut lent = writer.lend().await?;
                let mut $tx = lent.begin().await?;
                let done = $body;
                $tx.commit().await?;
                done
            }
            $crate::store::Db::Postgres(pool) => {
                let mut $tx = pool.begin().await?;
                let done = $body;
                $tx.commit().await?;
                done
            }
        }
    }};
}

/// Names the SQL texts of a file and lists them as `QUERIES`. A bound on rows is written `limit cast($1 as bigint)`: of a bare
/// `limit $1` SQLite takes the value into its plan, and prepares the statement anew whenever it is executed.
macro_rules! queries {
    ($($name:ident = $text:expr;)+) => {
        $(const $name: &str = $text;)+
        pub(in crate::store) const QUERIES: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

pub(super) use {queries, reading, transaction, writing};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_statement_is_prepared_anew_for_its_bound_on_rows() {
        for (name, text) in crate::store::queries() {
            assert!(!text.contains("limit $"), "{name}: {text}");
        }
    }

    #[test]
    fn locations_are_read_and_their_passwords_not_shown() {
        for (url, path) in [
            ("sqlite:data/parlour.sqlite", "data/parlour.sqlite"),
            ("sqlite:///var/lib/parlour/db", "/var/lib/parlour/db"),
        ] {
            let location: Location = url.parse().unwrap();
            assert!(
                matches!(&location, Location::Sqlite(file) if file.to_str() == Some(path)),
                "{url}"
            );
        }
        let location: Location = "postgres://parlour:secret@db.example/parlour"
            .parse()
            .unwrap();
        assert!(!format!("{location:?} {location}").contains("secret"));
        assert!(location.to_string().contains("db.example:5432"));
        for url in ["", "mysql://x/y", "sqlite:", "sqlite::memory:"] {
            assert!(url.parse::<Location>().is_err(), "{url}");
        }
        let bad = "postgres://parlour:secret@db.example:port/x".parse::<Location>();
        assert!(!format!("{:?}", bad.unwrap_err()).contains("secret"));
    }

    /// What reads cannot write, whatever it is asked.
    #[tokio::test]
    async fn connections_that_read_do_not_write() {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("file"));
        let Db::Sqlite { readers, .. } = Db::open(&location, &Limits::default()).await.unwrap()
        else {
            panic!("SQLite was asked for");
        };
        let mut reader = readers.lend().await.unwrap();
        let asked = "pragma query_only";
        let only: i64 = sqlx::query_scalar(asked)
            .fetch_one(reader.connection().unwrap())
            .await
            .unwrap();
        assert_eq!(only, 1);
    }
}
