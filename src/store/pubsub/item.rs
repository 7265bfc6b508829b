//! Items of nodes, in the order in which they were published (XEP-0060 §12.1).

use sqlx::FromRow;

use super::super::db::{queries, reading, transaction};
use super::super::error::StoreError;
use super::Pubsub;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

queries! {
    LOCK = "update pubsub_node set revision = revision + 1
        where service = $1 and node = $2 returning revision";
    OLD = "select publisher, cast(length(payload) as bigint) as size from pubsub_item
        where service = $1 and node = $2 and id = $3";
    SERVICE_BYTES = "select cast(coalesce(sum(bytes), 0) as bigint) from pubsub_node
        where service = $1";
    PUT = "insert into pubsub_item
            (service, node, id, publisher, published_at, revision, payload)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (service, node, id) do update set publisher = excluded.publisher,
            published_at = excluded.published_at, revision = excluded.revision,
            payload = excluded.payload";
    COUNT = "select count(*) from pubsub_item where service = $1 and node = $2";
    SURPLUS = "select id from pubsub_item
        where service = $1 and node = $2 order by revision limit $3";
    DROP_ITEM = "delete from pubsub_item where service = $1 and node = $2 and id = $3";
    DROP_ALL = "delete from pubsub_item where service = $1 and node = $2";
    COUNT_EXPIRED = "select count(*) from pubsub_item
        where service = $1 and node = $2 and published_at < $3";
    EXPIRE = "delete from pubsub_item
        where service = $1 and node = $2 and published_at < $3";
    WEIGH = "update pubsub_node set bytes = (
            select cast(coalesce(sum(length(payload)), 0) as bigint) from pubsub_item
            where service = $1 and node = $2)
        where service = $1 and node = $2";
    FIND = "select id, publisher, published_at, revision, payload from pubsub_item
        where service = $1 and node = $2 and id = $3";
    FORWARD = "select id, publisher, published_at, revision, payload from pubsub_item
        where service = $1 and node = $2 and revision > $3 order by revision limit $4 offset $5";
    BACKWARD = "select id, publisher, published_at, revision, payload from pubsub_item
        where service = $1 and node = $2 and revision < $3 order by revision desc limit $4";
    PLACE = "select count(*) from pubsub_item
        where service = $1 and node = $2 and revision < $3";
}

/// A published item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PubsubItem {
    /// Its id, of one node.
    pub id: String,
    /// Who published it, a bare JID.
    pub publisher: String,
    /// When.
    pub published_at: Timestamp,
    /// Its place in the order of publication.
    pub revision: i64,
    /// The element; empty where the item has none.
    pub payload: Vec<u8>,
}

/// An item to be published.
#[derive(Clone, Copy, Debug)]
pub struct NewItem<'a> {
    /// Its id.
    pub id: &'a str,
    /// Who publishes it, a bare JID.
    pub publisher: &'a str,
    /// When.
    pub published_at: Timestamp,
    /// The element; empty for none.
    pub payload: &'a [u8],
    /// Whether an item of that id may only be replaced by its publisher.
    pub own_only: bool,
}

/// How much a node and its service may hold.
#[derive(Clone, Copy, Debug)]
pub struct PublishBounds {
    /// Items of the node.
    pub items_max: u32,
    /// What becomes of one more.
    pub when_full: WhenFull,
    /// Payloads of the whole service.
    pub bytes_max: u64,
}

/// What becomes of an item that is one too many (`pubsub#publish_node_full`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The oldest goes.
    DropOldest,
    /// It is refused.
    Reject,
}

/// What became of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Published {
    /// It is there; the ids that went for it.
    Done(Vec<String>),
    /// There is no such node.
    NoNode,
    /// The node takes no more.
    NodeFull,
    /// The service takes no more.
    ServiceFull,
    /// An item of that id is another's.
    Foreign,
}

/// Which items are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// Those behind that revision, oldest first, after passing over so many.
    After(i64, u32),
    /// The last of those before that revision; also oldest first.
    Before(i64),
}

impl Pubsub<'_> {
    /// Publishes an item, in place of one of the same id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn publish(
        &self,
        service: &BareJid,
        node: &str,
        item: NewItem<'_>,
        bounds: PublishBounds,
    ) -> Result<Published, StoreError> {
        let mut gone: Vec<String> = Vec::new();
        // The body is compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            transaction!(self.db, tx => {
                let revision: Option<i64> = sqlx::query_scalar(LOCK)
                    .bind(service.as_str()).bind(node).fetch_optional(&mut *tx).await?;
                let Some(revision) = revision else {
                    return Ok(Published::NoNode);
                };
                let old: Option<Old> = sqlx::query_as(OLD)
                    .bind(service.as_str()).bind(node).bind(item.id)
                    .fetch_optional(&mut *tx).await?;
                if item.own_only && old.as_ref().is_some_and(|old| old.publisher != item.publisher) {
                    return Ok(Published::Foreign);
                }
                let count: i64 = sqlx::query_scalar(COUNT)
                    .bind(service.as_str()).bind(node).fetch_one(&mut *tx).await?;
                let surplus = count + i64::from(old.is_none()) - i64::from(bounds.items_max.max(1));
                if surplus > 0 && old.is_none() && bounds.when_full == WhenFull::Reject {
                    return Ok(Published::NodeFull);
                }
                sqlx::query(PUT)
                    .bind(service.as_str())
                    .bind(node)
                    .bind(item.id)
                    .bind(item.publisher)
                    .bind(item.published_at.as_micros())
                    .bind(revision)
                    .bind(item.payload)
                    .execute(&mut *tx)
                    .await?;
                if surplus > 0 {
                    gone = sqlx::query_scalar(SURPLUS)
                        .bind(service.as_str()).bind(node).bind(surplus)
                        .fetch_all(&mut *tx).await?;
                    for id in &gone {
                        sqlx::query(DROP_ITEM)
                            .bind(service.as_str()).bind(node).bind(id.as_str())
                            .execute(&mut *tx).await?;
                    }
                }
                sqlx::query(WEIGH).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
                let bytes: i64 = sqlx::query_scalar(SERVICE_BYTES)
                    .bind(service.as_str()).fetch_one(&mut *tx).await?;
                let grows = old.map_or(0, |old| old.size) < i64::try_from(item.payload.len()).unwrap_or(i64::MAX);
                if grows && u64::try_from(bytes).unwrap_or(0) > bounds.bytes_max {
                    return Ok(Published::ServiceFull);
                }
            });
            Ok(Published::Done(gone))
        })
        .await
    }

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
        let done = Box::pin(async {
            Ok::<_, StoreError>(transaction!(self.db, tx => {
                sqlx::query(LOCK).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
                let done = sqlx::query(DROP_ITEM)
                    .bind(service.as_str()).bind(node).bind(id)
                    .execute(&mut *tx).await?.rows_affected();
                sqlx::query(WEIGH).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
                done
            }))
        })
        .await?;
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
        Box::pin(async {
            transaction!(self.db, tx => {
                sqlx::query(LOCK).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
                let gone: Vec<String> = sqlx::query_scalar(SURPLUS)
                    .bind(service.as_str()).bind(node).bind(i64::from(count))
                    .fetch_all(&mut *tx).await?;
                for id in &gone {
                    sqlx::query(DROP_ITEM)
                        .bind(service.as_str()).bind(node).bind(id.as_str())
                        .execute(&mut *tx).await?;
                }
                sqlx::query(WEIGH).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
            });
            Ok(())
        })
        .await
    }

    /// Takes all items out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&self, service: &BareJid, node: &str) -> Result<(), StoreError> {
        Box::pin(async {
            transaction!(self.db, tx => {
                sqlx::query(LOCK).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
                sqlx::query(DROP_ALL).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
                sqlx::query(WEIGH).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
            });
            Ok(())
        })
        .await
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
        Box::pin(async {
            Ok(transaction!(self.db, tx => {
                sqlx::query(LOCK).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
                let gone = sqlx::query(EXPIRE)
                    .bind(service.as_str())
                    .bind(node)
                    .bind(before.as_micros())
                    .execute(&mut *tx)
                    .await?
                    .rows_affected();
                sqlx::query(WEIGH).bind(service.as_str()).bind(node).execute(&mut *tx).await?;
                gone
            }))
        })
        .await
    }

    /// One item.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn item(
        &self,
        service: &BareJid,
        node: &str,
        id: &str,
    ) -> Result<Option<PubsubItem>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FIND)
                .bind(service.as_str())
                .bind(node)
                .bind(id)
                .fetch_optional(pool)
                .await?
        });
        Ok(row.map(PubsubItem::from))
    }

    /// At most `limit` items, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn items(
        &self,
        service: &BareJid,
        node: &str,
        slice: Slice,
        limit: u32,
    ) -> Result<Vec<PubsubItem>, StoreError> {
        let rows: Vec<Row> = match slice {
            Slice::After(revision, skipped) => reading!(self.db, pool => {
                sqlx::query_as(FORWARD)
                    .bind(service.as_str())
                    .bind(node)
                    .bind(revision)
                    .bind(i64::from(limit))
                    .bind(i64::from(skipped))
                    .fetch_all(pool)
                    .await?
            }),
            Slice::Before(revision) => {
                let mut rows: Vec<Row> = reading!(self.db, pool => {
                    sqlx::query_as(BACKWARD)
                        .bind(service.as_str())
                        .bind(node)
                        .bind(revision)
                        .bind(i64::from(limit))
                        .fetch_all(pool)
                        .await?
                });
                rows.reverse();
                rows
            }
        };
        Ok(rows.into_iter().map(PubsubItem::from).collect())
    }

    /// How many items there are before that revision.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_before(
        &self,
        service: &BareJid,
        node: &str,
        revision: i64,
    ) -> Result<u64, StoreError> {
        let count: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(PLACE)
                .bind(service.as_str())
                .bind(node)
                .bind(revision)
                .fetch_one(pool)
                .await?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }
}

#[derive(FromRow)]
struct Old {
    publisher: String,
    size: i64,
}

#[derive(FromRow)]
pub(super) struct Row {
    id: String,
    publisher: String,
    published_at: i64,
    revision: i64,
    payload: Vec<u8>,
}

impl From<Row> for PubsubItem {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            publisher: row.publisher,
            published_at: Timestamp::from_micros(row.published_at),
            revision: row.revision,
            payload: row.payload,
        }
    }
}
