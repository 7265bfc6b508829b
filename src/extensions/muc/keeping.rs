//! Rooms for operators ([`crate::admin::RoomKeeping`]): listed, made and destroyed without being in them.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::model::RoomConfig;
use super::owner::no_room;
use super::persistence::Draft;
use super::room::Phase;
use super::rooms::Rooms;
use crate::admin::{RoomDesk, RoomKeeping, RoomSummary};
use crate::hooks::{Hooks, Services};
use crate::proto::{BareJid, Condition, StanzaError};

/// The rooms of all hosts.
struct Desk(Arc<[Arc<Rooms>]>);

/// Offers them to operators.
pub(super) fn offer(hooks: &Hooks, all: &Arc<[Arc<Rooms>]>) {
    let desk = Desk(Arc::clone(all));
    hooks.offers().set(RoomDesk(Arc::new(desk)));
}

impl Desk {
    fn of(&self, room: &BareJid) -> Result<&Arc<Rooms>, StanzaError> {
        let mut all = self.0.iter();
        let own = all.find(|rooms| rooms.domain.domain() == room.domain());
        let no_service = "there are no rooms at that domain";
        own.ok_or_else(|| StanzaError::new(Condition::NotAcceptable).text(no_service))
    }
}

impl RoomKeeping for Desk {
    fn list(
        &self,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<Vec<RoomSummary>, StanzaError>> {
        Box::pin(async move {
            let mut summaries = Vec::new();
            for rooms in self.0.iter() {
                rooms.ready(&services).await?;
                summaries.extend(rooms.all().iter().map(|room| {
                    let state = room.lock();
                    RoomSummary {
                        jid: room.jid.clone(),
                        name: state.config.name.clone().unwrap_or_default(),
                        occupants: state.occupants.len(),
                        persistent: state.config.persistent,
                        created_at: room.created_at,
                    }
                }));
            }
            Ok(summaries)
        })
    }

    fn create(
        &self,
        room: BareJid,
        owner: BareJid,
        name: Option<String>,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StanzaError>> {
        Box::pin(async move {
            let rooms = self.of(&room)?;
            rooms.ready(&services).await?;
            if rooms.find(&room).is_some() {
                return Err(Condition::Conflict.into());
            }
            let made = rooms.make(&room, &owner, &services)?;
            let mut saved = made.saving.lock().await;
            let is_new = {
                let state = made.lock();
                state.phase == Phase::Locked && state.occupants.is_empty()
            };
            if !is_new {
                // Somebody has entered a room of that name at this moment.
                return Err(Condition::Conflict.into());
            }
            let config = RoomConfig {
                name,
                persistent: true,
                ..RoomConfig::new(rooms.limits())
            };
            let draft = Draft {
                phase: Some(Phase::Open),
                config: Some(config.clone()),
                ..Draft::default()
            };
            let written = rooms.write(&made, &mut saved, &draft, &services).await;
            {
                let mut state = made.lock();
                if written.is_ok() {
                    state.config = config;
                    state.phase = Phase::Open;
                } else {
                    // Nobody is in it, so that it is forgotten below.
                    state.config.persistent = false;
                    state.phase = Phase::Open;
                }
            }
            drop(saved);
            rooms.tidy(&made, &services).await;
            written
        })
    }

    fn destroy(
        &self,
        room: BareJid,
        reason: Option<String>,
        services: Arc<Services>,
    ) -> BoxFuture<'_, Result<(), StanzaError>> {
        Box::pin(async move {
            let rooms = self.of(&room)?;
            rooms.ready(&services).await?;
            let found = rooms.find(&room).ok_or_else(no_room)?;
            rooms.end(&found, None, reason.as_deref(), &services).await
        })
    }
}
