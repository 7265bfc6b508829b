//! What everybody who takes part is told of a change: a message that is kept where something must not be missed, else a
//! headline for the devices that are there; always with the interaction as it is now.

use super::change::Work;
use super::pop::Pop;
use super::words::Happened;
use super::{agents, is_open, wire};
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::{im, telling};
use crate::domain::ids::AgentId;
use crate::domain::interaction::{Access, Event, Interaction};
use crate::proto::Stanza;

/// Tells of the events whom they concern: all devices of each.
pub(super) async fn tell(
    work: Work<'_>,
    draft: &mut Draft,
    (before, after): (&Interaction, &Interaction),
    events: &[Event],
    pop: Option<&Pop>,
) -> Result<(), Refused> {
    let service = &work.place.address;
    let happened = Happened {
        before,
        after,
        events,
    };
    for agent in agents(after) {
        // Whoever has only given advice, and writes that up, is told no more of the customer.
        let concerned = is_open(after, agent)
            && (after.counts_for(agent) || after.access(agent) != Access::None);
        if !(concerned || before.part(agent) != after.part(agent)) {
            continue;
        }
        let seen = wire::interaction(after, agent, after.access(agent));
        let sentences = happened.sentences(agent);
        let pop = pop.filter(|_| is_offered(events, agent));
        let message = match (sentences.is_empty(), pop) {
            (true, None) => telling::headline(service, agent, &seen),
            (true, Some(pop)) => telling::headline(service, agent, &seen).child(&pop.element),
            (false, pop) => {
                let who = pop.map(|pop| pop.sentence.as_str());
                let words: Vec<&str> = sentences.iter().map(String::as_str).chain(who).collect();
                let message = telling::message(service, agent, &words.join(" "), &seen);
                let elements = pop.map(|pop| &pop.element).into_iter();
                let message = elements.fold(message, Stanza::child);
                telling::in_thread(message, after.id.as_str())
            }
        };
        draft.tell(message);
    }
    // Whoever is consulted by instant messages sees what is attached as it changes (S1-33).
    for session in im::consulting(work.services, &after.id).await? {
        let reader = &session.invitee;
        let reads = after.access_with(reader, Some(&session)) == Access::Read;
        if reads && !is_open(after, reader) {
            let seen = wire::interaction(after, reader, Access::Read);
            draft.tell(telling::headline(service, reader, &seen));
        }
    }
    Ok(())
}

fn is_offered(events: &[Event], agent: &AgentId) -> bool {
    let mut events = events.iter();
    events.any(|event| matches!(event, Event::Offered { agent: asked, .. } if asked == agent))
}
