//! Who may enter (XEP-0045 §7.2): decided from what the room and the one at the door are.

use super::rank::Affiliation;
use crate::proto::{Condition, ErrorType, StanzaError};

/// What decides at the door of a room.
#[derive(Clone, Copy, Debug)]
pub(in crate::extensions::muc) struct Door<'a> {
    /// The room waits for its first configuration (§10.1.1).
    pub(in crate::extensions::muc) locked: bool,
    pub(in crate::extensions::muc) members_only: bool,
    pub(in crate::extensions::muc) password: Option<&'a str>,
    /// As many are in the room as it takes.
    pub(in crate::extensions::muc) full: bool,
    /// As many as it takes with those admins and owners who come beyond that.
    pub(in crate::extensions::muc) crammed: bool,
}

/// Who stands at it.
#[derive(Clone, Copy, Debug)]
pub(in crate::extensions::muc) struct Caller<'a> {
    pub(in crate::extensions::muc) affiliation: Affiliation,
    pub(in crate::extensions::muc) password: Option<&'a str>,
    /// Another account has the nickname, or it is reserved for another (§7.2.8).
    pub(in crate::extensions::muc) nick_taken: bool,
    /// Another session of the account is in the room under that nickname.
    pub(in crate::extensions::muc) shares: bool,
}

/// Lets the caller in, or says why not.
///
/// # Errors
/// The conditions of §7.2.16.
pub(in crate::extensions::muc) fn admit(
    door: &Door<'_>,
    caller: &Caller<'_>,
) -> Result<(), StanzaError> {
    if caller.affiliation == Affiliation::Outcast {
        // §7.2.7.
        return Err(Condition::Forbidden.into());
    }
    if door.locked && caller.affiliation < Affiliation::Owner {
        // §7.2.10.
        return Err(Condition::ItemNotFound.into());
    }
    if door.members_only && caller.affiliation < Affiliation::Member {
        // §7.2.6.
        return Err(Condition::RegistrationRequired.into());
    }
    if let Some(password) = door.password
        && caller.affiliation < Affiliation::Owner
        && !caller.password.is_some_and(|given| same(given, password))
    {
        // §7.2.5.
        return Err(Condition::NotAuthorized.into());
    }
    if caller.nick_taken {
        // §7.2.8.
        return Err(Condition::Conflict.into());
    }
    let admin = caller.affiliation >= Affiliation::Admin;
    if !caller.shares && ((door.full && !admin) || door.crammed) {
        // §7.2.9.
        return Err(StanzaError::new(Condition::ServiceUnavailable)
            .kind(ErrorType::Wait)
            .text("the room is full"));
    }
    Ok(())
}

/// In constant time.
fn same(given: &str, password: &str) -> bool {
    use subtle::ConstantTimeEq;
    given.as_bytes().ct_eq(password.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Door<'_> = Door {
        locked: false,
        members_only: false,
        password: None,
        full: false,
        crammed: false,
    };
    const SOMEBODY: Caller<'_> = Caller {
        affiliation: Affiliation::None,
        password: None,
        nick_taken: false,
        shares: false,
    };

    #[test]
    fn who_may_enter_follows_section_7_2() {
        let of = |affiliation| Caller {
            affiliation,
            ..SOMEBODY
        };
        let with = |password| Caller {
            password: Some(password),
            ..SOMEBODY
        };
        let taken = Caller {
            nick_taken: true,
            ..SOMEBODY
        };
        let shares = Caller {
            shares: true,
            ..SOMEBODY
        };
        let locked = Door {
            locked: true,
            ..OPEN
        };
        let members = Door {
            members_only: true,
            ..OPEN
        };
        let secret = Door {
            password: Some("burn"),
            ..OPEN
        };
        let full = Door { full: true, ..OPEN };
        let crammed = Door {
            full: true,
            crammed: true,
            ..OPEN
        };
        for (door, caller, refused) in [
            (OPEN, SOMEBODY, None),
            (OPEN, of(Affiliation::Outcast), Some(Condition::Forbidden)),
            (
                members,
                of(Affiliation::Outcast),
                Some(Condition::Forbidden),
            ),
            (locked, SOMEBODY, Some(Condition::ItemNotFound)),
            (locked, of(Affiliation::Owner), None),
            (members, SOMEBODY, Some(Condition::RegistrationRequired)),
            (members, of(Affiliation::Member), None),
            (secret, SOMEBODY, Some(Condition::NotAuthorized)),
            (secret, with("bur"), Some(Condition::NotAuthorized)),
            (secret, with("burn"), None),
            (
                secret,
                of(Affiliation::Admin),
                Some(Condition::NotAuthorized),
            ),
            (secret, of(Affiliation::Owner), None),
            (OPEN, taken, Some(Condition::Conflict)),
            (full, taken, Some(Condition::Conflict)),
            (full, SOMEBODY, Some(Condition::ServiceUnavailable)),
            (full, shares, None),
            (full, of(Affiliation::Admin), None),
            (
                crammed,
                of(Affiliation::Owner),
                Some(Condition::ServiceUnavailable),
            ),
        ] {
            let admitted = admit(&door, &caller).map_err(|error| error.condition);
            assert_eq!(admitted.err(), refused, "{door:?} {caller:?}");
        }
    }
}
