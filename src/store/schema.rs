//! Which version the tables have, without changing them.

use std::sync::Arc;

use super::db::{Db, Limits, Location, MIGRATIONS, queries, reading};
use super::dialect;
use super::error::StoreError;

/// Versions of the tables: the numbers of the files in `migrations/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaVersion {
    /// What the database has; `None` when there is nothing yet.
    pub found: Option<i64>,
    /// What this version of the server works with.
    pub wanted: i64,
}

queries! {
    FIND = "select max(version) from _sqlx_migrations where success";
}

impl SchemaVersion {
    /// Looks into the database, which is neither made nor changed.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn of(location: &Location, limits: &Limits) -> Result<Self, StoreError> {
        let db = match location {
            Location::Sqlite(file) if !file.exists() => {
                return Ok(Self {
                    found: None,
                    wanted: wanted(),
                });
            }
            Location::Sqlite(file) => {
                Db::Sqlite {
                    // Nothing is written through it.
                    writer: Arc::new(dialect::sqlite_unchanged(file, limits)),
                    readers: Arc::new(dialect::sqlite_readers(file, limits)),
                }
            }
            Location::Postgres(options) => {
                Db::Postgres(dialect::open_postgres(options.as_ref().clone(), limits).await?)
            }
        };
        let found = find(&db).await;
        db.close().await;
        let found = match found {
            Ok(found) => found,
            // No migration was ever applied.
            Err(StoreError::Statement(_)) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            found,
            wanted: wanted(),
        })
    }
}

/// The latest of the migrations.
pub(super) fn wanted() -> i64 {
    let versions = MIGRATIONS.iter().map(|migration| migration.version);
    versions.max().unwrap_or(0)
}

async fn find(db: &Db) -> Result<Option<i64>, StoreError> {
    Ok(reading!(db, pool => {
        sqlx::query_scalar(FIND).fetch_one(pool).await?
    }))
}
