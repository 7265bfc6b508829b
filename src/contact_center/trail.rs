//! The audit trail of what agents, supervisors and administrators read and change here (section J of the design).

use super::draft::Draft;
use super::errors::Refused;
use super::operation::Caller;
use crate::store::{AuditEntry, AuditLimits, NewAuditEntry};

/// What is written down.
pub(super) struct Noted<'a> {
    /// What was done, in the words of the trail.
    pub(super) operation: &'static str,
    /// With what or whom.
    pub(super) target: &'a str,
    /// What else was said.
    pub(super) arguments: String,
    /// What came of it.
    pub(super) result: &'static str,
}

/// Adds what the caller does to what is written: both are there, or neither.
pub(super) fn add(draft: &mut Draft, caller: &Caller, noted: Noted<'_>) {
    draft.note(NewAuditEntry {
        entry: entry(caller, noted),
        entries_max: caller.services.config.audit.entries_max,
    });
}

/// The same of a change that needs no more words.
pub(super) fn wrote(draft: &mut Draft, caller: &Caller, operation: &'static str, target: &str) {
    let noted = Noted {
        operation,
        target,
        arguments: String::new(),
        result: "done",
    };
    add(draft, caller, noted);
}

/// Writes down what the caller does. Of what is read it is there before anything is shown.
pub(super) async fn note(caller: &Caller, noted: Noted<'_>) -> Result<(), Refused> {
    let limits = AuditLimits {
        entries_max: caller.services.config.audit.entries_max,
        // Only what is done is kept here.
        refused_per_day_max: 0,
    };
    let entry = entry(caller, noted);
    caller.services.store.audit().put(&entry, limits).await?;
    Ok(())
}

fn entry(caller: &Caller, noted: Noted<'_>) -> AuditEntry {
    let now = caller.now();
    AuditEntry {
        id: crate::id::sorted(now),
        at: now,
        actor: caller.agent.to_string(),
        origin: caller.from.to_string(),
        operation: noted.operation.to_owned(),
        target: noted.target.to_owned(),
        host: caller.place.host.to_string(),
        arguments: noted.arguments,
        done: true,
        result: noted.result.to_owned(),
    }
}

/// The same of something that was shown.
pub(super) async fn shown(
    caller: &Caller,
    operation: &'static str,
    target: &str,
) -> Result<(), Refused> {
    let noted = Noted {
        operation,
        target,
        arguments: String::new(),
        result: "shown",
    };
    note(caller, noted).await
}
