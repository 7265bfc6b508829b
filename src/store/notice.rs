//! What operators say to everybody who logs in: the message of the day, and the welcome of new accounts.

use sqlx::FromRow;

use super::db::{Db, queries, reading, writing};
use super::error::StoreError;
use crate::proto::jid::BareJid;

/// A text that accounts of a host are shown once.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Notice {
    /// Which of the host's notices: the caller's word.
    pub kind: String,
    /// The subject; may be empty.
    pub subject: String,
    /// The text.
    pub body: String,
    /// Changes when everybody shall see it anew.
    pub edition: String,
}

queries! {
    LIST = "select kind, subject, body, edition from notice where host = $1 order by kind";
    PUT = "insert into notice (host, kind, subject, body, edition) values ($1, $2, $3, $4, $5)
        on conflict (host, kind) do update set subject = excluded.subject,
            body = excluded.body, edition = excluded.edition";
    DELETE = "delete from notice where host = $1 and kind = $2";
    SHOW = "insert into notice_shown (account, kind, edition) values ($1, $2, $3)
        on conflict (account, kind) do update set edition = excluded.edition
            where notice_shown.edition <> excluded.edition";
    SHOWN = "select edition from notice_shown where account = $1 and kind = $2";
}

/// Operations on notices; from [`super::Store::notices`].
#[derive(Clone, Copy, Debug)]
pub struct Notices<'a> {
    pub(super) db: &'a Db,
}

impl Notices<'_> {
    /// The notices of a host, one of each kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, host: &str) -> Result<Vec<Notice>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(LIST).bind(host).fetch_all(pool).await?
        }))
    }

    /// Puts a notice into the place of the one that was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put(&self, host: &str, notice: &Notice) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(PUT)
                .bind(host)
                .bind(notice.kind.as_str())
                .bind(notice.subject.as_str())
                .bind(notice.body.as_str())
                .bind(notice.edition.as_str())
                .execute(pool)
                .await?;
            Ok(())
        })
    }

    /// Takes a notice back; `false` when there was none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, host: &str, kind: &str) -> Result<bool, StoreError> {
        writing!(self.db, pool => {
            let gone = sqlx::query(DELETE).bind(host).bind(kind).execute(pool).await?;
            Ok(gone.rows_affected() > 0)
        })
    }

    /// Whether the account has been shown that edition.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_shown(
        &self,
        account: &BareJid,
        kind: &str,
        edition: &str,
    ) -> Result<bool, StoreError> {
        let shown: Option<String> = reading!(self.db, pool => {
            sqlx::query_scalar(SHOWN)
                .bind(account.as_str())
                .bind(kind)
                .fetch_optional(pool)
                .await?
        });
        Ok(shown.as_deref() == Some(edition))
    }

    /// Notes that the account is shown that edition; `false` when it was before. Of several sessions
    /// that ask at the same moment one is told `true`.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when there is no such account.
    pub async fn show(
        &self,
        account: &BareJid,
        kind: &str,
        edition: &str,
    ) -> Result<bool, StoreError> {
        writing!(self.db, pool => {
            let noted = sqlx::query(SHOW)
                .bind(account.as_str())
                .bind(kind)
                .bind(edition)
                .execute(pool)
                .await?;
            Ok(noted.rows_affected() > 0)
        })
    }
}
