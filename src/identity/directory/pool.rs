//! Connections to a directory: some are kept, none is waited for without end, and servers that do not
//! answer are left alone for a while.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::config;
use crate::identity::IdentityError;
use crate::net::tls::authorities;

/// One connection.
pub(super) struct Connection {
    ldap: Ldap,
    timeout: Duration,
    /// The place of its URL.
    at: usize,
    /// Whether the last bind was that of the server's own account.
    pub(super) is_service: bool,
}

impl Connection {
    /// For the next operation, which is not waited for without end.
    pub(super) fn ready(&mut self) -> &mut Ldap {
        self.ldap.with_timeout(self.timeout)
    }
}

/// The connections.
pub(super) struct Pool {
    config: Arc<config::Ldap>,
    settings: LdapConnSettings,
    /// One for each connection that may be.
    places: Semaphore,
    /// Not more than there are places.
    idle: Mutex<Vec<Connection>>,
    /// Until when each of the URLs is left alone.
    resting: Mutex<Vec<Option<Instant>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Pool {
    pub(super) fn new(
        config: Arc<config::Ldap>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Self, IdentityError> {
        let mut settings = LdapConnSettings::new()
            .set_conn_timeout(config.timeout_seconds.duration())
            .set_starttls(config.starttls);
        if let Some(authorities) = &config.ca {
            settings = settings.set_config(Arc::new(authorities::client_config(authorities)?));
        }
        Ok(Self {
            settings,
            places: Semaphore::new(config.connections_max as usize),
            idle: Mutex::default(),
            resting: Mutex::new(vec![None; config.urls.len()]),
            config,
            tasks: tasks.clone(),
            stop: stop.clone(),
        })
    }

    /// Waits for a place among the connections.
    pub(super) async fn place(&self) -> Result<SemaphorePermit<'_>, IdentityError> {
        let place = timeout(
            self.config.timeout_seconds.duration(),
            self.places.acquire(),
        )
        .await;
        place
            .map_err(|_| IdentityError::Busy)?
            .map_err(|_| IdentityError::Busy)
    }

    /// A connection that was used before.
    pub(super) fn idle(&self) -> Option<Connection> {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    /// Uses none of the connections again that are not in use.
    pub(super) fn forget(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.clear();
    }

    /// Tries the server of a connection after the others for a while.
    pub(super) fn leave_alone(&self, connection: &Connection) {
        self.rest(connection.at, Some(Instant::now() + REST));
    }

    /// Keeps the connection for the next one who asks, unless it has failed.
    pub(super) fn keep<T>(
        &self,
        connection: Connection,
        answer: Result<T, IdentityError>,
    ) -> Result<T, IdentityError> {
        if answer.is_ok() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push(connection);
        }
        answer
    }

    /// Connects to the first of the servers that answers. Those that did not answer lately come last.
    pub(super) async fn connect(&self) -> Result<Connection, IdentityError> {
        let mut last = IdentityError::Unreachable("[auth.ldap] urls is empty".to_owned());
        for at in self.order() {
            let Some(url) = self.config.urls.get(at) else {
                continue;
            };
            let connected = LdapConnAsync::with_settings(self.settings.clone(), url.as_str());
            match Box::pin(connected).await {
                Ok((connection, ldap)) => {
                    self.rest(at, None);
                    self.drive(connection);
                    return Ok(Connection {
                        ldap,
                        timeout: self.config.timeout_seconds.duration(),
                        at,
                        is_service: false,
                    });
                }
                Err(error) => {
                    warn!(url = url.as_str(), %error, "no connection to the directory");
                    self.rest(at, Some(Instant::now() + REST));
                    last = IdentityError::Unreachable(format!("{}: {error}", url.as_str()));
                }
            }
        }
        Err(last)
    }

    /// Carries what is said until the last handle is gone, or the server stops.
    fn drive(&self, connection: LdapConnAsync) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                ended = connection.drive() => {
                    if let Err(error) = ended {
                        debug!(%error, "a connection to the directory ended");
                    }
                }
            }
        });
    }

    /// The places of the URLs in the order in which they are tried.
    fn order(&self) -> Vec<usize> {
        let now = Instant::now();
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let (resting, awake): (Vec<_>, Vec<_>) = resting
            .iter()
            .enumerate()
            .partition(|(_, until)| until.is_some_and(|until| now < until));
        let all = awake.into_iter().chain(resting);
        all.map(|(at, _)| at).collect()
    }

    fn rest(&self, at: usize, until: Option<Instant>) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = resting.get_mut(at) {
            *place = until;
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

/// What became of an operation that got no answer.
#[expect(
    clippy::needless_pass_by_value,
    reason = "taken by map_err, which gives it away"
)]
pub(super) fn lost(error: LdapError) -> IdentityError {
    IdentityError::Lost(error.to_string())
}

/// Long enough that a dead server does not hold up each login, short enough that one that was restarted
/// is soon back in its place.
const REST: Duration = Duration::from_secs(30);
