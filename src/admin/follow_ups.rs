//! What may follow from what: types of transactions by channel (S3-4, S3-12), and what is copied from the source (S3-11).

use std::collections::BTreeSet;

use serde_json::json;

use super::arguments::Arguments;
use super::center::{self, COPY_RULES, HOST, TRANSACTION_TYPES};
use super::operation::{Argument, Count, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::domain::follow_up::rules::{CopyRuleSet, TypesCommand};
use crate::domain::follow_up::{CHANNELS, Copied, CopyRules, PermittedTypes, SourceKind};
use crate::domain::rights::Right;

const CHANNEL: Argument = Argument::required(
    "channel",
    Kind::Choice(CHANNELS),
    "the medium of the interaction, or none",
);
const SOURCE: Argument = Argument::required("source", Kind::Choice(SOURCES), "what is copied from");
const SOURCES: &[&str] = &[
    "interaction-record",
    "service-ticket",
    "service-order",
    "complaint",
    "case",
];
const PARTS: &[&str] = &["title", "customer", "reason", "dates"];
const TYPE: Argument =
    Argument::required("type", Kind::Name, "the type of transaction that follows");

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "channel permit",
        "Says which types of transactions may follow on a channel; those and no others.",
        Face::new(
            own!("channel-permit"),
            "Permit types of transactions on a channel",
        ),
        &[
            CHANNEL,
            Argument::optional("type", Kind::Name, "which types; none if left out")
                .count(Count::All),
            HOST,
        ],
        |operator, arguments| Box::pin(permit(operator, arguments)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "channel reset",
        "Permits all types of transactions on a channel again.",
        Face::new(
            own!("channel-reset"),
            "Permit all types of transactions on a channel",
        ),
        &[CHANNEL, HOST],
        |operator, arguments| Box::pin(reset_channel(operator, arguments)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "channel list",
        "Lists which types of transactions may follow on which channel.",
        Face::new(own!("channel-list"), "List channels"),
        &[HOST],
        |operator, arguments| Box::pin(channels(operator, arguments)),
    )
    .with_right(Right::CatalogueEdit)
    .only_looking(),
    Operation::new(
        "copy-rule set",
        "Says what is copied from a source to a transaction that follows from it.",
        Face::new(own!("copy-rule-set"), "Set a copying rule"),
        &[
            SOURCE,
            TYPE,
            Argument::optional(
                "copy",
                Kind::Choice(PARTS),
                "what is copied; nothing if left out",
            )
            .count(Count::All),
            HOST,
        ],
        |operator, arguments| Box::pin(set(operator, arguments)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "copy-rule reset",
        "Has title and customer copied, as is usual.",
        Face::new(own!("copy-rule-reset"), "Reset a copying rule"),
        &[SOURCE, TYPE, HOST],
        |operator, arguments| Box::pin(reset_rule(operator, arguments)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "copy-rule list",
        "Lists the copying rules of a host.",
        Face::new(own!("copy-rule-list"), "List copying rules"),
        &[HOST],
        |operator, arguments| Box::pin(rules(operator, arguments)),
    )
    .with_right(Right::CatalogueEdit)
    .only_looking(),
];

async fn permit(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let channel = required(&arguments, "channel")?;
    let types = arguments.texts("type").map(str::to_owned).collect();
    let command = TypesCommand::Permit { channel, types };
    edit_channel(&operator, &arguments, command, "That is permitted on it.\n").await
}

async fn reset_channel(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let channel = required(&arguments, "channel")?;
    let command = TypesCommand::Reset { channel };
    edit_channel(
        &operator,
        &arguments,
        command,
        "All types are permitted on it.\n",
    )
    .await
}

async fn edit_channel(
    operator: &Operator,
    arguments: &Arguments,
    command: TypesCommand,
    done: &str,
) -> Result<Outcome, Refusal> {
    let decided = |types: &mut PermittedTypes, now| {
        let events = types.decide(command.clone(), now);
        let events = events.map_err(center::refused)?;
        events.iter().for_each(|event| types.apply(event));
        Ok(events)
    };
    let changed = center::edit(operator, arguments, TRANSACTION_TYPES, decided).await?;
    Ok(told(changed, done))
}

fn told(changed: bool, done: &str) -> Outcome {
    let text = match changed {
        true => done,
        false => "It is already so.\n",
    };
    Outcome::told(json!({ "changed": changed }), text)
}

async fn channels(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = center::host(&operator, &arguments)?;
    let types = center::setting(&operator.store, TRANSACTION_TYPES, &host).await?;
    let types: PermittedTypes = types.unwrap_or_default();
    let row = |channel: &&str| {
        let permitted: Vec<&str> = types.on(channel).map(|it| it.code.as_str()).collect();
        let state = match types.channels.contains_key(*channel) {
            true => "only these",
            false => "all",
        };
        [
            (*channel).to_owned(),
            state.to_owned(),
            permitted.join(", "),
        ]
    };
    let rows: Vec<[String; 3]> = CHANNELS.iter().map(row).collect();
    let data = json!({ "host": host, "channels": types.channels });
    let table = Table::new(["CHANNEL", "PERMITTED", "TYPES"], rows);
    Ok(Outcome::told(data, "").with(table))
}

async fn set(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let named: BTreeSet<&str> = arguments.texts("copy").collect();
    let copied = Copied::ALL.into_iter();
    let copied = copied.filter(|it| named.contains(it.name())).collect();
    let done = "That is copied.\n";
    edit_rule(&operator, &arguments, Some(copied), done).await
}

async fn reset_rule(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let done = "Title and customer are copied.\n";
    edit_rule(&operator, &arguments, None, done).await
}

async fn edit_rule(
    operator: &Operator,
    arguments: &Arguments,
    copied: Option<BTreeSet<Copied>>,
    done: &str,
) -> Result<Outcome, Refusal> {
    let host = center::host(operator, arguments)?;
    let types = center::setting(&operator.store, TRANSACTION_TYPES, &host).await?;
    let types: PermittedTypes = types.unwrap_or_default();
    let source = SourceKind::named(&required(arguments, "source")?);
    let source = source.ok_or_else(|| Refusal::Usage("source is missing".to_owned()))?;
    let transaction_type = required(arguments, "type")?;
    let decided = |rules: &mut CopyRules, now| {
        let set = CopyRuleSet {
            at: now,
            source,
            transaction_type: transaction_type.clone(),
            copied: copied.clone(),
        };
        let set = rules.decide(set, &types).map_err(center::refused)?;
        set.iter().for_each(|set| rules.apply(set));
        Ok(set.into_iter().collect())
    };
    let changed = center::edit(operator, arguments, COPY_RULES, decided).await?;
    Ok(told(changed, done))
}

async fn rules(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = center::host(&operator, &arguments)?;
    let kept = center::setting(&operator.store, COPY_RULES, &host).await?;
    let CopyRules { rules, .. } = kept.unwrap_or_default();
    let row = |(source, to, copied): &(SourceKind, String, BTreeSet<Copied>)| {
        let copied: Vec<&str> = copied.iter().map(|it| it.name()).collect();
        [source.name().to_owned(), to.clone(), copied.join(", ")]
    };
    let rows: Vec<[String; 3]> = rules.iter().map(row).collect();
    let text = "Of all others title and customer are copied.\n";
    let data = json!({ "host": host, "rules": rules });
    let table = Table::new(["SOURCE", "TYPE", "COPIED"], rows);
    Ok(Outcome::told(data, text).with(table))
}

fn required(arguments: &Arguments, name: &str) -> Result<String, Refusal> {
    let text = arguments.text(name).map(str::to_owned);
    text.ok_or_else(|| Refusal::Usage(format!("{name} is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_and_every_part_can_be_named() {
        assert_eq!(SourceKind::ALL.map(SourceKind::name), SOURCES);
        assert_eq!(Copied::ALL.map(Copied::name), PARTS);
    }
}
