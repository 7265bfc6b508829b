//! Records that change by commands: a snapshot, the events that made it, the lists in which it is found.
//!
//! Here a record is a kind, an id, and JSON; what it means is known to whoever made it. What a decision
//! was made from is checked when it is written: the version of each record, and of each [`Guard`], which stands for what
//! several records must not exceed together. What is to be told to others is written in the same transaction
//! ([`RecordWrite::outbox`]) and deleted when it was sent, so that a crash in between loses nothing.

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;
use crate::clock::Timestamp;

mod erasing;
mod together;
mod walk;
mod writing;

pub(super) use erasing::QUERIES as ERASING_QUERIES;
pub use erasing::{Erasure, Untold};
pub use walk::Walk;
pub use writing::{
    Guard, HeldRecord, Listing, NewAuditEntry, NewJournalEntry, Outgoing, RecordChange,
    RecordWrite, RecordsWritten,
};
pub(super) use writing::{QUERIES as WRITING_QUERIES, Writer, start};

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct StoredRecord {
    /// Which one of its kind.
    pub id: String,
    /// How many events made it.
    pub version: i64,
    /// What it is, as JSON.
    pub snapshot: String,
}

/// A record that time changes.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DueRecord {
    /// When it was due, in microseconds since 1970.
    pub due: i64,
    /// What sort of record.
    pub kind: String,
    /// Which one.
    pub id: String,
}

/// In which order a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOrder {
    /// By ascending ids: the oldest first.
    Ascending,
    /// By descending ids: the newest first.
    Descending,
}

/// Behind every id: the last character that there is.
const BEHIND_ALL: &str = "\u{10ffff}";

/// Records read at once, whatever limit is asked for.
pub const RECORDS_PAGE_MAX: u32 = 1_000;

/// Behind every hexadecimal digit.
const BEHIND_HEX: char = 'g';

queries! {
    FIND = "select id, version, snapshot from record where kind = $1 and id = $2";
    ALL = "select id, version, snapshot from record where kind = $1 and id > $2 order by id limit cast($3 as bigint)";
    LISTED_UP = "select r.id, r.version, r.snapshot from record_listing l
        join record r on r.kind = l.kind and r.id = l.id
        where l.kind = $1 and l.list = $2 and l.owner = $3 and l.id > $4 order by l.id limit cast($5 as bigint)";
    LISTED_DOWN = "select r.id, r.version, r.snapshot from record_listing l
        join record r on r.kind = l.kind and r.id = l.id
        where l.kind = $1 and l.list = $2 and l.owner = $3 and l.id < $4
        order by l.id desc limit cast($5 as bigint)";
    // Crossed, for SQLite then keeps the order of the joins and with it that of the list; each is one row.
    PREFIXED_UP = "select l.owner, r.id, r.version, r.snapshot from record_listing l cross join record r
        where l.kind = $1 and l.list = $2 and (l.owner, l.id) > ($3, $4) and l.owner < $5
            and r.kind = l.kind and r.id = l.id
        order by l.owner, l.id limit cast($6 as bigint)";
    PREFIXED_DOWN = "select l.owner, r.id, r.version, r.snapshot from record_listing l cross join record r
        where l.kind = $1 and l.list = $2 and (l.owner, l.id) < ($3, $4) and l.owner >= $5
            and r.kind = l.kind and r.id = l.id
        order by l.owner desc, l.id desc limit cast($6 as bigint)";
    COUNT = "select count(*) from record_listing where kind = $1 and list = $2 and owner = $3";
    COUNT_BEFORE = "select count(*) from record_listing
        where kind = $1 and list = $2 and owner = $3 and id < $4";
    EVENTS = "select event from record_event
        where kind = $1 and id = $2 and version > $3 order by version limit cast($4 as bigint)";
    NUMBERED_EVENTS = "select version, event from record_event
        where kind = $1 and id = $2 and version > $3 order by version limit cast($4 as bigint)";
    FIRST_EVENT = "select min(version) from record_event where kind = $1 and id = $2";
    FORGET_EVENTS = "delete from record_event where kind = $1 and id = $2 and version <= $3";
    DUE = "select due, kind, id from record where due <= $1 and (due, kind, id) > ($2, $3, $4)
        order by due, kind, id limit cast($5 as bigint)";
    NEXT_DUE = "select due from record where due > $1 order by due limit 1";
    OUTBOX = "select id, stanza from outbox where id > $1 order by id limit cast($2 as bigint)";
    OUTBOX_COUNT = "select count(*) from (select 1 from outbox limit cast($1 as bigint)) as waiting";
    SENT = "delete from outbox where id = $1";
    REMOVE = "delete from record where kind = $1 and id = $2";
}

/// Operations on records; from [`super::Store::records`].
#[derive(Clone, Copy)]
pub struct Records<'a> {
    pub(super) db: &'a Db,
    pub(super) writer: &'a Writer,
}

impl Records<'_> {
    /// The record of that kind and id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, kind: &str, id: &str) -> Result<Option<StoredRecord>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(FIND).bind(kind).bind(id).fetch_optional(pool).await?
        }))
    }

    /// Records of a kind by ascending ids, beginning behind `after` (empty for the first).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all(
        &self,
        kind: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(ALL)
                .bind(kind)
                .bind(after)
                .bind(i64::from(limit.min(RECORDS_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        }))
    }

    /// Records in the owner's list, beginning behind the id `from` in that order, or at its end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn listed(
        &self,
        kind: &str,
        (list, owner): (&str, &str),
        from: Option<&str>,
        order: ListOrder,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let (query, end) = match order {
            ListOrder::Ascending => (LISTED_UP, ""),
            ListOrder::Descending => (LISTED_DOWN, BEHIND_ALL),
        };
        Ok(reading!(self.db, pool => {
            sqlx::query_as(query)
                .bind(kind)
                .bind(list)
                .bind(owner)
                .bind(from.unwrap_or(end))
                .bind(i64::from(limit.min(RECORDS_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        }))
    }

    /// Records in the lists of all owners that begin with `prefix`, in the order of owners and ids, beginning at `from`, or
    /// at the end that the order begins with; each with its owner. Owners of such lists have hexadecimal digits
    /// (0 to 9, a to f) and nothing else, which every locale sorts alike.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn prefixed(
        &self,
        kind: &str,
        (list, prefix): (&str, &str),
        from: Option<(&str, &str)>,
        order: ListOrder,
        limit: u32,
    ) -> Result<Vec<(String, StoredRecord)>, StoreError> {
        let end = format!("{prefix}{BEHIND_HEX}");
        let (query, begin, stop) = match order {
            ListOrder::Ascending => (PREFIXED_UP, prefix, end.as_str()),
            ListOrder::Descending => (PREFIXED_DOWN, end.as_str(), prefix),
        };
        let (owner, id) = from.unwrap_or((begin, ""));
        let rows: Vec<(String, String, i64, String)> = reading!(self.db, pool => {
            sqlx::query_as(query)
                .bind(kind)
                .bind(list)
                .bind(owner)
                .bind(id)
                .bind(stop)
                .bind(i64::from(limit.min(RECORDS_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        });
        let record = |(owner, id, version, snapshot)| {
            let record = StoredRecord {
                id,
                version,
                snapshot,
            };
            (owner, record)
        };
        Ok(rows.into_iter().map(record).collect())
    }

    /// How many records the owner's list has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, kind: &str, (list, owner): (&str, &str)) -> Result<u64, StoreError> {
        let count: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(COUNT).bind(kind).bind(list).bind(owner).fetch_one(pool).await?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How many records the owner's list has with smaller ids: the place of that id from the beginning.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_before(
        &self,
        kind: &str,
        (list, owner): (&str, &str),
        id: &str,
    ) -> Result<u64, StoreError> {
        let count: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(COUNT_BEFORE)
                .bind(kind)
                .bind(list)
                .bind(owner)
                .bind(id)
                .fetch_one(pool)
                .await?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// The record's events as JSON, the oldest first, beginning behind that version.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(
        &self,
        kind: &str,
        id: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(EVENTS)
                .bind(kind)
                .bind(id)
                .bind(after)
                .bind(i64::from(limit.min(RECORDS_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        }))
    }

    /// The same with the version that each has made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn numbered_events(
        &self,
        kind: &str,
        id: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, String)>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(NUMBERED_EVENTS)
                .bind(kind)
                .bind(id)
                .bind(after)
                .bind(i64::from(limit.min(RECORDS_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        }))
    }

    /// The version that the oldest event has made that is still there; all later ones are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_event(&self, kind: &str, id: &str) -> Result<Option<i64>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(FIRST_EVENT).bind(kind).bind(id).fetch_one(pool).await?
        }))
    }

    /// Deletes the events that have made the record up to that version; what they have made of it stays. Tells
    /// how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_events(&self, kind: &str, id: &str, up_to: i64) -> Result<u64, StoreError> {
        let gone = super::db::writing!(self.db, pool => {
            sqlx::query(FORGET_EVENTS)
                .bind(kind)
                .bind(id)
                .bind(up_to)
                .execute(pool)
                .await?
                .rows_affected()
        });
        Ok(gone)
    }

    /// Records that time has changed by `now`, those that wait longest first, beginning behind that one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(
        &self,
        now: Timestamp,
        after: Option<&DueRecord>,
        limit: u32,
    ) -> Result<Vec<DueRecord>, StoreError> {
        let key = after.map(|it| (it.due, it.kind.as_str(), it.id.as_str()));
        let (due, kind, id) = key.unwrap_or((i64::MIN, "", ""));
        Ok(reading!(self.db, pool => {
            sqlx::query_as(DUE)
                .bind(now.as_micros())
                .bind(due)
                .bind(kind)
                .bind(id)
                .bind(i64::from(limit.min(RECORDS_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        }))
    }

    /// When the next record is due behind that time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = reading!(self.db, pool => {
            sqlx::query_scalar(NEXT_DUE).bind(now.as_micros()).fetch_optional(pool).await?
        });
        Ok(due.map(Timestamp::from_micros))
    }

    /// The guard of that name, as it is now. It is read before what it guards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn guard(&self, name: &str) -> Result<Guard, StoreError> {
        let version: Option<i64> = reading!(self.db, pool => {
            sqlx::query_scalar(writing::GUARD).bind(name).fetch_optional(pool).await?
        });
        Ok(Guard {
            name: name.to_owned(),
            version: version.unwrap_or(0),
        })
    }

    /// Writes all of it or nothing; it is durable when the future resolves. Writes of many callers share a commit.
    ///
    /// # Errors
    /// When the database fails; [`StoreError::Closed`] after [`super::Store::close`].
    pub fn write(
        &self,
        write: RecordWrite,
    ) -> impl Future<Output = Result<RecordsWritten, StoreError>> + Send + use<> {
        self.writer.write(write)
    }

    /// Removes a record with its events, out of every list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&self, kind: &str, id: &str) -> Result<bool, StoreError> {
        let gone = super::db::writing!(self.db, pool => {
            sqlx::query(REMOVE).bind(kind).bind(id).execute(pool).await?.rows_affected()
        });
        Ok(gone > 0)
    }

    /// What was to be sent and is not known to be, in the order of the ids, beginning behind `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outbox(&self, after: &str, limit: u32) -> Result<Vec<Outgoing>, StoreError> {
        let rows: Vec<(String, Vec<u8>)> = reading!(self.db, pool => {
            sqlx::query_as(OUTBOX)
                .bind(after)
                .bind(i64::from(limit.min(RECORDS_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        });
        let outgoing = |(id, stanza): (String, Vec<u8>)| Outgoing {
            id,
            stanza: stanza.into(),
        };
        Ok(rows.into_iter().map(outgoing).collect())
    }

    /// How much was to be sent and is not known to be, counted up to that many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn outbox_count(&self, count_max: u32) -> Result<u32, StoreError> {
        let count: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(OUTBOX_COUNT).bind(i64::from(count_max)).fetch_one(pool).await?
        });
        Ok(u32::try_from(count).unwrap_or(count_max))
    }

    /// Forgets what was sent.
    ///
    /// # Errors
    /// When the database fails: it will be sent once more then.
    pub async fn sent(&self, ids: &[String]) -> Result<(), StoreError> {
        transaction!(self.db, tx => {
            for id in ids {
                sqlx::query(SENT).bind(id.as_str()).execute(&mut *tx).await?;
            }
        });
        Ok(())
    }
}
