//! Which tables a database has, as itself says.

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use crate::store::error::StoreError;

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns in their order.
    pub columns: Vec<Column>,
    /// The tables that it refers to.
    #[serde(skip)]
    refers_to: Vec<String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
}

/// What a column holds: the four types that both databases have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// BIGINT.
    Integer,
    /// BOOLEAN.
    Boolean,
    /// TEXT.
    Text,
    /// BYTEA.
    Bytes,
}

#[derive(Debug, thiserror::Error)]
#[error("column {column} of {table} has the type {kind}")]
struct UnknownType {
    table: String,
    column: String,
    kind: String,
}

/// Of the migrations, and not of the server.
const BOOKKEEPING: &str = "_sqlx_migrations";

pub(super) async fn of_sqlite(connection: &mut SqliteConnection) -> Result<Vec<Table>, StoreError> {
    let names: Vec<String> = sqlx::query_scalar(
        "select name from sqlite_schema where type = 'table' and name not like 'sqlite\\_%' escape '\\' \
         and name <> $1 order by name",
    )
    .bind(BOOKKEEPING)
    .fetch_all(&mut *connection)
    .await?;
    let mut tables = Vec::with_capacity(names.len());
    for name in names {
        let columns = "select name, lower(type) from pragma_table_info($1) order by cid";
        let columns: Vec<(String, String)> = sqlx::query_as(columns)
            .bind(&name)
            .fetch_all(&mut *connection)
            .await?;
        let refers_to = "select distinct \"table\" from pragma_foreign_key_list($1)";
        let refers_to = sqlx::query_scalar(refers_to)
            .bind(&name)
            .fetch_all(&mut *connection)
            .await?;
        tables.push(Table::new(name, columns, refers_to)?);
    }
    Ok(in_order(tables))
}

pub(super) async fn of_postgres(connection: &mut PgConnection) -> Result<Vec<Table>, StoreError> {
    let names: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables \
         where table_schema = current_schema() and table_type = 'BASE TABLE' and table_name <> $1 \
         order by table_name",
    )
    .bind(BOOKKEEPING)
    .fetch_all(&mut *connection)
    .await?;
    let mut tables = Vec::with_capacity(names.len());
    for name in names {
        let columns: Vec<(String, String)> = sqlx::query_as(
            "select column_name::text, data_type::text from information_schema.columns \
             where table_schema = current_schema() and table_name = $1 order by ordinal_position",
        )
        .bind(&name)
        .fetch_all(&mut *connection)
        .await?;
        let refers_to = sqlx::query_scalar(
            "select distinct other.relname::text from pg_constraint \
             join pg_class own on own.oid = conrelid join pg_class other on other.oid = confrelid \
             where contype = 'f' and own.relname = $1 and own.relnamespace = current_schema()::regnamespace",
        )
        .bind(&name)
        .fetch_all(&mut *connection)
        .await?;
        tables.push(Table::new(name, columns, refers_to)?);
    }
    Ok(in_order(tables))
}

impl Table {
    fn new(
        name: String,
        columns: Vec<(String, String)>,
        refers_to: Vec<String>,
    ) -> Result<Self, StoreError> {
        let mut known = Vec::with_capacity(columns.len());
        for (column, kind) in columns {
            let kind = match kind.as_str() {
                "bigint" => ColumnKind::Integer,
                "boolean" => ColumnKind::Boolean,
                "text" => ColumnKind::Text,
                "bytea" => ColumnKind::Bytes,
                _ => {
                    let unknown = UnknownType {
                        table: name,
                        column,
                        kind,
                    };
                    return Err(StoreError::corrupt("table", unknown));
                }
            };
            known.push(Column { name: column, kind });
        }
        Ok(Self {
            name,
            columns: known,
            refers_to,
        })
    }

    /// All rows. In no order: who restores them does not care, and sorting a large table costs.
    pub(super) fn select(&self) -> String {
        format!("select {} from {}", self.column_names(), quoted(&self.name))
    }

    /// The beginning of an insertion, up to the values.
    pub(super) fn insert(&self) -> String {
        let (table, columns) = (quoted(&self.name), self.column_names());
        format!("insert into {table} ({columns}) ")
    }

    /// How many rows there are, at most one.
    pub(super) fn any(&self) -> AssertSqlSafe<String> {
        let table = quoted(&self.name);
        AssertSqlSafe(format!("select exists (select 1 from {table})"))
    }

    fn column_names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|it| quoted(&it.name)).collect();
        names.join(", ")
    }
}

/// A name as SQL takes it, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// None before one that it refers to. Tables that refer to each other in a circle, of which there are none,
/// come last.
fn in_order(mut tables: Vec<Table>) -> Vec<Table> {
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    loop {
        let known = |name: &String| ordered.iter().any(|table| table.name == *name);
        let (ready, waiting): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| {
            let mut others = table.refers_to.iter().filter(|name| **name != table.name);
            others.all(known)
        });
        tables = waiting;
        if ready.is_empty() {
            ordered.append(&mut tables);
            return ordered;
        }
        ordered.extend(ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, refers_to: &[&str]) -> Table {
        let columns = vec![("a".to_owned(), "bigint".to_owned())];
        let refers_to = refers_to.iter().map(|&name| name.to_owned()).collect();
        Table::new(name.to_owned(), columns, refers_to).unwrap()
    }

    #[test]
    fn a_table_comes_behind_those_that_it_refers_to() {
        let tables = vec![
            table("c", &["b", "c"]),
            table("b", &["a"]),
            table("a", &[]),
            table("d", &[]),
        ];
        let names: Vec<String> = in_order(tables).into_iter().map(|it| it.name).collect();
        assert_eq!(names, ["a", "d", "b", "c"]);
    }

    #[test]
    fn a_type_that_not_both_databases_have_is_told() {
        let columns = vec![("a".to_owned(), "jsonb".to_owned())];
        assert!(Table::new("t".to_owned(), columns, Vec::new()).is_err());
    }

    #[test]
    fn names_cannot_break_out() {
        assert_eq!(quoted("a\"; drop"), "\"a\"\"; drop\"");
    }
}
