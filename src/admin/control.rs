//! The control socket: operations for a running server, from its own machine.
//!
//! A Unix socket in `data_dir`. A connection carries one request and one answer, each a line of
//! JSON:
//!
//! ```json
//! {"operation":"account add","arguments":{"jid":"alice@example.org","password":"…"}}
//! {"outcome":{"data":{"jid":"alice@example.org","role":"member"},"text":"…"}}
//! {"refusal":{"kind":"conflict","text":"there is an account alice@example.org already"}}
//! ```
//!
//! Who may connect is decided by the operating system: the file belongs to the server's user,
//! and the kernel says who the peer is. Requests hold passwords and are logged nowhere.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::actor::Actor;
use super::arguments::Given;
use super::operator::Operator;
use super::outcome::Outcome;
use super::perform;
use super::refusal::Refusal;

/// The socket's file in `data_dir`.
pub const FILE: &str = "control.sock";

/// The longest request: a table of the most accounts, with long names and passwords.
pub const REQUEST_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How long a client may take to send its request, or to read its answer.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests served at once; more wait for their turn.
const REQUESTS_MAX: usize = 8;

/// What is asked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    operation: String,
    #[serde(default)]
    arguments: Given,
}

/// What is answered.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Response {
    Outcome(Outcome),
    Refusal(Refusal),
}

/// Why the socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A server answers on it.
    #[error("{}: another parlour serves this data_dir; stop it first", .0.display())]
    InUse(PathBuf),
    /// The file cannot be made or connected to.
    #[error("{}: {cause}", path.display())]
    Socket {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The server runs, and lets nobody in but its own user.
    #[error("{}: not permitted; run this as the user that runs the server, or as root", .0.display())]
    NotPermitted(PathBuf),
    /// The connection broke, or what came back is no answer.
    #[error("the server broke off: {0}; look into its log")]
    Broken(String),
}

/// The bound socket; its file goes when it is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl ControlSocket {
    /// Makes the socket in `data_dir`, in place of one that a dead server left.
    ///
    /// # Errors
    /// [`ControlError::InUse`] when another server answers there.
    pub fn bind(data_dir: &Path) -> Result<Self, ControlError> {
        let path = data_dir.join(FILE);
        let failed = |cause| ControlError::Socket {
            path: path.clone(),
            cause,
        };
        if path.exists() {
            match std::os::unix::net::UnixStream::connect(&path) {
                Ok(_) => return Err(ControlError::InUse(path)),
                Err(_) => fs::remove_file(&path).map_err(failed)?,
            }
        }
        let listener = UnixListener::bind(&path).map_err(failed)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let owner = fs::metadata(&path).map_err(failed)?.uid();
        Ok(Self {
            listener,
            path,
            owner,
        })
    }

    /// Serves requests until `stop`; those that are being served are finished.
    pub async fn serve(self, operator: Operator, stop: CancellationToken) {
        let turns = Arc::new(Semaphore::new(REQUESTS_MAX));
        let tasks = TaskTracker::new();
        loop {
            let turn = Arc::clone(&turns).acquire_owned();
            let accepted = async {
                let turn = turn.await;
                (turn, self.listener.accept().await)
            };
            let (turn, stream) = tokio::select! {
                () = stop.cancelled() => break,
                (turn, accepted) = accepted => match accepted {
                    Ok((stream, _)) => (turn, stream),
                    Err(error) => {
                        warn!(%error, "control socket");
                        // Out of file descriptors, most likely: not in a circle.
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            if !self.admits(&stream) {
                warn!("a stranger was turned away from the control socket");
                continue;
            }
            let operator = operator.clone();
            tasks.spawn(async move {
                if let Err(error) = answer(stream, &operator).await {
                    debug!(%error, "control connection");
                }
                drop(turn);
            });
        }
        tasks.close();
        tasks.wait().await;
    }

    /// The server's own user and root.
    fn admits(&self, stream: &UnixStream) -> bool {
        let peer = stream.peer_cred().map(|peer| peer.uid());
        matches!(peer, Ok(uid) if uid == 0 || uid == self.owner)
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            debug!(%error, "control socket was gone already");
        }
    }
}

async fn answer(stream: UnixStream, operator: &Operator) -> io::Result<()> {
    let uid = stream.peer_cred().ok().map(|peer| peer.uid());
    let (read, mut write) = stream.into_split();
    let mut line = Vec::new();
    let mut reader = BufReader::new(read.take(REQUEST_BYTES_MAX));
    tokio::time::timeout(TRANSFER_TIMEOUT, reader.read_until(b'\n', &mut line)).await??;
    let done = match serde_json::from_slice::<Request>(&line) {
        _ if line.last() != Some(&b'\n') => {
            let text = format!("a request is one line of at most {REQUEST_BYTES_MAX} bytes");
            Err(Refusal::Usage(text))
        }
        Ok(Request {
            operation,
            arguments,
        }) => {
            let by = Actor::command_line(uid);
            Box::pin(perform(operator, &by, &operation, &arguments)).await
        }
        // What could not be read is not repeated: it may be a password.
        Err(error) => Err(Refusal::Usage(format!(
            "not a request: {:?} at column {}",
            error.classify(),
            error.column()
        ))),
    };
    let response = match done {
        Ok(outcome) => Response::Outcome(outcome),
        Err(refusal) => Response::Refusal(refusal),
    };
    let mut bytes = serde_json::to_vec(&response)?;
    bytes.push(b'\n');
    tokio::time::timeout(TRANSFER_TIMEOUT, write.write_all(&bytes)).await??;
    write.shutdown().await
}

/// Whether a server answers on the socket of `data_dir`.
///
/// # Errors
/// When one runs that this user may not talk to.
pub async fn is_running(data_dir: &Path) -> Result<bool, ControlError> {
    Ok(connect(&data_dir.join(FILE)).await?.is_some())
}

/// Has the running server do something; `None` when none runs.
///
/// # Errors
/// When the server cannot be talked to. What the operation answered is inside.
pub async fn request(
    data_dir: &Path,
    operation: &str,
    arguments: &Given,
) -> Result<Option<Result<Outcome, Refusal>>, ControlError> {
    let Some(mut stream) = connect(&data_dir.join(FILE)).await? else {
        return Ok(None);
    };
    let broken = |error: io::Error| ControlError::Broken(error.to_string());
    let request = Request {
        operation: operation.to_owned(),
        arguments: arguments.clone(),
    };
    let mut bytes = serde_json::to_vec(&request).map_err(|error| broken(error.into()))?;
    bytes.push(b'\n');
    stream.write_all(&bytes).await.map_err(broken)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(broken)?;
    if answer.is_empty() {
        return Err(ControlError::Broken("no answer".to_owned()));
    }
    match serde_json::from_slice(&answer).map_err(|error| broken(error.into()))? {
        Response::Outcome(outcome) => Ok(Some(Ok(outcome))),
        Response::Refusal(refusal) => Ok(Some(Err(refusal))),
    }
}

async fn connect(path: &Path) -> Result<Option<UnixStream>, ControlError> {
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) => match error.kind() {
            // The second: a server that was killed left its file.
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
            io::ErrorKind::PermissionDenied => Err(ControlError::NotPermitted(path.to_owned())),
            _ => Err(ControlError::Socket {
                path: path.to_owned(),
                cause: error,
            }),
        },
    }
}
