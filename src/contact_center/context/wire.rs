//! Business context as elements and messages.

use crate::contact_center::telling;
use crate::domain::context::recent::RecentObject;
use crate::domain::context::transfer::{Progress, Transfer};
use crate::domain::context::{BusinessObject, ObjectKey};
use crate::domain::ids::{AgentId, ContextId};
use crate::proto::{BareJid, MessageType, Stanza, ns};
use crate::xml::Element;

/// The namespace of business context.
pub(in crate::contact_center) const NS: &str = "urn:parlour:context:0";

/// The message that brings a context has the context's id behind this, so that an acknowledgement of it is known among those of all other
/// messages without a look into the database.
const MESSAGE: &str = "context-";

/// How much of an object is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// What a list shows.
    Brief,
}

/// `<object type='case' id='1'><title/><url/><status/><field name='…'/></object>`.
pub(super) fn object(object: &BusinessObject, extent: Extent) -> Element {
    let ObjectKey { object_type, id } = &object.key;
    let text = |name: &str, text: &str| Element::new(NS, name).text(text);
    let optional = |name, it: &Option<String>| it.as_deref().map(|it| text(name, it));
    let element = Element::new(NS, "object")
        .attr("type", object_type)
        .attr("id", id)
        .child(text("title", &object.title))
        .child_opt(optional("url", &object.url))
        .child_opt(optional("status", &object.status));
    match extent {
        Extent::Brief => element,
        Extent::Whole => element.children_from(object.fields.iter().map(|field| {
            Element::new(NS, "field")
                .attr("name", &field.name)
                .text(field.value.as_str())
        })),
    }
}

/// A context with what goes with it, and how far it is at those recipients.
pub(super) fn context<'a>(
    sending: &'a Transfer,
    extent: Extent,
    recipients: impl Iterator<Item = (&'a AgentId, &'a Progress)>,
) -> Element {
    let objects = sending.objects.iter().map(|it| object(it, extent));
    let note = sending.note.as_deref();
    let note = note.filter(|_| extent == Extent::Whole);
    Element::new(NS, "context")
        .attr("id", sending.id.as_str())
        .attr("sender", sending.sender.jid().as_str())
        .attr_opt("at", sending.sent_at.map(|at| at.to_string()))
        .attr_opt("session", sending.session.as_ref().map(|it| it.as_str()))
        .children_from(objects)
        .child_opt(note.map(|note| Element::new(NS, "note").text(note)))
        .children_from(recipients.map(|(jid, progress)| recipient(jid, *progress)))
}

fn recipient(agent: &AgentId, progress: Progress) -> Element {
    stepped(Element::new(NS, "recipient"), agent, progress)
}

fn stepped(element: Element, agent: &AgentId, progress: Progress) -> Element {
    let at = match progress {
        Progress::Sent => None,
        Progress::Delivered { at } | Progress::Opened { at } => Some(at.to_string()),
    };
    element
        .attr("jid", agent.jid().as_str())
        .attr("progress", progress.name())
        .attr_opt("at", at)
}

/// An entry of the list of recent objects.
pub(super) fn entry(entry: &RecentObject) -> Element {
    Element::new(NS, "entry")
        .attr("at", entry.at.to_string())
        .attr("touch", entry.touch.name())
        .child(object(&entry.object, Extent::Brief))
}

/// The message to one recipient: a message of the sender, whose bare address says that the server has sent
/// it. It asks for a receipt (XEP-0184 §5.1) and may be marked as displayed (XEP-0333 §4.1).
pub(super) fn message(sending: &Transfer, to: &AgentId) -> Stanza {
    let payload = context(sending, Extent::Whole, std::iter::empty());
    let mut message = telling::message(sending.sender.jid(), to, &body(sending), &payload)
        .child(&Element::new(ns::RECEIPTS, "request"))
        .child(&Element::new(ns::CHAT_MARKERS, "markable"));
    message.id = Some(format!("{MESSAGE}{}", sending.id).as_str().into());
    match &sending.session {
        Some(session) => telling::in_thread(message, session.as_str()),
        None => message,
    }
}

/// The context that was brought by the message of that id.
pub(super) fn context_of(message: &str) -> Option<ContextId> {
    message.strip_prefix(MESSAGE)?.parse().ok()
}

/// What the sender is told of a recipient. Only that it was opened is told to people, too.
pub(super) fn progress(
    service: &BareJid,
    sending: &Transfer,
    recipient: &AgentId,
    progress: Progress,
) -> Stanza {
    let payload = Element::new(NS, "progress").attr("id", sending.id.as_str());
    let payload = stepped(payload, recipient, progress);
    match progress {
        Progress::Opened { .. } => {
            let body = format!("{} has opened {}.", recipient.logon(), titles(sending));
            telling::message(service, &sending.sender, &body, &payload)
        }
        Progress::Sent | Progress::Delivered { .. } => Stanza::message(MessageType::Chat)
            .from(service.clone())
            .to(sending.sender.jid().clone())
            .child(&payload)
            .child(&Element::new(ns::HINTS, "store")),
    }
}

/// What people read: the words of the sender, then each object with its link.
fn body(sending: &Transfer) -> String {
    let mut paragraphs: Vec<String> = sending.note.iter().cloned().collect();
    let objects = sending.objects.iter().map(|object| {
        let link = object.url.as_deref();
        let link = link.map(|url| format!("\n{url}")).unwrap_or_default();
        format!("{}{link}", named(object))
    });
    paragraphs.extend(objects);
    paragraphs.join("\n\n")
}

/// `Service ticket: Printer is on fire (open)`.
pub(in crate::contact_center) fn named(object: &BusinessObject) -> String {
    let words = object.key.object_type.replace('-', " ");
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let words: String = first.into_iter().chain(letters).collect();
    let status = object.status.as_deref();
    let status = status.map(|it| format!(" ({it})")).unwrap_or_default();
    format!("{words}: {}{status}", object.title)
}

/// The objects of a context in one line.
pub(super) fn titles(sending: &Transfer) -> String {
    let titles: Vec<&str> = sending.objects.iter().map(|it| it.title.as_str()).collect();
    titles.join(", ")
}
