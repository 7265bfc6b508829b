//! What systemd is told (sd_notify(3)): that the server serves, that it reads its files anew, that it stops,
//! and, where it asks for it, that the server still runs. Without systemd nobody is told.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// It serves.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// It stops.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells twice in each period of `WatchdogSec=` that the server runs, until `stop`. This is a task like those of
/// the sessions, so that it falls silent when these do not get their turn.
pub(super) async fn watchdog(stop: CancellationToken) {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval((period / 2).max(SHORTEST));
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => tell(&[NotifyState::Watchdog]),
        }
    }
}

/// The shortest pause between two signs of life.
const SHORTEST: Duration = Duration::from_millis(100);

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(what) {
        warn!(%error, "the service manager could not be told");
    }
}
