//! Messages for accounts that have no resource to take them (XEP-0160).
//!
//! Appending waits until the message is durable; messages of many senders share a commit. Taking
//! is two steps, list and delete, so that a session that dies in between loses nothing: what was
//! delivered but not deleted comes once more. What is stored offline at all is decided elsewhere.

use std::collections::BTreeMap;

use bytes::Bytes;
use sqlx::{FromRow, QueryBuilder};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::archive::ArchiveId;
use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;
use super::grouped::{Group, Grouped};
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

mod ids;

pub(super) use ids::Ids;

/// A stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineMessage {
    /// Its key in the mailbox of its owner; later ones are greater.
    pub id: i64,
    /// When the server got it, for the delay stamp (XEP-0203).
    pub received_at: Timestamp,
    /// The whole stanza.
    pub stanza: Bytes,
}

/// What became of an [`append`](OfflineMessages::append).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Appended {
    /// It is durable, under this id.
    Stored(i64),
    /// The owner has the most messages already; the sender is to be told (XEP-0160 §3).
    Full,
}

/// Messages listed at once, whatever limit is asked for.
const PAGE_MAX: u32 = 256;

/// Owners whose old messages are deleted in one call of [`OfflineMessages::expire`].
const EXPIRE_OWNERS_MAX: i64 = 64;

/// The part of [`APPEND`] that stands before its rows.
const APPEND_ROWS: &str =
    "insert into offline_message (owner, id, received_at, stanza, archive_id) ";

/// The part of [`COUNT_UP`] that stands before its rows, and that behind them.
const COUNT_UP_ROWS: (&str, &str) = (
    "insert into offline_mailbox (owner, stored) ",
    " on conflict (owner) do update set stored = offline_mailbox.stored + excluded.stored
        returning owner, stored",
);

queries! {
    // The next two are written with as many rows as a group has; here with one.
    APPEND = "insert into offline_message (owner, id, received_at, stanza, archive_id)
        values ($1, $2, $3, $4, $5)";
    ARCHIVED = "select id, archive_id from offline_message
        where owner = $1 and archive_id >= $2 and archive_id <= $3";
    COUNT_UP = "insert into offline_mailbox (owner, stored) values ($1, $2)
        on conflict (owner) do update set stored = offline_mailbox.stored + excluded.stored
        returning owner, stored";
    COUNT_DOWN = "update offline_mailbox set stored = stored - $2 where owner = $1";
    STORED = "select stored from offline_mailbox where owner = $1";
    PAGE = "select id, received_at, stanza from offline_message
        where owner = $1 and id > $2 order by received_at, id limit cast($3 as bigint)";
    DELETE = "delete from offline_message where owner = $1 and id = $2";
    OLD_OWNERS = "select distinct owner from offline_message
        where received_at < $1 order by owner limit cast($2 as bigint)";
    DELETE_OLD = "delete from offline_message where owner = $1 and received_at < $2";
}

pub(super) const APPEND_MESSAGE: &str = APPEND;

/// Operations on offline messages; from [`super::Store::offline_messages`].
#[derive(Clone, Copy)]
pub struct OfflineMessages<'a> {
    pub(super) db: &'a Db,
    pub(super) writer: &'a Writer,
}

impl OfflineMessages<'_> {
    /// Stores a message and returns when it is durable. Messages are kept in the order in which
    /// they were received, those of one moment in the order in which this is called.
    ///
    /// A caller that stops waiting does not take the message back.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when the owner does not exist; [`StoreError::Closed`] after
    /// [`super::Store::close`].
    pub async fn append(
        &self,
        owner: &BareJid,
        stanza: Bytes,
        received_at: Timestamp,
        messages_max: u32,
    ) -> Result<Appended, StoreError> {
        let archived = None;
        self.append_archived(owner, stanza, received_at, messages_max, archived)
            .await
    }

    /// [`OfflineMessages::append`] for a message that the owner's archive has under that id.
    ///
    /// # Errors
    /// As there.
    pub async fn append_archived(
        &self,
        owner: &BareJid,
        stanza: Bytes,
        received_at: Timestamp,
        messages_max: u32,
        archived: Option<ArchiveId>,
    ) -> Result<Appended, StoreError> {
        self.writer
            .write(NewMessage {
                owner: owner.clone(),
                stanza,
                received_at,
                messages_max,
                archived,
            })
            .await
    }

    /// Messages that wait to be written at this moment.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.writer.waiting()
    }

    /// How many messages the owner has (XEP-0013 §2.2).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, owner: &BareJid) -> Result<u64, StoreError> {
        let stored: Option<i64> = reading!(self.db, pool => {
            sqlx::query_scalar(STORED).bind(owner.as_str()).fetch_optional(pool).await?
        });
        Ok(stored.map_or(0, |stored| u64::try_from(stored).unwrap_or(0)))
    }

    /// Messages of the owner, oldest first, beginning behind the id `after` (0 for the first); at most
    /// 256.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(
        &self,
        owner: &BareJid,
        after: i64,
        limit: u32,
    ) -> Result<Vec<OfflineMessage>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(PAGE)
                .bind(owner.as_str())
                .bind(after)
                .bind(i64::from(limit.min(PAGE_MAX)))
                .fetch_all(pool)
                .await?
        });
        Ok(rows.into_iter().map(OfflineMessage::from).collect())
    }

    /// Deletes what has been delivered and returns how many were still there.
    ///
    /// By id, never "all up to": another node may by then have stored a message with an id in between.
    ///
    /// # Errors
    /// When the database fails; all of them are there then.
    pub async fn delete(&self, owner: &BareJid, ids: &[i64]) -> Result<u64, StoreError> {
        Ok(transaction!(self.db, tx => {
            let mut deleted = 0;
            for id in ids {
                let gone = sqlx::query(DELETE)
                    .bind(owner.as_str())
                    .bind(id)
                    .execute(&mut *tx)
                    .await?;
                deleted += gone.rows_affected();
            }
            sqlx::query(COUNT_DOWN)
                .bind(owner.as_str())
                .bind(i64::try_from(deleted).unwrap_or(i64::MAX))
                .execute(&mut *tx)
                .await?;
            deleted
        }))
    }

    /// Deletes messages that the archive has under one of those ids, for their owner got them from
    /// there; returns how many there were.
    ///
    /// # Errors
    /// When the database fails; all of them are there then.
    pub async fn delete_archived(
        &self,
        owner: &BareJid,
        ids: &[ArchiveId],
    ) -> Result<u64, StoreError> {
        let (Some(first), Some(last)) = (ids.iter().min(), ids.iter().max()) else {
            return Ok(0);
        };
        let waiting: Vec<(i64, Vec<u8>)> = reading!(self.db, pool => {
            sqlx::query_as(ARCHIVED)
                .bind(owner.as_str())
                .bind(first.to_bytes())
                .bind(last.to_bytes())
                .fetch_all(pool)
                .await?
        });
        let given = |archived: &[u8]| {
            ArchiveId::from_bytes(archived).is_some_and(|archived| ids.contains(&archived))
        };
        let given = waiting.into_iter().filter(|(_, archived)| given(archived));
        let given: Vec<i64> = given.map(|(id, _)| id).collect();
        if given.is_empty() {
            return Ok(0);
        }
        Box::pin(self.delete(owner, &given)).await
    }

    /// Deletes messages received before that moment, of a bounded number of owners; returns how many.
    /// To be called until it returns 0.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        let before = before.as_micros();
        let owners: Vec<String> = reading!(self.db, pool => {
            sqlx::query_scalar(OLD_OWNERS)
                .bind(before)
                .bind(EXPIRE_OWNERS_MAX)
                .fetch_all(pool)
                .await?
        });
        let mut expired = 0;
        for owner in owners {
            expired += transaction!(self.db, tx => {
                let gone = sqlx::query(DELETE_OLD)
                    .bind(owner.as_str())
                    .bind(before)
                    .execute(&mut *tx)
                    .await?
                    .rows_affected();
                sqlx::query(COUNT_DOWN)
                    .bind(owner.as_str())
                    .bind(i64::try_from(gone).unwrap_or(i64::MAX))
                    .execute(&mut *tx)
                    .await?;
                gone
            });
        }
        Ok(expired)
    }
}

/// The queue of messages that are to be stored.
pub(super) type Writer = Grouped<Mailboxes>;

/// Starts the task that stores messages.
pub(super) fn start(db: Db, tasks: &TaskTracker, stop: CancellationToken) -> Writer {
    let ids = Ids::new(uuid::Uuid::new_v4().as_u128());
    Grouped::start(Mailboxes { db, ids }, tasks, stop)
}

/// A message on its way to the database.
pub(super) struct NewMessage {
    owner: BareJid,
    stanza: Bytes,
    received_at: Timestamp,
    messages_max: u32,
    archived: Option<ArchiveId>,
}

/// Writes groups of messages.
pub(super) struct Mailboxes {
    db: Db,
    ids: Ids,
}

impl Group for Mailboxes {
    type Record = NewMessage;
    type Done = Appended;
    /// At four columns far from either database's limit of placeholders.
    const RECORDS_MAX: usize = 256;

    async fn write(&mut self, messages: &[NewMessage]) -> Vec<Result<Appended, StoreError>> {
        match Box::pin(self.store(messages)).await {
            Ok(appended) => appended.into_iter().map(Ok).collect(),
            // One of them names an account that is gone: the others must not suffer for it.
            Err(StoreError::NoAccount(_) | StoreError::Conflict(_)) if messages.len() > 1 => {
                let mut answers = Vec::with_capacity(messages.len());
                for message in messages {
                    let one = Box::pin(self.store(std::slice::from_ref(message))).await;
                    answers.push(one.and_then(|done| {
                        // One message, one answer.
                        done.first().copied().ok_or(StoreError::Closed)
                    }));
                }
                answers
            }
            Err(error) => messages.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}

impl Mailboxes {
    /// Stores what the bounds allow, in one transaction.
    async fn store(&mut self, messages: &[NewMessage]) -> Result<Vec<Appended>, StoreError> {
        // In the order of the owners, so that two nodes never wait for each other crosswise.
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        for message in messages {
            *counts.entry(message.owner.as_str()).or_default() += 1;
        }
        let ids = &mut self.ids;
        let db = &self.db;
        let appended = transaction!(db, tx => {
            let mut count_up = QueryBuilder::new(COUNT_UP_ROWS.0);
            count_up.push_values(&counts, |mut row, (owner, more)| {
                row.push_bind((*owner).to_owned()).push_bind(*more);
            });
            count_up.push(COUNT_UP_ROWS.1);
            let stored: Vec<(String, i64)> =
                count_up.build_query_as().fetch_all(&mut *tx).await?;

            let (appended, refused) = admit(messages, &counts, stored, ids);
            for (owner, refused) in refused {
                sqlx::query(COUNT_DOWN).bind(owner).bind(refused).execute(&mut *tx).await?;
            }
            let rows = admitted(messages, &appended);
            if !rows.is_empty() {
                let mut append = QueryBuilder::new(APPEND_ROWS);
                append.push_values(rows, |mut row, (message, id)| {
                    row.push_bind(message.owner.as_str().to_owned())
                        .push_bind(id)
                        .push_bind(message.received_at.as_micros())
                        .push_bind(message.stanza.to_vec())
                        .push_bind(message.archived.map(ArchiveId::to_bytes));
                });
                append.build().execute(&mut *tx).await?;
            }
            appended
        });
        Ok(appended)
    }
}

/// Decides which messages their owners' bounds let in, oldest first. `stored` is what each owner has with
/// all of them; also returned is by how much that is too many.
fn admit(
    messages: &[NewMessage],
    counts: &BTreeMap<&str, i64>,
    stored: Vec<(String, i64)>,
    ids: &mut Ids,
) -> (Vec<Appended>, BTreeMap<String, i64>) {
    let mut before: BTreeMap<String, i64> = stored
        .into_iter()
        .map(|(owner, stored)| {
            let more = counts.get(owner.as_str()).copied().unwrap_or(0);
            (owner, stored - more)
        })
        .collect();
    let mut refused: BTreeMap<String, i64> = BTreeMap::new();
    let mut appended = Vec::with_capacity(messages.len());
    for message in messages {
        let owner = message.owner.as_str();
        match before.get_mut(owner) {
            Some(stored) if *stored < i64::from(message.messages_max) => {
                *stored += 1;
                appended.push(Appended::Stored(ids.next(message.received_at)));
            }
            _ => {
                *refused.entry(owner.to_owned()).or_default() += 1;
                appended.push(Appended::Full);
            }
        }
    }
    (appended, refused)
}

/// The messages that are let in, with their ids.
fn admitted<'a>(messages: &'a [NewMessage], appended: &[Appended]) -> Vec<(&'a NewMessage, i64)> {
    let mut rows = Vec::with_capacity(messages.len());
    for (message, appended) in messages.iter().zip(appended) {
        match appended {
            Appended::Stored(id) => rows.push((message, *id)),
            Appended::Full => {}
        }
    }
    rows
}

#[derive(FromRow)]
struct Row {
    id: i64,
    received_at: i64,
    stanza: Vec<u8>,
}

impl From<Row> for OfflineMessage {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            received_at: Timestamp::from_micros(row.received_at),
            stanza: row.stanza.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_that_are_written_with_many_rows_are_those_that_are_listed() {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            squeeze(&format!("{APPEND_ROWS}values ($1, $2, $3, $4, $5)")),
            squeeze(APPEND)
        );
        let (head, tail) = COUNT_UP_ROWS;
        assert_eq!(
            squeeze(&format!("{head}values ($1, $2){tail}")),
            squeeze(COUNT_UP)
        );
    }
}
