//! What a request is refused with: a condition of the stream's and one of `pubsub#errors`
//! (XEP-0060 §11).

use crate::proto::{Condition, ErrorType, StanzaError, ns};
use crate::xml::Element;

/// A refusal with a condition of pubsub's own.
pub(crate) fn refusal(condition: Condition, own: &str) -> StanzaError {
    StanzaError::new(condition).application(Element::new(ns::PUBSUB_ERRORS, own))
}

/// A feature that is not there (§11, `feature-not-implemented`).
pub(crate) fn unsupported(feature: &str) -> StanzaError {
    let own = Element::new(ns::PUBSUB_ERRORS, "unsupported").attr("feature", feature);
    StanzaError::new(Condition::FeatureNotImplemented).application(own)
}

/// Where a node has to be named (§7.2.3.3).
pub(crate) fn node_required() -> StanzaError {
    refusal(Condition::BadRequest, "nodeid-required")
}

/// The node is not there (§6.1.3.12).
pub(crate) fn no_node() -> StanzaError {
    StanzaError::new(Condition::ItemNotFound).text("there is no such node")
}

/// The entity may not do this (§7.1.3.1).
pub(super) fn forbidden() -> StanzaError {
    Condition::Forbidden.into()
}

/// Options that the node does not have (§7.1.5).
pub(super) fn precondition() -> StanzaError {
    refusal(Condition::Conflict, "precondition-not-met")
}

/// The service holds as much as it may.
pub(super) fn full(text: &str) -> StanzaError {
    StanzaError::new(Condition::ResourceConstraint).text(text)
}

/// Too many subscriptions (§6.1.3.9).
pub(crate) fn too_many_subscriptions() -> StanzaError {
    refusal(Condition::PolicyViolation, "too-many-subscriptions").kind(ErrorType::Wait)
}
