//! How long follow-ups are kept that are done or cancelled: once a day the old ones go.

use std::sync::Arc;

use tracing::{debug, warn};

use super::events::{self, What};
use crate::clock::Timestamp;
use crate::contact_center::center::Center;
use crate::contact_center::draft::Draft;
use crate::contact_center::record::{self, Record};
use crate::domain::follow_up::{FollowUp, Status};
use crate::hooks::{Hooks, Services};
use crate::store::{Erasure, RecordsWritten, StoreError};

/// Follow-ups that are read at once: each can have a megabyte.
const PAGE: u32 = 20;

/// Registers what the days do to follow-ups.
pub(in crate::contact_center) fn register(hooks: &mut Hooks, center: &Arc<Center>) {
    let center = Arc::clone(center);
    hooks.daily(move |services| {
        let center = Arc::clone(&center);
        async move { forget(&center, &services).await }
    });
}

/// Drops what is older than the operator wants it kept.
async fn forget(center: &Center, services: &Arc<Services>) {
    let days = services.config.contact_center.follow_up_days;
    if days == 0 {
        return;
    }
    let before = services.clock.now().minus_days(days);
    match Box::pin(forget_before(center, services, before)).await {
        Ok(removed) => debug!(removed, "old follow-ups removed"),
        Err(error) => warn!(%error, "old follow-ups are not removed"),
    }
}

/// Those that are planned stay, however old they are, so all are looked at.
async fn forget_before(
    center: &Center,
    services: &Arc<Services>,
    before: Timestamp,
) -> Result<u32, StoreError> {
    let records = services.store.records();
    let mut walk = records.walk(FollowUp::KIND, PAGE);
    let mut removed = 0;
    while let Some(stored) = walk.next().await? {
        let follow_up: FollowUp = record::read(&stored)?;
        if over_since(follow_up.status).is_none_or(|at| at >= before) {
            continue;
        }
        let erasure = Erasure {
            kind: FollowUp::KIND,
            id: stored.id,
            read: stored.version,
            left: None,
            unlisted: None,
            journal: None,
            untold: None,
        };
        if Box::pin(records.erase(&erasure)).await? == RecordsWritten::Done {
            removed += 1;
            tell(center, services, &follow_up).await;
        }
    }
    Ok(removed)
}

/// Tells who was responsible.
async fn tell(center: &Center, services: &Arc<Services>, gone: &FollowUp) {
    let author = gone.author.as_ref();
    let Some(place) = author.and_then(|it| center.place_of(it.host())) else {
        return;
    };
    let told = async |mut draft: Draft| {
        let removed = (gone, What::Removed);
        events::tell_quietly(place, services, &mut draft, removed).await?;
        Ok((draft, ()))
    };
    if let Err(refused) = Box::pin(center.save(services, told)).await {
        warn!(%refused, id = %gone.id, "nobody is told that an old follow-up is removed");
    }
}

const fn over_since(status: Status) -> Option<Timestamp> {
    match status {
        Status::Completed { at } | Status::Cancelled { at } => Some(at),
        Status::Planned => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::contact_center::testing::Floor;

    #[tokio::test]
    async fn what_is_done_long_ago_goes_and_what_is_planned_stays() {
        let mut config = Config::default();
        config.contact_center.follow_up_days = 1;
        let floor = Box::pin(Floor::configured(&[], config)).await;
        let services = Arc::clone(floor.house.router.services());
        let now = services.clock.now();
        let later = now.plus_days(1);
        for (id, status) in [
            ("f1", Status::Planned),
            ("f2", Status::Completed { at: now }),
            ("f3", Status::Cancelled { at: now }),
            ("f4", Status::Completed { at: later }),
        ] {
            let follow_up = FollowUp {
                version: 1,
                status,
                ..FollowUp::new(id.parse().unwrap())
            };
            floor.set(FollowUp::KIND, id, 1, &follow_up).await;
        }
        let left = async || {
            forget(&floor.inside().0, &services).await;
            let left = services.store.records().all(FollowUp::KIND, "", 10).await;
            left.unwrap()
                .into_iter()
                .map(|it| it.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(left().await.len(), 4);
        floor.house.clock.advance_seconds(86_401);
        assert_eq!(left().await, ["f1", "f4"]);
    }
}
