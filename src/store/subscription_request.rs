//! Subscription requests that wait until their recipient answers (RFC 6121 §3.1.3): each is delivered
//! again whenever a resource becomes available.

use sqlx::FromRow;

use super::Put;
use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

/// A presence stanza of type `subscribe` that has no answer yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionRequest {
    /// Who asks.
    pub from: BareJid,
    /// The whole stanza, as it is to be delivered.
    pub stanza: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
}

/// The most requests of one account, whatever the configuration says.
const REQUESTS_CEILING: i64 = 10_000;

queries! {
    COUNT_OTHERS = "select count(*) from subscription_request
        where owner = $1 and from_jid <> $2";
    PUT = "insert into subscription_request (owner, from_jid, stanza, received_at)
        values ($1, $2, $3, $4)
        on conflict (owner, from_jid) do update set stanza = excluded.stanza,
            received_at = excluded.received_at";
    LIST = "select from_jid, stanza, received_at from subscription_request
        where owner = $1 order by received_at, from_jid limit cast($2 as bigint)";
    FIND = "select 1 from subscription_request where owner = $1 and from_jid = $2";
    DELETE = "delete from subscription_request where owner = $1 and from_jid = $2";
}

/// Operations on waiting requests; from [`super::Store::subscription_requests`].
#[derive(Clone, Copy, Debug)]
pub struct SubscriptionRequests<'a> {
    pub(super) db: &'a Db,
}

impl SubscriptionRequests<'_> {
    /// Keeps the request, in place of an earlier one from the same address.
    ///
    /// Requests that several nodes store at the same moment may pass `requests_max` by their number.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when the recipient does not exist.
    pub async fn put(
        &self,
        owner: &BareJid,
        request: &SubscriptionRequest,
        requests_max: u32,
    ) -> Result<Put, StoreError> {
        let requests_max = i64::from(requests_max).min(REQUESTS_CEILING);
        transaction!(self.db, tx => {
            let others: i64 = sqlx::query_scalar(COUNT_OTHERS)
                .bind(owner.as_str())
                .bind(request.from.as_str())
                .fetch_one(&mut *tx)
                .await?;
            if others >= requests_max {
                return Ok(Put::Full);
            }
            sqlx::query(PUT)
                .bind(owner.as_str())
                .bind(request.from.as_str())
                .bind(request.stanza.as_slice())
                .bind(request.received_at.as_micros())
                .execute(&mut *tx)
                .await?;
        });
        Ok(Put::Stored)
    }

    /// The requests that wait for `owner`, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, owner: &BareJid) -> Result<Vec<SubscriptionRequest>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(LIST)
                .bind(owner.as_str())
                .bind(REQUESTS_CEILING)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter()
            .map(SubscriptionRequest::try_from)
            .collect()
    }

    /// Whether a request of `from` waits for `owner`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contains(&self, owner: &BareJid, from: &BareJid) -> Result<bool, StoreError> {
        let found: Option<i32> = reading!(self.db, pool => {
            sqlx::query_scalar(FIND)
                .bind(owner.as_str())
                .bind(from.as_str())
                .fetch_optional(pool)
                .await?
        });
        Ok(found.is_some())
    }

    /// Forgets the request of `from`; `false` when there was none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, owner: &BareJid, from: &BareJid) -> Result<bool, StoreError> {
        writing!(self.db, pool => {
            let gone = sqlx::query(DELETE)
                .bind(owner.as_str())
                .bind(from.as_str())
                .execute(pool)
                .await?;
            Ok(gone.rows_affected() > 0)
        })
    }
}

#[derive(FromRow)]
struct Row {
    from_jid: String,
    stanza: Vec<u8>,
    received_at: i64,
}

impl TryFrom<Row> for SubscriptionRequest {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            from: BareJid::new(&row.from_jid)
                .map_err(|e| StoreError::corrupt("subscription_request.from_jid", e))?,
            stanza: row.stanza,
            received_at: Timestamp::from_micros(row.received_at),
        })
    }
}
