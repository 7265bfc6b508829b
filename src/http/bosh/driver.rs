//! A session of BOSH: holds requests until there is something to answer, and brings what they
//! carry to the session's task.
//!
//! What the task writes is taken only while somebody waits for it, so that nothing lies here
//! when the client does not come back; it stays with the task, which gives it back.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::body::{Act, Condition, Creation, Fate, Request, answer, empty};
use super::window::{Place, Window};
use crate::session::web::{Carrier, Incoming, Outgoing};

/// A request and the connection that waits for its answer.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) request: Request,
    pub(super) reply: oneshot::Sender<Bytes>,
}

/// What a session is made of.
#[derive(Debug)]
pub(super) struct Driver {
    creation: Creation,
    carrier: Carrier,
    posts: mpsc::Receiver<Post>,
    window: Window<Post>,
    /// Requests without an answer, the oldest first.
    held: VecDeque<Held>,
    /// What they carried and the session has not taken yet.
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    waiting_bytes_max: usize,
    /// Whether the answer to the request for the session is still to come.
    creating: bool,
    /// Whether the client has ended the session; what it is told then, is told at once.
    ending: Option<Vec<u8>>,
    /// Until when the client may be without a request.
    absent_until: Instant,
    last: Instant,
    /// Whether the last request was a poll that was answered with nothing.
    polled: bool,
}

#[derive(Debug)]
struct Held {
    rid: u64,
    until: Instant,
    reply: oneshot::Sender<Bytes>,
    poll: bool,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug)]
struct Over(Fate);

impl Driver {
    /// A session that `first` asks for. `waiting_bytes_max` bounds what its requests carry and
    /// the session does not take.
    pub(super) fn new(
        creation: Creation,
        carrier: Carrier,
        posts: mpsc::Receiver<Post>,
        first: Post,
        waiting_bytes_max: usize,
    ) -> Self {
        let now = Instant::now();
        let mut driver = Self {
            window: Window::new(&first.request, creation.requests),
            absent_until: now + creation.inactivity,
            creation,
            carrier,
            posts,
            held: VecDeque::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            waiting_bytes_max,
            creating: true,
            ending: None,
            last: now,
            polled: false,
        };
        driver.carry(first.request.open(&driver.creation.host));
        for payload in first.request.payloads {
            driver.carry(payload);
        }
        driver.hold(first.request.rid, first.reply, false);
        driver
    }

    /// Serves until the session is over.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let Over(fate) = loop {
            if let Err(over) = self.turn(&stop).await {
                break over;
            }
        };
        debug!(?fate, "the session of BOSH is over");
        let last = self.ending.take().unwrap_or_default();
        let mut last = Some(last);
        for held in self.held.drain(..) {
            let words = last.take().unwrap_or_default();
            let elements: &[&[u8]] = if words.is_empty() { &[] } else { &[&words] };
            // Whoever has gone away hears nothing.
            let _ = held.reply.send(answer(None, elements, fate));
        }
        for post in self.window.into_early() {
            let _ = post.reply.send(empty(fate));
        }
    }

    async fn turn(&mut self, stop: &CancellationToken) -> Result<(), Over> {
        let attended = self.is_attended();
        let wake = self
            .held
            .front()
            .filter(|_| attended && !self.creating && self.ending.is_none())
            .map_or(self.absent_until, |held| held.until);
        tokio::select! {
            () = room(&self.carrier.incoming), if !self.waiting.is_empty() => {
                self.hand_over();
                Ok(())
            }
            words = self.carrier.outgoing.recv(), if attended => match words {
                Some(words) => self.say(words).and_then(|()| self.release()),
                None => Err(Over(Fate::Ended)),
            },
            // What the session does not take in time holds its client up, unless that is what
            // the session waits for.
            post = self.posts.recv(), if self.waiting.is_empty() || !attended => match post {
                Some(post) => self.take(post),
                None => Err(Over(Fate::Failed(Condition::SystemShutdown))),
            },
            () = gone(&mut self.held), if attended => {
                self.absent_until = Instant::now() + self.creation.inactivity;
                Ok(())
            }
            () = stop.cancelled(), if !attended => {
                Err(Over(Fate::Failed(Condition::SystemShutdown)))
            }
            () = sleep_until(wake) => {
                if attended && !self.creating && self.ending.is_none() {
                    self.answer_oldest(&[]);
                    return Ok(());
                }
                debug!("the client of BOSH does not come back");
                Err(Over(Fate::Ended))
            }
        }
    }

    /// Gives the session what waits for it, as much as it takes.
    fn hand_over(&mut self) {
        while let Some(document) = self.waiting.pop_front() {
            let bytes = document.len();
            match self.carrier.incoming.try_send(Incoming::Document(document)) {
                Ok(()) => self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes),
                Err(TrySendError::Full(Incoming::Document(document))) => {
                    self.waiting.push_front(document);
                    return;
                }
                // The session has ended; what it says last is still to come.
                Err(TrySendError::Full(Incoming::Refused(_)) | TrySendError::Closed(_)) => {
                    self.waiting.clear();
                }
            }
        }
    }

    /// Whether somebody waits for an answer. Answers have an order, so it is the oldest request
    /// that counts; if its connection is gone, it will be repeated.
    fn is_attended(&self) -> bool {
        let oldest = self.held.front();
        oldest.is_some_and(|held| !held.reply.is_closed())
    }

    /// Takes a request in, whatever its number.
    fn take(&mut self, post: Post) -> Result<(), Over> {
        let rid = post.request.rid;
        match self.window.place(rid, post) {
            Place::Due(post) => {
                self.due(post)?;
                while let Some(post) = self.window.due() {
                    self.due(post)?;
                }
                Ok(())
            }
            Place::Early(repeated) => {
                if let Some(repeated) = repeated {
                    let _ = repeated.reply.send(empty(Fate::Again));
                }
                Ok(())
            }
            Place::Answered(post, answer) => {
                let _ = post.reply.send(answer);
                Ok(())
            }
            Place::Taken(post) => self.repeated(post),
            Place::Beyond(post) => {
                let _ = post
                    .reply
                    .send(empty(Fate::Failed(Condition::ItemNotFound)));
                Err(Over(Fate::Failed(Condition::ItemNotFound)))
            }
        }
    }

    /// A repeat of a request that has no answer yet takes its place (XEP-0124 §14.3).
    fn repeated(&mut self, post: Post) -> Result<(), Over> {
        let rid = post.request.rid;
        let Some(held) = self.held.iter_mut().find(|held| held.rid == rid) else {
            let fate = Fate::Failed(Condition::ItemNotFound);
            let _ = post.reply.send(empty(fate));
            return Err(Over(fate));
        };
        let before = std::mem::replace(&mut held.reply, post.reply);
        let _ = before.send(empty(Fate::Again));
        Ok(())
    }

    /// A request whose turn it is.
    fn due(&mut self, post: Post) -> Result<(), Over> {
        let Post { request, reply } = post;
        let checked = self
            .window
            .check_key(&request)
            .and_then(|()| self.check_pace(&request));
        let poll = request.is_empty();
        self.last = Instant::now();
        self.absent_until = self.last + self.creation.inactivity;
        self.hold(request.rid, reply, poll);
        checked.map_err(|condition| Over(Fate::Failed(condition)))?;
        match request.act {
            Act::Restart => self.carry(request.open(&self.creation.host)),
            Act::Nothing | Act::Pause(_) | Act::Terminate => {
                if request.payloads.is_empty() {
                    // The client is there.
                    self.carry(Bytes::from_static(b" "));
                }
                for payload in request.payloads {
                    self.carry(payload);
                }
            }
        }
        if self.waiting_bytes > self.waiting_bytes_max {
            return Err(Over(Fate::Failed(Condition::PolicyViolation)));
        }
        match request.act {
            Act::Pause(time) => return self.pause(time),
            Act::Terminate => {
                self.carry(Bytes::from_static(
                    b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
                ));
                self.ending = Some(Vec::new());
            }
            Act::Nothing | Act::Restart => {}
        }
        self.release()
    }

    /// Answers those that are more than are to be held, with something if the session has
    /// written anything.
    fn release(&mut self) -> Result<(), Over> {
        while self.held.len() > self.creation.hold && !self.creating && self.ending.is_none() {
            match self.carrier.outgoing.try_recv() {
                Ok(words) => self.say(words)?,
                Err(_) => self.answer_oldest(&[]),
            }
        }
        Ok(())
    }

    /// XEP-0124 §11 and §12: who polls has to take time.
    fn check_pace(&self, request: &Request) -> Result<(), Condition> {
        let soon = Instant::now() < self.last + self.creation.polling;
        if !request.is_empty() || !soon {
            return Ok(());
        }
        let crowd = self.held.len() + 1 >= self.creation.requests && self.creation.hold > 0;
        let polls = self.polled && self.creation.hold == 0;
        if crowd || polls {
            return Err(Condition::PolicyViolation);
        }
        Ok(())
    }

    /// XEP-0124 §10: all requests are answered, and the client may stay away for that long.
    fn pause(&mut self, time: Duration) -> Result<(), Over> {
        if time > self.creation.pause_max {
            return Err(Over(Fate::Failed(Condition::PolicyViolation)));
        }
        while !self.held.is_empty() {
            self.answer_oldest(&[]);
        }
        self.absent_until = Instant::now() + time;
        Ok(())
    }

    fn carry(&mut self, document: Bytes) {
        self.waiting_bytes = self.waiting_bytes.saturating_add(document.len());
        self.waiting.push_back(document);
    }

    fn hold(&mut self, rid: u64, reply: oneshot::Sender<Bytes>, poll: bool) {
        self.held.push_back(Held {
            rid,
            until: Instant::now() + self.creation.wait,
            reply,
            poll,
        });
    }

    /// Answers with what the session has written.
    fn say(&mut self, words: Outgoing) -> Result<(), Over> {
        let failed = words
            .elements()
            .any(|element| element.starts_with(b"<stream:error"));
        if failed || self.ending.is_some() {
            // The last that is said goes with the end of the session.
            let last = self.ending.get_or_insert_default();
            for element in words.elements() {
                last.extend_from_slice(element);
            }
            words.written();
            if failed {
                return Err(Over(Fate::Failed(Condition::RemoteStreamError)));
            }
            return Ok(());
        }
        let elements: Vec<_> = words.elements().collect();
        if !elements.is_empty() {
            self.answer_oldest(&elements);
        }
        words.written();
        Ok(())
    }

    fn answer_oldest(&mut self, elements: &[&[u8]]) {
        let Some(held) = self.held.pop_front() else {
            return;
        };
        let creation = std::mem::take(&mut self.creating).then_some(&self.creation);
        self.polled = held.poll && elements.is_empty();
        let text = answer(creation, elements, Fate::Open);
        self.window.keep(held.rid, text.clone());
        let _ = held.reply.send(text);
        self.absent_until = Instant::now() + self.creation.inactivity;
    }
}

/// Waits until the session takes more, or has ended.
async fn room(incoming: &mpsc::Sender<Incoming>) {
    // There is one sender, so that what is free now is free when it sends.
    let _ = incoming.reserve().await;
}

/// Waits until the connection of the oldest request is gone.
async fn gone(held: &mut VecDeque<Held>) {
    match held.front_mut() {
        Some(held) => poll_fn(|context| held.reply.poll_closed(context)).await,
        None => std::future::pending().await,
    }
}
