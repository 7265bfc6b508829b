//! IM sessions as elements and messages.

use super::other;
use crate::domain::ids::AgentId;
use crate::domain::im_session::{Cause, ImSession, Phase, Text};
use crate::proto::{MessageType, Stanza, ns};
use crate::xml::Element;

/// The namespace of IM sessions.
pub(in crate::contact_center) const NS: &str = "urn:parlour:im:0";

/// What only the server says: in a message of a client it is taken away.
pub(super) const SERVERS_OWN: &[&str] = &["invitation", "said", "event"];

/// The session as that agent sees it:
///
/// ```xml
/// <session id='…' with='juliet@example.org' logon='juliet' side='inviter' status='pending' since='…' invited='…'/>
/// ```
pub(super) fn session(session: &ImSession, agent: &AgentId) -> Element {
    let with = other(session, agent);
    let side = match *agent == session.inviter {
        true => "inviter",
        false => "invitee",
    };
    let since = match session.phase {
        Phase::NotConnected => None,
        Phase::Pending { .. } => session.invited_at,
        Phase::Connected { since } => Some(since),
        Phase::Rejected { at } | Phase::Cancelled { at } | Phase::Ended { at, .. } => Some(at),
    };
    let done = !session.is_listed_for(agent);
    Element::new(NS, "session")
        .attr("id", session.id.as_str())
        .attr("with", with.jid().as_str())
        .attr("logon", with.logon())
        .attr("side", side)
        .attr("status", session.status(agent).name())
        .attr_opt("since", since.map(|at| at.to_string()))
        .attr_opt("invited", session.invited_at.map(|at| at.to_string()))
        .attr_opt("about", session.about.as_ref().map(|it| it.as_str()))
        .attr_opt("done", done.then_some("true"))
}

/// The first message, with the invitation beside it. It comes from the inviter's bare JID: no device of it has
/// sent this.
pub(super) fn invitation(session: &ImSession, text: &Text) -> Stanza {
    let until = match session.phase {
        Phase::Pending { until } => until,
        Phase::NotConnected
        | Phase::Connected { .. }
        | Phase::Rejected { .. }
        | Phase::Cancelled { .. }
        | Phase::Ended { .. } => None,
    };
    let payload = Element::new(NS, "invitation")
        .attr("id", session.id.as_str())
        .attr("from", session.inviter.jid().as_str())
        .attr_opt("until", until.map(|until| until.to_string()))
        .attr_opt("about", session.about.as_ref().map(|it| it.as_str()));
    let message = spoken(&session.inviter, &session.invitee, text);
    in_session(message, session).child(&payload)
}

/// What one of the two says: the message of its client, or one that the server makes, in the session's thread.
pub(super) fn said(
    session: &ImSession,
    by: &AgentId,
    text: &Text,
    message: Option<Stanza>,
) -> Stanza {
    let payload = Element::new(NS, "said").attr("id", session.id.as_str());
    let message = message.unwrap_or_else(|| spoken(by, other(session, by), text));
    in_session(message, session).child(&payload)
}

fn spoken(by: &AgentId, to: &AgentId, text: &Text) -> Stanza {
    let body = Element::new(ns::CLIENT, "body").text(text.body.as_str());
    let mut message = Stanza::message(MessageType::Chat)
        .from(by.jid().clone())
        .to(to.jid().clone())
        .child(&body);
    message.id = text.message.as_ref().map(|id| id.as_str().into());
    message
}

/// RFC 6121 §5.2.5: the thread is the session's id, where the client has not said so itself.
fn in_session(mut message: Stanza, session: &ImSession) -> Stanza {
    if thread(&message).as_deref() == Some(session.id.as_str()) {
        return message;
    }
    message.payload.retain(|child| !child.is(None, "thread"));
    let thread = Element::new(ns::CLIENT, "thread").text(session.id.as_str());
    message.child(&thread)
}

/// The thread of a message; none where it is empty.
pub(super) fn thread(message: &Stanza) -> Option<String> {
    let thread = message.find(ns::CLIENT, "thread")?.text();
    let thread = thread.trim();
    (!thread.is_empty()).then(|| thread.to_owned())
}

/// The words of a message; none where it has none to show.
pub(super) fn body(message: &Stanza) -> Option<String> {
    let body = message.find(ns::CLIENT, "body")?.text();
    (!body.trim().is_empty()).then(|| body.into_owned())
}

/// The word for why something has happened; none where somebody has asked for it.
pub(super) const fn cause(cause: Cause) -> Option<&'static str> {
    match cause {
        Cause::Asked => None,
        Cause::Implied => Some("implied"),
        Cause::AccountRemoved => Some("account-removed"),
    }
}
