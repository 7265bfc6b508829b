//! What comes of a command to an interaction. What agents want is in `request.rs`, what connectors say in
//! `connector.rs`.

use std::collections::BTreeMap;

use super::{
    Access, Command, DATA_BYTES_MAX, DATA_MAX, DATA_NAME_BYTES_MAX, DATA_VALUE_BYTES_MAX, Desk,
    Event, Facts, Interaction, Leg, Line, PARTICIPANTS_MAX, Rejection, Role, apply,
};
use crate::clock::Timestamp;
use crate::domain::agent_state::State;
use crate::domain::ids::{AgentId, CustomerId};

/// What comes of a command. What is so already is no event, so that a command can be repeated.
///
/// Whether `by` is who it says, and a connector the one that carries the interaction, is asked before.
///
/// # Errors
/// When line, part or request do not allow it.
pub fn decide(
    interaction: &Interaction,
    command: Command,
    now: Timestamp,
    facts: &Facts<'_>,
) -> Result<Vec<Event>, Rejection> {
    let mut draft = Draft::new(interaction, now, facts);
    match command {
        Command::Offer { agent, queue, data } => draft.offer(agent, queue, data)?,
        Command::Dial { by, request } => draft.dial(by, request)?,
        Command::Want { by, verb, request } => draft.want(by, verb, request)?,
        Command::Confirm { request } => draft.confirm(&request)?,
        Command::Refuse { request, why } => draft.refuse(&request, why)?,
        Command::Report(fact) => draft.report(fact)?,
        Command::Attach { by, data } => draft.attach(by, data)?,
        Command::Supply { data } => draft.supply(data)?,
        Command::Identify { by, customer } => draft.identify(by, customer)?,
        Command::FinishWrapUp { by } => draft.finish_wrap_up(by)?,
        Command::Invite { agent, uri } => draft.invite(agent, uri),
        Command::AnswerInvite { by } => draft.answer_invite(by),
        Command::AskAgain => draft.ask_again(),
        Command::PutOff { until } => draft.put_off(until),
        Command::TimeIsUp => draft.time_is_up(),
    }
    Ok(draft.events)
}

/// The interaction as it becomes, and what made it so.
pub(super) struct Draft<'a> {
    pub(super) interaction: Interaction,
    pub(super) now: Timestamp,
    pub(super) facts: &'a Facts<'a>,
    events: Vec<Event>,
}

impl<'a> Draft<'a> {
    fn new(interaction: &Interaction, now: Timestamp, facts: &'a Facts<'a>) -> Self {
        Self {
            interaction: interaction.clone(),
            now,
            facts,
            events: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, event: Event) {
        apply(&mut self.interaction, &event);
        self.events.push(event);
    }

    pub(super) fn line(&mut self, line: Line) {
        if self.interaction.line != line {
            self.push(Event::LineChanged { at: self.now, line });
        }
    }

    pub(super) fn connect(&mut self, agent: &AgentId) {
        self.push(Event::Connected {
            at: self.now,
            agent: agent.clone(),
        });
    }

    /// The agent is out of it: it writes up what it took part in, and is asked no longer.
    pub(super) fn leave(&mut self, agent: &AgentId) {
        let leg = self.interaction.part(agent).map(|part| part.leg);
        let (at, agent) = (self.now, agent.clone());
        match leg {
            Some(Leg::Connected) => self.push(Event::Left { at, agent }),
            Some(Leg::Offered { .. }) => {
                let leg = Leg::Withdrawn;
                self.push(Event::NotTaken { at, agent, leg });
            }
            Some(Leg::WrapUp | Leg::Done | Leg::Rejected | Leg::TimedOut | Leg::Withdrawn)
            | None => {}
        }
    }

    pub(super) fn ask(&mut self, agent: AgentId, role: Role) {
        let at = self.now;
        let until = at.plus_seconds(self.facts.offer_seconds.into());
        self.push(Event::Offered {
            at,
            agent,
            role,
            until,
        });
    }

    /// Everybody is out of it, and the customer gone.
    pub(super) fn end(&mut self) {
        let at = self.now;
        let open = |it: &&super::Participant| it.leg.is_open();
        let parts = self.interaction.participants.iter().filter(open);
        let agents: Vec<AgentId> = parts.map(|part| part.agent.clone()).collect();
        for agent in agents {
            self.leave(&agent);
        }
        self.line(Line::Over { at });
    }

    pub(super) const fn require_going_on(&self) -> Result<(), Rejection> {
        match (self.interaction.began_at, self.interaction.line) {
            (None, _) => Err(Rejection::Unknown),
            (Some(_), Line::Over { .. }) => Err(Rejection::Over),
            (Some(_), Line::Offered | Line::Dialing | Line::Connected | Line::Held) => Ok(()),
        }
    }

    /// Whether the agent of the facts can be asked to take part.
    pub(super) fn require_target(&self, agent: &AgentId) -> Result<(), Rejection> {
        let known = self.facts.target.filter(|desk| desk.colleague.id == agent);
        let Some(Desk {
            colleague,
            state,
            open,
        }) = known
        else {
            return Err(crate::domain::colleague::Prerequisite::NoAccount.into());
        };
        if colleague.role.is_none() {
            return Err(crate::domain::colleague::Prerequisite::NoAccount.into());
        }
        if !colleague.is_agent() {
            return Err(crate::domain::colleague::Prerequisite::NoAgent.into());
        }
        if self.interaction.counts_for(agent) {
            return Err(Rejection::TakesPart);
        }
        if self.interaction.participants.len() >= PARTICIPANTS_MAX {
            return Err(Rejection::TooManyParticipants);
        }
        match state {
            State::LoggedOut => return Err(Rejection::TargetLoggedOut),
            State::NotReady | State::WrapUp => return Err(Rejection::TargetNotReady),
            // Who is engaged takes more as long as the capacity allows it (S2-46).
            State::Available | State::Engaged => {}
        }
        let capacity = colleague.profile.capacity;
        let max = match self.interaction.medium {
            super::Medium::Voice => capacity.voice,
            super::Medium::Chat => capacity.chat,
            super::Medium::Email => capacity.email,
        };
        match open < usize::from(max) {
            true => Ok(()),
            false => Err(Rejection::CapacityFull),
        }
    }

    fn attach(&mut self, by: AgentId, data: BTreeMap<String, String>) -> Result<(), Rejection> {
        match self.interaction.access(&by) {
            Access::None => return Err(Rejection::Unknown),
            Access::Read => return Err(Rejection::ReadOnly),
            Access::Write => {}
        }
        self.put_data(Some(by), data)
    }

    /// What is there already is no change.
    pub(super) fn put_data(
        &mut self,
        by: Option<AgentId>,
        data: BTreeMap<String, String>,
    ) -> Result<(), Rejection> {
        let known = &self.interaction.data;
        let bad = |(name, value): (&String, &String)| {
            name.is_empty()
                || name.len() > DATA_NAME_BYTES_MAX
                || value.len() > DATA_VALUE_BYTES_MAX
        };
        if data.iter().any(bad) {
            return Err(Rejection::Data);
        }
        let news = |(name, value): &(String, String)| match value.is_empty() {
            true => known.contains_key(name),
            false => known.get(name) != Some(value),
        };
        let data: BTreeMap<String, String> = data.into_iter().filter(news).collect();
        if data.is_empty() {
            return Ok(());
        }
        let added = data
            .keys()
            .filter(|name| !known.contains_key(*name))
            .count();
        if known.len() + added > DATA_MAX {
            return Err(Rejection::Data);
        }
        let kept = known.iter().filter(|(name, _)| !data.contains_key(*name));
        let parts = kept.chain(&data);
        if parts
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>()
            > DATA_BYTES_MAX
        {
            return Err(Rejection::Data);
        }
        let at = self.now;
        self.push(Event::Attached { at, by, data });
        Ok(())
    }

    fn identify(&mut self, by: Option<AgentId>, customer: CustomerId) -> Result<(), Rejection> {
        match by.as_ref().map(|by| self.interaction.access(by)) {
            Some(Access::None) => return Err(Rejection::Unknown),
            Some(Access::Read) => return Err(Rejection::ReadOnly),
            Some(Access::Write) | None => {}
        }
        if self.interaction.customer.as_ref() != Some(&customer) {
            let at = self.now;
            self.push(Event::Identified { at, by, customer });
        }
        Ok(())
    }

    fn finish_wrap_up(&mut self, by: AgentId) -> Result<(), Rejection> {
        let at = self.now;
        match self.interaction.part(&by).map(|part| part.leg) {
            None => Err(Rejection::Unknown),
            Some(Leg::WrapUp) => {
                self.push(Event::WroteUp { at, agent: by });
                Ok(())
            }
            Some(Leg::Done) => Ok(()),
            Some(
                Leg::Offered { .. }
                | Leg::Connected
                | Leg::Rejected
                | Leg::TimedOut
                | Leg::Withdrawn,
            ) => Err(Rejection::NoWrapUp),
        }
    }

    fn time_is_up(&mut self) {
        let at = self.now;
        if self.interaction.lost_until.is_some_and(|until| until <= at) {
            // The connector has not come back.
            self.give_up(None);
            self.end();
            return;
        }
        let late = self.interaction.request.as_ref();
        let late = late.filter(|_| !self.interaction.interrupted);
        if late.is_some_and(|request| request.until <= at) {
            self.give_up(None);
        }
        let due =
            |it: &&super::Participant| matches!(it.leg, Leg::Offered { until } if until <= at);
        let parts = self.interaction.participants.iter().filter(due);
        let agents: Vec<AgentId> = parts.map(|part| part.agent.clone()).collect();
        for agent in agents {
            self.not_taken(agent, Leg::TimedOut);
        }
    }

    /// An agent who was asked does not take it. Where it was to deal with the customer, somebody else does, or nobody.
    pub(super) fn not_taken(&mut self, agent: AgentId, leg: Leg) {
        let at = self.now;
        self.push(Event::NotTaken { at, agent, leg });
        if self.interaction.primary().is_none() {
            self.succeed();
        }
    }
}
