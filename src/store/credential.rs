//! What accounts log in with: the keys of their password, one set per hash of SCRAM (RFC 5802 §3).
//!
//! The password itself is never stored. Keys are written with their account, in
//! [`super::account`].

use std::fmt;

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::domain::rights::Role;
use crate::proto::jid::BareJid;
use crate::proto::scram::{ScramHash, ScramKeys};

/// What a log-in needs to know of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Whether the account may log in at all: `account-disabled` (RFC 6120 §6.5.1) otherwise.
    pub enabled: bool,
    /// What the session may do.
    pub role: Role,
    /// The keys; `None` when the account has none for the hash that was asked for.
    pub keys: Option<ScramKeys>,
}

/// Without the keys.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("enabled", &self.enabled)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

queries! {
    INSERT = "insert into credential (account, hash, salt, iterations, stored_key, server_key)
        values ($1, $2, $3, $4, $5, $6)";
    HASHES = "select hash from credential where account = $1";
    // Changes nothing; until the end of the transaction no password is changed.
    LOCK = "update account set enabled = enabled where jid = $1 and password_changed_at <= $2";
    COUNT = "select count(*) from credential where account = $1 and hash = $2";
    FOR_HASH = "select a.enabled, a.role, c.hash, c.salt, c.iterations, c.stored_key, c.server_key
        from account a left join credential c on c.account = a.jid and c.hash = $2
        where a.jid = $1";
    // A longer key is that of a stronger hash.
    STRONGEST = "select a.enabled, a.role, c.hash, c.salt, c.iterations, c.stored_key, c.server_key
        from account a left join credential c on c.account = a.jid
        where a.jid = $1 order by length(c.stored_key) desc limit 1";
}

pub(super) const INSERT_KEY: &str = INSERT;

/// The statement that stores one set of keys, for use in a transaction of either database.
macro_rules! insert_key {
    ($jid:expr, $key:expr) => {
        sqlx::query($crate::store::credential::INSERT_KEY)
            .bind($jid.as_str())
            .bind($key.hash.name())
            .bind($key.salt.as_slice())
            .bind(i64::from($key.iterations))
            .bind($key.stored_key.as_slice())
            .bind($key.server_key.as_slice())
    };
}
pub(super) use insert_key;

/// Reads what logs in; from [`super::Store::credentials`].
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    pub(super) db: &'a Db,
}

impl Credentials<'_> {
    /// The keys for one hash, for SCRAM; `None` when there is no such account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, jid: &BareJid, hash: ScramHash) -> Result<Option<Login>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FOR_HASH)
                .bind(jid.as_str())
                .bind(hash.name())
                .fetch_optional(pool)
                .await?
        });
        row.map(Login::try_from).transpose()
    }

    /// The hashes that the account has keys for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hashes(&self, jid: &BareJid) -> Result<Vec<ScramHash>, StoreError> {
        let names: Vec<String> = reading!(self.db, pool => {
            sqlx::query_scalar(HASHES).bind(jid.as_str()).fetch_all(pool).await?
        });
        let hash = |name: &String| ScramHash::parse(name);
        Ok(names.iter().filter_map(hash).collect())
    }

    /// Adds keys for a hash that the account has none for; `false` when it has some, or when its
    /// password is newer than `proved_at`, the moment at which the client knew it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add(
        &self,
        jid: &BareJid,
        key: &ScramKeys,
        proved_at: Timestamp,
    ) -> Result<bool, StoreError> {
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            transaction!(self.db, tx => {
                let locked = sqlx::query(LOCK)
                    .bind(jid.as_str())
                    .bind(proved_at.as_micros())
                    .execute(&mut *tx)
                    .await?;
                let present: i64 = sqlx::query_scalar(COUNT)
                    .bind(jid.as_str())
                    .bind(key.hash.name())
                    .fetch_one(&mut *tx)
                    .await?;
                if locked.rows_affected() == 0 || present > 0 {
                    return Ok(false);
                }
                insert_key!(jid, key).execute(&mut *tx).await?;
            });
            Ok(true)
        })
        .await
    }

    /// The keys of the strongest hash there is, for PLAIN; `None` when there is no such account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn strongest(&self, jid: &BareJid) -> Result<Option<Login>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(STRONGEST).bind(jid.as_str()).fetch_optional(pool).await?
        });
        row.map(Login::try_from).transpose()
    }
}

#[derive(FromRow)]
struct Row {
    enabled: bool,
    role: String,
    hash: Option<String>,
    salt: Option<Vec<u8>>,
    iterations: Option<i64>,
    stored_key: Option<Vec<u8>>,
    server_key: Option<Vec<u8>>,
}

/// A column of a credential holds what is never written there.
#[derive(Debug, thiserror::Error)]
#[error("not a value that is written there")]
struct BadCredential;

impl TryFrom<Row> for Login {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let role = row
            .role
            .parse()
            .map_err(|e| StoreError::corrupt("account.role", e))?;
        let keys = match (
            row.hash,
            row.salt,
            row.iterations,
            row.stored_key,
            row.server_key,
        ) {
            (Some(hash), Some(salt), Some(iterations), Some(stored_key), Some(server_key)) => {
                Some(ScramKeys {
                    hash: ScramHash::parse(&hash)
                        .ok_or_else(|| StoreError::corrupt("credential.hash", BadCredential))?,
                    salt,
                    iterations: u32::try_from(iterations)
                        .map_err(|e| StoreError::corrupt("credential.iterations", e))?,
                    stored_key,
                    server_key,
                })
            }
            // The outer join found no key.
            _ => None,
        };
        Ok(Self {
            enabled: row.enabled,
            role,
            keys,
        })
    }
}
