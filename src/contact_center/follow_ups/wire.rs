//! Follow-ups as elements, sentences and rows.
//!
//! ```xml
//! <follow-up xmlns='urn:parlour:follow-up:0' id='0199…' version='2' status='planned' source='interaction-record'
//!            source-id='call-1' display-area='activity-clipboard' type='phone-call' type-label='Phone call'
//!            customer='0199…' due='2026-09-28T14:00:00Z' reason='complaint' reason-label='Complaint'
//!            responsible='romeo@example.org' author='romeo@example.org' planned='2026-09-21T14:13:20Z' notes='1'>
//!   <title>Ask whether it works</title>
//!   <note n='1' note-type='preparation' versions='1' at='…' by='romeo@example.org' xml:lang='en'>Has the new one.</note>
//! </follow-up>
//! ```

use std::ops::Range;
use std::sync::Arc;

use super::NS;
use crate::contact_center::center::Place;
use crate::contact_center::operation::{Caller, Table};
use crate::contact_center::settings::Settings;
use crate::domain::catalogue::Entry;
use crate::domain::follow_up::{FollowUp, Note, NoteVersion, Status};
use crate::domain::ids::AgentId;
use crate::domain::reason_code::Kind as ReasonKind;
use crate::xml::Element;

/// Bytes of notes in one element: a stanza with it fits into what clients take, even when every letter has to be
/// escaped.
pub(super) const NOTES_BYTES_MAX: usize = 32 * 1024;

/// What people of one language read for codes.
pub(super) struct Words {
    settings: Arc<Settings>,
    language: String,
}

impl Words {
    /// For who asks.
    pub(super) fn of(caller: &Caller) -> Self {
        Self {
            settings: caller.place.settings.load_full(),
            language: caller.language.clone(),
        }
    }

    /// For who is told something without having asked.
    pub(super) fn usual(place: &Place) -> Self {
        Self {
            settings: place.settings.load_full(),
            language: "en".to_owned(),
        }
    }

    /// What is said of a type of transaction. One that was removed is called by its code.
    pub(super) fn transaction_type<'a>(&'a self, code: &'a str) -> &'a str {
        self.of_list(&self.settings.permitted.types, code)
    }

    /// What is said of a type of notes.
    pub(super) fn note_type<'a>(&'a self, code: &'a str) -> &'a str {
        self.of_list(&self.settings.note_types.types, code)
    }

    fn of_list<'a>(&self, list: &'a [Entry], code: &'a str) -> &'a str {
        let known = list.iter().find(|it| it.code == code);
        known.map_or(code, |it| it.label(&self.language))
    }

    /// What is said of an interaction reason that there is.
    pub(super) fn reason(&self, code: &str) -> Option<&str> {
        let known = self.settings.reasons.find(ReasonKind::Interaction, code);
        known.map(|it| it.label(&self.language))
    }
}

/// The follow-up without its notes.
pub(super) fn brief(follow_up: &FollowUp, words: &Words) -> Element {
    let element = Element::new(NS, "follow-up")
        .attr("id", follow_up.id.as_str())
        .attr("version", follow_up.version_read().to_string())
        .attr("status", follow_up.status.name());
    let (Some(source), Some(plan)) = (&follow_up.source, &follow_up.plan) else {
        return element;
    };
    let moment = |at: Option<crate::clock::Timestamp>| at.map(|at| at.to_string());
    let over = match follow_up.status {
        Status::Planned => None,
        Status::Completed { at } | Status::Cancelled { at } => Some(at),
    };
    let reason = plan.reason.as_deref();
    element
        .attr("source", source.kind.name())
        .attr("source-id", &source.id)
        .attr("display-area", source.kind.shown_in().name())
        .attr("type", &plan.transaction_type)
        .attr("type-label", words.transaction_type(&plan.transaction_type))
        .attr_opt("customer", plan.customer.as_ref().map(|id| id.as_str()))
        .attr_opt("start", moment(plan.start))
        .attr_opt("end", moment(plan.end))
        .attr_opt("due", moment(plan.due))
        .attr_opt("reason", reason)
        .attr_opt("reason-label", reason.and_then(|code| words.reason(code)))
        .attr("responsible", plan.responsible.jid().as_str())
        .attr_opt(
            "author",
            follow_up.author.as_ref().map(|it| it.jid().as_str()),
        )
        .attr_opt("planned", moment(follow_up.planned_at))
        .attr_opt("over", moment(over))
        .attr("notes", follow_up.notes.len().to_string())
        .child(Element::new(NS, "title").text(plan.title.as_str()))
}

/// The same with the last version of those of its notes.
pub(super) fn whole(follow_up: &FollowUp, notes: Range<usize>, words: &Words) -> Element {
    let numbered = follow_up.notes.iter().enumerate();
    let shown = numbered.skip(notes.start).take(notes.len());
    brief(follow_up, words).children_from(shown.filter_map(|(at, it)| note(at + 1, it)))
}

fn note(number: usize, note: &Note) -> Option<Element> {
    let last = note.versions.last()?;
    let written = note.forgotten.saturating_add(note.versions.len());
    let element = Element::new(NS, "note")
        .attr("n", number.to_string())
        .attr("note-type", &note.note_type)
        .attr("versions", written.to_string())
        .attr("at", last.at.to_string())
        .attr("by", last.by.jid().as_str())
        .lang(&note.language)
        .text(last.text.as_str());
    Some(element)
}

/// One version of a note.
pub(super) fn version(number: usize, version: &NoteVersion) -> Element {
    Element::new(NS, "version")
        .attr("n", number.to_string())
        .attr("at", version.at.to_string())
        .attr("by", version.by.jid().as_str())
        .text(version.text.as_str())
}

/// What somebody is told of a follow-up.
pub(super) fn notice(
    follow_up: &FollowUp,
    (what, by): (&str, Option<&AgentId>),
    words: &Words,
) -> Element {
    Element::new(NS, "notice")
        .attr("what", what)
        .attr_opt("by", by.map(|by| by.jid().as_str()))
        .child(brief(follow_up, words))
}

/// What has become of one that is another's, or nobody's: nothing but which one.
pub(super) fn gone(follow_up: &FollowUp, what: &str) -> Element {
    let named = Element::new(NS, "follow-up").attr("id", follow_up.id.as_str());
    Element::new(NS, "notice").attr("what", what).child(named)
}

/// `Phone call: Ask whether it works. Due 2026-09-28T14:00:00Z, romeo, planned.`
pub(super) fn sentence(follow_up: &FollowUp, words: &Words) -> String {
    let status = follow_up.status.name();
    let Some(plan) = &follow_up.plan else {
        return format!("{status}.");
    };
    let kind = words.transaction_type(&plan.transaction_type);
    let due = plan.due.map(|due| format!("Due {due}, "));
    let (due, who) = (due.unwrap_or_default(), plan.responsible.logon());
    let title = plan.title.trim_end_matches('.');
    format!("{kind}: {title}. {due}{who}, {status}.")
}

pub(super) fn table(follow_ups: &[FollowUp], words: &Words) -> Table {
    Table {
        columns: COLUMNS,
        rows: follow_ups.iter().map(|it| row(it, words)).collect(),
    }
}

const COLUMNS: &[(&str, &str)] = &[
    ("title", "Title"),
    ("type-label", "Type"),
    ("status", "Status"),
    ("due", "Due"),
    ("start", "Start"),
    ("end", "End"),
    ("responsible", "Responsible"),
    ("reason-label", "Reason"),
    ("source", "Refers to"),
    ("source-id", "Id of that"),
    ("display-area", "Shown in"),
    ("customer", "Customer"),
    ("notes", "Notes"),
    ("version", "Version"),
    ("id", "Id"),
];

fn row(follow_up: &FollowUp, words: &Words) -> Vec<String> {
    let seen = brief(follow_up, words);
    let title = follow_up.plan.as_ref().map(|plan| plan.title.clone());
    let cell = |(name, _): &(&str, &str)| match *name {
        "title" => title.clone().unwrap_or_default(),
        name => seen.attribute(name).unwrap_or_default().to_owned(),
    };
    COLUMNS.iter().map(cell).collect()
}
