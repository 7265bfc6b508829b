//! That one server works with a database, and no other: what it has in memory of accounts and rooms would not be
//! what another one has written meanwhile.
//!
//! The claim is a lock that the database or the system holds for this process, so that nothing is left of it after
//! a crash: of SQLite a lock on the file, of PostgreSQL an advisory lock of a connection of its own. It
//! keeps a second server from starting; a running one is not told when PostgreSQL itself was restarted and has forgotten.
//! The command line does not claim: what it does stands in the database at once.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sqlx::postgres::PgConnection;
use tokio::time::{Instant, sleep};

use super::db::{Limits, Location};
use super::dialect;
use super::error::StoreError;

/// The claim of this process. Dropped behind the store: closing a file of SQLite drops its locks.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "it is held, not looked at")] Held);

#[derive(Debug)]
#[expect(dead_code, reason = "they are held, not looked at")]
enum Held {
    File(File),
    Connection(Box<PgConnection>),
}

/// Between two tries: PostgreSQL may notice a moment later that a killed server is gone.
const PAUSE: Duration = Duration::from_millis(200);

impl Claim {
    /// Claims the database, which has to be there, for this process. Waits for at most the limits' time
    /// for a connection until one that has just ended is gone.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it.
    pub async fn take(location: &Location, limits: &Limits) -> Result<Self, StoreError> {
        match location {
            Location::Sqlite(file) => lock(file).map(Held::File).map(Self),
            Location::Postgres(options) => {
                let until = Instant::now() + limits.acquire_timeout;
                let options = options.as_ref().clone();
                let mut connection = dialect::connect_for_claim(options, limits).await?;
                loop {
                    if dialect::claim(&mut connection).await? {
                        return Ok(Self(Held::Connection(Box::new(connection))));
                    }
                    if Instant::now() >= until {
                        return Err(StoreError::InUse);
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

fn lock(file: &Path) -> Result<File, StoreError> {
    let file = File::open(file).map_err(sqlx::Error::Io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(std::fs::TryLockError::Error(error)) => Err(sqlx::Error::Io(error).into()),
    }
}
