//! Transcripts: read out of the session's events, page by page (S1-13 to S1-16, S1-24), also when it is done.

use super::{KIND, find, lists, operations, wire};
use crate::contact_center::errors::{Refused, by_number, no_place};
use crate::contact_center::operation::{Caller, Outcome, Table};
use crate::contact_center::record;
use crate::contact_center::trail::{self, Noted};
use crate::contact_center::values::Values;
use crate::domain::im_session::{
    Access, Entry, EntryKind, ImSession, Phase, Rejection, access, transcript,
};
use crate::proto::common::rsm::{Page, PageFrom};
use crate::xml::Element;

/// Entries of one page.
const PAGE_MAX: u32 = 100;

/// Bytes of text in one page, but for a single entry that is longer: an answer has to fit into what clients take
/// (XEP-0478).
const PAGE_BYTES_MAX: usize = 96 * 1024;

/// Events of a session that are no entries: the time-out, and each side's "done".
const SILENT_MAX: u32 = 3;

/// An entry with the place of its event, which is its id among the pages.
type Placed = (u64, Entry);

/// Reads a page of the transcript of a session.
pub(super) async fn read(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = operations::id(&values)?;
    let session = find(&caller.services, &id).await?;
    let session = session.ok_or(Rejection::NotInvited)?;
    allow(&caller, &session).await?;
    let entries = page(&caller, &session, &values).await?;
    let ends = entries.first().zip(entries.last());
    let ends = ends.map(|((first, _), (last, _))| (first.to_string(), last.to_string()));
    let page = Page {
        ends,
        index: None,
        count: Some(count(&session)),
    };
    let told = format!("{} entries.", count(&session));
    let rows = entries.iter().map(row).collect();
    let entries = entries.iter().map(element);
    let transcript = Element::new(wire::NS, "transcript")
        .attr("id", session.id.as_str())
        .children_from(entries)
        .child(page.to_element());
    Ok(Outcome::told(told).with(transcript).listing(Table {
        columns: COLUMNS,
        rows,
    }))
}

/// Whoever reads by right is in the audit trail before anything is read; for everybody else there is no such
/// session.
async fn allow(caller: &Caller, session: &ImSession) -> Result<(), Refused> {
    match access(session, &caller.agent, &caller.rights) {
        Access::Participant => {
            let own = lists::own(caller, &session.id).await?;
            own.map(|_| ()).ok_or_else(|| Rejection::NotInvited.into())
        }
        Access::ByRight if session.inviter.host() == caller.place.host.as_str() => {
            let noted = Noted {
                operation: "im transcript",
                target: session.id.as_str(),
                arguments: format!("inviter={} invitee={}", session.inviter, session.invitee),
                result: "The transcript was read.",
            };
            trail::note(caller, noted).await
        }
        Access::ByRight | Access::None => Err(Rejection::NotInvited.into()),
    }
}

/// The page that is asked for. The first entries where nothing is said (XEP-0059 §2.1).
async fn page(
    caller: &Caller,
    session: &ImSession,
    values: &Values,
) -> Result<Vec<Placed>, Refused> {
    let asked = values.page();
    let max = asked.max.unwrap_or(PAGE_MAX).min(PAGE_MAX);
    let place = |id: &str| id.parse::<u64>().map_err(|_| no_place());
    let last = session.version;
    let (after, before) = match &asked.from {
        PageFrom::First => (Some(0), last),
        PageFrom::After(id) => (Some(place(id)?), last),
        PageFrom::Before(id) => (None, place(id)?.saturating_sub(1).min(last)),
        PageFrom::Last => (None, last),
        PageFrom::Index(_) => return Err(by_number().into()),
    };
    let events = max.saturating_add(SILENT_MAX);
    let from = after.unwrap_or_else(|| before.saturating_sub(events.into()));
    let mut entries = entries(caller, session, from, events).await?;
    entries.retain(|(place, _)| *place <= before);
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let length = |(_, entry): &Placed| text(entry).len();
    if after.is_some() {
        let fitting = fitting(entries.iter().map(length), max);
        entries.truncate(fitting);
    } else {
        let fitting = fitting(entries.iter().rev().map(length), max);
        entries.drain(..entries.len().saturating_sub(fitting));
    }
    Ok(entries)
}

/// So many events behind that place, as entries.
async fn entries(
    caller: &Caller,
    session: &ImSession,
    from: u64,
    events: u32,
) -> Result<Vec<Placed>, Refused> {
    let records = caller.services.store.records();
    let after = i64::try_from(from).unwrap_or(i64::MAX);
    let read = records
        .events(KIND, session.id.as_str(), after, events)
        .await?;
    let mut entries = Vec::with_capacity(read.len());
    for (place, json) in (from.saturating_add(1)..).zip(read) {
        let event = record::read_event::<ImSession>(&json)?;
        let entry = transcript(session, std::slice::from_ref(&event)).next();
        entries.extend(entry.map(|entry| (place, entry)));
    }
    Ok(entries)
}

/// How many texts of these lengths fit into one page.
fn fitting(lengths: impl Iterator<Item = usize>, max: usize) -> usize {
    let mut bytes = 0;
    let fits = |(number, length): &(usize, usize)| {
        bytes += length;
        *number == 0 || bytes <= PAGE_BYTES_MAX
    };
    lengths.take(max).enumerate().take_while(fits).count()
}

/// How many entries there are: what was said and shared, the answer, and the end.
fn count(session: &ImSession) -> u64 {
    let answers = match session.phase {
        Phase::NotConnected | Phase::Pending { .. } => 0,
        Phase::Connected { .. } | Phase::Rejected { .. } | Phase::Cancelled { .. } => 1,
        Phase::Ended { .. } => 2,
    };
    u64::from(session.entries) + answers
}

/// What was said; of what happened otherwise nothing.
fn text(entry: &Entry) -> &str {
    match &entry.kind {
        EntryKind::Message(text) => &text.body,
        EntryKind::Context(_)
        | EntryKind::Accepted
        | EntryKind::Rejected(_)
        | EntryKind::Cancelled(_)
        | EntryKind::Ended(_) => "",
    }
}

/// ```xml
/// <entry n='3' kind='message' sender='juliet@example.org' logon='juliet' at='2026-09-21T14:14:05Z' message='m1'>
///   <text>Yes.</text>
/// </entry>
/// ```
fn element((place, entry): &Placed) -> Element {
    let element = Element::new(wire::NS, "entry")
        .attr("n", place.to_string())
        .attr("kind", entry.kind.name())
        .attr("sender", entry.sender.jid().as_str())
        .attr("logon", entry.sender.logon())
        .attr("at", entry.at.to_string());
    match &entry.kind {
        EntryKind::Message(text) => element
            .attr_opt("message", text.message.as_ref().map(|id| id.as_str()))
            .child(Element::new(wire::NS, "text").text(text.body.as_str())),
        EntryKind::Context(id) => element.attr("context", id.as_str()),
        EntryKind::Accepted => element,
        EntryKind::Rejected(cause) | EntryKind::Cancelled(cause) | EntryKind::Ended(cause) => {
            element.attr_opt("cause", wire::cause(*cause))
        }
    }
}

/// Above the columns of the form.
const COLUMNS: &[(&str, &str)] = &[
    ("at", "Time"),
    ("sender", "Sender"),
    ("kind", "Kind"),
    ("text", "Text"),
];

fn row((_, entry): &Placed) -> Vec<String> {
    vec![
        entry.at.to_string(),
        entry.sender.logon().to_owned(),
        entry.kind.name().to_owned(),
        text(entry).to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_as_many_entries_as_are_asked_for_and_as_fit() {
        for (sizes, max, expected) in [
            (&[][..], 10, 0),
            (&[1, 1, 1][..], 2, 2),
            (&[PAGE_BYTES_MAX + 1, 1][..], 10, 1),
            (&[PAGE_BYTES_MAX - 1, 1, 1][..], 10, 2),
            (&[1, PAGE_BYTES_MAX, 1][..], 10, 1),
        ] {
            assert_eq!(fitting(sizes.iter().copied(), max), expected, "{sizes:?}");
        }
    }
}
