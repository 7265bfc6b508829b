//! Which request is to be taken when: the order of `rid`, repeats, and the key sequence
//! (XEP-0124 §14, §15). Pure.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use compact_str::CompactString;
use sha1::{Digest as _, Sha1};

use super::body::{Condition, Request};

/// The requests that a session has seen and those that it may see next. `P` is a request
/// with the connection that waits for its answer.
#[derive(Debug)]
pub(super) struct Window<P> {
    next: u64,
    /// How many there may be without an answer, and how many answers are kept.
    requests_max: usize,
    early: BTreeMap<u64, P>,
    answers: VecDeque<(u64, Bytes)>,
    key: Option<CompactString>,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Place<P> {
    /// It waits for those before it; a repeat replaces the one that waited already.
    Early(Option<P>),
    /// It is to be taken now; ask [`Window::due`] for those that waited for it.
    Due(P),
    /// It was answered with this.
    Answered(P, Bytes),
    /// It was taken and has no answer that is kept: it waits for one, or it is too old.
    Taken(P),
    /// It is beyond the window.
    Beyond(P),
}

impl<P> Window<P> {
    /// Behind the request for a session.
    pub(super) fn new(first: &Request, requests_max: usize) -> Self {
        Self {
            next: first.rid.saturating_add(1),
            requests_max,
            early: BTreeMap::new(),
            answers: VecDeque::new(),
            key: first.newkey.clone(),
        }
    }

    /// Takes a request in.
    pub(super) fn place(&mut self, rid: u64, post: P) -> Place<P> {
        let size = u64::try_from(self.requests_max).unwrap_or(u64::MAX);
        if rid < self.next {
            let kept = self.answers.iter().find(|(answered, _)| *answered == rid);
            return match kept {
                Some((_, answer)) => Place::Answered(post, answer.clone()),
                None => Place::Taken(post),
            };
        }
        if rid - self.next >= size {
            return Place::Beyond(post);
        }
        if rid > self.next {
            return Place::Early(self.early.insert(rid, post));
        }
        self.next = self.next.saturating_add(1);
        Place::Due(post)
    }

    /// The next of those that came early, when its turn has come.
    pub(super) fn due(&mut self) -> Option<P> {
        let post = self.early.remove(&self.next)?;
        self.next = self.next.saturating_add(1);
        Some(post)
    }

    /// Those that came early and will not be taken any more.
    pub(super) fn into_early(self) -> impl Iterator<Item = P> {
        self.early.into_values()
    }

    /// Keeps an answer, in case it gets lost on its way.
    pub(super) fn keep(&mut self, rid: u64, answer: Bytes) {
        if self.answers.len() >= self.requests_max {
            self.answers.pop_front();
        }
        self.answers.push_back((rid, answer));
    }

    /// Whether a request knows the next key, where the session has any (XEP-0124 §15.4).
    ///
    /// # Errors
    /// `item-not-found` for one that does not.
    pub(super) fn check_key(&mut self, request: &Request) -> Result<(), Condition> {
        let Some(last) = &self.key else {
            return Ok(());
        };
        let key = request.key.as_ref().ok_or(Condition::ItemNotFound)?;
        let digest = Sha1::digest(key.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if !bool::from(subtle::ConstantTimeEq::ct_eq(
            hex.as_bytes(),
            last.as_bytes(),
        )) {
            return Err(Condition::ItemNotFound);
        }
        self.key = Some(request.newkey.as_ref().unwrap_or(key).clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::bosh::body::HTTPBIND;
    use crate::xml::Limits;

    fn request(attributes: &str) -> Request {
        let text = format!("<body xmlns='{HTTPBIND}' {attributes}/>");
        Request::read(text.into(), &Limits::default()).unwrap()
    }

    fn window() -> Window<&'static str> {
        Window::new(&request("rid='9'"), 2)
    }

    #[test]
    fn requests_are_taken_in_the_order_of_their_numbers() {
        let mut window = window();
        assert!(matches!(window.place(11, "b"), Place::Early(None)));
        assert!(matches!(window.place(11, "c"), Place::Early(Some("b"))));
        assert_eq!(window.due(), None);
        assert!(matches!(window.place(10, "a"), Place::Due("a")));
        assert_eq!(window.due(), Some("c"));
        assert_eq!(window.due(), None);
        assert!(matches!(window.place(12, "d"), Place::Due("d")));
    }

    #[test]
    fn a_number_beyond_the_window_is_told_apart() {
        for (rid, beyond) in [(10, false), (11, false), (12, true), (u64::MAX, true)] {
            let beyond_it = matches!(window().place(rid, "a"), Place::Beyond("a"));
            assert_eq!(beyond_it, beyond, "{rid}");
        }
    }

    #[test]
    fn an_answer_is_given_again_while_it_is_kept() {
        let mut window = window();
        for rid in 10..13 {
            assert!(matches!(window.place(rid, "a"), Place::Due(_)));
        }
        assert!(matches!(window.place(12, "again"), Place::Taken("again")));
        for rid in 10..13 {
            window.keep(rid, Bytes::from(rid.to_string()));
        }
        assert!(matches!(window.place(10, "again"), Place::Taken(_)));
        for rid in 11..13 {
            let Place::Answered("again", answer) = window.place(rid, "again") else {
                panic!("{rid} is not kept");
            };
            assert_eq!(answer, rid.to_string());
        }
    }

    #[test]
    fn each_key_is_the_digest_of_the_next() {
        let mut window: Window<()> = Window::new(
            // SHA-1 of "a9993e…", which is the SHA-1 of "abc".
            &request("rid='1' newkey='9ef2bdeea2b1bae79b9ddb930427d0b2c880bdac'"),
            2,
        );
        let abc = "a9993e364706816aba3e25717850c26c9cd0d89d";
        let wrong = request("rid='2' key='0000'");
        assert_eq!(window.check_key(&wrong), Err(Condition::ItemNotFound));
        assert_eq!(
            window.check_key(&request("rid='2'")),
            Err(Condition::ItemNotFound)
        );
        assert_eq!(
            window.check_key(&request(&format!("rid='2' key='{abc}'"))),
            Ok(())
        );
        let last = request(&format!("rid='3' key='abc' newkey='{abc}'"));
        assert_eq!(window.check_key(&last), Ok(()));
        assert_eq!(window.check_key(&request("rid='4' key='abc'")), Ok(()));
    }
}
