//! Invitations (XEP-0401): what a token lets its holder do, and how often. The token itself is not kept, only its hash.

use sqlx::FromRow;

use super::Put;
use super::account::LOCK_ACCOUNT;
use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The SHA-256 of the token, in hexadecimal digits.
    pub token: String,
    /// The host that it is for.
    pub host: String,
    /// Who invites; none when the operator does.
    pub inviter: Option<BareJid>,
    /// The one account that may be made with it; any when none is named.
    pub account: Option<BareJid>,
    /// Whether an account may be made with it (XEP-0445).
    pub registers: bool,
    /// Whether inviter and invited become contacts of each other (XEP-0379).
    pub subscribes: bool,
    /// How often it can still be used.
    pub uses_left: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

queries! {
    COUNT = "select count(*) from invitation
        where inviter = $1 and expires_at > $2 and uses_left > 0";
    INSERT = "insert into invitation (token, host, inviter, account, registers, subscribes,
        uses_left, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    FIND = "select token, host, inviter, account, registers, subscribes, uses_left, created_at,
        expires_at from invitation where token = $1";
    USE = "update invitation set uses_left = uses_left - 1 where token = $1 and uses_left > 0";
    GIVE_BACK = "update invitation set uses_left = uses_left + 1 where token = $1";
    RESERVED = "select 1 from invitation
        where account = $1 and uses_left > 0 and expires_at > $2 and token <> $3 limit 1";
    LIST = "select token, host, inviter, account, registers, subscribes, uses_left, created_at,
        expires_at from invitation where uses_left > 0 and expires_at > $1
        order by expires_at, token limit cast($2 as bigint)";
    DELETE = "delete from invitation where token = $1";
    EXPIRE = "delete from invitation where expires_at <= $1";
}

/// Operations on invitations; from [`super::Store::invitations`].
#[derive(Clone, Copy, Debug)]
pub struct Invitations<'a> {
    pub(super) db: &'a Db,
}

impl Invitations<'_> {
    /// Keeps a new invitation; [`Put::Full`] when its inviter has `open_max` that can still be used.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`] when the inviter does not exist.
    pub async fn put(&self, invitation: &Invitation, open_max: u32) -> Result<Put, StoreError> {
        transaction!(self.db, tx => {
            if let Some(inviter) = &invitation.inviter {
                sqlx::query(LOCK_ACCOUNT).bind(inviter.as_str()).execute(&mut *tx).await?;
                let open: i64 = sqlx::query_scalar(COUNT)
                    .bind(inviter.as_str())
                    .bind(invitation.created_at.as_micros())
                    .fetch_one(&mut *tx)
                    .await?;
                if open >= i64::from(open_max) {
                    return Ok(Put::Full);
                }
            }
            sqlx::query(INSERT)
                .bind(invitation.token.as_str())
                .bind(invitation.host.as_str())
                .bind(invitation.inviter.as_ref().map(|jid| jid.as_str().to_owned()))
                .bind(invitation.account.as_ref().map(|jid| jid.as_str().to_owned()))
                .bind(invitation.registers)
                .bind(invitation.subscribes)
                .bind(i64::from(invitation.uses_left))
                .bind(invitation.created_at.as_micros())
                .bind(invitation.expires_at.as_micros())
                .execute(&mut *tx)
                .await?;
        });
        Ok(Put::Stored)
    }

    /// The invitation of that hash, expired or used up or not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, token: &str) -> Result<Option<Invitation>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FIND).bind(token).fetch_optional(pool).await?
        });
        row.map(Invitation::try_from).transpose()
    }

    /// Uses it once; `false` when it is used up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_use(&self, token: &str) -> Result<bool, StoreError> {
        writing!(self.db, pool => {
            let done = sqlx::query(USE).bind(token).execute(pool).await?;
            Ok(done.rows_affected() > 0)
        })
    }

    /// What it was used for did not come about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back_use(&self, token: &str) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(GIVE_BACK).bind(token).execute(pool).await?;
        });
        Ok(())
    }

    /// Whether that account is kept for the holder of another invitation than `token`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reserves(
        &self,
        account: &BareJid,
        token: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let found: Option<i32> = reading!(self.db, pool => {
            sqlx::query_scalar(RESERVED)
                .bind(account.as_str())
                .bind(now.as_micros())
                .bind(token)
                .fetch_optional(pool)
                .await?
        });
        Ok(found.is_some())
    }

    /// Those that can still be used, the soonest to end first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        now: Timestamp,
        count_max: u32,
    ) -> Result<Vec<Invitation>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(LIST)
                .bind(now.as_micros())
                .bind(i64::from(count_max))
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Invitation::try_from).collect()
    }

    /// Takes it back; `false` when there is none of that hash.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete(&self, token: &str) -> Result<bool, StoreError> {
        writing!(self.db, pool => {
            let gone = sqlx::query(DELETE).bind(token).execute(pool).await?;
            Ok(gone.rows_affected() > 0)
        })
    }

    /// Deletes those that have ended before that moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        writing!(self.db, pool => {
            let gone = sqlx::query(EXPIRE).bind(before.as_micros()).execute(pool).await?;
            Ok(gone.rows_affected())
        })
    }
}

#[derive(FromRow)]
struct Row {
    token: String,
    host: String,
    inviter: Option<String>,
    account: Option<String>,
    registers: bool,
    subscribes: bool,
    uses_left: i64,
    created_at: i64,
    expires_at: i64,
}

impl TryFrom<Row> for Invitation {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let jid = |text: Option<String>| {
            let jid = text.map(|text| BareJid::new(&text)).transpose();
            jid.map_err(|error| StoreError::corrupt("invitation", error))
        };
        Ok(Self {
            inviter: jid(row.inviter)?,
            account: jid(row.account)?,
            token: row.token,
            host: row.host,
            registers: row.registers,
            subscribes: row.subscribes,
            uses_left: u32::try_from(row.uses_left).unwrap_or(0),
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: Timestamp::from_micros(row.expires_at),
        })
    }
}
