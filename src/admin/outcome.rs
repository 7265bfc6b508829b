//! What an operation has done: data for programs, sentences and a table for people.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::operator::Operator;
use super::refusal::Refusal;

/// What an operation has done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// For programs.
    pub data: Value,
    /// Sentences for people, each with its line end.
    pub text: String,
    /// What was listed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Table>,
    /// Whether something went wrong beside what was asked for, which the text tells.
    #[serde(default)]
    pub warning: bool,
}

/// Rows below their headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, as wide as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Outcome {
    /// Something was done, which is told in sentences.
    pub(super) fn told(data: Value, text: impl Into<String>) -> Self {
        Self {
            data,
            text: text.into(),
            table: None,
            warning: false,
        }
    }

    /// A file was made, which is the text. To an account it goes as a stanza, and has no more bytes than one of a client may have: the rest
    /// would be missed by nobody who opens a part of it.
    pub(super) fn file(
        operator: &Operator,
        name: &str,
        data: Value,
        text: String,
    ) -> Result<Self, Refusal> {
        let max = operator.config.c2s.stanza_bytes_max.as_usize();
        if operator.account.is_some() && !fits(&text, max) {
            let bytes = text.len();
            return Err(Refusal::NotAcceptable(format!(
                "the file has {bytes} bytes, and an answer takes {max} bytes: ask for less, or use the command line: \
                 parlour {name}"
            )));
        }
        Ok(Self::told(data, text))
    }

    /// The same with a table.
    pub(super) fn with(mut self, table: Table) -> Self {
        self.table = Some(table);
        self
    }

    /// The same with one more sentence, which tells what went wrong.
    pub(super) fn warn(mut self, sentence: &str) -> Self {
        self.text.push_str(sentence);
        self.text.push('\n');
        self.warning = true;
        self
    }

    /// Several as one, in their order. Of one it is the same.
    pub(super) fn merge(outcomes: Vec<Self>) -> Self {
        let mut outcomes = outcomes;
        if outcomes.len() == 1
            && let Some(only) = outcomes.pop()
        {
            return only;
        }
        let mut merged = Self::told(Value::Null, "");
        let mut data = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            data.push(outcome.data);
            merged.text.push_str(&outcome.text);
            merged.warning |= outcome.warning;
            match (&mut merged.table, outcome.table) {
                (Some(table), Some(more)) => table.rows.extend(more.rows),
                (table @ None, more) => *table = more,
                (Some(_), None) => {}
            }
        }
        merged.data = json!({ "done": data });
        merged
    }

    /// The values under a key, as texts: of a list, its elements, and of those that are objects, `jid`.
    /// Where several runs are merged, of all of them.
    pub fn values(&self, key: &str) -> Vec<String> {
        let runs = match self.data.get("done").and_then(Value::as_array) {
            Some(runs) => runs.iter().collect(),
            None => vec![&self.data],
        };
        let found = runs.into_iter().filter_map(|run| run.get(key));
        let flat = found.flat_map(|value| match value {
            Value::Array(values) => values.iter().collect(),
            value => vec![value],
        });
        flat.filter_map(|value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Object(entry) => Some(entry.get("jid")?.as_str()?.to_owned()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) => None,
        })
        .collect()
    }
}

impl Table {
    /// A table with these columns.
    pub(super) fn new<const N: usize>(columns: [&str; N], rows: Vec<[String; N]>) -> Self {
        Self {
            columns: columns.into_iter().map(str::to_owned).collect(),
            rows: rows.into_iter().map(Vec::from).collect(),
        }
    }
}

impl Table {
    /// Whether all of it can be told to an account as comma-separated values where a stanza has at most so many bytes.
    #[must_use]
    pub fn fits_as_csv(&self, bytes_max: usize) -> bool {
        self.to_csv().is_some_and(|text| fits(&text, bytes_max))
    }

    /// As comma-separated values (RFC 4180) that people open with a spreadsheet, the names of the columns in small letters first;
    /// `None` when it cannot be written.
    pub(super) fn to_csv(&self) -> Option<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let columns = self.columns.iter().map(|it| it.to_lowercase());
        writer.write_record(columns).ok()?;
        for row in &self.rows {
            writer
                .write_record(row.iter().map(|it| inert(it).into_owned()))
                .ok()?;
        }
        String::from_utf8(writer.into_inner().ok()?).ok()
    }
}

/// Whether the text has at most so many bytes in a stanza.
fn fits(text: &str, max: usize) -> bool {
    let bytes = text.bytes().map(|byte| match byte {
        b'<' | b'>' | b'&' => ESCAPED_BYTES_MAX,
        _ => 1,
    });
    bytes.sum::<usize>() <= max
}

/// Bytes of a character that XML has a name for: `&amp;`.
const ESCAPED_BYTES_MAX: usize = 5;

/// A cell that no spreadsheet takes for a formula: what begins like one has an apostrophe before it. Numbers stay.
fn inert(cell: &str) -> Cow<'_, str> {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    match formula && cell.parse::<f64>().is_err() {
        true => Cow::Owned(format!("'{cell}")),
        false => Cow::Borrowed(cell),
    }
}

/// As the command line prints it: columns as wide as what stands in them, the last one not padded.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.columns).chain(&self.rows);
        let width = |at: usize| {
            let cells = lines().filter_map(|line| line.get(at));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for cells in lines() {
            let mut line = String::new();
            for (width, cell) in widths.iter().zip(cells) {
                line.push_str(&format!("{cell:<width$}  "));
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// The table, then the sentences.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(table) = &self.table {
            write!(f, "{table}")?;
        }
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_finds_no_formula_in_what_people_wrote() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+39 045", "'+39 045"),
            ("-x", "'-x"),
            ("@sum", "'@sum"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("-5", "-5"),
            ("+1.5", "+1.5"),
            ("a=b", "a=b"),
            ("", ""),
        ] {
            assert_eq!(inert(cell), expected, "{cell}");
        }
        let table = Table::new(["Name"], vec![["=HYPERLINK(1)".to_owned()]]);
        assert_eq!(table.to_csv().as_deref(), Some("name\n'=HYPERLINK(1)\n"));
    }
}
