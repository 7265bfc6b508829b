//! XEP-0160: Best Practices for Handling Offline Messages, version 1.0.1: messages for an account that
//! nobody could take are kept, and given to the next session that can, with the time of their
//! arrival (XEP-0203).
//!
//! A message that is kept is durable. It is deleted after it was written to the client's socket: when
//! the server or the connection dies in between, it comes once more. One that was kept while a
//! session was coming lies in the session's mailbox, too; it is deleted once it is known to have been
//! written from there, which is when the next is handed over, given, or the session ends. Choosing
//! among them (XEP-0013) is not done.

mod giving;
mod handed;

use std::sync::Arc;

use bytes::Bytes;
use tracing::{debug, warn};

use crate::clock::Timestamp;
use crate::config::{Config, Offline};
use crate::extensions::hints::Hint;
use crate::extensions::{carbons, stanza_id};
use crate::hooks::{At, Hooks, Mail, Services, Session, Undelivered};
use crate::proto::common::delay::Delay;
use crate::proto::document::Document;
use crate::proto::{BareJid, Jid, Kind, MessageType, Stanza, ns, reading};
use crate::store::{Appended, ArchiveId, OfflineMessage};
use crate::xml::Child;
use giving::Giving;
use handed::Handed;

/// Messages read and written at once.
const PAGE: u32 = 50;

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
    let handed = Arc::new(Handed::default());
    let known = Arc::clone(&handed);
    hooks.undelivered(move |it| keep(it, Arc::clone(&known), messages_per_account_max));
    let known = Arc::clone(&handed);
    hooks.backlog(move |session, services| {
        next_page(session, services, Arc::clone(&known), expire_days)
    });
    hooks.closed(move |session, services| give_up(session, services, Arc::clone(&handed)));
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
fn fate(stanza: &Stanza, account: &BareJid) -> Fate {
    let Kind::Message(kind) = stanza.kind else {
        return Fate::Return;
    };
    match kind {
        MessageType::Chat | MessageType::Normal if carbons::is_copy(stanza, account) => {
            Fate::Forget
        }
        MessageType::Error | MessageType::Groupchat | MessageType::Headline => Fate::Return,
        MessageType::Chat | MessageType::Normal
            if !Hint::Store.is_on(stanza) && !stanza.payload.iter().any(is_content) =>
        {
            Fate::Forget
        }
        MessageType::Chat | MessageType::Normal if Hint::NoStore.is_on(stanza) => Fate::Return,
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

/// The id under which the account's archive has the message, too.
fn archived_as(stanza: &Stanza, account: &BareJid) -> Option<ArchiveId> {
    stanza_id::find(stanza, account)?.parse().ok()
}

async fn keep(undelivered: Undelivered, handed: Arc<Handed>, messages_max: u32) -> bool {
    let Undelivered {
        account,
        stanza,
        services,
    } = undelivered;
    if let Some(id) = handed.take_back(&account, &stanza) {
        // It came back unwritten, and is kept still.
        hand_over_late(&account, id, stanza, &handed, &services).await;
        return true;
    }
    match fate(&stanza, &account) {
        Fate::Keep => {}
        Fate::Return => return false,
        Fate::Forget => return true,
    }
    let received_at = stanza.received_at.unwrap_or_else(|| services.clock.now());
    let messages = services.store.offline_messages();
    let bytes = Bytes::from(stanza.to_document());
    let archived = archived_as(&stanza, &account);
    let appended =
        messages.append_archived(&account, bytes.clone(), received_at, messages_max, archived);
    match Box::pin(appended).await {
        Ok(Appended::Stored(id)) => {
            let message = OfflineMessage {
                id,
                received_at,
                stanza: bytes,
            };
            let host = BareJid::from_parts(None, account.domain()).into();
            if let Some(stanza) = stamped(message, &host) {
                hand_over_late(&account, id, Arc::new(stanza), &handed, &services).await;
            }
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
async fn hand_over_late(
    account: &BareJid,
    id: i64,
    mut mail: Mail,
    handed: &Handed,
    services: &Services,
) {
    handed.settle(account, services).await;
    let takers = takers(account, services);
    let Some(first) = takers.first() else {
        return;
    };
    let giving = Giving::of(first);
    if !giving.note_handed(id, || handed.note(account, id, &mail)) {
        return;
    }
    for session in takers {
        match session.deliver(mail) {
            Ok(()) => return,
            // One that is ending, though it is on the list.
            Err(refused) => mail = refused,
        }
    }
    handed.forget(account, &[id]);
    giving.note_late(id);
}

/// Deletes what was written since the last call, and gives the next messages.
async fn next_page(
    session: Arc<Session>,
    services: Arc<Services>,
    handed: Arc<Handed>,
    expire_days: u32,
) -> Vec<Stanza> {
    let account = session.account().jid();
    handed.settle(account, &services).await;
    let giving = Giving::of(&session);
    let Some(mut written) = giving.claim(&session, || handed.of(account)) else {
        debug!("another session is given the offline messages");
        return Vec::new();
    };
    let before = expired_before(&services, expire_days);
    let host = host(&session);
    loop {
        let page = Box::pin(read_page(&session, &services, &giving, &written, before)).await;
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

/// The messages behind those that were written, without those that lie in a mailbox; what has
/// expired is not among them, and deleted.
async fn read_page(
    session: &Session,
    services: &Services,
    giving: &Giving,
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
    let mut after = 0;
    loop {
        let page = match messages.page(account, after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                warn!(%error, "offline messages are not read");
                return Vec::new();
            }
        };
        let Some(last) = page.last().map(|message| message.id) else {
            return page;
        };
        after = last;
        let is_old =
            |message: &OfflineMessage| before.is_some_and(|before| message.received_at < before);
        let (old, mut good): (Vec<_>, Vec<_>) = page.into_iter().partition(is_old);
        giving.leave_out_handed(&mut good);
        if !good.is_empty() {
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
/// What lay in its mailbox and did not come back was written.
async fn give_up(session: Arc<Session>, services: Arc<Services>, handed: Arc<Handed>) {
    let account = session.account();
    handed.settle(account.jid(), &services).await;
    let giving = account.slots().find::<Giving>();
    if giving.is_some_and(|giving| giving.end(&session))
        && let Some(taker) = takers(account.jid(), &services).first()
    {
        taker.offer_backlog();
    }
}

/// The sessions that take messages, the best first: one whose client is there, and then by priority.
fn takers(account: &BareJid, services: &Services) -> Vec<Arc<Session>> {
    let sessions = services.online(account).map(|online| online.sessions());
    let sessions = sessions.unwrap_or_default();
    let takes = |session: &&Arc<Session>| session.priority().is_some_and(|it| it >= 0);
    let mut takers: Vec<_> = sessions.iter().filter(takes).cloned().collect();
    takers.sort_by_key(|session| std::cmp::Reverse((session.is_connected(), session.priority())));
    takers
}

/// When messages must have come to be kept still; `None` when they are kept for ever.
fn expired_before(services: &Services, expire_days: u32) -> Option<Timestamp> {
    (expire_days > 0).then(|| services.clock.now().minus_days(expire_days))
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
