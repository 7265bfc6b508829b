//! What happens to a stream: commands, and the events that come of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Attachment, Earlier, Message, Passed, Properties, Recipients, Stream, VERSIONS_MAX};
use crate::clock::Timestamp;
use crate::domain::ids::{AgentId, CustomerId, MessageId};

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Which message.
    pub id: MessageId,
    /// Its text.
    pub text: String,
    /// Files with it, which are looked at already.
    pub attachments: Vec<Attachment>,
}

/// What happens to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// It is made, with its main message.
    Create {
        /// By whom.
        by: AgentId,
        /// About whom.
        customer: CustomerId,
        /// What it is called.
        title: String,
        /// What it says.
        message: Written,
        /// What is set.
        properties: Properties,
        /// Its tags.
        tags: BTreeSet<String>,
    },
    /// Somebody replies.
    Reply {
        /// Who.
        by: AgentId,
        /// What.
        message: Written,
    },
    /// A message is written anew by its author, who has read that version.
    Edit {
        /// Who.
        by: AgentId,
        /// Which version was read.
        read: u64,
        /// What the stream is called now, where it is the main message; `None` where that stays.
        title: Option<String>,
        /// What it says now.
        message: Written,
    },
    /// Recipients, whisper, minutes and billing are others.
    SetProperties {
        /// Who.
        by: AgentId,
        /// Which version was read.
        read: u64,
        /// What is set now.
        properties: Properties,
    },
    /// The tags are others.
    SetTags {
        /// Who.
        by: AgentId,
        /// Which version was read.
        read: u64,
        /// The tags now.
        tags: BTreeSet<String>,
    },
    /// It is completed.
    Complete {
        /// By whom.
        by: AgentId,
        /// Which version was read, where that is said.
        read: Option<u64>,
    },
    /// It goes on.
    Reopen {
        /// By whom.
        by: AgentId,
        /// Which version was read, where that is said.
        read: Option<u64>,
    },
    /// The customer turned out to be another (merged records).
    Move {
        /// Who it is.
        customer: CustomerId,
    },
    /// It is deleted.
    Delete {
        /// By whom.
        by: AgentId,
        /// Which version was read, where that is said.
        read: Option<u64>,
        /// Whether that was confirmed.
        confirmed: bool,
    },
}

/// What has happened to a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// It is made.
    Created {
        /// When.
        at: Timestamp,
        /// By whom.
        by: AgentId,
        /// About whom.
        customer: CustomerId,
        /// What it is called.
        title: String,
        /// What it says.
        message: Written,
        /// What is set.
        properties: Properties,
        /// Its tags.
        tags: BTreeSet<String>,
    },
    /// Somebody has replied.
    Replied {
        /// When.
        at: Timestamp,
        /// Who.
        by: AgentId,
        /// What.
        message: Written,
    },
    /// A message says that now.
    Edited {
        /// When.
        at: Timestamp,
        /// What the stream is called now, where that is another title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// What it says.
        message: Written,
    },
    /// That is set now.
    PropertiesSet {
        /// When.
        at: Timestamp,
        /// What.
        properties: Properties,
    },
    /// Those are its tags now.
    TagsSet {
        /// When.
        at: Timestamp,
        /// Which.
        tags: BTreeSet<String>,
    },
    /// It is completed, or goes on.
    Completed {
        /// When.
        at: Timestamp,
        /// Which of both.
        completed: bool,
    },
    /// It is about that customer, who is the same as the one before.
    Moved {
        /// When.
        at: Timestamp,
        /// About whom.
        customer: CustomerId,
    },
    /// What waited to be passed on is taken back, for it is passed on no more, or the connector has refused it.
    Recalled {
        /// When.
        at: Timestamp,
        /// What the customer has.
        passed: Passed,
    },
    /// It is deleted; whoever stores this deletes the events before it, too.
    Deleted {
        /// When.
        at: Timestamp,
    },
}

/// Makes the stream what it is after the event.
pub fn apply(stream: &mut Stream, event: &Event) {
    let was_for_the_customer = stream.is_for_the_customer();
    stream.count(event);
    stream.changed_at = changed(event).or(stream.changed_at);
    match event {
        Event::Created {
            at,
            by,
            customer,
            title,
            message,
            properties,
            tags,
        } => {
            stream.customer = Some(customer.clone());
            stream.title.clone_from(title);
            stream.properties = properties.clone();
            stream.tags.clone_from(tags);
            stream.messages.push(written(message, by, *at));
        }
        Event::Replied { at, by, message } => stream.messages.push(written(message, by, *at)),
        Event::Edited { at, title, message } => edit(stream, *at, title.as_ref(), message),
        Event::PropertiesSet { at, properties } => stream.address(*at, properties),
        Event::TagsSet { tags, .. } => stream.tags.clone_from(tags),
        Event::Completed { at, completed } => stream.completed_at = completed.then_some(*at),
        Event::Moved { customer, .. } => stream.customer = Some(customer.clone()),
        Event::Recalled { passed, .. } => stream.passed = passed.clone(),
        Event::Deleted { at } => {
            stream.customer = None;
            stream.title.clear();
            stream.properties = Properties {
                recipients: Recipients::Some(BTreeSet::new()),
                ..Properties::default()
            };
            stream.addressed_later.clear();
            stream.tags.clear();
            stream.messages.clear();
            stream.completed_at = None;
            stream.deleted_at = Some(*at);
            stream.changed_at = None;
            stream.passed = Passed::default();
        }
    }
    stream.note_passed(event, was_for_the_customer);
}

/// When somebody has done it; what is taken back from the connector is nobody's change.
const fn changed(event: &Event) -> Option<Timestamp> {
    match event {
        Event::Created { at, .. }
        | Event::Replied { at, .. }
        | Event::Edited { at, .. }
        | Event::PropertiesSet { at, .. }
        | Event::TagsSet { at, .. }
        | Event::Completed { at, .. }
        | Event::Moved { at, .. }
        | Event::Deleted { at } => Some(*at),
        Event::Recalled { .. } => None,
    }
}

fn written(message: &Written, by: &AgentId, at: Timestamp) -> Message {
    Message {
        id: message.id.clone(),
        author: by.clone(),
        at,
        text: message.text.clone(),
        attachments: message.attachments.clone(),
        earlier: Vec::new(),
    }
}

fn edit(stream: &mut Stream, at: Timestamp, title: Option<&String>, message: &Written) {
    let mut messages = stream.messages.iter_mut();
    let Some(known) = messages.find(|it| it.id == message.id) else {
        return;
    };
    let files = std::mem::take(&mut known.attachments).into_iter();
    known.earlier.push(Earlier {
        until: at,
        text: std::mem::replace(&mut known.text, message.text.clone()),
        title: title.map(|title| std::mem::replace(&mut stream.title, title.clone())),
        taken: files
            .filter(|it| !message.attachments.contains(it))
            .collect(),
    });
    let old = known.earlier.len().saturating_sub(VERSIONS_MAX);
    known.earlier.drain(..old);
    known.attachments.clone_from(&message.attachments);
}
