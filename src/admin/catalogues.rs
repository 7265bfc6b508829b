//! Lists that agents choose from, each entry with a code and labels in several languages: types of transactions that may
//! follow something (S3-3), types of notes (S3-15).

use std::collections::BTreeMap;

use serde_json::json;

use super::arguments::Arguments;
use super::center::{self, HOST, NOTE_TYPES, TRANSACTION_TYPES};
use super::operation::{Argument, Count, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::reasons::label;
use super::refusal::Refusal;
use crate::domain::catalogue::{Command, Entry};
use crate::domain::follow_up::rules::TypesCommand;
use crate::domain::follow_up::{NoteTypes, PermittedTypes};
use crate::domain::rights::Right;

const CODE: Argument = Argument::required(
    "code",
    Kind::Name,
    "what programs call it: letters, digits, hyphens",
);

const LABEL: Argument = Argument::required(
    "label",
    Kind::Name,
    "what people read, each with its language: \"en: Visit\"",
)
.count(Count::All);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "transaction-type put",
        "Makes a type of transaction that may follow something, or writes one anew.",
        Face::new(
            own!("transaction-type-put"),
            "Make or edit a type of transaction",
        ),
        &[CODE, LABEL, HOST],
        |operator, arguments| Box::pin(put(operator, arguments, TRANSACTION_TYPES)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "transaction-type remove",
        "Takes a type of transaction off the list. Follow-ups of that type stay.",
        Face::new(
            own!("transaction-type-remove"),
            "Remove a type of transaction",
        ),
        &[CODE, HOST],
        |operator, arguments| Box::pin(remove(operator, arguments, TRANSACTION_TYPES)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "transaction-type list",
        "Lists the types of transactions of a host.",
        Face::new(own!("transaction-type-list"), "List types of transactions"),
        &[HOST],
        |operator, arguments| Box::pin(list(operator, arguments, TRANSACTION_TYPES)),
    )
    .with_right(Right::CatalogueEdit)
    .only_looking(),
    Operation::new(
        "note-type put",
        "Makes a type of notes of follow-ups, or writes one anew.",
        Face::new(own!("note-type-put"), "Make or edit a type of notes"),
        &[CODE, LABEL, HOST],
        |operator, arguments| Box::pin(put(operator, arguments, NOTE_TYPES)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "note-type remove",
        "Takes a type of notes off the list. Notes of that type stay.",
        Face::new(own!("note-type-remove"), "Remove a type of notes"),
        &[CODE, HOST],
        |operator, arguments| Box::pin(remove(operator, arguments, NOTE_TYPES)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "note-type list",
        "Lists the types of notes of a host.",
        Face::new(own!("note-type-list"), "List types of notes"),
        &[HOST],
        |operator, arguments| Box::pin(list(operator, arguments, NOTE_TYPES)),
    )
    .with_right(Right::CatalogueEdit)
    .only_looking(),
];

async fn put(
    operator: Operator,
    arguments: Arguments,
    which: &'static str,
) -> Result<Outcome, Refusal> {
    let labels = arguments.texts("label").map(label);
    let entry = Entry {
        code: code(&arguments)?,
        labels: labels.collect::<Result<BTreeMap<_, _>, _>>()?,
    };
    let said = entry.code.clone();
    let changed = edit(&operator, &arguments, which, Command::Put(entry)).await?;
    let text = match changed {
        true => format!("{said} can be chosen.\n"),
        false => format!("{said} is already so.\n"),
    };
    Ok(Outcome::told(json!({ "changed": changed }), text))
}

async fn remove(
    operator: Operator,
    arguments: Arguments,
    which: &'static str,
) -> Result<Outcome, Refusal> {
    let code = code(&arguments)?;
    let text = format!("{code} cannot be chosen any more.\n");
    let changed = edit(&operator, &arguments, which, Command::Remove(code)).await?;
    Ok(Outcome::told(json!({ "changed": changed }), text))
}

async fn edit(
    operator: &Operator,
    arguments: &Arguments,
    which: &'static str,
    command: Command,
) -> Result<bool, Refusal> {
    match which {
        NOTE_TYPES => {
            center::edit(operator, arguments, which, |types: &mut NoteTypes, now| {
                let events = types.decide(command.clone(), now);
                let events = events.map_err(center::refused)?;
                events.iter().for_each(|event| types.apply(event));
                Ok(events)
            })
            .await
        }
        _ => {
            center::edit(
                operator,
                arguments,
                which,
                |types: &mut PermittedTypes, now| {
                    let events = types.decide(TypesCommand::List(command.clone()), now);
                    let events = events.map_err(center::refused)?;
                    events.iter().for_each(|event| types.apply(event));
                    Ok(events)
                },
            )
            .await
        }
    }
}

async fn list(
    operator: Operator,
    arguments: Arguments,
    which: &'static str,
) -> Result<Outcome, Refusal> {
    let host = center::host(&operator, &arguments)?;
    let store = &operator.store;
    let entries = match which {
        NOTE_TYPES => {
            center::setting::<NoteTypes>(store, which, &host)
                .await?
                .unwrap_or_default()
                .types
        }
        _ => {
            center::setting::<PermittedTypes>(store, which, &host)
                .await?
                .unwrap_or_default()
                .types
        }
    };
    let row = |entry: &Entry| {
        let labels = entry.labels.iter();
        let labels: Vec<String> = labels.map(|(tag, text)| format!("{tag}: {text}")).collect();
        [entry.code.clone(), labels.join(", ")]
    };
    let rows: Vec<[String; 2]> = entries.iter().map(row).collect();
    let text = format!("{} in all.\n", rows.len());
    let data = json!({ "host": host, "types": entries });
    Ok(Outcome::told(data, text).with(Table::new(["CODE", "LABELS"], rows)))
}

pub(super) fn code(arguments: &Arguments) -> Result<String, Refusal> {
    let code = arguments.text("code").map(str::to_owned);
    code.ok_or_else(|| Refusal::Usage("code is missing".to_owned()))
}
