//! Tokens that clients log in with instead of passwords (XEP-0484).
//!
//! A client, told by its installation, has at most two: one that it has used, and a newer one that
//! it may not have heard of yet (§5.1). The tokens are kept as they are, since both sides use them
//! as the key of a hash. They end with their time, with the password, and when the account
//! is disabled; see [`super::account`].

use std::fmt;

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

/// A token of a client.
#[derive(Clone, PartialEq, Eq, FromRow)]
pub struct FastToken {
    /// What it is known by.
    pub id: String,
    /// The name of the one mechanism that it serves.
    pub mechanism: String,
    /// The token itself.
    pub secret: String,
    /// When it was made, in microseconds.
    issued_at: i64,
    /// When it ends, in microseconds.
    expires_at: i64,
}

impl FastToken {
    /// When it ends.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_micros(self.expires_at)
    }
}

/// Without the token.
impl fmt::Debug for FastToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FastToken")
            .field("id", &self.id)
            .field("mechanism", &self.mechanism)
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

/// What a login does with tokens.
#[derive(Clone, Debug)]
pub struct TokenExchange<'a> {
    /// The account.
    pub account: &'a BareJid,
    /// The client's installation.
    pub agent: &'a str,
    /// The token that was used.
    pub redeemed: Option<Redeemed<'a>>,
    /// The name of the mechanism that the client wants a token for.
    pub request: Option<&'a str>,
    /// When the client's proof was compared with what the store had: a password that is newer
    /// leaves it without a token.
    pub proved_at: Timestamp,
    /// The present.
    pub now: Timestamp,
    /// What a new token would be.
    pub next: NewToken,
}

/// A token that was used.
#[derive(Clone, Copy, Debug)]
pub struct Redeemed<'a> {
    /// Its id.
    pub token: &'a str,
    /// The client's count, which must be higher than before; without one nothing is counted.
    pub count: Option<u32>,
    /// Whether it ends with this use.
    pub invalidate: bool,
}

/// A token to be given where one is due.
#[derive(Clone)]
pub struct NewToken {
    /// What it is known by; unique.
    pub id: String,
    /// The token itself; not guessable.
    pub secret: String,
    /// How long it lasts.
    pub lifetime_seconds: i64,
    /// After how long a used token is due for replacement.
    pub rotation_seconds: i64,
    /// How many clients of an account have tokens.
    pub clients_max: u32,
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken").finish_non_exhaustive()
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokensExchanged {
    /// The account may not log in, or the token that was used is gone, over, or was used with that
    /// count before. Nothing has changed.
    Refused,
    /// Nothing was given.
    Kept,
    /// The new token was given; it ends then.
    Issued(Timestamp),
}

queries! {
    FIND = "select id, mechanism, secret, issued_at, expires_at from fast_token
        where account = $1 and agent = $2 order by issued_at desc, used";
    // Changes nothing; until the end of the transaction no password is changed.
    LOCK = "update account set enabled = enabled where jid = $1 and enabled";
    PASSWORD = "select password_changed_at from account where jid = $1";
    USE = "update fast_token set used = true,
            used_count = case when used_count < $4 then $4 else used_count end
        where id = $1 and account = $2 and agent = $3 and used_count < $5 and expires_at > $6";
    LOAD = "select id, mechanism, secret, issued_at, expires_at from fast_token where id = $1";
    END_EARLIER = "delete from fast_token
        where account = $1 and agent = $2 and id <> $3 and expires_at <= $4";
    END = "delete from fast_token where id = $1";
    END_UNUSED = "delete from fast_token where account = $1 and agent = $2 and not used";
    END_OF_OTHERS = "delete from fast_token where account = $1 and agent in (
        select agent from fast_token where account = $1 and agent <> $2
        group by agent order by max(issued_at) desc, agent limit cast($3 as bigint) offset $4)";
    INSERT = "insert into fast_token
        (id, account, agent, mechanism, secret, used, used_count, issued_at, expires_at)
        values ($1, $2, $3, $4, $5, false, -1, $6, $7)";
    REVOKE = "delete from fast_token where account = $1";
    PURGE = "delete from fast_token where expires_at <= $1";
}

/// Ends every token of an account.
pub(super) const REVOKE_ALL: &str = REVOKE;

/// All clients that an account may ever have had tokens for.
const CLIENTS_CEILING: i64 = 1_000_000;

/// Operations on tokens; from [`super::Store::fast_tokens`].
#[derive(Clone, Copy, Debug)]
pub struct FastTokens<'a> {
    pub(super) db: &'a Db,
}

impl FastTokens<'_> {
    /// The tokens of a client, the newest first, with those that are over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&self, account: &BareJid, agent: &str) -> Result<Vec<FastToken>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_as(FIND)
                .bind(account.as_str())
                .bind(agent)
                .fetch_all(pool)
                .await?
        }))
    }

    /// Takes the token that was used, ends those that it replaces, and gives a new one where the
    /// client asks for it or the used one has grown old.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn exchange(
        &self,
        exchange: &TokenExchange<'_>,
    ) -> Result<TokensExchanged, StoreError> {
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(self.run(exchange)).await
    }

    async fn run(&self, exchange: &TokenExchange<'_>) -> Result<TokensExchanged, StoreError> {
        let TokenExchange { now, agent, .. } = *exchange;
        let account = exchange.account.as_str();
        let next = &exchange.next;
        let mut issued = TokensExchanged::Kept;
        transaction!(self.db, tx => {
            let locked = sqlx::query(LOCK).bind(account).execute(&mut *tx).await?;
            if locked.rows_affected() == 0 {
                return Ok(TokensExchanged::Refused);
            }
            let mut used: Option<FastToken> = None;
            if let Some(redeemed) = exchange.redeemed {
                let count = redeemed.count.map(i64::from);
                let changed = sqlx::query(USE)
                    .bind(redeemed.token)
                    .bind(account)
                    .bind(agent)
                    .bind(count.unwrap_or(-1))
                    .bind(count.unwrap_or(i64::MAX))
                    .bind(now.as_micros())
                    .execute(&mut *tx)
                    .await?;
                if changed.rows_affected() == 0 {
                    return Ok(TokensExchanged::Refused);
                }
                let token: FastToken =
                    sqlx::query_as(LOAD).bind(redeemed.token).fetch_one(&mut *tx).await?;
                sqlx::query(END_EARLIER)
                    .bind(account)
                    .bind(agent)
                    .bind(&token.id)
                    .bind(token.expires_at)
                    .execute(&mut *tx)
                    .await?;
                if redeemed.invalidate {
                    sqlx::query(END).bind(&token.id).execute(&mut *tx).await?;
                }
                used = Some(token);
            }
            if let Some(mechanism) = due(exchange, used.as_ref()) {
                let changed_at: i64 =
                    sqlx::query_scalar(PASSWORD).bind(account).fetch_one(&mut *tx).await?;
                if used.is_some() || changed_at <= exchange.proved_at.as_micros() {
                    let expiry = now.plus_seconds(next.lifetime_seconds);
                    sqlx::query(END_UNUSED).bind(account).bind(agent).execute(&mut *tx).await?;
                    sqlx::query(END_OF_OTHERS)
                        .bind(account)
                        .bind(agent)
                        .bind(CLIENTS_CEILING)
                        .bind(i64::from(next.clients_max) - 1)
                        .execute(&mut *tx)
                        .await?;
                    sqlx::query(INSERT)
                        .bind(&next.id)
                        .bind(account)
                        .bind(agent)
                        .bind(mechanism)
                        .bind(&next.secret)
                        .bind(now.as_micros())
                        .bind(expiry.as_micros())
                        .execute(&mut *tx)
                        .await?;
                    issued = TokensExchanged::Issued(expiry);
                }
            }
        });
        Ok(issued)
    }

    /// Removes what is over, and tells how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        writing!(self.db, pool => {
            let gone = sqlx::query(PURGE).bind(now.as_micros()).execute(pool).await?;
            Ok(gone.rows_affected())
        })
    }
}

/// The mechanism of the token that is to be given: the one that the client asks for, else that of
/// a used token which has grown old and is not being given up (XEP-0484 §3.5, §3.6).
fn due<'a>(exchange: &TokenExchange<'a>, used: Option<&'a FastToken>) -> Option<&'a str> {
    let kept = exchange
        .redeemed
        .is_some_and(|redeemed| !redeemed.invalidate);
    let old = |token: &&FastToken| {
        let issued = Timestamp::from_micros(token.issued_at);
        kept && exchange.now.seconds_since(issued) >= exchange.next.rotation_seconds
    };
    exchange
        .request
        .or_else(|| used.filter(old).map(|token| token.mechanism.as_str()))
}
