//! The service that each host has at a domain of its own (XEP-0060 §4).

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::place::{Face, Place};
use super::{disco, requests};
use crate::config::Config;
use crate::hooks::{Ask, At, Effects, Hooks, Iq, IqAnswer, Item, Parcel, Service, Services};
use crate::proto::{BareJid, Condition, IqType, Kind, MessageType, StanzaError, ns};
use crate::xml::Element;

/// A service and where it is.
#[derive(Debug)]
struct Pubsub {
    address: BareJid,
}

/// Puts a service beside each host, and lists it there.
pub(super) fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    for host in &config.hosts {
        if let Some(address) = config.pubsub.service.under(host.domain.as_str()) {
            hooks.service(address.clone(), Arc::new(Pubsub { address }));
        }
    }
    let config = Arc::clone(config);
    hooks.disco_items(&[At::Host], move |ask| {
        let under = config.pubsub.service.under(ask.iq.to.domain().as_str());
        async move {
            let item = |jid: BareJid| Item {
                jid: jid.into(),
                node: None,
                name: Some("Publish-subscribe".to_owned()),
            };
            Ok(ask
                .node
                .is_none()
                .then(|| under.map(item).into_iter().collect()))
        }
    });
}

impl Pubsub {
    fn place(&self, services: &Arc<Services>) -> Place {
        Place {
            services: Arc::clone(services),
            address: self.address.clone(),
            face: Face::Service,
        }
    }
}

impl Service for Pubsub {
    fn request(self: Arc<Self>, iq: Iq) -> BoxFuture<'static, Option<IqAnswer>> {
        Box::pin(async move {
            if iq.to != self.address {
                return None;
            }
            let place = self.place(&iq.services);
            match (iq.kind, iq.payload.ns(), iq.payload.name()) {
                (_, ns::PUBSUB | ns::PUBSUB_OWNER, "pubsub") => {
                    Some(Box::pin(super::answer(place, iq)).await)
                }
                (IqType::Get, ns::DISCO_INFO, "query") => Some(Box::pin(info(&place, iq)).await),
                (IqType::Get, ns::DISCO_ITEMS, "query") => Some(Box::pin(list(&place, iq)).await),
                _ => None,
            }
        })
    }

    fn take(self: Arc<Self>, parcel: Parcel) -> BoxFuture<'static, Result<Effects, StanzaError>> {
        Box::pin(async move {
            match parcel.stanza.kind {
                // §12.4: what comes back of notifications says nothing that would be acted upon.
                Kind::Presence(_) | Kind::Iq(IqType::Result | IqType::Error) => {
                    Ok(Effects::default())
                }
                Kind::Message(MessageType::Error) => Ok(Effects::default()),
                Kind::Message(_)
                    if parcel
                        .stanza
                        .to
                        .as_ref()
                        .is_some_and(|to| to.is_bare() && *to.bare() == self.address) =>
                {
                    let Some(form) = requests::answer_in(&parcel.stanza) else {
                        return Err(Condition::ServiceUnavailable.into());
                    };
                    let place = self.place(&parcel.services);
                    let from = parcel.stanza.from.clone().ok_or(Condition::BadRequest)?;
                    requests::answered(&place, from.bare(), &form).await?;
                    Ok(Effects::default())
                }
                Kind::Message(_) | Kind::Iq(IqType::Get | IqType::Set) => {
                    Err(Condition::ServiceUnavailable.into())
                }
            }
        })
    }
}

/// §5.1, §5.3.
async fn info(place: &Place, iq: Iq) -> IqAnswer {
    let ask = ask(iq);
    let info = match &ask.node {
        None => disco::service(),
        Some(_) => disco::node_info(place, &ask)
            .await?
            .ok_or_else(super::error::no_node)?,
    };
    Ok(Some(info.to_element(ask.node.as_deref())))
}

/// §5.2, §5.5.
async fn list(place: &Place, iq: Iq) -> IqAnswer {
    let ask = ask(iq);
    let found = disco::list(place, &ask)
        .await?
        .ok_or_else(super::error::no_node)?;
    let query = Element::new(ns::DISCO_ITEMS, "query").attr_opt("node", ask.node.as_ref());
    Ok(Some(
        query.children_from(found.iter().map(Item::to_element)),
    ))
}

fn ask(iq: Iq) -> Ask {
    let node = iq.payload.attribute("node").map(str::to_owned);
    Ask {
        node: node.filter(|node| !node.is_empty()),
        iq,
    }
}
