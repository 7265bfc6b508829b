//! An account that comes with all it had on another server (XEP-0227): in one transaction, so that it is
//! there with everything or not at all.

use std::collections::HashSet;

use super::account::insert_account;
use super::archive::preference::joined as joined_addresses;
use super::archive::{ArchiveId, ArchivePreference, NewArchived, insert_messages};
use super::blocked::BLOCK;
use super::credential::insert_key;
use super::db::{Db, queries, transaction};
use super::error::StoreError;
use super::offline::{APPEND_MESSAGE as MESSAGE, Ids as OfflineIds};
use super::private_xml::PUT_PRIVATE as PRIVATE;
use super::pubsub::ADD_AFFILIATION as AFFILIATION;
use super::roster::RosterItem;
use super::subscription_request::SubscriptionRequest;
use crate::clock::Timestamp;
use crate::domain::rights::Role;
use crate::proto::jid::{BareJid, Jid};
use crate::proto::scram::ScramKeys;

queries! {
    ROSTER = "insert into roster (owner, version, horizon) values ($1, $2, $2)";
    CONTACT = "insert into roster_item
            (owner, contact, name, subscription, ask, approved, group_names, version, removed)
        values ($1, $2, $3, $4, $5, $6, $7, $8, false)";
    REQUEST = "insert into subscription_request (owner, from_jid, stanza, received_at)
        values ($1, $2, $3, $4)";
    VCARD = "insert into vcard (owner, xml, updated_at) values ($1, $2, $3)";
    MAILBOX = "insert into offline_mailbox (owner, stored) values ($1, $2)";
    PREFERENCE = "insert into archive_preference (owner, otherwise, listed_always, listed_never)
        values ($1, $2, $3, $4)";
    NODE = "insert into pubsub_node
            (service, node, account, config, creator, created_at, revision, bytes)
        values ($1, $2, $1, $3, $1, $4, $5, $6)";
    ITEM = "insert into pubsub_item (service, node, id, publisher, published_at, revision, payload)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (service, node, id) do update set publisher = excluded.publisher,
            revision = excluded.revision, payload = excluded.payload";
    SUBSCRIPTION = "insert into pubsub_subscription (service, node, jid, bare, pending)
        values ($1, $2, $3, $4, $5) on conflict (service, node, jid) do nothing";
    // Ids that the server gives later go on behind those that came.
    LAST_ID = "insert into setting (name, value) values ('last id of the archives', $1)
        on conflict (name) do update set value =
            case when excluded.value > setting.value then excluded.value else setting.value end";
}

/// What there is of an account.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Its address.
    pub jid: BareJid,
    /// What it may do.
    pub role: Role,
    /// What it logs in with; without any it cannot until it gets a password.
    pub keys: Vec<ScramKeys>,
    /// Its contacts, each once.
    pub roster: Vec<RosterItem>,
    /// Who asks for its presence, each once.
    pub requests: Vec<SubscriptionRequest>,
    /// Its vCard.
    pub vcard: Option<Vec<u8>>,
    /// What its clients keep; of one name the last counts.
    pub private: Vec<ArrivedElement>,
    /// Whom it blocks.
    pub blocked: Vec<Jid>,
    /// Messages that wait for it, oldest first.
    pub offline: Vec<ArrivedMessage>,
    /// What it publishes, each node once.
    pub nodes: Vec<ArrivedNode>,
    /// Its archive, in the order of the ids, each once.
    pub archive: Vec<(ArchiveId, NewArchived)>,
    /// What it wants archived.
    pub preference: Option<ArchivePreference>,
}

/// An element of private storage (XEP-0049).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivedElement {
    /// Its namespace.
    pub ns: String,
    /// Its name.
    pub name: String,
    /// The element.
    pub xml: Vec<u8>,
}

/// A message that waits for its recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivedMessage {
    /// When the other server got it.
    pub received_at: Timestamp,
    /// The whole stanza.
    pub stanza: Vec<u8>,
    /// The id under which the archive has it, too.
    pub archived: Option<ArchiveId>,
}

/// A node with what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrivedNode {
    /// Its name.
    pub name: String,
    /// How it is configured.
    pub config: Vec<u8>,
    /// Its items, the oldest first.
    pub items: Vec<ArrivedItem>,
    /// Who has which right on it.
    pub affiliations: Vec<(BareJid, String)>,
    /// Who is told, and whether that waits for the owner.
    pub subscriptions: Vec<(Jid, bool)>,
}

/// An item of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrivedItem {
    /// Its id.
    pub id: String,
    /// Who published it.
    pub publisher: String,
    /// The element; empty for none.
    pub payload: Vec<u8>,
}

impl ArrivedNode {
    /// What the items weigh that are left when those of one id replace each other.
    fn bytes(&self) -> i64 {
        let mut seen = HashSet::new();
        let last = self.items.iter().rev();
        let last = last.filter(|item| seen.insert(item.id.as_str()));
        let bytes: usize = last.map(|item| item.payload.len()).sum();
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }
}

/// Takes whole accounts in; from [`super::Store::arrivals`].
#[derive(Clone, Copy, Debug)]
pub struct Arrivals<'a> {
    pub(super) db: &'a Db,
}

macro_rules! insert_people {
    ($tx:expr, $arrival:expr, $now:expr) => {{
        let owner = $arrival.jid.as_str();
        sqlx::query(ROSTER)
            .bind(owner)
            .bind($now)
            .execute(&mut *$tx)
            .await?;
        for item in &$arrival.roster {
            sqlx::query(CONTACT)
                .bind(owner)
                .bind(item.contact.as_str())
                .bind(item.name.as_deref())
                .bind(item.subscription.name())
                .bind(item.ask)
                .bind(item.approved)
                .bind(item.joined_groups())
                .bind($now)
                .execute(&mut *$tx)
                .await?;
        }
        for request in &$arrival.requests {
            sqlx::query(REQUEST)
                .bind(owner)
                .bind(request.from.as_str())
                .bind(request.stanza.as_slice())
                .bind(request.received_at.as_micros())
                .execute(&mut *$tx)
                .await?;
        }
        for jid in &$arrival.blocked {
            sqlx::query(BLOCK)
                .bind(owner)
                .bind(jid.to_string())
                .execute(&mut *$tx)
                .await?;
        }
    }};
}

macro_rules! insert_kept {
    ($tx:expr, $arrival:expr, $now:expr, $ids:expr) => {{
        let owner = $arrival.jid.as_str();
        if let Some(vcard) = &$arrival.vcard {
            let vcard = vcard.as_slice();
            sqlx::query(VCARD)
                .bind(owner)
                .bind(vcard)
                .bind($now)
                .execute(&mut *$tx)
                .await?;
            let names = super::directory::names_in(vcard);
            super::directory::put_names!($tx, $arrival.jid, &names);
        }
        for element in &$arrival.private {
            sqlx::query(PRIVATE)
                .bind(owner)
                .bind(element.ns.as_str())
                .bind(element.name.as_str())
                .bind(element.xml.as_slice())
                .execute(&mut *$tx)
                .await?;
        }
        if !$arrival.offline.is_empty() {
            let count = i64::try_from($arrival.offline.len()).unwrap_or(i64::MAX);
            sqlx::query(MAILBOX)
                .bind(owner)
                .bind(count)
                .execute(&mut *$tx)
                .await?;
        }
        for message in &$arrival.offline {
            sqlx::query(MESSAGE)
                .bind(owner)
                .bind($ids.next(message.received_at))
                .bind(message.received_at.as_micros())
                .bind(message.stanza.as_slice())
                .bind(message.archived.map(ArchiveId::to_bytes))
                .execute(&mut *$tx)
                .await?;
        }
        if let Some(preference) = &$arrival.preference {
            sqlx::query(PREFERENCE)
                .bind(owner)
                .bind(preference.otherwise.as_str())
                .bind(joined_addresses(&preference.always))
                .bind(joined_addresses(&preference.never))
                .execute(&mut *$tx)
                .await?;
        }
    }};
}

macro_rules! insert_node {
    ($tx:expr, $owner:expr, $node:expr, $now:expr) => {{
        let name = $node.name.as_str();
        sqlx::query(NODE)
            .bind($owner)
            .bind(name)
            .bind($node.config.as_slice())
            .bind($now)
            .bind(i64::try_from($node.items.len()).unwrap_or(i64::MAX))
            .bind($node.bytes())
            .execute(&mut *$tx)
            .await?;
        for (revision, item) in (1_i64..).zip(&$node.items) {
            sqlx::query(ITEM)
                .bind($owner)
                .bind(name)
                .bind(item.id.as_str())
                .bind(item.publisher.as_str())
                .bind($now)
                .bind(revision)
                .bind(item.payload.as_slice())
                .execute(&mut *$tx)
                .await?;
        }
        for (jid, affiliation) in &$node.affiliations {
            sqlx::query(AFFILIATION)
                .bind($owner)
                .bind(name)
                .bind(jid.as_str())
                .bind(affiliation.as_str())
                .execute(&mut *$tx)
                .await?;
        }
        for (jid, pending) in &$node.subscriptions {
            sqlx::query(SUBSCRIPTION)
                .bind($owner)
                .bind(name)
                .bind(jid.to_string())
                .bind(jid.bare().as_str())
                .bind(*pending)
                .execute(&mut *$tx)
                .await?;
        }
    }};
}

impl Arrivals<'_> {
    /// Makes the account with all that it has. No server may run on the database meanwhile: archives of
    /// running servers give their ids by themselves.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the address is taken; nothing has changed then.
    pub async fn take(&self, arrival: &Arrival, now: Timestamp) -> Result<(), StoreError> {
        let (moment, owner) = (now.as_micros(), arrival.jid.as_str());
        let messages: Vec<(ArchiveId, &NewArchived)> = arrival
            .archive
            .iter()
            .map(|(id, message)| (*id, message))
            .collect();
        let mut ids = OfflineIds::new(uuid::Uuid::new_v4().as_u128());
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            transaction!(self.db, tx => {
                insert_account!(tx, arrival.jid, arrival.role, now);
                for key in &arrival.keys {
                    insert_key!(arrival.jid, key).execute(&mut *tx).await?;
                }
                insert_people!(tx, arrival, moment);
                insert_kept!(tx, arrival, moment, ids);
                for node in &arrival.nodes {
                    insert_node!(tx, owner, node, moment);
                }
                insert_messages!(self.db, tx, messages);
                if let Some((last, _)) = messages.last() {
                    sqlx::query(LAST_ID).bind(last.to_bytes()).execute(&mut *tx).await?;
                }
            });
            Ok(())
        })
        .await
    }
}
