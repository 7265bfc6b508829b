//! Sources of people beside the store, set up at the start. That one is down then keeps nobody out of whom
//! another knows.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::clock::Clock;
use crate::config::Config;
use crate::identity::{Identities, IdentityError};

/// Sets the sources up, and fetches the keys of whoever signs tokens.
pub(super) async fn prepare(
    config: &Arc<Config>,
    clock: &Clock,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Arc<Identities>, IdentityError> {
    let identities = Arc::new(Identities::new(&config.auth, tasks, stop)?);
    if let Some(Err(error)) = Box::pin(identities.probe_issuer(clock.now())).await {
        warn!(%error, "tokens cannot be checked until the keys are there");
    }
    Ok(identities)
}
