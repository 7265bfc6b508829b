//! Which sessions two accounts have open, in memory: every chat message asks for it, and outside of sessions none
//! shall wait for the database.
//!
//! A session is in here before its invitation goes out, and a while longer than it is open; whoever finds it looks at
//! the record. Nobody has more than the channels of its chat profile and the invitations that may
//! wait for it ([`IM_CHANNELS_MAX`], [`PENDING_INCOMING_MAX`]), which bounds the whole.
//!
//! [`IM_CHANNELS_MAX`]: crate::domain::chat_profile::IM_CHANNELS_MAX
//! [`PENDING_INCOMING_MAX`]: crate::domain::im_session::PENDING_INCOMING_MAX

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::domain::ids::ImSessionId;
use crate::domain::im_session::ImSession;
use crate::proto::BareJid;

/// The open sessions by the two who talk, in both directions.
#[derive(Debug, Default)]
pub(in crate::contact_center) struct Open {
    pairs: RwLock<HashMap<BareJid, HashMap<BareJid, Vec<ImSessionId>>>>,
}

impl Open {
    /// Adds a session that is open, or will be in a moment.
    pub(super) fn insert(&self, session: &ImSession) {
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        for (own, other) in directions(session) {
            let ids = pairs.entry(own.clone()).or_default();
            let ids = ids.entry(other.clone()).or_default();
            if !ids.contains(&session.id) {
                ids.push(session.id.clone());
            }
        }
    }

    /// Forgets a session that is open no longer.
    pub(super) fn remove(&self, session: &ImSession) {
        let mut pairs = self.pairs.write().unwrap_or_else(PoisonError::into_inner);
        for (own, other) in directions(session) {
            let Some(others) = pairs.get_mut(own) else {
                continue;
            };
            if let Some(ids) = others.get_mut(other) {
                ids.retain(|id| *id != session.id);
                if ids.is_empty() {
                    others.remove(other);
                }
            }
            if others.is_empty() {
                pairs.remove(own);
            }
        }
    }

    /// The sessions that the two have open.
    pub(super) fn of(&self, own: &BareJid, other: &BareJid) -> Vec<ImSessionId> {
        let pairs = self.pairs.read().unwrap_or_else(PoisonError::into_inner);
        let ids = pairs.get(own).and_then(|others| others.get(other));
        ids.cloned().unwrap_or_default()
    }
}

fn directions(session: &ImSession) -> [(&BareJid, &BareJid); 2] {
    let (inviter, invitee) = (session.inviter.jid(), session.invitee.jid());
    [(inviter, invitee), (invitee, inviter)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_found_from_both_sides_until_it_is_removed() {
        let session = |id: &str, inviter: &str| {
            let agents = (inviter.parse().unwrap(), "b@h".parse().unwrap());
            ImSession::new(id.parse().unwrap(), agents.0, agents.1)
        };
        let (first, second) = (session("1", "a@h"), session("2", "a@h"));
        let [a, b, c] = ["a@h", "b@h", "c@h"].map(|it| BareJid::new(it).unwrap());
        let open = Open::default();
        for it in [&first, &second, &first] {
            open.insert(it);
        }
        assert_eq!(open.of(&a, &b), [first.id.clone(), second.id.clone()]);
        assert_eq!(open.of(&b, &a).len(), 2);
        assert_eq!(open.of(&a, &c), []);
        open.remove(&first);
        assert_eq!(open.of(&b, &a), std::slice::from_ref(&second.id));
        open.remove(&second);
        assert!(open.pairs.read().unwrap().is_empty());
    }
}
