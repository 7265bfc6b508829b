//! What a decision has to know of the two: who they are, what they have open, what is between them.

use crate::contact_center::center::Place;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::people::{Person, between};
use crate::domain::chat_profile::Means;
use crate::domain::ids::AgentId;
use crate::domain::im_session::{Command, Facts, ImSession, Party};
use crate::domain::reach::{self, Addresses, Asker, Target};
use crate::hooks::Services;

/// The two.
pub(super) struct Parties {
    inviter: Known,
    invitee: Known,
}

/// What is known of one of them.
struct Known {
    person: Person,
    channels: usize,
    pending_incoming: usize,
}

/// Whether the rule looks at the two: at an invitation, and where a channel is taken.
pub(super) fn matter(session: &ImSession, command: &Command) -> bool {
    match command {
        Command::Invite { .. } | Command::Accept { .. } => true,
        Command::Say { by, .. } => super::is_pending(session) && *by == session.invitee,
        Command::Reject { .. }
        | Command::Cancel { .. }
        | Command::Share { .. }
        | Command::End { .. }
        | Command::Done { .. }
        | Command::AccountRemoved { .. }
        | Command::TimeIsUp => false,
    }
}

impl Parties {
    /// Reads them. What they have open is guarded: of two decisions that take somebody's last channel
    /// one is made anew.
    pub(super) async fn load(
        place: &Place,
        services: &Services,
        session: &ImSession,
        draft: &mut Draft,
    ) -> Result<Self, Refused> {
        Ok(Self {
            inviter: Known::load(place, services, &session.inviter, draft).await?,
            invitee: Known::load(place, services, &session.invitee, draft).await?,
        })
    }

    /// For a rule that does not look at them.
    pub(super) fn unread(session: &ImSession) -> Self {
        Self {
            inviter: Known::unread(&session.inviter),
            invitee: Known::unread(&session.invitee),
        }
    }

    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            inviter: self.inviter.party(),
            invitee: self.invitee.party(),
        }
    }

    /// Whether the invitee can be reached by an instant message now (S0-22). The channels are left to the
    /// session's own rule, which says how many there are.
    pub(super) async fn reach(&self, services: &Services) -> Result<(), Refused> {
        let (own, theirs) = (&self.inviter.person, &self.invitee.person);
        let agent = super::super::agents::find(services, &theirs.id).await?;
        let asker = Asker {
            colleague: own.colleague(),
            channels: 0,
        };
        let target = Target {
            colleague: theirs.colleague(),
            agent: &agent,
            addresses: &Addresses::default(),
            channels: 0,
            blocking: between(services, &own.id, &theirs.id).await?,
        };
        reach::ask(Means::InstantMessage, &asker, &target)?;
        Ok(())
    }
}

impl Known {
    async fn load(
        place: &Place,
        services: &Services,
        agent: &AgentId,
        draft: &mut Draft,
    ) -> Result<Self, Refused> {
        let records = services.store.records();
        let own = agent.jid().as_str();
        draft.guard(records.guard(&format!("im:{own}")).await?);
        let count = async |list| {
            let count = records.count(super::KIND, (list, own)).await?;
            Ok::<_, Refused>(usize::try_from(count).unwrap_or(usize::MAX))
        };
        Ok(Self {
            channels: count(super::CHANNEL).await?,
            pending_incoming: count(super::PENDING_INCOMING).await?,
            person: Person::find(place, &services.store, agent).await?,
        })
    }

    fn unread(agent: &AgentId) -> Self {
        let person = Person {
            id: agent.clone(),
            role: None,
            rights: std::sync::Arc::default(),
            profile: std::sync::Arc::default(),
        };
        Self {
            person,
            channels: 0,
            pending_incoming: 0,
        }
    }

    fn party(&self) -> Party<'_> {
        Party {
            colleague: self.person.colleague(),
            channels: self.channels,
            pending_incoming: self.pending_incoming,
        }
    }
}
