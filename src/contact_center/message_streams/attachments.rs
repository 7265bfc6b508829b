//! Files of streams (S4-20, S4-21): taken over from the uploads of their author, kept apart from them, and given only to
//! those who see the stream at that moment.
//!
//! A file is taken before the stream that names it is written. It belongs to that stream then, but until this was seen to name
//! it, its author can give it to another: a write that was refused can be sent again. What no stream names in the end is swept
//! once a day. Nothing is ever unpacked.

mod desk;
mod links;
mod sweeping;
mod taking;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::contact_center::record;
use crate::domain::ids::StreamId;
use crate::domain::message_stream::{ATTACHMENTS_MAX, Attachment, Rejection, Stream};
use crate::hooks::{AttachmentDesk, Hooks, Services};
use crate::proto::BareJid;
use crate::store::{StoreError, StoredAttachment, UploadFiles};

pub(in crate::contact_center) use links::Files;
pub(super) use taking::Found;

/// Offers the files to what serves them, and what the days do to them.
pub(in crate::contact_center) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let desk = desk::Desk(Arc::clone(center));
    hooks.offers().set(AttachmentDesk(Arc::new(desk)));
    let starting = Arc::clone(center);
    hooks.starting(move |services| {
        let center = Arc::clone(&starting);
        async move { center.files.start(&services).await }
    });
    hooks.daily(sweeping::sweep);
}

/// Looks at files that the caller has uploaded, by the URLs from which they can be had: all of them, before the first is taken.
///
/// # Errors
/// When one is no upload of the caller, has not come yet, or is not of one of the ten types.
pub(super) async fn look(
    caller: &Caller,
    stream: &StreamId,
    urls: &[&str],
) -> Result<Vec<Found>, Refused> {
    if urls.len() > ATTACHMENTS_MAX {
        return Err(Rejection::TooManyAttachments.into());
    }
    let mut found: Vec<Found> = Vec::with_capacity(urls.len());
    for url in urls {
        let one = taking::look(caller, stream, url).await?;
        if !found.iter().any(|it| it.id == one.id) {
            found.push(one);
        }
    }
    Ok(found)
}

/// Takes over what was found.
///
/// # Errors
/// When one is gone, or somebody else's, since it was looked at; when the host has no room for it.
pub(super) async fn take(
    caller: &Caller,
    stream: &StreamId,
    found: Vec<Found>,
) -> Result<(), Refused> {
    for one in found {
        taking::take(caller, stream, one).await?;
    }
    Ok(())
}

/// Where the caller gets the file for the next minutes, as long as it sees the stream; `None` where this server has no place
/// for files.
pub(super) fn link(caller: &Caller, _stream: &Stream, attachment: &Attachment) -> Option<String> {
    let until = soon(&caller.services);
    let holder = links::Holder::Agent(caller.agent.clone());
    url(caller, attachment, holder, until)
}

/// Until when a link holds that somebody has asked for.
fn soon(services: &Services) -> Timestamp {
    let seconds = services.config.contact_center.attachment_link_seconds;
    let now = services.clock.now();
    now.plus_seconds(i64::from(seconds.as_u32()))
}

/// Where an account gets the file for the next minutes that has disclosed what is kept of a customer, and until when, as long as it
/// may.
pub(in crate::contact_center) fn link_for_discloser(
    center: &Center,
    services: &Services,
    file: &StoredAttachment,
    account: &BareJid,
) -> Option<(String, Timestamp)> {
    let until = soon(services);
    let link = links::Link {
        slot: file.id.as_str(),
        holder: links::Holder::Discloser(account.clone()),
        until,
    };
    let host = &center.place_of(&file.host)?.host;
    let base = crate::extensions::http_upload::files_url(&services.config, host)?;
    Some((center.files.url(&base, &file.file_name, &link)?, until))
}

/// Where the component gets the file for the next days, as long as it passes the stream to the customer.
pub(super) fn link_for_component(
    (center, place): (&Center, &Place),
    services: &Services,
    domain: &str,
    (slot, name): (&str, &str),
) -> Option<String> {
    let config = &services.config;
    let days = config.contact_center.delivery_link_days;
    let link = links::Link {
        slot,
        holder: links::Holder::Component(domain.to_owned()),
        until: services.clock.now().plus_days(days),
    };
    let base = crate::extensions::http_upload::files_url(config, &place.host)?;
    center.files.url(&base, name, &link)
}

fn url(
    caller: &Caller,
    attachment: &Attachment,
    holder: links::Holder,
    until: Timestamp,
) -> Option<String> {
    let link = links::Link {
        slot: &attachment.slot,
        holder,
        until,
    };
    let config = &caller.services.config;
    let url = crate::extensions::http_upload::files_url(config, &caller.place.host)?;
    caller.center.files.url(&url, &attachment.name, &link)
}

/// Deletes the files of a stream that its messages, as they are now, do not name any more: all of one that is deleted. What was taken for it and
/// is not named yet stays, for a message with it may be being written; the others are noted to be named.
pub(super) async fn forget(services: &Arc<Services>, id: &StreamId) -> Result<(), Refused> {
    let attachments = services.store.attachments();
    let known = attachments.of_stream(id.as_str()).await?;
    let stream: Option<Stream> = record::find(&services.store, id.as_str()).await?;
    let stream = stream.filter(|it| it.deleted_at.is_none());
    let is_named = |it: &&StoredAttachment| stream.as_ref().is_some_and(|stream| names(stream, it));
    let (named, other): (Vec<_>, Vec<_>) = known.iter().partition(is_named);
    let unnoted: Vec<_> = named
        .iter()
        .filter(|it| !it.named)
        .map(|it| &it.id)
        .collect();
    if !unnoted.is_empty() {
        Box::pin(attachments.name(&unnoted)).await?;
    }
    let gone = |it: &&&StoredAttachment| it.named || stream.is_none();
    let gone: Vec<&StoredAttachment> = other.iter().filter(gone).copied().collect();
    Box::pin(delete(services, &gone)).await?;
    Ok(())
}

/// Whether a message of the stream names that file.
fn names(stream: &Stream, stored: &StoredAttachment) -> bool {
    let mut files = stream.messages.iter().flat_map(|it| &it.attachments);
    files.any(|it| it.slot == stored.id.as_str())
}

/// Deletes attachments and their files. A file that is left is given to nobody, and found by the daily sweep.
async fn delete(services: &Services, gone: &[&StoredAttachment]) -> Result<(), StoreError> {
    if gone.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = gone.iter().map(|it| &it.id).collect();
    Box::pin(services.store.attachments().remove(&ids)).await?;
    let files = UploadFiles::of_attachments(&services.config.data_dir);
    for id in ids {
        if let Err(error) = files.remove(id).await {
            tracing::warn!(%error, "the file of a message stream could not be deleted");
        }
    }
    Ok(())
}
