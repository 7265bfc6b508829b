//! What becomes of the participants' activities when something happens in an interaction, in the same decision: all
//! of it is written or nothing.
//!
//! Each part that was offered has one activity, whose id follows from the interaction, the place of the part and the
//! time of the offer: nothing has to be looked up, and what is done twice is done once.

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::warn;

use super::{change, find};
use crate::clock::Timestamp;
use crate::contact_center::center::Place;
use crate::contact_center::customers;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::domain::activity::{
    Activity, Command, Event, NAME_CHARS_MAX, Rejection, Subject, apply, decide, id_of,
};
use crate::domain::customer::{self, Customer};
use crate::domain::ids::{AgentId, CustomerId};
use crate::domain::interaction::{self, Interaction, Role};
use crate::hooks::Services;

/// What comes of the events for each part, by its place among the participants.
pub(super) type Commands = BTreeMap<usize, Vec<(Timestamp, Command)>>;

/// What the events of an interaction make of its participants' activities. Once in a draft, with all events of the
/// decision in their order.
pub(in crate::contact_center) async fn follow(
    services: &Arc<Services>,
    place: &Place,
    draft: &mut Draft,
    before: &Interaction,
    after: &Interaction,
    events: &[interaction::Event],
) -> Result<(), Refused> {
    use interaction::Event as It;
    let is_offer = |event: &It| matches!(event, It::Offered { .. });
    let is_identified = |event: &It| matches!(event, It::Identified { .. });
    let mut after = after.clone();
    let mut name = String::new();
    let named = after.customer.clone();
    if events.iter().any(|it| is_offer(it) || is_identified(it)) {
        // What is written down about somebody who is erased or becomes part of another at this moment would be lost, or nobody's.
        let customer = match &named {
            Some(id) => customers::hold(draft, services, place, id).await?,
            None => None,
        };
        if customer.is_none() && events.iter().any(is_identified) {
            return Err(customer::Rejection::Unknown.into());
        }
        name = called(&after, customer.as_ref());
        after.customer = customer.map(|it| it.id);
    }
    let mut commands = commands(before, &after, events, &name);
    if let (Some(named), Some(held)) = (named, &after.customer) {
        let all = commands.values_mut().flatten();
        for (_, command) in all {
            if *command == Command::Link(named.clone()) {
                *command = Command::Link(held.clone());
            }
        }
    }
    for (part, commands) in commands {
        let Some(offered_at) = after.participants.get(part).map(|it| it.offered_at) else {
            continue;
        };
        let id = id_of(&after.id, part, offered_at);
        let stored = find(services, &id).await?;
        let known = stored.unwrap_or_else(|| Activity::new(id));
        let events = decided(&known, commands);
        change(draft, &known, &events)?;
    }
    Ok(())
}

/// What an activity is called (S2-22): as the customer, or its address.
fn called(interaction: &Interaction, customer: Option<&Customer>) -> String {
    let name = customer.map(customers::title);
    let name = name.filter(|name| !name.trim().is_empty());
    let name = one_line(name.unwrap_or(&interaction.address));
    name.unwrap_or_else(|| interaction.medium.name().to_owned())
}

/// The name within its bounds; `None` when nothing is left.
fn one_line(name: &str) -> Option<String> {
    let letters = name.trim().chars().filter(|it| !it.is_control());
    let name: String = letters.take(NAME_CHARS_MAX).collect();
    (!name.trim().is_empty()).then_some(name)
}

/// What the events say to the activity of each part.
pub(super) fn commands(
    before: &Interaction,
    after: &Interaction,
    events: &[interaction::Event],
    name: &str,
) -> Commands {
    use interaction::Event as It;
    let mut commands = Commands::new();
    let mut now = before.clone();
    for event in events {
        interaction::apply(&mut now, event);
        let mut say = |at: &Timestamp, agent: &AgentId, command: Command| {
            if let Some(part) = now.participants.iter().rposition(|it| it.agent == *agent) {
                commands.entry(part).or_default().push((*at, command));
            }
        };
        match event {
            It::Offered {
                at, agent, role, ..
            } => say(at, agent, opening(after, agent, *role, name)),
            It::Connected { at, agent } => say(at, agent, Command::Connect),
            It::NotTaken { at, agent, .. } | It::Left { at, agent } => {
                say(at, agent, Command::Close);
            }
            It::RoleChanged { at, agent, role } => say(at, agent, Command::ChangeRole(*role)),
            It::WroteUp { at, agent } => say(at, agent, Command::Finish),
            It::Identified { at, customer, .. } => {
                link(&mut commands, now.participants.len(), *at, customer);
            }
            It::Began { .. }
            | It::Requested { .. }
            | It::Confirmed { .. }
            | It::Failed { .. }
            | It::LineChanged { .. }
            | It::Attached { .. }
            | It::Interrupted { .. }
            | It::Invited { .. }
            | It::InviteAnswered { .. }
            | It::PutOff { .. } => {}
        }
    }
    commands
}

/// Who the customer is holds for everybody who has a part or had one (S2-26).
fn link(commands: &mut Commands, parts: usize, at: Timestamp, customer: &CustomerId) {
    for part in 0..parts {
        let command = Command::Link(customer.clone());
        commands.entry(part).or_default().push((at, command));
    }
}

/// The activity as it is opened when the screen pops: with the customer who is known by then.
fn opening(interaction: &Interaction, agent: &AgentId, role: Role, name: &str) -> Command {
    Command::Open(Subject {
        interaction: interaction.id.clone(),
        agent: agent.clone(),
        role,
        medium: interaction.medium,
        direction: interaction.direction,
        address: interaction.address.clone(),
        customer: interaction.customer.clone(),
        name: name.to_owned(),
    })
}

/// What comes of the commands one after the other. An activity that is not there, for it is as old as to be dropped, is not
/// made again; nor does anything about an activity keep an interaction from going on.
pub(super) fn decided(known: &Activity, commands: Vec<(Timestamp, Command)>) -> Vec<Event> {
    let mut now = known.clone();
    let mut all = Vec::new();
    for (at, command) in commands {
        match decide(&now, command, at) {
            Ok(events) => {
                events.iter().for_each(|event| apply(&mut now, event));
                all.extend(events);
            }
            Err(Rejection::Unknown) => {}
            Err(rejection) => {
                warn!(activity = %known.id, %rejection, "an activity does not follow")
            }
        }
    }
    all
}
