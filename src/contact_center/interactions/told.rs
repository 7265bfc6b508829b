//! What a connector that is back tells of an interaction, and what that makes of it.

use std::collections::BTreeSet;

use super::change::Work;
use super::connector;
use crate::domain::ids::{AgentId, InteractionId};
use crate::domain::interaction::{Command, Fact, Facts, Interaction, Leg, Line, apply, decide};
use crate::xml::Element;

/// How an interaction is, in its connector's words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    line: Option<&'static str>,
    agents: BTreeSet<AgentId>,
}

impl Told {
    /// `<interaction id='call-1' line='held'><agent jid='ann@example.org'/></interaction>`
    pub(super) fn read(element: &Element) -> Option<(InteractionId, Self)> {
        let element = Some(element).filter(|it| it.is(connector::NS, "interaction"))?;
        let id = element.attribute("id")?.parse().ok()?;
        let line = element.attribute("line").unwrap_or_default();
        let line = ["connected", "held"].into_iter().find(|it| *it == line);
        let agents = element.children().filter(|it| it.name() == "agent");
        let agents = agents.filter_map(|it| it.attribute("jid")?.parse().ok());
        let agents = agents.collect();
        Some((id, Self { line, agents }))
    }

    fn fits(&self, interaction: &Interaction) -> bool {
        let line = match interaction.line {
            Line::Connected => Some("connected"),
            Line::Held => Some("held"),
            Line::Offered | Line::Dialing | Line::Over { .. } => None,
        };
        self.line == line && self.agents == connected(interaction)
    }
}

fn connected(interaction: &Interaction) -> BTreeSet<AgentId> {
    let parts = interaction.participants.iter();
    let parts = parts.filter(|part| part.leg == Leg::Connected);
    parts.map(|part| part.agent.clone()).collect()
}

/// What makes the interaction what its connector says that it is. What was asked of it before it was gone is done, when
/// all is as if it was; else it may never have got it, and is asked once more.
pub(super) fn reconciled(
    work: Work<'_>,
    before: &Interaction,
    told: Option<&Told>,
) -> Vec<Command> {
    let Some(told) = told else {
        return vec![Command::Report(Fact::Ended)];
    };
    let mut commands = vec![Command::Report(Fact::Restored)];
    if told.fits(before) {
        commands.push(Command::AskAgain);
        return commands;
    }
    if let Some(request) = &before.request {
        let request = request.id.clone();
        let confirm = Command::Confirm { request };
        let now = work.services.clock.now();
        let mut done = before.clone();
        let events = decide(before, confirm.clone(), now, &Facts::default());
        events
            .iter()
            .flatten()
            .for_each(|event| apply(&mut done, event));
        if told.fits(&done) {
            commands.push(confirm);
            return commands;
        }
    }
    let known = connected(before);
    let come = told.agents.difference(&known).cloned().map(Fact::Connected);
    let gone = known.difference(&told.agents).cloned().map(Fact::Left);
    let line = match told.line.filter(|_| !told.agents.is_empty()) {
        Some("held") => Some(Fact::Held),
        Some(_) => Some(Fact::Talking),
        None => None,
    };
    commands.extend(come.chain(gone).chain(line).map(Command::Report));
    commands.push(Command::AskAgain);
    commands
}
