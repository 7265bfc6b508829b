//! Lists of activities, the newest first: an agent's own, those with a customer, those of an interaction.

use super::access::{self, Reading, is_own};
use super::wire::{self, LISTED_NOTES_BYTES_MAX, NS};
use super::{CURRENT, CUSTOMER, INTERACTION, KIND, OF, of_host};
use crate::clock::Timestamp;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::newest;
use crate::contact_center::operation::{Caller, Outcome, Shown, Table};
use crate::contact_center::trail;
use crate::contact_center::values::Values;
use crate::contact_center::{customers, record};
use crate::domain::activity::Activity;
use crate::domain::ids::{CustomerId, InteractionId};
use crate::domain::{customer, interaction};
use crate::proto::common::rsm::PageRequest;
use crate::store::ListOrder;
use crate::xml::Element;

/// Activities of one page: with their last notes they fit into a stanza.
const PAGE_MAX: u32 = 20;

/// Activities that an agent has in hand at once.
const CURRENT_MAX: u32 = 100;

/// What the caller is asked for, takes part in or writes up, the newest first.
pub(super) async fn current(caller: &Caller) -> Result<Vec<Activity>, Refused> {
    let own = caller.agent.to_string();
    let records = caller.services.store.records();
    let order = ListOrder::Descending;
    let page = records.listed(KIND, (CURRENT, &own), None, order, CURRENT_MAX);
    let found = page.await?;
    let found = found.iter().map(record::read);
    let mut found: Vec<Activity> = found.collect::<Result<_, _>>()?;
    found.retain(|it| is_own(caller, it));
    Ok(found)
}

/// What the caller has in hand, and the last ones of its others.
pub(in crate::contact_center) async fn at_hand(
    caller: &Caller,
) -> Result<(Vec<Activity>, Vec<Activity>), Refused> {
    let in_hand = current(caller).await?;
    let owner = caller.agent.to_string();
    let (list, page) = ((OF, owner.as_str()), PageRequest::default());
    let since = Some(caller.since);
    let page = newest::page(&caller.services, list, (&page, PAGE_MAX), since);
    let (mut last, _): (Vec<Activity>, _) = page.await?;
    last.retain(|it| !it.is_current());
    Ok((in_hand, last))
}

/// What the caller may write into, as the options of the field `id`: what it has in hand, then its last ones. The only one
/// in hand is chosen already.
pub(super) async fn own_shown(caller: Caller) -> Result<Shown, Refused> {
    let (in_hand, others) = at_hand(&caller).await?;
    let option = |it: &Activity| ("id", it.id.to_string(), sentence(it, None, caller.now()));
    Ok(Shown {
        options: in_hand.iter().chain(&others).map(option).collect(),
        values: only(&in_hand),
        ..Shown::default()
    })
}

/// For the field `id` where any can be named: the only one in hand is there already.
pub(super) async fn any_shown(caller: Caller) -> Result<Shown, Refused> {
    let in_hand = current(&caller).await?;
    Ok(Shown {
        values: only(&in_hand),
        ..Shown::default()
    })
}

fn only(in_hand: &[Activity]) -> Vec<(&'static str, String)> {
    match in_hand {
        [only] => vec![("id", only.id.to_string())],
        _ => vec![],
    }
}

/// `Ann Example, voice, 2026-09-21T14:13:20Z, 120 seconds. Sold.`
pub(super) fn sentence(activity: &Activity, came: Option<&str>, now: Timestamp) -> String {
    let subject = activity.subject.as_ref();
    let name = subject.map_or("", |it| it.name.as_str());
    let medium = subject.map_or("", |it| it.medium.name());
    let at = activity.created_at.map(|at| at.whole_seconds().to_string());
    let at = at.unwrap_or_default();
    let seconds = activity.duration_seconds(now);
    let came = came.map(|it| format!(" {it}.")).unwrap_or_default();
    format!("{name}, {medium}, {at}, {seconds} seconds.{came}")
}

/// A page of one of the lists.
pub(super) async fn activities(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let (list, owner, by) = asked(&caller, &values).await?;
    let since = (by == Reading::Own).then_some(caller.since);
    let page = (values.page(), PAGE_MAX);
    let page = newest::page(&caller.services, (list, &owner), page, since);
    let (found, page): (Vec<Activity>, _) = page.await?;
    let now = caller.now();
    let listed = |it: &Activity| {
        let notes = wire::last_notes(it, LISTED_NOTES_BYTES_MAX);
        wire::activity(it, notes, now)
    };
    let element = Element::new(NS, "activities")
        .attr_opt("customer", values.optional_text("customer"))
        .attr_opt("interaction", values.optional_text("interaction"))
        .children_from(found.iter().map(listed))
        .child(page.to_element());
    let table = Table {
        columns: COLUMNS,
        rows: found.iter().map(|it| row(it, now)).collect(),
    };
    let all = page.count.unwrap_or_default();
    let told = format!("{} of {all} activities.", found.len());
    Ok(Outcome::told(told).with(element).listing(table))
}

/// The list that is asked for, and why the caller may read it.
async fn asked(
    caller: &Caller,
    values: &Values,
) -> Result<(&'static str, String, Reading), Refused> {
    let named = |name: &str| values.optional_text(name);
    match (named("customer"), named("interaction")) {
        (None, None) => Ok((OF, caller.agent.to_string(), Reading::Own)),
        (Some(_), Some(_)) => Err(malformed(
            "field-repeated",
            "Either the customer or the interaction can be named.",
        )),
        (Some(customer), None) => history(caller, customer).await,
        (None, Some(interaction)) => of_interaction(caller, interaction).await,
    }
}

/// Who may not read the history does not learn whether there is such a customer.
async fn history(
    caller: &Caller,
    customer: &str,
) -> Result<(&'static str, String, Reading), Refused> {
    let unknown = || Refused::from(customer::Rejection::Unknown);
    let id = customer.parse::<CustomerId>().map_err(|_| unknown())?;
    let found = customers::find(&caller.services, &caller.place, &id).await?;
    let id = found.ok_or_else(unknown)?.id;
    let by = access::to_customer(caller, &id).await?;
    let by = by.ok_or_else(unknown)?;
    if by == Reading::ByRight {
        trail::shown(caller, "activity history", id.as_str()).await?;
    }
    let owner = of_host(caller.place.host.as_str(), id.as_str());
    Ok((CUSTOMER, owner, by))
}

async fn of_interaction(
    caller: &Caller,
    interaction: &str,
) -> Result<(&'static str, String, Reading), Refused> {
    let unknown = || Refused::from(interaction::Rejection::Unknown);
    let id = interaction
        .parse::<InteractionId>()
        .map_err(|_| unknown())?;
    let by = access::to_interaction(caller, &id).await?;
    let by = by.ok_or_else(unknown)?;
    if by == Reading::ByRight {
        trail::shown(caller, "activity list", id.as_str()).await?;
    }
    let owner = of_host(caller.place.host.as_str(), id.as_str());
    Ok((INTERACTION, owner, by))
}

const COLUMNS: &[(&str, &str)] = &[
    ("created", "When"),
    ("agent", "Agent"),
    ("name", "Name"),
    ("medium", "Medium"),
    ("direction", "Direction"),
    ("duration", "Seconds"),
    ("wrap-up", "What came of it"),
    ("notes", "Notes"),
    ("id", "Id"),
];

fn row(activity: &Activity, now: Timestamp) -> Vec<String> {
    let seen = wire::activity(activity, 0..0, now);
    let cell = |(name, _): &(&str, &str)| seen.attribute(name).unwrap_or_default().to_owned();
    COLUMNS.iter().map(cell).collect()
}
