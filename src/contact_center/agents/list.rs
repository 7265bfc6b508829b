//! All agents with their states and how long these last, for supervisors.

use std::ops::Range;
use std::sync::Arc;

use super::board::Seen;
use super::operations::{NS, element};
use crate::clock::Timestamp;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Outcome, Table};
use crate::contact_center::values::Values;
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::xml::Element;

/// The states that a list can be of.
pub(super) const STATES: &[&str] = &["logged-out", "available", "not-ready", "engaged", "wrap-up"];

/// Agents of a page when no number is asked for: what fits on a screen and some more.
const PAGE_DEFAULT: u32 = 100;

/// Agents of one answer, whatever is asked for: with 200 bytes each well below what a stanza may have.
pub(super) const PAGE_MAX: u32 = 500;

const COLUMNS: &[(&str, &str)] = &[
    ("jid", "Agent"),
    ("state", "State"),
    ("label", "Reason"),
    ("since", "Since"),
    ("seconds", "Seconds"),
    ("view", "Colleagues see"),
];

/// The operation `agents`.
pub(super) async fn list(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let states = values.texts("state");
    let mut all = caller.center.agents.of_host(&caller.place.host);
    all.retain(|seen| states.is_empty() || states.contains(&seen.agent.state().name()));
    let (range, page) = page_of(&all, values.page(), PAGE_DEFAULT);
    let (now, reasons) = (caller.now(), &caller.place.settings.load_full().reasons);
    let shown = all.get(range).unwrap_or_default().iter();
    let shown: Vec<Element> = shown
        .map(|seen| {
            let listed = element(&seen.agent, seen.view, reasons, &caller.language);
            listed.attr_opt("seconds", seconds(seen, now))
        })
        .collect();
    let count = shown.len();
    let table = table(&shown);
    let agents = Element::new(NS, "agents").children_from(shown);
    let told = format!("{count} of {} agents.", all.len());
    Ok(Outcome::told(told)
        .with(agents.child(page.to_element()))
        .listing(table))
}

fn seconds(seen: &Seen, now: Timestamp) -> Option<String> {
    Some(seen.agent.seconds_in_state(now)?.to_string())
}

fn table(agents: &[Element]) -> Table {
    let cell = |agent: &Element, name| agent.attribute(name).unwrap_or_default().to_owned();
    let row = |agent: &Element| COLUMNS.iter().map(|(name, _)| cell(agent, name)).collect();
    Table {
        columns: COLUMNS,
        rows: agents.iter().map(row).collect(),
    }
}

/// Which of them are asked for (XEP-0059). They are in the order of their addresses, which are the ids: one
/// that is not there any more has its place all the same.
pub(super) fn page_of(
    all: &[Arc<Seen>],
    asked: &PageRequest,
    default: u32,
) -> (Range<usize>, Page) {
    let jid = |seen: &Arc<Seen>| seen.agent.id.jid().as_str().to_owned();
    let max = asked.max.unwrap_or(default).min(PAGE_MAX);
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let behind = |id: &String| all.partition_point(|seen| jid(seen) <= *id);
    let ahead = |id: &String| all.partition_point(|seen| jid(seen) < *id);
    let onwards = |start: usize| start..start.saturating_add(max).min(all.len());
    let backwards = |end: usize| end.saturating_sub(max)..end;
    let range = match &asked.from {
        PageFrom::First => onwards(0),
        PageFrom::After(id) => onwards(behind(id)),
        PageFrom::Before(id) => backwards(ahead(id)),
        PageFrom::Last => backwards(all.len()),
        PageFrom::Index(index) => {
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            onwards(index.min(all.len()))
        }
    };
    let shown = all.get(range.clone()).unwrap_or_default();
    let ends = shown.first().zip(shown.last());
    let page = Page {
        ends: ends.map(|(first, last)| (jid(first), jid(last))),
        index: u64::try_from(range.start)
            .ok()
            .filter(|_| !shown.is_empty()),
        count: u64::try_from(all.len()).ok(),
    };
    (range, page)
}

/// An agent among the items of the node.
pub(super) fn item(ns: &str, seen: &Seen) -> Element {
    Element::new(ns, "item")
        .attr("id", seen.agent.id.jid().as_str())
        .child(seen.listed())
}
