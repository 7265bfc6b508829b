//! Arguments come as texts, whichever door they come through, and are understood here, with one set of
//! complaints for all doors.

use std::collections::BTreeMap;

use super::operation::{Argument, Count, Kind, NAME_BYTES_MAX, Need, Operation, TEXT_BYTES_MAX};
use super::refusal::Refusal;
use crate::clock::Timestamp;
use crate::config::{Config, Domain};
use crate::domain::rights::Role;
use crate::observe::{Filter, Secret};
use crate::proto::jid::JidError;
use crate::proto::{BareJid, Jid};

/// The texts of arguments by their names; several values of one are lines.
pub type Given = BTreeMap<String, String>;

/// Arguments understood.
#[derive(Debug, Default)]
pub struct Arguments(Vec<(&'static str, Value)>);

#[derive(Debug)]
enum Value {
    Account(BareJid),
    Session(Jid),
    Address(BareJid),
    Host(String),
    Secret(Secret<String>),
    Role(Role),
    Text(String),
    Number(u32),
    Time(Timestamp),
    Filter(Filter),
    Flag(bool),
}

/// Values of one argument at most: accounts of a list, as many as a form takes.
const VALUES_MAX: usize = 1_000;

impl Operation {
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
            for text in argument.values(text)? {
                let value = argument.understand(text, config);
                let value = value.map_err(Refusal::Usage)?;
                arguments.0.push((argument.name, value));
            }
        }
        Ok(arguments)
    }

    /// The arguments of each single run, where one of them stands for several ([`Count::Each`]).
    pub(super) fn runs(&self, given: &Given) -> Result<Vec<Given>, Refusal> {
        let several = self.arguments.iter().find(|it| it.count == Count::Each);
        let Some((argument, text)) = several.and_then(|it| Some((it, given.get(it.name)?))) else {
            return Ok(vec![given.clone()]);
        };
        let values = argument.values(text)?;
        if values.is_empty() {
            return Err(missing(argument.name));
        }
        let run = |value: &&str| {
            let mut run = given.clone();
            run.insert(argument.name.to_owned(), (*value).to_owned());
            run
        };
        Ok(values.iter().map(run).collect())
    }
}

impl Argument {
    fn values<'a>(&self, text: &'a str) -> Result<Vec<&'a str>, Refusal> {
        if self.count == Count::One {
            return Ok(vec![text]);
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<&str> = lines.collect();
        if lines.len() > VALUES_MAX {
            let text = format!("{} takes at most {VALUES_MAX} values", self.name);
            return Err(Refusal::Usage(text));
        }
        Ok(lines)
    }

    fn understand(&self, text: &str, config: &Config) -> Result<Value, String> {
        let name = self.name;
        let short = |max: usize| match text.len() {
            length if length > max => Err(format!("{name} is longer than {max} bytes")),
            _ => Ok(()),
        };
        Ok(match self.kind {
            Kind::Account => Value::Account(account(text, config)?),
            Kind::Session => Value::Session(session(text, config)?),
            Kind::Host => Value::Host(host(text, config)?),
            Kind::Address => Value::Address(address(text)?),
            Kind::Room => Value::Address(room(text)?),
            Kind::Password | Kind::Table => Value::Secret(Secret::new(text.to_owned())),
            Kind::Role => {
                let role: Result<Role, _> = text.parse();
                Value::Role(role.map_err(|unknown| unknown.to_string())?)
            }
            Kind::Name => {
                short(NAME_BYTES_MAX)?;
                Value::Text(text.trim().to_owned())
            }
            Kind::Text => {
                short(TEXT_BYTES_MAX)?;
                if text.trim().is_empty() {
                    return Err(format!("{name} is empty"));
                }
                Value::Text(text.trim_end().to_owned())
            }
            Kind::Number { min, max } => match text.trim().parse() {
                Ok(number) if (min..=max).contains(&number) => Value::Number(number),
                Ok(_) | Err(_) => return Err(format!("{name} is a number from {min} to {max}")),
            },
            Kind::Choice(words) => match words.contains(&text) {
                true => Value::Text(text.to_owned()),
                false => return Err(format!("{name} is one of {}", words.join(", "))),
            },
            Kind::Time => Value::Time(Timestamp::parse(text.trim()).ok_or_else(|| {
                format!("{name} is a time such as 2026-01-31T18:00:00Z, not {text:?}")
            })?),
            Kind::LogFilter => {
                let filter: Result<Filter, _> = text.trim().parse();
                Value::Filter(filter.map_err(|error| error.to_string())?)
            }
            Kind::Flag => match text {
                "true" | "1" => Value::Flag(true),
                "false" | "0" => Value::Flag(false),
                other => return Err(format!("{other:?} is neither true nor false")),
            },
        })
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::Usage(format!("{name} is missing"))
}

/// The typed look into [`Arguments`]; asking for a name or type that the operation does not
/// declare finds nothing.
impl Arguments {
    fn find(&self, name: &str) -> Option<&Value> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &Value> {
        let named = self.0.iter().filter(move |(known, _)| *known == name);
        named.map(|(_, value)| value)
    }

    pub(super) fn account(&self, name: &str) -> Result<&BareJid, Refusal> {
        self.account_opt(name).ok_or_else(|| missing(name))
    }

    pub(super) fn account_opt(&self, name: &str) -> Option<&BareJid> {
        self.accounts(name).next()
    }

    pub(super) fn accounts(&self, name: &str) -> impl Iterator<Item = &BareJid> {
        self.all(name).filter_map(|value| match value {
            Value::Account(jid) => Some(jid),
            _ => None,
        })
    }

    /// What was given as [`Kind::Address`] or [`Kind::Room`].
    pub(super) fn addresses(&self, name: &str) -> impl Iterator<Item = &BareJid> {
        self.all(name).filter_map(|value| match value {
            Value::Address(jid) => Some(jid),
            _ => None,
        })
    }

    pub(super) fn room(&self, name: &str) -> Result<&BareJid, Refusal> {
        self.addresses(name).next().ok_or_else(|| missing(name))
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

    /// What was given as [`Kind::Name`], [`Kind::Text`] or [`Kind::Choice`].
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.find(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        match self.find(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn time(&self, name: &str) -> Option<Timestamp> {
        match self.find(name) {
            Some(Value::Time(time)) => Some(*time),
            _ => None,
        }
    }

    pub(super) fn filter(&self, name: &str) -> Result<&Filter, Refusal> {
        match self.find(name) {
            Some(Value::Filter(filter)) => Ok(filter),
            _ => Err(missing(name)),
        }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        matches!(self.find(name), Some(Value::Flag(true)))
    }

    /// The accounts that the arguments name.
    pub(super) fn all_accounts(&self) -> impl Iterator<Item = &BareJid> {
        self.0.iter().filter_map(|(_, value)| match value {
            Value::Account(jid) => Some(jid),
            Value::Session(jid) => Some(jid.bare()),
            _ => None,
        })
    }

    /// The hosts that the arguments name, by themselves or as the domain of an account.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(_, value)| match value {
            Value::Account(jid) => Some(jid.domain().as_str()),
            Value::Session(jid) => Some(jid.domain()),
            Value::Host(host) => Some(host.as_str()),
            Value::Address(_)
            | Value::Secret(_)
            | Value::Role(_)
            | Value::Text(_)
            | Value::Number(_)
            | Value::Time(_)
            | Value::Filter(_)
            | Value::Flag(_) => None,
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

fn session(text: &str, config: &Config) -> Result<Jid, String> {
    let (bare, resource) = match text.split_once('/') {
        Some((bare, resource)) => (bare, Some(resource)),
        None => (text, None),
    };
    let bare = account(bare, config)?;
    let resource = resource.map(crate::proto::Resource::new).transpose();
    let resource = resource.map_err(|error| not_an_address(text, &error))?;
    Ok(Jid::new(bare, resource))
}

fn address(text: &str) -> Result<BareJid, String> {
    if text.contains('/') {
        return Err(format!("{text:?} has a resource; name@domain or a domain"));
    }
    BareJid::new(text).map_err(|error| not_an_address(text, &JidError::Bare(error)))
}

fn room(text: &str) -> Result<BareJid, String> {
    let jid = address(text)?;
    match jid.node() {
        Some(_) => Ok(jid),
        None => Err(format!("{text:?} is no room; a room is name@domain")),
    }
}

fn not_an_address(text: &str, error: &JidError) -> String {
    format!("{text:?} is no address: {error}")
}

fn host(text: &str, config: &Config) -> Result<String, String> {
    let prepared = Domain::parse(text);
    let hosts = || config.hosts.iter().map(|host| &host.domain);
    match hosts().find(|known| Some(*known) == prepared.as_ref()) {
        Some(known) => Ok(known.as_str().to_owned()),
        None => {
            let known: Vec<&str> = hosts().map(Domain::as_str).collect();
            Err(format!(
                "{text} is not served here; the hosts are: {}",
                known.join(", ")
            ))
        }
    }
}
