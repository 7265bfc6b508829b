//! What agents have done about their own state, and what they are told of it.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::list::STATES;
use super::{devices, history, list};
use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Act, Caller, Field, Kind, Operation, Outcome, Shown};
use crate::contact_center::people::Person;
use crate::contact_center::values::Values;
use crate::domain::agent_state::{Agent, Command, Reason, View};
use crate::domain::chat_profile::PresenceDisplay;
use crate::domain::colleague::colleagues;
use crate::domain::reason_code::{self, Kind as ReasonKind, ReasonCodes};
use crate::domain::rights::Right;
use crate::extensions::blocking::has_blocked;
use crate::xml::Element;

/// The namespace of agents and their states.
pub(in crate::contact_center) const NS: &str = "urn:parlour:agent:0";

/// What the operations are, in the order in which clients show them.
pub(in crate::contact_center) const OPERATIONS: &[Operation] = &[
    Operation {
        ns: NS,
        name: "login",
        node: "urn:parlour:agent:0#login",
        act: Act::Set,
        title: "Log in as an agent",
        about: "From now on you take interactions.",
        right: Right::AgentState,
        fields: &[],
        shown: None,
        present: None,
        run: |caller, _| change(caller, Command::Login),
    },
    Operation {
        ns: NS,
        name: "ready",
        node: "urn:parlour:agent:0#ready",
        act: Act::Set,
        title: "Be available",
        about: "You take interactions again.",
        right: Right::AgentState,
        fields: &[],
        shown: None,
        present: None,
        run: |caller, _| change(caller, Command::Ready),
    },
    Operation {
        ns: NS,
        name: "not-ready",
        node: "urn:parlour:agent:0#not-ready",
        act: Act::Set,
        title: "Be not ready",
        about: "You take no interactions for now.",
        right: Right::AgentState,
        fields: &[REASON],
        shown: Some(|caller| Box::pin(async move { reasons(&caller, ReasonKind::NotReady) })),
        present: None,
        run: |caller, values| with_reason(caller, &values, |code| Command::NotReady { code }),
    },
    Operation {
        ns: NS,
        name: "finish-wrap-up",
        node: "urn:parlour:agent:0#finish-wrap-up",
        act: Act::Set,
        title: "Finish the wrap-up",
        about: "What there was to write up is written.",
        right: Right::AgentState,
        fields: &[],
        shown: None,
        present: None,
        run: |caller, _| change(caller, Command::FinishWrapUp),
    },
    Operation {
        ns: NS,
        name: "logout",
        node: "urn:parlour:agent:0#logout",
        act: Act::Set,
        title: "Log out as an agent",
        about: "You take part in the contact center no longer. Your chat goes on.",
        right: Right::AgentState,
        fields: &[REASON],
        shown: Some(|caller| Box::pin(async move { reasons(&caller, ReasonKind::Logout) })),
        present: None,
        run: |caller, values| with_reason(caller, &values, |code| Command::Logout { code }),
    },
    Operation {
        ns: NS,
        name: "agent",
        node: "urn:parlour:agent:0#agent",
        act: Act::Get,
        title: "An agent's state",
        about: "Your own state, or what you may see of a colleague's.",
        right: Right::AgentState,
        fields: &[WHOSE],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(look(caller, values)),
    },
    Operation {
        ns: NS,
        name: "history",
        node: "urn:parlour:agent:0#history",
        act: Act::Get,
        title: "History of an agent's state",
        about: "Every change with its time and reason, your own or an agent's.",
        right: Right::AgentState,
        fields: &[WHOSE, CHANGES],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(history::show(caller, values)),
    },
    Operation {
        ns: NS,
        name: "agents",
        node: "urn:parlour:agent:0#agents",
        act: Act::Get,
        title: "List agents",
        about: "All agents with their states, or those in certain states.",
        right: Right::AgentList,
        fields: &[STATE, PAGE],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(list::list(caller, values)),
    },
];

/// What those have done, too, who see all agents and need not be one: of others, by the right `agent-list`.
pub(in crate::contact_center) const FOR_WATCHERS: &[&str] =
    &["urn:parlour:agent:0#agent", "urn:parlour:agent:0#history"];

const WHOSE: Field = Field::required("jid", Kind::Agent, "Whose, if not yours").optional();
const PAGE: Field = Field::required("page", Kind::Page, "Page").optional();
const CHANGES: Field = Field::required("page", Kind::PageFromEnd, "Page").optional();
const STATE: Field =
    Field::required("state", Kind::Word(STATES), "In which state").several(STATES.len());

const REASON: Field = Field::required("reason", Kind::Code, "Why");

/// What an agent can choose from, the default first chosen. Nobody fills in a form in which nothing can be chosen (S2-7).
fn reasons(caller: &Caller, kind: ReasonKind) -> Result<Shown, Refused> {
    let settings = caller.place.settings.load();
    let label = |it: &reason_code::ReasonCode| it.label(&caller.language).to_owned();
    let choice = settings.reasons.choice(kind);
    let options: Vec<_> = choice
        .map(|it| ("reason", it.code.clone(), label(it)))
        .collect();
    if options.is_empty() {
        return Err(reason_code::Rejection::NotConfigured { kind }.into());
    }
    let default = settings.reasons.default_of(kind);
    Ok(Shown {
        options,
        values: default
            .map(|it| ("reason", it.code.clone()))
            .into_iter()
            .collect(),
        ..Shown::default()
    })
}

fn with_reason(
    caller: Caller,
    values: &Values,
    command: fn(String) -> Command,
) -> BoxFuture<'static, Result<Outcome, Refused>> {
    match values.text("reason") {
        Ok(code) => change(caller, command(code.to_owned())),
        Err(refused) => Box::pin(ready(Err(refused))),
    }
}

fn change(caller: Caller, command: Command) -> BoxFuture<'static, Result<Outcome, Refused>> {
    Box::pin(async move {
        let (center, services, place) = (&caller.center, &caller.services, &caller.place);
        // A session that has sent no presence yet is one nevertheless.
        devices::follow(center, services, place, &caller.agent).await;
        let agent = super::command(center, services, place, &caller.agent, command).await?;
        Ok(own(&caller, &agent))
    })
}

async fn look(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let Some(id) = values.agents("jid").find(|id| **id != caller.agent) else {
        caller.rights.require(Right::AgentState)?;
        let agent = caller.center.agents.agent(&caller.agent);
        return Ok(own(&caller, &agent));
    };
    let other = Person::find(&caller.place, &caller.services.store, id).await?;
    colleagues(&Person::caller(&caller).colleague(), &other.colleague())?;
    let display = other.profile.presence;
    let agent = match display {
        // Who is hidden looks like somebody who has never been there (S0-15).
        PresenceDisplay::Hidden if !caller.rights.has(Right::AgentList) => {
            Arc::new(Agent::new(id.clone()))
        }
        // Who has blocked the asker is offline for it (XEP-0191 §3.2).
        PresenceDisplay::Hidden | PresenceDisplay::Shown
            if has_blocked(&caller.services, id.jid(), caller.agent.jid()).await? =>
        {
            Arc::new(Agent::new(id.clone()))
        }
        PresenceDisplay::Hidden | PresenceDisplay::Shown => caller.center.agents.agent(id),
    };
    Ok(seen(&caller, &agent, display, "Colleagues see"))
}

fn own(caller: &Caller, agent: &Agent) -> Outcome {
    seen(
        caller,
        agent,
        caller.profile.presence,
        "Colleagues see you as",
    )
}

fn seen(caller: &Caller, agent: &Agent, display: PresenceDisplay, words: &str) -> Outcome {
    let reasons = &caller.place.settings.load().reasons;
    let view = agent.view(display);
    let status = agent.status(view, reasons, &caller.language);
    let seconds = agent.seconds_in_state(caller.now());
    let element = element(agent, view, reasons, &caller.language);
    Outcome::told(format!("{words} {status}."))
        .with(element.attr_opt("seconds", seconds.map(|it| it.to_string())))
}

/// The agent as it is told: `<agent jid='…' state='not-ready' reason='lunch' label='Lunch' since='…' view='busy'/>`.
pub(super) fn element(agent: &Agent, view: View, reasons: &ReasonCodes, language: &str) -> Element {
    let whose = Some(agent.id.jid().as_str());
    with_state(whose, agent, view, reasons, language)
}

/// The same without whose it is, for the agent's own presence.
pub(super) fn described(
    agent: &Agent,
    view: View,
    reasons: &ReasonCodes,
    language: &str,
) -> Element {
    with_state(None, agent, view, reasons, language)
}

fn with_state(
    whose: Option<&str>,
    agent: &Agent,
    view: View,
    reasons: &ReasonCodes,
    language: &str,
) -> Element {
    let reason = agent.reason();
    let since = agent.since.map(|since| since.to_string());
    let label = reason.and_then(|it| label(it, reasons, language));
    let attributes = [
        ("jid", whose),
        ("state", Some(agent.state().name())),
        ("reason", reason.map(reason_word)),
        ("label", label),
        ("since", since.as_deref()),
        ("view", Some(view.name())),
    ];
    Element::with_attributes(NS, "agent", attributes)
}

/// The code of a reason: the administrator's, or one of the system's own.
pub(super) fn reason_word(reason: &Reason) -> &str {
    match reason {
        Reason::Client => "client",
        Reason::ConnectionLost => "connection-lost",
        Reason::RightTaken => "right-taken",
        Reason::Code(code) => code,
    }
}

/// What people read for a reason of the administrator's list.
pub(super) fn label<'a>(
    reason: &Reason,
    reasons: &'a ReasonCodes,
    language: &str,
) -> Option<&'a str> {
    let Reason::Code(code) = reason else {
        return None;
    };
    let kinds = [ReasonKind::NotReady, ReasonKind::Logout];
    let found = kinds.into_iter().find_map(|kind| reasons.find(kind, code));
    found.map(|it| it.label(language))
}
