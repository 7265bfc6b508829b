//! Connections of SQLite.
//!
//! Not a pool of sqlx's: that asks a connection whether it is still there each time it is given back, in a task
//! made for that. With SQLite, whose connections are threads of this process, this costs as much as an ordinary
//! statement does.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Sqlite, Transaction};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use super::dialect::SQLITE_BEGIN;

/// A connection is asked whether it is still there when it was not for so long: its thread may have panicked.
const ASKED_AFTER: Duration = Duration::from_secs(10);

/// The connections, made when they are needed.
pub struct Connections {
    options: SqliteConnectOptions,
    count_max: u32,
    acquire_timeout: Duration,
    places: Semaphore,
    /// The one that was used last lies on top: it has what is asked for in memory.
    idle: Mutex<Vec<Asked>>,
}

struct Asked {
    connection: SqliteConnection,
    at: Instant,
}

/// A connection, given back when dropped. What was begun on it and not committed is undone before anybody else's statement.
pub struct Lent<'a> {
    of: &'a Connections,
    /// There until it is dropped.
    asked: Option<Asked>,
    _place: SemaphorePermit<'a>,
}

impl Connections {
    /// So many at most.
    pub(super) fn new(
        options: SqliteConnectOptions,
        count_max: u32,
        acquire_timeout: Duration,
    ) -> Self {
        Self {
            options,
            count_max,
            acquire_timeout,
            places: Semaphore::new(count_max as usize),
            idle: Mutex::default(),
        }
    }

    /// A connection of one's own.
    ///
    /// # Errors
    /// When none becomes free in time, when the file cannot be opened, when all are closed.
    pub async fn lend(&self) -> Result<Lent<'_>, sqlx::Error> {
        let place = timeout(self.acquire_timeout, self.places.acquire()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let _place = place.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle().pop();
        Ok(Lent {
            of: self,
            asked: Some(self.there(idle).await?),
            _place,
        })
    }

    /// That connection, or another in its place.
    async fn there(&self, idle: Option<Asked>) -> Result<Asked, sqlx::Error> {
        if let Some(mut idle) = idle {
            if idle.at.elapsed() < ASKED_AFTER {
                return Ok(idle);
            }
            if idle.connection.ping().await.is_ok() {
                idle.at = Instant::now();
                return Ok(idle);
            }
        }
        Ok(Asked {
            connection: self.options.connect().await?,
            at: Instant::now(),
        })
    }

    /// Waits for running statements and closes every connection.
    pub(super) async fn close(&self) {
        let all = self.places.acquire_many(self.count_max).await;
        self.places.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for asked in idle {
            // There is nothing in it to be lost.
            let _closed = asked.connection.close().await;
        }
    }

    /// A panic while the lock was held cannot have left the list half changed.
    fn idle(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent<'_> {
    /// What statements are executed on.
    ///
    /// # Errors
    /// None while it is not given back.
    pub fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let asked = self.asked.as_mut();
        asked
            .map(|asked| &mut asked.connection)
            .ok_or(sqlx::Error::PoolClosed)
    }

    /// Begins to write.
    ///
    /// # Errors
    /// When another process writes for longer than the limit.
    pub fn begin(&mut self) -> BoxFuture<'_, Result<Transaction<'_, Sqlite>, sqlx::Error>> {
        // Boxed for the compiler, which cannot tell otherwise that what waits for it may go to another thread.
        Box::pin(async move { self.connection()?.begin_with(SQLITE_BEGIN).await })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // A statement that was given up is ended by its thread before the next.
        let asked = self.asked.take();
        self.of.idle().extend(asked);
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections")
            .field("free", &self.places.available_permits())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(folder: &tempfile::TempDir, acquire_timeout: Duration) -> Connections {
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("file"))
            .create_if_missing(true);
        Connections::new(options, 4, acquire_timeout)
    }

    async fn one(connections: &Connections) -> Result<i64, sqlx::Error> {
        let mut lent = connections.lend().await?;
        let text = "select 1";
        let one = sqlx::query_scalar(text);
        one.fetch_one(lent.connection()?).await
    }

    #[tokio::test]
    async fn a_connection_is_used_again_and_no_more_than_four_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let connections = connections(&folder, Duration::from_millis(1));
        for _ in 0..3 {
            assert_eq!(one(&connections).await.unwrap(), 1);
        }
        assert_eq!(connections.idle().len(), 1);
        let mut taken = Vec::new();
        for _ in 0..4 {
            taken.push(connections.lend().await.unwrap());
        }
        let fifth = connections.lend().await;
        assert!(matches!(fifth.err(), Some(sqlx::Error::PoolTimedOut)));
        drop(taken);
        assert_eq!(connections.idle().len(), 4);
        assert_eq!(one(&connections).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_statement_that_is_given_up_leaves_the_connection_usable() {
        let folder = tempfile::tempdir().unwrap();
        let connections = connections(&folder, Duration::from_secs(5));
        let endless =
            "with recursive n(i) as (select 1 union all select i + 1 from n limit 3000000)
            select count(*) from n";
        {
            let mut lent = connections.lend().await.unwrap();
            let count = sqlx::query_scalar::<_, i64>(endless);
            let mut count = std::pin::pin!(count.fetch_one(lent.connection().unwrap()));
            assert!(futures_util::poll!(&mut count).is_pending());
        }
        assert_eq!(one(&connections).await.unwrap(), 1);
    }

    /// Neither what was written before it was given up nor the lock that it held is left.
    #[tokio::test]
    async fn a_transaction_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let connections = connections(&folder, Duration::from_secs(5));
        let [make, put, count] = [
            "create table t (n integer)",
            "insert into t values (1)",
            "select count(*) from t",
        ];
        {
            let mut lent = connections.lend().await.unwrap();
            let made = sqlx::query(make).execute(lent.connection().unwrap());
            made.await.unwrap();
            let mut tx = lent.begin().await.unwrap();
            sqlx::query(put).execute(&mut *tx).await.unwrap();
        }
        {
            let mut lent = connections.lend().await.unwrap();
            let mut begun = lent.begin();
            assert!(futures_util::poll!(&mut begun).is_pending());
        }
        let mut lent = connections.lend().await.unwrap();
        let mut tx = lent.begin().await.unwrap();
        let left: i64 = sqlx::query_scalar(count).fetch_one(&mut *tx).await.unwrap();
        assert_eq!(left, 0);
        assert_eq!(connections.places.available_permits(), 3);
    }

    #[tokio::test]
    async fn closing_waits_for_who_reads() {
        let folder = tempfile::tempdir().unwrap();
        let connections = connections(&folder, Duration::from_secs(5));
        let lent = connections.lend().await.unwrap();
        let mut closing = std::pin::pin!(connections.close());
        assert!(futures_util::poll!(&mut closing).is_pending());
        drop(lent);
        closing.await;
        assert!(matches!(
            one(&connections).await,
            Err(sqlx::Error::PoolClosed)
        ));
    }
}
