//! What agents have done about their own state, and what they are told of it.

use crate::contact_center::errors::Refused;
use crate::contact_center::operation::{Act, Caller, Field, Kind, Operation, Outcome, Shown};
use crate::contact_center::values::Values;
use crate::domain::agent_state::{Agent, Command, Reason};
use crate::domain::reason_code::{Kind as ReasonKind, ReasonCodes};
use crate::domain::rights::Right;
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
        run: |caller, _| Box::pin(change(caller, Command::Login)),
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
        run: |caller, _| Box::pin(change(caller, Command::Ready)),
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
        shown: Some(|caller| Box::pin(async move { Ok(reasons(&caller, ReasonKind::NotReady)) })),
        run: |caller, values| Box::pin(not_ready(caller, values)),
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
        run: |caller, _| Box::pin(change(caller, Command::FinishWrapUp)),
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
        shown: Some(|caller| Box::pin(async move { Ok(reasons(&caller, ReasonKind::Logout)) })),
        run: |caller, values| Box::pin(log_out(caller, values)),
    },
    Operation {
        ns: NS,
        name: "agent",
        node: "urn:parlour:agent:0#agent",
        act: Act::Get,
        title: "Your state",
        about: "What colleagues see of you.",
        right: Right::AgentState,
        fields: &[],
        shown: None,
        run: |caller, _| Box::pin(look(caller)),
    },
];

const REASON: Field = Field::required("reason", Kind::Code, "Why");

/// What an agent can choose from, the default first chosen.
fn reasons(caller: &Caller, kind: ReasonKind) -> Shown {
    let settings = caller.place.settings.load();
    let label = |it: &crate::domain::reason_code::ReasonCode| it.label(&caller.language).to_owned();
    let choice = settings.reasons.choice(kind);
    let default = settings.reasons.default_of(kind);
    Shown {
        options: choice
            .map(|it| ("reason", it.code.clone(), label(it)))
            .collect(),
        values: default
            .map(|it| ("reason", it.code.clone()))
            .into_iter()
            .collect(),
    }
}

async fn not_ready(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let code = values.text("reason")?.to_owned();
    change(caller, Command::NotReady { code }).await
}

async fn log_out(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let code = values.text("reason")?.to_owned();
    change(caller, Command::Logout { code }).await
}

async fn change(caller: Caller, command: Command) -> Result<Outcome, Refused> {
    let Caller {
        center,
        services,
        place,
        agent,
        ..
    } = &caller;
    let agent = super::command(center, services, place, agent, command).await?;
    Ok(seen(&caller, &agent))
}

async fn look(caller: Caller) -> Result<Outcome, Refused> {
    let agent = super::find(&caller.services, &caller.agent).await?;
    Ok(seen(&caller, &agent))
}

fn seen(caller: &Caller, agent: &Agent) -> Outcome {
    let reasons = &caller.place.settings.load().reasons;
    let view = agent.view(caller.profile.presence);
    let status = agent.status(view, reasons, &caller.language);
    Outcome::told(format!("Colleagues see you as {status}.")).with(element(
        agent,
        reasons,
        &caller.language,
    ))
}

/// The agent as it is told: `<agent jid='…' state='not-ready' reason='lunch' label='Lunch' since='…'/>`.
pub(in crate::contact_center) fn element(
    agent: &Agent,
    reasons: &ReasonCodes,
    language: &str,
) -> Element {
    let (reason, label) = match agent.reason() {
        None => (None, None),
        Some(Reason::Client) => (Some("client"), None),
        Some(Reason::ConnectionLost) => (Some("connection-lost"), None),
        Some(Reason::Code(code)) => {
            let kinds = [ReasonKind::NotReady, ReasonKind::Logout];
            let found = kinds.into_iter().find_map(|kind| reasons.find(kind, code));
            (Some(code.as_str()), found.map(|it| it.label(language)))
        }
    };
    Element::new(NS, "agent")
        .attr("jid", agent.id.jid().as_str())
        .attr("state", agent.state().name())
        .attr_opt("reason", reason)
        .attr_opt("label", label)
        .attr_opt("since", agent.since.map(|since| since.to_string()))
}
