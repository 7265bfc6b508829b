//! The billing report (S4-22, S4-23): minutes of billable messages by customer, tag, agent and day.
//!
//! A message counts on the day (UTC) on which it was written and for who has written it. One with several billable tags counts in the
//! row of each; in the total it counts once. Memory is bounded by the rows of the report: messages are read a few at a time.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::arguments::Arguments;
use super::center::{self, HOST, TAGS};
use super::operation::{Argument, Count, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::clock::Timestamp;
use crate::domain::ids::CustomerId;
use crate::domain::message_stream::{Availability, Stream, Tags};
use crate::domain::rights::Right;
use crate::store::{BILLABLE, STREAM, Store, StoreError};

/// Rows of a report: what a table program opens, and fits into an answer of the control socket.
const ROWS_MAX: usize = 10_000;

/// Messages that are read at once; each may have a mebibyte.
const PAGE: u32 = 20;

/// Customers that were merged one into the other, and are followed.
const MERGES_MAX: usize = 100;

/// An id is made when the decision is, which may be made anew for a while.
const SLACK_SECONDS: i64 = 3_600;

const REPORT: &str = "billing report";

const KEYS: &[&str] = &["customer", "tag", "agent", "day"];

pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    REPORT,
    "Adds up the minutes that are billed, by customer, tag, agent and day. Days are those of UTC.",
    Face::new(own!("billing-report"), "Billing report"),
    &[
        Argument::optional(
            "from",
            Kind::Name,
            "the first day, in UTC, or a time: 2026-01-01",
        ),
        Argument::optional(
            "until",
            Kind::Name,
            "the last day, in UTC, or a time before which it was: 2026-01-31",
        ),
        Argument::optional(
            "by",
            Kind::Choice(KEYS),
            "what has rows of its own; customer, tag and agent if left out",
        )
        .count(Count::All),
        Argument::optional(
            "format",
            Kind::Choice(&["table", "csv"]),
            "table if left out",
        ),
        HOST,
    ],
    |operator, arguments| Box::pin(report(operator, arguments)),
)
.with_right(Right::BillingReport)];

/// What was added up in a row.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    messages: u64,
    minutes: u64,
}

impl Sum {
    fn add(&mut self, minutes: u32) {
        self.messages = self.messages.saturating_add(1);
        self.minutes = self.minutes.saturating_add(u64::from(minutes));
    }
}

/// The report as it grows.
struct Report<'a> {
    store: &'a Store,
    host: String,
    keys: Vec<&'static str>,
    billable: BTreeSet<String>,
    /// As whom a customer is known now, and the name.
    customers: BTreeMap<CustomerId, (String, String)>,
    rows: BTreeMap<Vec<String>, Sum>,
    total: Sum,
}

async fn report(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = center::host(&operator, &arguments)?;
    let from = moment(&arguments, "from", 0)?;
    let until = moment(&arguments, "until", 1)?;
    if from.zip(until).is_some_and(|(from, until)| from >= until) {
        let crosswise = "the first day is behind the last one".to_owned();
        return Err(Refusal::Usage(crosswise));
    }
    let tags = center::setting::<Tags>(&operator.store, TAGS, &host).await?;
    let mut tags = tags.unwrap_or_default().tags;
    tags.retain(|it| it.availability.contains(&Availability::MessageBillable));
    let mut report = Report {
        store: &operator.store,
        keys: keys(&arguments),
        billable: tags.into_iter().map(|it| it.name).collect(),
        customers: BTreeMap::new(),
        rows: BTreeMap::new(),
        total: Sum::default(),
        host,
    };
    report.read(from, until).await?;
    report.outcome(&operator, &arguments, (from, until))
}

/// What has rows of its own, in the order of the columns.
fn keys(arguments: &Arguments) -> Vec<&'static str> {
    let named: BTreeSet<&str> = arguments.texts("by").collect();
    let wanted = |key: &&&'static str| match named.is_empty() {
        true => **key != "day",
        false => named.contains(**key),
    };
    KEYS.iter().filter(wanted).copied().collect()
}

/// A time, or a day with so many days added to it.
fn moment(arguments: &Arguments, name: &str, days: u32) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = arguments.text(name).map(str::trim) else {
        return Ok(None);
    };
    let day = Timestamp::parse(&format!("{text}T00:00:00Z"));
    let day = day.map(|day| day.plus_days(days));
    let at = day.or_else(|| Timestamp::parse(text));
    at.map(Some).ok_or_else(|| {
        Refusal::Usage(format!(
            "{name} is a day such as 2026-01-31 or a time, not {text:?}"
        ))
    })
}

impl Report<'_> {
    /// Adds up what was written in that time. Ids sort by it, so that nothing else is read.
    async fn read(
        &mut self,
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<(), Refusal> {
        let early = from.map(|from| from.plus_seconds(-SLACK_SECONDS));
        let late = until.map(|until| until.plus_seconds(SLACK_SECONDS));
        let (store, host) = (self.store, self.host.clone());
        let walk = store.records().walk_list(STREAM, (BILLABLE, &host), PAGE);
        let mut walk = walk.behind(early.map(crate::id::floor));
        while let Some(stored) = walk.next().await? {
            let stream: Stream = serde_json::from_str(&stored.snapshot)
                .map_err(|cause| StoreError::corrupt(STREAM, cause))?;
            let Some(at) = stream.messages.first().map(|it| it.at) else {
                continue;
            };
            if late.is_some_and(|late| at >= late) {
                break;
            }
            let meant = from.is_none_or(|from| at >= from) && until.is_none_or(|it| at < it);
            if meant {
                self.add(&stream, at).await?;
            }
        }
        Ok(())
    }

    async fn add(&mut self, stream: &Stream, at: Timestamp) -> Result<(), Refusal> {
        let minutes = stream.properties.minutes.unwrap_or(0);
        self.total.add(minutes);
        for tag in self.tags(stream) {
            let mut row = Vec::with_capacity(self.keys.len() + 1);
            for key in self.keys.clone() {
                match key {
                    "customer" => row.extend(self.customer(stream).await?),
                    "tag" => row.push(tag.clone()),
                    "agent" => {
                        let author = stream.messages.first().map(|it| it.author.to_string());
                        row.push(author.unwrap_or_default());
                    }
                    _ => row.push(at.to_string().chars().take(DAY_CHARS).collect()),
                }
            }
            if !self.rows.contains_key(&row) && self.rows.len() >= ROWS_MAX {
                return Err(Refusal::NotAcceptable(format!(
                    "there are more than {ROWS_MAX} rows; report a shorter time, or by less"
                )));
            }
            self.rows.entry(row).or_default().add(minutes);
        }
        Ok(())
    }

    /// The billable tags, for each of which there is a row; where none is in the list any more, all that it has.
    fn tags(&self, stream: &Stream) -> Vec<String> {
        if !self.keys.contains(&"tag") {
            return vec![String::new()];
        }
        let billable = stream.tags.intersection(&self.billable);
        let billable: Vec<String> = billable.cloned().collect();
        let tags = match billable.is_empty() {
            true => stream.tags.iter().cloned().collect(),
            false => billable,
        };
        match tags.is_empty() {
            true => vec![String::new()],
            false => tags,
        }
    }

    /// Name and id of the customer as whom that one is known now.
    async fn customer(&mut self, stream: &Stream) -> Result<[String; 2], Refusal> {
        let Some(id) = &stream.customer else {
            return Ok([String::new(), String::new()]);
        };
        if let Some((name, id)) = self.customers.get(id) {
            return Ok([name.clone(), id.clone()]);
        }
        let mut known = (String::new(), id.to_string());
        let mut next = id.clone();
        for _ in 0..MERGES_MAX {
            let customers = self.store.customers();
            let Some(customer) = customers.find(&self.host, next.as_str()).await? else {
                break;
            };
            let profile = &customer.profile;
            let company = profile.company.clone().unwrap_or_default();
            let name = match profile.name.is_empty() {
                true => company,
                false => profile.name.clone(),
            };
            known = (name, customer.id.to_string());
            match customer.merged_into {
                Some(into) => next = into,
                None => break,
            }
        }
        let (name, survivor) = known.clone();
        self.customers.insert(id.clone(), known);
        Ok([name, survivor])
    }

    fn outcome(
        self,
        operator: &Operator,
        arguments: &Arguments,
        (from, until): (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Outcome, Refusal> {
        let columns = self.keys.iter().flat_map(|key| match *key {
            "customer" => vec!["CUSTOMER", "CUSTOMER_ID"],
            "tag" => vec!["TAG"],
            "agent" => vec!["AGENT"],
            _ => vec!["DAY"],
        });
        let columns = columns.chain(["MESSAGES", "MINUTES"]).map(str::to_owned);
        let row = |(key, sum): (&Vec<String>, &Sum)| {
            let sums = [sum.messages, sum.minutes].map(|it| it.to_string());
            key.iter().cloned().chain(sums).collect()
        };
        let table = Table {
            columns: columns.collect(),
            rows: self.rows.iter().map(row).collect(),
        };
        let Sum { messages, minutes } = self.total;
        let data = json!({
            "host": self.host,
            "from": from.map(|it| it.to_string()),
            "until": until.map(|it| it.to_string()),
            "columns": table.columns,
            "rows": table.rows,
            "messages": messages,
            "minutes": minutes,
        });
        if arguments.text("format") == Some("csv") {
            let text = table.to_csv();
            let text =
                text.ok_or_else(|| Refusal::Failed("the table cannot be written".to_owned()))?;
            return Outcome::file(operator, REPORT, data, text);
        }
        let text = format!("{minutes} minutes of {messages} messages in all.\n");
        Ok(Outcome::told(data, text).with(table))
    }
}

/// Characters of a day: `2026-01-31`.
const DAY_CHARS: usize = 10;
