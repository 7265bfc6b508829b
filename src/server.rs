//! Builds every room from the configuration, wires them, and runs until it is told to stop.

mod accept;
mod certificates;
mod engine;
mod first_run;
mod listeners;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

pub use crate::admin::Ending;
use crate::admin::control::{ControlError, ControlSocket};
use crate::admin::{Live, Machine, Operator, Refusal};
use crate::clock::Clock;
use crate::config::{Config, DatabaseLocation};
use crate::extensions;
use crate::hooks::{Requests, Services};
use crate::net::tls::{TlsError, install_provider, reload};
use crate::proto::{BareJid, StreamCondition};
use crate::router::Router;
use crate::store::{self, Location, Store, StoreError};
use engine::{Engine, Plan};

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
    /// The database cannot be opened.
    #[error(transparent)]
    Unopened(#[from] Unopened),
    /// The database cannot be used.
    #[error("{}", Refusal::store(.0))]
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

/// The database cannot be opened.
#[derive(Debug, Error)]
#[error("{place}: {}", Refusal::store(cause))]
pub struct Unopened {
    /// Where it is, without what is secret.
    pub place: String,
    /// Why.
    pub cause: StoreError,
}

pub use engine::Origin;
pub use listeners::LISTENERS_FILE;

/// How long sessions are given to end when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How long extensions may take to tell that the server stops.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often [`daily`] work is due.
const DAY: Duration = Duration::from_hours(24);

/// Serves until SIGTERM or SIGINT, or until an administrator ends it; the answer says whether it is to
/// begin again.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config, origin: Origin) -> Result<Ending, ServerError> {
    install_provider();
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
    let services = router.services();
    let offers = services.hooks.offers();
    let live = offers.find_or(|| Live::new(Arc::clone(&config)));
    let engine = Engine::new(origin, live, Arc::clone(&certificates), clock.clone());
    let engine = Arc::new(engine);
    offers.set(Machine(Arc::<Engine>::clone(&engine)));
    services.hooks.run_starting(services).await?;
    let operator = Operator::running(Arc::clone(services));
    tasks.spawn(control.serve(operator, stop.clone()));
    let secret = decoy_secret(&store).await?;
    listeners::open(&config, &router, &certificates, &secret, &tasks, &stop)?;
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
    let ending = wait_for_the_end(&engine, signals).await;
    shut_down(&config, &router, &tasks, &stop, &store).await;
    Ok(ending)
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
pub async fn open_store(config: &Config) -> Result<Store, Unopened> {
    let unopened = |place: String| move |cause| Unopened { place, cause };
    let (location, limits) = database(config).map_err(unopened("[database] url".to_owned()))?;
    let opened = Store::open(&location, &limits).await;
    opened.map_err(unopened(location.to_string()))
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
        peers: Arc::default(),
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

/// Waits for the signal to stop, or for the time that an administrator has set; SIGHUP reloads.
async fn wait_for_the_end(engine: &Engine, mut signals: Signals) -> Ending {
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
            _ = signals.terminate.recv() => return Ending::Stop,
            _ = signals.interrupt.recv() => return Ending::Stop,
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
