//! Changes of an account's own nodes that belong together: one transaction has all of them or none, so that a crash
//! leaves no half of a conversion, and then everybody is told of each.

use std::collections::BTreeMap;

use super::config::NodeConfig;
use super::items::{self, Payload};
use super::notify::{self, Event};
use super::place::{Node, Place};
use super::publish::{bounds, checked, refused};
use crate::proto::common::kept;
use crate::proto::{Condition, StanzaError, ns};
use crate::store::{Changed, NewItem, PrivateElement, PubsubChange, PubsubItem};
use crate::xml::Element;

/// One of the changes.
#[derive(Debug)]
pub(in crate::extensions) enum Change {
    /// An item is published; a node that is not there is made, with that configuration.
    Publish {
        node: &'static str,
        config: NodeConfig,
        id: String,
        payload: Element,
    },
    /// An item is taken out.
    Retract { node: &'static str, id: String },
    /// An element of private storage is replaced (XEP-0049).
    Store(Element),
}

/// A change with what the store is given.
enum Ready {
    Publish(&'static str, PubsubItem),
    Retract(&'static str, String),
    Store(Element, Vec<u8>),
}

/// Makes all of the changes, or none.
///
/// # Errors
/// As for a client that makes one of them.
pub(in crate::extensions) async fn change(
    place: &Place,
    changes: Vec<Change>,
) -> Result<(), StanzaError> {
    let names = changes.iter().filter_map(Change::node);
    let _turns = super::TURNS
        .take_all(names.map(|name| (place.address.clone(), name.to_owned())))
        .await;
    let mut nodes = BTreeMap::new();
    let mut made = Vec::new();
    let mut ready = Vec::new();
    for change in changes {
        if let Some(name) = change.node()
            && !nodes.contains_key(name)
        {
            let node = match (Box::pin(place.find(name)).await?, &change) {
                (Some(node), _) => {
                    items::expire(place, &node).await?;
                    node
                }
                (None, Change::Publish { config, .. }) => {
                    let node = place.made(name, config.clone(), &place.address);
                    made.push(node.stored.clone());
                    node
                }
                // Nothing is taken out of what is not there.
                (None, Change::Retract { .. } | Change::Store(_)) => continue,
            };
            nodes.insert(name, node);
        }
        ready.push(prepared(place, &nodes, change)?);
    }
    let creations = made
        .into_iter()
        .map(|node| PubsubChange::Create(node, place.node_bounds()));
    let all: Vec<PubsubChange<'_>> = creations
        .chain(ready.iter().filter_map(|it| it.stored(place, &nodes)))
        .collect();
    let gone = match Box::pin(place.store().change(&place.address, &all)).await? {
        Changed::Done(gone) => gone,
        Changed::Refused(outcome) => return Err(refused(&outcome)),
        Changed::Full => return Err(Condition::ResourceConstraint.into()),
    };
    Box::pin(tell(place, &nodes, &ready, &gone)).await
}

impl Change {
    const fn node(&self) -> Option<&'static str> {
        match self {
            Self::Publish { node, .. } | Self::Retract { node, .. } => Some(node),
            Self::Store(_) => None,
        }
    }
}

fn prepared(
    place: &Place,
    nodes: &BTreeMap<&str, Node>,
    change: Change,
) -> Result<Ready, StanzaError> {
    Ok(match change {
        Change::Publish {
            node, id, payload, ..
        } => {
            let item = Element::new(ns::PUBSUB, "item")
                .attr("id", &id)
                .child(payload);
            let known = nodes.get(node).ok_or(Condition::ItemNotFound)?;
            let item = checked(place, known, Some(&item))?;
            let payload = item.and_then(|item| item.children().next());
            Ready::Publish(
                node,
                PubsubItem {
                    id,
                    publisher: place.address.to_string(),
                    published_at: place.services.clock.now(),
                    revision: 0,
                    payload: payload.map(kept::to_bytes).unwrap_or_default(),
                },
            )
        }
        Change::Retract { node, id } => Ready::Retract(node, id),
        Change::Store(element) => {
            let bytes = kept::to_bytes(&element);
            Ready::Store(element, bytes)
        }
    })
}

impl Ready {
    fn stored<'a>(
        &'a self,
        place: &Place,
        nodes: &BTreeMap<&str, Node>,
    ) -> Option<PubsubChange<'a>> {
        Some(match self {
            Self::Publish(name, item) => {
                let node = nodes.get(name)?;
                if !node.config.persist_items {
                    return None;
                }
                let new = NewItem {
                    id: &item.id,
                    publisher: &item.publisher,
                    published_at: item.published_at,
                    payload: &item.payload,
                    own_only: false,
                };
                PubsubChange::Publish(name, new, bounds(place, node))
            }
            Self::Retract(node, id) => PubsubChange::Retract(node, id),
            Self::Store(element, bytes) => PubsubChange::Store(PrivateElement {
                ns: element.ns(),
                name: element.name(),
                xml: bytes,
                bytes_max: place.services.config.private_storage.bytes_max.as_usize(),
            }),
        })
    }
}

async fn tell(
    place: &Place,
    nodes: &BTreeMap<&str, Node>,
    changes: &[Ready],
    gone: &[(String, String)],
) -> Result<(), StanzaError> {
    for change in changes {
        match change {
            Ready::Publish(name, item) => {
                let Some(node) = nodes.get(name) else {
                    continue;
                };
                let with = Payload::of(&node.config);
                let shown = items::element(item, ns::PUBSUB_EVENT, with)?;
                notify::tell(place, node, &Event::items(name, vec![shown])).await?;
            }
            Ready::Retract(name, id) => {
                if let Some(node) = nodes.get(name) {
                    notify::tell(place, node, &Event::retract(name, id)).await?;
                }
            }
            Ready::Store(..) => {}
        }
    }
    for (name, id) in gone {
        let told = |node: &&Node| node.config.tells_of_the_oldest();
        if let Some(node) = nodes.get(name.as_str()).filter(told) {
            notify::tell(place, node, &Event::retract(name, id)).await?;
        }
    }
    Ok(())
}
