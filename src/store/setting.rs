//! What the server remembers about itself, by name: secrets that are made once and must then be the same
//! after every start and on every node.

use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;

queries! {
    FIND = "select value from setting where name = $1";
    CREATE = "insert into setting (name, value) values ($1, $2) on conflict (name) do nothing";
    TOUCH = "select name from setting limit 1";
}

/// Operations on settings; from [`super::Store::settings`].
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    pub(super) db: &'a Db,
}

impl Settings<'_> {
    /// The value of that name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(FIND).bind(name).fetch_optional(pool).await?
        }))
    }

    /// The value of that name, made by `make` when there is none. Of several that make it at the same
    /// moment one wins, and all get that one's value.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find_or_create(
        &self,
        name: &str,
        make: impl FnOnce() -> Vec<u8> + Send,
    ) -> Result<Vec<u8>, StoreError> {
        if let Some(value) = self.find(name).await? {
            return Ok(value);
        }
        let value = make();
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            Ok(transaction!(self.db, tx => {
                sqlx::query(CREATE).bind(name).bind(value).execute(&mut *tx).await?;
                sqlx::query_scalar(FIND).bind(name).fetch_one(&mut *tx).await?
            }))
        })
        .await
    }

    /// Reads something of which it does not matter what it is.
    pub(super) async fn touch(&self) -> Result<(), StoreError> {
        let _any: Option<String> = reading!(self.db, pool => {
            sqlx::query_scalar(TOUCH).fetch_optional(pool).await?
        });
        Ok(())
    }
}
