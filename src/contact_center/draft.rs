//! What one decision writes: records with their events, and what is to be told to others, all or nothing.

use std::future::Future;
use std::sync::Arc;

use serde::Serialize;

use super::center::Center;
use super::errors::Refused;
use super::in_turn::Waiting;
use super::record::Record;
use crate::clock::Timestamp;
use crate::hooks::Services;
use crate::proto::Stanza;
use crate::store::{
    Guard, HeldRecord, NewAuditEntry, NewJournalEntry, Outgoing, RecordChange, RecordWrite,
    RecordsWritten, StoreError,
};

/// How often a decision is made, because somebody else has changed what it was made from, or goes first. A few are enough where
/// all who change it take turns.
const TRIES_MAX: usize = 16;

/// What one decision writes.
#[derive(Debug)]
pub(super) struct Draft {
    now: Timestamp,
    write: RecordWrite,
    /// Names what is to be sent, in the order of the decisions; none where nothing is.
    name: Option<String>,
    told: Vec<Stanza>,
}

impl Draft {
    /// A draft with nothing in it, of a decision made at that time.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            now,
            write: RecordWrite::default(),
            name: None,
            told: Vec::new(),
        }
    }

    /// Adds what the events make of a record, and answers with it.
    ///
    /// # Errors
    /// When the record cannot be written as JSON: a mistake of the server.
    pub(super) fn change<R: Record>(
        &mut self,
        before: &R,
        events: &[R::Event],
    ) -> Result<R, Refused> {
        let mut after = before.clone();
        if events.is_empty() {
            return Ok(after);
        }
        // One room for all that is written.
        let mut json = Vec::with_capacity(JSON_ROOM);
        let mut written = Vec::new();
        for event in events {
            after.apply(event);
            if R::KEEPS_EVENTS {
                written.push(as_json::<R>(event, &mut json)?);
            }
        }
        let number = |version: u64| i64::try_from(version).unwrap_or(i64::MAX);
        let read = number(before.version());
        let listings = after.listings();
        // Nearly always it is the only one.
        self.write.changes.reserve_exact(1);
        self.write.changes.push(RecordChange {
            kind: R::KIND,
            id: after.id().into(),
            read,
            version: number(after.version()),
            snapshot: as_json::<R>(&after, &mut json)?,
            events: written,
            due: after.deadline(),
            listings: (read == 0 || listings != before.listings()).then_some(listings),
        });
        Ok(after)
    }

    /// Adds what the records must not exceed together with others.
    pub(super) fn guard(&mut self, guard: Guard) {
        if !self.write.guards.contains(&guard) {
            self.write.guards.push(guard);
        }
    }

    /// Adds a record that what is decided is about: it is written only if that one is still as it was read.
    pub(super) fn hold<R: Record>(&mut self, record: &R) {
        self.write.held.push(HeldRecord {
            kind: R::KIND,
            id: record.id(),
            read: i64::try_from(record.version()).unwrap_or(i64::MAX),
        });
    }

    /// Gives a change of that record a place in a journal that others follow.
    pub(super) fn journal(&mut self, journal: String, changed: &impl Record) {
        self.write.journal.push(NewJournalEntry {
            journal,
            id: changed.id(),
            version: i64::try_from(changed.version()).unwrap_or(i64::MAX),
            at: self.now,
        });
    }

    /// Adds who has it done: the audit trail has that when all is written, and else not.
    pub(super) fn note(&mut self, entry: NewAuditEntry) {
        self.write.audit = Some(Box::new(entry));
    }

    /// Adds a message that is sent when all is written. It gets an id that is the same when it is sent once more after
    /// a crash.
    pub(super) fn tell(&mut self, mut stanza: Stanza) {
        stanza.id = None;
        self.pass(stanza);
    }

    /// The same of a message that has an id already: its sender's.
    pub(super) fn pass(&mut self, mut stanza: Stanza) {
        let now = self.now;
        let name = self.name.get_or_insert_with(|| crate::id::sorted(now));
        let id = format!("{name}-{:04}", self.told.len());
        stanza.id.get_or_insert_with(|| id.as_str().into());
        self.write.outbox.push(Outgoing {
            id,
            stanza: stanza.to_document().into(),
        });
        self.told.push(stanza);
    }

    /// Takes back what was to be sent, by its id in the outbox.
    pub(super) fn withdraw(&mut self, id: String) {
        self.write.withdrawn.push(id);
    }

    /// Whether there is nothing to write.
    pub(super) const fn is_empty(&self) -> bool {
        self.write.changes.is_empty() && self.write.outbox.is_empty()
    }
}

/// What most records need.
const JSON_ROOM: usize = 512;

fn as_json<R: Record>(value: &impl Serialize, room: &mut Vec<u8>) -> Result<Arc<str>, Refused> {
    room.clear();
    serde_json::to_writer(&mut *room, value)
        .map_err(|cause| StoreError::corrupt(R::KIND, cause))?;
    let text = str::from_utf8(room).map_err(|cause| StoreError::corrupt(R::KIND, cause))?;
    Ok(text.into())
}

impl Center {
    /// Makes a decision and writes it, once more from the beginning as long as what it was made from has
    /// changed meanwhile; those who change the same at one moment do it one after the other ([`super::in_turn`]). What it has to
    /// tell is on its way when this returns.
    ///
    /// # Errors
    /// What the decision refuses; when the database fails; when other nodes, or operators, keep changing the same.
    pub(super) async fn save<T, F>(
        &self,
        services: &Arc<Services>,
        decide: impl Fn(Draft) -> F,
    ) -> Result<T, Refused>
    where
        F: Future<Output = Result<(Draft, T), Refused>>,
    {
        let mut waiting = self.decisions.waiting();
        for _ in 0..TRIES_MAX {
            if waiting.is_behind() {
                Box::pin(waiting.wait()).await;
            }
            // On the heap: every operation waits in this one, and would be as large.
            let decided = Box::pin(decide(Draft::new(services.clock.now()))).await?;
            let (begun, answer) = match begin(services, &mut waiting, decided) {
                Next::Write(begun, answer) => (begun, answer),
                Next::Nothing(answer) => return Ok(answer),
                Next::Wait => continue,
            };
            let Begun {
                written,
                told,
                due,
                followed,
            } = begun;
            match written.await? {
                RecordsWritten::Changed => {}
                RecordsWritten::Done => {
                    // Nobody waits for what is told.
                    drop(waiting);
                    self.timers.expect(due);
                    if followed {
                        self.feed.wake();
                    }
                    if !told.is_empty() {
                        Box::pin(self.outbox.send(services, told)).await;
                    }
                    return Ok(answer);
                }
            }
        }
        Err(Refused::Contended)
    }
}

/// What comes of a decision.
enum Next<T, W> {
    /// It says that nothing is to be written.
    Nothing(T),
    /// What was decided while others went first is decided anew, behind them.
    Wait,
    /// It is being written.
    Write(Begun<W>, T),
}

/// A decision that is being written. Of the decision itself it holds what is needed afterwards, for many wait at the same moment.
struct Begun<W> {
    written: W,
    /// What is to be sent then, with its ids in the outbox.
    told: Vec<(String, Stanza)>,
    /// When time changes what is written.
    due: Option<Timestamp>,
    /// Whether others follow it in a journal.
    followed: bool,
}

fn begin<T>(
    services: &Services,
    waiting: &mut Waiting<'_>,
    (draft, answer): (Draft, T),
) -> Next<T, impl Future<Output = Result<RecordsWritten, StoreError>> + Send + use<T>> {
    if draft.is_empty() {
        return Next::Nothing(answer);
    }
    let Draft { write, told, .. } = draft;
    if !waiting.may_write(&write) {
        return Next::Wait;
    }
    let ids = write.outbox.iter().map(|it| it.id.clone());
    let begun = Begun {
        told: ids.zip(told).collect(),
        due: write.changes.iter().filter_map(|change| change.due).min(),
        followed: !write.journal.is_empty(),
        written: services.store.records().write(write),
    };
    Next::Write(begun, answer)
}
