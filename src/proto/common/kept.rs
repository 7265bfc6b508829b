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

/// The element that was kept.
///
/// # Errors
/// `internal-server-error` when the database holds something else.
pub fn from_bytes(bytes: &[u8]) -> Result<Element, StanzaError> {
    document(bytes, &Limits::STORED).map_err(|error| {
        error!(%error, "what was kept is no element");
        Condition::InternalServerError.into()
    })
}
