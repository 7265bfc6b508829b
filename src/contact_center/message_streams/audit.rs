//! The audit trail of what is read of customers here (section J of the design). It has ids, and never what is written.

use tracing::warn;

use crate::contact_center::errors::Refused;
use crate::contact_center::operation::Caller;
use crate::contact_center::trail;
use crate::domain::rights::Role;

/// Writes down what a supervisor or an administrator reads, before it is shown.
pub(super) async fn reads(
    caller: &Caller,
    operation: &'static str,
    target: &str,
) -> Result<(), Refused> {
    match caller.role {
        Role::Member | Role::Agent => Ok(()),
        Role::Supervisor | Role::Administrator => trail::shown(caller, operation, target).await,
    }
}

/// What comes after the record was written fails alone: the record stays written, and files that nothing names are found
/// another day.
pub(super) fn settled(done: Result<(), Refused>) {
    if let Err(refused) = done {
        warn!(%refused, "what a message stream has left behind is not cleared away yet");
    }
}
