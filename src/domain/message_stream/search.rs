//! Finding streams by words that begin so (S4-27), as colleagues and customers are found ([`crate::domain::directory`]). A stream is
//! listed by the beginnings of its words, so that those with one beginning are read in the order of their dates and no others
//! are; the rest of the words is compared.

use std::collections::BTreeSet;

use super::{Message, Stream};
use crate::domain::directory::{self, LETTERS_MIN, Rejection, words};

/// Letters of the beginnings that are listed: what somebody types at least, and so many that few streams have them.
const LENGTHS: [usize; 2] = [LETTERS_MIN, 6];

/// Beginnings by which one stream is listed: each is a row that every change of the words writes anew.
pub const BEGINNINGS_MAX: usize = 256;

/// Bytes of title and texts whose words are looked at, title and main message first: more than anybody reads, and little enough
/// to be taken apart at each change.
pub const BYTES_MAX: usize = 16 * 1024;

/// What is looked for: words with at least one of [`LETTERS_MIN`] letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// Understands what somebody types.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub fn new(text: &str) -> Result<Self, Rejection> {
        let query = directory::Query::new(text, BTreeSet::new())?;
        let words = Self(query.words().to_vec());
        match words.longest().chars().count() < LETTERS_MIN {
            true => Err(Rejection::TooShort),
            false => Ok(words),
        }
    }

    fn longest(&self) -> &str {
        let longest = self.0.iter().max_by_key(|word| word.chars().count());
        longest.map_or("", String::as_str)
    }

    /// The longest beginning that is listed.
    #[must_use]
    pub fn listed(&self) -> String {
        let beginnings = beginnings_of(self.longest());
        beginnings.last().unwrap_or_default()
    }

    /// Whether each begins a word of the title or of one of those messages.
    pub fn find<'a>(&self, title: &'a str, messages: impl Iterator<Item = &'a Message>) -> bool {
        let has = looked_at(title, messages);
        let begins = |wanted: &String| has.iter().any(|word| word.starts_with(wanted.as_str()));
        self.0.iter().all(begins)
    }
}

/// The beginnings of words by which a stream is listed.
#[must_use]
pub fn beginnings(stream: &Stream) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in looked_at(&stream.title, stream.messages.iter()) {
        found.extend(beginnings_of(&word));
        if found.len() >= BEGINNINGS_MAX {
            break;
        }
    }
    found
}

fn beginnings_of(word: &str) -> impl Iterator<Item = String> {
    let beginning = |length: usize| {
        let letters: String = word.chars().take(length).collect();
        (letters.chars().count() == length).then_some(letters)
    };
    LENGTHS.into_iter().filter_map(beginning)
}

/// Words of a stream in their order, as far as they are looked at.
fn looked_at<'a>(title: &'a str, messages: impl Iterator<Item = &'a Message>) -> Vec<String> {
    let mut left = BYTES_MAX;
    let texts = std::iter::once(title).chain(messages.map(|it| it.text.as_str()));
    let mut found = Vec::new();
    for text in texts {
        let end = text.floor_char_boundary(left.min(text.len()));
        let part = text.get(..end).unwrap_or_default();
        found.extend(words(part));
        left = left.saturating_sub(text.len());
        if left == 0 {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &str, title: &str) -> bool {
        Words::new(words).unwrap().find(title, std::iter::empty())
    }

    #[test]
    fn words_are_found_by_their_beginnings_in_any_case() {
        for (words, is_found) in [
            ("pri", true),
            ("PRINTER fire", true),
            ("fir", true),
            ("inter", false),
            ("printers", false),
            ("prin is", true),
        ] {
            assert_eq!(found(words, "Printer is on fíre"), is_found, "{words}");
        }
        for short in ["pr", "a b c", "", "??"] {
            assert!(Words::new(short).is_err(), "{short}");
        }
    }

    #[test]
    fn the_longest_beginning_that_is_listed_is_looked_up() {
        for (words, beginning) in [("pri", "pri"), ("a print", "pri"), ("printer on", "printe")] {
            assert_eq!(Words::new(words).unwrap().listed(), beginning);
        }
        let mut stream = Stream::new("s".parse().unwrap());
        stream.title = "Printer on fire".to_owned();
        let expected = ["fir", "pri", "printe"].map(str::to_owned);
        assert_eq!(beginnings(&stream), expected.into());
        stream.title = (100..900).map(|n| format!("w{n}xyz ")).collect();
        assert!(beginnings(&stream).len() <= BEGINNINGS_MAX + LENGTHS.len());
    }
}
