//! That one server works with a database, and no other: what it has in memory of accounts and rooms would not be
//! what another one has written meanwhile.
//!
//! The claim is a lock that the database or the system holds for this process, so that nothing is left of it after
//! a crash: of SQLite a lock on the file, of PostgreSQL an advisory lock of a connection of its own, which is asked now and
//! then: a PostgreSQL that was restarted has forgotten, and is told again, unless another server was first.
//! The command line does not claim: what it does stands in the database at once.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::db::{Limits, Location};
use super::dialect;
use super::error::StoreError;

/// The claim of this process. Dropped behind the store: closing a file of SQLite drops its locks.
#[derive(Debug)]
pub struct Claim(Held);

#[derive(Debug)]
enum Held {
    File(#[expect(dead_code, reason = "it is held, not looked at")] File),
    Connection(Box<Connection>),
}

#[derive(Debug)]
struct Connection {
    open: PgConnection,
    options: PgConnectOptions,
    limits: Limits,
}

/// Between two tries: PostgreSQL may notice a moment later that a killed server is gone.
const PAUSE: Duration = Duration::from_millis(200);

/// Between two looks whether PostgreSQL still knows. For as long two servers could both believe that the database is theirs.
const LOOK: Duration = Duration::from_secs(2);

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
                let options = options.as_ref().clone();
                let connection = Connection::claimed(options, limits).await?;
                Ok(Self(Held::Connection(Box::new(connection))))
            }
        }
    }

    /// Returns when another process has the database. What PostgreSQL forgets, because it was restarted or has lost the
    /// connection, is claimed again as soon as it answers.
    pub async fn lost(&mut self) {
        let Held::Connection(connection) = &mut self.0 else {
            // A lock on a file goes only with the process.
            return std::future::pending().await;
        };
        loop {
            sleep(LOOK).await;
            if dialect::has_claim(&mut connection.open).await {
                continue;
            }
            warn!("the claim on the database is lost");
            let Connection {
                options, limits, ..
            } = connection.as_ref();
            match Connection::claimed(options.clone(), limits).await {
                Ok(again) => {
                    **connection = again;
                    info!("the database is claimed again");
                }
                Err(StoreError::InUse) => return,
                Err(error) => warn!(%error, "the database cannot be claimed again yet"),
            }
        }
    }
}

impl Connection {
    async fn claimed(options: PgConnectOptions, limits: &Limits) -> Result<Self, StoreError> {
        let until = Instant::now() + limits.acquire_timeout;
        let mut open = dialect::connect_for_claim(options.clone(), limits).await?;
        while !dialect::claim(&mut open).await? {
            if Instant::now() >= until {
                return Err(StoreError::InUse);
            }
            sleep(PAUSE).await;
        }
        let limits = limits.clone();
        Ok(Self {
            open,
            options,
            limits,
        })
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
