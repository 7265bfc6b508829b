//! Links to files, made when a delivery is sent: for the connector that gets it, which may be another than the one that was named when
//! it was written, and from that moment, however long it has waited.

use super::{ATTACHMENT, DELIVER, SLOT};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::interactions::CONNECTOR_NS;
use crate::contact_center::message_streams::attachments::link_for_component;
use crate::hooks::Services;
use crate::proto::{Stanza, ns};
use crate::xml::{Content, Element, Node};

/// The delivery as that connector gets it.
pub(super) fn linked(
    (center, place): (&Center, &Place),
    services: &Services,
    domain: &str,
    mut stanza: Stanza,
) -> Stanza {
    let waiting = stanza.find(CONNECTOR_NS, DELIVER);
    let Some(waiting) = waiting.and_then(|it| it.to_element(ns::CLIENT).ok()) else {
        return stanza;
    };
    let mut deliver = attributes(&waiting);
    for node in waiting.nodes() {
        match node {
            Node::Element(file) if file.is(CONNECTOR_NS, ATTACHMENT) => {
                let slot = file.attribute(SLOT).zip(file.attribute("name"));
                let url =
                    slot.and_then(|it| link_for_component((center, place), services, domain, it));
                deliver.push_child(attributes(file).attr_opt("url", url));
            }
            Node::Element(other) => deliver.push_child(other.clone()),
            Node::Text(text) => deliver.push_text(text.clone()),
        }
    }
    stanza.payload = Content::from_elements(&[deliver], ns::CLIENT);
    stanza
}

/// The element without what is inside, and without what a file is found by.
fn attributes(element: &Element) -> Element {
    let mut same = Element::new(element.ns(), element.name());
    for it in element.attributes() {
        if it.name != SLOT {
            same.set_attribute(&it.ns, &it.name, &it.value);
        }
    }
    same
}
