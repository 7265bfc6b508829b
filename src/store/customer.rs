//! Customers: records of the kind [`CUSTOMER`], and the lists in which they are found.
//!
//! A list belongs to a host, so that one host's customers cannot be found by another. The words of a
//! customer stand in a list each, named in hexadecimal digits: no locale of a PostgreSQL sorts these otherwise than by
//! bytes, so that all words with one beginning stand together in both databases.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::directory::compared;
use super::error::StoreError;
use super::record::{Guard, ListOrder, Listing, RecordChange, Records, StoredRecord};
use crate::domain::customer::{Customer, Event, apply, search};

/// The kind of these records.
pub const CUSTOMER: &str = "customer";

/// All customers of a host.
const ALL: &str = "all";
/// Those under one number or address.
const ADDRESS: &str = "address";
/// Those under one id of the CRM.
const CRM: &str = "crm";
/// Those with one word.
const WORD: &str = "word";

/// Customers of one id in the CRM that are read: those that were merged keep theirs.
const SAME_CRM_MAX: u32 = 20;

/// Hexadecimal digits of a hash by which ids of the CRM share a guard: so many that two decisions at the same
/// moment hardly ever meet, and so few that guards are no second table of customers.
const SHARD_DIGITS: usize = 4;

/// The lists in which a customer is found. One that was merged into another is found by its id in the CRM
/// only, so that what the CRM says of it makes no new one.
#[must_use]
pub fn customer_listings(customer: &Customer) -> Vec<Listing> {
    let Customer { host, profile, .. } = customer;
    let listing = |list, owner| Listing { list, owner };
    let crm = profile.crm_id.iter();
    let crm = crm.map(|id| listing(CRM, crm_owner(host, id)));
    let mut lists: BTreeSet<Listing> = crm.collect();
    if customer.merged_into.is_none() {
        lists.insert(listing(ALL, host.clone()));
        let addresses = profile.keys();
        lists.extend(addresses.map(|key| listing(ADDRESS, address_owner(host, &key))));
        let words = stored_words(customer).into_iter();
        lists.extend(words.map(|word| listing(WORD, word_owner(host, &word))));
    }
    lists.into_iter().collect()
}

/// What events make of a customer, to be written.
///
/// # Errors
/// When it cannot be written as JSON: a mistake of the server.
pub fn customer_change(
    before: &Customer,
    events: &[Event],
) -> Result<(Customer, RecordChange), StoreError> {
    let json = |cause| StoreError::corrupt(CUSTOMER, cause);
    let number = |version: u64| i64::try_from(version).unwrap_or(i64::MAX);
    let mut after = before.clone();
    let mut written = Vec::with_capacity(events.len());
    for event in events {
        apply(&mut after, event);
        written.push(serde_json::to_string(event).map_err(json)?.into());
    }
    let change = RecordChange {
        kind: CUSTOMER,
        id: after.id.to_string().into(),
        read: number(before.version),
        version: number(after.version),
        snapshot: serde_json::to_string(&after).map_err(json)?.into(),
        events: written,
        due: None,
        listings: Some(customer_listings(&after)),
    };
    Ok((after, change))
}

/// A customer that was found by the beginning of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCustomer {
    /// The list of the word.
    word: String,
    /// The customer.
    pub customer: Customer,
}

/// Where a search goes on: behind that word of that customer, in the order asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerPlace {
    word: String,
    id: String,
}

/// Characters of a place that is told.
const PLACE_CHARS_MAX: usize = 4_096;

impl CustomerPlace {
    /// The place for who asks for the next page: it leads on when the customer is called otherwise meanwhile, or is gone.
    #[must_use]
    pub fn told(&self, host: &str) -> String {
        let word = self.word.strip_prefix(&word_owner(host, &[]));
        format!("{}/{}", self.id, word.unwrap_or_default())
    }

    /// A place in that host that was told; `None` of any other text.
    #[must_use]
    pub fn understood(host: &str, text: &str) -> Option<Self> {
        let (id, word) = text.split_once('/')?;
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_word = !word.is_empty() && word.bytes().all(is_digit);
        (text.len() <= PLACE_CHARS_MAX && !id.is_empty() && is_word).then(|| Self {
            word: format!("{}{word}", word_owner(host, &[])),
            id: id.to_owned(),
        })
    }
}

impl FoundCustomer {
    /// Where a search goes on behind it.
    #[must_use]
    pub fn place(&self) -> CustomerPlace {
        CustomerPlace {
            word: self.word.clone(),
            id: self.customer.id.to_string(),
        }
    }

    /// Whether no earlier word of the customer begins so.
    #[must_use]
    pub fn is_first(&self, beginning: &str) -> bool {
        let first = customer_place(&self.customer, beginning);
        first.is_some_and(|first| first.word == self.word)
    }
}

/// Where a search for that beginning finds the customer first.
#[must_use]
pub fn customer_place(customer: &Customer, beginning: &str) -> Option<CustomerPlace> {
    let beginning = compared(beginning);
    let mut words = stored_words(customer).into_iter();
    let word = words.find(|word| word.starts_with(&beginning))?;
    Some(CustomerPlace {
        word: word_owner(&customer.host, &word),
        id: customer.id.to_string(),
    })
}

/// Operations on customers; from [`super::Store::customers`].
#[derive(Clone, Copy)]
pub struct Customers<'a> {
    pub(super) records: Records<'a>,
}

impl Customers<'_> {
    /// The customer of that id; `None` when it is another host's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, host: &str, id: &str) -> Result<Option<Customer>, StoreError> {
        let found = self.records.find(CUSTOMER, id).await?;
        let found = found.as_ref().map(read).transpose()?;
        Ok(found.filter(|customer| customer.host == host))
    }

    /// Customers known under an address as the domain keeps it, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_address(
        &self,
        host: &str,
        address: &str,
        limit: u32,
    ) -> Result<Vec<Customer>, StoreError> {
        let owner = address_owner(host, address);
        self.listed((ADDRESS, &owner), "", limit).await
    }

    /// The customer of that id in the CRM; one that was merged into another only where there is no other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn by_crm(&self, host: &str, crm_id: &str) -> Result<Option<Customer>, StoreError> {
        let owner = crm_owner(host, crm_id);
        let mut found = self.listed((CRM, &owner), "", SAME_CRM_MAX).await?;
        found.sort_by_key(|it| it.merged_into.is_some());
        Ok(found.into_iter().next())
    }

    /// What stands for an id of the CRM having one customer; it is read before the customer is looked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn crm_guard(&self, host: &str, crm_id: &str) -> Result<Guard, StoreError> {
        let shard: String = hash(crm_id).chars().take(SHARD_DIGITS).collect();
        let name = format!("customer-crm {host} {shard}");
        self.records.guard(&name).await
    }

    /// What stands for merges coming one after the other; it is read before the customers are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn merge_guard(&self, host: &str) -> Result<Guard, StoreError> {
        self.records.guard(&format!("customer-merge {host}")).await
    }

    /// Customers of the host by ascending ids, beginning behind `after` (empty for the first).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_host(
        &self,
        host: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Customer>, StoreError> {
        self.listed((ALL, host), after, limit).await
    }

    /// Customers with a word that begins so, in the order of words and ids, beginning at `from`, or at the end that the
    /// order begins with. A customer with two such words is there twice.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn search(
        &self,
        host: &str,
        beginning: &str,
        from: Option<&CustomerPlace>,
        order: ListOrder,
        limit: u32,
    ) -> Result<Vec<FoundCustomer>, StoreError> {
        let prefix = word_owner(host, &compared(beginning));
        let from = from.map(|place| (place.word.as_str(), place.id.as_str()));
        let records = self.records;
        let rows = records.prefixed(CUSTOMER, (WORD, &prefix), from, order, limit);
        let found = |(word, stored): (String, StoredRecord)| {
            read(&stored).map(|customer| FoundCustomer { word, customer })
        };
        rows.await?.into_iter().map(found).collect()
    }

    async fn listed(
        &self,
        list: (&str, &str),
        after: &str,
        limit: u32,
    ) -> Result<Vec<Customer>, StoreError> {
        let order = ListOrder::Ascending;
        let rows = self
            .records
            .listed(CUSTOMER, list, Some(after), order, limit);
        rows.await?.iter().map(read).collect()
    }
}

fn read(stored: &StoredRecord) -> Result<Customer, StoreError> {
    serde_json::from_str(&stored.snapshot).map_err(|cause| StoreError::corrupt(CUSTOMER, cause))
}

/// The words as they are compared in the database, in its order.
fn stored_words(customer: &Customer) -> BTreeSet<Vec<u8>> {
    let words = search::words_of(&customer.profile).into_iter();
    words.map(|word| compared(&word)).collect()
}

fn address_owner(host: &str, address: &str) -> String {
    format!("{host} {address}")
}

/// An id of a CRM can be longer than what an index takes.
fn crm_owner(host: &str, crm_id: &str) -> String {
    format!("{host} {}", hash(crm_id))
}

fn word_owner(host: &str, word: &[u8]) -> String {
    hex(host.bytes().chain([b' ']).chain(word.iter().copied()))
}

fn hash(text: &str) -> String {
    hex(Sha256::digest(text.as_bytes()))
}

fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    let bytes = bytes.into_iter();
    bytes
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
