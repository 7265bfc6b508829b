//! One statement for many rows: each statement is two switches between threads with SQLite, and a journey to the server
//! with PostgreSQL, whatever it does.
//!
//! A text stands in its `queries!` list with one row of placeholders. [`ManyRows`] makes those with more rows of it, once each.

use std::sync::OnceLock;

use super::db::Db;

/// Rows in one statement: each connection keeps the statements of all sizes, and their programs grow with the rows.
pub(super) const ROWS_MAX: usize = 128;

/// Sizes are powers of two, so that there are few texts to be prepared.
const SIZES: usize = ROWS_MAX.ilog2() as usize + 1;

type Texts = [OnceLock<String>; SIZES];

/// A text of SQL with as many rows as are asked for.
pub(super) struct ManyRows {
    /// With one row, the placeholders of which are all that it has: numbered from 1 on, in their order.
    one: &'static str,
    /// That row.
    row: &'static str,
    sqlite: Texts,
    postgres: Texts,
}

impl ManyRows {
    pub(super) const fn new(one: &'static str, row: &'static str) -> Self {
        Self {
            one,
            row,
            sqlite: [const { OnceLock::new() }; SIZES],
            postgres: [const { OnceLock::new() }; SIZES],
        }
    }

    /// The text for that database with as many rows, a power of two and at most [`ROWS_MAX`].
    pub(super) fn text(&'static self, db: &Db, rows: usize) -> &'static str {
        let size = rows.max(1).ilog2() as usize;
        let made = match db {
            // Before each value SQLite's driver asks for the name of its placeholder, which SQLite looks for from the first
            // on: of many rows that alone would cost more than all the rest. Placeholders without a name have none.
            Db::Sqlite { .. } => self
                .sqlite
                .get(size)
                .map(|text| text.get_or_init(|| self.with(rows, |row, _| without_numbers(row)))),
            Db::Postgres(_) => self
                .postgres
                .get(size)
                .map(|text| text.get_or_init(|| self.with(rows, numbered_from))),
        };
        made.map_or(self.one, String::as_str)
    }

    /// `row` makes a row of that one, whose placeholders begin behind that number.
    fn with(&self, rows: usize, row: impl Fn(&str, usize) -> String) -> String {
        let columns = self.row.matches('$').count();
        let rows: Vec<String> = (0..rows).map(|at| row(self.row, at * columns)).collect();
        self.one.replacen(self.row, &rows.join(", "), 1)
    }
}

/// The row with each `$number` as `?`.
fn without_numbers(row: &str) -> String {
    let mut parts = row.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push('?');
        text.push_str(part.trim_start_matches(|it: char| it.is_ascii_digit()));
    }
    text
}

/// The row with placeholders that begin behind that number.
fn numbered_from(row: &str, behind: usize) -> String {
    let mut parts = row.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (at, part) in parts.enumerate() {
        text.push('$');
        text.push_str(&(behind + at + 1).to_string());
        text.push_str(part.trim_start_matches(|it: char| it.is_ascii_digit()));
    }
    text
}

/// The rows in pieces of [`ROWS_MAX`], each with the power of two that it is to be filled up to.
pub(super) fn filled_up<T>(rows: &[T]) -> impl Iterator<Item = (&[T], usize)> {
    rows.chunks(ROWS_MAX)
        .map(|piece| (piece, piece.len().next_power_of_two()))
}

/// The rows in pieces of [`ROWS_MAX`], and powers of two below.
pub(super) fn in_powers_of_two<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut pieces = Vec::new();
    while !rows.is_empty() {
        let size = (1 << rows.len().ilog2()).min(ROWS_MAX);
        let (piece, rest) = rows.split_at_checked(size).unwrap_or((rows, &[]));
        pieces.push(piece);
        rows = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_piece() {
        for count in [0, 1, 2, 3, 7, 256, 511, 512, 1_300] {
            let rows: Vec<usize> = (0..count).collect();
            let pieces = in_powers_of_two(&rows);
            assert!(pieces.iter().all(|piece| piece.len().is_power_of_two()));
            assert!(pieces.iter().all(|piece| piece.len() <= ROWS_MAX));
            assert_eq!(pieces.concat(), rows);
            let filled: Vec<_> = filled_up(&rows).collect();
            for (piece, size) in &filled {
                assert!(piece.len() <= *size && *size < 2 * piece.len() && *size <= ROWS_MAX);
            }
            let pieces: Vec<_> = filled.into_iter().map(|(piece, _)| piece).collect();
            assert_eq!(pieces.concat(), rows);
        }
    }

    #[test]
    fn the_text_has_each_placeholder_once() {
        let row = "($1, cast($2 as bigint))";
        let rows = ManyRows::new(
            "insert into t values ($1, cast($2 as bigint)) on conflict do nothing",
            row,
        );
        assert_eq!(rows.with(1, numbered_from), rows.one);
        assert_eq!(
            rows.with(2, numbered_from),
            "insert into t values ($1, cast($2 as bigint)), ($3, cast($4 as bigint)) on conflict do nothing"
        );
        assert_eq!(
            rows.with(2, |row, _| without_numbers(row)),
            "insert into t values (?, cast(? as bigint)), (?, cast(? as bigint)) on conflict do nothing"
        );
        assert_eq!(numbered_from(row, 98), "($99, cast($100 as bigint))");
    }
}
