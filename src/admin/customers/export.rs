//! `customer export`: a part of the customers in a form that `customer import` and other programs read.

use serde_json::json;

use super::tables;
use crate::admin::arguments::Arguments;
use crate::admin::center::host;
use crate::admin::operator::Operator;
use crate::admin::outcome::Outcome;
use crate::admin::refusal::Refusal;
use crate::domain::customer::{Customer, Profile};
use crate::proto::common::vcard::OutsideCard;

/// Customers of one export at most: what fits into an answer of the control socket with room to spare.
pub(super) const MAX: u32 = 10_000;

/// The operation.
pub(super) const NAME: &str = "customer export";

/// Customers that are read at once.
const PAGE: u32 = 500;

/// The forms, the usual one first.
pub(super) const FORMATS: &[&str] = &["csv", "vcf"];

pub(super) async fn export(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = host(&operator, &arguments)?;
    let part = arguments.number("max");
    let max = part.unwrap_or(MAX);
    let mut after = arguments.text("after").unwrap_or_default().to_owned();
    let mut customers: Vec<Customer> = Vec::new();
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let complete = loop {
        let page = operator.store.customers();
        let page = page.of_host(&host, &after, PAGE).await?;
        if page.is_empty() {
            break true;
        }
        customers.extend(page);
        if customers.len() > max {
            customers.truncate(max);
            break false;
        }
        after = customers
            .last()
            .map(|it| it.id.to_string())
            .unwrap_or_default();
    };
    // A file must not look whole when it is not.
    if !complete && part.is_none() {
        return Err(Refusal::NotAcceptable(format!(
            "there are more than {MAX} customers; export them in parts: --max {MAX}, then --after with \
             the next_after that --json shows"
        )));
    }
    let profiles: Vec<&Profile> = customers.iter().map(|it| &it.profile).collect();
    let text = match arguments.text("format") {
        Some("vcf") => profiles
            .iter()
            .map(|profile| card(profile).to_text())
            .collect(),
        Some(_) | None => tables::written(&profiles)?,
    };
    let last = customers.last().filter(|_| !complete);
    let next = last.map(|it| it.id.to_string());
    let data = json!({ "count": customers.len(), "next_after": next, "text": text });
    Outcome::file(&operator, NAME, data, text)
}

fn card(profile: &Profile) -> OutsideCard<'_> {
    OutsideCard {
        name: &profile.name,
        company: profile.company.as_deref(),
        telephones: &profile.telephones,
        emails: &profile.emails,
        url: profile.url.as_deref(),
        crm_id: profile.crm_id.as_deref(),
    }
}
