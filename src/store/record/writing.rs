//! Writing records: what was decided, under a check of what it was decided from; many decisions, one commit.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::SENT;
use super::together::{Together, put_together};
use crate::clock::Timestamp;
use crate::store::audit::{AuditEntry, put_entry, trim_entries};
use crate::store::db::{Db, queries, transaction};
use crate::store::error::StoreError;
use crate::store::grouped::{Group, Grouped};
use crate::store::rows::{ManyRows, filled_up};

/// Everything that one decision writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordWrite {
    /// The records that it changes, each once.
    pub changes: Vec<RecordChange>,
    /// What they must not exceed together with others, as it was read; each is turned.
    pub guards: Vec<Guard>,
    /// What must still be as it was read, and stays so: records that the others are about.
    pub held: Vec<HeldRecord>,
    /// What is to be told to others.
    pub outbox: Vec<Outgoing>,
    /// What was to be told and is not any more, by its ids in the outbox.
    pub withdrawn: Vec<String>,
    /// What those outside learn who follow a journal ([`super::super::Journals`]).
    pub journal: Vec<NewJournalEntry>,
    /// Who has had it done; few writes say so.
    pub audit: Option<Box<NewAuditEntry>>,
}

impl RecordWrite {
    /// Whether it changes one record that is there, and nothing else matters: the statement that writes it looks at
    /// its version, so that nobody else needs to.
    fn is_alone(&self) -> bool {
        match self.changes.as_slice() {
            [only] => only.read > 0 && self.guards.is_empty() && self.held.is_empty(),
            _ => false,
        }
    }

    /// The change, where it is alone and nothing goes with it but its events.
    pub(super) fn plain(&self) -> Option<&RecordChange> {
        let only = self.changes.first().filter(|it| it.listings.is_none())?;
        let tells = !self.outbox.is_empty() || !self.withdrawn.is_empty();
        let is_plain = self.is_alone() && !tells && self.journal.is_empty();
        (is_plain && self.audit.is_none()).then_some(only)
    }
}

/// One record, changed by events. Its texts are shared with the thread of the database, which so copies and frees none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// What sort of record.
    pub kind: &'static str,
    /// Which one.
    pub id: Arc<str>,
    /// The version that the decision was made from; 0 for a record that is not stored yet.
    pub read: i64,
    /// The version that it has then.
    pub version: i64,
    /// What it is then, as JSON.
    pub snapshot: Arc<str>,
    /// The events as JSON, the last of which makes that version, and each one before it the version before; none of
    /// a record whose events nobody reads.
    pub events: Vec<Arc<str>>,
    /// When time changes it.
    pub due: Option<Timestamp>,
    /// The lists in which it is found from now on; `None` where these stay as they are.
    pub listings: Option<Vec<Listing>>,
}

impl RecordChange {
    /// Its events, each with the version that it makes, and the record that it is of.
    pub(super) fn numbered_events(&self) -> impl Iterator<Item = (&Self, i64, &Arc<str>)> {
        let count = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        (self.version - count + 1..)
            .zip(&self.events)
            .map(move |(version, event)| (self, version, event))
    }
}

/// A list in which a record is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listing {
    /// What the list is of.
    pub list: &'static str,
    /// Whose it is.
    pub owner: String,
}

/// Stands for what several records must not exceed together: two decisions that were made from the same
/// version of it are not both written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// What it stands for.
    pub name: String,
    /// How often it was turned.
    pub version: i64,
}

/// A record that a decision was made from and does not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRecord {
    /// What sort of record.
    pub kind: &'static str,
    /// Which one.
    pub id: String,
    /// The version that was read.
    pub read: i64,
}

/// A stanza that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Later ones are greater.
    pub id: String,
    /// The whole stanza.
    pub stanza: Bytes,
}

/// A change that gets the next place of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJournalEntry {
    /// Of which one.
    pub journal: String,
    /// Which record has changed.
    pub id: String,
    /// The version that it has now.
    pub version: i64,
    /// When.
    pub at: Timestamp,
}

/// An entry of the audit trail: it is there when what it tells of is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuditEntry {
    /// The entry, of something that was done.
    pub entry: AuditEntry,
    /// How many are kept; the oldest go.
    pub entries_max: u32,
}

/// What became of a [`RecordWrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum RecordsWritten {
    /// All is durable.
    Done,
    /// Something has changed since it was read: nothing is written; read, decide and write again.
    Changed,
}

queries! {
    VERSION = "select version from record where kind = $1 and id = $2";
    GUARD_VERSION = "select version from record_guard where name = $1";
    INSERT = "insert into record (kind, id, version, snapshot, due) values ($1, $2, $3, $4, $5)";
    UPDATE = "update record set version = $3, snapshot = $4, due = $5
        where kind = $1 and id = $2 and version = $6";
    // With as many rows as a group has, and rows of nothing that fill it up; here with one.
    UPDATE_ALL = "update record set version = new.column3, snapshot = new.column4, due = new.column5
        from (values ($1, $2, cast($3 as bigint), $4, cast($5 as bigint), cast($6 as bigint))) as new
        where record.kind = new.column1 and record.id = new.column2 and record.version = new.column6";
    // Nothing changes; but whoever erases the record at this moment waits for the transaction, or is waited for.
    HOLD = "update record set version = version where kind = $1 and id = $2 and version = $3";
    ADD_EVENT = "insert into record_event (kind, id, version, event) values ($1, $2, $3, $4)";
    // The same; rows of nothing add none.
    ADD_ALL_EVENTS = "insert into record_event (kind, id, version, event)
        select new.column1, new.column2, new.column3, new.column4
        from (values ($1, $2, cast($3 as bigint), $4)) as new where new.column1 is not null";
    UNLIST = "delete from record_listing where kind = $1 and id = $2";
    LIST = "insert into record_listing (kind, list, owner, id) values ($1, $2, $3, $4)";
    TURN = "insert into record_guard (name, version) values ($1, 1)
        on conflict (name) do update set version = record_guard.version + 1";
    NEXT_PLACE = "insert into journal (name, place) values ($1, 1)
        on conflict (name) do update set place = journal.place + 1 returning place";
    ADD_ENTRY = "insert into journal_entry (name, place, id, version, at) values ($1, $2, $3, $4, $5)";
    ADD_OUTGOING = "insert into outbox (id, stanza) values ($1, $2)";
}

pub(super) const GUARD: &str = GUARD_VERSION;
pub(super) const PLACE: &str = NEXT_PLACE;
pub(super) const ENTRY: &str = ADD_ENTRY;
pub(super) const MAKE: &str = INSERT;

/// The queue of what is to be written.
pub(in crate::store) type Writer = Grouped<Decisions>;

/// Starts the task that writes.
pub(in crate::store) fn start(db: Db, tasks: &TaskTracker, stop: CancellationToken) -> Writer {
    Grouped::start(Decisions { db }, tasks, stop)
}

/// Writes groups of decisions.
pub(in crate::store) struct Decisions {
    db: Db,
}

/// [`UPDATE_ALL`] and [`ADD_ALL_EVENTS`] with as many rows as are written together.
static UPDATES: ManyRows = ManyRows::new(
    UPDATE_ALL,
    "($1, $2, cast($3 as bigint), $4, cast($5 as bigint), cast($6 as bigint))",
);
static ADDED_EVENTS: ManyRows = ManyRows::new(ADD_ALL_EVENTS, "($1, $2, cast($3 as bigint), $4)");

impl Group for Decisions {
    type Record = RecordWrite;
    type Done = RecordsWritten;
    /// What a second brings on a busy day; a group larger than this would keep its first for too long.
    const RECORDS_MAX: usize = 256;
    /// Nobody sees a sixteenth of a second.
    const PACE: Duration = Duration::from_millis(64);

    async fn write(&mut self, writes: &[RecordWrite]) -> Vec<Result<RecordsWritten, StoreError>> {
        match self.store(writes).await {
            Ok(written) => written.into_iter().map(Ok).collect(),
            // One of them cannot be written: the others must not suffer for it.
            Err(StoreError::Conflict(_) | StoreError::Statement(_)) if writes.len() > 1 => {
                let mut answers = Vec::with_capacity(writes.len());
                for write in writes {
                    let one = self.store(std::slice::from_ref(write)).await;
                    answers.push(one.map(|done| {
                        let first = done.first().copied();
                        first.unwrap_or(RecordsWritten::Changed)
                    }));
                }
                answers
            }
            Err(error) => writes.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

/// Whether everything is still as it was read.
macro_rules! holds {
    ($tx:ident, $write:expr) => {{
        let mut holds = true;
        for guard in &$write.guards {
            let now: Option<i64> = sqlx::query_scalar(GUARD_VERSION)
                .bind(guard.name.as_str())
                .fetch_optional(&mut *$tx)
                .await?;
            holds &= now.unwrap_or(0) == guard.version;
        }
        for change in &$write.changes {
            let now: Option<i64> = sqlx::query_scalar(VERSION)
                .bind(change.kind)
                .bind(Arc::clone(&change.id))
                .fetch_optional(&mut *$tx)
                .await?;
            holds &= now.unwrap_or(0) == change.read;
        }
        holds
    }};
}

/// Whether what is held is still as it was read. It stays so until the transaction ends.
macro_rules! held {
    ($tx:ident, $write:expr) => {{
        let mut held = true;
        for record in &$write.held {
            let hold = sqlx::query(HOLD)
                .bind(record.kind)
                .bind(record.id.as_str())
                .bind(record.read);
            held &= hold.execute(&mut *$tx).await?.rows_affected() == 1;
        }
        held
    }};
}

/// Writes one record with its events and lists; whether it was still there as it was read. If not, nothing is
/// written.
macro_rules! put {
    ($tx:ident, $change:expr) => {{
        let change = $change;
        let is_new = change.read == 0;
        let put = sqlx::query(if is_new { INSERT } else { UPDATE })
            .bind(change.kind)
            .bind(Arc::clone(&change.id))
            .bind(change.version)
            .bind(Arc::clone(&change.snapshot))
            .bind(change.due.map(Timestamp::as_micros));
        let put = if is_new { put } else { put.bind(change.read) };
        let put = put.execute(&mut *$tx).await?.rows_affected() == 1;
        for (_, at, event) in change.numbered_events().filter(|_| put) {
            sqlx::query(ADD_EVENT)
                .bind(change.kind)
                .bind(Arc::clone(&change.id))
                .bind(at)
                .bind(Arc::clone(event))
                .execute(&mut *$tx)
                .await?;
        }
        if let Some(listings) = change.listings.as_ref().filter(|_| put) {
            if !is_new {
                sqlx::query(UNLIST)
                    .bind(change.kind)
                    .bind(Arc::clone(&change.id))
                    .execute(&mut *$tx)
                    .await?;
            }
            for listing in listings {
                sqlx::query(LIST)
                    .bind(change.kind)
                    .bind(listing.list)
                    .bind(listing.owner.as_str())
                    .bind(Arc::clone(&change.id))
                    .execute(&mut *$tx)
                    .await?;
            }
        }
        put
    }};
}

/// Writes what goes with the changes: guards turned, what is to be told, and who has had it done.
macro_rules! put_beside {
    ($tx:ident, $write:expr) => {{
        let write = $write;
        for guard in &write.guards {
            sqlx::query(TURN)
                .bind(guard.name.as_str())
                .execute(&mut *$tx)
                .await?;
        }
        for outgoing in &write.outbox {
            sqlx::query(ADD_OUTGOING)
                .bind(outgoing.id.as_str())
                .bind(outgoing.stanza.to_vec())
                .execute(&mut *$tx)
                .await?;
        }
        for id in &write.withdrawn {
            sqlx::query(SENT)
                .bind(id.as_str())
                .execute(&mut *$tx)
                .await?;
        }
        for entry in &write.journal {
            // Whoever writes to the same journal waits here for this to be committed.
            let place: i64 = sqlx::query_scalar(NEXT_PLACE)
                .bind(entry.journal.as_str())
                .fetch_one(&mut *$tx)
                .await?;
            sqlx::query(ADD_ENTRY)
                .bind(entry.journal.as_str())
                .bind(place)
                .bind(entry.id.as_str())
                .bind(entry.version)
                .bind(entry.at.as_micros())
                .execute(&mut *$tx)
                .await?;
        }
        if let Some(audit) = &write.audit {
            put_entry!($tx, &audit.entry);
        }
    }};
}

impl Decisions {
    async fn store(&self, writes: &[RecordWrite]) -> Result<Vec<RecordsWritten>, StoreError> {
        let together = Together::of(writes);
        if let Some(written) = Box::pin(self.try_to_store(writes, &together)).await? {
            return Ok(written);
        }
        // One of those written together was not as it was read: each for itself finds out which.
        let singly = Together::default();
        let written = Box::pin(self.try_to_store(writes, &singly)).await?;
        Ok(written.unwrap_or_default())
    }

    /// Each is looked at with what those before it have written, and written where it still holds. What is written together
    /// concerns none of the others; `None` where it does not hold, and nothing is written.
    async fn try_to_store(
        &self,
        writes: &[RecordWrite],
        together: &Together<'_>,
    ) -> Result<Option<Vec<RecordsWritten>>, StoreError> {
        let db = &self.db;
        let written = transaction!(db, tx => {
            if !put_together!(db, tx, together) {
                return Ok(None);
            }
            let mut written = Vec::with_capacity(writes.len());
            let mut kept_max = None;
            for (place, write) in writes.iter().enumerate() {
                if together.has(place) {
                    written.push(RecordsWritten::Done);
                    continue;
                }
                let alone = write.is_alone();
                let stale = match alone {
                    true => false,
                    false => !holds!(tx, write) || !held!(tx, write),
                };
                if stale {
                    written.push(RecordsWritten::Changed);
                    continue;
                }
                let mut done = RecordsWritten::Done;
                for change in &write.changes {
                    if put!(tx, change) {
                        continue;
                    }
                    done = RecordsWritten::Changed;
                    if !alone {
                        // Another node was faster: what this transaction has looked at holds no longer.
                        let changed = writes.iter().map(|_| RecordsWritten::Changed);
                        return Ok(Some(changed.collect()));
                    }
                }
                if done == RecordsWritten::Changed {
                    written.push(done);
                    continue;
                }
                put_beside!(tx, write);
                kept_max = write.audit.as_ref().map(|it| it.entries_max).or(kept_max);
                written.push(RecordsWritten::Done);
            }
            // Once for all of them: it counts the whole trail.
            if let Some(kept_max) = kept_max {
                trim_entries!(tx, kept_max);
            }
            written
        });
        Ok(Some(written))
    }
}
