//! Where messages that are billed are found: what writes streams and what adds up minutes has the same words for it.

use super::record::Listing;
use crate::domain::message_stream::Stream;

/// The streams whose minutes are billed; the owner is the host.
pub const BILLABLE: &str = "billable";

/// The place of a stream in the list of what is billed, as long as it is billed (S4-23).
#[must_use]
pub fn billable_listing(stream: &Stream) -> Option<Listing> {
    let first = stream.messages.first()?;
    let billed = stream.properties.billable && stream.properties.minutes.is_some();
    billed.then(|| Listing {
        list: BILLABLE,
        owner: first.author.host().to_owned(),
    })
}
