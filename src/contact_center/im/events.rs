//! What the two are told of a session beside what they say to each other: messages of the service in its thread
//! that every client can show, with what programs read.

use super::{other, wire};
use crate::clock::Timestamp;
use crate::contact_center::draft::Draft;
use crate::contact_center::telling;
use crate::domain::ids::AgentId;
use crate::domain::im_session::{Cause, Event, ImSession};
use crate::proto::BareJid;
use crate::xml::Element;

/// What has happened.
struct Happened<'a> {
    by: Option<&'a AgentId>,
    at: Timestamp,
    cause: Cause,
}

/// What one of the two is told: the word for it, and a sentence.
type Words = Option<(&'static str, String)>;

/// Tells of an event whom it concerns: all devices of both, so that windows and notifications of none stay
/// behind. Who is no longer there is told nothing.
pub(super) fn tell(
    draft: &mut Draft,
    service: &BareJid,
    session: &ImSession,
    event: &Event,
    gone: Option<&AgentId>,
) {
    let Some(happened) = happened(session, event) else {
        return;
    };
    let both = [&session.inviter, &session.invitee];
    for (to, words) in both.into_iter().zip(words(session, event)) {
        let Some((kind, body)) = words.filter(|_| Some(to) != gone) else {
            continue;
        };
        let payload = Element::new(wire::NS, "event")
            .attr("id", session.id.as_str())
            .attr("type", kind)
            .attr_opt("by", happened.by.map(|by| by.jid().as_str()))
            .attr("at", happened.at.to_string())
            .attr_opt("cause", wire::cause(happened.cause));
        let message = telling::message(service, to, &body, &payload);
        draft.tell(telling::in_thread(message, session.id.as_str()));
    }
}

/// When it has happened, and whose doing it is; `None` for what the two say themselves.
fn happened<'a>(session: &'a ImSession, event: &'a Event) -> Option<Happened<'a>> {
    let (by, at, cause) = match event {
        Event::Invited { .. } | Event::Said { .. } | Event::Shared { .. } => return None,
        Event::TimedOut { at } => (None, at, Cause::Asked),
        Event::Accepted { at, cause } | Event::Rejected { at, cause } => {
            (Some(&session.invitee), at, *cause)
        }
        Event::Cancelled { at, cause } => (Some(&session.inviter), at, *cause),
        Event::Ended { at, by, cause } => (Some(by), at, *cause),
        Event::Done { at, by } => (Some(by), at, Cause::Asked),
    };
    let at = *at;
    Some(Happened { by, at, cause })
}

/// What the inviter is told, and what the invitee is told.
fn words(session: &ImSession, event: &Event) -> [Words; 2] {
    let (inviter, invitee) = (session.inviter.logon(), session.invitee.logon());
    let both = |kinds: [&'static str; 2], [own, theirs]: [String; 2]| {
        let [first, second] = kinds;
        [Some((first, own)), Some((second, theirs))]
    };
    match event {
        Event::Invited { .. } | Event::Said { .. } | Event::Shared { .. } => [None, None],
        Event::TimedOut { .. } => both(
            ["timed-out", "withdrawn"],
            [
                format!(
                    "{invitee} has not answered in time. The invitation stays until you take it back."
                ),
                format!(
                    "The invitation from {inviter} still waits for you: answer {inviter}, or write \u{201c}accept\u{201d} here."
                ),
            ],
        ),
        Event::Accepted { .. } => both(
            ["accepted", "connected"],
            [
                format!("{invitee} has accepted the invitation."),
                format!("You have accepted the invitation from {inviter}."),
            ],
        ),
        Event::Rejected { .. } => both(
            ["rejected", "rejected"],
            [
                format!("{invitee} has rejected the invitation."),
                format!("You have rejected the invitation from {inviter}."),
            ],
        ),
        Event::Cancelled { .. } => both(
            ["cancelled", "cancelled"],
            [
                format!("You have taken the invitation to {invitee} back."),
                format!("{inviter} has taken the invitation back."),
            ],
        ),
        Event::Ended { by, .. } => closed(session, by),
        Event::Done { by, .. } => {
            let body = format!(
                "The IM session with {} is done.",
                other(session, by).logon()
            );
            let own = Some(("done", body));
            match *by == session.inviter {
                true => [own, None],
                false => [None, own],
            }
        }
    }
}

fn closed(session: &ImSession, by: &AgentId) -> [Words; 2] {
    let own = format!(
        "You have ended the IM session with {}.",
        other(session, by).logon()
    );
    let theirs = format!("{} has ended the IM session.", by.logon());
    match *by == session.inviter {
        true => [Some(("ended", own)), Some(("ended", theirs))],
        false => [Some(("ended", theirs)), Some(("ended", own))],
    }
}
