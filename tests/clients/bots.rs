//! The bots of `examples/`, and Biboumi, a gateway to IRC by other hands: each is started as its users
//! start it, and somebody talks to it with slixmpp (`slixmpp_asks.py`).

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::server::{Database, Server};
use crate::{PASSWORD, PATIENCE, ROMEO, Transport, folder, succeeds, told};

const ECHO: &str = "echo@localhost";
const SECRET: &str = "what's in a name";

/// A server with a component at that domain.
fn stage(domain: &str, name: &str) -> Result<Server> {
    let people = [ROMEO, ECHO].map(|jid| (jid.to_owned(), PASSWORD.to_owned()));
    let config = format!(
        "[listen]\ncomponent = ['127.0.0.1:0']\n\
         [[component]]\ndomain = '{domain}'\nsecret = \"{SECRET}\"\nname = '{name}'"
    );
    Server::start(&config, &people, Database::Sqlite)
}

fn venv() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-clients/venv/bin/python")
}

/// Has somebody talk to it.
async fn asks(
    server: &Server,
    bot: &str,
    conversation: &str,
    more: &[(&str, &Path)],
) -> Result<()> {
    let mut command = told(venv(), server, Transport::StartTls)?;
    command
        .arg(folder().join("slixmpp_asks.py"))
        .arg(conversation)
        .env("XMPP_BOT", bot)
        .envs(more.iter().copied());
    succeeds(command, server).await.map(drop)
}

/// Waits for a line that has `text`.
pub(crate) async fn says(output: impl AsyncRead + Unpin, text: &str) -> Result<()> {
    let mut lines = BufReader::new(output).lines();
    let said = async {
        while let Some(line) = lines.next_line().await? {
            if line.contains(text) {
                return Ok(());
            }
        }
        anyhow::bail!("it ended without a word of {text:?}")
    };
    timeout(PATIENCE, said).await.context(text.to_owned())?
}

/// Ends a program as a service manager does; it has to end well.
pub(crate) async fn ends(mut child: Child) -> Result<()> {
    let id = child.id().context("it has ended already")?.to_string();
    let told = Command::new("kill").args(["-TERM", &id]).status().await?;
    ensure!(told.success(), "it cannot be signalled");
    let status = timeout(PATIENCE, child.wait()).await??;
    ensure!(status.success(), "it ended with {status}");
    Ok(())
}

/// Builds an example in Rust; the program.
pub(crate) async fn example(name: &str) -> Result<PathBuf> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--example", name])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .await?;
    ensure!(built.success(), "the example is not built");
    // Beside the folder of the tests themselves.
    let tests = std::env::current_exe()?;
    let profile = tests.ancestors().nth(2);
    let profile = profile.context("no folder of the profile")?;
    Ok(profile.join("examples").join(name))
}

#[tokio::test]
async fn the_bot_in_rust_says_back_what_it_is_told() -> Result<()> {
    let server = stage("oncall.localhost", "")?;
    let mut bot = told(example("echo_bot").await?, &server, Transport::StartTls)?
        .env("BOT_JID", ECHO)
        .env("BOT_PASSWORD", PASSWORD)
        .env("BOT_SERVER", server.address("c2s")?.to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = bot.stdout.take().context("no output")?;
    says(output, "online as echo@localhost/").await?;
    asks(&server, ECHO, "echo", &[]).await?;
    bot.kill().await?;
    Ok(())
}

#[tokio::test]
async fn the_bot_in_python_tells_who_is_on_call() -> Result<()> {
    let server = stage("oncall.localhost", "Who is on call")?;
    let folder = TempDir::new()?;
    let teams = folder.path().join("teams.txt");
    std::fs::write(&teams, "sales: Ada\nnight: Grace\n")?;
    let bot = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/on_call_bot.py");
    let mut bot = told(venv(), &server, Transport::StartTls)?
        .arg(bot)
        .env("BOT_DOMAIN", "oncall.localhost")
        .env("BOT_SECRET", SECRET)
        .env("BOT_SERVER", server.address("component")?.to_string())
        .env("BOT_FILE", &teams)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = bot.stdout.take().context("no output")?;
    says(&mut output, "connected").await?;
    asks(
        &server,
        "oncall.localhost",
        "on_call",
        &[("BOT_FILE", &teams)],
    )
    .await?;
    ends(bot).await
}

#[tokio::test]
async fn biboumi_connects_and_answers() -> Result<()> {
    let server = stage("irc.localhost", "IRC")?;
    let address = server.address("component")?;
    let folder = TempDir::new()?;
    let config = folder.path().join("biboumi.cfg");
    std::fs::write(
        &config,
        format!(
            "hostname=irc.localhost\npassword={SECRET}\nxmpp_server_ip={}\nport={}\n\
             db_name={}\nidentd_port=0\nlog_level=1\n",
            address.ip(),
            address.port(),
            folder.path().join("biboumi.sqlite").display()
        ),
    )?;
    let gateway = Command::new("biboumi")
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("biboumi is missing: tests/run installs it")?;
    // What is asked before it has connected waits for it.
    asks(&server, "irc.localhost", "biboumi", &[]).await?;
    ends(gateway).await
}
