//! The contact center as a whole, with the programs of `examples/` as their users start them: a working day of two agents with the
//! simulated connector and a CRM, and the walk through `parlour demo`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::bots::{ends, example, says};
use crate::server::{Database, Server, certificate, within_patience};
use crate::{JULIET, PASSWORD, PATIENCE, ROMEO, Transport, folder, python, succeeds, told};

const PHONES: &str = "phones.localhost";
const CRM: &str = "crm.localhost";
const SECRET: &str = "by any other name";

const CUSTOMERS: &str = "name,telephone,crm_id\nMary Example,+39 06 698 1234,C-1001\n";

/// Two agents, a customer, what comes of calls; a connector and a CRM are known.
fn stage(folder: &Path) -> Result<Server> {
    // The same after a restart: components do not look for it.
    let free = std::net::TcpListener::bind("127.0.0.1:0")?;
    let port = free.local_addr()?.port();
    drop(free);
    let config = format!(
        "[c2s]\nrequire_tls = true\n[listen]\ncomponent = ['127.0.0.1:{port}']\n\
         [[component]]\ndomain = '{PHONES}'\nsecret = '{SECRET}'\nrole = 'connector'\n\
         [[component]]\ndomain = '{CRM}'\nsecret = '{SECRET}'\nrole = 'crm'\n\
         [contact_center]\ndelivery = '{PHONES}'"
    );
    let people = [ROMEO, JULIET].map(|jid| (jid.to_owned(), PASSWORD.to_owned()));
    let server = Server::start(&config, &people, Database::Sqlite)?;
    for jid in [ROMEO, JULIET] {
        server.command(&["account", "role", jid, "agent"])?;
    }
    for (code, label) in [("resolved", "en: Resolved"), ("sold", "en: Sold")] {
        server.command(&["reason", "put", "wrap-up", code, label])?;
    }
    for right in [
        "customer-merge",
        "message-show",
        "message-create",
        "property-show",
        "property-create",
    ] {
        server.command(&["right", "give", right, "--role", "agent"])?;
    }
    let table = folder.join("customers.csv");
    std::fs::write(&table, CUSTOMERS)?;
    let table = table.to_str().context("the folder has no name")?;
    server.command(&["customer", "import", table])?;
    Ok(server)
}

/// With its output, which has to stay open.
async fn connector(server: &Server) -> Result<(Child, ChildStdout)> {
    let mut connector = Command::new(example("connector").await?)
        .arg(server.address("component")?.to_string())
        .args([PHONES, SECRET, "localhost"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut output = connector.stdout.take().context("no output")?;
    says(&mut output, "connected").await?;
    Ok((connector, output))
}

fn crm(server: &Server, cursor: &Path) -> Result<Child> {
    let bot = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/crm_bot.py");
    let bot = told(python(), server, Transport::StartTls)?
        .arg(bot)
        .env("BOT_DOMAIN", CRM)
        .env("BOT_SECRET", SECRET)
        .env("BOT_HOST", "localhost")
        .env("BOT_SERVER", server.address("component")?.to_string())
        .env("BOT_FILE", cursor)
        .stdout(Stdio::piped())
        .spawn()?;
    Ok(bot)
}

/// What the CRM hears: the call as it begins; then it is killed in the middle of it, and misses nothing.
async fn listens(
    server: &Server,
    cursor: &Path,
    mut bot: Child,
    mut output: ChildStdout,
) -> Result<()> {
    says(
        &mut output,
        "romeo (primary), phone-call with Mary Example, open",
    )
    .await?;
    bot.kill().await?;
    let mut bot = crm(server, cursor)?;
    let mut output = bot.stdout.take().context("no output")?;
    says(
        &mut output,
        "romeo (primary), phone-call with Mary Example, finished",
    )
    .await?;
    says(
        &mut output,
        "juliet (primary), phone-call with Mary Example, finished",
    )
    .await?;
    ends(bot).await
}

async fn working_day(transport: Transport) -> Result<()> {
    let files = TempDir::new()?;
    let server = stage(files.path())?;
    let cursor = files.path().join("cursor");
    // As one that is left of another server: it begins anew.
    std::fs::write(&cursor, "4711")?;
    let mut bot = crm(&server, &cursor)?;
    let mut output = bot.stdout.take().context("no output")?;
    says(&mut output, "subscribed after 0").await?;
    let _connector = connector(&server).await?;
    let mut day = told(python(), &server, transport)?;
    day.arg(folder().join("slixmpp_working_day.py"))
        .env("XMPP_PHONES", PHONES);
    let hears = listens(&server, &cursor, bot, output);
    tokio::try_join!(succeeds(day, &server), hears)?;
    Ok(())
}

#[tokio::test]
async fn two_agents_have_a_working_day_over_starttls() -> Result<()> {
    Box::pin(working_day(Transport::StartTls)).await
}

#[tokio::test]
async fn two_agents_have_a_working_day_over_direct_tls() -> Result<()> {
    Box::pin(working_day(Transport::DirectTls)).await
}

/// What the connector has kept goes on, and both sides agree on it.
#[tokio::test]
async fn a_call_outlives_the_server() -> Result<()> {
    let files = TempDir::new()?;
    let server = stage(files.path())?;
    let _connector = connector(&server).await?;
    let part = |name: &str| -> Result<Command> {
        let mut part = told(python(), &server, Transport::StartTls)?;
        part.arg(folder().join("slixmpp_restart.py"))
            .arg(name)
            .env("XMPP_PHONES", PHONES);
        Ok(part)
    };
    succeeds(part("before")?, &server).await?;
    server.restart().await?;
    succeeds(part("after")?, &server).await?;
    Ok(())
}

/// `parlour demo` on ports that are free, in that folder.
fn demonstration(kept: &Path) -> Result<Child> {
    let child = Command::new(env!("CARGO_BIN_EXE_parlour"))
        .arg("demo")
        .arg("--keep")
        .arg(kept)
        .envs(
            ["C2S", "C2S_DIRECT_TLS", "HTTP", "HTTPS", "COMPONENT"]
                .map(|key| (format!("PARLOUR_LISTEN_{key}"), "127.0.0.1:0")),
        )
        .env("PARLOUR_TLS_CERTIFICATE", certificate("localhost.pem"))
        .env("PARLOUR_TLS_KEY", certificate("localhost.key"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    Ok(child)
}

/// Everything that it prints until it says how to end it.
async fn printed<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>) -> Result<String> {
    let mut text = String::new();
    let reading = async {
        while let Some(line) = lines.next_line().await? {
            text.push_str(&line);
            text.push('\n');
            if line.contains("Ctrl-C ends it") {
                return Ok(());
            }
        }
        anyhow::bail!("it ended")
    };
    let read: Result<()> = timeout(PATIENCE, reading).await.context("no walk")?;
    read.with_context(|| text.clone())?;
    Ok(text)
}

fn address(kept: &Path, listener: &str) -> Result<std::net::SocketAddr> {
    let file = kept.join("data/listeners");
    let text = within_patience(|| Ok(std::fs::read_to_string(&file).ok()))?;
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let found = lines.find(|(name, _)| *name == listener);
    Ok(found.context("it does not listen")?.1.parse()?)
}

/// The walk that it prints, with two clients that know nothing of it; and the same people once more after a new start.
#[tokio::test]
async fn two_people_walk_through_the_demonstration() -> Result<()> {
    let folder = TempDir::new()?;
    let kept: PathBuf = folder.path().join("kept");
    let mut passwords = Vec::new();
    for _ in 0..2 {
        let mut child = demonstration(&kept)?;
        let output = child.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let walk = printed(&mut lines).await?;
        let word = walk.split("the password of all is  ").nth(1);
        let password = word.and_then(|rest| rest.lines().next());
        let password = password.context("no password")?.to_owned();
        let place = address(&kept, "c2s")?;
        ensure!(walk.contains(&place.to_string()), "{walk}");
        let mut walking = Command::new(python());
        walking
            .arg(crate::folder().join("slixmpp_demo.py"))
            .env("XMPP_HOST", place.ip().to_string())
            .env("XMPP_PORT", place.port().to_string())
            .env("XMPP_TRANSPORT", "starttls")
            .env("XMPP_CA", certificate("authority.pem"))
            .env("XMPP_ROMEO", ROMEO)
            .env("XMPP_JULIET", JULIET)
            .env("XMPP_PASSWORD", &password)
            .env("XMPP_WALK", walk)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let done = timeout(PATIENCE, walking.output()).await??;
        ensure!(
            done.status.success(),
            "{}\n{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        ends(child).await?;
        passwords.push(password);
    }
    ensure!(passwords.first() == passwords.get(1), "{passwords:?}");
    Ok(())
}
