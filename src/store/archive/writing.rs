//! Writing to archives: many messages, one commit.

use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::id::Ids;
use super::summary::{self, Summary};
use super::{ArchiveId, NewArchived};
use crate::clock::Timestamp;
use crate::proto::BareJid;
use crate::store::db::{Db, reading, transaction};
use crate::store::error::StoreError;
use crate::store::grouped::{Group, Grouped};

/// A write that was begun.
#[must_use]
pub struct Appended {
    /// The message's id in the archive.
    pub id: ArchiveId,
    /// Whether there was room in the queue. It lies there either way, in the order of the ids; where there
    /// was none, the sender is to be slowed by awaiting `written`.
    pub queued: bool,
    /// Resolves when the message is durable.
    pub written: BoxFuture<'static, Result<(), StoreError>>,
}

impl std::fmt::Debug for Appended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Appended")
            .field("id", &self.id)
            .field("queued", &self.queued)
            .finish_non_exhaustive()
    }
}

/// The queue of messages that are to be archived, and where their ids come from.
pub(in crate::store) struct Writer {
    queue: Grouped<Archives>,
    ids: Mutex<Ids>,
}

impl Writer {
    /// Starts the task that writes. Ids go on behind the last one that was stored, whatever the clock says.
    pub(in crate::store) async fn start(
        db: Db,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, StoreError> {
        let last: Option<Vec<u8>> = reading!(&db, pool => {
            sqlx::query_scalar(super::LAST_ID).fetch_optional(pool).await?
        });
        let last = last.as_deref().map(super::id_of).transpose()?;
        Ok(Self {
            queue: Grouped::start(Archives { db }, tasks, stop),
            ids: Mutex::new(last.map(Ids::behind).unwrap_or_default()),
        })
    }

    /// Gives the message an id and queues it, both under one lock: who has read up to an id finds
    /// nothing later that sorts before it.
    pub(super) fn append(&self, message: NewArchived, moment: Timestamp) -> Appended {
        let random = uuid::Uuid::new_v4().as_u128();
        // A panic while the lock was held cannot have left the last id half changed.
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let id = ids.next(moment, random);
        let (queued, written) = self.queue.begin(Record::Message(Box::new((id, message))));
        drop(ids);
        Appended {
            id,
            queued,
            written,
        }
    }

    /// Returns when everything that was queued before is durable, and can be read.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        self.queue.write(Record::Mark).await
    }
}

impl super::Archive<'_> {
    /// Messages that wait to be written at this moment.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.writer.queue.waiting()
    }
}

/// What waits in the queue.
pub(super) enum Record {
    Message(Box<(ArchiveId, NewArchived)>),
    /// Somebody wants to know when the writer has come so far.
    Mark,
}

/// Writes groups of messages.
pub(super) struct Archives {
    db: Db,
}

impl Group for Archives {
    type Record = Record;
    type Done = ();
    /// Many, for under load the price of a commit is the pages that it touches, and an archive that is
    /// written to twice in one commit has them touched once.
    const RECORDS_MAX: usize = 2_048;

    async fn write(&mut self, records: &[Record]) -> Vec<Result<(), StoreError>> {
        let written = Box::pin(self.store(records)).await;
        records.iter().map(|_| written.clone()).collect()
    }
}

/// The part of [`super::APPEND`] that stands before its rows.
pub(in crate::store) const APPEND_ROWS: &str =
    "insert into archive_message (owner, id, conversation, peer_resource, stanza, words) ";

/// Makes the summaries of an archive for which there are enough messages; compiled for both databases.
macro_rules! summarize {
    ($owner:expr, $tx:ident) => {
        let last: Option<Vec<u8>> = sqlx::query_scalar(super::LAST_SUMMARY)
            .bind($owner.as_str())
            .fetch_optional(&mut *$tx)
            .await?;
        let mut last = last.unwrap_or_else(|| ArchiveId::LEAST.to_bytes());
        for _ in 0..summary::AT_ONCE {
            let full: Option<Vec<u8>> = sqlx::query_scalar(super::ENOUGH_FOR_SUMMARY)
                .bind($owner.as_str())
                .bind(last.as_slice())
                .bind(i64::try_from(summary::MESSAGES).unwrap_or(1) - 1)
                .fetch_optional(&mut *$tx)
                .await?;
            let Some(full) = full else {
                break;
            };
            let messages: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(super::WORDS)
                .bind($owner.as_str())
                .bind(last.as_slice())
                .bind(full.as_slice())
                .fetch_all(&mut *$tx)
                .await?;
            if let Some(summary) = Summary::of(&messages)? {
                sqlx::query(super::ADD_SUMMARY)
                    .bind($owner.as_str())
                    .bind(summary.last.to_bytes())
                    .bind(summary.first.to_bytes())
                    .bind(summary.words)
                    .execute(&mut *$tx)
                    .await?;
            }
            last = full;
        }
    };
}
/// The statements that store messages with their words, for use in a transaction of either database.
macro_rules! insert_messages {
    ($tx:expr, $messages:expr) => {{
        use $crate::store::archive;
        for rows in archive::writing::in_powers_of_two(&$messages) {
            let mut append = sqlx::QueryBuilder::new(archive::writing::APPEND_ROWS);
            append.push_values(rows, |mut row, (id, message)| {
                row.push_bind(message.owner.as_str().to_owned())
                    .push_bind(id.to_bytes())
                    .push_bind(archive::conversation(&message.owner, message.with.bare()))
                    .push_bind(message.resource().to_owned())
                    .push_bind(message.stanza.to_vec())
                    .push_bind(message.words_as_bytes());
            });
            append.build().execute(&mut *$tx).await?;
        }
    }};
}
pub(in crate::store) use insert_messages;

impl Archives {
    async fn store(&self, records: &[Record]) -> Result<(), StoreError> {
        let mut messages: Vec<_> = records.iter().filter_map(Record::message).collect();
        let Some(last) = messages.iter().map(|(id, _)| *id).max() else {
            return Ok(());
        };
        // What is read together lies together; the ids of one archive keep their order.
        messages.sort_by(|(_, one), (_, other)| one.owner.cmp(&other.owner));
        // Those that have words; an archive without them needs no summaries.
        let due = messages
            .iter()
            .filter(|(id, message)| summary::is_due(*id) && !message.words.is_empty());
        let mut due: Vec<&BareJid> = due.map(|(_, message)| &message.owner).collect();
        due.dedup();
        let db = &self.db;
        transaction!(db, tx => {
            insert_messages!(tx, messages);
            for owner in due {
                summarize!(owner, tx);
            }
            sqlx::query(super::SET_LAST_ID).bind(last.to_bytes()).execute(&mut *tx).await?;
        });
        Ok(())
    }
}

impl Record {
    fn message(&self) -> Option<(ArchiveId, &NewArchived)> {
        match self {
            Self::Message(message) => Some((message.0, &message.1)),
            Self::Mark => None,
        }
    }
}

/// Rows in one statement; far from either database's limit of placeholders.
const ROWS_MAX: usize = 512;

/// The rows in pieces of 512, 256 … 2, 1: so few texts of SQL are prepared once and for all.
pub(in crate::store) fn in_powers_of_two<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut pieces = Vec::new();
    while !rows.is_empty() {
        let size = (1 << rows.len().ilog2()).min(ROWS_MAX);
        let (piece, rest) = rows.split_at_checked(size).unwrap_or((rows, &[]));
        pieces.push(piece);
        rows = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_piece() {
        for count in [0, 1, 2, 3, 7, 256, 511, 512, 1_300] {
            let rows: Vec<usize> = (0..count).collect();
            let pieces = in_powers_of_two(&rows);
            assert!(pieces.iter().all(|piece| piece.len().is_power_of_two()));
            assert!(pieces.iter().all(|piece| piece.len() <= ROWS_MAX));
            assert_eq!(pieces.concat(), rows);
        }
    }

    #[test]
    fn the_texts_that_are_written_with_many_rows_are_those_that_are_listed() {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            squeeze(&format!("{APPEND_ROWS}values ($1, $2, $3, $4, $5, $6)")),
            squeeze(super::super::APPEND)
        );
    }
}
