//! `[[component]]`: programs of others that serve a domain (XEP-0114).

use super::address::Domain;
use super::delegation::Delegation;
use super::privileges::Privileges;
use super::section::{section, words};
use super::units::{Bytes, Seconds};
use crate::observe::Secret;

section! {
    /// A gateway, bot or other program that connects at `[listen]` component and serves a domain
    /// (XEP-0114). Nothing encrypts that connection: it belongs on this machine, or into a network
    /// of its own.
    pub struct Component {
        /// The domain that it serves; neither a host nor a service of this server.
        domain: Domain = Domain::localhost();
        /// What it proves itself with; must not be empty.
        secret: Secret<String> = Secret::new(String::new());
        /// How far it is trusted: "service" speaks for the addresses of its own domain only,
        /// "connector" may also bring contacts from telephony, chat or e-mail, and "crm" may also
        /// look up customers and follow what happens with them.
        role: ComponentRole = ComponentRole::Service;
        /// What it is called in lists of services; "" for its domain only.
        name: Option<String> = None;
        /// For the accounts of which hosts its privileges and delegations count; [] for all hosts.
        hosts: Vec<Domain> = Vec::new();
        /// Requests for these hosts and their accounts that it answers in the server's place
        /// (XEP-0355), each as "NAMESPACE" or "NAMESPACE ATTRIBUTE ...": only those that have all the
        /// attributes. It is sent what belongs to people: for programs that are trusted like the server.
        delegations: Vec<Delegation> = Vec::new();
        /// How long it may take to answer one of them, before the asker is told that nobody does.
        delegated_seconds: Seconds = Seconds::new(30), in Seconds::new(1)..=Seconds::new(600);
        /// How many of them may wait for its answer. More are refused.
        delegated_requests_max: u32 = 1_024, in 1..=1_000_000;
        /// What happens when it connects while it is connected: "replace" closes the older
        /// connection, which nobody may have noticed to be dead, "refuse" the newer one.
        conflict: ComponentConflict = ComponentConflict::Replace;
        /// How long what is for it waits when it is away, before it comes back to its senders;
        /// 0 for not at all.
        reconnect_seconds: Seconds = Seconds::new(60), in Seconds::new(0)..=Seconds::new(86_400);
        /// How many stanzas may wait for it. More come back to their senders.
        queue_stanzas_max: u32 = 1_024, in 16..=1_000_000;
        /// How many bytes may wait for it.
        queue_bytes_max: Bytes = Bytes::mib(4), in Bytes::kib(64)..=Bytes::mib(1024);
        /// How large one stanza of it may be.
        stanza_bytes_max: Bytes = Bytes::kib(256), in Bytes::kib(16)..=Bytes::mib(64);
        /// How many bytes a second it may send in the long run; more is read later.
        bytes_per_second_max: Bytes = Bytes::mib(4), in Bytes::kib(1)..=Bytes::mib(1024);
        /// How many bytes it may send at once after a pause.
        burst_bytes_max: Bytes = Bytes::mib(16), in Bytes::kib(64)..=Bytes::mib(1024);
        /// After how long without a word from it the server asks whether it is there (XEP-0199);
        /// 0 for never, for programs that answer no requests.
        idle_seconds: Seconds = Seconds::new(300), in Seconds::new(0)..=Seconds::new(86_400);
        /// How long it may take to say anything then, before its connection is closed.
        idle_answer_seconds: Seconds = Seconds::new(60), in Seconds::new(1)..=Seconds::new(3600);
    }
    tables {
        privileges: Privileges;
    }
}

impl Component {
    /// Whether its privileges and delegations count for that host and its accounts.
    #[must_use]
    pub fn acts_for(&self, host: &str) -> bool {
        self.hosts.is_empty() || self.hosts.iter().any(|own| own.as_str() == host)
    }
}

words! {
    /// How far a component is trusted.
    pub enum ComponentRole {
        /// It speaks for the addresses of its own domain.
        Service = "service",
        /// It also brings contacts: a gateway for telephony, chat or e-mail.
        Connector = "connector",
        /// It also keeps records of customers.
        Crm = "crm",
    }
}

words! {
    /// What happens when a component connects while it is connected.
    pub enum ComponentConflict {
        /// The older connection is closed.
        Replace = "replace",
        /// The newer connection is closed.
        Refuse = "refuse",
    }
}
