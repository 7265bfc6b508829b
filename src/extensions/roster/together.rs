//! Two rosters changed as one: what two accounts have about each other is decided while nobody else changes
//! it, written in one transaction, pushed to both, and followed by the presence that it opens or closes.
//!
//! The turns are taken in the order of the addresses and given back in the opposite one, so that two who add each
//! other at the same moment never wait for each other.

use std::sync::Arc;

use tracing::debug;

use super::{TRIES_MAX, Write, Writing, contended, is_interested};
use crate::extensions::{presence, subscription};
use crate::hooks::{Account, Services, Session};
use crate::proto::{BareJid, PresenceType, Stanza, StanzaError};
use crate::store::{Applied, RosterChange, RosterItem, Subscription};

/// Whose rosters are changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<'a> {
    /// Who acts.
    pub(crate) own: &'a BareJid,
    /// The other.
    pub(crate) other: &'a BareJid,
    /// How it came to it.
    pub(crate) wish: Wish,
}

/// How somebody comes to change both rosters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// By a stanza of RFC 6121 §3.1, to which devices await an answer.
    Asked,
    /// By other means.
    Told,
}

/// What one of the two has about the other.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// Its item; `None` where there is none.
    pub(crate) item: Option<RosterItem>,
    /// Whether its roster takes no further item.
    pub(crate) full: bool,
}

/// What both have.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Who acts.
    pub(crate) own: Side,
    /// The other.
    pub(crate) other: Side,
}

/// One side while it is changed.
struct Turn<'a> {
    writing: Writing<'a>,
    contact: &'a BareJid,
    wish: Wish,
    found: Side,
    change: Option<RosterChange>,
}

/// Changes what two accounts of this server have about each other: `decide` says what is written in the own
/// roster and in the other's. Answers whether there was anything to write.
///
/// # Errors
/// When the database fails, or others keep changing the same. Inside: what `decide` refuses.
pub(crate) async fn together<R>(
    services: &Services,
    pair: Pair<'_>,
    decide: impl Fn(&Found) -> Result<[Option<Write>; 2], R>,
) -> Result<Result<bool, R>, StanzaError> {
    if pair.own == pair.other {
        // Nobody is a contact of their own, and one turn cannot be had twice.
        let none = || Side {
            item: None,
            full: false,
        };
        let found = Found {
            own: none(),
            other: none(),
        };
        return Ok(decide(&found).map(|_| false));
    }
    for _ in 0..TRIES_MAX {
        let mut turns = Turn::both(services, pair).await?;
        let found = Found {
            own: turns[0].found.clone(),
            other: turns[1].found.clone(),
        };
        let writes = match decide(&found) {
            Ok(writes) => writes,
            Err(refused) => return Ok(Err(refused)),
        };
        if writes.iter().all(Option::is_none) {
            return Ok(Ok(false));
        }
        if apply(services, &mut turns, writes).await? {
            Box::pin(told(services, turns, pair)).await;
            return Ok(Ok(true));
        }
    }
    Err(contended())
}

impl<'a> Turn<'a> {
    /// Both turns, the own one first. They are waited for in the order of the addresses.
    async fn both(services: &'a Services, pair: Pair<'a>) -> Result<[Self; 2], StanzaError> {
        let Pair { own, other, .. } = pair;
        let (own_writing, other_writing) = if own.as_str() < other.as_str() {
            let own = Writing::begin(services, own).await;
            (own, Writing::begin(services, other).await)
        } else {
            let other = Writing::begin(services, other).await;
            (Writing::begin(services, own).await, other)
        };
        Ok([
            Self::found(services, own_writing, (own, other), pair.wish).await?,
            Self::found(services, other_writing, (other, own), Wish::Told).await?,
        ])
    }

    async fn found(
        services: &Services,
        writing: Writing<'a>,
        (owner, contact): (&BareJid, &'a BareJid),
        wish: Wish,
    ) -> Result<Self, StanzaError> {
        let item = writing.find(contact).await?;
        let full = match item {
            Some(_) => false,
            None => {
                let max = services.config.roster.items_max;
                services.store.rosters().count(owner).await? >= u64::from(max)
            }
        };
        Ok(Self {
            writing,
            contact,
            wish,
            found: Side { item, full },
            change: None,
        })
    }
}

/// Writes both, or neither; `false` when something has changed meanwhile.
async fn apply(
    services: &Services,
    turns: &mut [Turn<'_>; 2],
    writes: [Option<Write>; 2],
) -> Result<bool, StanzaError> {
    let sides = || turns.iter().zip(&writes);
    let steps = sides().filter_map(|(turn, write)| Some(turn.writing.step(write.clone()?)));
    let steps: Vec<_> = steps.collect();
    let now = services.clock.now();
    let rosters = services.store.rosters();
    let max = services.config.roster.items_max;
    let Applied::Done(versions) = rosters.apply(&steps, max, now).await? else {
        return Ok(false);
    };
    let mut versions = versions.into_iter();
    for (turn, write) in turns.iter_mut().zip(writes) {
        if let Some(write) = write {
            turn.change = write.written(versions.next().flatten());
        }
    }
    Ok(true)
}

/// Tells both what was written, and of the presence that they see from now on or no longer.
async fn told(services: &Services, turns: [Turn<'_>; 2], pair: Pair<'_>) {
    let seen = turns.iter().map(|turn| {
        let before = sees(turn.found.item.as_ref());
        (before, turn.change.as_ref().map_or(before, seen_after))
    });
    let seen: Vec<(bool, bool)> = seen.collect();
    tell_sides(turns, pair).await;
    let sides = [(pair.own, pair.other), (pair.other, pair.own)];
    let mut stanzas = Vec::new();
    for ((owner, contact), seen) in sides.into_iter().zip(seen) {
        // What was asked is answered by the change. A request that cannot be forgotten is shown once more.
        if subscription::forget(services, owner, contact)
            .await
            .is_err()
        {
            debug!("an answered subscription request is still kept");
        }
        match seen {
            (true, false) => stanzas.extend(presence::farewell(services, owner, contact)),
            (false, true) => stanzas.extend(presence::current(services, owner, contact)),
            (true, true) | (false, false) => {}
        }
    }
    for stanza in stanzas {
        services.route(stanza).await;
    }
}

/// In memory and to the devices. The later address first: who came online meanwhile is waited for while only
/// the turn of an earlier address is held.
async fn tell_sides(turns: [Turn<'_>; 2], pair: Pair<'_>) {
    let [own, other] = turns;
    if pair.own.as_str() < pair.other.as_str() {
        other.told().await;
        own.told().await;
    } else {
        own.told().await;
        other.told().await;
    }
}

impl Turn<'_> {
    /// Ends the turn.
    async fn told(mut self) {
        let Some(change) = self.change.take() else {
            return;
        };
        self.writing.remember(&change).await;
        let asked = self.found.item.as_ref().is_some_and(|item| item.ask);
        let asked = asked || self.wish == Wish::Asked;
        if let (true, true, Some(account)) = (asked, seen_after(&change), self.writing.account()) {
            answered(account, self.contact);
        }
        self.writing.tell(&change);
    }
}

/// RFC 6121 §3.1.6: who has asked hears that it was granted, before the push.
fn answered(account: &Account, contact: &BareJid) {
    let answer = Stanza::presence(PresenceType::Subscribed)
        .from(contact.clone())
        .to(account.jid().clone());
    let answer = Arc::new(answer);
    let sessions = account.sessions();
    let hear = |it: &&Arc<Session>| is_interested(it) || it.is_available();
    for session in sessions.iter().filter(hear) {
        if session.deliver(Arc::clone(&answer)).is_err() {
            debug!("a session is gone before a subscription stanza");
        }
    }
}

/// Whether the contact sees the presence of the owner of the item.
fn sees(item: Option<&RosterItem>) -> bool {
    item.is_some_and(|item| item.subscription.has_from())
}

fn seen_after(change: &RosterChange) -> bool {
    match change {
        RosterChange::Put(item) => item.subscription == Subscription::Both,
        RosterChange::Removed { .. } => false,
    }
}

#[cfg(test)]
mod tests;
