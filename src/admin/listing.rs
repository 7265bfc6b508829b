//! Lists and numbers of accounts: all, those that may not log in, those that are online, and of these the
//! active and the idle (XEP-0133 §4.13 to §4.22).
//!
//! Active is who is online with a session whose client is connected, has not said that nobody looks at it
//! (XEP-0352), and is neither away nor extended away; idle is who is online otherwise.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::operation::{
    Argument, Asked, Face, Handler, Kind, Operation, ResultField, own, standard,
};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::clock::Timestamp;
use crate::hooks::Session;
use crate::proto::common::forms::{FieldType, ITEMS_MAX, VALUES_MAX};
use crate::proto::ns;
use crate::store::Account;

const HOST: Argument = Argument::optional("host", Kind::Host, "only the accounts of this host");

/// The host that a command was sent to.
const THIS_HOST: Argument = HOST.asked(Asked::Never);

/// XEP-0133 §4.18.
const MAX_ITEMS: Argument =
    Argument::optional("max-items", Kind::Choice(COUNTS), "how many at most").var("max_items");
const COUNTS: &[&str] = &["25", "50", "75", "100", "150", "200", "none"];

pub(super) const OPERATIONS: &[Operation] =
    &[
        Operation::new(
            "account list",
            "Lists accounts by host and address.",
            Face::new(own!("account-list"), "List accounts"),
            &[
                HOST,
                Argument::optional(
                    "after",
                    Kind::Account,
                    "only what comes behind this address, to go on with a long list",
                ),
            ],
            |operator, arguments| Box::pin(list(operator, arguments)),
        )
        .only_looking(),
        of(
            "account list-registered",
            "Lists the addresses of all accounts.",
            Face::new(
                standard!("get-registered-users-list"),
                "List registered users",
            )
            .with(&[ResultField::new(
                "registereduserjids",
                FieldType::JidMulti,
                "accounts",
            )]),
            |operator, arguments| Box::pin(addresses(operator, arguments, State::Registered)),
        ),
        of(
            "account list-disabled",
            "Lists the accounts that may not log in.",
            Face::new(standard!("get-disabled-users-list"), "List disabled users").with(&[
                ResultField::new("disableduserjids", FieldType::JidMulti, "accounts"),
            ]),
            |operator, arguments| Box::pin(addresses(operator, arguments, State::Disabled)),
        ),
        of(
            "account list-online",
            "Lists the accounts that are online.",
            Face::new(standard!("get-online-users-list"), "List online users").with(&[
                ResultField::new("onlineuserjids", FieldType::JidMulti, "accounts"),
            ]),
            |operator, arguments| Box::pin(addresses(operator, arguments, State::Online)),
        ),
        of(
            "account list-active",
            "Lists the accounts that are online and active.",
            Face::new(standard!("get-active-users"), "List active users").with(&[
                ResultField::new("activeuserjids", FieldType::JidMulti, "accounts"),
            ]),
            |operator, arguments| Box::pin(addresses(operator, arguments, State::Active)),
        ),
        of(
            "account list-idle",
            "Lists the accounts that are online and idle.",
            Face::new(standard!("get-idle-users"), "List idle users").with(&[ResultField::new(
                "idleuserjids",
                FieldType::JidMulti,
                "accounts",
            )]),
            |operator, arguments| Box::pin(addresses(operator, arguments, State::Idle)),
        ),
        number(
            "account count-registered",
            "Counts all accounts.",
            Face::new(
                standard!("get-registered-users-num"),
                "Count registered users",
            )
            .with(&[ResultField::new(
                "registeredusersnum",
                FieldType::TextSingle,
                "count",
            )]),
            |operator, arguments| Box::pin(count(operator, arguments, State::Registered)),
        ),
        number(
            "account count-disabled",
            "Counts the accounts that may not log in.",
            Face::new(standard!("get-disabled-users-num"), "Count disabled users").with(&[
                ResultField::new("disabledusersnum", FieldType::TextSingle, "count"),
            ]),
            |operator, arguments| Box::pin(count(operator, arguments, State::Disabled)),
        ),
        number(
            "account count-online",
            "Counts the accounts that are online.",
            Face::new(standard!("get-online-users-num"), "Count online users").with(&[
                ResultField::new("onlineusersnum", FieldType::TextSingle, "count"),
            ]),
            |operator, arguments| Box::pin(count(operator, arguments, State::Online)),
        ),
        number(
            "account count-active",
            "Counts the accounts that are online and active.",
            Face::new(standard!("get-active-users-num"), "Count active users").with(&[
                ResultField::new("activeusersnum", FieldType::TextSingle, "count"),
            ]),
            |operator, arguments| Box::pin(count(operator, arguments, State::Active)),
        ),
        number(
            "account count-idle",
            "Counts the accounts that are online and idle.",
            Face::new(standard!("get-idle-users-num"), "Count idle users").with(&[
                ResultField::new("idleusersnum", FieldType::TextSingle, "count"),
            ]),
            |operator, arguments| Box::pin(count(operator, arguments, State::Idle)),
        ),
    ];

const fn of(name: &'static str, about: &'static str, face: Face, run: Handler) -> Operation {
    Operation::new(name, about, face, &[MAX_ITEMS, THIS_HOST], run).only_looking()
}

const fn number(name: &'static str, about: &'static str, face: Face, run: Handler) -> Operation {
    Operation::new(name, about, face, &[THIS_HOST], run).only_looking()
}

/// Accounts that one list holds at most, by form as many as that has rows; a longer list is gone on with by `after`.
const LIST_MAX: usize = 10_000;

/// Accounts read at once.
const PAGE: u32 = 1_000;

/// Which accounts are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Registered,
    Disabled,
    Online,
    Active,
    Idle,
}

/// The addresses of those in that state, no more than are asked for and fit into a form.
async fn addresses(
    operator: Operator,
    arguments: Arguments,
    state: State,
) -> Result<Outcome, Refusal> {
    let wanted = arguments
        .text("max-items")
        .and_then(|text| text.parse().ok());
    let max = wanted.unwrap_or(VALUES_MAX).min(VALUES_MAX);
    let mut found = match state {
        State::Registered | State::Disabled => {
            let hosts = hosts(&operator, &arguments);
            registered(&operator, &hosts, state, max + 1).await?
        }
        State::Online | State::Active | State::Idle => online(&operator, &arguments, state)?,
    };
    let more = found.len() > max;
    found.truncate(max);
    let data: Vec<Value> = found.iter().map(|jid| json!({ "jid": jid })).collect();
    let text = match more {
        true => format!("The first {max}.\n"),
        false => format!("{} in all.\n", found.len()),
    };
    let rows = found.into_iter().map(|jid| [jid]).collect();
    let data = json!({ "accounts": data, "more": more });
    Ok(Outcome::told(data, text).with(Table::new(["ACCOUNT"], rows)))
}

async fn count(operator: Operator, arguments: Arguments, state: State) -> Result<Outcome, Refusal> {
    let accounts = operator.store.accounts();
    let mut count = 0;
    for host in hosts(&operator, &arguments) {
        match state {
            State::Registered => count += accounts.count(&host).await?,
            State::Disabled => count += accounts.count_disabled(&host).await?,
            State::Online | State::Active | State::Idle => {}
        }
    }
    if matches!(state, State::Online | State::Active | State::Idle) {
        count = online(&operator, &arguments, state)?.len() as u64;
    }
    Ok(Outcome::told(
        json!({ "count": count }),
        format!("{count}\n"),
    ))
}

fn hosts(operator: &Operator, arguments: &Arguments) -> Vec<String> {
    match arguments.host("host") {
        Some(host) => vec![host.to_owned()],
        None => operator.hosts().map(str::to_owned).collect(),
    }
}

async fn registered(
    operator: &Operator,
    hosts: &[String],
    state: State,
    max: usize,
) -> Result<Vec<String>, Refusal> {
    let mut found = Vec::new();
    for host in hosts {
        let mut after = None;
        loop {
            let accounts = operator.store.accounts();
            let page = accounts.page(host, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.jid.clone());
            let wanted = page
                .iter()
                .filter(|it| state == State::Registered || !it.enabled);
            found.extend(wanted.map(|it| it.jid.to_string()));
            if found.len() >= max {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

fn online(
    operator: &Operator,
    arguments: &Arguments,
    state: State,
) -> Result<Vec<String>, Refusal> {
    let host = arguments.host("host");
    let mut found = Vec::new();
    for account in operator.all_online()? {
        let here = host.is_none_or(|host| account.jid().domain().as_str() == host);
        let active = account.sessions().iter().any(|session| is_active(session));
        let wanted = match state {
            State::Active => active,
            State::Idle => !active,
            State::Online | State::Registered | State::Disabled => true,
        };
        if here && wanted {
            found.push(account.jid().to_string());
        }
    }
    Ok(found)
}

fn is_active(session: &Session) -> bool {
    let show = session.presence().and_then(|presence| {
        let show = presence.find(ns::CLIENT, "show")?;
        Some(show.to_element(ns::CLIENT).ok()?.text_content())
    });
    let away = matches!(show.as_deref(), Some("away" | "xa"));
    session.is_connected() && !session.is_inactive() && !away
}

async fn list(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let mut after = arguments.account_opt("after").cloned();
    let mut hosts: Vec<String> = match (arguments.host("host"), &after) {
        (Some(host), _) => vec![host.to_owned()],
        (None, _) => operator.hosts().map(str::to_owned).collect(),
    };
    if let Some(after) = &after {
        // Hosts are listed in the order of the configuration: those before it are done.
        let domain = after.domain().as_str();
        let at = hosts.iter().position(|host| host == domain).unwrap_or(0);
        hosts.drain(..at);
    }
    let max = match operator.account {
        Some(_) => ITEMS_MAX,
        None => LIST_MAX,
    };
    let mut accounts: Vec<Account> = Vec::new();
    'hosts: for host in &hosts {
        loop {
            let page = operator
                .store
                .accounts()
                .page(host, after.as_ref(), PAGE)
                .await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.jid.clone());
            accounts.extend(page);
            if accounts.len() > max {
                break 'hosts;
            }
        }
        after = None;
    }
    let more = accounts.len() > max;
    accounts.truncate(max);
    Ok(listed(&operator, &accounts, more))
}

fn listed(operator: &Operator, accounts: &[Account], more: bool) -> Outcome {
    let now = operator.clock.now();
    let mut data = Vec::with_capacity(accounts.len());
    let mut rows = Vec::with_capacity(accounts.len());
    for account in accounts {
        let sessions = operator
            .services
            .as_ref()
            .map(|_| operator.sessions(&account.jid).len());
        let last_seen = account.last_seen.as_ref().map(|seen| seen.at);
        data.push(json!({
            "jid": account.jid.as_str(),
            "role": account.role.name(),
            "enabled": account.enabled,
            "created_at": account.created_at.to_string(),
            "last_seen_at": last_seen.map(|at| at.to_string()),
            "sessions": sessions,
        }));
        rows.push([
            account.jid.to_string(),
            account.role.to_string(),
            if account.enabled {
                "enabled"
            } else {
                "disabled"
            }
            .to_owned(),
            seen(sessions, last_seen, now),
        ]);
    }
    let mut text = String::new();
    let next = accounts
        .last()
        .filter(|_| more)
        .map(|last| last.jid.to_string());
    match &next {
        Some(last) => text.push_str(&format!("There are more: go on with --after {last}\n")),
        None => text.push_str(&format!("{} in all.\n", accounts.len())),
    }
    let data = json!({ "accounts": data, "next_after": next });
    Outcome::told(data, text).with(Table::new(["ACCOUNT", "ROLE", "STATE", "SEEN"], rows))
}

fn seen(sessions: Option<usize>, last_seen: Option<Timestamp>, now: Timestamp) -> String {
    match (sessions, last_seen) {
        (Some(1), _) => "online".to_owned(),
        (Some(count @ 2..), _) => format!("online, {count} sessions"),
        (_, None) => "-".to_owned(),
        (_, Some(at)) => match now.seconds_since(at) {
            ..60 => "just now".to_owned(),
            seconds @ 60..3_600 => format!("{} min ago", seconds / 60),
            seconds @ 3_600..86_400 => format!("{} h ago", seconds / 3_600),
            seconds => format!("{} days ago", seconds / 86_400),
        },
    }
}
