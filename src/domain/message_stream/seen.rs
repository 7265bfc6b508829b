//! Who sees what of a stream (S4-4, S4-5, S4-34, S4-35). Whoever lacks the right to a part cannot tell whether there is one: not
//! even by the version, which counts what that one sees.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Event, Message, Properties, Recipients, Stream};
use crate::clock::Timestamp;
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
    /// About what nobody sees: what is on its way to the customer.
    pub passing: u64,
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
    /// Whether that employee, whose account there is since then, sees the stream: it has the right, and is among those for
    /// whom it is (S4-35).
    #[must_use]
    pub fn is_seen_by(&self, agent: &AgentId, since: Timestamp, rights: &Rights) -> bool {
        self.customer.is_some()
            && self.deleted_at.is_none()
            && rights.has(Right::MessageShow)
            && (self.properties.recipients == Recipients::All || self.names(agent, since))
    }

    /// Whether the stream is for that one by name or by that one; of a stream for everybody, whether that one has
    /// written in it. Who is taken off a stream loses it, replies of its own as well. What an earlier account of the same name
    /// was named in or wrote is not that one's: it counts only what happened since there is the account.
    #[must_use]
    pub fn names(&self, agent: &AgentId, since: Timestamp) -> bool {
        let wrote = |it: &Message| it.author == *agent && it.at >= since;
        match &self.properties.recipients {
            Recipients::All => self.messages.iter().any(wrote),
            Recipients::Some(recipients) => {
                let is_addressed = recipients.contains(agent) && self.addressed_at(agent) >= since;
                is_addressed || self.messages.first().is_some_and(wrote)
            }
        }
    }

    /// All for whom that is so, each with the last time at which it became so.
    #[must_use]
    pub fn named(&self) -> BTreeMap<AgentId, Timestamp> {
        // By time, so that the last one stays.
        let authors = self.messages.iter().map(|it| (it.author.clone(), it.at));
        match &self.properties.recipients {
            Recipients::All => authors.collect(),
            Recipients::Some(recipients) => {
                let addressed = recipients.iter();
                let mut named: BTreeMap<_, _> = authors.take(1).collect();
                for (agent, at) in addressed.map(|it| (it, self.addressed_at(it))) {
                    let known = named.entry(agent.clone()).or_insert(at);
                    *known = (*known).max(at);
                }
                named
            }
        }
    }

    /// Since when that recipient is one: since the main message, where nothing later is noted.
    fn addressed_at(&self, agent: &AgentId) -> Timestamp {
        let first = self.messages.first().map(|it| it.at);
        let later = self.addressed_later.get(agent).copied();
        later.or(first).unwrap_or(Timestamp::from_micros(i64::MIN))
    }

    /// Others are recipients from then on. Who was one already is so since it became one: who sets something else with the
    /// same recipients grants nothing to a later account of the same name.
    pub(super) fn address(&mut self, at: Timestamp, properties: &Properties) {
        let known = match &self.properties.recipients {
            Recipients::All => None,
            Recipients::Some(known) => Some(known),
        };
        match &properties.recipients {
            Recipients::All => self.addressed_later.clear(),
            Recipients::Some(recipients) => {
                let is_new = |it: &&AgentId| known.is_none_or(|known| !known.contains(*it));
                let new = recipients.iter().filter(is_new).map(|it| (it.clone(), at));
                self.addressed_later.retain(|it, _| recipients.contains(it));
                self.addressed_later.extend(new);
            }
        }
        self.properties = properties.clone();
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
            passing,
        } = self.hidden;
        let unseen = [
            passing,
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
            Event::PropertiesSet { .. } | Event::Recalled { .. } => Part::Property,
            Event::TagsSet { .. } => Part::Tag,
        }
    }

    /// Counts an event that is about to happen.
    pub(super) fn count(&mut self, event: &Event) {
        self.version = self.version.saturating_add(1);
        let counted = match (self.part_of(event), event) {
            (_, Event::Recalled { .. }) => &mut self.hidden.passing,
            (Part::Message, _) => return,
            (Part::Comment, _) => &mut self.hidden.comments,
            (Part::Property, _) => &mut self.hidden.properties,
            (Part::Tag, _) => &mut self.hidden.tags,
        };
        *counted = counted.saturating_add(1);
    }
}
