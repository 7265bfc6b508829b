//! How long message streams are kept: once a day those go that nobody has written in for as long as the operator wants them
//! kept, with their files. What was deleted by hand leaves its tombstone for as long.

use std::sync::Arc;

use tracing::{debug, warn};

use super::deletion::clear_log;
use super::{KIND, attachments, deletion, readers};
use crate::clock::Timestamp;
use crate::contact_center::center::Center;
use crate::contact_center::errors::Refused;
use crate::contact_center::record;
use crate::domain::message_stream::Stream;
use crate::hooks::Services;
use crate::store::{Erasure, RecordsWritten};

/// Streams that are read at once: each can have a megabyte.
const PAGE: u32 = 20;

/// Drops what is older than the operator wants it kept.
pub(super) async fn forget(center: Arc<Center>, services: Arc<Services>) {
    let days = services.config.contact_center.message_stream_days;
    if days == 0 {
        return;
    }
    let before = services.clock.now().minus_days(days);
    let done = Box::pin(forget_before(&center, &services, before)).await;
    if !matches!(done, Ok(0)) {
        clear_log(&services).await;
    }
    match done {
        Ok(removed) => debug!(removed, "old message streams removed"),
        Err(error) => warn!(%error, "old message streams are not removed"),
    }
}

async fn forget_before(
    center: &Center,
    services: &Arc<Services>,
    before: Timestamp,
) -> Result<u32, Refused> {
    let records = services.store.records();
    let mut walk = records.walk(KIND, PAGE);
    let mut removed = 0;
    while let Some(stored) = walk.next().await? {
        let stream: Stream = record::read(&stored)?;
        let first = stream.messages.first().map(|it| it.at);
        if first.is_some_and(|at| at >= before) {
            // Ids sort by the time of the first message: the rest is younger.
            break;
        }
        if last_change(&stream).is_none_or(|at| at >= before) {
            continue;
        }
        let erasure = Erasure {
            kind: KIND,
            id: stored.id.clone(),
            read: stored.version,
            left: None,
            unlisted: None,
            journal: None,
            untold: None,
        };
        // One in which somebody writes at this moment is not old.
        if Box::pin(records.erase(&erasure)).await? == RecordsWritten::Done {
            records.remove(readers::KIND, &stored.id).await?;
            Box::pin(attachments::forget(services, &stream.id)).await?;
            if stream.passed.count > 0 {
                Box::pin(deletion::withdraw(center, services, &stream.id)).await?;
            }
            center.streams.note_gone(&stream);
            removed += 1;
        }
    }
    Ok(removed)
}

/// When somebody has written in it, or done something to it, for the last time that is known: of what was stored before
/// [`Stream::changed_at`] was, by what else tells it.
fn last_change(stream: &Stream) -> Option<Timestamp> {
    let written = stream.messages.iter().map(|it| it.at);
    let edits = stream.messages.iter().flat_map(|it| &it.earlier);
    let edited = edits.map(|it| it.until);
    let ended = stream.completed_at.into_iter().chain(stream.deleted_at);
    let known = ended.chain(stream.changed_at);
    written.chain(edited).chain(known).max()
}
