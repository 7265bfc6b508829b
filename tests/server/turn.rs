//! XEP-0215: the credentials that clients are told are those that a TURN server takes. The server is Debian's coturn.

use std::net::UdpSocket;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::house::{House, PATIENCE};
use crate::peer::{PASSWORD, Peer, Presence};

/// coturn on loopback, and the folder of its files.
struct Turn {
    port: u16,
    _child: Child,
    _folder: tempfile::TempDir,
}

impl Turn {
    async fn start(secret: &str) -> Result<Self> {
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = tempfile::tempdir()?;
        let path = |name: &str| folder.path().join(name).display().to_string();
        let child = Command::new("turnserver")
            .args([
                "-n",
                "--no-tls",
                "--no-dtls",
                "--no-cli",
                "--realm=localhost",
            ])
            .args([
                "-L",
                "127.0.0.1",
                "-E",
                "127.0.0.1",
                "--allow-loopback-peers",
            ])
            .args([
                "--use-auth-secret",
                &format!("--static-auth-secret={secret}"),
            ])
            .args(["-p", &port.to_string(), "--log-file", &path("log")])
            .args(["--pidfile", &path("pid"), "--userdb", &path("users")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("turnserver is installed (Debian: coturn)")?;
        let listens = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, listens).await.context("coturn listens")?;
        Ok(Self {
            port,
            _child: child,
            _folder: folder,
        })
    }

    /// Whether somebody with those credentials gets a relay and a message through it.
    async fn relays(&self, username: &str, password: &str) -> Result<bool> {
        let status = Command::new("turnutils_uclient")
            .args(["-u", username, "-w", password, "-y", "-n", "1", "-m", "1"])
            .args(["-p", &self.port.to_string(), "127.0.0.1"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .status();
        let status = timeout(PATIENCE, status).await.context("uclient ends")?;
        Ok(status.context("turnutils_uclient is installed")?.success())
    }
}

#[tokio::test]
async fn coturn_takes_the_credentials_that_a_client_is_told() -> Result<()> {
    let turn = Turn::start("north").await?;
    let config = format!(
        "[[external_service]]\nkind = 'turn'\nhost = '127.0.0.1'\nport = {}\nsecret = 'north'\n",
        turn.port
    );
    let house = House::serving(&config, &[("romeo@localhost", PASSWORD)]).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    romeo
        .send(
            "<iq type='get' id='s' to='localhost'><services xmlns='urn:xmpp:extdisco:2' \
             type='turn'/></iq>",
        )
        .await?;
    let answer = romeo.element().await?;
    let service = answer.child("services").and_then(|it| it.child("service"));
    let service = service.with_context(|| format!("no service: {answer}"))?;
    let told = |name: &str| service.attribute(name).unwrap_or_default().to_owned();
    let (username, password) = (told("username"), told("password"));
    ensure!(turn.relays(&username, &password).await?, "{answer}");
    ensure!(!turn.relays(&username, "another").await?, "anybody may");
    // Nobody makes the credentials last longer.
    let later = format!("9{username}");
    ensure!(
        !turn.relays(&later, &password).await?,
        "the name is not proved"
    );
    Ok(())
}
