//! `customer import`: everything is checked before anything is written, and all that is wrong is told with its
//! line. A customer with an id of the CRM that is known is written anew; one without an id is whoever has that name and one of the
//! numbers or addresses, and gets what it has not; any other is made.

use std::collections::HashMap;

use serde_json::json;

use super::known::{KnownCustomer, known_customer};
use super::profile::WrittenProfile;
use super::tables::{self, Written};
use crate::admin::arguments::Arguments;
use crate::admin::center::{host, refused};
use crate::admin::import::Complaints;
use crate::admin::operator::Operator;
use crate::admin::outcome::Outcome;
use crate::admin::refusal::Refusal;
use crate::config::Region;
use crate::domain::customer::Profile;
use crate::proto::common::vcard::{TextCard, cards};
use crate::store::{RecordWrite, RecordsWritten, customer_change};

/// Customers that one file brings at most; the file itself has the bound of all tables.
const ROWS_MAX: usize = 100_000;

/// Customers that are written at once: a few, so that agents who change customers meanwhile do not wait.
const BATCH: usize = 100;

/// How often a batch is decided anew because somebody else has changed one of its customers.
const TRIES_MAX: usize = 8;

/// How many customers are made, changed, known as they are, and left because they were merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    made: usize,
    changed: usize,
    unchanged: usize,
    merged: usize,
}

pub(super) async fn import(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = host(&operator, &arguments)?;
    let dry = arguments.flag("dry-run");
    let mut complaints = Complaints::default();
    let text = arguments.secret("file")?.expose();
    let region = operator.config.contact_center.region;
    let profiles = read(text, region, &mut complaints)?;
    if dry {
        return rehearse(&operator, &host, profiles, complaints).await;
    }
    if let Some(text) = complaints.told("no customer is imported; the file has mistakes:") {
        return Err(Refusal::NotAcceptable(text));
    }
    let mut counts = Counts::default();
    for batch in profiles.chunks(BATCH) {
        let done = Box::pin(write(&operator, &host, batch, counts)).await;
        counts = done.map_err(|refusal| {
            let before = counts.made + counts.changed + counts.unchanged + counts.merged;
            let text = format!("{refusal}; the {before} customers before it are imported");
            refusal.saying(text)
        })?;
    }
    let Counts { made, changed, .. } = counts;
    let sentence = format!(
        "{made} customers are made, {changed} changed{}.\n",
        rest(counts)
    );
    Ok(Outcome::told(data(counts, 0), sentence))
}

fn rest(counts: Counts) -> String {
    let Counts {
        unchanged, merged, ..
    } = counts;
    let merged = match merged {
        0 => String::new(),
        merged => format!(", {merged} left, for they were merged into others"),
    };
    format!(", {unchanged} known as they are{merged}")
}

fn data(counts: Counts, mistakes: usize) -> serde_json::Value {
    json!({
        "made": counts.made,
        "changed": counts.changed,
        "unchanged": counts.unchanged,
        "merged": counts.merged,
        "mistakes": mistakes,
    })
}

/// What would be done, and what is wrong.
async fn rehearse(
    operator: &Operator,
    host: &str,
    profiles: Vec<Profile>,
    complaints: Complaints,
) -> Result<Outcome, Refusal> {
    let mut counts = Counts::default();
    for profile in profiles {
        let known = known_customer(&operator.store, host, profile, operator.clock.now());
        counts.add(&known.await?.map_err(refused)?);
    }
    let data = data(counts, complaints.count());
    let Counts { made, changed, .. } = counts;
    let told = complaints.told("The file has mistakes, with which nothing will be imported:");
    let mistakes = told.map(|text| format!("{text}\n")).unwrap_or_default();
    let text = format!(
        "{mistakes}Nothing is written. {made} customers would be made, {changed} changed{}.\n",
        rest(counts)
    );
    Ok(Outcome::told(data, text))
}

/// Writes some customers together, once more from the beginning while others change one of them.
async fn write(
    operator: &Operator,
    host: &str,
    profiles: &[Profile],
    before: Counts,
) -> Result<Counts, Refusal> {
    for _ in 0..TRIES_MAX {
        let mut counts = before;
        let mut write = RecordWrite::default();
        for profile in profiles {
            let now = operator.clock.now();
            let known = known_customer(&operator.store, host, profile.clone(), now).await?;
            let known = known.map_err(refused)?;
            counts.add(&known);
            let KnownCustomer {
                before,
                events,
                guard,
            } = known;
            write.guards.extend(guard);
            if !events.is_empty() {
                write.changes.push(customer_change(&before, &events)?.1);
            }
        }
        write.guards.sort_by(|a, b| a.name.cmp(&b.name));
        write.guards.dedup_by(|a, b| a.name == b.name);
        if write.changes.is_empty() {
            return Ok(counts);
        }
        match operator.store.records().write(write).await? {
            RecordsWritten::Done => return Ok(counts),
            RecordsWritten::Changed => {}
        }
    }
    Err(Refusal::Conflict(
        "others keep changing the same customers; try again".to_owned(),
    ))
}

impl Counts {
    fn add(&mut self, known: &KnownCustomer) {
        let count = match (known.before.merged_into.is_some(), known.events.is_empty()) {
            (true, _) => &mut self.merged,
            (false, true) => &mut self.unchanged,
            (false, false) if known.before.version == 0 => &mut self.made,
            (false, false) => &mut self.changed,
        };
        *count += 1;
    }
}

/// The customers of a file that are good; what is wrong with the others goes to the complaints.
fn read(text: &str, region: Region, complaints: &mut Complaints) -> Result<Vec<Profile>, Refusal> {
    let start = text.trim_start_matches('\u{FEFF}').trim_start();
    let is_cards = start
        .get(.."BEGIN:VCARD".len())
        .is_some_and(|it| it.eq_ignore_ascii_case("BEGIN:VCARD"));
    let rows = match is_cards {
        true => read_cards(text, complaints),
        false => tables::read(text, ROWS_MAX, complaints)?,
    };
    let mut lines: HashMap<String, u64> = HashMap::new();
    let mut people: HashMap<(String, Option<String>, String), u64> = HashMap::new();
    let mut profiles = Vec::with_capacity(rows.len());
    for Written { line, profile } in rows {
        let profile = match profile.understood(region) {
            Ok(profile) => profile,
            Err(rejection) => {
                complaints.add(line, rejection.to_string());
                continue;
            }
        };
        if let Some(id) = &profile.crm_id
            && let Some(first) = lines.insert(id.clone(), line)
        {
            complaints.add(
                line,
                format!("the id {id:?} stands in line {first} already"),
            );
            continue;
        }
        // By these one without an id is known again.
        let person = |key| (profile.name.clone(), profile.company.clone(), key);
        let own = profile.keys().filter(|_| profile.crm_id.is_none());
        let first = own
            .filter_map(|key| people.insert(person(key), line))
            .last();
        if let Some(first) = first.filter(|first| *first != line) {
            let text = format!("the same customer stands in line {first} already");
            complaints.add(line, text);
            continue;
        }
        profiles.push(profile);
    }
    Ok(profiles)
}

fn read_cards(text: &str, complaints: &mut Complaints) -> Vec<Written> {
    let found = match cards(text.trim_start_matches('\u{FEFF}')) {
        Ok(found) => found,
        Err((line, what)) => {
            complaints.add(line, what);
            return Vec::new();
        }
    };
    if let Some(first) = found.get(ROWS_MAX) {
        let text = format!("at most {ROWS_MAX} customers; split the file");
        complaints.add(first.line, text);
    }
    let written = |card: TextCard| Written {
        line: card.line,
        profile: of_card(&card),
    };
    found.into_iter().take(ROWS_MAX).map(written).collect()
}

/// A card as a customer: fax machines and pagers are left out, as nobody calls from them. What identifies it in the
/// program that wrote it (RFC 6350 §6.7.6) does so here, unless it says its id in the CRM.
fn of_card(card: &TextCard) -> WrittenProfile {
    let of_company = card.first("KIND").as_deref() == Some("org");
    let name = match card.first("FN") {
        Some(name) if !name.trim().is_empty() => name,
        // Version 3 has both; some programs leave the first one out (RFC 2426 §3.1.2).
        Some(_) | None => name_in_parts(card),
    };
    let company = card.all("ORG").next().map(|it| it.first_part());
    let telephones = card.all("TEL");
    let telephones = telephones.filter(|it| !it.is_one_of(&["fax", "pager", "modem", "bbs"]));
    let line = |text: String| text.replace(['\r', '\n'], " ");
    let company = match (of_company, company) {
        (true, None) => Some(name.clone()),
        (_, company) => company,
    };
    WrittenProfile {
        name: if of_company {
            String::new()
        } else {
            line(name)
        },
        company: company.map(line),
        telephones: telephones.map(|it| it.text()).collect(),
        emails: card.all("EMAIL").map(|it| it.text()).collect(),
        crm_id: card.first("X-CRM-ID").or_else(|| card.first("UID")),
        url: card.first("URL").filter(|url| url.starts_with("http")),
    }
}

/// `Smith;Ann;;;` is Ann Smith.
fn name_in_parts(card: &TextCard) -> String {
    let Some(name) = card.all("N").next() else {
        return String::new();
    };
    let family = name.first_part();
    let given = name.value.split(';').nth(1).unwrap_or_default();
    format!("{given} {family}").trim().to_owned()
}
