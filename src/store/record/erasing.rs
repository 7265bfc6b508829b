//! Erasing: what a record has been is taken away with what it is, so that nothing of it is left in the database. Rows are
//! overwritten where the database does that; else they go when it cleans up.

use super::writing::{ENTRY, MAKE, PLACE};
use super::{NewJournalEntry, Records, RecordsWritten};
use crate::store::db::{queries, transaction};
use crate::store::error::StoreError;

/// One record that is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// What sort of record.
    pub kind: &'static str,
    /// Which one.
    pub id: String,
    /// The version that was read.
    pub read: i64,
    /// What is left of it, as JSON, with its new version; `None` where nothing is.
    pub left: Option<(i64, String)>,
    /// The list in which it is not found any more.
    pub unlisted: Option<&'static str>,
    /// What those outside learn who follow a journal.
    pub journal: Option<NewJournalEntry>,
    /// What is still to be told of it, where somebody has to know: another record, in its first version.
    pub untold: Option<Untold>,
}

/// A record of what is still to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// What sort of record.
    pub kind: &'static str,
    /// What it says, as JSON. It has the id of what is erased.
    pub snapshot: String,
}

queries! {
    REMOVE = "delete from record where kind = $1 and id = $2 and version = $3";
    REWRITE = "update record set version = $3, snapshot = $4 where kind = $1 and id = $2 and version = $5";
    FORGET = "delete from record_event where kind = $1 and id = $2";
    UNLIST = "delete from record_listing where kind = $1 and id = $2 and list = $3";
}

impl Records<'_> {
    /// Erases a record with its events, if it is still as it was read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erase(&self, erasure: &Erasure) -> Result<RecordsWritten, StoreError> {
        let (kind, id) = (erasure.kind, erasure.id.as_str());
        transaction!(self.db, tx => {
            let done = match &erasure.left {
                None => {
                    let remove = sqlx::query(REMOVE).bind(kind).bind(id).bind(erasure.read);
                    remove.execute(&mut *tx).await?.rows_affected()
                }
                Some((version, snapshot)) => {
                    let rewrite = sqlx::query(REWRITE).bind(kind).bind(id);
                    let rewrite = rewrite.bind(version).bind(snapshot.as_str());
                    rewrite.bind(erasure.read).execute(&mut *tx).await?.rows_affected()
                }
            };
            if done == 0 {
                return Ok(RecordsWritten::Changed);
            }
            sqlx::query(FORGET).bind(kind).bind(id).execute(&mut *tx).await?;
            if let Some(list) = erasure.unlisted {
                sqlx::query(UNLIST).bind(kind).bind(id).bind(list).execute(&mut *tx).await?;
            }
            if let Some(untold) = &erasure.untold {
                sqlx::query(MAKE)
                    .bind(untold.kind)
                    .bind(id)
                    .bind(1_i64)
                    .bind(untold.snapshot.as_str())
                    .bind(None::<i64>)
                    .execute(&mut *tx)
                    .await?;
            }
            if let Some(entry) = &erasure.journal {
                let place: i64 = sqlx::query_scalar(PLACE)
                    .bind(entry.journal.as_str())
                    .fetch_one(&mut *tx)
                    .await?;
                sqlx::query(ENTRY)
                    .bind(entry.journal.as_str())
                    .bind(place)
                    .bind(entry.id.as_str())
                    .bind(entry.version)
                    .bind(entry.at.as_micros())
                    .execute(&mut *tx)
                    .await?;
            }
        });
        Ok(RecordsWritten::Done)
    }
}
