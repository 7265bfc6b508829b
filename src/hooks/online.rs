//! What others see of an account and its sessions while they are online.
//!
//! The task of a connection owns the session's state; this is the handle it publishes: a
//! bounded mailbox, flags, and the slots of extensions. Nothing here waits.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI16, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::Notify;

use crate::clock::Timestamp;
use crate::hooks::gathering::Gathering;
use crate::hooks::mailbox::{Mail, Mailbox, MailboxLimits, Refused, counter};
use crate::hooks::slots::Slots;
use crate::observe::metrics::counted;
use crate::proto::{BareJid, FullJid, Jid, Resource, Stanza, StreamCondition, StreamError};

/// An account with at least one session.
#[derive(Debug)]
pub struct Account {
    jid: BareJid,
    sessions: ArcSwap<Vec<Arc<Session>>>,
    slots: Slots,
}

impl Account {
    /// An account that has no session yet.
    #[must_use]
    pub fn new(jid: BareJid) -> Self {
        Self {
            jid,
            sessions: ArcSwap::default(),
            slots: Slots::default(),
        }
    }

    /// The account's address.
    #[must_use]
    pub const fn jid(&self) -> &BareJid {
        &self.jid
    }

    /// The sessions of this moment, in the order in which they were bound.
    #[must_use]
    pub fn sessions(&self) -> Arc<Vec<Arc<Session>>> {
        self.sessions.load_full()
    }

    /// The session bound to that resource.
    #[must_use]
    pub fn session(&self, resource: &Resource) -> Option<Arc<Session>> {
        let sessions = self.sessions.load();
        let found = sessions.iter().find(|known| known.resource() == resource);
        found.cloned()
    }

    /// What extensions keep while the account is online.
    #[must_use]
    pub const fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Adds a session. Only the registry calls this, under its lock.
    pub(crate) fn add(&self, session: Arc<Session>) {
        let mut sessions = Vec::clone(&self.sessions.load());
        sessions.push(session);
        self.sessions.store(Arc::new(sessions));
    }

    /// Takes a session out and tells whether others are left. Only the registry calls
    /// this, under its lock.
    pub(crate) fn remove(&self, session: &Arc<Session>) -> usize {
        let mut sessions = Vec::clone(&self.sessions.load());
        sessions.retain(|known| !Arc::ptr_eq(known, session));
        let left = sessions.len();
        self.sessions.store(Arc::new(sessions));
        left
    }
}

/// Where a session comes from.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The peer's address.
    pub peer: IpAddr,
    /// How it is connected: `tcp`, `tls`, `direct-tls`.
    pub transport: &'static str,
    /// When it was bound.
    pub since: Timestamp,
}

/// The published side of one bound session.
pub struct Session {
    jid: FullJid,
    account: Arc<Account>,
    connection: ArcSwap<Connection>,
    mailbox: Mailbox,
    presence: ArcSwapOption<Stanza>,
    priority: AtomicI16,
    /// Whether a client is at the other end.
    connected: AtomicBool,
    /// Whether its client shows nothing to anybody (XEP-0352).
    inactive: AtomicBool,
    /// Whether another connection asks for the session.
    wanted: AtomicBool,
    end: OnceLock<StreamError>,
    ended: Notify,
    slots: Slots,
}

/// What a session's task is told from outside.
#[derive(Debug)]
pub(crate) enum Told {
    /// To close the stream with that error.
    End(StreamError),
    /// To hand the session over to another connection of its client (XEP-0198 §5).
    HandOver,
}

/// The published priority of a session that has not sent presence.
const UNAVAILABLE: i16 = i16::MIN;

impl Session {
    /// A session that is bound and not yet available.
    #[must_use]
    pub fn new(
        jid: FullJid,
        account: Arc<Account>,
        connection: Connection,
        mailbox: MailboxLimits,
        gathering: Arc<Gathering>,
    ) -> Self {
        Self {
            jid,
            account,
            connection: ArcSwap::from_pointee(connection),
            mailbox: Mailbox::new(mailbox, gathering),
            presence: ArcSwapOption::empty(),
            priority: AtomicI16::new(UNAVAILABLE),
            connected: AtomicBool::new(true),
            inactive: AtomicBool::new(false),
            wanted: AtomicBool::new(false),
            end: OnceLock::new(),
            ended: Notify::new(),
            slots: Slots::default(),
        }
    }

    /// The session's full address.
    #[must_use]
    pub const fn jid(&self) -> &FullJid {
        &self.jid
    }

    /// The full address as a [`Jid`].
    #[must_use]
    pub fn address(&self) -> Jid {
        self.jid.clone().into()
    }

    /// Whether that is the session's full address.
    #[must_use]
    pub fn is_addressed_by(&self, jid: &Jid) -> bool {
        jid.bare() == self.jid.bare() && jid.resource() == Some(self.resource())
    }

    /// The bound resource.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        self.jid.resource()
    }

    /// The account whose session this is.
    #[must_use]
    pub const fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Where it comes from now.
    #[must_use]
    pub fn connection(&self) -> Arc<Connection> {
        self.connection.load_full()
    }

    /// Notes that its client came back from elsewhere (XEP-0198 §5).
    pub(crate) fn reconnect(&self, peer: IpAddr, transport: &'static str) {
        let since = self.connection.load().since;
        self.connection.store(Arc::new(Connection {
            peer,
            transport,
            since,
        }));
    }

    /// What extensions keep while the session lasts.
    #[must_use]
    pub const fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The last presence that it broadcast; none before the first and after `unavailable`.
    #[must_use]
    pub fn presence(&self) -> Option<Arc<Stanza>> {
        self.presence.load_full()
    }

    /// The priority of its presence (RFC 6121 §4.7.2.3); none while unavailable.
    #[must_use]
    pub fn priority(&self) -> Option<i8> {
        i8::try_from(self.priority.load(Ordering::Acquire)).ok()
    }

    /// Whether it has sent initial presence and not taken it back.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.priority().is_some()
    }

    /// Publishes a presence that the session broadcast, or that it is unavailable.
    pub fn publish(&self, presence: Option<(Arc<Stanza>, i8)>) {
        let (presence, priority) = match presence {
            Some((presence, priority)) => (Some(presence), i16::from(priority)),
            None => (None, UNAVAILABLE),
        };
        self.presence.store(presence);
        self.priority.store(priority, Ordering::Release);
    }

    /// Puts another presence in the place of the one that is known, with the same priority; `false` when it is
    /// a different one by now.
    pub fn revise(&self, known: &Arc<Stanza>, other: Arc<Stanza>) -> bool {
        let seen = self
            .presence
            .compare_and_swap(&Some(Arc::clone(known)), Some(other));
        seen.as_ref().is_some_and(|seen| Arc::ptr_eq(seen, known))
    }

    /// Puts a stanza into the mailbox; never waits.
    ///
    /// # Errors
    /// Gives the stanza back when the session has ended, or when its mailbox is full: then
    /// the session is closed with `resource-constraint`, for a slow reader may not take
    /// the memory of others.
    pub fn deliver(&self, stanza: Mail) -> Result<(), Mail> {
        if self.end.get().is_some() {
            return Err(stanza);
        }
        let kind = stanza.kind;
        match self.mailbox.put(stanza) {
            Ok(()) => {
                counter(&counted().delivered, kind).increment(1);
                Ok(())
            }
            Err(Refused::Full(stanza)) => {
                counted().slow.increment(1);
                self.end(slow());
                Err(stanza)
            }
            Err(Refused::Closed(stanza)) => Err(stanza),
        }
    }

    /// Waits for mail and takes all that is there, which is none where only what is kept was offered.
    /// Only the session's task calls it.
    pub(crate) async fn mail(&self) -> VecDeque<Mail> {
        self.mailbox.take().await
    }

    /// How many stanzas wait for it at this moment.
    #[must_use]
    pub fn mail_count(&self) -> usize {
        self.mailbox.count()
    }

    /// Whether mail waits to be taken.
    pub(crate) fn has_mail(&self) -> bool {
        self.mailbox.has_mail()
    }

    /// Leaves it to the session to ask for what is kept for its account, as if it had just become
    /// available.
    pub(crate) fn offer_backlog(&self) {
        self.mailbox.offer_backlog();
    }

    /// Whether that happened, once. Only the session's task calls it.
    pub(crate) fn take_backlog_offer(&self) -> bool {
        self.mailbox.take_backlog_offer()
    }

    /// Closes the mailbox and takes what is left in it. Only the session's task calls it.
    pub(crate) fn close_mailbox(&self) -> VecDeque<Mail> {
        self.mailbox.close()
    }

    /// Takes the mail that is there. Only the session's task calls it.
    pub(crate) fn mail_now(&self) -> VecDeque<Mail> {
        self.mailbox.take_now()
    }

    /// Asks the session's task to close the stream with that error; the first reason wins.
    pub fn end(&self, error: StreamError) {
        if self.end.set(error).is_ok() {
            self.ended.notify_waiters();
        }
    }

    /// Whether a client is connected; if not, the session waits for it to come back
    /// (XEP-0198 §5).
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Acquire)
    }

    /// Notes whether a client is connected. Only the session's task calls it.
    pub(crate) fn set_connected(&self, connected: bool) {
        self.connected.store(connected, Ordering::Release);
    }

    /// Whether the client has said that nobody looks at it (XEP-0352 §3).
    #[must_use]
    pub fn is_inactive(&self) -> bool {
        self.inactive.load(Ordering::Acquire)
    }

    /// Notes what the client says of itself. Called by the session's task, and while the resource
    /// is being bound.
    pub(crate) fn set_inactive(&self, inactive: bool) {
        self.inactive.store(inactive, Ordering::Release);
    }

    /// Asks the session's task to hand the session over to another connection.
    pub(crate) fn ask_to_hand_over(&self) {
        self.wanted.store(true, Ordering::Release);
        self.ended.notify_waiters();
    }

    /// Tells whether it was asked to, and forgets it. Only the session's task calls it.
    pub(crate) fn take_hand_over(&self) -> bool {
        self.wanted.swap(false, Ordering::AcqRel)
    }

    /// Waits until [`Session::end`] is called.
    #[cfg(test)]
    pub(crate) async fn until_ended(&self) -> StreamError {
        loop {
            if let Told::End(error) = self.until_told().await {
                return error;
            }
        }
    }

    /// Waits until the session is to end or to be handed over. Cancel-safe.
    pub(crate) async fn until_told(&self) -> Told {
        loop {
            // Made before the look, so that nothing falls between the two.
            let notified = self.ended.notified();
            if let Some(error) = self.end.get() {
                return Told::End(error.clone());
            }
            if self.wanted.load(Ordering::Acquire) {
                return Told::HandOver;
            }
            notified.await;
        }
    }
}

fn slow() -> StreamError {
    StreamError::new(StreamCondition::ResourceConstraint).text("you read too slowly")
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("jid", &self.jid)
            .field("priority", &self.priority())
            .finish_non_exhaustive()
    }
}
