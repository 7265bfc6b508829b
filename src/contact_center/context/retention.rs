//! How long sendings are kept, and what goes with an account that is removed.

use std::sync::Arc;

use tracing::{debug, warn};

use crate::contact_center::record::{self, Record};
use crate::domain::context::recent::Recent;
use crate::domain::context::transfer::Transfer;
use crate::hooks::{Hooks, Services};
use crate::proto::BareJid;
use crate::store::StoreError;

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
    let before = services.clock.now().minus_days(days);
    let records = services.store.records();
    let mut walk = records.walk(Transfer::KIND, PAGE);
    let mut removed = 0;
    while let Some(stored) = walk.next().await? {
        let sending: Transfer = record::read(&stored)?;
        // Ids sort by time: the rest is younger.
        if sending.sent_at.is_none_or(|at| at >= before) {
            break;
        }
        if records.remove(Transfer::KIND, sending.id.as_str()).await? {
            removed += 1;
        }
    }
    Ok(removed)
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
