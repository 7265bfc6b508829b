//! Searching an archive for words (XEP-0431): first the summaries, then the messages that they lead to.

use super::summary::{self, Summary};
use super::{
    Archive, ArchiveEnd, ArchiveFilter, ArchiveId, ArchivePage, ArchivePageLimits, WORDS_MAX,
    id_of, numbers,
};
use crate::proto::jid::BareJid;
use crate::store::db::{queries, reading};
use crate::store::error::StoreError;

/// Summaries that are read at once: about as many bytes as a page of messages has.
const SUMMARIES: i64 = 128;

/// Messages that are looked at at once.
const LOOKED_AT: usize = 256;

queries! {
    SUMMARIES_BEHIND = "select first_id, last_id, words from archive_summary
        where owner = $1 and last_id > $2 order by last_id limit cast($3 as bigint)";
    SUMMARIES_BEFORE = "select first_id, last_id, words from archive_summary
        where owner = $1 and last_id < $2 order by last_id desc limit cast($3 as bigint)";
    SUMMARY_AROUND = "select last_id from archive_summary
        where owner = $1 and last_id >= $2 order by last_id limit 1";
    OLDEST_WORDS = "select id, words from archive_message
        where owner = $1 and id > $2 and id < $3
        and ($5 = '' or conversation = $5) and ($6 = '' or peer_resource = $6)
        order by id limit cast($4 as bigint)";
    LATEST_WORDS = "select id, words from archive_message
        where owner = $1 and id > $2 and id < $3
        and ($5 = '' or conversation = $5) and ($6 = '' or peer_resource = $6)
        order by id desc limit cast($4 as bigint)";
}

/// A search on its way through an archive.
struct Search<'a> {
    archive: Archive<'a>,
    owner: &'a BareJid,
    words: &'a [i64],
    conversation: String,
    resource: String,
    end: ArchiveEnd,
    /// How many are looked for.
    most: usize,
    found: Vec<ArchiveId>,
}

impl Archive<'_> {
    /// A page of the messages that have all of the words.
    pub(super) async fn search(
        self,
        owner: &BareJid,
        filter: &ArchiveFilter,
        end: ArchiveEnd,
        limits: ArchivePageLimits,
    ) -> Result<ArchivePage, StoreError> {
        let words = filter.words.get(..WORDS_MAX).unwrap_or(&filter.words);
        let mut search = Search {
            archive: self,
            owner,
            words,
            conversation: filter.conversation(owner).unwrap_or_default(),
            resource: filter.resource(),
            end,
            // One more than the page has tells that there are more.
            most: usize::try_from(limits.messages_max)
                .unwrap_or(usize::MAX)
                .saturating_add(1),
            found: Vec::new(),
        };
        let (low, high) = filter.bounds();
        match end {
            ArchiveEnd::Oldest => search.forwards(low, high).await?,
            ArchiveEnd::Latest => search.backwards(low, high).await?,
        }
        let mut found = search.found;
        found.sort_unstable();
        self.page_of(owner, &found, end, limits).await
    }
}

impl Search<'_> {
    const fn is_done(&self) -> bool {
        self.found.len() >= self.most
    }

    /// From the oldest message on.
    async fn forwards(&mut self, low: ArchiveId, high: ArchiveId) -> Result<(), StoreError> {
        let mut behind = low;
        loop {
            let summaries = self.summaries(SUMMARIES_BEHIND, behind).await?;
            let Some(last) = summaries.last().map(|summary| summary.last) else {
                // The latest messages, of which there is no summary yet.
                return self.look_at(behind, high).await;
            };
            for summary in &summaries {
                if self.is_done() || summary.first >= high {
                    return Ok(());
                }
                self.follow(summary, low, high).await?;
            }
            behind = last;
        }
    }

    /// From the latest message on.
    async fn backwards(&mut self, low: ArchiveId, high: ArchiveId) -> Result<(), StoreError> {
        let around = self.around(high).await?;
        let mut before = around.map_or(high, ArchiveId::next);
        let mut unsummarized = around.is_none();
        loop {
            let summaries = self.summaries(SUMMARIES_BEFORE, before).await?;
            let first = summaries.first();
            if std::mem::take(&mut unsummarized) {
                let summarized = first.map_or(low, |summary| summary.last.max(low));
                self.look_at(summarized, high).await?;
            }
            for summary in &summaries {
                if self.is_done() || summary.last <= low {
                    return Ok(());
                }
                self.follow(summary, low, high).await?;
            }
            match summaries.last() {
                Some(summary) => before = summary.last,
                None => return Ok(()),
            }
        }
    }

    /// Looks at the messages of a summary that may have the words.
    async fn follow(
        &mut self,
        summary: &Summary,
        low: ArchiveId,
        high: ArchiveId,
    ) -> Result<(), StoreError> {
        let mut words = self.words.iter();
        if words.all(|word| summary::may_have(&summary.words, *word)) {
            let (low, high) = (
                summary.first.before().max(low),
                summary.last.next().min(high),
            );
            self.look_at(low, high).await?;
        }
        Ok(())
    }

    /// Looks at all messages between two, as long as more are looked for.
    async fn look_at(&mut self, low: ArchiveId, high: ArchiveId) -> Result<(), StoreError> {
        let (mut low, mut high) = (low, high);
        while !self.is_done() && low < high {
            let messages = self.messages(low, high).await?;
            for (id, words) in &messages {
                let has = |word: &i64| numbers(words).any(|it| it == *word);
                let id = id_of(id)?;
                match self.end {
                    ArchiveEnd::Oldest => low = id,
                    ArchiveEnd::Latest => high = id,
                }
                if !self.is_done() && self.words.iter().all(has) {
                    self.found.push(id);
                }
            }
            if messages.len() < LOOKED_AT {
                break;
            }
        }
        Ok(())
    }

    async fn messages(
        &self,
        low: ArchiveId,
        high: ArchiveId,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let text = match self.end {
            ArchiveEnd::Oldest => OLDEST_WORDS,
            ArchiveEnd::Latest => LATEST_WORDS,
        };
        Ok(reading!(self.archive.db, pool => {
            sqlx::query_as(text)
                .bind(self.owner.as_str())
                .bind(low.to_bytes())
                .bind(high.to_bytes())
                .bind(i64::try_from(LOOKED_AT).unwrap_or(i64::MAX))
                .bind(self.conversation.as_str())
                .bind(self.resource.as_str())
                .fetch_all(pool)
                .await?
        }))
    }

    async fn summaries(
        &self,
        text: &'static str,
        from: ArchiveId,
    ) -> Result<Vec<Summary>, StoreError> {
        let rows: Vec<summary::Row> = reading!(self.archive.db, pool => {
            sqlx::query_as(text)
                .bind(self.owner.as_str())
                .bind(from.to_bytes())
                .bind(SUMMARIES)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Summary::try_from).collect()
    }

    /// The end of the summary in which that message lies, or of the next one.
    async fn around(&self, id: ArchiveId) -> Result<Option<ArchiveId>, StoreError> {
        let last: Option<Vec<u8>> = reading!(self.archive.db, pool => {
            sqlx::query_scalar(SUMMARY_AROUND)
                .bind(self.owner.as_str())
                .bind(id.to_bytes())
                .fetch_optional(pool)
                .await?
        });
        last.as_deref().map(id_of).transpose()
    }
}
