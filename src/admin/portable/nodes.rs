//! What an account publishes, with who may see it (XEP-0227 §4.10).

use std::collections::HashMap;

use super::Rules;
use crate::proto::common::kept;
use crate::proto::{BareJid, Jid, ns};
use crate::store::{
    ArrivedItem, ArrivedNode, PubsubAffiliation, PubsubItem, PubsubNode, PubsubSubscription,
    SubscriptionState,
};
use crate::xml::Element;

/// A node as the owner sees it: its configuration and its people.
pub(super) fn write_owner(
    node: &PubsubNode,
    affiliations: &[PubsubAffiliation],
    subscriptions: &[PubsubSubscription],
) -> Vec<Element> {
    let about = |name: &str| Element::new(ns::PUBSUB_OWNER, name).attr("node", &node.node);
    let mut elements = Vec::new();
    elements.push(about("configure").child_opt(kept::from_bytes(&node.config).ok()));
    let given = affiliations.iter().map(|given| {
        Element::new(ns::PUBSUB_OWNER, "affiliation")
            .attr("jid", &given.jid)
            .attr("affiliation", &given.affiliation)
    });
    let subscribed = subscriptions.iter().map(|subscribed| {
        let state = match subscribed.state {
            SubscriptionState::Pending => "pending",
            SubscriptionState::Subscribed => "subscribed",
        };
        Element::new(ns::PUBSUB_OWNER, "subscription")
            .attr("jid", subscribed.jid.to_string())
            .attr("subscription", state)
    });
    if !affiliations.is_empty() {
        elements.push(about("affiliations").children_from(given));
    }
    if !subscriptions.is_empty() {
        elements.push(about("subscriptions").children_from(subscribed));
    }
    elements
}

/// An item; who published it is told where that was not the owner.
pub(super) fn write_item(item: &PubsubItem, owner: &BareJid) -> Element {
    let publisher = (item.publisher != owner.as_str()).then_some(item.publisher.as_str());
    let payload = (!item.payload.is_empty()).then(|| kept::from_bytes(&item.payload).ok());
    Element::new(ns::PUBSUB, "item")
        .attr("id", &item.id)
        .attr_opt("publisher", publisher)
        .child_opt(payload.flatten())
}

/// The nodes of one account, as far as they are read.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    order: Vec<String>,
    read: HashMap<String, (ArrivedNode, Option<Element>)>,
}

impl Nodes {
    fn node(&mut self, name: &str) -> &mut (ArrivedNode, Option<Element>) {
        if !self.read.contains_key(name) {
            self.order.push(name.to_owned());
        }
        self.read.entry(name.to_owned()).or_insert_with(|| {
            let node = ArrivedNode {
                name: name.to_owned(),
                ..ArrivedNode::default()
            };
            (node, None)
        })
    }

    /// Reads `<pubsub/>` in the namespace of owners.
    pub(super) fn read_owner(&mut self, pubsub: &Element, notes: &mut Vec<String>) {
        for child in pubsub
            .children()
            .filter(|child| child.ns() == ns::PUBSUB_OWNER)
        {
            let Some(name) = child.attribute("node").filter(|name| !name.is_empty()) else {
                notes.push(format!("<{}/> without a node is left out", child.name()));
                continue;
            };
            let (node, config) = self.node(name);
            match child.name() {
                "configure" => *config = child.find(ns::DATA_FORMS, "x").cloned(),
                "affiliations" => read_affiliations(node, child, notes),
                "subscriptions" => read_subscriptions(node, child, notes),
                other => notes.push(format!("<{other}/> of the node {name:?} is left out")),
            }
        }
    }

    /// Reads `<pubsub/>` with the items.
    pub(super) fn read_items(
        &mut self,
        pubsub: &Element,
        owner: &BareJid,
        notes: &mut Vec<String>,
    ) {
        for list in pubsub
            .children()
            .filter(|child| child.is(ns::PUBSUB, "items"))
        {
            let Some(name) = list.attribute("node").filter(|name| !name.is_empty()) else {
                notes.push("items without a node are left out".to_owned());
                continue;
            };
            let (node, _) = self.node(name);
            for item in list.children().filter(|child| child.is(ns::PUBSUB, "item")) {
                let Some(id) = item.attribute("id").filter(|id| !id.is_empty()) else {
                    notes.push(format!(
                        "an item of the node {name:?} without an id is left out"
                    ));
                    continue;
                };
                let publisher = item
                    .attribute("publisher")
                    .and_then(|jid| Jid::parse(jid).ok());
                let publisher = publisher.map_or_else(|| owner.clone(), |jid| jid.bare().clone());
                node.items.push(ArrivedItem {
                    id: id.to_owned(),
                    publisher: publisher.to_string(),
                    payload: item
                        .children()
                        .next()
                        .map(kept::to_bytes)
                        .unwrap_or_default(),
                });
            }
        }
    }

    /// The nodes in the order in which they were met.
    pub(super) fn finish(mut self, rules: &Rules, notes: &mut Vec<String>) -> Vec<ArrivedNode> {
        let mut nodes = Vec::with_capacity(self.order.len());
        for name in self.order {
            if let Some((mut node, config)) = self.read.remove(&name) {
                let (config, left_out) = (rules.node)(config.as_ref(), node.items.len());
                node.config = config;
                notes.extend(
                    left_out
                        .into_iter()
                        .map(|what| format!("node {name:?}: {what}")),
                );
                nodes.push(node);
            }
        }
        nodes
    }
}

fn read_affiliations(node: &mut ArrivedNode, list: &Element, notes: &mut Vec<String>) {
    let given = list
        .children()
        .filter(|child| child.name() == "affiliation");
    for given in given {
        let jid = given.attribute("jid").map(Jid::parse);
        match (jid, given.attribute("affiliation")) {
            (
                Some(Ok(jid)),
                Some(known @ ("owner" | "publisher" | "publish-only" | "member" | "outcast")),
            ) => {
                node.affiliations
                    .push((jid.bare().clone(), known.to_owned()));
            }
            (_, Some("none")) => {}
            _ => notes.push(format!(
                "an affiliation with the node {:?} is left out",
                node.name
            )),
        }
    }
}

fn read_subscriptions(node: &mut ArrivedNode, list: &Element, notes: &mut Vec<String>) {
    let subscribed = list
        .children()
        .filter(|child| child.name() == "subscription");
    for subscribed in subscribed {
        let jid = subscribed.attribute("jid").map(Jid::parse);
        // Prosody 0.12 writes the state under the name of the state.
        let state = subscribed
            .attribute("subscription")
            .or_else(|| subscribed.attribute("subscribed"));
        match (jid, state) {
            (Some(Ok(jid)), Some("subscribed")) => node.subscriptions.push((jid, false)),
            (Some(Ok(jid)), Some("pending")) => node.subscriptions.push((jid, true)),
            (_, Some("none")) => {}
            _ => notes.push(format!(
                "a subscription to the node {:?} is left out",
                node.name
            )),
        }
    }
}
