//! The folder `data_dir`.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Report;
use crate::config::Config;

const SUBJECT: &str = "data_dir";

pub(super) fn check(config: &Config, report: &mut Report) {
    let path = config.data_dir.as_path();
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            to_be_made(path, report);
            return;
        }
        Err(error) => {
            report.fail(
                SUBJECT,
                format!("{shown}: {error}"),
                "let the user that runs parlour enter it, or name another data_dir",
            );
            return;
        }
    };
    if !metadata.is_dir() {
        report.fail(
            SUBJECT,
            format!("{shown} is no folder"),
            "name another data_dir",
        );
        return;
    }
    if let Err(error) = probe(path) {
        report.fail(
            SUBJECT,
            format!("{shown} cannot be written: {error}"),
            "give it to the user that runs parlour (chown), or run the check as that user",
        );
        return;
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        report.good(
            SUBJECT,
            format!("{shown} is writable, and closed to others"),
        );
    } else {
        report.warn(
            SUBJECT,
            format!("{shown} is open to other users of this machine (mode {mode:o})"),
            format!("chmod 700 {shown}"),
        );
    }
}

/// The only way to know whether this user can write there is to do it.
fn probe(folder: &Path) -> io::Result<()> {
    let probe = folder.join(".parlour-check");
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&probe);
    written.and_then(|_| fs::remove_file(&probe))
}

/// The first start makes the folder, in the nearest one that is there.
fn to_be_made(path: &Path, report: &mut Report) {
    let shown = path.display();
    let above = path
        .ancestors()
        .skip(1)
        .map(|above| match above.as_os_str().is_empty() {
            true => Path::new("."),
            false => above,
        });
    let mut there = above.filter(|above| above.exists());
    match there.next().map(probe) {
        Some(Ok(())) => report.good(SUBJECT, format!("{shown} is made at the first start")),
        Some(Err(error)) => report.fail(
            SUBJECT,
            format!("{shown} cannot be made: {error}"),
            "make it and give it to the user that runs parlour, or name another data_dir",
        ),
        None => report.fail(
            SUBJECT,
            format!("{shown} cannot be made"),
            "name another data_dir",
        ),
    }
}
