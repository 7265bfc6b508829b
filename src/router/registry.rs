//! Who is online: accounts and their sessions on this node.
//!
//! Look-ups take no lock; binding and unbinding, which are rare, take one each.

use std::sync::{Arc, Mutex, PoisonError};

use papaya::HashMap;

use crate::config::Conflict;
use crate::hooks::{Account, Connection, Gathering, MailboxLimits, Session};
use crate::proto::{
    BareJid, Condition, FullJid, Resource, StanzaError, StreamCondition, StreamError,
};

/// The accounts that have at least one session.
#[derive(Debug)]
pub struct Registry {
    accounts: HashMap<BareJid, Arc<Account>>,
    gathering: Arc<Gathering>,
    binding: Mutex<()>,
}

/// What a new session asks for.
#[derive(Debug)]
pub struct Binding {
    /// The account, authenticated.
    pub account: BareJid,
    /// The resource that the client asked for, or one that the server made.
    pub resource: Resource,
    /// Where it comes from.
    pub connection: Connection,
    /// How much may wait for it.
    pub mailbox: MailboxLimits,
}

impl Registry {
    /// A registry without sessions.
    #[must_use]
    pub fn new() -> Self {
        Self {
            accounts: HashMap::new(),
            gathering: Arc::default(),
            binding: Mutex::new(()),
        }
    }

    /// What has the sessions write their presence; the server runs it.
    #[must_use]
    pub const fn gathering(&self) -> &Arc<Gathering> {
        &self.gathering
    }

    /// The account, while it is online.
    #[must_use]
    pub fn find(&self, account: &BareJid) -> Option<Arc<Account>> {
        self.accounts.pin().get(account).cloned()
    }

    /// All accounts that are online, in no order.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Account>> {
        self.accounts.pin().values().cloned().collect()
    }

    /// Binds a session (RFC 6120 §7.6, §7.7).
    ///
    /// # Errors
    /// `conflict` when the resource is in use and the policy keeps the older session,
    /// `resource-constraint` when the account has `sessions_max` sessions already. A session that
    /// waits for its client (XEP-0198 §5) keeps nobody out: it makes room.
    pub fn bind(
        &self,
        binding: Binding,
        policy: Conflict,
        sessions_max: usize,
    ) -> Result<Arc<Session>, StanzaError> {
        let _changing = self.binding.lock().unwrap_or_else(PoisonError::into_inner);
        let accounts = self.accounts.pin();
        let account = accounts.get_or_insert_with(binding.account.clone(), || {
            Arc::new(Account::new(binding.account.clone()))
        });
        let older = account.session(&binding.resource);
        match (&older, policy) {
            (Some(older), Conflict::Refuse) if older.is_connected() => {
                return Err(Condition::Conflict.into());
            }
            (Some(older), Conflict::Replace | Conflict::Refuse) => {
                older.end(
                    StreamError::new(StreamCondition::Conflict).text("replaced by a new session"),
                );
                account.remove(older);
            }
            (None, _) if account.sessions().len() >= sessions_max => {
                let sessions = account.sessions();
                let waits = |session: &&Arc<Session>| !session.is_connected();
                let Some(oldest) = sessions.iter().find(waits) else {
                    return Err(StanzaError::new(Condition::ResourceConstraint)
                        .text("the account has too many sessions"));
                };
                oldest.end(StreamCondition::ResourceConstraint.into());
                account.remove(oldest);
            }
            (None, _) => {}
        }
        let session = Arc::new(Session::new(
            FullJid::new(binding.account, binding.resource),
            Arc::clone(account),
            binding.connection,
            binding.mailbox,
            Arc::clone(&self.gathering),
        ));
        account.add(Arc::clone(&session));
        Ok(session)
    }

    /// Takes a session off its account's list, and the account with its last one.
    pub fn unbind(&self, session: &Arc<Session>) {
        let _changing = self.binding.lock().unwrap_or_else(PoisonError::into_inner);
        let account = session.account();
        let accounts = self.accounts.pin();
        // Only this account: after a session was replaced and its successor ended, another
        // may stand at the same address already.
        let listed = |known: &Arc<Account>| Arc::ptr_eq(known, account);
        if account.remove(session) == 0 && accounts.get(account.jid()).is_some_and(listed) {
            accounts.remove(account.jid());
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn bind(registry: &Registry, resource: &str) -> Arc<Session> {
        let binding = Binding {
            account: BareJid::new("romeo@localhost").unwrap(),
            resource: Resource::new(resource).unwrap(),
            connection: Connection {
                peer: [127, 0, 0, 1].into(),
                transport: "tcp",
                since: Timestamp::from_micros(0),
            },
            mailbox: MailboxLimits {
                stanzas_max: 16,
                bytes_max: 1_000,
            },
        };
        registry.bind(binding, Conflict::Replace, 3).unwrap()
    }

    /// XEP-0198 §5: it counts as a session, and is the first to go.
    #[test]
    fn a_session_that_waits_for_its_client_makes_room() {
        let registry = Registry::new();
        let [first, second, third] = ["a", "b", "c"].map(|resource| bind(&registry, resource));
        second.set_connected(false);
        let fourth = bind(&registry, "d");
        let account = registry.find(fourth.account().jid()).unwrap();
        let left: Vec<_> = account.sessions().iter().map(Arc::as_ptr).collect();
        assert_eq!(left, [&first, &third, &fourth].map(Arc::as_ptr));
        assert!(
            second
                .deliver(Arc::new(crate::proto::Stanza::iq(
                    crate::proto::IqType::Get,
                    "1"
                )))
                .is_err()
        );
    }

    #[test]
    fn a_session_that_ends_late_leaves_its_successors_alone() {
        let registry = Registry::new();
        let replaced = bind(&registry, "orchard");
        let successor = bind(&registry, "orchard");
        registry.unbind(&successor);
        let third = bind(&registry, "orchard");
        registry.unbind(&replaced);
        let account = registry.find(third.account().jid()).unwrap();
        assert!(Arc::ptr_eq(&account.sessions()[0], &third));
        registry.unbind(&third);
        assert!(registry.find(third.account().jid()).is_none());
    }
}
