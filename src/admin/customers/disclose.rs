//! `customer disclose`: everything that is kept of a customer, for whoever asks what that is.

use serde_json::{Map, Value, json};

use super::kept::{IM_SESSION, KINDS, Marks, all, read};
use crate::admin::arguments::Arguments;
use crate::admin::center::host;
use crate::admin::operator::Operator;
use crate::admin::outcome::{Outcome, Table};
use crate::admin::refusal::Refusal;
use crate::store::{RECORDS_PAGE_MAX, Store, StoreError, StoredRecord};

/// Bytes of one part, but for a single record that is larger: what programs and the control socket take with room to spare.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Records of each kind.
type Found = Vec<(&'static str, Vec<Value>)>;

pub(super) async fn disclose(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = host(&operator, &arguments)?;
    let id = arguments.text("id").unwrap_or_default();
    let marks = Marks::of(&operator.store, &host, id).await?;
    let after = match arguments.text("after") {
        None => None,
        Some(text) => Some(place(text)?),
    };
    let (found, next) = collect(&operator.store, &marks, after).await?;
    let rows = found.iter().map(|(kind, records)| {
        let of_kind = vec![(*kind).to_owned(), records.len().to_string()];
        of_kind
    });
    let table = Table {
        columns: vec!["what".to_owned(), "records".to_owned()],
        rows: rows.collect(),
    };
    let mut records = Map::new();
    for (kind, of_kind) in found {
        records.insert(kind.to_owned(), Value::Array(of_kind));
    }
    let text = match &next {
        None => "This is kept of the customer; --json shows all of it.\n".to_owned(),
        Some(next) => format!("There is more than fits: --after {next} goes on.\n"),
    };
    let data = json!({ "id": id, "records": records, "next_after": next });
    Ok(Outcome::told(data, text).with(table))
}

/// Where a part goes on: `kind/id`.
fn place(text: &str) -> Result<(usize, String), Refusal> {
    let place = text.split_once('/').and_then(|(kind, id)| {
        let kind = KINDS.iter().position(|it| *it == kind)?;
        Some((kind, id.to_owned()))
    });
    place.ok_or_else(|| Refusal::Usage("after: not what the part before said".to_owned()))
}

async fn collect(
    store: &Store,
    marks: &Marks,
    after: Option<(usize, String)>,
) -> Result<(Found, Option<String>), StoreError> {
    let (first, mut behind) = after.unwrap_or_default();
    let mut found: Found = Vec::new();
    let mut bytes = 0_usize;
    for &kind in KINDS.iter().skip(first) {
        let mut records = Vec::new();
        let mut last = std::mem::take(&mut behind);
        let mut walk = all(store, kind).behind(Some(last.clone()));
        while let Some(stored) = walk.next().await? {
            if !marks.mark(kind, &stored)? {
                continue;
            }
            let record = record(store, kind, &stored).await?;
            let more = record.to_string().len();
            if bytes > 0 && bytes + more > BYTES_MAX {
                found.push((kind, records));
                return Ok((found, Some(format!("{kind}/{last}"))));
            }
            bytes += more;
            records.push(record);
            last = stored.id;
        }
        found.push((kind, records));
    }
    Ok((found, None))
}

/// The record as it is; of an IM session also what was said, which is in its events.
async fn record(
    store: &Store,
    kind: &'static str,
    stored: &StoredRecord,
) -> Result<Value, StoreError> {
    let mut record: Value = read(kind, stored)?;
    if kind == IM_SESSION
        && let Some(known) = record.as_object_mut()
    {
        let mut said = Vec::new();
        let mut after = 0;
        loop {
            let records = store.records();
            let page = records.numbered_events(kind, &stored.id, after, RECORDS_PAGE_MAX);
            let page = page.await?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = *last;
            let events = page.iter().map(|(_, event)| serde_json::from_str(event));
            let events: Result<Vec<Value>, _> = events.collect();
            said.extend(events.map_err(|cause| StoreError::corrupt(kind, cause))?);
        }
        known.insert("events".to_owned(), Value::Array(said));
    }
    Ok(record)
}
