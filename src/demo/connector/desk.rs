//! Between the stream and the board: stanzas in, stanzas out, and what is to be done in a moment.
//!
//! A telephone system takes a moment for what it is asked: requests are done [`MOMENT`] after they came, in their order. A
//! customer who is called takes longer, and one who waits for an agent hangs up after a while.

mod chat;
mod delivered;
mod ordered;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::Written;
use super::board::{Board, Line};
use super::wire::{self, NS};
use crate::clock::{Clock, Timestamp};
use crate::proto::{
    BareJid, Condition, IqType, Jid, Kind, MessageType, PresenceType, Stanza, StanzaError, ns,
};
use crate::xml::Element;

/// Between a request and its answer.
const MOMENT: Duration = Duration::from_millis(300);

/// Until a customer who is called answers.
const RINGING: Duration = Duration::from_secs(3);

/// How long a customer waits for an agent.
const PATIENCE: Duration = Duration::from_secs(120);

/// Requests and answers that are waited for; the server has its own bounds, which are smaller.
const WAITING_MAX: usize = 10_000;

/// Numbers with this end are never answered.
const NOBODY: &str = "00";

/// What is due.
#[derive(Debug)]
enum Due {
    /// A request is to be done.
    Request(Box<Stanza>),
    /// The customer who is called answers, or nobody does.
    Answer(String),
}

/// Who is told what came of an offer.
#[derive(Debug)]
struct Asked {
    call: String,
    order: Stanza,
    /// Whether the customer goes when the offer is refused.
    fresh: bool,
}

/// The state of the connector.
pub(super) struct Desk {
    own: BareJid,
    host: BareJid,
    center: BareJid,
    clock: Clock,
    board: Board,
    due: BTreeMap<(Instant, u64), Due>,
    asked: BTreeMap<String, Asked>,
    /// Who plays the customer of each.
    players: BTreeMap<String, Jid>,
    /// Since when customers wait.
    waiting: BTreeMap<String, Instant>,
    /// The request for what the server believes.
    comparing: Option<String>,
    count: u64,
    /// Deliveries that came, by their ids: one may come once more.
    delivered: VecDeque<String>,
    /// What customers were written that has not been shown yet.
    written: Vec<Written>,
}

impl Desk {
    pub(super) fn new(own: BareJid, host: BareJid, center: BareJid, clock: Clock) -> Self {
        Self {
            own,
            host,
            center,
            clock,
            board: Board::default(),
            due: BTreeMap::new(),
            asked: BTreeMap::new(),
            players: BTreeMap::new(),
            waiting: BTreeMap::new(),
            comparing: None,
            count: 0,
            delivered: VecDeque::new(),
            written: Vec::new(),
        }
    }

    /// What is said first over a connection: it asks what the server believes, for that may have ended calls meanwhile.
    pub(super) fn connected(&mut self) -> Vec<Stanza> {
        let (id, mut iq) = self.ask(&Element::new(NS, "interactions"));
        iq.kind = Kind::Iq(IqType::Get);
        self.comparing = Some(id);
        vec![iq]
    }

    /// Nobody answers any more what was asked over a connection that is lost. What is due stays so: the server gives up
    /// what it has not heard of, or finds it done.
    pub(super) fn disconnected(&mut self) {
        self.asked.clear();
        self.comparing = None;
    }

    /// What is said in answer to a stanza.
    pub(super) fn take(&mut self, stanza: Stanza, now: Instant) -> Vec<Stanza> {
        let answers = match stanza.kind {
            Kind::Iq(IqType::Set | IqType::Get) => self.requested(stanza, now),
            Kind::Iq(IqType::Result | IqType::Error) => self.answered(&stanza),
            Kind::Message(_) if stanza.has(NS, "deliver") => self.passes_on(&stanza),
            Kind::Message(MessageType::Chat | MessageType::Normal) => self.told(&stanza),
            Kind::Presence(PresenceType::Subscribe) => {
                let seen = reply(&stanza, PresenceType::Available);
                vec![reply(&stanza, PresenceType::Subscribed), seen]
            }
            Kind::Presence(PresenceType::Probe) => {
                vec![reply(&stanza, PresenceType::Available)]
            }
            Kind::Message(_) | Kind::Presence(_) => Vec::new(),
        };
        self.watch(now);
        answers
    }

    /// When something is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let due = self.due.keys().next().map(|(at, _)| *at);
        let tired = self.waiting.values().min().map(|since| *since + PATIENCE);
        due.into_iter().chain(tired).min()
    }

    /// Does what is due.
    pub(super) fn on_time(&mut self, now: Instant) -> Vec<Stanza> {
        let mut said = Vec::new();
        while let Some(entry) = self.due.first_entry() {
            if entry.key().0 > now {
                break;
            }
            match entry.remove() {
                Due::Request(stanza) => said.extend(self.does(&stanza, now)),
                Due::Answer(id) => said.extend(self.customer_answers(&id)),
            }
        }
        self.watch(now);
        let tired = self.waiting.iter();
        let tired = tired.filter(|(_, since)| **since + PATIENCE <= now);
        let tired: Vec<String> = tired.map(|(id, _)| id.clone()).collect();
        for id in tired {
            said.extend(self.hang_up(&id));
        }
        said
    }

    /// Remembers since when customers wait.
    fn watch(&mut self, now: Instant) {
        let board = &self.board;
        let waits = |id: &str| board.find(id).is_some_and(|call| call.line == Line::Waits);
        self.waiting.retain(|id, _| waits(id));
        self.players.retain(|id, _| board.find(id).is_some());
        for (id, call) in board.all() {
            if call.line == Line::Waits && !self.waiting.contains_key(id) {
                self.waiting.insert(id.to_owned(), now);
            }
        }
    }

    fn later(&mut self, at: Instant, due: Due) {
        self.count = self.count.wrapping_add(1);
        self.due.insert((at, self.count), due);
    }

    fn requested(&mut self, stanza: Stanza, now: Instant) -> Vec<Stanza> {
        let of_center = stanza
            .from
            .as_ref()
            .is_some_and(|from| *from.bare() == self.center);
        let get = stanza.kind == Kind::Iq(IqType::Get);
        if get && stanza.has(ns::PING, "ping") {
            return vec![stanza.result(None)];
        }
        if get && stanza.has(ns::DISCO_INFO, "query") {
            return vec![stanza.result(Some(&wire::info()))];
        }
        if get && of_center && stanza.has(NS, "interactions") {
            return vec![stanza.result(Some(&wire::interactions(&self.board)))];
        }
        if get || !of_center || !stanza.has(NS, "request") {
            return refusal(&stanza, Condition::ServiceUnavailable, None);
        }
        if self.due.len() >= WAITING_MAX {
            return refusal(&stanza, Condition::ResourceConstraint, None);
        }
        self.later(now + MOMENT, Due::Request(Box::new(stanza)));
        Vec::new()
    }

    fn does(&mut self, stanza: &Stanza, now: Instant) -> Vec<Stanza> {
        let Some((request, until)) = wire::request(stanza) else {
            return refusal(stanza, Condition::BadRequest, None);
        };
        let late = Timestamp::parse(&until).is_none_or(|until| until < self.clock.now());
        if late {
            // The server has given it up, and everything is as it was.
            return refusal(stanza, Condition::RemoteServerTimeout, None);
        }
        if let Err(why) = self.board.does(&request) {
            return refusal(stanza, Condition::NotAcceptable, Some(why));
        }
        if request.verb == "dial" {
            self.later(now + RINGING, Due::Answer(request.interaction.clone()));
        }
        let welcome = match request.verb.as_str() {
            "accept" => self.welcomed(&request.agent, &request.interaction),
            _ => None,
        };
        std::iter::once(stanza.result(None))
            .chain(welcome)
            .collect()
    }

    fn customer_answers(&mut self, id: &str) -> Vec<Stanza> {
        let address = self.board.find(id).map(|call| call.address.clone());
        match address {
            Some(address) if address.ends_with(NOBODY) => self.hang_up(id),
            Some(_) if self.board.answers(id) => vec![self.ask(&wire::report(id, "talking")).1],
            Some(_) | None => Vec::new(),
        }
    }

    fn hang_up(&mut self, id: &str) -> Vec<Stanza> {
        self.waiting.remove(id);
        match self.board.remove(id) {
            true => vec![self.ask(&wire::report(id, "ended")).1],
            false => Vec::new(),
        }
    }

    /// A request to the server, with its id.
    fn ask(&self, payload: &Element) -> (String, Stanza) {
        let id = crate::id::random();
        let iq = Stanza::iq(IqType::Set, &id)
            .from(self.own.clone())
            .to(self.center.clone())
            .child(payload);
        (id, iq)
    }
}

fn refusal(stanza: &Stanza, condition: Condition, why: Option<String>) -> Vec<Stanza> {
    let error = StanzaError::new(condition);
    let error = match why {
        Some(why) => error.text(why),
        None => error,
    };
    stanza.refusal(&error).into_iter().collect()
}

fn reply(to: &Stanza, kind: PresenceType) -> Stanza {
    let answer = addressed(to, Stanza::presence(kind));
    match kind {
        PresenceType::Subscribed => Stanza {
            to: answer.to.as_ref().map(Jid::to_bare),
            ..answer
        },
        _ => answer,
    }
}

fn addressed(to: &Stanza, mut answer: Stanza) -> Stanza {
    answer.from = to.to.as_ref().map(Jid::to_bare);
    answer.to.clone_from(&to.from);
    answer
}
