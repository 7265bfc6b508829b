//! What the server answers a stanza with that it cannot take, counted in one place.

use crate::observe::metrics;
use crate::proto::{Stanza, StanzaError};

/// The refusal of a stanza, counted, or `None` where the standard forbids to answer.
pub fn refusal(stanza: &Stanza, error: &StanzaError) -> Option<Stanza> {
    let refusal = stanza.refusal(error)?;
    metrics::error(error.condition.name());
    Some(refusal)
}
