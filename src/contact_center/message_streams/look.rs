//! One stream with a page of its messages (S4-28), and what a message said before (S4-30).

use std::ops::Range;

use super::changes::shown;
use super::fields::id;
use super::{NS, attachments, audit, wire};
use crate::contact_center::errors::{Refused, by_number, no_place};
use crate::contact_center::operation::{Caller, Outcome, Table};
use crate::contact_center::values::Values;
use crate::domain::ids::MessageId;
use crate::domain::message_stream::{Attachment, Message, Rejection, Stream};
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::xml::Element;

/// The operation `stream`.
pub(super) async fn one(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let stream = shown(&caller, &values).await?;
    audit::reads(&caller, "message-stream show", stream.id.as_str()).await?;
    let messages: Vec<&Message> = stream.read_by(&caller.rights).collect();
    let ids: Vec<&str> = messages.iter().map(|it| it.id.as_str()).collect();
    let sizes: Vec<usize> = messages.iter().map(|it| wire::size(it)).collect();
    let (range, page) = cut(&ids, &sizes, values.page())?;
    let part = messages.get(range).unwrap_or_default();
    let elements = part.iter().map(|it| wire::message(&caller, &stream, it));
    let answer = wire::full_head(&stream, &caller.rights)
        .children_from(elements)
        .child(page.to_element());
    let table = table(&caller, &stream, part);
    let state = match stream.completed_at {
        Some(_) => "completed",
        None => "open",
    };
    let version = stream.version_for(&caller.rights);
    let told = format!("{} ({state}, version {version}).", stream.title);
    let told = match part.len() < messages.len() {
        true => format!("{told} {} of {} messages.", part.len(), messages.len()),
        false => told,
    };
    Ok(Outcome::told(told).with(answer).listing(table))
}

/// Messages with what leads to their files.
fn table(caller: &Caller, stream: &Stream, messages: &[&Message]) -> Table {
    let file = |it: &Attachment| match attachments::link(caller, stream, it) {
        Some(url) => format!("{}: {url}", it.name),
        None => it.name.clone(),
    };
    let row = |it: &&Message| {
        let files: Vec<String> = it.attachments.iter().map(file).collect();
        vec![
            it.at.to_string(),
            it.author.to_string(),
            it.text.clone(),
            files.join(", "),
            it.id.to_string(),
        ]
    };
    Table {
        columns: &[
            ("at", "When"),
            ("author", "From"),
            ("text", "Message"),
            ("files", "Files"),
            ("message", "Id"),
        ],
        rows: messages.iter().map(row).collect(),
    }
}

/// The operation `versions`. Their ids are their numbers, the oldest that is kept is the first.
pub(super) async fn versions(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let stream = shown(&caller, &values).await?;
    let wanted: MessageId = id(&values, "message")?;
    let mut readable = stream.read_by(&caller.rights);
    let message = readable
        .find(|it| it.id == wanted)
        .ok_or(Rejection::NoMessage)?;
    audit::reads(&caller, "message-stream versions", stream.id.as_str()).await?;
    let numbers: Vec<String> = (1..=message.earlier.len())
        .map(|it| it.to_string())
        .collect();
    let ids: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let title = |n: usize| stream.title_of(message, n.saturating_sub(1));
    let numbered = (1_usize..).zip(&message.earlier);
    let sizes = numbered
        .clone()
        .map(|(n, it)| wire::version_size(it, title(n)));
    let sizes: Vec<usize> = sizes.collect();
    let (range, page) = cut(&ids, &sizes, values.page())?;
    let part = numbered.skip(range.start).take(range.len());
    let elements = part.clone().map(|(n, it)| wire::version(n, it, title(n)));
    let answer = Element::new(NS, "versions")
        .attr("id", stream.id.as_str())
        .attr("message", message.id.as_str())
        .children_from(elements)
        .child(page.to_element());
    let name = |it: &Attachment| it.name.clone();
    let rows = part.map(|(n, it)| {
        let taken: Vec<String> = it.taken.iter().map(name).collect();
        vec![
            n.to_string(),
            it.until.to_string(),
            title(n).unwrap_or_default().to_owned(),
            it.text.clone(),
            taken.join(", "),
        ]
    });
    let table = Table {
        columns: &[
            ("n", "Number"),
            ("until", "Until"),
            ("title", "Title"),
            ("text", "Message"),
            ("taken", "Files taken away"),
        ],
        rows: rows.collect(),
    };
    let told = format!("{} earlier versions.", message.earlier.len());
    Ok(Outcome::told(told).with(answer).listing(table))
}

/// The part of a list that is asked for, as much as fits into an answer.
fn cut(
    ids: &[&str],
    sizes: &[usize],
    asked: &PageRequest,
) -> Result<(Range<usize>, Page), Refused> {
    let place = |id: &str| {
        let found = ids.iter().position(|it| *it == id);
        found.ok_or_else(no_place)
    };
    let max = asked
        .max
        .map_or(ids.len(), |max| usize::try_from(max).unwrap_or(usize::MAX));
    let forward = |from: usize| from..from + fitting(sizes.iter().skip(from).take(max));
    let backward = |until: usize| {
        let before = sizes.iter().take(until).rev().take(max);
        until.saturating_sub(fitting(before))..until
    };
    let range = match &asked.from {
        PageFrom::First => forward(0),
        PageFrom::After(id) => forward(place(id)? + 1),
        PageFrom::Last => backward(ids.len()),
        PageFrom::Before(id) => backward(place(id)?),
        PageFrom::Index(_) => return Err(by_number().into()),
    };
    let part = ids.get(range.clone()).unwrap_or_default();
    let ends = part.first().zip(part.last());
    let page = Page {
        index: ends.map(|_| u64::try_from(range.start).unwrap_or(u64::MAX)),
        ends: ends.map(|(first, last)| ((*first).to_owned(), (*last).to_owned())),
        count: u64::try_from(ids.len()).ok(),
    };
    Ok((range, page))
}

/// How many fit; one always does.
fn fitting<'a, I: Iterator<Item = &'a usize>>(sizes: I) -> usize {
    let mut bytes = 0;
    let fits = sizes.take_while(|size| {
        let first = bytes == 0;
        bytes += **size;
        first || bytes <= wire::MESSAGES_BYTES_MAX
    });
    fits.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_fit_into_an_answer_in_both_directions() {
        let ids = ["a", "b", "c", "d"];
        let sizes = [10, 60_000, 10, 10];
        let of = |max, from| cut(&ids, &sizes, &PageRequest { max, from }).unwrap().0;
        let id = str::to_owned;
        for (max, from, range) in [
            (None, PageFrom::First, 0..4),
            (Some(2), PageFrom::First, 0..2),
            (Some(0), PageFrom::First, 0..0),
            (None, PageFrom::After(id("b")), 2..4),
            (None, PageFrom::After(id("d")), 4..4),
            (Some(1), PageFrom::Last, 3..4),
            (Some(2), PageFrom::Before(id("d")), 1..3),
            (None, PageFrom::Before(id("a")), 0..0),
        ] {
            assert_eq!(of(max, from.clone()), range, "{from:?}");
        }
        let large = cut(&ids, &[70_000; 4], &PageRequest::default()).unwrap().0;
        assert_eq!(large, 0..1);
        let unknown = PageRequest {
            max: None,
            from: PageFrom::After(id("x")),
        };
        assert!(cut(&ids, &sizes, &unknown).is_err());
    }
}
