//! `<stream:features/>` (RFC 6120 §4.3.2).

use super::interface::Tls;
use super::sasl::Offer;
use crate::proto::ns;
use crate::xml::Element;

/// What an unauthenticated stream can negotiate (RFC 6120 §5.4.1, §6.4.1, XEP-0440 §3), and
/// what extensions add to it.
///
/// Where TLS must come first it is all that is told (RFC 6120 §5.3.1).
pub(super) fn negotiation(
    tls: Tls,
    offer: &Offer,
    added: impl FnOnce() -> Vec<Element>,
) -> Element {
    let features = Element::new(ns::STREAMS, "features");
    let starttls = Element::new(ns::TLS, "starttls");
    let features = match tls {
        Tls::Required => {
            return features.child(starttls.child(Element::new(ns::TLS, "required")));
        }
        Tls::Optional => features.child(starttls),
        Tls::Absent => features,
    };
    let mechanisms = offer
        .mechanisms()
        .iter()
        .map(|mechanism| Element::new(ns::SASL, "mechanism").text(mechanism.name()));
    let bindings = offer
        .binding_kinds()
        .map(|kind| Element::new(ns::CHANNEL_BINDING, "channel-binding").attr("type", kind.name()));
    features
        .child_opt(list(ns::SASL, "mechanisms", mechanisms))
        .child_opt(list(ns::CHANNEL_BINDING, "sasl-channel-binding", bindings))
        .children_from(added())
}

/// What an authenticated stream can negotiate (RFC 6120 §7.4).
pub(super) fn authenticated(added: Vec<Element>) -> Element {
    Element::new(ns::STREAMS, "features")
        .child(Element::new(ns::BIND, "bind"))
        .children_from(added)
}

/// An element around others; none of them is no element, for the schemas want one or more.
fn list(ns: &str, name: &str, items: impl Iterator<Item = Element>) -> Option<Element> {
    let mut items = items.peekable();
    items.peek()?;
    Some(Element::new(ns, name).children_from(items))
}
