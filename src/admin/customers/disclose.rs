//! `customer disclose`: everything that is kept of a customer, for whoever asks what that is. The bytes of files stay where they
//! are; where they lie is told, so that the command line takes them along. An account gets a link to each, which holds for it alone, for some
//! minutes, and only as long as it may have this done.

use serde_json::{Map, Value, json};

use super::kept::{IM_SESSION, KINDS, MESSAGE_STREAM, Marks, all, read};
use crate::admin::arguments::Arguments;
use crate::admin::center::{CenterDesk, host};
use crate::admin::operator::Operator;
use crate::admin::outcome::{Outcome, Table};
use crate::admin::refusal::Refusal;
use crate::clock::Timestamp;
use crate::store::{RECORDS_PAGE_MAX, StoreError, StoredAttachment, StoredRecord};

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
    let (found, next) = collect(&operator, &marks, after).await?;
    let (table, until) = table(&found);
    let mut records = Map::new();
    for (kind, of_kind) in found {
        records.insert(kind.to_owned(), Value::Array(of_kind));
    }
    let mut text = match &next {
        None => "This is kept of the customer; --json shows all of it.\n".to_owned(),
        Some(next) => format!("There is more than fits: --after {next} goes on.\n"),
    };
    if let Some(until) = until {
        text.push_str(&format!(
            "The links to the files hold until {until}, for you alone.\n"
        ));
    }
    let data = json!({ "id": id, "records": records, "next_after": next });
    Ok(Outcome::told(data, text).with(table))
}

/// How much there is, with a row for each file that can be had by a link, and until when the first of them can.
fn table(found: &Found) -> (Table, Option<String>) {
    let text = |file: &Value, key: &str| file.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut rows = Vec::new();
    let mut links = Vec::new();
    let mut until: Option<String> = None;
    for (kind, records) in found {
        rows.push(vec![(*kind).to_owned(), records.len().to_string()]);
        let files = records.iter().filter_map(|it| it.get("files")?.as_array());
        for file in files.flatten() {
            let Some(url) = text(file, "url") else {
                continue;
            };
            let name = text(file, "name").unwrap_or_default();
            links.push(vec![name, "1".to_owned(), url]);
            // Times that are written alike sort as they are.
            until = until.into_iter().chain(text(file, "url_until")).min();
        }
    }
    let mut columns = vec!["what".to_owned(), "records".to_owned()];
    if !links.is_empty() {
        columns.push("link".to_owned());
        rows.iter_mut().for_each(|row| row.push(String::new()));
        rows.append(&mut links);
    }
    (Table { columns, rows }, until)
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
    operator: &Operator,
    marks: &Marks,
    after: Option<(usize, String)>,
) -> Result<(Found, Option<String>), StoreError> {
    let store = &operator.store;
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
            let record = record(operator, kind, &stored).await?;
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

/// The record as it is; of an IM session also what was said, which is in its events, and of a message stream its files.
async fn record(
    operator: &Operator,
    kind: &'static str,
    stored: &StoredRecord,
) -> Result<Value, StoreError> {
    let store = &operator.store;
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
    if kind == MESSAGE_STREAM
        && let Some(known) = record.as_object_mut()
    {
        let files = store.attachments().of_stream(&stored.id).await?;
        known.insert(
            "files".to_owned(),
            files.iter().map(|it| file(operator, it)).collect(),
        );
    }
    Ok(record)
}

/// A file as it is told, with the name that it has among what was taken out: what people call it becomes no path.
fn file(operator: &Operator, file: &StoredAttachment) -> Value {
    let ending = match file.media_type.rsplit('/').next() {
        Some("plain") | None => "txt",
        Some(ending) => ending,
    };
    let mut told = json!({
        "id": file.id.as_str(),
        "name": file.file_name,
        "type": file.media_type,
        "bytes": file.size,
        "by": file.owner,
        "file": format!("{}.{ending}", file.id.as_str()),
    });
    if let (Some((url, until)), Some(told)) = (link(operator, file), told.as_object_mut()) {
        told.insert("url".to_owned(), Value::String(url));
        told.insert("url_until".to_owned(), Value::String(until.to_string()));
    }
    told
}

/// Where the account that asks gets the file. The command line has none, and needs none: it takes the files themselves.
fn link(operator: &Operator, file: &StoredAttachment) -> Option<(String, Timestamp)> {
    let (account, services) = (operator.account.as_ref()?, operator.services.as_ref()?);
    let desk = services.hooks.offers().find::<CenterDesk>()?;
    desk.0.file_link(file, account, services)
}
