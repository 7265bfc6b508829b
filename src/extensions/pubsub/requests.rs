//! Subscriptions that an owner of the node is asked about (XEP-0060 §8.6), where the access model is `authorize`.
//!
//! All owners are asked; the first that answers decides (§12.5). A request that nobody answered is found among the
//! subscriptions of the node (§8.8.1), where owners may decide about it as well.

use super::access::Affiliation;
use super::config::SendLast;
use super::error::{forbidden, no_node, refusal, too_many_subscriptions};
use super::items;
use super::notify::{self, Event};
use super::options;
use super::people;
use super::place::{Node, Place};
use crate::hooks::{Flow, Hooks, Passage, Stage};
use crate::proto::common::forms::{Field, FieldType, Form, FormType};
use crate::proto::{BareJid, Condition, Jid, Kind, MessageType, Stanza, StanzaError, ns};
use crate::store::{Put, SubscriptionState};
use crate::xml::Element;

/// §16.4.1.
const AUTHORIZATION: &str = "http://jabber.org/protocol/pubsub#subscribe_authorization";

/// Registers what owners of accounts answer to themselves.
pub(super) fn register(hooks: &mut Hooks) {
    hooks.outgoing_message(Stage::Guard, own_answer);
}

/// An answer to the account's own bare address goes no further.
fn own_answer(passage: &mut Passage<'_>) -> Flow {
    let own = |to: &Jid| to.is_bare() && to.bare() == passage.account;
    if !passage.stanza.to.as_ref().is_none_or(own) {
        return Flow::Continue;
    }
    let Some(form) = answer_in(passage.stanza) else {
        return Flow::Continue;
    };
    let place = Place::account(passage.services, passage.account);
    passage.effects.then(async move {
        let owner = place.address.clone();
        Box::pin(answered(&place, &owner, &form)).await
    });
    Flow::Stop
}

/// §6.1.4: notes the request and asks the owners.
///
/// # Errors
/// `pending-subscription` where they are asked already (§6.1.3.7).
pub(super) async fn ask(place: &Place, node: &Node, jid: &Jid) -> Result<(), StanzaError> {
    let store = place.store();
    if store
        .subscription(&place.address, &node.name, jid)
        .await?
        .is_some()
    {
        return Err(refusal(Condition::NotAuthorized, "pending-subscription"));
    }
    let max = place.limits().subscriptions_per_node_max;
    let state = SubscriptionState::Pending;
    match store
        .subscribe(&place.address, &node.name, jid, state, max)
        .await?
    {
        Put::Stored => {}
        Put::Full => return Err(too_many_subscriptions()),
    }
    let mut message = Stanza::message(MessageType::Normal)
        .from(place.address.clone())
        .child(&Element::new(ns::CLIENT, "body").text(format!(
            "{jid} asks to subscribe to {} at {}.",
            node.name, place.address
        )))
        .child(&question(node, jid).to_element());
    message.id = Some(crate::id::random().into());
    let all = people::all(place, node).await?;
    let owners = all.into_iter().filter(|(_, it)| *it == Affiliation::Owner);
    for (owner, _) in owners {
        place.services.route(message.clone().to(owner)).await;
    }
    Ok(())
}

fn question(node: &Node, jid: &Jid) -> Form {
    let text = |var: &str, kind, label: &str| Field::new(var, kind).label(label);
    let node = text("pubsub#node", FieldType::TextSingle, "Node").value(node.name.as_str());
    let who = text("pubsub#subscriber_jid", FieldType::JidSingle, "Who");
    let allow = text("pubsub#allow", FieldType::Boolean, "Let it subscribe");
    Form::new(FormType::Form)
        .title("A request to subscribe")
        .form_type(AUTHORIZATION)
        .field(node)
        .field(who.value(jid.to_string()))
        .field(allow.value("0"))
}

/// The form of an owner's answer in a message.
pub(super) fn answer_in(message: &Stanza) -> Option<Form> {
    if matches!(
        message.kind,
        Kind::Message(MessageType::Error | MessageType::Groupchat)
    ) {
        return None;
    }
    let form = message
        .find(ns::DATA_FORMS, "x")?
        .to_element(ns::CLIENT)
        .ok()?;
    let form = Form::parse(&form).ok()?;
    let answer = matches!(form.kind, FormType::Submit | FormType::Cancel);
    (answer && form.type_name() == Some(AUTHORIZATION)).then_some(form)
}

/// What an owner answers.
///
/// # Errors
/// `forbidden` for somebody else, `unexpected-request` where nobody waits.
pub(super) async fn answered(place: &Place, who: &BareJid, form: &Form) -> Result<(), StanzaError> {
    if form.kind == FormType::Cancel {
        return Ok(());
    }
    let value = |var: &str| form.find(var)?.values.first().map(String::as_str);
    let name = value("pubsub#node").ok_or_else(super::error::node_required)?;
    let jid = value("pubsub#subscriber_jid").and_then(|jid| Jid::parse(jid).ok());
    let jid = jid.ok_or_else(|| refusal(Condition::BadRequest, "invalid-jid"))?;
    let allowed = match value("pubsub#allow") {
        Some("1" | "true") => true,
        Some("0" | "false") => false,
        Some(_) | None => return Err(StanzaError::bad_request("pubsub#allow is true or false")),
    };
    // Whether there is such a node is for owners to know.
    let node = match place.owned(name, who).await {
        Err(error) if error.condition == Condition::ItemNotFound && !place.owns_all(who) => {
            return Err(forbidden());
        }
        found => found?,
    };
    let store = place.store();
    match store.subscription(&place.address, name, &jid).await? {
        Some(SubscriptionState::Pending) => {}
        Some(SubscriptionState::Subscribed) | None => {
            return Err(
                StanzaError::new(Condition::UnexpectedRequest).text("nobody waits for this")
            );
        }
    }
    if allowed {
        grant(place, &node, &jid).await
    } else {
        end(place, &node, &jid).await
    }
}

/// Subscribes somebody for an owner, and tells of it (§8.8.4). Who is subscribed already hears nothing.
pub(super) async fn grant(place: &Place, node: &Node, jid: &Jid) -> Result<(), StanzaError> {
    let (store, state) = (place.store(), SubscriptionState::Subscribed);
    if store.subscription(&place.address, &node.name, jid).await? == Some(state) {
        return Ok(());
    }
    let max = place.limits().subscriptions_per_node_max;
    match store
        .subscribe(&place.address, &node.name, jid, state, max)
        .await
    {
        Ok(Put::Stored) => {}
        Ok(Put::Full) => return Err(too_many_subscriptions()),
        Err(_) if place.find(&node.name).await?.is_none() => return Err(no_node()),
        Err(error) => return Err(error.into()),
    }
    tell(place, node, jid, "subscribed").await;
    show_last(place, node, jid).await
}

/// Ends a subscription for an owner, and tells of it (§8.8.4).
pub(super) async fn end(place: &Place, node: &Node, jid: &Jid) -> Result<(), StanzaError> {
    if place
        .store()
        .unsubscribe(&place.address, &node.name, jid)
        .await?
    {
        tell(place, node, jid, "none").await;
    }
    Ok(())
}

/// §12.18.
pub(super) async fn tell(place: &Place, node: &Node, jid: &Jid, state: &str) {
    let event = Event::subscription(&node.name, jid, state);
    notify::send(place, node, &event, vec![jid.clone()]).await;
}

/// §6.1.7: the last item, for a new subscriber.
pub(super) async fn show_last(place: &Place, node: &Node, jid: &Jid) -> Result<(), StanzaError> {
    if node.config.send_last != SendLast::Never
        && let Some(item) = items::last(place, node).await?
    {
        for address in options::addresses_of(place, &node.name, jid).await? {
            notify::last(place, node, &item, &address).await?;
        }
    }
    Ok(())
}
