//! How long sessions are kept: once a day those go that were over long ago, with their transcripts.

use std::sync::Arc;

use tracing::{debug, warn};

use super::{KIND, OVER, PAGE};
use crate::clock::Timestamp;
use crate::contact_center::center::Center;
use crate::contact_center::record;
use crate::domain::im_session::{ImSession, Phase};
use crate::hooks::Services;
use crate::store::{ListOrder, StoreError};

const DAY_SECONDS: i64 = 86_400;

/// Goes through what is over on every host, some sessions at a time.
pub(super) async fn forget(center: &Center, services: &Arc<Services>) {
    let days = services.config.contact_center.transcript_days;
    if days == 0 {
        return;
    }
    let age = i64::from(days).saturating_mul(DAY_SECONDS);
    let before = services.clock.now().plus_seconds(-age);
    for place in center.places() {
        match forget_of(services, place.host.as_str(), before).await {
            Ok(removed) => debug!(removed, host = %place.host, "old IM sessions removed"),
            Err(error) => warn!(%error, host = %place.host, "old IM sessions are not removed"),
        }
    }
}

async fn forget_of(services: &Services, host: &str, before: Timestamp) -> Result<u32, StoreError> {
    let records = services.store.records();
    let mut from: Option<String> = None;
    let mut removed = 0;
    loop {
        let order = ListOrder::Ascending;
        let page = records
            .listed(KIND, (OVER, host), from.as_deref(), order, PAGE)
            .await?;
        let Some(last) = page.last() else {
            return Ok(removed);
        };
        from = Some(last.id.clone());
        for stored in page {
            let session: ImSession = record::read(&stored)?;
            if session.invited_at.is_none_or(|at| at >= before) {
                // Ids sort by the time of the invitation: the rest is younger.
                return Ok(removed);
            }
            if over_since(&session).is_some_and(|at| at < before)
                && records.remove(KIND, session.id.as_str()).await?
            {
                removed += 1;
            }
        }
    }
}

const fn over_since(session: &ImSession) -> Option<Timestamp> {
    match session.phase {
        Phase::Rejected { at } | Phase::Cancelled { at } | Phase::Ended { at, .. } => Some(at),
        Phase::NotConnected | Phase::Pending { .. } | Phase::Connected { .. } => None,
    }
}
