//! What operators do, defined once for every door.
//!
//! [`operations`] lists everything with its arguments and the role it needs. The command line
//! ([`crate::cli`]), the control socket of a running server ([`control`]) and the ad-hoc
//! commands of XEP-0133 all go through [`perform`], which is the one place where the right to do
//! something is checked and arguments are understood.
//!
//! Not here: reading or writing stanzas, printing, and the configuration file.

mod accounts;
pub mod backup;
mod backup_files;
pub mod control;
mod departure;
mod import;
mod invitations;
pub mod operation;
mod operator;
pub mod password;
pub mod portable;
mod reports;
mod sessions;
mod table;

#[cfg(test)]
mod tests;

pub use invitations::{invite_contact, token_id};
pub use operation::{Argument, Arguments, Given, Kind, Need, Operation, Outcome, Refusal};
pub use operator::Operator;

use tracing::info;

use crate::domain::rights::Role;
use crate::proto::BareJid;

/// Every operation, in the order in which help lists them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    accounts::OPERATIONS
        .iter()
        .chain(import::OPERATIONS)
        .chain(sessions::OPERATIONS)
        .chain(reports::OPERATIONS)
        .chain(invitations::OPERATIONS)
}

/// The operation of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Operation> {
    operations().find(|operation| operation.name == name)
}

/// Does what `name` says, for somebody of the role `by`.
///
/// Not cancel-safe: an operation that is dropped half-way may have changed the account without
/// having told its contacts.
///
/// # Errors
/// When the operation refuses, or was not understood, or `by` may not do it.
pub async fn perform(
    operator: &Operator,
    by: Role,
    name: &str,
    given: &Given,
) -> Result<Outcome, Refusal> {
    let Some(operation) = find(name) else {
        return Err(Refusal::Usage(format!("there is no operation {name:?}")));
    };
    if by < operation.role {
        return Err(Refusal::Forbidden(format!(
            "{name} needs the role {}",
            operation.role
        )));
    }
    run(operator, operation, given).await
}

/// What the owner of an account may have done with it, whatever the role.
const OWN: [&str; 2] = ["account passwd", "account remove"];

/// Does what `name` says with the own account of `owner`.
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
            run(operator, operation, &given).await
        }
        Some(_) | None => Err(Refusal::Forbidden(format!(
            "{name} is not for the owner of an account"
        ))),
    }
}

async fn run(
    operator: &Operator,
    operation: &Operation,
    given: &Given,
) -> Result<Outcome, Refusal> {
    let arguments = operation.understand(given, &operator.config)?;
    let done = (operation.run)(operator.clone(), arguments).await;
    let refusal = done.as_ref().err().map(ToString::to_string);
    let on = given.get("jid");
    info!(operation = operation.name, on, refusal, "operation");
    done
}
