//! How long sendings are kept, and what goes with an account that is removed.

use std::sync::Arc;

use tracing::{debug, warn};

use crate::clock::Timestamp;
use crate::contact_center::record::{self, Record};
use crate::domain::context::recent::Recent;
use crate::domain::context::transfer::Transfer;
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;
use crate::store::StoreError;

const DAY_SECONDS: i64 = 86_400;

/// Sendings that are read at once.
const PAGE: u32 = 100;

pub(super) fn register(hooks: &mut Hooks) {
    hooks.daily(|services| async move {
        match forget_old(&services).await {
            Ok(removed) => debug!(removed, "old business contexts removed"),
            Err(error) => warn!(%error, "old business contexts are not removed"),
        }
    });
    hooks.removed(|account, services| async move {
        if let Err(error) = forget_account(&account, &services).await {
            warn!(%error, %account, "business contexts of a removed account are left");
        }
    });
}

/// Removes what was sent more than `context_days` ago.
pub(super) async fn forget_old(services: &Services) -> Result<u32, StoreError> {
    let days = services.config.contact_center.context_days;
    if days == 0 {
        return Ok(0);
    }
    let age = i64::from(days).saturating_mul(DAY_SECONDS);
    let before: Timestamp = services.clock.now().plus_seconds(-age);
    let records = services.store.records();
    let mut after = String::new();
    let mut removed = 0;
    loop {
        let page = records.all(Transfer::KIND, &after, PAGE).await?;
        let Some(last) = page.last() else {
            return Ok(removed);
        };
        after.clone_from(&last.id);
        for stored in page {
            let sending: Transfer = record::read(&stored)?;
            // Ids sort by time: the rest is younger.
            if sending.sent_at.is_none_or(|at| at >= before) {
                return Ok(removed);
            }
            if records.remove(Transfer::KIND, sending.id.as_str()).await? {
                removed += 1;
            }
        }
    }
}

/// Removes the account's list. What it sent and was sent belongs to the others, too; who gets the same address later
/// is shown none of it.
async fn forget_account(account: &BareJid, services: &Arc<Services>) -> Result<(), StoreError> {
    services
        .store
        .records()
        .remove(Recent::KIND, account.as_str())
        .await?;
    Ok(())
}
