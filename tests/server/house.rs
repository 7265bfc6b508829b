//! The real program in a folder of its own, with what an operator can do to it: start, signal,
//! kill, ask on the command line, read the output.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// The longest that anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at a file, which tells nobody that it has changed.
const LOOK: Duration = Duration::from_millis(5);

/// A folder with a configuration, and the server in it while it runs.
pub(crate) struct House {
    folder: TempDir,
    variables: Vec<(String, String)>,
    child: Option<Child>,
}

impl House {
    /// A folder without any file: all that is said is said by environment variables.
    pub(crate) fn empty(variables: &[(&str, &str)]) -> Result<Self> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Ok(Self {
            folder: tempfile::tempdir()?,
            variables: variables.iter().map(own).collect(),
            child: None,
        })
    }

    /// A folder with `config` laid over a configuration for tests.
    pub(crate) fn with(config: &str) -> Result<Self> {
        let house = Self::empty(&[])?;
        let base = format!(
            "[[host]]
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
            chain = certificate("localhost.pem"),
            key = certificate("localhost.key"),
        );
        let mut merged: toml::Table = base.parse()?;
        merge(&mut merged, config.parse().context("the configuration")?);
        std::fs::write(house.path("parlour.toml"), toml::to_string(&merged)?)?;
        Ok(house)
    }

    /// As [`House::with`], with `accounts` (JID, password), and running.
    pub(crate) async fn serving(config: &str, accounts: &[(&str, &str)]) -> Result<Self> {
        let mut house = Self::with(config)?;
        house.import(accounts).await?;
        house.start().await?;
        Ok(house)
    }

    /// Sets an environment variable for the programs that are started from now on.
    pub(crate) fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn import(&self, accounts: &[(&str, &str)]) -> Result<()> {
        let mut list = String::from("jid,password\n");
        for (jid, password) in accounts {
            list.push_str(&format!("{jid},{password}\n"));
        }
        std::fs::write(self.path("accounts.csv"), list)?;
        self.ask(&["account", "import", "accounts.csv"]).await
    }

    /// Runs a command that has to succeed.
    pub(crate) async fn ask(&self, arguments: &[&str]) -> Result<()> {
        let Output {
            status,
            stdout,
            stderr,
        } = timeout(PATIENCE, self.command(arguments).output()).await??;
        ensure!(
            status.success(),
            "{arguments:?}: {status}\n{}\n{}",
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr)
        );
        Ok(())
    }

    /// The program with `arguments`, in the folder, and nothing of our own environment that it
    /// would listen to.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlour"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts the server and waits until it listens.
    pub(crate) async fn start(&mut self) -> Result<()> {
        let listeners = self.path("data/listeners");
        let _ = std::fs::remove_file(&listeners);
        let mut child = self
            .command(&[])
            .stdout(File::create(self.path("stdout"))?)
            .stderr(
                File::options()
                    .create(true)
                    .append(true)
                    .open(self.path("stderr"))?,
            )
            .spawn()?;
        let up = async {
            loop {
                if listeners.exists() {
                    return Ok(());
                }
                if let Ok(status) = timeout(LOOK, child.wait()).await {
                    bail!("the server ended with {:?}:\n{}", status?, self.log());
                }
            }
        };
        timeout(PATIENCE, up)
            .await
            .context("the server does not start")??;
        self.child = Some(child);
        Ok(())
    }

    /// Where `listener` listens.
    pub(crate) fn address(&self, listener: &str) -> Result<SocketAddr> {
        let lines = std::fs::read_to_string(self.path("data/listeners"))?;
        let mut found = lines.lines().filter_map(|line| line.split_once(' '));
        let (_, address) = found
            .find(|(name, _)| *name == listener)
            .with_context(|| format!("no listener is called {listener}"))?;
        Ok(address.parse()?)
    }

    /// Sends a signal to the server: `TERM`, `INT`, `HUP`, `KILL`.
    pub(crate) async fn signal(&self, name: &str) -> Result<()> {
        let child = self.child.as_ref().and_then(Child::id);
        let id = child.context("the server does not run")?.to_string();
        let done = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .await?;
        ensure!(done.success(), "no signal sent");
        Ok(())
    }

    /// Waits for the server's end.
    pub(crate) async fn ended(&mut self) -> Result<ExitStatus> {
        let mut child = self.child.take().context("the server does not run")?;
        let status = timeout(PATIENCE, child.wait()).await;
        Ok(status.context("the server does not end")??)
    }

    /// What the server has written to standard error, since the folder exists.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }

    /// What the server has written to standard output since its last start.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(self.path("stdout")).unwrap_or_default()
    }

    /// Waits until the log has `text` at least `times`.
    pub(crate) async fn logs(&self, text: &str, times: usize) -> Result<()> {
        let told = async {
            while self.log().matches(text).count() < times {
                tokio::time::sleep(LOOK).await;
            }
        };
        let told = timeout(PATIENCE, told).await;
        told.with_context(|| format!("{text:?} is not in the log:\n{}", self.log()))
    }

    /// Waits until standard output has `text`.
    pub(crate) async fn says(&self, text: &str) -> Result<()> {
        let said = async {
            while !self.said().contains(text) {
                tokio::time::sleep(LOOK).await;
            }
        };
        timeout(PATIENCE, said)
            .await
            .with_context(|| format!("{text:?} is not said"))
    }
}

/// A file of the test authority that lies in the repository.
pub(crate) fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("certs")
        .join(name)
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
