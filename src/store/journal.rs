//! Journals: what has changed, in the order in which it was written, for those outside who follow it by a
//! cursor.
//!
//! An entry gets its place in the transaction that writes the change ([`super::RecordWrite::journal`]), so that places stand
//! in the order in which changes can be seen, and nobody who has read up to a place misses an earlier one. A follower
//! says up to where it has everything; what all have can be forgotten.

use sqlx::FromRow;

use super::db::{Db, queries, reading, writing};
use super::error::StoreError;
use crate::clock::Timestamp;

/// A change with its place.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct JournalEntry {
    /// Where it stands; later changes have greater ones.
    pub place: i64,
    /// Which record has changed.
    pub id: String,
    /// The version that the record had then.
    pub version: i64,
}

/// Somebody who follows a journal.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct JournalFollower {
    /// Who.
    pub follower: String,
    /// Up to which place it has everything.
    pub acknowledged: i64,
}

/// What goes out of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalBounds {
    /// What every follower has and is older than this goes.
    pub before: Timestamp,
    /// Of more entries than this the oldest go, whoever has them.
    pub entries_max: u32,
}

/// Entries read, or deleted, at once.
pub const JOURNAL_PAGE_MAX: u32 = 1_000;

queries! {
    LAST = "select place from journal where name = $1";
    FIRST = "select min(place) from journal_entry where name = $1";
    AFTER = "select place, id, version from journal_entry
        where name = $1 and place > $2 order by place limit cast($3 as bigint)";
    FOLLOW = "insert into journal_follower (name, follower, acknowledged) values ($1, $2, $3)
        on conflict (name, follower) do update set acknowledged = excluded.acknowledged";
    FOLLOWERS = "select follower, acknowledged from journal_follower where name = $1 order by follower";
    FOLLOWER = "select follower, acknowledged from journal_follower where name = $1 and follower = $2";
    ACKNOWLEDGE = "update journal_follower set acknowledged = $3
        where name = $1 and follower = $2 and acknowledged < $3";
    UNFOLLOW = "delete from journal_follower where name = $1 and follower = $2";
    FORGET = "delete from journal_entry where name = $1 and at < $2
        and place < (select min(place) from journal_entry where name = $1) + $3
        and place <= coalesce(
            (select min(acknowledged) from journal_follower where name = $1), place)";
    CUT = "delete from journal_entry where name = $1
        and place < (select min(place) from journal_entry where name = $1) + $2
        and place <= (select place from journal where name = $1) - $3";
}

/// Operations on journals; from [`super::Store::journals`].
#[derive(Clone, Copy)]
pub struct Journals<'a> {
    pub(super) db: &'a Db,
}

impl Journals<'_> {
    /// The last place that was given; 0 before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last(&self, journal: &str) -> Result<i64, StoreError> {
        let last: Option<i64> = reading!(self.db, pool => {
            sqlx::query_scalar(LAST).bind(journal).fetch_optional(pool).await?
        });
        Ok(last.unwrap_or(0))
    }

    /// The place of the oldest entry that is still there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first(&self, journal: &str) -> Result<Option<i64>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(FIRST).bind(journal).fetch_one(pool).await?
        }))
    }

    /// Entries behind that place, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn after(
        &self,
        journal: &str,
        place: i64,
        limit: u32,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(AFTER)
                .bind(journal)
                .bind(place)
                .bind(i64::from(limit.min(JOURNAL_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        }))
    }

    /// From now on somebody follows who has everything up to that place; one who does already is there
    /// from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow(
        &self,
        journal: &str,
        follower: &str,
        place: i64,
    ) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(FOLLOW).bind(journal).bind(follower).bind(place).execute(pool).await?;
        });
        Ok(())
    }

    /// Everybody who follows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn followers(&self, journal: &str) -> Result<Vec<JournalFollower>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(FOLLOWERS).bind(journal).fetch_all(pool).await?
        }))
    }

    /// The follower of that name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follower(
        &self,
        journal: &str,
        follower: &str,
    ) -> Result<Option<JournalFollower>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(FOLLOWER).bind(journal).bind(follower).fetch_optional(pool).await?
        }))
    }

    /// The follower has everything up to that place. What it has said before is not taken back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn acknowledge(
        &self,
        journal: &str,
        follower: &str,
        place: i64,
    ) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(ACKNOWLEDGE).bind(journal).bind(follower).bind(place).execute(pool).await?;
        });
        Ok(())
    }

    /// Somebody follows no longer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfollow(&self, journal: &str, follower: &str) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(UNFOLLOW).bind(journal).bind(follower).execute(pool).await?;
        });
        Ok(())
    }

    /// Deletes what is outside of those bounds, some at a time; tells how many entries these were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self, journal: &str, bounds: JournalBounds) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let old = writing!(self.db, pool => {
                sqlx::query(FORGET)
                    .bind(journal)
                    .bind(bounds.before.as_micros())
                    .bind(i64::from(JOURNAL_PAGE_MAX))
                    .execute(pool)
                    .await?
                    .rows_affected()
            });
            let over = writing!(self.db, pool => {
                sqlx::query(CUT)
                    .bind(journal)
                    .bind(i64::from(JOURNAL_PAGE_MAX))
                    .bind(i64::from(bounds.entries_max))
                    .execute(pool)
                    .await?
                    .rows_affected()
            });
            if old == 0 && over == 0 {
                return Ok(gone);
            }
            gone += old + over;
        }
    }
}
