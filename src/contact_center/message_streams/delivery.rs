//! What the customer gets of a stream (S4-17). No connector here says yet that it passes messages of streams on, so that
//! nobody is let believe that the customer reads what it does not get.

use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::domain::message_stream::{Event, Rejection, Stream};

/// Refuses to switch delivery on.
///
/// # Errors
/// Where the stream is for the customer.
#[expect(clippy::unused_async, reason = "will ask which connector it is")]
pub(super) async fn deliver(
    _caller: &Caller,
    _draft: &mut Draft,
    stream: &Stream,
    _events: &[Event],
) -> Result<(), Refused> {
    match stream.is_for_the_customer() {
        true => Err(Rejection::NotDelivered.into()),
        false => Ok(()),
    }
}
