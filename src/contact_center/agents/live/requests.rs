//! What is asked of the node: to subscribe, to unsubscribe, which subscriptions one has, and the items
//! (XEP-0060 §5.3, §5.6, §6.1, §6.2, §6.5).

use std::sync::Arc;

use super::{NODE, headline, watchers};
use crate::contact_center::agents::list::{PAGE_MAX, item, page_of};
use crate::contact_center::agents::operations::NS;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::doors;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::domain::rights::Right;
use crate::extensions::pubsub::{
    Event, bad_jid, no_node, no_subid, node_required, own_jid, refusal, subscription, unsupported,
};
use crate::hooks::{Identity, Info, Iq, IqAnswer};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::common::rsm::PageRequest;
use crate::proto::{Condition, ErrorType, IqType, StanzaError, ns};
use crate::xml::Element;

/// What of XEP-0060 the service can do (§10).
pub(in crate::contact_center) const FEATURES: &[&str] = &[
    ns::PUBSUB,
    "http://jabber.org/protocol/pubsub#item-ids",
    "http://jabber.org/protocol/pubsub#meta-data",
    "http://jabber.org/protocol/pubsub#persistent-items",
    "http://jabber.org/protocol/pubsub#retrieve-items",
    "http://jabber.org/protocol/pubsub#retrieve-subscriptions",
    "http://jabber.org/protocol/pubsub#rsm",
    "http://jabber.org/protocol/pubsub#subscribe",
    "http://jabber.org/protocol/pubsub#subscription-notifications",
];

/// XEP-0060 §16.4.3.
const META_DATA: &str = "http://jabber.org/protocol/pubsub#meta-data";

/// What is asked for and cannot be had: nobody publishes, configures or owns.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("affiliations", "retrieve-affiliations"),
    ("create", "create-nodes"),
    ("default", "retrieve-default-sub"),
    ("options", "subscription-options"),
    ("publish", "publish"),
    ("retract", "retract-items"),
];

/// Items of one request by their ids.
const IDS_MAX: usize = 100;

/// What the node is (§5.3), for those who may subscribe to it.
pub(in crate::contact_center) fn info() -> Info {
    let text = |var, value: &str| Field::new(var, FieldType::TextSingle).value(value);
    let about = Form::new(FormType::Result)
        .form_type(META_DATA)
        .field(text("pubsub#title", "Agents and their states"))
        .field(text("pubsub#type", NS));
    Info {
        identities: vec![Identity::new("pubsub", "leaf", "Agents and their states")],
        features: vec![ns::PUBSUB.into()],
        forms: vec![about],
    }
}

/// Answers a request.
pub(in crate::contact_center) async fn answer(
    center: &Arc<Center>,
    place: &Arc<Place>,
    iq: Iq,
) -> IqAnswer {
    let mut requests = iq.payload.children().filter(|it| it.ns() == ns::PUBSUB);
    let request = requests.next();
    let request = request.ok_or_else(|| StanzaError::bad_request("an empty request"))?;
    let request = request.clone();
    let asked = Asked {
        caller: doors::caller(center, place, &iq).await?,
        iq: &iq,
        request: &request,
    };
    match (iq.kind, request.name()) {
        (IqType::Set, "subscribe") => asked.subscribe().await,
        (IqType::Set, "unsubscribe") => asked.unsubscribe().await,
        (IqType::Get, "subscriptions") => asked.subscriptions(),
        (IqType::Get, "items") => asked.items(),
        (_, name) => {
            let feature = UNSUPPORTED.iter().find(|(request, _)| *request == name);
            Err(match feature {
                Some((_, feature)) => unsupported(feature),
                None => StanzaError::bad_request("there is no such request"),
            })
        }
    }
}

/// A request, with who asks.
struct Asked<'a> {
    caller: Caller,
    iq: &'a Iq,
    request: &'a Element,
}

impl Asked<'_> {
    /// That the node is named which there is.
    fn require_node(&self) -> Result<(), StanzaError> {
        match self.request.attribute("node") {
            None => Err(node_required()),
            Some(NODE) => Ok(()),
            Some(_) => Err(no_node()),
        }
    }

    /// That the caller may see all agents.
    fn require_right(&self) -> Result<(), StanzaError> {
        let missing = self.caller.rights.require(Right::AgentList);
        missing.map_err(|missing| Refused::from(missing).into())
    }

    /// §6.1.
    async fn subscribe(&self) -> IqAnswer {
        self.require_right()?;
        self.require_node()?;
        let jid = own_jid(self.iq, self.request)?.ok_or_else(bad_jid)?;
        let Caller {
            center,
            services,
            place,
            ..
        } = &self.caller;
        watchers::join(center, services, place, &jid).await?;
        let subscribed = subscription(NODE, &jid, "subscribed");
        Ok(Some(Element::new(ns::PUBSUB, "pubsub").child(subscribed)))
    }

    /// §6.2. Whoever has lost the right may go nevertheless.
    async fn unsubscribe(&self) -> IqAnswer {
        self.require_node()?;
        let jid = own_jid(self.iq, self.request)?.ok_or(Condition::Forbidden)?;
        let subid = self.request.attribute("subid");
        if subid.is_some_and(|subid| !subid.is_empty()) {
            return Err(no_subid());
        }
        let Caller {
            center,
            services,
            place,
            ..
        } = &self.caller;
        if !watchers::leave(center, services, place, &jid).await? {
            let not_subscribed = refusal(Condition::UnexpectedRequest, "not-subscribed");
            return Err(not_subscribed.kind(ErrorType::Cancel));
        }
        // §12.18: at the address that was subscribed, which need not be the one that asked.
        let ended = headline(place, &Event::subscription(NODE, &jid, "none"));
        services.route(ended.to(jid.clone())).await;
        let ended = subscription(NODE, &jid, "none");
        Ok(Some(Element::new(ns::PUBSUB, "pubsub").child(ended)))
    }

    /// §5.6.
    fn subscriptions(&self) -> IqAnswer {
        let wanted = self.request.attribute("node");
        if wanted.is_some() {
            self.require_node()?;
        }
        let Caller { center, place, .. } = &self.caller;
        let watchers = center.agents.live.watchers.of(&place.host);
        let own = watchers.jids.iter();
        let own = own.filter(|jid| jid.bare() == self.iq.from.bare());
        let list = Element::new(ns::PUBSUB, "subscriptions")
            .attr_opt("node", wanted)
            .children_from(own.map(|jid| subscription(NODE, jid, "subscribed")));
        Ok(Some(Element::new(ns::PUBSUB, "pubsub").child(list)))
    }

    /// §6.5: all in pages, the first of them, or those of certain ids.
    fn items(&self) -> IqAnswer {
        self.require_right()?;
        self.require_node()?;
        let Caller { center, place, .. } = &self.caller;
        let mut all = center.agents.of_host(&place.host);
        let named = self.request.children();
        let named: Vec<&str> = named
            .filter(|child| child.is(ns::PUBSUB, "item"))
            .filter_map(|item| item.attribute("id"))
            .collect();
        let mut asked = PageRequest::of(&self.iq.payload)?;
        if !named.is_empty() {
            if named.len() > IDS_MAX {
                let many = StanzaError::new(Condition::PolicyViolation);
                return Err(many.text("too many items at once"));
            }
            all.retain(|seen| named.contains(&seen.agent.id.jid().as_str()));
            if all.is_empty() {
                return Err(Condition::ItemNotFound.into());
            }
            asked = PageRequest::default();
        } else if let Some(max) = self.request.attribute("max_items") {
            let max = max.parse::<u32>();
            let max = max.map_err(|_| StanzaError::bad_request("max_items is no number"))?;
            asked.max = Some(asked.max.unwrap_or(max).min(max));
        }
        let (range, page) = page_of(&all, &asked, PAGE_MAX);
        let is_page = asked != PageRequest::default() || range.len() < all.len();
        let shown = all.get(range).unwrap_or_default().iter();
        let list = Element::new(ns::PUBSUB, "items")
            .attr("node", NODE)
            .children_from(shown.map(|seen| item(ns::PUBSUB, seen)));
        let pubsub = Element::new(ns::PUBSUB, "pubsub").child(list);
        Ok(Some(pubsub.child_opt(is_page.then(|| page.to_element()))))
    }
}
