//! What the customer gets of a stream that is delivered (S4-17): messages to the connector that is configured for it.

use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::domain::message_stream::{Event, Stream};

/// Adds to the draft what the customer gets of what has happened.
pub(super) async fn deliver(
    _caller: &Caller,
    _draft: &mut Draft,
    _stream: &Stream,
    _events: &[Event],
) -> Result<(), Refused> {
    Ok(())
}
