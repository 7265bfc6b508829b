//! Message streams: records of the kind [`STREAM`], and the lists in which they are found.
//!
//! What everybody reads about a customer is in one list, and in one more for its state, each tag, and each beginning of
//! a word. What is for some is in a list of each of these: nobody even passes over what is not for it. Of those each agent has few
//! with one customer, so that they are looked through, whatever is looked for. Both lists are read by their ids, which sort
//! by time, and become one.

use std::collections::{BTreeSet, VecDeque};

use super::error::StoreError;
use super::record::{ListOrder, Listing, Records, StoredRecord};
use crate::domain::ids::{AgentId, CustomerId};
use crate::domain::message_stream::search::beginnings;
use crate::domain::message_stream::{Recipients, Stream};

/// The kind of these records.
pub const STREAM: &str = "message-stream";

/// All streams about a customer, for what the server itself does with them; the owner is the host and the customer.
pub const STREAMS_ABOUT: &str = "about";
/// Those of a whole host that everybody reads, whomever they are about; the owner is the host.
pub const STREAMS_FOR_EVERYBODY: &str = "everybody";

/// Those about a customer as they are shown; the owner is [`for_all`] or [`for_one`].
const CUSTOMER: &str = "customer";
/// Of those that everybody reads the ones that are not completed.
const OPEN: &str = "open";
/// The ones that are completed.
const COMPLETED: &str = "completed";
/// The ones with a tag; the owner is [`with`] it.
const TAG: &str = "tag";
/// The ones with a word that begins so; the owner is [`with`] the beginning.
const BEGINNING: &str = "beginning";

/// Streams that one search looks at. Whoever looks for what hundreds have, and few of these are meant, goes on behind the
/// last.
const LOOKED_AT_MAX: usize = 500;

/// Streams that are read at once from one of the lists, at most: a page.
const ROWS: u32 = 50;

/// Streams that are read first of those that are for one reader: of a page they are few. The next part is larger.
const OWN_ROWS: u32 = 8;

/// The lists in which a stream is found; none for one that is deleted.
#[must_use]
pub fn stream_listings(stream: &Stream) -> Vec<Listing> {
    let (Some(customer), Some(first)) = (&stream.customer, stream.messages.first()) else {
        return Vec::new();
    };
    let host = first.author.host();
    let mut listings = vec![listing(STREAMS_ABOUT, for_all(host, customer))];
    match &stream.properties.recipients {
        Recipients::All => listings.extend(everybodys(stream, host, customer)),
        Recipients::Some(_) => {
            let readers = stream.named();
            let owners = readers.keys().map(|it| for_one(host, customer, it));
            listings.extend(owners.map(|owner| listing(CUSTOMER, owner)));
        }
    }
    listings
}

/// The lists of what one reader sees about a customer: what everybody reads, and what is for that one. No stream is in both.
#[must_use]
pub fn streams_for(reader: StreamReader<'_>) -> [Listing; 2] {
    let StreamReader {
        host,
        customer,
        agent,
    } = reader;
    [for_all(host, customer), for_one(host, customer, agent)].map(|it| listing(CUSTOMER, it))
}

/// The lists of a stream that everybody reads.
fn everybodys(stream: &Stream, host: &str, customer: &CustomerId) -> Vec<Listing> {
    let all = for_all(host, customer);
    let state = match stream.completed_at {
        Some(_) => COMPLETED,
        None => OPEN,
    };
    let tags = stream.tags.iter();
    let tags = tags.map(|tag| listing(TAG, with(&all, tag)));
    let beginnings: BTreeSet<String> = beginnings(stream);
    let beginnings = beginnings.iter();
    let beginnings = beginnings.map(|it| listing(BEGINNING, with(&all, it)));
    let mut listings: Vec<Listing> = tags.chain(beginnings).collect();
    listings.push(listing(STREAMS_FOR_EVERYBODY, host.to_owned()));
    listings.push(listing(state, all.clone()));
    listings.push(listing(CUSTOMER, all));
    listings
}

const fn listing(list: &'static str, owner: String) -> Listing {
    Listing { list, owner }
}

/// Whose list it is in which the streams about a customer are that everybody reads.
fn for_all(host: &str, customer: &CustomerId) -> String {
    format!("{host} {customer}")
}

/// Whose list it is in which those are that are for this agent.
fn for_one(host: &str, customer: &CustomerId, agent: &AgentId) -> String {
    format!("{host} {customer} {agent}")
}

/// The same as the first of those with a tag or the beginning of a word.
fn with(for_all: &str, word: &str) -> String {
    format!("{for_all} {word}")
}

/// Which of the lists of what everybody reads is read: the shortest that has all that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamList {
    /// All about the customer.
    All,
    /// Those that are not completed.
    Open,
    /// Those that are.
    Completed,
    /// Those with that tag.
    Tag(String),
    /// Those with a word that begins so.
    Beginning(String),
}

/// For whom streams about whom are looked for.
#[derive(Clone, Copy, Debug)]
pub struct StreamReader<'a> {
    /// The host.
    pub host: &'a str,
    /// About whom.
    pub customer: &'a CustomerId,
    /// For whom.
    pub agent: &'a AgentId,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundStreams {
    /// In the order that was asked for.
    pub streams: Vec<Stream>,
    /// Whether there is nothing more in the direction that was asked for.
    pub complete: bool,
    /// The last one that was looked at, which the reader sees.
    pub last: Option<String>,
}

/// Operations on message streams; from [`super::Store::message_streams`].
#[derive(Clone, Copy)]
pub struct MessageStreams<'a> {
    pub(super) records: Records<'a>,
}

impl MessageStreams<'_> {
    /// Streams behind the id `from` in that order, at most so many, of those that the reader `sees` and that are `meant`: what
    /// everybody reads and is in that list, and what is for the reader. What it does not see, such as what names somebody else who
    /// had its name before, is in its own list alone, which is short: it is passed over, and no place in the answer is named by it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        reader: StreamReader<'_>,
        list: &StreamList,
        from: Option<&str>,
        (order, max): (ListOrder, usize),
        (sees, meant): (impl Fn(&Stream) -> bool, impl Fn(&Stream) -> bool),
    ) -> Result<FoundStreams, StoreError> {
        let StreamReader {
            host,
            customer,
            agent,
        } = reader;
        let all = for_all(host, customer);
        let list = match list {
            StreamList::All => (CUSTOMER, all),
            StreamList::Open => (OPEN, all),
            StreamList::Completed => (COMPLETED, all),
            StreamList::Tag(tag) => (TAG, with(&all, tag)),
            StreamList::Beginning(beginning) => (BEGINNING, with(&all, beginning)),
        };
        let own = (CUSTOMER, for_one(host, customer, agent));
        let mut everybodys = Source::new(list, from, (order, ROWS));
        let mut own = Source::new(own, from, (order, OWN_ROWS));
        let mut found = FoundStreams {
            streams: Vec::new(),
            complete: false,
            last: None,
        };
        let mut looked_at = 0;
        while looked_at < LOOKED_AT_MAX {
            everybodys.fill(&self.records).await?;
            own.fill(&self.records).await?;
            let Some(next) = next(&mut everybodys, &mut own, order) else {
                found.complete = true;
                return Ok(found);
            };
            let next = stream_of(&next)?;
            if !sees(&next) {
                continue;
            }
            looked_at += 1;
            let is_meant = meant(&next);
            if is_meant && found.streams.len() >= max {
                return Ok(found);
            }
            found.last = Some(next.id.to_string());
            if is_meant {
                found.streams.push(next);
            }
        }
        Ok(found)
    }
}

/// The one that comes first of both.
fn next(one: &mut Source, other: &mut Source, order: ListOrder) -> Option<StoredRecord> {
    let first = match (one.rows.front(), other.rows.front()) {
        (Some(a), Some(b)) => match order {
            ListOrder::Ascending => a.id < b.id,
            ListOrder::Descending => a.id > b.id,
        },
        (first, _) => first.is_some(),
    };
    let source = if first { one } else { other };
    source.rows.pop_front()
}

/// One list, read a part at a time.
struct Source {
    list: &'static str,
    owner: String,
    order: ListOrder,
    /// Behind which id the next part is.
    from: Option<String>,
    /// How long the next part is.
    part: u32,
    /// Never more than [`ROWS`]. What nobody comes to look at is never parsed.
    rows: VecDeque<StoredRecord>,
    ended: bool,
}

impl Source {
    fn new(
        (list, owner): (&'static str, String),
        from: Option<&str>,
        (order, part): (ListOrder, u32),
    ) -> Self {
        Self {
            list,
            owner,
            order,
            from: from.map(str::to_owned),
            part,
            rows: VecDeque::new(),
            ended: false,
        }
    }

    async fn fill(&mut self, records: &Records<'_>) -> Result<(), StoreError> {
        if self.ended || !self.rows.is_empty() {
            return Ok(());
        }
        let (of, from) = ((self.list, self.owner.as_str()), self.from.as_deref());
        let read = records
            .listed(STREAM, of, from, self.order, self.part)
            .await?;
        self.ended = read.len() < usize::try_from(self.part).unwrap_or(usize::MAX);
        self.part = self.part.saturating_mul(4).min(ROWS);
        if let Some(last) = read.last() {
            self.from = Some(last.id.clone());
        }
        self.rows = read.into();
        Ok(())
    }
}

fn stream_of(stored: &StoredRecord) -> Result<Stream, StoreError> {
    serde_json::from_str(&stored.snapshot).map_err(|cause| StoreError::corrupt(STREAM, cause))
}
