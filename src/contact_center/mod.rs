//! The contact center: what [`crate::domain`] decides is loaded, saved and told to those it concerns.
//!
//! Each host has the service `center.<host>`. What can be asked of it are the `operation`s, each defined once
//! and reached through two `doors`: a typed IQ in one of our namespaces, and an ad-hoc command (XEP-0050). A command changes
//! records: they are loaded, the domain decides, and snapshots, events and what is to be told are
//! written in one transaction (`draft`), which fails when something has changed since it was read. What was written is
//! then sent (`outbox`), after a crash once more; receivers drop repeats by the message's id. What time changes
//! waits in the database (`timers`).
//!
//! One folder for each part of the design: `agents`, `contacts`, `im`, `context`, `interactions`, `customers`, `activities`,
//! `follow_ups`, `message_streams`.

mod activities;
mod agents;
mod center;
mod contacts;
mod context;
mod customers;
mod desk;
mod doors;
mod draft;
mod errors;
mod follow_ups;
mod history;
mod im;
mod in_turn;
mod interactions;
mod message_streams;
mod newest;
mod numbered;
mod operation;
mod outbox;
mod people;
mod record;
mod settings;
mod standing;
mod telling;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timers;
mod trail;
mod values;

use std::sync::Arc;

use center::Center;
use desk::Desk;
use operation::{ForComponents, Operation};

use crate::config::Config;
use crate::hooks::{At, Hooks, Item};
use crate::proto::BareJid;
use crate::proto::document::Document;

/// Every operation, in the order in which clients show the commands.
fn operations() -> impl Iterator<Item = &'static Operation> {
    agents::OPERATIONS
        .iter()
        .chain(im::OPERATIONS)
        .chain(context::OPERATIONS)
        .chain(contacts::operations())
        .chain(customers::OPERATIONS)
        .chain(activities::OPERATIONS)
        .chain(interactions::OPERATIONS)
        .chain(follow_ups::OPERATIONS)
        .chain(message_streams::OPERATIONS)
}

/// What components may have done.
fn for_components() -> impl Iterator<Item = &'static ForComponents> {
    contacts::FOR_COMPONENTS
        .iter()
        .chain(activities::FOR_COMPONENTS)
        .chain(interactions::FOR_COMPONENTS)
}

/// The operation whose command has that node.
fn at_node(node: &str) -> Option<&'static Operation> {
    operations().find(|operation| operation.node == node)
}

/// Puts a service beside each host that has a contact center, with the hooks that its parts need.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    let mut hosts = config.hosts.iter();
    if !hosts.any(|host| config.has_contact_center(host)) {
        return;
    }
    let center = Arc::new(Center::new(config));
    for place in center.places() {
        let desk = Desk::new(&center, place);
        hooks.service(place.address.clone(), Arc::new(desk));
    }
    #[cfg(test)]
    hooks.offers().set(testing::Inside(Arc::clone(&center)));
    list_at_hosts(hooks, &center);
    settings::register(hooks, &center);
    let starting = Arc::clone(&center);
    hooks.starting(move |services| {
        let center = Arc::clone(&starting);
        async move { center.start(services).await }
    });
    let stopping = Arc::clone(&center);
    hooks.stopping(move |_| {
        let center = Arc::clone(&stopping);
        async move { center.stop().await }
    });
    hooks.document(
        Document::new("XEP-0428", "Fallback Indication", "0.2.1")
            .note("of what the contact center tells agents"),
    );
    agents::register(hooks, &center);
    context::register(hooks, &center);
    im::register(hooks, &center);
    contacts::register(hooks, &center);
    activities::register(hooks, &center);
    interactions::register(hooks, &center);
    message_streams::serve_files(hooks, &center);
    follow_ups::register(hooks, &center);
    message_streams::register(hooks, &center);
}

/// The service among the items of its host (XEP-0030 §4).
fn list_at_hosts(hooks: &mut Hooks, center: &Arc<Center>) {
    let center = Arc::clone(center);
    hooks.disco_items(&[At::Host], move |ask| {
        let place = center.place_of(ask.iq.to.domain().as_str());
        let item = |jid: BareJid| Item {
            jid: jid.into(),
            node: None,
            name: Some("Contact center".to_owned()),
        };
        let asked = ask.node.is_none();
        let items = place.map(|place| vec![item(place.address.clone())]);
        async move { Ok(items.filter(|_| asked)) }
    });
}
