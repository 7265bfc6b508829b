//! The service of one host, `center.<host>`: what it tells of itself, and the two doors of its operations.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::agents;
use super::center::{Center, Place};
use super::contacts::search;
use super::doors::{command, iq};
use super::operation::{Caller, Operation};
use super::{at_node, for_components, im, interactions, message_streams, operations};
use crate::domain::rights::Right;
use crate::hooks::{Effects, Identity, Info, Iq, IqAnswer, Item, Later, Mail, Parcel, Service};
use crate::proto::StanzaError;
use crate::proto::{Condition, IqType, Kind, MessageType, ns};
use crate::xml::Element;

/// The service of one host.
pub(super) struct Desk {
    center: Arc<Center>,
    place: Arc<Place>,
}

impl Desk {
    pub(super) fn new(center: &Arc<Center>, place: &Arc<Place>) -> Self {
        Self {
            center: Arc::clone(center),
            place: Arc::clone(place),
        }
    }
}

impl Service for Desk {
    fn request(self: Arc<Self>, iq: Iq) -> BoxFuture<'static, Option<IqAnswer>> {
        if iq.to != self.place.address {
            return Box::pin(ready(None));
        }
        match interactions::is_of_all(&iq) {
            true => Box::pin(async move {
                self.center.lanes.idle(iq.from.domain()).await;
                self.answered(iq).await
            }),
            false => self.answered(iq),
        }
    }

    fn put_off(self: Arc<Self>, iq: &Iq, request: &Mail) -> Result<Later, StanzaError> {
        match iq.to == self.place.address {
            true => interactions::put_off(&self.center, &self.place, iq, request),
            false => Ok(Later::No),
        }
    }

    fn take(self: Arc<Self>, parcel: Parcel) -> BoxFuture<'static, Result<Effects, StanzaError>> {
        Box::pin(async move {
            match parcel.stanza.kind {
                Kind::Presence(_) => Ok(Effects::default()),
                Kind::Message(MessageType::Error) => {
                    Box::pin(message_streams::take_refusal(
                        &self.center,
                        &self.place,
                        parcel,
                    ))
                    .await
                }
                Kind::Iq(IqType::Result | IqType::Error) => {
                    Box::pin(interactions::take(&self.center, &self.place, parcel)).await
                }
                Kind::Message(MessageType::Chat | MessageType::Normal)
                    if parcel
                        .stanza
                        .to
                        .as_ref()
                        .is_some_and(|to| to.bare() == &self.place.address) =>
                {
                    match interactions::answers_call(&parcel.stanza) {
                        true => {
                            Box::pin(interactions::take_call(&self.center, &self.place, parcel))
                                .await
                        }
                        false => Box::pin(im::take(&self.center, &self.place, parcel)).await,
                    }
                }
                Kind::Message(_) | Kind::Iq(IqType::Get | IqType::Set) => {
                    Err(Condition::ServiceUnavailable.into())
                }
            }
        })
    }
}

impl Desk {
    /// Each answer in a future of its own, that a request waits in none that is larger than it needs.
    fn answered(self: Arc<Self>, iq: Iq) -> BoxFuture<'static, Option<IqAnswer>> {
        match (iq.kind, iq.payload.ns(), iq.payload.name()) {
            (IqType::Get, ns::DISCO_INFO, "query") => {
                Box::pin(async move { Some(self.info(iq).await) })
            }
            (IqType::Get, ns::DISCO_ITEMS, "query") => {
                Box::pin(async move { Some(self.items(iq).await) })
            }
            (IqType::Set, ns::COMMANDS, "command") => {
                Box::pin(async move { Some(command::execute(&self.center, &self.place, iq).await) })
            }
            (_, ns::PUBSUB, "pubsub") => {
                Box::pin(async move { Some(agents::answer(&self.center, &self.place, iq).await) })
            }
            (_, search::NS, "query") => {
                Box::pin(async move { Some(search::answer(&self.center, &self.place, iq).await) })
            }
            _ => iq::answer(&self.center, &self.place, iq),
        }
    }

    /// XEP-0030 §3.
    async fn info(&self, iq: Iq) -> IqAnswer {
        let node = iq.payload.attribute("node").filter(|node| !node.is_empty());
        let mut info = Info::default();
        match node {
            None => {
                let identity = Identity::new("component", "generic", "Contact center");
                info.identities.push(identity);
                let service = Identity::new("pubsub", "service", "Contact center");
                info.identities.push(service);
                // XEP-0055: by this clients find where to search.
                let identity = Identity::new("directory", "user", "Colleagues");
                info.identities.push(identity);
                info.features = features();
            }
            Some(ns::COMMANDS) => {
                let identity = Identity::new("automation", "command-list", "Commands");
                info.identities.push(identity);
            }
            Some(node) => {
                let operation = at_node(node).ok_or(Condition::ItemNotFound)?;
                let caller = super::doors::caller(&self.center, &self.place, &iq).await?;
                super::doors::require(&caller, operation)?;
                let identity = Identity::new("automation", "command-node", operation.title);
                info.identities.push(identity);
                info.features = vec![ns::COMMANDS.into(), ns::DATA_FORMS.into()];
                // Also what is subscribed to, under the same name and with the same right.
                if node == agents::NODE {
                    let also = agents::info();
                    info.identities.extend(also.identities);
                    info.features.extend(also.features);
                    info.forms.extend(also.forms);
                }
            }
        }
        Ok(Some(info.to_element(node)))
    }

    /// XEP-0030 §4; XEP-0050 §2.3: the commands that the asker may execute.
    async fn items(&self, iq: Iq) -> IqAnswer {
        let node = iq.payload.attribute("node").filter(|node| !node.is_empty());
        let query = Element::new(ns::DISCO_ITEMS, "query").attr_opt("node", node);
        match node {
            None => Ok(Some(query.children_from(self.nodes_for(&iq).await))),
            Some(ns::COMMANDS) => {
                let caller = super::doors::caller(&self.center, &self.place, &iq).await?;
                Ok(Some(query.children_from(self.commands_for(&caller))))
            }
            Some(_) => Err(Condition::ItemNotFound.into()),
        }
    }
}

impl Desk {
    /// What the asker may subscribe to (XEP-0060 §5.2).
    async fn nodes_for(&self, iq: &Iq) -> Option<Element> {
        let caller = super::doors::caller(&self.center, &self.place, iq).await;
        let caller = caller.ok()?;
        let node = Item {
            jid: self.place.address.clone().into(),
            node: Some(agents::NODE.to_owned()),
            name: Some("Agents and their states".to_owned()),
        };
        let may = caller.rights.has(Right::AgentList);
        may.then(|| node.to_element())
    }

    fn commands_for(&self, caller: &Caller) -> Vec<Element> {
        let own = operations().filter(|it| super::doors::require(caller, it).is_ok());
        let item = |operation: &Operation| Item {
            jid: self.place.address.clone().into(),
            node: Some(operation.node.to_owned()),
            name: Some(operation.title.to_owned()),
        };
        own.map(|operation| item(operation).to_element()).collect()
    }
}

fn features() -> Vec<std::borrow::Cow<'static, str>> {
    let mut features: Vec<&'static str> = operations().map(|operation| operation.ns).collect();
    features.extend(for_components().map(|open| open.ns));
    features.extend(agents::FEATURES);
    features.extend([
        ns::DISCO_INFO,
        ns::DISCO_ITEMS,
        ns::COMMANDS,
        ns::DATA_FORMS,
        ns::RSM,
        search::NS,
    ]);
    features.sort_unstable();
    features.dedup();
    features.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests {
    use super::features;

    /// Every namespace that has a document is announced; that of errors names nothing that can be asked for.
    #[test]
    fn what_is_published_is_announced() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas");
        let mut published = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if let Some(stem) = name.strip_suffix(".md").filter(|stem| *stem != "README") {
                published.push(format!("urn:parlour:{stem}:0"));
            }
        }
        published.retain(|it| it != crate::contact_center::errors::NS);
        let features = features();
        for namespace in published {
            assert!(features.iter().any(|it| **it == namespace), "{namespace}");
        }
    }
}
