//! Activities of interactions that are made by the rules of the domain, through both doors, and as CRMs see them.

mod crm;
mod following;
mod orders;
mod reading;
mod removing;
mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{find, follow};
use crate::contact_center::draft::Draft;
use crate::contact_center::people::Person;
use crate::contact_center::testing::{Floor, ask, command};
use crate::domain::activity::{Activity, id_of};
use crate::domain::agent_state;
use crate::domain::ids::{AgentId, RequestId};
use crate::domain::interaction::{
    self, Command, Desk, Direction, Fact, Facts, Interaction, Medium, Target, Verb,
};
use crate::extensions::testing::Client;

const NS: &str = "urn:parlour:activity:0";

fn id(name: &str) -> AgentId {
    format!("{name}@localhost").parse().unwrap()
}

/// An interaction as its connector and its agents make it, each step saved with its activities.
pub(in crate::contact_center) struct Dealing {
    pub(in crate::contact_center) it: Interaction,
    requests: usize,
}

impl Dealing {
    pub(in crate::contact_center) fn new(which: &str, medium: Medium) -> Self {
        let address = match medium {
            Medium::Voice => "+390451234567",
            Medium::Chat | Medium::Email => "ann@example.net",
        };
        let about = (medium, Direction::Inbound);
        let which = which.parse().unwrap();
        Self {
            it: Interaction::new(which, "pbx.localhost".to_owned(), about, address.to_owned()),
            requests: 0,
        }
    }

    /// One that is offered to that agent.
    async fn offered(floor: &Floor, which: &str, medium: Medium, agent: &str) -> Self {
        let mut dealing = Self::new(which, medium);
        dealing.take(floor, offer(agent)).await;
        dealing
    }

    /// One that the agent has accepted.
    pub(in crate::contact_center) async fn talking(
        floor: &Floor,
        which: &str,
        medium: Medium,
        agent: &str,
    ) -> Self {
        let mut dealing = Self::offered(floor, which, medium, agent).await;
        dealing.done(floor, agent, Verb::Accept).await;
        dealing
    }

    /// Decides, and saves what comes of it as interactions do.
    pub(in crate::contact_center) async fn take(&mut self, floor: &Floor, command: Command) {
        let (center, place) = floor.inside();
        let services = floor.house.router.services();
        let target = target(&command).cloned();
        let (before, now) = (&self.it, services.clock.now());
        let decided = async |mut draft: Draft| {
            let person = match &target {
                Some(id) => Some(Person::find(&place, &services.store, id).await?),
                None => None,
            };
            let desk = person.as_ref().map(|person| Desk {
                colleague: person.colleague(),
                state: agent_state::State::Available,
                open: 0,
            });
            let facts = Facts {
                target: desk,
                offer_seconds: 30,
            };
            let events = interaction::decide(before, command.clone(), now, &facts)?;
            let after = draft.change(before, &events)?;
            follow(services, &place, &mut draft, before, &after, &events).await?;
            Ok((draft, after))
        };
        self.it = Box::pin(center.save(services, decided)).await.unwrap();
    }

    pub(in crate::contact_center) async fn report(&mut self, floor: &Floor, fact: Fact) {
        self.take(floor, Command::Report(fact)).await;
    }

    /// The agent wants that, and the connector does it.
    pub(in crate::contact_center) async fn done(&mut self, floor: &Floor, by: &str, verb: Verb) {
        self.requests += 1;
        let request: RequestId = format!("{}-{}", self.it.id, self.requests).parse().unwrap();
        let wanted = Command::Want {
            by: id(by),
            verb,
            request: request.clone(),
        };
        self.take(floor, wanted).await;
        self.take(floor, Command::Confirm { request }).await;
    }

    pub(in crate::contact_center) async fn identify(&mut self, floor: &Floor, customer: &str) {
        let customer = customer.parse().unwrap();
        self.take(floor, Command::Identify { by: None, customer })
            .await;
    }

    /// The activity of the part at that place.
    async fn activity(&self, floor: &Floor, part: usize) -> Activity {
        let offered_at = self.it.participants[part].offered_at;
        let id = id_of(&self.it.id, part, offered_at);
        let found = find(floor.house.router.services(), &id).await.unwrap();
        found.unwrap()
    }
}

fn target(command: &Command) -> Option<&AgentId> {
    let verb = match command {
        Command::Offer { agent, .. } | Command::Dial { by: agent, .. } => return Some(agent),
        Command::Want { verb, .. } => verb,
        _ => return None,
    };
    match verb {
        Verb::Transfer {
            to: Target::Agent(agent),
        }
        | Verb::Consult { with: agent }
        | Verb::Conference { with: Some(agent) } => Some(agent),
        _ => None,
    }
}

fn offer(agent: &str) -> Command {
    Command::Offer {
        agent: id(agent),
        queue: None,
        data: BTreeMap::new(),
    }
}

/// An agent who is online and logged in.
pub(in crate::contact_center) async fn agent(floor: &Floor, name: &str) -> Client {
    let mut client = floor.online(name).await;
    ask(&mut client, "set", "<login xmlns='urn:parlour:agent:0'/>").await;
    client.received();
    client
}

/// A request in the namespace of activities: what stands in its start tag, and its children.
async fn request(client: &mut Client, kind: &str, tag: &str, children: &str) -> String {
    let name = tag.split(' ').next().unwrap();
    let rest = tag.strip_prefix(name).unwrap();
    ask(
        client,
        kind,
        &format!("<{name} xmlns='{NS}'{rest}>{children}</{name}>"),
    )
    .await
}

/// The code of our own in a refusal.
pub(in crate::contact_center) fn code(answer: &str) -> &str {
    let (before, _) = answer
        .split_once(" xmlns='urn:parlour:errors:0'/>")
        .unwrap_or(("", answer));
    before.rsplit('<').next().unwrap()
}

/// The values of that attribute, in their order.
pub(in crate::contact_center) fn all<'a>(xml: &'a str, attribute: &str) -> Vec<&'a str> {
    let before = format!(" {attribute}='");
    let rest = xml.split(&before).skip(1);
    rest.map(|it| it.split('\'').next().unwrap()).collect()
}

/// The ids of the activities in an answer.
fn ids(xml: &str) -> Vec<&str> {
    let elements = xml.split("<activity ").skip(1);
    let own = |it| {
        let (_, rest): (&str, &str) = str::split_once(it, "id='").unwrap();
        rest.split('\'').next().unwrap()
    };
    elements.map(own).collect()
}
