//! Rosters with their versions (RFC 6121 §2): who has whom as a contact, in which state.
//!
//! Every change of a roster gets the roster's next version; a removed item stays as a
//! tombstone for a while, so that a client that was away can be told the changes only (§2.6). What a
//! subscription stanza does to an item is decided elsewhere; here whole items are read and written.

use std::collections::BTreeSet;

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

mod item;

pub(super) use item::Row;
pub use item::{RosterItem, Subscription, UnknownSubscription};

/// A roster as of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The version, for the attribute `ver`; 0 when the roster was never written.
    pub version: i64,
    /// The contacts, in no particular order.
    pub items: Vec<RosterItem>,
}

/// One change, to be told as a roster push (RFC 6121 §2.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterChange {
    /// The item is new or different; its version is that of the roster after it.
    Put(RosterItem),
    /// The contact is no longer there.
    Removed {
        /// Who was removed.
        contact: BareJid,
        /// The version of the roster after it.
        version: i64,
    },
}

/// One step of [`Rosters::apply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RosterWrite {
    /// Stores the item in the owner's roster. `item.version` says which version of the item it is made
    /// from: what was loaded, 0 for a contact that was not there.
    Put {
        /// Whose roster.
        owner: BareJid,
        /// The item as it shall be.
        item: RosterItem,
    },
    /// Removes the contact from the owner's roster.
    Remove {
        /// Whose roster.
        owner: BareJid,
        /// Who shall no longer be in it.
        contact: BareJid,
    },
}

impl RosterWrite {
    /// Whose roster it writes.
    #[must_use]
    pub const fn owner(&self) -> &BareJid {
        match self {
            Self::Put { owner, .. } | Self::Remove { owner, .. } => owner,
        }
    }

    const fn contact(&self) -> &BareJid {
        match self {
            Self::Put { item, .. } => &item.contact,
            Self::Remove { contact, .. } => contact,
        }
    }
}

/// What became of an [`apply`](Rosters::apply).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// All is written. One version per step, in their order: that of the roster after the step; `None` for a
    /// removal of what was not there.
    Done(Vec<Option<i64>>),
    /// An item has changed since it was loaded: nothing is written; load, decide and apply again.
    Changed,
    /// An owner has the most items already: nothing is written.
    Full,
}

/// The most items of a roster, whatever the configuration says.
pub const ITEMS_CEILING: i64 = 50_000;

/// The most tombstones of a roster; older ones are forgotten, and a client that was away for longer
/// gets the whole roster.
pub const TOMBSTONES_MAX: i64 = 256;

/// The most changes that are told one by one; past that the whole roster is told.
pub const CHANGES_MAX: i64 = 256;

/// Owners listed at once by [`Rosters::holders`], whatever limit is asked for.
const HOLDERS_PAGE_MAX: u32 = 1_000;

pub(super) const LOAD: &str = ITEMS;

queries! {
    VERSION = "select version, horizon from roster where owner = $1";
    ITEMS = "select contact, name, subscription, ask, approved, group_names, version, removed
        from roster_item where owner = $1 and not removed limit cast($2 as bigint)";
    FIND = "select contact, name, subscription, ask, approved, group_names, version, removed
        from roster_item where owner = $1 and contact = $2 and not removed";
    SINCE = "select contact, name, subscription, ask, approved, group_names, version, removed
        from roster_item where owner = $1 and version > $2 order by version limit cast($3 as bigint)";
    HOLDERS = "select owner from roster_item
        where contact = $1 and owner > $2 and not removed order by owner limit cast($3 as bigint)";
    // A roster's first version is the present moment, so that a client that kept the roster of an
    // earlier account of the same address never holds a version that is valid now.
    // Also what makes writers of one roster wait for each other on PostgreSQL.
    BUMP = "insert into roster (owner, version, horizon) values ($1, $2, $2)
        on conflict (owner) do update set version = roster.version + 1 returning version";
    ITEM_VERSION = "select version from roster_item
        where owner = $1 and contact = $2 and not removed";
    COUNT = "select count(*) from roster_item where owner = $1 and not removed";
    PUT = "insert into roster_item
            (owner, contact, name, subscription, ask, approved, group_names, version, removed)
        values ($1, $2, $3, $4, $5, $6, $7, $8, false)
        on conflict (owner, contact) do update set name = excluded.name,
            subscription = excluded.subscription, ask = excluded.ask,
            approved = excluded.approved, group_names = excluded.group_names,
            version = excluded.version, removed = false";
    BURY = "update roster_item set name = null, subscription = 'none', ask = false,
            approved = false, group_names = '', version = $3, removed = true
        where owner = $1 and contact = $2";
    OLD_TOMBSTONE = "select version from roster_item
        where owner = $1 and removed order by version desc limit 1 offset $2";
    FORGET_TOMBSTONES = "delete from roster_item
        where owner = $1 and removed and version <= $2";
    SET_HORIZON = "update roster set horizon = $2 where owner = $1";
}

/// Operations on rosters; from [`super::Store::rosters`].
#[derive(Clone, Copy, Debug)]
pub struct Rosters<'a> {
    pub(super) db: &'a Db,
}

impl Rosters<'_> {
    /// The whole roster.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(&self, owner: &BareJid) -> Result<Roster, StoreError> {
        // The version first: a change in between is then told once more, never missed.
        let version = self.version(owner).await?.map_or(0, |known| known.version);
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(ITEMS)
                .bind(owner.as_str())
                .bind(ITEMS_CEILING)
                .fetch_all(pool)
                .await?
        });
        let items = rows
            .into_iter()
            .map(RosterItem::try_from)
            .collect::<Result<_, _>>()?;
        Ok(Roster { version, items })
    }

    /// One item of the roster.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        owner: &BareJid,
        contact: &BareJid,
    ) -> Result<Option<RosterItem>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FIND)
                .bind(owner.as_str())
                .bind(contact.as_str())
                .fetch_optional(pool)
                .await?
        });
        row.map(RosterItem::try_from).transpose()
    }

    /// How many items the roster has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, owner: &BareJid) -> Result<u64, StoreError> {
        let count: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(COUNT).bind(owner.as_str()).fetch_one(pool).await?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// What has changed since the version that a client knows, oldest first (RFC 6121 §2.6); `None` when that
    /// cannot be told and the whole roster is to be sent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changes_since(
        &self,
        owner: &BareJid,
        version: i64,
    ) -> Result<Option<Vec<RosterChange>>, StoreError> {
        let known = self.version(owner).await?.unwrap_or(Version {
            version: 0,
            horizon: 0,
        });
        if version < known.horizon || version > known.version {
            return Ok(None);
        }
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(SINCE)
                .bind(owner.as_str())
                .bind(version)
                .bind(CHANGES_MAX + 1)
                .fetch_all(pool)
                .await?
        });
        if rows.len() > usize::try_from(CHANGES_MAX).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        rows.into_iter()
            .map(RosterChange::try_from)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Local accounts that have `contact` in their roster, in the order of their addresses,
    /// beginning behind `after`; at most 1,000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holders(
        &self,
        contact: &BareJid,
        after: Option<&BareJid>,
        limit: u32,
    ) -> Result<Vec<BareJid>, StoreError> {
        let owners: Vec<String> = reading!(self.db, pool => {
            sqlx::query_scalar(HOLDERS)
                .bind(contact.as_str())
                .bind(after.map_or("", |jid| jid.as_str()))
                .bind(i64::from(limit.min(HOLDERS_PAGE_MAX)))
                .fetch_all(pool)
                .await?
        });
        owners
            .iter()
            .map(|jid| BareJid::new(jid).map_err(|e| StoreError::corrupt("roster_item.owner", e)))
            .collect()
    }

    /// Writes all steps in one transaction, or none: items of one account, or of the two whose
    /// subscription changes. `items_max` bounds each roster that gets a new item.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when an owner does not exist.
    pub async fn apply(
        &self,
        steps: &[RosterWrite],
        items_max: u32,
        now: Timestamp,
    ) -> Result<Applied, StoreError> {
        // By owner, so that two transactions over the same two rosters never wait for each
        // other crosswise; the sort is stable, so the steps of one owner keep their order.
        let mut order: Vec<(usize, &RosterWrite)> = steps.iter().enumerate().collect();
        order.sort_by_key(|(_, step)| step.owner().as_str());
        let mut versions = vec![None; steps.len()];
        let mut shrunk = BTreeSet::new();
        let items_max = i64::from(items_max).min(ITEMS_CEILING);

        // The body is compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            transaction!(self.db, tx => {
                for (at, step) in order {
                    let (owner, contact) = (step.owner().as_str(), step.contact().as_str());
                    let version: i64 = sqlx::query_scalar(BUMP)
                        .bind(owner).bind(now.as_micros()).fetch_one(&mut *tx).await?;
                    let there: Option<i64> = sqlx::query_scalar(ITEM_VERSION)
                        .bind(owner).bind(contact).fetch_optional(&mut *tx).await?;
                    match step {
                        RosterWrite::Put { item, .. } => {
                            if there.unwrap_or(0) != item.version {
                                return Ok(Applied::Changed);
                            }
                            let count: i64 = sqlx::query_scalar(COUNT)
                                .bind(owner).fetch_one(&mut *tx).await?;
                            if there.is_none() && count >= items_max {
                                return Ok(Applied::Full);
                            }
                            sqlx::query(PUT)
                                .bind(owner)
                                .bind(contact)
                                .bind(item.name.as_deref())
                                .bind(item.subscription.name())
                                .bind(item.ask)
                                .bind(item.approved)
                                .bind(item.joined_groups())
                                .bind(version)
                                .execute(&mut *tx)
                                .await?;
                        }
                        RosterWrite::Remove { .. } => {
                            if there.is_none() {
                                continue;
                            }
                            sqlx::query(BURY)
                                .bind(owner).bind(contact).bind(version)
                                .execute(&mut *tx).await?;
                            shrunk.insert(owner);
                        }
                    }
                    if let Some(slot) = versions.get_mut(at) {
                        *slot = Some(version);
                    }
                }
                for owner in shrunk {
                    let old: Option<i64> = sqlx::query_scalar(OLD_TOMBSTONE)
                        .bind(owner).bind(TOMBSTONES_MAX).fetch_optional(&mut *tx).await?;
                    if let Some(horizon) = old {
                        for forget in [FORGET_TOMBSTONES, SET_HORIZON] {
                            sqlx::query(forget).bind(owner).bind(horizon).execute(&mut *tx).await?;
                        }
                    }
                }
            });
            Ok(Applied::Done(versions))
        })
        .await
    }

    async fn version(&self, owner: &BareJid) -> Result<Option<Version>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(VERSION).bind(owner.as_str()).fetch_optional(pool).await?
        }))
    }
}

#[derive(FromRow)]
struct Version {
    version: i64,
    horizon: i64,
}

impl TryFrom<Row> for RosterChange {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let removed = row.removed;
        let item = RosterItem::try_from(row)?;
        Ok(if removed {
            Self::Removed {
                contact: item.contact,
                version: item.version,
            }
        } else {
            Self::Put(item)
        })
    }
}
