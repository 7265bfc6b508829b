//! Connectors that have gone and are back: what is known of their interactions meanwhile, and afterwards.
//!
//! A connector that has gone may have left its customers talking: its interactions are interrupted. When it is back it is asked what is
//! so, of a page of them after the other; what it does not name has ended. One that stays away is given up by
//! the interactions' own deadlines ([`Fact::Interrupted`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt as _;
use tracing::{info, warn};

use super::change::{self, Work};
use super::{CARRIED, GOING_ON, KIND, PAGE, carried_by, connector, states};
use crate::config::ComponentRole;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::contact_center::record;
use crate::domain::ids::{AgentId, InteractionId};
use crate::domain::interaction::{Command, Fact, Facts, Interaction, Leg, Line, apply, decide};
use crate::hooks::{Answer, Effects, Hooks, Services};
use crate::proto::{BareJid, IqType, Stanza};
use crate::store::{ListOrder, StoreError};
use crate::xml::Element;

/// Interactions that are interrupted or made right at once: many share a commit.
const AT_ONCE: usize = 64;

/// Registers what follows the components' streams.
pub(super) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let center = Arc::clone(center);
    hooks.component(move |domain, services| {
        let center = Arc::clone(&center);
        async move {
            if let Err(refused) = Box::pin(changed(&center, &services, &domain)).await {
                warn!(%refused, connector = %domain, "its interactions are not followed");
            }
        }
    });
}

/// A component has connected, or has gone: which of both holds now is looked at in its turn.
pub(super) async fn changed(
    center: &Arc<Center>,
    services: &Arc<Services>,
    domain: &BareJid,
) -> Result<(), Refused> {
    let mut components = services.config.components.iter();
    let connector = components
        .find(|it| it.domain.as_str() == domain.as_str() && it.role == ComponentRole::Connector);
    let Some(connector) = connector.filter(|_| !center.is_stopping()) else {
        return Ok(());
    };
    let _turn = center.connectors.take(domain).await;
    let there = is_there(services, domain.as_str());
    for place in center.places() {
        if !connector.acts_for(place.host.as_str()) {
            continue;
        }
        match there {
            true => ask(center, services, place, domain).await?,
            false => {
                let work = Work {
                    center,
                    services,
                    place,
                };
                let owner = carried_by(domain.as_str(), place.host.as_str());
                interrupt(work, (CARRIED, &owner), false).await?;
            }
        }
    }
    Ok(())
}

/// Whether the connector is connected at this moment.
pub(super) fn is_there(services: &Services, connector: &str) -> bool {
    let gateway = services.gateway(connector);
    gateway.is_some_and(|gateway| gateway.is_there(connector))
}

/// Before anybody can connect: nothing is known of what goes on until the connectors are back.
pub(in crate::contact_center) async fn start(
    center: &Center,
    services: &Arc<Services>,
) -> Result<(), StoreError> {
    for place in center.places() {
        let work = Work {
            center,
            services,
            place,
        };
        let made = async {
            interrupt(work, (GOING_ON, place.host.as_str()), true).await?;
            states::start(work).await
        };
        match Box::pin(made).await {
            Ok(()) => {}
            Err(Refused::Store(error)) => return Err(error),
            Err(refused) => warn!(%refused, host = %place.host, "interactions are as they were"),
        }
    }
    Ok(())
}

/// Interrupts all of a list, page by page.
async fn interrupt(
    work: Work<'_>,
    list: (&'static str, &str),
    at_start: bool,
) -> Result<(), Refused> {
    let seconds = work.services.config.contact_center.connector_lost_seconds;
    let until = work
        .services
        .clock
        .now()
        .plus_seconds(i64::from(seconds.as_u32()));
    let mut after: Option<InteractionId> = None;
    loop {
        let page = read_page(work, list, after.as_ref()).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id.clone());
        futures_util::stream::iter(page)
            .for_each_concurrent(AT_ONCE, |interaction| async move {
                if at_start {
                    states::engage_all(work, &interaction).await;
                }
                let lost = |_: &Interaction| vec![Command::Report(Fact::Interrupted { until })];
                let done = change::settle(work, &interaction.id, &lost).await;
                if let Err(refused) = done {
                    warn!(%refused, interaction = %interaction.id, "it is not interrupted");
                }
            })
            .await;
    }
}

async fn read_page(
    work: Work<'_>,
    list: (&str, &str),
    after: Option<&InteractionId>,
) -> Result<Vec<Interaction>, Refused> {
    let records = work.services.store.records();
    let from = after.map(InteractionId::as_str);
    let order = ListOrder::Ascending;
    let page = records.listed(KIND, list, from, order, PAGE).await?;
    let read = page.iter().map(record::read::<Interaction>);
    Ok(read.collect::<Result<_, _>>()?)
}

/// Asks a connector that is back what is so.
async fn ask(
    center: &Arc<Center>,
    services: &Arc<Services>,
    place: &Arc<Place>,
    domain: &BareJid,
) -> Result<(), Refused> {
    let work = Work {
        center,
        services,
        place,
    };
    let owner = carried_by(domain.as_str(), place.host.as_str());
    let mut after: Option<InteractionId> = None;
    loop {
        let page = read_page(work, (CARRIED, &owner), after.as_ref()).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id.clone());
        let ids: Vec<InteractionId> = page.into_iter().map(|it| it.id).collect();
        let asked = ids
            .iter()
            .map(|id| Element::new(connector::NS, "interaction").attr("id", id.as_str()));
        let query = Element::new(connector::NS, "interactions").children_from(asked);
        let iq = Stanza::iq(IqType::Get, &crate::id::random())
            .from(place.address.clone())
            .to(domain.clone())
            .child(&query);
        let (center, place, domain) = (Arc::clone(center), Arc::clone(place), domain.clone());
        let told = Box::new(move |answer: Answer| {
            let work = async move { told(&center, &place, &domain, &ids, answer).await };
            Box::pin(work) as futures_util::future::BoxFuture<'static, Effects>
        });
        let now = services.clock.now();
        if services.requests.remember(&iq, now, told) {
            services.route(iq).await;
        } else {
            warn!(connector = %owner, "too many requests wait: its interactions stay interrupted");
        }
    }
}

/// A connector has told what is so of the interactions that it was asked for.
async fn told(
    center: &Arc<Center>,
    place: &Arc<Place>,
    domain: &BareJid,
    asked: &[InteractionId],
    answer: Answer,
) -> Effects {
    let services = &answer.services;
    let work = Work {
        center,
        services,
        place,
    };
    let Some(payload) = answer
        .payload
        .filter(|it| it.is(connector::NS, "interactions"))
    else {
        warn!(connector = %domain, "it does not tell what goes on");
        return Effects::default();
    };
    let told: BTreeMap<InteractionId, Told> = payload.children().filter_map(Told::read).collect();
    info!(connector = %domain, asked = asked.len(), told = told.len(), "is back");
    futures_util::stream::iter(asked)
        .for_each_concurrent(AT_ONCE, |id| {
            let told = told.get(id);
            async move {
                let commands = |before: &Interaction| reconciled(work, before, told);
                if let Err(refused) = change::settle(work, id, &commands).await {
                    warn!(%refused, interaction = %id, "it is not as its connector says");
                }
            }
        })
        .await;
    Effects::default()
}

/// How an interaction is, in its connector's words.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    line: Option<&'static str>,
    agents: BTreeSet<AgentId>,
}

impl Told {
    /// `<interaction id='call-1' line='held'><agent jid='ann@example.org'/></interaction>`
    fn read(element: &Element) -> Option<(InteractionId, Self)> {
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
/// all is as if it was.
fn reconciled(work: Work<'_>, before: &Interaction, told: Option<&Told>) -> Vec<Command> {
    let Some(told) = told else {
        return vec![Command::Report(Fact::Ended)];
    };
    let mut commands = vec![Command::Report(Fact::Restored)];
    if told.fits(before) {
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
    commands
}
