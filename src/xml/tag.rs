//! A start tag with its names resolved, and nothing of what follows it.

use compact_str::CompactString;

use super::element::{Attribute, XML_NS};
use super::strict::Strict;

/// The expanded name and the attributes of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    ns: CompactString,
    name: CompactString,
    attributes: Vec<Attribute>,
}

impl Tag {
    /// A tag without attributes.
    pub(super) fn new(ns: &str, name: &str) -> Self {
        Self::from_parts(ns.into(), name.into(), Vec::new())
    }

    /// A tag with attributes that are known to differ.
    pub(super) const fn from_parts(
        ns: CompactString,
        name: CompactString,
        attributes: Vec<Attribute>,
    ) -> Self {
        Self {
            ns,
            name,
            attributes,
        }
    }

    /// The tag that the reader has just entered.
    pub(super) fn entered(reader: &Strict<'_>) -> Self {
        let attributes = reader.attributes().map(|(ns, name, value)| Attribute {
            ns: ns.into(),
            name: name.into(),
            value: value.into(),
        });
        Self::from_parts(
            reader.ns().into(),
            reader.name().into(),
            attributes.collect(),
        )
    }

    /// Sets an attribute, replacing one of the same expanded name.
    pub(super) fn set_attribute(&mut self, ns: &str, name: &str, value: &str) {
        let known = self
            .attributes
            .iter_mut()
            .find(|known| known.name == name && known.ns == ns);
        match known {
            Some(known) => known.value = value.into(),
            None => self.attributes.push(Attribute {
                ns: ns.into(),
                name: name.into(),
                value: value.into(),
            }),
        }
    }

    /// The namespace; empty when there is none.
    #[must_use]
    pub fn ns(&self) -> &str {
        &self.ns
    }

    /// The local name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this is `{ns}name`.
    #[must_use]
    pub fn is(&self, ns: &str, name: &str) -> bool {
        self.ns == ns && self.name == name
    }

    /// The value of an unprefixed attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_ns("", name)
    }

    /// The value of the attribute `{ns}name`.
    #[must_use]
    pub fn attribute_ns(&self, ns: &str, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.ns == ns && attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }

    /// The value of `xml:lang`.
    #[must_use]
    pub fn lang(&self) -> Option<&str> {
        self.attribute_ns(XML_NS, "lang")
    }

    /// All attributes in the order written, namespace declarations excepted.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }
}
