//! Colleagues: personal contacts (S0-7, S0-18 to S0-20), the directory (S1-5), how one is reached now (S0-3 to
//! S0-5, S0-17, S0-22, S0-23, S0-25), and e-mail to one of them.
//!
//! What is decided is in [`crate::domain::personal_contact`], [`crate::domain::directory`] and
//! [`crate::domain::reach`].

mod addresses;
mod directory;
mod email;
mod listed;
mod mutual;
pub(super) mod page;
mod personal;
mod reach;
pub(super) mod search;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::center::Center;
use super::operation::{Field, Kind, Need, Operation, Stands};
use crate::extensions::roster::MutualContacts;
use crate::hooks::Hooks;
use crate::proto::document::Document;
use crate::store::StoreError;

pub(super) use directory::suggested;
pub(super) use email::{KIND as EMAIL, time_is_up as email_is_due};
pub(super) use reach::FOR_COMPONENTS;

/// Accounts of before there was a directory that are listed at once.
const PAGE: u32 = 500;

/// The colleague that an operation is about.
const COLLEAGUE: Field = Field::required("colleague", Kind::Agent, "Colleague");

/// Which part of a list is asked for.
const LIST: Field = Field {
    name: "set",
    kind: Kind::Page,
    need: Need::Optional,
    place: Stands::Child,
    label: "Page",
};

/// The operations, in the order in which clients show them.
pub(super) fn operations() -> impl Iterator<Item = &'static Operation> {
    let first = personal::OPERATIONS.iter().chain(directory::OPERATIONS);
    first.chain(reach::OPERATIONS).chain(email::OPERATIONS)
}

/// Registers the rule of mutual contacts, what fills the directory, and what sends e-mail.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    hooks.document(
        Document::new("XEP-0055", "Jabber Search", "1.3").note(
            "agents search the names of their colleagues, at the service of the contact center",
        ),
    );
    let rule = mutual::Rule(Arc::clone(center));
    hooks.offers().set(MutualContacts(Arc::new(rule)));
    let listing = Arc::clone(center);
    hooks.starting(move |services| {
        let center = Arc::clone(&listing);
        async move {
            for place in center.places() {
                let directory = services.store.directory();
                while directory.list_missing(place.host.as_str(), PAGE).await? >= PAGE {}
            }
            Ok::<(), StoreError>(())
        }
    });
    email::register(hooks, center);
}
