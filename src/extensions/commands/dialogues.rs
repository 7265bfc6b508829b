//! Dialogues that wait for a form: bounded in number and time.

use std::collections::HashMap;

use crate::clock::Timestamp;
use crate::proto::{BareJid, FullJid};

/// How long a form may be filled in. As long again it is remembered that there was a dialogue,
/// so that a late answer is told so.
const OPEN_SECONDS: i64 = 15 * 60;

/// Dialogues of one account.
const PER_ACCOUNT_MAX: usize = 16;

/// Dialogues of all.
const DIALOGUES_MAX: usize = 1_000;

/// The dialogues, by their `sessionid`.
#[derive(Debug, Default)]
pub(super) struct Dialogues(HashMap<String, Dialogue>);

#[derive(Debug)]
struct Dialogue {
    owner: FullJid,
    node: &'static str,
    since: Timestamp,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
}

/// What is known of a `sessionid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A form is waited for.
    Open,
    /// Completed, canceled or too old.
    Over,
    /// There is none, or it is somebody else's or another command's.
    Nothing,
}

impl Dialogues {
    /// Begins one; `false` when there are too many.
    pub(super) fn open(
        &mut self,
        id: String,
        owner: FullJid,
        node: &'static str,
        now: Timestamp,
    ) -> bool {
        self.0
            .retain(|_, known| now.seconds_since(known.since) < 2 * OPEN_SECONDS);
        if self.count_open(owner.bare(), now) >= PER_ACCOUNT_MAX {
            return false;
        }
        if self.0.len() >= DIALOGUES_MAX {
            // What is only remembered makes room.
            self.0.retain(|_, known| known.is_open(now));
            if self.0.len() >= DIALOGUES_MAX {
                return false;
            }
        }
        let dialogue = Dialogue {
            owner,
            node,
            since: now,
            state: State::Open,
        };
        self.0.insert(id, dialogue);
        true
    }

    /// What the dialogue is to that asker and command.
    pub(super) fn find(&self, id: &str, asker: &FullJid, node: &str, now: Timestamp) -> Found {
        match self.0.get(id) {
            Some(known) if known.owner != *asker || known.node != node => Found::Nothing,
            Some(known) if known.is_open(now) => Found::Open,
            Some(_) => Found::Over,
            None => Found::Nothing,
        }
    }

    /// Ends one.
    pub(super) fn close(&mut self, id: &str) {
        if let Some(known) = self.0.get_mut(id) {
            known.state = State::Closed;
        }
    }

    fn count_open(&self, account: &BareJid, now: Timestamp) -> usize {
        let known = self.0.values();
        known
            .filter(|known| known.owner.bare() == account && known.is_open(now))
            .count()
    }
}

impl Dialogue {
    fn is_open(&self, now: Timestamp) -> bool {
        self.state == State::Open && now.seconds_since(self.since) < OPEN_SECONDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(text: &str) -> FullJid {
        text.parse().unwrap()
    }

    #[test]
    fn a_dialogue_is_its_owners_until_it_ends() {
        let mut dialogues = Dialogues::default();
        let start = Timestamp::from_micros(0);
        let (mine, other) = (full("a@b.c/x"), full("a@b.c/y"));
        for id in ["1", "2", "3"] {
            assert!(dialogues.open(id.to_owned(), mine.clone(), "add", start));
        }
        dialogues.close("2");
        let late = start.plus_seconds(OPEN_SECONDS);
        for (id, asker, node, now, found) in [
            ("1", &mine, "add", start, Found::Open),
            ("1", &other, "add", start, Found::Nothing),
            ("1", &mine, "remove", start, Found::Nothing),
            ("2", &mine, "add", start, Found::Over),
            ("3", &mine, "add", late, Found::Over),
            ("4", &mine, "add", start, Found::Nothing),
        ] {
            assert_eq!(dialogues.find(id, asker, node, now), found, "{id} {node}");
        }
    }

    #[test]
    fn the_number_of_dialogues_is_bounded() {
        let mut dialogues = Dialogues::default();
        let start = Timestamp::from_micros(0);
        let mut number = 0..;
        let mut open = |dialogues: &mut Dialogues, jid: &str, now| {
            dialogues.open(number.next().unwrap().to_string(), full(jid), "add", now)
        };
        for _ in 0..PER_ACCOUNT_MAX {
            assert!(open(&mut dialogues, "a@b.c/x", start));
        }
        assert!(!open(&mut dialogues, "a@b.c/y", start));
        let mut account = 0;
        while dialogues.0.len() < DIALOGUES_MAX {
            account += 1;
            assert!(open(&mut dialogues, &format!("u{account}@b.c/x"), start));
        }
        assert!(!open(&mut dialogues, "last@b.c/x", start));
        assert!(open(
            &mut dialogues,
            "last@b.c/x",
            start.plus_seconds(OPEN_SECONDS)
        ));
    }
}
