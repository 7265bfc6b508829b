//! Message streams in the history of a customer.

use crate::contact_center::customers::Sees;
use crate::contact_center::errors::Refused;
use crate::contact_center::history::{Entry, Place, Records, Sort};
use crate::contact_center::operation::Caller;
use crate::contact_center::record;
use crate::domain::message_stream::{Part, Stream};
use crate::domain::rights::Right;
use crate::store::{STREAM, StoredRecord, StreamReader, streams_for};

/// Those about the customer that the caller sees: of everybody's and of its own.
pub(in crate::contact_center) fn history(caller: &Caller, sees: Sees<'_>) -> Vec<Records> {
    if !caller.rights.has(Right::MessageShow) {
        return Vec::new();
    }
    let lists = streams_for(StreamReader {
        host: caller.place.host.as_str(),
        customer: &sees.customer.id,
        agent: &caller.agent,
    });
    let records = |listing| Records {
        kind: STREAM,
        listing,
        shows,
    };
    lists.into_iter().map(records).collect()
}

/// Of a stream its title, and how many have answered where the caller sees that.
fn shows(caller: &Caller, stored: &StoredRecord) -> Result<Vec<Entry>, Refused> {
    let stream: Stream = record::read(stored)?;
    if !stream.is_seen_by(&caller.agent, caller.since, &caller.rights) {
        return Ok(Vec::new());
    }
    let first = stream.messages.first();
    let summary = match caller.rights.has(Part::Comment.right()) {
        true => match stream.messages.len().saturating_sub(1) {
            1 => "1 reply".to_owned(),
            replies => format!("{replies} replies"),
        },
        false => String::new(),
    };
    let state = match stream.completed_at {
        Some(_) => "completed",
        None => "open",
    };
    Ok(vec![Entry {
        place: Place::new(Sort::MessageStream, stream.id.to_string()),
        id: stream.id.to_string(),
        at: first.map(|it| it.at),
        agent: first.map(|it| it.author.clone()),
        state: Some(state),
        title: stream.title.clone(),
        summary,
    }])
}
