//! Whom accounts block (XEP-0191).

use super::Put;
use super::account::LOCK_ACCOUNT;
use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::proto::Jid;
use crate::proto::jid::BareJid;

/// The most addresses that one account blocks, whatever the configuration says.
const ITEMS_CEILING: i64 = 100_000;

queries! {
    LIST = "select jid from blocked where owner = $1 order by jid limit cast($2 as bigint)";
    COUNT = "select count(*) from blocked where owner = $1";
    PUT = "insert into blocked (owner, jid) values ($1, $2) on conflict (owner, jid) do nothing";
    DELETE = "delete from blocked where owner = $1 and jid = $2";
    CLEAR = "delete from blocked where owner = $1";
}

pub(super) const BLOCK: &str = PUT;

/// Operations on blocked addresses; from [`super::Store::blocked`].
#[derive(Clone, Copy, Debug)]
pub struct Blocked<'a> {
    pub(super) db: &'a Db,
}

impl Blocked<'_> {
    /// All that the account blocks, in the order of their texts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, owner: &BareJid) -> Result<Vec<Jid>, StoreError> {
        let rows: Vec<String> = reading!(self.db, pool => {
            sqlx::query_scalar(LIST)
                .bind(owner.as_str())
                .bind(ITEMS_CEILING)
                .fetch_all(pool)
                .await?
        });
        let parsed = rows.iter().map(|jid| Jid::parse(jid));
        parsed
            .collect::<Result<_, _>>()
            .map_err(|error| StoreError::corrupt("blocked.jid", error))
    }

    /// Adds the addresses; those that are blocked already stay so. All are added, or none when the account would
    /// block more than `items_max`.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when the owner does not exist.
    pub async fn put(
        &self,
        owner: &BareJid,
        addresses: &[Jid],
        items_max: u32,
    ) -> Result<Put, StoreError> {
        let items_max = i64::from(items_max).min(ITEMS_CEILING);
        if i64::try_from(addresses.len()).is_ok_and(|count| count > items_max) {
            return Ok(Put::Full);
        }
        transaction!(self.db, tx => {
            sqlx::query(LOCK_ACCOUNT).bind(owner.as_str()).execute(&mut *tx).await?;
            for address in addresses {
                sqlx::query(PUT)
                    .bind(owner.as_str())
                    .bind(address.to_string())
                    .execute(&mut *tx)
                    .await?;
            }
            let count: i64 = sqlx::query_scalar(COUNT)
                .bind(owner.as_str())
                .fetch_one(&mut *tx)
                .await?;
            if count > items_max {
                return Ok(Put::Full);
            }
        });
        Ok(Put::Stored)
    }

    /// Takes the addresses out; those that are not blocked are passed over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, owner: &BareJid, addresses: &[Jid]) -> Result<(), StoreError> {
        transaction!(self.db, tx => {
            for address in addresses {
                sqlx::query(DELETE)
                    .bind(owner.as_str())
                    .bind(address.to_string())
                    .execute(&mut *tx)
                    .await?;
            }
        });
        Ok(())
    }

    /// Takes all of the account's addresses out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn clear(&self, owner: &BareJid) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(CLEAR).bind(owner.as_str()).execute(pool).await?;
        });
        Ok(())
    }
}
