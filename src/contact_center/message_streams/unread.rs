//! What an agent has not read. Of streams that are for it by name, or in which it has written, each message is counted
//! ([`readers`]); of those for everybody each new stream, since the agent has marked all as read.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::changes::shown;
use super::fields::id as id_of;
use super::place::Place;
use super::{NS, audit, readers, seen};
use crate::clock::Timestamp;
use crate::contact_center::contacts::page::Slice;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Outcome, Table};
use crate::contact_center::record::{self, Record};
use crate::contact_center::values::Values;
use crate::domain::ids::{AgentId, MessageId, StreamId};
use crate::domain::message_stream::{Rejection, Stream};
use crate::id;
use crate::proto::common::rsm::{Page, PageRequest};
use crate::store::{ListOrder, STREAM, STREAMS_FOR_EVERYBODY, StoredRecord};
use crate::xml::Element;

/// The kind of the record of what an agent has read of what is for everybody.
pub(super) const KIND: &str = "message-stream-inbox";

/// Streams of each kind that are looked at at once when somebody asks what is unread. Who has more than this has stopped counting, and
/// is told that there is more; pages lead to all of it.
const LOOKED_AT_MAX: u32 = 200;

/// Streams for everybody that are marked one by one; when there are more, all up to the oldest of them count as read.
const MARKED_MAX: usize = 500;

/// How often as many as that are marked when all are; what is left after ten thousand is asked for once more.
const ROUNDS_MAX: usize = 50;

/// Seconds between the making of an id and that of its stream, which may have files to take over, at most.
const MAKING_SECONDS: i64 = 600;

/// Streams of one answer.
const PAGE_MAX: usize = 50;

/// What an agent has read of what is for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Inbox {
    agent: AgentId,
    version: u64,
    /// Whatever was made until then is read.
    until: Timestamp,
    /// Later ones that are, too.
    #[serde(default)]
    read: BTreeSet<StreamId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Event {
    Read {
        stream: StreamId,
    },
    /// Everything that was made until then.
    All {
        until: Timestamp,
    },
}

impl Record for Inbox {
    const KEEPS_EVENTS: bool = false;
    const KIND: &'static str = KIND;
    type Event = Event;

    fn id(&self) -> String {
        self.agent.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Event) {
        self.version = self.version.saturating_add(1);
        match event {
            Event::Read { stream } => {
                self.read.insert(stream.clone());
            }
            Event::All { until } => {
                self.until = *until;
                self.read.clear();
            }
        }
    }
}

impl Inbox {
    fn has_read(&self, stream: &Stream) -> bool {
        self.read.contains(&stream.id) || made(stream) <= self.until
    }
}

fn made(stream: &Stream) -> Timestamp {
    let first = stream.messages.first();
    first.map_or(Timestamp::from_micros(i64::MIN), |it| it.at)
}

/// What was made before there was the account is not news to it.
async fn inbox(caller: &Caller) -> Result<Inbox, Refused> {
    let found = record::find(&caller.services.store, caller.agent.jid().as_str()).await?;
    let mut inbox: Inbox = found.unwrap_or_else(|| Inbox {
        agent: caller.agent.clone(),
        version: 0,
        until: caller.since,
        read: BTreeSet::new(),
    });
    // It may be that of an earlier account of the same name.
    inbox.until = inbox.until.max(caller.since);
    Ok(inbox)
}

/// A stream with how many of its messages are unread.
type Counted = (Stream, usize);

/// What is unread, as far as it was looked at.
struct Unread {
    /// In the order that was asked for.
    streams: Vec<Counted>,
    /// The id of the last stream that was looked at, where there are more behind it.
    more: Option<String>,
}

/// Where is begun to look: behind which id, if not at the end, and in which direction.
type Start<'a> = (Option<&'a str>, ListOrder);

/// The newest first, from the beginning.
const NEWEST: Start<'static> = (None, ListOrder::Descending);

/// The operation `unread`.
pub(super) async fn list(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    audit::reads(
        &caller,
        "message-stream unread",
        caller.agent.jid().as_str(),
    )
    .await?;
    let all = Box::pin(look(&caller, NEWEST)).await?;
    let counted = all.more.is_none();
    let (part, rest) = Box::pin(part(&caller, &all, values.page())).await?;
    // What is counted tells by the count which page is the last one.
    let complete = counted || !rest;
    let messages: usize = all.streams.iter().map(|(_, count)| count).sum();
    let element = |(stream, count): &Counted| {
        Element::new(NS, "stream")
            .attr("id", stream.id.as_str())
            .attr_opt("customer", stream.customer.as_ref().map(|it| it.as_str()))
            .attr("unread", count.to_string())
            .child(Element::new(NS, "title").text(stream.title.as_str()))
    };
    let answer = Element::new(NS, "unread")
        .attr("messages", messages.to_string())
        .attr("complete", if complete { "true" } else { "false" })
        .children_from(part.iter().map(element))
        .child(page(&all, &part).to_element());
    let row = |(stream, count): &Counted| {
        vec![
            stream.title.clone(),
            count.to_string(),
            stream.id.to_string(),
        ]
    };
    let table = Table {
        columns: &[("title", "Title"), ("unread", "New"), ("id", "Id")],
        rows: part.iter().map(row).collect(),
    };
    let told = match counted {
        true => format!("You have not read {messages} messages."),
        false => format!("You have not read {messages} messages or more."),
    };
    Ok(Outcome::told(told).with(answer).listing(table))
}

/// What is said of a part: which one of how many it is only where all are counted.
fn page(all: &Unread, part: &[Counted]) -> Page {
    let ends = part.first().zip(part.last());
    let place = |(first, _): (&Counted, &Counted)| {
        let mut all = all.streams.iter();
        all.position(|it| it.0.id == first.0.id)
    };
    let counted = all.more.is_none();
    let index = ends.filter(|_| counted).and_then(place);
    Page {
        index: index.and_then(|it| u64::try_from(it).ok()),
        ends: ends.map(|((first, _), (last, _))| (first.id.to_string(), last.id.to_string())),
        count: u64::try_from(all.streams.len()).ok().filter(|_| counted),
    }
}

/// The streams that are asked for, the newest first: of all where these are known, else of what lies there; and whether there may be more in
/// that direction. It goes on behind a stream that was read or has gone meanwhile.
async fn part(
    caller: &Caller,
    all: &Unread,
    asked: &PageRequest,
) -> Result<(Vec<Counted>, bool), Refused> {
    let slice = Slice::<Place>::of(asked)?;
    // The newest come first: what is before a stream is newer.
    let order = match slice.order {
        ListOrder::Ascending => ListOrder::Descending,
        ListOrder::Descending => ListOrder::Ascending,
    };
    let from = slice.from.as_ref().map(Place::as_str);
    let max = usize::try_from(slice.max).map_or(PAGE_MAX, |max| max.min(PAGE_MAX));
    let (mut found, more) = match all.more {
        None => {
            let behind = |it: &&Counted| from.is_none_or(|from| is_behind(&it.0, from, order));
            let mut known: Vec<Counted> = all.streams.iter().filter(behind).cloned().collect();
            if order == ListOrder::Ascending {
                known.reverse();
            }
            (known, false)
        }
        Some(_) => Box::pin(walk(caller, (from, order), max)).await?,
    };
    let rest = more || found.len() > max;
    found.truncate(max);
    Ok((slice.in_order(found), rest))
}

fn is_behind(stream: &Stream, from: &str, order: ListOrder) -> bool {
    match order {
        ListOrder::Ascending => stream.id.as_str() > from,
        ListOrder::Descending => stream.id.as_str() < from,
    }
}

/// Looks on until more than so many are found, or nothing is left; tells whether something may be left.
async fn walk(
    caller: &Caller,
    (from, order): Start<'_>,
    max: usize,
) -> Result<(Vec<Counted>, bool), Refused> {
    let mut from = from.map(str::to_owned);
    let mut found = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let looked = Box::pin(look(caller, (from.as_deref(), order))).await?;
        found.extend(looked.streams);
        from = looked.more;
        if from.is_none() || found.len() > max {
            break;
        }
    }
    Ok((found, from.is_some()))
}

/// Of both kinds in one order, as far as both were looked at.
async fn look(caller: &Caller, from: Start<'_>) -> Result<Unread, Refused> {
    let named = named(caller, from).await?;
    let everybodys = for_everybody(caller, from).await?;
    let ends = [&named.more, &everybodys.more].into_iter().flatten();
    let more = match from.1 {
        ListOrder::Ascending => ends.min(),
        ListOrder::Descending => ends.max(),
    };
    let more = more.cloned();
    let mut streams = [named.streams, everybodys.streams].concat();
    streams.sort_by(|(a, _), (b, _)| match from.1 {
        ListOrder::Ascending => a.id.cmp(&b.id),
        ListOrder::Descending => b.id.cmp(&a.id),
    });
    if let Some(end) = &more {
        streams.retain(|(it, _)| !is_behind(it, end, from.1));
    }
    Ok(Unread { streams, more })
}

/// The last of so many rows, where there may be more behind it.
fn end_of(rows: &[StoredRecord]) -> Option<String> {
    let full = rows.len() >= usize::try_from(LOOKED_AT_MAX).unwrap_or(usize::MAX);
    rows.last().filter(|_| full).map(|it| it.id.clone())
}

/// Of streams that name the caller or in which it has written.
async fn named(caller: &Caller, (from, order): Start<'_>) -> Result<Unread, Refused> {
    let own = caller.agent.to_string();
    let of = (readers::UNREAD, own.as_str());
    let records = caller.services.store.records();
    let rows = records
        .listed(readers::KIND, of, from, order, LOOKED_AT_MAX)
        .await?;
    let mut streams = Vec::new();
    for row in &rows {
        let record: readers::Readers = record::read(row)?;
        let Ok(id) = row.id.parse::<StreamId>() else {
            continue;
        };
        // The right may be gone, to all of it or to the replies.
        let stream = seen(caller, &id).await?;
        // What names an earlier account of the same name is counted with what is for everybody, if it is.
        let stream = stream.filter(|it| it.names(&caller.agent, caller.since));
        let Some(stream) = stream else {
            continue;
        };
        let behind = stream
            .read_by(&caller.rights)
            .skip(record.seen_by(&caller.agent));
        let count = behind.filter(|it| it.author != caller.agent).count();
        if count > 0 {
            streams.push((stream, count));
        }
    }
    Ok(Unread {
        streams,
        more: end_of(&rows),
    })
}

/// Of streams for everybody: one message each, which is new as a whole.
async fn for_everybody(caller: &Caller, (from, order): Start<'_>) -> Result<Unread, Refused> {
    let inbox = inbox(caller).await?;
    let of = (STREAMS_FOR_EVERYBODY, caller.place.host.as_str());
    let records = caller.services.store.records();
    // What was made before that is read. An id is made a little before its stream.
    let begin = id::floor(inbox.until.plus_seconds(-MAKING_SECONDS));
    let from = match order {
        ListOrder::Ascending => Some(from.map_or(begin.as_str(), |from| from.max(&begin))),
        ListOrder::Descending => from,
    };
    let rows = records
        .listed(STREAM, of, from, order, LOOKED_AT_MAX)
        .await?;
    let mut more = end_of(&rows).filter(|it| *it > begin);
    let mut streams = Vec::new();
    for row in &rows {
        let stream: Stream = record::read(row)?;
        if made(&stream) <= inbox.until {
            match order {
                ListOrder::Ascending => continue,
                ListOrder::Descending => {
                    more = None;
                    break;
                }
            }
        }
        let is_news = !inbox.has_read(&stream) && !stream.names(&caller.agent, caller.since);
        if is_news && stream.is_seen_by(&caller.agent, caller.since, &caller.rights) {
            streams.push((stream, 1));
        }
    }
    Ok(Unread { streams, more })
}

/// The operation `mark-read`.
pub(super) async fn mark(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    if values.optional_text("id").is_none() {
        mark_all(&caller).await?;
        return Ok(Outcome::told("You have read everything."));
    }
    let stream = shown(&caller, &values).await?;
    let up_to: Option<MessageId> = match values.optional_text("message") {
        Some(_) => Some(id_of(&values, "message")?),
        None => None,
    };
    let mut readable = stream.read_by(&caller.rights);
    if let Some(up_to) = &up_to
        && !readable.any(|it| it.id == *up_to)
    {
        return Err(Rejection::NoMessage.into());
    }
    mark_one(&caller, &stream.id, up_to.as_ref()).await?;
    Ok(Outcome::told("It is marked as read."))
}

/// Up to that message, or all of it.
async fn mark_one(
    caller: &Caller,
    id: &StreamId,
    up_to: Option<&MessageId>,
) -> Result<(), Refused> {
    // Those for whom it is read it at the same time.
    let _turn = caller.center.turns.take(id.to_string()).await;
    let attempt = async |mut draft: Draft| {
        let Some(stream) = seen(caller, id).await? else {
            return Err(Rejection::Unknown.into());
        };
        if stream.names(&caller.agent, caller.since) {
            let before = readers::find(&caller.services, id).await?;
            let place = up_to.and_then(|up_to| {
                let found = stream.messages.iter().position(|it| it.id == *up_to);
                found.map(|at| at + 1)
            });
            let count = place.unwrap_or(stream.messages.len());
            readers::read(&mut draft, &before, &stream, (&caller.agent, count))?;
        } else {
            let before = inbox(caller).await?;
            if !before.has_read(&stream) {
                draft.change(&before, &events_of(&before, &stream.id, caller).await?)?;
            }
        }
        Ok((draft, ()))
    };
    Box::pin(caller.center.save(&caller.services, attempt)).await
}

/// One more; with too many of them, all up to the oldest count as read.
async fn events_of(before: &Inbox, id: &StreamId, caller: &Caller) -> Result<Vec<Event>, Refused> {
    let read = Event::Read { stream: id.clone() };
    if before.read.len() < MARKED_MAX {
        return Ok(vec![read]);
    }
    let mut all = before.read.clone();
    all.insert(id.clone());
    let mut until = before.until;
    // What is deleted meanwhile says nothing of its time.
    while let Some(oldest) = all.pop_first() {
        if let Some(stream) = seen(caller, &oldest).await? {
            until = until.max(made(&stream));
            break;
        }
    }
    let mut events = vec![Event::All { until }];
    events.extend(all.into_iter().map(|stream| Event::Read { stream }));
    Ok(events)
}

async fn mark_all(caller: &Caller) -> Result<(), Refused> {
    let attempt = async |mut draft: Draft| {
        let before = inbox(caller).await?;
        let until = caller.now();
        draft.change(&before, &[Event::All { until }])?;
        Ok((draft, ()))
    };
    Box::pin(caller.center.save(&caller.services, attempt)).await?;
    for _ in 0..ROUNDS_MAX {
        let unread = named(caller, NEWEST).await?;
        for (stream, _) in &unread.streams {
            match Box::pin(mark_one(caller, &stream.id, None)).await {
                // Gone from the caller's sight meanwhile.
                Ok(()) | Err(Refused::Rule(_)) => {}
                Err(refused) => return Err(refused),
            }
        }
        if unread.more.is_none() || unread.streams.is_empty() {
            break;
        }
    }
    Ok(())
}
