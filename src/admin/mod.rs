//! What operators do, defined once for every door.
//!
//! [`operations`] lists everything with its arguments, who may have it done, and how forms ask for it. The
//! command line ([`crate::cli`]), the control socket of a running server ([`control`]) and the ad-hoc
//! commands (XEP-0050, XEP-0133) all go through [`perform`], which is the one place where the right to do
//! something is checked, arguments are understood, and the audit trail is written.
//!
//! Not here: reading or writing stanzas, printing, and the configuration file. What operations ask of the
//! running server besides its hooks is the trait [`Machinery`].

mod access;
mod accounts;
mod actor;
mod administrators;
mod announcements;
mod arguments;
pub mod backup;
mod backup_files;
mod billing;
mod catalogues;
mod center;
pub mod control;
mod customers;
mod departure;
mod follow_ups;
mod import;
mod invitations;
mod listing;
mod machinery;
mod neighbours;
pub mod operation;
mod operator;
mod outcome;
pub mod password;
mod people;
pub mod portable;
mod profiles;
mod reasons;
mod refusal;
mod reports;
mod rights;
mod rooms;
mod service;
mod sessions;
mod tags;
#[cfg(test)]
mod tests;
mod trail;

pub use access::{AccessRules, BLACKLIST, WHITELIST};
pub use actor::{Actor, Reach};
pub use announcements::{MOTD, WELCOME, notice_message};
pub use arguments::{Arguments, Given};
pub use center::{
    ACCOUNT_GRANTS, AGENT, CHAT_PROFILE, COPY_RULES, CenterDesk, CenterKeeping, NOTE_TYPES,
    REASON_CODES, RECENT, ROLE_GRANTS, SCRATCH_PAD, TAGS, TRANSACTION_TYPES, role_profile_id,
    setting,
};
pub use customers::{
    ERASED_FOLLOW_UP, FoundCustomers, KnownCustomer, WrittenProfile, found_customers, is_about,
    known_customer, telephone, told_place, understood_place,
};
pub use invitations::{invite_contact, token_id};
pub use machinery::{CertificateView, Ending, Live, Machine, Machinery, Reloaded};
pub use operation::{
    Argument, Asked, Count, Face, Kind, Need, Operation, ResultField, Scope, Trace,
};
pub use operator::Operator;
pub use outcome::{Outcome, Table};
pub(crate) use reasons::is_language;
pub use refusal::Refusal;
pub use rights::rights_of;
pub use rooms::{RoomDesk, RoomKeeping, RoomSummary};
pub use trail::expire as expire_audit;

use tracing::info;

use crate::proto::BareJid;

/// Every operation, in the order in which help lists them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    accounts::OPERATIONS
        .iter()
        .chain(import::OPERATIONS)
        .chain(people::OPERATIONS)
        .chain(listing::OPERATIONS)
        .chain(administrators::OPERATIONS)
        .chain(sessions::OPERATIONS)
        .chain(invitations::OPERATIONS)
        .chain(reports::OPERATIONS)
        .chain(announcements::OPERATIONS)
        .chain(access::OPERATIONS)
        .chain(rooms::OPERATIONS)
        .chain(reasons::OPERATIONS)
        .chain(tags::OPERATIONS)
        .chain(catalogues::OPERATIONS)
        .chain(follow_ups::OPERATIONS)
        .chain(profiles::OPERATIONS)
        .chain(rights::OPERATIONS)
        .chain(customers::OPERATIONS)
        .chain(billing::OPERATIONS)
        .chain(neighbours::OPERATIONS)
        .chain(service::OPERATIONS)
        .chain(trail::OPERATIONS)
}

/// The words that operations begin with, and what they are about.
pub const GROUPS: &[(&str, &str)] = &[
    ("account", "Accounts."),
    ("admin", "Who administers."),
    ("session", "Sessions of the running server."),
    ("invite", "Invitations."),
    ("report", "Reports of spam and abuse."),
    ("announce", "Messages to everybody who is online."),
    ("motd", "The message of the day, which everybody sees once."),
    (
        "welcome",
        "The message that new accounts get at their first login.",
    ),
    ("blacklist", "Whom the server does not talk to."),
    (
        "whitelist",
        "Whom alone the server talks to, outside of it.",
    ),
    ("room", "Rooms."),
    (
        "reason",
        "Why agents are not ready or log out, and what comes of interactions.",
    ),
    ("tag", "Tags of messages."),
    (
        "transaction-type",
        "What may follow from interactions, tickets, orders, complaints and cases.",
    ),
    ("note-type", "Types of notes of follow-ups."),
    ("channel", "What may follow on which channel."),
    ("copy-rule", "What follow-ups copy from what they follow."),
    (
        "profile",
        "Chat profiles: what agents may use, and how much at once.",
    ),
    (
        "right",
        "Who may do what beside what is usual for its role.",
    ),
    ("customer", "Customers: import from files, search, export."),
    ("billing", "Minutes that are billed."),
    ("host", "Hosts that are served."),
    ("component", "External components."),
    ("s2s", "Other servers."),
    ("certificate", "Certificates."),
    ("server", "The server as a whole."),
    ("log", "The log."),
    ("audit", "What administrators did."),
];

/// The operation of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Operation> {
    operations().find(|operation| operation.name == name)
}

/// Whether `by` may have the operation done at all; on what, its arguments decide.
#[must_use]
pub fn may(by: &Actor, operation: &Operation) -> bool {
    allowed(by, operation).is_ok()
}

/// Does what `name` says, for `by`, and writes it into the audit trail. Where an argument stands for several
/// accounts, each is a run of its own; the first that is refused ends it, and its refusal tells what was done.
///
/// Not cancel-safe: an operation that is dropped half-way may have changed the account without
/// having told its contacts.
///
/// # Errors
/// When the operation refuses, or was not understood, or `by` may not do it.
pub async fn perform(
    operator: &Operator,
    by: &Actor,
    name: &str,
    given: &Given,
) -> Result<Outcome, Refusal> {
    let Some(operation) = find(name) else {
        return Err(Refusal::Usage(format!("there is no operation {name:?}")));
    };
    let operator = Operator {
        account: by.account.clone(),
        ..operator.within(&by.reach)
    };
    let mut done = Vec::new();
    for run in operation.runs(given)? {
        match Box::pin(perform_one(&operator, by, operation, &run)).await {
            Ok(outcome) => done.push(outcome),
            Err(refusal) if done.is_empty() => return Err(refusal),
            Err(refusal) => {
                let told = Outcome::merge(done).text;
                let text = format!("{told}{refusal}");
                return Err(refusal.saying(text));
            }
        }
    }
    Ok(Outcome::merge(done))
}

async fn perform_one(
    operator: &Operator,
    by: &Actor,
    operation: &Operation,
    given: &Given,
) -> Result<Outcome, Refusal> {
    let permitted = allowed(by, operation).and_then(|()| {
        let arguments = operation.understand(given, &operator.config)?;
        within(by, &arguments, operator).map(|()| arguments)
    });
    let done = match permitted {
        Ok(arguments) => (operation.run)(operator.clone(), arguments).await,
        Err(refusal) => Err(refusal),
    };
    log(operation, given, &done);
    trail::keep(operator, by, operation, given, done).await
}

/// Whether what the arguments name is within reach.
fn within(by: &Actor, arguments: &Arguments, operator: &Operator) -> Result<(), Refusal> {
    if let Some(host) = arguments.hosts().find(|host| !by.reach.includes(host)) {
        return Err(Refusal::Forbidden(format!(
            "you are an administrator of another host than {host}"
        )));
    }
    let mut named = arguments.all_accounts();
    match named.find(|jid| by.reach.spares(&operator.config, jid)) {
        Some(jid) => Err(Refusal::server_administrator(jid)),
        None => Ok(()),
    }
}

/// Refuses to do it, and writes the attempt into the audit trail.
pub async fn refuse(operator: &Operator, by: &Actor, operation: &Operation) -> Refusal {
    let refusal = match allowed(by, operation) {
        Err(refusal) => refusal,
        Ok(()) => Refusal::Forbidden(format!("{} is refused", operation.name)),
    };
    let given = Given::new();
    let kept = trail::keep(operator, by, operation, &given, Err(refusal.clone()));
    Box::pin(kept).await.err().unwrap_or(refusal)
}

fn allowed(by: &Actor, operation: &Operation) -> Result<(), Refusal> {
    let name = operation.name;
    let given = operation.right.is_some_and(|right| by.has(right));
    if by.role < operation.role && !given {
        let role = operation.role;
        return Err(Refusal::Forbidden(format!("{name} needs the role {role}")));
    }
    if operation.scope == Scope::Server && by.reach != Reach::Server {
        return Err(Refusal::Forbidden(format!(
            "{name} is for administrators of the whole server; [admin] server_administrators names them"
        )));
    }
    Ok(())
}

/// What the owner of an account may have done with it, whatever the role.
const OWN: [&str; 2] = ["account passwd", "account remove"];

/// Does what `name` says with the own account of `owner`. It is no act of an administrator.
///
/// Not cancel-safe, as [`perform`].
///
/// # Errors
/// As [`perform`].
pub async fn perform_own(
    operator: &Operator,
    owner: &BareJid,
    name: &str,
    mut given: Given,
) -> Result<Outcome, Refusal> {
    match find(name) {
        Some(operation) if OWN.contains(&name) => {
            given.insert("jid".to_owned(), owner.to_string());
            let arguments = operation.understand(&given, &operator.config)?;
            let done = (operation.run)(operator.clone(), arguments).await;
            log(operation, &given, &done);
            done
        }
        Some(_) | None => Err(Refusal::Forbidden(format!(
            "{name} is not for the owner of an account"
        ))),
    }
}

fn log(operation: &Operation, given: &Given, done: &Result<Outcome, Refusal>) {
    if done.is_ok() && operation.trace == Trace::WhenRefused {
        return;
    }
    let refusal = done.as_ref().err().map(ToString::to_string);
    let on = given.get("jid");
    info!(operation = operation.name, on, refusal, "operation");
}
