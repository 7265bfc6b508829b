//! What the operations on message streams are told, and what is understood of it.

use std::collections::BTreeSet;

use super::stop_watches;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::operation::{Caller, Field, Kind, Need, Stands};
use crate::contact_center::values::Values;
use crate::domain::ids::AgentId;
use crate::domain::message_stream::{
    ATTACHMENTS_MAX, Properties, RECIPIENTS_MAX, Recipients, TAGS_MAX,
};

/// A line that is taken as a text at all; the domain has the true bounds, and says so.
const LINE: Kind = Kind::Line { chars_max: 2_048 };

/// The same of a text.
const LINES: Kind = Kind::Text {
    bytes_max: 256 * 1024,
};

/// What a tag is called.
pub(super) const NAME: Kind = Kind::Line { chars_max: 64 };

/// Digits of a number of 64 bits.
const NUMBER: Kind = Kind::Line { chars_max: 20 };

pub(super) const CUSTOMER: Field = Field::required("customer", Kind::Id, "Id of the customer");
pub(super) const ID: Field = Field::required("id", Kind::Id, "Id of the message");
pub(super) const MESSAGE: Field =
    Field::required("message", Kind::Id, "Id of the first message or of a reply");
pub(super) const VERSION: Field = Field::required("version", NUMBER, "Version that you have read");
/// The domain refuses a missing title and a missing text by name (S4-15, S4-19).
pub(super) const TITLE: Field = Field::required("title", LINE, "Title")
    .as_child()
    .optional();
/// As it is to be from then on; left out it stays.
pub(super) const TITLE_ANEW: Field = Field {
    label: "Title, if it is the first message",
    ..TITLE
};
pub(super) const TEXT: Field = Field::required("text", LINES, "Message")
    .as_child()
    .optional();
pub(super) const RECIPIENT: Field = Field::required(
    "recipient",
    Kind::Agent,
    "Only for these colleagues and you",
)
.several(RECIPIENTS_MAX);
pub(super) const TAG: Field = Field::required("tag", NAME, "Tags").several(TAGS_MAX);
pub(super) const WHISPER: Field = Field::required(
    "whisper",
    Kind::Flag,
    "Whisper: never for the customer, no minutes",
)
.optional();
pub(super) const MINUTES: Field = Field::required("minutes", NUMBER, "Minutes of work").optional();
pub(super) const DRAFT: Field =
    Field::required("draft", Kind::Id, "Minutes of the stop watch of this draft").optional();
pub(super) const BILLABLE: Field =
    Field::required("billable", Kind::Flag, "The minutes are billed").optional();
pub(super) const DELIVER: Field =
    Field::required("deliver", Kind::Flag, "Pass it to the customer").optional();
pub(super) const ATTACHMENT: Field = Field::required(
    "attachment",
    LINE,
    "Links of files that you have uploaded, one a line",
)
.several(ATTACHMENTS_MAX);
pub(super) const KEEP: Field = Field::required(
    "keep",
    LINE,
    "Ids of files that it has and keeps, one a line",
)
.several(ATTACHMENTS_MAX);
pub(super) const CONFIRM: Field = Field::required(
    "confirm",
    Kind::Flag,
    "Yes, delete the whole message irretrievably",
)
.optional();
pub(super) const ORDER: Field = Field::required(
    "order",
    Kind::Word(&["descending", "ascending"]),
    "By date, the newest or the oldest first",
)
.optional();
pub(super) const STATE: Field =
    Field::required("state", Kind::Word(&["open", "completed"]), "Only these").optional();
pub(super) const WORDS: Field = Field::required(
    "text",
    Kind::Line { chars_max: 1_000 },
    "With words that begin so",
)
.as_child()
.optional();
pub(super) const WATCH_ACTION: Field = Field::required(
    "action",
    Kind::Word(&["start", "stop", "reset", "show"]),
    "What to do",
);
/// Which part of a stream is asked for: a form begins with its end.
pub(super) const MESSAGES: Field = Field {
    kind: Kind::PageFromEnd,
    ..PAGE
};
/// Which part of a list is asked for.
pub(super) const PAGE: Field = Field {
    name: "set",
    kind: Kind::Page,
    need: Need::Optional,
    place: Stands::Child,
    label: "Page",
};

/// The id of a field that is required.
pub(super) fn id<I: std::str::FromStr>(values: &Values, name: &str) -> Result<I, Refused> {
    let id = values.text(name)?.parse::<I>();
    id.map_err(|_| malformed("field-malformed", format!("{name} must be an id.")))
}

/// The version of a field that is required.
pub(super) fn version(values: &Values) -> Result<u64, Refused> {
    let version = values.text("version")?.trim().parse();
    version.map_err(|_| malformed("field-malformed", "version must be a number."))
}

/// The version that was read, where that is said.
pub(super) fn read(values: &Values) -> Result<Option<u64>, Refused> {
    match values.optional_text("version") {
        Some(_) => version(values).map(Some),
        None => Ok(None),
    }
}

pub(super) fn tags(values: &Values) -> BTreeSet<String> {
    values.texts("tag").into_iter().map(str::to_owned).collect()
}

/// What is to be set for a stream, and which of its recipients are no employees. Without recipients it is for everybody (S4-12);
/// without minutes those of the draft's stop watch count, where one is named (S4-22).
pub(super) async fn properties(
    caller: &Caller,
    values: &Values,
) -> Result<(Properties, BTreeSet<AgentId>), Refused> {
    let named: BTreeSet<AgentId> = values.agents("recipient").cloned().collect();
    let mut strangers = BTreeSet::new();
    for agent in &named {
        if !is_employee(caller, agent).await? {
            strangers.insert(agent.clone());
        }
    }
    let minutes = match (
        values.optional_text("minutes"),
        values.optional_text("draft"),
    ) {
        (Some(minutes), _) => Some(number(minutes)?),
        (None, Some(draft)) => Some(stop_watches::minutes(caller, draft).await?),
        (None, None) => None,
    };
    let recipients = match named.is_empty() {
        true => Recipients::All,
        false => Recipients::Some(named),
    };
    let properties = Properties {
        recipients,
        whisper: values.flag("whisper"),
        minutes,
        billable: values.flag("billable"),
        delivered: values.flag("deliver"),
    };
    Ok((properties, strangers))
}

/// Whole minutes, none of them negative. What is larger than any number is too much, which the domain says.
fn number(text: &str) -> Result<u32, Refused> {
    let digits = text.trim();
    let good = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    good.then(|| digits.parse().unwrap_or(u32::MAX))
        .ok_or_else(|| {
            malformed(
                "field-malformed",
                "minutes must be a whole number of minutes.",
            )
        })
}

/// Whether that is an account of the host which is not kept out.
async fn is_employee(caller: &Caller, agent: &AgentId) -> Result<bool, Refused> {
    if agent.host() != caller.place.host.as_str() {
        return Ok(false);
    }
    let known = caller.services.store.accounts().find(agent.jid()).await?;
    Ok(known.is_some_and(|it| it.enabled))
}
