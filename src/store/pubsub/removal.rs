//! Items that go: taken back, too many, too old, or with their publisher (`pubsub#purge_offline`, XEP-0060 §16.4.4).

use sqlx::FromRow;

use super::super::db::{queries, reading, transaction};
use super::super::error::StoreError;
use super::{COUNT_ITEMS, DROP_ITEM, LOCK, Pubsub, SURPLUS, WEIGH};
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

queries! {
    DROP_ALL = "delete from pubsub_item where service = $1 and node = $2";
    COUNT_EXPIRED = "select count(*) from pubsub_item
        where service = $1 and node = $2 and published_at < $3";
    EXPIRE = "delete from pubsub_item
        where service = $1 and node = $2 and published_at < $3";
    // Its own nodes, and those of services: what it published at other accounts is not looked for.
    LEFT_BY = "select n.service, n.node from pubsub_node n
        where n.purge_offline and n.account = $1
            and exists (select 1 from pubsub_item i where i.service = n.service
                and i.node = n.node and i.publisher = $1)
        union all
        select n.service, n.node from pubsub_node n
        where n.purge_offline and n.account is null
            and exists (select 1 from pubsub_item i where i.service = n.service
                and i.node = n.node and i.publisher = $1)
        limit cast($2 as bigint)";
    DROP_OF = "delete from pubsub_item
        where service = $1 and node = $2 and publisher = $3 returning id";
}

/// A node of some service.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct NodeAddress {
    /// The service: an account's bare JID or a domain.
    pub service: String,
    /// The node's name.
    pub node: String,
}

/// What went with its publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Everything.
    All,
    /// These items; the node has others, or never had any of the publisher's.
    Some(Vec<String>),
}

/// `removing!(pubsub, service, node, tx => expression)`: takes items of a node out in one transaction, which begins with the
/// node's row and ends with its weight. On the heap the body, which is compiled for both databases, does not
/// swell its callers' futures.
macro_rules! removing {
    ($pubsub:expr, $service:expr, $node:expr, $tx:ident => $body:expr) => {
        Box::pin(async {
            Ok::<_, StoreError>(transaction!($pubsub.db, $tx => {
                sqlx::query(LOCK).bind($service.as_str()).bind($node).execute(&mut *$tx).await?;
                let done = $body;
                sqlx::query(WEIGH).bind($service.as_str()).bind($node).execute(&mut *$tx).await?;
                done
            }))
        })
        .await
    };
}

impl Pubsub<'_> {
    /// Takes an item out; `false` when there is none of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retract(
        &self,
        service: &BareJid,
        node: &str,
        id: &str,
    ) -> Result<bool, StoreError> {
        let done = removing!(self, service, node, tx => {
            sqlx::query(DROP_ITEM)
                .bind(service.as_str()).bind(node).bind(id)
                .execute(&mut *tx).await?.rows_affected()
        })?;
        Ok(done > 0)
    }

    /// Takes the oldest items out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_oldest(
        &self,
        service: &BareJid,
        node: &str,
        count: u32,
    ) -> Result<(), StoreError> {
        removing!(self, service, node, tx => {
            let gone: Vec<String> = sqlx::query_scalar(SURPLUS)
                .bind(service.as_str()).bind(node).bind(i64::from(count))
                .fetch_all(&mut *tx).await?;
            for id in &gone {
                sqlx::query(DROP_ITEM)
                    .bind(service.as_str()).bind(node).bind(id.as_str())
                    .execute(&mut *tx).await?;
            }
        })
    }

    /// Takes all items out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&self, service: &BareJid, node: &str) -> Result<(), StoreError> {
        removing!(self, service, node, tx => {
            sqlx::query(DROP_ALL).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
        })
    }

    /// Drops what was published before that moment; how many items that were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(
        &self,
        service: &BareJid,
        node: &str,
        before: Timestamp,
    ) -> Result<u64, StoreError> {
        let due: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(COUNT_EXPIRED)
                .bind(service.as_str())
                .bind(node)
                .bind(before.as_micros())
                .fetch_one(pool)
                .await?
        });
        if due == 0 {
            return Ok(0);
        }
        removing!(self, service, node, tx => {
            sqlx::query(EXPIRE)
                .bind(service.as_str()).bind(node).bind(before.as_micros())
                .execute(&mut *tx).await?.rows_affected()
        })
    }

    /// The nodes whose items are to go now that their publisher is offline, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn left_by(
        &self,
        publisher: &BareJid,
        limit: u32,
    ) -> Result<Vec<NodeAddress>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(LEFT_BY)
                .bind(publisher.as_str())
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
        }))
    }

    /// Takes out what that entity has published.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_of(
        &self,
        service: &BareJid,
        node: &str,
        publisher: &BareJid,
    ) -> Result<Dropped, StoreError> {
        removing!(self, service, node, tx => {
            let gone: Vec<String> = sqlx::query_scalar(DROP_OF)
                .bind(service.as_str()).bind(node).bind(publisher.as_str())
                .fetch_all(&mut *tx).await?;
            let left: i64 = sqlx::query_scalar(COUNT_ITEMS)
                .bind(service.as_str()).bind(node).fetch_one(&mut *tx).await?;
            if left == 0 && !gone.is_empty() {
                Dropped::All
            } else {
                Dropped::Some(gone)
            }
        })
    }
}
