//! Personal contacts: colleagues in one's roster, always mutual (S0-7, S0-18 to S0-20).
//!
//! The record is two roster items, one on each side, so it has no version of its own: what is decided here
//! are the changes of both, which a shell makes in one transaction under the versions of the items.
//! Machine: [`decide`] and [`apply`] on [`Relation`].

use serde::{Deserialize, Serialize};

use super::colleague::{Colleague, Prerequisite, colleagues, may_message};
use super::ids::AgentId;
use super::refusal::rejections;
use super::rights::Right;
use crate::clock::Timestamp;

/// What one roster has about the other account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// Nothing.
    Absent,
    /// An item whose subscription is not `both`.
    Listed,
    /// An item with `subscription='both'`.
    Mutual,
}

/// What the rosters of two accounts have about each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// The account that acts.
    pub own: AgentId,
    /// The other.
    pub other: AgentId,
    /// The other in the own roster.
    pub own_entry: Entry,
    /// The own account in the other's roster.
    pub their_entry: Entry,
}

/// Whether another item fits into a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It does.
    Free,
    /// The roster has as many items as it may have.
    Full,
}

/// What a decision needs to know beside the entries.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The account that acts.
    pub own: Colleague<'a>,
    /// The other.
    pub other: Colleague<'a>,
    /// The own roster.
    pub own_room: Room,
    /// The other's roster.
    pub their_room: Room,
}

/// What the account that acts wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// To have the other as a personal contact.
    Add,
    /// To have it no longer.
    Remove,
    /// A plain client has asked for the other's presence. Where the rules of [`Command::Add`] hold, that
    /// makes both contacts of each other at once; where they do not, RFC 6121 §3 goes its ordinary way, unless
    /// one of two colleagues has no instant messages.
    Subscribe,
    /// A plain client has taken the other off its roster. The mirror goes, too, if both were contacts.
    Unlist,
}

/// One change of one roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// `contact` is in the roster of `owner` with `subscription='both'`, in the group of personal contacts.
    Entered {
        /// When.
        at: Timestamp,
        /// Whose roster.
        owner: AgentId,
        /// Who is in it.
        contact: AgentId,
    },
    /// `contact` is in the roster of `owner` no longer.
    Left {
        /// When.
        at: Timestamp,
        /// Whose roster.
        owner: AgentId,
        /// Who was in it.
        contact: AgentId,
    },
}

rejections! {
    /// Why a personal contact is not added or removed.
    pub enum Rejection with Prerequisite(Prerequisite) {
        /// Each has the other already.
        AlreadyContact = Conflict, "already-contact", "This colleague is already one of your personal contacts.";
        /// There is nothing to remove.
        NoContact = NotFound, "no-contact", "This colleague is not one of your personal contacts.";
        /// The own account may have none (S0-10).
        NotYours = Forbidden, "contacts-not-yours", "You do not have the right to personal contacts.";
        /// The other may have none, and being one is mutual (S0-10, S0-20).
        NotTheirs = NotAllowed, "contacts-not-theirs", "This colleague does not have the right to personal contacts.";
        /// The own roster is full.
        OwnRosterFull = Limit, "own-contact-list-full", "Your contact list is full.";
        /// The other's roster is full.
        TheirRosterFull = Busy, "their-contact-list-full", "The contact list of this colleague is full.";
    }
}

/// Which changes of the rosters a command makes.
///
/// # Errors
/// When a prerequisite does not hold, a roster is full, or there is nothing to do that was asked for.
pub fn decide(
    relation: &Relation,
    command: Command,
    now: Timestamp,
    facts: &Facts<'_>,
) -> Result<Vec<Event>, Rejection> {
    let mutual = relation.own_entry == Entry::Mutual && relation.their_entry == Entry::Mutual;
    match command {
        Command::Add | Command::Subscribe => {
            may_message(&facts.own, &facts.other)?;
            if !facts.own.rights.has(Right::PersonalContact) {
                return Err(Rejection::NotYours);
            }
            if !facts.other.rights.has(Right::PersonalContact) {
                return Err(Rejection::NotTheirs);
            }
            if mutual && command == Command::Add {
                return Err(Rejection::AlreadyContact);
            }
            // An item that is there already takes no room.
            if relation.own_entry == Entry::Absent && facts.own_room == Room::Full {
                return Err(Rejection::OwnRosterFull);
            }
            if relation.their_entry == Entry::Absent && facts.their_room == Room::Full {
                return Err(Rejection::TheirRosterFull);
            }
            Ok(enter(relation, now))
        }
        // Whoever is on another server has to be told, as RFC 6121 §2.5 says.
        Command::Remove if relation.own.host() != relation.other.host() => {
            Err(Prerequisite::OtherHost.into())
        }
        // What somebody who is no colleague has in its list alone is its own affair.
        Command::Remove if !mutual && colleagues(&facts.own, &facts.other).is_err() => {
            Err(Rejection::NoContact)
        }
        Command::Remove => match leave(relation, now) {
            nothing if nothing.is_empty() => Err(Rejection::NoContact),
            changes => Ok(changes),
        },
        // Of others RFC 6121 §2.5 says what becomes.
        Command::Unlist if mutual && colleagues(&facts.own, &facts.other).is_ok() => {
            Ok(leave(relation, now))
        }
        Command::Unlist => Ok(vec![]),
    }
}

fn sides(relation: &Relation) -> [(Entry, AgentId, AgentId); 2] {
    let (own, other) = (relation.own.clone(), relation.other.clone());
    [
        (relation.own_entry, own.clone(), other.clone()),
        (relation.their_entry, other, own),
    ]
}

fn enter(relation: &Relation, at: Timestamp) -> Vec<Event> {
    let missing = sides(relation)
        .into_iter()
        .filter(|(entry, ..)| *entry != Entry::Mutual);
    missing
        .map(|(_, owner, contact)| Event::Entered { at, owner, contact })
        .collect()
}

fn leave(relation: &Relation, at: Timestamp) -> Vec<Event> {
    let present = sides(relation)
        .into_iter()
        .filter(|(entry, ..)| *entry != Entry::Absent);
    present
        .map(|(_, owner, contact)| Event::Left { at, owner, contact })
        .collect()
}

/// Makes the entries what they are after the event.
pub fn apply(relation: &mut Relation, event: &Event) {
    let (owner, entry) = match event {
        Event::Entered { owner, .. } => (owner, Entry::Mutual),
        Event::Left { owner, .. } => (owner, Entry::Absent),
    };
    if *owner == relation.own {
        relation.own_entry = entry;
    } else {
        relation.their_entry = entry;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::chat_profile::ChatProfile;
    use crate::domain::rights::{AccountGrants, Grant, Rights, Role, RoleGrants, effective};

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);
    const ENTRIES: [Entry; 3] = [Entry::Absent, Entry::Listed, Entry::Mutual];

    fn relation(own_entry: Entry, their_entry: Entry) -> Relation {
        let (own, other) = ("a@h".parse().unwrap(), "b@h".parse().unwrap());
        Relation {
            own,
            other,
            own_entry,
            their_entry,
        }
    }

    fn facts<'a>(relation: &'a Relation, profile: &'a ChatProfile) -> Facts<'a> {
        let role = Some(Role::Agent);
        Facts {
            own: Colleague {
                id: &relation.own,
                role,
                rights: Rights::of_agent(),
                profile,
            },
            other: Colleague {
                id: &relation.other,
                role,
                rights: Rights::of_agent(),
                profile,
            },
            own_room: Room::Free,
            their_room: Room::Free,
        }
    }

    /// Who enters (`+`) or leaves (`-`) whose roster.
    fn written(events: &[Event]) -> Vec<String> {
        let written = events.iter().map(|event| match event {
            Event::Entered { owner, contact, .. } => format!("{owner} + {contact}"),
            Event::Left { owner, contact, .. } => format!("{owner} - {contact}"),
        });
        written.collect()
    }

    /// S0-7, S0-19, S0-20: a row for each state of both rosters and each command.
    #[test]
    fn adding_and_removing_is_mutual_whatever_was_there_before() {
        use Command::{Add, Remove, Subscribe, Unlist};
        use Entry::{Absent, Listed, Mutual};
        let both: &[&str] = &["a@h + b@h", "b@h + a@h"];
        let (own, their): (&[&str], &[&str]) = (&["a@h + b@h"], &["b@h + a@h"]);
        let gone: &[&str] = &["a@h - b@h", "b@h - a@h"];
        let (own_gone, their_gone): (&[&str], &[&str]) = (&["a@h - b@h"], &["b@h - a@h"]);
        let none: &[&str] = &[];
        for (mine, theirs, add, remove) in [
            (Absent, Absent, Ok(both), Err(Rejection::NoContact)),
            (Absent, Listed, Ok(both), Ok(their_gone)),
            (Absent, Mutual, Ok(own), Ok(their_gone)),
            (Listed, Absent, Ok(both), Ok(own_gone)),
            (Listed, Listed, Ok(both), Ok(gone)),
            (Listed, Mutual, Ok(own), Ok(gone)),
            (Mutual, Absent, Ok(their), Ok(own_gone)),
            (Mutual, Listed, Ok(their), Ok(gone)),
            (Mutual, Mutual, Err(Rejection::AlreadyContact), Ok(gone)),
        ] {
            let (profile, relation) = (ChatProfile::default(), relation(mine, theirs));
            let mutual = mine == Mutual && theirs == Mutual;
            let subscribe = if mutual { Ok(none) } else { add.clone() };
            let unlist = Ok(if mutual { gone } else { none });
            for (command, expected) in [
                (Add, add),
                (Remove, remove),
                (Subscribe, subscribe),
                (Unlist, unlist),
            ] {
                let decided = decide(&relation, command, NOW, &facts(&relation, &profile));
                let expected = expected.map(|rows| rows.iter().map(ToString::to_string).collect());
                assert_eq!(
                    decided.map(|it| written(&it)),
                    expected,
                    "{mine:?} {theirs:?} {command:?}"
                );
            }
        }
    }

    /// S0-18: the prerequisites of instant messages; each by its name in `colleague`.
    #[test]
    fn only_a_colleague_who_uses_instant_messages_is_added() {
        let (profile, relation) = (
            ChatProfile::default(),
            relation(Entry::Absent, Entry::Absent),
        );
        for command in [Command::Add, Command::Subscribe] {
            let mut facts = facts(&relation, &profile);
            facts.other.role = Some(Role::Member);
            let expected = Rejection::Prerequisite(Prerequisite::NoAgent);
            assert_eq!(decide(&relation, command, NOW, &facts), Err(expected));
        }
        // Two who are no agents have their own rosters each.
        let relation = self::relation(Entry::Mutual, Entry::Mutual);
        let mut facts = facts(&relation, &profile);
        facts.other.role = Some(Role::Member);
        assert_eq!(decide(&relation, Command::Unlist, NOW, &facts), Ok(vec![]));
    }

    /// S0-6, S0-19: what those have in their rosters who are no colleagues is their own; who was one can be removed.
    #[test]
    fn who_is_no_colleague_is_not_removed_unless_both_have_each_other() {
        let profile = ChatProfile::default();
        for own in ENTRIES {
            for theirs in ENTRIES {
                let mut relation = relation(own, theirs);
                let mut facts = facts(&relation, &profile);
                facts.other.role = Some(Role::Member);
                let decided = decide(&relation, Command::Remove, NOW, &facts);
                match own == Entry::Mutual && theirs == Entry::Mutual {
                    true => assert_eq!(written(&decided.unwrap()).len(), 2),
                    false => assert_eq!(decided, Err(Rejection::NoContact)),
                }
                relation.other = "b@elsewhere".parse().unwrap();
                let facts = self::facts(&relation, &profile);
                let decided = decide(&relation, Command::Remove, NOW, &facts);
                assert_eq!(decided, Err(Prerequisite::OtherHost.into()));
            }
        }
    }

    /// S0-10, S0-18: both need the right, since both become contacts.
    #[test]
    fn who_has_no_right_to_personal_contacts_is_named() {
        let profile = ChatProfile::default();
        let relation = relation(Entry::Absent, Entry::Absent);
        let mut grants = AccountGrants::default();
        grants.set(Right::PersonalContact, Some(Grant::Withheld));
        let without = effective(Role::Agent, &RoleGrants::default(), &grants);
        for command in [Command::Add, Command::Subscribe] {
            let mut facts = facts(&relation, &profile);
            facts.other.rights = &without;
            let decided = decide(&relation, command, NOW, &facts);
            assert_eq!(decided, Err(Rejection::NotTheirs), "{command:?}");
            facts.own.rights = &without;
            let decided = decide(&relation, command, NOW, &facts);
            assert_eq!(decided, Err(Rejection::NotYours), "{command:?}");
            let left = self::relation(Entry::Mutual, Entry::Mutual);
            let removed = decide(&left, Command::Remove, NOW, &facts);
            assert_eq!(written(&removed.unwrap()).len(), 2);
        }
    }

    #[test]
    fn a_full_roster_takes_only_who_is_in_it_already() {
        for (own, theirs, own_room, their_room, expected) in [
            (
                Entry::Absent,
                Entry::Absent,
                Room::Full,
                Room::Free,
                Some(Rejection::OwnRosterFull),
            ),
            (
                Entry::Absent,
                Entry::Absent,
                Room::Free,
                Room::Full,
                Some(Rejection::TheirRosterFull),
            ),
            (Entry::Listed, Entry::Absent, Room::Full, Room::Free, None),
            (Entry::Absent, Entry::Listed, Room::Free, Room::Full, None),
            (Entry::Listed, Entry::Mutual, Room::Full, Room::Full, None),
        ] {
            let (profile, relation) = (ChatProfile::default(), relation(own, theirs));
            let facts = Facts {
                own_room,
                their_room,
                ..facts(&relation, &profile)
            };
            assert_eq!(decide(&relation, Command::Add, NOW, &facts).err(), expected);
        }
    }

    /// S0-20: after every command that is not refused, both have each other or neither has, unless the
    /// command left alone what is not its business.
    #[test]
    fn no_command_leaves_one_side_alone() {
        let profile = ChatProfile::default();
        for own in ENTRIES {
            for theirs in ENTRIES {
                for command in [
                    Command::Add,
                    Command::Remove,
                    Command::Subscribe,
                    Command::Unlist,
                ] {
                    let mut after = relation(own, theirs);
                    let before = after.clone();
                    let events = decide(&before, command, NOW, &facts(&before, &profile));
                    let events = events.unwrap_or_default();
                    events.iter().for_each(|event| apply(&mut after, event));
                    assert!(events.is_empty() || after.own_entry == after.their_entry);
                    let json = serde_json::to_string(&(&after, &events)).unwrap();
                    assert_eq!(
                        serde_json::from_str::<(Relation, Vec<Event>)>(&json).unwrap(),
                        (after, events)
                    );
                }
            }
        }
    }

    fn command() -> impl Strategy<Value = Command> {
        prop_oneof![
            3 => Just(Command::Add),
            1 => Just(Command::Remove),
            2 => Just(Command::Subscribe),
            1 => Just(Command::Unlist),
        ]
    }

    /// The same two from the other's side.
    fn turned(relation: &Relation) -> Relation {
        Relation {
            own: relation.other.clone(),
            other: relation.own.clone(),
            own_entry: relation.their_entry,
            their_entry: relation.own_entry,
        }
    }

    proptest! {
        /// S0-19, S0-20: whoever of the two does what in whatever order, with rosters that are full or not.
        #[test]
        fn no_order_of_commands_leaves_one_side_alone(
            start in (0..3_usize, 0..3_usize),
            steps in vec((any::<bool>(), command(), any::<(bool, bool)>()), 0..30),
        ) {
            let mut known = relation(ENTRIES[start.0], ENTRIES[start.1]);
            let (first, mut log) = (known.clone(), Vec::new());
            let profile = ChatProfile::default();
            let room = |is_full| if is_full { Room::Full } else { Room::Free };
            for (is_other, command, full) in steps {
                let seen = if is_other { turned(&known) } else { known.clone() };
                let mut facts = facts(&seen, &profile);
                (facts.own_room, facts.their_room) = (room(full.0), room(full.1));
                let decided = decide(&seen, command, NOW, &facts);
                let mut after = seen.clone();
                for event in decided.iter().flatten() {
                    apply(&mut after, event);
                    log.push(event.clone());
                }
                // What nobody may do changes nothing; what is done leaves both the same, and is done once.
                match &decided {
                    Ok(events) if !events.is_empty() => {
                        prop_assert_eq!(after.own_entry, after.their_entry);
                        let again = decide(&after, command, NOW, &facts).unwrap_or_default();
                        prop_assert_eq!(again, vec![]);
                    }
                    Ok(_) | Err(_) => prop_assert_eq!(&after, &seen),
                }
                known = if is_other { turned(&after) } else { after };
            }
            let mut replayed = first;
            log.iter().for_each(|event| apply(&mut replayed, event));
            prop_assert_eq!(replayed, known);
        }
    }
}
