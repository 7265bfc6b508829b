//! The text of a conversation script, read into steps.
//!
//! `tests/scripts/README.md` describes the notation for those who write scripts.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::pattern;
use crate::client::Transport;
use crate::server::Database;

/// One play: who takes part, on what server, and what happens.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) path: PathBuf,
    pub(crate) transports: Vec<Transport>,
    /// The databases that it is played on; without a word only the default one.
    pub(crate) databases: Vec<Database>,
    /// TOML laid over the configuration that all scripts share.
    pub(crate) config: String,
    /// Whether the play needs a server of its own, to restart it.
    pub(crate) own_server: bool,
    pub(crate) accounts: Vec<Account>,
    pub(crate) rooms: Vec<Room>,
    /// What another server is known to do otherwise: (name of the server, what).
    pub(crate) differs: Vec<(String, String)>,
    pub(crate) steps: Vec<Step>,
}

/// A room that nobody else's play uses.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) local: String,
    pub(crate) domain: String,
}

/// An account that exists before the play begins.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) local: String,
    pub(crate) domain: String,
    pub(crate) password: String,
}

/// One line of the play.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) actor: String,
    pub(crate) act: Act,
}

/// What an actor does, or what must happen to it.
#[derive(Debug)]
pub(crate) enum Act {
    Connect,
    OpenStream,
    /// The TLS handshake that follows `<proceed/>`.
    BeginTls,
    /// Becomes a component, by its secret.
    Attach(String),
    Authenticate(Option<String>),
    LogIn(Option<String>),
    GoOnline,
    /// Asks for the roster, as clients do, and lets no push show from then on.
    IgnorePushes,
    Send(String),
    SendRaw(String),
    Receive(Order, String),
    ReceiveHeader(String),
    /// One of these as type/condition, for the stanza of this id.
    ReceiveError(Vec<String>, String),
    ReceiveNothing,
    Settle,
    StreamError(Vec<String>),
    CloseStream,
    Disconnect,
    Disconnected,
    /// The server ends the connection in a way of its own, and grants nothing before.
    TurnedAway,
    RestartServer,
    /// Has the running server do what an operator types.
    Operate(Vec<String>),
}

/// Whether stanzas must come in the order of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    AsWritten,
    Any,
}

impl Script {
    /// Reads the script at `path`.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)?;
        Self::parse(path, &text).with_context(|| format!("in {}", path.display()))
    }

    /// Reads a script from `text`; `path` is what reports call it.
    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self> {
        ensure!(
            text.starts_with("# "),
            "a script opens with a comment that names its standard"
        );
        let mut script = Self {
            path: path.to_owned(),
            transports: Transport::ALL.to_vec(),
            databases: vec![Database::Sqlite],
            config: String::new(),
            own_server: false,
            accounts: Vec::new(),
            rooms: Vec::new(),
            differs: Vec::new(),
            steps: Vec::new(),
        };
        for paragraph in paragraphs(text) {
            let at = format!("line {}: {}", paragraph.line, paragraph.head);
            script.take(paragraph).context(at)?;
        }
        ensure!(!script.steps.is_empty(), "nothing happens");
        Ok(script)
    }

    fn take(&mut self, paragraph: Paragraph) -> Result<()> {
        let words: Vec<&str> = paragraph.head.split_whitespace().collect();
        match words.as_slice() {
            ["transports:", names @ ..] => {
                self.transports = names
                    .iter()
                    .map(|name| name.parse())
                    .collect::<Result<_>>()?;
            }
            ["databases:", names @ ..] => {
                self.databases = names
                    .iter()
                    .map(|name| name.parse())
                    .collect::<Result<_>>()?;
            }
            ["config:"] => self.config = paragraph.body,
            ["differs:", server, what @ ..] => {
                self.differs.push(((*server).to_owned(), what.join(" ")));
            }
            ["room", jid] => {
                let (local, domain) = jid.split_once('@').context("a room is local@domain")?;
                self.rooms.push(Room {
                    local: local.to_owned(),
                    domain: domain.to_owned(),
                });
            }
            ["account", jid] => self.account(jid, "The quick brown fox")?,
            ["account", jid, "password", ..] => {
                let password = paragraph
                    .head
                    .split_once(" password ")
                    .map_or("", |(_, rest)| rest);
                self.account(jid, password)?;
            }
            ["account", jid, "role", role] => {
                self.account(jid, "The quick brown fox")?;
                let words = ["account", "role", jid, role];
                let words = words.map(str::to_owned).to_vec();
                self.step(paragraph.line, "operator", Act::Operate(words));
            }
            ["the", "operator", "types:", ..] => {
                let typed = paragraph.head.split_once("types:");
                let words = typed.map_or(Vec::new(), |(_, line)| words_of(line));
                self.step(paragraph.line, "operator", Act::Operate(words));
            }
            ["the", "server", "restarts"] => {
                self.own_server = true;
                self.step(paragraph.line, "server", Act::RestartServer);
            }
            [actor, ..] => {
                let act = act(&paragraph)?;
                check(&act)?;
                self.step(paragraph.line, actor, act);
            }
            [] => {}
        }
        Ok(())
    }

    fn account(&mut self, jid: &str, password: &str) -> Result<()> {
        let (local, domain) = jid.split_once('@').context("an account is local@domain")?;
        self.accounts.push(Account {
            local: local.to_owned(),
            domain: domain.to_owned(),
            password: password.to_owned(),
        });
        Ok(())
    }

    fn step(&mut self, line: usize, actor: &str, act: Act) {
        self.steps.push(Step {
            line,
            actor: actor.to_owned(),
            act,
        });
    }
}

/// The words of a command line; double quotes hold several together.
fn words_of(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('"').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

/// A line with the indented lines below it.
struct Paragraph {
    line: usize,
    head: String,
    body: String,
}

fn paragraphs(text: &str) -> Vec<Paragraph> {
    let mut found: Vec<Paragraph> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let content = line.trim();
        match found.last_mut() {
            _ if content.is_empty() || line.starts_with('#') => {}
            Some(last) if line.starts_with(' ') => {
                if !last.body.is_empty() {
                    last.body.push('\n');
                }
                last.body.push_str(content);
            }
            _ => found.push(Paragraph {
                line: number + 1,
                head: content.to_owned(),
                body: String::new(),
            }),
        }
    }
    found
}

fn act(paragraph: &Paragraph) -> Result<Act> {
    let (_, said) = paragraph
        .head
        .split_once(' ')
        .context("an actor without an act")?;
    let (verb, body) = match said.split_once(" <") {
        Some((verb, xml)) => (verb, format!("<{xml}")),
        None => (said.trim_end_matches(':'), paragraph.body.clone()),
    };
    let has_body = !body.is_empty();
    let words: Vec<&str> = verb.split_whitespace().collect();
    let act = match words.as_slice() {
        ["connects"] => Act::Connect,
        ["opens", "a", "stream"] => Act::OpenStream,
        ["begins", "TLS"] => Act::BeginTls,
        ["attaches", "with", secret] => Act::Attach((*secret).to_owned()),
        ["authenticates"] => Act::Authenticate(None),
        ["authenticates", "with", name] => Act::Authenticate(Some((*name).to_owned())),
        ["authenticates", "with", "SASL2", name] => {
            Act::Authenticate(Some(format!("SASL2 {name}")))
        }
        ["logs", "in", "with", "SASL2", name] => Act::LogIn(Some(format!("SASL2 {name}"))),
        ["logs", "in"] => Act::LogIn(None),
        ["logs", "in", "with", name] => Act::LogIn(Some((*name).to_owned())),
        ["goes", "online"] => Act::GoOnline,
        ["ignores", "roster", "pushes"] => Act::IgnorePushes,
        ["sends"] if has_body => Act::Send(body),
        ["sends", "raw"] if has_body => Act::SendRaw(body),
        ["receives"] if has_body => Act::Receive(Order::AsWritten, body),
        ["receives", "in", "any", "order"] if has_body => Act::Receive(Order::Any, body),
        ["receives", "stream", "header"] if has_body => Act::ReceiveHeader(body),
        ["receives", "nothing"] => Act::ReceiveNothing,
        ["receives", "error", errors @ .., "for", id] => {
            let errors: Vec<String> = errors
                .iter()
                .filter(|word| **word != "or")
                .map(|word| (*word).to_owned())
                .collect();
            ensure!(
                errors.iter().all(|error| error.contains('/')),
                "an error is type/condition"
            );
            Act::ReceiveError(errors, (*id).to_owned())
        }
        ["receives", "stream", "error", conditions @ ..] if !conditions.is_empty() => {
            let named = conditions.iter().filter(|word| **word != "or");
            Act::StreamError(named.map(|word| (*word).to_owned()).collect())
        }
        ["settles"] => Act::Settle,
        ["closes", "the", "stream"] => Act::CloseStream,
        ["disconnects"] => Act::Disconnect,
        ["is", "disconnected"] => Act::Disconnected,
        ["is", "turned", "away"] => Act::TurnedAway,
        _ => bail!("nobody knows how to do this"),
    };
    if has_body
        && !matches!(
            act,
            Act::Send(_) | Act::SendRaw(_) | Act::Receive(..) | Act::ReceiveHeader(_)
        )
    {
        bail!("the lines below say something that this act does not use");
    }
    Ok(act)
}

/// Refuses XML that could not be what its writer meant, before anything runs.
fn check(act: &Act) -> Result<()> {
    match act {
        Act::Receive(_, text) => ensure!(!pattern::parse(text)?.is_empty(), "no stanza expected"),
        Act::ReceiveHeader(text) => {
            ensure!(pattern::parse(text)?.len() == 1, "one header expected")
        }
        Act::Send(text) => {
            crate::xml::Node::parse_all(text)
                .map_err(|why| anyhow!("{why:#}; what is not XML is sent raw"))?;
        }
        _ => {}
    }
    Ok(())
}
