//! The audit trail: who had what done, when, from where, and how it went.

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::clock::Timestamp;

/// One act of an operator, or an attempt at one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Given by the server; later ones sort after earlier ones.
    pub id: String,
    /// When it was over.
    pub at: Timestamp,
    /// Who: an account, or words.
    pub actor: String,
    /// From where: peer and resource, or the user of this machine.
    pub origin: String,
    /// The name of the operation.
    pub operation: String,
    /// What it was about: an account, a room, a host; may be empty.
    pub target: String,
    /// The host that the target belongs to, else the actor's; may be empty.
    pub host: String,
    /// Name and value of each argument, secrets left out.
    pub arguments: String,
    /// Whether it was done.
    pub done: bool,
    /// What came of it, in words.
    pub result: String,
}

/// How many entries are kept.
#[derive(Clone, Copy, Debug)]
pub struct AuditLimits {
    /// Of all actors; the oldest go.
    pub entries_max: u32,
    /// Of attempts of one actor that were refused, within 24 hours: those beyond are not kept, so that
    /// nobody fills the trail with what was refused.
    pub refused_per_day_max: u32,
}

/// Which entries are looked for; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those at this moment or later.
    pub since: Option<Timestamp>,
    /// Those of this actor.
    pub actor: Option<String>,
    /// Those of this operation.
    pub operation: Option<String>,
    /// Those about this target.
    pub target: Option<String>,
    /// Those of this host.
    pub host: Option<String>,
    /// Those before this entry, to go on with a list.
    pub before: Option<String>,
}

queries! {
    INSERT = "insert into audit
        (id, at, actor, origin, operation, target, host, arguments, done, result)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    COUNT_REFUSED = "select count(*) from audit where actor = $1 and at > $2 and not done";
    TRIM = "delete from audit where id <= coalesce(
        (select id from audit order by id desc limit 1 offset $1), '')";
    LIST = "select id, at, actor, origin, operation, target, host, arguments, done, result
        from audit
        where at >= $1
            and ($2 = '' or actor = $2) and ($3 = '' or operation = $3)
            and ($4 = '' or target = $4) and ($5 = '' or host = $5)
            and ($6 = '' or id < $6)
        order by id desc limit cast($7 as bigint)";
    EXPIRE = "delete from audit where at < $1";
}

/// Operations on the audit trail; from [`super::Store::audit`].
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a> {
    pub(super) db: &'a Db,
}

impl Audit<'_> {
    /// Keeps an entry; `false` when it is one refused attempt too many of its actor.
    ///
    /// # Errors
    /// When the database fails; the entry is not kept then.
    pub async fn put(&self, entry: &AuditEntry, limits: AuditLimits) -> Result<bool, StoreError> {
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            let day_before = entry.at.minus_days(1).as_micros();
            let kept = transaction!(self.db, tx => {
                let refused: i64 = sqlx::query_scalar(COUNT_REFUSED)
                    .bind(entry.actor.as_str())
                    .bind(day_before)
                    .fetch_one(&mut *tx)
                    .await?;
                let kept = entry.done || refused < i64::from(limits.refused_per_day_max);
                if kept {
                    sqlx::query(INSERT)
                        .bind(entry.id.as_str())
                        .bind(entry.at.as_micros())
                        .bind(entry.actor.as_str())
                        .bind(entry.origin.as_str())
                        .bind(entry.operation.as_str())
                        .bind(entry.target.as_str())
                        .bind(entry.host.as_str())
                        .bind(entry.arguments.as_str())
                        .bind(entry.done)
                        .bind(entry.result.as_str())
                        .execute(&mut *tx)
                        .await?;
                    sqlx::query(TRIM)
                        .bind(i64::from(limits.entries_max))
                        .execute(&mut *tx)
                        .await?;
                }
                kept
            });
            Ok(kept)
        })
        .await
    }

    /// Entries, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        filter: &AuditFilter,
        count_max: u32,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let any = |text: &Option<String>| text.clone().unwrap_or_default();
        let since = filter.since.map_or(i64::MIN, Timestamp::as_micros);
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(LIST)
                .bind(since)
                .bind(any(&filter.actor))
                .bind(any(&filter.operation))
                .bind(any(&filter.target))
                .bind(any(&filter.host))
                .bind(any(&filter.before))
                .bind(i64::from(count_max))
                .fetch_all(pool)
                .await?
        });
        Ok(rows.into_iter().map(AuditEntry::from).collect())
    }

    /// Deletes what is older; tells how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        writing!(self.db, pool => {
            let gone = sqlx::query(EXPIRE).bind(before.as_micros()).execute(pool).await?;
            Ok(gone.rows_affected())
        })
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    at: i64,
    actor: String,
    origin: String,
    operation: String,
    target: String,
    host: String,
    arguments: String,
    done: bool,
    result: String,
}

impl From<Row> for AuditEntry {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            at: Timestamp::from_micros(row.at),
            actor: row.actor,
            origin: row.origin,
            operation: row.operation,
            target: row.target,
            host: row.host,
            arguments: row.arguments,
            done: row.done,
            result: row.result,
        }
    }
}
