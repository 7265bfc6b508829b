//! The folder `data_dir`.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;

use super::Report;
use crate::config::Config;

const SUBJECT: &str = "data_dir";

pub(super) fn check(config: &Config, report: &mut Report) {
    let path = config.data_dir.as_path();
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            report.good(SUBJECT, format!("{shown} is made at the first start"));
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
    // The only way to know whether this user can write there is to do it.
    let probe = path.join(".parlour-check");
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&probe);
    if let Err(error) = written.and_then(|_| fs::remove_file(&probe)) {
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
