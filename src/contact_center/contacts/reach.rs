//! How a colleague can be reached now, by an agent or, for what it shows its users, by a CRM component (S0-17).

use std::sync::Arc;

use super::addresses::{self, uri};
use super::{COLLEAGUE, email};
use crate::config::ComponentRole;
use crate::contact_center::center::Place;
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{
    Act, Caller, Field, ForComponents, Kind, Operation, Outcome, Table, Visitor,
};
use crate::contact_center::people::{Person, between};
use crate::contact_center::values::Values;
use crate::contact_center::{agents, im, interactions};
use crate::domain::agent_state::Agent;
use crate::domain::chat_profile::Means;
use crate::domain::colleague::{colleague, colleagues};
use crate::domain::ids::AgentId;
use crate::domain::reach::{
    Address, Addresses, Asker, Blocking, Offer, Reach, Rejection, Target, ask, reach,
};
use crate::domain::refusal::Refusal;
use crate::domain::rights::Right;
use crate::hooks::Services;
use crate::xml::Element;

/// The namespace of reaching colleagues.
pub(super) const NS: &str = "urn:parlour:reach:0";

const MEANS: &[&str] = &["instant-message", "telephone", "email", "context"];

/// What the operations are.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        ns: NS,
        name: "reach",
        node: "urn:parlour:reach:0#reach",
        act: Act::Get,
        title: "How to reach a colleague",
        about: "Which means of contact are open now, and where they lead.",
        right: Right::Directory,
        fields: &[COLLEAGUE],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(look(caller, values)),
    },
    Operation {
        ns: NS,
        name: "contact-by",
        node: "urn:parlour:reach:0#contact-by",
        act: Act::Set,
        title: "Contact a colleague",
        about: "The address of one means, if the colleague can be reached by it now; a call is placed where that can be done.",
        right: Right::Directory,
        fields: &[
            COLLEAGUE,
            Field::required("means", Kind::Word(MEANS), "Means of contact"),
        ],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(contact_by(caller, values)),
    },
];

/// What a component of a CRM may ask.
pub(in crate::contact_center) const FOR_COMPONENTS: &[ForComponents] = &[ForComponents {
    ns: NS,
    name: "reach",
    act: Act::Get,
    role: ComponentRole::Crm,
    fields: &[COLLEAGUE],
    run: |visitor, values| Box::pin(look_for_many(visitor, values)),
}];

/// What the rules have to know of a colleague who shall be reached.
pub(super) struct Facts {
    pub(super) person: Person,
    agent: Agent,
    pub(super) addresses: Addresses,
    channels: usize,
    blocking: Blocking,
}

impl Facts {
    async fn load(
        services: &Arc<Services>,
        place: &Place,
        id: &AgentId,
        blocking: Blocking,
    ) -> Result<Self, Refused> {
        Ok(Self {
            person: Person::find(place, &services.store, id).await?,
            agent: agents::find(services, id).await?,
            addresses: addresses::of(services, id).await?,
            channels: channels(services, id).await?,
            blocking,
        })
    }

    fn target(&self) -> Target<'_> {
        Target {
            colleague: self.person.colleague(),
            agent: &self.agent,
            addresses: &self.addresses,
            channels: self.channels,
            blocking: self.blocking,
        }
    }
}

/// How many IM channels an agent has open.
async fn channels(services: &Services, id: &AgentId) -> Result<usize, Refused> {
    let records = services.store.records();
    let count = records
        .count(im::KIND, (im::CHANNEL, id.jid().as_str()))
        .await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// An agent who asks about a colleague.
pub(super) struct Question {
    own: Person,
    channels: usize,
    pub(super) colleague: Facts,
}

impl Question {
    /// The colleague that the operation names.
    ///
    /// # Errors
    /// When it is none.
    pub(super) async fn of(caller: &Caller, values: &Values) -> Result<Self, Refused> {
        let id = values.agent("colleague")?;
        let own = Person::caller(caller);
        let services = &caller.services;
        let other = Person::find(&caller.place, &services.store, id).await?;
        colleagues(&own.colleague(), &other.colleague())?;
        let blocking = between(services, &own.id, id).await?;
        Ok(Self {
            channels: channels(services, &own.id).await?,
            colleague: Facts::load(services, &caller.place, id, blocking).await?,
            own,
        })
    }

    fn asker(&self) -> Asker<'_> {
        Asker {
            colleague: self.own.colleague(),
            channels: self.channels,
        }
    }

    /// Where a means leads.
    ///
    /// # Errors
    /// Why it is not open.
    pub(super) fn ask(&self, means: Means) -> Result<Address, Rejection> {
        ask(means, &self.asker(), &self.colleague.target())
    }
}

async fn look(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let question = Question::of(&caller, &values).await?;
    let (target, asker) = (question.colleague.target(), question.asker());
    let reach = reach(Some(&asker), &target);
    Ok(told(&question.colleague.person.id, &reach))
}

async fn look_for_many(visitor: Visitor, values: Values) -> Result<Outcome, Refused> {
    let id = values.agent("colleague")?;
    let services = &visitor.services;
    let person = Person::find(&visitor.place, &services.store, id).await?;
    colleague(&person.colleague())?;
    let facts = Facts::load(services, &visitor.place, id, Blocking::None).await?;
    Ok(told(id, &reach(None, &facts.target())))
}

fn told(id: &AgentId, reach: &Reach) -> Outcome {
    let offers = &reach.offers;
    let answer = Element::new(NS, "reach")
        .attr("jid", id.jid().as_str())
        .attr("view", reach.view.name())
        .children_from(offers.iter().map(offered));
    let row = |offer: &Offer| {
        let answer = match &offer.answer {
            Ok(address) => link(offer.means, address),
            Err(rejection) => rejection.text(),
        };
        vec![offer.means.name().to_owned(), answer]
    };
    let table = Table {
        columns: &[("means", "Means"), ("answer", "Address")],
        rows: offers.iter().map(row).collect(),
    };
    let sentence = format!("{id} is {}.", reach.view.name());
    Outcome::told(sentence).with(answer).listing(table)
}

/// `<means name='telephone' uri='tel:…'/>`, or with `<refused code='…'>why</refused>`.
fn offered(offer: &Offer) -> Element {
    let means = Element::new(NS, "means").attr("name", offer.means.name());
    match &offer.answer {
        Ok(address) => means.attr("uri", link(offer.means, address)),
        Err(rejection) => {
            let refusal = Refusal::from(rejection.clone());
            let refused = Element::new(NS, "refused").attr("code", refusal.code);
            means.child(refused.text(refusal.text))
        }
    }
}

/// The address as a link; that of a conversation opens one (XEP-0147 §8).
fn link(means: Means, address: &Address) -> String {
    let uri = uri(address);
    match means {
        Means::InstantMessage => format!("{uri}?message"),
        Means::Telephone | Means::Email | Means::Context => uri,
    }
}

async fn contact_by(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let means = values.text("means")?;
    // The door takes no other words.
    let means = Means::from_name(means).ok_or(crate::proto::Condition::BadRequest)?;
    let question = Question::of(&caller, &values).await?;
    let address = question.ask(means)?;
    let uri = link(means, &address);
    let call = match &address {
        Address::Telephone(number) => interactions::call_colleague(&caller, number).await?,
        Address::Account(_) | Address::Email(_) => None,
    };
    let id = &question.colleague.person.id;
    let sends = means == Means::Email && email::has_relay(&caller.services);
    let told = match means {
        Means::InstantMessage => format!("Write to {uri}"),
        Means::Telephone if call.is_some() => format!("You are being connected with {id}."),
        Means::Telephone => format!("Call {uri}"),
        Means::Email if sends => format!("Write to {uri}, or have this service send it."),
        Means::Email => format!("Write to {uri}"),
        Means::Context => format!("Send {id} a business context."),
    };
    let answer = Element::new(NS, "contact-by")
        .attr("jid", id.jid().as_str())
        .attr("means", means.name())
        .attr("uri", uri)
        .attr_opt("relay", sends.then_some("true"))
        .attr_opt("interaction", call.map(|it| it.to_string()));
    Ok(Outcome::told(told).with(answer))
}
