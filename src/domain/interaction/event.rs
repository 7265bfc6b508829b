//! What happens in an interaction: commands, and the events that come of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Interaction, Invite, Leg, Line, Participant, Request, Role, Verb};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, CustomerId, RequestId};

/// What happens in an interaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The connector offers it to an agent: for the first time, after another did not take it, or when the queue of a transfer
    /// has found somebody.
    Offer {
        /// To whom.
        agent: AgentId,
        /// The queue that it came through.
        queue: Option<String>,
        /// Case data.
        data: BTreeMap<String, String>,
    },
    /// An agent calls the customer (S2-8).
    Dial {
        /// Who.
        by: AgentId,
        /// What the connector is asked by.
        request: RequestId,
    },
    /// An agent wants something.
    Want {
        /// Who.
        by: AgentId,
        /// What.
        verb: Verb,
        /// What the connector is asked by.
        request: RequestId,
    },
    /// The connector has done what was asked.
    Confirm {
        /// Which request.
        request: RequestId,
    },
    /// The connector has not done it, and will not.
    Refuse {
        /// Which request.
        request: RequestId,
        /// Why, in words for the agent.
        why: String,
    },
    /// The connector says what is so.
    Report(Fact),
    /// An agent attaches data; an empty value takes the name away.
    Attach {
        /// Who.
        by: AgentId,
        /// What.
        data: BTreeMap<String, String>,
    },
    /// The connector attaches data; an empty value takes the name away.
    Supply {
        /// What.
        data: BTreeMap<String, String>,
    },
    /// The customer is known, or another one than was thought (S2-13).
    Identify {
        /// Who says so; `None` for the server, which has found the only match.
        by: Option<AgentId>,
        /// Who it is.
        customer: CustomerId,
    },
    /// The connector says where the call is that an agent who is asked joins; on another medium than voice it means nothing.
    Invite {
        /// Who.
        agent: AgentId,
        /// Where.
        uri: String,
    },
    /// One of the agent's clients answers that.
    AnswerInvite {
        /// Whose.
        by: AgentId,
    },
    /// An agent has written up.
    FinishWrapUp {
        /// Who.
        by: AgentId,
    },
    /// The connector is back, and what was asked of it may have been lost with its stream: it is asked once more, by the same
    /// id, as long as there is time for it.
    AskAgain,
    /// The connector is there, and has not told yet what is so: it is waited for longer, [`super::PUT_OFF_MAX`] times.
    PutOff {
        /// How long.
        until: Timestamp,
    },
    /// [`Interaction::deadline`] has come. Too early or too late does no harm.
    TimeIsUp,
}

/// What a connector says of its medium without having been asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The agent talks to the customer or, consulted, to the colleague: it has answered at the telephone.
    Connected(AgentId),
    /// The customer is on hold.
    Held,
    /// The customer talks: has answered, or is off hold.
    Talking,
    /// The agent is out of it.
    Left(AgentId),
    /// The customer is gone.
    Ended,
    /// The connector's stream is broken.
    Interrupted {
        /// How long it is waited for.
        until: Timestamp,
    },
    /// It is back, and what follows is so.
    Restored,
}

/// What has happened in an interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It began: by an offer, or by a call to the customer.
    Began {
        /// When.
        at: Timestamp,
        /// The queue that it came through.
        queue: Option<String>,
    },
    /// An agent is asked to take part.
    Offered {
        /// When.
        at: Timestamp,
        /// Who.
        agent: AgentId,
        /// In which role.
        role: Role,
        /// Until when.
        until: Timestamp,
    },
    /// Something is asked of the connector.
    Requested {
        /// When.
        at: Timestamp,
        /// What.
        request: Request,
    },
    /// The connector has done it; what came of it follows.
    Confirmed {
        /// When.
        at: Timestamp,
        /// Which request.
        request: RequestId,
    },
    /// The connector has refused, or said nothing in time; all is as it was.
    Failed {
        /// When.
        at: Timestamp,
        /// Which request.
        request: RequestId,
        /// Why; `None` when it said nothing.
        why: Option<String>,
    },
    /// An agent takes part.
    Connected {
        /// When.
        at: Timestamp,
        /// Who.
        agent: AgentId,
    },
    /// An agent does not, and why: the leg is one of those that are over.
    NotTaken {
        /// When.
        at: Timestamp,
        /// Who.
        agent: AgentId,
        /// Rejected, timed out or withdrawn.
        leg: Leg,
    },
    /// An agent has left, and writes up.
    Left {
        /// When.
        at: Timestamp,
        /// Who.
        agent: AgentId,
    },
    /// An agent has another role.
    RoleChanged {
        /// When.
        at: Timestamp,
        /// Who.
        agent: AgentId,
        /// Which.
        role: Role,
    },
    /// The customer is elsewhere than before.
    LineChanged {
        /// When.
        at: Timestamp,
        /// Where.
        line: Line,
    },
    /// Data was attached or taken away.
    Attached {
        /// When.
        at: Timestamp,
        /// By whom; `None` for the connector.
        by: Option<AgentId>,
        /// What; an empty value takes the name away.
        data: BTreeMap<String, String>,
    },
    /// The customer is known.
    Identified {
        /// When.
        at: Timestamp,
        /// Who says so.
        by: Option<AgentId>,
        /// Who it is.
        customer: CustomerId,
    },
    /// The connector's stream is broken, or back.
    Interrupted {
        /// When.
        at: Timestamp,
        /// Which of both.
        interrupted: bool,
        /// How long the connector is waited for.
        #[serde(default)]
        until: Option<Timestamp>,
    },
    /// The agent's clients are invited to a call.
    Invited {
        /// When.
        at: Timestamp,
        /// Whose.
        agent: AgentId,
        /// Where it is.
        uri: String,
    },
    /// One of them has answered.
    InviteAnswered {
        /// When.
        at: Timestamp,
        /// Whose.
        agent: AgentId,
    },
    /// A connector that is there and does not tell what is so is waited for longer.
    PutOff {
        /// When.
        at: Timestamp,
        /// How long.
        until: Timestamp,
    },
    /// An agent has written up.
    WroteUp {
        /// When.
        at: Timestamp,
        /// Who.
        agent: AgentId,
    },
}

/// Makes the interaction what it is after the event.
pub fn apply(interaction: &mut Interaction, event: &Event) {
    interaction.version = interaction.version.saturating_add(1);
    match event {
        Event::Began { at, queue } => {
            interaction.began_at = Some(*at);
            interaction.queue.clone_from(queue);
        }
        Event::Offered {
            at,
            agent,
            role,
            until,
        } => interaction.participants.push(Participant {
            agent: agent.clone(),
            role: *role,
            leg: Leg::Offered { until: *until },
            offered_at: *at,
            connected_at: None,
            left_at: None,
            invite: None,
        }),
        Event::Requested { request, .. } => interaction.request = Some(request.clone()),
        Event::Confirmed { .. } | Event::Failed { .. } => interaction.request = None,
        Event::Connected { at, agent } => change(interaction, agent, |part| {
            part.leg = Leg::Connected;
            part.connected_at = Some(*at);
        }),
        Event::NotTaken { agent, leg, .. } => change(interaction, agent, |part| part.leg = *leg),
        Event::Left { at, agent } => change(interaction, agent, |part| {
            part.leg = Leg::WrapUp;
            part.left_at = Some(*at);
        }),
        Event::RoleChanged { agent, role, .. } => {
            change(interaction, agent, |part| part.role = *role);
        }
        Event::LineChanged { line, .. } => {
            interaction.line = *line;
            if interaction.is_over() {
                // Nobody waits for the connector any more.
                interaction.interrupted = false;
                interaction.lost_until = None;
            }
        }
        Event::Attached { data, .. } => attach(interaction, data),
        Event::Identified { customer, .. } => interaction.customer = Some(customer.clone()),
        Event::Interrupted {
            interrupted, until, ..
        } => {
            interaction.interrupted = *interrupted;
            interaction.lost_until = *until;
            interaction.put_off = 0;
        }
        Event::Invited { agent, uri, .. } => {
            change(interaction, agent, |part| {
                part.invite = Some(Invite::to(uri))
            });
        }
        Event::InviteAnswered { agent, .. } => change(interaction, agent, Participant::answer),
        Event::PutOff { until, .. } => {
            interaction.lost_until = Some(*until);
            interaction.put_off = interaction.put_off.saturating_add(1);
        }
        Event::WroteUp { agent, .. } => change(interaction, agent, |part| part.leg = Leg::Done),
    }
}

/// What is empty is taken away.
fn attach(interaction: &mut Interaction, data: &BTreeMap<String, String>) {
    for (name, value) in data {
        match value.is_empty() {
            true => drop(interaction.data.remove(name)),
            false => drop(interaction.data.insert(name.clone(), value.clone())),
        }
    }
}

/// Changes the agent's present part.
fn change(interaction: &mut Interaction, agent: &AgentId, with: impl FnOnce(&mut Participant)) {
    let mut parts = interaction.participants.iter_mut().rev();
    if let Some(part) = parts.find(|part| part.agent == *agent) {
        with(part);
    }
}
