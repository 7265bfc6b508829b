//! Who sees what of a stream (S4-4, S4-5, S4-34, S4-35). Whoever lacks the right to a part cannot tell whether there is one: not
//! even by the version, which counts what that one sees.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Event, Message, Recipients, Stream};
use crate::domain::ids::AgentId;
use crate::domain::rights::{Right, Rights};

/// A part of a stream that a right of its own shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Title and main message, and whether it is completed.
    Message,
    /// Replies.
    Comment,
    /// Recipients, whisper, minutes, billing and delivery.
    Property,
    /// Tags.
    Tag,
}

/// How many events were about parts that not everybody sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hidden {
    /// About replies.
    pub comments: u64,
    /// About what is set.
    pub properties: u64,
    /// About tags.
    pub tags: u64,
}

impl Part {
    /// What shows it.
    #[must_use]
    pub const fn right(self) -> Right {
        match self {
            Self::Message => Right::MessageShow,
            Self::Comment => Right::CommentShow,
            Self::Property => Right::PropertyShow,
            Self::Tag => Right::TagShow,
        }
    }
}

impl Stream {
    /// Whether that employee sees the stream: it has the right, and is among those for whom it is (S4-35).
    #[must_use]
    pub fn is_seen_by(&self, agent: &AgentId, rights: &Rights) -> bool {
        self.customer.is_some()
            && self.deleted_at.is_none()
            && rights.has(Right::MessageShow)
            && (self.properties.recipients == Recipients::All || self.names(agent))
    }

    /// Whether the stream is for that one by name or by that one; of a stream for everybody, whether that one has
    /// written in it. Who is taken off a stream loses it, replies of its own as well.
    #[must_use]
    pub fn names(&self, agent: &AgentId) -> bool {
        match &self.properties.recipients {
            Recipients::All => self.messages.iter().any(|it| it.author == *agent),
            Recipients::Some(recipients) => {
                let first = self.messages.first();
                recipients.contains(agent) || first.is_some_and(|it| it.author == *agent)
            }
        }
    }

    /// All for whom that is so.
    #[must_use]
    pub fn named(&self) -> BTreeSet<AgentId> {
        let authors = self.messages.iter().map(|it| it.author.clone());
        match &self.properties.recipients {
            Recipients::All => authors.collect(),
            Recipients::Some(recipients) => {
                let mut named = recipients.clone();
                named.extend(authors.take(1));
                named
            }
        }
    }

    /// The messages that an employee with those rights reads: without the right to replies only the main one.
    pub fn read_by(&self, rights: &Rights) -> impl Iterator<Item = &Message> {
        let most = match rights.has(Right::CommentShow) {
            true => usize::MAX,
            false => 1,
        };
        self.messages.iter().take(most)
    }

    /// The version as somebody with those rights sees it: how many events there were of what that one sees.
    #[must_use]
    pub fn version_for(&self, rights: &Rights) -> u64 {
        let of = |part: Part, count| match rights.has(part.right()) {
            true => 0,
            false => count,
        };
        let Hidden {
            comments,
            properties,
            tags,
        } = self.hidden;
        let unseen = [
            of(Part::Comment, comments),
            of(Part::Property, properties),
            of(Part::Tag, tags),
        ];
        self.version.saturating_sub(unseen.into_iter().sum())
    }

    /// Which part the event is about; the main message comes first.
    #[must_use]
    pub fn part_of(&self, event: &Event) -> Part {
        match event {
            Event::Created { .. }
            | Event::Completed { .. }
            | Event::Moved { .. }
            | Event::Deleted { .. } => Part::Message,
            Event::Replied { .. } => Part::Comment,
            Event::Edited { message, .. } => match self.messages.first() {
                Some(first) if first.id == message.id => Part::Message,
                Some(_) | None => Part::Comment,
            },
            Event::PropertiesSet { .. } => Part::Property,
            Event::TagsSet { .. } => Part::Tag,
        }
    }

    /// Counts an event that is about to happen.
    pub(super) fn count(&mut self, event: &Event) {
        self.version = self.version.saturating_add(1);
        let counted = match self.part_of(event) {
            Part::Message => return,
            Part::Comment => &mut self.hidden.comments,
            Part::Property => &mut self.hidden.properties,
            Part::Tag => &mut self.hidden.tags,
        };
        *counted = counted.saturating_add(1);
    }
}
