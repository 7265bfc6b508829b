//! Rooms that outlast their occupants (XEP-0045), and who is what in them.
//!
//! Configuration, subject and vCard are kept as the bytes that the extension gives; the words for
//! affiliations are its own too.

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::jid::BareJid;

/// A room as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomRecord {
    /// Its address.
    pub jid: BareJid,
    /// Whose bound it counts against.
    pub creator: BareJid,
    /// When it was created.
    pub created_at: Timestamp,
    /// The filled-in form of its configuration.
    pub config: Vec<u8>,
    /// The message that set its subject.
    pub subject: Option<Vec<u8>>,
    /// Its vCard.
    pub vcard: Option<Vec<u8>>,
    /// The hats that may be given in it (XEP-0317).
    pub hats: Option<Vec<u8>>,
}

/// What an account is in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomAffiliation {
    /// The account.
    pub jid: BareJid,
    /// The word for its affiliation.
    pub affiliation: String,
    /// The nickname that is reserved for it.
    pub nick: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The URIs of the hats that it wears, one a line.
    pub hats: Option<String>,
}

/// What goes with an account: whoever gets its address later is nothing in any room.
pub(super) const LEAVE: &str = LEAVE_ROOMS;

queries! {
    ROOMS = "select jid, creator, created_at, config, subject, vcard, hats from room
        where jid > $1 order by jid limit cast($2 as bigint)";
    AFFILIATIONS = "select jid, affiliation, nick, reason, hats from room_affiliation
        where room = $1 order by jid";
    PUT_ROOM = "insert into room (jid, creator, created_at, config, subject, vcard, hats)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (jid) do update set config = excluded.config, subject = excluded.subject,
            vcard = excluded.vcard, hats = excluded.hats";
    REMOVE_ROOM = "delete from room where jid = $1";
    PUT_AFFILIATION = "insert into room_affiliation (room, jid, affiliation, nick, reason, hats)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (room, jid) do update set affiliation = excluded.affiliation,
            nick = excluded.nick, reason = excluded.reason, hats = excluded.hats";
    REMOVE_AFFILIATION = "delete from room_affiliation where room = $1 and jid = $2";
    LEAVE_ROOMS = "delete from room_affiliation where jid = $1";
}

/// Rooms listed at once.
const PAGE_MAX: i64 = 500;

/// Operations on rooms; from [`super::Store::rooms`].
#[derive(Clone, Copy, Debug)]
pub struct Rooms<'a> {
    pub(super) db: &'a Db,
}

impl Rooms<'_> {
    /// Rooms in the order of their addresses, beginning behind `after` (empty for the first); at most
    /// 500.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(&self, after: &str) -> Result<Vec<RoomRecord>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(ROOMS).bind(after).bind(PAGE_MAX).fetch_all(pool).await?
        });
        rows.into_iter().map(RoomRecord::try_from).collect()
    }

    /// Who is what in the room.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn affiliations(&self, room: &BareJid) -> Result<Vec<RoomAffiliation>, StoreError> {
        let rows: Vec<AffiliationRow> = reading!(self.db, pool => {
            sqlx::query_as(AFFILIATIONS).bind(room.as_str()).fetch_all(pool).await?
        });
        rows.into_iter().map(RoomAffiliation::try_from).collect()
    }

    /// Stores the room, and of the affiliations those that have changed; `None` removes one.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn put(
        &self,
        room: &RoomRecord,
        affiliations: &[(BareJid, Option<RoomAffiliation>)],
    ) -> Result<(), StoreError> {
        transaction!(self.db, tx => {
            sqlx::query(PUT_ROOM)
                .bind(room.jid.as_str())
                .bind(room.creator.as_str())
                .bind(room.created_at.as_micros())
                .bind(room.config.as_slice())
                .bind(room.subject.as_deref())
                .bind(room.vcard.as_deref())
                .bind(room.hats.as_deref())
                .execute(&mut *tx)
                .await?;
            for (jid, affiliation) in affiliations {
                match affiliation {
                    Some(it) => {
                        sqlx::query(PUT_AFFILIATION)
                            .bind(room.jid.as_str())
                            .bind(jid.as_str())
                            .bind(it.affiliation.as_str())
                            .bind(it.nick.as_deref())
                            .bind(it.reason.as_deref())
                            .bind(it.hats.as_deref())
                            .execute(&mut *tx)
                            .await?;
                    }
                    None => {
                        sqlx::query(REMOVE_AFFILIATION)
                            .bind(room.jid.as_str())
                            .bind(jid.as_str())
                            .execute(&mut *tx)
                            .await?;
                    }
                }
            }
        });
        Ok(())
    }

    /// Forgets the room.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&self, room: &BareJid) -> Result<(), StoreError> {
        writing!(self.db, pool => {
            sqlx::query(REMOVE_ROOM).bind(room.as_str()).execute(pool).await?;
        });
        Ok(())
    }
}

#[derive(FromRow)]
struct Row {
    jid: String,
    creator: String,
    created_at: i64,
    config: Vec<u8>,
    subject: Option<Vec<u8>>,
    vcard: Option<Vec<u8>>,
    hats: Option<Vec<u8>>,
}

impl TryFrom<Row> for RoomRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            jid: address(&row.jid)?,
            creator: address(&row.creator)?,
            created_at: Timestamp::from_micros(row.created_at),
            config: row.config,
            subject: row.subject,
            vcard: row.vcard,
            hats: row.hats,
        })
    }
}

#[derive(FromRow)]
struct AffiliationRow {
    jid: String,
    affiliation: String,
    nick: Option<String>,
    reason: Option<String>,
    hats: Option<String>,
}

impl TryFrom<AffiliationRow> for RoomAffiliation {
    type Error = StoreError;

    fn try_from(row: AffiliationRow) -> Result<Self, StoreError> {
        Ok(Self {
            jid: address(&row.jid)?,
            affiliation: row.affiliation,
            nick: row.nick,
            reason: row.reason,
            hats: row.hats,
        })
    }
}

fn address(text: &str) -> Result<BareJid, StoreError> {
    BareJid::new(text).map_err(|e| StoreError::corrupt("address of a room", e))
}
