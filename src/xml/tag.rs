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
    /// The tag that the reader has just entered.
    pub(super) fn entered(reader: &Strict<'_>) -> Self {
        let attributes = reader.attributes().map(|(ns, name, value)| Attribute {
            ns: ns.into(),
            name: name.into(),
            value: value.into(),
        });
        Self {
            ns: reader.ns().into(),
            name: reader.name().into(),
            attributes: attributes.collect(),
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

    pub(super) fn into_parts(self) -> (CompactString, CompactString, Vec<Attribute>) {
        (self.ns, self.name, self.attributes)
    }
}
