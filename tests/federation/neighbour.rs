//! A server that others wrote, as a process in a folder of its own.
//!
//! It runs in the foreground as whoever runs the tests, root or not, listens at a loopback address of
//! its own, lets people register in band, and is killed when it is dropped.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::authority::Authority;
use crate::identity::Identity;
use crate::place::{CLIENTS, Place, SERVERS};
use crate::{ejabberd, prosody};

/// The longest that a start or an end may take: Erlang takes seconds, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at a port or a file, which tell nobody that they have changed.
const LOOK: Duration = Duration::from_millis(20);

/// Who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Prosody,
    Ejabberd,
}

/// By what it believes another server that it is who it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A certificate of the test authority (XEP-0178).
    Certificate,
    /// A connection back to its domain (XEP-0220), whatever its certificate.
    Dialback,
    /// The same without TLS.
    DialbackInTheClear,
}

/// What its configuration is made of.
pub(crate) struct Settings<'a> {
    /// Its folder, in which `identity.pem`, `identity.key` and `authority.pem` lie.
    pub(crate) folder: &'a Path,
    pub(crate) domain: &'a str,
    pub(crate) place: Place,
    pub(crate) proof: Proof,
    pub(crate) name_server: SocketAddr,
}

impl Settings<'_> {
    /// A file in the folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// The server, running or not.
pub(crate) struct Neighbour {
    kind: Kind,
    folder: TempDir,
    pub(crate) place: Place,
    child: Option<Child>,
}

impl Neighbour {
    /// Starts a server for `domain`.
    pub(crate) async fn start_new(
        kind: Kind,
        domain: &str,
        (authority, identity): (&Authority, Identity),
        proof: Proof,
        name_server: SocketAddr,
    ) -> Result<Self> {
        let mut neighbour = Self {
            kind,
            folder: tempfile::tempdir()?,
            place: Place::new()?,
            child: None,
        };
        std::fs::write(neighbour.path("authority.pem"), authority.pem())?;
        let (certificate, key) = (
            neighbour.path("identity.pem"),
            neighbour.path("identity.key"),
        );
        identity
            .issue(authority, domain)?
            .write(&certificate, &key)?;
        let settings = Settings {
            folder: neighbour.folder.path(),
            domain,
            place: neighbour.place,
            proof,
            name_server,
        };
        match kind {
            Kind::Prosody => prosody::configure(&settings)?,
            Kind::Ejabberd => ejabberd::configure(&settings)?,
        }
        neighbour.start().await?;
        Ok(neighbour)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts it on the data that it has, and waits until it takes clients and servers.
    pub(crate) async fn start(&mut self) -> Result<()> {
        let folder = self.folder.path();
        let mut command = match self.kind {
            Kind::Prosody => prosody::command(folder),
            Kind::Ejabberd => ejabberd::command(folder)?,
        };
        let output = std::fs::File::create(self.path("output"))?;
        let mut child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{:?} is missing: tests/run installs it", self.kind))?;
        let up = async {
            for port in [CLIENTS, SERVERS] {
                while TcpStream::connect(self.place.at(port)).await.is_err() {
                    if let Ok(status) = timeout(LOOK, child.wait()).await {
                        bail!("{:?} ended with {:?}", self.kind, status?);
                    }
                }
            }
            Ok(())
        };
        let up = timeout(PATIENCE, up).await.context("it does not start");
        up.and_then(|it| it).with_context(|| self.log())?;
        self.child = Some(child);
        Ok(())
    }

    /// Ends it as a service manager does.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        let id = child.id().context("it has ended")?.to_string();
        let signalled = Command::new("kill")
            .args(["-s", "TERM", &id])
            .status()
            .await?;
        ensure!(signalled.success(), "no signal sent");
        let ended = timeout(PATIENCE, child.wait()).await;
        ended.with_context(|| format!("{:?} does not end", self.kind))??;
        Ok(())
    }

    /// Ends it without a word to anybody.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("it does not run")?;
        Ok(child.kill().await?)
    }

    /// What it has noted, and what it has said if that is more.
    pub(crate) fn log(&self) -> String {
        let read = |name| std::fs::read_to_string(self.path(name)).unwrap_or_default();
        let (log, output) = (read("log"), read("output"));
        if log.is_empty() { output } else { log }
    }

    /// Waits until its log has `text`.
    pub(crate) async fn logs(&self, text: &str) -> Result<()> {
        let noted = async {
            while !self.log().contains(text) {
                tokio::time::sleep(LOOK).await;
            }
        };
        let noted = timeout(PATIENCE, noted).await;
        noted.with_context(|| format!("{text:?} is not in the log of {:?}", self.kind))
    }
}
