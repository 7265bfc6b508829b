//! How the server ends: who may say so, how the sessions are let go, and in which order the rooms close.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::engine::{Engine, Plan};
use super::{LISTENERS_FILE, ServerError};
use crate::admin::Ending;
use crate::component::Components;
use crate::config::Config;
use crate::proto::StreamCondition;
use crate::router::Router;
use crate::s2s::Federation;
use crate::store::Store;

/// How long sessions are given to end when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How long extensions may take to tell that the server stops.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Listened to before anything can be connected to: until then a SIGHUP ends the process.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, ServerError> {
        let listen = |kind| signal(kind).map_err(ServerError::Signals);
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }
}

/// Waits for the signal to stop, or for the time that an administrator has set; SIGHUP reloads.
pub(super) async fn wait_for_the_end(engine: &Engine, signals: &mut Signals) -> Ending {
    let mut plans = engine.plans();
    // One may have been made before anybody looked.
    plans.mark_changed();
    let mut due: Option<(Ending, std::pin::Pin<Box<tokio::time::Sleep>>)> = None;
    loop {
        let over = async {
            match &mut due {
                Some((ending, sleep)) => {
                    sleep.await;
                    *ending
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = to_stop(&mut signals.terminate, &mut signals.interrupt) => return Ending::Stop,
            _ = signals.hangup.recv() => engine.hang_up().await,
            ending = over => return ending,
            plan = next(&mut plans) => {
                due = plan.map(|(ending, after)| (ending, Box::pin(tokio::time::sleep(after))));
            }
        }
    }
}

/// The next plan for the end. The engine outlives whoever waits for it.
async fn next(plans: &mut watch::Receiver<Plan>) -> Plan {
    match plans.changed().await {
        Ok(()) => *plans.borrow_and_update(),
        Err(_) => std::future::pending().await,
    }
}

async fn to_stop(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Ends the sessions one after the other over `[c2s] drain_seconds`, while those that are left go on; a
/// second signal to stop cuts it short. Nobody new is let in meanwhile.
pub(super) async fn drain(config: &Config, router: &Arc<Router>, signals: &mut Signals) {
    let time = config.c2s.drain_seconds.duration();
    let accounts = router.registry().all();
    let sessions: Vec<_> = accounts
        .iter()
        .flat_map(|account| account.sessions().to_vec())
        .collect();
    let Ok(count) = u32::try_from(sessions.len()) else {
        return;
    };
    if time.is_zero() || count == 0 {
        return;
    }
    info!(sessions = count, "draining");
    let ending = async {
        for session in sessions {
            session.end(StreamCondition::SystemShutdown.into());
            tokio::time::sleep(time / count).await;
        }
    };
    tokio::select! {
        () = ending => {}
        () = to_stop(&mut signals.terminate, &mut signals.interrupt) => {}
    }
}

/// Takes no more connections, closes every stream with `system-shutdown`, and waits for
/// the sessions to give back what they hold before the database is closed.
pub(super) async fn shut_down(
    config: &Config,
    router: &Arc<Router>,
    components: &Components,
    federation: Option<&Federation>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
    store: &Store,
) {
    info!("stopping");
    stop.cancel();
    let services = router.services();
    // While the senders are still there to hear of it.
    if tokio::time::timeout(LAST_WORDS, components.end(services))
        .await
        .is_err()
    {
        warn!("not everything that waited for components was given back");
    }
    if tokio::time::timeout(LAST_WORDS, services.hooks.run_stopping(services))
        .await
        .is_err()
    {
        warn!("not everybody was told that the server stops");
    }
    for account in router.registry().all() {
        for session in account.sessions().iter() {
            session.end(StreamCondition::SystemShutdown.into());
        }
    }
    tasks.close();
    if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
        warn!(left = tasks.len(), "connections were cut off");
    }
    // Last, so that other servers hear who has gone.
    if let Some(federation) = federation {
        federation.end().await;
    }
    store.close().await;
    // It speaks of addresses that nobody listens on any more.
    if let Err(error) = fs::remove_file(config.data_dir.join(LISTENERS_FILE)) {
        warn!(%error, "the list of listeners could not be removed");
    }
    info!("stopped");
}
