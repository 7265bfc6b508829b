//! Interactions as elements: what agents see, each by its part.

use crate::domain::ids::AgentId;
use crate::domain::interaction::{
    Access, Direction, Interaction, Leg, Line, Participant, Role, Verb,
};
use crate::xml::Element;

/// The namespace of interactions, for agents.
pub(in crate::contact_center) const NS: &str = "urn:parlour:interaction:0";

/// The interaction as that agent sees it. Who may not read it sees that there is one which it is asked to take, and nothing
/// that belongs to it.
///
/// ```xml
/// <interaction id='call-1' version='7' medium='voice' direction='inbound' address='+493012345678' line='connected'
///              role='primary' leg='connected' customer='…' began='…'>
///   <participant agent='ann@example.org' role='primary' leg='connected' since='…'/>
///   <data name='order'>4711</data>
/// </interaction>
/// ```
pub(super) fn interaction(it: &Interaction, agent: &AgentId, access: Access) -> Element {
    let part = it.part(agent);
    let deadline = part.and_then(|part| match part.leg {
        Leg::Offered { until } => Some(until.to_string()),
        Leg::Connected
        | Leg::WrapUp
        | Leg::Done
        | Leg::Rejected
        | Leg::TimedOut
        | Leg::Withdrawn => None,
    });
    let customer = it.customer.as_ref().filter(|_| access > Access::None);
    let pending = it.request.as_ref().filter(|_| access > Access::None);
    let pending = pending.or_else(|| it.request.as_ref().filter(|it| it.by == *agent));
    let parts = it.participants.iter().filter(|part| is_shown(part));
    let data = it.data.iter().filter(|_| access > Access::None);
    Element::new(NS, "interaction")
        .attr("id", it.id.as_str())
        .attr("version", it.version.to_string())
        .attr("medium", it.medium.name())
        .attr("direction", direction(it.direction))
        .attr("address", &it.address)
        .attr("line", line(it.line))
        .attr_opt("role", part.map(|part| role(part.role)))
        .attr_opt("leg", part.map(|part| leg(part.leg)))
        .attr_opt("deadline", deadline)
        .attr_opt("pending", pending.map(|it| verb(&it.verb)))
        .attr_opt("queue", it.queue.as_deref())
        .attr_opt("customer", customer.map(|it| it.as_str()))
        .attr_opt("interrupted", it.interrupted.then_some("true"))
        .attr_opt("began", it.began_at.map(|at| at.to_string()))
        .children_from(parts.map(participant))
        .children_from(data.map(|(name, value)| datum(NS, name, value)))
}

/// Who has not taken what was offered, or has written up, is out of it.
pub(super) const fn is_shown(part: &Participant) -> bool {
    match part.leg {
        Leg::Offered { .. } | Leg::Connected | Leg::WrapUp => true,
        Leg::Done | Leg::Rejected | Leg::TimedOut | Leg::Withdrawn => false,
    }
}

fn participant(part: &Participant) -> Element {
    let since = part.left_at.or(part.connected_at);
    Element::new(NS, "participant")
        .attr("agent", part.agent.jid().as_str())
        .attr("role", role(part.role))
        .attr("leg", leg(part.leg))
        .attr("since", since.unwrap_or(part.offered_at).to_string())
}

/// `<data name='order'>4711</data>`
pub(super) fn datum(ns: &str, name: &str, value: &str) -> Element {
    Element::new(ns, "data").attr("name", name).text(value)
}

/// The word for who began.
pub(super) const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}

/// The word for how the customer is.
pub(super) const fn line(line: Line) -> &'static str {
    match line {
        Line::Offered => "offered",
        Line::Dialing => "dialing",
        Line::Connected => "connected",
        Line::Held => "held",
        Line::Over { .. } => "over",
    }
}

/// The word for what an agent is in an interaction.
pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Primary => "primary",
        Role::Consulted => "consulted",
        Role::Conferenced => "conferenced",
    }
}

/// The word for how far an agent's part is.
pub(super) const fn leg(leg: Leg) -> &'static str {
    match leg {
        Leg::Offered { .. } => "offered",
        Leg::Connected => "connected",
        Leg::WrapUp => "wrap-up",
        Leg::Done => "done",
        Leg::Rejected => "rejected",
        Leg::TimedOut => "timed-out",
        Leg::Withdrawn => "withdrawn",
    }
}

/// The word for what an agent wants.
pub(super) const fn verb(verb: &Verb) -> &'static str {
    match verb {
        Verb::Accept => "accept",
        Verb::Reject => "reject",
        Verb::Hold => "hold",
        Verb::Resume => "resume",
        Verb::End => "end",
        Verb::Transfer { .. } => "transfer",
        Verb::Consult { .. } => "consult",
        Verb::Retrieve => "retrieve",
        Verb::CompleteTransfer => "complete-transfer",
        Verb::Conference { .. } => "conference",
        Verb::Leave => "leave",
        Verb::Dial => "dial",
    }
}
