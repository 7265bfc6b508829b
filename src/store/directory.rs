//! The directory of colleagues: who is found by the beginnings of names.
//!
//! Each account has an entry with the names of its vCard, and each word of these and of its logon a row in the order of
//! the words, so that a search reads the rows that begin as it asks and no others. Whoever makes an account
//! or changes a vCard writes them in the same transaction ([`put_names!`]); accounts of before are listed at the start.

use std::collections::BTreeSet;

use sqlx::FromRow;

use super::ListOrder;
use super::db::{Db, queries, reading, transaction};
use super::error::StoreError;
use crate::domain::directory::words;
use crate::domain::rights::Role;
use crate::proto::common::kept;
use crate::proto::common::vcard::{self, Names};
use crate::proto::jid::BareJid;

/// Words of one account: of names that people bear there are a handful.
const WORDS_MAX: usize = 32;

/// Bytes of one word that are compared in the database; the rest whoever asks compares.
const WORD_BYTES_MAX: usize = 64;

/// Rows read at once, whatever limit is asked for.
const PAGE_MAX: u32 = 1_000;

/// Behind every word: no UTF-8 has this byte.
const BEHIND_ALL: u8 = 0xff;

/// A colleague with all that is shown in a list, without a look at other tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedColleague {
    /// The account.
    pub account: BareJid,
    /// Its role.
    pub role: Role,
    /// Whether it may log in.
    pub enabled: bool,
    /// The full name in its vCard.
    pub name: Option<String>,
    /// The nickname in its vCard.
    pub nickname: Option<String>,
    /// The record of its state, as JSON.
    pub agent: Option<String>,
    /// The record of a chat profile of its own, as JSON.
    pub profile: Option<String>,
}

/// A colleague beside the word by which it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundColleague {
    /// The word, as far as it is compared.
    pub word: Vec<u8>,
    /// The colleague.
    pub colleague: ListedColleague,
}

/// What the records of states and of profiles are called.
#[derive(Clone, Copy, Debug)]
pub struct ColleagueKinds {
    /// The kind of the records of states.
    pub agent: &'static str,
    /// The kind of the records of chat profiles.
    pub profile: &'static str,
}

queries! {
    PUT_ENTRY = "insert into directory_entry (account, name, nickname) values ($1, $2, $3)
        on conflict (account) do update set name = excluded.name, nickname = excluded.nickname";
    DELETE_WORDS = "delete from directory_word where account = $1";
    INSERT_WORD = "insert into directory_word (domain, word, account) values ($1, $2, $3)";
    FIND = "select name, nickname from directory_entry where account = $1";
    UNLISTED = "select a.jid from account a where a.domain = $1
        and not exists (select 1 from directory_entry e where e.account = a.jid) order by a.jid limit cast($2 as bigint)";
    CARD = "select xml from vcard where owner = $1";
    // The joins are one row each; crossed, for SQLite then keeps their order and with it that of the words.
    SEARCH_UP = "select w.word, w.account, a.role, a.enabled, e.name, e.nickname,
            s.snapshot as agent, p.snapshot as profile
        from directory_word w cross join account a cross join directory_entry e
        left join record s on s.kind = $6 and s.id = w.account
        left join record p on p.kind = $7 and p.id = w.account
        where w.domain = $1 and (w.word, w.account) > ($2, $3) and w.word < $4
            and a.jid = w.account and e.account = w.account
        order by w.word, w.account limit cast($5 as bigint)";
    SEARCH_DOWN = "select w.word, w.account, a.role, a.enabled, e.name, e.nickname,
            s.snapshot as agent, p.snapshot as profile
        from directory_word w cross join account a cross join directory_entry e
        left join record s on s.kind = $6 and s.id = w.account
        left join record p on p.kind = $7 and p.id = w.account
        where w.domain = $1 and (w.word, w.account) < ($2, $3) and w.word >= $4
            and a.jid = w.account and e.account = w.account
        order by w.word desc, w.account desc limit cast($5 as bigint)";
    CONTACTS_UP = "select i.contact as account, a.role, a.enabled, coalesce(i.name, e.name) as name, e.nickname,
            s.snapshot as agent, p.snapshot as profile
        from roster_item i cross join account a cross join directory_entry e
        left join record s on s.kind = $5 and s.id = i.contact
        left join record p on p.kind = $6 and p.id = i.contact
        where i.owner = $1 and i.contact > $2 and not i.removed and i.subscription = 'both'
            and a.jid = i.contact and a.domain = $3 and a.enabled and a.role <> 'member'
            and e.account = i.contact
        order by i.contact limit cast($4 as bigint)";
    CONTACTS_DOWN = "select i.contact as account, a.role, a.enabled, coalesce(i.name, e.name) as name, e.nickname,
            s.snapshot as agent, p.snapshot as profile
        from roster_item i cross join account a cross join directory_entry e
        left join record s on s.kind = $5 and s.id = i.contact
        left join record p on p.kind = $6 and p.id = i.contact
        where i.owner = $1 and ($2 = '' or i.contact < $2) and not i.removed and i.subscription = 'both'
            and a.jid = i.contact and a.domain = $3 and a.enabled and a.role <> 'member'
            and e.account = i.contact
        order by i.contact desc limit cast($4 as bigint)";
    COUNT_CONTACTS = "select count(*) from roster_item i cross join account a
        where i.owner = $1 and a.jid = i.contact and ($2 = '' or i.contact < $2) and not i.removed and i.subscription = 'both'
            and a.domain = $3 and a.enabled and a.role <> 'member'";
}

pub(super) const STATEMENTS: [&str; 3] = [PUT_ENTRY, DELETE_WORDS, INSERT_WORD];

/// Writes what an account is called, in a transaction of either database.
macro_rules! put_names {
    ($tx:expr, $jid:expr, $names:expr) => {{
        use $crate::store::directory;
        let names: &$crate::proto::common::vcard::Names = $names;
        let [put, delete, insert] = directory::STATEMENTS;
        sqlx::query(put)
            .bind($jid.as_str())
            .bind(names.full.as_deref())
            .bind(names.nickname.as_deref())
            .execute(&mut *$tx)
            .await?;
        sqlx::query(delete)
            .bind($jid.as_str())
            .execute(&mut *$tx)
            .await?;
        for word in directory::words_of(&$jid, names) {
            sqlx::query(insert)
                .bind($jid.domain().as_str())
                .bind(word)
                .bind($jid.as_str())
                .execute(&mut *$tx)
                .await?;
        }
    }};
}
pub(super) use put_names;

/// The names in a vCard as it is stored.
pub(super) fn names_in(xml: &[u8]) -> Names {
    kept::from_bytes(xml).map_or_else(|_| Names::default(), |card| vcard::names(&card))
}

/// The words by which an account is found, as they are stored.
pub(super) fn words_of(account: &BareJid, names: &Names) -> Vec<Vec<u8>> {
    let logon = account.node().map(|node| node.as_str());
    let names = [logon, names.full.as_deref(), names.nickname.as_deref()];
    let all = names.into_iter().flatten().flat_map(words);
    let distinct: BTreeSet<Vec<u8>> = all.map(|word| compared(&word)).take(WORDS_MAX).collect();
    distinct.into_iter().collect()
}

/// The word as far as it is compared in the database.
#[must_use]
pub(super) fn compared(word: &str) -> Vec<u8> {
    let mut end = word.len().min(WORD_BYTES_MAX);
    while !word.is_char_boundary(end) {
        end -= 1;
    }
    word.as_bytes().iter().copied().take(end).collect()
}

/// The word by which a search for that beginning finds an account of those names first.
#[must_use]
pub fn directory_word(account: &BareJid, names: &Names, beginning: &str) -> Option<Vec<u8>> {
    let beginning = compared(beginning);
    let mut words = words_of(account, names).into_iter();
    words.find(|word| word.starts_with(&beginning))
}

impl FoundColleague {
    /// Where a search goes on behind it.
    #[must_use]
    pub fn place(&self) -> DirectoryPlace {
        DirectoryPlace {
            word: self.word.clone(),
            account: self.colleague.account.clone(),
        }
    }

    /// Whether no earlier word of the colleague begins so.
    #[must_use]
    pub fn is_first(&self, beginning: &str) -> bool {
        let ListedColleague {
            account,
            name,
            nickname,
            ..
        } = &self.colleague;
        let names = Names {
            full: name.clone(),
            nickname: nickname.clone(),
        };
        directory_word(account, &names, beginning).as_ref() == Some(&self.word)
    }
}

/// Where a search goes on: behind that word of that account, in the order asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryPlace {
    /// The word, as far as it is compared.
    pub word: Vec<u8>,
    /// The account.
    pub account: BareJid,
}

/// Operations on the directory; from [`super::Store::directory`].
#[derive(Clone, Copy, Debug)]
pub struct Directory<'a> {
    pub(super) db: &'a Db,
}

impl Directory<'_> {
    /// What the account is called in its vCard; `None` when there is no such account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names(&self, account: &BareJid) -> Result<Option<Names>, StoreError> {
        let found: Option<(Option<String>, Option<String>)> = reading!(self.db, pool => {
            sqlx::query_as(FIND).bind(account.as_str()).fetch_optional(pool).await?
        });
        Ok(found.map(|(full, nickname)| Names { full, nickname }))
    }

    /// Rows of accounts of that domain with a word that begins so, in the order of words and accounts, beginning
    /// at `from`, or at the end that the order begins with. An account with two such words has two rows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn search(
        &self,
        domain: &str,
        prefix: &str,
        from: Option<&DirectoryPlace>,
        order: ListOrder,
        limit: u32,
        kinds: ColleagueKinds,
    ) -> Result<Vec<FoundColleague>, StoreError> {
        let first = compared(prefix);
        let mut end = first.clone();
        end.push(BEHIND_ALL);
        let (query, begin, stop) = match order {
            ListOrder::Ascending => (SEARCH_UP, first, end),
            ListOrder::Descending => (SEARCH_DOWN, end, first),
        };
        let (word, account) = match from {
            Some(place) => (place.word.clone(), place.account.as_str()),
            None => (begin, ""),
        };
        let rows: Vec<WordRow> = reading!(self.db, pool => {
            sqlx::query_as(query)
                .bind(domain)
                .bind(word)
                .bind(account)
                .bind(stop)
                .bind(i64::from(limit.min(PAGE_MAX)))
                .bind(kinds.agent)
                .bind(kinds.profile)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(FoundColleague::try_from).collect()
    }

    /// Those in the owner's roster who have the owner in theirs and take part in the contact center, by their addresses,
    /// beginning behind `from`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contacts(
        &self,
        owner: &BareJid,
        from: Option<&BareJid>,
        order: ListOrder,
        limit: u32,
        kinds: ColleagueKinds,
    ) -> Result<Vec<ListedColleague>, StoreError> {
        let query = match order {
            ListOrder::Ascending => CONTACTS_UP,
            ListOrder::Descending => CONTACTS_DOWN,
        };
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(query)
                .bind(owner.as_str())
                .bind(from.map_or("", |jid| jid.as_str()))
                .bind(owner.domain().as_str())
                .bind(i64::from(limit.min(PAGE_MAX)))
                .bind(kinds.agent)
                .bind(kinds.profile)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(ListedColleague::try_from).collect()
    }

    /// How many of them there are before that one, or altogether.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_contacts(
        &self,
        owner: &BareJid,
        before: Option<&BareJid>,
    ) -> Result<u64, StoreError> {
        let count: i64 = reading!(self.db, pool => {
            sqlx::query_scalar(COUNT_CONTACTS)
                .bind(owner.as_str())
                .bind(before.map_or("", |jid| jid.as_str()))
                .bind(owner.domain().as_str())
                .fetch_one(pool)
                .await?
        });
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Lists accounts that were made before there was a directory, at most so many; answers how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_missing(&self, domain: &str, limit: u32) -> Result<u32, StoreError> {
        let limit = limit.min(PAGE_MAX);
        let missing: Vec<String> = reading!(self.db, pool => {
            sqlx::query_scalar(UNLISTED)
                .bind(domain)
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await?
        });
        for account in &missing {
            let account =
                BareJid::new(account).map_err(|error| StoreError::corrupt("account.jid", error))?;
            match self.list(&account).await {
                // Removed meanwhile.
                Ok(()) | Err(StoreError::NoAccount(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(u32::try_from(missing.len()).unwrap_or(limit))
    }

    async fn list(&self, account: &BareJid) -> Result<(), StoreError> {
        // Compiled for both databases; on the heap it does not swell its callers' futures.
        Box::pin(async {
            transaction!(self.db, tx => {
                let card: Option<Vec<u8>> = sqlx::query_scalar(CARD)
                    .bind(account.as_str())
                    .fetch_optional(&mut *tx)
                    .await?;
                let names = card.map_or_else(Names::default, |xml| names_in(&xml));
                put_names!(tx, account, &names);
            });
            Ok(())
        })
        .await
    }
}

#[derive(FromRow)]
struct Row {
    account: String,
    role: String,
    enabled: bool,
    name: Option<String>,
    nickname: Option<String>,
    agent: Option<String>,
    profile: Option<String>,
}

#[derive(FromRow)]
struct WordRow {
    word: Vec<u8>,
    #[sqlx(flatten)]
    row: Row,
}

impl TryFrom<Row> for ListedColleague {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            account: BareJid::new(&row.account)
                .map_err(|error| StoreError::corrupt("directory_word.account", error))?,
            role: row
                .role
                .parse()
                .map_err(|error| StoreError::corrupt("account.role", error))?,
            enabled: row.enabled,
            name: row.name,
            nickname: row.nickname,
            agent: row.agent,
            profile: row.profile,
        })
    }
}

impl TryFrom<WordRow> for FoundColleague {
    type Error = StoreError;
    fn try_from(row: WordRow) -> Result<Self, StoreError> {
        Ok(Self {
            word: row.word,
            colleague: row.row.try_into()?,
        })
    }
}

#[cfg(test)]
mod tests;
