//! What is kept of one customer, wherever it is: records that name it, or an address that is nobody else's.
//!
//! All records of a kind are looked through, some at a time. That takes seconds where there are a million, and nobody waits
//! for it but who asked: an index of everything by everything would cost each write.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::admin::RECENT;
use crate::admin::refusal::Refusal;
use crate::domain::activity::Activity;
use crate::domain::context::recent::Recent;
use crate::domain::customer::Customer;
use crate::domain::follow_up::{FollowUp, SourceKind};
use crate::domain::ids::CustomerId;
use crate::domain::im_session::ImSession;
use crate::domain::interaction::Interaction;
use crate::domain::message_stream::Stream;
use crate::store::{CUSTOMER, Store, StoreError, StoredRecord, Walk};

pub(super) const INTERACTION: &str = "interaction";
pub(super) const ACTIVITY: &str = "activity";
pub(super) const FOLLOW_UP: &str = "follow-up";
pub(super) use crate::store::STREAM as MESSAGE_STREAM;
pub(super) const IM_SESSION: &str = "im-session";

/// The kinds in which something can be about a customer, in the order in which they are disclosed.
pub(super) const KINDS: &[&str] = &[
    CUSTOMER,
    INTERACTION,
    ACTIVITY,
    FOLLOW_UP,
    MESSAGE_STREAM,
    IM_SESSION,
];

/// Records that are read at once.
const PAGE: u32 = 200;

/// Customers known under one address that are looked at: with more it is nobody's.
const SAME_ADDRESS_MAX: u32 = 100;

/// By what a customer is found in records.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    pub(super) host: String,
    /// Its id, and those of records that were merged into it.
    pub(super) ids: BTreeSet<String>,
    /// Its numbers and addresses that are no other customer's.
    pub(super) addresses: BTreeSet<String>,
    /// The interactions with it.
    pub(super) interactions: BTreeSet<String>,
}

/// Goes through all records of a kind.
pub(super) fn all<'a>(store: &'a Store, kind: &'static str) -> Walk<'a> {
    store.records().walk(kind, PAGE)
}

/// A stored record as what it is.
pub(super) fn read<T: DeserializeOwned>(
    kind: &'static str,
    stored: &StoredRecord,
) -> Result<T, StoreError> {
    serde_json::from_str(&stored.snapshot).map_err(|cause| StoreError::corrupt(kind, cause))
}

impl Marks {
    /// By what the customer of that id is found.
    ///
    /// # Errors
    /// When there is none, or it is part of another.
    pub(super) async fn of(store: &Store, host: &str, id: &str) -> Result<Self, Refusal> {
        let found = store.customers().find(host, id).await?;
        let found =
            found.ok_or_else(|| Refusal::NotFound("there is no such customer".to_owned()))?;
        // One whose other half was erased at the moment of the merge is whole again.
        if let Some(other) = &found.merged_into
            && store
                .customers()
                .find(host, other.as_str())
                .await?
                .is_some()
        {
            let text = format!("{id} was merged into {other}: name that one");
            return Err(Refusal::Conflict(text));
        }
        let mut marks = Self {
            host: host.to_owned(),
            ids: [id.to_owned()].into(),
            ..Self::default()
        };
        let profiles = marks.add_merged(store, vec![found]).await?;
        marks.add_addresses(store, &profiles).await?;
        marks.add_interactions(store).await?;
        Ok(marks)
    }

    /// Those that became part of it while it was erased; whether there are any.
    pub(super) async fn add_late(&mut self, store: &Store) -> Result<bool, StoreError> {
        let profiles = self.add_merged(store, Vec::new()).await?;
        if profiles.is_empty() {
            return Ok(false);
        }
        self.add_addresses(store, &profiles).await?;
        self.add_interactions(store).await?;
        Ok(true)
    }

    /// Those that became part of it, and of these, and so on.
    async fn add_merged(
        &mut self,
        store: &Store,
        mut profiles: Vec<Customer>,
    ) -> Result<Vec<Customer>, StoreError> {
        let mut merged = Vec::new();
        let mut walk = all(store, CUSTOMER);
        while let Some(stored) = walk.next().await? {
            let customer: Customer = read(CUSTOMER, &stored)?;
            if customer.merged_into.is_some() && customer.host == self.host {
                merged.push(customer);
            }
        }
        loop {
            let (own, other): (Vec<_>, Vec<_>) = merged
                .into_iter()
                .partition(|it| self.is_named(it.merged_into.as_ref()));
            if own.is_empty() {
                return Ok(profiles);
            }
            self.ids.extend(own.iter().map(|it| it.id.to_string()));
            profiles.extend(own);
            merged = other;
        }
    }

    async fn add_addresses(
        &mut self,
        store: &Store,
        profiles: &[Customer],
    ) -> Result<(), StoreError> {
        for key in profiles.iter().flat_map(|it| it.profile.keys()) {
            let customers = store.customers();
            let known = customers.by_address(&self.host, &key, SAME_ADDRESS_MAX);
            let own = |it: &Customer| self.ids.contains(it.id.as_str());
            if known.await?.iter().all(own) {
                self.addresses.insert(key);
            }
        }
        Ok(())
    }

    async fn add_interactions(&mut self, store: &Store) -> Result<(), StoreError> {
        let mut walk = all(store, ACTIVITY);
        while let Some(stored) = walk.next().await? {
            let activity: Activity = read(ACTIVITY, &stored)?;
            let own = self.is_of_activity(&activity);
            let subject = activity.subject.filter(|_| own);
            self.interactions
                .extend(subject.map(|it| it.interaction.to_string()));
        }
        let mut walk = all(store, INTERACTION);
        while let Some(stored) = walk.next().await? {
            let interaction: Interaction = read(INTERACTION, &stored)?;
            if self.is_of_interaction(&interaction) {
                self.interactions.insert(interaction.id.to_string());
            }
        }
        Ok(())
    }

    /// Whether a record of that kind is about it.
    pub(super) fn mark(
        &self,
        kind: &'static str,
        stored: &StoredRecord,
    ) -> Result<bool, StoreError> {
        Ok(match kind {
            CUSTOMER => self.ids.contains(&stored.id),
            INTERACTION => self.is_of_interaction(&read(kind, stored)?),
            ACTIVITY => self.is_of_activity(&read(kind, stored)?),
            FOLLOW_UP => self.is_of_follow_up(&read(kind, stored)?),
            MESSAGE_STREAM => self.is_of_stream(&read(kind, stored)?),
            IM_SESSION => self.is_of_session(&read(kind, stored)?),
            RECENT => self.is_among(&read(kind, stored)?),
            _ => false,
        })
    }

    fn is_named(&self, customer: Option<&CustomerId>) -> bool {
        customer.is_some_and(|it| self.ids.contains(it.as_str()))
    }

    /// One that is about somebody else is not, whatever the address.
    fn is_own(&self, customer: Option<&CustomerId>, address: &str, interaction: &str) -> bool {
        match customer {
            Some(_) => self.is_named(customer),
            None => {
                self.interactions.contains(interaction)
                    || self.addresses.contains(&address.to_lowercase())
            }
        }
    }

    pub(super) fn is_of_interaction(&self, it: &Interaction) -> bool {
        let mut hosts = it.participants.iter().map(|it| it.agent.host());
        hosts.any(|host| host == self.host)
            && self.is_own(it.customer.as_ref(), &it.address, it.id.as_str())
    }

    pub(super) fn is_of_activity(&self, it: &Activity) -> bool {
        it.subject.as_ref().is_some_and(|it| {
            let customer = it.customer.as_ref();
            it.agent.host() == self.host
                && self.is_own(customer, &it.address, it.interaction.as_str())
        })
    }

    fn is_of_follow_up(&self, it: &FollowUp) -> bool {
        let customer = it.plan.as_ref().and_then(|it| it.customer.as_ref());
        let follows = it.source.as_ref().is_some_and(|it| {
            it.kind == SourceKind::InteractionRecord && self.interactions.contains(&it.id)
        });
        let of_host = it.author.as_ref().is_some_and(|it| it.host() == self.host);
        of_host && (self.is_named(customer) || (customer.is_none() && follows))
    }

    fn is_of_stream(&self, it: &Stream) -> bool {
        let first = it.messages.first();
        first.is_some_and(|it| it.author.host() == self.host) && self.is_named(it.customer.as_ref())
    }

    /// Whether it is one of an agent's recent objects.
    fn is_among(&self, it: &Recent) -> bool {
        let is_own = |id: &str| self.ids.contains(id);
        it.owner.host() == self.host && it.clone().forget_customers(is_own)
    }

    fn is_of_session(&self, it: &ImSession) -> bool {
        let about = it.about.as_ref();
        about.is_some_and(|it| self.interactions.contains(it.as_str()))
    }
}
