//! Clients of contacts on other servers, and what they want to be told of (XEP-0163 §4.3.2).
//!
//! Their presence tells their capabilities, as that of our own clients does; what is not known is asked for, in
//! the name of the account that they are present for. Who is not in its roster is not listened to. A
//! client is told of the nodes of those accounts only that it is present for: of one that sees the account's presence and
//! does not show its own nothing is known.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::debug;

use super::interest::{Caps, Names, Sorts};
use super::last;
use super::place::Place;
use crate::config::Config;
use crate::extensions::roster;
use crate::hooks::{Answer, Effects, Flow, Hooks, Passage, Services, Stage};
use crate::proto::{BareJid, IqType, Jid, Kind, PresenceType, Stanza, StanzaError};

/// The clients that are present for our accounts.
#[derive(Debug, Default)]
pub(super) struct Remotes {
    max: usize,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The resources by the contact.
    contacts: HashMap<BareJid, Vec<Seen>>,
    /// How many there are, each counted for every account.
    count: usize,
}

/// One client.
#[derive(Debug)]
struct Seen {
    full: Jid,
    caps: Caps,
    /// `None` while it has not answered.
    names: Option<Names>,
    /// The accounts that it is present for, and whether it was shown the last items of each.
    accounts: Vec<(BareJid, bool)>,
}

/// What is to be done about a presence.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// What it wants is known.
    Show(Names),
    /// It has to be asked.
    Ask,
    /// It was asked already, or shown everything, or there is no room.
    Nothing,
}

/// Registers the hook.
pub(super) fn register(hooks: &mut Hooks, config: &Arc<Config>, sorts: &Arc<Sorts>) {
    let max = usize::try_from(config.pubsub.remote_clients_max).unwrap_or(usize::MAX);
    if max == 0 || !config.s2s.enabled {
        return;
    }
    let remotes = hooks.offers().find_or(|| Remotes {
        max,
        known: Mutex::default(),
    });
    let sorts = Arc::clone(sorts);
    hooks.incoming_presence(Stage::Record, move |passage| {
        took(passage, &remotes, &sorts);
        Flow::Continue
    });
}

fn took(passage: &mut Passage<'_>, remotes: &Arc<Remotes>, sorts: &Arc<Sorts>) {
    let elsewhere =
        |from: &&Jid| from.resource().is_some() && !passage.services.serves(from.domain());
    let from = passage.stanza.from.as_ref();
    let Some(from) = from.filter(elsewhere).cloned() else {
        return;
    };
    match passage.stanza.kind {
        Kind::Presence(PresenceType::Available) if is_contact(passage, from.bare()) => {}
        Kind::Presence(PresenceType::Unavailable) => {
            return remotes.forget(&from, passage.account);
        }
        _ => return,
    }
    let Some(caps) = Caps::of(passage.stanza) else {
        return remotes.forget(&from, passage.account);
    };
    match remotes.note(&from, passage.account, &caps, sorts) {
        Next::Show(names) => {
            let (services, account) = (Arc::clone(passage.services), passage.account.clone());
            passage.effects.then_effects(async move {
                Ok(Effects {
                    route: show(&services, &account, &from, &names).await,
                    ..Effects::default()
                })
            });
        }
        Next::Ask => ask(passage, from, caps, remotes, sorts),
        Next::Nothing => {}
    }
}

/// Whether one of the two sees the other's presence. Of an account that is not online nothing is asked: its
/// contacts are probed when it comes.
fn is_contact(passage: &Passage<'_>, contact: &BareJid) -> bool {
    let roster = passage.online.and_then(|online| roster::loaded(online));
    let item = roster.as_ref().and_then(|roster| roster.find(contact));
    item.is_some_and(|item| item.subscription.has_from() || item.subscription.has_to())
}

fn ask(
    passage: &mut Passage<'_>,
    from: Jid,
    caps: Caps,
    remotes: &Arc<Remotes>,
    sorts: &Arc<Sorts>,
) {
    let request = Stanza::iq(IqType::Get, &crate::id::random())
        .from(passage.account.clone())
        .to(from.clone())
        .child(&caps.query());
    let (remotes, sorts) = (Arc::clone(remotes), Arc::clone(sorts));
    let account = passage.account.clone();
    let (asked, asker) = (from.clone(), account);
    let kept = Arc::clone(&remotes);
    let next = move |answer: Answer| -> futures_util::future::BoxFuture<'static, Effects> {
        Box::pin(async move {
            let mut effects = Effects::default();
            let Some(payload) = answer.payload else {
                return effects;
            };
            let names = sorts.learn(&caps, &payload).names;
            for account in remotes.answered(&from, &caps, &names) {
                effects
                    .route
                    .extend(show(&answer.services, &account, &from, &names).await);
            }
            effects
        })
    };
    let services = passage.services;
    let remembered = services
        .requests
        .remember(&request, services.clock.now(), Box::new(next));
    if remembered {
        passage.effects.route.push(request);
    } else {
        // Its next presence asks again.
        kept.forget(&asked, &asker);
        debug!("too many requests wait; a client is not asked what it wants");
    }
}

/// §4.3.4: the last items of an account for a client that has just come.
async fn show(services: &Arc<Services>, account: &BareJid, to: &Jid, names: &Names) -> Vec<Stanza> {
    let place = Place::account(services, account);
    let curious = |node: &str| {
        let wants = names.contains(node);
        wants.then(|| to.clone()).into_iter().collect()
    };
    let shown: Result<_, StanzaError> = Box::pin(last::of_nodes(&place, to.bare(), curious)).await;
    shown.unwrap_or_else(|error| {
        debug!(?error, "last items are not shown");
        Vec::new()
    })
}

impl Remotes {
    /// Whether any client of the contact is present for anybody.
    pub(super) fn knows(&self, contact: &BareJid) -> bool {
        self.lock().contacts.contains_key(contact)
    }

    /// The contact's clients that are present for the account and want to be told of that node.
    pub(super) fn wanting(&self, contact: &BareJid, account: &BareJid, node: &str) -> Vec<Jid> {
        let known = self.lock();
        let clients = known.contacts.get(contact).into_iter().flatten();
        let wanting = clients.filter(|it| {
            it.accounts.iter().any(|(for_whom, _)| for_whom == account)
                && it.names.as_ref().is_some_and(|names| names.contains(node))
        });
        wanting.map(|it| it.full.clone()).collect()
    }

    /// Notes that a client is present for an account.
    fn note(&self, full: &Jid, account: &BareJid, caps: &Caps, sorts: &Sorts) -> Next {
        let mut known = self.lock();
        known.make_room(self.max, full);
        let Known { contacts, count } = &mut *known;
        let clients = contacts.entry(full.bare().clone()).or_default();
        let place = clients.iter().position(|it| it.full == *full);
        let mut ask = place.is_none();
        if ask {
            clients.push(Seen {
                full: full.clone(),
                caps: caps.clone(),
                names: sorts.find(caps),
                accounts: Vec::new(),
            });
        }
        let Some(client) = clients.iter_mut().find(|it| it.full == *full) else {
            return Next::Nothing;
        };
        if client.caps != *caps {
            client.caps = caps.clone();
            client.names = sorts.find(caps);
            ask = true;
        }
        if !client.accounts.iter().any(|(known, _)| known == account) {
            client.accounts.push((account.clone(), false));
            *count += 1;
        }
        let Some(names) = client.names.clone() else {
            return if ask { Next::Ask } else { Next::Nothing };
        };
        let first = client
            .accounts
            .iter_mut()
            .find(|(known, _)| known == account);
        match first {
            Some((_, shown)) if !*shown => {
                *shown = true;
                Next::Show(names)
            }
            Some(_) | None => Next::Nothing,
        }
    }

    /// Notes what a client has answered; gives the accounts whose last items it has not been shown.
    fn answered(&self, full: &Jid, caps: &Caps, names: &Names) -> Vec<BareJid> {
        let mut known = self.lock();
        let clients = known.contacts.get_mut(full.bare()).into_iter().flatten();
        let mut fresh = Vec::new();
        for client in clients.filter(|it| it.full == *full && it.caps == *caps) {
            client.names = Some(Arc::clone(names));
            for (account, shown) in client.accounts.iter_mut().filter(|(_, shown)| !shown) {
                *shown = true;
                fresh.push(account.clone());
            }
        }
        fresh
    }

    /// A client is present for that account no more.
    fn forget(&self, full: &Jid, account: &BareJid) {
        let mut known = self.lock();
        let Known { contacts, count } = &mut *known;
        let Some(clients) = contacts.get_mut(full.bare()) else {
            return;
        };
        for client in clients.iter_mut().filter(|it| it.full == *full) {
            let before = client.accounts.len();
            client.accounts.retain(|(known, _)| known != account);
            *count -= before - client.accounts.len();
        }
        clients.retain(|it| !it.accounts.is_empty());
        if clients.is_empty() {
            contacts.remove(full.bare());
        }
    }

    /// A panic while the lock was held cannot have left anything half changed.
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Forgets some contact where there is no room for another client. Which one does not matter much: it is
    /// noted again with its next presence.
    fn make_room(&mut self, max: usize, newcomer: &Jid) {
        if self.count < max {
            return;
        }
        let mut others = self.contacts.keys().filter(|it| *it != newcomer.bare());
        let goes = others
            .next()
            .or_else(|| self.contacts.keys().next())
            .cloned();
        let gone = goes.and_then(|contact| self.contacts.remove(&contact));
        let freed: usize = gone.iter().flatten().map(|it| it.accounts.len()).sum();
        self.count -= freed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{ns, reading};
    use crate::xml::Element;

    fn remotes(max: usize) -> Remotes {
        Remotes {
            max,
            known: Mutex::default(),
        }
    }

    fn jid(text: &str) -> Jid {
        Jid::parse(text).unwrap()
    }

    fn account(name: &str) -> BareJid {
        BareJid::new(&format!("{name}@localhost")).unwrap()
    }

    fn caps(ver: &str) -> Caps {
        let text = format!(
            "<presence xmlns='jabber:client'><c xmlns='{}' node='urn:example' hash='sha-1' ver='{ver}'/></presence>",
            ns::CAPS
        );
        Caps::of(&reading::stored(text.into()).unwrap()).unwrap()
    }

    fn names(node: &str) -> Names {
        let feature = Element::new(ns::DISCO_INFO, "feature").attr("var", format!("{node}+notify"));
        let query = Element::new(ns::DISCO_INFO, "query").child(feature);
        Sorts::new(0).learn(&caps("any"), &query).names
    }

    #[test]
    fn a_client_is_asked_once_and_shown_the_items_of_each_account_once() {
        let (remotes, sorts) = (remotes(10), Sorts::new(10));
        let (full, romeo, paris) = (
            jid("juliet@b.example/x"),
            account("romeo"),
            account("paris"),
        );
        assert_eq!(remotes.note(&full, &romeo, &caps("1"), &sorts), Next::Ask);
        assert_eq!(
            remotes.note(&full, &romeo, &caps("1"), &sorts),
            Next::Nothing
        );
        assert_eq!(
            remotes.note(&full, &paris, &caps("1"), &sorts),
            Next::Nothing
        );
        assert!(remotes.wanting(full.bare(), &romeo, "urn:n").is_empty());
        let fresh = remotes.answered(&full, &caps("1"), &names("urn:n"));
        assert_eq!(fresh, [romeo.clone(), paris.clone()]);
        assert_eq!(
            remotes.wanting(full.bare(), &romeo, "urn:n"),
            std::slice::from_ref(&full)
        );
        assert!(remotes.wanting(full.bare(), &romeo, "urn:m").is_empty());
        assert!(
            remotes
                .wanting(full.bare(), &account("other"), "urn:n")
                .is_empty()
        );
        assert_eq!(
            remotes.note(&full, &romeo, &caps("1"), &sorts),
            Next::Nothing
        );
        // Another client, or the same with other wishes.
        assert_eq!(remotes.note(&full, &romeo, &caps("2"), &sorts), Next::Ask);
        assert!(remotes.wanting(full.bare(), &romeo, "urn:n").is_empty());
        assert!(
            remotes
                .answered(&full, &caps("1"), &names("urn:n"))
                .is_empty()
        );
        remotes.forget(&full, &romeo);
        assert!(remotes.knows(full.bare()));
        remotes.forget(&full, &paris);
        remotes.forget(&full, &paris);
        assert!(!remotes.knows(full.bare()));
        assert_eq!(remotes.lock().count, 0);
    }

    #[test]
    fn no_more_clients_are_remembered_than_may() {
        let (remotes, sorts) = (remotes(3), Sorts::new(10));
        for number in 0..10 {
            let full = jid(&format!("{number}@b.example/x"));
            assert_eq!(
                remotes.note(&full, &account("romeo"), &caps("1"), &sorts),
                Next::Ask
            );
            assert!(remotes.knows(full.bare()));
        }
        assert_eq!(remotes.lock().contacts.len(), 3);
        for number in 0..10 {
            remotes.note(
                &jid("a@b.example/x"),
                &account(&number.to_string()),
                &caps("1"),
                &sorts,
            );
            assert!(remotes.lock().count <= 3);
        }
    }
}
