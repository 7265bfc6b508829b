//! What is to be told to those who watch, until it is: bounded, in the order in which it has happened.

use std::collections::{BTreeMap, VecDeque};

use crate::clock::Timestamp;
use crate::contact_center::message_streams::changes::Done;
use crate::domain::ids::{AgentId, StreamId};
use crate::domain::message_stream::{Part, Recipients, Stream};

/// Changes that wait to be told: what a busy minute brings. Beyond them those who watch are told to read anew.
const NOTES_MAX: usize = 1_000;

/// What has happened to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::contact_center::message_streams) enum What {
    Created,
    Replied,
    Edited,
    Properties,
    Tags,
    Completed,
    Reopened,
    /// It is about another customer, who turned out to be the same.
    Moved,
    Deleted,
}

impl What {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replied => "replied",
            Self::Edited => "edited",
            Self::Properties => "properties",
            Self::Tags => "tags",
            Self::Completed => "completed",
            Self::Reopened => "reopened",
            Self::Moved => "moved",
            Self::Deleted => "deleted",
        }
    }

    /// What the audit trail calls it.
    pub(in crate::contact_center::message_streams) const fn operation(self) -> &'static str {
        match self {
            Self::Created => "message-stream create",
            Self::Replied => "message-stream reply",
            Self::Edited => "message-stream edit",
            Self::Properties => "message-stream properties",
            Self::Tags => "message-stream tags",
            Self::Completed => "message-stream complete",
            Self::Reopened => "message-stream reopen",
            Self::Moved => "message-stream move",
            Self::Deleted => "message-stream delete",
        }
    }
}

/// What is not told yet.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) waiting: VecDeque<Note>,
    /// There was more than anybody can be told of.
    pub(super) missed: bool,
}

impl Notes {
    pub(super) fn add(&mut self, note: Note) {
        match self.waiting.len() < NOTES_MAX {
            true => self.waiting.push_back(note),
            false => self.missed = true,
        }
    }

    /// Those of one host, taken out; what was missed was missed by all hosts.
    pub(super) fn take_of(&mut self, host: &str) -> Self {
        let waiting = std::mem::take(&mut self.waiting);
        let (own, others) = waiting.into_iter().partition(|it| it.host == host);
        self.waiting = others;
        Self {
            waiting: own,
            missed: self.missed,
        }
    }

    /// What could not be told comes before what has happened since.
    pub(super) fn put_back(&mut self, mut untold: Self) {
        untold.waiting.append(&mut self.waiting);
        self.missed |= untold.missed || untold.waiting.len() > NOTES_MAX;
        untold.waiting.truncate(NOTES_MAX);
        self.waiting = untold.waiting;
    }
}

/// One change.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) host: String,
    pub(super) stream: StreamId,
    pub(super) what: What,
    pub(super) part: Part,
    /// For whom it was before, where that has changed.
    pub(super) before: Option<Sight>,
}

impl Note {
    pub(super) fn of(host: &str, done: &Done) -> Self {
        let part = done.events.first().map(|event| done.before.part_of(event));
        let (before, after) = (Sight::of(&done.before), Sight::of(&done.after));
        Self {
            host: host.to_owned(),
            stream: done.after.id.clone(),
            what: done.what,
            part: part.unwrap_or(Part::Message),
            before: (before != after && done.what != What::Created).then_some(before),
        }
    }

    /// Of a stream of which nothing is left; `None` where nothing was left of it before.
    pub(super) fn of_gone(stream: &Stream) -> Option<Self> {
        let first = stream.messages.first()?;
        Some(Self {
            host: first.author.host().to_owned(),
            stream: stream.id.clone(),
            what: What::Deleted,
            part: Part::Message,
            before: Some(Sight::of(stream)),
        })
    }
}

/// For whom a stream is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sight {
    all: bool,
    /// Each with when it became so.
    named: BTreeMap<AgentId, Timestamp>,
}

impl Sight {
    fn of(stream: &Stream) -> Self {
        let all = stream.properties.recipients == Recipients::All && stream.customer.is_some();
        let named = match all {
            true => BTreeMap::new(),
            false => stream.named(),
        };
        Self { all, named }
    }

    /// Whether it was for that one, whose account there is since then.
    pub(super) fn has(&self, agent: &AgentId, since: Timestamp) -> bool {
        self.all || self.named.get(agent).is_some_and(|at| *at >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(number: usize) -> Note {
        Note {
            host: format!("h{}", number % 2),
            stream: format!("s{number}").parse().unwrap(),
            what: What::Replied,
            part: Part::Comment,
            before: None,
        }
    }

    fn notes(numbers: std::ops::Range<usize>) -> Notes {
        Notes {
            waiting: numbers.map(note).collect(),
            ..Notes::default()
        }
    }

    fn ids(notes: &Notes) -> Vec<&str> {
        notes.waiting.iter().map(|it| it.stream.as_str()).collect()
    }

    /// What could not be told is told later, in its order, and when it is too much all read anew.
    #[test]
    fn what_is_not_told_waits() {
        let mut all = notes(2..4);
        all.put_back(notes(0..2));
        assert_eq!(ids(&all), ["s0", "s1", "s2", "s3"]);
        assert!(!all.missed);
        all.put_back(notes(0..NOTES_MAX));
        assert_eq!(all.waiting.len(), NOTES_MAX);
        assert!(all.missed);
        all.add(note(7));
        assert_eq!(all.waiting.len(), NOTES_MAX);
    }

    #[test]
    fn each_host_is_told_its_own() {
        let mut all = notes(0..5);
        all.missed = true;
        let own = all.take_of("h1");
        assert_eq!((ids(&own), own.missed), (vec!["s1", "s3"], true));
        assert_eq!(ids(&all), ["s0", "s2", "s4"]);
    }
}
