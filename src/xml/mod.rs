//! Bytes to elements and back. Knows XML 1.0 and its namespaces, and no XMPP.

pub mod element;

pub use element::{Attribute, Element, Node};
