//! What is delegated to a component (XEP-0355 §4.1).

use super::value::{Scalar, quoted};

/// Requests with a payload of one namespace, to be answered by a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// The namespace of the payload, or [`Delegation::ITEMS`].
    pub namespace: String,
    /// Attributes that the payload must have, for the request to be delegated.
    pub attributes: Vec<String>,
}

impl Delegation {
    /// XEP-0355 §7.2: every disco#items request at the bare addresses of accounts.
    pub const ITEMS: &str = "urn:xmpp:delegation:2:bare:disco#items:*";
}

/// What must not leave the server: the delegation itself (XEP-0355 §9) and the privilege; what is asked
/// of the address as a whole, into which the component's answers are nested instead (§7.2); passwords, which
/// go over no connection that nothing encrypts; and what belongs to a stream.
const NEVER: &[&str] = &[
    "urn:xmpp:privilege:2",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/disco#items",
    "http://jabber.org/protocol/commands",
    "jabber:iq:register",
    "urn:ietf:params:xml:ns:xmpp-bind",
    "urn:ietf:params:xml:ns:xmpp-session",
];

/// The namespace of delegation itself, and how its special ones begin.
const OWN: &str = "urn:xmpp:delegation:";

impl Scalar for Delegation {
    fn expected() -> String {
        "\"NAMESPACE\" or \"NAMESPACE ATTRIBUTE ...\", of no namespace that belongs to streams, passwords, \
         administration, discovery or delegation itself"
            .to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let namespace = words.next().filter(|it| !it.is_empty())?;
        let attributes: Vec<String> = words.map(str::to_owned).collect();
        let plain = |it: &String| {
            !it.is_empty() && !it.contains(|c: char| c.is_whitespace() || "<>&'\"=:".contains(c))
        };
        let allowed = match namespace {
            Self::ITEMS => attributes.is_empty(),
            other => !other.starts_with(OWN) && !NEVER.contains(&other),
        };
        let named = !namespace.contains(char::is_whitespace);
        (allowed && named && attributes.iter().all(plain)).then(|| Self {
            namespace: namespace.to_owned(),
            attributes,
        })
    }

    fn to_toml(&self) -> String {
        let mut words = vec![self.namespace.as_str()];
        words.extend(self.attributes.iter().map(String::as_str));
        quoted(&words.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delegation_names_a_namespace_and_the_attributes_that_filter() {
        for (text, expected) in [
            ("urn:xmpp:mam:2", Some(("urn:xmpp:mam:2", ""))),
            ("urn:xmpp:mam:2 node", Some(("urn:xmpp:mam:2", "node"))),
            ("urn:example a b", Some(("urn:example", "a b"))),
            (Delegation::ITEMS, Some((Delegation::ITEMS, ""))),
            ("", None),
            ("urn:example ", None),
            ("urn:example  a", None),
            ("urn:example a=b", None),
            ("urn:example\ta", None),
            ("urn:xmpp:delegation:2", None),
            ("urn:xmpp:delegation:2 node", None),
            ("urn:xmpp:delegation:2:bare:disco#items:* node", None),
            ("urn:xmpp:delegation:2:bare:disco#info:*", None),
            ("urn:xmpp:privilege:2", None),
            ("http://jabber.org/protocol/disco#info", None),
            ("jabber:iq:register", None),
        ] {
            let read = Delegation::from_text(text);
            let found = read
                .as_ref()
                .map(|it| (it.namespace.as_str(), it.attributes.join(" ")));
            let expected = expected.map(|(ns, attributes)| (ns, attributes.to_owned()));
            assert_eq!(found, expected, "{text}");
            if let Some(read) = read {
                assert_eq!(read.to_toml(), quoted(text));
            }
        }
    }
}
