//! How long activities and their changes are kept; once a day.

use std::sync::Arc;

use tracing::{debug, info, warn};

use super::{KIND, is_crm, journal};
use crate::clock::Timestamp;
use crate::contact_center::center::{Center, Place};
use crate::contact_center::record;
use crate::domain::activity::Activity;
use crate::hooks::Services;
use crate::store::{JournalBounds, StoreError};

/// Activities that are read at once.
const PAGE: u32 = 500;

/// Drops what is older than the operator wants it kept.
pub(super) async fn forget(center: &Center, services: &Arc<Services>) {
    match forget_activities(services).await {
        Ok(removed) => debug!(removed, "old activities removed"),
        Err(error) => warn!(%error, "old activities are not removed"),
    }
    for place in center.places() {
        match forget_changes(services, place).await {
            Ok(removed) => debug!(removed, host = %place.host, "changes of activities forgotten"),
            Err(error) => warn!(%error, host = %place.host, "changes of activities are kept"),
        }
    }
}

fn days_ago(services: &Services, days: u32) -> Timestamp {
    services.clock.now().minus_days(days)
}

async fn forget_activities(services: &Services) -> Result<u32, StoreError> {
    let days = services.config.contact_center.activity_days;
    if days == 0 {
        return Ok(0);
    }
    let before = days_ago(services, days);
    let records = services.store.records();
    let mut walk = records.walk(KIND, PAGE);
    let mut removed = 0;
    while let Some(stored) = walk.next().await? {
        let activity: Activity = record::read(&stored)?;
        if activity.created_at.is_none_or(|at| at >= before) {
            // Ids sort by the time of the offer: the rest is younger.
            break;
        }
        if activity.closed_at.is_some_and(|at| at < before)
            && records.remove(KIND, &stored.id).await?
        {
            removed += 1;
        }
    }
    Ok(removed)
}

/// A CRM that is configured no longer keeps nothing.
async fn forget_changes(services: &Services, place: &Place) -> Result<u64, StoreError> {
    let (journals, name) = (services.store.journals(), journal(place.host.as_str()));
    for follower in journals.followers(&name).await? {
        if !is_crm(services, place, &follower.follower) {
            journals.unfollow(&name, &follower.follower).await?;
            info!(
                follower = follower.follower,
                "a CRM follows no longer: it is configured no longer"
            );
        }
    }
    let set = &services.config.contact_center;
    let bounds = JournalBounds {
        before: days_ago(services, set.activity_change_days),
        entries_max: set.activity_changes_max,
    };
    journals.forget(&name, bounds).await
}
