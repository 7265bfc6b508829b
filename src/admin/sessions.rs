//! Operations on the sessions of a running server.

use std::sync::Arc;

use serde_json::json;

use super::arguments::Arguments;
use super::operation::{Argument, Count, Face, Kind, Operation, own, standard};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::hooks::Session;
use crate::proto::{Resource, StreamCondition, StreamError};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "session list",
        "Lists the sessions of the running server.",
        Face::new(own!("session-list"), "List sessions"),
        &[Argument::optional(
            "account",
            Kind::Account,
            "only the sessions of this account",
        )],
        |operator, arguments| Box::pin(list(operator, arguments)),
    ),
    Operation::new(
        "session end",
        "Ends one session, or all of an account; the account may log in again.",
        Face::new(standard!("end-user-session"), "End sessions of users"),
        &[Argument::required(
            "jid",
            Kind::Session,
            "name@domain/resource, or name@domain for all of its sessions",
        )
        .var("accountjids")
        .count(Count::Each)],
        |operator, arguments| Box::pin(end(operator, arguments)),
    ),
];

/// Sessions that one list shows at most.
const LIST_MAX: usize = 10_000;

async fn list(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let online = operator.all_online()?;
    let mut sessions: Vec<Arc<Session>> = match arguments.account_opt("account") {
        Some(jid) => operator.sessions(jid),
        None => {
            let sessions = online.iter().map(|account| account.sessions().to_vec());
            sessions.flatten().collect()
        }
    };
    sessions.sort_by(|a, b| a.jid().cmp(b.jid()));
    let total = sessions.len();
    sessions.truncate(LIST_MAX);
    let now = operator.clock.now();
    let mut data = Vec::with_capacity(sessions.len());
    let mut rows = Vec::with_capacity(sessions.len());
    for session in &sessions {
        let connection = session.connection();
        data.push(json!({
            "jid": session.jid().to_string(),
            "peer": connection.peer.to_string(),
            "transport": connection.transport,
            "since": connection.since.to_string(),
            "priority": session.priority(),
        }));
        rows.push([
            session.jid().to_string(),
            connection.peer.to_string(),
            connection.transport.to_owned(),
            format!("{} min", now.seconds_since(connection.since) / 60),
            session
                .priority()
                .map_or_else(|| "not available".to_owned(), |p| p.to_string()),
        ]);
    }
    let text = match total {
        total if total > LIST_MAX => format!("The first {LIST_MAX} of {total}.\n"),
        total => format!("{total} in all.\n"),
    };
    let table = Table::new(["SESSION", "PEER", "TRANSPORT", "FOR", "PRIORITY"], rows);
    Ok(Outcome::told(json!({ "sessions": data, "total": total }), text).with(table))
}

async fn end(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    operator.router()?;
    let jid = arguments.session("jid")?;
    let mut sessions = operator.sessions(jid.bare());
    if let Some(resource) = jid.resource() {
        sessions.retain(|session| is(session, resource));
    }
    if sessions.is_empty() {
        return Err(Refusal::NotFound(format!("there is no session of {jid}")));
    }
    // RFC 6120 §4.9.3.14: somebody here decided so; nothing is wrong with the account.
    let error =
        StreamError::new(StreamCondition::PolicyViolation).text("ended by an administrator");
    for session in &sessions {
        session.end(error.clone());
    }
    let ended: Vec<String> = sessions
        .iter()
        .map(|session| session.jid().to_string())
        .collect();
    let text: String = ended
        .iter()
        .map(|jid| format!("{jid} is ended.\n"))
        .collect();
    Ok(Outcome::told(json!({ "sessions_ended": ended }), text))
}

fn is(session: &Session, resource: &Resource) -> bool {
    session.resource() == resource
}
