//! What a connector offers and says. Of its medium it knows more than we do, so what it says is taken, unless
//! it makes no sense at all.

use std::collections::BTreeMap;

use super::decide::Draft;
use super::{Event, Fact, Leg, Line, PUT_OFF_MAX, Rejection, Role, Verb};
use crate::clock::Timestamp;
use crate::domain::ids::AgentId;

impl Draft<'_> {
    /// An offer that stands already is one that the connector repeats.
    pub(super) fn offer(
        &mut self,
        agent: AgentId,
        queue: Option<String>,
        data: BTreeMap<String, String>,
    ) -> Result<(), Rejection> {
        if self.interaction.is_over() {
            return Err(Rejection::Over);
        }
        if let Some(primary) = self.interaction.primary() {
            return match primary.agent == agent {
                true => Ok(()),
                false => Err(Rejection::TakesPart),
            };
        }
        self.require_target(&agent)?;
        if self.interaction.began_at.is_none() {
            self.push(Event::Began {
                at: self.now,
                queue,
            });
        }
        self.put_data(None, data)?;
        self.ask(agent, Role::Primary);
        Ok(())
    }

    pub(super) fn report(&mut self, fact: Fact) -> Result<(), Rejection> {
        if self.interaction.began_at.is_none() {
            return Err(Rejection::Unknown);
        }
        if self.interaction.is_over() {
            // A connector that repeats itself, or is late.
            return Ok(());
        }
        match fact {
            Fact::Connected(agent) => self.answered(&agent)?,
            Fact::Held => self.customer_is(Line::Held),
            Fact::Talking => self.customer_is(Line::Connected),
            Fact::Left(agent) => self.gone(&agent)?,
            Fact::Ended => {
                self.give_up(None);
                self.end();
            }
            Fact::Interrupted { until } => self.interrupted(Some(until)),
            Fact::Restored => self.interrupted(None),
        }
        Ok(())
    }

    /// The customer talks or waits with those who are connected; a call that is answered connects who has dialed. Where
    /// nobody is, it goes on waiting for somebody, whatever it hears.
    fn customer_is(&mut self, line: Line) {
        let primary = self.interaction.primary();
        let dialed = primary.filter(|_| self.interaction.line == Line::Dialing);
        let dialed = dialed.filter(|part| part.leg != Leg::Connected);
        if let Some(agent) = dialed.map(|part| part.agent.clone()) {
            self.connect(&agent);
        }
        if self.is_with_somebody() {
            self.line(line);
        }
    }

    fn is_with_somebody(&self) -> bool {
        let mut parts = self.interaction.participants.iter();
        let with = |role: Role| matches!(role, Role::Primary | Role::Conferenced);
        parts.any(|part| with(part.role) && part.leg == Leg::Connected)
    }

    /// The connector may attach to what it has offered, also while agents write up.
    pub(super) fn supply(&mut self, data: BTreeMap<String, String>) -> Result<(), Rejection> {
        if self.interaction.began_at.is_none() {
            return Err(Rejection::Unknown);
        }
        self.put_data(None, data)
    }

    /// Interrupted until then at the latest; `None` when it is so no longer. What is interrupted already is waited
    /// for no longer than was said at first.
    fn interrupted(&mut self, until: Option<Timestamp>) {
        let interrupted = until.is_some();
        if self.interaction.interrupted != interrupted {
            self.push(Event::Interrupted {
                at: self.now,
                interrupted,
                until,
            });
        }
    }

    /// Only what is still interrupted is waited for.
    pub(super) fn put_off(&mut self, until: Timestamp) {
        let it = &self.interaction;
        let longer = it.lost_until.is_some_and(|known| known < until);
        if it.interrupted && longer && it.put_off < PUT_OFF_MAX {
            let at = self.now;
            self.push(Event::PutOff { at, until });
        }
    }

    /// An agent talks: to the customer, or to the colleague who consults it.
    pub(super) fn answered(&mut self, agent: &AgentId) -> Result<(), Rejection> {
        let part = self.interaction.part(agent).ok_or(Rejection::Unknown)?;
        let role = part.role;
        match part.leg {
            Leg::Offered { .. } => self.connect(agent),
            Leg::Connected => {}
            // The offer was over before the connector said so. It is as it says, where the place is still free.
            Leg::Rejected | Leg::TimedOut | Leg::Withdrawn if self.is_free(role) => {
                self.connect(agent);
            }
            Leg::WrapUp | Leg::Done | Leg::Rejected | Leg::TimedOut | Leg::Withdrawn => {
                return Err(Rejection::NotOffered);
            }
        }
        let mut role = role;
        if role == Role::Conferenced && self.interaction.primary().is_none() {
            // Whoever asked for it has left meanwhile.
            role = Role::Primary;
            let (at, agent) = (self.now, agent.clone());
            self.push(Event::RoleChanged { at, agent, role });
        }
        match (role, self.interaction.line) {
            // One who is conferenced is with the customer, while it is still offered to who shall deal with it.
            (Role::Primary | Role::Conferenced, Line::Offered) | (Role::Primary, Line::Dialing) => {
                self.line(Line::Connected)
            }
            (Role::Primary, Line::Connected | Line::Held | Line::Over { .. })
            | (
                Role::Conferenced,
                Line::Dialing | Line::Connected | Line::Held | Line::Over { .. },
            )
            | (Role::Consulted, _) => {}
        }
        Ok(())
    }

    fn is_free(&self, role: Role) -> bool {
        let primary = self.interaction.primary();
        match role {
            Role::Primary => primary.is_none(),
            Role::Consulted => primary.is_some() && self.interaction.consulted().is_none(),
            Role::Conferenced => primary.is_some(),
        }
    }

    /// An agent is out of it. Another takes its place with the customer, if there is one; without any, the
    /// interaction goes back to its connector.
    pub(super) fn gone(&mut self, agent: &AgentId) -> Result<(), Rejection> {
        let part = self.interaction.part(agent).ok_or(Rejection::Unknown)?;
        let was_primary = part.role == Role::Primary && part.leg.is_open();
        let request = self.interaction.request.as_ref();
        if request.is_some_and(|request| request.verb == Verb::Dial && request.by == *agent) {
            // Nobody is left for whom the customer would be called.
            self.give_up(None);
            return Ok(());
        }
        self.leave(agent);
        if was_primary {
            self.succeed();
        } else if matches!(self.interaction.line, Line::Connected | Line::Held)
            && !self.is_with_somebody()
        {
            // It is offered to somebody still.
            self.line(Line::Offered);
        }
        Ok(())
    }

    /// The one who was conferenced first deals with the customer from now on. A consultation ends with the one
    /// who began it. Without anybody the customer waits for whoever the connector finds.
    pub(super) fn succeed(&mut self) {
        let at = self.now;
        let consulted = self.interaction.consulted().map(|part| part.agent.clone());
        let mut others = self.interaction.participants.iter();
        let next = others.find(|it| it.role == Role::Conferenced && it.leg == Leg::Connected);
        let next = next.map(|part| part.agent.clone());
        if let Some(agent) = next {
            let role = Role::Primary;
            self.push(Event::RoleChanged { at, agent, role });
        } else if let Some(consulted) = consulted {
            self.leave(&consulted);
            self.line(Line::Offered);
        } else {
            self.line(Line::Offered);
        }
    }
}
