//! What forms hold of a customer who is to be changed, or merged with another.

use super::{changes, reading, wire};
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Caller, Shown};
use crate::contact_center::values::Values;
use crate::domain::customer::Customer;

/// Everything that is known.
pub(super) async fn edit(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let customer = meant(&caller, &values, "id").await?;
    let profile = &customer.profile;
    let mut values = vec![
        ("version", customer.version.to_string()),
        ("name", profile.name.clone()),
    ];
    values.extend(profile.company.clone().map(|it| ("company", it)));
    let telephones = profile.telephones.iter();
    values.extend(telephones.map(|it| ("telephone", it.clone())));
    values.extend(profile.emails.iter().map(|it| ("email", it.clone())));
    values.extend(profile.crm_id.clone().map(|it| ("crm-id", it)));
    values.extend(profile.url.clone().map(|it| ("url", it)));
    Ok(Shown {
        values,
        ..Shown::default()
    })
}

/// The versions of both, and who they are.
pub(super) async fn merge(caller: Caller, values: Values) -> Result<Shown, Refused> {
    let customer = meant(&caller, &values, "id").await?;
    let other = meant(&caller, &values, "other").await?;
    let about = format!("{} gets what {} has.", named(&customer), named(&other));
    Ok(Shown {
        values: vec![
            ("version", customer.version.to_string()),
            ("other-version", other.version.to_string()),
        ],
        about: Some(about),
        ..Shown::default()
    })
}

/// The customer of that very id, written down before it is shown where that is to be.
async fn meant(caller: &Caller, values: &Values, field: &str) -> Result<Customer, Refused> {
    let id = wire::id(values, field)?;
    let customer = changes::exact(&caller.services, &caller.place, &id).await?;
    reading::note(caller, "customer show", id.as_str()).await?;
    Ok(customer)
}

/// `Ann Example, Example & Sons, +39 …`: who has a namesake is told apart by the rest.
fn named(customer: &Customer) -> String {
    let profile = &customer.profile;
    let company = profile.company.iter().filter(|_| !profile.name.is_empty());
    let addresses = profile.telephones.iter().chain(&profile.emails);
    let rest: Vec<&str> = company.chain(addresses).map(String::as_str).collect();
    match rest.is_empty() {
        true => wire::title(customer).to_owned(),
        false => format!("{} ({})", wire::title(customer), rest.join(", ")),
    }
}
