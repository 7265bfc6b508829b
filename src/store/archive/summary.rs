//! Which words occur in a hundred messages of an archive: a Bloom filter.
//!
//! An index with a row for each word of each message costs several times what the message costs, for each
//! row goes to a place of its own. Summaries cost a row for [`MESSAGES`], and a search, which is rare, has to read
//! the summaries and the messages that they lead it to.

use super::{ArchiveId, id_of, numbers};
use crate::store::error::StoreError;

/// Messages that one summary is about. With more of them there are fewer summaries to look at, and more messages
/// to be read for each that says yes.
pub(super) const MESSAGES: usize = 128;

/// Bits for each word, and how many of them it sets: one word in eighty is taken for one that is there.
const BITS_EACH: usize = 10;
const SET_EACH: u64 = 4;

/// An archive is looked at for a new summary when a message in so many is written: which one is left to
/// chance, so that nothing has to be counted for each archive.
const LOOKED_AT: u64 = 64;

/// Summaries that are made at once: more messages without one are there only after an update of the server.
pub(super) const AT_ONCE: usize = 16;

/// Whether the archive of a message of that id is to be looked at.
pub(super) fn is_due(id: ArchiveId) -> bool {
    id.chance().is_multiple_of(LOOKED_AT)
}

/// The words of some messages.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Summary {
    pub(super) first: ArchiveId,
    pub(super) last: ArchiveId,
    pub(super) words: Vec<u8>,
}

impl Summary {
    /// Of the ids of messages in their order, and of their words, both side by side; none of none.
    pub(super) fn of(ids: &[u8], words: &[u8]) -> Result<Option<Self>, StoreError> {
        let (ids, _) = ids.as_chunks::<16>();
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
            return Ok(None);
        };
        let mut words: Vec<i64> = numbers(words).collect();
        words.sort_unstable();
        words.dedup();
        Ok(Some(Self {
            first: id_of(first)?,
            last: id_of(last)?,
            words: filter(&words),
        }))
    }
}

/// A row of the table.
pub(super) type Row = (Vec<u8>, Vec<u8>, Vec<u8>);

impl TryFrom<Row> for Summary {
    type Error = StoreError;

    fn try_from((first, last, words): Row) -> Result<Self, StoreError> {
        Ok(Self {
            first: id_of(&first)?,
            last: id_of(&last)?,
            words,
        })
    }
}

fn filter(words: &[i64]) -> Vec<u8> {
    let mut filter = vec![0_u8; (words.len() * BITS_EACH).div_ceil(8)];
    for word in words {
        for bit in bits(*word, filter.len()) {
            if let Some(byte) = filter.get_mut(bit / 8) {
                *byte |= 1 << (bit % 8);
            }
        }
    }
    filter
}

/// Whether the messages may have that word; a `false` is certain.
pub(super) fn may_have(filter: &[u8], word: i64) -> bool {
    let is_set = |bit: usize| {
        filter
            .get(bit / 8)
            .is_some_and(|byte| byte & 1 << (bit % 8) != 0)
    };
    !filter.is_empty() && bits(word, filter.len()).all(is_set)
}

/// The places of a word in a filter of so many bytes.
fn bits(word: i64, bytes: usize) -> impl Iterator<Item = usize> {
    // The finalizer of SplitMix64: numbers of similar words share bits.
    let mixed = word.cast_unsigned() ^ word.cast_unsigned() >> 30;
    let mixed = mixed.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    let (one, other) = (mixed >> 32, (mixed & 0xFFFF_FFFF) | 1);
    let size = (bytes as u64).saturating_mul(8).max(1);
    (0..SET_EACH).map(move |n| {
        let place = one.wrapping_add(n.wrapping_mul(other)) % size;
        usize::try_from(place).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_knows_its_words_and_few_others() {
        let words: Vec<i64> = (0..1_000).map(|n| n * 7_919).collect();
        let known = filter(&words);
        assert!(words.iter().all(|word| may_have(&known, *word)));
        let others = (1..10_000).map(|n| n * 7_919 + 1);
        let mistaken = others.filter(|word| may_have(&known, *word)).count();
        assert!(mistaken < 200, "{mistaken} of 10000");
    }

    #[test]
    fn what_has_no_words_has_none() {
        assert!(!may_have(&filter(&[]), 0));
        assert_eq!(Summary::of(&[], &[]).unwrap(), None);
    }
}
