//! What there is about a customer, of several kinds, as one list with the newest first, page by page (XEP-0059).
//!
//! Each kind has a list of its own for every customer, in the order of its ids, which sort by the time of their making. Of each
//! a part is read at a time, from the place of the page on: a page costs a few reads, however long the history is. What
//! the caller may not see is no entry, and no page is shorter for it.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use super::errors::Refused;
use super::operation::Caller;
use crate::clock::Timestamp;
use crate::domain::ids::AgentId;
use crate::store::{ListOrder, Listing, StoredRecord};

/// Records that are read at once of one list.
const ROWS: u32 = 20;

/// Digits of an id with its hyphens (RFC 9562 §4).
const ID_CHARS: usize = 36;

/// What an entry is about. Of two that were made as one, the later stands before the other in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// One agent's part in an interaction.
    Activity,
    /// Something that is planned, or was.
    FollowUp,
    /// A note with its replies.
    MessageStream,
    /// A call, a chat or an e-mail.
    Interaction,
}

impl Sort {
    const ALL: [Self; 4] = [
        Self::Activity,
        Self::FollowUp,
        Self::MessageStream,
        Self::Interaction,
    ];

    /// The word for it in the protocol.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Activity => "activity",
            Self::FollowUp => "follow-up",
            Self::MessageStream => "message-stream",
            Self::Interaction => "interaction",
        }
    }
}

/// Where an entry stands: `follow-up/0199…`. Places sort by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// By which it is found in its list.
    id: String,
    sort: Sort,
}

impl Place {
    pub(super) const fn new(sort: Sort, id: String) -> Self {
        Self { id, sort }
    }

    /// What stands there.
    pub(super) const fn sort(&self) -> Sort {
        self.sort
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.sort.name(), self.id)
    }
}

/// The text is no place.
#[derive(Debug)]
pub(super) struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    /// Whether anything stands there is not looked at: what was there may be gone, or no longer for the caller, and its page
    /// goes on all the same.
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (name, id) = text.split_once('/').ok_or(NoPlace)?;
        let sort = Sort::ALL.into_iter().find(|it| it.name() == name);
        let digit = |c: char| matches!(c, '0'..='9' | 'a'..='f' | '-');
        let good = id.len() == ID_CHARS && id.chars().all(digit);
        match sort.filter(|_| good) {
            Some(sort) => Ok(Self::new(sort, id.to_owned())),
            None => Err(NoPlace),
        }
    }
}

/// What is shown of a record.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where it stands.
    pub(super) place: Place,
    /// By which the record is asked for.
    pub(super) id: String,
    /// When it was made.
    pub(super) at: Option<Timestamp>,
    /// Whose it is.
    pub(super) agent: Option<AgentId>,
    /// How far it is, where it has such.
    pub(super) state: Option<&'static str>,
    /// What it is called.
    pub(super) title: String,
    /// More about it, in a line.
    pub(super) summary: String,
}

/// What the caller sees of a record: nothing, an entry, or several that stand together.
pub(super) type Shows = fn(&Caller, &StoredRecord) -> Result<Vec<Entry>, Refused>;

/// One list of records about the customer.
pub(super) struct Records {
    pub(super) kind: &'static str,
    pub(super) listing: Listing,
    pub(super) shows: Shows,
}

impl Records {
    /// Those of that kind in that list of that owner.
    pub(super) fn listed(
        kind: &'static str,
        (list, owner): (&'static str, String),
        shows: Shows,
    ) -> Self {
        let listing = Listing { list, owner };
        Self {
            kind,
            listing,
            shows,
        }
    }
}

/// Which part is asked for.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Behind which place in that order; else at its beginning.
    pub(super) from: Option<Place>,
    /// Descending are those first that were made last.
    pub(super) order: ListOrder,
    /// How many entries.
    pub(super) max: usize,
}

/// The entries of all those lists that are asked for, in that order, and whether there is nothing behind them.
///
/// # Errors
/// When the database fails.
pub(super) async fn read(
    caller: &Caller,
    lists: Vec<Records>,
    part: &Part,
) -> Result<(Vec<Entry>, bool), Refused> {
    let mut sources: Vec<Source> = lists.into_iter().map(|it| Source::new(it, part)).collect();
    let mut found = Vec::new();
    loop {
        for source in &mut sources {
            source.fill(caller).await?;
        }
        match next(&mut sources, part.order) {
            None => return Ok((found, true)),
            Some(_) if found.len() >= part.max => return Ok((found, false)),
            Some(entry) => found.push(entry),
        }
    }
}

/// The entry that comes first of all sources.
fn next(sources: &mut [Source], order: ListOrder) -> Option<Entry> {
    let with_entries = sources.iter_mut().filter(|it| !it.entries.is_empty());
    let place = |it: &&mut Source| it.entries.front().map(|entry| entry.place.clone());
    let source = match order {
        ListOrder::Ascending => with_entries.min_by_key(place),
        ListOrder::Descending => with_entries.max_by_key(place),
    };
    source?.entries.pop_front()
}

/// One list, read a part at a time.
struct Source {
    records: Records,
    part: Part,
    /// Behind which id the next rows are.
    from: Option<String>,
    /// In the order that is asked for; never more than [`ROWS`] records have.
    entries: VecDeque<Entry>,
    ended: bool,
}

impl Source {
    fn new(records: Records, part: &Part) -> Self {
        // The id itself is read once more: another sort of entry may stand behind the place.
        let from = part.from.as_ref().map(|place| {
            let mut id = place.id.clone();
            match part.order {
                ListOrder::Descending => id.push('0'),
                ListOrder::Ascending => {
                    id.pop();
                }
            }
            id
        });
        Self {
            records,
            part: part.clone(),
            from,
            entries: VecDeque::new(),
            ended: false,
        }
    }

    /// Reads on until there is an entry, or no record any more. What is hidden has a list of which only few records are: that of
    /// one reader, who has the name of somebody else who was one before.
    async fn fill(&mut self, caller: &Caller) -> Result<(), Refused> {
        let records = caller.services.store.records();
        while self.entries.is_empty() && !self.ended {
            let Listing { list, owner } = &self.records.listing;
            let (of, from) = ((*list, owner.as_str()), self.from.as_deref());
            let rows = records.listed(self.records.kind, of, from, self.part.order, ROWS);
            let rows = rows.await?;
            self.ended = rows.len() < usize::try_from(ROWS).unwrap_or(usize::MAX);
            if let Some(last) = rows.last() {
                self.from = Some(last.id.clone());
            }
            for stored in &rows {
                self.take((self.records.shows)(caller, stored)?);
            }
        }
        Ok(())
    }

    /// Those of one record that lie behind the place from which on is read.
    fn take(&mut self, mut entries: Vec<Entry>) {
        entries.sort_by(|a, b| a.place.cmp(&b.place));
        if self.part.order == ListOrder::Descending {
            entries.reverse();
        }
        let from = self.part.from.as_ref();
        let is_behind = |it: &Entry| match self.part.order {
            ListOrder::Ascending => from.is_none_or(|from| it.place > *from),
            ListOrder::Descending => from.is_none_or(|from| it.place < *from),
        };
        self.entries.extend(entries.into_iter().filter(is_behind));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written_and_nothing_else_is_one() {
        let id = "0199a3c2-0000-7000-8000-00000000000f";
        for sort in Sort::ALL {
            let place = Place::new(sort, id.to_owned());
            let read: Place = place.to_string().parse().unwrap();
            assert_eq!(read, place);
        }
        let upper = format!("activity/{}", id.to_uppercase());
        for bad in [
            "",
            id,
            "activity/",
            "activity/0199",
            "case/0199a3c2-0000-7000-8000-00000000000f",
            "activity/0199a3c2-0000-7000-8000-00000000000f0",
            &upper,
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }

    /// Of one moment the id decides, of one id the sort.
    #[test]
    fn places_sort_by_time() {
        let at = |id: &str, sort| Place::new(sort, id.to_owned());
        let mut places = [
            at("02", Sort::Activity),
            at("01", Sort::Interaction),
            at("01", Sort::MessageStream),
            at("01", Sort::Activity),
        ];
        places.sort();
        let names: Vec<_> = places.iter().map(|it| it.sort.name()).collect();
        let expected = ["activity", "message-stream", "interaction", "activity"];
        assert_eq!(names, expected);
    }
}
