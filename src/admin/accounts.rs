//! Operations on accounts.

use serde_json::{Value, json};
use tracing::warn;

use super::departure;
use super::operation::{Argument, Arguments, Kind, Need, Operation, Outcome, Refusal};
use super::operator::Operator;
use super::{password, table::table};
use crate::clock::Timestamp;
use crate::domain::rights::Role;
use crate::proto::common::vcard;
use crate::proto::scram::ScramKeys;
use crate::proto::{BareJid, StreamCondition, StreamError};
use crate::store::{Account, Put, StoreError, UploadFiles, UploadId, Vcard};

const JID: Argument = Argument {
    name: "jid",
    kind: Kind::Account,
    need: Need::Required,
    about: "the account's address, name@domain",
};
const PASSWORD: Argument = Argument {
    name: "password",
    kind: Kind::Password,
    need: Need::Required,
    about: "what it logs in with",
};

pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "account add",
        about: "Makes an account.",
        arguments: &[
            JID,
            PASSWORD,
            Argument {
                name: "role",
                kind: Kind::Role,
                need: Need::Optional,
                about: "member (default), agent, supervisor or administrator",
            },
            Argument {
                name: "name",
                kind: Kind::Name,
                need: Need::Optional,
                about: "the person's name, for the vCard",
            },
        ],
        role: Role::Administrator,
        run: |operator, arguments| Box::pin(add(operator, arguments)),
    },
    Operation {
        name: "account remove",
        about: "Removes an account with all it has, ends its sessions and tells its contacts.",
        arguments: &[JID],
        role: Role::Administrator,
        run: |operator, arguments| Box::pin(remove(operator, arguments)),
    },
    Operation {
        name: "account disable",
        about: "Keeps an account but lets it log in no more, and ends its sessions.",
        arguments: &[JID],
        role: Role::Administrator,
        run: |operator, arguments| Box::pin(disable(operator, arguments)),
    },
    Operation {
        name: "account enable",
        about: "Lets a disabled account log in again.",
        arguments: &[JID],
        role: Role::Administrator,
        run: |operator, arguments| Box::pin(enable(operator, arguments)),
    },
    Operation {
        name: "account passwd",
        about: "Changes an account's password; its sessions go on.",
        arguments: &[
            JID,
            PASSWORD,
            Argument {
                name: "end-sessions",
                kind: Kind::Flag,
                need: Need::Optional,
                about: "end the sessions that logged in with the old password",
            },
        ],
        role: Role::Administrator,
        run: |operator, arguments| Box::pin(passwd(operator, arguments)),
    },
    Operation {
        name: "account role",
        about: "Gives an account another role.",
        arguments: &[
            JID,
            Argument {
                name: "role",
                kind: Kind::Role,
                need: Need::Required,
                about: "member, agent, supervisor or administrator",
            },
        ],
        role: Role::Administrator,
        run: |operator, arguments| Box::pin(role(operator, arguments)),
    },
    Operation {
        name: "account list",
        about: "Lists accounts by host and address.",
        arguments: &[
            Argument {
                name: "host",
                kind: Kind::Host,
                need: Need::Optional,
                about: "only the accounts of this host",
            },
            Argument {
                name: "after",
                kind: Kind::Account,
                need: Need::Optional,
                about: "only what comes behind this address, to go on with a long list",
            },
        ],
        role: Role::Administrator,
        run: |operator, arguments| Box::pin(list(operator, arguments)),
    },
];

/// Accounts that one list holds at most; a longer list is gone on with by `after`.
const LIST_MAX: usize = 10_000;

/// Accounts read at once.
const PAGE: u32 = 1_000;

/// An account to be made.
pub(super) struct NewAccount {
    pub(super) jid: BareJid,
    pub(super) role: Role,
    pub(super) name: Option<String>,
}

/// Makes the account; [`Refusal::Conflict`] when it exists.
pub(super) async fn create(
    operator: &Operator,
    account: &NewAccount,
    keys: &[ScramKeys],
) -> Result<(), Refusal> {
    let NewAccount { jid, role, name } = account;
    let now = operator.clock.now();
    // On the heap, for its size; so are the like below.
    let accounts = operator.store.accounts();
    match Box::pin(accounts.create(jid, *role, keys, now)).await {
        Ok(()) => {}
        Err(StoreError::Conflict(_)) => return Err(exists(jid)),
        Err(error) => return Err(error.into()),
    }
    if let Some(name) = name.as_deref().filter(|name| !name.is_empty()) {
        let vcard = Vcard {
            xml: vcard::named(name),
            updated_at: now,
        };
        let bytes_max = operator.config.vcard.bytes_max.as_usize();
        let nameless =
            |why: String| Refusal::Failed(format!("{jid} is made, but without its name: {why}"));
        match operator.store.vcards().put(jid, &vcard, bytes_max).await {
            Ok(Put::Stored) => {}
            Ok(Put::Full) => return Err(nameless("it is too long".to_owned())),
            Err(error) => return Err(nameless(error.to_string())),
        }
    }
    Ok(())
}

pub(super) fn exists(jid: &BareJid) -> Refusal {
    Refusal::Conflict(format!("there is an account {jid} already"))
}

async fn add(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let account = NewAccount {
        jid: arguments.account("jid")?.clone(),
        role: arguments.role("role").unwrap_or(Role::Member),
        name: arguments.name("name").map(str::to_owned),
    };
    // Before the work of deriving; that nobody else makes it in between is seen to by the store.
    if operator
        .store
        .accounts()
        .find(&account.jid)
        .await?
        .is_some()
    {
        return Err(exists(&account.jid));
    }
    let secret = arguments.secret("password")?.clone();
    let keys = password::keys(secret, operator.config.auth.scram_iterations).await?;
    create(&operator, &account, &keys).await?;
    let NewAccount { jid, role, .. } = account;
    Ok(Outcome {
        data: json!({ "jid": jid.as_str(), "role": role.name() }),
        text: format!("{jid} is made, with the role {role}.\n"),
    })
}

async fn remove(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    let sessions = operator.sessions(jid);
    let uploads = operator.store.uploads().of_owner(jid).await?;
    let removed = Box::pin(operator.store.accounts().remove(jid)).await?;
    let removed = removed.ok_or_else(|| Refusal::no_account(jid))?;
    delete_files(&operator, &uploads).await;
    // XEP-0077 §3.2: the streams of a removed account are closed with `not-authorized`.
    let gone = StreamError::new(StreamCondition::NotAuthorized).text("the account is removed");
    let ended = operator.end_sessions(jid, &gone);
    if let Some(services) = &operator.services {
        services.hooks.run_removed(jid, services).await;
    }
    departure::part(&operator, jid, &sessions, &removed)
        .await
        .map_err(|error| {
            Refusal::Failed(format!(
                "{jid} is removed, but not all of its contacts were told: {error}"
            ))
        })?;
    Ok(Outcome {
        data: json!({
            "jid": jid.as_str(),
            "contacts": removed.roster.len(),
            "sessions_ended": ended,
        }),
        text: format!("{jid} is removed{}.\n", and_sessions(ended)),
    })
}

/// Deletes what the account had uploaded. A file that is left is found by the daily sweep, and given to
/// nobody until then.
async fn delete_files(operator: &Operator, uploads: &[UploadId]) {
    let files = UploadFiles::new(&operator.config.data_dir);
    for id in uploads {
        if let Err(error) = files.remove(id).await {
            warn!(%error, "the file of a removed account could not be deleted");
        }
    }
}

async fn disable(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    if !operator.store.accounts().disable(jid).await? {
        return Err(Refusal::no_account(jid));
    }
    // Not `not-authorized`, which tells clients that the account is gone: it is there, and a
    // rule of this server (RFC 6120 §4.9.3.14) keeps it out.
    let error = StreamError::new(StreamCondition::PolicyViolation).text("the account is disabled");
    let ended = operator.end_sessions(jid, &error);
    Ok(Outcome {
        data: json!({ "jid": jid.as_str(), "enabled": false, "sessions_ended": ended }),
        text: format!("{jid} is disabled{}.\n", and_sessions(ended)),
    })
}

async fn enable(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    if !operator.store.accounts().enable(jid).await? {
        return Err(Refusal::no_account(jid));
    }
    Ok(Outcome {
        data: json!({ "jid": jid.as_str(), "enabled": true }),
        text: format!("{jid} may log in.\n"),
    })
}

async fn passwd(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    if operator.store.accounts().find(jid).await?.is_none() {
        return Err(Refusal::no_account(jid));
    }
    if operator.store.account_sources().find(jid).await?.is_some() {
        return Err(Refusal::NotAllowed(format!(
            "{jid} has no password here; it is changed where the person logs in from"
        )));
    }
    let secret = arguments.secret("password")?.clone();
    let keys = password::keys(secret, operator.config.auth.scram_iterations).await?;
    let now = operator.clock.now();
    let accounts = operator.store.accounts();
    if !Box::pin(accounts.set_password(jid, &keys, now)).await? {
        return Err(Refusal::no_account(jid));
    }
    let mut ended = 0;
    if arguments.flag("end-sessions") {
        // RFC 6120 §4.9.3.16: what the stream's security rests on has changed.
        let error = StreamError::new(StreamCondition::Reset).text("the password was changed");
        ended = operator.end_sessions(jid, &error);
    }
    Ok(Outcome {
        data: json!({ "jid": jid.as_str(), "sessions_ended": ended }),
        text: format!("The password of {jid} is changed{}.\n", and_sessions(ended)),
    })
}

async fn role(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let jid = arguments.account("jid")?;
    let role = arguments.role("role").unwrap_or(Role::Member);
    if !operator.store.accounts().set_role(jid, role).await? {
        return Err(Refusal::no_account(jid));
    }
    Ok(Outcome {
        data: json!({ "jid": jid.as_str(), "role": role.name() }),
        text: format!("{jid} has the role {role}.\n"),
    })
}

fn and_sessions(ended: usize) -> String {
    match ended {
        0 => String::new(),
        1 => ", and its session is ended".to_owned(),
        ended => format!(", and its {ended} sessions are ended"),
    }
}

async fn list(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let mut after = arguments.account_opt("after").cloned();
    let mut hosts: Vec<String> = match (arguments.host("host"), &after) {
        (Some(host), _) => vec![host.to_owned()],
        (None, _) => operator
            .config
            .hosts
            .iter()
            .map(|host| host.domain.as_str().to_owned())
            .collect(),
    };
    if let Some(after) = &after {
        // Hosts are listed in the order of the configuration: those before it are done.
        let domain = after.domain().as_str();
        let at = hosts.iter().position(|host| host == domain).unwrap_or(0);
        hosts.drain(..at);
    }
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
            if accounts.len() > LIST_MAX {
                break 'hosts;
            }
        }
        after = None;
    }
    let more = accounts.len() > LIST_MAX;
    accounts.truncate(LIST_MAX);
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
    let mut text = table(["ACCOUNT", "ROLE", "STATE", "SEEN"], &rows);
    let next = accounts
        .last()
        .filter(|_| more)
        .map(|last| last.jid.to_string());
    match &next {
        Some(last) => text.push_str(&format!("There are more: go on with --after {last}\n")),
        None => text.push_str(&format!("{} in all.\n", accounts.len())),
    }
    Outcome {
        data: json!({ "accounts": Value::Array(data), "next_after": next }),
        text,
    }
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
