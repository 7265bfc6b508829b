//! RFC 6121 §4: presence: initial and later, unavailable, probed, directed.
//!
//! The hook that sees a session's presence is synchronous: it reads the roster in memory. Only
//! the first presence of a session waits, for the roster and for the requests that await an
//! answer.

mod broadcast;
mod directed;
mod priority;
mod probe;
#[cfg(test)]
mod tests;
mod withheld;

use std::sync::Arc;

use tracing::{debug, warn};

use crate::config::Config;
use crate::extensions::{avatars, roster, subscription};
use crate::hooks::{Account, Effects, Flow, Hooks, Passage, Services, Session, Stage};
use crate::proto::{BareJid, Jid, Kind, PresenceType, Stanza, StanzaError};

pub(crate) use broadcast::renew;
pub(in crate::extensions) use broadcast::{current, farewell, hide};
pub(crate) use priority::read as priority_of;
pub(crate) use withheld::{is_withheld, reveal, withhold};

/// Registers the hooks.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.outgoing_presence(Stage::Deliver, outgoing);
    hooks.incoming_presence(Stage::Deliver, incoming);
    hooks.closed(|session, services| async move { closed(&session, &services).await });
}

fn outgoing(passage: &mut Passage<'_>) -> Flow {
    let (Kind::Presence(kind), Some(session)) = (passage.stanza.kind, passage.session) else {
        return Flow::Continue;
    };
    let taken = match (kind, &passage.stanza.to) {
        (PresenceType::Available, None) => announce(passage, session),
        (PresenceType::Unavailable, None) => {
            withdraw(passage.services, session, passage.stanza, passage.effects);
            Ok(())
        }
        (PresenceType::Available, Some(to)) => match direct(passage, session, to) {
            Ok(()) => return avatars::directed(passage),
            refused @ Err(_) => refused,
        },
        (PresenceType::Unavailable, Some(to)) => {
            directed::forget(session, to);
            Ok(())
        }
        // Without an address they mean nothing.
        (PresenceType::Probe | PresenceType::Error, None) => return Flow::Stop,
        (PresenceType::Probe | PresenceType::Error, Some(_)) => Ok(()),
        (
            PresenceType::Subscribe
            | PresenceType::Subscribed
            | PresenceType::Unsubscribe
            | PresenceType::Unsubscribed,
            _,
        ) => Ok(()),
    };
    match taken {
        Ok(()) => Flow::Continue,
        Err(error) => Flow::Refuse(error),
    }
}

fn incoming(passage: &mut Passage<'_>) -> Flow {
    match passage.stanza.kind {
        Kind::Presence(PresenceType::Probe) => {
            probe::take(passage);
            Flow::Stop
        }
        Kind::Presence(PresenceType::Error) => {
            refused(passage);
            Flow::Continue
        }
        Kind::Presence(
            PresenceType::Available
            | PresenceType::Unavailable
            | PresenceType::Subscribe
            | PresenceType::Subscribed
            | PresenceType::Unsubscribe
            | PresenceType::Unsubscribed,
        )
        | Kind::Message(_)
        | Kind::Iq(_) => Flow::Continue,
    }
}

/// A presence that came back: its recipient needs not be told of the end.
fn refused(passage: &Passage<'_>) {
    let (Some(from), Some(to), Some(online)) =
        (&passage.stanza.from, &passage.stanza.to, passage.online)
    else {
        return;
    };
    if let Some(session) = to.resource().and_then(|resource| online.session(resource)) {
        directed::forget(&session, from);
    }
}

/// §4.2.2, §4.4.2: the first presence of a session, or another one.
fn announce(passage: &mut Passage<'_>, session: &Arc<Session>) -> Result<(), StanzaError> {
    let priority = priority::read(passage.stanza)?;
    // It is kept for as long as the session is available.
    let presence = Arc::new(passage.stanza.clone().detached());
    let known = session
        .is_available()
        .then(|| roster::loaded(session.account()))
        .flatten();
    let Some(roster) = known else {
        let (services, session) = (Arc::clone(passage.services), Arc::clone(session));
        let work = async move { initial(&services, &session, presence, priority).await };
        passage.effects.then_effects(work);
        return Ok(());
    };
    passage.effects.became_available |= begins_to_take(session, priority);
    session.publish(Some((Arc::clone(&presence), priority)));
    broadcast::broadcast(
        passage.services,
        session,
        &presence,
        &roster,
        passage.effects,
    );
    Ok(())
}

/// Whether messages that were kept are due: the session takes them now and did not before.
fn begins_to_take(session: &Session, priority: i8) -> bool {
    priority >= 0 && session.priority().is_none_or(|before| before < 0)
}

/// §4.2.2: what goes out, and what the session is shown: its account's other sessions, its
/// contacts, and the requests that wait.
async fn initial(
    services: &Services,
    session: &Arc<Session>,
    presence: Arc<Stanza>,
    priority: i8,
) -> Result<Effects, StanzaError> {
    let account = session.account();
    let first = roster::load(services, account).await?;
    let presence = avatars::stamped(services, account, presence).await?;
    let mut effects = Effects {
        became_available: begins_to_take(session, priority),
        ..Effects::default()
    };
    session.publish(Some((Arc::clone(&presence), priority)));
    // Looked at after the presence is there to be seen: whoever changes the roster now sees it.
    let roster = roster::loaded(account).unwrap_or(first);
    broadcast::broadcast(services, session, &presence, &roster, &mut effects);
    broadcast::collect(services, session, &roster, &mut effects);
    match subscription::waiting(services, account.jid()).await {
        Ok(requests) => effects.reply.extend(requests.into_iter().map(Arc::new)),
        Err(_) => warn!("subscription requests are not shown"),
    }
    Ok(effects)
}

/// §4.6.3: who is told directly is remembered, unless the broadcast of the end reaches it.
fn direct(passage: &Passage<'_>, session: &Arc<Session>, to: &Jid) -> Result<(), StanzaError> {
    priority::read(passage.stanza)?;
    if session.is_available() && to.is_bare() && subscribes(session, to.bare()) {
        return Ok(());
    }
    directed::remember(session, to)
}

/// Whether the session broadcasts to that account.
fn subscribes(session: &Session, account: &BareJid) -> bool {
    let own = session.account();
    let shows = |roster: Arc<roster::Snapshot>| roster.shows_presence_to(account);
    account == own.jid() || (!is_withheld(own) && roster::loaded(own).is_some_and(shows))
}

/// Whether what the session broadcasts reaches that address: of a subscriber's resources only
/// the available ones.
fn hears(services: &Services, session: &Session, to: &Jid) -> bool {
    subscribes(session, to.bare())
        && to.resource().is_none_or(|resource| {
            let account = services.online(to.bare());
            let other = account.and_then(|account| account.session(resource));
            other.is_some_and(|other| other.is_available())
        })
}

/// §4.5.2: the end of a presence, for everybody who knew of it.
fn withdraw(services: &Services, session: &Arc<Session>, end: &Stanza, effects: &mut Effects) {
    let was_available = session.is_available();
    session.publish(None);
    if let Some(roster) = roster::loaded(session.account()).filter(|_| was_available) {
        broadcast::broadcast(services, session, end, &roster, effects);
    }
    for to in directed::take(session) {
        if !(was_available && hears(services, session, &to)) {
            effects.route.push(broadcast::addressed(end, to));
        }
    }
}

/// §4.5.2: the server says so for a session that is gone without a word.
async fn closed(session: &Arc<Session>, services: &Services) {
    let mut effects = Effects::default();
    let end = Stanza::presence(PresenceType::Unavailable).from(session.address());
    withdraw(services, session, &end, &mut effects);
    // Where another session has taken the address over and is available already, the end of the
    // older one would be taken for its own.
    let account = services.online(session.account().jid());
    let successor = account.and_then(|account| account.session(session.resource()));
    if let Some(successor) = successor {
        let available = successor.is_available();
        let knows = |to: &Jid| {
            directed::contains(&successor, to) || (available && hears(services, &successor, to))
        };
        effects.deliver.retain(|_| !available);
        if let Some(tidings) = &mut effects.tell {
            let to = |account: &Arc<Account>| Jid::from(account.jid().clone());
            tidings.to.retain(|account| !knows(&to(account)));
        }
        effects
            .route
            .retain(|stanza| !stanza.to.as_ref().is_some_and(knows));
    }
    for (other, stanza) in effects.deliver {
        if other.deliver(stanza).is_err() {
            debug!("a session is gone before it heard of the end of another");
        }
    }
    if let Some(tidings) = effects.tell {
        services.tell(tidings).await;
    }
    for stanza in effects.route {
        services.route(stanza).await;
    }
}
