//! `<query xmlns='jabber:iq:roster'/>` read and written (RFC 6121 §2.1): pure.

use crate::proto::{BareJid, Condition, Jid, StanzaError, ns};
use crate::store::{RosterChange, RosterItem};
use crate::xml::Element;

/// The longest name and the longest group: as long as an address may be, which is what they
/// stand for.
const TEXT_BYTES_MAX: usize = 1023;

/// The most groups of one contact; people use a few.
const GROUPS_MAX: usize = 100;

/// What a roster set asks for (§2.1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Adds or changes a contact (§2.3, §2.4).
    Put {
        contact: BareJid,
        name: Option<String>,
        groups: Vec<String>,
    },
    /// Removes a contact (§2.5).
    Remove(BareJid),
}

impl Wish {
    /// Reads the payload of a roster set of `owner`. What a client may not decide, the state of
    /// the subscription, is ignored (§2.1.2.2, §2.1.2.5).
    ///
    /// # Errors
    /// As §2.3.3 says.
    pub(super) fn read(query: &Element, owner: &BareJid) -> Result<Self, StanzaError> {
        let mut items = query
            .children()
            .filter(|child| child.is(ns::ROSTER, "item"));
        let (Some(item), None) = (items.next(), items.next()) else {
            return Err(StanzaError::bad_request(
                "a roster set has exactly one item",
            ));
        };
        let contact = contact(item)?;
        if contact == *owner {
            return Err(
                StanzaError::new(Condition::NotAllowed).text("nobody is a contact of their own")
            );
        }
        if item.attribute("subscription") == Some("remove") {
            return Ok(Self::Remove(contact));
        }
        let name = item.attribute("name").filter(|name| !name.is_empty());
        if name.is_some_and(|name| name.len() > TEXT_BYTES_MAX) {
            return Err(not_acceptable("the name is too long"));
        }
        Ok(Self::Put {
            contact,
            name: name.map(ToOwned::to_owned),
            groups: groups(item)?,
        })
    }
}

fn contact(item: &Element) -> Result<BareJid, StanzaError> {
    let Some(jid) = item.attribute("jid") else {
        return Err(StanzaError::bad_request("an item needs a jid"));
    };
    let jid = Jid::parse(jid)
        .map_err(|error| StanzaError::new(Condition::JidMalformed).text(error.to_string()))?;
    if jid.is_bare() {
        Ok(jid.bare().clone())
    } else {
        Err(StanzaError::bad_request("a contact has a bare JID"))
    }
}

fn groups(item: &Element) -> Result<Vec<String>, StanzaError> {
    let mut groups: Vec<String> = Vec::new();
    for group in item
        .children()
        .filter(|child| child.is(ns::ROSTER, "group"))
    {
        let group = group.text_content();
        if groups.contains(&group) {
            return Err(StanzaError::bad_request("a group is named twice"));
        }
        if group.is_empty() {
            return Err(not_acceptable("a group has no name"));
        }
        if group.len() > TEXT_BYTES_MAX {
            return Err(not_acceptable("the name of a group is too long"));
        }
        if groups.len() >= GROUPS_MAX {
            return Err(not_acceptable("the contact is in too many groups"));
        }
        groups.push(group);
    }
    Ok(groups)
}

fn not_acceptable(text: &str) -> StanzaError {
    StanzaError::new(Condition::NotAcceptable).text(text)
}

/// `<query xmlns='jabber:iq:roster' ver='…'>` with those items (§2.1.4).
pub(super) fn query(version: i64, items: impl IntoIterator<Item = Element>) -> Element {
    Element::new(ns::ROSTER, "query")
        .attr("ver", version.to_string())
        .children_from(items)
}

/// The payload of a roster push (§2.1.6).
pub(super) fn pushed(change: &RosterChange) -> Element {
    match change {
        RosterChange::Put(item) => query(item.version, [element(item)]),
        RosterChange::Removed { contact, version } => {
            let item = Element::new(ns::ROSTER, "item")
                .attr("jid", contact.as_str())
                .attr("subscription", "remove");
            query(*version, [item])
        }
    }
}

/// `<item jid='…' name='…' subscription='…' ask='…' approved='…'><group>…</group></item>`
/// (§2.1.2).
pub(super) fn element(item: &RosterItem) -> Element {
    let groups = item
        .groups
        .iter()
        .map(|group| Element::new(ns::ROSTER, "group").text(group.as_str()));
    Element::new(ns::ROSTER, "item")
        .attr("jid", item.contact.as_str())
        .attr_opt("name", item.name.as_deref())
        .attr("subscription", item.subscription.name())
        .attr_opt("ask", item.ask.then_some("subscribe"))
        .attr_opt("approved", item.approved.then_some("true"))
        .children_from(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Subscription;
    use crate::xml::{Limits, document};

    fn read(items: &str) -> Result<Wish, Condition> {
        let owner = BareJid::new("romeo@localhost").unwrap();
        let query = format!("<query xmlns='jabber:iq:roster'>{items}</query>");
        let query = document(query.as_bytes(), &Limits::default()).unwrap();
        Wish::read(&query, &owner).map_err(|error| error.condition)
    }

    #[test]
    fn sets_are_refused_as_section_2_3_3_says() {
        let long = "n".repeat(TEXT_BYTES_MAX + 1);
        let many: String = (0..=GROUPS_MAX)
            .map(|n| format!("<group>{n}</group>"))
            .collect();
        for (items, expected) in [
            (String::new(), Condition::BadRequest),
            (
                "<item jid='a@b'/><item jid='c@d'/>".to_owned(),
                Condition::BadRequest,
            ),
            ("<item name='Nobody'/>".to_owned(), Condition::BadRequest),
            ("<item jid='@b'/>".to_owned(), Condition::JidMalformed),
            ("<item jid='a@b/c'/>".to_owned(), Condition::BadRequest),
            (
                "<item jid='ROMEO@localhost'/>".to_owned(),
                Condition::NotAllowed,
            ),
            (
                "<item jid='romeo@localhost' subscription='remove'/>".to_owned(),
                Condition::NotAllowed,
            ),
            (
                format!("<item jid='a@b' name='{long}'/>"),
                Condition::NotAcceptable,
            ),
            (
                "<item jid='a@b'><group/></item>".to_owned(),
                Condition::NotAcceptable,
            ),
            (
                format!("<item jid='a@b'><group>{long}</group></item>"),
                Condition::NotAcceptable,
            ),
            (
                format!("<item jid='a@b'>{many}</item>"),
                Condition::NotAcceptable,
            ),
            (
                "<item jid='a@b'><group>G</group><group>G</group></item>".to_owned(),
                Condition::BadRequest,
            ),
        ] {
            assert_eq!(read(&items), Err(expected), "{items}");
        }
    }

    #[test]
    fn a_client_decides_about_name_and_groups_only() {
        let contact = BareJid::new("a@b").unwrap();
        assert_eq!(
            read(
                "<item jid='A@b' name='A &amp; B' subscription='both' ask='subscribe' approved='true'><group>G</group><group>g</group></item>"
            ),
            Ok(Wish::Put {
                contact: contact.clone(),
                name: Some("A & B".to_owned()),
                groups: vec!["G".to_owned(), "g".to_owned()],
            })
        );
        assert_eq!(
            read("<item jid='a@b' name='' subscription='none'/>"),
            Ok(Wish::Put {
                contact: contact.clone(),
                name: None,
                groups: Vec::new()
            })
        );
        assert_eq!(
            read("<item jid='a@b' subscription='remove'/>"),
            Ok(Wish::Remove(contact))
        );
    }

    #[test]
    fn an_item_shows_what_section_2_1_2_lists() {
        let contact = BareJid::new("a@b").unwrap();
        let mut item = RosterItem::new(contact.clone());
        assert_eq!(
            pushed(&RosterChange::Put(item.clone())).to_string(),
            "<query xmlns='jabber:iq:roster' ver='0'><item jid='a@b' subscription='none'/></query>"
        );
        item = RosterItem {
            name: Some("A".to_owned()),
            subscription: Subscription::From,
            ask: true,
            approved: true,
            groups: vec!["G".to_owned()],
            version: 7,
            ..item
        };
        assert_eq!(
            pushed(&RosterChange::Put(item)).to_string(),
            "<query xmlns='jabber:iq:roster' ver='7'><item jid='a@b' name='A' subscription='from' \
             ask='subscribe' approved='true'><group>G</group></item></query>"
        );
        assert_eq!(
            pushed(&RosterChange::Removed {
                contact,
                version: 8
            })
            .to_string(),
            "<query xmlns='jabber:iq:roster' ver='8'><item jid='a@b' subscription='remove'/></query>"
        );
    }
}
