//! What the customer has of a stream that is passed on (S4-17). Messages are never taken out of a stream, so that a count says
//! which of them it has; what was edited while nothing was passed on is named.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Event, Message, Stream};
use crate::clock::Timestamp;
use crate::domain::ids::MessageId;

/// What the customer has, or is on its way to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Passed {
    /// So many messages, the main one among them.
    pub count: usize,
    /// Those of them that say something else by now.
    pub outdated: BTreeSet<MessageId>,
    /// Those of them that it does not have after all: taken back before they were sent, or refused by the connector.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub missing: BTreeSet<MessageId>,
}

impl Passed {
    /// The customer does not get that after all. Of what it does not have at all there is nothing to correct.
    fn lack(&mut self, id: MessageId, how: Pass) {
        match how {
            Pass::New => {
                self.missing.insert(id);
            }
            Pass::Correction => {
                self.outdated.insert(id);
            }
        }
    }
}

/// How a message is passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The customer has nothing of it.
    New,
    /// The customer has it as it was.
    Correction,
}

impl Stream {
    /// What there is to be passed on behind the events that have made it of `before`: what is written while it is passed on, and, when
    /// that is switched on, what the customer does not have yet.
    #[must_use]
    pub fn to_pass(&self, before: &Self, events: &[Event]) -> Vec<(&Message, Pass)> {
        if !self.is_for_the_customer() {
            return Vec::new();
        }
        let had = &before.passed;
        let switched_on = !before.is_for_the_customer();
        let edited = |id: &MessageId| {
            let edits = |event: &Event| match event {
                Event::Edited { message, .. } => message.id == *id,
                Event::Created { .. }
                | Event::Replied { .. }
                | Event::PropertiesSet { .. }
                | Event::TagsSet { .. }
                | Event::Completed { .. }
                | Event::Moved { .. }
                | Event::Recalled { .. }
                | Event::Deleted { .. } => false,
            };
            events.iter().any(edits)
        };
        let numbered = self.messages.iter().enumerate();
        let passed = numbered.filter_map(|(at, message)| {
            let how = match at < had.count {
                false => Pass::New,
                true if !switched_on && !edited(&message.id) => return None,
                true if had.missing.contains(&message.id) => Pass::New,
                true if had.outdated.contains(&message.id) || edited(&message.id) => {
                    Pass::Correction
                }
                true => return None,
            };
            Some((message, how))
        });
        passed.collect()
    }

    /// What happens when that waited to be passed on, and is not: nothing as long as it is passed on. What the customer does not have
    /// goes to it as it is then, if that is switched on once more.
    #[must_use]
    pub fn recall(&self, at: Timestamp, waiting: &[(MessageId, Pass)]) -> Option<Event> {
        if self.is_for_the_customer() {
            return None;
        }
        let mut passed = self.passed.clone();
        waiting
            .iter()
            .for_each(|(id, how)| passed.lack(id.clone(), *how));
        Some(Event::Recalled { at, passed })
    }

    /// What happens when the connector refuses a message: the customer does not have it, and gets it when it is edited, or when
    /// delivery is switched on once more.
    #[must_use]
    pub fn refused(&self, at: Timestamp, id: &MessageId, how: Pass) -> Option<Event> {
        let mut had = self.messages.iter().take(self.passed.count);
        had.find(|it| it.id == *id)?;
        let mut passed = self.passed.clone();
        passed.lack(id.clone(), how);
        (passed != self.passed).then_some(Event::Recalled { at, passed })
    }

    /// Notes what the customer has behind an event.
    pub(super) fn note_passed(&mut self, event: &Event, was_for_the_customer: bool) {
        if self.is_for_the_customer() {
            self.passed.count = self.messages.len();
            if !was_for_the_customer {
                self.passed.outdated.clear();
                self.passed.missing.clear();
            }
            if let Event::Edited { message, .. } = event {
                self.passed.outdated.remove(&message.id);
                self.passed.missing.remove(&message.id);
            }
            return;
        }
        if let Event::Edited { message, .. } = event {
            let mut had = self.messages.iter().take(self.passed.count);
            if had.any(|it| it.id == message.id) {
                self.passed.outdated.insert(message.id.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message_stream::{Properties, Written, apply};

    const AT: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn written(id: &str, text: &str) -> Written {
        Written {
            id: id.parse().unwrap(),
            text: text.to_owned(),
            attachments: vec![],
        }
    }

    fn set(delivered: bool, whisper: bool) -> Event {
        let properties = Properties {
            delivered,
            whisper,
            ..Properties::default()
        };
        Event::PropertiesSet { at: AT, properties }
    }

    fn reply(id: &str) -> Event {
        Event::Replied {
            at: AT,
            by: "romeo@localhost".parse().unwrap(),
            message: written(id, "x"),
        }
    }

    fn created() -> Event {
        Event::Created {
            at: AT,
            by: "romeo@localhost".parse().unwrap(),
            customer: "ann".parse().unwrap(),
            title: "T".to_owned(),
            message: written("m1", "one"),
            properties: Properties::default(),
            tags: BTreeSet::new(),
        }
    }

    fn edit(id: &str, text: &str) -> Event {
        let message = written(id, text);
        Event::Edited {
            at: AT,
            title: None,
            message,
        }
    }

    /// S4-17: each message once, each edit of what the customer has as a correction, and nothing of what stays here. All of it
    /// happens in the same moment, for what clocks say decides nothing.
    #[test]
    fn the_customer_gets_each_message_once_and_each_edit_as_a_correction() {
        let mut stream = Stream::new("s1".parse().unwrap());
        let steps: [(Event, &[(&str, Pass)]); 14] = [
            (created(), &[]),
            (edit("m1", "uno"), &[]),
            (reply("m2"), &[]),
            (set(true, false), &[("m1", Pass::New), ("m2", Pass::New)]),
            (reply("m3"), &[("m3", Pass::New)]),
            (edit("m2", "due"), &[("m2", Pass::Correction)]),
            (
                Event::Completed {
                    at: AT,
                    completed: true,
                },
                &[],
            ),
            (set(false, false), &[]),
            (edit("m1", "ein"), &[]),
            (reply("m4"), &[]),
            (edit("m4", "vier"), &[]),
            (
                set(true, false),
                &[("m1", Pass::Correction), ("m4", Pass::New)],
            ),
            (set(false, true), &[]),
            (reply("m5"), &[]),
        ];
        for (event, expected) in steps {
            let before = stream.clone();
            apply(&mut stream, &event);
            let passed = stream.to_pass(&before, std::slice::from_ref(&event));
            let passed: Vec<_> = passed
                .iter()
                .map(|(it, how)| (it.id.as_str(), *how))
                .collect();
            assert_eq!(passed, expected, "{event:?}");
        }
        apply(&mut stream, &Event::Deleted { at: AT });
        assert_eq!(stream.passed, Passed::default());
    }

    /// What waited and is taken back goes later as it is then, each message once; nobody's version counts that.
    #[test]
    fn what_is_taken_back_goes_when_it_is_switched_on_again() {
        let mut stream = Stream::new("s1".parse().unwrap());
        for event in [
            created(),
            set(true, false),
            reply("m2"),
            edit("m1", "uno"),
            reply("m3"),
        ] {
            apply(&mut stream, &event);
        }
        let id = |id: &str| id.parse::<MessageId>().unwrap();
        // The customer has the first two.
        let waiting = [(id("m1"), Pass::Correction), (id("m3"), Pass::New)];
        assert_eq!(stream.recall(AT, &waiting), None, "it is passed on");
        apply(&mut stream, &set(false, false));
        let rights = crate::domain::rights::Rights::default();
        let version = stream.version_for(&rights);
        let recalled = stream.recall(AT, &waiting).unwrap();
        apply(&mut stream, &recalled);
        assert_eq!(stream.version_for(&rights), version);
        // Nothing waits any more: it stays so.
        let again = stream.recall(AT, &[]).unwrap();
        assert_eq!(again, recalled);
        let on = set(true, false);
        let before = stream.clone();
        apply(&mut stream, &on);
        let passed = stream.to_pass(&before, &[on]);
        let passed: Vec<_> = passed
            .iter()
            .map(|(it, how)| (it.id.as_str(), *how))
            .collect();
        assert_eq!(passed, [("m1", Pass::Correction), ("m3", Pass::New)]);
    }
}
