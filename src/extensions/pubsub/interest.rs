//! What a client wants to be told of (XEP-0060 §9.2, XEP-0163 §4.2): the features that end in `+notify` of what it
//! announces by
//! XEP-0115 or XEP-0390.
//!
//! A hash that was seen before is looked up; otherwise the client is asked, and what it answers counts for
//! all clients of the same hash only if it makes that hash (XEP-0115 §5.4).

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::extensions::caps::CapsHash;
use crate::hooks::Session;
use crate::proto::{Stanza, ns};
use crate::xml::Element;

/// The names of nodes.
pub(super) type Names = Arc<BTreeSet<String>>;

/// What a session wants to be told of; in its slots.
struct Interest(Names);

/// What the session's client answered that cannot be proven: it counts for the session, which is not asked again; in
/// its slots.
struct Answer(Names);

/// The entity capabilities in a presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caps {
    /// The node at which the client is asked what stands behind them.
    node: String,
    /// None in the format that XEP-0115 had before hashes, and where the hash is not known here.
    hash: Option<CapsHash>,
}

/// What an answer has taught.
#[derive(Debug)]
pub(super) struct Learnt {
    /// What the client wants to be told of.
    pub(super) names: Names,
    /// Whether the answer makes the hash.
    pub(super) proven: bool,
}

/// What sorts of clients want to be told of, by their hash.
#[derive(Debug)]
pub(super) struct Sorts {
    known: Mutex<HashMap<CapsHash, Names>>,
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

/// What the session's client has answered before, where that could not be proven.
pub(super) fn answered(session: &Session) -> Option<Names> {
    let answer = session.slots().find::<Answer>()?;
    Some(Arc::clone(&answer.0))
}

/// Keeps an answer that cannot be proven.
pub(super) fn keep_answer(session: &Session, names: &Names) {
    session.slots().set(Answer(Arc::clone(names)));
}

impl Caps {
    /// The capabilities that a presence announces: by XEP-0390 if there is a hash that is known here, else by
    /// XEP-0115.
    pub(super) fn of(presence: &Stanza) -> Option<Self> {
        let element = |ns| presence.find(ns, "c")?.to_element(ns::CLIENT).ok();
        let second = element(ns::CAPS2);
        if let Some(hash) = second.as_ref().and_then(CapsHash::second) {
            return Some(Self {
                node: hash.node(),
                hash: Some(hash),
            });
        }
        let element = element(ns::CAPS)?;
        let text = |name: &str| {
            let value = element.attribute(name);
            value.filter(|value| !value.is_empty() && value.len() <= TEXT_BYTES_MAX)
        };
        let (node, ver) = (text("node")?, text("ver")?);
        Some(Self {
            node: format!("{node}#{ver}"),
            hash: text("hash").and_then(|algo| CapsHash::first(algo, ver)),
        })
    }

    /// The request that asks for what stands behind the hash (XEP-0115 §6.2, XEP-0390 §5.5).
    pub(super) fn query(&self) -> Element {
        Element::new(ns::DISCO_INFO, "query").attr("node", self.node.as_str())
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
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(caps.hash.as_ref()?).cloned()
    }

    /// Reads an answer to [`Caps::query`], and remembers it where it makes the hash.
    pub(super) fn learn(&self, caps: &Caps, answer: &Element) -> Learnt {
        let names = Arc::new(names(answer));
        let hash = caps.hash.clone().filter(|hash| hash.is_made_by(answer));
        let proven = hash.is_some();
        if let Some(hash) = hash.filter(|_| self.max > 0) {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= self.max {
                // Which one goes does not matter much: it is asked for again.
                let one = known.keys().next().cloned();
                one.and_then(|key| known.remove(&key));
            }
            known.insert(hash, Arc::clone(&names));
        }
        Learnt { names, proven }
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
    use crate::extensions::caps::ver_of;

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

    fn caps(attributes: &str) -> Caps {
        let xml = format!(
            "<presence xmlns='jabber:client'><c xmlns='http://jabber.org/protocol/caps' node='urn:example' {attributes}/></presence>"
        );
        Caps::of(&stanza(&xml)).unwrap()
    }

    fn stanza(xml: &str) -> Stanza {
        use crate::proto::reading;
        use crate::xml::{Limits, Scope, parse};
        let bytes = bytes::Bytes::copy_from_slice(xml.as_bytes());
        let parsed = parse(bytes, &Scope::with_default(ns::CLIENT), &Limits::default()).unwrap();
        reading::stanza(parsed, ns::CLIENT).unwrap()
    }

    fn honest(answer: &Element) -> Caps {
        caps(&format!("hash='sha-1' ver='{}'", ver_of(answer).unwrap()))
    }

    #[test]
    fn only_an_answer_that_makes_the_hash_counts_for_others() {
        let sorts = Sorts::new(10);
        let told = answer(&["urn:xmpp:tune+notify", "urn:xmpp:ping", "+notify"]);
        let honest = honest(&told);
        let learnt = sorts.learn(&honest, &told);
        assert_eq!(learnt.names.iter().collect::<Vec<_>>(), ["urn:xmpp:tune"]);
        assert!(learnt.proven && sorts.find(&honest).is_some());

        for poisoned in [
            "hash='sha-1' ver='not-the-hash'",
            "hash='md2' ver='x'",
            "ver='x'",
        ] {
            let poisoned = caps(poisoned);
            let learnt = sorts.learn(&poisoned, &told);
            assert!(!learnt.names.is_empty() && !learnt.proven);
            assert!(sorts.find(&poisoned).is_none());
        }
    }

    /// Answers that have the string of an honest one: what is told of them is not told of others.
    #[test]
    fn an_answer_whose_hash_another_one_shares_counts_for_its_client_alone() {
        let honest = answer(&["urn:example:a", "urn:example:b+notify"]);
        let ver = ver_of(&honest).unwrap();
        let honest = caps(&format!("hash='sha-1' ver='{ver}'"));
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
            sorts.learn(&honest(&told), &told);
        }
        assert_eq!(sorts.known.lock().unwrap().len(), 2);
        let none = Sorts::new(0);
        let told = answer(&[]);
        none.learn(&honest(&told), &told);
        assert!(none.known.lock().unwrap().is_empty());
    }

    #[test]
    fn clients_are_asked_at_the_node_of_the_better_hash() {
        let old =
            "<c xmlns='http://jabber.org/protocol/caps' node='urn:example' hash='sha-1' ver='v'/>";
        let new = |algo: &str| {
            format!(
                "<c xmlns='urn:xmpp:caps'><hash xmlns='urn:xmpp:hashes:2' algo='{algo}'>aGFzaA==</hash></c>"
            )
        };
        for (inside, node) in [
            (old.to_owned(), Some("urn:example#v")),
            (new("sha-256"), Some("urn:xmpp:caps#sha-256.aGFzaA==")),
            (
                new("sha3-256") + old,
                Some("urn:xmpp:caps#sha3-256.aGFzaA=="),
            ),
            (new("md2") + old, Some("urn:example#v")),
            (new("md2"), None),
            (
                "<c xmlns='http://jabber.org/protocol/caps' node='urn:example'/>".to_owned(),
                None,
            ),
        ] {
            let presence = stanza(&format!(
                "<presence xmlns='jabber:client'>{inside}</presence>"
            ));
            let asked = Caps::of(&presence).map(|caps| caps.node);
            assert_eq!(asked.as_deref(), node, "{inside}");
        }
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
