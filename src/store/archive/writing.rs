//! Writing to archives: many messages, one commit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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
use crate::store::rows::ManyRows;

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
    ids: Mutex<(Ids, Chance)>,
    /// How many were appended, and how many of them written, or given up.
    appended: AtomicU64,
    written: Arc<AtomicU64>,
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
        let written = Arc::<AtomicU64>::default();
        let archives = Archives {
            db,
            written: Arc::clone(&written),
        };
        Ok(Self {
            queue: Grouped::start(archives, tasks, stop),
            ids: Mutex::new((last.map(Ids::behind).unwrap_or_default(), Chance::default())),
            appended: AtomicU64::new(0),
            written,
        })
    }

    /// Gives the message an id and queues it, both under one lock: who has read up to an id finds
    /// nothing later that sorts before it.
    pub(super) fn append(&self, message: NewArchived, moment: Timestamp) -> Appended {
        // A panic while the lock was held cannot have left the last id half changed.
        let mut guard = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let (ids, chance) = &mut *guard;
        let id = ids.next(moment, chance.next());
        // Before it can be written, so that what is written is never more.
        self.appended.fetch_add(1, Ordering::AcqRel);
        let (queued, written) = self.queue.begin(Record::Message(Box::new((id, message))));
        drop(guard);
        Appended {
            id,
            queued,
            written,
        }
    }

    /// Returns when everything that was queued before is durable, and can be read.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        if self.written.load(Ordering::Acquire) == self.appended.load(Ordering::Acquire) {
            // The writer's task need not be woken for that. Where a message was refused, since the store is being
            // closed, the two stay different, and it is asked.
            return Ok(());
        }
        self.queue.write(Record::Mark).await
    }
}

/// Random numbers of the system, of which some are asked for at once: asking costs more than the rest of an id.
#[derive(Default)]
struct Chance(Vec<u128>);

/// Numbers that are asked for at once.
const CHANCES: usize = 64;

impl Chance {
    fn next(&mut self) -> u128 {
        if let Some(number) = self.0.pop() {
            return number;
        }
        let mut bytes = [[0; 16]; CHANCES];
        if getrandom::fill(bytes.as_flattened_mut()).is_ok() {
            self.0
                .extend(bytes.iter().copied().map(u128::from_le_bytes));
        }
        // This stops the caller where the system has none.
        self.0
            .pop()
            .unwrap_or_else(|| uuid::Uuid::new_v4().as_u128())
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
    written: Arc<AtomicU64>,
}

impl Group for Archives {
    type Record = Record;
    type Done = ();
    /// Many, for under load the price of a commit is the pages that it touches, and an archive that is
    /// written to twice in one commit has them touched once.
    const RECORDS_MAX: usize = 2_048;

    async fn write(&mut self, records: &[Record]) -> Vec<Result<(), StoreError>> {
        let written = Box::pin(self.store(records)).await;
        let messages = records.iter().filter(|it| it.message().is_some()).count();
        self.written.fetch_add(messages as u64, Ordering::AcqRel);
        records.iter().map(|_| written.clone()).collect()
    }
}

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
            let (ids, words): (Option<Vec<u8>>, Option<Vec<u8>>) = sqlx::query_as(super::WORDS)
                .bind($owner.as_str())
                .bind(last.as_slice())
                .bind(full.as_slice())
                .fetch_one(&mut *$tx)
                .await?;
            let (ids, words) = (ids.unwrap_or_default(), words.unwrap_or_default());
            if let Some(summary) = Summary::of(&ids, &words)? {
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
    ($db:expr, $tx:expr, $messages:expr) => {{
        use $crate::store::{archive, rows};
        for rows in rows::in_powers_of_two(&$messages) {
            let mut append = sqlx::query(archive::writing::APPEND_ROWS.text($db, rows.len()));
            for (id, message) in rows {
                append = append
                    .bind(message.owner.as_str())
                    .bind(id.to_bytes())
                    .bind(archive::conversation(&message.owner, message.with.bare()))
                    .bind(message.resource())
                    .bind(message.stanza.as_ref())
                    .bind(message.words_as_bytes());
            }
            append.execute(&mut *$tx).await?;
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
            insert_messages!(db, tx, messages);
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

/// [`super::APPEND`] with as many rows as are written at once.
pub(in crate::store) static APPEND_ROWS: ManyRows =
    ManyRows::new(super::APPEND, "($1, $2, $3, $4, $5, $6)");
