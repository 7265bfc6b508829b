//! What people read of an interaction: a sentence for whatever an agent must not miss.

use super::wire;
use crate::domain::ids::AgentId;
use crate::domain::interaction::{Event, Interaction, Leg, Line, Medium, Role, Verb};

/// What has happened, from before to after.
pub(super) struct Happened<'a> {
    pub(super) before: &'a Interaction,
    pub(super) after: &'a Interaction,
    pub(super) events: &'a [Event],
}

/// The word for what the customer is on.
pub(super) const fn medium(medium: Medium) -> &'static str {
    match medium {
        Medium::Voice => "call",
        Medium::Chat => "chat",
        Medium::Email => "e-mail",
    }
}

/// `the call with +493012345678`
pub(super) fn with_whom(interaction: &Interaction) -> String {
    let medium = medium(interaction.medium);
    format!("the {medium} with {}", interaction.address)
}

impl Happened<'_> {
    /// The sentences for that agent; none where it misses nothing.
    pub(super) fn sentences(&self, agent: &AgentId) -> Vec<String> {
        let all = self.events.iter();
        all.filter_map(|event| self.sentence(agent, event))
            .collect()
    }

    fn sentence(&self, agent: &AgentId, event: &Event) -> Option<String> {
        match event {
            Event::Offered {
                agent: asked, role, ..
            } if asked == agent => self.offered(agent, *role),
            Event::Failed { why, request, .. } => {
                let asked = self.before.request.as_ref();
                let own = asked.filter(|it| it.id == *request && it.by == *agent)?;
                if self.after.is_over() && own.verb != Verb::Dial {
                    // Its end is told.
                    return None;
                }
                let what = wire::verb(&own.verb).replace('-', " ");
                let why = why.as_deref().map(str::trim).unwrap_or_default();
                let why = match why.trim_end_matches('.') {
                    "" => "the telephony or chat system has not answered",
                    why => why,
                };
                Some(format!("Not done: {what} ({why})."))
            }
            Event::NotTaken {
                agent: whose, leg, ..
            } => self.not_taken(agent, whose, *leg),
            Event::Connected { agent: whose, .. } => {
                let other = self.of_another(agent, whose)?;
                Some(format!("{other} has accepted."))
            }
            Event::Left { agent: whose, .. } => self.left(agent, whose),
            Event::RoleChanged {
                agent: whose, role, ..
            } if whose == agent => match role {
                Role::Primary => Some("You deal with the customer now.".to_owned()),
                Role::Conferenced => Some("You talk to the customer, too.".to_owned()),
                Role::Consulted => None,
            },
            Event::LineChanged {
                line: Line::Over { .. },
                ..
            } => {
                let took_part = self.before.part(agent)?.leg == Leg::Connected;
                let ended = || sentence(&format!("{} has ended.", with_whom(self.after)));
                took_part.then(ended)
            }
            Event::Interrupted { interrupted, .. } if self.after.counts_for(agent) => {
                let how = if *interrupted { "interrupted" } else { "back" };
                let whom = with_whom(self.after);
                let system = "The connection to the telephony or chat system is";
                Some(format!("{system} {how} ({whom})."))
            }
            Event::Began { .. }
            | Event::Offered { .. }
            | Event::Requested { .. }
            | Event::Confirmed { .. }
            | Event::RoleChanged { .. }
            | Event::LineChanged { .. }
            | Event::Attached { .. }
            | Event::Identified { .. }
            | Event::Interrupted { .. }
            | Event::Invited { .. }
            | Event::InviteAnswered { .. }
            | Event::PutOff { .. }
            | Event::WroteUp { .. } => None,
        }
    }

    /// Who calls a customer has asked for it itself.
    fn offered(&self, agent: &AgentId, role: Role) -> Option<String> {
        let after = self.after;
        if after.line == Line::Dialing {
            return None;
        }
        let part = after.part(agent)?;
        let Leg::Offered { until } = part.leg else {
            return None;
        };
        let seconds = until.seconds_since(part.offered_at);
        let whom = with_whom(after);
        let by = self.before.primary().map(|it| it.agent.logon());
        let queue = after.queue.as_deref();
        let what = match (role, by) {
            (Role::Primary, None) => {
                let medium = medium(after.medium);
                let queue = queue.map(|it| format!(" ({it})")).unwrap_or_default();
                format!("New {medium} from {}{queue}.", after.address)
            }
            (Role::Primary, Some(by)) => format!("{by} passes {whom} on to you."),
            (Role::Consulted, by) => {
                let by = by.unwrap_or("A colleague");
                format!("{by} asks for your advice on {whom}.")
            }
            (Role::Conferenced, by) => {
                let by = by.unwrap_or("A colleague");
                format!("{by} adds you to {whom}.")
            }
        };
        Some(format!("{what} Accept or reject within {seconds} seconds."))
    }

    fn not_taken(&self, agent: &AgentId, whose: &AgentId, leg: Leg) -> Option<String> {
        let whom = with_whom(self.after);
        if whose != agent {
            let other = self.of_another(agent, whose)?;
            return match leg {
                Leg::Rejected => Some(format!("{other} has rejected.")),
                Leg::TimedOut => Some(format!("{other} has not answered.")),
                // The connector has stopped ringing; after a wish of the agent's own nothing has to be told.
                Leg::Withdrawn if !self.is_answer() => Some(format!("{other} has not answered.")),
                _ => None,
            };
        }
        let dialed = self.before.line == Line::Dialing;
        match leg {
            // That it has failed is said already.
            Leg::Withdrawn if dialed => None,
            Leg::Withdrawn => Some(sentence(&format!("{whom} is no longer offered to you."))),
            Leg::TimedOut => Some(sentence(&format!(
                "{whom} was offered to you, and you have not answered."
            ))),
            _ => None,
        }
    }

    /// Whether it is what the connector was asked for.
    fn is_answer(&self) -> bool {
        let mut events = self.events.iter();
        self.after.is_over() || events.any(|event| matches!(event, Event::Confirmed { .. }))
    }

    fn left(&self, agent: &AgentId, whose: &AgentId) -> Option<String> {
        if self.after.is_over() {
            // Its end is told.
            return None;
        }
        if whose == agent {
            let consulted = self.before.part(agent)?.role == Role::Consulted;
            return consulted.then(|| "The consultation has ended.".to_owned());
        }
        let other = self.of_another(agent, whose)?;
        Some(format!("{other} has left."))
    }

    /// The colleague whom the agent, who deals with the customer, has asked.
    fn of_another<'b>(&self, agent: &AgentId, whose: &'b AgentId) -> Option<&'b str> {
        let part = self.after.part(whose)?;
        let asked = matches!(part.role, Role::Consulted | Role::Conferenced);
        let primary = self.after.primary()?;
        let by = primary.agent == *agent && primary.leg == Leg::Connected;
        (asked && by && whose != agent).then(|| whose.logon())
    }
}

/// With a capital letter in front.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
