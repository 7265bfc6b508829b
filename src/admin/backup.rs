//! A backup: a folder that holds all that a server keeps, and how it is read back.
//!
//! `manifest.json` says what it is, `tables/NAME.jsonl` has the rows of each table as arrays of JSON, one a line,
//! and `files/` what lies in `data_dir` beside the database: uploads, and certificates that the server made. It
//! is the same for either database, so that one of SQLite can be read into PostgreSQL. The database is read
//! as it was at one moment, files afterwards: one that was deleted in between is missing, as it soon would be anyway.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use super::backup_files::FileError;

use super::backup_files;
use crate::clock::Timestamp;
use crate::store::{
    Column, ColumnKind, Limits, LoadError, Loading, Location, Snapshot, SnapshotRow, StoreError,
    Table, Value,
};

/// Why a backup could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database failed.
    #[error("the database failed: {}", causes(.0))]
    Store(#[from] StoreError),
    /// The database cannot be filled.
    #[error("{}", causes(.0))]
    Load(#[from] LoadError),
    /// A file or folder failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no database.
    #[error("there is nothing to back up: the server has no database yet")]
    Nothing,
    /// The folder of the backup is there already.
    #[error("{}: is there already; name a folder that is not", .0.display())]
    Exists(PathBuf),
    /// The folder would be a part of what is copied into it.
    #[error("{}: lies within data_dir ({}), of which it is to be the backup; name a folder outside of it", folder.display(), data_dir.display())]
    Inside {
        /// The folder of the backup.
        folder: PathBuf,
        /// The folder of the server.
        data_dir: PathBuf,
    },
    /// The folder holds no backup.
    #[error("{}: {what}", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// An error with its causes, each once.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(&format!(": {inner_text}"));
        }
        cause = inner.source();
    }
    text
}

/// What a backup holds, or what was read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// How the folder is laid out: 1.
    pub format: u32,
    /// When it was made (XEP-0082).
    pub made_at: String,
    /// The version of the tables.
    pub version: i64,
    /// The tables, none before one that it refers to.
    pub tables: Vec<Contents>,
    /// How many files lie beside.
    pub files: usize,
}

/// A table in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Its name and columns.
    #[serde(flatten)]
    pub table: Table,
    /// How many rows it has.
    pub rows: u64,
}

impl Manifest {
    /// All rows together.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// The layout that is written and read.
const FORMAT: u32 = 1;

const MANIFEST: &str = "manifest.json";
const TABLES: &str = "tables";
const FILES: &str = "files";

/// Makes a backup in `folder`, which is made; a server may run meanwhile. What was begun and not finished
/// stays beside it, under its name and `.partial`, until the next attempt.
///
/// # Errors
/// When it failed; there is no `folder` then.
pub async fn make(
    location: &Location,
    limits: &Limits,
    data_dir: &Path,
    folder: &Path,
    now: Timestamp,
) -> Result<Manifest, BackupError> {
    if folder.exists() {
        return Err(BackupError::Exists(folder.to_owned()));
    }
    let partial = partial(folder);
    if backup_files::overlap(data_dir, &partial)? {
        return Err(BackupError::Inside {
            folder: folder.to_owned(),
            data_dir: data_dir.to_owned(),
        });
    }
    let snapshot = Box::pin(Snapshot::begin(location, limits)).await?;
    let mut snapshot = snapshot.ok_or(BackupError::Nothing)?;
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(|e| FileError::new(&partial, e))?;
    }
    let inside = partial.join(TABLES);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&inside)
        .map_err(|e| FileError::new(&inside, e))?;
    let mut tables = Vec::new();
    for table in snapshot.tables() {
        let rows = write_table(&mut snapshot, &table, &inside).await?;
        tables.push(Contents { table, rows });
    }
    let files = backup_files::copy_out(data_dir, &partial.join(FILES))?;
    let manifest = Manifest {
        format: FORMAT,
        made_at: now.to_string(),
        version: snapshot.version(),
        tables,
        files,
    };
    let path = partial.join(MANIFEST);
    let mut file = create(&path)?;
    serde_json::to_writer_pretty(&mut file, &manifest)
        .map_err(io::Error::from)
        .and_then(|()| finish(file))
        .map_err(|e| FileError::new(&path, e))?;
    // What has its name is whole.
    fs::rename(&partial, folder).map_err(|e| FileError::new(folder, e))?;
    Ok(manifest)
}

fn partial(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    folder.with_file_name(name)
}

fn create(path: &Path) -> Result<BufWriter<File>, FileError> {
    let mut options = File::options();
    let options = options.write(true).create_new(true).mode(0o600);
    let file = options.open(path).map_err(|e| FileError::new(path, e))?;
    Ok(BufWriter::new(file))
}

/// Everything on the disk.
fn finish(file: BufWriter<File>) -> io::Result<()> {
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

async fn write_table(
    snapshot: &mut Snapshot,
    table: &Table,
    folder: &Path,
) -> Result<u64, BackupError> {
    let path = file_of(folder, table)?;
    let failed = |error: io::Error| FileError::new(&path, error);
    let mut file = create(&path)?;
    let mut count = 0;
    let write = async |rows: Vec<SnapshotRow>| -> Result<(), BackupError> {
        for row in rows {
            let row: Vec<Json> = row.into_iter().map(to_json).collect();
            serde_json::to_writer(&mut file, &row)
                .map_err(io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(failed)?;
            count += 1;
        }
        Ok(())
    };
    snapshot.rows(table, write).await?;
    finish(file).map_err(failed)?;
    Ok(count)
}

/// The file of a table, whose name may come from a manifest that somebody else has written.
fn file_of(folder: &Path, table: &Table) -> Result<PathBuf, BackupError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if table.name.is_empty() || !table.name.chars().all(plain) {
        return Err(BackupError::Bad {
            path: folder.to_owned(),
            what: format!("{:?} is no name of a table", table.name),
        });
    }
    Ok(folder.join(format!("{}.jsonl", table.name)))
}

fn to_json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(value) => value.into(),
        Value::Boolean(value) => value.into(),
        Value::Text(value) => value.into(),
        Value::Bytes(value) => BASE64_STANDARD.encode(value).into(),
    }
}

fn of_json(value: Json, column: &Column) -> Option<Value> {
    Some(match (value, column.kind) {
        (Json::Null, _) => Value::Null,
        (Json::Number(value), ColumnKind::Integer) => Value::Integer(value.as_i64()?),
        (Json::Bool(value), ColumnKind::Boolean) => Value::Boolean(value),
        (Json::String(value), ColumnKind::Text) => Value::Text(value),
        (Json::String(value), ColumnKind::Bytes) => {
            Value::Bytes(BASE64_STANDARD.decode(value).ok()?)
        }
        _ => return None,
    })
}

/// What is in `folder`, without the rows.
///
/// # Errors
/// When it holds no backup that this server can read.
pub fn look(folder: &Path) -> Result<Manifest, BackupError> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|e| FileError::new(&path, e))?;
    let bad = |what: String| BackupError::Bad {
        path: path.clone(),
        what,
    };
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|e| bad(format!("not the manifest of a backup: {e}")))?;
    if manifest.format != FORMAT {
        let format = manifest.format;
        return Err(bad(format!(
            "it has the format {format}, and this server reads {FORMAT}"
        )));
    }
    Ok(manifest)
}

/// Reads the backup in `folder` into a database that has nothing yet, and into `data_dir`. The server must not
/// run. All of the database or nothing; files last.
///
/// # Errors
/// When it failed; the database is empty then.
pub async fn restore(
    location: &Location,
    limits: &Limits,
    data_dir: &Path,
    folder: &Path,
) -> Result<Manifest, BackupError> {
    let manifest = look(folder)?;
    let mut loading = Box::pin(Loading::begin(location, limits, manifest.version)).await?;
    for contents in &manifest.tables {
        read_table(&mut loading, contents, &folder.join(TABLES)).await?;
    }
    backup_files::copy_in(&folder.join(FILES), data_dir)?;
    Box::pin(loading.finish(location, limits)).await?;
    Ok(manifest)
}

/// Lines that are written together.
const LINES: usize = 500;

async fn read_table(
    loading: &mut Loading,
    contents: &Contents,
    folder: &Path,
) -> Result<(), BackupError> {
    let table = &contents.table;
    let path = file_of(folder, table)?;
    let file = File::open(&path).map_err(|e| FileError::new(&path, e))?;
    let (mut count, mut rows) = (0_u64, Vec::new());
    for line in BufReader::new(file).lines() {
        let line = line.map_err(|e| FileError::new(&path, e))?;
        count += 1;
        rows.push(row(&line, table).ok_or_else(|| BackupError::Bad {
            path: path.clone(),
            what: format!("line {count} is no row of the table"),
        })?);
        if rows.len() == LINES {
            loading.write(table, &rows).await?;
            rows.clear();
        }
    }
    loading.write(table, &rows).await?;
    if count != contents.rows {
        let wanted = contents.rows;
        return Err(BackupError::Bad {
            path,
            what: format!("it has {count} rows, and the manifest says {wanted}"),
        });
    }
    Ok(())
}

fn row(line: &str, table: &Table) -> Option<SnapshotRow> {
    let values: Vec<Json> = serde_json::from_str(line).ok()?;
    if values.len() != table.columns.len() {
        return None;
    }
    values
        .into_iter()
        .zip(&table.columns)
        .map(|(value, column)| of_json(value, column))
        .collect()
}

/// Copies everything from one database into another that has nothing yet. Neither server must run, for what
/// the old one takes afterwards is not in the new one.
///
/// # Errors
/// When it failed; the new database is empty then.
pub async fn migrate(from: &Location, to: &Location, limits: &Limits) -> Result<u64, BackupError> {
    let snapshot = Box::pin(Snapshot::begin(from, limits)).await?;
    let mut snapshot = snapshot.ok_or(BackupError::Nothing)?;
    let mut loading = Box::pin(Loading::begin(to, limits, snapshot.version())).await?;
    let mut count = 0_u64;
    for table in snapshot.tables() {
        let write = async |rows: Vec<SnapshotRow>| -> Result<(), BackupError> {
            count += rows.len() as u64;
            Ok(loading.write(&table, &rows).await?)
        };
        snapshot.rows(&table, write).await?;
    }
    Box::pin(loading.finish(to, limits)).await?;
    Ok(count)
}
