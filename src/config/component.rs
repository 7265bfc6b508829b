//! `[[component]]`: programs of others that serve a domain (XEP-0114).

use super::address::Domain;
use super::section::{section, words};
use crate::observe::Secret;

section! {
    /// A gateway, bot or other program that connects and serves a domain (XEP-0114). Not
    /// served by this version.
    pub struct Component {
        /// The domain that it serves; not one of the hosts.
        domain: Domain = Domain::localhost();
        /// What it proves itself with; must not be empty.
        secret: Secret<String> = Secret::new(String::new());
        /// How far it is trusted: "service" speaks for the addresses of its own domain only,
        /// "contact_center" may also use the operations of the contact center.
        role: ComponentRole = ComponentRole::Service;
    }
}

words! {
    /// How far a component is trusted.
    pub enum ComponentRole {
        /// It speaks for the addresses of its own domain.
        Service = "service",
        /// It may also use the operations of the contact center: a gateway for telephony,
        /// chat or e-mail, or a synchroniser of customer records.
        ContactCenter = "contact_center",
    }
}
