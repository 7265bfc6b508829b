//! XEP-0060: Publish-Subscribe, version 1.30.0, and XEP-0163: Personal Eventing Protocol, version 1.2.2.
//!
//! One engine for both: a `Place` is an account or a service at a domain of its own, and every request is
//! answered the same there but for what XEP-0163 §5 sets otherwise. What stands upon it: private data
//! (XEP-0223), device lists by publish options, and the conversions of [`super::avatars`] and
//! [`super::bookmarks`].
//!
//! Not done: collections, subscription ids, leases, the command `get-pending`, and the addresses of publishing resources (XEP-0163 §4.3.1).

mod access;
mod config;
mod conversion;
mod disco;
mod error;
mod imported;
mod interest;
mod items;
mod last;
mod nodes;
mod notify;
mod offline;
mod options;
mod people;
mod place;
mod publish;
mod remote;
mod requests;
mod service;
#[cfg(test)]
mod tests;
mod together;

use std::sync::{Arc, LazyLock};

pub(in crate::extensions) use config::{AccessModel, NodeConfig};
pub(crate) use error::{no_node, node_required, refusal, too_many_subscriptions, unsupported};
pub(crate) use imported::configuration as imported_configuration;
pub(in crate::extensions) use items::{all, item};
pub(crate) use nodes::bad_jid;
pub(crate) use notify::Event;
pub(crate) use people::{no_subid, own_jid, subscription};
pub(in crate::extensions) use place::Place;
pub(in crate::extensions) use publish::publish_own;
pub(in crate::extensions) use together::{Change, change};

use tracing::{debug, warn};

use crate::config::Config;
use crate::hooks::{At, Hooks, Iq, IqAnswer, Turn, Turns};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, IqType, StanzaError, ns};
use crate::xml::Element;

/// What is stored in a node and told of it is done in one turn, so that both have the same order. By place and node.
static TURNS: LazyLock<Turns<(BareJid, String)>> = LazyLock::new(Turns::default);

/// Waits until nobody else writes in that node.
async fn turn(place: &Place, node: &str) -> Turn<'static, (BareJid, String)> {
    TURNS.take((place.address.clone(), node.to_owned())).await
}

const ACCOUNTS: &[At] = &[At::Own, At::Account];

/// Registers accounts and services.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    let left_out = "without collections";
    for (number, title, version) in [
        ("XEP-0163", "Personal Eventing Protocol", "1.2.2"),
        ("XEP-0172", "User Nickname", "1.1"),
        (
            "XEP-0223",
            "Persistent Storage of Private Data via PubSub",
            "1.1.1",
        ),
        ("XEP-0292", "vCard4 Over XMPP", "0.12.0"),
    ] {
        hooks.document(Document::new(number, title, version));
    }
    hooks.document(Document::new("XEP-0060", "Publish-Subscribe", "1.30.0").note(left_out));
    disco::register(hooks);
    for ns in [ns::PUBSUB, ns::PUBSUB_OWNER] {
        hooks.iq_get(ACCOUNTS, ns, "pubsub", account);
        hooks.iq_set(ACCOUNTS, ns, "pubsub", account);
    }
    last::register(hooks, config);
    requests::register(hooks);
    offline::register(hooks);
    hooks.daily(|services| async move {
        match items::expire_all(&services).await {
            Ok(gone) => debug!(gone, "items that were too old"),
            Err(error) => warn!(%error, "items that are too old stay"),
        }
    });
    service::register(hooks, config);
}

async fn account(iq: Iq) -> IqAnswer {
    let place = Place::account(&iq.services, &iq.to);
    Box::pin(answer(place, iq)).await
}

/// Answers a request, by the first child that says what it is.
async fn answer(place: Place, iq: Iq) -> IqAnswer {
    let owner = iq.payload.ns() == ns::PUBSUB_OWNER;
    let request = iq
        .payload
        .children()
        .find(|child| child.ns() == iq.payload.ns());
    let request = request.ok_or_else(|| StanzaError::bad_request("an empty request"))?;
    let request = request.clone();
    if owner {
        Box::pin(owners(&place, &iq, &request)).await
    } else {
        Box::pin(everybodys(&place, &iq, &request)).await
    }
}

/// §5 to §7, and the making of nodes.
async fn everybodys(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    match (iq.kind, request.name()) {
        (IqType::Get, "items") => items::get(place, iq, request).await,
        (IqType::Get, "subscriptions") => people::own_subscriptions(place, iq, request).await,
        (IqType::Get, "affiliations") => people::own_affiliations(place, iq, request).await,
        (IqType::Get, "default") => options::default(place, iq, request).await,
        (IqType::Set, "publish") => Box::pin(publish::publish(place, iq, request)).await,
        (IqType::Set, "retract") => publish::retract(place, iq, request).await,
        (IqType::Set, "create") => nodes::create(place, iq, request).await,
        (IqType::Set, "subscribe") => people::subscribe(place, iq, request).await,
        (IqType::Set, "unsubscribe") => people::unsubscribe(place, iq, request).await,
        (_, "options") => Box::pin(options::request(place, iq, request)).await,
        _ => Err(unknown(request)),
    }
}

/// §8.
async fn owners(place: &Place, iq: &Iq, request: &Element) -> IqAnswer {
    match (iq.kind, request.name()) {
        (IqType::Get, "configure") => nodes::show(place, iq, request).await,
        (IqType::Get, "default") => Ok(Some(nodes::default(place))),
        (IqType::Get, "subscriptions") => people::subscriptions(place, iq, request).await,
        (IqType::Get, "affiliations") => people::affiliations(place, iq, request).await,
        (IqType::Set, "configure") => nodes::configure(place, iq, request).await,
        (IqType::Set, "delete") => nodes::delete(place, iq, request).await,
        (IqType::Set, "purge") => nodes::purge(place, iq, request).await,
        (IqType::Set, "subscriptions") => people::set_subscriptions(place, iq, request).await,
        (IqType::Set, "affiliations") => people::set_affiliations(place, iq, request).await,
        _ => Err(unknown(request)),
    }
}

fn unknown(request: &Element) -> StanzaError {
    StanzaError::new(Condition::FeatureNotImplemented)
        .text(format!("{} is not understood here", request.name()))
}
