//! RFC 6121 §3: presence subscriptions: asked for, granted, cancelled, and granted in advance.
//!
//! What each stanza does is decided in `state.rs`; here it is written into the roster, pushed,
//! sent on, and followed by the presence that it opens or closes. Each side of a subscription
//! is written when the stanza passes it, also where both are accounts of this server: a
//! request, a cancellation or a probe that is repeated sets right what a crash between the two
//! left apart, or what two devices of one account that contradict each other at the same moment
//! did: the lock on a roster is never held while a stanza goes to the other side.

mod requests;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tracing::debug;

use crate::config::Config;
use crate::extensions::presence;
use crate::extensions::roster::{self, TRIES_MAX, Taken, Write, Writing};
use crate::hooks::{Account, Effects, Flow, Hooks, Passage, Services, Stage, StreamPhase};
use crate::proto::{BareJid, Condition, Kind, PresenceType, Stanza, StanzaError, ns};
use crate::store::{RosterChange, RosterItem};
use crate::xml::Element;
use state::{Act, Sight, Standing, Step};

pub(in crate::extensions) use requests::{forget, waiting};

/// Registers the hooks and the stream feature.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.outgoing_presence(Stage::Deliver, |passage| take(passage, Direction::Outbound));
    hooks.incoming_presence(Stage::Deliver, |passage| take(passage, Direction::Inbound));
    hooks.stream_feature(StreamPhase::Authenticated, |_| {
        Some(Element::new(ns::PRE_APPROVAL, "sub"))
    });
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Outbound,
    Inbound,
}

/// A subscription stanza on its way, between bare addresses (§3.1.2).
struct Passing {
    act: Act,
    direction: Direction,
    /// Whose roster it passes.
    owner: BareJid,
    contact: BareJid,
    stanza: Stanza,
}

/// What was done to the owner's side.
struct Done {
    before: Standing,
    step: Step,
}

fn take(passage: &mut Passage<'_>, direction: Direction) -> Flow {
    let Kind::Presence(kind) = passage.stanza.kind else {
        return Flow::Continue;
    };
    let Some(act) = Act::of(kind) else {
        return Flow::Continue;
    };
    let owner = passage.account.clone();
    let peer = match direction {
        Direction::Outbound => &passage.stanza.to,
        Direction::Inbound => &passage.stanza.from,
    };
    let Some(contact) = peer.as_ref().map(|jid| jid.bare().clone()) else {
        return Flow::Stop;
    };
    if contact == owner {
        // Everybody sees their own presence.
        return Flow::Stop;
    }
    let asks = act == Act::Subscribe && matches!(direction, Direction::Outbound);
    if asks && !reachable(passage.services, contact.domain().as_str()) {
        // RFC 6120 §10.4: the request would stand in the roster, and nobody could answer it.
        return Flow::Refuse(Condition::RemoteServerNotFound.into());
    }
    let (from, to) = match direction {
        Direction::Outbound => (&owner, &contact),
        Direction::Inbound => (&contact, &owner),
    };
    let stanza = Stanza::clone(passage.stanza)
        .from(from.clone())
        .to(to.clone());
    let services = Arc::clone(passage.services);
    let passing = Passing {
        act,
        direction,
        owner,
        contact,
        stanza,
    };
    passage
        .effects
        .then_effects(async move { pass(&services, passing).await });
    Flow::Stop
}

/// Whether anybody lives there who could answer: at a host of ours, or where a way out leads.
fn reachable(services: &Services, domain: &str) -> bool {
    services.serves(domain) || services.gateway(domain).is_some()
}

/// Does what the owner would by sending a stanza of that type to the contact: for who has agreed to it
/// by other means.
///
/// # Errors
/// When the database fails, or a roster is full.
pub(in crate::extensions) async fn act_for(
    services: &Arc<Services>,
    owner: &BareJid,
    contact: &BareJid,
    kind: PresenceType,
) -> Result<(), StanzaError> {
    let Some(act) = Act::of(kind) else {
        return Ok(());
    };
    let stanza = Stanza::presence(kind);
    let passing = Passing {
        act,
        direction: Direction::Outbound,
        owner: owner.clone(),
        contact: contact.clone(),
        stanza: stanza.from(owner.clone()).to(contact.clone()),
    };
    let effects = Box::pin(pass(services, passing)).await?;
    for stanza in effects.route {
        services.route(stanza).await;
    }
    Ok(())
}

async fn pass(services: &Arc<Services>, passing: Passing) -> Result<Effects, StanzaError> {
    if passing.direction == Direction::Outbound {
        let Passing { owner, contact, .. } = &passing;
        let taken = match passing.act {
            Act::Subscribe => roster::subscribing(services, owner, contact).await?,
            Act::Unsubscribe | Act::Unsubscribed => {
                roster::unlisted(services, owner, contact).await?
            }
            Act::Subscribed => Taken::Left,
        };
        if taken == Taken::Done {
            return Ok(Effects::default());
        }
    }
    let done = Box::pin(write(services, &passing)).await?;
    Ok(consequences(services, passing, &done))
}

/// Decides, writes and pushes, alone with the roster.
async fn write(services: &Services, passing: &Passing) -> Result<Done, StanzaError> {
    let Passing { owner, contact, .. } = passing;
    let mut writing = Writing::begin(services, owner).await;
    for _ in 0..TRIES_MAX {
        let item = writing.find(contact).await?;
        let waits = requests::contains(services, owner, contact).await?;
        let before = Standing::of(item.as_ref(), waits);
        let step = match passing.direction {
            Direction::Outbound => before.outbound(passing.act),
            Direction::Inbound => before.inbound(passing.act),
        };
        let change = match changed(item, contact, before, step.standing) {
            Some(item) => match writing.write(Write::Put(item)).await? {
                Some(change) => Some(change),
                None => continue,
            },
            None => None,
        };
        match (waits, step.standing.state.waits()) {
            (true, false) => {
                if forget(services, owner, contact).await.is_err() {
                    // The roster has the answer. The request is shown once more, at the next
                    // login, and forgotten with the next answer.
                    debug!("an answered subscription request is still kept");
                }
            }
            (false, true) => {
                if !requests::keep(services, owner, contact, &passing.stanza).await? {
                    // There is no such account, or no room: as if nobody had asked (§8.5.1).
                    return Ok(Done {
                        before,
                        step: before.stays(),
                    });
                }
            }
            (true, true) | (false, false) => {}
        }
        writing.follow().await;
        tell(&writing, passing, &step, change.as_ref());
        return Ok(Done { before, step });
    }
    Err(roster::contended())
}

/// The item as it shall be stored; `None` where it stays, or there is still nothing to
/// store: a request that waits makes no item (§A.1).
fn changed(
    item: Option<RosterItem>,
    contact: &BareJid,
    before: Standing,
    after: Standing,
) -> Option<RosterItem> {
    let shown = |it: Standing| (it.state.subscription(), it.state.asks(), it.approved);
    if shown(before) == shown(after) {
        return None;
    }
    Some(RosterItem {
        subscription: after.state.subscription(),
        ask: after.state.asks(),
        approved: after.approved,
        ..item.unwrap_or_else(|| RosterItem::new(contact.clone()))
    })
}

/// The stanza to the owner's sessions, then the push (§3.1.6), while nobody else changes the
/// roster.
fn tell(writing: &Writing<'_>, passing: &Passing, step: &Step, change: Option<&RosterChange>) {
    let inbound = passing.direction == Direction::Inbound;
    if let (true, Some(account)) = (inbound && step.goes_on, writing.account()) {
        deliver(account, passing);
    }
    if let Some(change) = change {
        writing.tell(change);
    }
}

/// A request goes to available resources (§3.1.3), its answer and the end to interested
/// ones (§3.1.6, §3.2.3, §3.3.3); an available one that has not asked for the roster hears of them
/// too, for it has no other way to learn.
fn deliver(account: &Account, passing: &Passing) {
    let stanza = Arc::new(passing.stanza.clone());
    let sessions = account.sessions();
    let hear = sessions.iter().filter(|session| {
        let hears_answers = passing.act != Act::Subscribe && roster::is_interested(session);
        session.is_available() || hears_answers
    });
    for session in hear {
        if session.deliver(Arc::clone(&stanza)).is_err() {
            debug!("a session is gone before a subscription stanza");
        }
    }
}

/// What follows on the contact's side.
fn consequences(services: &Services, passing: Passing, done: &Done) -> Effects {
    let Passing { owner, contact, .. } = &passing;
    let mut effects = Effects::default();
    let sight = done.step.sight(done.before);
    if sight == Sight::Closed {
        // §3.2.2: while the contact is still a subscriber.
        effects
            .route
            .extend(presence::farewell(services, owner, contact));
    }
    if done.step.answered {
        let answer = Stanza::presence(PresenceType::Subscribed);
        effects
            .route
            .push(answer.from(owner.clone()).to(contact.clone()));
    }
    let opened = (sight == Sight::Opened).then(|| presence::current(services, owner, contact));
    if passing.direction == Direction::Outbound && done.step.goes_on {
        effects.route.push(passing.stanza);
    }
    // §3.1.5: after the approval.
    effects.route.extend(opened.into_iter().flatten());
    effects
}

/// What the contact is sent when the owner removes it from the roster (§2.5.2).
pub(in crate::extensions) fn farewell(
    services: &Services,
    owner: &BareJid,
    removed: &RosterItem,
) -> Vec<Stanza> {
    let contact = &removed.contact;
    let mut stanzas = Vec::new();
    if removed.subscription.has_to() || removed.ask {
        stanzas.push(Stanza::presence(PresenceType::Unsubscribe));
    }
    if removed.subscription.has_from() {
        stanzas.push(Stanza::presence(PresenceType::Unsubscribed));
    }
    let mut farewell = Vec::new();
    if removed.subscription.has_from() {
        farewell = presence::farewell(services, owner, contact);
    }
    let between = |stanza: Stanza| stanza.from(owner.clone()).to(contact.clone());
    farewell.extend(stanzas.into_iter().map(between));
    farewell
}
