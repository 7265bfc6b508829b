//! `[[host]]`: the domains that are served.

use std::path::PathBuf;

use super::address::{ContactAddress, Domain};
use super::section::section;

section! {
    /// A domain whose accounts live here. Without any, `localhost` is served, to try it out.
    pub struct Host {
        /// The domainpart of the accounts' addresses (RFC 7622 §3.2).
        domain: Domain = Domain::localhost();
        /// The domain's certificate with its chain, PEM (fullchain.pem of certbot). Empty:
        /// `[tls]` decides.
        certificate: Option<PathBuf> = None;
        /// The certificate's private key, PEM (privkey.pem of certbot).
        key: Option<PathBuf> = None;
        /// Whether this host has a contact center, where `[contact_center]` is enabled: its service, its agents, and what
        /// they do there.
        contact_center: bool = true;
    }
    tables { contact: Contact; }
}

section! {
    /// Addresses for people of other servers and for clients, as URIs (XEP-0157). None are
    /// told by default: an address that nobody reads is worse than none.
    pub struct Contact {
        /// Where to report abuse.
        abuse: Vec<ContactAddress> = Vec::new();
        /// The server's administrators.
        admin: Vec<ContactAddress> = Vec::new();
        /// Where to send praise and blame.
        feedback: Vec<ContactAddress> = Vec::new();
        /// The sales department.
        sales: Vec<ContactAddress> = Vec::new();
        /// Where to report a weakness.
        security: Vec<ContactAddress> = Vec::new();
        /// Where outages are announced.
        status: Vec<ContactAddress> = Vec::new();
        /// Who helps users.
        support: Vec<ContactAddress> = Vec::new();
    }
}

impl Contact {
    /// The form fields of XEP-0157 §2 with their addresses, those without any included.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, &[ContactAddress]); 7] {
        [
            ("abuse-addresses", &self.abuse),
            ("admin-addresses", &self.admin),
            ("feedback-addresses", &self.feedback),
            ("sales-addresses", &self.sales),
            ("security-addresses", &self.security),
            ("status-addresses", &self.status),
            ("support-addresses", &self.support),
        ]
    }
}
