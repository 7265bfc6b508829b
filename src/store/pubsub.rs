//! Publish-subscribe (XEP-0060): nodes of accounts and of services, with their items,
//! affiliations and subscriptions.
//!
//! A node is found by the address of its service (an account's bare JID or a domain) and its name. What a
//! configuration means is not known here; it is bytes. Every change of a node begins with its
//! row, so that changes of one node follow each other on PostgreSQL too.

mod item;
mod last;
mod people;
mod publishing;
mod removal;

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

pub(in crate::store) use item::QUERIES as ITEM_QUERIES;
pub use item::{PubsubItem, Slice};
pub(in crate::store) use last::QUERIES as LAST_QUERIES;
pub use last::{ContactItem, LAST_NAMES_MAX, LastOf};
pub(in crate::store) use people::{ADD_AFFILIATION, LEAVE, QUERIES as PEOPLE_QUERIES};
pub use people::{PubsubAffiliation, PubsubSubscription, SubscriptionState};
pub(in crate::store) use publishing::QUERIES as PUBLISHING_QUERIES;
pub use publishing::{
    Changed, NewItem, PrivateElement, PublishBounds, Published, PubsubChange, WhenFull,
};
pub(in crate::store) use removal::QUERIES as REMOVAL_QUERIES;
pub use removal::{Dropped, NodeAddress};

queries! {
    FIND = "select node, config, creator, created_at, purge_offline from pubsub_node
        where service = $1 and node = $2";
    LIST = "select node, config, creator, created_at, purge_offline from pubsub_node
        where service = $1 order by node limit cast($2 as bigint)";
    COUNT = "select count(*) from pubsub_node where service = $1";
    COUNT_OF = "select count(*) from pubsub_node where service = $1 and creator = $2";
    LIST_ALL = "select service, node, config from pubsub_node
        where service > $1 or (service = $1 and node > $2) order by service, node limit cast($3 as bigint)";
    CREATE = "insert into pubsub_node
            (service, node, account, config, creator, created_at, purge_offline, revision, bytes)
        values ($1, $2, $3, $4, $5, $6, $7, 0, 0)
        on conflict (service, node) do nothing";
    CONFIGURE = "update pubsub_node set config = $3, purge_offline = $4
        where service = $1 and node = $2";
    DELETE = "delete from pubsub_node where service = $1 and node = $2";
    // The first and the last of every change of a node's items.
    LOCK = "update pubsub_node set revision = revision + 1
        where service = $1 and node = $2 returning revision";
    WEIGH = "update pubsub_node set bytes = (
            select cast(coalesce(sum(length(payload)), 0) as bigint) from pubsub_item
            where service = $1 and node = $2)
        where service = $1 and node = $2";
    SURPLUS = "select id from pubsub_item
        where service = $1 and node = $2 order by revision limit cast($3 as bigint)";
    COUNT_ITEMS = "select count(*) from pubsub_item where service = $1 and node = $2";
    DROP_ITEM = "delete from pubsub_item where service = $1 and node = $2 and id = $3";
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PubsubNode {
    /// Its name, of one service.
    pub node: String,
    /// How it is configured.
    pub config: Vec<u8>,
    /// Who made it, a bare JID.
    pub creator: String,
    /// When.
    pub created_at: Timestamp,
    /// Whether items go when their publisher goes offline. It stands in the configuration, too, which is not
    /// read to find such nodes.
    pub purge_offline: bool,
}

/// How a node of some service is configured.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct NodeConfiguration {
    /// The service: an account's bare JID or a domain.
    pub service: String,
    /// The node's name.
    pub node: String,
    /// How it is configured.
    pub config: Vec<u8>,
}

/// What became of a node that was to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Created {
    /// It is there.
    Made,
    /// There is one of that name.
    Exists,
    /// The service has as many as it may have, or as many of that creator.
    Full,
}

/// How many nodes a service may have.
#[derive(Clone, Copy, Debug)]
pub struct NodeBounds {
    /// In all.
    pub nodes_max: u32,
    /// Made by one entity.
    pub nodes_per_creator_max: u32,
}

/// Operations on nodes; from [`super::Store::pubsub`].
#[derive(Clone, Copy, Debug)]
pub struct Pubsub<'a> {
    pub(super) db: &'a Db,
}

impl Pubsub<'_> {
    /// One node.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn node(
        &self,
        service: &BareJid,
        node: &str,
    ) -> Result<Option<PubsubNode>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FIND)
                .bind(service.as_str())
                .bind(node)
                .fetch_optional(pool)
                .await?
        });
        Ok(row.map(PubsubNode::from))
    }

    /// The nodes of a service by their names, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn nodes(
        &self,
        service: &BareJid,
        limit: u32,
    ) -> Result<Vec<PubsubNode>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(LIST)
                .bind(service.as_str())
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
        });
        Ok(rows.into_iter().map(PubsubNode::from).collect())
    }

    /// How the nodes of all services are configured, in an order that does not change; those behind one
    /// of them, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn configurations(
        &self,
        after: Option<&NodeConfiguration>,
        limit: u32,
    ) -> Result<Vec<NodeConfiguration>, StoreError> {
        let (service, node) = after.map_or(("", ""), |it| (it.service.as_str(), it.node.as_str()));
        Ok(reading!(self.db, pool => {
            sqlx::query_as(LIST_ALL)
                .bind(service)
                .bind(node)
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
        }))
    }

    /// Makes a node. Where the service is an account, the node goes with it.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when that account does not exist.
    pub async fn create(
        &self,
        service: &BareJid,
        node: &PubsubNode,
        bounds: NodeBounds,
    ) -> Result<Created, StoreError> {
        let account = service.node().is_some().then(|| service.as_str());
        Box::pin(async {
            transaction!(self.db, tx => {
                let count: i64 = sqlx::query_scalar(COUNT)
                    .bind(service.as_str()).fetch_one(&mut *tx).await?;
                let made = sqlx::query(CREATE)
                    .bind(service.as_str())
                    .bind(node.node.as_str())
                    .bind(account)
                    .bind(node.config.as_slice())
                    .bind(node.creator.as_str())
                    .bind(node.created_at.as_micros())
                    .bind(node.purge_offline)
                    .execute(&mut *tx)
                    .await?;
                if made.rows_affected() == 0 {
                    return Ok(Created::Exists);
                }
                let own: i64 = sqlx::query_scalar(COUNT_OF)
                    .bind(service.as_str()).bind(node.creator.as_str())
                    .fetch_one(&mut *tx).await?;
                if count >= i64::from(bounds.nodes_max) || own > i64::from(bounds.nodes_per_creator_max) {
                    return Ok(Created::Full);
                }
            });
            Ok(Created::Made)
        })
        .await
    }

    /// Configures a node anew; `false` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn configure(
        &self,
        service: &BareJid,
        node: &str,
        config: &[u8],
        purge_offline: bool,
    ) -> Result<bool, StoreError> {
        let done = writing!(self.db, pool => {
            sqlx::query(CONFIGURE)
                .bind(service.as_str())
                .bind(node)
                .bind(config)
                .bind(purge_offline)
                .execute(pool)
                .await?
                .rows_affected()
        });
        Ok(done > 0)
    }

    /// Deletes a node with all that is in it; `false` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, service: &BareJid, node: &str) -> Result<bool, StoreError> {
        let done = writing!(self.db, pool => {
            sqlx::query(DELETE)
                .bind(service.as_str())
                .bind(node)
                .execute(pool)
                .await?
                .rows_affected()
        });
        Ok(done > 0)
    }
}

#[derive(FromRow)]
struct Row {
    node: String,
    config: Vec<u8>,
    creator: String,
    created_at: i64,
    purge_offline: bool,
}

impl From<Row> for PubsubNode {
    fn from(row: Row) -> Self {
        Self {
            node: row.node,
            config: row.config,
            creator: row.creator,
            created_at: Timestamp::from_micros(row.created_at),
            purge_offline: row.purge_offline,
        }
    }
}
