//! A directory for the tests: Debian's slapd on loopback, as whoever runs the tests, in a folder of its
//! own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::authority::Authority;
use crate::house::PATIENCE;

/// The people and groups of the directory, as they are in it at first.
pub(crate) const PEOPLE: &str = include_str!("people.ldif");

/// The password of the account that searches.
pub(crate) const SERVICE_PASSWORD: &str = "service secret";

pub(crate) struct Slapd {
    folder: TempDir,
    pub(crate) ldap: u16,
    pub(crate) ldaps: u16,
    child: Option<Child>,
}

impl Slapd {
    /// Starts a directory with `people` (LDIF), which shows a certificate for localhost.
    pub(crate) async fn start(authority: &Authority, people: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name);
        authority
            .server("localhost")?
            .write(&path("cert.pem"), &path("key.pem"))?;
        std::fs::write(path("ca.pem"), authority.pem())?;
        let config = format!(
            "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile {folder}/pid
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
maxsize 10485760
suffix \"dc=example,dc=org\"
directory {folder}/database
overlay memberof
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
",
            folder = folder.path().display()
        );
        std::fs::write(path("slapd.conf"), config)?;
        let mut slapd = Self {
            ldap: free_port()?,
            ldaps: free_port()?,
            folder,
            child: None,
        };
        slapd.fill(people).await?;
        slapd.resume().await?;
        Ok(slapd)
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Stops the directory; connections to it end.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        let mut child = self.child.take().context("slapd runs")?;
        child.kill().await?;
        Ok(())
    }

    /// Starts it again, with what it had.
    pub(crate) async fn resume(&mut self) -> Result<()> {
        let (ldap, ldaps) = (self.ldap, self.ldaps);
        let child = Command::new("/usr/sbin/slapd")
            .args(["-d", "0", "-h"])
            .arg(format!("ldap://127.0.0.1:{ldap} ldaps://127.0.0.1:{ldaps}"))
            .arg("-f")
            .arg(self.folder.path().join("slapd.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("slapd is installed (Debian: slapd)")?;
        self.child = Some(child);
        let listens = async {
            for port in [ldap, ldaps] {
                while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                    tokio::task::yield_now().await;
                }
            }
        };
        timeout(PATIENCE, listens).await.context("slapd listens")
    }

    /// Replaces all that is in the directory, which does not run.
    pub(crate) async fn fill(&self, people: &str) -> Result<()> {
        let database = self.folder.path().join("database");
        if database.exists() {
            std::fs::remove_dir_all(&database)?;
        }
        std::fs::create_dir(&database)?;
        let file = self.folder.path().join("people.ldif");
        std::fs::write(&file, people)?;
        let added = Command::new("/usr/sbin/slapadd")
            .arg("-f")
            .arg(self.folder.path().join("slapd.conf"))
            .arg("-l")
            .arg(&file)
            .output()
            .await
            .context("slapadd is installed (Debian: slapd)")?;
        let said = String::from_utf8_lossy(&added.stderr);
        ensure!(added.status.success(), "slapadd: {said}");
        Ok(())
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
