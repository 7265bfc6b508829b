//! What comes of a command to a follow-up.

use super::{
    Command, Event, Facts, FollowUp, LANGUAGE_BYTES_MAX, NOTE_BYTES_MAX, NOTES_BYTES_MAX,
    NOTES_MAX, Plan, Rejection, Source, Status, TITLE_CHARS_MAX, VERSIONS_MAX,
};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, ID_BYTES_MAX};

/// What comes of a command. What is so already is no event.
///
/// Whether `by` has the right is asked before.
///
/// # Errors
/// When a part is malformed, the type not permitted, or the follow-up over.
pub fn decide(
    follow_up: &FollowUp,
    command: Command,
    now: Timestamp,
    facts: &Facts<'_>,
) -> Result<Vec<Event>, Rejection> {
    let at = now;
    let Some(known) = &follow_up.plan else {
        return match command {
            Command::Plan { by, source, plan } => planned(by, source, plan, at, facts),
            Command::TimeIsUp => Ok(vec![]),
            Command::Edit { .. }
            | Command::Link { .. }
            | Command::Reassign { .. }
            | Command::WriteNote { .. }
            | Command::Complete { .. }
            | Command::Cancel { .. } => Err(Rejection::Unknown),
        };
    };
    // Two who have read the same write one after the other.
    let read = command.read();
    if read.is_some_and(|read| read != follow_up.version_read()) {
        return Err(Rejection::Stale);
    }
    let is_open = follow_up.status == Status::Planned;
    match command {
        Command::Plan { .. } => Err(Rejection::Exists),
        Command::Edit { .. } | Command::Reassign { .. } if !is_open => Err(Rejection::Over),
        Command::Edit { plan, .. } => {
            let plan = checked(plan, facts, Some(known))?;
            let news = plan != *known;
            Ok(news
                .then_some(Event::Edited { at, plan })
                .into_iter()
                .collect())
        }
        // Also of one that is over: whoever looks for it looks there.
        Command::Link { from, to } => {
            let linked = known.customer.as_ref() == Some(&from) && from != to;
            let event = Event::Linked { at, customer: to };
            Ok(linked.then_some(event).into_iter().collect())
        }
        Command::Reassign { .. } if !facts.responsible_is_agent => Err(Rejection::Responsible),
        Command::Reassign { to, .. } if to == known.responsible => Ok(vec![]),
        Command::Reassign { to, .. } => Ok(vec![Event::Reassigned { at, to }]),
        Command::WriteNote {
            by,
            note_type,
            language,
            text,
            ..
        } => {
            // A type that was in the list when a note of it was begun stays.
            let known = follow_up.note(&note_type, &language).is_some();
            match known || facts.note_types.has(&note_type) {
                true => note(follow_up, by, (note_type, language), text, at),
                false => Err(Rejection::UnknownNoteType),
            }
        }
        Command::Complete { .. } => match follow_up.status {
            Status::Planned => Ok(vec![Event::Completed { at }]),
            Status::Completed { .. } => Ok(vec![]),
            Status::Cancelled { .. } => Err(Rejection::Over),
        },
        Command::Cancel { .. } => match follow_up.status {
            Status::Planned => Ok(vec![Event::Cancelled { at }]),
            Status::Cancelled { .. } => Ok(vec![]),
            Status::Completed { .. } => Err(Rejection::Over),
        },
        Command::TimeIsUp => match follow_up.deadline() {
            Some(due) if due <= at => Ok(vec![Event::Reminded { at }]),
            Some(_) | None => Ok(vec![]),
        },
    }
}

fn planned(
    by: AgentId,
    source: Source,
    plan: Plan,
    at: Timestamp,
    facts: &Facts<'_>,
) -> Result<Vec<Event>, Rejection> {
    let bad = |c: char| c.is_control();
    let id = &source.id;
    if id.trim().is_empty() || id.len() > ID_BYTES_MAX || id.contains(bad) {
        return Err(Rejection::Source);
    }
    let plan = checked(plan, facts, None)?;
    Ok(vec![Event::Planned {
        at,
        by,
        source,
        plan,
    }])
}

/// The plan, if it is one. What it has already stays: a type and a reason that could be chosen then, and who is responsible.
fn checked(mut plan: Plan, facts: &Facts<'_>, known: Option<&Plan>) -> Result<Plan, Rejection> {
    plan.title = plan.title.trim().to_owned();
    let title = &plan.title;
    if title.is_empty()
        || title.chars().count() > TITLE_CHARS_MAX
        || title.contains(char::is_control)
    {
        return Err(Rejection::Title);
    }
    if known.is_none_or(|known| known.transaction_type != plan.transaction_type) {
        let permitted = facts.permitted;
        permitted.require(&plan.transaction_type, facts.channel)?;
    }
    if let (Some(start), Some(end)) = (plan.start, plan.end)
        && end < start
    {
        return Err(Rejection::Dates);
    }
    if let Some(reason) = &plan.reason
        && known.is_none_or(|known| known.reason.as_ref() != Some(reason))
        && !facts.reasons.contains(reason)
    {
        return Err(Rejection::UnknownReason);
    }
    let same = known.is_some_and(|known| known.responsible == plan.responsible);
    match same || facts.responsible_is_agent {
        true => Ok(plan),
        false => Err(Rejection::Responsible),
    }
}

/// Notes may be written when it is over, too: what came of it is written then.
fn note(
    follow_up: &FollowUp,
    by: AgentId,
    (note_type, language): (String, String),
    text: String,
    at: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let good = (2..=LANGUAGE_BYTES_MAX).contains(&language.len()) && language.bytes().all(letter);
    if !good {
        return Err(Rejection::Language);
    }
    if text.trim().is_empty() {
        return Err(Rejection::Empty);
    }
    if text.len() > NOTE_BYTES_MAX {
        return Err(Rejection::TooLong);
    }
    let known = follow_up.note(&note_type, &language);
    match known.map(|note| note.versions.last().is_some_and(|it| it.text == text)) {
        Some(true) => return Ok(vec![]),
        Some(false) => {}
        None if follow_up.notes.len() >= NOTES_MAX => return Err(Rejection::TooMany),
        None => {}
    }
    // The oldest version makes room where there are as many as are kept.
    let goes = known.filter(|note| note.versions.len() >= VERSIONS_MAX);
    let goes = goes.and_then(|note| note.versions.first());
    let bytes = follow_up.note_bytes() + text.len() - goes.map_or(0, |it| it.text.len());
    if bytes > NOTES_BYTES_MAX {
        return Err(Rejection::TooMany);
    }
    Ok(vec![Event::Noted {
        at,
        by,
        note_type,
        language,
        text,
    }])
}
