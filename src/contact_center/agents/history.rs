//! What has become of an agent's state, with time and reason: for the agent itself, and for supervisors, whose
//! looking is written into the audit trail. The oldest changes are deleted after a time that the operator sets.

use std::sync::Arc;

use tracing::warn;

use super::KIND;
use super::operations::{NS, label, reason_word};
use crate::clock::Timestamp;
use crate::contact_center::center::Center;
use crate::contact_center::errors::{Refused, no_place};
use crate::contact_center::operation::{Caller, Outcome, Table};
use crate::contact_center::people::Person;
use crate::contact_center::record;
use crate::contact_center::trail;
use crate::contact_center::values::Values;
use crate::domain::agent_state::{Agent, Event, Origin, Reason};
use crate::domain::colleague::{Prerequisite, colleagues};
use crate::domain::ids::AgentId;
use crate::domain::reason_code::ReasonCodes;
use crate::domain::rights::Right;
use crate::hooks::Services;
use crate::proto::common::rsm::{Page, PageFrom, PageRequest};
use crate::store::StoreError;
use crate::xml::Element;

/// Changes of a page when no number is asked for.
const PAGE_DEFAULT: u32 = 50;

/// Changes of one answer, whatever is asked for.
const PAGE_MAX: u32 = 500;

/// Changes that are read and deleted at once.
const FORGET_BATCH: u32 = 500;

const COLUMNS: &[(&str, &str)] = &[
    ("at", "When"),
    ("change", "What"),
    ("label", "Why"),
    ("origin", "By"),
];

/// The operation `history`.
pub(super) async fn show(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let whose = match values.agents("jid").find(|id| **id != caller.agent) {
        None => {
            caller.rights.require(Right::AgentState)?;
            caller.agent.clone()
        }
        Some(other) => {
            caller.rights.require(Right::AgentList)?;
            let person = Person::find(&caller.place, &caller.services.store, other).await?;
            match colleagues(&Person::caller(&caller).colleague(), &person.colleague()) {
                // Who is no agent any more has been one.
                Err(Prerequisite::NoAgent) if caller.center.agents.has(other) => {}
                checked => checked?,
            }
            trail::shown(&caller, "agent history", other.jid().as_str()).await?;
            other.clone()
        }
    };
    let id = whose.to_string();
    let store = caller.services.store.records();
    let first = store.first_event(KIND, &id).await?;
    let last = i64::try_from(caller.center.agents.agent(&whose).version).unwrap_or(i64::MAX);
    let (after, max) = span(
        values.page(),
        first.unwrap_or_else(|| last.saturating_add(1)),
        last,
    )?;
    let events = match max {
        0 => Vec::new(),
        max => store.numbered_events(KIND, &id, after, max).await?,
    };
    let reasons = &caller.place.settings.load_full().reasons;
    let mut changes = Vec::with_capacity(events.len());
    for (version, json) in &events {
        let event = record::read_event::<Agent>(json)?;
        changes.push(change(*version, &event, reasons, &caller.language));
    }
    let ends = events.first().zip(events.last());
    let page = Page {
        ends: ends.map(|((first, _), (last, _))| (first.to_string(), last.to_string())),
        index: index(first, events.first()),
        count: Some(first.map_or(0, |first| length(first, last))),
    };
    let table = table(&changes);
    let history = Element::new(NS, "history")
        .attr("jid", whose.jid().as_str())
        .children_from(changes)
        .child(page.to_element());
    let told = format!("{} changes of {whose}.", table.rows.len());
    Ok(Outcome::told(told).with(history).listing(table))
}

/// Behind which version the page begins, and how many changes it has. They are numbered without gaps.
fn span(asked: &PageRequest, first: i64, last: i64) -> Result<(i64, u32), Refused> {
    let max = asked.max.unwrap_or(PAGE_DEFAULT).min(PAGE_MAX);
    let number = |id: &String| -> Result<i64, Refused> {
        let number = id.parse::<i64>().map_err(|_| no_place())?;
        Ok(number.clamp(first.saturating_sub(1), last.saturating_add(1)))
    };
    let until = |end: i64| {
        let after = end.saturating_sub(max.into()).max(first.saturating_sub(1));
        let count = u32::try_from(end.saturating_sub(after)).unwrap_or(0);
        (after, count.min(max))
    };
    Ok(match &asked.from {
        PageFrom::First => (first.saturating_sub(1), max),
        PageFrom::After(id) => (number(id)?, max),
        PageFrom::Before(id) => until(number(id)?.saturating_sub(1)),
        PageFrom::Last => until(last),
        PageFrom::Index(index) => {
            let index = i64::try_from(*index).unwrap_or(i64::MAX);
            (first.saturating_sub(1).saturating_add(index), max)
        }
    })
}

fn index(first: Option<i64>, shown: Option<&(i64, String)>) -> Option<u64> {
    let (number, _) = shown?;
    u64::try_from(number.saturating_sub(first?)).ok()
}

fn length(first: i64, last: i64) -> u64 {
    let length = last.saturating_sub(first).saturating_add(1);
    u64::try_from(length).unwrap_or(0)
}

/// `<change id='3' at='…' change='not-ready' reason='lunch' label='Lunch' origin='agent'/>`.
fn change(version: i64, event: &Event, reasons: &ReasonCodes, language: &str) -> Element {
    let told = Told::of(event);
    let label = told.reason.and_then(|it| label(it, reasons, language));
    Element::new(NS, "change")
        .attr("id", version.to_string())
        .attr("at", event.at().to_string())
        .attr("change", told.change)
        .attr_opt("reason", told.reason.map(reason_word))
        .attr_opt("label", label)
        .attr_opt("origin", told.origin.map(origin))
        .attr_opt("interaction", told.interaction)
        .attr_opt("until", told.until.map(|it| it.to_string()))
}

/// What is told of an event.
#[derive(Default)]
struct Told<'a> {
    change: &'static str,
    reason: Option<&'a Reason>,
    origin: Option<Origin>,
    interaction: Option<&'a str>,
    until: Option<Timestamp>,
}

impl<'a> Told<'a> {
    fn of(event: &'a Event) -> Self {
        let named = |change| Self {
            change,
            ..Self::default()
        };
        let by = |change, origin: Origin| Self {
            origin: Some(origin),
            ..named(change)
        };
        match event {
            Event::LoggedIn { .. } => named("login"),
            Event::LoggedOut { reason, .. } => Self {
                reason: Some(reason),
                ..named("logout")
            },
            Event::BecameAvailable { origin, .. } => by("available", *origin),
            Event::BecameNotReady { reason, origin, .. } => Self {
                reason: Some(reason),
                ..by("not-ready", *origin)
            },
            Event::Engaged { interaction, .. } => Self {
                interaction: Some(interaction.as_str()),
                ..named("engaged")
            },
            Event::Released { interaction, .. } => Self {
                interaction: Some(interaction.as_str()),
                ..named("released")
            },
            Event::BecameIdle { interaction, .. } => Self {
                interaction: Some(interaction.as_str()),
                ..named("idle")
            },
            Event::WrapUpBegan {
                interaction, until, ..
            } => Self {
                interaction: Some(interaction.as_str()),
                until: *until,
                ..named("wrap-up")
            },
            Event::WrapUpEnded { origin, .. } => by("wrap-up-ended", *origin),
            Event::ConnectionLost { until, .. } => Self {
                until: Some(*until),
                ..named("connection-lost")
            },
            Event::ConnectionTimedOut { until, .. } => Self {
                until: Some(*until),
                ..named("connection-timed-out")
            },
            Event::Reconnected { .. } => named("reconnected"),
            Event::ClientChanged { busy: true, .. } => named("client-busy"),
            Event::ClientChanged { busy: false, .. } => named("client-free"),
        }
    }
}

const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Agent => "agent",
        Origin::Client => "client",
        Origin::System => "system",
    }
}

fn table(changes: &[Element]) -> Table {
    let cell = |change: &Element, name| change.attribute(name).unwrap_or_default().to_owned();
    let row = |change: &Element| COLUMNS.iter().map(|(name, _)| cell(change, name)).collect();
    Table {
        columns: COLUMNS,
        rows: changes.iter().map(row).collect(),
    }
}

/// Deletes what is older than the operator wants it kept; once a day.
pub(super) async fn forget(center: &Center, services: &Arc<Services>) {
    let days = services.config.contact_center.history_days;
    let before = services.clock.now().minus_days(days);
    for place in center.places() {
        for seen in center.agents.of_host(&place.host) {
            if let Err(error) = forget_of(services, &seen.agent.id, before).await {
                warn!(%error, agent = %seen.agent.id, "old changes of an agent are not deleted");
            }
        }
    }
}

async fn forget_of(services: &Services, id: &AgentId, before: Timestamp) -> Result<(), StoreError> {
    let (store, id) = (services.store.records(), id.to_string());
    loop {
        let events = store.numbered_events(KIND, &id, 0, FORGET_BATCH).await?;
        let mut up_to = None;
        for (version, json) in &events {
            if record::read_event::<Agent>(json)?.at() >= before {
                break;
            }
            up_to = Some(*version);
        }
        let Some(up_to) = up_to else { return Ok(()) };
        let gone = store.forget_events(KIND, &id, up_to).await?;
        if gone < u64::from(FORGET_BATCH) {
            return Ok(());
        }
    }
}
