//! Refusals as stanza errors: the standard's condition, our own beside it, and a sentence for the agent.

use std::error::Error;
use std::fmt;

use crate::domain::refusal::{Class, Refusal};
use crate::proto::{Condition, ErrorType, StanzaError};
use crate::store::StoreError;
use crate::xml::Element;

/// The namespace of the application's conditions.
pub(super) const NS: &str = "urn:parlour:errors:0";

/// Why an operation was not done. Nothing has changed.
#[derive(Clone, Debug)]
pub(super) enum Refused {
    /// A rule of the domain.
    Rule(Refusal),
    /// Others keep changing the same.
    Contended,
    /// The database.
    Store(StoreError),
    /// A rule of the protocol.
    Stanza(StanzaError),
}

impl<R: Into<Refusal>> From<R> for Refused {
    fn from(rejection: R) -> Self {
        Self::Rule(rejection.into())
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<StanzaError> for Refused {
    fn from(error: StanzaError) -> Self {
        Self::Stanza(error)
    }
}

impl From<Condition> for Refused {
    fn from(condition: Condition) -> Self {
        Self::Stanza(condition.into())
    }
}

/// Of what follows others' doing only that the database fails is a failure: what is refused is over already, and what is contended
/// is made so by others.
pub(super) fn only_failures(done: Result<(), Refused>) -> Result<(), StoreError> {
    match done {
        Err(Refused::Store(error)) => Err(error),
        Ok(()) | Err(Refused::Rule(_) | Refused::Contended | Refused::Stanza(_)) => Ok(()),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(refusal) => refusal.fmt(f),
            Self::Contended => f.write_str("others keep changing the same"),
            Self::Store(error) => error.fmt(f),
            Self::Stanza(error) => f.write_str(error.condition.name()),
        }
    }
}

impl Error for Refused {}

impl From<Refused> for StanzaError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rule(refusal) => of_rule(refusal),
            Refused::Contended => Self::new(Condition::ResourceConstraint)
                .text("This is being changed by others. Try again.")
                .application(Element::new(NS, "contended")),
            Refused::Store(error) => error.into(),
            Refused::Stanza(error) => error,
        }
    }
}

fn of_rule(refusal: Refusal) -> StanzaError {
    let (condition, kind) = match refusal.class {
        // Of the type auth: another account might (RFC 6120 §8.3.3.4).
        Class::Forbidden => (Condition::Forbidden, ErrorType::Auth),
        Class::NotFound => (Condition::ItemNotFound, ErrorType::Cancel),
        Class::NotAllowed => (Condition::NotAllowed, ErrorType::Cancel),
        Class::Invalid => (Condition::BadRequest, ErrorType::Modify),
        Class::Conflict => (Condition::Conflict, ErrorType::Cancel),
        Class::Limit => (Condition::ResourceConstraint, ErrorType::Wait),
        Class::Busy => (Condition::RecipientUnavailable, ErrorType::Wait),
    };
    StanzaError::new(condition)
        .kind(kind)
        .text(refusal.text)
        .application(Element::new(NS, refusal.code))
}

/// A page shall begin behind, or end before, what is no place in the list (XEP-0059 §2.2).
pub(super) fn no_place() -> StanzaError {
    StanzaError::new(Condition::ItemNotFound)
        .text("There is no such place in this list. Begin with its first page.")
        .application(Element::new(NS, "page-unknown"))
}

/// A page is asked for by a number, in a list that may change between two pages (XEP-0059 §2.4).
pub(super) fn by_number() -> StanzaError {
    StanzaError::new(Condition::FeatureNotImplemented)
        .text("A page of this list is asked for by the entry before it, and not by a number.")
        .application(Element::new(NS, "page-by-number"))
}

/// What was sent is no such request: which part of it, and what is wrong with it.
pub(super) fn malformed(code: &'static str, text: impl Into<String>) -> Refused {
    let error = StanzaError::new(Condition::BadRequest).text(text);
    Refused::Stanza(error.application(Element::new(NS, code)))
}
