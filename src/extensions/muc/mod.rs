//! XEP-0045: Multi-User Chat, version 1.35.5: rooms, at a domain of their own below each host.
//!
//! Also here, for they are parts of a room: hats (XEP-0317), self-pings (XEP-0410), occupant ids
//! (XEP-0421), retraction and moderation (XEP-0424, XEP-0425), direct invitations (XEP-0249).
//!
//! `model` holds the rules without IO. What is kept of a room is written before it changes in memory and
//! before anybody is told (`persistence`).
//!
//! Status codes that never occur: 102 and 103, for members who are not there are never shown as
//! unavailable, whatever the configuration; 174, for there are no fully anonymous rooms. A nickname is
//! changed (code 210) only by taking spaces from its ends. Not done: the older protocol without `<x/>`.

mod admin;
mod approval;
mod archive;
mod availability;
mod direct;
mod ending;
mod entering;
mod hats;
mod info;
mod keeping;
mod leaving;
mod lists;
mod messages;
mod model;
mod moderation;
mod notices;
mod owner;
mod persistence;
mod presence;
mod private;
mod register;
mod relay;
mod retraction;
mod room;
mod rooms;
mod service;
#[cfg(test)]
mod tests;
mod vcard;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::config::Config;
use crate::hooks::{At, Hooks, Item, Service};
use crate::proto::BareJid;
use crate::proto::document::Document;
use rooms::Rooms;

/// Registers the service of each host.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    direct::register(hooks);
    if !config.rooms.enabled {
        return;
    }
    for (number, name, version) in [
        ("XEP-0045", "Multi-User Chat", "1.35.5"),
        ("XEP-0317", "Hats", "0.3.1"),
        ("XEP-0410", "MUC Self-Ping (Schrödinger's Chat)", "1.1.0"),
        (
            "XEP-0421",
            "Occupant identifiers for semi-anonymous MUCs",
            "1.0.1",
        ),
        ("XEP-0425", "Moderated Message Retraction", "0.3.0"),
    ] {
        hooks.document(Document::new(number, name, version));
    }
    hooks.document(Document::new("XEP-0424", "Message Retraction", "0.4.2").note("in rooms"));
    let count = Arc::new(AtomicUsize::new(0));
    let mut all: Vec<Arc<Rooms>> = Vec::new();
    for host in &config.hosts {
        let host = host.domain.to_jid();
        let name = format!("{}.{}", config.rooms.subdomain.as_str(), host.as_str());
        let Ok(domain) = BareJid::new(&name) else {
            continue;
        };
        let rooms = Arc::new(Rooms::new(domain.clone(), host, config, &count));
        let service: Arc<dyn Service> = Arc::<Rooms>::clone(&rooms);
        hooks.service(domain, service);
        all.push(rooms);
    }
    let all: Arc<[Arc<Rooms>]> = all.into();
    keeping::offer(hooks, &all);
    let listed = Arc::clone(&all);
    hooks.disco_items(&[At::Host], move |ask| {
        let mut items = listed.iter().filter(|rooms| rooms.host == ask.iq.to);
        let item = items.next().map(|rooms| Item {
            jid: rooms.domain.clone().into(),
            node: None,
            name: Some("Rooms".to_owned()),
        });
        let none = ask.node.is_some();
        async move { Ok((!none).then(|| item.into_iter().collect())) }
    });
    let rooms = Arc::clone(&all);
    hooks.removed(move |account, services| {
        let all = Arc::clone(&rooms);
        async move {
            for rooms in all.iter() {
                rooms.account_removed(&account, &services).await;
            }
        }
    });
    let rooms = Arc::clone(&all);
    hooks.stopping(move |services| {
        let all = Arc::clone(&rooms);
        async move {
            for rooms in all.iter() {
                rooms.stop(&services).await;
            }
        }
    });
    hooks.closed(move |session, services| {
        let all = Arc::clone(&all);
        async move {
            for rooms in all.iter() {
                rooms.forget(&session, &services).await;
            }
        }
    });
}
