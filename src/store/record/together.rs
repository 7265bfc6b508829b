//! Decisions that change one record each, and nothing with it but its events: as many as there are in a group are written by
//! two statements. Agents who change their states are such.

use std::collections::HashMap;
use std::sync::Arc;

use super::writing::{RecordChange, RecordWrite};

/// Which writes of a group are written together: those of records that no other write of the group is about.
#[derive(Debug, Default)]
pub(super) struct Together<'a> {
    pub(super) changes: Vec<&'a RecordChange>,
    /// Of each write of the group, whether it is one of them.
    are: Vec<bool>,
}

impl<'a> Together<'a> {
    /// Those of a group; none where they are too few to gain anything.
    pub(super) fn of(writes: &'a [RecordWrite]) -> Self {
        let mut writers: HashMap<(&str, &str), usize> = HashMap::new();
        for change in writes.iter().flat_map(|write| &write.changes) {
            *writers.entry((change.kind, &*change.id)).or_default() += 1;
        }
        let only = |it: &&RecordChange| writers.get(&(it.kind, &*it.id)) == Some(&1);
        let plain: Vec<_> = writes.iter().map(|it| it.plain().filter(only)).collect();
        let changes: Vec<_> = plain.iter().copied().flatten().collect();
        if changes.len() < FEWEST {
            return Self::default();
        }
        let are = plain.iter().map(Option::is_some).collect();
        Self { changes, are }
    }

    /// Whether the write at that place of the group is one of them.
    pub(super) fn has(&self, at: usize) -> bool {
        self.are.get(at).copied().unwrap_or(false)
    }

    /// Their events: of which record, the version that it makes, and itself.
    pub(super) fn events(&self) -> Vec<(&'a RecordChange, i64, &'a Arc<str>)> {
        let changes = self.changes.iter();
        changes
            .flat_map(|change| change.numbered_events())
            .collect()
    }
}

/// Fewer are written one by one.
const FEWEST: usize = 2;

/// Writes them, in a transaction of either database; whether all were still as they were read. If not, the transaction is to
/// be undone, for nobody knows which of them were.
macro_rules! put_together {
    ($db:expr, $tx:ident, $together:expr) => {{
        let mut put = 0;
        // What is shared with the thread of the database is neither copied for it nor freed by it.
        let mut kind = Arc::<str>::default();
        for (rows, size) in filled_up(&$together.changes) {
            let mut update = sqlx::query(UPDATES.text($db, size));
            for change in rows {
                if *kind != *change.kind {
                    kind = Arc::from(change.kind);
                }
                update = update
                    .bind(Arc::clone(&kind))
                    .bind(Arc::clone(&change.id))
                    .bind(change.version)
                    .bind(Arc::clone(&change.snapshot))
                    .bind(change.due.map(Timestamp::as_micros))
                    .bind(change.read);
            }
            for _ in rows.len()..size {
                update = update
                    .bind(None::<Arc<str>>)
                    .bind(None::<Arc<str>>)
                    .bind(None::<i64>)
                    .bind(None::<Arc<str>>)
                    .bind(None::<i64>)
                    .bind(None::<i64>);
            }
            put += update.execute(&mut *$tx).await?.rows_affected();
        }
        let all = put == $together.changes.len() as u64;
        let events = if all { $together.events() } else { Vec::new() };
        for (rows, size) in filled_up(&events) {
            let mut add = sqlx::query(ADDED_EVENTS.text($db, size));
            for (change, version, event) in rows {
                if *kind != *change.kind {
                    kind = Arc::from(change.kind);
                }
                add = add
                    .bind(Arc::clone(&kind))
                    .bind(Arc::clone(&change.id))
                    .bind(*version)
                    .bind(Arc::clone(event));
            }
            for _ in rows.len()..size {
                add = add
                    .bind(None::<Arc<str>>)
                    .bind(None::<Arc<str>>)
                    .bind(None::<i64>)
                    .bind(None::<Arc<str>>);
            }
            add.execute(&mut *$tx).await?;
        }
        all
    }};
}
pub(super) use put_together;
