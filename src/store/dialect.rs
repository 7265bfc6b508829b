//! Where SQLite and PostgreSQL really differ: how they are opened, how a writing transaction
//! begins, and what their error codes mean. Everything else of the store is one text for both.
//!
//! **Durability.** What the store has acknowledged must survive the loss of power, because the
//! server then tells the sender that it holds the message. SQLite in WAL mode with
//! `synchronous = normal` syncs only at checkpoints: a commit since the last one can be lost
//! (the file stays consistent). Hence `full`, one sync per commit; writes that come in numbers
//! share a commit ([`super::grouped`]), so the price is small. For PostgreSQL the store relies on
//! `synchronous_commit = on`, its default, and asks for it on each connection, so that a
//! database set to `off` does not weaken the promise.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::postgres::{
    PgAdvisoryLock, PgConnectOptions, PgConnection, PgDatabaseError, PgPool, PgPoolOptions,
};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Either};

use super::connections::Connections;
use super::db::{Db, Limits};

/// Takes SQLite's write lock at once: a transaction that first reads and then writes could
/// otherwise fail in the middle when another process (the command line) writes meanwhile.
pub(super) const SQLITE_BEGIN: &str = "begin immediate";

/// Opens the file, making it when it does not exist, readable by the server's user only: it holds
/// the keys of passwords.
pub(super) async fn open_sqlite(file: &Path, limits: &Limits) -> Result<SqlitePool, sqlx::Error> {
    // Never opened here when it exists: closing it again would drop the locks that SQLite holds on it
    // for other connections of this process. Its -wal and -shm files get the mode of the file.
    let made = tokio::fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(file)
        .await;
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error.into()),
        Ok(_) | Err(_) => {}
    }
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(limits.acquire_timeout)
        .connect_with(writing_options(file, limits))
        .await
}

/// The connection that writes.
pub(super) fn sqlite_writer(file: &Path, limits: &Limits) -> Connections {
    Connections::new(writing_options(file, limits), 1, limits.acquire_timeout)
}

fn writing_options(file: &Path, limits: &Limits) -> SqliteConnectOptions {
    sqlite_options(file, limits)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
}

/// A connection that leaves the file as it is; a write through it fails.
pub(super) fn sqlite_unchanged(file: &Path, limits: &Limits) -> Connections {
    Connections::new(reading_options(file, limits), 1, limits.acquire_timeout)
}

/// In WAL mode they neither wait for the writer nor for each other, and each has an own thread.
const READERS: u32 = 4;

/// Connections that read beside the writer; a write through one of them fails.
pub(super) fn sqlite_readers(file: &Path, limits: &Limits) -> Connections {
    Connections::new(
        reading_options(file, limits),
        READERS,
        limits.acquire_timeout,
    )
}

fn reading_options(file: &Path, limits: &Limits) -> SqliteConnectOptions {
    sqlite_options(file, limits).pragma("query_only", "on")
}

/// Makes the folder of the file and locks it. Held while the file and its tables are made: unlike PostgreSQL,
/// SQLite has no lock under which two processes (the server and the command line) find out one
/// after the other what is to be done.
pub(super) async fn lock_sqlite_schema(file: &Path) -> Result<File, sqlx::Error> {
    let folder = folder_of(file).to_owned();
    tokio::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .await?;
    let locked = tokio::task::spawn_blocking(move || {
        let folder = File::open(folder)?;
        folder.lock()?;
        Ok(folder)
    });
    match locked.await {
        Ok(locked) => locked.map_err(sqlx::Error::Io),
        Err(stopped) => Err(sqlx::Error::Io(io::Error::other(stopped))),
    }
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

pub(super) fn sqlite_options(file: &Path, limits: &Limits) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(true)
        .busy_timeout(limits.statement_timeout)
        // Pages in memory: negative means KiB.
        .pragma("cache_size", "-16384")
        .pragma("temp_store", "memory")
        // Pages of the log before it is moved into the file, 16 MiB and not 4: what many commits have
        // changed is moved once.
        .pragma("wal_autocheckpoint", "4000")
        // What is deleted is overwritten, pages that are given free among it, where texts of records lay
        // that have grown since: "fast" would leave those (S4-39).
        .pragma("secure_delete", "on")
}

/// In no list of queries, for PostgreSQL does not know it.
const CLEAR_LOG: &str = "pragma wal_checkpoint(truncate)";

/// Moves everything out of the write-ahead log into the file, and makes the log empty.
pub(super) async fn clear_sqlite_log(writer: &Connections) -> Result<(), sqlx::Error> {
    let mut writer = writer.lend().await?;
    let cleared = sqlx::query(CLEAR_LOG).execute(writer.connection()?).await;
    cleared.map(drop)
}

/// Opens a pool; PostgreSQL itself ends what lasts longer than the limits.
pub(super) async fn open_postgres(
    options: PgConnectOptions,
    limits: &Limits,
) -> Result<PgPool, sqlx::Error> {
    let options = postgres_options(options, limits);
    let pool = PgPoolOptions::new()
        .max_connections(limits.connections_max)
        .acquire_timeout(limits.acquire_timeout);
    // Boxed for its size; so is the like elsewhere.
    Box::pin(pool.connect_with(options)).await
}

/// What every connection is told.
pub(super) fn postgres_options(options: PgConnectOptions, limits: &Limits) -> PgConnectOptions {
    let statement = milliseconds(limits.statement_timeout);
    options.application_name("parlour").options([
        ("statement_timeout", statement.as_str()),
        ("lock_timeout", statement.as_str()),
        ("idle_in_transaction_session_timeout", statement.as_str()),
        ("synchronous_commit", "on"),
    ])
}

/// A connection for the claim of a server ([`super::claim`]). PostgreSQL notices within half a minute when the
/// machine at its other end is gone.
pub(super) async fn connect_for_claim(
    options: PgConnectOptions,
    limits: &Limits,
) -> Result<PgConnection, sqlx::Error> {
    let options = postgres_options(options, limits).options([
        ("tcp_keepalives_idle", "10"),
        ("tcp_keepalives_interval", "5"),
        ("tcp_keepalives_count", "3"),
    ]);
    let connecting = Box::pin(options.connect());
    match tokio::time::timeout(limits.acquire_timeout, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

/// Whether the connection has the claim now. It is held for as long as the connection is.
pub(super) async fn claim(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let lock = PgAdvisoryLock::new(CLAIM);
    match lock.try_acquire(connection).await? {
        Either::Left(guard) => {
            // Given back with the connection.
            let _held = guard.leak();
            Ok(true)
        }
        Either::Right(_) => Ok(false),
    }
}

/// Whether the connection that has the claim still answers.
pub(super) async fn has_claim(connection: &mut PgConnection) -> bool {
    let answer = tokio::time::timeout(CLAIM_ANSWER, connection.ping()).await;
    matches!(answer, Ok(Ok(())))
}

/// How long it may take to answer: longer than a busy database takes.
const CLAIM_ANSWER: Duration = Duration::from_secs(10);

/// The name of the advisory lock; one for each database.
const CLAIM: &str = "parlour: the server";

fn milliseconds(time: Duration) -> String {
    time.as_millis().to_string()
}

impl Db {
    /// The name of the database for people: `SQLite` or `PostgreSQL`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// The kinds of failure, before they get their source in [`super::StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Unavailable,
    Timeout,
    Conflict,
    NoAccount,
    Corrupt,
    Statement,
    Closed,
}

/// What an error of the driver means.
pub(super) fn fault(error: &sqlx::Error) -> Fault {
    use sqlx::Error as E;
    match error {
        E::Database(refused) => refusal(refused.as_ref()),
        E::PoolClosed => Fault::Closed,
        E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::WorkerCrashed | E::Protocol(_) => {
            Fault::Unavailable
        }
        E::Decode(_) | E::ColumnDecode { .. } | E::RowNotFound => Fault::Corrupt,
        // The driver's enum may grow; what is not known to pass by itself counts as a mistake.
        _ => Fault::Statement,
    }
}

fn refusal(refused: &dyn DatabaseError) -> Fault {
    match refused.kind() {
        sqlx::error::ErrorKind::UniqueViolation => return Fault::Conflict,
        // Every foreign key of the schema leads to the account.
        sqlx::error::ErrorKind::ForeignKeyViolation => return Fault::NoAccount,
        _ => {}
    }
    let code = refused.code().unwrap_or_default();
    if refused.try_downcast_ref::<PgDatabaseError>().is_some() {
        postgres_fault(&code)
    } else {
        sqlite_fault(&code)
    }
}

/// Appendix A of the PostgreSQL manual: the first two characters are the class.
fn postgres_fault(code: &str) -> Fault {
    match (code, code.get(..2).unwrap_or_default()) {
        // Cancelled by statement_timeout; lock not available.
        ("57014" | "55P03", _) => Fault::Timeout,
        ("XX001" | "XX002", _) => Fault::Corrupt,
        // Connection, rolled back (deadlock, serialization), resources, operator, system.
        (_, "08" | "40" | "53" | "57" | "58") => Fault::Unavailable,
        // Refused log-in or unknown database: the server is not usable as configured.
        (_, "28" | "3D") => Fault::Unavailable,
        // Idle in a transaction for too long: the connection is gone.
        (_, "25") => Fault::Unavailable,
        _ => Fault::Statement,
    }
}

/// SQLite's result codes; the low eight bits are the primary one.
fn sqlite_fault(code: &str) -> Fault {
    match code.parse::<i32>().map(|code| code & 0xFF) {
        // SQLITE_BUSY, SQLITE_LOCKED.
        Ok(5 | 6) => Fault::Timeout,
        // SQLITE_CORRUPT, SQLITE_NOTADB.
        Ok(11 | 26) => Fault::Corrupt,
        // SQLITE_NOMEM, READONLY, IOERR, FULL, CANTOPEN.
        Ok(7 | 8 | 10 | 13 | 14) => Fault::Unavailable,
        _ => Fault::Statement,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_manuals_say() {
        for (code, meaning) in [
            ("57014", Fault::Timeout),
            ("55P03", Fault::Timeout),
            ("40P01", Fault::Unavailable),
            ("53300", Fault::Unavailable),
            ("57P01", Fault::Unavailable),
            ("28P01", Fault::Unavailable),
            ("XX001", Fault::Corrupt),
            ("42601", Fault::Statement),
            ("", Fault::Statement),
        ] {
            assert_eq!(postgres_fault(code), meaning, "{code}");
        }
        for (code, meaning) in [
            ("5", Fault::Timeout),
            // SQLITE_BUSY_SNAPSHOT.
            ("517", Fault::Timeout),
            ("13", Fault::Unavailable),
            // SQLITE_IOERR_WRITE.
            ("778", Fault::Unavailable),
            ("11", Fault::Corrupt),
            ("26", Fault::Corrupt),
            ("1", Fault::Statement),
            ("", Fault::Statement),
        ] {
            assert_eq!(sqlite_fault(code), meaning, "{code}");
        }
    }
}
