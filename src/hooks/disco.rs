//! What extensions add to service discovery (XEP-0030), by address.
//!
//! What stands fast is collected while extensions register: features, identities, forms. What
//! depends on the asker or on the moment comes from providers, which are asked in turn.

use std::borrow::Cow;

use futures_util::future::BoxFuture;

use crate::hooks::iq::{At, Iq};
use crate::proto::common::forms::Form;
use crate::proto::{BareJid, Jid, StanzaError, ns};
use crate::xml::Element;
use crate::xml::element::XML_NS;

type FormSource = Box<dyn Fn(&BareJid) -> Option<Form> + Send + Sync>;
type Provided<T> = BoxFuture<'static, Result<Option<T>, StanzaError>>;
type Provider<T> = Box<dyn Fn(Ask) -> Provided<T> + Send + Sync>;

/// All that extensions add to service discovery.
#[derive(Default)]
pub struct Disco {
    features: Vec<(At, &'static str)>,
    identities: Vec<(At, Identity)>,
    forms: Vec<(At, FormSource)>,
    nodes: Vec<(&'static [At], Provider<Info>)>,
    items: Vec<(&'static [At], Provider<Vec<Item>>)>,
}

/// A question to a provider.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The request: who asks which address.
    pub iq: Iq,
    /// The node that is asked for; none for the address as a whole.
    pub node: Option<String>,
}

/// A category and type from the registry of XEP-0030 §3.1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// For example `server`.
    pub category: Cow<'static, str>,
    /// For example `im`.
    pub kind: Cow<'static, str>,
    /// The language of the name.
    pub lang: Option<Cow<'static, str>>,
    /// A name for people.
    pub name: Option<Cow<'static, str>>,
}

/// What an address or node is and can do: the answer to disco#info.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// What it is.
    pub identities: Vec<Identity>,
    /// What it can do.
    pub features: Vec<Cow<'static, str>>,
    /// More about it, in forms of the type result (XEP-0128).
    pub forms: Vec<Form>,
}

/// An item that disco lists under an address (XEP-0030 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The item's address.
    pub jid: Jid,
    /// Its node, if it is not the address as a whole.
    pub node: Option<String>,
    /// A name for people.
    pub name: Option<String>,
}

impl Identity {
    /// An identity with an English name.
    #[must_use]
    pub fn new(
        category: &'static str,
        kind: &'static str,
        name: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            category: category.into(),
            kind: kind.into(),
            lang: None,
            name: Some(name.into()),
        }
    }

    fn to_element(&self) -> Element {
        let element = Element::new(ns::DISCO_INFO, "identity")
            .attr("category", &self.category)
            .attr("type", &self.kind)
            .attr_opt("name", self.name.as_ref());
        match &self.lang {
            Some(lang) => element.lang(lang),
            None => element,
        }
    }
}

impl Info {
    /// Reads an answer to disco#info; `None` for one that is not well made: something twice, or no form
    /// where one stands.
    #[must_use]
    pub fn parse(query: &Element) -> Option<Self> {
        let owned = |value: Option<&str>| value.map(|value| Cow::Owned(value.to_owned()));
        let mut info = Self::default();
        for child in query.children() {
            match (child.ns(), child.name()) {
                (ns::DISCO_INFO, "identity") => info.identities.push(Identity {
                    category: owned(child.attribute("category"))?,
                    kind: owned(child.attribute("type"))?,
                    lang: owned(child.attribute_ns(XML_NS, "lang")),
                    name: owned(child.attribute("name")),
                }),
                (ns::DISCO_INFO, "feature") => info.features.push(owned(child.attribute("var"))?),
                (ns::DATA_FORMS, "x") => info.forms.push(Form::parse(child).ok()?),
                _ => {}
            }
        }
        info.identities.sort_unstable();
        info.features.sort_unstable();
        let (identities, features) = (info.identities.len(), info.features.len());
        info.identities.dedup();
        info.features.dedup();
        let once = info.identities.len() == identities && info.features.len() == features;
        once.then_some(info)
    }

    /// The element `<query/>` of disco#info, for the node that was asked for.
    #[must_use]
    pub fn to_element(&self, node: Option<&str>) -> Element {
        let features = self.features.iter();
        Element::new(ns::DISCO_INFO, "query")
            .attr_opt("node", node)
            .children_from(self.identities.iter().map(Identity::to_element))
            .children_from(
                features.map(|it| Element::new(ns::DISCO_INFO, "feature").attr("var", it)),
            )
            .children_from(self.forms.iter().map(Form::to_element))
    }
}

impl Item {
    /// The element `<item/>` of disco#items.
    #[must_use]
    pub fn to_element(&self) -> Element {
        Element::new(ns::DISCO_ITEMS, "item")
            .attr("jid", self.jid.to_string())
            .attr_opt("node", self.node.as_ref())
            .attr_opt("name", self.name.as_ref())
    }
}

impl Disco {
    pub(super) fn feature(&mut self, at: At, feature: &'static str) {
        if !self.features.contains(&(at, feature)) {
            self.features.push((at, feature));
        }
    }

    pub(super) fn identity(&mut self, at: At, identity: Identity) {
        self.identities.push((at, identity));
    }

    pub(super) fn form(&mut self, at: At, form: FormSource) {
        self.forms.push((at, form));
    }

    pub(super) fn node(&mut self, at: &'static [At], provider: Provider<Info>) {
        self.nodes.push((at, provider));
    }

    pub(super) fn items(&mut self, at: &'static [At], provider: Provider<Vec<Item>>) {
        self.items.push((at, provider));
    }

    /// What an address as a whole is and can do, sorted.
    #[must_use]
    pub fn info(&self, at: At, address: &BareJid) -> Info {
        let features = self.features.iter().filter(|(place, _)| *place == at);
        let identities = self.identities.iter().filter(|(place, _)| *place == at);
        let forms = self.forms.iter().filter(|(place, _)| *place == at);
        let mut info = Info {
            identities: identities.map(|(_, identity)| identity.clone()).collect(),
            features: features
                .map(|(_, feature)| Cow::Borrowed(*feature))
                .collect(),
            forms: forms.filter_map(|(_, form)| form(address)).collect(),
        };
        info.identities.sort_unstable();
        info.features.sort_unstable();
        info
    }

    /// What a node is and can do; `None` when no provider knows it.
    ///
    /// # Errors
    /// When a provider refuses the asker.
    pub(crate) async fn node_info(&self, ask: &Ask) -> Result<Option<Info>, StanzaError> {
        for (_, provider) in self.nodes.iter().filter(|(at, _)| at.contains(&ask.iq.at)) {
            if let Some(info) = provider(ask.clone()).await? {
                return Ok(Some(info));
            }
        }
        Ok(None)
    }

    /// The items of an address, of all providers together, or of a node; `None` when no
    /// provider knows the node.
    ///
    /// # Errors
    /// When a provider refuses the asker.
    pub(crate) async fn list(&self, ask: &Ask) -> Result<Option<Vec<Item>>, StanzaError> {
        let mut all = Vec::new();
        for (_, provider) in self.items.iter().filter(|(at, _)| at.contains(&ask.iq.at)) {
            match (provider(ask.clone()).await?, &ask.node) {
                (Some(items), Some(_)) => return Ok(Some(items)),
                (Some(items), None) => all.extend(items),
                (None, _) => {}
            }
        }
        Ok(ask.node.is_none().then_some(all))
    }
}

impl std::fmt::Debug for Disco {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disco")
            .field("features", &self.features)
            .field("identities", &self.identities)
            .finish_non_exhaustive()
    }
}
