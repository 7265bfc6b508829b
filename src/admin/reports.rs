//! Operations on reports of spam and abuse.

use serde_json::json;

use super::arguments::Arguments;
use super::operation::{Face, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::store::AbuseReport;

pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "report list",
    "Lists reports of spam and abuse, the newest first.",
    Face::new(own!("report-list"), "List reports of abuse"),
    &[],
    |operator, arguments| Box::pin(list(operator, arguments)),
)];

/// Reports that one list shows at most.
const LIST_MAX: u32 = 1_000;

async fn list(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let reports = operator.store.abuse_reports().list(LIST_MAX).await?;
    let mut data = Vec::with_capacity(reports.len());
    let mut rows = Vec::with_capacity(reports.len());
    let within = |it: &AbuseReport| operator.reach.includes_account(&it.reporter);
    for report in reports.into_iter().filter(within) {
        let ids = report.stanza_ids.iter();
        let ids: Vec<_> = ids.map(|(by, id)| json!({ "by": by, "id": id })).collect();
        data.push(json!({
            "id": report.id,
            "reporter": report.reporter.as_str(),
            "reported": report.reported.to_string(),
            "reason": report.reason,
            "text": report.text,
            "stanza_ids": ids,
            "reported_at": report.reported_at.to_string(),
        }));
        rows.push([
            report.reported_at.to_string(),
            report.reported.to_string(),
            report.reason,
            report.text.replace(char::is_control, " "),
        ]);
    }
    let text = format!("{} in all.\n", rows.len());
    let table = Table::new(["AT", "REPORTED", "REASON", "TEXT"], rows);
    Ok(Outcome::told(json!({ "reports": data }), text).with(table))
}
