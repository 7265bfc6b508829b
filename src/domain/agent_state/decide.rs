//! What comes of a command to an agent.

use std::borrow::Cow;

use super::{
    Agent, Command, Connection, Event, Facts, INTERACTIONS_MAX, Occupation, Origin, Reason,
    Rejection, Stance, State, WrapUpRule, apply,
};
use crate::clock::Timestamp;
use crate::domain::ids::InteractionId;
use crate::domain::reason_code::Kind;

/// What comes of a command. What the agent is already is no event, so that a command can be repeated.
///
/// Whether the one who asks has the right is asked before.
///
/// # Errors
/// When the state or the list of reasons does not allow it.
pub fn decide(
    agent: &Agent,
    command: Command,
    now: Timestamp,
    facts: &Facts<'_>,
) -> Result<Vec<Event>, Rejection> {
    let mut draft = Draft::new(agent, now, facts);
    match command {
        Command::Login => draft.login(),
        Command::Logout { code } => draft.logout(&code)?,
        Command::Ready => draft.ready()?,
        Command::NotReady { code } => draft.not_ready(&code)?,
        Command::FinishWrapUp => draft.finish_wrap_up()?,
        Command::Engage { interaction } => draft.engage(interaction)?,
        Command::Release { interaction } => draft.release(interaction),
        Command::Devices => draft.devices(),
        Command::Revoke => draft.revoke(),
        Command::TimeIsUp => draft.time_is_up(),
    }
    Ok(draft.events)
}

/// The agent as it becomes, and what made it so. Most commands change nothing, and copy nothing.
struct Draft<'a> {
    agent: Cow<'a, Agent>,
    now: Timestamp,
    facts: &'a Facts<'a>,
    events: Vec<Event>,
}

impl<'a> Draft<'a> {
    fn new(agent: &'a Agent, now: Timestamp, facts: &'a Facts<'a>) -> Self {
        Self {
            agent: Cow::Borrowed(agent),
            now,
            facts,
            events: Vec::new(),
        }
    }

    fn push(&mut self, event: Event) {
        apply(self.agent.to_mut(), &event);
        self.events.push(event);
    }

    fn is_logged_out(&self) -> bool {
        matches!(self.agent.stance, Stance::LoggedOut { .. })
    }

    fn require_login(&self) -> Result<(), Rejection> {
        match self.is_logged_out() {
            true => Err(Rejection::LoggedOut),
            false => Ok(()),
        }
    }

    fn login(&mut self) {
        if self.is_logged_out() {
            self.push(Event::LoggedIn { at: self.now });
            self.devices();
        }
    }

    fn logout(&mut self, code: &str) -> Result<(), Rejection> {
        self.require_login()?;
        if self.agent.state() == State::Engaged {
            return Err(Rejection::Engaged);
        }
        let chosen = self.facts.reasons.choose(Kind::Logout, code)?;
        let reason = Reason::Code(chosen.code.clone());
        self.push(Event::LoggedOut {
            at: self.now,
            reason,
        });
        Ok(())
    }

    fn ready(&mut self) -> Result<(), Rejection> {
        self.require_login()?;
        if self.agent.state() == State::WrapUp {
            self.end_wrap_up(Origin::Agent);
        }
        self.become_available(Origin::Agent);
        Ok(())
    }

    fn not_ready(&mut self, code: &str) -> Result<(), Rejection> {
        self.require_login()?;
        let chosen = self.facts.reasons.choose(Kind::NotReady, code)?;
        let reason = Reason::Code(chosen.code.clone());
        if self.agent.state() == State::WrapUp {
            self.end_wrap_up(Origin::Agent);
        }
        self.become_not_ready(reason, Origin::Agent);
        Ok(())
    }

    fn finish_wrap_up(&mut self) -> Result<(), Rejection> {
        self.require_login()?;
        if self.agent.state() != State::WrapUp {
            return Err(Rejection::NotInWrapUp);
        }
        self.end_wrap_up(Origin::Agent);
        Ok(())
    }

    fn engage(&mut self, interaction: InteractionId) -> Result<(), Rejection> {
        self.require_login()?;
        if let Occupation::Engaged { interactions } = &self.agent.occupation {
            if interactions.contains(&interaction) {
                return Ok(());
            }
            if interactions.len() >= INTERACTIONS_MAX {
                return Err(Rejection::TooManyInteractions);
            }
        }
        let at = self.now;
        self.push(Event::Engaged { at, interaction });
        Ok(())
    }

    /// An interaction that is not there is over already: connectors repeat themselves after a crash.
    fn release(&mut self, interaction: InteractionId) {
        let Occupation::Engaged { interactions } = &self.agent.occupation else {
            return;
        };
        if !interactions.contains(&interaction) {
            return;
        }
        let (at, rule) = (self.now, self.facts.rules.wrap_up);
        if interactions.len() > 1 {
            return self.push(Event::Released { at, interaction });
        }
        let until = match rule {
            WrapUpRule::None => return self.push_idle(interaction),
            WrapUpRule::Open => None,
            WrapUpRule::Seconds(seconds) => Some(at.plus_seconds(seconds.into())),
        };
        self.push(Event::WrapUpBegan {
            at,
            interaction,
            until,
        });
        self.log_out_when_gone();
    }

    fn push_idle(&mut self, interaction: InteractionId) {
        let at = self.now;
        self.push(Event::BecameIdle { at, interaction });
        self.log_out_when_gone();
    }

    fn devices(&mut self) {
        if self.is_logged_out() {
            return;
        }
        let at = self.now;
        if self.facts.devices.sessions == 0 {
            if self.agent.connection == Connection::Online {
                let until = at.plus_seconds(self.facts.rules.grace_seconds.into());
                self.push(Event::ConnectionLost { at, until });
            }
            return;
        }
        if self.agent.connection != Connection::Online {
            self.push(Event::Reconnected { at });
            if self.is_not_ready_by(Origin::System) && !self.is_revoked() {
                self.become_available(Origin::System);
            }
        }
        self.follow_client();
    }

    /// Only a change of what the clients say is followed, so that an agent who has said otherwise since is
    /// not contradicted by a presence that is sent again.
    fn follow_client(&mut self) {
        let Some(busy) = self.facts.devices.busy() else {
            return;
        };
        if busy == self.agent.client_busy {
            return;
        }
        self.push(Event::ClientChanged { at: self.now, busy });
        if busy && self.agent.stance == Stance::Available {
            let default = self.facts.reasons.default_of(Kind::NotReady);
            let reason = default.map_or(Reason::Client, |it| Reason::Code(it.code.clone()));
            self.become_not_ready(reason, Origin::Client);
        } else if !busy && self.is_not_ready_by(Origin::Client) {
            self.become_available(Origin::Client);
        }
    }

    /// A conversation with a customer is not cut off.
    fn revoke(&mut self) {
        if self.is_logged_out() {
            return;
        }
        let reason = Reason::RightTaken;
        match self.agent.state() {
            State::Engaged => self.become_not_ready(reason, Origin::System),
            State::LoggedOut | State::Available | State::NotReady | State::WrapUp => {
                let at = self.now;
                self.push(Event::LoggedOut { at, reason });
            }
        }
    }

    fn is_revoked(&self) -> bool {
        let reason = Reason::RightTaken;
        matches!(&self.agent.stance, Stance::NotReady { reason: why, .. } if *why == reason)
    }

    fn time_is_up(&mut self) {
        let (at, rules) = (self.now, self.facts.rules);
        if let Occupation::WrapUp { until: Some(until) } = self.agent.occupation
            && until <= at
        {
            self.end_wrap_up(Origin::System);
        }
        if let Connection::Lost { until } = self.agent.connection
            && until <= at
        {
            let until = at.plus_seconds(rules.logout_seconds.into());
            self.push(Event::ConnectionTimedOut { at, until });
            if self.agent.stance == Stance::Available {
                self.become_not_ready(Reason::ConnectionLost, Origin::System);
            }
        }
        self.log_out_when_gone();
    }

    /// Whoever may stay no longer, or has not come back.
    fn log_out_when_gone(&mut self) {
        let at = self.now;
        if self.agent.state() == State::Engaged {
            return;
        }
        if self.is_revoked() {
            let reason = Reason::RightTaken;
            self.push(Event::LoggedOut { at, reason });
        } else if let Connection::Gone { until } = self.agent.connection
            && until <= at
        {
            let reason = Reason::ConnectionLost;
            self.push(Event::LoggedOut { at, reason });
        }
    }

    fn end_wrap_up(&mut self, origin: Origin) {
        self.push(Event::WrapUpEnded {
            at: self.now,
            origin,
        });
    }

    fn is_not_ready_by(&self, who: Origin) -> bool {
        matches!(&self.agent.stance, Stance::NotReady { origin, .. } if *origin == who)
    }

    fn become_available(&mut self, origin: Origin) {
        if self.agent.stance != Stance::Available {
            self.push(Event::BecameAvailable {
                at: self.now,
                origin,
            });
        }
    }

    fn become_not_ready(&mut self, reason: Reason, origin: Origin) {
        let stance = Stance::NotReady {
            reason: reason.clone(),
            origin,
        };
        if self.agent.stance != stance {
            let at = self.now;
            self.push(Event::BecameNotReady { at, reason, origin });
        }
    }
}
