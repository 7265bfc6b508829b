//! The files of a backup: all that lies in `data_dir` beside the database, and not what only a running
//! server means.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use super::control;

/// A file or folder failed.
#[derive(Debug, thiserror::Error)]
#[error("{}: {cause}", path.display())]
pub struct FileError {
    path: PathBuf,
    cause: io::Error,
}

impl FileError {
    pub(super) fn new(path: &Path, cause: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            cause,
        }
    }
}

/// The list of addresses of the running server.
const LISTENERS: &str = "listeners";

/// Deeper than anything that a server makes.
const DEPTH_MAX: usize = 8;

/// Whether one of the folders lies within the other, or is the other.
pub(super) fn overlap(data_dir: &Path, partial: &Path) -> Result<bool, FileError> {
    let resolve = |path: &Path| resolved(path).map_err(|e| FileError::new(path, e));
    let (data_dir, partial) = (resolve(data_dir)?, resolve(partial)?);
    Ok(partial.starts_with(&data_dir) || data_dir.starts_with(&partial))
}

/// Where a path leads once it is made: without links, as far as it is there.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let there = path.ancestors().find(|it| it.exists());
    let there = there.unwrap_or_else(|| Path::new("/"));
    let mut real = there.canonicalize()?;
    // Nothing of the rest is a link, for it is not there.
    for part in path.strip_prefix(there).unwrap_or(&path).components() {
        match part {
            Component::ParentDir => {
                real.pop();
            }
            part => real.push(part),
        }
    }
    Ok(real)
}

/// Copies what belongs into a backup; returns how many files.
pub(super) fn copy_out(data_dir: &Path, into: &Path) -> Result<usize, FileError> {
    if !data_dir.exists() {
        return Ok(0);
    }
    copy(
        data_dir,
        into,
        &mut |name, depth| depth > 0 || belongs(name),
        0,
    )
}

/// Copies all files of a backup to where they were; one that is there already stays as it is.
pub(super) fn copy_in(files: &Path, data_dir: &Path) -> Result<usize, FileError> {
    if !files.exists() {
        return Ok(0);
    }
    copy(files, data_dir, &mut |_, _| true, 0)
}

/// The database is in the tables; the sockets and the list of listeners are the running server's.
fn belongs(name: &str) -> bool {
    !name.starts_with("parlour.db") && name != control::FILE && name != LISTENERS
}

fn copy(
    from: &Path,
    into: &Path,
    takes: &mut impl FnMut(&str, usize) -> bool,
    depth: usize,
) -> Result<usize, FileError> {
    let mut count = 0;
    for entry in fs::read_dir(from).map_err(|e| FileError::new(from, e))? {
        let entry = entry.map_err(|e| FileError::new(from, e))?;
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().map_err(|e| FileError::new(&path, e))?;
        let name = name.to_string_lossy();
        // A file that is being uploaded is not whole.
        if !takes(&name, depth) || name.ends_with(".part") {
            continue;
        }
        let target = into.join(entry.file_name());
        if kind.is_dir() && depth < DEPTH_MAX {
            count += copy(&path, &target, takes, depth + 1)?;
        } else if kind.is_file() && !target.exists() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(into)
                .map_err(|e| FileError::new(into, e))?;
            match fs::copy(&path, &target) {
                Ok(_) => count += 1,
                // Deleted since its folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(FileError::new(&path, error)),
            }
        }
    }
    Ok(count)
}
