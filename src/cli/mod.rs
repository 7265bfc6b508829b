//! The command line: definitions made from the list of operations, and the words that are
//! not operations.
//!
//! Operations go to the running server through its control socket, and to the database where none
//! runs. Nothing is printed here; `main.rs` prints what [`run`] returns.

pub mod check;
mod definition;
mod disclosing;
mod keeping;
mod portable;

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

pub use definition::{Act, Invocation, PasswordSource, parse};

use crate::admin::backup::BackupError;
use crate::admin::control::{self, ControlError};
use crate::admin::portable::PortableError;
use crate::admin::{self, Actor, Given, Operation, Operator, Refusal};
use crate::clock::Clock;
use crate::config::{Config, ConfigErrors, DatabaseLocation, environment, reference};
use crate::server::{Unopened, open_store};

/// What is printed on standard output, and how it went.
#[derive(Debug)]
pub struct Answer {
    /// For standard output, with its line ends.
    pub text: String,
    /// For standard error: what was done beside what was asked for.
    pub note: Option<String>,
    /// Whether what was asked for is done, or all is well.
    pub success: bool,
}

/// Why a command failed; the text is for standard error.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration has mistakes.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The operation refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The running server could not be talked to.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The database could not be opened.
    #[error(transparent)]
    Store(#[from] Unopened),
    /// What the server keeps could not be copied.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Accounts could not be exported or imported.
    #[error(transparent)]
    Portable(#[from] PortableError),
    /// The command line is understood and cannot be followed.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be used.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
}

impl CliError {
    /// 2 when the command was not understood, else 1.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Refused(Refusal::Usage(_)) => 2,
            Self::Config(_)
            | Self::Refused(_)
            | Self::Control(_)
            | Self::Store(_)
            | Self::Backup(_)
            | Self::Portable(_)
            | Self::File { .. } => 1,
        }
    }

    /// The word for it in JSON.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Self::Config(_) => "config".to_owned(),
            Self::Refused(refusal) => match serde_json::to_value(refusal) {
                Ok(Value::Object(refusal)) => refusal
                    .get("kind")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                Ok(_) | Err(_) => "failed".to_owned(),
            },
            Self::Control(_)
            | Self::Store(_)
            | Self::Backup(_)
            | Self::Portable(_)
            | Self::File { .. } => "failed".to_owned(),
            Self::Usage(_) => "usage".to_owned(),
        }
    }
}

/// Does everything but serving.
///
/// # Errors
/// When it fails or is refused.
pub async fn run(invocation: &Invocation) -> Result<Answer, CliError> {
    let json = invocation.json;
    match &invocation.act {
        Act::Serve | Act::Demo { .. } => Err(CliError::Usage(
            "serving is not a command that ends".to_owned(),
        )),
        Act::Config => Ok(shown(
            json,
            reference(),
            || json!({ "reference": reference() }),
        )),
        Act::Check => {
            let loaded = load(invocation);
            let report = Box::pin(check::check(loaded)).await;
            Ok(Answer {
                success: report.is_good(),
                ..shown(json, report.to_string(), || report.to_json())
            })
        }
        Act::Migrate => Box::pin(migrate(&load(invocation)?, json)).await,
        Act::Move(from, to) => Box::pin(keeping::copy(&load(invocation)?, from, to, json)).await,
        Act::Backup(folder) => Box::pin(keeping::back_up(&load(invocation)?, folder, json)).await,
        Act::Restore(folder) => Box::pin(keeping::restore(&load(invocation)?, folder, json)).await,
        Act::Export { file, host, jids } => {
            let config = load(invocation)?;
            Box::pin(portable::export(&config, file, host.as_deref(), jids, json)).await
        }
        Act::Import { files, dry_run } => {
            Box::pin(portable::import(&load(invocation)?, files, *dry_run, json)).await
        }
        Act::Disclose(operation, given, folder) => {
            let config = load(invocation)?;
            operation.understand_some(given, &config)?;
            let into = (folder.as_path(), json);
            Box::pin(disclosing::disclose(&config, operation, given, into)).await
        }
        Act::Operation(operation, given, password) => {
            let config = load(invocation)?;
            // Before anybody is asked for a password in vain, and before a database is made.
            operation.understand_some(given, &config)?;
            let given = complete(operation, given.clone(), *password)?;
            let (outcome, note) = Box::pin(perform(config, operation, &given)).await?;
            let text = outcome.to_string();
            Ok(Answer {
                note,
                ..shown(json, text, || outcome.data)
            })
        }
    }
}

/// Loads the configuration that the command line names.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(invocation: &Invocation) -> Result<Config, ConfigErrors> {
    load_from(&invocation.config)
}

/// Loads the configuration of that file, or of the one that is looked for where none is named.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_from(file: &Option<PathBuf>) -> Result<Config, ConfigErrors> {
    Config::load(file.as_deref(), environment())
}

fn shown(json: bool, text: String, data: impl FnOnce() -> Value) -> Answer {
    let text = if json { format!("{}\n", data()) } else { text };
    Answer {
        text,
        note: None,
        success: true,
    }
}

async fn perform(
    config: Config,
    operation: &Operation,
    given: &Given,
) -> Result<(admin::Outcome, Option<String>), CliError> {
    if let Some(answer) = control::request(&config.data_dir, operation.name, given).await? {
        return Ok((answer?, None));
    }
    let file = match config.database_location() {
        DatabaseLocation::SqliteFile(file) => Some(file).filter(|file| !file.exists()),
        DatabaseLocation::Url(_) => None,
    };
    let store = open_store(&config).await?;
    let note = file.map(|file| format!("there was no database; {} is made", file.display()));
    let operator = Operator::stopped(store.clone(), Clock::system(), Arc::new(config));
    let by = Actor::command_line(uid());
    let done = admin::perform(&operator, &by, operation.name, given).await;
    store.close().await;
    Ok((done?, note))
}

/// Who runs this process, as the system's own files tell.
fn uid() -> Option<u32> {
    let own = std::fs::metadata("/proc/self").ok()?;
    Some(std::os::unix::fs::MetadataExt::uid(&own))
}

async fn migrate(config: &Config, json: bool) -> Result<Answer, CliError> {
    // Opening is migrating.
    let store = open_store(config).await?;
    let version = store.schema_version();
    let name = store.database_name();
    store.close().await;
    let text = format!("{name}: the tables are at version {version}.\n");
    Ok(shown(
        json,
        text,
        || json!({ "database": name, "version": version }),
    ))
}

/// Adds what is not on the command line: passwords, and the contents of files.
fn complete(
    operation: &Operation,
    mut given: Given,
    password: PasswordSource,
) -> Result<Given, CliError> {
    for argument in operation.arguments {
        let name = argument.name;
        match argument.kind {
            admin::Kind::Password if !given.contains_key(name) => {
                given.insert(name.to_owned(), ask(password)?);
            }
            admin::Kind::Table => {
                if let Some(path) = given.get(name) {
                    let contents = contents(Path::new(path))?;
                    given.insert(name.to_owned(), contents);
                }
            }
            _ => {}
        }
    }
    Ok(given)
}

fn ask(source: PasswordSource) -> Result<String, CliError> {
    let terminal = |cause| CliError::File {
        path: "terminal".into(),
        cause,
    };
    match source {
        PasswordSource::Stdin => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map_err(terminal)?;
            Ok(line.trim_end_matches(['\r', '\n']).to_owned())
        }
        PasswordSource::Prompt if !std::io::stdin().is_terminal() => Err(CliError::Usage(
            "there is no terminal to ask for the password; use --password-stdin".to_owned(),
        )),
        PasswordSource::Prompt => {
            let first = rpassword::prompt_password("Password: ").map_err(terminal)?;
            let again = rpassword::prompt_password("Once more: ").map_err(terminal)?;
            if first == again {
                Ok(first)
            } else {
                Err(CliError::Usage("the two passwords differ".to_owned()))
            }
        }
    }
}

/// A file, bounded by what the control socket takes; `-` is standard input.
fn contents(path: &Path) -> Result<String, CliError> {
    let failed = |cause| CliError::File {
        path: path.to_owned(),
        cause,
    };
    let file: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(failed)?)
    };
    let mut text = String::new();
    let bound = control::REQUEST_BYTES_MAX / 2;
    file.take(bound + 1)
        .read_to_string(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > bound {
        return Err(CliError::Usage(format!(
            "{}: larger than {bound} bytes",
            path.display()
        )));
    }
    Ok(text)
}
