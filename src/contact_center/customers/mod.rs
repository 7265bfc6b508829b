//! Customers: the people and companies outside (S2-10 to S2-13, S2-29 to S2-31): made, changed, merged, looked up by
//! number or address, and searched.
//!
//! What is decided is in [`crate::domain::customer`]. The records are the host's own, or those of a component of a CRM,
//! which is asked first where the operator says so ([`crm`]); what it tells is kept as records of ours.

mod changes;
mod crm;
mod merging;
mod operations;
mod reading;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::Arc;

use super::center::{Center, Place};
use super::draft::Draft;
use super::errors::Refused;
use super::record::Record;
use crate::admin::telephone;
use crate::config::Region;
use crate::domain::customer::{self, Customer, MATCHES_MAX, Rejection, folded, is_email};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::Medium;
use crate::hooks::Services;
use crate::store::{CUSTOMER, Listing, customer_listings};
use crate::xml::Element;

pub(super) use merging::start;
pub(super) use operations::OPERATIONS;
pub(in crate::contact_center) use wire::title;

/// The namespace of customers.
const NS: &str = "urn:parlour:customer:0";

/// How many customers that were merged one into the other are followed: in the life of a contact center
/// somebody turns out to be somebody else a few times.
const MERGES_MAX: usize = 100;

/// Bytes of an address in a chat, which need be no e-mail address.
const CHAT_ADDRESS_BYTES_MAX: usize = 1_024;

impl Record for Customer {
    const KIND: &'static str = CUSTOMER;
    type Event = customer::Event;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &customer::Event) {
        customer::apply(self, event);
    }

    fn listings(&self) -> Vec<Listing> {
        customer_listings(self)
    }
}

/// The customers known under an address as the domain keeps it; at most [`MATCHES_MAX`].
pub(in crate::contact_center) async fn look_up(
    center: &Center,
    services: &Arc<Services>,
    place: &Place,
    address: &str,
) -> Result<Vec<CustomerId>, Refused> {
    if let Some(known) = crm::ask(center, services, place, address).await {
        return Ok(known);
    }
    let customers = services.store.customers();
    let max = u32::try_from(MATCHES_MAX).unwrap_or(u32::MAX);
    let known = customers.by_address(place.host.as_str(), address, max);
    Ok(known.await?.into_iter().map(|it| it.id).collect())
}

/// The address as the domain keeps it: E.164 for voice, an e-mail address without case, in a chat also what is none.
pub(in crate::contact_center) fn normal(
    region: &Region,
    medium: Medium,
    address: &str,
) -> Result<String, Refused> {
    let address = address.trim();
    match medium {
        Medium::Voice => telephone(*region, address).ok_or_else(|| Rejection::Telephone.into()),
        Medium::Chat | Medium::Email if is_email(address) => Ok(folded(address)),
        Medium::Chat => {
            let fits = !address.is_empty() && address.len() <= CHAT_ADDRESS_BYTES_MAX;
            let good = fits && !address.contains(char::is_control);
            good.then(|| address.to_owned())
                .ok_or_else(|| Rejection::Email.into())
        }
        Medium::Email => Err(Rejection::Email.into()),
    }
}

/// The customer, following merges; `None` when it is unknown or another host's.
pub(in crate::contact_center) async fn find(
    services: &Services,
    place: &Place,
    id: &CustomerId,
) -> Result<Option<Customer>, Refused> {
    let customers = services.store.customers();
    let mut id = id.clone();
    for _ in 0..MERGES_MAX {
        let found = customers.find(place.host.as_str(), id.as_str()).await?;
        match found.map(|it| (it.merged_into.clone(), it)) {
            Some((Some(into), _)) => id = into,
            Some((None, customer)) => return Ok(Some(customer)),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The same for something that is made about it: that is written only if the customer is still there and no part of another by
/// then. Else it is decided anew.
pub(in crate::contact_center) async fn hold(
    draft: &mut Draft,
    services: &Services,
    place: &Place,
    id: &CustomerId,
) -> Result<Option<Customer>, Refused> {
    let found = find(services, place, id).await?;
    if let Some(customer) = &found {
        draft.hold(customer);
    }
    Ok(found)
}

/// `<customer id='…' version='3' created='…' crm-id='…' url='…'><name>…</name>…</customer>`.
pub(in crate::contact_center) fn element(customer: &Customer) -> Element {
    let Customer {
        id,
        version,
        profile,
        merged_into,
        created_at,
        host: _,
    } = customer;
    let child = |name: &str, text: &str| Element::new(NS, name).text(text);
    let name = (!profile.name.is_empty()).then(|| child("name", &profile.name));
    let telephones = profile.telephones.iter();
    let emails = profile.emails.iter();
    Element::new(NS, "customer")
        .attr("id", id.as_str())
        .attr("version", version.to_string())
        .attr_opt("created", created_at.map(|at| at.to_string()))
        .attr_opt("merged-into", merged_into.as_ref().map(CustomerId::as_str))
        .attr_opt("crm-id", profile.crm_id.as_deref())
        .attr_opt("url", profile.url.as_deref())
        .child_opt(name)
        .child_opt(profile.company.as_deref().map(|it| child("company", it)))
        .children_from(telephones.map(|it| child("telephone", it)))
        .children_from(emails.map(|it| child("email", it)))
}
