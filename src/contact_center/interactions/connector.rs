//! What connectors say: they offer interactions to agents, report what is so of their medium, attach data, and ask what the server
//! believes (XEP-0114 components of the role "connector").

use std::collections::BTreeMap;

use super::calls::{self, URI_CHARS_MAX};
use super::change::{self, Work};
use super::ids::Named;
use super::{CARRIED, carried_by, lists, wire};
use crate::config::ComponentRole;
use crate::contact_center::customers;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::{Act, Field, ForComponents, Kind, Outcome, Visitor};
use crate::contact_center::values::Values;
use crate::domain::ids::{AgentId, InteractionId};
use crate::domain::interaction::{
    Command, DATA_MAX, Direction, Fact, Interaction, Medium, Rejection,
};
use crate::hooks::Services;
use crate::xml::Element;

/// The namespace of connectors.
pub(in crate::contact_center) const NS: &str = "urn:parlour:connector:0";

/// Characters of what a medium knows a customer or a queue by.
pub(super) const LINE_CHARS_MAX: usize = 256;

pub(super) const MEDIA: &[&str] = &["voice", "chat", "email"];
const DIRECTIONS: &[&str] = &["inbound", "outbound"];
const FACTS: &[&str] = &["connected", "held", "talking", "left", "ended"];

/// What connectors can have done.
pub(in crate::contact_center) const FOR_COMPONENTS: &[ForComponents] = &[
    ForComponents {
        name: "offer",
        fields: &[
            INTERACTION,
            MEDIUM,
            DIRECTION,
            ADDRESS,
            AGENT,
            QUEUE,
            URI,
            DATA,
        ],
        run: |visitor, values| Box::pin(offer(visitor, values)),
        ..SET
    },
    ForComponents {
        name: "report",
        fields: &[INTERACTION, FACT, AGENT.optional()],
        run: |visitor, values| Box::pin(report(visitor, values)),
        ..SET
    },
    ForComponents {
        name: "attach",
        fields: &[INTERACTION, DATA],
        run: |visitor, values| Box::pin(attach(visitor, values)),
        ..SET
    },
    ForComponents {
        name: "interactions",
        act: Act::Get,
        fields: &[lists::PAGE_FIELD],
        run: |visitor, values| Box::pin(interactions(visitor, values)),
        ..SET
    },
];

/// What most of them have.
const SET: ForComponents = ForComponents {
    ns: NS,
    name: "",
    act: Act::Set,
    role: ComponentRole::Connector,
    fields: &[],
    run: |_, _| Box::pin(async { Err(Rejection::Unknown.into()) }),
};

const INTERACTION: Field = Field::required("interaction", Kind::Id, "Interaction");
const MEDIUM: Field = Field::required("medium", Kind::Word(MEDIA), "Medium");
const DIRECTION: Field = Field::required("direction", Kind::Word(DIRECTIONS), "Direction");
const ADDRESS: Field = Field::required(
    "address",
    Kind::Line {
        chars_max: LINE_CHARS_MAX,
    },
    "Address of the customer",
);
const AGENT: Field = Field::required("agent", Kind::Agent, "Agent");
const QUEUE: Field = Field::required(
    "queue",
    Kind::Line {
        chars_max: LINE_CHARS_MAX,
    },
    "Queue",
)
.optional();
const URI: Field = Field::required(
    "uri",
    Kind::Line {
        chars_max: URI_CHARS_MAX,
    },
    "Where the agent joins the call",
)
.optional();
const FACT: Field = Field::required("fact", Kind::Word(FACTS), "What is so");
const DATA: Field = Field::required("data", Kind::Element, "Data").several(DATA_MAX);

/// The medium of that name.
pub(super) fn medium(name: &str) -> Medium {
    let all = [Medium::Chat, Medium::Email];
    let found = all.into_iter().find(|it| it.name() == name);
    found.unwrap_or(Medium::Voice)
}

/// `<data name='order'>4711</data>`, each name once.
pub(super) fn data(values: &Values) -> Result<BTreeMap<String, String>, Refused> {
    let mut data = BTreeMap::new();
    for element in values.elements("data") {
        let name = element.attribute("name").unwrap_or_default().to_owned();
        let value = element.text_content();
        if data.insert(name, value).is_some() {
            let text = "data of one name stands there too often.";
            return Err(malformed("field-repeated", text));
        }
    }
    Ok(data)
}

pub(super) fn id(values: &Values) -> Result<InteractionId, Refused> {
    let id = values.text("interaction")?.parse();
    id.map_err(|_| malformed("field-malformed", "interaction must be an id."))
}

async fn offer(visitor: Visitor, values: Values) -> Result<Outcome, Refused> {
    let medium = medium(values.text("medium")?);
    let direction = match values.text("direction")? {
        "outbound" => Direction::Outbound,
        _ => Direction::Inbound,
    };
    let address = address(&visitor.services, medium, values.text("address")?)?;
    let agent = values.agent("agent")?.clone();
    let queue = values.optional_text("queue").map(str::to_owned);
    let data = data(&values)?;
    let uri = values.optional_text("uri").map(calls::uri).transpose()?;
    let connector = visitor.component.clone();
    let fresh = Interaction::new(id(&values)?, connector, (medium, direction), address);
    let same = (medium, direction, fresh.address.clone());
    let commands = |before: &Interaction| {
        if (before.medium, before.direction, before.address.clone()) != same {
            return Err(Rejection::Exists.into());
        }
        let (agent, queue, data) = (agent.clone(), queue.clone(), data.clone());
        let invite = uri.clone().map(|uri| Command::Invite {
            agent: agent.clone(),
            uri,
        });
        let offer = Command::Offer { agent, queue, data };
        Ok(std::iter::once(offer).chain(invite).collect())
    };
    Box::pin(said(
        &visitor,
        &values,
        (Some(fresh), Some(&agent)),
        &commands,
    ))
    .await
}

/// Where the customer is, as it is kept.
pub(super) fn address(services: &Services, medium: Medium, text: &str) -> Result<String, Refused> {
    if text.trim().is_empty() {
        return Err(malformed("field-malformed", "address must not be empty."));
    }
    let region = &services.config.contact_center.region;
    customers::normal(region, medium, text)
}

async fn report(visitor: Visitor, values: Values) -> Result<Outcome, Refused> {
    let agent = || -> Result<AgentId, Refused> {
        let agent = values.agents("agent").next();
        agent
            .cloned()
            .ok_or_else(|| malformed("field-missing", "agent is missing."))
    };
    let fact = match values.text("fact")? {
        "connected" => Fact::Connected(agent()?),
        "left" => Fact::Left(agent()?),
        "held" => Fact::Held,
        "talking" => Fact::Talking,
        _ => Fact::Ended,
    };
    let commands = |_: &Interaction| Ok(vec![Command::Report(fact.clone())]);
    Box::pin(said(&visitor, &values, (None, None), &commands)).await
}

async fn attach(visitor: Visitor, values: Values) -> Result<Outcome, Refused> {
    let data = data(&values)?;
    let commands = |_: &Interaction| Ok(vec![Command::Supply { data: data.clone() }]);
    Box::pin(said(&visitor, &values, (None, None), &commands)).await
}

/// How often a name is looked for that another connector takes at the same moment.
const TRIES_MAX: usize = 2;

/// What a connector says of an interaction of its own. While it says something, it is there.
async fn said(
    visitor: &Visitor,
    values: &Values,
    (fresh, seat): (Option<Interaction>, Option<&AgentId>),
    commands: change::Commands<'_>,
) -> Result<Outcome, Refused> {
    let word = id(values)?;
    let work = work(visitor);
    for _ in 0..TRIES_MAX {
        let named = Named::find(work, &visitor.component, &word).await?;
        let own = |before: &Interaction| {
            if !named.is_of(work, &visitor.component, before) {
                return Err(Refused::Contended);
            }
            let mut all = commands(before)?;
            if before.interrupted {
                all.insert(0, Command::Report(Fact::Restored));
            }
            Ok(all)
        };
        let fresh = fresh.clone().map(|it| Interaction {
            id: named.id.clone(),
            word: named.word.clone(),
            ..it
        });
        match change::all(work, &named.id, (fresh, seat), &own).await {
            Ok(after) => return Ok(Outcome::default().with(element(&after))),
            Err(Refused::Contended) => {}
            Err(refused) => return Err(refused),
        }
    }
    Err(Refused::Contended)
}

fn work(visitor: &Visitor) -> Work<'_> {
    Work {
        center: &visitor.center,
        services: &visitor.services,
        place: &visitor.place,
    }
}

/// What the server believes of the connector's interactions that are not over.
async fn interactions(visitor: Visitor, values: Values) -> Result<Outcome, Refused> {
    let owner = carried_by(&visitor.component, visitor.place.host.as_str());
    let list = (CARRIED, owner.as_str());
    let page = lists::read(&visitor.services, list, values.page()).await?;
    let elements = page.interactions.iter().map(element);
    let listed = Element::new(NS, "interactions").children_from(elements);
    Ok(Outcome::default().with(listed.child(page.set)))
}

/// ```xml
/// <interaction id='call-1' version='7' line='held'>
///   <agent jid='ann@example.org' role='primary' leg='connected'/>
///   <request id='…' verb='retrieve' agent='ann@example.org' until='…'/>
/// </interaction>
/// ```
fn element(it: &Interaction) -> Element {
    let parts = it.participants.iter().filter(|part| part.leg.is_open());
    let agents = parts.map(|part| {
        Element::new(NS, "agent")
            .attr("jid", part.agent.jid().as_str())
            .attr("role", wire::role(part.role))
            .attr("leg", wire::leg(part.leg))
    });
    let request = it.request.as_ref().map(|request| {
        Element::new(NS, "request")
            .attr("id", request.id.as_str())
            .attr("verb", wire::verb(&request.verb))
            .attr("agent", request.by.jid().as_str())
            .attr("until", request.until.to_string())
    });
    Element::new(NS, "interaction")
        .attr("id", it.word().as_str())
        .attr("version", it.version.to_string())
        .attr("line", wire::line(it.line))
        .children_from(agents)
        .child_opt(request)
}
