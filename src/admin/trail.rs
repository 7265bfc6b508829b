//! The audit trail: every act of an administrator, and every attempt that was refused, with who, when, from
//! where, what, on what and how it went. Secrets are left out.

use serde_json::json;
use tracing::error;

use super::actor::{Actor, host_of};
use super::arguments::{Arguments, Given};
use super::operation::{Argument, Face, Kind, Operation, Trace, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::hooks::Services;
use crate::observe::REDACTED;
use crate::proto::Jid;
use crate::store::{AuditEntry, AuditFilter, AuditLimits};

pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "audit list",
    "Lists what administrators did and tried, the newest first.",
    Face::new(own!("audit-list"), "What administrators did"),
    &[
        Argument::optional("since", Kind::Time, "only what happened then or later"),
        Argument::optional(
            "actor",
            Kind::Name,
            "only what this account did, or \"command line\"",
        ),
        Argument::optional(
            "operation",
            Kind::Name,
            "only this, such as \"account add\"",
        ),
        Argument::optional(
            "target",
            Kind::Name,
            "only what was done to this account, room or host",
        ),
        Argument::optional(
            "before",
            Kind::Name,
            "only what was before this entry, to go on with a list",
        ),
        Argument::optional(
            "max",
            Kind::Number {
                min: 1,
                max: LIST_MAX,
            },
            "how many at most; 100 if left out",
        ),
    ],
    |operator, arguments| Box::pin(list(operator, arguments)),
)];

/// Entries that one list shows at most.
const LIST_MAX: u32 = 1_000;

/// Entries that one list shows unless it is told otherwise.
const LIST_DEFAULT: u32 = 100;

/// Refused attempts of one actor that are kept within a day: enough to see what somebody is after.
const REFUSED_PER_DAY_MAX: u32 = 200;

/// Characters of what came of it, and of all arguments together.
const WORDS_MAX: usize = 1_000;

/// What an operation is about, by the argument that says so: the first of these that is given.
const TARGETS: &[&str] = &["jid", "room", "host", "account"];

/// Writes what was done or refused, and passes it on. Where it cannot be written, the outcome says so.
pub(super) async fn keep(
    operator: &Operator,
    by: &Actor,
    operation: &Operation,
    given: &Given,
    done: Result<Outcome, Refusal>,
) -> Result<Outcome, Refusal> {
    if !by.traced || (operation.trace == Trace::WhenRefused && done.is_ok()) {
        return done;
    }
    let now = operator.clock.now();
    let target = TARGETS.iter().find_map(|name| given.get(*name));
    let target = target.map(|text| shortened(text)).unwrap_or_default();
    let entry = AuditEntry {
        id: crate::id::sorted(now),
        at: now,
        actor: by.who.clone(),
        origin: by.origin.clone(),
        operation: operation.name.to_owned(),
        host: host(operator, &target, by),
        target,
        arguments: arguments(operation, given),
        done: done.is_ok(),
        result: match &done {
            Ok(outcome) => shortened(outcome.text.trim_end()),
            Err(refusal) => shortened(&refusal.to_string()),
        },
    };
    let limits = AuditLimits {
        entries_max: operator.config.audit.entries_max,
        refused_per_day_max: REFUSED_PER_DAY_MAX,
    };
    let Err(cause) = operator.store.audit().put(&entry, limits).await else {
        return done;
    };
    error!(%cause, operation = operation.name, actor = by.who, "not in the audit trail");
    let sentence = format!("It could not be written into the audit trail: {cause}.");
    match done {
        Ok(outcome) => Ok(outcome.warn(&sentence)),
        Err(refusal) => {
            let text = format!("{refusal}. {sentence}");
            Err(refusal.saying(text))
        }
    }
}

/// The served host that the target is or belongs to, else that of the actor.
fn host(operator: &Operator, target: &str, by: &Actor) -> String {
    let domain = |text: &str| Jid::parse(text).ok().map(|jid| jid.domain().to_owned());
    let candidates = [domain(target), domain(&by.who)].into_iter().flatten();
    let mut served =
        candidates.filter_map(|domain| host_of(&operator.config, &domain).map(str::to_owned));
    served.next().unwrap_or_default()
}

/// `name=value`, secrets as what stands in their place.
fn arguments(operation: &Operation, given: &Given) -> String {
    let shown = given.iter().map(|(name, text)| {
        let known = operation.arguments.iter().find(|it| it.name == name);
        // What the operation does not know may be a secret in the wrong place.
        let text = match known {
            Some(argument) if !argument.kind.is_secret() => text.as_str(),
            Some(_) | None => REDACTED,
        };
        format!("{name}={text}")
    });
    shortened(&shown.collect::<Vec<_>>().join(" "))
}

fn shortened(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(WORDS_MAX)
        .collect()
}

/// Deletes what is older than the operator wants it kept.
pub async fn expire(services: &Services) {
    let operator = Operator::configured(services);
    let before = services.clock.now().minus_days(operator.audit.keep_days);
    if let Err(cause) = services.store.audit().expire(before).await {
        error!(%cause, "old entries of the audit trail are not deleted");
    }
}

async fn list(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let text = |name: &str| {
        let text = arguments.text(name).filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    let filter = AuditFilter {
        since: arguments.time("since"),
        actor: text("actor"),
        operation: text("operation"),
        target: text("target"),
        host: operator.reach.host().map(str::to_owned),
        before: text("before"),
    };
    let max = arguments.number("max").unwrap_or(LIST_DEFAULT);
    let mut entries = operator.store.audit().list(&filter, max + 1).await?;
    let more = entries.len() > max as usize;
    entries.truncate(max as usize);
    let next = entries.last().filter(|_| more).map(|last| last.id.clone());
    let data: Vec<_> = entries
        .iter()
        .map(|it| {
            json!({
                "id": it.id,
                "at": it.at.to_string(),
                "actor": it.actor,
                "origin": it.origin,
                "operation": it.operation,
                "target": it.target,
                "arguments": it.arguments,
                "done": it.done,
                "result": it.result,
            })
        })
        .collect();
    let count = entries.len();
    let rows = entries.into_iter().map(|it| {
        let done = if it.done { "done" } else { "refused" };
        [
            it.at.to_string(),
            it.actor,
            it.origin,
            it.operation,
            it.target,
            done.to_owned(),
            it.result,
        ]
    });
    let columns = ["AT", "ACTOR", "FROM", "OPERATION", "TARGET", "", "RESULT"];
    let table = Table::new(columns, rows.collect());
    let text = match &next {
        Some(id) => format!("There are more: go on with --before {id}\n"),
        None => format!("{count} in all.\n"),
    };
    let data = json!({ "entries": data, "next_before": next });
    Ok(Outcome::told(data, text).with(table))
}
