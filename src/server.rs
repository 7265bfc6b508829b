//! Builds every room from the configuration, wires them, and runs until it is told to stop.

mod accept;
mod certificates;
mod first_run;
mod listeners;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::admin::Operator;
use crate::admin::control::{ControlError, ControlSocket};
use crate::clock::Clock;
use crate::config::{Config, DatabaseLocation};
use crate::extensions;
use crate::hooks::{Gateway, Peers, Requests, Services};
use crate::net::tls::resolver::CertificateStore;
use crate::net::tls::{TlsError, install_provider, reload};
use crate::proto::{BareJid, StreamCondition};
use crate::router::Router;
use crate::s2s::{Federation, FederationError, Parts};
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
    /// Streams with other servers cannot be set up.
    #[error("[s2s] {0}")]
    Federation(#[from] FederationError),
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
    let (router, federation) = house.build(setting(&store, "dialback-secret").await?)?;
    let operator = Operator::running(Arc::clone(router.services()));
    tasks.spawn(control.serve(operator, stop.clone()));
    let secret = setting(&store, "decoy-secret").await?;
    listeners::open(&house, &router, &secret, federation.as_ref())?;
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
    wait_for_the_end(&certificates, signals).await;
    shut_down(&config, &router, &tasks, &stop, &store).await;
    Ok(())
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

/// What the rooms are built from.
#[derive(Clone, Copy)]
struct House<'a> {
    config: &'a Arc<Config>,
    store: &'a Store,
    clock: &'a Clock,
    certificates: &'a Arc<CertificateStore>,
    tasks: &'a TaskTracker,
    stop: &'a CancellationToken,
}

impl House<'_> {
    /// The router, and the way to other servers where it is switched on.
    fn build(
        self,
        dialback_secret: [u8; 32],
    ) -> Result<(Arc<Router>, Option<Arc<Federation>>), FederationError> {
        let config = self.config;
        let hooks = Arc::new(extensions::hooks(config));
        let hosts = config.hosts.iter().map(|host| host.domain.to_jid());
        let peers = Arc::<Peers>::default();
        let mut federation = Ok(None);
        let router = Router::new(|router| {
            let parts = config.s2s.enabled.then(|| Parts {
                config: Arc::clone(config),
                clock: self.clock.clone(),
                hooks: Arc::clone(&hooks),
                router: Weak::clone(&router),
                peers: Arc::clone(&peers),
                certificates: Arc::clone(self.certificates),
                secret: dialback_secret.to_vec(),
                tasks: self.tasks.clone(),
                stop: self.stop.clone(),
            });
            federation = parts.map(Federation::new).transpose();
            let made = federation.as_ref().ok().and_then(Option::as_ref);
            let gateways = made.map(|it| Arc::clone(it) as Arc<dyn Gateway>);
            Services {
                gateways: gateways.into_iter().collect(),
                peers,
                requests: Requests::default(),
                store: self.store.clone(),
                clock: self.clock.clone(),
                config: Arc::clone(config),
                hosts: hosts.collect::<Vec<BareJid>>(),
                hooks,
                router,
            }
        });
        Ok((router, federation?))
    }
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
async fn wait_for_the_end(certificates: &Arc<CertificateStore>, mut signals: Signals) {
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return,
            _ = signals.interrupt.recv() => return,
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
