//! XEP-0030: Service Discovery, version 2.5.0, with the forms of XEP-0128, version 1.0.1.
//!
//! Answers what a host or an account is, can do, and has under it. What others contribute is in
//! [`crate::hooks::Disco`]; this file decides who may ask. Publishing items (§5) is not
//! done. Answers are not split into pages: the lists of a host and of an account are
//! bounded by the configuration.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{Ask, At, Hooks, Identity, Info, Iq, IqAnswer, Item, Session};
use crate::proto::document::Document;
use crate::proto::{Condition, StanzaError, ns};
use crate::store::StoreError;
use crate::xml::Element;

const EVERYWHERE: &[At] = &[At::Host, At::Own, At::Account];

/// Registers the answers.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0030", "Service Discovery", "2.5.0"));
    hooks.document(Document::new(
        "XEP-0128",
        "Service Discovery Extensions",
        "1.0.1",
    ));
    hooks.feature(EVERYWHERE, ns::DISCO_INFO);
    hooks.feature(EVERYWHERE, ns::DISCO_ITEMS);
    hooks.identity(At::Host, Identity::new("server", "im", "Parlour"));
    for at in [At::Own, At::Account] {
        let account = Identity {
            name: None,
            ..Identity::new("account", "registered", "")
        };
        hooks.identity(at, account);
    }
    hooks.disco_items(&[At::Own, At::Account], resources);
    hooks.iq_get(EVERYWHERE, ns::DISCO_INFO, "query", info);
    hooks.iq_get(EVERYWHERE, ns::DISCO_ITEMS, "query", items);
}

/// §3.
async fn info(iq: Iq) -> IqAnswer {
    if !may_ask(&iq).await? {
        // §8 rule 1: what does not exist and what is not for the asker look the same.
        return Err(Condition::ServiceUnavailable.into());
    }
    let services = Arc::clone(&iq.services);
    let ask = ask(iq);
    let info: Info = if ask.node.is_none() {
        services.disco_info(ask.iq.at, &ask.iq.to)
    } else {
        let disco = services.hooks.disco();
        disco.node_info(&ask).await?.ok_or_else(unknown_node)?
    };
    Ok(Some(info.to_element(ask.node.as_deref())))
}

/// §4.
async fn items(iq: Iq) -> IqAnswer {
    let services = Arc::clone(&iq.services);
    let may_ask = may_ask(&iq).await?;
    let ask = ask(iq);
    let items = if may_ask {
        services
            .hooks
            .disco()
            .list(&ask)
            .await?
            .ok_or_else(unknown_node)?
    } else {
        // §8 rule 2: an empty set, whether the account exists or not.
        Vec::new()
    };
    let query = Element::new(ns::DISCO_ITEMS, "query")
        .attr_opt("node", ask.node.as_ref())
        .children_from(items.iter().map(Item::to_element));
    Ok(Some(query))
}

/// Whether the asker may learn of the address: of another's account only if the account lets it see
/// its presence (§8).
async fn may_ask(iq: &Iq) -> Result<bool, StoreError> {
    match iq.at {
        At::Host | At::Service => Ok(true),
        At::Own | At::Account => iq.may_see_presence().await,
    }
}

fn ask(iq: Iq) -> Ask {
    let node = iq.payload.attribute("node").map(str::to_owned);
    // Some clients send an empty node and mean none.
    let node = node.filter(|node| !node.is_empty());
    Ask { iq, node }
}

fn unknown_node() -> StanzaError {
    StanzaError::new(Condition::ItemNotFound).text("there is no such node")
}

/// The available resources of an account (§8 rule 2.2).
async fn resources(ask: Ask) -> Result<Option<Vec<Item>>, StanzaError> {
    if ask.node.is_some() {
        return Ok(None);
    }
    let online = ask.iq.services.online(&ask.iq.to);
    let sessions = online.map(|account| account.sessions()).unwrap_or_default();
    let available = sessions.iter().filter(|session| session.is_available());
    let item = |session: &Arc<Session>| Item {
        jid: session.address(),
        node: None,
        name: None,
    };
    Ok(Some(available.map(item).collect()))
}

#[cfg(test)]
mod tests;
