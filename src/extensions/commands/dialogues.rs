//! Dialogues of one session that wait for a form: bounded in number and time.

use std::collections::HashMap;

use crate::clock::Timestamp;

/// How long a form may be filled in. As long again it is remembered that there was a dialogue,
/// so that a late answer is told so.
const OPEN_SECONDS: i64 = 15 * 60;

/// Dialogues of one session, with those that are only remembered.
const DIALOGUES_MAX: usize = 16;

/// The dialogues, by their `sessionid`; in the session's slots, so that nobody takes another's
/// room, and they are gone with the session.
#[derive(Debug, Default)]
pub(super) struct Dialogues(HashMap<String, Dialogue>);

#[derive(Debug)]
struct Dialogue {
    node: &'static str,
    since: Timestamp,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open(Step),
    Closed,
}

/// Which form is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The first, mostly the only one.
    First,
    /// The one behind it.
    Second,
}

/// What is known of a `sessionid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A form is waited for.
    Open(Step),
    /// Completed, canceled or too old.
    Over,
    /// There is none, or it is another session's or another command's.
    Nothing,
}

impl Dialogues {
    /// Begins one; `false` when there are too many.
    pub(super) fn open(&mut self, id: String, node: &'static str, now: Timestamp) -> bool {
        self.0
            .retain(|_, known| now.seconds_since(known.since) < 2 * OPEN_SECONDS);
        if self.0.len() >= DIALOGUES_MAX {
            // What is only remembered makes room.
            self.0.retain(|_, known| known.is_open(now));
            if self.0.len() >= DIALOGUES_MAX {
                return false;
            }
        }
        let dialogue = Dialogue {
            node,
            since: now,
            state: State::Open(Step::First),
        };
        self.0.insert(id, dialogue);
        true
    }

    /// What the dialogue is to that command.
    pub(super) fn find(&self, id: &str, node: &str, now: Timestamp) -> Found {
        match self.0.get(id) {
            Some(known) if known.node != node => Found::Nothing,
            Some(known) => match known.state {
                State::Open(step) if known.is_open(now) => Found::Open(step),
                State::Open(_) | State::Closed => Found::Over,
            },
            None => Found::Nothing,
        }
    }

    /// Another form of one is waited for.
    pub(super) fn turn(&mut self, id: &str, step: Step) {
        if let Some(known) = self.0.get_mut(id) {
            known.state = State::Open(step);
        }
    }

    /// Ends one.
    pub(super) fn close(&mut self, id: &str) {
        if let Some(known) = self.0.get_mut(id) {
            known.state = State::Closed;
        }
    }
}

impl Dialogue {
    fn is_open(&self, now: Timestamp) -> bool {
        self.state != State::Closed && now.seconds_since(self.since) < OPEN_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialogue_is_its_commands_until_it_ends() {
        let mut dialogues = Dialogues::default();
        let start = Timestamp::from_micros(0);
        for id in ["1", "2", "3"] {
            assert!(dialogues.open(id.to_owned(), "add", start));
        }
        dialogues.close("2");
        dialogues.turn("3", Step::Second);
        let late = start.plus_seconds(OPEN_SECONDS);
        for (id, node, now, found) in [
            ("1", "add", start, Found::Open(Step::First)),
            ("1", "remove", start, Found::Nothing),
            ("2", "add", start, Found::Over),
            ("3", "add", start, Found::Open(Step::Second)),
            ("3", "add", late, Found::Over),
            ("4", "add", start, Found::Nothing),
        ] {
            assert_eq!(dialogues.find(id, node, now), found, "{id} {node}");
        }
    }

    #[test]
    fn the_number_of_dialogues_is_bounded() {
        let mut dialogues = Dialogues::default();
        let start = Timestamp::from_micros(0);
        let mut number = 0..;
        let mut open = |dialogues: &mut Dialogues, now| {
            dialogues.open(number.next().unwrap().to_string(), "add", now)
        };
        for _ in 0..DIALOGUES_MAX {
            assert!(open(&mut dialogues, start));
        }
        assert!(!open(&mut dialogues, start));
        dialogues.close("3");
        assert!(open(&mut dialogues, start));
        assert!(!open(&mut dialogues, start));
        assert!(open(&mut dialogues, start.plus_seconds(OPEN_SECONDS)));
        assert_eq!(dialogues.0.len(), 1);
    }
}
