//! Whom the server as a whole does not talk to, and whom alone it talks to (XEP-0133 §4.11, §4.12).

use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;
use crate::proto::jid::BareJid;

queries! {
    LOAD = "select jid from access_list where list = $1 order by jid";
    CLEAR = "delete from access_list where list = $1";
    ADD = "insert into access_list (list, jid) values ($1, $2) on conflict (list, jid) do nothing";
}

/// Operations on access lists; from [`super::Store::access_lists`].
#[derive(Clone, Copy, Debug)]
pub struct AccessLists<'a> {
    pub(super) db: &'a Db,
}

impl AccessLists<'_> {
    /// The addresses and domains of a list.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(&self, list: &str) -> Result<Vec<BareJid>, StoreError> {
        let rows: Vec<String> = reading!(self.db, pool => {
            sqlx::query_scalar(LOAD).bind(list).fetch_all(pool).await?
        });
        rows.iter()
            .map(|row| {
                BareJid::new(row).map_err(|error| StoreError::corrupt("access_list.jid", error))
            })
            .collect()
    }

    /// Replaces a list. The caller bounds it.
    ///
    /// # Errors
    /// When the database fails; the list is as it was then.
    pub async fn replace(&self, list: &str, jids: &[BareJid]) -> Result<(), StoreError> {
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            transaction!(self.db, tx => {
                sqlx::query(CLEAR).bind(list).execute(&mut *tx).await?;
                for jid in jids {
                    sqlx::query(ADD).bind(list).bind(jid.as_str()).execute(&mut *tx).await?;
                }
            });
            Ok(())
        })
        .await
    }
}
