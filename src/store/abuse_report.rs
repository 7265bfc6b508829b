//! Reports of spam and abuse (XEP-0377), for administrators to read.

use sqlx::FromRow;

use super::db::{Db, queries, reading, transaction, writing};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::proto::Jid;
use crate::proto::jid::BareJid;

/// What somebody says of an address that they block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbuseReport {
    /// Given by the server; later ones sort after earlier ones.
    pub id: String,
    /// Who reports.
    pub reporter: BareJid,
    /// Whom.
    pub reported: Jid,
    /// A URN: `urn:xmpp:reporting:spam` or another.
    pub reason: String,
    /// In the reporter's words; may be empty.
    pub text: String,
    /// The messages that it is about: by whom each id was given, and the id (XEP-0359).
    pub stanza_ids: Vec<(String, String)>,
    /// When it came.
    pub reported_at: Timestamp,
}

/// How many reports are kept.
#[derive(Clone, Copy, Debug)]
pub struct ReportLimits {
    /// Of all reporters.
    pub all_max: u32,
    /// Of one reporter, within 24 hours.
    pub per_day_max: u32,
}

queries! {
    INSERT = "insert into abuse_report
        (id, reporter, reported, reason, content, stanza_ids, reported_at)
        values ($1, $2, $3, $4, $5, $6, $7)";
    COUNT_RECENT = "select count(*) from abuse_report where reporter = $1 and reported_at > $2";
    COUNT = "select count(*) from abuse_report";
    TRIM_OWN = "delete from abuse_report where id in
        (select id from abuse_report where reporter = $1 and reported_at < $2
            order by reported_at, id limit cast($3 as bigint))";
    // The oldest of whoever has the most, so that nobody's flood takes what others said.
    TRIM_MOST = "delete from abuse_report where id in
        (select id from abuse_report where reporter =
            (select reporter from abuse_report group by reporter
                order by count(*) desc, reporter limit 1)
            order by reported_at, id limit 1)";
    LIST = "select id, reporter, reported, reason, content, stanza_ids, reported_at
        from abuse_report order by reported_at desc, id desc limit cast($1 as bigint)";
    EXPIRE = "delete from abuse_report where reported_at < $1";
}

/// Operations on reports; from [`super::Store::abuse_reports`].
#[derive(Clone, Copy, Debug)]
pub struct AbuseReports<'a> {
    pub(super) db: &'a Db,
}

impl AbuseReports<'_> {
    /// Keeps the reports, which are one reporter's, and tells how many: no more than the limits
    /// allow. Where there are too many in all, the reporter's own earlier ones go first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put(
        &self,
        reports: &[AbuseReport],
        limits: ReportLimits,
    ) -> Result<usize, StoreError> {
        let Some(first) = reports.first() else {
            return Ok(0);
        };
        let (reporter, now) = (first.reporter.as_str(), first.reported_at);
        let taken = transaction!(self.db, tx => {
            let recent: i64 = sqlx::query_scalar(COUNT_RECENT)
                .bind(reporter)
                .bind(now.minus_days(1).as_micros())
                .fetch_one(&mut *tx)
                .await?;
            let left = i64::from(limits.per_day_max).saturating_sub(recent);
            let left = usize::try_from(left).unwrap_or(0);
            for report in reports.iter().take(left) {
                sqlx::query(INSERT)
                    .bind(report.id.as_str())
                    .bind(report.reporter.as_str())
                    .bind(report.reported.to_string())
                    .bind(report.reason.as_str())
                    .bind(report.text.as_str())
                    .bind(written(&report.stanza_ids))
                    .bind(report.reported_at.as_micros())
                    .execute(&mut *tx)
                    .await?;
            }
            let all: i64 = sqlx::query_scalar(COUNT).fetch_one(&mut *tx).await?;
            let over = all.saturating_sub(i64::from(limits.all_max)).max(0);
            let own = sqlx::query(TRIM_OWN)
                .bind(reporter)
                .bind(now.as_micros())
                .bind(over)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            let over = u64::try_from(over).unwrap_or(0).saturating_sub(own);
            for _ in 0..over {
                sqlx::query(TRIM_MOST).execute(&mut *tx).await?;
            }
            left.min(reports.len())
        });
        Ok(taken)
    }

    /// The newest reports first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, count_max: u32) -> Result<Vec<AbuseReport>, StoreError> {
        let rows: Vec<Row> = reading!(self.db, pool => {
            sqlx::query_as(LIST).bind(i64::from(count_max)).fetch_all(pool).await?
        });
        rows.into_iter().map(AbuseReport::try_from).collect()
    }

    /// Deletes what is older; tells how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire(&self, before: Timestamp) -> Result<u64, StoreError> {
        writing!(self.db, pool => {
            let gone = sqlx::query(EXPIRE).bind(before.as_micros()).execute(pool).await?;
            Ok(gone.rows_affected())
        })
    }
}

/// U+001F and line feeds cannot be in what they separate: attributes are normalised.
fn written(stanza_ids: &[(String, String)]) -> String {
    let lines = stanza_ids.iter().map(|(by, id)| format!("{by}\u{1f}{id}"));
    lines.collect::<Vec<_>>().join("\n")
}

#[derive(FromRow)]
struct Row {
    id: String,
    reporter: String,
    reported: String,
    reason: String,
    content: String,
    stanza_ids: String,
    reported_at: i64,
}

impl TryFrom<Row> for AbuseReport {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let pairs = row.stanza_ids.lines();
        let pairs = pairs.filter_map(|line| line.split_once('\u{1f}'));
        Ok(Self {
            id: row.id,
            reporter: BareJid::new(&row.reporter)
                .map_err(|error| StoreError::corrupt("abuse_report.reporter", error))?,
            reported: Jid::parse(&row.reported)
                .map_err(|error| StoreError::corrupt("abuse_report.reported", error))?,
            reason: row.reason,
            text: row.content,
            stanza_ids: pairs
                .map(|(by, id)| (by.to_owned(), id.to_owned()))
                .collect(),
            reported_at: Timestamp::from_micros(row.reported_at),
        })
    }
}
