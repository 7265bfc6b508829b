//! One presence for many accounts of this server: what each of its subscribers is told when a session comes, goes or
//! changes. It lies in all mailboxes as one, and is written with the address of the account that reads it.

use std::sync::Arc;

use super::{Replies, Router};
use crate::hooks::{Account, Effects, Flow, Passage, Session, Tidings};
use crate::proto::{Jid, Stanza};

impl Router {
    /// The rules are those of a presence that is routed to each account's bare address (RFC 6121 §8.5.2.1.2), whose
    /// hooks run for each as well.
    ///
    /// What the hooks of an account want done, or waited for, before it is told is left to the caller, with what it is told
    /// then: nearly always nothing.
    pub(super) fn tell(&self, tidings: Tidings) -> Vec<Held> {
        let Tidings { presence, to } = tidings;
        let sender = presence
            .from
            .as_ref()
            .and_then(|from| self.registry.find(from.bare()));
        // What the hooks look at; it differs from one to the next in nothing but the address.
        let mut shown = Stanza::clone(&presence);
        let shared = Arc::unwrap_or_clone(presence).to_each_account();
        let mut held = Vec::new();
        for account in to {
            shown.to = Some(Jid::from(account.jid().clone()));
            let mut effects = Effects::default();
            let mut passage = Passage {
                account: account.jid(),
                online: Some(&account),
                session: None,
                sender: sender.as_ref(),
                stanza: &mut shown,
                effects: &mut effects,
                services: &self.services,
            };
            match self.services.hooks.run_incoming_presence(&mut passage) {
                Flow::Continue if effects.is_empty() => hand_out(&account, &shared),
                Flow::Stop if effects.is_empty() => {}
                flow @ (Flow::Continue | Flow::Stop | Flow::Refuse(_)) => held.push(Held {
                    account,
                    flow,
                    effects,
                    shown: shown.clone(),
                    shared: Arc::clone(&shared),
                }),
            }
        }
        held
    }

    /// Does what the hooks of those accounts want done, and tells them where these let it go on.
    pub(super) async fn tell_held(&self, held: Vec<Held>, replies: &mut Replies) {
        for each in held {
            let Held { flow, effects, .. } = each;
            if self.carry_on(flow, effects, &each.shown, replies).await {
                hand_out(&each.account, &each.shared);
            }
        }
    }
}

/// An account whose hooks want something done before it is told, or refuse that.
pub(super) struct Held {
    account: Arc<Account>,
    flow: Flow,
    effects: Effects,
    /// With the account's address.
    shown: Stanza,
    /// As it lies in all mailboxes.
    shared: Arc<Stanza>,
}

/// To all sessions of the account that are available. One that has ended, or ends because it takes no more,
/// needs no presence later.
fn hand_out(account: &Account, presence: &Arc<Stanza>) {
    let sessions = account.sessions();
    for session in sessions.iter().filter(|it| Session::is_available(it)) {
        let _ended = session.deliver(Arc::clone(presence));
    }
}
