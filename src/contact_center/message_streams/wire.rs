//! Streams as elements: what a caller sees of one, and no more (S4-4, S4-5).
//!
//! ```xml
//! <stream xmlns='urn:parlour:message-stream:0' id='0199…' version='3' customer='0199…' author='romeo@example.org'
//!         created='2026-09-21T14:13:20Z' recipients='all' minutes='5' billable='true' replies='1'>
//!   <title>Call back</title>
//!   <tag>urgent</tag>
//!   <message id='0199…' author='romeo@example.org' at='2026-09-21T14:13:20Z'><text>She called.</text></message>
//! </stream>
//! ```

use super::{NS, attachments};
use crate::contact_center::operation::Caller;
use crate::domain::message_stream::{Attachment, Earlier, Message, Part, Recipients, Stream};
use crate::domain::rights::Rights;
use crate::xml::Element;

/// Bytes of messages in one answer, but for a single one that is larger: an answer has to fit into what clients take
/// (XEP-0478).
pub(super) const MESSAGES_BYTES_MAX: usize = 64 * 1024;

/// Bytes of an element beside its texts, about.
const ELEMENT_BYTES: usize = 256;

/// What stands above the messages. Of recipients only how many there are.
pub(super) fn head(stream: &Stream, rights: &Rights) -> Element {
    let sees = |part: Part| rights.has(part.right());
    let first = stream.messages.first();
    let replies = stream.messages.len().saturating_sub(1).to_string();
    let mut element = Element::new(NS, "stream")
        .attr("id", stream.id.as_str())
        .attr("version", stream.version_for(rights).to_string())
        .attr_opt("customer", stream.customer.as_ref().map(|it| it.as_str()))
        .attr_opt("author", first.map(|it| it.author.to_string()))
        .attr_opt("created", first.map(|it| it.at.to_string()))
        .attr_opt("completed", stream.completed_at.map(|at| at.to_string()))
        .attr_opt("replies", sees(Part::Comment).then_some(replies));
    if sees(Part::Property) {
        element = properties(element, stream);
    }
    let title = Element::new(NS, "title").text(stream.title.as_str());
    let tags = stream.tags.iter().filter(|_| sees(Part::Tag));
    element
        .child(title)
        .children_from(tags.map(|tag| Element::new(NS, "tag").text(tag.as_str())))
}

fn properties(element: Element, stream: &Stream) -> Element {
    let set = &stream.properties;
    let recipients = match &set.recipients {
        Recipients::All => "all".to_owned(),
        Recipients::Some(recipients) => recipients.len().to_string(),
    };
    let flag = |on: bool| on.then_some("true");
    element
        .attr("recipients", recipients)
        .attr_opt("whisper", flag(set.whisper))
        .attr_opt("minutes", set.minutes.map(|minutes| minutes.to_string()))
        .attr_opt("billable", flag(set.billable))
        .attr_opt("deliver", flag(set.delivered))
}

/// The same with all recipients.
pub(super) fn full_head(stream: &Stream, rights: &Rights) -> Element {
    let named = match &stream.properties.recipients {
        Recipients::Some(recipients) if rights.has(Part::Property.right()) => Some(recipients),
        Recipients::Some(_) | Recipients::All => None,
    };
    let recipients = named.into_iter().flatten();
    let recipient =
        |it: &crate::domain::ids::AgentId| Element::new(NS, "recipient").text(it.to_string());
    head(stream, rights).children_from(recipients.map(recipient))
}

/// The same with the last messages, as many as fit: what was written is among them.
pub(super) fn whole(caller: &Caller, stream: &Stream) -> Element {
    let messages: Vec<&Message> = stream.read_by(&caller.rights).collect();
    let mut bytes = 0;
    let fits = messages.iter().rev().take_while(|it| {
        let first = bytes == 0;
        bytes += size(it);
        first || bytes <= MESSAGES_BYTES_MAX
    });
    let behind = messages.len().saturating_sub(fits.count());
    let last = messages.into_iter().skip(behind);
    let elements = last.map(|it| message(caller, stream, it));
    full_head(stream, &caller.rights).children_from(elements)
}

/// One message, with links to its files that hold for a while.
pub(super) fn message(caller: &Caller, stream: &Stream, message: &Message) -> Element {
    let edited = message.earlier.last().map(|it| it.until.to_string());
    let versions = (!message.earlier.is_empty()).then(|| message.earlier.len().to_string());
    let files = message.attachments.iter();
    Element::new(NS, "message")
        .attr("id", message.id.as_str())
        .attr("author", message.author.to_string())
        .attr("at", message.at.to_string())
        .attr_opt("edited", edited)
        .attr_opt("versions", versions)
        .child(Element::new(NS, "text").text(message.text.as_str()))
        .children_from(files.map(|it| attachment(caller, stream, it)))
}

fn attachment(caller: &Caller, stream: &Stream, attachment: &Attachment) -> Element {
    file(attachment).attr_opt("url", attachments::link(caller, stream, attachment))
}

/// A file without what leads to it.
fn file(attachment: &Attachment) -> Element {
    Element::new(NS, "attachment")
        .attr("id", &attachment.slot)
        .attr("name", &attachment.name)
        .attr("type", attachment.file_type.media_type())
        .attr("bytes", attachment.bytes.to_string())
}

/// What a message was before, and the title with it; of the files that were taken away what they were.
pub(super) fn version(number: usize, earlier: &Earlier, title: Option<&str>) -> Element {
    Element::new(NS, "version")
        .attr("n", number.to_string())
        .attr("until", earlier.until.to_string())
        .child_opt(title.map(|it| Element::new(NS, "title").text(it)))
        .child(Element::new(NS, "text").text(earlier.text.as_str()))
        .children_from(earlier.taken.iter().map(file))
}

/// Bytes of that in an answer, about.
pub(super) fn version_size(earlier: &Earlier, title: Option<&str>) -> usize {
    let files = ELEMENT_BYTES * 2 * earlier.taken.len();
    ELEMENT_BYTES + files + written(&earlier.text) + title.map_or(0, written)
}

/// Bytes of a message in an answer, about.
pub(super) fn size(message: &Message) -> usize {
    ELEMENT_BYTES * (1 + 4 * message.attachments.len()) + written(&message.text)
}

/// Bytes of a stream in a list, about.
pub(super) fn head_size(stream: &Stream) -> usize {
    let tags: usize = stream.tags.iter().map(|tag| 16 + written(tag)).sum();
    2 * ELEMENT_BYTES + written(&stream.title) + tags
}

/// Bytes of a text with its escapes.
pub(super) fn written(text: &str) -> usize {
    let escaped = text.bytes().filter(|b| matches!(b, b'&' | b'<' | b'>'));
    text.len() + 4 * escaped.count()
}
