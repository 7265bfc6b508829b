//! `[pubsub]`: publish-subscribe of accounts and at a domain of its own.

use jid::DomainPart;

use super::section::{section, words};
use super::units::Bytes;
use super::value::{Scalar, quoted};

section! {
    /// Publish-subscribe (XEP-0060): the nodes of accounts (XEP-0163) and those of the service
    /// that each host has beside them.
    pub struct Pubsub {
        /// The service is at this name under each host: "pubsub" makes pubsub.example.org. Empty
        /// for no service.
        service: ServiceName = ServiceName::new("pubsub");
        /// Who may make nodes of the service: "accounts" of this server, or "nobody" more.
        creation: NodeCreation = NodeCreation::Accounts;
        /// How many nodes one account may have. Some clients make one for each of their keys.
        nodes_per_account_max: u32 = 200, in 0..=100_000;
        /// How many nodes a service may have.
        nodes_per_service_max: u32 = 1000, in 0..=1_000_000;
        /// How many of a service's nodes one account may have made.
        nodes_per_creator_max: u32 = 50, in 0..=1_000_000;
        /// How many items one node may hold, whatever its owner asks for.
        items_per_node_max: u32 = 2000, in 1..=1_000_000;
        /// How large the payload of one item may be. Pictures of people are the largest; a stanza
        /// cannot carry more than `[c2s]` stanza_bytes_max anyway.
        payload_bytes_max: Bytes = Bytes::kib(128), in Bytes::new(1)..=Bytes::mib(16);
        /// How much all items of one account may take.
        bytes_per_account_max: Bytes = Bytes::mib(16), in Bytes::new(0)..=Bytes::mib(4096);
        /// How much all items of a service may take.
        bytes_per_service_max: Bytes = Bytes::mib(256), in Bytes::new(0)..=Bytes::mib(4096);
        /// How many entities may subscribe to one node, and how many may have an affiliation with it.
        subscriptions_per_node_max: u32 = 1000, in 0..=100_000;
        /// How many last items of contacts a client is shown when it comes online.
        last_items_max: u32 = 500, in 0..=100_000;
        /// How many sorts of clients are remembered with what they want to be told of (XEP-0115).
        client_sorts_max: u32 = 2000, in 0..=1_000_000;
        /// How many clients of contacts on other servers are remembered with what they want to be told
        /// of, each for every account that it is present for; 0 for none.
        remote_clients_max: u32 = 10_000, in 0..=1_000_000;
    }
}

words! {
    /// Who may make nodes of a service.
    pub enum NodeCreation {
        /// Accounts of this server.
        Accounts = "accounts",
        /// Nobody.
        Nobody = "nobody",
    }
}

/// The first part of the domain of a service, in front of the host's; or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceName(String);

impl ServiceName {
    /// That name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The domain under that host; none where there is to be no service.
    #[must_use]
    pub fn under(&self, host: &str) -> Option<jid::BareJid> {
        if self.0.is_empty() {
            return None;
        }
        let domain = DomainPart::new(&format!("{}.{host}", self.0))
            .ok()?
            .into_owned();
        Some(jid::BareJid::from_parts(None, &domain))
    }
}

impl Scalar for ServiceName {
    fn expected() -> String {
        "a name such as \"pubsub\", or \"\"".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (text.chars().all(letters) && text.len() <= LABEL_BYTES_MAX).then(|| Self::new(text))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

/// The longest label of a domain (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;
