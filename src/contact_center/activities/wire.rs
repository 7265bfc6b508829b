//! Activities as elements.
//!
//! ```xml
//! <activity xmlns='urn:parlour:activity:0' id='0199…' version='3' interaction='call-1' agent='romeo@example.org'
//!           role='primary' medium='voice' direction='inbound' category='phone-call' address='+390451234567'
//!           customer='0199…' name='Ann Example' created='2026-09-21T14:13:20Z' connected='2026-09-21T14:13:25Z'
//!           closed='2026-09-21T14:15:25Z' duration='120' wrap-up='sold' notes='1'>
//!   <note n='1' at='2026-09-21T14:15:00Z' xml:lang='en'>Wants two.</note>
//! </activity>
//! ```

use std::ops::Range;

use crate::clock::Timestamp;
use crate::domain::activity::{Activity, Category, Note};
use crate::domain::interaction::{Direction, Role};
use crate::xml::Element;

/// The namespace of activities.
pub(in crate::contact_center) const NS: &str = "urn:parlour:activity:0";

/// Bytes of notes in one element: a stanza with it fits into what clients and components take, even when every letter
/// has to be escaped.
pub(super) const NOTES_BYTES_MAX: usize = 32 * 1024;

/// The same of one of many in a list.
pub(super) const LISTED_NOTES_BYTES_MAX: usize = 2 * 1024;

/// The activity with those of its notes.
pub(super) fn activity(activity: &Activity, notes: Range<usize>, now: Timestamp) -> Element {
    let element = Element::new(NS, "activity")
        .attr("id", activity.id.as_str())
        .attr("version", activity.version.to_string());
    let Some(subject) = &activity.subject else {
        return element;
    };
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let shown = activity.notes.iter().enumerate();
    let shown = shown.skip(notes.start).take(notes.len());
    element
        .attr("interaction", subject.interaction.as_str())
        .attr("agent", subject.agent.jid().as_str())
        .attr("role", role(subject.role))
        .attr("medium", subject.medium.name())
        .attr("direction", direction(subject.direction))
        .attr("category", Category::of(subject.medium).name())
        .attr("address", &subject.address)
        .attr_opt("customer", subject.customer.as_ref().map(|id| id.as_str()))
        .attr("name", &subject.name)
        .attr_opt("created", moment(activity.created_at))
        .attr_opt("connected", moment(activity.connected_at))
        .attr_opt("closed", moment(activity.closed_at))
        .attr_opt("finished", moment(activity.finished_at))
        .attr("duration", activity.duration_seconds(now).to_string())
        .attr_opt("wrap-up", activity.wrap_up.as_deref())
        .attr("notes", activity.notes.len().to_string())
        .children_from(shown.map(|(at, it)| note(at + 1, it)))
}

fn note(number: usize, note: &Note) -> Element {
    let element = Element::new(NS, "note")
        .attr("n", number.to_string())
        .attr("at", note.at.to_string())
        .text(note.text.as_str());
    match &note.language {
        Some(language) => element.lang(language),
        None => element,
    }
}

/// The last notes that fit into so many bytes.
pub(super) fn last_notes(activity: &Activity, bytes_max: usize) -> Range<usize> {
    let length = activity.notes.len();
    let fits = fitting(activity.notes.iter().rev(), bytes_max);
    length.saturating_sub(fits)..length
}

/// How many of the notes fit into so many bytes.
pub(super) fn fitting<'a, I: Iterator<Item = &'a Note>>(notes: I, bytes_max: usize) -> usize {
    let mut bytes = 0;
    let fits = |note: &&Note| {
        bytes += note.text.len();
        bytes <= bytes_max
    };
    notes.take_while(fits).count()
}

pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Primary => "primary",
        Role::Consulted => "consulted",
        Role::Conferenced => "conferenced",
    }
}

pub(super) const fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
    }
}
