//! Finding customers by beginnings: of the words of a name or company, of a number, of an address (S2-13, S4-11).
//!
//! Case, marks above and below, and the width of letters do not matter, as where colleagues are looked for
//! ([`crate::domain::directory`]). A number is its digits, whatever is written between them.

use std::collections::BTreeSet;

use super::{Profile, folded};
use crate::domain::directory::{CHARS_MAX, LETTERS_MIN, Rejection, words};

/// Words by which one customer is found: its numbers and addresses, and more than any name has.
pub const WORDS_MAX: usize = 64;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query(BTreeSet<String>);

impl Query {
    /// A query of that text: the beginning of an address, of a number, or of words of a name.
    ///
    /// # Errors
    /// When the text has under [`LETTERS_MIN`] letters and digits or is over [`CHARS_MAX`].
    pub fn new(text: &str) -> Result<Self, Rejection> {
        if text.chars().count() > CHARS_MAX {
            return Err(Rejection::TooLong);
        }
        let wanted = match text {
            address if address.contains('@') => vec![folded(address)],
            number if is_number(number) => vec![digits(number)],
            name => words(name),
        };
        let wanted: BTreeSet<String> = wanted.into_iter().collect();
        let letters: usize = wanted.iter().map(|word| word.chars().count()).sum();
        match letters < LETTERS_MIN {
            true => Err(Rejection::TooShort),
            false => Ok(Self(wanted)),
        }
    }

    /// The word to begin with: the longest, for it is that of the fewest.
    #[must_use]
    pub fn longest(&self) -> &str {
        let longest = self.0.iter().max_by_key(|word| word.chars().count());
        longest.map_or("", String::as_str)
    }

    /// Whether each word begins one of those that the customer has.
    #[must_use]
    pub fn finds(&self, profile: &Profile) -> bool {
        let has = words_of(profile);
        let begins = |wanted: &String| has.iter().any(|word| word.starts_with(wanted.as_str()));
        self.0.iter().all(begins)
    }
}

/// The words by which a customer is found, at most [`WORDS_MAX`].
#[must_use]
pub fn words_of(profile: &Profile) -> BTreeSet<String> {
    let numbers = profile.telephones.iter().map(|number| digits(number));
    let addresses = profile.emails.iter().map(|address| folded(address));
    let names = std::iter::once(&profile.name).chain(&profile.company);
    let all = numbers
        .chain(addresses)
        .chain(names.flat_map(|name| words(name)));
    let mut distinct = BTreeSet::new();
    for word in all {
        if distinct.len() >= WORDS_MAX {
            break;
        }
        distinct.insert(word);
    }
    distinct
}

/// Digits with what people write between them.
fn is_number(text: &str) -> bool {
    let between = |c: char| c.is_whitespace() || "+-./()".contains(c);
    text.contains(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || between(c))
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Profile {
        Profile {
            name: "Ann José Müller-Smith".to_owned(),
            company: Some("Example & Söhne GmbH".to_owned()),
            telephones: vec!["+493012345678".to_owned(), "+390612345".to_owned()],
            emails: vec!["Ann.Smith@Example.org".to_owned()],
            ..Profile::default()
        }
    }

    /// S2-13, S4-11.
    #[test]
    fn a_customer_is_found_by_the_beginnings_of_name_company_number_and_address() {
        for (text, found) in [
            ("ann", true),
            ("JOSE smi", true),
            ("mul", true),
            ("uller", false),
            ("sohne ann", true),
            ("ann other", false),
            ("+49 30", true),
            ("(49) 301-23", true),
            ("+3906", true),
            ("123", false),
            ("ann.smith@", true),
            ("ANN.Smith@exa", true),
            ("smith@example.org", false),
            ("a jo", true),
        ] {
            let query = Query::new(text).unwrap();
            assert_eq!(query.finds(&ann()), found, "{text}");
        }
        assert_eq!(Query::new("a smit b").unwrap().longest(), "smit");
    }

    #[test]
    fn a_query_has_three_letters_or_digits_and_a_bound() {
        for (text, expected) in [
            ("an", Rejection::TooShort),
            ("", Rejection::TooShort),
            ("+1 2", Rejection::TooShort),
            ("a@", Rejection::TooShort),
            ("- - - -", Rejection::TooShort),
            (&"x".repeat(CHARS_MAX + 1), Rejection::TooLong),
        ] {
            assert_eq!(Query::new(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn the_words_of_one_customer_have_a_bound() {
        let name: String = (0..100).map(|n| format!("w{n} ")).collect();
        let profile = Profile { name, ..ann() };
        let words = words_of(&profile);
        assert_eq!(words.len(), WORDS_MAX);
        assert!(words.contains("493012345678") && words.contains("ann.smith@example.org"));
    }
}
