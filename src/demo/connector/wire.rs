//! The connector's words on the wire (`urn:parlour:connector:0`, schemas/connector.md).

use std::collections::BTreeSet;

use super::board::{Board, Call, Line, Request};
use crate::proto::Stanza;
use crate::proto::ns;
use crate::xml::Element;

/// The namespace of connectors.
pub(super) const NS: &str = "urn:parlour:connector:0";

/// The request that the server makes in an IQ, and until when it is to be done.
pub(super) fn request(stanza: &Stanza) -> Option<(Request, String)> {
    let element = stanza.find(NS, "request")?.to_element(ns::CLIENT).ok()?;
    let text = |name: &str| element.attribute(name).map(str::to_owned);
    let request = Request {
        id: text("id")?,
        interaction: text("interaction")?,
        verb: text("verb")?,
        agent: text("agent")?,
        to: text("to"),
        queue: text("queue"),
        address: text("address"),
        medium: text("medium"),
    };
    Some((request, text("until")?))
}

/// What an agent has written to a customer.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The customer's addresses.
    pub(super) addresses: Vec<String>,
    /// What it says, as the customer reads it.
    pub(super) text: String,
}

/// The message that the server passes on.
pub(super) fn delivery(stanza: &Stanza) -> Option<Delivery> {
    let element = stanza.find(NS, "deliver")?.to_element(ns::CLIENT).ok()?;
    let text = |name: &str| element.child_text(NS, name).unwrap_or_default();
    let named = |name: &'static str| element.children().filter(move |it| it.is(NS, name));
    let mut lines = match element.attribute("corrects") {
        Some("true" | "1") => vec![format!("{} (corrected)", text("title"))],
        Some(_) | None => vec![text("title")],
    };
    lines.push(text("text"));
    let links = named("attachment").filter_map(|it| it.attribute("url").map(str::to_owned));
    lines.extend(links);
    Some(Delivery {
        addresses: named("address").map(|it| it.text_content()).collect(),
        text: lines.join("\n"),
    })
}

/// What the connector says of itself (XEP-0030 §3.1).
pub(super) fn info() -> Element {
    let identity = Element::new(ns::DISCO_INFO, "identity")
        .attr("category", "component")
        .attr("type", "generic")
        .attr("name", "Telephones and chats");
    let features = [ns::DISCO_INFO, ns::PING, NS];
    let features = features.map(|it| Element::new(ns::DISCO_INFO, "feature").attr("var", it));
    Element::new(ns::DISCO_INFO, "query")
        .child(identity)
        .children_from(features)
}

/// What the server is told of a customer who arrives, or is passed to another agent.
pub(super) fn offer(id: &str, call: &Call, agent: &str) -> Element {
    Element::new(NS, "offer")
        .attr("interaction", id)
        .attr("medium", &call.medium)
        .attr("direction", call.direction)
        .attr("address", &call.address)
        .attr("agent", agent)
        .attr_opt("queue", call.queue.as_deref())
}

pub(super) fn report(id: &str, fact: &str) -> Element {
    Element::new(NS, "report")
        .attr("interaction", id)
        .attr("fact", fact)
}

/// The answer to the server's question what is so. What is not named is over.
pub(super) fn interactions(board: &Board) -> Element {
    let all = board.all().map(|(id, call)| {
        let line = match call.line {
            Line::Talks => Some("connected"),
            Line::Held => Some("held"),
            Line::Waits | Line::Dialed => None,
        };
        let agents = call.talking();
        let agents = agents.map(|agent| Element::new(NS, "agent").attr("jid", agent));
        Element::new(NS, "interaction")
            .attr("id", id)
            .attr_opt("line", line)
            .children_from(agents)
    });
    Element::new(NS, "interactions").children_from(all)
}

/// What the server believes to be going on; `None` where it does not say all of it at once.
pub(super) fn believed(stanza: &Stanza) -> Option<BTreeSet<String>> {
    let all = stanza
        .find(NS, "interactions")?
        .to_element(ns::CLIENT)
        .ok()?;
    let count = all.find(ns::RSM, "set")?.child_text(ns::RSM, "count")?;
    let listed = all.children().filter(|it| it.is(NS, "interaction"));
    let listed: BTreeSet<String> = listed
        .filter_map(|it| it.attribute("id").map(str::to_owned))
        .collect();
    (count.parse() == Ok(listed.len())).then_some(listed)
}

/// What is so, for people.
pub(super) fn listed(board: &Board) -> String {
    let lines = board.all().map(|(id, call)| {
        let line = match call.line {
            Line::Waits => "waits",
            Line::Dialed => "is being called",
            Line::Talks => "talks",
            Line::Held => "on hold",
        };
        let names = |agents: Vec<&str>| {
            let names = agents.iter().map(|jid| local(jid));
            names.collect::<Vec<_>>().join(", ")
        };
        let mut text = format!("{id}: {} {}, {line}", call.medium, call.address);
        let (talking, ringing) = (
            names(call.talking().collect()),
            names(call.ringing().collect()),
        );
        if !talking.is_empty() {
            text.push_str(&format!(", with {talking}"));
        }
        if !ringing.is_empty() {
            text.push_str(&format!(", ringing at {ringing}"));
        }
        text
    });
    let lines: Vec<String> = lines.collect();
    match lines.is_empty() {
        true => "Nobody calls or writes.".to_owned(),
        false => lines.join("\n"),
    }
}

/// What stands before the `@`.
pub(super) fn local(jid: &str) -> &str {
    jid.split('@').next().unwrap_or(jid)
}
