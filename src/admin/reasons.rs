//! Reason codes (S2-5 to S2-7): why agents are not ready or log out, and what came of an interaction.

use serde_json::json;

use super::arguments::Arguments;
use super::center::{self, HOST, REASON_CODES};
use super::operation::{Argument, Count, Face, Kind as Told, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::domain::reason_code::{Command, Kind, ReasonCode, ReasonCodes, apply, decide};
use crate::domain::rights::Right;

const KINDS: &[&str] = &["not-ready", "logout", "wrap-up", "interaction"];

const KIND: Argument = Argument::required("kind", Told::Choice(KINDS), "what it is a reason for");

const CODE: Argument = Argument::required(
    "code",
    Told::Name,
    "what programs call it: letters, digits, hyphens",
);

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "reason put",
        "Makes a reason code, or writes one anew.",
        Face::new(own!("reason-put"), "Make or edit a reason code"),
        &[
            KIND,
            CODE,
            Argument::required(
                "label",
                Told::Name,
                "what people read, each with its language: \"en: Lunch\"",
            )
            .count(Count::All),
            Argument::optional(
                "default",
                Told::Flag,
                "it is taken when nobody is asked; of a kind there is one such",
            ),
            HOST,
        ],
        |operator, arguments| Box::pin(put(operator, arguments)),
    )
    .with_right(Right::ReasonCodeEdit),
    Operation::new(
        "reason retire",
        "Takes a reason code out of use. Records that name it stay readable.",
        Face::new(own!("reason-retire"), "Take a reason code out of use"),
        &[KIND, CODE, HOST],
        |operator, arguments| Box::pin(retire(operator, arguments)),
    )
    .with_right(Right::ReasonCodeEdit),
    Operation::new(
        "reason list",
        "Lists the reason codes of a host.",
        Face::new(own!("reason-list"), "List reason codes"),
        &[
            Argument::optional("kind", Told::Choice(KINDS), "only reasons for this"),
            HOST,
        ],
        |operator, arguments| Box::pin(list(operator, arguments)),
    )
    .with_right(Right::ReasonCodeEdit)
    .only_looking(),
];

async fn put(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let labels = arguments.texts("label").map(label);
    let code = ReasonCode {
        kind: kind(&arguments)?,
        code: code(&arguments)?,
        labels: labels.collect::<Result<_, _>>()?,
        default: arguments.flag("default"),
        active: true,
    };
    let said = format!("{} ({})", code.code, code.kind);
    let changed = edit(&operator, &arguments, Command::Put(code)).await?;
    let text = match changed {
        true => format!("{said} can be chosen.\n"),
        false => format!("{said} is already so.\n"),
    };
    Ok(Outcome::told(json!({ "changed": changed }), text))
}

async fn retire(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let (kind, code) = (kind(&arguments)?, code(&arguments)?);
    let said = format!("{code} ({kind})");
    let changed = edit(&operator, &arguments, Command::Retire { kind, code }).await?;
    let text = match changed {
        true => format!("{said} is out of use.\n"),
        false => format!("{said} is out of use already.\n"),
    };
    Ok(Outcome::told(json!({ "changed": changed }), text))
}

async fn edit(
    operator: &Operator,
    arguments: &Arguments,
    command: Command,
) -> Result<bool, Refusal> {
    let decided = |codes: &mut ReasonCodes, now| {
        let happened = decide(codes, command.clone(), now).map_err(center::refused)?;
        happened.iter().for_each(|event| apply(codes, event));
        Ok(happened)
    };
    center::edit(operator, arguments, REASON_CODES, decided).await
}

async fn list(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = center::host(&operator, &arguments)?;
    let kept = center::kept::<ReasonCodes>(&operator.store, REASON_CODES, &host).await?;
    let ReasonCodes { version, mut codes } = kept.value.unwrap_or_default();
    if let Some(kind) = arguments.text("kind") {
        codes.retain(|code| code.kind.name() == kind);
    }
    codes.sort_by_key(|code| code.kind);
    let row = |code: &ReasonCode| {
        let labels = code.labels.iter();
        let labels: Vec<String> = labels.map(|(tag, text)| format!("{tag}: {text}")).collect();
        let state = match (code.active, code.default) {
            (true, true) => "default",
            (true, false) => "in use",
            (false, _) => "retired",
        };
        [
            code.kind.name().to_owned(),
            code.code.clone(),
            state.to_owned(),
            labels.join(", "),
        ]
    };
    let rows: Vec<[String; 4]> = codes.iter().map(row).collect();
    let text = match rows.len() {
        0 => format!("{host} has no such reason codes.\n"),
        count => format!("{count} in all.\n"),
    };
    let data = json!({ "host": host, "version": version, "codes": codes });
    let table = Table::new(["KIND", "CODE", "STATE", "LABELS"], rows);
    Ok(Outcome::told(data, text).with(table))
}

/// `en: Lunch`.
pub(super) fn label(text: &str) -> Result<(String, String), Refusal> {
    let tagged = text.split_once(':');
    let tagged = tagged.map(|(tag, label)| (tag.trim(), label.trim()));
    match tagged.filter(|(tag, _)| is_language(tag)) {
        Some((tag, label)) => Ok((tag.to_owned(), label.to_owned())),
        None => Err(Refusal::Usage(format!(
            "a label has its language before it, such as \"en: Lunch\", not {text:?}"
        ))),
    }
}

/// Whether it has the form of a language tag (RFC 5646 §2.1): words of at most eight letters and digits.
pub(crate) fn is_language(tag: &str) -> bool {
    let word = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let first = tag.split('-').next().unwrap_or_default();
    first.bytes().all(|b| b.is_ascii_alphabetic()) && tag.split('-').all(word)
}

fn kind(arguments: &Arguments) -> Result<Kind, Refusal> {
    let all = [
        Kind::NotReady,
        Kind::Logout,
        Kind::WrapUp,
        Kind::Interaction,
    ];
    let named = arguments.text("kind");
    let found = all.into_iter().find(|kind| Some(kind.name()) == named);
    found.ok_or_else(|| Refusal::Usage("kind is missing".to_owned()))
}

fn code(arguments: &Arguments) -> Result<String, Refusal> {
    let code = arguments.text("code").map(str::to_owned);
    code.ok_or_else(|| Refusal::Usage("code is missing".to_owned()))
}
