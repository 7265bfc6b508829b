//! What the connector knows of its calls and chats: a small model of a telephone system, without connections and without
//! time.
//!
//! It does what a switchboard would do with each request of the server, and says why it cannot. What it says is
//! for people: agents read it.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

/// Calls and chats at once: more than a demonstration needs, and a bound.
const CALLS_MAX: usize = 1_000;

/// Answers that are remembered, so that a request that comes once more is not done twice.
const ANSWERED_MAX: usize = 1_000;

/// What was asked by the server, in its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) id: String,
    pub(super) interaction: String,
    pub(super) verb: String,
    /// Who wants it: a bare JID, as are the others.
    pub(super) agent: String,
    pub(super) to: Option<String>,
    pub(super) queue: Option<String>,
    pub(super) address: Option<String>,
    pub(super) medium: Option<String>,
}

/// How the customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Waits for an agent who answers.
    Waits,
    /// Is being called.
    Dialed,
    Talks,
    Held,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Primary,
    Consulted,
    Conferenced,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Party {
    agent: String,
    part: Part,
    talks: bool,
}

/// A call or chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) medium: String,
    pub(super) direction: &'static str,
    pub(super) address: String,
    pub(super) queue: Option<String>,
    pub(super) line: Line,
    parties: Vec<Party>,
}

/// What came of a request: the reason where it is not done.
pub(super) type Done = Result<(), String>;

/// All calls and chats.
#[derive(Debug, Default)]
pub(super) struct Board {
    calls: BTreeMap<String, Call>,
    answered: VecDeque<(String, Done)>,
}

impl Call {
    fn new(medium: &str, direction: &'static str, address: &str, line: Line) -> Self {
        Self {
            medium: medium.to_owned(),
            direction,
            address: address.to_owned(),
            queue: None,
            line,
            parties: Vec::new(),
        }
    }

    /// Who talks, to the customer or to each other.
    pub(super) fn talking(&self) -> impl Iterator<Item = &str> {
        let parties = self.parties.iter().filter(|party| party.talks);
        parties.map(|party| party.agent.as_str())
    }

    /// Who is being asked.
    pub(super) fn ringing(&self) -> impl Iterator<Item = &str> {
        let parties = self.parties.iter().filter(|party| !party.talks);
        parties.map(|party| party.agent.as_str())
    }

    fn find(&self, part: Part) -> Option<usize> {
        self.parties.iter().position(|party| party.part == part)
    }

    fn has(&mut self, agent: &str) -> Option<&mut Party> {
        self.parties.iter_mut().find(|party| party.agent == agent)
    }

    fn ring(&mut self, agent: &str, part: Part) {
        self.leave(agent);
        self.parties.push(Party {
            agent: agent.to_owned(),
            part,
            talks: false,
        });
    }

    fn leave(&mut self, agent: &str) {
        self.parties.retain(|party| party.agent != agent);
    }

    /// The colleague who is consulted becomes something else.
    fn promote(&mut self, to: Part) -> Done {
        let found = self.find(Part::Consulted);
        let party = found.and_then(|at| self.parties.get_mut(at));
        let party = party.filter(|party| party.talks);
        party.ok_or("nobody is being consulted")?.part = to;
        Ok(())
    }

    fn line(&mut self, expected: Line, next: Line, otherwise: &str) -> Done {
        if self.line != expected {
            return Err(otherwise.to_owned());
        }
        self.line = next;
        Ok(())
    }
}

impl Board {
    /// A customer calls or writes; `false` where there are too many.
    pub(super) fn arrive(&mut self, id: &str, agent: &str, medium: &str, address: &str) -> bool {
        if self.calls.len() >= CALLS_MAX {
            return false;
        }
        let mut call = Call::new(medium, "inbound", address, Line::Waits);
        call.ring(agent, Part::Primary);
        self.calls.insert(id.to_owned(), call);
        true
    }

    /// A customer who waits is put through to another agent.
    pub(super) fn pass(&mut self, id: &str, agent: &str) -> Done {
        let call = self.calls.get_mut(id).ok_or(GONE)?;
        if call.line != Line::Waits {
            return Err("the customer does not wait".to_owned());
        }
        call.parties.clear();
        call.ring(agent, Part::Primary);
        Ok(())
    }

    /// The customer who was called answers.
    pub(super) fn answers(&mut self, id: &str) -> bool {
        let call = self.calls.get_mut(id);
        let done = call.map(|call| call.line(Line::Dialed, Line::Talks, ""));
        done.is_some_and(|done| done.is_ok())
    }

    /// The customer is gone.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        self.calls.remove(id).is_some()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Call> {
        self.calls.get(id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Call)> {
        self.calls.iter().map(|(id, call)| (id.as_str(), call))
    }

    /// Does what is asked, once however often it is asked.
    pub(super) fn does(&mut self, request: &Request) -> Done {
        let mut before = self.answered.iter();
        if let Some((_, done)) = before.find(|(id, _)| *id == request.id) {
            return done.clone();
        }
        let done = self.decide(request);
        if self.answered.len() >= ANSWERED_MAX {
            self.answered.pop_front();
        }
        self.answered.push_back((request.id.clone(), done.clone()));
        done
    }

    fn decide(&mut self, request: &Request) -> Done {
        match request.verb.as_str() {
            "dial" => return self.dial(request),
            "end" => {
                self.calls.remove(&request.interaction).ok_or(GONE)?;
                return Ok(());
            }
            _ => {}
        }
        let call = self.calls.get_mut(&request.interaction).ok_or(GONE)?;
        // All or nothing: what is refused in the middle leaves the call as it was.
        let mut next = call.clone();
        change(&mut next, request)?;
        *call = next;
        Ok(())
    }

    fn dial(&mut self, request: &Request) -> Done {
        if self.calls.len() >= CALLS_MAX {
            return Err("all lines are busy".to_owned());
        }
        let address = request.address.as_deref().ok_or("no number is named")?;
        let medium = request.medium.as_deref().unwrap_or("voice");
        let mut call = Call::new(medium, "outbound", address, Line::Dialed);
        call.parties.push(Party {
            agent: request.agent.clone(),
            part: Part::Primary,
            talks: true,
        });
        self.calls.insert(request.interaction.clone(), call);
        Ok(())
    }
}

const GONE: &str = "the customer has hung up";

fn change(call: &mut Call, request: &Request) -> Done {
    let by = request.agent.as_str();
    let colleague = || request.to.as_deref().ok_or("no colleague is named");
    match request.verb.as_str() {
        "accept" => {
            let party = call.has(by).ok_or("this agent is not being called")?;
            party.talks = true;
            if party.part == Part::Primary && call.line == Line::Waits {
                call.line = Line::Talks;
            }
        }
        "reject" => call.leave(by),
        "hold" => call.line(Line::Talks, Line::Held, "the customer does not talk")?,
        "resume" => call.line(Line::Held, Line::Talks, "the customer is not on hold")?,
        "transfer" => {
            call.parties.clear();
            call.line = Line::Waits;
            match (&request.to, &request.queue) {
                (Some(to), _) => call.ring(to, Part::Primary),
                (None, Some(queue)) => call.queue = Some(queue.clone()),
                (None, None) => return Err("nobody is named to take over".to_owned()),
            }
        }
        "consult" => {
            let to = colleague()?;
            if call.medium == "voice" {
                call.line = Line::Held;
            }
            call.ring(to, Part::Consulted);
        }
        "retrieve" => {
            call.parties.retain(|party| party.part != Part::Consulted);
            call.line = Line::Talks;
        }
        "complete-transfer" => {
            call.promote(Part::Primary)?;
            call.leave(by);
            call.line = Line::Talks;
        }
        "conference" => match &request.to {
            Some(to) => call.ring(to, Part::Conferenced),
            None => {
                call.promote(Part::Conferenced)?;
                call.line = Line::Talks;
            }
        },
        "leave" => {
            call.leave(by);
            if call.find(Part::Primary).is_none()
                && let Some(next) = call.parties.iter_mut().find(|party| party.talks)
            {
                next.part = Part::Primary;
            }
        }
        other => return Err(format!("this telephone system cannot do {other}")),
    }
    Ok(())
}
