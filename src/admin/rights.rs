//! Rights (S0-10, S1-4, S4-3 to S4-5): who may do what beside the usual rights of its role.

mod after;

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::center::{self, ACCOUNT_GRANTS, Change, HOST, JID, Kept, ROLE, ROLE_GRANTS, Whose};
use super::operation::{Argument, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::clock::Timestamp;
use crate::domain::rights::{AccountGrants, Grant, Right, Rights, Role, RoleGrants, effective};
use crate::proto::BareJid;
use crate::store::{Store, StoreError};
use after::After;

const RIGHT: Argument = Argument::required(
    "right",
    Kind::Right,
    "which right, of those that the list of rights names",
);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "right give",
        "Gives a right to a role and those above it, or to one account.",
        Face::new(own!("right-give"), "Give a right"),
        &[RIGHT, ROLE, JID, HOST],
        |operator, arguments| Box::pin(edit(operator, arguments, Act::Give)),
    )
    .with_right(Right::RightEdit),
    Operation::new(
        "right take",
        "Takes a right from a role, or withholds it from one account. Administrators keep all.",
        Face::new(own!("right-take"), "Take a right"),
        &[RIGHT, ROLE, JID, HOST],
        |operator, arguments| Box::pin(edit(operator, arguments, Act::Take)),
    )
    .with_right(Right::RightEdit),
    Operation::new(
        "right reset",
        "Leaves a right, or all of them, to what is usual for a role, or to the role of an account.",
        Face::new(own!("right-reset"), "Reset rights"),
        &[
            ROLE,
            JID,
            Argument::optional("right", Kind::Right, "which right; all if left out"),
            HOST,
        ],
        |operator, arguments| Box::pin(edit(operator, arguments, Act::Reset)),
    )
    .with_right(Right::RightEdit),
    Operation::new(
        "right list",
        "Lists the rights of each role, or those of one account.",
        Face::new(own!("right-list"), "List rights"),
        &[JID, HOST],
        |operator, arguments| Box::pin(list(operator, arguments)),
    )
    .with_right(Right::RightEdit)
    .only_looking(),
];

/// What is done with a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Give,
    Take,
    Reset,
}

/// What the account may do on its host in the end.
///
/// # Errors
/// When the database fails.
pub async fn rights_of(store: &Store, account: &BareJid, role: Role) -> Result<Rights, StoreError> {
    let host = account.domain().as_str();
    let of_roles = center::kept(store, ROLE_GRANTS, host).await?.value;
    let own = center::kept(store, ACCOUNT_GRANTS, account.as_str()).await?;
    Ok(effective(
        role,
        &of_roles.unwrap_or_default(),
        &own.value.unwrap_or_default(),
    ))
}

async fn edit(operator: Operator, arguments: Arguments, act: Act) -> Result<Outcome, Refusal> {
    let (host, whose) = center::whose(&operator, &arguments).await?;
    let rights: Vec<Right> = match arguments.right("right") {
        Some(right) => vec![right],
        None => Right::ALL.to_vec(),
    };
    let changed = match &whose {
        Whose::Role(role) => {
            let decided = |kept, now| Ok(of_role(kept, now, (act, *role), &rights));
            center::change(&operator, (ROLE_GRANTS, &host), &host, decided).await?
        }
        Whose::Account(jid) => {
            let decided = |kept, now| Ok(of_account(kept, now, act, &rights));
            let record = (ACCOUNT_GRANTS, jid.as_str());
            center::change(&operator, record, &host, decided).await?
        }
    };
    let now = After::of(&operator, &host, &whose, act).await?;
    let what = match rights.as_slice() {
        [only] => format!("the right {only}"),
        _ => "all rights".to_owned(),
    };
    let done = match act {
        Act::Give => format!("{whose} has {what}"),
        Act::Take if rights.iter().any(|right| now.has(*right)) => match whose {
            Whose::Role(_) => format!("{what} is taken from {whose}"),
            Whose::Account(_) => format!("{what} is withheld from {whose}"),
        },
        Act::Take => format!("{whose} has not {what}"),
        Act::Reset => format!("{what} of {whose}: as usual"),
    };
    let already = if changed { "" } else { " already" };
    let has: Vec<Right> = rights.iter().copied().filter(|it| now.has(*it)).collect();
    let text = format!("{done}{already}.\n");
    let outcome = Outcome::told(json!({ "changed": changed, "has": has }), text);
    Ok(now
        .surprises(&rights)
        .iter()
        .fold(outcome, |outcome, sentence| outcome.warn(sentence)))
}

fn of_role(
    kept: Kept<RoleGrants>,
    now: Timestamp,
    (act, role): (Act, Role),
    rights: &[Right],
) -> Change<RoleGrants> {
    let mut grants = kept.value.unwrap_or_default();
    let mut events = Vec::new();
    for right in rights {
        let gives = match act {
            Act::Give => true,
            Act::Take => false,
            Act::Reset => right.usual_role() == role,
        };
        let before = grants.version;
        match gives {
            true => grants.give(role, *right),
            false => grants.take(role, *right),
        }
        if grants.version != before {
            let event = if gives { "given" } else { "taken" };
            events.push(json!({ "event": event, "at": now, "role": role, "right": right }));
        }
    }
    let after = Some(grants);
    Change { after, events }
}

fn of_account(
    kept: Kept<AccountGrants>,
    now: Timestamp,
    act: Act,
    rights: &[Right],
) -> Change<AccountGrants> {
    let grant = match act {
        Act::Give => Some(Grant::Given),
        Act::Take => Some(Grant::Withheld),
        Act::Reset => None,
    };
    let mut grants = kept.value.unwrap_or_default();
    let mut events = Vec::new();
    for right in rights {
        let before = grants.version;
        grants.set(*right, grant);
        if grants.version != before {
            events.push(json!({ "event": "set", "at": now, "right": right, "grant": grant }));
        }
    }
    let after = Some(grants);
    Change { after, events }
}

async fn list(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    match arguments.account_opt("jid") {
        Some(jid) => list_account(&operator, jid).await,
        None => list_roles(&operator, &center::host(&operator, &arguments)?).await,
    }
}

async fn list_roles(operator: &Operator, host: &str) -> Result<Outcome, Refusal> {
    let kept = center::kept::<RoleGrants>(&operator.store, ROLE_GRANTS, host).await?;
    let grants = kept.value.unwrap_or_default();
    let has = |role: Role, right: Right| match grants.has(role, right) {
        true => "yes".to_owned(),
        false => "-".to_owned(),
    };
    let row = |right: &Right| {
        let [member, agent, supervisor, administrator] = Role::ALL.map(|role| has(role, *right));
        [right.to_string(), member, agent, supervisor, administrator]
    };
    let rows: Vec<[String; 5]> = Right::ALL.iter().map(row).collect();
    let data = |role: Role| {
        let own = Right::ALL.iter().filter(|right| grants.has(role, **right));
        (
            role.name().to_owned(),
            own.map(|right| right.name()).collect::<Value>(),
        )
    };
    let roles: serde_json::Map<String, Value> = Role::ALL.into_iter().map(data).collect();
    let data = json!({ "host": host, "version": grants.version, "roles": roles });
    let columns = ["RIGHT", "MEMBER", "AGENT", "SUPERVISOR", "ADMINISTRATOR"];
    let text = format!("The rights of the roles of {host}.\n");
    Ok(Outcome::told(data, text).with(Table::new(columns, rows)))
}

async fn list_account(operator: &Operator, jid: &BareJid) -> Result<Outcome, Refusal> {
    let account = operator.store.accounts().find(jid).await?;
    let role = account.ok_or_else(|| Refusal::no_account(jid))?.role;
    let rights = rights_of(&operator.store, jid, role).await?;
    let kept = center::kept::<AccountGrants>(&operator.store, ACCOUNT_GRANTS, jid.as_str()).await?;
    let own = kept.value.unwrap_or_default();
    let whence = |right: &Right| match own.find(*right) {
        _ if role == Role::Administrator => "its role",
        Some(Grant::Given) => "given",
        Some(Grant::Withheld) => "withheld",
        None if rights.has(*right) => "its role",
        None => "",
    };
    let row = |right: &Right| {
        let has = if rights.has(*right) { "yes" } else { "-" };
        [right.to_string(), has.to_owned(), whence(right).to_owned()]
    };
    let rows: Vec<[String; 3]> = Right::ALL.iter().map(row).collect();
    let has: Value = rights.iter().map(Right::name).collect();
    let data = json!({ "jid": jid.as_str(), "role": role, "version": own.version, "rights": has });
    let text = format!("{jid} has the role {role}.\n");
    Ok(Outcome::told(data, text).with(Table::new(["RIGHT", "HAS IT", "FROM"], rows)))
}
