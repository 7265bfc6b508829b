//! Who administers (XEP-0133 §4.29), and that somebody does.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::center;
use super::operation::{Argument, Count, Face, Kind, Operation, own, standard};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::domain::rights::Role;
use crate::proto::BareJid;
use crate::store::Account;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "admin list",
        "Lists the administrators.",
        Face::new(own!("admin-list"), "List administrators"),
        &[],
        |operator, arguments| Box::pin(list(operator, arguments)),
    ),
    Operation::new(
        "admin set",
        "Makes these accounts the administrators; those who were and are not named become members.",
        Face::new(standard!("edit-admin"), "Edit the list of administrators"),
        &[Argument::required(
            "jid",
            Kind::Account,
            "the administrators' addresses, name@domain",
        )
        .var("adminjids")
        .count(Count::All)],
        |operator, arguments| Box::pin(set(operator, arguments)),
    )
    .prefilled(|operator| {
        Box::pin(async move {
            let administrators = replaceable(&operator).await?;
            let values = administrators.iter().map(|it| ("jid", it.jid.to_string()));
            Ok(values.collect())
        })
    }),
];

/// Lets an operation go on that leaves no administrator.
pub(super) const FORCE: Argument = Argument::optional(
    "force",
    Kind::Flag,
    "also when it is the last administrator",
);

/// Those within reach.
async fn administrators(operator: &Operator) -> Result<Vec<Account>, Refusal> {
    let mut all = Vec::new();
    for host in operator.hosts() {
        let accounts = operator.store.accounts();
        all.extend(accounts.with_role(host, Role::Administrator).await?);
    }
    Ok(all)
}

/// Those whom `admin set` replaces: who administers the whole server stays out of reach of who administers one
/// host.
async fn replaceable(operator: &Operator) -> Result<Vec<Account>, Refusal> {
    let mut all = administrators(operator).await?;
    all.retain(|account| !operator.reach.spares(&operator.config, &account.jid));
    Ok(all)
}

/// Refuses what would take the last administrator of the whole server, unless it is forced.
pub(super) async fn keep_one(
    operator: &Operator,
    jid: &BareJid,
    arguments: &Arguments,
) -> Result<(), Refusal> {
    if arguments.flag("force") {
        return Ok(());
    }
    let everywhere = operator.within(&super::Reach::Server);
    let administrators = administrators(&everywhere).await?;
    let mut able = administrators.iter().filter(|account| account.enabled);
    let is_last = able.next().is_some_and(|account| account.jid == *jid) && able.next().is_none();
    if is_last {
        return Err(Refusal::NotAcceptable(format!(
            "{jid} is the last administrator; make another one before, or force it"
        )));
    }
    Ok(())
}

async fn list(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let administrators = administrators(&operator).await?;
    let mut data: Vec<Value> = Vec::with_capacity(administrators.len());
    let mut rows = Vec::with_capacity(administrators.len());
    let named = &operator.config.admin.server_administrators;
    for it in &administrators {
        let whole = operator.config.hosts.len() == 1 || named.iter().any(|jid| jid.0 == it.jid);
        let reach = if whole { "server" } else { "host" };
        data.push(json!({ "jid": it.jid.as_str(), "reach": reach, "enabled": it.enabled }));
        rows.push([it.jid.to_string(), reach.to_owned()]);
    }
    let text = format!("{} in all.\n", rows.len());
    let table = Table::new(["ADMINISTRATOR", "OF"], rows);
    Ok(Outcome::told(json!({ "administrators": data }), text).with(table))
}

async fn set(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let wanted: Vec<&BareJid> = arguments.accounts("jid").collect();
    let accounts = operator.store.accounts();
    for jid in &wanted {
        match accounts.find(jid).await? {
            Some(account) if account.enabled => {}
            Some(_) => {
                return Err(Refusal::NotAcceptable(format!("{jid} is disabled")));
            }
            None => return Err(Refusal::no_account(jid)),
        }
    }
    let before = replaceable(&operator).await?;
    let is_before = |jid: &BareJid| before.iter().any(|account| account.jid == *jid);
    let mut added: Vec<&str> = Vec::new();
    // First those who are added: should it fail in between, somebody administers.
    for jid in wanted.iter().filter(|jid| !is_before(jid)) {
        accounts.set_role(jid, Role::Administrator).await?;
        added.push(jid.as_str());
    }
    let mut taken: Vec<&str> = Vec::new();
    for account in before.iter().filter(|it| !wanted.contains(&&it.jid)) {
        accounts.set_role(&account.jid, Role::Member).await?;
        taken.push(account.jid.as_str());
    }
    let taken_from = before.iter().map(|it| &it.jid);
    let changed = taken_from.filter(|jid| !wanted.contains(jid));
    for jid in changed.chain(wanted.iter().copied()) {
        center::account_changed(&operator, jid).await?;
    }
    let text = format!(
        "There are {} administrators: {} are new, {} are members now.\n",
        administrators(&operator).await?.len(),
        added.len(),
        taken.len()
    );
    Ok(Outcome::told(
        json!({ "added": added, "removed": taken }),
        text,
    ))
}
