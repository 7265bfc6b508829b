//! One operation: its name, its arguments, the role it needs, and what comes out of it.
//!
//! Arguments come as texts, whichever door they come through, and are understood here, with
//! one set of complaints for all doors.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tracing::error;

use super::operator::Operator;
use crate::config::Config;
use crate::domain::rights::Role;
use crate::observe::Secret;
use crate::proto::jid::JidError;
use crate::proto::{BareJid, Condition, Jid, StanzaError};
use crate::store::StoreError;

/// Something that an operator can have done.
#[derive(Debug)]
pub struct Operation {
    /// Two words: what it is about, and the act.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What it is told; no two of the same name.
    pub arguments: &'static [Argument],
    /// Who may have it done: this role and those above.
    pub role: Role,
    /// What does it.
    pub run: Handler,
}

/// What does an operation.
pub type Handler = fn(Operator, Arguments) -> BoxFuture<'static, Result<Outcome, Refusal>>;

/// What an operation is told.
#[derive(Debug)]
pub struct Argument {
    /// In lower case, words joined by hyphens.
    pub name: &'static str,
    /// How its text is understood.
    pub kind: Kind,
    /// Whether it may be left out.
    pub need: Need,
    /// What it means, in a few words.
    pub about: &'static str,
}

/// Whether an argument may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must be given.
    Required,
    /// It may be left out.
    Optional,
}

/// How the text of an argument is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A bare JID with a localpart, on a served host.
    Account,
    /// A full or bare JID of a served host's account.
    Session,
    /// A served host.
    Host,
    /// A password: shown and logged nowhere.
    Password,
    /// The name of a [`Role`].
    Role,
    /// A name for people.
    Name,
    /// A table as comma-separated values, whole; it may hold passwords.
    Table,
    /// `true` or `false`; left out it is `false`.
    Flag,
}

impl Kind {
    /// Whether the text must not be seen.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Password | Self::Table)
    }
}

/// The texts of arguments by their names.
pub type Given = BTreeMap<String, String>;

/// Arguments understood.
#[derive(Debug, Default)]
pub struct Arguments(Vec<(&'static str, Value)>);

#[derive(Debug)]
enum Value {
    Account(BareJid),
    Session(Jid),
    Host(String),
    Secret(Secret<String>),
    Role(Role),
    Name(String),
    Flag(bool),
}

/// What an operation has done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// For programs.
    pub data: serde_json::Value,
    /// For people: sentences, or a table.
    pub text: String,
}

/// Why an operation was not done. Nothing has changed, unless the text says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "text", rename_all = "kebab-case")]
pub enum Refusal {
    /// There is no such operation or argument, or one is missing or not understood.
    #[error("{0}")]
    Usage(String),
    /// The role does not allow it.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such account or session.
    #[error("{0}")]
    NotFound(String),
    /// It is there already.
    #[error("{0}")]
    Conflict(String),
    /// Nobody may do it to this account.
    #[error("{0}")]
    NotAllowed(String),
    /// The argument is understood and not acceptable: a password that cannot be set.
    #[error("{0}")]
    NotAcceptable(String),
    /// Only a running server can do it.
    #[error("{0}")]
    NotRunning(String),
    /// It failed.
    #[error("{0}")]
    Failed(String),
}

impl Refusal {
    /// A failure of the store, with all its causes.
    pub(crate) fn store(error: &StoreError) -> Self {
        let mut text = format!("the database failed: {error}");
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            text.push_str(&format!(": {inner}"));
            cause = inner.source();
        }
        Self::Failed(text)
    }

    pub(super) fn no_account(jid: &BareJid) -> Self {
        Self::NotFound(format!("there is no account {jid}"))
    }
}

impl From<Refusal> for StanzaError {
    fn from(refusal: Refusal) -> Self {
        let condition = match &refusal {
            Refusal::Usage(_) => Condition::BadRequest,
            Refusal::Forbidden(_) => Condition::Forbidden,
            Refusal::NotAllowed(_) => Condition::NotAllowed,
            Refusal::NotFound(_) => Condition::ItemNotFound,
            Refusal::Conflict(_) => Condition::Conflict,
            Refusal::NotAcceptable(_) => Condition::NotAcceptable,
            Refusal::NotRunning(_) => Condition::ServiceUnavailable,
            Refusal::Failed(cause) => {
                error!(%cause, "operation failed");
                return Condition::InternalServerError.into();
            }
        };
        Self::new(condition).text(refusal.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::store(&error)
    }
}

impl Operation {
    /// What the operation is about: the first word of its name.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.name
            .split_once(' ')
            .map_or(self.name, |(group, _)| group)
    }

    /// The act: the second word of its name.
    #[must_use]
    pub fn act(&self) -> &'static str {
        self.name.split_once(' ').map_or(self.name, |(_, act)| act)
    }

    /// Understands the arguments.
    ///
    /// # Errors
    /// [`Refusal::Usage`] with what was expected.
    pub fn understand(&self, given: &Given, config: &Config) -> Result<Arguments, Refusal> {
        let arguments = self.understand_some(given, config)?;
        for argument in self.arguments {
            if argument.need == Need::Required && arguments.find(argument.name).is_none() {
                return Err(missing(argument.name));
            }
        }
        Ok(arguments)
    }

    /// Understands those that are given so far, before more is asked for.
    ///
    /// # Errors
    /// As [`Self::understand`].
    pub fn understand_some(&self, given: &Given, config: &Config) -> Result<Arguments, Refusal> {
        let mut arguments = Arguments::default();
        for (name, text) in given {
            let Some(argument) = self.arguments.iter().find(|known| known.name == name) else {
                let text = format!("{} has no argument {name:?}", self.name);
                return Err(Refusal::Usage(text));
            };
            let value = argument.kind.understand(text, config);
            let value = value.map_err(Refusal::Usage)?;
            arguments.0.push((argument.name, value));
        }
        Ok(arguments)
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::Usage(format!("{name} is missing"))
}

/// The typed look into [`Arguments`]; asking for a name or type that the operation does not
/// declare finds nothing.
impl Arguments {
    fn find(&self, name: &str) -> Option<&Value> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == name)?;
        Some(value)
    }

    pub(super) fn account(&self, name: &str) -> Result<&BareJid, Refusal> {
        self.account_opt(name).ok_or_else(|| missing(name))
    }

    pub(super) fn account_opt(&self, name: &str) -> Option<&BareJid> {
        match self.find(name) {
            Some(Value::Account(jid)) => Some(jid),
            _ => None,
        }
    }

    pub(super) fn session(&self, name: &str) -> Result<&Jid, Refusal> {
        match self.find(name) {
            Some(Value::Session(jid)) => Ok(jid),
            _ => Err(missing(name)),
        }
    }

    pub(super) fn host(&self, name: &str) -> Option<&str> {
        match self.find(name) {
            Some(Value::Host(host)) => Some(host),
            _ => None,
        }
    }

    pub(super) fn secret(&self, name: &str) -> Result<&Secret<String>, Refusal> {
        match self.find(name) {
            Some(Value::Secret(secret)) => Ok(secret),
            _ => Err(missing(name)),
        }
    }

    pub(super) fn role(&self, name: &str) -> Option<Role> {
        match self.find(name) {
            Some(Value::Role(role)) => Some(*role),
            _ => None,
        }
    }

    pub(super) fn name(&self, name: &str) -> Option<&str> {
        match self.find(name) {
            Some(Value::Name(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.find(name), Some(Value::Flag(true)))
    }
}

impl Kind {
    fn understand(self, text: &str, config: &Config) -> Result<Value, String> {
        Ok(match self {
            Self::Account => Value::Account(account(text, config)?),
            Self::Session => {
                let (bare, resource) = match text.split_once('/') {
                    Some((bare, resource)) => (bare, Some(resource)),
                    None => (text, None),
                };
                let bare = account(bare, config)?;
                let resource = resource.map(crate::proto::Resource::new).transpose();
                let resource = resource.map_err(|error| not_an_address(text, &error))?;
                Value::Session(Jid::new(bare, resource))
            }
            Self::Host => Value::Host(host(text, config)?),
            Self::Password | Self::Table => Value::Secret(Secret::new(text.to_owned())),
            Self::Role => {
                let role: Result<Role, _> = text.parse();
                Value::Role(role.map_err(|unknown| unknown.to_string())?)
            }
            Self::Name => Value::Name(text.trim().to_owned()),
            Self::Flag => match text {
                "true" | "1" => Value::Flag(true),
                "false" | "0" => Value::Flag(false),
                other => return Err(format!("{other:?} is neither true nor false")),
            },
        })
    }
}

/// The address of an account of this server.
pub(super) fn account(text: &str, config: &Config) -> Result<BareJid, String> {
    if !text.contains('@') {
        let hosts = &config.hosts;
        let example = match hosts.iter().find(|host| host.domain.as_str() == text) {
            Some(host) => {
                return Err(format!(
                    "{text:?} is a host; an account is name@{}",
                    host.domain
                ));
            }
            None => hosts
                .first()
                .map_or("localhost", |host| host.domain.as_str()),
        };
        return Err(format!(
            "{text:?} has no domain; did you mean {text}@{example}?"
        ));
    }
    if text.contains('/') {
        return Err(format!(
            "{text:?} has a resource; an account is name@domain"
        ));
    }
    let jid = BareJid::new(text).map_err(|error| not_an_address(text, &JidError::Bare(error)))?;
    host(jid.domain().as_str(), config)?;
    Ok(jid)
}

fn not_an_address(text: &str, error: &JidError) -> String {
    format!("{text:?} is no address: {error}")
}

fn host(text: &str, config: &Config) -> Result<String, String> {
    let prepared = crate::config::Domain::parse(text);
    let hosts = || config.hosts.iter().map(|host| &host.domain);
    match hosts().find(|known| Some(*known) == prepared.as_ref()) {
        Some(known) => Ok(known.as_str().to_owned()),
        None => {
            let known: Vec<&str> = hosts().map(crate::config::Domain::as_str).collect();
            Err(format!(
                "{text} is not served here; the hosts are: {}",
                known.join(", ")
            ))
        }
    }
}
