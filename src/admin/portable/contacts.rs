//! Contacts, who asks to be one, and who is blocked (XEP-0227 §4.4, §4.8, §4.9).

use std::collections::HashSet;

use super::{PIE, PRIVACY};
use crate::clock::Timestamp;
use crate::proto::common::kept;
use crate::proto::{BareJid, Jid, PresenceType, Stanza, ns, reading};
use crate::store::{ITEMS_CEILING, RosterItem, SubscriptionRequest};
use crate::xml::Element;

/// Requests that one account has waiting; what the server itself would hold at most.
const REQUESTS_MAX: usize = 10_000;

/// The roster as a client gets it, in the order of the addresses.
pub(super) fn write_roster(mut items: Vec<RosterItem>) -> Option<Element> {
    if items.is_empty() {
        return None;
    }
    items.sort_by(|one, other| one.contact.as_str().cmp(other.contact.as_str()));
    let items = items.into_iter().map(|item| {
        let groups = item.groups.iter();
        Element::new(ns::ROSTER, "item")
            .attr("jid", item.contact.as_str())
            .attr_opt("name", item.name.as_deref())
            .attr("subscription", item.subscription.name())
            .attr_opt("ask", item.ask.then_some("subscribe"))
            .attr_opt("approved", item.approved.then_some("true"))
            .children_from(
                groups.map(|group| Element::new(ns::ROSTER, "group").text(group.as_str())),
            )
    });
    Some(Element::new(ns::ROSTER, "query").children_from(items))
}

/// Reads the roster of `owner`; contacts that cannot be read are noted.
///
/// # Errors
/// When there are more than a roster holds.
pub(super) fn read_roster(
    query: &Element,
    owner: &BareJid,
    notes: &mut Vec<String>,
) -> Result<Vec<RosterItem>, String> {
    let (mut items, mut seen) = (Vec::new(), HashSet::new());
    for element in query
        .children()
        .filter(|child| child.is(ns::ROSTER, "item"))
    {
        let address = element.attribute("jid").unwrap_or_default();
        let Ok(contact) = Jid::parse(address) else {
            notes.push(format!("a contact is left out: {address:?} is no address"));
            continue;
        };
        let contact = contact.bare().clone();
        if contact == *owner || element.attribute("subscription") == Some("remove") {
            continue;
        }
        if !seen.insert(contact.clone()) {
            notes.push(format!(
                "the contact {contact} is there twice; the first is taken"
            ));
            continue;
        }
        items.push(item(element, contact, notes));
    }
    if i64::try_from(items.len()).is_ok_and(|count| count <= ITEMS_CEILING) {
        Ok(items)
    } else {
        Err(format!("more than {ITEMS_CEILING} contacts"))
    }
}

fn item(element: &Element, contact: BareJid, notes: &mut Vec<String>) -> RosterItem {
    let state = element.attribute("subscription").unwrap_or("none");
    let mut item = RosterItem::new(contact);
    match state.parse() {
        Ok(state) => item.subscription = state,
        Err(error) => {
            let contact = &item.contact;
            notes.push(format!(
                "the contact {contact} has no subscription: {error}"
            ));
        }
    }
    item.name = element.attribute("name").map(str::to_owned);
    item.ask = element.attribute("ask") == Some("subscribe");
    item.approved = matches!(element.attribute("approved"), Some("true" | "1"));
    for group in element
        .children()
        .filter(|child| child.is(ns::ROSTER, "group"))
    {
        let group = group.text_content();
        if !group.is_empty() && !item.groups.contains(&group) {
            item.groups.push(group);
        }
    }
    item
}

/// Reads `<presence type='subscribe'/>`. Some servers leave it in the namespace of the file.
pub(super) fn read_request(
    presence: &Element,
    owner: &BareJid,
    now: Timestamp,
) -> Result<SubscriptionRequest, String> {
    let from = presence.attribute("from").unwrap_or_default();
    let from =
        Jid::parse(from).map_err(|_| format!("a request is left out: {from:?} is no address"))?;
    let from = from.bare().clone();
    let presence = as_client(presence);
    let stanza = reading::stored(kept::to_bytes(&presence).into());
    let mut stanza = stanza.unwrap_or_else(|| Stanza::presence(PresenceType::Subscribe));
    stanza.from = Some(from.clone().into());
    stanza.to = Some(owner.clone().into());
    Ok(SubscriptionRequest {
        from,
        stanza: stanza.to_document(),
        received_at: now,
    })
}

/// One of each sender, and no more than the server holds.
pub(super) fn distinct(
    requests: Vec<SubscriptionRequest>,
) -> Result<Vec<SubscriptionRequest>, String> {
    let mut seen = HashSet::new();
    let first = requests.into_iter();
    let requests: Vec<_> = first
        .filter(|request| seen.insert(request.from.clone()))
        .collect();
    if requests.len() > REQUESTS_MAX {
        return Err(format!("more than {REQUESTS_MAX} requests"));
    }
    Ok(requests)
}

/// The element with what is in the namespace of the file moved into that of clients.
pub(super) fn as_client(element: &Element) -> Element {
    let namespace = if element.ns() == PIE {
        ns::CLIENT
    } else {
        element.ns()
    };
    let mut moved = Element::new(namespace, element.name());
    for attribute in element.attributes() {
        moved.set_attribute(&attribute.ns, &attribute.name, &attribute.value);
    }
    for node in element.nodes() {
        match node {
            crate::xml::Node::Element(child) => moved.push_child(as_client(child)),
            crate::xml::Node::Text(text) => moved.push_text(text.clone()),
        }
    }
    moved
}

/// `<blocklist/>` of XEP-0191: the document has privacy lists only, which this server does not.
pub(super) fn write_blocked(blocked: &[Jid]) -> Option<Element> {
    let items = blocked.iter();
    let items = items.map(|jid| Element::new(ns::BLOCKING, "item").attr("jid", jid.to_string()));
    let list = Element::new(ns::BLOCKING, "blocklist").children_from(items);
    (!blocked.is_empty()).then_some(list)
}

/// Reads `<blocklist/>`.
pub(super) fn read_blocked(list: &Element, notes: &mut Vec<String>) -> Vec<Jid> {
    let mut blocked = Vec::new();
    for item in list
        .children()
        .filter(|child| child.is(ns::BLOCKING, "item"))
    {
        let address = item.attribute("jid").unwrap_or_default();
        match Jid::parse(address) {
            Ok(jid) => blocked.push(jid),
            Err(_) => notes.push(format!("{address:?} is not blocked: it is no address")),
        }
    }
    blocked
}

/// What of the default privacy list (XEP-0016) means that somebody is blocked; that is how servers kept whom
/// XEP-0191 blocks. Rules of other kinds are noted.
pub(super) fn read_privacy(query: &Element, notes: &mut Vec<String>) -> Vec<Jid> {
    let named = |child: &&Element, name: &str| {
        child.is(PRIVACY, "list") && child.attribute("name") == Some(name)
    };
    let default = query
        .find(PRIVACY, "default")
        .and_then(|it| it.attribute("name"));
    let list = default.and_then(|name| query.children().find(|child| named(child, name)));
    let lists = query
        .children()
        .filter(|child| child.is(PRIVACY, "list"))
        .count();
    if lists > usize::from(list.is_some()) {
        notes.push("privacy lists other than the default one are left out".to_owned());
    }
    let Some(list) = list else {
        return Vec::new();
    };
    let mut items: Vec<&Element> = list
        .children()
        .filter(|child| child.is(PRIVACY, "item"))
        .collect();
    items.sort_by_key(|item| {
        item.attribute("order")
            .and_then(|order| order.parse::<u64>().ok())
    });
    let mut blocked = Vec::new();
    for item in items {
        let address = item.attribute("value").map(Jid::parse);
        match (item.attribute("action"), item.attribute("type"), address) {
            (Some("deny"), Some("jid"), Some(Ok(jid))) if item.children().next().is_none() => {
                blocked.push(jid);
            }
            // "Everybody else may": what a list without it means, too.
            (Some("allow"), None, None) => break,
            _ => {
                notes.push(
                    "a rule of the privacy list is left out: only addresses can be blocked"
                        .to_owned(),
                );
                // What stands behind it may depend on it.
                break;
            }
        }
    }
    blocked
}
