//! How administrators edit the tags of messages (S4-6, S4-7, S4-25).
//!
//! A tag that was chosen stays where it was chosen when it is taken off the list.

use serde::{Deserialize, Serialize};

use super::{Tag, Tags};
use crate::clock::Timestamp;
use crate::domain::refusal::rejections;

/// Characters of the name of a tag.
pub const NAME_CHARS_MAX: usize = 64;
/// Tags of a host; nobody chooses from more.
pub const LISTED_MAX: usize = 500;

/// What an administrator does with the tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Makes a tag, or writes one anew.
    Put(Tag),
    /// Takes the tag of that name off the list.
    Remove(String),
}

/// What has happened to the tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The tag is there as said.
    Put {
        /// When.
        at: Timestamp,
        /// The tag as it is now.
        tag: Tag,
    },
    /// There is no such tag to choose any more.
    Removed {
        /// When.
        at: Timestamp,
        /// Its name.
        name: String,
    },
}

impl Tags {
    /// What comes of a command. What is so already is no event.
    ///
    /// # Errors
    /// When the tag is malformed, there are too many, or there is none to remove.
    pub fn decide(&self, command: Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
        let known = |name: &str| self.tags.iter().find(|it| it.name == name);
        match command {
            Command::Put(tag) => {
                let name = tag.name.trim();
                let fits = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX;
                if !fits || name != tag.name || name.contains(char::is_control) {
                    return Err(Rejection::Name);
                }
                if tag.availability.is_empty() {
                    return Err(Rejection::Availability);
                }
                match known(&tag.name) {
                    Some(same) if *same == tag => Ok(vec![]),
                    None if self.tags.len() >= LISTED_MAX => Err(Rejection::Full),
                    Some(_) | None => Ok(vec![Event::Put { at: now, tag }]),
                }
            }
            Command::Remove(name) => match known(&name) {
                Some(_) => Ok(vec![Event::Removed { at: now, name }]),
                None => Err(Rejection::Unknown),
            },
        }
    }

    /// Makes it what it is after the event.
    pub fn apply(&mut self, event: &Event) {
        self.version = self.version.saturating_add(1);
        match event {
            Event::Put { tag, .. } => match self.tags.iter_mut().find(|it| it.name == tag.name) {
                Some(known) => known.clone_from(tag),
                None => self.tags.push(tag.clone()),
            },
            Event::Removed { name, .. } => self.tags.retain(|it| it.name != *name),
        }
    }
}

rejections! {
    /// Why the tags are not edited.
    pub enum Rejection {
        /// [`NAME_CHARS_MAX`].
        Name = Invalid, "tag-name-malformed", "A tag has a name of one line and at most 64 characters.";
        /// It could never be chosen.
        Availability = Invalid, "tag-availability-missing", "A tag is for messages, for billable messages, or for both.";
        /// There is no such tag.
        Unknown = NotFound, "tag-not-listed", "There is no such tag in the list.";
        /// [`LISTED_MAX`].
        Full = Limit, "tag-list-full", "There are already 500 tags.";
    }
}

#[cfg(test)]
mod tests {
    use super::super::Availability;
    use super::*;

    fn tag(name: &str, availability: &[Availability]) -> Tag {
        Tag {
            name: name.to_owned(),
            availability: availability.iter().copied().collect(),
        }
    }

    /// S4-6, S4-7, S4-25.
    #[test]
    fn tags_are_made_for_messages_and_for_billable_ones() {
        use Availability::{Message, MessageBillable};
        let now = Timestamp::from_micros(1_790_000_000_000_000);
        let mut tags = Tags::default();
        let long = "ü".repeat(NAME_CHARS_MAX + 1);
        let put = |name: &str, availability: &[Availability]| Command::Put(tag(name, availability));
        for (command, expected) in [
            (put("Consulting", &[Message]), Ok(1)),
            (put("Consulting", &[Message]), Ok(0)),
            (put("Consulting", &[MessageBillable]), Ok(1)),
            (put(long.get(2..).unwrap(), &[Message]), Ok(1)),
            (put(&long, &[Message]), Err(Rejection::Name)),
            (put(" ", &[Message]), Err(Rejection::Name)),
            (put(" Padded", &[Message]), Err(Rejection::Name)),
            (put("Two\nlines", &[Message]), Err(Rejection::Name)),
            (put("Nowhere", &[]), Err(Rejection::Availability)),
            (Command::Remove("Other".to_owned()), Err(Rejection::Unknown)),
            (Command::Remove(long.get(2..).unwrap().to_owned()), Ok(1)),
        ] {
            let events = tags.decide(command.clone(), now);
            assert_eq!(events.clone().map(|it| it.len()), expected, "{command:?}");
            for event in events.iter().flatten() {
                tags.apply(event);
            }
        }
        assert_eq!(tags.tags, [tag("Consulting", &[MessageBillable])]);
        assert_eq!(tags.version, 4);
        let name = |n: usize| tag(&format!("t{n}"), &[Message]);
        tags.tags = (0..LISTED_MAX).map(name).collect();
        assert_eq!(
            tags.decide(put("new", &[Message]), now),
            Err(Rejection::Full)
        );
        assert!(tags.decide(put("t1", &[MessageBillable]), now).is_ok());
    }
}
