//! Looking for colleagues: by the first letters of a name, and by what they are doing (S1-5, S4-11).
//!
//! Case, marks above and below, and the width of letters do not matter: `jose` finds `José`, and
//! `strass` finds `Straße`. Each word of the query must begin some word of the name.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::agent_state::View;
use super::refusal::rejections;

/// Letters and digits that a query must have, so that no one asks for the whole directory by one letter.
pub const LETTERS_MIN: usize = 3;
/// Characters of a query; no name is longer.
pub const CHARS_MAX: usize = 100;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    words: Vec<String>,
    views: BTreeSet<View>,
}

impl Query {
    /// A query of that text among the colleagues that are seen as one of `views`; none means all.
    ///
    /// # Errors
    /// When the text has under [`LETTERS_MIN`] letters or is over [`CHARS_MAX`].
    pub fn new(text: &str, views: BTreeSet<View>) -> Result<Self, Rejection> {
        if text.chars().count() > CHARS_MAX {
            return Err(Rejection::TooLong);
        }
        let words = words(text);
        let letters: usize = words.iter().map(|word| word.chars().count()).sum();
        if letters < LETTERS_MIN {
            return Err(Rejection::TooShort);
        }
        Ok(Self { words, views })
    }

    /// Whether a colleague with those names (full name, logon, whatever people know) and that view
    /// is found. All words of the query must be in one of the names.
    #[must_use]
    pub fn finds(&self, names: &[&str], view: View) -> bool {
        if !self.views.is_empty() && !self.views.contains(&view) {
            return false;
        }
        names.iter().any(|name| {
            let has = words(name);
            let begins = |wanted: &String| has.iter().any(|word| word.starts_with(wanted.as_str()));
            self.words.iter().all(begins)
        })
    }

    /// The words as they are compared, for a store that keeps names in the same form (see [`words`]).
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

/// The words of a name as they are compared: letters and digits, lower case, without marks.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let mut folded = String::new();
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            // Lower case does not fold these; their usual spelling does.
            'ß' | 'ẞ' => folded.push_str("ss"),
            'ø' | 'Ø' => folded.push('o'),
            'ł' | 'Ł' => folded.push('l'),
            // O'Brien is one word.
            '\'' | '’' => {}
            c if c.is_alphanumeric() => folded.extend(c.to_lowercase()),
            _ => folded.push(' '),
        }
    }
    folded.split_whitespace().map(str::to_owned).collect()
}

rejections! {
    /// Why a query is not run.
    pub enum Rejection {
        /// [`LETTERS_MIN`].
        TooShort = Invalid, "query-too-short", "Type at least three letters or digits.";
        /// [`CHARS_MAX`].
        TooLong = Invalid, "query-too-long", "Nothing that long is looked for.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S1-5, S4-11.
    #[test]
    fn names_are_found_by_the_beginning_of_any_word_in_any_case_with_or_without_marks() {
        for (query, name, found) in [
            ("mon", "Romeo Montague", true),
            ("MONT rom", "Romeo Montague", true),
            ("ont", "Romeo Montague", false),
            ("rom cap", "Romeo Montague", false),
            ("jose", "José Núñez", true),
            ("JOSÉ nun", "Jose Nunez", true),
            ("strass", "Max Straße", true),
            ("soren", "Søren", true),
            ("obr", "Conan O’Brien", true),
            ("sch", "Meier-Schulze", true),
            ("ｍｅｉ", "meier", true),
            ("ивано", "Анна Иванова", true),
        ] {
            let query = Query::new(query, BTreeSet::new()).unwrap();
            assert_eq!(
                query.finds(&[name], View::Offline),
                found,
                "{query:?} {name}"
            );
        }
    }

    #[test]
    fn all_words_are_in_one_name_and_any_name_will_do() {
        let query = Query::new("rom", BTreeSet::new()).unwrap();
        assert!(query.finds(&["Montague", "romeo.m"], View::Busy));
        let query = Query::new("rom mon", BTreeSet::new()).unwrap();
        assert!(!query.finds(&["Montague", "romeo"], View::Busy));
        assert_eq!(query.words(), ["rom", "mon"]);
    }

    #[test]
    fn a_query_has_three_letters_and_a_bound() {
        let new = |text: &str| Query::new(text, BTreeSet::new()).err();
        for short in ["", "ro", " r.o ", "---", "é́́é"] {
            assert_eq!(new(short), Some(Rejection::TooShort), "{short}");
        }
        assert_eq!(new("r m o"), None);
        assert_eq!(new(&"x".repeat(CHARS_MAX)), None);
        assert_eq!(new(&"x".repeat(CHARS_MAX + 1)), Some(Rejection::TooLong));
    }

    #[test]
    fn only_those_who_are_seen_as_asked_for_are_found() {
        let query = Query::new("rom", [View::Online, View::Busy].into()).unwrap();
        for (view, found) in [
            (View::Online, true),
            (View::Busy, true),
            (View::Offline, false),
        ] {
            assert_eq!(query.finds(&["Romeo"], view), found);
        }
    }
}
