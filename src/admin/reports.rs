//! Operations on reports of spam and abuse.

use serde_json::json;

use super::operation::{Arguments, Operation, Outcome, Refusal};
use super::operator::Operator;
use super::table::table;
use crate::domain::rights::Role;

pub(super) const OPERATIONS: &[Operation] = &[Operation {
    name: "report list",
    about: "Lists reports of spam and abuse, the newest first.",
    arguments: &[],
    role: Role::Administrator,
    run: |operator, arguments| Box::pin(list(operator, arguments)),
}];

/// Reports that one list shows at most.
const LIST_MAX: u32 = 1_000;

async fn list(operator: Operator, _arguments: Arguments) -> Result<Outcome, Refusal> {
    let reports = operator.store.abuse_reports().list(LIST_MAX).await?;
    let mut data = Vec::with_capacity(reports.len());
    let mut rows = Vec::with_capacity(reports.len());
    for report in reports {
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
    let text = table(["AT", "REPORTED", "REASON", "TEXT"], &rows);
    let count = rows.len();
    Ok(Outcome {
        data: json!({ "reports": data }),
        text: format!("{text}{count} in all.\n"),
    })
}
