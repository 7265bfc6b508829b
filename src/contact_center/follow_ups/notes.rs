//! Notes of follow-ups (S3-15, S3-16), taken from the scratch pad where that is wanted (S3-17), and their earlier versions
//! (S3-21).

use super::access;
use super::changes::{changed, done, open};
use super::written::{Ground, id, version};
use super::{NS, find, scratch_pad, wire};
use crate::contact_center::activities;
use crate::contact_center::draft::Draft;
use crate::contact_center::errors::{Refused, malformed};
use crate::contact_center::numbered::{self, Bounds};
use crate::contact_center::operation::{Caller, Outcome, Table};
use crate::contact_center::values::Values;
use crate::domain::follow_up::{Command, FollowUp, NO_CHANNEL, Note, NoteVersion, Rejection};
use crate::xml::Element;

/// A note that shall be written.
pub(super) struct NewNote {
    note_type: String,
    language: String,
    /// `None` where the scratch pad has it.
    text: Option<String>,
    /// Which version of the follow-up was read, where that is said.
    read: Option<u64>,
}

/// The note of a request: its text is that of the field, or the scratch pad's. `None` where there is neither.
pub(super) fn new(
    caller: &Caller,
    values: &Values,
    field: &'static str,
) -> Result<Option<NewNote>, Refused> {
    let text = values.optional_text(field).map(str::to_owned);
    match (&text, values.flag("scratch-pad")) {
        (None, false) => return Ok(None),
        (Some(_), true) => {
            let said = "Either the text can be given or that of the scratch pad taken.";
            return Err(malformed("field-repeated", said));
        }
        (Some(_), false) | (None, true) => {}
    }
    let language = activities::language(caller, values, field)?;
    let settings = caller.place.settings.load();
    let usual = settings.note_types.types.first().map(|it| it.code.as_str());
    // The first type of the list, where none is named.
    let named = values.optional_text("note-type").or(usual);
    Ok(Some(NewNote {
        note_type: named.unwrap_or_default().to_owned(),
        language: language.unwrap_or_else(|| "en".to_owned()),
        text,
        read: version(values)?,
    }))
}

impl NewNote {
    /// The command that writes it. The scratch pad is emptied in the same draft.
    pub(super) async fn command(
        &self,
        caller: &Caller,
        draft: &mut Draft,
    ) -> Result<Command, Refused> {
        let text = match &self.text {
            Some(text) => text.clone(),
            None => scratch_pad::take_over(caller, draft).await?,
        };
        Ok(Command::WriteNote {
            read: self.read,
            by: caller.agent.clone(),
            note_type: self.note_type.clone(),
            language: self.language.clone(),
            text,
        })
    }
}

/// The operation `note`.
pub(super) async fn note(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    let note = new(&caller, &values, "text")?;
    let note = note.ok_or_else(|| malformed("field-missing", "text is missing."))?;
    let decided = async |mut draft: Draft| {
        let (before, _) = Box::pin(open(&caller, &id)).await?;
        let command = note.command(&caller, &mut draft).await?;
        let ground = Ground::of(&caller, NO_CHANNEL, &caller.agent).await?;
        let what = ("follow-up note", command);
        Box::pin(changed(&caller, draft, &before, what, &ground)).await
    };
    let after = Box::pin(caller.center.save(&caller.services, decided)).await?;
    Ok(done(&caller, &after, "The note is kept."))
}

/// The operation `follow-up`: with the last version of each note, in pages.
pub(super) async fn look(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    let follow_up = Box::pin(seen(&caller, &id, "follow-up show")).await?;
    let bounds = Bounds {
        first: 1,
        bytes_max: wire::NOTES_BYTES_MAX,
    };
    let bytes = |note: &Note| note.versions.last().map_or(0, |it| it.text.len());
    let (range, page) = numbered::page(&follow_up.notes, bounds, values.page(), bytes)?;
    let words = wire::Words::of(&caller);
    let shown = follow_up.notes.get(range.clone()).unwrap_or_default();
    let element = wire::whole(&follow_up, range, &words).child(page.to_element());
    let told = wire::sentence(&follow_up, &words);
    let rows = shown.iter().filter_map(|note| {
        let last = note.versions.last()?;
        let kind = words.note_type(&note.note_type).to_owned();
        let by = last.by.logon().to_owned();
        let language = note.language.clone();
        Some(vec![
            kind,
            language,
            last.at.to_string(),
            by,
            last.text.clone(),
        ])
    });
    let table = Table {
        columns: &[
            ("note-type", "Type"),
            ("language", "Language"),
            ("at", "When"),
            ("by", "By"),
            ("text", "Note"),
        ],
        rows: rows.collect(),
    };
    Ok(Outcome::told(told).with(element).listing(table))
}

/// The operation `notes-history`: the versions of one note, the oldest first.
pub(super) async fn history(caller: Caller, values: Values) -> Result<Outcome, Refused> {
    let id = id(&values)?;
    let follow_up = Box::pin(seen(&caller, &id, "follow-up notes show")).await?;
    let note = meant(&follow_up, &values)?;
    let bounds = Bounds {
        first: note.forgotten.saturating_add(1),
        bytes_max: wire::NOTES_BYTES_MAX,
    };
    let bytes = |version: &NoteVersion| version.text.len();
    let (range, page) = numbered::page(&note.versions, bounds, values.page(), bytes)?;
    let numbered = note.versions.iter().enumerate();
    let part = numbered.skip(range.start).take(range.len());
    let element = Element::new(NS, "notes-history")
        .attr("id", follow_up.id.as_str())
        .attr("note-type", &note.note_type)
        .attr("language", &note.language)
        .children_from(part.map(|(place, it)| wire::version(bounds.first + place, it)))
        .child(page.to_element());
    let row = |it: &NoteVersion| vec![it.at.to_string(), it.by.to_string(), it.text.clone()];
    let shown = note.versions.get(range).unwrap_or_default();
    let table = Table {
        columns: &[("at", "When"), ("by", "By"), ("text", "Note")],
        rows: shown.iter().map(row).collect(),
    };
    let told = format!("{} versions.", note.versions.len());
    Ok(Outcome::told(told).with(element).listing(table))
}

/// The note that is named by type and language; the language may be left out where there is only one.
fn meant<'a>(follow_up: &'a FollowUp, values: &Values) -> Result<&'a Note, Refused> {
    let note_type = values.text("note-type")?;
    if let Some(language) = values.optional_text("language") {
        let found = follow_up.note(note_type, language);
        return found.ok_or_else(|| Rejection::NoNote.into());
    }
    let mut notes = follow_up.notes.iter();
    let mut notes = notes.by_ref().filter(|it| it.note_type == note_type);
    match (notes.next(), notes.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(Rejection::NoteUnclear.into()),
        (None, _) => Err(Rejection::NoNote.into()),
    }
}

/// The follow-up, written down before it is shown where that is to be.
async fn seen(
    caller: &Caller,
    id: &crate::domain::ids::FollowUpId,
    operation: &'static str,
) -> Result<FollowUp, Refused> {
    let found = find(&caller.services, id).await?;
    let found = found.ok_or(Rejection::Unknown)?;
    let way = access::to(caller, &found).await?;
    access::note(caller, way, operation, id.as_str()).await?;
    Ok(found)
}
