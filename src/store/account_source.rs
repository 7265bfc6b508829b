//! Who knows the person of an account that has no password of its own here.

use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;
use crate::proto::jid::BareJid;

queries! {
    FIND = "select source from account_source where account = $1";
    KEYS = "select count(*) from credential where account = $1";
    PUT = "insert into account_source (account, source) values ($1, $2)
        on conflict (account) do nothing";
}

/// Operations on the sources of accounts; from [`super::Store::account_sources`].
#[derive(Clone, Copy, Debug)]
pub struct AccountSources<'a> {
    pub(super) db: &'a Db,
}

impl AccountSources<'_> {
    /// The source of the account; `None` when it has a password of its own, or does not exist.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, account: &BareJid) -> Result<Option<String>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(FIND)
                .bind(account.as_str())
                .fetch_optional(pool)
                .await?
        }))
    }

    /// Notes the source of an account that has none; whether it is its source now. An account with a
    /// password of its own keeps that, and one of another source stays with it.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when there is no such account.
    pub async fn put(&self, account: &BareJid, source: &str) -> Result<bool, StoreError> {
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            let noted: Option<String> = transaction!(self.db, tx => {
                let keys: i64 = sqlx::query_scalar(KEYS)
                    .bind(account.as_str())
                    .fetch_one(&mut *tx)
                    .await?;
                if keys > 0 {
                    return Ok(false);
                }
                sqlx::query(PUT)
                    .bind(account.as_str())
                    .bind(source)
                    .execute(&mut *tx)
                    .await?;
                sqlx::query_scalar(FIND)
                    .bind(account.as_str())
                    .fetch_optional(&mut *tx)
                    .await?
            });
            Ok(noted.as_deref() == Some(source))
        })
        .await
    }
}
