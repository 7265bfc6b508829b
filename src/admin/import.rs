//! Making many accounts from a table: `account import`.
//!
//! Comma-separated values (RFC 4180) with a header that names the columns `jid`, `password` and,
//! if wanted, `role` and `name`; semicolons, as spreadsheets in some languages write them, do as
//! well. The whole table is checked before anything is written, and everything wrong is told
//! with its line: either every account can be made or none is.

use std::collections::HashMap;

use serde_json::json;

use super::accounts::{NewAccount, Person, create};
use super::arguments::{self, Arguments};
use super::operation::{Argument, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::Outcome;
use super::password::keys_of_many;
use super::refusal::Refusal;
use crate::config::Config;
use crate::domain::rights::Role;
use crate::observe::Secret;
use crate::proto::BareJid;

pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "account import",
    "Makes all accounts of a table (CSV with the columns jid, password, role, name), or none.",
    Face::new(own!("account-import"), "Add users from a table"),
    &[Argument::required(
        "file",
        Kind::Table,
        "the table; - reads standard input",
    )],
    |operator, arguments| Box::pin(import(operator, arguments)),
)];

/// Accounts that one table makes at most: ten times the largest contact center, and a table
/// that a person can still look through.
const ROWS_MAX: usize = 100_000;

/// Complaints that are told one by one.
const COMPLAINTS_MAX: usize = 50;

struct Row {
    line: u64,
    account: NewAccount,
    password: Secret<String>,
}

/// What is wrong, by line.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<(u64, String)>);

impl Complaints {
    pub(super) fn add(&mut self, line: u64, text: impl Into<String>) {
        self.0.push((line, text.into()));
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.0.len()
    }

    fn none_or_refuse(self) -> Result<(), Refusal> {
        match self.told("no account is made; the table has mistakes:") {
            Some(text) => Err(Refusal::NotAcceptable(text)),
            None => Ok(()),
        }
    }

    /// All of them below a sentence; `None` where there are none.
    pub(super) fn told(mut self, sentence: &str) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        self.0.sort();
        let mut text = sentence.to_owned();
        for (line, complaint) in self.0.iter().take(COMPLAINTS_MAX) {
            text.push_str(&format!("\n  line {line}: {complaint}"));
        }
        if let Some(more @ 1..) = self.0.len().checked_sub(COMPLAINTS_MAX) {
            text.push_str(&format!("\n  and {more} more"));
        }
        Some(text)
    }
}

async fn import(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let rows = read(arguments.secret("file")?.expose(), &operator.config)?;
    let mut complaints = Complaints::default();
    for row in &rows {
        let jid = &row.account.jid;
        if !operator.reach.includes_account(jid) {
            complaints.add(
                row.line,
                format!("{jid} is of a host that you do not administer"),
            );
        }
        if operator.reach.spares(&operator.config, jid) {
            let refusal = Refusal::server_administrator(jid);
            complaints.add(row.line, refusal.to_string());
        }
        if operator.store.accounts().find(jid).await?.is_some() {
            complaints.add(row.line, format!("there is an account {jid} already"));
        }
    }
    complaints.none_or_refuse()?;

    let passwords = rows.iter().map(|row| row.password.clone()).collect();
    let derived = keys_of_many(passwords, operator.config.auth.scram_iterations).await?;
    let mut complaints = Complaints::default();
    let mut ready = Vec::with_capacity(rows.len());
    for (row, keys) in rows.into_iter().zip(derived) {
        match keys {
            Ok(keys) => ready.push((row, keys)),
            Err(error) => complaints.add(row.line, error.to_string()),
        }
    }
    complaints.none_or_refuse()?;

    for (made, (row, keys)) in ready.iter().enumerate() {
        create(&operator, &row.account, keys)
            .await
            .map_err(|refusal| {
                let line = row.line;
                Refusal::Failed(format!(
                    "line {line}: {refusal}; the {made} accounts before it are made"
                ))
            })?;
    }
    let made = ready.len();
    let text = format!("{made} accounts are made.\n");
    Ok(Outcome::told(json!({ "made": made }), text))
}

/// Where the columns are.
struct Columns {
    jid: usize,
    password: usize,
    role: Option<usize>,
    name: Option<usize>,
}

fn read(text: &str, config: &Config) -> Result<Vec<Row>, Refusal> {
    let text = cleaned(text);
    let mut reader = reader(&text);
    let columns = columns(reader.headers())?;
    let mut complaints = Complaints::default();
    let mut rows = Vec::new();
    let mut lines: HashMap<BareJid, u64> = HashMap::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = line(&text, error.position());
                complaints.add(line, "cannot be read as comma-separated values");
                continue;
            }
        };
        let line = line(&text, record.position());
        if rows.len() == ROWS_MAX {
            complaints.add(
                line,
                format!("a table makes at most {ROWS_MAX} accounts; split it"),
            );
            break;
        }
        match row(&record, &columns, line, config) {
            Ok(row) => {
                if let Some(first) = lines.insert(row.account.jid.clone(), line) {
                    complaints.add(
                        line,
                        format!("{} stands in line {first} already", row.account.jid),
                    );
                }
                rows.push(row);
            }
            Err(complaint) => complaints.add(line, complaint),
        }
    }
    complaints.none_or_refuse()?;
    Ok(rows)
}

/// Spreadsheets put a byte order mark in front, and some write CRLF, of which the reader takes each letter for the
/// end of a line where it counts them.
pub(super) fn cleaned(text: &str) -> String {
    text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n")
}

/// A reader of a table with commas, or with semicolons, as its first line has them.
pub(super) fn reader(text: &str) -> csv::Reader<&[u8]> {
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') && !header.contains(',') {
        b';'
    } else {
        b','
    };
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes())
}

/// The line in which a record begins: the reader counts from the empty lines that it skips before it.
pub(super) fn line(text: &str, position: Option<&csv::Position>) -> u64 {
    position.map_or(0, |position| {
        let before = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let skipped = text.bytes().skip(before).take_while(|byte| *byte == b'\n');
        position.line() + skipped.count() as u64
    })
}

fn columns(header: csv::Result<&csv::StringRecord>) -> Result<Columns, Refusal> {
    let wrong = |text: String| {
        let expected = "the first line names the columns: jid,password[,role][,name]";
        Refusal::NotAcceptable(format!("line 1: {text}; {expected}"))
    };
    let header = header.map_err(|_| wrong("no header".to_owned()))?;
    let names: Vec<String> = header
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    for (at, name) in names.iter().enumerate() {
        if !["jid", "password", "role", "name"].contains(&name.as_str()) {
            return Err(wrong(format!("unknown column {name:?}")));
        }
        if names.iter().take(at).any(|before| before == name) {
            return Err(wrong(format!("the column {name} is there twice")));
        }
    }
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    let needed = |wanted: &str| place(wanted).ok_or_else(|| wrong(format!("no column {wanted}")));
    Ok(Columns {
        jid: needed("jid")?,
        password: needed("password")?,
        role: place("role"),
        name: place("name"),
    })
}

fn row(
    record: &csv::StringRecord,
    columns: &Columns,
    line: u64,
    config: &Config,
) -> Result<Row, String> {
    let cell = |at: usize| record.get(at).filter(|cell| !cell.trim().is_empty());
    let optional = |at: Option<usize>| at.and_then(cell).map(str::trim);
    let known = [
        Some(columns.jid),
        Some(columns.password),
        columns.role,
        columns.name,
    ];
    if record.len() > known.iter().flatten().count() {
        return Err(
            "more cells than columns; put a password with a comma between quotes".to_owned(),
        );
    }
    let jid = cell(columns.jid).ok_or("no jid")?.trim();
    let role = optional(columns.role).map(str::parse).transpose();
    Ok(Row {
        line,
        account: NewAccount {
            jid: arguments::account(jid, config)?,
            role: role
                .map_err(|unknown: crate::domain::rights::UnknownRole| unknown.to_string())?
                .unwrap_or(Role::Member),
            person: Person {
                name: optional(columns.name).unwrap_or_default().to_owned(),
                ..Person::default()
            },
        },
        // As it stands, spaces included: they belong to a password.
        password: Secret::new(cell(columns.password).ok_or("no password")?.to_owned()),
    })
}
