//! What accounts want archived (XEP-0441).

use sqlx::FromRow;

use super::Archive;
use crate::proto::jid::BareJid;
use crate::store::db::{queries, reading, writing};
use crate::store::error::StoreError;

/// Preferences as an account set them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivePreference {
    /// The word for everybody who is on neither list.
    pub otherwise: String,
    /// Addresses whose messages are archived.
    pub always: Vec<String>,
    /// Addresses whose messages are not archived.
    pub never: Vec<String>,
}

queries! {
    // One row for an account, with nothing in it when it has set nothing.
    FIND = "select a.jid, p.otherwise, p.listed_always, p.listed_never from account a
        left join archive_preference p on p.owner = a.jid where a.jid = $1";
    PUT = "insert into archive_preference (owner, otherwise, listed_always, listed_never)
        values ($1, $2, $3, $4) on conflict (owner) do update set otherwise = excluded.otherwise,
        listed_always = excluded.listed_always, listed_never = excluded.listed_never";
}

/// What is between two addresses of a list; no address contains it.
const SEPARATOR: char = '\n';

impl Archive<'_> {
    /// What the account prefers: `None` when there is no such account, `Some(None)` when it has set
    /// nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn preference(
        &self,
        owner: &BareJid,
    ) -> Result<Option<Option<ArchivePreference>>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FIND).bind(owner.as_str()).fetch_optional(pool).await?
        });
        Ok(row.map(Row::preference))
    }

    /// Sets what the account prefers.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when it does not exist.
    pub async fn set_preference(
        &self,
        owner: &BareJid,
        preference: &ArchivePreference,
    ) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(PUT)
                .bind(owner.as_str())
                .bind(preference.otherwise.as_str())
                .bind(joined(&preference.always))
                .bind(joined(&preference.never))
                .execute(pool)
                .await?;
        });
        Ok(())
    }
}

pub(in crate::store) fn joined(addresses: &[String]) -> String {
    addresses.join("\n")
}

#[derive(FromRow)]
struct Row {
    otherwise: Option<String>,
    listed_always: Option<String>,
    listed_never: Option<String>,
}

impl Row {
    fn preference(self) -> Option<ArchivePreference> {
        let list = |text: Option<String>| -> Vec<String> {
            let text = text.unwrap_or_default();
            let addresses = text.split(SEPARATOR).filter(|address| !address.is_empty());
            addresses.map(str::to_owned).collect()
        };
        Some(ArchivePreference {
            otherwise: self.otherwise?,
            always: list(self.listed_always),
            never: list(self.listed_never),
        })
    }
}
