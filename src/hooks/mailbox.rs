//! What waits for one session: a queue with two bounds, one reader, and no writer that waits.
//!
//! Not a channel of tokio's: that keeps three quarters of a kilobyte for each session that
//! nobody writes to, and most sessions are idle at any moment. An empty mailbox holds no
//! memory besides itself.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::Counter;

use super::gathering::{Bell, Gathering, Urgency};
use crate::observe::metrics::ByKind;
use crate::proto::{Kind, MessageType, PresenceType, Stanza};

/// What lies in a mailbox: a pointer, so that one stanza for many lies in all of them once.
pub type Mail = Arc<Stanza>;

/// The counter for stanzas of a kind.
pub(crate) const fn counter(by_kind: &ByKind, kind: Kind) -> &Counter {
    match kind {
        Kind::Message(_) => &by_kind.message,
        Kind::Presence(_) => &by_kind.presence,
        Kind::Iq(_) => &by_kind.iq,
    }
}

/// How much may wait for one session before it counts as too slow.
#[derive(Clone, Copy, Debug)]
pub struct MailboxLimits {
    /// `[c2s] mailbox_stanzas_max`. A presence that comes or goes does not count: when all
    /// contacts come back at once, that says nothing of the one who reads.
    pub stanzas_max: usize,
    /// `[c2s] mailbox_bytes_max`. One stanza is taken however large it is.
    pub bytes_max: usize,
}

/// Nothing waits for more once there is so much, which is about what is written at once.
const GATHERED_BYTES: usize = 16 * 1024;

/// Why a stanza was not taken; it is given back.
#[derive(Debug)]
pub(super) enum Refused {
    /// A bound is reached.
    Full(Mail),
    /// The session has ended.
    Closed(Mail),
}

/// The mailbox of one session.
pub(super) struct Mailbox {
    limits: MailboxLimits,
    queue: Mutex<Queue>,
    /// Rung when mail comes into an empty queue, or is more urgent than what is there.
    bell: Arc<Bell>,
    gathering: Arc<Gathering>,
}

#[derive(Default)]
struct Queue {
    mail: VecDeque<Mail>,
    /// How many of them count.
    counted: usize,
    bytes: usize,
    /// When the reader is woken for what is in it.
    rung: Urgency,
    closed: bool,
    /// Whether what is kept for the account elsewhere is this session's to ask for.
    offered: bool,
}

impl Mailbox {
    pub(super) fn new(limits: MailboxLimits, gathering: Arc<Gathering>) -> Self {
        Self {
            limits,
            queue: Mutex::default(),
            bell: Arc::default(),
            gathering,
        }
    }

    /// Puts a stanza in; never waits.
    pub(super) fn put(&self, mail: Mail) -> Result<(), Refused> {
        let weight = mail.weight();
        let mut queue = self.lock();
        if queue.closed {
            return Err(Refused::Closed(mail));
        }
        let bytes = queue.bytes.saturating_add(weight);
        let first = queue.mail.is_empty();
        let urgency = urgency(&mail);
        let counts = usize::from(urgency != Urgency::Soon);
        let counted = queue.counted.saturating_add(counts);
        if counted > self.limits.stanzas_max || (!first && bytes > self.limits.bytes_max) {
            return Err(Refused::Full(mail));
        }
        queue.mail.push_back(mail);
        queue.counted = counted;
        queue.bytes = bytes;
        let urgency = if bytes < GATHERED_BYTES {
            urgency
        } else {
            Urgency::Now
        };
        if urgency <= queue.rung {
            return Ok(());
        }
        queue.rung = urgency;
        self.bell.note(true);
        drop(queue);
        self.gathering.ring(&self.bell, urgency);
        Ok(())
    }

    /// Leaves it to the reader to ask for what is kept elsewhere.
    pub(super) fn offer_backlog(&self) {
        self.lock().offered = true;
        self.bell.ring();
    }

    /// Whether that happened, once.
    pub(super) fn take_backlog_offer(&self) -> bool {
        std::mem::take(&mut self.lock().offered)
    }

    /// Waits until there is mail, or what is kept was offered, and takes all mail. Cancel-safe; one
    /// reader only.
    pub(super) async fn take(&self) -> VecDeque<Mail> {
        loop {
            if let Some(mail) = self.look() {
                return mail;
            }
            self.bell.rung().await;
        }
    }

    fn look(&self) -> Option<VecDeque<Mail>> {
        let mut queue = self.lock();
        (!queue.mail.is_empty() || queue.offered).then(|| self.empty(&mut queue))
    }

    fn empty(&self, queue: &mut Queue) -> VecDeque<Mail> {
        self.bell.note(false);
        queue.empty()
    }

    /// Takes what there is.
    pub(super) fn take_now(&self) -> VecDeque<Mail> {
        self.empty(&mut self.lock())
    }

    /// How many stanzas wait.
    pub(super) fn count(&self) -> usize {
        self.lock().mail.len()
    }

    /// Whether mail waits.
    pub(super) fn has_mail(&self) -> bool {
        !self.lock().mail.is_empty()
    }

    /// Takes what there is, and lets nothing more in.
    pub(super) fn close(&self) -> VecDeque<Mail> {
        let mut queue = self.lock();
        queue.closed = true;
        self.empty(&mut queue)
    }

    /// A panic while the lock was held cannot have left the queue half changed.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn empty(&mut self) -> VecDeque<Mail> {
        self.counted = 0;
        self.bytes = 0;
        self.rung = Urgency::Never;
        std::mem::take(&mut self.mail)
    }
}

/// Who comes and goes, and what is said to all in a room, is told to many.
const fn urgency(stanza: &Stanza) -> Urgency {
    match stanza.kind {
        Kind::Presence(PresenceType::Available | PresenceType::Unavailable) => Urgency::Soon,
        Kind::Message(MessageType::Groupchat) => Urgency::Next,
        Kind::Presence(_) | Kind::Message(_) | Kind::Iq(_) => Urgency::Now,
    }
}

/// Whether it is one of those of which a session gets many, and that wait a little for each other.
pub(crate) fn waits_for_company(stanza: &Stanza) -> bool {
    urgency(stanza) == Urgency::Soon
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox")
            .field("waiting", &self.lock().mail.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::Element;
    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;

    fn mail(text: &str) -> Mail {
        let body = Element::new(crate::proto::ns::CLIENT, "body").text(text);
        Arc::new(Stanza::message(MessageType::Chat).child(&body))
    }

    fn mailbox(stanzas_max: usize, bytes_max: usize) -> Mailbox {
        gathered_by(&Arc::default(), stanzas_max, bytes_max)
    }

    fn gathered_by(gathering: &Arc<Gathering>, stanzas_max: usize, bytes_max: usize) -> Mailbox {
        let limits = MailboxLimits {
            stanzas_max,
            bytes_max,
        };
        Mailbox::new(limits, Arc::clone(gathering))
    }

    fn presence() -> Mail {
        Arc::new(Stanza::presence(PresenceType::Available))
    }

    fn nobody_is_woken(mailbox: &Mailbox) -> bool {
        let mut rung = std::pin::pin!(mailbox.bell.rung());
        futures_util::FutureExt::now_or_never(&mut rung).is_none()
    }

    #[test]
    fn a_full_mailbox_gives_the_stanza_back() {
        let mailbox = mailbox(2, 1 << 20);
        assert!(mailbox.put(mail("1")).is_ok());
        assert!(mailbox.put(mail("2")).is_ok());
        assert!(matches!(mailbox.put(mail("3")), Err(Refused::Full(_))));
        assert_eq!(mailbox.take_now().len(), 2);
        assert!(mailbox.put(mail("4")).is_ok());
    }

    #[test]
    fn who_comes_and_goes_is_bounded_by_bytes_only() {
        use PresenceType::{Available, Subscribe, Unavailable};
        let presence = |kind| -> Mail { Arc::new(Stanza::presence(kind)) };
        let weight = presence(Available).weight();
        let mailbox = mailbox(1, 5 * weight);
        for kind in [Available, Unavailable, Available, Subscribe] {
            assert!(mailbox.put(presence(kind)).is_ok(), "{kind:?}");
        }
        assert!(matches!(
            mailbox.put(presence(Subscribe)),
            Err(Refused::Full(_))
        ));
        assert!(mailbox.put(presence(Available)).is_ok());
        assert!(matches!(
            mailbox.put(presence(Available)),
            Err(Refused::Full(_))
        ));
        assert_eq!(mailbox.take_now().len(), 5);
        assert!(mailbox.put(presence(Subscribe)).is_ok());
    }

    #[test]
    fn bytes_are_bounded_but_one_stanza_always_fits() {
        let large = "x".repeat(2_000);
        let mailbox = mailbox(10, 1_000);
        assert!(mailbox.put(mail(&large)).is_ok());
        assert!(matches!(mailbox.put(mail("small")), Err(Refused::Full(_))));
        mailbox.take_now();
        assert!(mailbox.put(mail("small")).is_ok());
    }

    #[test]
    fn a_closed_mailbox_gives_up_what_it_holds_and_takes_no_more() {
        let mailbox = mailbox(10, 1_000);
        assert!(mailbox.put(mail("left")).is_ok());
        assert_eq!(mailbox.close().len(), 1);
        assert!(matches!(mailbox.put(mail("late")), Err(Refused::Closed(_))));
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_the_first_stanza() {
        let mailbox = mailbox(10, 1_000);
        let (mail_taken, ()) = tokio::join!(mailbox.take(), async {
            assert!(mailbox.put(mail("1")).is_ok());
        });
        assert_eq!(mail_taken.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn presence_waits_for_more_and_is_written_together() {
        let (gathering, stop) = (Arc::<Gathering>::default(), CancellationToken::new());
        let ringing = TaskTracker::new().spawn(Arc::clone(&gathering).run(stop.clone()));
        tokio::task::yield_now().await;
        let mailbox = gathered_by(&gathering, 10, 1 << 20);
        assert!(mailbox.put(presence()).is_ok());
        assert!(mailbox.put(presence()).is_ok());
        assert!(nobody_is_woken(&mailbox));
        // The clock goes on only when nothing else is to be done.
        mailbox.bell.rung().await;
        assert_eq!(mailbox.take_now().len(), 2);

        // A message takes along what waits, and does not overtake it.
        assert!(mailbox.put(presence()).is_ok());
        assert!(nobody_is_woken(&mailbox));
        assert!(mailbox.put(mail("1")).is_ok());
        assert!(!nobody_is_woken(&mailbox));
        let taken = mailbox.take_now();
        assert_eq!(taken.len(), 2);
        assert!(matches!(taken[0].kind, Kind::Presence(_)));

        // What was taken early wakes nobody later; what comes after it waits its time.
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
        assert!(nobody_is_woken(&mailbox));
        assert!(mailbox.put(presence()).is_ok());
        stop.cancel();
        ringing.await.unwrap();
        assert!(!nobody_is_woken(&mailbox));
        mailbox.take_now();
        assert!(mailbox.put(presence()).is_ok());
        assert!(!nobody_is_woken(&mailbox), "nobody rings any more");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_said_in_a_room_waits_for_what_is_being_said() {
        let gathering = Arc::<Gathering>::default();
        let run = Arc::clone(&gathering).run(CancellationToken::new());
        let _ringing = TaskTracker::new().spawn(run);
        tokio::task::yield_now().await;
        let mailbox = gathered_by(&gathering, 10, 1 << 20);
        let said = || Arc::new(Stanza::message(MessageType::Groupchat));
        let now = tokio::time::Instant::now();
        assert!(mailbox.put(presence()).is_ok());
        assert!(mailbox.put(said()).is_ok());
        assert!(nobody_is_woken(&mailbox));
        assert!(mailbox.put(said()).is_ok());
        mailbox.bell.rung().await;
        assert_eq!(now.elapsed(), std::time::Duration::ZERO);
        assert_eq!(mailbox.take_now().len(), 3);
        assert!(mailbox.put(said()).is_ok());
        assert!(mailbox.put(mail("1")).is_ok());
        assert!(!nobody_is_woken(&mailbox));
    }

    #[tokio::test(start_paused = true)]
    async fn much_presence_waits_no_longer() {
        let gathering = Arc::<Gathering>::default();
        let run = Arc::clone(&gathering).run(CancellationToken::new());
        let _ringing = TaskTracker::new().spawn(run);
        tokio::task::yield_now().await;
        let mailbox = gathered_by(&gathering, 10, 1 << 20);
        let most = GATHERED_BYTES / presence().weight();
        for _ in 0..most {
            assert!(mailbox.put(presence()).is_ok());
        }
        assert!(nobody_is_woken(&mailbox));
        assert!(mailbox.put(presence()).is_ok());
        assert!(!nobody_is_woken(&mailbox));
    }
}
