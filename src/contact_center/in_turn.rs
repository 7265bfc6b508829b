//! Decisions that would change the same at the same moment are made one after the other.
//!
//! Who is alone waits for nobody: a decision takes no turn as long as nothing that it was made from has changed meanwhile. When
//! something has, it takes the turn of that, and of that alone, so that who deals with somebody busy keeps nobody else waiting.
//! Others who have decided about the same go behind it. A turn lasts until the decision is written, and not until it is told.
//! What other nodes and operators write takes no turn.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::hooks::{Turn, Turns};
use crate::store::RecordWrite;

/// What a decision is made from: a record by its kind and its id, or a guard by its name.
type Name = (&'static str, Arc<str>);

/// For guards, which have no kind.
const GUARD: &str = "";

/// What decisions wait for.
#[derive(Debug, Default)]
pub(super) struct Decisions(Turns<Name>);

/// One decision among the others, until it is written.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    decisions: &'a Turns<Name>,
    /// What several want to change.
    wanted: BTreeSet<Name>,
    /// The turns of what is wanted: of all of it, or else it is behind others.
    turns: Vec<Turn<'a, Name>>,
    /// What the decision was made from the last time.
    before: Vec<(Name, i64)>,
}

impl Decisions {
    /// A decision that waits for nobody yet.
    pub(super) const fn waiting(&self) -> Waiting<'_> {
        Waiting {
            decisions: &self.0,
            wanted: BTreeSet::new(),
            turns: Vec::new(),
            before: Vec::new(),
        }
    }
}

impl Waiting<'_> {
    /// Whether what was decided may be written; otherwise others go first.
    pub(super) fn may_write(&mut self, write: &RecordWrite) -> bool {
        let read = read(write);
        let others = read.iter().filter(|(name, version)| {
            let before = self.before.iter().find(|(it, _)| it == name);
            let has_changed = before.is_some_and(|(_, before)| before != version);
            !self.wanted.contains(name) && (has_changed || self.decisions.is_taken(name))
        });
        let others: Vec<Name> = others.map(|(name, _)| name.clone()).collect();
        self.before = read;
        let is_first = others.is_empty();
        self.wanted.extend(others);
        is_first
    }

    /// Whether others go first.
    pub(super) fn is_behind(&self) -> bool {
        self.turns.len() < self.wanted.len()
    }

    /// Waits for them. It is this one's turn then, and what it was made from has to be read anew.
    pub(super) async fn wait(&mut self) {
        // All of them anew: who kept one and waited for another might be waited for.
        self.turns.clear();
        let wanted = self.wanted.clone().into_iter();
        self.turns = self.decisions.take_all(wanted).await;
    }
}

/// What has to be as it was read, with the versions that were.
fn read(write: &RecordWrite) -> Vec<(Name, i64)> {
    let changes = write.changes.iter();
    let changes = changes.map(|it| ((it.kind, Arc::clone(&it.id)), it.read));
    let held = write.held.iter();
    let held = held.map(|it| ((it.kind, Arc::from(it.id.as_str())), it.read));
    let guards = write.guards.iter();
    let guards = guards.map(|it| ((GUARD, Arc::from(it.name.as_str())), it.version));
    changes.chain(held).chain(guards).collect()
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;
    use crate::store::Guard;

    /// Whether nobody went first.
    async fn is_first(waiting: &mut Waiting<'_>, write: &RecordWrite) -> bool {
        let is_first = waiting.may_write(write);
        assert_eq!(waiting.is_behind(), !is_first);
        if !is_first {
            waiting.wait().await;
        }
        is_first
    }

    fn of(guards: &[(&str, i64)]) -> RecordWrite {
        let guard = |(name, version): &(&str, i64)| Guard {
            name: (*name).to_owned(),
            version: *version,
        };
        RecordWrite {
            guards: guards.iter().map(guard).collect(),
            ..RecordWrite::default()
        }
    }

    /// Who has nothing to do with the others never waits, not even for who waits itself.
    #[tokio::test]
    async fn who_was_too_late_goes_before_those_who_come_later() {
        let decisions = Decisions::default();
        let mut first = decisions.waiting();
        assert!(is_first(&mut first, &of(&[("ann", 1), ("bob", 1)])).await);
        // It was not written, for somebody has changed what there is of Bob.
        assert!(!is_first(&mut first, &of(&[("ann", 1), ("bob", 2)])).await);
        assert!(is_first(&mut first, &of(&[("ann", 1), ("bob", 2)])).await);
        let (mut second, mut other) = (decisions.waiting(), decisions.waiting());
        assert!(is_first(&mut other, &of(&[("ann", 1), ("cid", 1)])).await);
        {
            let write = of(&[("bob", 2), ("cid", 1)]);
            let mut behind = std::pin::pin!(is_first(&mut second, &write));
            assert!(poll!(&mut behind).is_pending());
            let mut more = decisions.waiting();
            assert!(is_first(&mut more, &of(&[("cid", 1)])).await);
            drop(first);
            assert!(!behind.await);
        }
        // What has changed beside it is another to wait for.
        assert!(!is_first(&mut second, &of(&[("bob", 3), ("cid", 2)])).await);
        assert!(is_first(&mut second, &of(&[("bob", 3), ("cid", 2)])).await);
        drop((second, other));
        assert!(!decisions.0.is_taken(&(GUARD, "bob".into())));
    }

    /// However the two are named: neither waits for ever.
    #[tokio::test]
    async fn two_who_want_the_same_two_go_one_after_the_other() {
        let decisions = Decisions::default();
        let (mut one, mut other) = (decisions.waiting(), decisions.waiting());
        assert!(is_first(&mut one, &of(&[("ann", 1), ("bob", 1)])).await);
        assert!(is_first(&mut other, &of(&[("bob", 1), ("ann", 1)])).await);
        assert!(!is_first(&mut one, &of(&[("ann", 2), ("bob", 2)])).await);
        {
            let write = of(&[("bob", 2), ("ann", 2)]);
            let mut behind = std::pin::pin!(is_first(&mut other, &write));
            assert!(poll!(&mut behind).is_pending());
            assert!(is_first(&mut one, &of(&[("ann", 2), ("bob", 2)])).await);
            drop(one);
            assert!(!behind.await);
        }
        assert!(is_first(&mut other, &of(&[("bob", 3), ("ann", 3)])).await);
    }
}
