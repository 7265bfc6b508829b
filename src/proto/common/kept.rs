//! Elements of clients that the server keeps as bytes and gives back as they came.

use tracing::error;

use crate::proto::{Condition, StanzaError};
use crate::xml::{Element, Limits, document, write};

/// The element as a document of its own.
#[must_use]
pub fn to_bytes(element: &Element) -> Vec<u8> {
    let mut bytes = Vec::new();
    write::element(&mut bytes, element, "");
    bytes
}

/// The element that was kept. The limits were applied when it came.
///
/// # Errors
/// `internal-server-error` when the database holds something else.
pub fn from_bytes(bytes: &[u8]) -> Result<Element, StanzaError> {
    let limits = Limits {
        stanza_bytes_max: usize::MAX,
        depth_max: usize::MAX,
        attributes_max: usize::MAX,
        declarations_max: usize::MAX,
    };
    document(bytes, &limits).map_err(|error| {
        error!(%error, "what was kept is no element");
        Condition::InternalServerError.into()
    })
}
