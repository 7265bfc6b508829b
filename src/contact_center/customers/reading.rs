//! Customers looked up, searched and shown. One that a supervisor or administrator looks at is in the audit trail.

use super::{NS, element, find, look_up, normal, wire};
use crate::admin::{found_customers, told_place, understood_place};
use crate::contact_center::contacts::page::Slice;
use crate::contact_center::errors::{Refused, no_place};
use crate::contact_center::operation::{Caller, Outcome};
use crate::contact_center::trail;
use crate::contact_center::values::Values;
use crate::domain::customer::search::Query;
use crate::domain::customer::{Customer, Rejection};
use crate::domain::interaction::Medium;
use crate::domain::rights::Role;
use crate::proto::common::rsm::Page;
use crate::xml::Element;

/// Bytes of one page, but for a single customer that is larger: an answer has to fit into what clients take
/// (XEP-0478).
const PAGE_BYTES_MAX: usize = 96 * 1024;

/// Bytes of an element beside its texts, about.
const ELEMENT_BYTES: usize = 256;

/// The operation `find`: S2-12, S2-13, S2-30, S2-31.
pub(super) async fn of_address(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let address = values.text("address")?;
    let medium = match address.contains('@') {
        true => Medium::Email,
        false => Medium::Voice,
    };
    let region = caller.services.config.contact_center.region;
    let address = normal(&region, medium, address)?;
    note(&caller, "customer find", &address).await?;
    let Caller {
        center,
        services,
        place,
        ..
    } = &caller;
    let mut known = Vec::new();
    for id in Box::pin(look_up(center, services, place, &address)).await? {
        known.extend(find(services, place, &id).await?);
    }
    let answer = Element::new(NS, "find")
        .attr("address", &address)
        .children_from(known.iter().map(element));
    let told = match known.as_slice() {
        [] => format!("Nobody is known by {address}."),
        [one] => format!("{address} is {}.", wire::title(one)),
        several => format!("{address} can be {} customers.", several.len()),
    };
    Ok(Outcome::told(told)
        .with(answer)
        .listing(wire::table(&known)))
}

/// The operation `search`.
pub(super) async fn search(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let query = Query::new(values.text("text")?)?;
    note(&caller, "customer search", values.text("text")?).await?;
    let slice = Slice::<String>::of(values.page())?;
    let (store, host) = (&caller.services.store, caller.place.host.as_str());
    let from = match &slice.from {
        Some(text) => {
            let place = understood_place(store, host, &query, text).await?;
            Some(place.ok_or_else(no_place)?)
        }
        None => None,
    };
    let max = usize::try_from(slice.max).unwrap_or(usize::MAX);
    let found = found_customers(store, host, &query, from, (slice.order, max)).await?;
    let (customers, complete) = fitting(found.customers, found.complete);
    let customers = slice.in_order(customers);
    let place = |customer: Option<&Customer>| told_place(customer?, &query);
    let ends = place(customers.first()).zip(place(customers.last()));
    // None of the many that were looked at is meant: the search goes on behind the last of these.
    let seen = found.last.filter(|_| !complete);
    let page = Page {
        ends: ends.or_else(|| seen.map(|last| (last.clone(), last))),
        ..Page::default()
    };
    let answer = Element::new(NS, "search")
        .attr("complete", if complete { "true" } else { "false" })
        .children_from(customers.iter().map(element))
        .child(page.to_element());
    let told = match (customers.len(), complete) {
        (0, true) => "No customer is found.".to_owned(),
        (count, true) => format!("Found: {count}."),
        (count, false) => format!("Found: {count}, and there may be more. Type more of it."),
    };
    Ok(Outcome::told(told)
        .with(answer)
        .listing(wire::table(&customers)))
}

/// As many as one answer takes, and whether these are all.
fn fitting(mut customers: Vec<Customer>, complete: bool) -> (Vec<Customer>, bool) {
    let mut bytes = 0;
    let fits = customers.iter().take_while(|customer| {
        let first = bytes == 0;
        bytes += size(customer);
        first || bytes <= PAGE_BYTES_MAX
    });
    let fits = fits.count();
    let all = fits == customers.len();
    customers.truncate(fits);
    (customers, complete && all)
}

fn size(customer: &Customer) -> usize {
    let profile = &customer.profile;
    let parts = [&profile.company, &profile.crm_id, &profile.url];
    let addresses = profile.telephones.iter().chain(&profile.emails);
    let addresses: usize = addresses.map(|it| it.len() + ELEMENT_BYTES / 4).sum();
    let parts: usize = parts.into_iter().flatten().map(String::len).sum();
    ELEMENT_BYTES + profile.name.len() + parts + addresses
}

/// The operation `customer`.
pub(super) async fn one(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let customer = seen(&caller, &values, "customer show").await?;
    let told = wire::title(&customer).to_owned();
    Ok(Outcome::told(told)
        .with(element(&customer))
        .listing(wire::table(std::slice::from_ref(&customer))))
}

/// The operation `export`: RFC 6351 for programs, RFC 6350 for people.
pub(super) async fn card(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let customer = seen(&caller, &values, "customer card").await?;
    let card = wire::card(&customer);
    Ok(Outcome::told(card.to_text()).with(card.to_element()))
}

/// The customer that is meant, written down before it is shown where that is to be.
async fn seen(
    caller: &Caller,
    values: &Values,
    operation: &'static str,
) -> Result<Customer, Refused> {
    let id = wire::id(values, "id")?;
    let customer = find(&caller.services, &caller.place, &id).await?;
    let customer = customer.ok_or(Rejection::Unknown)?;
    note(caller, operation, customer.id.as_str()).await?;
    Ok(customer)
}

/// Writes down what a supervisor or an administrator looks at, before it is shown.
pub(super) async fn note(
    caller: &Caller,
    operation: &'static str,
    target: &str,
) -> Result<(), Refused> {
    match caller.role {
        Role::Member | Role::Agent => Ok(()),
        Role::Supervisor | Role::Administrator => trail::shown(caller, operation, target).await,
    }
}
