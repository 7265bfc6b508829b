//! Streams of a customer, found in the two lists in which a caller has them: those that everybody reads, and those that are for
//! this one. Both are read in the order of the dates, a page at a time, and become one.

use std::collections::VecDeque;

use super::search::Words;
use super::{BEGINNING, COMPLETED, CUSTOMER, KIND, OPEN, TAG, for_all, for_one, with};
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::contact_center::record;
use crate::domain::ids::CustomerId;
use crate::domain::message_stream::Stream;
use crate::store::ListOrder;

/// Streams that one search looks at. Whoever looks for what hundreds have, and few of these are meant, goes on behind the
/// last.
const LOOKED_AT_MAX: usize = 500;

/// Streams that are read at once from one of the lists.
const ROWS: u32 = 50;

/// What is asked for.
pub(super) struct Wanted {
    pub(super) customer: CustomerId,
    /// Completed or open.
    pub(super) completed: Option<bool>,
    pub(super) tag: Option<String>,
    pub(super) words: Option<Words>,
}

/// What was found.
pub(super) struct Found {
    pub(super) streams: Vec<Stream>,
    /// Whether there is nothing more in the direction that was asked for.
    pub(super) complete: bool,
    /// The last one that was looked at.
    pub(super) last: Option<String>,
}

impl Wanted {
    /// Whether it is among what is asked for, as far as the caller can tell.
    fn finds(&self, caller: &Caller, stream: &Stream) -> bool {
        let state = self
            .completed
            .is_none_or(|it| it == stream.completed_at.is_some());
        let tagged = self
            .tag
            .as_ref()
            .is_none_or(|tag| stream.tags.contains(tag));
        let said = |words: &Words| words.find(&stream.title, stream.read_by(&caller.rights));
        stream.is_seen_by(&caller.agent, &caller.rights)
            && state
            && tagged
            && self.words.as_ref().is_none_or(said)
    }

    /// Of what everybody reads the shortest list that has all of it.
    fn list(&self, host: &str) -> (&'static str, String) {
        let all = for_all(host, &self.customer);
        match (&self.words, &self.tag, self.completed) {
            (Some(words), _, _) => (BEGINNING, with(&all, &words.listed())),
            (None, Some(tag), _) => (TAG, with(&all, tag)),
            (None, None, Some(true)) => (COMPLETED, all),
            (None, None, Some(false)) => (OPEN, all),
            (None, None, None) => (CUSTOMER, all),
        }
    }

    /// What there is behind the id `from` in that order, at most so many.
    pub(super) async fn find(
        &self,
        caller: &Caller,
        from: Option<&str>,
        (order, max): (ListOrder, usize),
    ) -> Result<Found, Refused> {
        let host = caller.place.host.as_str();
        let (list, owner) = self.list(host);
        let own = for_one(host, &self.customer, &caller.agent);
        let mut everybodys = Source::new((list, owner), from, order);
        let mut own = Source::new((CUSTOMER, own), from, order);
        let mut found = Found {
            streams: Vec::new(),
            complete: false,
            last: None,
        };
        for _ in 0..LOOKED_AT_MAX {
            everybodys.fill(caller).await?;
            own.fill(caller).await?;
            let Some(next) = next(&mut everybodys, &mut own, order) else {
                found.complete = true;
                return Ok(found);
            };
            let meant = self.finds(caller, &next);
            if meant && found.streams.len() >= max {
                return Ok(found);
            }
            found.last = Some(next.id.to_string());
            if meant {
                found.streams.push(next);
            }
        }
        Ok(found)
    }
}

/// The one that comes first of both.
fn next(one: &mut Source, other: &mut Source, order: ListOrder) -> Option<Stream> {
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
    rows: VecDeque<Stream>,
    ended: bool,
}

impl Source {
    fn new((list, owner): (&'static str, String), from: Option<&str>, order: ListOrder) -> Self {
        Self {
            list,
            owner,
            order,
            from: from.map(str::to_owned),
            rows: VecDeque::new(),
            ended: false,
        }
    }

    async fn fill(&mut self, caller: &Caller) -> Result<(), Refused> {
        if self.ended || !self.rows.is_empty() {
            return Ok(());
        }
        let records = caller.services.store.records();
        let (of, from) = ((self.list, self.owner.as_str()), self.from.as_deref());
        let read = records.listed(KIND, of, from, self.order, ROWS).await?;
        self.ended = read.len() < usize::try_from(ROWS).unwrap_or(usize::MAX);
        if let Some(last) = read.last() {
            self.from = Some(last.id.clone());
        }
        for stored in &read {
            self.rows.push_back(record::read(stored)?);
        }
        Ok(())
    }
}
