//! How long messages are kept: once a day what is too old or too much goes, oldest first (XEP-0313
//! §3.2).

use std::sync::Arc;

use tracing::{debug, warn};

use crate::hooks::Services;
use crate::store::StoreError;

/// Goes through all archives, a bounded number of messages in each transaction.
pub(super) async fn forget(services: Arc<Services>) {
    if let Err(error) = Box::pin(forget_all(&services)).await {
        warn!(%error, "old messages are not deleted");
    }
}

async fn forget_all(services: &Services) -> Result<(), StoreError> {
    let config = &services.config.archive;
    if config.keep_days == 0 && config.messages_max == 0 {
        return Ok(());
    }
    let archive = services.store.archive();
    let before = services.clock.now().minus_days(config.keep_days);
    let mut owner = String::new();
    let mut deleted = 0;
    while let Some(next) = archive.next_owner(&owner).await? {
        owner = next;
        if config.keep_days > 0 {
            loop {
                match Box::pin(archive.expire(&owner, before)).await? {
                    0 => break,
                    count => deleted += count,
                }
            }
        }
        if config.messages_max > 0 {
            deleted += Box::pin(shorten(services, &owner, config.messages_max)).await?;
        }
    }
    debug!(deleted, "old messages deleted");
    Ok(())
}

async fn shorten(services: &Services, owner: &str, messages_max: u32) -> Result<u64, StoreError> {
    let archive = services.store.archive();
    let Some(oldest) = archive.oldest_of_latest(owner, messages_max).await? else {
        return Ok(0);
    };
    let mut deleted = 0;
    loop {
        match Box::pin(archive.purge(owner, oldest)).await? {
            0 => return Ok(deleted),
            count => deleted += count,
        }
    }
}
