//! What agents want, as requests to the connector (S2-14 to S2-20): each goes out with its own id, also after a crash once more,
//! and the connector's answer is understood without anything in memory.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::calls;
use super::change::{self, Work};
use super::lanes::{self, Full, Pace};
use super::{KIND, REQUEST, host, streams, wire};
use crate::contact_center::center::{Center, Place};
use crate::contact_center::errors::Refused;
use crate::contact_center::record;
use crate::domain::ids::RequestId;
use crate::domain::interaction::{Command, Interaction, Request, Target, Verb};
use crate::hooks::{Answer, Effects, Parcel, Services};
use crate::proto::{Condition, IqType, Kind, Stanza, StanzaError, ns};
use crate::store::ListOrder;
use crate::xml::Element;

/// Characters of a connector's words that agents are shown.
const WHY_CHARS_MAX: usize = 256;

/// How often an answer is tried to be written, for which the connector need not be asked.
const TRIES_MAX: usize = 4;

/// The pause before the second time; each next one is twice as long.
const PAUSE: Duration = Duration::from_millis(50);

/// ```xml
/// <iq type='set' id='r1' from='center.example.org' to='pbx.example.org'>
///   <request xmlns='urn:parlour:connector:0' id='r1' interaction='call-1' verb='consult' agent='ann@example.org'
///            to='bob@example.org' until='2026-09-21T14:13:30Z'/>
/// </iq>
/// ```
pub(super) fn request(work: Work<'_>, interaction: &Interaction, request: &Request) -> Stanza {
    let Request {
        id,
        by,
        verb,
        until,
    } = request;
    let (mut to, mut queue, mut called) = (None, None, None);
    match verb {
        Verb::Transfer {
            to: Target::Agent(agent),
        }
        | Verb::Consult { with: agent }
        | Verb::Conference { with: Some(agent) } => to = Some(agent.jid().as_str()),
        Verb::Transfer {
            to: Target::Queue(name),
        } => queue = Some(name.as_str()),
        Verb::Dial => called = Some(interaction),
        Verb::Conference { with: None }
        | Verb::Accept
        | Verb::Reject
        | Verb::Hold
        | Verb::Resume
        | Verb::End
        | Verb::Retrieve
        | Verb::CompleteTransfer
        | Verb::Leave => {}
    }
    let asked = Element::new(super::connector::NS, "request")
        .attr("id", id.as_str())
        .attr("interaction", interaction.word().as_str())
        .attr("verb", wire::verb(verb))
        .attr("agent", by.jid().as_str())
        .attr_opt("to", to)
        .attr_opt("queue", queue)
        .attr_opt("address", called.map(|it| it.address.as_str()))
        .attr_opt("medium", called.map(|it| it.medium.name()))
        .attr("until", until.to_string());
    let mut stanza = Stanza::iq(IqType::Set, id.as_str())
        .from(work.place.address.clone())
        .child(&asked);
    stanza.to = crate::proto::Jid::parse(&interaction.connector).ok();
    stanza
}

/// Takes an answer to the service: to a request of its own that it remembers, or to one of an interaction.
pub(in crate::contact_center) async fn take(
    center: &Arc<Center>,
    place: &Arc<Place>,
    parcel: Parcel,
) -> Result<Effects, StanzaError> {
    let (stanza, services) = (&parcel.stanza, &parcel.services);
    if let Some((next, payload, refused)) = services.requests.answered(stanza) {
        let answer = Answer {
            payload,
            refused,
            error_type: stanza.error_type().filter(|_| refused),
            stanza: Stanza::clone(stanza),
            session: parcel.session.clone(),
            services: Arc::clone(services),
        };
        return Ok(next(answer).await);
    }
    let place = Arc::clone(place);
    match Box::pin(answered(center, services, place, stanza)).await {
        // Answered already, given up, or never asked.
        Ok(()) | Err(Refused::Rule(_)) => Ok(Effects::default()),
        Err(refused) => Err(refused.into()),
    }
}

/// A connector has answered a request, whenever that was sent: it is done behind what it has said of the interaction before.
async fn answered(
    center: &Arc<Center>,
    services: &Arc<Services>,
    place: Arc<Place>,
    stanza: &Stanza,
) -> Result<(), Refused> {
    let (Some(id), Some(from)) = (&stanza.id, &stanza.from) else {
        return Ok(());
    };
    let records = services.store.records();
    let list = (REQUEST, id.as_str());
    let order = ListOrder::Ascending;
    let page = records.listed(KIND, list, None, order, 1).await?;
    let Some(stored) = page.first() else {
        return Ok(());
    };
    let interaction: Interaction = record::read(stored)?;
    let here = host(&interaction) == Some(place.host.as_str());
    let own = interaction.connector == from.domain() && here;
    let Ok(request) = id.as_str().parse() else {
        return Ok(());
    };
    let away = interaction.interrupted || !streams::is_there(services, &interaction.connector);
    // Somebody has guessed; or the connector is away, which is known, and what it has done of this it tells when it is back.
    if !own || (away && says_nobody(stanza)) {
        return Ok(());
    }
    let commands = said(stanza, &interaction, request);
    let word = interaction.word().to_string();
    let connector = interaction.connector.clone();
    let way = (connector.as_str(), word.as_str());
    let both = (Arc::clone(center), Arc::clone(services));
    let follow = followed(both, place, interaction, commands);
    if !center.lanes.is_busy(way) {
        follow.await;
        return Ok(());
    }
    let job = (Pace::Quick, Box::pin(follow) as lanes::Work);
    if let Err(Full(follow)) = lanes::put(center, services, way, job) {
        // There is nobody who could be told to try again.
        center.lanes.idle(&connector).await;
        follow.await;
    }
    Ok(())
}

/// What an answer says: it is done, and perhaps where a colleague who is asked now joins the call; or it is not done, and why.
fn said(stanza: &Stanza, interaction: &Interaction, request: RequestId) -> Vec<Command> {
    if stanza.kind != Kind::Iq(IqType::Result) {
        let why = why(stanza);
        return vec![Command::Refuse { request, why }];
    }
    let pending = interaction.request.as_ref();
    // Of a call that an agent has asked for it joins itself.
    let dials = pending.is_some_and(|it| it.verb == Verb::Dial);
    let target = pending.and_then(|it| match dials {
        true => Some(&it.by),
        false => it.verb.agent(),
    });
    let invite = target.zip(joined_at(stanza));
    let invite = invite.map(|(agent, uri)| Command::Invite {
        agent: agent.clone(),
        uri,
    });
    let confirm = Command::Confirm { request };
    match (dials, invite) {
        // Who has not joined yet is not connected by the confirmation.
        (true, Some(invite)) => vec![invite, confirm],
        (_, invite) => std::iter::once(confirm).chain(invite).collect(),
    }
}

/// What comes of an answer. One that cannot be written is tried again, and in the end the connector is asked what is so.
async fn followed(
    (center, services): (Arc<Center>, Arc<Services>),
    place: Arc<Place>,
    interaction: Interaction,
    commands: Vec<Command>,
) {
    let work = Work {
        center: &center,
        services: &services,
        place: &place,
    };
    let mut pause = PAUSE;
    for _ in 0..TRIES_MAX {
        let all = |_: &Interaction| Ok(commands.clone());
        match Box::pin(change::all(work, &interaction.id, (None, None), &all)).await {
            Ok(_) | Err(Refused::Rule(_) | Refused::Stanza(_)) => return,
            Err(refused @ (Refused::Contended | Refused::Store(_))) => {
                warn!(%refused, interaction = %interaction.id, "an answer is not written yet");
            }
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    center
        .asking
        .expect_all(&interaction.connector, services.clock.now());
}

/// Where the colleague joins the call, in an answer with `<done uri='tel:+493012345678'/>`. One that makes no sense is none.
fn joined_at(stanza: &Stanza) -> Option<String> {
    let done = stanza.find(super::connector::NS, "done")?;
    let done = done.to_element(ns::CLIENT).ok()?;
    calls::uri(done.attribute("uri")?).ok()
}

/// Whether the server itself has given the request back, for nobody was there to take it.
pub(in crate::contact_center) fn says_nobody(stanza: &Stanza) -> bool {
    let error = stanza.find(ns::CLIENT, "error");
    let error = error.and_then(|error| error.to_element(ns::CLIENT).ok());
    let condition = Condition::RemoteServerTimeout.name();
    error.is_some_and(|it| it.children().any(|it| it.is(ns::STANZA_ERRORS, condition)))
}

/// The connector's words; else the name of its condition.
pub(in crate::contact_center) fn why(stanza: &Stanza) -> String {
    let error = stanza.find(ns::CLIENT, "error");
    let error = error.and_then(|error| error.to_element(ns::CLIENT).ok());
    let Some(error) = error else {
        return String::new();
    };
    let text = error.child_text(ns::STANZA_ERRORS, "text");
    let text = text.filter(|text| !text.trim().is_empty());
    let condition = || error.children().next().map(|it| it.name().to_owned());
    let words = text.or_else(condition).unwrap_or_default();
    let words = words.chars().filter(|c| !c.is_control());
    words.take(WHY_CHARS_MAX).collect()
}
