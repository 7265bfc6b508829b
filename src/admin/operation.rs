//! One operation: its name, its arguments, who may have it done, how forms ask for it, and what does it.
//!
//! A definition is made once, as a constant. The command line reads names and arguments from it, the
//! ad-hoc commands (XEP-0050) also its [`Face`]: node, title, the standard's names of fields.

use futures_util::future::BoxFuture;

use super::arguments::Arguments;
use super::operator::Operator;
use super::outcome::Outcome;
use super::refusal::Refusal;
use crate::domain::rights::{Right, Role};
use crate::proto::common::forms::FieldType;

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
    /// The right that lets those below that role have it done, too, where one does.
    pub right: Option<Right>,
    /// How far it reaches.
    pub scope: Scope,
    /// When it goes into the audit trail.
    pub trace: Trace,
    /// How ad-hoc commands show it.
    pub face: Face,
    /// What its form shows before anybody has filled it in.
    pub prefill: Option<Prefill>,
    /// What does it.
    pub run: Handler,
}

/// What does an operation.
pub type Handler = fn(Operator, Arguments) -> BoxFuture<'static, Result<Outcome, Refusal>>;

/// What finds the present values of fields: pairs of an argument's name and a value.
pub type Prefill = fn(Operator) -> BoxFuture<'static, Result<Vec<(&'static str, String)>, Refusal>>;

/// How far an operation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It acts on one host or what belongs to it.
    Host,
    /// It acts on the server as a whole: only administrators of the server have it done.
    Server,
}

/// When an operation goes into the audit trail. An attempt that was refused always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Whenever it is done: it changes something, or shows what belongs to somebody.
    Always,
    /// Not when it was done: it only looks, and may be asked every few seconds.
    WhenRefused,
}

/// How ad-hoc commands show an operation.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    /// The command's node (XEP-0050 §2.2).
    pub node: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The fields of the result, where a standard names them.
    pub results: &'static [ResultField],
}

/// A field of a result: its name, its type, and under which key the outcome has the value.
#[derive(Clone, Copy, Debug)]
pub struct ResultField {
    /// The name of the field.
    pub var: &'static str,
    /// Its type.
    pub kind: FieldType,
    /// The key in [`Outcome::data`].
    pub key: &'static str,
}

/// What an operation is told.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// In lower case, words joined by hyphens.
    pub name: &'static str,
    /// How its text is understood.
    pub kind: Kind,
    /// Whether it may be left out.
    pub need: Need,
    /// How many values it takes.
    pub count: Count,
    /// What it means, in a few words.
    pub about: &'static str,
    /// The field of the form: the argument's name unless a standard has another.
    pub var: &'static str,
    /// How the form asks for it.
    pub asked: Asked,
}

/// Whether an argument may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must be given.
    Required,
    /// It may be left out.
    Optional,
}

/// How many values an argument takes. Several are lines of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// One.
    One,
    /// Several, for each of which the operation is done.
    Each,
    /// Several, for all of which the operation is done once.
    All,
}

/// How a form asks for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By one field.
    Once,
    /// By two fields, which must be alike: a password.
    Twice,
    /// Among these values; the command line takes others, too.
    Among(&'static [&'static str]),
    /// Not at all.
    Never,
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
    /// A domain or a bare JID, wherever it is.
    Address,
    /// The bare JID of a room.
    Room,
    /// A password: shown and logged nowhere.
    Password,
    /// The name of a [`Role`].
    Role,
    /// The name of a [`Right`].
    Right,
    /// A name for people.
    Name,
    /// Lines of text for people.
    Text,
    /// A table as comma-separated values, whole; it may hold passwords.
    Table,
    /// A whole number, both ends included.
    Number {
        /// The least.
        min: u32,
        /// The greatest.
        max: u32,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A moment (XEP-0082 §3.2).
    Time,
    /// A filter of the log.
    LogFilter,
    /// `true` or `false`; left out it is `false`.
    Flag,
}

/// The longest text of a name, and of a word that is looked for.
pub(super) const NAME_BYTES_MAX: usize = 1_000;

/// The longest text that is sent to people: what they read, and well below the least stanza.
pub(super) const TEXT_BYTES_MAX: usize = 8_000;

impl Kind {
    /// Whether the text must not be seen.
    #[must_use]
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Password | Self::Table)
    }
}

impl Argument {
    /// An argument that must be given.
    pub(super) const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            name,
            kind,
            need: Need::Required,
            count: Count::One,
            about,
            var: name,
            asked: Asked::Once,
        }
    }

    /// An argument that may be left out.
    pub(super) const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            need: Need::Optional,
            ..Self::required(name, kind, about)
        }
    }

    /// The same with the name that a standard gives to its field.
    pub(super) const fn var(self, var: &'static str) -> Self {
        Self { var, ..self }
    }

    /// The same, taking several values.
    pub(super) const fn count(self, count: Count) -> Self {
        Self { count, ..self }
    }

    /// The same, asked for in another way.
    pub(super) const fn asked(self, asked: Asked) -> Self {
        Self { asked, ..self }
    }
}

impl Operation {
    /// An operation for administrators, within hosts, that goes into the audit trail.
    pub(super) const fn new(
        name: &'static str,
        about: &'static str,
        face: Face,
        arguments: &'static [Argument],
        run: Handler,
    ) -> Self {
        Self {
            name,
            about,
            arguments,
            role: Role::Administrator,
            right: None,
            scope: Scope::Host,
            trace: Trace::Always,
            face,
            prefill: None,
            run,
        }
    }

    /// The same for whoever has that right, too.
    pub(super) const fn with_right(self, right: Right) -> Self {
        Self {
            right: Some(right),
            ..self
        }
    }

    /// The same for administrators of the server only.
    pub(super) const fn of_the_server(self) -> Self {
        Self {
            scope: Scope::Server,
            ..self
        }
    }

    /// The same, left out of the audit trail where it is done.
    pub(super) const fn only_looking(self) -> Self {
        Self {
            trace: Trace::WhenRefused,
            ..self
        }
    }

    /// The same with what its form shows.
    pub(super) const fn prefilled(self, prefill: Prefill) -> Self {
        Self {
            prefill: Some(prefill),
            ..self
        }
    }

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
}

impl Face {
    /// A command whose result is told in sentences or as a table.
    pub(super) const fn new(node: &'static str, title: &'static str) -> Self {
        Self {
            node,
            title,
            results: &[],
        }
    }

    /// A command whose result has fields with names of a standard.
    pub(super) const fn with(self, results: &'static [ResultField]) -> Self {
        Self { results, ..self }
    }
}

impl ResultField {
    pub(super) const fn new(var: &'static str, kind: FieldType, key: &'static str) -> Self {
        Self { var, kind, key }
    }
}

/// A node of XEP-0133.
macro_rules! standard {
    ($act:literal) => {
        concat!("http://jabber.org/protocol/admin#", $act)
    };
}

/// A node of this server: the operation's name with a hyphen.
macro_rules! own {
    ($name:literal) => {
        concat!("urn:parlour:admin:0#", $name)
    };
}

pub(super) use {own, standard};
