//! Affiliations and roles, and what each may do (XEP-0045 §5, with the refusals of §8 to §10).

use crate::proto::Condition;

/// A long-lived association of an account with a room (§5.2), the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::extensions::muc) enum Affiliation {
    /// Banned.
    Outcast,
    /// No association.
    None,
    /// May enter a members-only room.
    Member,
    /// May ban, and edit the lists of members and moderators.
    Admin,
    /// May do everything.
    Owner,
}

/// What an occupant may do while it is in the room (§5.1), the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::extensions::muc) enum Role {
    /// Not in the room.
    None,
    /// May listen.
    Visitor,
    /// May speak.
    Participant,
    /// May kick, and give and take voice.
    Moderator,
}

/// What somebody is in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extensions::muc) struct Standing {
    pub(in crate::extensions::muc) affiliation: Affiliation,
    pub(in crate::extensions::muc) role: Role,
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// The word on the wire.
            pub(in crate::extensions::muc) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What the word stands for.
            pub(in crate::extensions::muc) fn from_name(name: &str) -> Option<Self> {
                match name { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words!(Affiliation {
    Outcast = "outcast",
    None = "none",
    Member = "member",
    Admin = "admin",
    Owner = "owner",
});
words!(Role {
    None = "none",
    Visitor = "visitor",
    Participant = "participant",
    Moderator = "moderator",
});

impl Affiliation {
    /// The role with which one enters (§5.1.2).
    pub(in crate::extensions::muc) const fn initial_role(self, moderated: bool) -> Role {
        match (self, moderated) {
            (Self::Outcast, _) => Role::None,
            (Self::None, true) => Role::Visitor,
            (Self::None, false) | (Self::Member, _) => Role::Participant,
            (Self::Admin | Self::Owner, _) => Role::Moderator,
        }
    }
}

/// Whether `actor` may make the occupant `target` a `role` (§5.1.3, §8, §9.6 to §9.8).
///
/// # Errors
/// `forbidden` when the actor lacks the right, `not-allowed` when the target stands too high.
pub(in crate::extensions::muc) fn may_set_role(
    actor: Standing,
    target: Standing,
    role: Role,
) -> Result<(), Condition> {
    if actor.role != Role::Moderator {
        return Err(Condition::Forbidden);
    }
    let administers = actor.affiliation >= Affiliation::Admin;
    let lowered = role < target.role;
    match role {
        Role::Moderator if !administers => Err(Condition::Forbidden),
        // §8.2: not somebody who stands higher; a moderator only by an admin or owner (§5.1.3).
        Role::None if target.affiliation > actor.affiliation => Err(Condition::NotAllowed),
        Role::None if target.role == Role::Moderator && !administers => Err(Condition::NotAllowed),
        // §8.4, §9.7: admins and owners are moderators by what they are.
        Role::Visitor | Role::Participant
            if lowered && target.affiliation >= Affiliation::Admin =>
        {
            Err(Condition::NotAllowed)
        }
        Role::Visitor | Role::Participant
            if lowered && target.role == Role::Moderator && !administers =>
        {
            Err(Condition::Forbidden)
        }
        Role::None | Role::Visitor | Role::Participant | Role::Moderator => Ok(()),
    }
}

/// Whether an account that is `actor` may make one that is `current` a `new`; `is_self` where it is the
/// same account, `last_owner` where no other owner would be left (§5.2.3, §9, §10).
///
/// # Errors
/// `forbidden`, `not-allowed`, or `conflict`, as the sections name them.
pub(in crate::extensions::muc) fn may_set_affiliation(
    actor: Affiliation,
    current: Affiliation,
    new: Affiliation,
    is_self: bool,
    last_owner: bool,
) -> Result<(), Condition> {
    match actor {
        Affiliation::Outcast | Affiliation::None | Affiliation::Member => Err(Condition::Forbidden),
        // §9.1: nobody bans itself.
        Affiliation::Admin | Affiliation::Owner if is_self && new == Affiliation::Outcast => {
            Err(Condition::Conflict)
        }
        Affiliation::Admin if new >= Affiliation::Admin => Err(Condition::Forbidden),
        Affiliation::Admin if current >= Affiliation::Admin => Err(Condition::NotAllowed),
        // §10.4: a room has an owner.
        Affiliation::Owner
            if current == Affiliation::Owner && new != Affiliation::Owner && last_owner =>
        {
            Err(Condition::Conflict)
        }
        Affiliation::Admin | Affiliation::Owner => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Affiliation::{Admin, Member, Outcast, Owner};
    use super::Role::{Moderator, Participant, Visitor};
    use super::*;

    const NOBODY: Affiliation = Affiliation::None;

    #[test]
    fn roles_at_entering_follow_section_5_1_2() {
        for (affiliation, moderated, open) in [
            (Outcast, Role::None, Role::None),
            (NOBODY, Visitor, Participant),
            (Member, Participant, Participant),
            (Admin, Moderator, Moderator),
            (Owner, Moderator, Moderator),
        ] {
            assert_eq!(affiliation.initial_role(true), moderated, "{affiliation:?}");
            assert_eq!(affiliation.initial_role(false), open, "{affiliation:?}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for affiliation in [Outcast, NOBODY, Member, Admin, Owner] {
            assert_eq!(
                Affiliation::from_name(affiliation.name()),
                Some(affiliation)
            );
        }
        for role in [Role::None, Visitor, Participant, Moderator] {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("owner"), None);
        assert_eq!(Affiliation::from_name("moderator"), None);
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn roles_are_changed_as_sections_5_1_3_8_and_9_say() {
        let forbidden = Err(Condition::Forbidden);
        let not_allowed = Err(Condition::NotAllowed);
        for (actor, target, role, expected) in [
            // §8.2: kicking.
            (
                (NOBODY, Moderator),
                (NOBODY, Participant),
                Role::None,
                Ok(()),
            ),
            ((NOBODY, Moderator), (NOBODY, Visitor), Role::None, Ok(())),
            (
                (NOBODY, Participant),
                (NOBODY, Visitor),
                Role::None,
                forbidden,
            ),
            (
                (NOBODY, Moderator),
                (Member, Participant),
                Role::None,
                not_allowed,
            ),
            (
                (NOBODY, Moderator),
                (NOBODY, Moderator),
                Role::None,
                not_allowed,
            ),
            (
                (NOBODY, Moderator),
                (Admin, Moderator),
                Role::None,
                not_allowed,
            ),
            ((Admin, Moderator), (NOBODY, Moderator), Role::None, Ok(())),
            (
                (Admin, Moderator),
                (Owner, Moderator),
                Role::None,
                not_allowed,
            ),
            ((Owner, Moderator), (Admin, Moderator), Role::None, Ok(())),
            // §8.3, §8.4: voice.
            ((NOBODY, Moderator), (NOBODY, Visitor), Participant, Ok(())),
            (
                (Member, Participant),
                (NOBODY, Visitor),
                Participant,
                forbidden,
            ),
            ((NOBODY, Moderator), (Member, Participant), Visitor, Ok(())),
            (
                (NOBODY, Moderator),
                (Admin, Moderator),
                Visitor,
                not_allowed,
            ),
            ((Owner, Moderator), (Admin, Moderator), Visitor, not_allowed),
            // §9.6, §9.7: moderators.
            ((Admin, Moderator), (NOBODY, Participant), Moderator, Ok(())),
            (
                (NOBODY, Moderator),
                (NOBODY, Participant),
                Moderator,
                forbidden,
            ),
            ((Admin, Moderator), (Member, Moderator), Participant, Ok(())),
            (
                (NOBODY, Moderator),
                (NOBODY, Moderator),
                Participant,
                forbidden,
            ),
            (
                (Admin, Moderator),
                (Owner, Moderator),
                Participant,
                not_allowed,
            ),
            ((Owner, Visitor), (NOBODY, Visitor), Participant, forbidden),
        ] {
            let standing = |(affiliation, role)| Standing { affiliation, role };
            let decided = may_set_role(standing(actor), standing(target), role);
            assert_eq!(decided, expected, "{actor:?} {target:?} {role:?}");
        }
    }

    #[test]
    fn affiliations_are_changed_as_section_5_2_3_says() {
        for actor in [Outcast, NOBODY, Member, Admin, Owner] {
            for current in [Outcast, NOBODY, Member, Admin, Owner] {
                for new in [Outcast, NOBODY, Member, Admin, Owner] {
                    let expected = match actor {
                        Owner => Ok(()),
                        Admin if new >= Admin => Err(Condition::Forbidden),
                        Admin if current >= Admin => Err(Condition::NotAllowed),
                        Admin => Ok(()),
                        _ => Err(Condition::Forbidden),
                    };
                    let decided = may_set_affiliation(actor, current, new, false, false);
                    assert_eq!(decided, expected, "{actor:?} {current:?} {new:?}");
                }
            }
        }
        let conflict = Err(Condition::Conflict);
        assert_eq!(
            may_set_affiliation(Admin, Admin, Outcast, true, false),
            conflict
        );
        assert_eq!(
            may_set_affiliation(Owner, Owner, Outcast, true, false),
            conflict
        );
        assert_eq!(
            may_set_affiliation(Owner, Owner, Member, true, true),
            conflict
        );
        assert_eq!(
            may_set_affiliation(Owner, Owner, Member, true, false),
            Ok(())
        );
        assert_eq!(may_set_affiliation(Owner, Owner, Owner, true, true), Ok(()));
    }
}
