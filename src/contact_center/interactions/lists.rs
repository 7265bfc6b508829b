//! Lists of interactions, page by page (XEP-0059), and one interaction with its reader's rights.

use super::{OPEN, PAGE, access, find, host, wanted, wire};
use crate::contact_center::customers;
use crate::contact_center::errors::{Refused, by_number};
use crate::contact_center::operation::{Caller, Field, Kind, Need, Outcome, Stands, Table};
use crate::contact_center::record;
use crate::contact_center::trail;
use crate::contact_center::values::Values;
use crate::domain::customer::Customer;
use crate::domain::interaction::{Access, Interaction, Rejection};
use crate::domain::rights::Right;
use crate::hooks::Services;
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::store::{ListOrder, StoredRecord};
use crate::xml::Element;

/// Bytes of the records on one page, of which there is always one: what they become fits into a stanza, even when every
/// letter of it has to be escaped.
pub(super) const PAGE_BYTES_MAX: usize = 40 * 1024;

/// Which part of a list is asked for.
pub(super) const PAGE_FIELD: Field = Field {
    name: "set",
    kind: Kind::Page,
    need: Need::Optional,
    place: Stands::Child,
    label: "Page",
};

/// A page of a list.
pub(super) struct Listed {
    pub(super) interactions: Vec<Interaction>,
    /// What is told of the page.
    pub(super) set: Element,
}

/// Reads a page of a list, in the order of the ids.
pub(super) async fn read(
    services: &Services,
    list: (&'static str, &str),
    asked: &PageRequest,
) -> Result<Listed, Refused> {
    let records = services.store.records();
    let count = records.count(super::KIND, list).await?;
    let max = asked.max.unwrap_or(PAGE).min(PAGE);
    let (from, order) = match &asked.from {
        PageFrom::First => (None, ListOrder::Ascending),
        PageFrom::After(id) => (Some(id.as_str()), ListOrder::Ascending),
        PageFrom::Before(id) => (Some(id.as_str()), ListOrder::Descending),
        PageFrom::Last => (None, ListOrder::Descending),
        // The list may change between two pages: places in it mean nothing (§2.4).
        PageFrom::Index(_) => return Err(by_number().into()),
    };
    let mut page = match max {
        0 => Vec::new(),
        _ => records.listed(super::KIND, list, from, order, max).await?,
    };
    page.truncate(fitting(&page));
    if order == ListOrder::Descending {
        page.reverse();
    }
    let index = match page.first() {
        Some(first) => Some(records.count_before(super::KIND, list, &first.id).await?),
        None => None,
    };
    let ends = page.first().zip(page.last());
    let ends = ends.map(|(first, last)| (first.id.clone(), last.id.clone()));
    let count = Some(count);
    let set = Page { ends, index, count }.to_element();
    let interactions = page.iter().map(record::read::<Interaction>);
    let interactions = interactions.collect::<Result<_, _>>()?;
    Ok(Listed { interactions, set })
}

/// How many of them a page takes.
fn fitting(page: &[StoredRecord]) -> usize {
    let mut bytes = 0;
    let fits = |stored: &&StoredRecord| {
        let first = bytes == 0;
        bytes += stored.snapshot.len();
        first || bytes <= PAGE_BYTES_MAX
    };
    page.iter().take_while(fits).count()
}

const COLUMNS: &[(&str, &str)] = &[
    ("id", "Interaction"),
    ("medium", "Medium"),
    ("address", "Customer"),
    ("line", "Line"),
    ("role", "Your role"),
    ("leg", "Your part"),
];

/// The caller's own that are open: offered, connected, or to be written up.
pub(super) async fn interactions(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let list = (OPEN, caller.agent.jid().as_str());
    let page = read(&caller.services, list, values.page()).await?;
    let seen = |it: &Interaction| wire::interaction(it, &caller.agent, it.access(&caller.agent));
    let elements: Vec<Element> = page.interactions.iter().map(seen).collect();
    let row = |seen: &Element| {
        let cell = |(name, _): &(&str, &str)| seen.attribute(name).unwrap_or_default().to_owned();
        COLUMNS.iter().map(cell).collect()
    };
    let table = Table {
        columns: COLUMNS,
        rows: elements.iter().map(row).collect(),
    };
    let told = format!("{} interactions.", elements.len());
    let listed = Element::new(wire::NS, "interactions").children_from(elements);
    Ok(Outcome::told(told)
        .with(listed.child(page.set))
        .listing(table))
}

/// One interaction: to those who take part, to the colleague who is consulted about it (S1-33), and by right. For everybody
/// else there is none.
pub(super) async fn look(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = wanted::id(&values)?;
    let found = find(&caller.services, &id).await?;
    let here = |it: &Interaction| host(it) == Some(caller.place.host.as_str());
    let interaction = found.filter(here).ok_or(Rejection::Unknown)?;
    let access = access(&caller.services, &interaction, &caller.agent).await?;
    let access = match access {
        Access::None if interaction.counts_for(&caller.agent) => Access::None,
        Access::None if caller.rights.has(Right::InteractionShow) => {
            trail::shown(&caller, "interaction show", interaction.id.as_str()).await?;
            Access::Read
        }
        Access::None => return Err(Rejection::Unknown.into()),
        access => access,
    };
    let customer = match interaction
        .customer
        .as_ref()
        .filter(|_| access > Access::None)
    {
        Some(id) => customers::find(&caller.services, &caller.place, id).await?,
        None => None,
    };
    let table = details(&interaction, access, customer.as_ref());
    Ok(wanted::seen(&caller, &interaction, access, "").listing(table))
}

/// What a plain client is shown of an interaction (S1-33): who the customer is, who takes part, what is attached.
fn details(interaction: &Interaction, access: Access, customer: Option<&Customer>) -> Table {
    let row = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
    let mut rows = vec![row("Address", &interaction.address)];
    rows.extend(interaction.queue.iter().map(|queue| row("Queue", queue)));
    if let Some(customer) = customer {
        let profile = &customer.profile;
        rows.push(row("Customer", customers::title(customer)));
        rows.extend(profile.company.iter().map(|it| row("Company", it)));
        rows.extend(profile.telephones.iter().map(|it| row("Telephone", it)));
        rows.extend(profile.emails.iter().map(|it| row("E-mail address", it)));
        rows.extend(profile.url.iter().map(|it| row("CRM", it)));
    }
    let parts = interaction.participants.iter();
    rows.extend(parts.filter(|part| wire::is_shown(part)).map(|part| {
        let (role, leg) = (wire::role(part.role), wire::leg(part.leg));
        row(part.agent.logon(), &format!("{role}, {leg}"))
    }));
    let data = interaction.data.iter().filter(|_| access > Access::None);
    rows.extend(data.map(|(name, value)| row(name, value)));
    Table {
        columns: &[("name", "What"), ("value", "Value")],
        rows,
    }
}
