//! Service discovery of nodes and items (XEP-0060 §5.2 to §5.5).

use super::access;
use super::items;
use super::place::{Face, Node, Place};
use crate::hooks::{Ask, At, Hooks, Identity, Info, Item};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::{Condition, StanzaError, ns};

/// §16.4.3.
const META_DATA: &str = "http://jabber.org/protocol/pubsub#meta-data";

/// What every place of this server can do (§10).
const COMMON: &[&str] = &[
    ns::PUBSUB,
    "http://jabber.org/protocol/pubsub#access-authorize",
    "http://jabber.org/protocol/pubsub#access-open",
    "http://jabber.org/protocol/pubsub#access-whitelist",
    "http://jabber.org/protocol/pubsub#auto-create",
    "http://jabber.org/protocol/pubsub#config-node",
    "http://jabber.org/protocol/pubsub#config-node-max",
    "http://jabber.org/protocol/pubsub#create-and-configure",
    "http://jabber.org/protocol/pubsub#create-nodes",
    "http://jabber.org/protocol/pubsub#delete-items",
    "http://jabber.org/protocol/pubsub#delete-nodes",
    "http://jabber.org/protocol/pubsub#instant-nodes",
    "http://jabber.org/protocol/pubsub#item-ids",
    "http://jabber.org/protocol/pubsub#manage-subscriptions",
    "http://jabber.org/protocol/pubsub#member-affiliation",
    "http://jabber.org/protocol/pubsub#meta-data",
    "http://jabber.org/protocol/pubsub#modify-affiliations",
    "http://jabber.org/protocol/pubsub#multi-items",
    "http://jabber.org/protocol/pubsub#outcast-affiliation",
    "http://jabber.org/protocol/pubsub#persistent-items",
    "http://jabber.org/protocol/pubsub#publish",
    "http://jabber.org/protocol/pubsub#publish-node-full",
    "http://jabber.org/protocol/pubsub#publish-only-affiliation",
    "http://jabber.org/protocol/pubsub#publish-options",
    "http://jabber.org/protocol/pubsub#publisher-affiliation",
    "http://jabber.org/protocol/pubsub#purge-nodes",
    "http://jabber.org/protocol/pubsub#retract-items",
    "http://jabber.org/protocol/pubsub#retrieve-affiliations",
    "http://jabber.org/protocol/pubsub#retrieve-default",
    "http://jabber.org/protocol/pubsub#retrieve-default-sub",
    "http://jabber.org/protocol/pubsub#retrieve-items",
    "http://jabber.org/protocol/pubsub#retrieve-subscriptions",
    "http://jabber.org/protocol/pubsub#rsm",
    "http://jabber.org/protocol/pubsub#subscribe",
    "http://jabber.org/protocol/pubsub#subscription-notifications",
    "http://jabber.org/protocol/pubsub#subscription-options",
];

/// What only accounts can do (XEP-0163 §5).
const ACCOUNTS: &[&str] = &[
    "http://jabber.org/protocol/pubsub#access-presence",
    "http://jabber.org/protocol/pubsub#access-roster",
    "http://jabber.org/protocol/pubsub#auto-subscribe",
    "http://jabber.org/protocol/pubsub#filtered-notifications",
    "http://jabber.org/protocol/pubsub#last-published",
    "http://jabber.org/protocol/pubsub#presence-notifications",
    "http://jabber.org/protocol/pubsub#presence-subscribe",
    "http://jabber.org/protocol/pubsub#pubsub-on-a-jid",
];

const EVERYBODY: &[At] = &[At::Own, At::Account];

/// Announces what accounts can do, on the accounts and on the host (XEP-0223 §5, XEP-0163 §6.1).
pub(super) fn register(hooks: &mut Hooks) {
    for at in [At::Own, At::Account, At::Host] {
        let pep = Identity {
            name: None,
            ..Identity::new("pubsub", "pep", "")
        };
        hooks.identity(at, pep);
        for feature in COMMON.iter().chain(ACCOUNTS) {
            hooks.feature(&[at], feature);
        }
    }
    hooks.disco_node(EVERYBODY, |ask| async move {
        let place = Place::account(&ask.iq.services, &ask.iq.to);
        node_info(&place, &ask).await
    });
    hooks.disco_items(EVERYBODY, |ask| async move {
        let place = Place::account(&ask.iq.services, &ask.iq.to);
        list(&place, &ask).await
    });
}

/// What a service is and can do.
pub(super) fn service() -> Info {
    let known = [ns::DISCO_INFO, ns::DISCO_ITEMS];
    Info {
        identities: vec![Identity::new("pubsub", "service", "Publish-subscribe")],
        features: COMMON.iter().chain(&known).map(|it| (*it).into()).collect(),
        forms: Vec::new(),
    }
}

/// §5.3, §5.4. A node that the asker may not read is not told apart from none.
pub(super) async fn node_info(place: &Place, ask: &Ask) -> Result<Option<Info>, StanzaError> {
    let Some(name) = ask.node.as_deref() else {
        return Ok(None);
    };
    let Some(node) = readable(place, name, ask).await? else {
        return Ok(None);
    };
    let leaf = Identity {
        name: node.config.title.clone().map(Into::into),
        ..Identity::new("pubsub", "leaf", "")
    };
    let found = place
        .store()
        .count_before(&place.address, name, i64::MAX)
        .await?;
    let text = |var: &str, value: &str| Field::new(var, FieldType::TextSingle).value(value);
    let config = &node.config;
    let mut form = Form::new(FormType::Result)
        .form_type(META_DATA)
        .field(text("pubsub#access_model", config.access.name()))
        .field(text("pubsub#publish_model", config.publish.name()))
        .field(text(
            "pubsub#creation_date",
            &node.stored.created_at.to_string(),
        ))
        .field(
            Field::new("pubsub#creator", FieldType::JidSingle).value(node.stored.creator.as_str()),
        )
        .field(text("pubsub#num_items", &found.to_string()));
    for (var, value) in [
        ("pubsub#title", &config.title),
        ("pubsub#description", &config.description),
        ("pubsub#type", &config.kind),
    ] {
        if let Some(value) = value {
            form = form.field(text(var, value));
        }
    }
    Ok(Some(Info {
        identities: vec![leaf],
        features: vec![ns::DISCO_INFO.into(), ns::PUBSUB.into()],
        forms: vec![form],
    }))
}

/// §5.2 and §5.5: the nodes that the asker may read, or the items of one of them.
pub(super) async fn list(place: &Place, ask: &Ask) -> Result<Option<Vec<Item>>, StanzaError> {
    let item = |node: Option<String>, name: Option<String>| Item {
        jid: place.address.clone().into(),
        node,
        name,
    };
    let Some(name) = ask.node.as_deref() else {
        let mut found = Vec::new();
        for node in place.nodes().await? {
            if may_read(place, &node, ask).await? {
                found.push(item(Some(node.name), node.config.title));
            }
        }
        return Ok(Some(found));
    };
    let Some(node) = readable(place, name, ask).await? else {
        return Ok(None);
    };
    items::expire(place, &node).await?;
    let found = items::all(place, name).await?;
    Ok(Some(
        found
            .into_iter()
            .map(|it| item(None, Some(it.id)))
            .collect(),
    ))
}

async fn readable(place: &Place, name: &str, ask: &Ask) -> Result<Option<Node>, StanzaError> {
    match place.find(name).await? {
        Some(node) if may_read(place, &node, ask).await? => Ok(Some(node)),
        Some(_) if place.face == Face::Service => Err(Condition::Forbidden.into()),
        Some(_) | None => Ok(None),
    }
}

async fn may_read(place: &Place, node: &Node, ask: &Ask) -> Result<bool, StanzaError> {
    let viewer = place.viewer(node, ask.iq.from.bare()).await?;
    Ok(access::read(&node.config, &viewer).is_ok())
}
