//! Builds every room from the configuration, wires them, and runs until it is told to stop.

mod accept;
mod certificates;
mod ending;
mod engine;
mod first_run;
mod house;
mod identities;
mod listeners;
mod service_manager;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

pub use crate::admin::Ending;
use crate::admin::control::{ControlError, ControlSocket};
use crate::admin::portable::Rules;
use crate::admin::{Live, Machine, Operator, Refusal};
use crate::clock::Clock;
use crate::component::Components;
use crate::config::{Config, DatabaseLocation};
use crate::extensions;
use crate::http::Watch;
use crate::identity::IdentityError;
use crate::net::tls::{TlsError, install_provider, reload};
use crate::observe::metrics::{self, Metrics};
use crate::router::Router;
use crate::s2s::FederationError;
use crate::store::{self, Claim, Location, Store, StoreError};
use ending::{Signals, drain, shut_down, wait_for_the_end};
use engine::Engine;
use house::House;
pub use house::hooks;

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
    /// A source of people beside the store cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The random numbers of the system fail.
    #[error("the system gives no random numbers")]
    Random,
    /// The control socket cannot be made, for one when another server holds it.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Streams with other servers cannot be set up.
    #[error("[s2s] {0}")]
    Federation(#[from] FederationError),
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

/// How often [`daily`] work is due.
const DAY: Duration = Duration::from_hours(24);

/// Serves until SIGTERM or SIGINT, or until an administrator ends it; the answer says whether it is to
/// begin again.
///
/// # Errors
/// When it cannot start.
pub async fn run(config: Config, origin: Origin) -> Result<Ending, ServerError> {
    install_provider();
    // Before anything is done that is counted.
    let metrics = metrics::start();
    let config = Arc::new(config);
    prepare_data_dir(&config.data_dir)?;
    let signals = Signals::listen()?;
    // Before the database is touched: of two servers of one data_dir the second ends here.
    let control = ControlSocket::bind(&config.data_dir)?;
    let clock = Clock::system();
    // The claim is held to the end.
    let (store, mut claim) = Box::pin(open_claimed(&config)).await?;
    let certificates = certificates::load(&config, clock.now())?;
    let components = Components::new(&config);
    let tasks = TaskTracker::new();
    let stop = CancellationToken::new();
    let house = House {
        config: &config,
        store: &store,
        clock: &clock,
        certificates: &certificates,
        tasks: &tasks,
        stop: &stop,
    };
    let dialback = setting(&store, "dialback-secret").await?;
    let (router, federation) = house.build(&components, dialback)?;
    let services = router.services();
    let offers = services.hooks.offers();
    let live = offers.find_or(|| Live::new(Arc::clone(&config)));
    let engine = Engine::new(origin, live, Arc::clone(&certificates), clock.clone());
    let engine = Arc::new(engine);
    offers.set(Machine(Arc::<Engine>::clone(&engine)));
    services.hooks.run_starting(services).await?;
    let operator = Operator::running(Arc::clone(services));
    tasks.spawn(control.serve(operator, stop.clone()));
    let secret = setting(&store, "decoy-secret").await?;
    let watch = Watch {
        metrics,
        certificates: Arc::clone(&certificates),
        draining: CancellationToken::new(),
    };
    let identities = identities::prepare(&config, &clock, &tasks, &stop).await?;
    listeners::open(&listeners::Parts {
        house,
        router: &router,
        components: &components,
        federation: federation.as_ref(),
        secret: &secret,
        identities: &identities,
        watch: &watch,
    })?;
    keep_house(house, &router, watch.metrics.clone());
    // Last of all: a start that fails must not use up the only sight of the password.
    let welcome = Box::pin(first_run::welcome(&store, &config, &clock)).await?;
    welcome.iter().for_each(first_run::Welcome::print);
    service_manager::ready();
    let mut signals = signals;
    let ending = serve(&engine, &mut signals, &mut claim).await;
    service_manager::stopping();
    watch.draining.cancel();
    drain(&config, &router, &mut signals).await;
    let federation = federation.as_deref();
    shut_down(
        &config,
        &router,
        &components,
        federation,
        &tasks,
        &stop,
        &store,
    )
    .await;
    ending
}

/// Waits until the server shall end, or has to: when the database is another one's by now.
async fn serve(
    engine: &Engine,
    signals: &mut Signals,
    claim: &mut Claim,
) -> Result<Ending, ServerError> {
    tokio::select! {
        ending = wait_for_the_end(engine, signals) => Ok(ending),
        () = claim.lost() => {
            error!("another server has claimed the database; this one ends, for it cannot know what that one writes");
            Err(StoreError::InUse.into())
        }
    }
}

/// Spawns what is done again and again until the server stops.
fn keep_house(house: House<'_>, router: &Arc<Router>, metrics: Option<Metrics>) {
    let House { tasks, stop, .. } = house;
    tasks.spawn(upkeep(metrics, stop.clone()));
    tasks.spawn(service_manager::watchdog(stop.clone()));
    let gathering = Arc::clone(router.registry().gathering());
    tasks.spawn(gathering.run(stop.clone()));
    tasks.spawn(daily(Arc::clone(router), stop.clone()));
    let interval = house.config.tls.reload_seconds.duration();
    if !interval.is_zero() {
        let certificates = Arc::clone(house.certificates);
        tasks.spawn(reload::watch(certificates, interval, stop.clone()));
    }
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
pub async fn open_store(config: &Config) -> Result<Store, Unopened> {
    let unopened = |place: String| move |cause| Unopened { place, cause };
    let (location, limits) = database(config).map_err(unopened("[database] url".to_owned()))?;
    let opened = Store::open(&location, &limits).await;
    opened.map_err(unopened(location.to_string()))
}

/// Opens the database, and claims it for this server.
async fn open_claimed(config: &Config) -> Result<(Store, Claim), Unopened> {
    let store = open_store(config).await?;
    let unopened = |place: String| move |cause| Unopened { place, cause };
    let (location, limits) = database(config).map_err(unopened("[database] url".to_owned()))?;
    let claimed = Box::pin(Claim::take(&location, &limits)).await;
    let claim = claimed.map_err(unopened(location.to_string()))?;
    Ok((store, claim))
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

/// A secret of the server's own, the same after a restart: of what unknown accounts seem to have, or a
/// restart would tell them from real ones; of dialback, or keys would not be verified on another node.
async fn setting(store: &Store, name: &str) -> Result<[u8; 32], ServerError> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|_| ServerError::Random)?;
    let kept = store
        .settings()
        .find_or_create(name, || fresh.to_vec())
        .await?;
    Ok(kept.try_into().unwrap_or(fresh))
}
