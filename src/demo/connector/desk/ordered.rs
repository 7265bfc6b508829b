//! What people order, and what they are told came of it.

use super::super::orders::{self, Order};
use super::super::wire::{self, local};
use super::{Asked, Desk, WAITING_MAX, addressed};
use crate::proto::{IqType, Jid, Kind, MessageType, Stanza, ns};
use crate::xml::Element;

impl Desk {
    pub(super) fn told(&mut self, stanza: &Stanza) -> Vec<Stanza> {
        let here = stanza
            .from
            .as_ref()
            .is_some_and(|from| from.domain() == self.host.as_str());
        let body = stanza.find(ns::CLIENT, "body");
        let Some(body) = body.filter(|_| here) else {
            return Vec::new();
        };
        let text = body.text();
        if let Some(chat) = stanza.to.as_ref().and_then(Jid::local) {
            return self.relayed(stanza, chat, &text);
        }
        match orders::understand(&text) {
            Ok(order) => self.ordered(stanza, order),
            Err(why) => vec![words(stanza, &why)],
        }
    }

    fn ordered(&mut self, stanza: &Stanza, order: Order) -> Vec<Stanza> {
        match order {
            Order::Help => vec![words(stanza, orders::HELP)],
            Order::List => vec![words(stanza, &wire::listed(&self.board))],
            Order::Say { call, text } => self.said(stanza, &call, &text),
            Order::HangUp { call } => match self.hang_up(&call) {
                none if none.is_empty() => vec![words(stanza, "There is no such call.")],
                mut said => {
                    said.push(words(stanza, &format!("{call} is over.")));
                    said
                }
            },
            Order::Pass { call, agent } => {
                let agent = self.agent(&agent);
                match self.board.pass(&call, &agent) {
                    Ok(()) => {
                        self.waiting.remove(&call);
                        self.offer(stanza, call, &agent, false)
                    }
                    Err(why) => vec![words(stanza, &format!("Not done: {why}."))],
                }
            }
            Order::Arrive {
                medium,
                agent,
                address,
            } => {
                let random = crate::id::random();
                let id = format!("call-{}", random.get(..8).unwrap_or(&random));
                let agent = self.agent(&agent);
                match self.board.arrive(&id, &agent, medium, &address) {
                    true => {
                        self.players
                            .extend(stanza.from.clone().map(|from| (id.clone(), from)));
                        self.offer(stanza, id, &agent, true)
                    }
                    false => vec![words(stanza, "All lines are busy.")],
                }
            }
        }
    }

    /// The bare JID of an agent of the host.
    fn agent(&self, named: &str) -> String {
        match named.contains('@') {
            true => named.to_owned(),
            false => format!("{named}@{}", self.host),
        }
    }

    fn offer(&mut self, order: &Stanza, id: String, agent: &str, fresh: bool) -> Vec<Stanza> {
        let Some(call) = self.board.find(&id) else {
            return Vec::new();
        };
        let (asked, iq) = self.ask(&wire::offer(&id, call, agent));
        if self.asked.len() < WAITING_MAX {
            let (call, order) = (id, order.clone());
            self.asked.insert(asked, Asked { call, order, fresh });
        }
        vec![iq]
    }

    /// What the server believes to be over is so.
    fn compare(&mut self, stanza: &Stanza) {
        let Some(believed) = wire::believed(stanza) else {
            return;
        };
        let offered = |id: &str| self.asked.values().any(|asked| asked.call == id);
        let over = self.board.all().map(|(id, _)| id);
        let over = over.filter(|id| !believed.contains(*id) && !offered(id));
        let over: Vec<String> = over.map(str::to_owned).collect();
        for id in over {
            self.board.remove(&id);
        }
    }

    pub(super) fn answered(&mut self, stanza: &Stanza) -> Vec<Stanza> {
        if stanza
            .id
            .as_deref()
            .is_some_and(|id| self.comparing.as_deref() == Some(id))
        {
            self.comparing = None;
            self.compare(stanza);
            return Vec::new();
        }
        let asked = stanza
            .id
            .as_ref()
            .and_then(|id| self.asked.remove(id.as_str()));
        let Some(Asked { call, order, fresh }) = asked else {
            return Vec::new();
        };
        if stanza.kind == Kind::Iq(IqType::Result) {
            let ringing = self
                .board
                .find(&call)
                .and_then(|call| call.ringing().next());
            let agent = ringing.map_or("the agent", local);
            return vec![words(&order, &format!("{call} rings at {agent}."))];
        }
        if fresh {
            self.board.remove(&call);
        }
        let text = stanza.find(ns::CLIENT, "error");
        let text = text.and_then(|error| error.to_element(ns::CLIENT).ok());
        let text = text.and_then(|error| error.child_text(ns::STANZA_ERRORS, "text"));
        let text = text.unwrap_or_else(|| "The server does not take it.".to_owned());
        vec![words(&order, &format!("Not done: {text}"))]
    }
}

/// An answer to a message, in words.
pub(super) fn words(to: &Stanza, text: &str) -> Stanza {
    let body = Element::new(ns::CLIENT, "body").text(text);
    let mut answer = addressed(to, Stanza::message(MessageType::Chat)).child(&body);
    answer.id = Some(crate::id::random().into());
    answer
}
