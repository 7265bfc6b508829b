//! What comes of a command to an IM session.

use super::{
    BODY_BYTES_MAX, Cause, Command, ENTRIES_MAX, Event, Facts, ImSession, PENDING_ENTRIES_MAX,
    PENDING_INCOMING_MAX, Party, Phase, Rejection, Text,
};
use crate::clock::Timestamp;
use crate::domain::colleague::may_message;
use crate::domain::ids::{AgentId, ContextId, InteractionId};

/// What comes of a command. What has happened already is no event, so that a command can be repeated; a
/// message is one each time.
///
/// Whether `by` is who it says, and has [`Right::InstantMessage`], is asked before; so is, for an
/// invitation, whether the colleague can be reached now ([`reach::ask`]).
///
/// [`Right::InstantMessage`]: crate::domain::rights::Right::InstantMessage
/// [`reach::ask`]: crate::domain::reach::ask
///
/// # Errors
/// When the phase, the part that `by` takes, or a limit does not allow it.
pub fn decide(
    session: &ImSession,
    command: Command,
    now: Timestamp,
    facts: &Facts<'_>,
) -> Result<Vec<Event>, Rejection> {
    let it = Decision {
        session,
        now,
        facts,
    };
    match command {
        Command::Invite { by, text, about } => it.invite(&by, text, about),
        Command::Accept { by } => it.accept(&by, Cause::Asked),
        Command::Reject { by } => it.reject(&by),
        Command::Cancel { by } => it.cancel(&by),
        Command::Say { by, text } => it.say(by, text),
        Command::Share { by, context } => it.share(by, context),
        Command::End { by } => it.end(by),
        Command::Done { by } => it.done(by),
        Command::AccountRemoved { account } => Ok(it.account_removed(account)),
        Command::TimeIsUp => Ok(it.time_is_up()),
    }
}

/// Who of the two it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Inviter,
    Invitee,
}

struct Decision<'a> {
    session: &'a ImSession,
    now: Timestamp,
    facts: &'a Facts<'a>,
}

type Decided = Result<Vec<Event>, Rejection>;

impl Decision<'_> {
    /// Strangers learn nothing of the phase.
    fn part(&self, by: &AgentId) -> Result<Part, Rejection> {
        if *by == self.session.inviter {
            Ok(Part::Inviter)
        } else if *by == self.session.invitee {
            Ok(Part::Invitee)
        } else {
            Err(Rejection::NotParticipant)
        }
    }

    fn invite(&self, by: &AgentId, text: Text, about: Option<InteractionId>) -> Decided {
        if self.part(by)? != Part::Inviter {
            return Err(Rejection::NotInviter);
        }
        if self.session.phase != Phase::NotConnected {
            return Err(Rejection::AlreadyInvited);
        }
        let Facts { inviter, invitee } = self.facts;
        may_message(&inviter.colleague, &invitee.colleague)?;
        check(&text)?;
        require_channel(inviter)?;
        if require_channel(invitee).is_err() || invitee.pending_incoming >= PENDING_INCOMING_MAX {
            return Err(Rejection::InviteeBusy);
        }
        let at = self.now;
        let seconds = inviter.colleague.profile.invitation_seconds;
        let until = at.plus_seconds(seconds.into());
        Ok(vec![Event::Invited {
            at,
            until,
            text,
            about,
        }])
    }

    /// The inviter's channel is taken since the invitation; the invitee's has to be free now.
    fn accept(&self, by: &AgentId, cause: Cause) -> Decided {
        if self.part(by)? != Part::Invitee {
            return Err(Rejection::NotInvitee);
        }
        match self.session.phase {
            Phase::Pending { .. } => {
                let Facts { inviter, invitee } = self.facts;
                may_message(&invitee.colleague, &inviter.colleague)?;
                require_channel(invitee)?;
                Ok(vec![Event::Accepted {
                    at: self.now,
                    cause,
                }])
            }
            Phase::Connected { .. } => Ok(vec![]),
            Phase::NotConnected
            | Phase::Rejected { .. }
            | Phase::Cancelled { .. }
            | Phase::Ended { .. } => Err(self.not_open()),
        }
    }

    fn reject(&self, by: &AgentId) -> Decided {
        if self.part(by)? != Part::Invitee {
            return Err(Rejection::NotInvitee);
        }
        let (at, cause) = (self.now, Cause::Asked);
        match self.session.phase {
            Phase::Pending { .. } => Ok(vec![Event::Rejected { at, cause }]),
            Phase::Rejected { .. } => Ok(vec![]),
            Phase::Connected { .. } => Err(Rejection::Connected),
            Phase::NotConnected | Phase::Cancelled { .. } | Phase::Ended { .. } => {
                Err(self.not_open())
            }
        }
    }

    fn cancel(&self, by: &AgentId) -> Decided {
        if self.part(by)? != Part::Inviter {
            return Err(Rejection::NotInviter);
        }
        let (at, cause) = (self.now, Cause::Asked);
        match self.session.phase {
            Phase::Pending { .. } => Ok(vec![Event::Cancelled { at, cause }]),
            Phase::Cancelled { .. } => Ok(vec![]),
            Phase::Connected { .. } => Err(Rejection::Connected),
            Phase::NotConnected | Phase::Rejected { .. } | Phase::Ended { .. } => {
                Err(self.not_open())
            }
        }
    }

    fn say(&self, by: AgentId, text: Text) -> Decided {
        let part = self.part(&by)?;
        let mut events = match (&self.session.phase, part) {
            (Phase::Connected { .. }, _) => vec![],
            (Phase::Pending { .. }, Part::Invitee) => self.accept(&by, Cause::Implied)?,
            (Phase::Pending { .. }, Part::Inviter)
                if self.session.entries < PENDING_ENTRIES_MAX =>
            {
                vec![]
            }
            (Phase::Pending { .. }, Part::Inviter) => return Err(Rejection::AnswerAwaited),
            (
                Phase::NotConnected
                | Phase::Rejected { .. }
                | Phase::Cancelled { .. }
                | Phase::Ended { .. },
                _,
            ) => return Err(self.not_open()),
        };
        check(&text)?;
        self.require_room()?;
        events.push(Event::Said {
            at: self.now,
            by,
            text,
        });
        Ok(events)
    }

    fn share(&self, by: AgentId, context: ContextId) -> Decided {
        match (&self.session.phase, self.part(&by)?) {
            (Phase::Connected { .. }, _) => {
                self.require_room()?;
                Ok(vec![Event::Shared {
                    at: self.now,
                    by,
                    context,
                }])
            }
            (Phase::Pending { .. }, Part::Inviter) => Err(Rejection::AnswerAwaited),
            (Phase::Pending { .. }, Part::Invitee) => Err(Rejection::NotAnswered),
            (
                Phase::NotConnected
                | Phase::Rejected { .. }
                | Phase::Cancelled { .. }
                | Phase::Ended { .. },
                _,
            ) => Err(self.not_open()),
        }
    }

    fn end(&self, by: AgentId) -> Decided {
        let part = self.part(&by)?;
        let (at, cause) = (self.now, Cause::Asked);
        match (&self.session.phase, part) {
            (Phase::Connected { .. }, _) => Ok(vec![Event::Ended { at, by, cause }]),
            (Phase::Ended { .. }, _) | (Phase::Cancelled { .. }, Part::Inviter) => Ok(vec![]),
            (Phase::Pending { .. }, Part::Inviter) => Ok(vec![Event::Cancelled { at, cause }]),
            (Phase::Pending { .. }, Part::Invitee) => Err(Rejection::NotAnswered),
            (Phase::NotConnected | Phase::Rejected { .. } | Phase::Cancelled { .. }, _) => {
                Err(self.not_open())
            }
        }
    }

    fn done(&self, by: AgentId) -> Decided {
        let part = self.part(&by)?;
        let (at, cause) = (self.now, Cause::Implied);
        let mut events = match (&self.session.phase, part) {
            // The window closes, and nothing was ever here (S1-30).
            (Phase::NotConnected, _) => return Ok(vec![]),
            (Phase::Pending { .. }, Part::Inviter) => vec![Event::Cancelled { at, cause }],
            (Phase::Pending { .. }, Part::Invitee) => return Err(Rejection::NotAnswered),
            (Phase::Connected { .. }, _) => {
                let by = by.clone();
                vec![Event::Ended { at, by, cause }]
            }
            (Phase::Rejected { .. } | Phase::Cancelled { .. } | Phase::Ended { .. }, _) => vec![],
        };
        if !self.is_done(part) {
            events.push(Event::Done { at, by });
        }
        Ok(events)
    }

    /// What is open comes to its end, and the session is done for who is no longer there.
    fn account_removed(&self, account: AgentId) -> Vec<Event> {
        let Ok(part) = self.part(&account) else {
            return vec![];
        };
        let (at, cause) = (self.now, Cause::AccountRemoved);
        let mut events = match (&self.session.phase, part) {
            (Phase::NotConnected, _) => return vec![],
            (Phase::Pending { .. }, Part::Inviter) => vec![Event::Cancelled { at, cause }],
            (Phase::Pending { .. }, Part::Invitee) => vec![Event::Rejected { at, cause }],
            (Phase::Connected { .. }, _) => {
                let by = account.clone();
                vec![Event::Ended { at, by, cause }]
            }
            (Phase::Rejected { .. } | Phase::Cancelled { .. } | Phase::Ended { .. }, _) => vec![],
        };
        if !self.is_done(part) {
            events.push(Event::Done { at, by: account });
        }
        events
    }

    fn time_is_up(&self) -> Vec<Event> {
        match self.session.deadline() {
            Some(until) if until <= self.now => vec![Event::TimedOut { at: self.now }],
            Some(_) | None => vec![],
        }
    }

    const fn is_done(&self, part: Part) -> bool {
        match part {
            Part::Inviter => self.session.inviter_done,
            Part::Invitee => self.session.invitee_done,
        }
    }

    const fn require_room(&self) -> Result<(), Rejection> {
        match self.session.entries < ENTRIES_MAX {
            true => Ok(()),
            false => Err(Rejection::TranscriptFull),
        }
    }

    /// Why nothing can be said or answered in this phase.
    const fn not_open(&self) -> Rejection {
        match self.session.phase {
            Phase::NotConnected => Rejection::NotInvited,
            Phase::Pending { .. } => Rejection::NotAnswered,
            Phase::Connected { .. } => Rejection::Connected,
            Phase::Rejected { .. } => Rejection::Rejected,
            Phase::Cancelled { .. } => Rejection::Cancelled,
            Phase::Ended { .. } => Rejection::Ended,
        }
    }
}

fn require_channel(party: &Party<'_>) -> Result<(), Rejection> {
    let max = party.colleague.profile.im_channels_max;
    match party.channels < usize::from(max) {
        true => Ok(()),
        false => Err(Rejection::ChannelsFull { max }),
    }
}

fn check(text: &Text) -> Result<(), Rejection> {
    if text.body.trim().is_empty() {
        return Err(Rejection::Empty);
    }
    if text.body.len() > BODY_BYTES_MAX {
        return Err(Rejection::TooLong);
    }
    Ok(())
}
