//! Lists from which agents choose and which administrators edit: each entry has a code for programs and labels for people, in
//! as many languages as are written (S3-3, S3-12, S3-15).
//!
//! What was removed from a list stays readable where it was chosen. Machine: [`decide`] and [`apply`] on the entries of a
//! list; who has the list counts its versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::refusal::rejections;
use crate::clock::Timestamp;

/// Entries of one list; no agent chooses from more.
pub const ENTRIES_MAX: usize = 500;
/// Bytes of a code.
pub const CODE_BYTES_MAX: usize = 64;
/// Bytes of a label; it is shown in forms and presence.
pub const LABEL_BYTES_MAX: usize = 256;
/// Languages of an entry.
pub const LABELS_MAX: usize = 50;

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What programs call it: `phone-call`, `report` … Unique within its list.
    pub code: String,
    /// What people read, by language (BCP 47).
    pub labels: BTreeMap<String, String>,
}

impl Entry {
    /// One with a label in English.
    #[must_use]
    pub fn english((code, label): (&str, &str)) -> Self {
        Self {
            code: code.to_owned(),
            labels: [("en".to_owned(), label.to_owned())].into(),
        }
    }

    /// What people of that language read.
    #[must_use]
    pub fn label(&self, language: &str) -> &str {
        label(&self.labels, language).unwrap_or(&self.code)
    }
}

/// Whether it is a code: letters, digits, hyphens and low lines.
#[must_use]
pub fn is_code(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=CODE_BYTES_MAX).contains(&text.len()) && text.bytes().all(letter)
}

/// Whether those are labels: at least one, none empty or too long.
#[must_use]
pub fn are_labels(labels: &BTreeMap<String, String>) -> bool {
    let good = |text: &str| !text.trim().is_empty() && text.len() <= LABEL_BYTES_MAX;
    (1..=LABELS_MAX).contains(&labels.len())
        && labels.iter().all(|(tag, label)| good(tag) && good(label))
}

/// The label in that language, in a shorter form of it (`de` for `de-AT`), in English, or in any language (RFC 4647 §3.4).
#[must_use]
pub fn label<'a>(labels: &'a BTreeMap<String, String>, language: &str) -> Option<&'a str> {
    let mut range = language.to_ascii_lowercase();
    loop {
        let mut known = labels.iter();
        if let Some((_, label)) = known.find(|(tag, _)| tag.eq_ignore_ascii_case(&range)) {
            return Some(label);
        }
        match range.rfind('-') {
            Some(end) => range.truncate(end),
            None => break,
        }
    }
    let any = || labels.values().next();
    labels.get("en").or_else(any).map(String::as_str)
}

/// What an administrator does with a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Makes an entry, or writes one anew.
    Put(Entry),
    /// Takes the entry of that code off the list.
    Remove(String),
}

/// What has happened to a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The entry is there as said.
    Put {
        /// When.
        at: Timestamp,
        /// The entry as it is now.
        entry: Entry,
    },
    /// There is no such entry any more.
    Removed {
        /// When.
        at: Timestamp,
        /// Its code.
        code: String,
    },
}

/// What comes of a command. What is so already is no event.
///
/// # Errors
/// When the entry is malformed, there are too many, or there is none to remove.
pub fn decide(list: &[Entry], command: Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
    let known = |code: &str| list.iter().find(|it| it.code == code);
    match command {
        Command::Put(entry) => {
            if !is_code(&entry.code) {
                return Err(Rejection::Code);
            }
            if !are_labels(&entry.labels) {
                return Err(Rejection::Labels);
            }
            match known(&entry.code) {
                Some(same) if *same == entry => Ok(vec![]),
                None if list.len() >= ENTRIES_MAX => Err(Rejection::Full),
                Some(_) | None => Ok(vec![Event::Put { at: now, entry }]),
            }
        }
        Command::Remove(code) => match known(&code) {
            Some(_) => Ok(vec![Event::Removed { at: now, code }]),
            None => Err(Rejection::Unknown),
        },
    }
}

/// Makes the list what it is after the event. A new entry is the last.
pub fn apply(list: &mut Vec<Entry>, event: &Event) {
    match event {
        Event::Put { entry, .. } => match list.iter_mut().find(|it| it.code == entry.code) {
            Some(known) => known.clone_from(entry),
            None => list.push(entry.clone()),
        },
        Event::Removed { code, .. } => list.retain(|it| it.code != *code),
    }
}

rejections! {
    /// Why a list is not edited.
    pub enum Rejection {
        /// [`CODE_BYTES_MAX`].
        Code = Invalid, "entry-code-malformed", "A code has 1 to 64 letters, digits and hyphens.";
        /// [`LABELS_MAX`] and [`LABEL_BYTES_MAX`].
        Labels = Invalid, "entry-labels", "There must be a label of at most 256 bytes in at least one language.";
        /// There is no such entry.
        Unknown = NotFound, "entry-unknown", "There is no such entry in the list.";
        /// [`ENTRIES_MAX`].
        Full = Limit, "list-full", "There are already 500 entries in the list.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn put(code: &str, label: &str) -> Command {
        Command::Put(Entry::english((code, label)))
    }

    /// S3-3, S3-15: any entry can be made; what cannot be one is refused.
    #[test]
    fn a_list_takes_what_has_a_code_and_labels() {
        let list = vec![Entry::english(("task", "Task"))];
        let many = |count: usize| {
            let label = |n: usize| (format!("x-{n}"), "x".to_owned());
            Command::Put(Entry {
                code: "many".to_owned(),
                labels: (0..count).map(label).collect(),
            })
        };
        let long = "x".repeat(CODE_BYTES_MAX);
        for (command, expected) in [
            (put("task", "Task"), Ok(0)),
            (put("task", "To do"), Ok(1)),
            (put("Visit_2", "Visit"), Ok(1)),
            (put(&long, "Visit"), Ok(1)),
            (put(&format!("{long}x"), "Visit"), Err(Rejection::Code)),
            (put("", "Visit"), Err(Rejection::Code)),
            (put("a visit", "Visit"), Err(Rejection::Code)),
            (put("visit", " "), Err(Rejection::Labels)),
            (put("visit", &"x".repeat(LABEL_BYTES_MAX)), Ok(1)),
            (
                put("visit", &"x".repeat(LABEL_BYTES_MAX + 1)),
                Err(Rejection::Labels),
            ),
            (many(0), Err(Rejection::Labels)),
            (many(LABELS_MAX), Ok(1)),
            (many(LABELS_MAX + 1), Err(Rejection::Labels)),
            (Command::Remove("task".to_owned()), Ok(1)),
            (Command::Remove("visit".to_owned()), Err(Rejection::Unknown)),
        ] {
            let come = decide(&list, command.clone(), NOW).map(|it| it.len());
            assert_eq!(come, expected, "{command:?}");
        }
        let code = |n: usize| Entry::english((&format!("e-{n}"), "x"));
        let full: Vec<Entry> = (0..ENTRIES_MAX).map(code).collect();
        assert_eq!(
            decide(&full, put("task", "Task"), NOW),
            Err(Rejection::Full)
        );
        assert!(decide(&full, put("e-1", "Other"), NOW).is_ok());
    }

    #[test]
    fn what_was_put_is_there_until_it_is_removed() {
        let mut list = vec![];
        for command in [
            put("a", "A"),
            put("b", "B"),
            put("a", "Aa"),
            Command::Remove("b".to_owned()),
        ] {
            for event in decide(&list, command, NOW).unwrap() {
                let json = serde_json::to_string(&event).unwrap();
                assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
                apply(&mut list, &event);
            }
        }
        assert_eq!(list, [Entry::english(("a", "Aa"))]);
    }
}
