//! Accounts: who may log in, with which role, and when they were last here (XEP-0012).
//!
//! The keys they log in with are in [`super::credential`]. Whether a domain is served is the
//! configuration's business.

mod changes;
mod finding;

use sqlx::FromRow;

use super::archive;
use super::credential::insert_key;
use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use super::fast_token::REVOKE_ALL;
use super::pubsub;
use super::room;
use super::roster::{self, RosterItem};
use crate::clock::Timestamp;
use crate::domain::rights::Role;
use crate::proto::jid::BareJid;
use crate::proto::scram::ScramKeys;

pub(super) use changes::Changes;
pub(super) use finding::{Finder, start};

/// An account without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its address.
    pub jid: BareJid,
    /// What it may do.
    pub role: Role,
    /// Whether it may log in.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its last resource went; `None` when it never was here.
    pub last_seen: Option<LastSeen>,
}

/// When an account's last resource went, and with which words (XEP-0012 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// The moment.
    pub at: Timestamp,
    /// The status of the last unavailable presence.
    pub status: Option<String>,
}

/// What a removed account leaves to be told to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Its roster: the contacts that are to get `unsubscribe` and `unsubscribed`.
    ///
    /// Local accounts that have the removed one in their roster are found by
    /// [`super::Rosters::holders`], whose pages work after the removal too.
    pub roster: Vec<RosterItem>,
}

/// Accounts listed at once, whatever limit is asked for.
const PAGE_MAX: u32 = 1_000;

/// Changes nothing; until the end of the transaction nobody else who asks for this adds to what is the
/// account's.
pub(super) const LOCK_ACCOUNT: &str = LOCK;

queries! {
    LOCK = "update account set enabled = enabled where jid = $1";
    INSERT = "insert into account (jid, domain, role, enabled, created_at, password_changed_at)
        values ($1, $2, $3, true, $4, $4)";
    DELETE = "delete from account where jid = $1";
    CHANGE_PASSWORD = "update account set password_changed_at = $2 where jid = $1";
    DELETE_KEYS = "delete from credential where account = $1";
    SET_ENABLED = "update account set enabled = $2 where jid = $1";
    SET_ROLE = "update account set role = $2 where jid = $1";
    SET_LAST_SEEN = "update account set last_seen_at = $2, last_status = $3 where jid = $1";
    // Of as many as are looked for at once; here of one.
    FIND = "select jid, role, enabled, created_at, last_seen_at, last_status
        from account where jid in ($1)";
    PAGE = "select jid, role, enabled, created_at, last_seen_at, last_status
        from account where domain = $1 and jid > $2 order by jid limit cast($3 as bigint)";
    COUNT = "select count(*) from account where domain = $1";
    COUNT_DISABLED = "select count(*) from account where domain = $1 and not enabled";
    WITH_ROLE = "select jid, role, enabled, created_at, last_seen_at, last_status
        from account where role = $1 and domain = $2 order by jid limit cast($3 as bigint)";
}

pub(super) const INSERT_ACCOUNT: &str = INSERT;

/// The statements that make an account without keys, for use in a transaction of either database.
macro_rules! insert_account {
    ($tx:expr, $jid:expr, $role:expr, $now:expr) => {{
        use $crate::proto::common::vcard::Names;
        use $crate::store::{account, archive, directory};
        sqlx::query(account::INSERT_ACCOUNT)
            .bind($jid.as_str())
            .bind($jid.domain().as_str())
            .bind($role.name())
            .bind($now.as_micros())
            .execute(&mut *$tx)
            .await?;
        directory::put_names!($tx, $jid, &Names::default());
        // What came for a former owner of the name while it was being removed.
        for delete in archive::DELETE_LEFT_OVER {
            sqlx::query(delete)
                .bind($jid.as_str())
                .execute(&mut *$tx)
                .await?;
        }
    }};
}
pub(super) use insert_account;

/// Operations on accounts; from [`super::Store::accounts`].
#[derive(Clone, Copy)]
pub struct Accounts<'a> {
    pub(super) db: &'a Db,
    pub(super) finder: &'a Finder,
    pub(super) changes: &'a Changes,
}

impl Accounts<'_> {
    /// Another number whenever this process has removed an account, kept one out, let one in again, or given one another
    /// role: what was looked up after a number was read holds as long as that is the number.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.changes.count()
    }

    /// Makes an account that may log in with `keys`, one set per hash.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the address is taken; nothing has changed then.
    pub async fn create(
        &self,
        jid: &BareJid,
        role: Role,
        keys: &[ScramKeys],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            transaction!(self.db, tx => {
                insert_account!(tx, jid, role, now);
                for key in keys {
                    insert_key!(jid, key).execute(&mut *tx).await?;
                }
            });
            Ok(())
        })
        .await
    }

    /// Removes the account and everything that belongs to it; `None` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&self, jid: &BareJid) -> Result<Option<Removed>, StoreError> {
        let _changing = self.changes.one();
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            // It may be long, and no foreign key leads from it: rooms have archives, too.
            archive::remove(self.db, jid).await?;
            let (rows, found) = transaction!(self.db, tx => {
                let rows: Vec<roster::Row> = sqlx::query_as(roster::LOAD)
                    .bind(jid.as_str())
                    .bind(roster::ITEMS_CEILING)
                    .fetch_all(&mut *tx)
                    .await?;
                for leave in pubsub::LEAVE.into_iter().chain([room::LEAVE]) {
                    sqlx::query(leave).bind(jid.as_str()).execute(&mut *tx).await?;
                }
                // The foreign keys take the rest along.
                let gone = sqlx::query(DELETE).bind(jid.as_str()).execute(&mut *tx).await?;
                (rows, gone.rows_affected() > 0)
            });
            // What came meanwhile.
            archive::remove(self.db, jid).await?;
            if !found {
                return Ok(None);
            }
            let roster = rows
                .into_iter()
                .map(RosterItem::try_from)
                .collect::<Result<_, _>>()?;
            Ok(Some(Removed { roster }))
        })
        .await
    }

    /// Replaces all keys and ends all tokens; `false` when there is no such account.
    ///
    /// # Errors
    /// When the database fails; the old keys stay then.
    pub async fn set_password(
        &self,
        jid: &BareJid,
        keys: &[ScramKeys],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            transaction!(self.db, tx => {
                let changed = sqlx::query(CHANGE_PASSWORD)
                    .bind(jid.as_str())
                    .bind(now.as_micros())
                    .execute(&mut *tx)
                    .await?;
                if changed.rows_affected() == 0 {
                    return Ok(false);
                }
                sqlx::query(DELETE_KEYS).bind(jid.as_str()).execute(&mut *tx).await?;
                sqlx::query(REVOKE_ALL).bind(jid.as_str()).execute(&mut *tx).await?;
                for key in keys {
                    insert_key!(jid, key).execute(&mut *tx).await?;
                }
            });
            Ok(true)
        })
        .await
    }

    /// Lets the account log in again; `false` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enable(&self, jid: &BareJid) -> Result<bool, StoreError> {
        let _changing = self.changes.one();
        writing!(self.db, pool => {
            let changed = sqlx::query(SET_ENABLED)
                .bind(jid.as_str())
                .bind(true)
                .execute(pool)
                .await?;
            Ok(changed.rows_affected() > 0)
        })
    }

    /// Lets the account log in no more and ends its tokens; `false` when there is none. Its sessions
    /// are not ended by this.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disable(&self, jid: &BareJid) -> Result<bool, StoreError> {
        let _changing = self.changes.one();
        Box::pin(async {
            let changed = transaction!(self.db, tx => {
                let changed = sqlx::query(SET_ENABLED)
                    .bind(jid.as_str())
                    .bind(false)
                    .execute(&mut *tx)
                    .await?;
                sqlx::query(REVOKE_ALL).bind(jid.as_str()).execute(&mut *tx).await?;
                changed.rows_affected()
            });
            Ok(changed > 0)
        })
        .await
    }

    /// Gives the account another role; `false` when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_role(&self, jid: &BareJid, role: Role) -> Result<bool, StoreError> {
        let _changing = self.changes.one();
        writing!(self.db, pool => {
            let changed = sqlx::query(SET_ROLE)
                .bind(jid.as_str())
                .bind(role.name())
                .execute(pool)
                .await?;
            Ok(changed.rows_affected() > 0)
        })
    }

    /// Notes that the account's last resource went (XEP-0012); `false` when there is no account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_last_seen(
        &self,
        jid: &BareJid,
        last_seen: LastSeen,
    ) -> Result<bool, StoreError> {
        let LastSeen { at, status } = last_seen;
        writing!(self.db, pool => {
            let changed = sqlx::query(SET_LAST_SEEN)
                .bind(jid.as_str())
                .bind(at.as_micros())
                .bind(status)
                .execute(pool)
                .await?;
            Ok(changed.rows_affected() > 0)
        })
    }

    /// The account of that address. Those that are looked for at the same moment are found together.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, jid: &BareJid) -> Result<Option<Account>, StoreError> {
        self.finder.write(jid.clone()).await
    }

    /// Accounts of a domain in the order of their addresses, beginning behind `after`; at most 1,000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(
        &self,
        domain: &str,
        after: Option<&BareJid>,
        limit: u32,
    ) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(PAGE)
                .bind(domain)
                .bind(after.map_or("", |jid| jid.as_str()))
                .bind(i64::from(limit.min(PAGE_MAX)))
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Account::try_from).collect()
    }

    /// How many accounts of a domain may not log in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_disabled(&self, domain: &str) -> Result<u64, StoreError> {
        let count: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(COUNT_DISABLED).bind(domain).fetch_one(pool).await?
        });
        Ok(count.unsigned_abs())
    }

    /// The accounts of a domain that have exactly that role, in the order of their addresses; at most 1,000.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn with_role(&self, domain: &str, role: Role) -> Result<Vec<Account>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(WITH_ROLE)
                .bind(role.name())
                .bind(domain)
                .bind(i64::from(PAGE_MAX))
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Account::try_from).collect()
    }

    /// How many accounts a domain has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(&self, domain: &str) -> Result<u64, StoreError> {
        let count: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(COUNT).bind(domain).fetch_one(pool).await?
        });
        Ok(count.unsigned_abs())
    }
}

#[derive(FromRow)]
struct Row {
    jid: String,
    role: String,
    enabled: bool,
    created_at: i64,
    last_seen_at: Option<i64>,
    last_status: Option<String>,
}

impl TryFrom<Row> for Account {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            jid: BareJid::new(&row.jid).map_err(|e| StoreError::corrupt("account.jid", e))?,
            role: row
                .role
                .parse()
                .map_err(|e| StoreError::corrupt("account.role", e))?,
            enabled: row.enabled,
            created_at: Timestamp::from_micros(row.created_at),
            last_seen: row.last_seen_at.map(|at| LastSeen {
                at: Timestamp::from_micros(at),
                status: row.last_status,
            }),
        })
    }
}
