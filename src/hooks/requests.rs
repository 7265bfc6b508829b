//! Requests that the server itself sends (RFC 6120 §8.2.3), and what is to be done with the answer.
//!
//! Nobody waits: what comes next is a function that is kept until the answer comes, and that answers with
//! effects. It runs in the task of the session that answers. A request that is not
//! answered in time is forgotten without a word.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use crate::clock::Timestamp;
use crate::hooks::online::Session;
use crate::hooks::passage::Effects;
use crate::hooks::services::Services;
use crate::proto::{ErrorType, IqType, Jid, Kind, Stanza, ns};
use crate::xml::Element;

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The payload of a result; `None` for an empty one, and for an error.
    pub payload: Option<Element>,
    /// Whether it was refused.
    pub refused: bool,
    /// The type of the error, where it was (RFC 6120 §8.3.2).
    pub error_type: Option<ErrorType>,
    /// The answer as it came.
    pub stanza: Stanza,
    /// The session that answers, when it is one of this server's.
    pub session: Option<Arc<Session>>,
    /// Everything else an extension may use.
    pub services: Arc<Services>,
}

/// What is to be done with an answer.
pub type OnAnswer = Box<dyn FnOnce(Answer) -> BoxFuture<'static, Effects> + Send>;

/// The requests that wait for an answer.
#[derive(Default)]
pub struct Requests(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    by_id: HashMap<String, Request>,
    /// In the order in which they were sent, which is that in which they grow old.
    sent: VecDeque<(Timestamp, String)>,
}

struct Request {
    to: Jid,
    from: Jid,
    next: OnAnswer,
}

impl Requests {
    /// Remembers what to do with the answer to `request`, which is about to be sent: a `get` or `set` with
    /// both addresses and an id that nobody can guess. `false` when it is not that, or when too many wait already.
    #[must_use]
    pub fn remember(&self, request: &Stanza, now: Timestamp, next: OnAnswer) -> bool {
        let (Some(id), Some(from), Some(to)) = (&request.id, &request.from, &request.to) else {
            return false;
        };
        let mut waiting = self.lock();
        waiting.forget_before(now.plus_seconds(-ANSWER_SECONDS_MAX));
        if waiting.by_id.len() >= REQUESTS_MAX {
            return false;
        }
        waiting.forget_settled();
        let asked = Request {
            to: to.clone(),
            from: from.clone(),
            next,
        };
        waiting.by_id.insert(id.to_string(), asked);
        waiting.sent.push_back((now, id.to_string()));
        true
    }

    /// Forgets a request: its answer is not waited for any more.
    pub fn forget(&self, id: &str) {
        self.lock().by_id.remove(id);
    }

    /// What was to be done with that answer; `None` for an answer to nothing, or by another than
    /// was asked.
    pub(crate) fn answered(&self, stanza: &Stanza) -> Option<(OnAnswer, Option<Element>, bool)> {
        let Kind::Iq(kind @ (IqType::Result | IqType::Error)) = stanza.kind else {
            return None;
        };
        let id = stanza.id.as_deref()?;
        let mut waiting = self.lock();
        let known = waiting.by_id.get(id)?;
        if stanza.from.as_ref() != Some(&known.to) || stanza.to.as_ref() != Some(&known.from) {
            return None;
        }
        let request = waiting.by_id.remove(id)?;
        drop(waiting);
        let refused = kind != IqType::Result;
        let child = stanza.payload.iter().next().filter(|_| !refused);
        let payload = child.and_then(|child| child.to_element(ns::CLIENT).ok());
        Some((request.next, payload, refused))
    }

    /// A panic while the lock was held cannot have left the map half changed.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Takes those that wait no more out of the order. At most every [`REQUESTS_MAX`] times there is
    /// something to do.
    fn forget_settled(&mut self) {
        if self.sent.len() >= 2 * REQUESTS_MAX {
            let by_id = &self.by_id;
            self.sent.retain(|(_, id)| by_id.contains_key(id));
        }
    }

    fn forget_before(&mut self, moment: Timestamp) {
        while let Some((sent, _)) = self.sent.front() {
            if *sent >= moment {
                return;
            }
            if let Some((_, id)) = self.sent.pop_front() {
                self.by_id.remove(&id);
            }
        }
    }
}

/// How many may wait: as many clients as come back within seconds after a restart.
const REQUESTS_MAX: usize = 20_000;

/// After how long an answer is not waited for any more.
const ANSWER_SECONDS_MAX: i64 = 60;

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Requests({})", self.lock().by_id.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);

    fn jid(text: &str) -> Jid {
        Jid::parse(text).unwrap()
    }

    fn ask(requests: &Requests, id: &str, now: Timestamp) -> Option<Stanza> {
        let next: OnAnswer = Box::new(|_| Box::pin(async { Effects::default() }));
        let addresses = (jid("a@localhost"), jid("a@localhost/x"));
        let payload = Element::new("urn:example", "query");
        let (from, to) = addresses;
        let request = Stanza::iq(IqType::Get, id)
            .from(from)
            .to(to)
            .child(&payload);
        requests.remember(&request, now, next).then_some(request)
    }

    #[test]
    fn an_answer_counts_once_and_from_the_one_who_was_asked() {
        let requests = Requests::default();
        let request = ask(&requests, "q", NOW).unwrap();
        let stranger = request.result(None).from(jid("b@localhost/x"));
        assert!(requests.answered(&stranger).is_none());
        let answer = request.result(Some(&Element::new("urn:example", "told")));
        let (_, payload, refused) = requests.answered(&answer).unwrap();
        assert!(payload.is_some() && !refused);
        assert!(requests.answered(&answer).is_none());
    }

    #[test]
    fn a_request_is_forgotten_after_a_minute() {
        let requests = Requests::default();
        let request = ask(&requests, "old", NOW).unwrap();
        ask(&requests, "new", NOW.plus_seconds(61)).unwrap();
        assert!(requests.answered(&request.result(None)).is_none());
    }

    #[test]
    fn no_more_wait_than_may() {
        let requests = Requests::default();
        for number in 0..REQUESTS_MAX {
            assert!(ask(&requests, &number.to_string(), NOW).is_some());
        }
        assert!(ask(&requests, "more", NOW).is_none());
        assert!(ask(&requests, "later", NOW.plus_seconds(61)).is_some());
    }

    #[test]
    fn what_is_answered_or_forgotten_takes_no_room() {
        let requests = Requests::default();
        for number in 0..3 * REQUESTS_MAX {
            let id = number.to_string();
            let request = ask(&requests, &id, NOW).unwrap();
            if number % 2 == 0 {
                requests.forget(&id);
                assert!(requests.answered(&request.result(None)).is_none());
            } else {
                assert!(requests.answered(&request.result(None)).is_some());
            }
        }
        let waiting = requests.lock();
        assert!(waiting.by_id.is_empty() && waiting.sent.len() <= 2 * REQUESTS_MAX);
    }
}
