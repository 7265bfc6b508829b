//! One operation of the contact center: what it is called, what it is told, the right it needs, and what does it.
//!
//! A definition is a constant. The IQ door reads from it the element with its attributes and children, the
//! command door the form; neither has words of its own.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::center::{Center, Place};
use super::errors::Refused;
use super::values::Values;
use crate::clock::Timestamp;
use crate::config::ComponentRole;
use crate::domain::chat_profile::ChatProfile;
use crate::domain::ids::AgentId;
use crate::domain::rights::{Right, Rights, Role};
use crate::hooks::Services;
use crate::proto::Jid;
use crate::xml::Element;

/// Something that an agent, a supervisor or a bot can have done.
pub(super) struct Operation {
    /// The namespace of its element.
    pub(super) ns: &'static str,
    /// The name of its element.
    pub(super) name: &'static str,
    /// The node of its command: namespace, `#`, name.
    pub(super) node: &'static str,
    /// Whether the IQ is a get or a set.
    pub(super) act: Act,
    /// What the command is called.
    pub(super) title: &'static str,
    /// One sentence above its form.
    pub(super) about: &'static str,
    /// What the asker must have.
    pub(super) right: Right,
    /// What it is told; no two of the same name.
    pub(super) fields: &'static [Field],
    /// What its form offers and shows before it is filled in.
    pub(super) shown: Option<Shows>,
    /// What its form holds of the record that is meant, where that is to be changed.
    pub(super) present: Option<Present>,
    /// What does it.
    pub(super) run: Run,
}

/// What does an operation.
pub(super) type Run = fn(Caller, Values) -> BoxFuture<'static, Result<Outcome, Refused>>;

/// Something that a component can have done, by a typed IQ only.
pub(super) struct ForComponents {
    /// The namespace of its element.
    pub(super) ns: &'static str,
    /// The name of its element.
    pub(super) name: &'static str,
    /// Whether the IQ is a get or a set.
    pub(super) act: Act,
    /// The role that the component needs.
    pub(super) role: ComponentRole,
    /// What it is told; no two of the same name.
    pub(super) fields: &'static [Field],
    /// What does it.
    pub(super) run: fn(Visitor, Values) -> BoxFuture<'static, Result<Outcome, Refused>>,
}

/// A component that has an operation done.
pub(super) struct Visitor {
    pub(super) center: Arc<Center>,
    /// Its domain, as configured.
    pub(super) component: String,
    pub(super) place: Arc<Place>,
    pub(super) services: Arc<Services>,
}

/// What finds what a form offers.
pub(super) type Shows = fn(Caller) -> BoxFuture<'static, Result<Shown, Refused>>;

/// A form that holds what is there already. Which record is meant is asked first, in a form of its own.
#[derive(Clone, Copy)]
pub(super) struct Present {
    /// The fields that say which one; they are among those of the operation.
    pub(super) of: &'static [Field],
    /// Fields that are given back as they are, and that nobody has to see: the version that was read.
    pub(super) unseen: &'static [&'static str],
    /// What finds it, for who may change it.
    pub(super) find: fn(Caller, Values) -> BoxFuture<'static, Result<Shown, Refused>>,
}

/// Whether an operation looks or does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// It looks: an IQ of the type get.
    Get,
    /// It does: an IQ of the type set.
    Set,
}

/// What an operation is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// The attribute, the child element, and the field of the form.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) kind: Kind,
    /// Whether it may be left out.
    pub(super) need: Need,
    /// Where it stands in the element.
    pub(super) place: Stands,
    /// What people read beside it.
    pub(super) label: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The bare JID of a colleague; in a form the part before the `@` is enough.
    Agent,
    /// The id of a record.
    Id,
    /// One of the words that the form offers, which an administrator has set.
    Code,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One line.
    Line {
        /// How long it may be.
        chars_max: usize,
    },
    /// Lines of text.
    Text {
        /// How long it may be.
        bytes_max: usize,
    },
    /// `true` or `false`.
    Flag,
    /// An element of our own, which the operation reads; in a form the keys of what it offers.
    Element,
    /// How much of a list is asked for (XEP-0059).
    Page,
    /// The same of a list whose last page is the one that people want to see first: that of a form.
    PageFromEnd,
}

impl Kind {
    /// Whether it is a page.
    pub(super) const fn is_page(self) -> bool {
        matches!(self, Self::Page | Self::PageFromEnd)
    }
}

/// Whether a field may be left out, and whether it stands for several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Exactly one.
    Required,
    /// One or none.
    Optional,
    /// None, one or several, at most so many.
    Several(usize),
}

/// Where a field stands in the element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    /// In an attribute.
    Attribute,
    /// In a child, as its text or, of [`Kind::Element`], as the child itself.
    Child,
    /// In the form only: what a typed request has in an element is typed there in parts.
    Form,
}

impl Field {
    /// An attribute that must be there.
    pub(super) const fn required(name: &'static str, kind: Kind, label: &'static str) -> Self {
        Self {
            name,
            kind,
            need: Need::Required,
            place: Stands::Attribute,
            label,
        }
    }

    /// The same, but it may be left out.
    pub(super) const fn optional(self) -> Self {
        let need = Need::Optional;
        Self { need, ..self }
    }

    /// The same, up to so many times, which makes it a child.
    pub(super) const fn several(self, max: usize) -> Self {
        let need = Need::Several(max);
        Self { need, ..self }.as_child()
    }

    /// The same as a child.
    pub(super) const fn as_child(self) -> Self {
        let place = Stands::Child;
        Self { place, ..self }
    }
}

/// What a form offers beyond the definition.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// What can be chosen for a field: field, value, label.
    pub(super) options: Vec<(&'static str, String, String)>,
    /// What a field holds already; a text with all its lines.
    pub(super) values: Vec<(&'static str, String)>,
    /// One more sentence above the form.
    pub(super) about: Option<String>,
}

/// Who has an operation done.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) center: Arc<Center>,
    pub(super) place: Arc<Place>,
    pub(super) services: Arc<Services>,
    /// The full address that asked.
    pub(super) from: Jid,
    /// Whose account it is.
    pub(super) agent: AgentId,
    pub(super) role: Role,
    pub(super) rights: Arc<Rights>,
    /// Since when there is the account: what an earlier one of the same name took part in is not its own.
    pub(super) since: Timestamp,
    /// Its chat profile.
    pub(super) profile: Arc<ChatProfile>,
    /// The language of the request, else English.
    pub(super) language: String,
    /// The language of the request, where it has one.
    pub(super) written_in: Option<String>,
}

impl Caller {
    pub(super) fn now(&self) -> Timestamp {
        self.services.clock.now()
    }
}

/// What came of an operation.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// What the IQ answers.
    pub(super) payload: Option<Element>,
    /// What the command says.
    pub(super) told: String,
    /// Whether that is a warning: it is done, and may not be what was meant.
    pub(super) warns: bool,
    /// What the command lists.
    pub(super) table: Option<Table>,
}

/// Rows below their columns.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Name of the field and what people read above it.
    pub(super) columns: &'static [(&'static str, &'static str)],
    pub(super) rows: Vec<Vec<String>>,
}

impl Outcome {
    /// It is done, and there is nothing to see.
    pub(super) fn told(sentence: impl Into<String>) -> Self {
        Self {
            told: sentence.into(),
            ..Self::default()
        }
    }

    /// It is done, and may not be what was meant.
    pub(super) fn warned(sentence: impl Into<String>) -> Self {
        Self {
            warns: true,
            ..Self::told(sentence)
        }
    }

    /// The same with what the IQ answers.
    pub(super) fn with(self, payload: Element) -> Self {
        let payload = Some(payload);
        Self { payload, ..self }
    }

    /// The same with what the command lists.
    pub(super) fn listing(self, table: Table) -> Self {
        let table = Some(table);
        Self { table, ..self }
    }
}
