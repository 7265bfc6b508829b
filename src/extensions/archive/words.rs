//! What a word is for a search (XEP-0431 §2.3): letters and digits in a row, whatever the script, without
//! regard to case and to marks above and below. Scripts that set no spaces between words are taken by
//! pairs of characters.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::config;
use crate::proto::{BareJid, Stanza};
use crate::store::{ArchiveWords, WORDS_MAX, archive_word};

/// Words that are noted of one message.
const NOTED_MAX: usize = 256;
/// Characters of a word; what comes after tells nothing.
const CHARS_MAX: usize = 40;

/// What is noted of a message in that archive; nothing where `[archive] full_text` is off.
pub(crate) fn noted(settings: &config::Archive, owner: &BareJid, stanza: &Stanza) -> Vec<i64> {
    if settings.full_text {
        of_message(owner, stanza)
    } else {
        Vec::new()
    }
}

/// The numbers of a message's words in that archive.
fn of_message(owner: &BareJid, stanza: &Stanza) -> Vec<i64> {
    let bodies = stanza.payload.iter();
    let bodies = bodies.filter(|child| child.is(None, "body") || child.is(None, "subject"));
    let known = ArchiveWords::of(owner);
    let mut numbers = Vec::new();
    for body in bodies {
        let text = body.text();
        let left = NOTED_MAX.saturating_sub(numbers.len());
        if text.is_ascii() {
            // Most text, and most of the work with it: nothing is copied.
            let words = plain_words(&text).take(left);
            numbers.extend(words.map(|word| known.number(lower_case(word))));
        } else {
            let words = words(&text, Grain::Fine).into_iter().take(left);
            numbers.extend(words.map(|word| known.number(word.bytes())));
        }
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The numbers of the words that are searched for: the longest ones, for they are the rarest.
pub(crate) fn of_search(owner: &BareJid, text: &str) -> Vec<i64> {
    let mut found = words(text, Grain::Coarse);
    found.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    let mut numbers: Vec<i64> = Vec::new();
    for word in found {
        let number = archive_word(owner, &word);
        if !numbers.contains(&number) && numbers.len() < WORDS_MAX {
            numbers.push(number);
        }
    }
    numbers
}

/// How text without spaces is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grain {
    /// By pairs, and by single characters, too: so both can be searched for.
    Fine,
    /// By pairs; by the character only where it stands alone.
    Coarse,
}

fn words(text: &str, grain: Grain) -> Vec<String> {
    if text.is_ascii() {
        let words = plain_words(text).map(|word| lower_case(word).map(char::from).collect());
        return words.collect();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    let mut dense: Vec<char> = Vec::new();
    let folded = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c) && !is_filler(*c))
        .flat_map(char::to_lowercase);
    for c in folded.chain([' ']) {
        if !is_dense(c) {
            split_dense(&mut dense, grain, &mut words);
        }
        if c == 'ß' {
            word.push_str("ss");
        } else if c.is_alphanumeric() && !is_dense(c) {
            word.push(c);
        } else {
            if !word.is_empty() {
                words.push(word.chars().take(CHARS_MAX).collect());
                word.clear();
            }
            if is_dense(c) {
                dense.push(c);
            }
        }
    }
    words
}

/// The same for text without anything to fold but the case, which is left to do.
fn plain_words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(|word| word.get(..CHARS_MAX).unwrap_or(word))
}

fn lower_case(word: &str) -> impl Iterator<Item = u8> {
    word.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn split_dense(dense: &mut Vec<char>, grain: Grain, words: &mut Vec<String>) {
    words.extend(dense.windows(2).map(|pair| pair.iter().collect::<String>()));
    if grain == Grain::Fine || dense.len() == 1 {
        words.extend(dense.iter().map(char::to_string));
    }
    dense.clear();
}

/// Chinese, Japanese, Thai, Lao, Khmer, Burmese: words are not separated.
const fn is_dense(c: char) -> bool {
    matches!(
        c,
        '\u{0E00}'..='\u{0EFF}'
            | '\u{1000}'..='\u{109F}'
            | '\u{1780}'..='\u{17FF}'
            | '\u{3040}'..='\u{30FF}'
            | '\u{3400}'..='\u{4DBF}'
            | '\u{4E00}'..='\u{9FFF}'
            | '\u{20000}'..='\u{2FFFF}'
    )
}

/// The stretching sign of Arabic, and what joins or separates without being seen.
const fn is_filler(c: char) -> bool {
    matches!(c, '\u{0640}' | '\u{200B}'..='\u{200F}' | '\u{00AD}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_many_scripts() {
        for (text, expected) in [
            ("Hello, world!", &["hello", "world"][..]),
            ("Grüße an die STRASSE", &["grusse", "an", "die", "strasse"]),
            ("Straße", &["strasse"]),
            ("café CAFE\u{301}", &["cafe", "cafe"]),
            ("مَرْحَبًا بالعالم", &["مرحبا", "بالعالم"]),
            ("Ужин в 20:30", &["ужин", "в", "20", "30"]),
            ("ο Σίσυφος", &["ο", "σισυφοσ"]),
            ("שָׁלוֹם", &["שלום"]),
            ("안녕", &["안녕"]),
            ("東京都", &["東京", "京都"]),
            ("朝", &["朝"]),
            ("C3PO東京", &["c3po", "東京"]),
            (
                "R2-D2's 2nd_message\n(C3PO)",
                &["r2", "d2", "s", "2nd", "message", "c3po"],
            ),
            ("\u{1F98A} …!", &[]),
            ("", &[]),
        ] {
            let found: Vec<String> = words(text, Grain::Coarse);
            let expected: Vec<String> = expected.iter().map(|word| word.nfkd().collect()).collect();
            let found: Vec<String> = found.iter().map(|word| word.replace('ς', "σ")).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(words("東京", Grain::Fine), ["東京", "東", "京"]);
    }

    #[test]
    fn what_is_noted_and_searched_is_bounded() {
        let owner = BareJid::new("a@example.org").unwrap();
        let many: String = (0..1_000).map(|n| format!("w{n} ")).collect();
        let body = crate::xml::Element::new(crate::proto::ns::CLIENT, "body").text(many.clone());
        let stanza = Stanza::message(crate::proto::MessageType::Chat).child(&body);
        assert_eq!(of_message(&owner, &stanza).len(), NOTED_MAX);
        assert_eq!(of_search(&owner, &many).len(), WORDS_MAX);
        let long = "x".repeat(10_000);
        assert_eq!(words(&long, Grain::Coarse), ["x".repeat(CHARS_MAX)]);
    }
}
