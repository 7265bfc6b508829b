//! Clients that others wrote, talking through a started server: slixmpp, Converse.js in Chromium,
//! xmpp.js, tokio-xmpp and go-sendxmpp, over STARTTLS and direct TLS, and one over WebSocket; and an
//! administrator with slixmpp, in the way of Gajim, and with Profanity.
//!
//! Each pair logs in with SCRAM, adds each other, sees presence, exchanges
//! messages, and one gets what was sent while it was away. `tests/run` installs
//! them; a client that is missing fails its tests.

#[path = "clients/bots.rs"]
mod bots;
#[path = "clients/tokio_xmpp.rs"]
mod oxide;
#[path = "support/peer.rs"]
mod peer;
#[expect(
    clippy::expect_used,
    clippy::panic,
    reason = "without its database no test can go on"
)]
#[path = "support/postgres.rs"]
mod postgres;
#[path = "clients/profanity.rs"]
mod profanity;
#[path = "clients/scrape.rs"]
mod scrape;
#[expect(dead_code, reason = "what the scripts need beside")]
#[path = "support/server.rs"]
mod server;
#[path = "clients/working_day.rs"]
mod working_day;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use server::{Database, Server, certificate};

/// The longest that one conversation may take.
const PATIENCE: Duration = Duration::from_secs(120);
const PASSWORD: &str = "a rose by any other name";
const ROMEO: &str = "romeo@localhost";
const JULIET: &str = "juliet@localhost";

#[derive(Clone, Copy, PartialEq)]
enum Transport {
    StartTls,
    DirectTls,
    WebSocket,
}

impl Transport {
    fn name(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::DirectTls => "direct-tls",
            Self::WebSocket => "websocket",
        }
    }

    fn listener(self) -> &'static str {
        match self {
            Self::StartTls => "c2s",
            Self::DirectTls => "c2s_direct_tls",
            Self::WebSocket => "https",
        }
    }
}

/// A server that insists on TLS, with two people on it.
fn stage() -> Result<Server> {
    let people = [ROMEO, JULIET].map(|jid| (jid.to_owned(), PASSWORD.to_owned()));
    Server::start("[c2s]\nrequire_tls = true", &people, Database::Sqlite)
}

/// The same with everything for instant messaging, files by HTTPS at a port that was free.
fn stage_for_files() -> Result<Server> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let config = format!("[c2s]\nrequire_tls = true\n[listen]\nhttps = ['127.0.0.1:{port}']");
    let people = [ROMEO, JULIET].map(|jid| (jid.to_owned(), PASSWORD.to_owned()));
    Server::start(&config, &people, Database::Sqlite)
}

/// The same with a component that never comes.
fn stage_for_components() -> Result<Server> {
    let config = "[c2s]\nrequire_tls = true\n[listen]\ncomponent = ['127.0.0.1:0']\n\
                  [[component]]\ndomain = 'away.localhost'\nsecret = 'secret'";
    let people = [ROMEO, JULIET].map(|jid| (jid.to_owned(), PASSWORD.to_owned()));
    Server::start(config, &people, Database::Sqlite)
}

/// The same, on which one of the two is an administrator.
fn stage_for_administration() -> Result<Server> {
    let server = stage()?;
    server.command(&["account", "role", ROMEO, "administrator"])?;
    Ok(server)
}

/// The same, on which both are agents, with reasons to choose from.
fn stage_for_agents() -> Result<Server> {
    let server = stage()?;
    for jid in [ROMEO, JULIET] {
        server.command(&["account", "role", jid, "agent"])?;
    }
    server.command(&["right", "give", "agent-list", "--jid", JULIET])?;
    server.command(&["reason", "put", "not-ready", "lunch", "en: Lunch"])?;
    server.command(&["reason", "put", "logout", "shift-over", "en: Shift is over"])?;
    for part in ["message", "comment", "property", "tag"] {
        for act in ["show", "create"] {
            let right = format!("{part}-{act}");
            server.command(&["right", "give", &right, "--role", "agent"])?;
        }
    }
    Ok(server)
}

/// A program that is told by its environment where to go.
fn told(program: impl AsRef<Path>, server: &Server, transport: Transport) -> Result<Command> {
    let address = server.address(transport.listener())?;
    let authority = certificate("authority.pem");
    let mut command = Command::new(program.as_ref());
    command
        .env("XMPP_HOST", address.ip().to_string())
        .env("XMPP_PORT", address.port().to_string())
        .env("XMPP_TRANSPORT", transport.name())
        .env("XMPP_CA", &authority)
        .env("NODE_EXTRA_CA_CERTS", &authority)
        .env("SSL_CERT_FILE", &authority)
        .env("XMPP_ROMEO", ROMEO)
        .env("XMPP_JULIET", JULIET)
        .env("XMPP_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

/// Runs a conversation to its end.
async fn succeeds(mut command: Command, server: &Server) -> Result<String> {
    let what = format!("{:?}", command.as_std().get_program());
    let run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let run = run.with_context(|| format!("{what} is missing: tests/run installs it"))?;
    let output = timeout(PATIENCE, run.wait_with_output())
        .await
        .context("it does not end")??;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{what} ended with {}:\n{said}\n{}\nthe server's log ends with:\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
        server.log()
    );
    Ok(said)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// The interpreter with the libraries that `tests/run` has installed.
fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-clients/venv/bin/python")
}

async fn slixmpp(transport: Transport) -> Result<()> {
    let server = stage()?;
    let mut command = told(python(), &server, transport)?;
    command.arg(folder().join("slixmpp_talk.py"));
    succeeds(command, &server).await.map(drop)
}

#[tokio::test]
async fn slixmpp_talks_over_starttls() -> Result<()> {
    slixmpp(Transport::StartTls).await
}

#[tokio::test]
async fn slixmpp_talks_over_direct_tls() -> Result<()> {
    slixmpp(Transport::DirectTls).await
}

async fn xmpp_js(transport: Transport) -> Result<()> {
    let server = stage()?;
    let mut command = told("node", &server, transport)?;
    if transport == Transport::WebSocket {
        // Needed before Node.js 22.
        command.arg("--experimental-websocket");
    }
    command.arg(folder().join("xmppjs_talk.mjs"));
    succeeds(command, &server).await.map(drop)
}

/// Archive, copies, a room, events, a file, a connection that breaks and goes on.
async fn slixmpp_im(transport: Transport) -> Result<()> {
    let server = stage_for_files()?;
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-clients/venv/bin/python");
    let mut command = told(python, &server, transport)?;
    command
        .arg(folder().join("slixmpp_im.py"))
        .env("XMPP_ROOMS", "rooms.localhost");
    succeeds(command, &server).await.map(drop)
}

#[tokio::test]
async fn slixmpp_does_instant_messaging_over_starttls() -> Result<()> {
    slixmpp_im(Transport::StartTls).await
}

#[tokio::test]
async fn slixmpp_does_instant_messaging_over_direct_tls() -> Result<()> {
    slixmpp_im(Transport::DirectTls).await
}

/// Every command begun, forms filled in, results read.
async fn slixmpp_administers(transport: Transport) -> Result<()> {
    let server = stage_for_administration()?;
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-clients/venv/bin/python");
    let mut command = told(python, &server, transport)?;
    command.arg(folder().join("slixmpp_commands.py"));
    succeeds(command, &server).await.map(drop)
}

#[tokio::test]
async fn slixmpp_administers_over_starttls() -> Result<()> {
    slixmpp_administers(Transport::StartTls).await
}

#[tokio::test]
async fn slixmpp_administers_over_direct_tls() -> Result<()> {
    slixmpp_administers(Transport::DirectTls).await
}

/// Two agents who use the plugins of `examples/parlour_slixmpp`.
async fn slixmpp_works_in_the_contact_center(transport: Transport) -> Result<()> {
    let server = stage_for_agents()?;
    let mut command = told(python(), &server, transport)?;
    command.arg(folder().join("slixmpp_contact_center.py"));
    succeeds(command, &server).await.map(drop)
}

#[tokio::test]
async fn slixmpp_works_in_the_contact_center_over_starttls() -> Result<()> {
    slixmpp_works_in_the_contact_center(Transport::StartTls).await
}

#[tokio::test]
async fn slixmpp_works_in_the_contact_center_over_direct_tls() -> Result<()> {
    slixmpp_works_in_the_contact_center(Transport::DirectTls).await
}

/// Two agents whose clients know nothing of the contact center.
async fn two_agents_with_ordinary_clients(transport: Transport) -> Result<()> {
    let server = stage_for_agents()?;
    let mut command = told(python(), &server, transport)?;
    command.arg(folder().join("slixmpp_two_agents.py"));
    succeeds(command, &server).await.map(drop)
}

#[tokio::test]
async fn two_agents_with_ordinary_clients_over_starttls() -> Result<()> {
    two_agents_with_ordinary_clients(Transport::StartTls).await
}

#[tokio::test]
async fn two_agents_with_ordinary_clients_over_direct_tls() -> Result<()> {
    two_agents_with_ordinary_clients(Transport::DirectTls).await
}

/// S0-3: e-mail through a relay that others wrote, which takes one, takes one later, and refuses one.
async fn an_agent_sends_email_through_a_relay(tls: &str) -> Result<()> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let config = format!(
        "[c2s]\nrequire_tls = true\n[contact_center.email]\nhost = '127.0.0.1'\nport = {port}\n\
         tls = '{tls}'\nca = {authority:?}\nuser = 'parlour'\npassword = 'secret'\nfrom = 'center@parlour.example'\nretry_seconds = 1",
        authority = certificate("authority.pem"),
    );
    let people = [ROMEO, JULIET].map(|jid| (jid.to_owned(), PASSWORD.to_owned()));
    let server = Server::start(&config, &people, Database::Sqlite)?;
    for jid in [ROMEO, JULIET] {
        server.command(&["account", "role", jid, "agent"])?;
    }
    let mut command = told(python(), &server, Transport::StartTls)?;
    command
        .arg(folder().join("slixmpp_email.py"))
        .env("SMTP_PORT", port.to_string())
        .env("SMTP_TLS", tls)
        .env("SMTP_CERTIFICATE", certificate("localhost.pem"))
        .env("SMTP_KEY", certificate("localhost.key"));
    succeeds(command, &server).await.map(drop)
}

#[tokio::test]
async fn an_agent_sends_email_through_a_relay_on_this_machine() -> Result<()> {
    an_agent_sends_email_through_a_relay("none").await
}

#[tokio::test]
async fn an_agent_sends_email_through_a_relay_by_starttls() -> Result<()> {
    an_agent_sends_email_through_a_relay("starttls").await
}

#[tokio::test]
async fn an_agent_sends_email_through_a_relay_by_tls_from_the_first_byte() -> Result<()> {
    an_agent_sends_email_through_a_relay("implicit").await
}

/// Profanity knows commands with one form, and does not say which action it submits it with.
#[test]
fn profanity_executes_commands_and_fills_in_their_forms() -> Result<()> {
    let server = stage_for_administration()?;
    let terminal = profanity::Profanity::start(&server)?;
    terminal.shows("logged in successfully")?;
    let refusal = "does not support ad hoc commands";
    let added = "http://jabber.org/protocol/admin#add-user";
    terminal.asks_until("/cmd list localhost", refusal, added)?;
    terminal.shows("urn:parlour:admin:0#server-status")?;

    terminal.types("/cmd exec http://jabber.org/protocol/admin#add-user localhost")?;
    terminal.shows("Form title: Add a user")?;
    for (field, value) in [(1, "tybalt@localhost"), (2, "secret"), (3, "secret")] {
        terminal.types(&format!("/field{field} {value}"))?;
    }
    terminal.types("/form submit")?;
    terminal.shows("tybalt@localhost is made")?;

    // Done without a form, and told by a note.
    terminal.types("/cmd exec urn:parlour:admin:0#server-status localhost")?;
    terminal.shows("3 accounts, 1 online")?;
    // An answer that is a form.
    let count = "http://jabber.org/protocol/admin#get-registered-users-num";
    terminal.types(&format!("/cmd exec {count} localhost"))?;
    terminal.shows("[field1] count: 3")?;
    // Several addresses in one field.
    terminal.types("/cmd exec http://jabber.org/protocol/admin#delete-user localhost")?;
    terminal.shows("Form title: Delete users")?;
    terminal.types("/field1 add tybalt@localhost")?;
    terminal.types("/form submit")?;
    terminal.shows("tybalt@localhost is removed")?;
    let listed = server.command(&["account", "list"])?;
    ensure!(!listed.contains("tybalt"), "{listed}");
    Ok(())
}

/// A browser with two people in it; what one of them sees at the end is kept as a picture.
#[tokio::test]
async fn converse_talks_in_a_browser() -> Result<()> {
    let server = stage_for_files()?;
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-clients");
    let mut command = told("node", &server, Transport::WebSocket)?;
    let port = server.address("https")?.port();
    command
        .arg(folder().join("converse_talk.mjs"))
        .env(
            "XMPP_WEBSOCKET",
            format!("wss://localhost:{port}/xmpp-websocket"),
        )
        .env("XMPP_ROOMS", "rooms.localhost")
        .env("XMPP_OUTPUT", pictures);
    succeeds(command, &server).await.map(drop)
}

#[tokio::test]
async fn xmpp_js_talks_over_starttls() -> Result<()> {
    xmpp_js(Transport::StartTls).await
}

#[tokio::test]
async fn xmpp_js_talks_over_direct_tls() -> Result<()> {
    xmpp_js(Transport::DirectTls).await
}

#[tokio::test]
async fn xmpp_js_talks_over_websocket() -> Result<()> {
    xmpp_js(Transport::WebSocket).await
}

/// tokio-xmpp trusts what `SSL_CERT_FILE` names, which a process has to be
/// started with.
async fn tokio_xmpp(transport: Transport) -> Result<()> {
    let server = stage()?;
    let mut command = told(std::env::current_exe()?, &server, transport)?;
    command.args([
        "--ignored",
        "--exact",
        "tokio_xmpp_in_its_own_process",
        "--nocapture",
    ]);
    let said = succeeds(command, &server).await?;
    ensure!(said.contains("1 passed"), "nothing was tested:\n{said}");
    Ok(())
}

#[tokio::test]
async fn tokio_xmpp_talks_over_starttls() -> Result<()> {
    tokio_xmpp(Transport::StartTls).await
}

#[tokio::test]
async fn tokio_xmpp_talks_over_direct_tls() -> Result<()> {
    tokio_xmpp(Transport::DirectTls).await
}

#[tokio::test]
#[ignore = "started by the tests above, with their environment"]
async fn tokio_xmpp_in_its_own_process() -> Result<()> {
    timeout(PATIENCE, Box::pin(oxide::talk())).await?
}

/// One sends while the other is away, who then hears it, and what is sent after.
async fn go_sendxmpp(transport: Transport) -> Result<()> {
    let server = stage()?;
    let speaks = async |text: &str| {
        let command = go_sendxmpp_as(ROMEO, &server, transport)?;
        let sent = timeout(PATIENCE, send(command, text))
            .await
            .context("it does not end")??;
        ensure!(
            sent.success(),
            "go-sendxmpp ended with {sent}; log:\n{}",
            server.log()
        );
        Ok(())
    };
    speaks("while you slept").await?;

    let mut listens = go_sendxmpp_as(JULIET, &server, transport)?;
    let mut listens = listens.arg("-l").stdout(Stdio::piped()).spawn()?;
    let mut heard = BufReader::new(listens.stdout.take().context("no output")?).lines();
    for text in ["while you slept", "now you are here"] {
        if text.starts_with("now") {
            speaks(text).await?;
        }
        loop {
            let line = timeout(PATIENCE, heard.next_line())
                .await
                .context("nothing is heard")??;
            let line =
                line.with_context(|| format!("the listener ended; log:\n{}", server.log()))?;
            if line.contains(text) {
                ensure!(line.contains(ROMEO), "not from whom it came: {line}");
                break;
            }
        }
    }
    listens.kill().await?;
    Ok(())
}

fn go_sendxmpp_as(jid: &str, server: &Server, transport: Transport) -> Result<Command> {
    let mut command = told("go-sendxmpp", server, transport)?;
    let address = server.address(transport.listener())?;
    // The certificate names localhost, and so must the address.
    command.args([
        "-u",
        jid,
        "-p",
        PASSWORD,
        "-j",
        &format!("localhost:{}", address.port()),
    ]);
    if transport == Transport::DirectTls {
        command.arg("-t");
    }
    Ok(command)
}

async fn send(mut command: Command, text: &str) -> Result<std::process::ExitStatus> {
    use tokio::io::AsyncWriteExt as _;
    let mut run = command
        .arg(JULIET)
        .stdin(Stdio::piped())
        .spawn()
        .context("go-sendxmpp")?;
    let mut input = run.stdin.take().context("no input")?;
    input.write_all(text.as_bytes()).await?;
    drop(input);
    Ok(run.wait().await?)
}

#[tokio::test]
async fn go_sendxmpp_talks_over_starttls() -> Result<()> {
    go_sendxmpp(Transport::StartTls).await
}

#[tokio::test]
async fn go_sendxmpp_talks_over_direct_tls() -> Result<()> {
    go_sendxmpp(Transport::DirectTls).await
}
