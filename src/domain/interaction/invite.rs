//! Calls that the clients of who is asked are invited to (XEP-0482).

use serde::{Deserialize, Serialize};

use super::decide::Draft;
use super::{Event, Leg, Medium, Participant};
use crate::domain::ids::AgentId;

/// A call that an agent's clients can join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Where it is.
    pub uri: String,
    /// Whether one of the clients has answered, which stops the others.
    pub answered: bool,
}

impl Invite {
    /// To a call there, which nobody has answered yet.
    pub(super) fn to(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            answered: false,
        }
    }
}

impl Participant {
    /// One of the clients has answered.
    pub(super) const fn answer(&mut self) {
        if let Some(invite) = &mut self.invite {
            invite.answered = true;
        }
    }
}

impl Draft<'_> {
    /// Who is asked joins a call there. One who is not asked any more needs no way to it.
    pub(super) fn invite(&mut self, agent: AgentId, uri: String) {
        let part = self.interaction.part(&agent);
        let asked = part.filter(|part| matches!(part.leg, Leg::Offered { .. }));
        let news = asked.filter(|it| it.invite.as_ref().is_none_or(|known| known.uri != uri));
        if news.is_some() && self.interaction.medium == Medium::Voice {
            let at = self.now;
            self.push(Event::Invited { at, agent, uri });
        }
    }

    pub(super) fn answer_invite(&mut self, by: AgentId) {
        let invite = self.interaction.part(&by).and_then(|it| it.invite.as_ref());
        if invite.is_some_and(|invite| !invite.answered) {
            let (at, agent) = (self.now, by);
            self.push(Event::InviteAnswered { at, agent });
        }
    }
}
