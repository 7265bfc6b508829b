//! The two doors of an operation: a typed IQ, and an ad-hoc command. Who may go through is asked here, for
//! both.

pub(super) mod command;
pub(super) mod iq;
mod pages;

use std::sync::Arc;

use super::center::{Center, Place};
use super::errors::Refused;
use super::operation::{Caller, Operation, Visitor};
use super::standing::Standing;
use super::{agents, context, im};
use crate::config::ComponentRole;
use crate::domain::ids::AgentId;
use crate::domain::refusal::{Class, Refusal};
use crate::domain::rights::Right;
use crate::hooks::{Iq, Services};
use crate::proto::Jid;

/// Who asks: an account of the host, with what it may do.
///
/// # Errors
/// `forbidden` to everybody else.
pub(super) async fn caller(
    center: &Arc<Center>,
    place: &Arc<Place>,
    iq: &Iq,
) -> Result<Caller, Refused> {
    let asker = Asker {
        from: &iq.from,
        language: iq.lang.as_deref(),
    };
    known(center, place, &iq.services, asker).await
}

/// Where a request came from, whatever it was.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) from: &'a Jid,
    pub(super) language: Option<&'a str>,
}

/// [`caller`] of a request that is no IQ.
///
/// # Errors
/// `forbidden` to everybody but accounts of the host.
pub(super) async fn known(
    center: &Arc<Center>,
    place: &Arc<Place>,
    services: &Arc<Services>,
    asker: Asker<'_>,
) -> Result<Caller, Refused> {
    let agent = agent_at(place, asker.from)?;
    let standing = place.standing(services, asker.from.bare()).await?;
    // Gone since it logged in, or kept out.
    let standing = standing.ok_or_else(stranger)?;
    let who = (agent, standing);
    Ok(standing_as(center, place, services, asker, who))
}

/// The same as [`caller`], where nothing has to be looked up for it; `None` where something has.
pub(super) fn caller_at_once(
    center: &Arc<Center>,
    place: &Arc<Place>,
    iq: &Iq,
) -> Option<Result<Caller, Refused>> {
    let agent = match agent_at(place, &iq.from) {
        Ok(agent) => agent,
        Err(refused) => return Some(Err(refused)),
    };
    let standing = place.known_standing(&iq.services, iq.from.bare())?;
    let asker = Asker {
        from: &iq.from,
        language: iq.lang.as_deref(),
    };
    let who = (agent, standing);
    Some(Ok(standing_as(center, place, &iq.services, asker, who)))
}

fn agent_at(place: &Place, from: &Jid) -> Result<AgentId, Refused> {
    let agent = AgentId::new(from.bare().clone());
    let agent = agent.filter(|agent| agent.host() == place.host.as_str());
    agent.ok_or_else(stranger)
}

fn standing_as(
    center: &Arc<Center>,
    place: &Arc<Place>,
    services: &Arc<Services>,
    asker: Asker<'_>,
    (agent, standing): (AgentId, Standing),
) -> Caller {
    Caller {
        center: Arc::clone(center),
        place: Arc::clone(place),
        services: Arc::clone(services),
        from: asker.from.clone(),
        agent,
        role: standing.role,
        since: standing.since,
        rights: standing.rights,
        profile: standing.profile,
        language: asker.language.unwrap_or("en").to_owned(),
        written_in: asker.language.map(str::to_owned),
    }
}

/// A component that acts for that host, as one that has something done.
pub(super) fn visitor(
    center: &Arc<Center>,
    place: &Arc<Place>,
    iq: &Iq,
) -> Option<(Visitor, ComponentRole)> {
    let mut components = iq.services.config.components.iter();
    let component = components
        .find(|it| it.domain.as_str() == iq.from.domain() && it.acts_for(place.host.as_str()))?;
    let visitor = Visitor {
        center: Arc::clone(center),
        component: component.domain.as_str().to_owned(),
        place: Arc::clone(place),
        services: Arc::clone(&iq.services),
    };
    Some((visitor, component.role))
}

/// Whether the caller may have the operation done.
///
/// # Errors
/// `forbidden` when it may not.
pub(super) fn require(caller: &Caller, operation: &Operation) -> Result<(), Refused> {
    // The operation itself asks what else is needed.
    let by = |nodes: &[&str], right| nodes.contains(&operation.node) && caller.rights.has(right);
    let is_allowed = by(agents::FOR_WATCHERS, Right::AgentList)
        || by(im::FOR_READERS, Right::TranscriptShow)
        || by(im::FOR_TALKERS, Right::InstantMessage)
        || by(context::FOR_SENDERS, Right::Context);
    if !is_allowed {
        caller.rights.require(operation.right)?;
    }
    Ok(())
}

/// The refusal to whoever is no account of the host, or kept out.
pub(super) fn stranger() -> Refused {
    Refused::Rule(Refusal {
        class: Class::Forbidden,
        code: "stranger",
        text: "This contact center is for the accounts of its own host.".to_owned(),
    })
}
