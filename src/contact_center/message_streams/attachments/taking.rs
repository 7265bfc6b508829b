//! How an upload becomes a file of a stream.
//!
//! The file is linked to its new place, then the row changes hands in one transaction, then the old name goes. After a crash
//! in between, what is left over has no row, and is swept; what has a row has its file.

use std::io::{self, SeekFrom};
use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tracing::error;

use super::names;
use crate::contact_center::errors::Refused;
use crate::contact_center::message_streams::find;
use crate::contact_center::operation::Caller;
use crate::domain::ids::StreamId;
use crate::domain::message_stream::Attachment;
use crate::domain::message_stream::attachment::{
    FileType, HEAD_BYTES, Rejection, TAIL_BYTES, announced, recognize,
};
use crate::extensions::http_upload::url_of;
use crate::proto::{Condition, uri};
use crate::store::{NewAttachment, StoredAttachment, TakenOver, Upload, UploadFiles, UploadId};

/// A file that the caller may attach.
pub(in crate::contact_center::message_streams) struct Found {
    pub(super) id: UploadId,
    name: String,
    file_type: FileType,
    bytes: u64,
    state: State,
}

impl Found {
    /// What the stream has of it.
    pub(in crate::contact_center::message_streams) fn attachment(&self) -> Attachment {
        Attachment {
            name: self.name.clone(),
            file_type: self.file_type,
            bytes: self.bytes,
            slot: self.id.as_str().to_owned(),
        }
    }
}

/// Where it is.
enum State {
    /// It is an upload.
    Upload,
    /// It was taken for this stream.
    Taken(Box<StoredAttachment>),
    /// It was taken for a stream that was never written with it.
    Left(Box<StoredAttachment>),
}

/// Finds the file behind a URL, and looks what it is.
pub(super) async fn look(caller: &Caller, stream: &StreamId, url: &str) -> Result<Found, Refused> {
    let (id, name) = parts(caller, url).ok_or(Rejection::Unknown)?;
    let store = &caller.services.store;
    let own = caller.agent.jid();
    if let Some(taken) = store.attachments().find(&id).await? {
        // What an earlier account of the same name has taken is not the caller's.
        let is_own = taken.owner == own.as_str() && taken.taken_at >= caller.since;
        let is_own = is_own && uri::encode(&taken.file_name) == name;
        return match is_own {
            true => Box::pin(again(caller, stream, taken)).await,
            false => Err(Rejection::Unknown.into()),
        };
    }
    let upload = store.uploads().find(&id).await?;
    let is_own = |it: &Upload| {
        let over = it.expires_at.is_some_and(|end| end <= caller.now());
        it.owner == *own && uri::encode(&it.file_name) == name && !over
    };
    let upload = upload.filter(is_own).ok_or(Rejection::Unknown)?;
    if upload.stored_at.is_none() {
        return Err(Rejection::Unfinished.into());
    }
    let declared = upload.media_type.as_deref().unwrap_or_default();
    // Before anything is read.
    announced(&upload.file_name, declared)?;
    let files = UploadFiles::new(&caller.services.config.data_dir);
    let ends = ends(&files.place(&id)).await;
    let (head, tail) = ends.map_err(|error| failed(&error))?;
    Ok(Found {
        file_type: recognize(&upload.file_name, declared, &head, &tail)?,
        id,
        name: upload.file_name,
        bytes: upload.size,
        state: State::Upload,
    })
}

/// The id and the encoded name in the URL of an upload here.
fn parts(caller: &Caller, url: &str) -> Option<(UploadId, String)> {
    let base = url_of(&caller.services.config, &caller.place.host)?;
    let path = url.strip_prefix(&base)?.strip_prefix('/')?;
    let (id, name) = path.split_once('/')?;
    Some((UploadId::parse(id)?, name.to_owned()))
}

/// One that was taken already: for this stream, or for one that was not written with it.
async fn again(
    caller: &Caller,
    stream: &StreamId,
    taken: StoredAttachment,
) -> Result<Found, Refused> {
    let state = if taken.stream == stream.as_str() {
        State::Taken(Box::new(taken.clone()))
    } else {
        let other = taken.stream.parse().map_err(|_| Rejection::Unknown)?;
        let other = find(&caller.services, &caller.place, &other).await?;
        let is_named = other.is_some_and(|it| names(&it, &taken));
        if taken.named || is_named || taken.host != caller.place.host.as_str() {
            return Err(Rejection::Taken.into());
        }
        State::Left(Box::new(taken.clone()))
    };
    Ok(Found {
        file_type: announced(&taken.file_name, &taken.media_type)?,
        id: taken.id,
        name: taken.file_name,
        bytes: taken.size,
        state,
    })
}

/// Makes it a file of the stream.
pub(super) async fn take(caller: &Caller, stream: &StreamId, found: Found) -> Result<(), Refused> {
    let attachments = caller.services.store.attachments();
    match &found.state {
        // From now on it waits for the message anew: nobody sweeps it away meanwhile.
        State::Taken(read) => {
            if !attachments.renew(read, caller.now()).await? {
                return Err(Rejection::Unknown.into());
            }
        }
        State::Left(read) => {
            let given = attachments.give(read, stream.as_str(), caller.now());
            if !given.await? {
                return Err(Rejection::Taken.into());
            }
        }
        State::Upload => Box::pin(take_over(caller, stream, &found)).await?,
    }
    Ok(())
}

async fn take_over(caller: &Caller, stream: &StreamId, found: &Found) -> Result<(), Refused> {
    let config = &caller.services.config;
    let uploads = UploadFiles::new(&config.data_dir);
    let files = UploadFiles::of_attachments(&config.data_dir);
    let linked = files.link_from(&uploads, &found.id).await;
    linked.map_err(|error| failed(&error))?;
    let new = NewAttachment {
        id: found.id.clone(),
        owner: caller.agent.jid().clone(),
        host: caller.place.host.to_string(),
        stream: stream.to_string(),
        media_type: found.file_type.media_type(),
        at: caller.now(),
    };
    let bytes_max = config.contact_center.attachments_bytes_max.as_u64();
    let attachments = caller.services.store.attachments();
    match Box::pin(attachments.take(&new, bytes_max)).await? {
        TakenOver::Done => {}
        // What is linked has no row, and is swept.
        TakenOver::Gone => return Err(Rejection::Unknown.into()),
        TakenOver::NoRoom => return Err(Rejection::NoRoom.into()),
    }
    if let Err(error) = uploads.remove(&found.id).await {
        error!(%error, "an upload that was attached could not be deleted");
    }
    Ok(())
}

/// How a file begins and ends.
async fn ends(place: &Path) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut file = File::open(place).await?;
    let mut head = Vec::new();
    let limit = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    (&mut file).take(limit).read_to_end(&mut head).await?;
    let length = file.metadata().await?.len();
    let limit = u64::try_from(TAIL_BYTES).unwrap_or(u64::MAX);
    let start = length.saturating_sub(limit);
    file.seek(SeekFrom::Start(start)).await?;
    let mut tail = Vec::new();
    file.take(limit).read_to_end(&mut tail).await?;
    Ok((head, tail))
}

/// What is not there any more was taken by another request, or has gone.
fn failed(error: &io::Error) -> Refused {
    match error.kind() {
        io::ErrorKind::NotFound => Rejection::Unknown.into(),
        _ => {
            error!(%error, "an upload cannot be attached");
            Condition::InternalServerError.into()
        }
    }
}
