//! Tags of messages (S4-6, S4-7, S4-25).

use std::collections::BTreeSet;

use serde_json::json;

use super::arguments::Arguments;
use super::center::{self, HOST, TAGS};
use super::operation::{Argument, Count, Face, Kind, Operation, own};
use super::operator::Operator;
use super::outcome::{Outcome, Table};
use super::refusal::Refusal;
use crate::domain::message_stream::tags::Command;
use crate::domain::message_stream::{Availability, Tag, Tags};
use crate::domain::rights::Right;

const NAME: Argument = Argument::required("name", Kind::Name, "what the tag is called");

const AVAILABILITIES: &[&str] = &["message", "message-billable"];

pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "tag put",
        "Makes a tag for messages, or writes one anew.",
        Face::new(own!("tag-put"), "Make or edit a tag"),
        &[
            NAME,
            Argument::required(
                "availability",
                Kind::Choice(AVAILABILITIES),
                "for messages, or for messages that are billed",
            )
            .count(Count::All),
            HOST,
        ],
        |operator, arguments| Box::pin(put(operator, arguments)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "tag remove",
        "Takes a tag off the list. Messages that have it keep it.",
        Face::new(own!("tag-remove"), "Remove a tag"),
        &[NAME, HOST],
        |operator, arguments| Box::pin(remove(operator, arguments)),
    )
    .with_right(Right::CatalogueEdit),
    Operation::new(
        "tag list",
        "Lists the tags of a host.",
        Face::new(own!("tag-list"), "List tags"),
        &[HOST],
        |operator, arguments| Box::pin(list(operator, arguments)),
    )
    .with_right(Right::CatalogueEdit)
    .only_looking(),
];

async fn put(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let named: BTreeSet<&str> = arguments.texts("availability").collect();
    let all = Availability::ALL.into_iter();
    let tag = Tag {
        name: name(&arguments)?,
        availability: all.filter(|it| named.contains(it.name())).collect(),
    };
    let said = tag.name.clone();
    let changed = edit(&operator, &arguments, Command::Put(tag)).await?;
    let text = match changed {
        true => format!("{said} can be chosen.\n"),
        false => format!("{said} is already so.\n"),
    };
    Ok(Outcome::told(json!({ "changed": changed }), text))
}

async fn remove(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let name = name(&arguments)?;
    let text = format!("{name} cannot be chosen any more.\n");
    let changed = edit(&operator, &arguments, Command::Remove(name)).await?;
    Ok(Outcome::told(json!({ "changed": changed }), text))
}

async fn edit(
    operator: &Operator,
    arguments: &Arguments,
    command: Command,
) -> Result<bool, Refusal> {
    let decided = |tags: &mut Tags, now| {
        let events = tags.decide(command.clone(), now);
        let events = events.map_err(center::refused)?;
        events.iter().for_each(|event| tags.apply(event));
        Ok(events)
    };
    center::edit(operator, arguments, TAGS, decided).await
}

async fn list(operator: Operator, arguments: Arguments) -> Result<Outcome, Refusal> {
    let host = center::host(&operator, &arguments)?;
    let kept = center::setting(&operator.store, TAGS, &host).await?;
    let Tags { tags, .. } = kept.unwrap_or_default();
    let row = |tag: &Tag| {
        let availability = tag.availability.iter();
        let availability: Vec<&str> = availability.map(|it| it.name()).collect();
        [tag.name.clone(), availability.join(", ")]
    };
    let rows: Vec<[String; 2]> = tags.iter().map(row).collect();
    let text = match rows.len() {
        0 => format!("{host} has no tags.\n"),
        count => format!("{count} in all.\n"),
    };
    let data = json!({ "host": host, "tags": tags });
    Ok(Outcome::told(data, text).with(Table::new(["TAG", "FOR"], rows)))
}

fn name(arguments: &Arguments) -> Result<String, Refusal> {
    let name = arguments.text("name").map(str::to_owned);
    name.ok_or_else(|| Refusal::Usage("name is missing".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_availabilities_can_be_named() {
        assert_eq!(Availability::ALL.map(Availability::name), AVAILABILITIES);
    }
}
