//! Who has not read what of a stream: those for whom it is by name, and those who have written in it. A record beside the
//! stream, so that reading changes no version of it; written with each change of the stream.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::contact_center::draft::Draft;
use crate::contact_center::errors::Refused;
use crate::contact_center::record::{self, Record};
use crate::domain::ids::{AgentId, StreamId};
use crate::domain::message_stream::Stream;
use crate::hooks::Services;
use crate::store::{Listing, StoreError};

/// The kind of the record.
pub(super) const KIND: &str = "message-stream-readers";

/// What an agent has not read; the owner is the agent.
pub(super) const UNREAD: &str = "unread";

/// How far each has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Readers {
    id: StreamId,
    version: u64,
    /// So many messages, the main one among them.
    #[serde(default)]
    seen: BTreeMap<AgentId, usize>,
    /// For whom there is more.
    #[serde(default)]
    unread: BTreeSet<AgentId>,
}

/// What it is from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Event {
    seen: BTreeMap<AgentId, usize>,
    unread: BTreeSet<AgentId>,
}

impl Record for Readers {
    const KEEPS_EVENTS: bool = false;
    const KIND: &'static str = KIND;
    type Event = Event;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn apply(&mut self, event: &Event) {
        self.version = self.version.saturating_add(1);
        self.seen.clone_from(&event.seen);
        self.unread.clone_from(&event.unread);
    }

    fn listings(&self) -> Vec<Listing> {
        let owners = self.unread.iter().map(AgentId::to_string);
        let listing = |owner| Listing {
            list: UNREAD,
            owner,
        };
        owners.map(listing).collect()
    }
}

impl Readers {
    /// How many messages the agent has read.
    pub(super) fn seen_by(&self, agent: &AgentId) -> usize {
        self.seen.get(agent).copied().unwrap_or(0)
    }
}

/// Messages behind those that were read, by others than the agent.
pub(super) fn unread_count(stream: &Stream, agent: &AgentId, seen: usize) -> usize {
    let behind = stream.messages.iter().skip(seen);
    behind.filter(|it| it.author != *agent).count()
}

/// How far they have read; nobody anything of what is new.
pub(super) async fn find(services: &Services, id: &StreamId) -> Result<Readers, StoreError> {
    let found = record::find(&services.store, id.as_str()).await?;
    Ok(found.unwrap_or_else(|| Readers {
        id: id.clone(),
        version: 0,
        seen: BTreeMap::new(),
        unread: BTreeSet::new(),
    }))
}

/// Adds what the stream, as it is then, makes of it.
pub(super) async fn follow(
    draft: &mut Draft,
    services: &Services,
    stream: &Stream,
) -> Result<(), Refused> {
    let before = find(services, &stream.id).await?;
    let seen = before.seen.clone();
    put(draft, &before, stream, seen)
}

/// Adds that the agent has read the first so many messages.
pub(super) fn read(
    draft: &mut Draft,
    before: &Readers,
    stream: &Stream,
    (agent, count): (&AgentId, usize),
) -> Result<(), Refused> {
    let mut seen = before.seen.clone();
    let known = seen.entry(agent.clone()).or_insert(0);
    *known = (*known).max(count);
    put(draft, before, stream, seen)
}

fn put(
    draft: &mut Draft,
    before: &Readers,
    stream: &Stream,
    mut seen: BTreeMap<AgentId, usize>,
) -> Result<(), Refused> {
    let named = stream.named();
    seen.retain(|agent, _| named.contains_key(agent));
    let is_behind = |agent: &AgentId| {
        let seen = seen.get(agent).copied().unwrap_or(0);
        unread_count(stream, agent, seen) > 0
    };
    let unread: BTreeSet<AgentId> = named.into_keys().filter(is_behind).collect();
    if seen != before.seen || unread != before.unread {
        draft.change(before, &[Event { seen, unread }])?;
    }
    Ok(())
}
