//! Customers: the people and companies outside (S2-10 to S2-13). What is decided is in [`crate::domain::customer`].

use std::sync::Arc;

use phonenumber::Mode;

use super::center::{Center, Place};
use super::errors::Refused;
use super::record::{self, Record};
use crate::config::Region;
use crate::domain::customer::{
    Customer, Event, MATCHES_MAX, Rejection, apply, folded, is_e164, is_email,
};
use crate::domain::ids::CustomerId;
use crate::domain::interaction::Medium;
use crate::hooks::Services;
use crate::store::{ListOrder, Listing};
use crate::xml::Element;

/// The namespace of customers.
pub(super) const NS: &str = "urn:parlour:customer:0";

/// The list in which a customer stands by each number and address.
const ADDRESS: &str = "address";

impl Record for Customer {
    const KIND: &'static str = "customer";
    type Event = Event;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Event) {
        apply(self, event);
    }

    fn listings(&self) -> Vec<Listing> {
        Vec::new()
    }
}

/// The address of a customer as it is kept: of a call its number in full (ITU-T E.164), else an e-mail address without
/// case; what a chat is known by otherwise stays as it is.
pub(in crate::contact_center) fn normal(
    region: &Region,
    medium: Medium,
    address: &str,
) -> Result<String, Refused> {
    let address = address.trim();
    match medium {
        Medium::Voice if is_e164(address) => Ok(address.to_owned()),
        Medium::Voice => {
            let number = phonenumber::parse(region.0, address).ok();
            let number = number.filter(phonenumber::is_valid);
            let number = number.ok_or(Rejection::Telephone)?;
            Ok(number.format().mode(Mode::E164).to_string())
        }
        Medium::Email if !is_email(address) => Err(Rejection::Email.into()),
        Medium::Chat | Medium::Email => Ok(folded(address)),
    }
}

/// The customers who are known under an address as it is kept.
pub(in crate::contact_center) async fn look_up(
    _center: &Center,
    services: &Arc<Services>,
    place: &Place,
    address: &str,
) -> Result<Vec<CustomerId>, Refused> {
    let owner = format!("{} {address}", place.host);
    let limit = u32::try_from(MATCHES_MAX).unwrap_or(u32::MAX);
    let records = services.store.records();
    let kind = <Customer as Record>::KIND;
    let order = ListOrder::Ascending;
    let found = records.listed(kind, (ADDRESS, &owner), None, order, limit);
    let found = found.await?;
    let ids = found.iter().map(|stored| stored.id.parse().ok());
    Ok(ids.flatten().collect())
}

/// The customer, or the one into which it was merged.
pub(in crate::contact_center) async fn find(
    services: &Services,
    _place: &Place,
    id: &CustomerId,
) -> Result<Option<Customer>, Refused> {
    Ok(record::find(&services.store, id.as_str()).await?)
}

/// `<customer xmlns='urn:parlour:customer:0' id='…' version='…'/>`
pub(in crate::contact_center) fn element(customer: &Customer) -> Element {
    Element::new(NS, "customer")
        .attr("id", customer.id.as_str())
        .attr("version", customer.version.to_string())
}
