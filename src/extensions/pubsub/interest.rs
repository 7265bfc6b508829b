//! What a client wants to be told of (XEP-0060 §9.2, XEP-0163 §4.2): the features that end in `+notify` of what it
//! announces by XEP-0115.
//!
//! A hash that was seen before is looked up; otherwise the client is asked, and what it answers counts for
//! all clients of the same hash only if it makes that hash (XEP-0115 §5.4).

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::extensions::caps;
use crate::hooks::Session;
use crate::proto::{Stanza, ns};
use crate::xml::Element;

/// The names of nodes.
pub(super) type Names = Arc<BTreeSet<String>>;

/// What a session wants to be told of; in its slots.
struct Interest(Names);

/// The entity capabilities in a presence (XEP-0115 §4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Caps {
    pub(super) node: String,
    pub(super) ver: String,
    /// The hash's name; none in the format that XEP-0115 had before hashes.
    pub(super) hash: Option<String>,
}

/// What sorts of clients want to be told of, by their hash.
#[derive(Debug)]
pub(super) struct Sorts {
    known: Mutex<HashMap<(String, String), Names>>,
    max: usize,
}

/// Whether the session's client wants to be told of that node.
pub(super) fn wants(session: &Session, node: &str) -> bool {
    let interest = session.slots().find::<Interest>();
    interest.is_some_and(|interest| interest.0.contains(node))
}

/// What the session's client wants to be told of; `None` while that is not known.
pub(super) fn of(session: &Session) -> Option<Names> {
    let interest = session.slots().find::<Interest>()?;
    Some(Arc::clone(&interest.0))
}

/// Notes what the session's client wants to be told of.
pub(super) fn note(session: &Session, names: Names) {
    session.slots().set(Interest(names));
}

/// Forgets it, with the presence that told.
pub(super) fn forget(session: &Session) {
    session.slots().clear::<Interest>();
}

impl Caps {
    /// The capabilities that a presence announces.
    pub(super) fn of(presence: &Stanza) -> Option<Self> {
        let element = presence.find(ns::CAPS, "c")?.to_element(ns::CLIENT).ok()?;
        let text = |name: &str| {
            let value = element.attribute(name).map(str::to_owned);
            value.filter(|value| !value.is_empty() && value.len() <= TEXT_BYTES_MAX)
        };
        Some(Self {
            node: text("node")?,
            ver: text("ver")?,
            hash: text("hash"),
        })
    }

    /// The request that asks for what stands behind the hash (XEP-0115 §6.2).
    pub(super) fn query(&self) -> Element {
        let node = format!("{}#{}", self.node, self.ver);
        Element::new(ns::DISCO_INFO, "query").attr("node", node)
    }

    /// Whether the answer makes the hash.
    fn proves(&self, answer: &Element) -> bool {
        self.hash.as_deref() == Some("sha-1") && caps::ver_of(answer).as_ref() == Some(&self.ver)
    }
}

impl Sorts {
    pub(super) fn new(max: usize) -> Self {
        Self {
            known: Mutex::default(),
            max,
        }
    }

    /// What clients of that hash want to be told of.
    pub(super) fn find(&self, caps: &Caps) -> Option<Names> {
        let key = (caps.hash.clone()?, caps.ver.clone());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&key).cloned()
    }

    /// Reads an answer to [`Caps::query`], and remembers it where it makes the hash.
    pub(super) fn learn(&self, caps: &Caps, answer: &Element) -> Names {
        let names = Arc::new(names(answer));
        if self.max > 0
            && caps.proves(answer)
            && let Some(hash) = caps.hash.clone()
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= self.max {
                // Which one goes does not matter much: it is asked for again.
                let one = known.keys().next().cloned();
                one.and_then(|key| known.remove(&key));
            }
            known.insert((hash, caps.ver.clone()), Arc::clone(&names));
        }
        names
    }
}

/// The nodes that the features of an answer name.
fn names(answer: &Element) -> BTreeSet<String> {
    answer
        .children()
        .filter(|child| child.is(ns::DISCO_INFO, "feature"))
        .filter_map(|feature| feature.attribute("var")?.strip_suffix("+notify"))
        .filter(|name| !name.is_empty() && name.len() <= super::publish::ID_BYTES_MAX)
        .take(NAMES_MAX)
        .map(str::to_owned)
        .collect()
}

/// Nodes that one client is told of: several times what the most curious ones ask for.
const NAMES_MAX: usize = 100;
/// Attributes of the capabilities; a hash is much shorter.
const TEXT_BYTES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(features: &[&str]) -> Element {
        let identity = Element::new(ns::DISCO_INFO, "identity")
            .attr("category", "client")
            .attr("type", "pc")
            .attr("name", "Test");
        let features = features.iter();
        Element::new(ns::DISCO_INFO, "query")
            .child(identity)
            .children_from(
                features.map(|var| Element::new(ns::DISCO_INFO, "feature").attr("var", var)),
            )
    }

    fn caps(ver: &str) -> Caps {
        Caps {
            node: "urn:example".to_owned(),
            ver: ver.to_owned(),
            hash: Some("sha-1".to_owned()),
        }
    }

    #[test]
    fn only_an_answer_that_makes_the_hash_counts_for_others() {
        let sorts = Sorts::new(10);
        let told = answer(&["urn:xmpp:tune+notify", "urn:xmpp:ping", "+notify"]);
        let honest = caps(&caps::ver_of(&told).unwrap());
        let names = sorts.learn(&honest, &told);
        assert_eq!(names.iter().collect::<Vec<_>>(), ["urn:xmpp:tune"]);
        assert!(sorts.find(&honest).is_some());

        let poisoned = caps("not-the-hash");
        assert!(!sorts.learn(&poisoned, &told).is_empty());
        assert!(sorts.find(&poisoned).is_none());
    }

    /// Answers that have the string of an honest one: what is told of them is not told of others.
    #[test]
    fn an_answer_whose_hash_another_one_shares_counts_for_its_client_alone() {
        let honest = answer(&["urn:example:a", "urn:example:b+notify"]);
        let honest = caps(&caps::ver_of(&honest).unwrap());
        let form = |fields: &str| {
            let form = format!("<x xmlns='jabber:x:data' type='result'>{fields}</x>");
            crate::xml::document(form.as_bytes(), &crate::xml::Limits::default()).unwrap()
        };
        let form_type = |value: &str| {
            form(&format!(
                "<field var='FORM_TYPE' type='hidden'><value>{value}</value></field>"
            ))
        };
        let identity = |category: &str, name: &str| {
            Element::new(ns::DISCO_INFO, "query").child(
                Element::new(ns::DISCO_INFO, "identity")
                    .attr("category", category)
                    .attr("type", "pc")
                    .attr("name", name),
            )
        };
        let feature = |var: &str| Element::new(ns::DISCO_INFO, "feature").attr("var", var);
        for told in [
            answer(&["urn:example:a<urn:example:b+notify"]),
            identity("client", "Test<urn:example:a<urn:example:b+notify"),
            identity("client", "Test<urn:example:a").child(feature("urn:example:b+notify")),
            answer(&["urn:example:a"]).child(form_type("urn:example:b+notify")),
            answer(&[]).child(form_type("urn:example:a&lt;urn:example:b+notify")),
            answer(&[]).child(form(
                "<field var='FORM_TYPE' type='hidden'><value>urn:example:a</value></field>\
                <field var='urn:example:b+notify'/>",
            )),
        ] {
            let sorts = Sorts::new(10);
            sorts.learn(&honest, &told);
            assert!(sorts.find(&honest).is_none(), "{told:?}");
        }
    }

    #[test]
    fn no_more_sorts_are_remembered_than_may() {
        let sorts = Sorts::new(2);
        for number in 0..5 {
            let told = answer(&[&format!("urn:example:{number}+notify")]);
            sorts.learn(&caps(&caps::ver_of(&told).unwrap()), &told);
        }
        assert_eq!(sorts.known.lock().unwrap().len(), 2);
        let none = Sorts::new(0);
        let told = answer(&[]);
        none.learn(&caps(&caps::ver_of(&told).unwrap()), &told);
        assert!(none.known.lock().unwrap().is_empty());
    }

    #[test]
    fn a_client_is_told_of_so_many_nodes_and_no_more() {
        let features: Vec<String> = (0..500)
            .map(|n| format!("urn:example:{n}+notify"))
            .collect();
        let features: Vec<&str> = features.iter().map(String::as_str).collect();
        assert_eq!(names(&answer(&features)).len(), NAMES_MAX);
    }
}
