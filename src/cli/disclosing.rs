//! `parlour customer disclose ID --into FOLDER`: all that is kept of a customer as files, for whoever asks for it.
//!
//! The operation tells it part by part, each of which becomes `part-0001.json` and so on; the files of message streams are
//! copied out of `data_dir` into `files/`, under the names that the parts give them. Never more than one part is in memory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Answer, CliError, perform, shown};
use crate::admin::{Given, Operation};
use crate::config::Config;
use crate::store::{UploadFiles, UploadId};

/// The operation that this is about.
pub(super) const OPERATION: &str = "customer disclose";

/// Where the copies of files lie.
const FILES: &str = "files";

/// What was written.
#[derive(Debug, Default)]
struct Written {
    parts: usize,
    records: usize,
    files: usize,
    bytes: u64,
    /// Files that are not there any more: deleted since the database was read.
    missing: Vec<String>,
}

/// Writes it into that folder, which is made. What was begun and not finished stays beside it, under its name and
/// `.partial`, until the next attempt.
pub(super) async fn disclose(
    config: &Config,
    operation: &Operation,
    given: &Given,
    (folder, json): (&Path, bool),
) -> Result<Answer, CliError> {
    if folder.exists() {
        let text = "is there already; name a folder that is not";
        return Err(CliError::Usage(format!("{}: {text}", folder.display())));
    }
    let partial = partial(folder);
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(failed(&partial))?;
    }
    let inside = partial.join(FILES);
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(&inside);
    made.map_err(failed(&inside))?;
    let mut given = given.clone();
    let mut written = Written::default();
    loop {
        let part = Box::pin(perform(config.clone(), operation, &given)).await;
        // A customer who is unknown leaves no folder.
        let (outcome, _) = part.inspect_err(|_| drop(fs::remove_dir_all(&partial)))?;
        written.part(config, &partial, &outcome.data)?;
        match outcome.data.get("next_after").and_then(Value::as_str) {
            Some(next) => given.insert("after".to_owned(), next.to_owned()),
            None => break,
        };
    }
    fs::rename(&partial, folder).map_err(failed(folder))?;
    Ok(written.told(folder, json))
}

impl Written {
    /// One part, with the files that it names.
    fn part(&mut self, config: &Config, folder: &Path, data: &Value) -> Result<(), CliError> {
        self.parts += 1;
        let path = folder.join(format!("part-{:04}.json", self.parts));
        let file = new_file(&path)?;
        let mut file = io::BufWriter::new(file);
        let done = serde_json::to_writer_pretty(&mut file, data);
        done.map_err(|error| failed(&path)(error.into()))?;
        io::Write::flush(&mut file).map_err(failed(&path))?;
        let kinds = data.get("records").and_then(Value::as_object);
        let records = kinds.into_iter().flat_map(|it| it.values());
        for record in records.filter_map(Value::as_array).flatten() {
            self.records += 1;
            let files = record.get("files").and_then(Value::as_array);
            for file in files.into_iter().flatten() {
                self.file(config, folder, file)?;
            }
        }
        Ok(())
    }

    /// A copy, byte by byte of any length.
    fn file(&mut self, config: &Config, folder: &Path, told: &Value) -> Result<(), CliError> {
        let text = |key: &str| told.get(key).and_then(Value::as_str);
        let (Some(id), Some(name)) = (text("id").and_then(UploadId::parse), text("file")) else {
            return Ok(());
        };
        let from = UploadFiles::of_attachments(&config.data_dir).place(&id);
        let mut from_file = match File::open(&from) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.missing.push(id.as_str().to_owned());
                return Ok(());
            }
            Err(error) => return Err(failed(&from)(error)),
        };
        let to = folder.join(FILES).join(name);
        let copied = io::copy(&mut from_file, &mut new_file(&to)?);
        self.bytes += copied.map_err(failed(&to))?;
        self.files += 1;
        Ok(())
    }

    fn told(&self, folder: &Path, json: bool) -> Answer {
        let Self {
            parts,
            records,
            files,
            bytes,
            missing,
        } = self;
        let path = folder.display().to_string();
        let mut text = format!("{path}: {records} records and {files} files of {bytes} bytes.\n");
        for id in missing {
            text.push_str(&format!("The file {id} is not there any more.\n"));
        }
        shown(json, text, || {
            json!({
                "folder": path, "parts": parts, "records": records, "files": files, "bytes": bytes,
                "missing": missing,
            })
        })
    }
}

/// For nobody else on this machine.
fn new_file(path: &Path) -> Result<File, CliError> {
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    made.map_err(failed(path))
}

fn partial(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> CliError {
    let path = path.to_owned();
    move |cause| CliError::File { path, cause }
}
