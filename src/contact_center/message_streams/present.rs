//! What forms hold of a stream that is to be changed, as far as the caller sees it.

use super::audit;
use super::changes::shown;
use super::fields::id;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Shown};
use crate::contact_center::values::Values;
use crate::domain::ids::MessageId;
use crate::domain::message_stream::{Part, Recipients, Rejection, Stream};

/// What one of its messages says, and its files.
pub(super) async fn message(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let stream = found(&caller, &values).await?;
    let wanted: MessageId = id(&values, "message")?;
    let mut messages = stream.messages.iter();
    // One of somebody else can be read, and not changed: that is said when it is tried.
    let own = |it: &MessageId| {
        let mut readable = stream.read_by(&caller.rights);
        readable.any(|known| known.id == *it)
    };
    let message = messages.find(|it| {
        let is_own = it.author == caller.agent && it.at >= caller.since;
        it.id == wanted && (is_own || own(&it.id))
    });
    let message = message.ok_or(Rejection::NoMessage)?;
    let files = message.attachments.iter();
    let mut values = vec![version(&caller, &stream), ("text", message.text.clone())];
    let title = stream.title_of(message, message.earlier.len());
    values.extend(title.map(|title| ("title", title.to_owned())));
    values.extend(files.clone().map(|it| ("keep", it.slot.clone())));
    let options = files.map(|it| ("keep", it.slot.clone(), it.name.clone()));
    Ok(Shown {
        options: options.collect(),
        values,
        about: Some(stream.title.clone()),
    })
}

/// For whom it is, and what is set; nothing of it for who may set it and not see it.
pub(super) async fn properties(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let stream = found(&caller, &values).await?;
    let mut values = vec![version(&caller, &stream)];
    if caller.rights.has(Part::Property.right()) {
        let set = &stream.properties;
        if let Recipients::Some(recipients) = &set.recipients {
            let recipients = recipients.iter();
            values.extend(recipients.map(|it| ("recipient", it.to_string())));
        }
        values.extend(set.minutes.map(|it| ("minutes", it.to_string())));
        for (name, on) in [
            ("whisper", set.whisper),
            ("billable", set.billable),
            ("deliver", set.delivered),
        ] {
            values.push((name, on.to_string()));
        }
    }
    Ok(about(&stream, values))
}

/// The tags that it has.
pub(super) async fn tags(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let stream = found(&caller, &values).await?;
    let seen = caller.rights.has(Part::Tag.right());
    let tags = stream.tags.iter().filter(|_| seen);
    let mut values = vec![version(&caller, &stream)];
    values.extend(tags.clone().map(|it| ("tag", it.clone())));
    // One that was removed from the administrator's list stays where it was chosen.
    let options = tags.map(|it| ("tag", it.clone(), it.clone())).collect();
    Ok(Shown {
        options,
        ..about(&stream, values)
    })
}

/// Which one it is, and how far, for who completes, reopens or deletes it.
pub(super) async fn as_it_is(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let stream = found(&caller, &values).await?;
    let state = match stream.completed_at {
        Some(_) => "completed",
        None => "open",
    };
    let replies = stream.read_by(&caller.rights).count().saturating_sub(1);
    let replies = match (caller.rights.has(Part::Comment.right()), replies) {
        (false, _) => String::new(),
        (true, 1) => ", 1 reply".to_owned(),
        (true, replies) => format!(", {replies} replies"),
    };
    Ok(Shown {
        about: Some(format!("{} ({state}{replies})", stream.title)),
        ..about(&stream, vec![version(&caller, &stream)])
    })
}

/// The stream that is named, written down where its reader is to be.
async fn found(caller: &Caller, values: &Values) -> Result<Stream, Refused> {
    let stream = shown(caller, values).await?;
    audit::reads(caller, "message-stream show", stream.id.as_str()).await?;
    Ok(stream)
}

fn version(caller: &Caller, stream: &Stream) -> (&'static str, String) {
    ("version", stream.version_for(&caller.rights).to_string())
}

fn about(stream: &Stream, values: Vec<(&'static str, String)>) -> Shown {
    Shown {
        values,
        about: Some(stream.title.clone()),
        ..Shown::default()
    }
}
