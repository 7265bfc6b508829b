//! Messages that are asked for by their ids (XEP-0313 §4.1.3).

use std::collections::BTreeSet;

use futures_util::TryStreamExt;
use sqlx::{FromRow, QueryBuilder};

use super::{
    Archive, ArchiveEnd, ArchiveFilter, ArchiveId, ArchivePage, ArchivePageLimits, Row, WORDS_MAX,
    id_of, numbers,
};
use crate::proto::jid::BareJid;
use crate::store::db::reading;
use crate::store::error::StoreError;

/// What tells whether a message matches, without the message.
const FACTS: &str =
    "select id, conversation, peer_resource, words from archive_message where owner = ";
const STANZAS: &str = "select id, stanza from archive_message where owner = ";

impl Archive<'_> {
    /// Those of the ids whose messages match, in their order; `None` when one of them is not in the
    /// archive at all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn matching(
        &self,
        owner: &BareJid,
        ids: &BTreeSet<ArchiveId>,
        filter: &ArchiveFilter,
    ) -> Result<Option<Vec<ArchiveId>>, StoreError> {
        let places = padded(ids.iter().copied().collect());
        let facts: Vec<Facts> = reading!(self.db, pool => {
            let mut query = QueryBuilder::new(FACTS);
            query.push_bind(owner.as_str().to_owned()).push(" and id in (");
            let mut list = query.separated(", ");
            for id in &places {
                list.push_bind(id.to_bytes());
            }
            query.push(") order by id");
            query.build_query_as().fetch_all(pool).await?
        });
        if facts.len() < ids.len() {
            return Ok(None);
        }
        let conversation = filter.conversation(owner);
        let resource = filter.resource();
        let (low, high) = filter.bounds();
        let mut found = Vec::with_capacity(facts.len());
        for fact in facts {
            let id = id_of(&fact.id)?;
            let words = filter.words.iter().take(WORDS_MAX);
            if low < id
                && id < high
                && conversation
                    .as_ref()
                    .is_none_or(|it| *it == fact.conversation)
                && (resource.is_empty() || resource == fact.peer_resource)
                && words
                    .copied()
                    .all(|word| numbers(&fact.words).any(|it| it == word))
            {
                found.push(id);
            }
        }
        Ok(Some(found))
    }

    /// A page of the messages of those ids, which are in their order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn page_of(
        &self,
        owner: &BareJid,
        ids: &[ArchiveId],
        end: ArchiveEnd,
        limits: ArchivePageLimits,
    ) -> Result<ArchivePage, StoreError> {
        let messages_max = usize::try_from(limits.messages_max).unwrap_or(usize::MAX);
        let (taken, order): (Vec<_>, _) = match end {
            ArchiveEnd::Oldest => (ids.iter().copied().take(messages_max).collect(), ""),
            ArchiveEnd::Latest => (
                ids.iter().copied().rev().take(messages_max).collect(),
                " desc",
            ),
        };
        let count = taken.len();
        let mut page = ArchivePage::default();
        let mut bytes = 0_usize;
        let places = padded(taken);
        reading!(self.db, pool => {
            let mut query = QueryBuilder::new(STANZAS);
            query.push_bind(owner.as_str().to_owned()).push(" and id in (");
            let mut list = query.separated(", ");
            for id in &places {
                list.push_bind(id.to_bytes());
            }
            query.push(") order by id").push(order);
            let mut rows = query.build_query_as().fetch(pool);
            while let Some(row) = rows.try_next().await? {
                let row: Row = row;
                if bytes >= limits.bytes_max {
                    break;
                }
                bytes = bytes.saturating_add(row.stanza.len());
                page.messages.push(row.try_into()?);
            }
        });
        // What was deleted meanwhile is not waited for.
        page.more = ids.len() > count || (bytes >= limits.bytes_max && page.messages.len() < count);
        if end == ArchiveEnd::Latest {
            page.messages.reverse();
        }
        Ok(page)
    }
}

/// As many as a power of two, so that few texts of SQL are prepared; none stands for an id that nothing has.
fn padded(mut ids: Vec<ArchiveId>) -> Vec<ArchiveId> {
    let last = ids.last().copied().unwrap_or(ArchiveId::LEAST);
    ids.resize(ids.len().next_power_of_two(), last);
    ids
}

#[derive(FromRow)]
struct Facts {
    id: Vec<u8>,
    conversation: String,
    peer_resource: String,
    words: Vec<u8>,
}
