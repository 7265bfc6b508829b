//! Customers in a table of comma-separated values (RFC 4180), read and written.
//!
//! The header names the columns: `name`, `company`, `crm_id`, `url`, and as many as wanted whose names begin with
//! `telephone` and `email`.

use super::profile::WrittenProfile;
use crate::admin::import::{Complaints, cleaned, line, reader};
use crate::admin::refusal::Refusal;
use crate::domain::customer::Profile;

/// A customer of a file, with the line in which it begins.
pub(super) struct Written {
    pub(super) line: u64,
    pub(super) profile: WrittenProfile,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Company,
    Telephone,
    Email,
    CrmId,
    Url,
}

/// The rows of a table, at most `rows_max`; what is wrong with others goes to the complaints.
///
/// # Errors
/// When the header is not understood.
pub(super) fn read(
    text: &str,
    rows_max: usize,
    complaints: &mut Complaints,
) -> Result<Vec<Written>, Refusal> {
    let text = cleaned(text);
    let mut reader = reader(&text);
    let columns = columns(reader.headers())?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = line(&text, error.position());
                complaints.add(line, "cannot be read as comma-separated values");
                continue;
            }
        };
        let line = line(&text, record.position());
        if rows.len() == rows_max {
            complaints.add(
                line,
                format!("at most {rows_max} customers; split the file"),
            );
            break;
        }
        if record.len() > columns.len() {
            complaints.add(
                line,
                "more cells than columns; put a name with a comma between quotes",
            );
            continue;
        }
        let profile = profile(&record, &columns);
        rows.push(Written { line, profile });
    }
    Ok(rows)
}

fn profile(record: &csv::StringRecord, columns: &[Column]) -> WrittenProfile {
    let mut profile = WrittenProfile::default();
    for (cell, column) in record.iter().zip(columns) {
        let cell = cell.trim();
        if cell.is_empty() {
            continue;
        }
        let cell = cell.to_owned();
        match column {
            Column::Name => profile.name = cell,
            Column::Company => profile.company = Some(cell),
            Column::Telephone => profile.telephones.push(cell),
            Column::Email => profile.emails.push(cell),
            Column::CrmId => profile.crm_id = Some(cell),
            Column::Url => profile.url = Some(cell),
        }
    }
    profile
}

fn columns(header: csv::Result<&csv::StringRecord>) -> Result<Vec<Column>, Refusal> {
    let wrong = |text: String| {
        let expected = "the first line names the columns: name, company, telephone, telephone2, \
                        email, email2, crm_id, url";
        Refusal::NotAcceptable(format!("line 1: {text}; {expected}"))
    };
    let header = header.map_err(|_| wrong("no header".to_owned()))?;
    let mut columns = Vec::new();
    for name in header {
        let name = name.trim().to_lowercase();
        let column = match name.as_str() {
            "name" => Column::Name,
            "company" => Column::Company,
            "crm_id" => Column::CrmId,
            "url" => Column::Url,
            many if many.starts_with("telephone") => Column::Telephone,
            many if many.starts_with("email") => Column::Email,
            _ => return Err(wrong(format!("unknown column {name:?}"))),
        };
        let several = matches!(column, Column::Telephone | Column::Email);
        if !several && columns.contains(&column) {
            return Err(wrong(format!("the column {name} is there twice")));
        }
        columns.push(column);
    }
    if !columns.contains(&Column::Name) && !columns.contains(&Column::Company) {
        return Err(wrong("no column name and none company".to_owned()));
    }
    Ok(columns)
}

/// The table of those customers, as wide as the one with the most numbers and addresses needs.
///
/// # Errors
/// When it cannot be written: a mistake of the server.
pub(super) fn written(profiles: &[&Profile]) -> Result<String, Refusal> {
    let most = |count: fn(&Profile) -> usize| profiles.iter().map(|it| count(it)).max();
    let telephones = most(|it| it.telephones.len()).unwrap_or(0).max(1);
    let emails = most(|it| it.emails.len()).unwrap_or(0).max(1);
    let numbered = |name: &'static str, count: usize| {
        (1..=count).map(move |n| match n {
            1 => name.to_owned(),
            n => format!("{name}{n}"),
        })
    };
    let once = |names: [&str; 2]| names.map(str::to_owned).into_iter();
    let header = once(["name", "company"])
        .chain(numbered("telephone", telephones))
        .chain(numbered("email", emails))
        .chain(once(["crm_id", "url"]));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |_| Refusal::Failed("the table cannot be written".to_owned());
    writer.write_record(header).map_err(failed)?;
    for profile in profiles {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let cells = |list: &[String], count: usize| {
            let empty = std::iter::repeat_with(String::new);
            let cells: Vec<String> = list.iter().cloned().chain(empty).take(count).collect();
            cells
        };
        let row = [profile.name.clone(), text(&profile.company)]
            .into_iter()
            .chain(cells(&profile.telephones, telephones))
            .chain(cells(&profile.emails, emails))
            .chain([text(&profile.crm_id), text(&profile.url)]);
        writer.write_record(row).map_err(failed)?;
    }
    let bytes = writer.into_inner().ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Refusal::Failed("the table cannot be written".to_owned()))
}
