//! Builds every room from the configuration, wires them, and runs until it is told to stop.

mod accept;
mod certificates;
mod first_run;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::admin::Operator;
use crate::admin::control::{ControlError, ControlSocket};
use crate::clock::Clock;
use crate::config::{Config, DatabaseLocation, ListenAddress};
use crate::extensions;
use crate::hooks::{Hooks, Services, StreamPhase};
use crate::net::address_limits::{AddressLimits, Limits as AddressRules, Loopback};
use crate::net::listener;
use crate::net::tls::resolver::CertificateStore;
use crate::net::tls::server::{Application, ClientCertificates, server_config};
use crate::net::tls::{TlsError, install_provider, reload};
use crate::proto::{BareJid, StreamCondition};
use crate::router::Router;
use crate::session::{Listener, Start, TlsSetup};
use crate::store::{self, Location, Store, StoreError};
use crate::stream::sasl::{Decoys, Mechanism, PlainWithoutTls, Policy};
use crate::stream::{Rules, StreamFeatures, Tls};
use crate::xml::{Element, Limits};

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

/// How long sessions are given to end when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How often [`daily`] work is due.
const DAY: Duration = Duration::from_hours(24);

/// The file that lists the bound addresses, one `key address` a line, while the server runs:
/// with port 0 the only way to learn them.
pub const LISTENERS_FILE: &str = "listeners";

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot start; once it runs it ends only by a signal.
pub async fn run(config: Config) -> Result<(), ServerError> {
    install_provider();
    let config = Arc::new(config);
    prepare_data_dir(&config.data_dir)?;
    // Before the database is touched: of two servers of one data_dir the second ends here.
    let control = ControlSocket::bind(&config.data_dir)?;
    for key in config.unserved() {
        warn!(key, "set, but not served by this version");
    }
    let clock = Clock::system();
    let store = open_store(&config).await?;
    let welcome = Box::pin(first_run::welcome(&store, &config, &clock)).await?;
    let certificates = certificates::load(&config, clock.now())?;
    let router = build_router(&config, &store, &clock);
    let tasks = TaskTracker::new();
    let stop = CancellationToken::new();
    let sockets = bind_all(&config)?;
    let operator = Operator::running(Arc::clone(router.services()));
    tasks.spawn(control.serve(operator, stop.clone()));
    let secret = decoy_secret(&store).await?;
    let setup = tls_setup(&config, &certificates)?;
    let addresses = Arc::new(AddressLimits::new(AddressRules {
        connections_max: config.c2s.connections_per_address_max,
        negotiations_max: config.c2s.negotiations_per_address_max,
        loopback: if config.c2s.limit_loopback {
            Loopback::Limited
        } else {
            Loopback::Exempt
        },
        ..AddressRules::default()
    }));
    let mut lines = String::new();
    for Bound {
        key,
        start,
        socket,
        loopback,
    } in sockets
    {
        let address = socket.local_addr().map_err(ServerError::Signals)?;
        info!(%address, "listening for {key}");
        lines.push_str(&format!("{key} {address}\n"));
        let listener = Arc::new(Listener {
            router: Arc::clone(&router),
            rules: Arc::new(rules(&config, &router, &secret, start, loopback)),
            tls: Some(setup.clone()),
            plain: plain(&config, loopback),
            addresses: Arc::clone(&addresses),
            negotiation_limits: negotiation_limits(&config),
            session_limits: session_limits(&config),
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        tasks.spawn(accept::accept(socket, listener, start, stop.clone()));
    }
    tasks.spawn(daily(Arc::clone(&router), stop.clone()));
    write_listeners(&config.data_dir, &lines)?;
    if !config.tls.reload_seconds.duration().is_zero() {
        let interval = config.tls.reload_seconds.duration();
        tasks.spawn(reload::watch(
            Arc::clone(&certificates),
            interval,
            stop.clone(),
        ));
    }
    if let Some(welcome) = welcome {
        welcome.print();
    }
    wait_for_the_end(&certificates).await?;
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

fn build_router(config: &Arc<Config>, store: &Store, clock: &Clock) -> Arc<Router> {
    let hooks = Arc::new(extensions::hooks(config));
    let hosts: Vec<BareJid> = config
        .hosts
        .iter()
        .map(|host| host.domain.to_jid())
        .collect();
    Router::new(|router| Services {
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

fn tls_setup(
    config: &Config,
    certificates: &Arc<CertificateStore>,
) -> Result<TlsSetup, ServerError> {
    let clients = match &config.tls.client_ca {
        Some(authorities) => ClientCertificates::accept(authorities)?,
        None => ClientCertificates::None,
    };
    let minimum = config.tls.min_version;
    let tls = server_config(certificates, &clients, Application::XmppClient, minimum)?;
    Ok(TlsSetup {
        acceptor: TlsAcceptor::from(tls),
        certificates: Arc::clone(certificates),
    })
}

/// The rules of a listener: a listener on a loopback address may do without TLS.
fn rules(
    config: &Config,
    router: &Arc<Router>,
    secret: &[u8; 32],
    start: Start,
    loopback: bool,
) -> Rules {
    let services = router.services();
    let tls = match start {
        Start::DirectTls => Tls::Absent,
        Start::Plain if config.c2s.require_tls || !loopback => Tls::Required,
        Start::Plain => Tls::Optional,
    };
    let enabled = |mechanism: &Mechanism| match mechanism {
        Mechanism::External => true,
        Mechanism::Plain => config.auth.plain,
        Mechanism::Scram { hash, .. } => match hash {
            crate::proto::scram::ScramHash::Sha1 => config.auth.scram_sha_1,
            crate::proto::scram::ScramHash::Sha256 | crate::proto::scram::ScramHash::Sha512 => true,
        },
    };
    Rules {
        hosts: services.hosts.clone(),
        tls,
        sasl: Policy {
            enabled: Mechanism::ALL.into_iter().filter(enabled).collect(),
        },
        attempts_max: config.auth.attempts_max,
        decoys: Decoys::new(*secret, config.auth.scram_iterations),
        features: Box::new(Features(Arc::clone(&services.hooks))),
    }
}

const fn plain(config: &Config, loopback: bool) -> PlainWithoutTls {
    if loopback && !config.c2s.require_tls {
        PlainWithoutTls::Allowed
    } else {
        PlainWithoutTls::Refused
    }
}

fn negotiation_limits(config: &Config) -> Limits {
    Limits {
        stanza_bytes_max: config.c2s.negotiation_bytes_max.as_usize(),
        ..session_limits(config)
    }
}

fn session_limits(config: &Config) -> Limits {
    Limits {
        stanza_bytes_max: config.c2s.stanza_bytes_max.as_usize(),
        depth_max: config.c2s.depth_max as usize,
        ..Limits::default()
    }
}

/// What extensions add to the features of a stream.
struct Features(Arc<Hooks>);

impl StreamFeatures for Features {
    fn negotiation(&self, host: &BareJid) -> Vec<Element> {
        self.0.stream_features(StreamPhase::Negotiation, host)
    }

    fn authenticated(&self, host: &BareJid) -> Vec<Element> {
        self.0.stream_features(StreamPhase::Authenticated, host)
    }
}

struct Bound {
    key: &'static str,
    start: Start,
    socket: TcpListener,
    loopback: bool,
}

fn bind_all(config: &Config) -> Result<Vec<Bound>, ServerError> {
    let listen = &config.listen;
    let keys: [(&'static str, Start, &[ListenAddress]); 2] = [
        ("c2s", Start::Plain, &listen.c2s),
        ("c2s_direct_tls", Start::DirectTls, &listen.c2s_direct_tls),
    ];
    let mut bound = Vec::new();
    for (key, start, addresses) in keys {
        for address in addresses {
            match listener::bind(address.0) {
                Ok(socket) => bound.push(Bound {
                    key,
                    start,
                    socket,
                    loopback: address.is_loopback(),
                }),
                Err(cause) if address.may_be_absent() && no_ipv6(&cause) => {
                    info!(address = %address.0, "this machine has no IPv6");
                }
                Err(cause) => {
                    let address = address.0;
                    return Err(ServerError::Bind {
                        key,
                        address,
                        cause,
                    });
                }
            }
        }
    }
    Ok(bound)
}

fn no_ipv6(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    // EAFNOSUPPORT has no kind of its own.
    matches!(
        error.kind(),
        ErrorKind::AddrNotAvailable | ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(97)
}

/// Written whole and then moved into place, so that who reads it reads all of it.
fn write_listeners(data_dir: &Path, lines: &str) -> Result<(), ServerError> {
    let failed = |cause| ServerError::DataDir {
        path: data_dir.display().to_string(),
        cause,
    };
    let temporary = data_dir.join("listeners.new");
    fs::write(&temporary, lines).map_err(failed)?;
    fs::rename(&temporary, data_dir.join(LISTENERS_FILE)).map_err(failed)
}

/// Waits for the signal to stop; SIGHUP reloads the certificates.
async fn wait_for_the_end(certificates: &Arc<CertificateStore>) -> Result<(), ServerError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServerError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServerError::Signals)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(ServerError::Signals)?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => {
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
