//! Builds every room from the configuration, wires them, and runs until it is told to stop.

mod accept;
mod certificates;
mod first_run;
mod listeners;
mod service_manager;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::admin::Operator;
use crate::admin::control::{ControlError, ControlSocket};
use crate::admin::portable::Rules;
use crate::clock::Clock;
use crate::config::{Config, DatabaseLocation};
use crate::extensions;
use crate::hooks::{Requests, Services};
use crate::http::Watch;
use crate::net::tls::resolver::CertificateStore;
use crate::net::tls::{TlsError, install_provider, reload};
use crate::observe::metrics::{self, Metrics};
use crate::proto::{BareJid, StreamCondition};
use crate::router::Router;
use crate::store::{self, Location, Store, StoreError};

/// Why the server does not start.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The folder of `data_dir` cannot be made or used.
    #[error("data_dir {path}: {cause}")]
    DataDir {
        /// The folder.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A listener's address cannot be bound.
    #[error("[listen] {key}: {address}: {cause}")]
    Bind {
        /// The configuration key.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The database cannot be used.
    #[error("database: {0}")]
    Store(#[from] StoreError),
    /// The random numbers of the system fail.
    #[error("the system gives no random numbers")]
    Random,
    /// The control socket cannot be made, for one when another server holds it.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Signals cannot be listened to.
    #[error("signals: {0}")]
    Signals(std::io::Error),
}

pub use listeners::LISTENERS_FILE;

/// How long sessions are given to end when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How long extensions may take to tell that the server stops.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often [`daily`] work is due.
const DAY: Duration = Duration::from_hours(24);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start; once it runs it ends only by a signal.
pub async fn run(config: Config) -> Result<(), ServerError> {
    install_provider();
    // Before anything is done that is counted.
    let metrics = metrics::start();
    let config = Arc::new(config);
    prepare_data_dir(&config.data_dir)?;
    let signals = Signals::listen()?;
    // Before the database is touched: of two servers of one data_dir the second ends here.
    let control = ControlSocket::bind(&config.data_dir)?;
    for key in config.unserved() {
        warn!(key, "set, but not served by this version");
    }
    let clock = Clock::system();
    let store = open_store(&config).await?;
    let certificates = certificates::load(&config, clock.now())?;
    let router = build_router(&config, &store, &clock);
    let tasks = TaskTracker::new();
    let stop = CancellationToken::new();
    let operator = Operator::running(Arc::clone(router.services()));
    tasks.spawn(control.serve(operator, stop.clone()));
    let secret = decoy_secret(&store).await?;
    let watch = Watch {
        metrics,
        certificates: Arc::clone(&certificates),
        draining: CancellationToken::new(),
    };
    listeners::open(
        &config,
        &router,
        &certificates,
        &secret,
        &tasks,
        &stop,
        &watch,
    )?;
    tasks.spawn(upkeep(watch.metrics.clone(), stop.clone()));
    tasks.spawn(service_manager::watchdog(stop.clone()));
    tasks.spawn(daily(Arc::clone(&router), stop.clone()));
    if !config.tls.reload_seconds.duration().is_zero() {
        let interval = config.tls.reload_seconds.duration();
        tasks.spawn(reload::watch(
            Arc::clone(&certificates),
            interval,
            stop.clone(),
        ));
    }
    // Last of all: a start that fails must not use up the only sight of the password.
    if let Some(welcome) = Box::pin(first_run::welcome(&store, &config, &clock)).await? {
        welcome.print();
    }
    service_manager::ready();
    let mut signals = signals;
    wait_for_the_end(&certificates, &mut signals).await;
    service_manager::stopping();
    watch.draining.cancel();
    drain(&config, &router, &mut signals).await;
    shut_down(&config, &router, &tasks, &stop, &store).await;
    Ok(())
}

/// Sorts what was measured into its buckets now and then, whether or not somebody looks.
async fn upkeep(metrics: Option<Metrics>, stop: CancellationToken) {
    let Some(metrics) = metrics else {
        return;
    };
    let mut ticks = tokio::time::interval(metrics::UPKEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => metrics.upkeep(),
        }
    }
}

/// Has the extensions do what is due once a day, from the start on.
async fn daily(router: Arc<Router>, stop: CancellationToken) {
    let mut days = tokio::time::interval(DAY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = days.tick() => router.services().hooks.run_daily(router.services()).await,
        }
    }
}

fn prepare_data_dir(path: &Path) -> Result<(), ServerError> {
    let failed = |cause| ServerError::DataDir {
        path: path.display().to_string(),
        cause,
    };
    // Passwords' keys and the control socket lie in it.
    if !path.exists() {
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
    }
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode();
    if mode & 0o007 != 0 {
        warn!(path = %path.display(), "data_dir is open to every user of this machine; chmod 700 closes it");
    }
    Ok(())
}

/// Opens the database that the configuration names.
///
/// # Errors
/// When it cannot be opened or brought to this version.
pub async fn open_store(config: &Config) -> Result<Store, StoreError> {
    let (location, limits) = database(config)?;
    Store::open(&location, &limits).await
}

/// What extensions decide of accounts that come from another server.
#[must_use]
pub fn portable_rules() -> Rules {
    Rules {
        words: extensions::archive::words::noted,
        node: extensions::pubsub::imported_configuration,
    }
}

/// Where the configuration says that the database is, and how much is asked of it.
///
/// # Errors
/// When the URL is not understood.
pub fn database(config: &Config) -> Result<(Location, store::Limits), StoreError> {
    let location: Location = match config.database_location() {
        DatabaseLocation::SqliteFile(path) => Location::Sqlite(path),
        DatabaseLocation::Url(url) => url.expose().parse()?,
    };
    let limits = store::Limits {
        connections_max: config.database.connections_max,
        acquire_timeout: config.database.acquire_timeout_seconds.duration(),
        ..store::Limits::default()
    };
    Ok((location, limits))
}

fn build_router(config: &Arc<Config>, store: &Store, clock: &Clock) -> Arc<Router> {
    let hooks = Arc::new(extensions::hooks(config));
    let hosts: Vec<BareJid> = config
        .hosts
        .iter()
        .map(|host| host.domain.to_jid())
        .collect();
    Router::new(|router| Services {
        gateways: Vec::new(),
        requests: Requests::default(),
        store: store.clone(),
        clock: clock.clone(),
        config: Arc::clone(config),
        hosts,
        hooks,
        router,
    })
}

/// The secret behind the keys that unknown accounts seem to have; the same after a restart,
/// or the restart would tell them from real ones.
async fn decoy_secret(store: &Store) -> Result<[u8; 32], ServerError> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|_| ServerError::Random)?;
    let kept = store
        .settings()
        .find_or_create("decoy-secret", || fresh.to_vec())
        .await?;
    Ok(kept.try_into().unwrap_or(fresh))
}

/// Listened to before anything can be connected to: until then a SIGHUP ends the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self, ServerError> {
        let listen = |kind| signal(kind).map_err(ServerError::Signals);
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }
}

/// Waits for the signal to stop; SIGHUP reloads the certificates.
async fn wait_for_the_end(certificates: &Arc<CertificateStore>, signals: &mut Signals) {
    loop {
        tokio::select! {
            () = to_stop(&mut signals.terminate, &mut signals.interrupt) => return,
            _ = signals.hangup.recv() => {
                let certificates = Arc::clone(certificates);
                let reloaded = tokio::task::spawn_blocking(move || certificates.reload()).await;
                match reloaded {
                    Ok(report) => reload::log(&report),
                    Err(failure) => error!(%failure, "certificate reload broke off"),
                }
            }
        }
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
async fn drain(config: &Config, router: &Arc<Router>, signals: &mut Signals) {
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
async fn shut_down(
    config: &Config,
    router: &Arc<Router>,
    tasks: &TaskTracker,
    stop: &CancellationToken,
    store: &Store,
) {
    info!("stopping");
    stop.cancel();
    let services = router.services();
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
    store.close().await;
    // It speaks of addresses that nobody listens on any more.
    if let Err(error) = fs::remove_file(config.data_dir.join(LISTENERS_FILE)) {
        warn!(%error, "the list of listeners could not be removed");
    }
    info!("stopped");
}
