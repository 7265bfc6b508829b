//! `<stream:features/>` (RFC 6120 §4.3.2).

use super::interface::Tls;
use super::sasl::{Mechanism, Offer};
use crate::proto::ns;
use crate::xml::Element;

/// XEP-0484 §3: tokens.
pub(super) const FAST: &str = "urn:xmpp:fast:0";
/// XEP-0480 §2: keys for other mechanisms.
pub(super) const UPGRADE: &str = "urn:xmpp:sasl:upgrade:0";
/// XEP-0480 §3: the data of such keys.
pub(super) const SCRAM_UPGRADE: &str = "urn:xmpp:scram-upgrade:0";

/// What an unauthenticated stream can negotiate (RFC 6120 §5.4.1, §6.4.1, XEP-0440 §3), and
/// what extensions add to it.
///
/// Where TLS must come first it is all that is told (RFC 6120 §5.3.1).
pub(super) fn negotiation(
    tls: Tls,
    offer: &Offer,
    sasl2: impl FnOnce() -> Option<Element>,
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
        .child_opt(sasl2())
        .child_opt(list(ns::CHANNEL_BINDING, "sasl-channel-binding", bindings))
        .children_from(added())
}

/// What SASL2 offers, where there is somebody to offer it to (XEP-0388 §2.1); `inline` are the
/// namespaces that can be asked for while binding.
pub(super) fn authentication(offer: &Offer, tokens: bool, inline: &[&str]) -> Option<Element> {
    if !offer.is_private() || offer.mechanisms().is_empty() {
        return None;
    }
    let mechanism = |ns: &str, name: &str| Element::new(ns, "mechanism").text(name);
    let offered = offer.mechanisms().iter();
    let mechanisms = offered.map(|it| mechanism(ns::SASL2, it.name()));
    let features = inline
        .iter()
        .map(|var| Element::new(ns::BIND2, "feature").attr("var", var));
    let bind = Element::new(ns::BIND2, "bind").child_opt(list(ns::BIND2, "inline", features));
    let token_mechanisms = offer.token_mechanisms().filter(|_| tokens);
    let token_mechanisms = token_mechanisms.map(|it| mechanism(FAST, it.name()));
    // Who can enable it while binding can also resume (XEP-0198 §9.2).
    let resumption = inline
        .contains(&ns::STREAM_MANAGEMENT)
        .then(|| Element::new(ns::STREAM_MANAGEMENT, "sm"));
    let inline = Element::new(ns::SASL2, "inline")
        .child_opt(resumption)
        .child(bind)
        .child_opt(list(FAST, "fast", token_mechanisms));
    Some(
        Element::new(ns::SASL2, "authentication")
            .children_from(mechanisms)
            .child(inline)
            .children_from(upgrades(offer)),
    )
}

/// An account may lack the keys of any hash that is offered (XEP-0480 §2.1); that the offer is the
/// same for everybody tells nobody which accounts do.
fn upgrades(offer: &Offer) -> impl Iterator<Item = Element> {
    let offered = offer.mechanisms().iter();
    let unbound = offered.filter(|it| matches!(it, Mechanism::Scram { plus: false, .. }));
    unbound.map(|it| Element::new(UPGRADE, "upgrade").text(format!("UPGR-{}", it.name())))
}

/// What an authenticated stream can negotiate (RFC 6120 §7.4).
pub(super) fn authenticated(added: Vec<Element>) -> Element {
    Element::new(ns::STREAMS, "features")
        .child(Element::new(ns::BIND, "bind"))
        .children_from(added)
}

/// What is left to negotiate when the resource is bound already (XEP-0388 §2.6.1).
pub(super) fn bound(added: Vec<Element>) -> Element {
    let added = added.into_iter().filter(|it| it.ns() != ns::SESSION);
    Element::new(ns::STREAMS, "features").children_from(added)
}

/// An element around others; none of them is no element, for the schemas want one or more.
fn list(ns: &str, name: &str, items: impl Iterator<Item = Element>) -> Option<Element> {
    let mut items = items.peekable();
    items.peek()?;
    Some(Element::new(ns, name).children_from(items))
}
