//! A server started for tests, as an operator would start it: the real program,
//! a configuration file, a folder of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use crate::{peer, postgres};

/// How long a server may take to start or to stop.
const PATIENCE_S: u64 = 30;
/// Between two looks at what has no event to wait for: another process's state.
const LOOK: Duration = Duration::from_millis(5);

/// Where the server keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Database {
    /// The default: a file below `data_dir`.
    Sqlite,
    PostgreSql,
}

impl Database {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::PostgreSql => "postgresql",
        }
    }
}

impl FromStr for Database {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = [Self::Sqlite, Self::PostgreSql];
        let found = known.into_iter().find(|database| database.name() == name);
        found.with_context(|| format!("no database is called {name}"))
    }
}

/// The server under test; it is stopped when dropped.
pub(crate) struct Server {
    folder: TempDir,
    authority: Vec<u8>,
    running: Mutex<Running>,
}

struct Running {
    child: Child,
    listeners: BTreeMap<String, SocketAddr>,
}

impl Server {
    /// Starts a server with `config` laid over the configuration for tests, on
    /// which `accounts` (JID, password) exist.
    pub(crate) fn start(
        config: &str,
        accounts: &[(String, String)],
        database: Database,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority =
            std::fs::read(certificate("authority.pem")).context("the test authority")?;
        let running = if peer::chosen() {
            let (child, listeners) = peer::start(folder.path(), accounts)?;
            Running { child, listeners }
        } else {
            prepare(folder.path(), config, accounts, database)?;
            serve(folder.path())?
        };
        Ok(Self {
            folder,
            authority,
            running: Mutex::new(running),
        })
    }

    /// Where `listener` listens.
    pub(crate) fn address(&self, listener: &str) -> Result<SocketAddr> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let address = running.listeners.get(listener);
        address
            .copied()
            .with_context(|| format!("no listener is called {listener}"))
    }

    /// The certificates that clients should trust, as PEM.
    pub(crate) fn authority(&self) -> &[u8] {
        &self.authority
    }

    /// Has the running server do what an operator types.
    pub(crate) fn command(&self, words: &[&str]) -> Result<String> {
        let done = program(self.folder.path()).args(words).output()?;
        ensure!(
            done.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Ok(String::from_utf8(done.stdout)?)
    }

    /// The end of the server's log.
    pub(crate) fn log(&self) -> String {
        let log =
            std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Stops the server as a service manager does, and starts it on the same data.
    pub(crate) async fn restart(&self) -> Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        terminate(&mut running.child)?;
        *running = serve(self.folder.path())?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let running = self
            .running
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if terminate(&mut running.child).is_err() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

/// A file of the test authority.
pub(crate) fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("certs")
        .join(name)
}

fn prepare(
    folder: &Path,
    config: &str,
    accounts: &[(String, String)],
    database: Database,
) -> Result<()> {
    let text = format!(
        "data_dir = {data:?}
         [[host]]
         domain = 'localhost'
         [listen]
         c2s = ['127.0.0.1:0']
         c2s_direct_tls = ['127.0.0.1:0']
         http = ['127.0.0.1:0']
         https = ['127.0.0.1:0']
         [c2s]
         require_tls = false
         [tls]
         certificate = {chain:?}
         key = {key:?}
         [auth]
         scram_iterations = 4096
         ",
        data = folder.join("data"),
        chain = certificate("localhost.pem"),
        key = certificate("localhost.key"),
    );
    let mut merged: toml::Table = text.parse()?;
    if database == Database::PostgreSql {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let url = runtime.block_on(Box::pin(postgres::database()));
        merge(&mut merged, format!("[database]\nurl = {url:?}").parse()?);
    }
    merge(
        &mut merged,
        config.parse().context("the configuration of the script")?,
    );
    std::fs::write(folder.join("parlour.toml"), toml::to_string(&merged)?)?;
    if accounts.is_empty() {
        return Ok(());
    }
    let mut list = csv::Writer::from_path(folder.join("accounts.csv"))?;
    list.write_record(["jid", "password"])?;
    for (jid, password) in accounts {
        list.write_record([jid, password])?;
    }
    list.flush()?;
    let import = program(folder)
        .args(["account", "import"])
        .arg(folder.join("accounts.csv"))
        .output()?;
    ensure!(
        import.status.success(),
        "importing accounts: {}",
        String::from_utf8_lossy(&import.stderr)
    );
    Ok(())
}

/// Lays `over` over `under`, table by table.
fn merge(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn program(folder: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_parlour"));
    program
        .arg("--config")
        .arg(folder.join("parlour.toml"))
        .stdin(Stdio::null());
    program
}

/// Starts the program and waits for its listeners: it writes `data_dir/listeners`,
/// one `name address` on each line, once all of them are open.
fn serve(folder: &Path) -> Result<Running> {
    let file = folder.join("data").join("listeners");
    let _ = std::fs::remove_file(&file);
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("server.log"))?;
    let mut child = program(folder)
        .arg("serve")
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    let text = within_patience(|| {
        if let Some(status) = child.try_wait()? {
            let log = std::fs::read_to_string(folder.join("server.log"))?;
            bail!("the server ended with {status}:\n{log}");
        }
        Ok(std::fs::read_to_string(&file).ok())
    })?;
    let listeners = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, address)| Ok((name.to_owned(), address.parse()?)))
        .collect::<Result<_>>()?;
    Ok(Running { child, listeners })
}

fn terminate(child: &mut Child) -> Result<()> {
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    let id = child.id().to_string();
    ensure!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()?
            .success(),
        "cannot signal"
    );
    within_patience(|| Ok(child.try_wait()?)).map(drop)
}

/// Looks until there is something to see.
pub(crate) fn within_patience<T>(mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    for _ in 0..PATIENCE_S * 1000 / 5 {
        if let Some(seen) = look()? {
            return Ok(seen);
        }
        std::thread::sleep(LOOK);
    }
    bail!("nothing happened within {PATIENCE_S} s")
}
