//! Operations on the sessions of a running server.

use std::sync::Arc;

use serde_json::json;

use super::operation::{Argument, Arguments, Kind, Need, Operation, Outcome, Refusal};
use super::operator::Operator;
use super::table::table;
use crate::domain::rights::Role;
use crate::hooks::Session;
use crate::proto::{Resource, StreamCondition, StreamError};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "session list",
        about: "Lists the sessions of the running server.",
        arguments: &[Argument {
            name: "account",
            kind: Kind::Account,
            need: Need::Optional,
            about: "only the sessions of this account",
        }],
        role: Role::Administrator,
        run: |operator, arguments| Box::pin(list(operator, arguments)),
    },
    Operation {
        name: "session end",
        about: "Ends one session, or all of an account; the account may log in again.",
        arguments: &[Argument {
            name: "jid",
            kind: Kind::Session,
            need: Need::Required,
            about: "name@domain/resource, or name@domain for all of its sessions",
        }],
        role: Role::Administrator,
        run: |operator, arguments| Box::pin(end(operator, arguments)),
    },
];

/// Sessions that one list shows at most.
const LIST_MAX: usize = 10_000;

async fn list(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let router = operator.router()?;
    let mut sessions: Vec<Arc<Session>> = match arguments.account_opt("account") {
        Some(jid) => operator.sessions(jid),
        None => {
            let accounts = router.all_online();
            accounts
                .iter()
                .flat_map(|account| account.sessions().to_vec())
                .collect()
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
    let mut text = table(["SESSION", "PEER", "TRANSPORT", "FOR", "PRIORITY"], &rows);
    text.push_str(&match total {
        total if total > LIST_MAX => format!("The first {LIST_MAX} of {total}.\n"),
        total => format!("{total} in all.\n"),
    });
    Ok(Outcome {
        data: json!({ "sessions": data, "total": total }),
        text,
    })
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
    Ok(Outcome {
        text: ended
            .iter()
            .map(|jid| format!("{jid} is ended.\n"))
            .collect(),
        data: json!({ "sessions_ended": ended }),
    })
}

fn is(session: &Session, resource: &Resource) -> bool {
    session.resource() == resource
}
