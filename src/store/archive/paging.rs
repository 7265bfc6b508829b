//! Pages of an archive, of a conversation or of all (XEP-0313 §4.3).
//!
//! A driver hands rows from its thread to ours one by one, which costs several times what it takes to find them.
//! So the messages of a page come as one row: their ids side by side, their lengths, and the stanzas side by side,
//! which is also what they are given on as, without a copy.

use bytes::Bytes;
use sqlx::FromRow;

use super::{
    Archive, ArchiveEnd, ArchiveFilter, ArchiveId, ArchivePage, ArchivePageLimits, Archived, id_of,
};
use crate::proto::jid::BareJid;
use crate::store::db::{queries, reading};
use crate::store::error::StoreError;

/// Messages that are in memory at once beyond the bytes that a page may have; an ordinary page is fewer.
const AT_ONCE: usize = 64;

/// Bytes of an id.
const ID_BYTES: usize = 16;

/// The messages that a condition finds, in one row.
macro_rules! side_by_side {
    ($condition:literal) => {
        concat!(
            "select string_agg(id, '') as ids, string_agg(cast(length(stanza) as text), ',') as lengths,
            string_agg(stanza, '') as stanzas from (select id, stanza from archive_message ",
            $condition,
            ") as page"
        )
    };
}

queries! {
    OLDEST = side_by_side!("where owner = $1 and id > $2 and id < $3 order by id limit cast($4 as bigint)");
    LATEST = side_by_side!("where owner = $1 and id > $2 and id < $3 order by id desc limit cast($4 as bigint)");
    OLDEST_WITH = side_by_side!("where conversation = $1 and id > $2 and id < $3
        and ($5 = '' or peer_resource = $5) order by id limit cast($4 as bigint)");
    LATEST_WITH = side_by_side!("where conversation = $1 and id > $2 and id < $3
        and ($5 = '' or peer_resource = $5) order by id desc limit cast($4 as bigint)");
}

/// Where the messages of a page are looked for.
struct Place<'a> {
    text: &'static str,
    /// The owner, or the conversation.
    key: &'a str,
    /// Of whom it was exchanged with, where one is asked for.
    resource: Option<String>,
    low: ArchiveId,
    high: ArchiveId,
}

impl Archive<'_> {
    /// A page of the messages that match. `messages_max` 0 finds out only whether there are any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page(
        &self,
        owner: &BareJid,
        filter: &ArchiveFilter,
        end: ArchiveEnd,
        limits: ArchivePageLimits,
    ) -> Result<ArchivePage, StoreError> {
        if !filter.words.is_empty() {
            return Box::pin(self.search(owner, filter, end, limits)).await;
        }
        let conversation = filter.conversation(owner);
        let (low, high) = filter.bounds();
        let mut place = Place {
            text: match (end, &filter.with) {
                (ArchiveEnd::Oldest, None) => OLDEST,
                (ArchiveEnd::Latest, None) => LATEST,
                (ArchiveEnd::Oldest, Some(_)) => OLDEST_WITH,
                (ArchiveEnd::Latest, Some(_)) => LATEST_WITH,
            },
            key: conversation.as_deref().unwrap_or(owner.as_str()),
            resource: filter.with.as_ref().map(|_| filter.resource()),
            low,
            high,
        };
        let messages_max = usize::try_from(limits.messages_max).unwrap_or(usize::MAX);
        let mut page = ArchivePage::default();
        let mut bytes = 0_usize;
        while !page.more {
            // One more than the page has tells that there are more.
            let missing = messages_max.saturating_sub(page.messages.len());
            let wanted = missing.saturating_add(1).min(AT_ONCE);
            let found = self.some(&place, wanted).await?;
            let all = found.len() < wanted;
            for message in found {
                if page.messages.len() >= messages_max || bytes >= limits.bytes_max {
                    page.more = true;
                    break;
                }
                match end {
                    ArchiveEnd::Oldest => place.low = message.id,
                    ArchiveEnd::Latest => place.high = message.id,
                }
                bytes = bytes.saturating_add(message.stanza.len());
                page.messages.push(message);
            }
            if all {
                break;
            }
        }
        if end == ArchiveEnd::Latest {
            page.messages.reverse();
        }
        Ok(page)
    }

    /// So many messages, or all that there are.
    async fn some(&self, place: &Place<'_>, count: usize) -> Result<Vec<Archived>, StoreError> {
        let row: Row = reading!(self.db, pool => {
            let mut query = sqlx::query_as(place.text)
                .bind(place.key)
                .bind(place.low.to_bytes())
                .bind(place.high.to_bytes())
                .bind(i64::try_from(count).unwrap_or(i64::MAX));
            if let Some(resource) = &place.resource {
                query = query.bind(resource.as_str());
            }
            query.fetch_one(pool).await?
        });
        row.messages()
    }
}

/// Lengths and stanzas are of different messages.
#[derive(Debug, thiserror::Error)]
#[error("fewer bytes than the lengths tell")]
struct TooShort;

/// All three are null where nothing was found.
#[derive(FromRow)]
struct Row {
    ids: Option<Vec<u8>>,
    lengths: Option<String>,
    stanzas: Option<Vec<u8>>,
}

impl Row {
    fn messages(self) -> Result<Vec<Archived>, StoreError> {
        let (Some(ids), Some(lengths)) = (self.ids, self.lengths) else {
            return Ok(Vec::new());
        };
        let mut stanzas = Bytes::from(self.stanzas.unwrap_or_default());
        let (ids, _) = ids.as_chunks::<ID_BYTES>();
        let mut messages = Vec::with_capacity(ids.len());
        for (id, length) in ids.iter().zip(lengths.split(',')) {
            let length = length.parse().unwrap_or(usize::MAX);
            if length > stanzas.len() {
                return Err(StoreError::corrupt("stanzas", TooShort));
            }
            messages.push(Archived {
                id: id_of(id)?,
                stanza: stanzas.split_to(length),
            });
        }
        Ok(messages)
    }
}
