//! `parlour backup`, `restore` and `migrate --from … --to …`: all that the server keeps, copied as a whole.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::{Answer, CliError, shown};
use crate::admin::backup::{self, BackupError};
use crate::admin::control::ControlSocket;
use crate::clock::Clock;
use crate::config::Config;
use crate::server::database;
use crate::store::{Limits, Location};

/// How long one statement may take: the rows of the largest table.
const STATEMENT: Duration = Duration::from_hours(6);

pub(super) fn place(config: &Config) -> Result<(Location, Limits), CliError> {
    let (location, limits) = database(config).map_err(BackupError::from)?;
    Ok((location, patient(&limits)))
}

fn patient(limits: &Limits) -> Limits {
    Limits {
        statement_timeout: STATEMENT,
        ..limits.clone()
    }
}

pub(super) async fn back_up(
    config: &Config,
    folder: &Path,
    json: bool,
) -> Result<Answer, CliError> {
    let (location, limits) = place(config)?;
    let now = Clock::system().now();
    let made = Box::pin(backup::make(
        &location,
        &limits,
        &config.data_dir,
        folder,
        now,
    ))
    .await?;
    let (rows, files, path) = (made.rows(), made.files, folder.display().to_string());
    let text = format!("{path}: {rows} rows and {files} files.\n");
    Ok(shown(
        json,
        text,
        || json!({ "folder": path, "rows": rows, "files": files, "version": made.version }),
    ))
}

pub(super) async fn restore(
    config: &Config,
    folder: &Path,
    json: bool,
) -> Result<Answer, CliError> {
    let (location, limits) = place(config)?;
    let _alone = alone(config)?;
    let read = Box::pin(backup::restore(
        &location,
        &limits,
        &config.data_dir,
        folder,
    ))
    .await?;
    let (rows, files, made_at) = (read.rows(), read.files, read.made_at);
    let text = format!("Restored {rows} rows and {files} files of {made_at}.\n");
    Ok(shown(
        json,
        text,
        || json!({ "rows": rows, "files": files, "made_at": made_at }),
    ))
}

pub(super) async fn copy(
    config: &Config,
    from: &str,
    to: &str,
    json: bool,
) -> Result<Answer, CliError> {
    let limits = place(config)?.1;
    let place = |url: &str| url.parse::<Location>().map_err(BackupError::from);
    let (from, to) = (place(from)?, place(to)?);
    let _alone = alone(config)?;
    let rows = Box::pin(backup::migrate(&from, &to, &limits)).await?;
    let text = format!(
        "Copied {rows} rows. Name the new database in [database] url, and the server uses it.\n"
    );
    Ok(shown(json, text, || json!({ "rows": rows })))
}

/// Held while nobody may serve from this folder.
pub(super) fn alone(config: &Config) -> Result<ControlSocket, CliError> {
    if !config.data_dir.exists() {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&config.data_dir);
        made.map_err(|cause| CliError::File {
            path: config.data_dir.clone(),
            cause,
        })?;
    }
    Ok(ControlSocket::bind(&config.data_dir)?)
}
