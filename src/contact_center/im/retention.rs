//! How long sessions are kept: once a day those go that were over long ago, with their transcripts.

use std::sync::Arc;

use tracing::{debug, warn};

use super::{KIND, OVER, PAGE};
use crate::clock::Timestamp;
use crate::contact_center::center::Center;
use crate::contact_center::record;
use crate::domain::im_session::{ImSession, Phase};
use crate::hooks::Services;
use crate::store::StoreError;

/// Goes through what is over on every host, some sessions at a time.
pub(super) async fn forget(center: &Center, services: &Arc<Services>) {
    let days = services.config.contact_center.transcript_days;
    if days == 0 {
        return;
    }
    let before = services.clock.now().minus_days(days);
    for place in center.places() {
        match forget_of(services, place.host.as_str(), before).await {
            Ok(removed) => debug!(removed, host = %place.host, "old IM sessions removed"),
            Err(error) => warn!(%error, host = %place.host, "old IM sessions are not removed"),
        }
    }
}

async fn forget_of(services: &Services, host: &str, before: Timestamp) -> Result<u32, StoreError> {
    let records = services.store.records();
    let mut walk = records.walk_list(KIND, (OVER, host), PAGE);
    let mut removed = 0;
    while let Some(stored) = walk.next().await? {
        let session: ImSession = record::read(&stored)?;
        if session.invited_at.is_none_or(|at| at >= before) {
            // Ids sort by the time of the invitation: the rest is younger.
            break;
        }
        if over_since(&session).is_some_and(|at| at < before)
            && records.remove(KIND, session.id.as_str()).await?
        {
            removed += 1;
        }
    }
    Ok(removed)
}

const fn over_since(session: &ImSession) -> Option<Timestamp> {
    match session.phase {
        Phase::Rejected { at } | Phase::Cancelled { at } | Phase::Ended { at, .. } => Some(at),
        Phase::NotConnected | Phase::Pending { .. } | Phase::Connected { .. } => None,
    }
}
