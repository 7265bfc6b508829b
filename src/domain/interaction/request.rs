//! What agents want of the connector: whether it may be asked, and what it makes of the interaction when the
//! connector has done it.

use super::decide::Draft;
use super::{Event, Leg, Line, Medium, REQUEST_SECONDS, Rejection, Request, Role, Target, Verb};
use crate::domain::ids::{AgentId, RequestId};

impl Draft<'_> {
    pub(super) fn dial(&mut self, by: AgentId, request: RequestId) -> Result<(), Rejection> {
        if self.interaction.began_at.is_some() {
            return Err(Rejection::Exists);
        }
        self.require_target(&by)?;
        let queue = None;
        self.push(Event::Began {
            at: self.now,
            queue,
        });
        self.line(Line::Dialing);
        self.ask(by.clone(), Role::Primary);
        self.request(by, Verb::Dial, request);
        Ok(())
    }

    pub(super) fn want(
        &mut self,
        by: AgentId,
        verb: Verb,
        request: RequestId,
    ) -> Result<(), Rejection> {
        if self.interaction.part(&by).is_none() {
            return Err(Rejection::Unknown);
        }
        self.require_going_on()?;
        if self.interaction.interrupted {
            return Err(Rejection::Interrupted);
        }
        if let Some(pending) = &self.interaction.request {
            // The same once more: the answer to it was lost.
            return match pending.by == by && pending.verb == verb {
                true => Ok(()),
                false => Err(Rejection::Pending),
            };
        }
        self.may(&by, &verb)?;
        self.request(by, verb, request);
        Ok(())
    }

    fn request(&mut self, by: AgentId, verb: Verb, id: RequestId) {
        let until = self.now.plus_seconds(REQUEST_SECONDS);
        let request = Request {
            id,
            by,
            verb,
            until,
        };
        let at = self.now;
        self.push(Event::Requested { at, request });
    }

    /// Whether the agent can want that at this time.
    fn may(&self, by: &AgentId, verb: &Verb) -> Result<(), Rejection> {
        self.stands(by, verb)?;
        match verb {
            Verb::Transfer {
                to: Target::Agent(agent),
            }
            | Verb::Consult { with: agent }
            | Verb::Conference { with: Some(agent) } => self.require_target(agent),
            Verb::Transfer {
                to: Target::Queue(_),
            }
            | Verb::Conference { with: None }
            | Verb::Accept
            | Verb::Reject
            | Verb::Hold
            | Verb::Resume
            | Verb::End
            | Verb::Retrieve
            | Verb::CompleteTransfer
            | Verb::Leave
            | Verb::Dial => Ok(()),
        }
    }

    /// Whether part and line allow it, whoever else it is about.
    fn stands(&self, by: &AgentId, verb: &Verb) -> Result<(), Rejection> {
        let part = self.interaction.part(by).ok_or(Rejection::Unknown)?;
        match verb {
            Verb::Accept | Verb::Reject => match part.leg {
                Leg::Offered { .. } => return Ok(()),
                Leg::Connected
                | Leg::WrapUp
                | Leg::Done
                | Leg::Rejected
                | Leg::TimedOut
                | Leg::Withdrawn => return Err(Rejection::NotOffered),
            },
            Verb::Hold
            | Verb::Resume
            | Verb::End
            | Verb::Transfer { .. }
            | Verb::Consult { .. }
            | Verb::Retrieve
            | Verb::CompleteTransfer
            | Verb::Conference { .. }
            | Verb::Leave
            | Verb::Dial => {}
        }
        if part.leg != Leg::Connected {
            return Err(Rejection::NotConnected);
        }
        if *verb == Verb::Leave {
            return match part.role == Role::Primary && self.conferenced() == 0 {
                true => Err(Rejection::Last),
                false => Ok(()),
            };
        }
        if part.role != Role::Primary {
            return Err(Rejection::NotPrimary);
        }
        self.stands_for_primary(verb)
    }

    fn stands_for_primary(&self, verb: &Verb) -> Result<(), Rejection> {
        let consulted = self.interaction.consulted();
        match verb {
            Verb::Hold => self.require_line(Line::Connected, Rejection::NotTalking),
            Verb::Resume if consulted.is_some() => Err(Rejection::Consulting),
            Verb::Resume => self.require_line(Line::Held, Rejection::NotHeld),
            Verb::Transfer { .. } | Verb::Consult { .. } if consulted.is_some() => {
                Err(Rejection::Consulting)
            }
            Verb::Transfer { .. } if self.interaction.open(Role::Conferenced).is_some() => {
                Err(Rejection::Conferencing)
            }
            Verb::Retrieve => match (consulted, self.interaction.line) {
                (None, Line::Held) | (Some(_), _) => Ok(()),
                (None, _) => Err(Rejection::NoConsultation),
            },
            Verb::CompleteTransfer | Verb::Conference { with: None } => {
                match consulted.map(|part| part.leg) {
                    None => Err(Rejection::NoConsultation),
                    Some(Leg::Connected) => Ok(()),
                    Some(_) => Err(Rejection::NotAccepted),
                }
            }
            Verb::End
            | Verb::Transfer { .. }
            | Verb::Consult { .. }
            | Verb::Conference { with: Some(_) }
            | Verb::Leave
            | Verb::Accept
            | Verb::Reject
            | Verb::Dial => Ok(()),
        }
    }

    fn require_line(&self, line: Line, otherwise: Rejection) -> Result<(), Rejection> {
        match self.interaction.line == line {
            true => Ok(()),
            false => Err(otherwise),
        }
    }

    fn conferenced(&self) -> usize {
        let parts = self.interaction.participants.iter();
        let talks = parts.filter(|it| it.role == Role::Conferenced && it.leg == Leg::Connected);
        talks.count()
    }

    /// The connector may never have got it. What it was to have done by now it does not do any more.
    pub(super) fn ask_again(&mut self) {
        let Some(request) = self.interaction.request.clone() else {
            return;
        };
        let at = self.now;
        match request.until > at {
            true => self.push(Event::Requested { at, request }),
            false => self.give_up(None),
        }
    }

    /// The connector has done it. A request that is not there was answered, or given up, before.
    pub(super) fn confirm(&mut self, id: &RequestId) -> Result<(), Rejection> {
        let request = self.answered_request(id)?;
        self.push(Event::Confirmed {
            at: self.now,
            request: id.clone(),
        });
        self.done(request);
        Ok(())
    }

    pub(super) fn refuse(&mut self, id: &RequestId, why: String) -> Result<(), Rejection> {
        self.answered_request(id)?;
        self.give_up(Some(why));
        Ok(())
    }

    /// What was asked is not done. Of a call that was never placed nothing is left.
    pub(super) fn give_up(&mut self, why: Option<String>) {
        let Some(Request { id, verb, .. }) = self.interaction.request.clone() else {
            return;
        };
        let at = self.now;
        self.push(Event::Failed {
            at,
            request: id,
            why,
        });
        if verb == Verb::Dial {
            self.end();
        }
    }

    fn answered_request(&self, id: &RequestId) -> Result<Request, Rejection> {
        let pending = self.interaction.request.as_ref();
        let found = pending.filter(|request| request.id == *id);
        found.cloned().ok_or(Rejection::NoRequest)
    }

    /// What makes no sense any more was overtaken by what the connector has said since.
    fn done(&mut self, Request { by, verb, .. }: Request) {
        let overtaken =
            verb != Verb::Accept && verb != Verb::Dial && self.stands(&by, &verb).is_err();
        if overtaken {
            return;
        }
        match verb {
            // The agent has joined; the customer has not answered yet.
            Verb::Accept if self.is_offered(&by) && self.interaction.line == Line::Dialing => {
                self.connect(&by);
            }
            Verb::Accept => drop(self.answered(&by)),
            Verb::Reject => self.not_taken(by, Leg::Rejected),
            Verb::Hold => self.line(Line::Held),
            Verb::Resume => self.line(Line::Connected),
            Verb::End => self.end(),
            Verb::Transfer { to } => {
                self.leave(&by);
                self.line(Line::Offered);
                match to {
                    Target::Agent(agent) => self.ask_once(agent, Role::Primary),
                    Target::Queue(_) => {}
                }
            }
            Verb::Consult { with } => {
                if self.interaction.medium == Medium::Voice {
                    self.line(Line::Held);
                }
                self.ask_once(with, Role::Consulted);
            }
            Verb::Retrieve => {
                self.end_consultation();
                self.line(Line::Connected);
            }
            Verb::CompleteTransfer => self.complete_transfer(&by),
            Verb::Conference { with } => self.confer(with),
            Verb::Leave => drop(self.gone(&by)),
            // The customer is still being called; the agent may have been heard of already, or has to join first.
            Verb::Dial => {
                let invite = self.interaction.part(&by).and_then(|it| it.invite.as_ref());
                let joins = invite.is_some_and(|invite| !invite.answered);
                if self.is_offered(&by) && !joins {
                    self.connect(&by);
                }
            }
        }
    }

    fn is_offered(&self, agent: &AgentId) -> bool {
        let part = self.interaction.part(agent);
        part.is_some_and(|part| matches!(part.leg, Leg::Offered { .. }))
    }

    /// One who takes part by now is not asked again.
    fn ask_once(&mut self, agent: AgentId, role: Role) {
        if !self.interaction.counts_for(&agent) {
            self.ask(agent, role);
        }
    }

    fn end_consultation(&mut self) {
        let consulted = self.interaction.consulted().map(|part| part.agent.clone());
        if let Some(agent) = consulted {
            self.leave(&agent);
        }
    }

    fn complete_transfer(&mut self, by: &AgentId) {
        let at = self.now;
        let consulted = self.interaction.consulted().map(|part| part.agent.clone());
        self.leave(by);
        if let Some(agent) = consulted {
            let role = Role::Primary;
            self.push(Event::RoleChanged { at, agent, role });
        }
        self.line(Line::Connected);
    }

    fn confer(&mut self, with: Option<AgentId>) {
        let at = self.now;
        let role = Role::Conferenced;
        match with {
            Some(agent) => self.ask_once(agent, role),
            None => {
                let consulted = self.interaction.consulted().map(|part| part.agent.clone());
                if let Some(agent) = consulted {
                    self.push(Event::RoleChanged { at, agent, role });
                }
                self.line(Line::Connected);
            }
        }
    }
}
