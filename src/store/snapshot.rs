//! The whole of a database, table by table, as values of neither database: what a backup holds, and what goes
//! from one database to another.
//!
//! [`Snapshot`] reads everything as it was at one moment, while the server goes on writing. [`Loading`] writes
//! into a database that has nothing yet, all or nothing. Neither knows the tables: it asks the
//! database for them, so that a new entity is in every backup without anybody's doing. The texts of SQL are made
//! of the names that the database gave.

mod loading;
mod tables;

use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _, SqliteConnection};

use super::db::{Limits, Location};
use super::dialect;
use super::error::StoreError;
use super::schema::SchemaVersion;
pub use loading::{LoadError, Loading};
pub use tables::{Column, ColumnKind, Table};

/// What stands in one column of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// BIGINT.
    Integer(i64),
    /// BOOLEAN.
    Boolean(bool),
    /// TEXT.
    Text(String),
    /// BYTEA.
    Bytes(Vec<u8>),
}

/// One row, its values in the order of the table's columns.
pub type Row = Vec<Value>;

/// Rows that are handed on together.
const ROWS: usize = 500;

/// A database as it was at one moment.
#[derive(Debug)]
pub struct Snapshot {
    connection: Source,
    version: i64,
    tables: Vec<Table>,
}

#[derive(Debug)]
enum Source {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

macro_rules! rows {
    ($connection:expr, $table:expr, $take:expr) => {{
        let select = AssertSqlSafe($table.select());
        let mut stream = sqlx::query(select).fetch($connection);
        let mut rows = Vec::with_capacity(ROWS);
        while let Some(found) = stream.try_next().await.map_err(StoreError::from)? {
            let mut row = Row::with_capacity($table.columns.len());
            for (place, column) in $table.columns.iter().enumerate() {
                row.push(
                    match column.kind {
                        ColumnKind::Integer => found.try_get(place).map(of_integer),
                        ColumnKind::Boolean => found.try_get(place).map(of_boolean),
                        ColumnKind::Text => found.try_get(place).map(of_text),
                        ColumnKind::Bytes => found.try_get(place).map(of_bytes),
                    }
                    .map_err(StoreError::from)?,
                );
            }
            rows.push(row);
            if rows.len() == ROWS {
                $take(std::mem::replace(&mut rows, Vec::with_capacity(ROWS))).await?;
            }
        }
        if !rows.is_empty() {
            $take(rows).await?;
        }
    }};
}

fn of_integer(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Integer)
}

fn of_boolean(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Boolean)
}

fn of_text(value: Option<String>) -> Value {
    value.map_or(Value::Null, Value::Text)
}

fn of_bytes(value: Option<Vec<u8>>) -> Value {
    value.map_or(Value::Null, Value::Bytes)
}

impl Snapshot {
    /// Begins to read. The database is neither made nor changed, and others may write to it meanwhile. `None`
    /// when there is none, or nothing of a server in it.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn begin(location: &Location, limits: &Limits) -> Result<Option<Self>, StoreError> {
        let Some(version) = SchemaVersion::of(location, limits).await?.found else {
            return Ok(None);
        };
        let mut connection = match location {
            Location::Sqlite(file) => {
                let options = dialect::sqlite_options(file, limits).pragma("query_only", "on");
                let mut connection = SqliteConnection::connect_with(&options).await?;
                sqlx::query("begin").execute(&mut connection).await?;
                Source::Sqlite(connection)
            }
            Location::Postgres(options) => {
                let options = dialect::postgres_options(options.as_ref().clone(), limits);
                let mut connection = Box::pin(PgConnection::connect_with(&options)).await?;
                sqlx::query("begin isolation level repeatable read read only")
                    .execute(&mut connection)
                    .await?;
                Source::Postgres(connection)
            }
        };
        // The first statement fixes the moment.
        let tables = match &mut connection {
            Source::Sqlite(connection) => tables::of_sqlite(connection).await?,
            Source::Postgres(connection) => tables::of_postgres(connection).await?,
        };
        Ok(Some(Self {
            connection,
            version,
            tables,
        }))
    }

    /// The version of the tables.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// The tables, none before one that it refers to.
    #[must_use]
    pub fn tables(&self) -> Vec<Table> {
        self.tables.clone()
    }

    /// Gives the rows of a table, some hundred at a time.
    ///
    /// # Errors
    /// When the database fails, and what `take` fails with.
    pub async fn rows<E: From<StoreError>>(
        &mut self,
        table: &Table,
        mut take: impl AsyncFnMut(Vec<Row>) -> Result<(), E>,
    ) -> Result<(), E> {
        match &mut self.connection {
            Source::Sqlite(connection) => rows!(connection, table, take),
            Source::Postgres(connection) => rows!(connection, table, take),
        }
        Ok(())
    }
}
