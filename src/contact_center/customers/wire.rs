//! Customers as elements, as rows, and out of what was sent.

use super::NS;
use crate::admin::WrittenProfile;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::Table;
use crate::contact_center::values::Values;
use crate::domain::customer::{ADDRESSES_MAX, Customer};
use crate::domain::ids::CustomerId;
use crate::proto::common::vcard::OutsideCard;
use crate::xml::Element;

/// What somebody has written of a customer into a request.
pub(super) fn written(values: &Values) -> WrittenProfile {
    let text = |name: &str| values.optional_text(name).map(str::to_owned);
    let texts = |name: &str| values.texts(name).into_iter().map(str::to_owned).collect();
    WrittenProfile {
        name: text("name").unwrap_or_default(),
        company: text("company"),
        telephones: texts("telephone"),
        emails: texts("email"),
        crm_id: text("crm-id"),
        url: text("url"),
    }
}

/// What a CRM says of a customer. Beyond the most that one can have nothing is read.
pub(super) fn told(customer: &Element) -> WrittenProfile {
    let texts = |name: &str| {
        let all = customer.children().filter(|it| it.is(NS, name));
        all.take(ADDRESSES_MAX).map(Element::text_content).collect()
    };
    let attribute = |name: &str| customer.attribute(name).map(str::to_owned);
    WrittenProfile {
        name: customer.child_text(NS, "name").unwrap_or_default(),
        company: customer.child_text(NS, "company"),
        telephones: texts("telephone"),
        emails: texts("email"),
        crm_id: attribute("crm-id"),
        url: attribute("url"),
    }
}

/// The id of a field that is required.
pub(super) fn id(values: &Values, name: &str) -> Result<CustomerId, Refused> {
    let id = values.text(name)?.parse::<CustomerId>();
    id.map_err(|_| malformed("field-malformed", format!("{name} must be an id.")))
}

/// The version of a field that is required.
pub(super) fn version(values: &Values, name: &str) -> Result<u64, Refused> {
    let version = values.text(name)?.trim().parse();
    version.map_err(|_| malformed("field-malformed", format!("{name} must be a number.")))
}

/// As an address book keeps it.
pub(super) fn card(customer: &Customer) -> OutsideCard<'_> {
    let profile = &customer.profile;
    OutsideCard {
        name: &profile.name,
        company: profile.company.as_deref(),
        telephones: &profile.telephones,
        emails: &profile.emails,
        url: profile.url.as_deref(),
        crm_id: profile.crm_id.as_deref(),
    }
}

/// What the customer is called in a sentence.
pub(in crate::contact_center) fn title(customer: &Customer) -> &str {
    match customer.profile.name.as_str() {
        "" => customer.profile.company.as_deref().unwrap_or_default(),
        name => name,
    }
}

pub(super) fn table(customers: &[Customer]) -> Table {
    Table {
        columns: COLUMNS,
        rows: customers.iter().map(row).collect(),
    }
}

const COLUMNS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("company", "Company"),
    ("telephone", "Telephone"),
    ("email", "E-mail"),
    ("url", "Link"),
    ("crm-id", "Id in the CRM"),
    ("id", "Id"),
    ("version", "Version"),
];

fn row(customer: &Customer) -> Vec<String> {
    let profile = &customer.profile;
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    vec![
        profile.name.clone(),
        text(&profile.company),
        profile.telephones.join(", "),
        profile.emails.join(", "),
        text(&profile.url),
        text(&profile.crm_id),
        customer.id.to_string(),
        customer.version.to_string(),
    ]
}
