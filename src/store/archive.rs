//! Message archives (XEP-0313): what accounts and rooms exchanged, in the order of time.
//!
//! Writing queues the message and tells when it is durable; nobody waits for that but the
//! sender's acknowledgement. Reading goes by keys: a page of a million messages costs what a page
//! of a hundred does. A search for words goes by summaries of a hundred messages each, the same on both
//! databases and for every language. What is archived at all, and what a word is, is decided elsewhere.

use bytes::Bytes;
use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::jid::{BareJid, Jid};

mod id;
mod named;
mod paging;
pub(super) mod preference;
mod replacing;
mod search;
mod summary;
mod word;
pub(super) mod writing;

pub use id::{ArchiveId, Ids as ArchiveIds, UnknownArchiveId};
pub use preference::ArchivePreference;
pub use word::{ArchiveWords, WORDS_MAX, archive_word};
pub use writing::Appended as ArchiveAppended;
pub(super) use writing::{Writer, insert_messages};

pub(super) const PREFERENCE_QUERIES: &[(&str, &str)] = preference::QUERIES;
pub(super) const PAGING_QUERIES: &[(&str, &str)] = paging::QUERIES;
pub(super) const SEARCH_QUERIES: &[(&str, &str)] = search::QUERIES;

/// A message that is to be archived.
#[derive(Clone, Debug)]
pub struct NewArchived {
    /// Whose archive: an account's or a room's address.
    pub owner: BareJid,
    /// Whom it was exchanged with; for a room who said it.
    pub with: Jid,
    /// The whole stanza.
    pub stanza: Bytes,
    /// The numbers of its words, each once ([`archive_word`]); none for what is not to be found.
    pub words: Vec<i64>,
}

/// Which messages are asked for; all by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveFilter {
    /// Exchanged with that address: with any of its resources when it has none.
    pub with: Option<Jid>,
    /// Not before that moment.
    pub start: Option<Timestamp>,
    /// Not after that moment.
    pub end: Option<Timestamp>,
    /// Behind that message.
    pub after: Option<ArchiveId>,
    /// Before that message.
    pub before: Option<ArchiveId>,
    /// With all of these words; more than [`WORDS_MAX`] are not looked at.
    pub words: Vec<i64>,
}

/// From which end of the matching messages a page is taken. In the page they are in the order of
/// time either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveEnd {
    /// The oldest ones.
    Oldest,
    /// The latest ones.
    Latest,
}

/// An archived message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archived {
    /// Its id, which also tells when it came.
    pub id: ArchiveId,
    /// The whole stanza.
    pub stanza: Bytes,
}

/// A page of an archive, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchivePage {
    /// The messages.
    pub messages: Vec<Archived>,
    /// Whether more match beyond the page, in the direction in which it was taken.
    pub more: bool,
}

/// How much a page may hold.
#[derive(Clone, Copy, Debug)]
pub struct ArchivePageLimits {
    /// At most that many messages.
    pub messages_max: u32,
    /// No further message once there are that many bytes.
    pub bytes_max: usize,
}

/// Messages that are deleted in one transaction.
const PURGE_MAX: i64 = 256;

queries! {
    // It is written with as many rows as a group has; here with one.
    APPEND = "insert into archive_message (owner, id, conversation, peer_resource, stanza, words)
        values ($1, $2, $3, $4, $5, $6)";
    // One row for all archives: their messages have no index by their ids alone.
    LAST_ID = "select value from setting where name = 'last id of the archives'";
    SET_LAST_ID = "insert into setting (name, value) values ('last id of the archives', $1)
        on conflict (name) do update set value = excluded.value";
    FIND = "select id, stanza from archive_message where owner = $1 and id = $2";
    REPLACE = "update archive_message set stanza = $3, words = $4 where owner = $1 and id = $2";
    COUNT = "select count(*) from (select 1 as one from archive_message
        where owner = $1 and id > $2 and id < $3 limit cast($4 as bigint)) as counted";
    COUNT_WITH = "select count(*) from (select 1 as one from archive_message
        where conversation = $1 and id > $2 and id < $3
        and ($5 = '' or peer_resource = $5) limit cast($4 as bigint)) as counted";
    NEXT_OWNER = "select min(owner) from archive_message where owner > $1";
    NTH_LATEST = "select id from archive_message where owner = $1 order by id desc limit 1 offset $2";
    OLD = "select id from archive_message where owner = $1 and id < $2 order by id limit cast($3 as bigint)";
    DELETE_UP_TO = "delete from archive_message where owner = $1 and id <= $2";
    REMOVE = "delete from archive_message where owner = $1";
    LAST_SUMMARY = "select last_id from archive_summary where owner = $1
        order by last_id desc limit 1";
    ENOUGH_FOR_SUMMARY = "select id from archive_message
        where owner = $1 and id > $2 order by id limit 1 offset $3";
    // All in one row, as pages are (see paging.rs).
    WORDS = "select string_agg(id, ''), string_agg(words, '') from (select id, words
        from archive_message where owner = $1 and id > $2 and id <= $3 order by id) as summarized";
    ADD_SUMMARY = "insert into archive_summary (owner, last_id, first_id, words)
        values ($1, $2, $3, $4) on conflict (owner, last_id) do nothing";
    DELETE_SUMMARIES = "delete from archive_summary where owner = $1 and last_id <= $2";
    REMOVE_SUMMARIES = "delete from archive_summary where owner = $1";
}

/// For the transaction that makes an account: what an archive of that name still has.
pub(super) const DELETE_LEFT_OVER: [&str; 2] = [REMOVE, REMOVE_SUMMARIES];

/// Operations on archives; from [`super::Store::archive`].
#[derive(Clone, Copy)]
pub struct Archive<'a> {
    pub(super) db: &'a Db,
    pub(super) writer: &'a Writer,
}

impl Archive<'_> {
    /// Begins to archive a message that came at that moment. Its id is known at once.
    pub fn append(&self, message: NewArchived, moment: Timestamp) -> ArchiveAppended {
        self.writer.append(message, moment)
    }

    /// Returns when everything that was appended before can be read.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when the store is closed.
    pub async fn settle(&self) -> Result<(), StoreError> {
        self.writer.settle().await
    }

    /// The message of that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(
        &self,
        owner: &BareJid,
        id: ArchiveId,
    ) -> Result<Option<Archived>, StoreError> {
        let row: Option<Row> = reading!(self.db, pool => {
            sqlx::query_as(FIND)
                .bind(owner.as_str())
                .bind(id.to_bytes())
                .fetch_optional(pool)
                .await?
        });
        row.map(Archived::try_from).transpose()
    }

    /// How many messages match, words apart; `None` when there are more than `count_max`, or when words are
    /// asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(
        &self,
        owner: &BareJid,
        filter: &ArchiveFilter,
        count_max: u32,
    ) -> Result<Option<u64>, StoreError> {
        if !filter.words.is_empty() {
            return Ok(None);
        }
        let text = if filter.with.is_some() {
            COUNT_WITH
        } else {
            COUNT
        };
        let (low, high) = filter.bounds();
        let conversation = filter.conversation(owner);
        let first = conversation.unwrap_or_else(|| owner.as_str().to_owned());
        let count: i64 = reading!(self.db, pool => {
            let mut query = sqlx::query_scalar(text)
                .bind(first.as_str())
                .bind(low.to_bytes())
                .bind(high.to_bytes())
                .bind(i64::from(count_max) + 1);
            if filter.with.is_some() {
                query = query.bind(filter.resource());
            }
            query.fetch_one(pool).await?
        });
        let count = u64::try_from(count).unwrap_or(0);
        Ok((count <= u64::from(count_max)).then_some(count))
    }

    /// The first and the last message of an archive; `None` when it is empty.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ends(
        &self,
        owner: &BareJid,
    ) -> Result<Option<(ArchiveId, ArchiveId)>, StoreError> {
        let one = ArchivePageLimits {
            messages_max: 1,
            bytes_max: usize::MAX,
        };
        let all = ArchiveFilter::default();
        let first = self.page(owner, &all, ArchiveEnd::Oldest, one).await?;
        let last = self.page(owner, &all, ArchiveEnd::Latest, one).await?;
        let ends = first.messages.first().zip(last.messages.first());
        Ok(ends.map(|(first, last)| (first.id, last.id)))
    }

    /// The owner of an archive whose address comes next behind that text; empty for the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_owner(&self, behind: &str) -> Result<Option<String>, StoreError> {
        Ok(reading!(self.db, pool => {
            sqlx::query_scalar(NEXT_OWNER).bind(behind).fetch_one(pool).await?
        }))
    }

    /// The oldest message that an archive of at most so many keeps; `None` when it has no more than that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn oldest_of_latest(
        &self,
        owner: &str,
        messages_max: u32,
    ) -> Result<Option<ArchiveId>, StoreError> {
        let id: Option<Vec<u8>> = reading!(self.db, pool => {
            sqlx::query_scalar(NTH_LATEST)
                .bind(owner)
                .bind(i64::from(messages_max))
                .fetch_optional(pool)
                .await?
        });
        // The one at that place is one too many; what is kept begins behind it.
        let too_many = id.as_deref().map(id_of).transpose()?;
        Ok(too_many.map(ArchiveId::next))
    }

    /// Deletes messages before that one, a bounded number; returns how many. To be called until it
    /// returns 0.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&self, owner: &str, before: ArchiveId) -> Result<u64, StoreError> {
        Box::pin(purge(self.db, owner, before)).await
    }

    /// Deletes messages from before that moment, as [`Archive::purge`] does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self, owner: &str, before: Timestamp) -> Result<u64, StoreError> {
        Box::pin(self.purge(owner, ArchiveId::first_of(before))).await
    }

    /// Deletes a whole archive.
    ///
    /// # Errors
    /// When the database fails; some of it may be gone then.
    pub async fn remove(&self, owner: &BareJid) -> Result<(), StoreError> {
        self.settle().await?;
        remove(self.db, owner).await
    }
}

/// Deletes everything that is in an archive at this moment.
pub(super) async fn remove(db: &Db, owner: &BareJid) -> Result<(), StoreError> {
    while Box::pin(purge(db, owner.as_str(), ArchiveId::GREATEST)).await? > 0 {}
    Ok(())
}

async fn purge(db: &Db, owner: &str, before: ArchiveId) -> Result<u64, StoreError> {
    let old: Vec<Vec<u8>> = reading!(db, pool => {
        sqlx::query_scalar(OLD)
            .bind(owner)
            .bind(before.to_bytes())
            .bind(PURGE_MAX)
            .fetch_all(pool)
            .await?
    });
    let Some(last) = old.last() else {
        return Ok(0);
    };
    Ok(transaction!(db, tx => {
        let gone = sqlx::query(DELETE_UP_TO)
            .bind(owner)
            .bind(last.as_slice())
            .execute(&mut *tx)
            .await?;
        // Those of messages that are all gone.
        sqlx::query(DELETE_SUMMARIES)
            .bind(owner)
            .bind(last.as_slice())
            .execute(&mut *tx)
            .await?;
        gone.rows_affected()
    }))
}

impl NewArchived {
    pub(super) fn resource(&self) -> &str {
        self.with
            .resource()
            .map_or("", |resource| resource.as_str())
    }

    pub(super) fn words_as_bytes(&self) -> Vec<u8> {
        self.words
            .iter()
            .flat_map(|word| word.to_be_bytes())
            .collect()
    }
}

/// The numbers that [`NewArchived::words_as_bytes`] wrote.
pub(super) fn numbers(words: &[u8]) -> impl Iterator<Item = i64> {
    let (chunks, _) = words.as_chunks::<8>();
    chunks.iter().map(|bytes| i64::from_be_bytes(*bytes))
}

impl ArchiveFilter {
    /// The ids between which the messages lie, neither included.
    fn bounds(&self) -> (ArchiveId, ArchiveId) {
        let start = self.start.map(|start| ArchiveId::first_of(start).before());
        let end = self.end.map(|end| ArchiveId::first_of(next_moment(end)));
        let low = start.max(self.after).unwrap_or(ArchiveId::LEAST);
        let ends = [end, self.before];
        let high = ends.into_iter().flatten().min();
        (low, high.unwrap_or(ArchiveId::GREATEST))
    }

    fn conversation(&self, owner: &BareJid) -> Option<String> {
        let with = self.with.as_ref()?;
        Some(conversation(owner, with.bare()))
    }

    fn resource(&self) -> String {
        let resource = self.with.as_ref().and_then(Jid::resource);
        resource.map_or_else(String::new, |resource| resource.as_str().to_owned())
    }
}

pub(super) fn conversation(owner: &BareJid, peer: &BareJid) -> String {
    format!("{owner}\n{peer}")
}

const fn next_moment(moment: Timestamp) -> Timestamp {
    Timestamp::from_micros(moment.as_micros().saturating_add(1))
}

#[derive(FromRow)]
struct Row {
    id: Vec<u8>,
    stanza: Vec<u8>,
}

impl TryFrom<Row> for Archived {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: id_of(&row.id)?,
            stanza: row.stanza.into(),
        })
    }
}

fn id_of(bytes: &[u8]) -> Result<ArchiveId, StoreError> {
    ArchiveId::from_bytes(bytes).ok_or_else(|| StoreError::corrupt("id", UnknownArchiveId))
}
