//! XEP-0160: Best Practices for Handling Offline Messages, version 1.0.1: messages for an account that
//! nobody could take are kept, and given to the next session that can, with the time of their
//! arrival (XEP-0203).
//!
//! A message that is kept is durable. It is deleted after it was written to the client's socket: when
//! the server or the connection dies in between, it comes once more. Choosing among them
//! (XEP-0013) is not done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use tracing::{debug, warn};

use crate::clock::Timestamp;
use crate::config::{Config, Offline};
use crate::hooks::{At, Hooks, Services, Session, Undelivered};
use crate::proto::common::delay::Delay;
use crate::proto::document::Document;
use crate::proto::{BareJid, Jid, Kind, MessageType, Stanza, ns, reading};
use crate::store::{Appended, OfflineMessage};
use crate::xml::Child;

/// Messages read and written at once.
const PAGE: u32 = 50;

const DAY_SECONDS: i64 = 86_400;

/// Registers keeping, giving and forgetting.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    let title = "Best Practices for Handling Offline Messages";
    hooks.document(Document::new("XEP-0160", title, "1.0.1"));
    hooks.document(Document::new("XEP-0203", "Delayed Delivery", "2.0"));
    hooks.feature(&[At::Host], "msgoffline");
    let Offline {
        messages_per_account_max,
        expire_days,
    } = config.offline;
    hooks.undelivered(move |undelivered| keep(undelivered, messages_per_account_max));
    hooks.backlog(move |session, services| next_page(session, services, expire_days));
    hooks.closed(give_up);
    hooks.daily(move |services| expire(services, expire_days));
}

/// What is to be done with a message that nobody could take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is kept.
    Keep,
    /// Its sender is told that it did not arrive.
    Return,
    /// Nobody misses it.
    Forget,
}

/// XEP-0160 §3, XEP-0334 §4.2.
fn fate(stanza: &Stanza) -> Fate {
    let Kind::Message(kind) = stanza.kind else {
        return Fate::Return;
    };
    match kind {
        MessageType::Error | MessageType::Groupchat | MessageType::Headline => Fate::Return,
        MessageType::Chat | MessageType::Normal if !stanza.payload.iter().any(is_content) => {
            Fate::Forget
        }
        MessageType::Chat | MessageType::Normal if stanza.has(ns::HINTS, "no-store") => {
            Fate::Return
        }
        MessageType::Chat | MessageType::Normal => Fate::Keep,
    }
}

/// Whether it is more than a sign that somebody is typing, with what goes along with it.
fn is_content(child: Child<'_>) -> bool {
    match child.ns() {
        Some(ns::CHAT_STATES | ns::HINTS) => false,
        None => child.name() != "thread",
        Some(_) => true,
    }
}

async fn keep(undelivered: Undelivered, messages_max: u32) -> bool {
    let Undelivered {
        account,
        stanza,
        services,
    } = undelivered;
    match fate(&stanza) {
        Fate::Keep => {}
        Fate::Return => return false,
        Fate::Forget => return true,
    }
    let received_at = stanza.received_at.unwrap_or_else(|| services.clock.now());
    let messages = services.store.offline_messages();
    let bytes = Bytes::from(stanza.to_document());
    let appended = messages.append(&account, bytes.clone(), received_at, messages_max);
    match appended.await {
        Ok(Appended::Stored(id)) => {
            let message = OfflineMessage {
                id,
                received_at,
                stanza: bytes,
            };
            hand_over_late(&account, message, &services).await;
            true
        }
        // §2 rule 3: the sender is told that the recipient is not there.
        Ok(Appended::Full) => false,
        Err(error) => {
            warn!(%error, "a message is not kept");
            false
        }
    }
}

/// Gives a message to a session that came while the message was being written, or that stayed when
/// another ended: it has asked already, and would not see it before its next presence.
async fn hand_over_late(account: &BareJid, message: OfflineMessage, services: &Services) {
    let sessions = services.online(account).map(|online| online.sessions());
    let sessions = sessions.unwrap_or_default();
    let takes = |session: &&Arc<Session>| session.priority().is_some_and(|it| it >= 0);
    let best = sessions
        .iter()
        .filter(takes)
        .max_by_key(|session| session.priority());
    let Some(session) = best else {
        return;
    };
    if Giving::of(session).note_late() {
        return;
    }
    let id = message.id;
    let Some(stanza) = stamped(message, &host(session)) else {
        return;
    };
    // One that does not fit into the mailbox stays where it is.
    if session.deliver(Arc::new(stanza)).is_ok() {
        let messages = services.store.offline_messages();
        if let Err(error) = Box::pin(messages.delete(account, &[id])).await {
            warn!(%error, "a delivered message is not deleted");
        }
    }
}

/// Which session of the account is being given the messages; in the account's slots. Two that come
/// at once must not both get them.
#[derive(Debug, Default)]
struct Giving(Mutex<Option<Turn>>);

#[derive(Debug)]
struct Turn {
    session: Weak<Session>,
    /// What was handed to the session's task last.
    given: Vec<i64>,
    /// Whether a message was written that the last reading may have missed.
    late: bool,
}

impl Giving {
    fn of(session: &Session) -> Arc<Self> {
        session.account().slots().find_or(Self::default)
    }

    /// Takes the turn and what was given in it; `None` while it is another's.
    fn claim(&self, session: &Arc<Session>) -> Option<Vec<i64>> {
        let mut turn = self.lock();
        match &mut *turn {
            Some(turn) if turn.is_of(session) => {
                return Some(std::mem::take(&mut turn.given));
            }
            // The turn of a session that was replaced has ended with it.
            Some(other) if other.is_bound() => return None,
            Some(_) | None => {}
        }
        *turn = Some(Turn {
            session: Arc::downgrade(session),
            given: Vec::new(),
            late: false,
        });
        Some(Vec::new())
    }

    /// Notes what is given now; nothing ends the turn. `false` when there is nothing and it must be
    /// looked again.
    fn give(&self, session: &Arc<Session>, ids: Vec<i64>) -> bool {
        let mut turn = self.lock();
        if let Some(own) = turn.as_mut().filter(|turn| turn.is_of(session)) {
            if !ids.is_empty() {
                own.given = ids;
            } else if std::mem::take(&mut own.late) {
                return false;
            } else {
                *turn = None;
            }
        }
        true
    }

    /// Notes that a message was written; `false` when nobody has the turn.
    fn note_late(&self) -> bool {
        let mut turn = self.lock();
        match turn.as_mut().filter(|turn| turn.is_bound()) {
            Some(turn) => {
                turn.late = true;
                true
            }
            None => false,
        }
    }

    /// Ends the session's turn, if it has it.
    fn end(&self, session: &Arc<Session>) {
        let mut turn = self.lock();
        if turn.as_ref().is_some_and(|turn| turn.is_of(session)) {
            *turn = None;
        }
    }

    /// A panic while the lock was held cannot have left the turn half changed.
    fn lock(&self) -> MutexGuard<'_, Option<Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    fn is_of(&self, session: &Arc<Session>) -> bool {
        std::ptr::eq(self.session.as_ptr(), Arc::as_ptr(session))
    }

    fn is_bound(&self) -> bool {
        self.session.upgrade().is_some_and(|session| {
            let sessions = session.account().sessions();
            sessions.iter().any(|known| Arc::ptr_eq(known, &session))
        })
    }
}

/// Deletes what was written since the last call, and gives the next messages.
async fn next_page(
    session: Arc<Session>,
    services: Arc<Services>,
    expire_days: u32,
) -> Vec<Stanza> {
    let giving = Giving::of(&session);
    let Some(mut written) = giving.claim(&session) else {
        debug!("another session is given the offline messages");
        return Vec::new();
    };
    let before = expired_before(&services, expire_days);
    let host = host(&session);
    loop {
        let page = Box::pin(read_page(&session, &services, &written, before)).await;
        let ids: Vec<i64> = page.iter().map(|message| message.id).collect();
        let stanzas: Vec<Stanza> = page
            .into_iter()
            .filter_map(|it| stamped(it, &host))
            .collect();
        if stanzas.is_empty() && !ids.is_empty() {
            // None of them can be read: they must not stand before the others.
            written = ids;
        } else if giving.give(&session, ids) {
            return stanzas;
        } else {
            written.clear();
        }
    }
}

/// The messages behind those that were written; what has expired or cannot be read is not
/// among them, and deleted.
async fn read_page(
    session: &Session,
    services: &Services,
    written: &[i64],
    before: Option<Timestamp>,
) -> Vec<OfflineMessage> {
    let account = session.account().jid();
    let messages = services.store.offline_messages();
    if !written.is_empty()
        && let Err(error) = Box::pin(messages.delete(account, written)).await
    {
        // Stopping here: what cannot be deleted would come again without end.
        warn!(%error, "delivered messages are not deleted");
        return Vec::new();
    }
    loop {
        let page = match messages.page(account, 0, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                warn!(%error, "offline messages are not read");
                return Vec::new();
            }
        };
        let is_old =
            |message: &OfflineMessage| before.is_some_and(|before| message.received_at < before);
        let (old, good): (Vec<_>, Vec<_>) = page.into_iter().partition(is_old);
        if !good.is_empty() || old.is_empty() {
            return good;
        }
        let ids: Vec<i64> = old.iter().map(|message| message.id).collect();
        if let Err(error) = Box::pin(messages.delete(account, &ids)).await {
            warn!(%error, "expired messages are not deleted");
            return Vec::new();
        }
    }
}

fn host(session: &Session) -> Jid {
    BareJid::from_parts(None, session.account().jid().domain()).into()
}

/// The message as it came, with the time when it came; `None` when the database holds something else.
fn stamped(message: OfflineMessage, host: &Jid) -> Option<Stanza> {
    let Some(mut stanza) = reading::stored(message.stanza) else {
        warn!(id = message.id, "an offline message is no stanza");
        return None;
    };
    // Kept again, it is as old as it was.
    stanza.received_at = Some(message.received_at);
    // A stamp that only claims to be ours is not.
    stanza.payload.retain(|child| {
        let delay = child.is(Some(ns::DELAY), "delay");
        let delay = delay.then(|| child.to_element(ns::CLIENT).ok()).flatten();
        let from = delay.and_then(|delay| delay.attribute("from").map(Jid::parse));
        !matches!(from, Some(Ok(from)) if from.to_bare() == *host)
    });
    let delay = Delay {
        from: Some(host.clone()),
        stamp: message.received_at,
    };
    Some(stanza.child(&delay.to_element()))
}

/// A session that ends in its turn has not shown that it got the last page: another gets it again.
async fn give_up(session: Arc<Session>, _services: Arc<Services>) {
    if let Some(giving) = session.account().slots().find::<Giving>() {
        giving.end(&session);
    }
}

/// When messages must have come to be kept still; `None` when they are kept for ever.
fn expired_before(services: &Services, expire_days: u32) -> Option<Timestamp> {
    let age = i64::from(expire_days) * DAY_SECONDS;
    (age > 0).then(|| services.clock.now().plus_seconds(-age))
}

/// Deletes what has been kept for too long.
async fn expire(services: Arc<Services>, expire_days: u32) {
    let Some(before) = expired_before(&services, expire_days) else {
        return;
    };
    loop {
        let messages = services.store.offline_messages();
        match Box::pin(messages.expire(before)).await {
            Ok(0) => return,
            Ok(count) => debug!(count, "offline messages expired"),
            Err(error) => {
                warn!(%error, "expired messages are not deleted");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
