//! The history of a customer (section G of the design): interactions, activities, follow-ups and messages in one list, the
//! newest first, each for who may see it.

use super::{NS, find, reading, wire};
use crate::contact_center::contacts::page::Slice;
use crate::contact_center::errors::Refused;
use crate::contact_center::history::{self, Entry, Part, Place};
use crate::contact_center::operation::{Caller, Outcome, Table};
use crate::contact_center::values::Values;
use crate::contact_center::{activities, follow_ups, message_streams, trail};
use crate::domain::customer::{Customer, Rejection};
use crate::domain::rights::{Right, Role};
use crate::proto::common::rsm::Page;
use crate::store::ListOrder;
use crate::xml::Element;

/// Entries of one page when nobody says how many.
const USUAL: usize = 20;

/// Entries of one page at most: they fit into a stanza, even when every letter has to be escaped.
const MAX: usize = 50;

/// Why somebody sees what others have had to do with a customer.
#[derive(Clone, Copy, Debug)]
pub(in crate::contact_center) struct Sees<'a> {
    pub(in crate::contact_center) customer: &'a Customer,
    /// Whether the caller deals with the customer now.
    pub(in crate::contact_center) deals: bool,
}

/// The operation `history`.
pub(super) async fn history(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = wire::id(&values, "id")?;
    let customer = find(&caller.services, &caller.place, &id).await?;
    let customer = customer.ok_or(Rejection::Unknown)?;
    let slice = Slice::<Place>::of(values.page())?;
    let sees = Sees {
        customer: &customer,
        deals: activities::dealt_with(&caller)
            .await?
            .contains(&customer.id),
    };
    note(&caller, sees).await?;
    let max = values.page().max;
    let max = max.map_or(USUAL, |max| usize::try_from(max).unwrap_or(MAX));
    let part = Part {
        from: slice.from.clone(),
        order: match slice.order {
            ListOrder::Ascending => ListOrder::Descending,
            ListOrder::Descending => ListOrder::Ascending,
        },
        max: max.min(MAX),
    };
    let mut lists = Vec::new();
    lists.extend(activities::history(&caller, sees));
    lists.extend(follow_ups::history(&caller, sees));
    lists.extend(message_streams::history(&caller, sees));
    let (entries, complete) = Box::pin(history::read(&caller, lists, &part)).await?;
    let entries = slice.in_order(entries);
    Ok(shown(&customer, &entries, complete))
}

/// Writes down what a supervisor or an administrator looks at, and what somebody else sees by a right only.
async fn note(caller: &Caller, sees: Sees<'_>) -> Result<(), Refused> {
    let (operation, target) = ("customer history", sees.customer.id.as_str());
    let by_right = [
        Right::ActivityShow,
        Right::InteractionShow,
        Right::FollowUpShow,
    ];
    let by_right = !sees.deals && by_right.iter().any(|it| caller.rights.has(*it));
    match caller.role {
        Role::Member | Role::Agent if by_right => trail::shown(caller, operation, target).await,
        _ => reading::note(caller, operation, target).await,
    }
}

fn shown(customer: &Customer, entries: &[Entry], complete: bool) -> Outcome {
    let ends = entries.first().zip(entries.last());
    let ends = ends.map(|(first, last)| (first.place.to_string(), last.place.to_string()));
    let page = Page {
        ends,
        ..Page::default()
    };
    let answer = Element::new(NS, "history")
        .attr("id", customer.id.as_str())
        .attr("complete", if complete { "true" } else { "false" })
        .children_from(entries.iter().map(element))
        .child(page.to_element());
    let name = wire::title(customer);
    let told = match (entries.len(), complete) {
        (0, true) => format!("There is nothing about {name}."),
        (count, true) => format!("{count} about {name}."),
        (count, false) => format!("{count} about {name}, and there is more."),
    };
    let table = Table {
        columns: COLUMNS,
        rows: entries.iter().map(row).collect(),
    };
    Outcome::told(told).with(answer).listing(table)
}

/// `<entry kind='follow-up' id='0199…' at='…' agent='romeo@example.org' state='planned'><title>…</title>…</entry>`.
fn element(entry: &Entry) -> Element {
    let child = |name: &str, text: &str| Element::new(NS, name).text(text);
    let summary = (!entry.summary.is_empty()).then(|| child("summary", &entry.summary));
    Element::new(NS, "entry")
        .attr("kind", entry.place.sort().name())
        .attr("id", entry.id.as_str())
        .attr_opt("at", entry.at.map(|at| at.to_string()))
        .attr_opt("agent", entry.agent.as_ref().map(|it| it.jid().as_str()))
        .attr_opt("state", entry.state)
        .child(child("title", &entry.title))
        .child_opt(summary)
}

const COLUMNS: &[(&str, &str)] = &[
    ("at", "When"),
    ("kind", "What"),
    ("title", "Title"),
    ("summary", "About it"),
    ("state", "State"),
    ("agent", "Agent"),
    ("id", "Id"),
];

fn row(entry: &Entry) -> Vec<String> {
    let seen = element(entry);
    let cell = |(name, _): &(&str, &str)| match *name {
        "title" => entry.title.clone(),
        "summary" => entry.summary.clone(),
        name => seen.attribute(name).unwrap_or_default().to_owned(),
    };
    COLUMNS.iter().map(cell).collect()
}
