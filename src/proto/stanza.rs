//! Stanzas: a typed head and the payload as the bytes it came in (RFC 6120 §8).
//!
//! Routing and fan-out write a new head and splice the same bytes; a typed payload is
//! parsed on demand. [`super::reading`] makes a stanza from what a peer sent.

mod sharing;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use compact_str::CompactString;

use crate::clock::Timestamp;
use crate::proto::error::{ErrorType, StanzaError};
use crate::proto::jid::{BareJid, FullJid, Jid, Resource};
use crate::proto::ns;
use crate::xml::{Child, Content, Element, write};
pub use sharing::ToEach;

/// One stanza. Cloning it copies the head and shares the payload.
#[derive(Clone, Debug)]
pub struct Stanza {
    /// Which of the three kinds, with its type.
    pub kind: Kind,
    /// The sender; stamped by the server for its own clients (RFC 6120 §8.1.2.1).
    pub from: Option<Jid>,
    /// The intended recipient; none means the sender's own account (RFC 6120 §10.3).
    pub to: Option<Jid>,
    /// The sender's tracking identifier.
    pub id: Option<CompactString>,
    /// The default language of what is inside (`xml:lang`).
    pub lang: Option<CompactString>,
    /// The children.
    pub payload: Content,
    /// When this server got it from its sender; not on the wire. It orders messages that were
    /// kept by different tasks (RFC 6120 §10.1).
    pub received_at: Option<Timestamp>,
    /// How many sessions hold it and have not given it back, where several were given it; not on
    /// the wire.
    pub copies: Option<Arc<AtomicUsize>>,
    /// What the archive that saw it last has decided; not on the wire.
    pub archived: Option<Arc<ArchiveMark>>,
    /// Whether it lies in the mailboxes of many sessions as one, `to` being none, and is written with the address
    /// of who reads it; not on the wire.
    pub to_each: ToEach,
}

/// That an archive has decided about a message (XEP-0313 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveMark {
    /// Whose archive.
    pub by: BareJid,
    /// Under which id it has the message; none when it has not.
    pub id: Option<CompactString>,
}

/// The three kinds of stanza, each with the types that RFC 6121 and RFC 6120 give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// RFC 6121 §5.
    Message(MessageType),
    /// RFC 6121 §4.
    Presence(PresenceType),
    /// RFC 6120 §8.2.3.
    Iq(IqType),
}

/// RFC 6121 §5.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Part of a one-to-one conversation.
    Chat,
    /// A refused message coming back.
    Error,
    /// From or to a room.
    Groupchat,
    /// An alert that is not stored.
    Headline,
    /// A single message; the default.
    Normal,
}

/// RFC 6121 §4.7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PresenceType {
    /// No type: the resource is available.
    Available,
    /// A refused presence coming back.
    Error,
    /// A server asks for the current presence.
    Probe,
    /// The sender wishes to see the recipient's presence.
    Subscribe,
    /// The sender allows the recipient to see its presence.
    Subscribed,
    /// The resource is no longer available.
    Unavailable,
    /// The sender no longer wishes to see the recipient's presence.
    Unsubscribe,
    /// The sender no longer allows the recipient to see its presence.
    Unsubscribed,
}

/// RFC 6120 §8.2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IqType {
    /// A question.
    Get,
    /// A request to change something.
    Set,
    /// The answer.
    Result,
    /// The refusal.
    Error,
}

impl MessageType {
    /// The value of `type`; a message without one, or with an unknown one, is normal.
    #[must_use]
    pub fn from_name(name: Option<&str>) -> Self {
        match name {
            Some("chat") => Self::Chat,
            Some("error") => Self::Error,
            Some("groupchat") => Self::Groupchat,
            Some("headline") => Self::Headline,
            Some(_) | None => Self::Normal,
        }
    }

    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Chat => Some("chat"),
            Self::Error => Some("error"),
            Self::Groupchat => Some("groupchat"),
            Self::Headline => Some("headline"),
            Self::Normal => None,
        }
    }
}

impl PresenceType {
    /// The value of `type`; `None` when it is none of the standard's.
    #[must_use]
    pub fn from_name(name: Option<&str>) -> Option<Self> {
        Some(match name {
            None => Self::Available,
            Some("error") => Self::Error,
            Some("probe") => Self::Probe,
            Some("subscribe") => Self::Subscribe,
            Some("subscribed") => Self::Subscribed,
            Some("unavailable") => Self::Unavailable,
            Some("unsubscribe") => Self::Unsubscribe,
            Some("unsubscribed") => Self::Unsubscribed,
            Some(_) => return None,
        })
    }

    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Available => None,
            Self::Error => Some("error"),
            Self::Probe => Some("probe"),
            Self::Subscribe => Some("subscribe"),
            Self::Subscribed => Some("subscribed"),
            Self::Unavailable => Some("unavailable"),
            Self::Unsubscribe => Some("unsubscribe"),
            Self::Unsubscribed => Some("unsubscribed"),
        }
    }

    /// Whether this manages a subscription (RFC 6121 §3).
    #[must_use]
    pub const fn is_subscription(self) -> bool {
        match self {
            Self::Subscribe | Self::Subscribed | Self::Unsubscribe | Self::Unsubscribed => true,
            Self::Available | Self::Error | Self::Probe | Self::Unavailable => false,
        }
    }
}

impl IqType {
    /// The value of `type`; `None` when it is none of the standard's.
    #[must_use]
    pub fn from_name(name: Option<&str>) -> Option<Self> {
        match name {
            Some("get") => Some(Self::Get),
            Some("set") => Some(Self::Set),
            Some("result") => Some(Self::Result),
            Some("error") => Some(Self::Error),
            Some(_) | None => None,
        }
    }

    const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Get => "get",
            Self::Set => "set",
            Self::Result => "result",
            Self::Error => "error",
        })
    }

    /// Whether this asks for an answer (RFC 6120 §8.2.3 rule 3).
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self, Self::Get | Self::Set)
    }
}

impl Kind {
    /// The local name of the element.
    #[must_use]
    pub const fn element_name(self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Presence(_) => "presence",
            Self::Iq(_) => "iq",
        }
    }

    const fn type_name(self) -> Option<&'static str> {
        match self {
            Self::Message(kind) => kind.name(),
            Self::Presence(kind) => kind.name(),
            Self::Iq(kind) => kind.name(),
        }
    }

    /// The same kind of stanza with the type `error`.
    #[must_use]
    pub const fn to_error(self) -> Self {
        match self {
            Self::Message(_) => Self::Message(MessageType::Error),
            Self::Presence(_) => Self::Presence(PresenceType::Error),
            Self::Iq(_) => Self::Iq(IqType::Error),
        }
    }

    /// Whether an error may be answered to it: not to an error, nor to an answer
    /// (RFC 6120 §8.3.1).
    #[must_use]
    pub const fn may_be_refused(self) -> bool {
        match self {
            Self::Message(kind) => !matches!(kind, MessageType::Error),
            Self::Presence(kind) => !matches!(kind, PresenceType::Error),
            Self::Iq(kind) => kind.is_request(),
        }
    }

    /// Whether nobody waits to hear that it could not be delivered: a probe and the end of a presence
    /// ask for no answer (RFC 6121 §4).
    #[must_use]
    pub const fn asks_no_answer(self) -> bool {
        matches!(
            self,
            Self::Presence(PresenceType::Probe | PresenceType::Unavailable)
        )
    }
}

impl Stanza {
    /// A stanza without addresses, id, or children.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            from: None,
            to: None,
            id: None,
            lang: None,
            payload: Content::empty(),
            received_at: None,
            copies: None,
            archived: None,
            to_each: ToEach::No,
        }
    }

    /// A message without addresses, id, or children.
    #[must_use]
    pub fn message(kind: MessageType) -> Self {
        Self::new(Kind::Message(kind))
    }

    /// A presence without addresses, id, or children.
    #[must_use]
    pub fn presence(kind: PresenceType) -> Self {
        Self::new(Kind::Presence(kind))
    }

    /// An IQ with that id.
    #[must_use]
    pub fn iq(kind: IqType, id: &str) -> Self {
        let mut stanza = Self::new(Kind::Iq(kind));
        stanza.id = Some(id.into());
        stanza
    }

    /// The same from that address.
    #[must_use]
    pub fn from(mut self, from: impl Into<Jid>) -> Self {
        self.from = Some(from.into());
        self
    }

    /// The same to that address.
    #[must_use]
    pub fn to(mut self, to: impl Into<Jid>) -> Self {
        self.to = Some(to.into());
        self
    }

    /// The same with one more child.
    #[must_use]
    pub fn child(mut self, element: &Element) -> Self {
        self.payload.push(element, ns::CLIENT);
        self
    }

    /// The same with a payload of its own: see [`Content::detached`].
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.payload = self.payload.detached();
        self
    }

    /// The first child `{namespace}name`; [`ns::CLIENT`] names the stanza's own namespace,
    /// whatever the stream that it came over calls it.
    #[must_use]
    pub fn find(&self, namespace: &str, name: &str) -> Option<Child<'_>> {
        let namespace = (namespace != ns::CLIENT).then_some(namespace);
        self.payload.find(namespace, name)
    }

    /// Whether there is a child `{namespace}name`.
    #[must_use]
    pub fn has(&self, namespace: &str, name: &str) -> bool {
        self.find(namespace, name).is_some()
    }

    /// The answer to this request (RFC 6120 §8.2.3): addresses swapped, same id.
    #[must_use]
    pub fn result(&self, payload: Option<&Element>) -> Self {
        let mut answer = self.answer(Kind::Iq(IqType::Result));
        if let Some(payload) = payload {
            answer.payload.push(payload, ns::CLIENT);
        }
        answer
    }

    /// The refusal of this stanza, or `None` where the standard forbids to answer.
    #[must_use]
    pub fn refusal(&self, error: &StanzaError) -> Option<Self> {
        if !self.kind.may_be_refused() {
            return None;
        }
        let mut answer = self.answer(self.kind.to_error());
        answer.payload.push(&error.to_element(), ns::CLIENT);
        Some(answer)
    }

    fn answer(&self, kind: Kind) -> Self {
        Self {
            kind,
            from: self.to.clone(),
            to: self.from.clone(),
            id: self.id.clone(),
            lang: None,
            payload: Content::empty(),
            received_at: None,
            copies: None,
            archived: None,
            to_each: ToEach::No,
        }
    }

    /// The error type inside a stanza of type error, if it can be read.
    #[must_use]
    pub fn error_type(&self) -> Option<ErrorType> {
        let error = self
            .find(ns::CLIENT, "error")?
            .to_element(ns::CLIENT)
            .ok()?;
        ErrorType::from_name(error.attribute("type")?)
    }

    /// Writes the stanza. `xmlns` is declared where the transport sends each stanza as a
    /// document of its own (RFC 7395 §3.3.3); over TCP the stream header has declared it.
    pub fn write(&self, out: &mut Vec<u8>, xmlns: Option<&str>) {
        self.write_for(None, out, xmlns);
    }

    /// Writes the stanza for that session, out of its mailbox.
    pub fn write_for(&self, reader: Option<&FullJid>, out: &mut Vec<u8>, xmlns: Option<&str>) {
        let name = self.kind.element_name();
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        if let Some(xmlns) = xmlns {
            attribute(out, " xmlns='", xmlns);
        }
        if let Some(from) = &self.from {
            address(out, " from='", from.bare(), from.resource());
        }
        match (&self.to, reader, self.to_each) {
            (Some(to), _, _) => address(out, " to='", to.bare(), to.resource()),
            (None, Some(reader), ToEach::Session) => {
                address(out, " to='", reader.bare(), Some(reader.resource()));
            }
            (None, Some(reader), ToEach::Account) => {
                address(out, " to='", reader.bare(), None);
            }
            (None, _, _) => {}
        }
        if let Some(kind) = self.kind.type_name() {
            attribute(out, " type='", kind);
        }
        if let Some(id) = &self.id {
            attribute(out, " id='", id);
        }
        if let Some(lang) = &self.lang {
            attribute(out, " xml:lang='", lang);
        }
        if self.payload.is_empty() {
            out.extend_from_slice(b"/>");
            return;
        }
        out.push(b'>');
        out.extend_from_slice(self.payload.bytes());
        out.extend_from_slice(b"</");
        out.extend_from_slice(name.as_bytes());
        out.push(b'>');
    }

    /// The bytes of the stanza as a document of its own, for storage.
    #[must_use]
    pub fn to_document(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.weight());
        self.write(&mut out, Some(ns::CLIENT));
        out
    }

    /// About how many bytes the stanza holds, for bounds on queues, and no fewer than it has
    /// when written, references apart.
    #[must_use]
    pub fn weight(&self) -> usize {
        let addresses = [&self.from, &self.to].into_iter().flatten().map(|jid| {
            let resource = jid.resource().map_or("", Resource::as_str);
            jid.bare().as_str().len() + resource.len()
        });
        let texts = [&self.id, &self.lang]
            .into_iter()
            .flatten()
            .map(|text| text.len());
        let head = HEAD_BYTES + addresses.sum::<usize>() + texts.sum::<usize>();
        head + self.payload.bytes().len() + CHILD_BYTES * self.payload.len()
    }
}

/// A head without its texts.
const HEAD_BYTES: usize = 160;
/// A child's place in the index of the payload.
const CHILD_BYTES: usize = 32;

fn attribute(out: &mut Vec<u8>, opening: &str, value: &str) {
    out.extend_from_slice(opening.as_bytes());
    write::escape_attribute(out, value);
    out.push(b'\'');
}

fn address(out: &mut Vec<u8>, opening: &str, bare: &BareJid, resource: Option<&Resource>) {
    out.extend_from_slice(opening.as_bytes());
    write::escape_attribute(out, bare.as_str());
    if let Some(resource) = resource {
        out.push(b'/');
        write::escape_attribute(out, resource.as_str());
    }
    out.push(b'\'');
}

#[cfg(test)]
mod tests;
