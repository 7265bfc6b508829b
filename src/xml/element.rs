//! A small owned tree, for payloads that the server itself reads or makes.
//!
//! Stanzas on their way are not turned into trees: see [`super::parse()`].

use compact_str::CompactString;

use super::Tag;

/// The namespace that the prefix `xml` is bound to (Namespaces in XML 1.0 §3).
pub const XML_NS: &str = "http://www.w3.org/XML/1998/namespace";

/// An element with its namespace resolved; prefixes are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    tag: Tag,
    nodes: Vec<Node>,
}

/// An attribute; `ns` is empty for the ordinary, unprefixed kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The namespace, empty for an unprefixed attribute.
    pub ns: CompactString,
    /// The local name.
    pub name: CompactString,
    /// The value with entities resolved and white space normalised.
    pub value: CompactString,
}

/// What an element contains, in document order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Character data with entities and CDATA sections resolved.
    Text(String),
}

impl Element {
    /// An empty element `<name xmlns='ns'/>`.
    #[must_use]
    pub fn new(ns: &str, name: &str) -> Self {
        Self {
            tag: Tag::new(ns, name),
            nodes: Vec::new(),
        }
    }

    /// An element with those of the unprefixed attributes, of different names, that have a value: quicker than
    /// [`Element::attr_opt`] for each.
    #[must_use]
    pub fn with_attributes<const N: usize>(
        ns: &str,
        name: &str,
        attributes: [(&str, Option<&str>); N],
    ) -> Self {
        // One more is often added.
        let mut values = Vec::with_capacity(N + 1);
        let there = attributes.into_iter();
        values.extend(there.filter_map(|(name, value)| {
            Some(Attribute {
                ns: CompactString::default(),
                name: name.into(),
                value: value?.into(),
            })
        }));
        Self {
            tag: Tag::from_parts(ns.into(), name.into(), values),
            nodes: Vec::new(),
        }
    }

    /// Adds (or replaces) an unprefixed attribute.
    #[must_use]
    pub fn attr(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.set_attribute("", name, value.as_ref());
        self
    }

    /// Adds an unprefixed attribute when there is a value for it.
    #[must_use]
    pub fn attr_opt(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// Adds `xml:lang`.
    #[must_use]
    pub fn lang(mut self, lang: &str) -> Self {
        self.set_attribute(XML_NS, "lang", lang);
        self
    }

    /// Appends a child element.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.nodes.push(Node::Element(child));
        self
    }

    /// Appends a child element when there is one.
    #[must_use]
    pub fn child_opt(self, child: Option<Self>) -> Self {
        match child {
            Some(child) => self.child(child),
            None => self,
        }
    }

    /// Appends child elements in order.
    #[must_use]
    pub fn children_from(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.nodes.extend(children.into_iter().map(Node::Element));
        self
    }

    /// Appends character data; it is escaped when written.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.push_text(text.into());
        self
    }

    /// Sets an attribute, replacing one of the same expanded name.
    pub fn set_attribute(&mut self, ns: &str, name: &str, value: &str) {
        self.tag.set_attribute(ns, name, value);
    }

    /// Appends a child element in place.
    pub fn push_child(&mut self, child: Self) {
        self.nodes.push(Node::Element(child));
    }

    /// Appends character data in place, joining it with text before it.
    pub fn push_text(&mut self, text: String) {
        if let Some(Node::Text(last)) = self.nodes.last_mut() {
            last.push_str(&text);
        } else if !text.is_empty() {
            self.nodes.push(Node::Text(text));
        }
    }

    /// The namespace; empty when there is none.
    #[must_use]
    pub fn ns(&self) -> &str {
        self.tag.ns()
    }

    /// The local name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.tag.name()
    }

    /// Whether this is `{ns}name`.
    #[must_use]
    pub fn is(&self, ns: &str, name: &str) -> bool {
        self.tag.is(ns, name)
    }

    /// The value of an unprefixed attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.tag.attribute(name)
    }

    /// The value of the attribute `{ns}name`.
    #[must_use]
    pub fn attribute_ns(&self, ns: &str, name: &str) -> Option<&str> {
        self.tag.attribute_ns(ns, name)
    }

    /// All attributes, namespace declarations excepted.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        self.tag.attributes()
    }

    /// Everything inside, in document order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The child elements in document order.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first child element `{ns}name`.
    #[must_use]
    pub fn find(&self, ns: &str, name: &str) -> Option<&Self> {
        self.children().find(|child| child.is(ns, name))
    }

    /// The character data directly inside, joined.
    #[must_use]
    pub fn text_content(&self) -> String {
        let texts = self.nodes.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }

    /// The text of the first child `{ns}name`, if there is one.
    #[must_use]
    pub fn child_text(&self, ns: &str, name: &str) -> Option<String> {
        self.find(ns, name).map(Self::text_content)
    }
}

impl From<Tag> for Element {
    /// The element with this start tag and nothing inside.
    fn from(tag: Tag) -> Self {
        Self {
            tag,
            nodes: Vec::new(),
        }
    }
}
