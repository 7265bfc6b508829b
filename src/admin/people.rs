//! What administrators look up about accounts: roster, last login, statistics (XEP-0133 §4.8 to §4.10).

use std::collections::BTreeSet;

use serde_json::json;

use super::accounts::JID;
use super::arguments::Arguments;
use super::operation::{Argument, Count, Face, Kind, Operation, ResultField, standard};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::proto::BareJid;
use crate::proto::common::forms::FieldType;
use crate::store::Account;

const EACH: Argument =
    Argument::required("jid", Kind::Account, "the accounts' addresses, name@domain")
        .var("accountjids")
        .count(Count::Each);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "account roster",
        "Shows the contacts of an account.",
        Face::new(standard!("get-user-roster"), "Show rosters of users"),
        &[EACH],
        |operator, arguments| Box::pin(roster(operator, arguments)),
    ),
    Operation::new(
        "account last-login",
        "Tells when an account was last here.",
        Face::new(
            standard!("get-user-lastlogin"),
            "Show when users were last here",
        )
        .with(&[
            ResultField::new("accountjids", FieldType::JidMulti, "jid"),
            ResultField::new("lastlogin", FieldType::TextMulti, "last_login"),
        ]),
        &[EACH],
        |operator, arguments| Box::pin(last_login(operator, arguments)),
    ),
    Operation::new(
        "account stats",
        "Tells how an account uses the server: addresses, sessions, contacts.",
        Face::new(standard!("user-stats"), "Show statistics of a user").with(&[
            ResultField::new("ipaddresses", FieldType::TextMulti, "ip_addresses"),
            ResultField::new("rostersize", FieldType::TextSingle, "roster_size"),
            ResultField::new("onlineresources", FieldType::TextMulti, "online_resources"),
        ]),
        &[JID],
        |operator, arguments| Box::pin(stats(operator, arguments)),
    ),
];

async fn found(operator: &Operator, jid: &BareJid) -> Result<Account, Refusal> {
    let found = operator.store.accounts().find(jid).await?;
    found.ok_or_else(|| Refusal::no_account(jid))
}

async fn roster(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    found(&operator, jid).await?;
    let roster = operator.store.rosters().load(jid).await?;
    let mut data = Vec::with_capacity(roster.items.len());
    let mut rows = Vec::with_capacity(roster.items.len());
    for item in &roster.items {
        let subscription = item.subscription.name();
        data.push(json!({
            "jid": item.contact.as_str(),
            "name": item.name,
            "subscription": subscription,
            "ask": item.ask,
            "groups": item.groups,
        }));
        rows.push([
            jid.to_string(),
            item.contact.to_string(),
            item.name.clone().unwrap_or_default(),
            subscription.to_owned(),
        ]);
    }
    let text = format!("{jid} has {} contacts.\n", rows.len());
    let table = Table::new(["ACCOUNT", "CONTACT", "NAME", "SUBSCRIPTION"], rows);
    let data = json!({ "jid": jid.as_str(), "contacts": data });
    Ok(Outcome::told(data, text).with(table))
}

/// §4.9: of who is online, when the latest session began; else when the last one ended.
async fn last_login(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    let account = found(&operator, jid).await?;
    let sessions = operator.sessions(jid);
    let since = sessions.iter().map(|session| session.connection().since);
    let at = since
        .max()
        .or_else(|| account.last_seen.map(|seen| seen.at));
    let text = match at {
        Some(at) if sessions.is_empty() => format!("{jid} was last here at {at}.\n"),
        Some(at) => format!("{jid} is here since {at}.\n"),
        None => format!("{jid} was never here.\n"),
    };
    let at = at.map(|at| at.to_string());
    Ok(Outcome::told(
        json!({ "jid": jid.as_str(), "last_login": at, "online": !sessions.is_empty() }),
        text,
    ))
}

async fn stats(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    let account = found(&operator, jid).await?;
    let roster = operator.store.rosters().load(jid).await?;
    let sessions = operator.sessions(jid);
    let peers: BTreeSet<String> = sessions
        .iter()
        .map(|session| session.connection().peer.to_string())
        .collect();
    let resources: Vec<&str> = sessions
        .iter()
        .map(|session| session.resource().as_str())
        .collect();
    let contacts = roster.items.len();
    let last = account.last_seen.map(|seen| seen.at.to_string());
    let (role, enabled) = (account.role, account.enabled);
    let state = if enabled { "enabled" } else { "disabled" };
    let text = format!(
        "{jid}: {role}, {state}, {contacts} contacts, {} sessions.\n",
        sessions.len()
    );
    Ok(Outcome::told(
        json!({
            "jid": jid.as_str(),
            "role": role.name(),
            "enabled": enabled,
            "created_at": account.created_at.to_string(),
            "last_seen_at": last,
            "roster_size": contacts,
            "ip_addresses": peers,
            "online_resources": resources,
        }),
        text,
    ))
}
