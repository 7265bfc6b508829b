//! Profanity in a terminal of tmux: typed at, and looked at until it shows what it should.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;

use crate::server::{self, Server};
use crate::{PASSWORD, ROMEO};

/// Lines and columns of the terminal: enough that no text is broken or scrolled away.
const ROWS: &str = "200";
const COLUMNS: &str = "220";

/// A running Profanity; it ends when dropped.
pub(crate) struct Profanity {
    /// Its folders, and the socket of the tmux that it runs in.
    folder: TempDir,
}

impl Profanity {
    /// Starts it with an account that is known to it.
    pub(crate) fn start(server: &Server) -> Result<Self> {
        let address = server.address("c2s")?;
        let this = Self {
            folder: tempfile::tempdir()?,
        };
        let write = |path: &str, text: &str| -> Result<()> {
            let path = this.folder.path().join(path);
            std::fs::create_dir_all(path.parent().context("a file in a folder")?)?;
            std::fs::write(path, text)?;
            Ok(())
        };
        write(
            "data/profanity/accounts",
            &format!(
                "[romeo]\nenabled=true\njid={ROMEO}\nserver={}\nport={}\n\
                 password={PASSWORD}\nresource=terminal\ntls.policy=trust\n",
                address.ip(),
                address.port()
            ),
        )?;
        write("config/profanity/profrc", "[ui]\nsplash=false\n")?;
        let folder = |name: &str| this.folder.path().join(name).display().to_string();
        let started = this
            .tmux()
            .env("HOME", this.folder.path())
            .env("XDG_DATA_HOME", folder("data"))
            .env("XDG_CONFIG_HOME", folder("config"))
            .env("LANG", "C.UTF-8")
            .args([
                "new-session",
                "-d",
                "-x",
                COLUMNS,
                "-y",
                ROWS,
                "profanity -a romeo",
            ])
            .status()
            .context("tmux is missing: tests/run installs it")?;
        ensure!(started.success(), "tmux ended with {started}");
        Ok(this)
    }

    fn tmux(&self) -> Command {
        let mut tmux = Command::new("tmux");
        tmux.arg("-S").arg(self.socket()).args(["-f", "/dev/null"]);
        tmux
    }

    fn socket(&self) -> std::path::PathBuf {
        Path::join(self.folder.path(), "tmux")
    }

    /// Types a line.
    pub(crate) fn types(&self, line: &str) -> Result<()> {
        for keys in [&["-l", line][..], &["Enter"]] {
            let typed = self.tmux().arg("send-keys").args(keys).status()?;
            ensure!(typed.success(), "the terminal is gone");
        }
        Ok(())
    }

    fn screen(&self) -> Result<String> {
        let shown = self.tmux().args(["capture-pane", "-p"]).output()?;
        ensure!(
            shown.status.success(),
            "Profanity is missing (tests/run installs it) or has ended: {}",
            String::from_utf8_lossy(&shown.stderr)
        );
        Ok(String::from_utf8_lossy(&shown.stdout).into_owned())
    }

    /// Waits until the screen shows a text.
    pub(crate) fn shows(&self, text: &str) -> Result<()> {
        self.shows_after(text, |_| Ok(()))
    }

    /// Types a line, and once more whenever it is refused: Profanity answers from what it has heard of the
    /// server so far, and tells nobody when that is all.
    pub(crate) fn asks_until(&self, line: &str, refusal: &str, text: &str) -> Result<()> {
        let mut typed = 0;
        self.shows_after(text, |screen| {
            if screen.matches(refusal).count() >= typed {
                typed += 1;
                self.types(line)?;
            }
            Ok(())
        })
    }

    fn shows_after(&self, text: &str, mut again: impl FnMut(&str) -> Result<()>) -> Result<()> {
        let mut last = String::new();
        let seen = server::within_patience(|| {
            last = self.screen()?;
            if last.contains(text) {
                return Ok(Some(()));
            }
            again(&last)?;
            Ok(None)
        });
        match seen {
            Ok(()) => Ok(()),
            Err(error) => bail!(
                "{error}: {text:?} is not shown; the screen:\n{}",
                last.trim()
            ),
        }
    }
}

impl Drop for Profanity {
    fn drop(&mut self) {
        let _ = self.tmux().arg("kill-server").status();
    }
}
