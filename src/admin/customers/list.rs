//! `customer list`: what is there, or what is found.

use serde_json::{Value, json};

use super::searching::{found_customers, told_place, understood_place};
use crate::admin::arguments::Arguments;
use crate::admin::center::{host, refused};
use crate::admin::operator::Operator;
use crate::admin::outcome::{Outcome, Table};
use crate::admin::refusal::Refusal;
use crate::domain::customer::search::Query;
use crate::domain::customer::{Customer, Rejection};
use crate::store::ListOrder;

/// Customers of one list at most.
pub(super) const MAX: u32 = 1_000;

/// Customers of one list when nobody says how many.
const USUAL: u32 = 100;

pub(super) async fn list(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = host(&operator, &arguments)?;
    let max = arguments.number("max").unwrap_or(USUAL);
    let after = arguments.text("after").unwrap_or_default();
    let text = arguments.text("text").filter(|text| !text.is_empty());
    let (customers, next) = match text {
        Some(text) => found(&operator, &host, text, (after, max)).await?,
        None => {
            let customers = operator.store.customers();
            let mut page = customers.of_host(&host, after, max + 1).await?;
            let all = usize::try_from(max).unwrap_or(usize::MAX);
            let complete = page.len() <= all;
            page.truncate(all);
            let last = page.last().filter(|_| !complete);
            let next = last.map(|it| it.id.to_string());
            (page, next)
        }
    };
    let data = json!({
        "customers": customers.iter().map(data).collect::<Vec<_>>(),
        "complete": next.is_none(),
        "next_after": next,
    });
    let text = match next {
        None => String::new(),
        Some(next) => format!("There may be more: --after {next} goes on.\n"),
    };
    let table = Table {
        columns: COLUMNS.iter().map(|it| (*it).to_owned()).collect(),
        rows: customers.iter().map(row).collect(),
    };
    Ok(Outcome::told(data, text).with(table))
}

/// What is found, and where it goes on.
async fn found(
    operator: &Operator,
    host: &str,
    text: &str,
    (after, max): (&str, u32),
) -> Result<(Vec<Customer>, Option<String>), Refusal> {
    let query = Query::new(text).map_err(refused)?;
    let from = match after {
        "" => None,
        text => {
            let place = understood_place(&operator.store, host, &query, text).await?;
            Some(place.ok_or_else(|| refused(Rejection::Unknown))?)
        }
    };
    let page = (
        ListOrder::Ascending,
        usize::try_from(max).unwrap_or(usize::MAX),
    );
    let found = found_customers(&operator.store, host, &query, from, page).await?;
    let last = found.customers.last();
    let next = match last {
        Some(last) => told_place(last, &query),
        None => found.last,
    };
    Ok((found.customers, next.filter(|_| !found.complete)))
}

const COLUMNS: &[&str] = &[
    "id",
    "name",
    "company",
    "telephones",
    "emails",
    "crm_id",
    "version",
];

fn row(customer: &Customer) -> Vec<String> {
    let profile = &customer.profile;
    vec![
        customer.id.to_string(),
        profile.name.clone(),
        profile.company.clone().unwrap_or_default(),
        profile.telephones.join(" "),
        profile.emails.join(" "),
        profile.crm_id.clone().unwrap_or_default(),
        customer.version.to_string(),
    ]
}

fn data(customer: &Customer) -> Value {
    let profile = &customer.profile;
    json!({
        "id": customer.id.as_str(),
        "version": customer.version,
        "name": profile.name,
        "company": profile.company,
        "telephones": profile.telephones,
        "emails": profile.emails,
        "crm_id": profile.crm_id,
        "url": profile.url,
    })
}
