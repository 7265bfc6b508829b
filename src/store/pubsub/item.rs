//! Items of nodes, in the order in which they were published (XEP-0060 §12.1).

use sqlx::FromRow;

use super::super::db::{queries, reading};
use super::super::error::StoreError;
use super::Pubsub;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

queries! {
    FIND = "select id, publisher, published_at, revision, payload from pubsub_item
        where service = $1 and node = $2 and id = $3";
    FORWARD = "select id, publisher, published_at, revision, payload from pubsub_item
        where service = $1 and node = $2 and revision > $3 order by revision limit cast($4 as bigint) offset $5";
    BACKWARD = "select id, publisher, published_at, revision, payload from pubsub_item
        where service = $1 and node = $2 and revision < $3 order by revision desc limit cast($4 as bigint)";
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

/// Which items are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// Those behind that revision, oldest first, after passing over so many.
    After(i64, u32),
    /// The last of those before that revision; also oldest first.
    Before(i64),
}

impl Pubsub<'_> {
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
