//! Who may read an interaction and what belongs to it, and who may change it (S1-33 to S1-36).

use super::{Interaction, Leg, Role};
use crate::domain::ids::AgentId;
use crate::domain::im_session::{ImSession, Phase};

/// What an agent may do with attached data, the customer and the history, by its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing, and no hint that there is an interaction.
    None,
    /// Read, as long as it is consulted and no longer.
    Read,
    /// Read and change.
    Write,
}

impl Interaction {
    /// What the agent may do by its part in the interaction. Whoever is asked reads what it is asked for; whoever writes
    /// up still changes it; whoever has done that no longer.
    #[must_use]
    pub fn access(&self, agent: &AgentId) -> Access {
        let Some(part) = self.part(agent) else {
            return Access::None;
        };
        match (part.leg, part.role) {
            (Leg::Offered { .. }, Role::Primary | Role::Conferenced) => Access::Read,
            (Leg::Connected, Role::Primary | Role::Conferenced) => Access::Write,
            (Leg::WrapUp, Role::Primary | Role::Conferenced) => Access::Write,
            (Leg::Connected, Role::Consulted) => Access::Read,
            (Leg::Offered { .. } | Leg::WrapUp, Role::Consulted)
            | (Leg::Done | Leg::Rejected | Leg::TimedOut | Leg::Withdrawn, _) => Access::None,
        }
    }

    /// The same with a consultation by instant messages about it: while that is connected, and the one who began it
    /// may read the interaction itself, the invitee reads, too.
    #[must_use]
    pub fn access_with(&self, agent: &AgentId, consultation: Option<&ImSession>) -> Access {
        let own = self.access(agent);
        let consulted = consultation.is_some_and(|session| {
            session.about.as_ref() == Some(&self.id)
                && matches!(session.phase, Phase::Connected { .. })
                && session.invitee == *agent
                && self.access(&session.inviter) == Access::Write
        });
        match consulted {
            true => own.max(Access::Read),
            false => own,
        }
    }
}
