//! The streams of a customer (S4-27, S4-29): by date in both directions, all that the caller sees or some of them.

use super::fields::id;
use super::place::Place;
use super::{NS, audit, wire};
use crate::contact_center::contacts::page::Slice;
use crate::contact_center::customers;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Outcome, Table};
use crate::contact_center::values::Values;
use crate::domain::customer;
use crate::domain::ids::CustomerId;
use crate::domain::message_stream::search::Words;
use crate::domain::message_stream::{Part, Stream};
use crate::proto::common::rsm::Page;
use crate::store::{FoundStreams, ListOrder, StreamList, StreamReader};
use crate::xml::Element;

/// Bytes of one page, but for a single stream that is larger.
const PAGE_BYTES_MAX: usize = 64 * 1024;

/// What is asked for.
struct Wanted {
    customer: CustomerId,
    /// Completed or open.
    completed: Option<bool>,
    tag: Option<String>,
    words: Option<Words>,
}

impl Wanted {
    /// Whether one that the caller sees is among what is asked for, as far as that one can tell.
    fn finds(&self, caller: &Caller, stream: &Stream) -> bool {
        let is_so = |completed: bool| completed == stream.completed_at.is_some();
        let has = |tag: &String| stream.tags.contains(tag);
        let says = |words: &Words| words.find(&stream.title, stream.read_by(&caller.rights));
        self.completed.is_none_or(is_so)
            && self.tag.as_ref().is_none_or(has)
            && self.words.as_ref().is_none_or(says)
    }

    /// Of what everybody reads the shortest list that has all of it.
    fn list(&self) -> StreamList {
        match (&self.words, &self.tag, self.completed) {
            (Some(words), _, _) => StreamList::Beginning(words.listed()),
            (None, Some(tag), _) => StreamList::Tag(tag.clone()),
            (None, None, Some(true)) => StreamList::Completed,
            (None, None, Some(false)) => StreamList::Open,
            (None, None, None) => StreamList::All,
        }
    }
}

/// The operation `streams`.
pub(super) async fn streams(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let wanted = asked(&caller, &values).await?;
    let slice = Slice::<Place>::of(values.page())?;
    let oldest_first = values.optional_text("order") == Some("ascending");
    let order = match (oldest_first, slice.order) {
        (true, ListOrder::Ascending) | (false, ListOrder::Descending) => ListOrder::Ascending,
        (true, ListOrder::Descending) | (false, ListOrder::Ascending) => ListOrder::Descending,
    };
    audit::reads(&caller, "message-stream list", wanted.customer.as_str()).await?;
    let from = slice.from.as_ref().map(Place::as_str);
    let max = usize::try_from(slice.max).unwrap_or(usize::MAX);
    let reader = StreamReader {
        host: caller.place.host.as_str(),
        customer: &wanted.customer,
        agent: &caller.agent,
    };
    let sees = |it: &Stream| it.is_seen_by(&caller.agent, caller.since, &caller.rights);
    let meant = |it: &Stream| wanted.finds(&caller, it);
    let list = wanted.list();
    let streams = caller.services.store.message_streams();
    let found = streams.find(reader, &list, from, (order, max), (sees, meant));
    let found = Box::pin(found).await?;
    let order = match oldest_first {
        true => "ascending",
        false => "descending",
    };
    Ok(page(&caller, &slice, found, (&wanted.customer, order)))
}

/// What was found as a page, as much as one answer takes.
fn page(
    caller: &Caller,
    slice: &Slice<Place>,
    found: FoundStreams,
    (customer, order): (&CustomerId, &str),
) -> Outcome {
    let (streams, all) = fitting(found.streams);
    let complete = found.complete && all;
    let streams = slice.in_order(streams);
    let ends = streams.first().zip(streams.last());
    let ends = ends.map(|(first, last)| (first.id.to_string(), last.id.to_string()));
    // None of the many that were looked at is meant: the search goes on behind the last of these.
    let looked_at = found.last.filter(|_| !complete);
    let page = Page {
        ends: ends.or_else(|| looked_at.map(|last| (last.clone(), last))),
        ..Page::default()
    };
    let answer = Element::new(NS, "streams")
        .attr("customer", customer.as_str())
        .attr("order", order)
        .attr("complete", if complete { "true" } else { "false" })
        .children_from(streams.iter().map(|it| wire::head(it, &caller.rights)))
        .child(page.to_element());
    let told = match (streams.len(), complete) {
        (0, true) => "There is no message.".to_owned(),
        (count, true) => format!("{count} messages."),
        (count, false) => format!("{count} messages, and there may be more."),
    };
    let table = Table {
        columns: COLUMNS,
        rows: streams.iter().map(|it| row(it, caller)).collect(),
    };
    Outcome::told(told).with(answer).listing(table)
}

/// What is asked for. By tags only those look who see them.
async fn asked(caller: &Caller, values: &Values) -> Result<Wanted, Refused> {
    let tag = values.optional_text("tag").map(str::to_owned);
    if tag.is_some() {
        caller.rights.require(Part::Tag.right())?;
    }
    let words = values.optional_text("text").map(Words::new).transpose()?;
    let named: CustomerId = id(values, "customer")?;
    let found = customers::find(&caller.services, &caller.place, &named).await?;
    let customer = found.ok_or(customer::Rejection::Unknown)?.id;
    let completed = values.optional_text("state").map(|it| it == "completed");
    Ok(Wanted {
        customer,
        completed,
        tag,
        words,
    })
}

/// As many as one answer takes, and whether these are all.
fn fitting(mut streams: Vec<Stream>) -> (Vec<Stream>, bool) {
    let mut bytes = 0;
    let fits = streams.iter().take_while(|stream| {
        let first = bytes == 0;
        bytes += wire::head_size(stream);
        first || bytes <= PAGE_BYTES_MAX
    });
    let fits = fits.count();
    let all = fits == streams.len();
    streams.truncate(fits);
    (streams, all)
}

const COLUMNS: &[(&str, &str)] = &[
    ("created", "When"),
    ("author", "From"),
    ("title", "Title"),
    ("tags", "Tags"),
    ("replies", "Replies"),
    ("completed", "Completed"),
    ("minutes", "Minutes"),
    ("id", "Id"),
    ("version", "Version"),
];

/// What the caller sees of it, in cells.
fn row(stream: &Stream, caller: &Caller) -> Vec<String> {
    let seen = wire::head(stream, &caller.rights);
    let tags = seen.children().filter(|it| it.is(NS, "tag"));
    let tags: Vec<String> = tags.map(Element::text_content).collect();
    let cell = |(name, _): &(&str, &str)| match *name {
        "title" => stream.title.clone(),
        "tags" => tags.join(", "),
        name => seen.attribute(name).unwrap_or_default().to_owned(),
    };
    COLUMNS.iter().map(cell).collect()
}
