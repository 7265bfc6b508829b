//! What agents do with activities: write notes (S2-26, S2-41), say what came of it, and look.

use std::ops::Range;

use super::access::{self, Reading};
use super::wire::{self, NOTES_BYTES_MAX, NS};
use super::{change, find, lists};
use crate::admin::is_language;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::numbered::{self, Bounds};
use crate::contact_center::operation::{
    Act, Caller, Field, Kind, Need, Operation, Outcome, Shown, Stands, Table,
};
use crate::contact_center::trail;
use crate::contact_center::values::Values;
use crate::domain::activity::{Activity, Command, NOTE_BYTES_MAX, Rejection, decide};
use crate::domain::ids::ActivityId;
use crate::domain::reason_code::{self, Kind as ReasonKind};
use crate::domain::rights::Right;
use crate::proto::common::rsm::{Page, PageRequest};
use crate::xml::Element;

/// What the operations are, in the order in which clients show them.
pub(in crate::contact_center) const OPERATIONS: &[Operation] = &[
    Operation {
        ns: NS,
        name: "note",
        node: "urn:parlour:activity:0#note",
        act: Act::Set,
        title: "Write a note into an activity",
        about: "It is kept with your part in the interaction, and goes to the CRM.",
        right: Right::Activity,
        fields: &[ID, TEXT, LANGUAGE],
        shown: Some(|caller| Box::pin(lists::own_shown(caller))),
        present: None,
        run: |caller, values| Box::pin(note(caller, values)),
    },
    Operation {
        ns: NS,
        name: "wrap-up",
        node: "urn:parlour:activity:0#wrap-up",
        act: Act::Set,
        title: "Say what came of an interaction",
        about: "One of the reasons that your administrator has set. The last one counts.",
        right: Right::Activity,
        fields: &[ID, CODE],
        shown: Some(|caller| Box::pin(wrap_up_shown(caller))),
        present: None,
        run: |caller, values| Box::pin(wrap_up(caller, values)),
    },
    Operation {
        ns: NS,
        name: "activity",
        node: "urn:parlour:activity:0#activity",
        act: Act::Get,
        title: "Look at an activity",
        about: "What is kept of one agent's part in an interaction, with the notes.",
        right: Right::Activity,
        fields: &[ID, NEWEST],
        shown: Some(|caller| Box::pin(lists::any_shown(caller))),
        present: None,
        run: |caller, values| Box::pin(look(caller, values)),
    },
    Operation {
        ns: NS,
        name: "activities",
        node: "urn:parlour:activity:0#activities",
        act: Act::Get,
        title: "Activities, the newest first",
        about: "Your own, or all with a customer or of an interaction that you deal with.",
        right: Right::Activity,
        fields: &[
            Field::required("customer", Kind::Id, "With this customer").optional(),
            Field::required("interaction", Kind::Id, "Of this interaction").optional(),
            PAGE,
        ],
        shown: None,
        present: None,
        run: |caller, values| Box::pin(lists::activities(caller, values)),
    },
];

const ID: Field = Field::required("id", Kind::Id, "Activity").optional();
const CODE: Field = Field::required("code", Kind::Code, "What came of it");
const PAGE: Field = Field::required("set", Kind::Page, "Page").optional();
/// Of notes the last is what people want to see first.
const NEWEST: Field = Field::required("set", Kind::PageFromEnd, "Page").optional();
const TEXT: Field = Field::required(
    "text",
    Kind::Text {
        bytes_max: NOTE_BYTES_MAX,
    },
    "Note",
)
.as_child();
/// In a typed request the text has its `xml:lang`.
pub(in crate::contact_center) const LANGUAGE: Field = Field {
    name: "language",
    kind: Kind::Line {
        chars_max: LANGUAGE_CHARS_MAX,
    },
    need: Need::Optional,
    place: Stands::Form,
    label: "Its language, such as en",
};

/// Longer tags than any that is registered (RFC 5646 §4.4.1 has 35).
const LANGUAGE_CHARS_MAX: usize = 64;

async fn note(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let command = Command::Write {
        by: caller.agent.clone(),
        language: language(&caller, &values, "text")?,
        text: values.text("text")?.to_owned(),
    };
    let activity = Box::pin(write(&caller, &values, command)).await?;
    let told = format!("Your note is kept, {} in all.", activity.notes.len());
    Ok(written(&caller, &activity, told))
}

/// What the text says of itself, what is said beside it in a form, or the language of the request.
pub(in crate::contact_center) fn language(
    caller: &Caller,
    values: &Values,
    text: &str,
) -> Result<Option<String>, Refused> {
    let good = |it: &str| it.len() <= LANGUAGE_CHARS_MAX && is_language(it);
    let said = values.language(text);
    match said.or_else(|| values.optional_text("language")) {
        Some(said) if good(said) => Ok(Some(said.to_owned())),
        Some(_) => Err(malformed(
            "field-malformed",
            "The language must be a tag such as en.",
        )),
        None => Ok(caller.written_in.clone().filter(|it| good(it))),
    }
}

async fn wrap_up(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let code = values.text("code")?.to_owned();
    let settings = caller.place.settings.load_full();
    let reason = settings.reasons.choose(ReasonKind::WrapUp, &code)?;
    let told = format!("{}.", reason.label(&caller.language));
    let by = caller.agent.clone();
    let command = Command::WrapUp { by, code };
    let activity = Box::pin(write(&caller, &values, command)).await?;
    Ok(written(&caller, &activity, told))
}

/// Besides the activities, the reasons to choose from.
async fn wrap_up_shown(caller: Caller) -> Result<Shown, Refused> {
    let settings = caller.place.settings.load_full();
    let reasons = &settings.reasons;
    if reasons.choice(ReasonKind::WrapUp).next().is_none() {
        let kind = ReasonKind::WrapUp;
        return Err(reason_code::Rejection::NotConfigured { kind }.into());
    }
    let codes: Vec<_> = reasons
        .choice(ReasonKind::WrapUp)
        .map(|it| {
            (
                "code",
                it.code.clone(),
                it.label(&caller.language).to_owned(),
            )
        })
        .collect();
    let default = reasons.default_of(ReasonKind::WrapUp);
    let default = default.map(|it| ("code", it.code.clone()));
    let mut shown = lists::own_shown(caller).await?;
    shown.options.extend(codes);
    shown.values.extend(default);
    Ok(shown)
}

/// Has the caller's command done to the activity that is meant.
async fn write(caller: &Caller, values: &Values, command: Command) -> Result<Activity, Refused> {
    let id = meant(caller, values).await?;
    let decided = async |mut draft: Draft| {
        let before = find(&caller.services, &id).await?;
        let before = before.ok_or(Rejection::Unknown)?;
        if !access::is_own(caller, &before) {
            // Who may not know of it learns nothing by writing.
            let known = access::to_activity(caller, &before).await?;
            return Err(match known {
                Some(_) => Rejection::NotYours.into(),
                None => Rejection::Unknown.into(),
            });
        }
        let events = decide(&before, command.clone(), caller.now())?;
        let after = change(&mut draft, &before, &events)?;
        Ok((draft, after))
    };
    caller.center.save(&caller.services, decided).await
}

fn written(caller: &Caller, activity: &Activity, told: String) -> Outcome {
    let notes = wire::last_notes(activity, NOTES_BYTES_MAX);
    Outcome::told(told).with(wire::activity(activity, notes, caller.now()))
}

/// The activity that is named, or the only one that the caller has in hand.
async fn meant(caller: &Caller, values: &Values) -> Result<ActivityId, Refused> {
    if let Some(id) = values.optional_text("id") {
        return id_from(id);
    }
    let mut current = lists::current(caller).await?.into_iter();
    match (current.next(), current.next()) {
        (None, _) => Err(Rejection::NoneOpen.into()),
        (Some(only), None) => Ok(only.id),
        (Some(_), Some(_)) => Err(Rejection::Unclear.into()),
    }
}

pub(super) fn id_from(text: &str) -> Result<ActivityId, Refused> {
    let id = text.parse();
    id.map_err(|_| malformed("field-malformed", "id must be an id."))
}

async fn look(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = meant(&caller, &values).await?;
    let activity = find(&caller.services, &id).await?;
    let activity = activity.ok_or(Rejection::Unknown)?;
    match access::to_activity(&caller, &activity).await? {
        None => return Err(Rejection::Unknown.into()),
        Some(Reading::ByRight) => trail::shown(&caller, "activity show", id.as_str()).await?,
        Some(Reading::Own | Reading::ByPart) => {}
    }
    let (range, page) = page(&activity, values.page())?;
    let shown = activity.notes.get(range.clone()).unwrap_or_default();
    let element = wire::activity(&activity, range, caller.now()).child(page.to_element());
    let rows = shown.iter().map(|note| {
        let language = note.language.clone().unwrap_or_default();
        vec![note.at.to_string(), language, note.text.clone()]
    });
    let table = Table {
        columns: &[("at", "When"), ("language", "Language"), ("text", "Note")],
        rows: rows.collect(),
    };
    let settings = caller.place.settings.load_full();
    let came = activity.wrap_up.as_deref().map(|code| {
        let known = settings.reasons.find(ReasonKind::WrapUp, code);
        known.map_or(code, |it| it.label(&caller.language))
    });
    let told = lists::sentence(&activity, came, caller.now());
    Ok(Outcome::told(told).with(element).listing(table))
}

/// The activity with a page of its notes, the oldest first; ids of notes are their numbers.
pub(super) fn with_page(
    activity: &Activity,
    asked: &PageRequest,
    now: crate::clock::Timestamp,
) -> Result<Element, Refused> {
    let (notes, page) = page(activity, asked)?;
    Ok(wire::activity(activity, notes, now).child(page.to_element()))
}

fn page(activity: &Activity, asked: &PageRequest) -> Result<(Range<usize>, Page), Refused> {
    let bounds = Bounds {
        first: 1,
        bytes_max: NOTES_BYTES_MAX,
    };
    numbered::page(&activity.notes, bounds, asked, |note| note.text.len())
}
