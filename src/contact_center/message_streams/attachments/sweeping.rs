//! Once a day: files that no stream names, because a write was given up, or the server died before it had deleted
//! them.

use std::sync::Arc;

use tracing::{info, warn};

use super::names;
use crate::clock::Timestamp;
use crate::contact_center::record;
use crate::domain::message_stream::Stream;
use crate::hooks::Services;
use crate::store::{FileRows, StoreError, StoredAttachment, UploadFiles};

/// Attachments that are looked at together.
const PAGE: u32 = 500;

/// How long a file may wait for the message that it was taken for: far longer than a request lasts.
const WAITING_SECONDS: i64 = 3_600;

/// Goes through all of them.
pub(super) async fn sweep(services: Arc<Services>) {
    let before = services.clock.now().plus_seconds(-WAITING_SECONDS);
    match Box::pin(sweep_all(&services, before)).await {
        Ok((0, 0)) => {}
        Ok((unnamed, lost)) => info!(unnamed, lost, "files of no message stream were deleted"),
        Err(error) => warn!(%error, "files of message streams could not be looked through"),
    }
}

async fn sweep_all(services: &Services, before: Timestamp) -> Result<(usize, u64), StoreError> {
    let attachments = services.store.attachments();
    let (mut stream, mut id) = (String::new(), String::new());
    let mut known: Option<Stream> = None;
    let mut deleted = 0;
    loop {
        let page = attachments.all((&stream, &id), PAGE).await?;
        let Some(last) = page.last() else {
            break;
        };
        let mut unnamed: Vec<&StoredAttachment> = Vec::new();
        for one in &page {
            if known.as_ref().is_none_or(|it| it.id.as_str() != one.stream) {
                known = record::find(&services.store, &one.stream).await?;
            }
            let is_named = known.as_ref().is_some_and(|it| names(it, one));
            if !is_named && one.taken_at < before {
                unnamed.push(one);
            }
        }
        for one in unnamed {
            if Box::pin(delete(services, one)).await? {
                deleted += 1;
            }
        }
        (stream, id) = (last.stream.clone(), last.id.as_str().to_owned());
    }
    let files = UploadFiles::of_attachments(&services.config.data_dir);
    let lost = files.sweep(FileRows::Attachments(attachments, before));
    Ok((deleted, lost.await?))
}

/// Deletes one and its file, unless it was taken or named since it was read.
async fn delete(services: &Services, read: &StoredAttachment) -> Result<bool, StoreError> {
    if !Box::pin(services.store.attachments().remove_as_read(read)).await? {
        return Ok(false);
    }
    let files = UploadFiles::of_attachments(&services.config.data_dir);
    if let Err(error) = files.remove(&read.id).await {
        warn!(%error, "the file of a message stream could not be deleted");
    }
    Ok(true)
}
