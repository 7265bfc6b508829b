//! Filling a database that has nothing yet, in one transaction.

use std::fmt;

use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, Executor as _, PgConnection, SqliteConnection};

use super::tables::{self, Table};
use super::{Row, Value};
use crate::store::db::{Db, Limits, Location};
use crate::store::dialect;
use crate::store::error::StoreError;
use crate::store::schema;

/// Why a database cannot be filled.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is something in it already.
    #[error("the database is not empty: table {0} has rows")]
    NotEmpty(String),
    /// It comes from a later version of the server.
    #[error(
        "it has tables of version {found}, and this server knows up to {known}; take the version that wrote it, or a later one"
    )]
    Later {
        /// The version of what is to be loaded.
        found: i64,
        /// The latest that this server knows.
        known: i64,
    },
    /// A row does not fit.
    #[error("table {table}: {what}")]
    Unfit {
        /// The table.
        table: String,
        /// What is wrong.
        what: String,
    },
}

/// A database that is being filled. Dropped without [`Loading::finish`] it stays empty.
pub struct Loading {
    connection: Target,
    tables: Vec<Table>,
}

enum Target {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// What the server itself puts in at its first start, and what comes with the rows instead.
const SETTINGS: &str = "setting";

/// Values in one statement, below what either database takes.
const VALUES_MAX: usize = 10_000;

impl Loading {
    /// Makes the tables as they were in `version`, and checks that nothing is in them.
    ///
    /// # Errors
    /// [`LoadError::NotEmpty`], [`LoadError::Later`], or when the database fails.
    pub async fn begin(
        location: &Location,
        limits: &Limits,
        version: i64,
    ) -> Result<Self, LoadError> {
        let known = schema::wanted();
        if version > known {
            let found = version;
            return Err(LoadError::Later { found, known });
        }
        let db = Db::open_at(location, limits, Some(version)).await?;
        db.close().await;
        let mut connection = match location {
            Location::Sqlite(file) => {
                let options = dialect::sqlite_options(file, limits);
                let mut connection = SqliteConnection::connect_with(&options)
                    .await
                    .map_err(StoreError::from)?;
                connection
                    .execute(dialect::SQLITE_BEGIN)
                    .await
                    .map_err(StoreError::from)?;
                Target::Sqlite(connection)
            }
            Location::Postgres(options) => {
                let options = dialect::postgres_options(options.as_ref().clone(), limits);
                let mut connection = Box::pin(PgConnection::connect_with(&options))
                    .await
                    .map_err(StoreError::from)?;
                connection
                    .execute("begin")
                    .await
                    .map_err(StoreError::from)?;
                Target::Postgres(connection)
            }
        };
        let tables = match &mut connection {
            Target::Sqlite(connection) => tables::of_sqlite(connection).await?,
            Target::Postgres(connection) => tables::of_postgres(connection).await?,
        };
        let mut loading = Self { connection, tables };
        loading.check_empty().await?;
        Ok(loading)
    }

    async fn check_empty(&mut self) -> Result<(), LoadError> {
        let tables = std::mem::take(&mut self.tables);
        for table in tables.iter().filter(|table| table.name != SETTINGS) {
            let any: Result<bool, sqlx::Error> = match &mut self.connection {
                Target::Sqlite(connection) => {
                    sqlx::query_scalar(table.any()).fetch_one(connection).await
                }
                Target::Postgres(connection) => {
                    sqlx::query_scalar(table.any()).fetch_one(connection).await
                }
            };
            if any.map_err(StoreError::from)? {
                return Err(LoadError::NotEmpty(table.name.clone()));
            }
        }
        self.tables = tables;
        let settings = "delete from setting";
        let deleted = match &mut self.connection {
            Target::Sqlite(connection) => connection.execute(settings).await.map(drop),
            Target::Postgres(connection) => connection.execute(settings).await.map(drop),
        };
        Ok(deleted.map_err(StoreError::from)?)
    }

    /// Writes rows of a table, whose columns are those of where they come from.
    ///
    /// # Errors
    /// [`LoadError::Unfit`] when the table or its columns are others here, or a row has another length.
    pub async fn write(&mut self, table: &Table, rows: &[Row]) -> Result<(), LoadError> {
        let unfit = |what: &str| LoadError::Unfit {
            table: table.name.clone(),
            what: what.to_owned(),
        };
        let own = self.tables.iter().find(|own| own.name == table.name);
        let own = own.ok_or_else(|| unfit("there is no such table in that version"))?;
        let same = table.columns.len() == own.columns.len()
            && table
                .columns
                .iter()
                .all(|column| own.columns.contains(column));
        if !same {
            return Err(unfit("its columns are others in that version"));
        }
        let width = table.columns.len().max(1);
        for piece in rows.chunks((VALUES_MAX / width).max(1)) {
            if piece.iter().any(|row| !fits(table, row)) {
                return Err(unfit("a row does not have the values of its columns"));
            }
            let text = insertion(table, piece.len());
            let done = match &mut self.connection {
                Target::Sqlite(connection) => {
                    let query = bind(sqlx::query(AssertSqlSafe(text)), table, piece);
                    query.execute(connection).await.map(drop)
                }
                Target::Postgres(connection) => {
                    let query = bind(sqlx::query(AssertSqlSafe(text)), table, piece);
                    query.execute(connection).await.map(drop)
                }
            };
            done.map_err(StoreError::from)?;
        }
        Ok(())
    }

    /// Keeps all that was written, and brings the tables to the version of this server.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(self, location: &Location, limits: &Limits) -> Result<(), LoadError> {
        match self.connection {
            Target::Sqlite(mut connection) => {
                connection
                    .execute("commit")
                    .await
                    .map_err(StoreError::from)?;
                connection.close().await.map_err(StoreError::from)?;
            }
            Target::Postgres(mut connection) => {
                connection
                    .execute("commit")
                    .await
                    .map_err(StoreError::from)?;
                connection.close().await.map_err(StoreError::from)?;
            }
        }
        let db = Db::open(location, limits).await?;
        db.close().await;
        Ok(())
    }
}

fn fits(table: &Table, row: &Row) -> bool {
    use super::ColumnKind;
    row.len() == table.columns.len()
        && row.iter().zip(&table.columns).all(|(value, column)| {
            matches!(
                (value, column.kind),
                (Value::Null, _)
                    | (Value::Integer(_), ColumnKind::Integer)
                    | (Value::Boolean(_), ColumnKind::Boolean)
                    | (Value::Text(_), ColumnKind::Text)
                    | (Value::Bytes(_), ColumnKind::Bytes)
            )
        })
}

/// `insert … values ($1, $2), ($3, $4)`.
fn insertion(table: &Table, rows: usize) -> String {
    let width = table.columns.len();
    let mut text = table.insert();
    text.push_str("values ");
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..width {
            let comma = if column == 0 { "" } else { ", " };
            text.push_str(&format!("{comma}${}", row * width + column + 1));
        }
        text.push(')');
    }
    text
}

/// Binds by the column's type: PostgreSQL wants to know of which type a NULL is.
fn bind<'q, D>(
    mut query: Query<'q, D, D::Arguments>,
    table: &Table,
    rows: &'q [Row],
) -> Query<'q, D, D::Arguments>
where
    D: sqlx::Database,
    Option<i64>: sqlx::Encode<'q, D> + sqlx::Type<D>,
    Option<bool>: sqlx::Encode<'q, D> + sqlx::Type<D>,
    Option<String>: sqlx::Encode<'q, D> + sqlx::Type<D>,
    Option<Vec<u8>>: sqlx::Encode<'q, D> + sqlx::Type<D>,
{
    use super::ColumnKind;
    for value in rows.iter().flat_map(|row| row.iter().zip(&table.columns)) {
        query = match value {
            (Value::Integer(value), _) => query.bind(Some(*value)),
            (Value::Boolean(value), _) => query.bind(Some(*value)),
            (Value::Text(value), _) => query.bind(Some(value.clone())),
            (Value::Bytes(value), _) => query.bind(Some(value.clone())),
            (Value::Null, column) => match column.kind {
                ColumnKind::Integer => query.bind(None::<i64>),
                ColumnKind::Boolean => query.bind(None::<bool>),
                ColumnKind::Text => query.bind(None::<String>),
                ColumnKind::Bytes => query.bind(None::<Vec<u8>>),
            },
        };
    }
    query
}

impl fmt::Debug for Loading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loading").finish_non_exhaustive()
    }
}
