//! What waits for one session: a queue with two bounds, one reader, and no writer that waits.
//!
//! Not a channel of tokio's: that keeps three quarters of a kilobyte for each session that
//! nobody writes to, and most sessions are idle at any moment. An empty mailbox holds no
//! memory besides itself.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::proto::{Kind, PresenceType, Stanza};

/// What lies in a mailbox: a pointer, so that one stanza for many lies in all of them once.
pub type Mail = Arc<Stanza>;

/// How long a presence that comes or goes waits for others, so that they are written together: in a room
/// that fills, or when all contacts come back, a write for each is most of what they cost.
const COMPANY: Duration = Duration::from_millis(10);

/// Bytes of presence that wait for no more.
const COMPANY_BYTES: usize = 16 * 1024;

/// How much may wait for one session before it counts as too slow.
#[derive(Clone, Copy, Debug)]
pub struct MailboxLimits {
    /// `[c2s] mailbox_stanzas_max`. A presence that comes or goes does not count: when all
    /// contacts come back at once, that says nothing of the one who reads.
    pub stanzas_max: usize,
    /// `[c2s] mailbox_bytes_max`. One stanza is taken however large it is.
    pub bytes_max: usize,
}

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
    /// Signalled when mail comes into an empty queue, and when there is some that does not wait.
    arrived: Notify,
}

#[derive(Default)]
struct Queue {
    mail: VecDeque<Mail>,
    /// How many of them count.
    counted: usize,
    bytes: usize,
    closed: bool,
}

impl Mailbox {
    pub(super) fn new(limits: MailboxLimits) -> Self {
        Self {
            limits,
            queue: Mutex::default(),
            arrived: Notify::new(),
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
        let was_urgent = queue.is_urgent();
        let counted = queue.counted.saturating_add(usize::from(counts(&mail)));
        if counted > self.limits.stanzas_max || (!first && bytes > self.limits.bytes_max) {
            return Err(Refused::Full(mail));
        }
        queue.mail.push_back(mail);
        queue.counted = counted;
        queue.bytes = bytes;
        let urgent = queue.is_urgent();
        drop(queue);
        if first || (urgent && !was_urgent) {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Waits until there is mail and takes all of it. Cancel-safe; one reader only.
    ///
    /// Presence that comes or goes waits a moment for company, unless something else comes.
    pub(super) async fn take(&self) -> VecDeque<Mail> {
        loop {
            let (empty, urgent) = {
                let queue = self.lock();
                (queue.mail.is_empty(), queue.is_urgent())
            };
            if urgent {
                return self.take_now();
            }
            if empty {
                self.arrived.notified().await;
                continue;
            }
            // On the heap while it lasts: an idle session waits for nothing of the kind.
            let company = Box::pin(timeout(COMPANY, self.arrived.notified()));
            if company.await.is_err() {
                return self.take_now();
            }
        }
    }

    /// Takes what there is.
    pub(super) fn take_now(&self) -> VecDeque<Mail> {
        self.lock().empty()
    }

    /// Takes what there is, and lets nothing more in.
    pub(super) fn close(&self) -> VecDeque<Mail> {
        let mut queue = self.lock();
        queue.closed = true;
        queue.empty()
    }

    /// A panic while the lock was held cannot have left the queue half changed.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Whether there is more than a little presence.
    const fn is_urgent(&self) -> bool {
        self.counted > 0 || self.bytes > COMPANY_BYTES
    }

    fn empty(&mut self) -> VecDeque<Mail> {
        self.counted = 0;
        self.bytes = 0;
        std::mem::take(&mut self.mail)
    }
}

const fn counts(stanza: &Stanza) -> bool {
    !matches!(
        stanza.kind,
        Kind::Presence(PresenceType::Available | PresenceType::Unavailable)
    )
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
    use crate::proto::MessageType;
    use crate::xml::Element;

    fn mail(text: &str) -> Mail {
        let body = Element::new(crate::proto::ns::CLIENT, "body").text(text);
        Arc::new(Stanza::message(MessageType::Chat).child(&body))
    }

    fn mailbox(stanzas_max: usize, bytes_max: usize) -> Mailbox {
        Mailbox::new(MailboxLimits {
            stanzas_max,
            bytes_max,
        })
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

    #[tokio::test(start_paused = true)]
    async fn presence_waits_for_company_and_nothing_else_waits() {
        let presence = || -> Mail { Arc::new(Stanza::presence(PresenceType::Available)) };
        let mailbox = mailbox(10, 1 << 20);
        let began = tokio::time::Instant::now();
        let (taken, ()) = tokio::join!(mailbox.take(), async {
            assert!(mailbox.put(presence()).is_ok());
            tokio::time::sleep(COMPANY / 2).await;
            assert!(mailbox.put(presence()).is_ok());
        });
        assert_eq!((taken.len(), began.elapsed()), (2, COMPANY));

        let began = tokio::time::Instant::now();
        let (taken, ()) = tokio::join!(mailbox.take(), async {
            assert!(mailbox.put(presence()).is_ok());
            tokio::time::sleep(COMPANY / 2).await;
            assert!(mailbox.put(mail("urgent")).is_ok());
        });
        assert_eq!((taken.len(), began.elapsed()), (2, COMPANY / 2));

        let began = tokio::time::Instant::now();
        while mailbox.lock().bytes <= COMPANY_BYTES {
            assert!(mailbox.put(presence()).is_ok());
        }
        assert!(!mailbox.take().await.is_empty());
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn who_waits_is_woken_by_the_first_stanza() {
        let mailbox = mailbox(10, 1_000);
        let (mail_taken, ()) = tokio::join!(mailbox.take(), async {
            assert!(mailbox.put(mail("1")).is_ok());
        });
        assert_eq!(mail_taken.len(), 1);
    }
}
