//! What is written, by rules that tell it again, and what the reader must find of it.

use anyhow::{Result, ensure};

use super::pages::Kind;

/// Words of a note's text.
const TEXT_WORDS: usize = 12;
/// Every so many notes of an agent are for one other only.
const PRIVATE: usize = 10;
/// The agent who reads.
pub(super) const READER: usize = 0;

/// Who writes what.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) writers: usize,
    pub(super) words: usize,
}

impl Rules {
    /// A note has no word twice, and no word begins another.
    pub(super) fn check(&self) -> Result<()> {
        let good = (TEXT_WORDS..=26 * 26 * 26).contains(&self.words);
        ensure!(
            good && !self.words.is_multiple_of(WORD_STEP),
            "{} words do not do",
            self.words
        );
        Ok(())
    }

    pub(super) const fn writer(&self, note: usize) -> usize {
        note % self.writers
    }

    /// For whom alone it is.
    pub(super) const fn recipient(&self, note: usize) -> Option<usize> {
        let turn = note / self.writers;
        match turn.is_multiple_of(PRIVATE) {
            true => Some((note + 1 + turn / PRIVATE) % self.writers),
            false => None,
        }
    }

    /// Whether the reader sees it.
    fn is_seen(&self, note: usize) -> bool {
        let named = self.recipient(note);
        named.is_none_or(|named| named == READER) || self.writer(note) == READER
    }

    fn words_of(&self, note: usize) -> impl Iterator<Item = usize> {
        (0..TEXT_WORDS).map(move |at| (note * NOTE_STEP + at * WORD_STEP) % self.words)
    }

    pub(super) fn text(&self, note: usize) -> String {
        let words: Vec<String> = self.words_of(note).map(word).collect();
        words.join(" ")
    }
}

/// Prime, so that the words of a note differ where there are not a multiple of so many.
const WORD_STEP: usize = 977;
const NOTE_STEP: usize = 131;

/// All notes have [`COMMON`] in their titles, and none in their texts.
pub(super) fn title(note: usize) -> String {
    format!("{COMMON} {note}")
}

pub(super) const COMMON: &str = "Note";

/// Six letters of which the first three tell them apart, as those of a language mostly do.
pub(super) fn word(n: usize) -> String {
    let letter = |n: usize| {
        let letter = u8::try_from(n % 26).unwrap_or(0);
        char::from(b'a' + letter)
    };
    let letters = [n, n / 26, n / 676, n / 7, n / 3, n];
    letters.map(letter).into_iter().collect()
}

/// What was written, as a page tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// By which it is in order.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) of: Of,
}

/// What an entry is. Of two with one id the later comes first in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    FollowUp,
    /// A note and its number.
    Note(usize),
}

impl Entry {
    /// Where it stands in a history.
    pub(super) fn place(&self) -> String {
        let kind = match self.of {
            Of::FollowUp => "follow-up",
            Of::Note(_) => "message-stream",
        };
        format!("{kind}/{}", self.id)
    }
}

/// Everything that the reader sees, the oldest first.
pub(super) struct Book {
    entries: Vec<Entry>,
    /// Of each word the notes that have it.
    by_word: Vec<Vec<usize>>,
}

impl Book {
    /// From all that was written. No id may have come twice.
    pub(super) fn new(mut entries: Vec<Entry>, rules: &Rules) -> Result<Self> {
        entries.sort_by(|a, b| (&a.id, a.of).cmp(&(&b.id, b.of)));
        let twice = entries.array_windows().find(|[a, b]| a.id == b.id);
        ensure!(twice.is_none(), "one id for two: {twice:?}");
        let is_seen = |entry: &Entry| match entry.of {
            Of::FollowUp => true,
            Of::Note(note) => rules.is_seen(note),
        };
        entries.retain(is_seen);
        let mut by_word = vec![Vec::new(); rules.words];
        for (position, entry) in entries.iter().enumerate() {
            let Of::Note(note) = entry.of else {
                continue;
            };
            for word in rules.words_of(note) {
                by_word
                    .get_mut(word)
                    .into_iter()
                    .for_each(|of| of.push(position));
            }
        }
        Ok(Self { entries, by_word })
    }

    /// What a list of that kind has, in its order. `word` counts where words are looked for.
    pub(super) fn list(&self, kind: Kind, word: usize) -> Vec<&Entry> {
        let notes = || self.entries.iter().filter(|it| it.of != Of::FollowUp);
        match kind {
            Kind::Newest | Kind::Common => notes().rev().collect(),
            Kind::Oldest => notes().collect(),
            Kind::History => self.entries.iter().rev().collect(),
            Kind::Rare => {
                let positions = self.by_word.get(word).map_or(&[][..], Vec::as_slice);
                let found = positions.iter().rev();
                found
                    .filter_map(|position| self.entries.get(*position))
                    .collect()
            }
        }
    }

    /// How many words there are.
    pub(super) fn words(&self) -> usize {
        self.by_word.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const RULES: Rules = Rules {
        writers: 20,
        words: 40,
    };

    fn entry(id: &str, of: Of) -> Entry {
        Entry {
            id: id.to_owned(),
            title: String::new(),
            of,
        }
    }

    #[test]
    fn words_differ_by_their_beginnings_and_no_note_has_one_twice() {
        let beginning = |n| word(n).chars().take(3).collect::<String>();
        let beginnings: BTreeSet<String> = (0..4_000).map(beginning).collect();
        assert_eq!(beginnings.len(), 4_000);
        for words in [12, 40, 4_000] {
            let rules = Rules { words, ..RULES };
            rules.check().unwrap();
            let of_one: BTreeSet<usize> = rules.words_of(77).collect();
            assert_eq!(of_one.len(), TEXT_WORDS, "{words}");
        }
        assert!(Rules { words: 11, ..RULES }.check().is_err());
        assert!(
            Rules {
                words: 977,
                ..RULES
            }
            .check()
            .is_err()
        );
        let common = COMMON.to_lowercase();
        assert!((0..26 * 26 * 26).all(|n| !word(n).starts_with(&common)));
    }

    #[test]
    fn one_of_ten_notes_is_for_one_other() {
        let private = (0..4_000).filter(|it| RULES.recipient(*it).is_some());
        assert_eq!(private.count(), 400);
        // Those of the reader itself, and those for it, one of which is its own.
        let seen = (0..4_000).filter(|it| RULES.is_seen(*it)).count();
        assert_eq!(seen, 3_600 + 20 + 20 - 1);
    }

    #[test]
    fn a_book_has_what_the_reader_sees_in_order() {
        // The third is by another for yet another.
        let all = vec![
            entry("d", Of::Note(RULES.writers)),
            entry("a", Of::Note(RULES.writers + 1)),
            entry("b", Of::Note(3)),
            entry("c", Of::FollowUp),
        ];
        let book = Book::new(all.clone(), &RULES).unwrap();
        let ids = |kind, word| {
            let list = book.list(kind, word).into_iter();
            list.map(|it| it.id.as_str()).collect::<String>()
        };
        assert_eq!(ids(Kind::Newest, 0), "da");
        assert_eq!(ids(Kind::Common, 0), "da");
        assert_eq!(ids(Kind::Oldest, 0), "ad");
        assert_eq!(ids(Kind::History, 0), "dca");
        let word = RULES.words_of(RULES.writers).next().unwrap();
        assert!(ids(Kind::Rare, word).contains('d'));
        let twice = [all, vec![entry("d", Of::FollowUp)]].concat();
        assert!(Book::new(twice, &RULES).is_err());
    }
}
