//! A vCard that says no more than who somebody is (XEP-0054).

use crate::proto::ns;
use crate::xml::{Element, write};

/// The vCard of somebody of whom the name is known.
#[must_use]
pub fn named(name: &str) -> Vec<u8> {
    let vcard = Element::new(ns::VCARD, "vCard").child(Element::new(ns::VCARD, "FN").text(name));
    let mut xml = Vec::new();
    write::element(&mut xml, &vcard, ns::CLIENT);
    xml
}
