//! How long interactions are kept: once a day those go that were over long ago, with all that was asked in them.

use std::sync::Arc;

use tracing::{debug, warn};

use super::{KIND, OVER, PAGE};
use crate::clock::Timestamp;
use crate::contact_center::record;
use crate::domain::interaction::{Interaction, Line};
use crate::hooks::Services;
use crate::store::{ListOrder, StoreError};

/// Whose the list is in which an interaction stands that was over then: in hexadecimal digits, so that all of them stand in the
/// order of their ends, whatever connectors call them.
pub(super) fn over_at(at: Timestamp) -> String {
    format!("{:016x}", at.as_micros().max(0))
}

/// Drops what was over for longer than the operator wants it kept.
pub(super) async fn forget(services: &Arc<Services>) {
    match forget_old(services).await {
        Ok(removed) => debug!(removed, "old interactions removed"),
        Err(error) => warn!(%error, "old interactions are not removed"),
    }
}

async fn forget_old(services: &Services) -> Result<u32, StoreError> {
    let days = services.config.contact_center.interaction_days;
    if days == 0 {
        return Ok(0);
    }
    let before = services.clock.now().minus_days(days);
    let records = services.store.records();
    let mut from: Option<(String, String)> = None;
    let mut removed = 0;
    loop {
        let behind = from
            .as_ref()
            .map(|(owner, id)| (owner.as_str(), id.as_str()));
        let order = ListOrder::Ascending;
        let page = records
            .prefixed(KIND, (OVER, ""), behind, order, PAGE)
            .await?;
        let Some((owner, last)) = page.last() else {
            return Ok(removed);
        };
        from = Some((owner.clone(), last.id.clone()));
        for (_, stored) in page {
            let interaction: Interaction = record::read(&stored)?;
            let Line::Over { at } = interaction.line else {
                continue;
            };
            if at >= before {
                return Ok(removed);
            }
            if records.remove(KIND, &stored.id).await? {
                removed += 1;
            }
        }
    }
}
