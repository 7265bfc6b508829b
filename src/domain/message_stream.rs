//! Message streams: titled notes about a customer with their replies (S4-1 to S4-39).
//!
//! A stream is seen as a whole or not at all: by everybody, or by its recipients and whoever began it. A whisper is for
//! employees only and has no minutes. Whoever lacks a right to a part does not see that part, and cannot tell
//! whether there is one. Deletion takes the whole stream and leaves nothing but that there was one.
//!
//! Machine: [`decide`] and [`apply`] on [`Stream`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::{AgentId, CustomerId, MessageId, StreamId};
use super::refusal::rejections;
use super::rights::{self, Rights};
use crate::clock::Timestamp;

pub mod attachment;
mod decide;
mod earlier;
mod event;
mod passed;
pub mod search;
mod seen;
pub mod stop_watch;
pub mod tags;
#[cfg(test)]
mod tests;

pub use attachment::Attachment;
pub use decide::decide;
pub use earlier::Earlier;
pub use event::{Command, Event, Written, apply};
pub use passed::{Pass, Passed};
pub use seen::{Hidden, Part};

/// Characters of a title.
pub const TITLE_CHARS_MAX: usize = 256;
/// Bytes of a message.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Messages of one stream, the main one among them. A customer can have any number of streams (S4-8).
pub const MESSAGES_MAX: usize = 1_000;
/// Bytes of all texts of one stream, earlier versions among them: it is read and written as one.
pub const STREAM_BYTES_MAX: usize = 1024 * 1024;
/// Attachments of one message. The seed says any number; this is more than anybody looks at.
pub const ATTACHMENTS_MAX: usize = 100;
/// Attachments of all messages of one stream: their names and places are a part of it, which is read and written as one.
pub const STREAM_ATTACHMENTS_MAX: usize = 500;
/// Recipients of one stream.
pub const RECIPIENTS_MAX: usize = 1_000;
/// Tags of one stream.
pub const TAGS_MAX: usize = 50;
/// Minutes of one stream: a year of work.
pub const MINUTES_MAX: u32 = 525_600;
/// Earlier versions that are kept of one message; the oldest go.
pub const VERSIONS_MAX: usize = 50;

/// For whom a stream is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipients {
    /// Every employee (S4-12).
    All,
    /// These, and whoever has written the main message.
    Some(BTreeSet<AgentId>),
}

/// What is set for a stream beside its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// For whom.
    pub recipients: Recipients,
    /// For employees with the rights only, never for the customer (S4-17).
    #[serde(default)]
    pub whisper: bool,
    /// Minutes of work (S4-22).
    #[serde(default)]
    pub minutes: Option<u32>,
    /// Whether the minutes are billed (S4-23).
    #[serde(default)]
    pub billable: bool,
    /// Whether it is passed to the customer.
    #[serde(default)]
    pub delivered: bool,
}

impl Default for Properties {
    fn default() -> Self {
        Self {
            recipients: Recipients::All,
            whisper: false,
            minutes: None,
            billable: false,
            delivered: false,
        }
    }
}

/// One message: the main one, or a reply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Which one.
    pub id: MessageId,
    /// Who has written it.
    pub author: AgentId,
    /// When.
    pub at: Timestamp,
    /// What it says.
    pub text: String,
    /// Files with it.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// What it was before, the oldest first.
    #[serde(default)]
    pub earlier: Vec<Earlier>,
}

/// A stream, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Which one.
    pub id: StreamId,
    /// Counts the events; what somebody reads of it, and names in a write, is [`Stream::version_for`].
    pub version: u64,
    /// How many of the events are about parts that not everybody sees.
    #[serde(default)]
    pub hidden: Hidden,
    /// Whom it is about; `None` before it is made.
    #[serde(default)]
    pub customer: Option<CustomerId>,
    /// What it is called.
    #[serde(default)]
    pub title: String,
    /// What is set.
    #[serde(default)]
    pub properties: Properties,
    /// When those became recipients who were none from the beginning: a later account of the same name is none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addressed_later: BTreeMap<AgentId, Timestamp>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// The main message first, then the replies by time.
    #[serde(default)]
    pub messages: Vec<Message>,
    /// When it was completed (S4-31).
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
    /// When it was deleted: nothing else is left then (S4-37).
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
    /// When somebody has done something to it for the last time; a deletion is told by [`Stream::deleted_at`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// What the customer has of it (S4-17).
    #[serde(default)]
    pub passed: Passed,
}

/// For what a tag can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Availability {
    /// For messages (S4-6).
    Message,
    /// For messages that are billed (S4-7).
    MessageBillable,
}

impl Availability {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Message, Self::MessageBillable];

    /// The word for it in commands.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::MessageBillable => "message-billable",
        }
    }
}

/// A tag of the administrator's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// What it is called.
    pub name: String,
    /// For what it can be chosen.
    pub availability: BTreeSet<Availability>,
}

/// The administrator's tags (S4-6).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tags {
    /// Counts the writes; a write names the version that it read.
    pub version: u64,
    /// In the order in which they were made.
    pub tags: Vec<Tag>,
}

/// Somebody who is no employee of the host, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stranger(pub Option<AgentId>);

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |agent| write!(f, "; {agent} is none"))
    }
}

/// What a decision needs to know beside the stream.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the one who acts may do.
    pub rights: &'a Rights,
    /// Since when there is the account of the one who acts.
    pub since: Timestamp,
    /// The administrator's tags.
    pub tags: &'a [Tag],
    /// Recipients of the command that are no employees of the host.
    pub strangers: &'a BTreeSet<AgentId>,
    /// Bytes of all files of one stream, as the operator wants it.
    pub attachment_bytes_max: u64,
}

rejections! {
    /// Why a stream is not written.
    pub enum Rejection with Rights(rights::Rejection) {
        /// There is none, or none that this one may know of.
        Unknown = NotFound, "stream-unknown", "There is no such message.";
        /// It is made already.
        Exists = Conflict, "stream-exists", "This message exists already.";
        /// Somebody else has written it since it was read.
        Stale = Conflict, "stream-changed", "This message was changed by someone else since you have read it.";
        /// A title is mandatory (S4-15).
        Title = Invalid, "stream-title-missing", "A message needs a title of one line and at most 256 characters.";
        /// Only the main message has a title.
        ReplyTitled = Invalid, "reply-titled", "A reply has no title. Only the first message has one.";
        /// A text is mandatory (S4-19).
        Text = Invalid, "stream-text-missing", "A message needs a text.";
        /// [`TEXT_BYTES_MAX`].
        TooLong = Invalid, "stream-text-too-long", "The text is too long. Attach it as a file.";
        /// A whisper has no minutes and is not billed (S4-18).
        WhisperMinutes = Invalid, "whisper-with-minutes", "A whisper has no minutes and cannot be billed.";
        /// A whisper is never passed on (S4-17).
        WhisperDelivered = Invalid, "whisper-delivered", "A whisper is never passed to the customer.";
        /// Nobody passes messages of streams to customers here.
        NotDelivered = NotAllowed, "delivery-not-configured", "There is no connector here that passes messages to customers.";
        /// Billing needs a billable tag (S4-24).
        BillableTag = Invalid, "billable-tag-missing", "A billable message needs a tag that is available for billing.";
        /// [`MINUTES_MAX`].
        Minutes = Invalid, "minutes-out-of-range", "This is too much time for one message.";
        /// The tag is not in the list, or not for messages.
        TagUnknown {
            /// Which one.
            tag: String,
        } = Invalid, "tag-unknown", "There is no tag {tag} for messages.";
        /// [`TAGS_MAX`].
        TooManyTags = Limit, "tags-full", "A message has at most 50 tags.";
        /// [`RECIPIENTS_MAX`], or none, or some who are no employees.
        Recipients {
            /// Who it is, if that is why.
            stranger: Stranger,
        } = Invalid, "recipients-malformed", "Choose up to 1000 recipients who are employees{stranger}.";
        /// [`ATTACHMENTS_MAX`].
        TooManyAttachments = Limit, "attachments-full", "A message has at most 100 attachments.";
        /// [`STREAM_ATTACHMENTS_MAX`], or more bytes than the operator allows.
        AttachmentsFull = Limit, "stream-attachments-full", "This message and its replies have as many files as they may have. Take some away, or begin another message.";
        /// Too much waits for the connector.
        TooManyDeliveries = Limit, "deliveries-full", "Too much waits for the connector that passes messages to customers. Try again later, or switch that off for this message.";
        /// [`MESSAGES_MAX`] and [`STREAM_BYTES_MAX`].
        Full = Limit, "stream-full", "This message has as many replies as it may have.";
        /// Stop watches of more drafts than one agent can have.
        TooManyDrafts = Limit, "drafts-full", "You count the time of too many drafts. Stop and reset one of them.";
        /// Only the author edits.
        NotAuthor = Forbidden, "not-the-author", "Only the one who has written it edits it.";
        /// It is completed; it can be reopened.
        Completed = NotAllowed, "stream-completed", "This message is completed. Reopen it first.";
        /// There is no such message in the stream.
        NoMessage = NotFound, "message-unknown", "There is no such reply.";
        /// Deletion cannot be taken back and must be confirmed (S4-39).
        NotConfirmed = Invalid, "deletion-not-confirmed", "The whole message with all replies will be lost. Confirm that.";
    }
}

impl Stream {
    /// Nothing is written yet.
    #[must_use]
    pub fn new(id: StreamId) -> Self {
        Self {
            id,
            version: 0,
            hidden: Hidden::default(),
            customer: None,
            title: String::new(),
            properties: Properties::default(),
            addressed_later: BTreeMap::new(),
            tags: BTreeSet::new(),
            messages: Vec::new(),
            completed_at: None,
            deleted_at: None,
            changed_at: None,
            passed: Passed::default(),
        }
    }

    /// Bytes of all its texts.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        let of =
            |it: &Message| it.text.len() + it.earlier.iter().map(Earlier::bytes).sum::<usize>();
        self.messages.iter().map(of).sum()
    }

    /// Whether the customer gets it: the author has said so, and it is no whisper.
    #[must_use]
    pub const fn is_for_the_customer(&self) -> bool {
        self.properties.delivered && !self.properties.whisper && self.deleted_at.is_none()
    }
}
