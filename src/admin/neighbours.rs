//! Other servers and external components: which connections there are, and what went wrong last.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::operation::{Argument, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::hooks::{
    PeerDirection, PeerFailure, PeerKind, PeerSecurity, PeerState, PeerStatus, Peers,
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "component list",
        "Lists the external components, whether each is connected, and what went wrong last.",
        Face::new(own!("component-list"), "List components"),
        &[],
        |operator, arguments| Box::pin(components(operator, arguments)),
    )
    .of_the_server()
    .only_looking(),
    Operation::new(
        "s2s list",
        "Lists the connections with other servers.",
        Face::new(own!("s2s-list"), "List connections with other servers"),
        &[],
        |operator, arguments| Box::pin(servers(operator, arguments)),
    )
    .of_the_server()
    .only_looking(),
    Operation::new(
        "s2s failures",
        "Lists what went wrong with other servers and components: the last of each domain, or all of one.",
        Face::new(own!("s2s-failures"), "List failures of connections with other servers"),
        &[Argument::optional("domain", Kind::Address, "all that is remembered of this domain")],
        |operator, arguments| Box::pin(failures(operator, arguments)),
    )
    .of_the_server()
    .only_looking(),
];

/// Connections and failures that one list shows at most.
const LIST_MAX: usize = 1_000;

async fn components(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let peers = &operator.services()?.peers;
    let connections = of(peers, PeerKind::Component);
    let mut data = Vec::new();
    let mut rows = Vec::new();
    for component in &operator.config.components {
        let domain = component.domain.as_str();
        let connected = connections.iter().find(|it| it.domain == domain);
        let last = peers.failures(domain).pop();
        let mut entry = connected.map_or_else(|| json!({ "state": "away" }), shown);
        if let Some(entry) = entry.as_object_mut() {
            entry.insert("domain".to_owned(), json!(domain));
            entry.insert("role".to_owned(), json!(component.role.as_str()));
            entry.insert("last_failure".to_owned(), json!(last.as_ref().map(told)));
        }
        data.push(entry);
        let address = connected.and_then(|it| it.address);
        rows.push([
            domain.to_owned(),
            connected
                .map_or(PeerState::Away, |it| it.state)
                .as_str()
                .to_owned(),
            address.map_or_else(|| "-".to_owned(), |address| address.to_string()),
            connected.map_or(0, |it| it.queued_stanzas).to_string(),
            last.as_ref().map_or_else(|| "-".to_owned(), in_words),
        ]);
    }
    let text = format!("{} in all.\n", rows.len());
    let table = Table::new(
        ["COMPONENT", "STATE", "PEER", "WAITING", "LAST FAILURE"],
        rows,
    );
    Ok(Outcome::told(json!({ "components": data }), text).with(table))
}

async fn servers(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let mut connections = of(&operator.services()?.peers, PeerKind::Server);
    connections.sort_by(|a, b| (&a.domain, &a.local).cmp(&(&b.domain, &b.local)));
    let total = connections.len();
    connections.truncate(LIST_MAX);
    let data: Vec<Value> = connections.iter().map(shown).collect();
    let row = |it: &PeerStatus| {
        [
            it.domain.clone(),
            it.local.clone(),
            direction(it.direction).to_owned(),
            it.state.as_str().to_owned(),
            security(it.security).to_owned(),
            it.queued_stanzas.to_string(),
            it.since.to_string(),
        ]
    };
    let rows = connections.iter().map(row).collect();
    let text = match total {
        total if total > LIST_MAX => format!("The first {LIST_MAX} of {total}.\n"),
        total => format!("{total} in all.\n"),
    };
    let columns = [
        "SERVER", "WITH", "WAY", "STATE", "KNOWN BY", "WAITING", "SINCE",
    ];
    let data = json!({ "connections": data, "total": total });
    Ok(Outcome::told(data, text).with(Table::new(columns, rows)))
}

async fn failures(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let peers = &operator.services()?.peers;
    let found: Vec<(String, PeerFailure)> = match arguments.addresses("domain").next() {
        Some(domain) => {
            let of_domain = peers.failures(domain.as_str()).into_iter().rev();
            of_domain
                .map(|failure| (domain.to_string(), failure))
                .collect()
        }
        None => peers.failing().into_iter().take(LIST_MAX).collect(),
    };
    let mut data = Vec::with_capacity(found.len());
    let mut rows = Vec::with_capacity(found.len());
    for (domain, failure) in found {
        data.push(json!({ "domain": domain, "failure": told(&failure) }));
        let PeerFailure { at, step, reason } = failure;
        rows.push([at.to_string(), domain, step.to_owned(), reason]);
    }
    let text = format!("{} in all.\n", rows.len());
    let table = Table::new(["AT", "DOMAIN", "STEP", "REASON"], rows);
    Ok(Outcome::told(json!({ "failures": data }), text).with(table))
}

fn of(peers: &Peers, kind: PeerKind) -> Vec<PeerStatus> {
    let mut connections = peers.connections();
    connections.retain(|connection| connection.kind == kind);
    connections
}

fn shown(status: &PeerStatus) -> Value {
    json!({
        "domain": status.domain,
        "local": status.local,
        "direction": direction(status.direction),
        "state": status.state.as_str(),
        "security": security(status.security),
        "since": status.since.to_string(),
        "address": status.address.map(|address| address.to_string()),
        "queued_stanzas": status.queued_stanzas,
        "queued_bytes": status.queued_bytes,
    })
}

fn told(failure: &PeerFailure) -> Value {
    json!({ "at": failure.at.to_string(), "step": failure.step, "reason": failure.reason })
}

fn in_words(failure: &PeerFailure) -> String {
    let PeerFailure { at, step, reason } = failure;
    format!("{at} {step}: {reason}")
}

const fn direction(direction: PeerDirection) -> &'static str {
    match direction {
        PeerDirection::Outgoing => "out",
        PeerDirection::Incoming => "in",
        PeerDirection::Both => "both",
    }
}

const fn security(security: PeerSecurity) -> &'static str {
    match security {
        PeerSecurity::Nothing => "nothing",
        PeerSecurity::Plain => "no TLS",
        PeerSecurity::Encrypted => "TLS",
        PeerSecurity::Authenticated => "TLS and certificate",
    }
}
