//! The business objects that an agent has had in hand recently, the newest first, each once (S0-29).
//!
//! Machine: [`decide`] and [`apply`] on [`Recent`]. [`touched`] tells which events of a sending put an object
//! into whose list; [`super::attached`] does the same for interactions.

use serde::{Deserialize, Serialize};

use super::attached::CUSTOMER_TYPE;
use super::transfer;
use super::{BusinessObject, ObjectKey, Rejection};
use crate::clock::Timestamp;
use crate::domain::ids::AgentId;

/// Objects in a list; who looks for an older one looks in the CRM.
pub const OBJECTS_MAX: usize = 50;

/// An agent's list, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    /// Whose list.
    pub owner: AgentId,
    /// Counts the events; a write names the version that it read.
    pub version: u64,
    /// The newest first, at most [`OBJECTS_MAX`].
    #[serde(default)]
    pub entries: Vec<RecentObject>,
}

/// An object in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentObject {
    /// The object as it was known then.
    pub object: BusinessObject,
    /// When the agent had it last.
    pub at: Timestamp,
    /// How.
    pub touch: Touch,
}

/// How an agent has had an object in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Touch {
    /// Has opened it in the CRM.
    Opened,
    /// It belongs to an interaction with which the agent deals.
    Attached,
    /// Has sent it to a colleague.
    Sent,
    /// Has been sent it by a colleague.
    Received,
}

impl Touch {
    /// The word for it in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Attached => "attached",
            Self::Sent => "sent",
            Self::Received => "received",
        }
    }
}

/// What happens to a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// The agent has had the object in hand.
    Touch {
        /// The object.
        object: BusinessObject,
        /// How.
        touch: Touch,
    },
    /// The agent takes it off the list.
    Forget {
        /// Which one.
        key: ObjectKey,
    },
}

/// What has happened to a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The object is the first of the list; the last makes room.
    Touched {
        /// When.
        at: Timestamp,
        /// The object.
        object: BusinessObject,
        /// How.
        touch: Touch,
    },
    /// The object is not in the list.
    Forgotten {
        /// When.
        at: Timestamp,
        /// Which one.
        key: ObjectKey,
    },
}

impl Recent {
    /// A list with nothing in it.
    #[must_use]
    pub const fn new(owner: AgentId) -> Self {
        Self {
            owner,
            version: 0,
            entries: Vec::new(),
        }
    }

    /// The object of that name, to be sent from the list.
    #[must_use]
    pub fn find(&self, key: &ObjectKey) -> Option<&BusinessObject> {
        let objects = self.entries.iter().map(|entry| &entry.object);
        objects.into_iter().find(|object| object.key == *key)
    }
}

/// What is taken away when customers are erased.
impl Recent {
    /// Takes those of the ids off the list. Tells whether there was one.
    pub fn forget_customers(&mut self, is_one: impl Fn(&str) -> bool) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| {
            let key = &entry.object.key;
            key.object_type != CUSTOMER_TYPE || !is_one(&key.id)
        });
        let changed = self.entries.len() < before;
        self.version = self.version.saturating_add(u64::from(changed));
        changed
    }
}

/// What comes of a command.
///
/// # Errors
/// When a part of the object is over its limit, or there is nothing to forget.
pub fn decide(list: &Recent, command: Command, now: Timestamp) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Touch { object, touch } => {
            let object = object.checked()?;
            Ok(vec![Event::Touched {
                at: now,
                object,
                touch,
            }])
        }
        Command::Forget { key } => match list.find(&key) {
            Some(_) => Ok(vec![Event::Forgotten { at: now, key }]),
            None => Err(Rejection::NotRecent),
        },
    }
}

/// Makes the list what it is after the event.
pub fn apply(list: &mut Recent, event: &Event) {
    list.version = list.version.saturating_add(1);
    match event {
        Event::Touched { at, object, touch } => {
            list.entries.retain(|entry| entry.object.key != object.key);
            let entry = RecentObject {
                object: object.clone(),
                at: *at,
                touch: *touch,
            };
            list.entries.insert(0, entry);
            list.entries.truncate(OBJECTS_MAX);
        }
        Event::Forgotten { key, .. } => list.entries.retain(|entry| entry.object.key != *key),
    }
}

/// Whose lists an event of a sending touches, and how: the sender's when it is sent, a recipient's when it is
/// delivered and again when it is opened. The first object comes last, so that it is the newest.
#[must_use]
pub fn touched(sending: &transfer::Transfer, event: &transfer::Event) -> Vec<(AgentId, Command)> {
    let (owner, touch, objects) = match event {
        transfer::Event::Sent { objects, .. } => (&sending.sender, Touch::Sent, objects),
        transfer::Event::Delivered { recipient, .. } => {
            (recipient, Touch::Received, &sending.objects)
        }
        transfer::Event::Opened { recipient, .. } => (recipient, Touch::Opened, &sending.objects),
    };
    let commands = objects.iter().rev().cloned();
    commands
        .map(|object| (owner.clone(), Command::Touch { object, touch }))
        .collect()
}
