//! What operations ask of the running server beyond its hooks: certificates, the log, the configuration
//! file, and its end. The room `server` has it done; here is only what it looks like.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::observe::Filter;

/// What the running server does for operators.
pub trait Machinery: Send + Sync {
    /// When it started.
    fn started_at(&self) -> Timestamp;

    /// Every certificate that is loaded.
    fn certificates(&self) -> Vec<CertificateView>;

    /// Reads the certificates from their files again.
    fn reload_certificates(&self) -> BoxFuture<'_, Result<Reloaded, String>>;

    /// Reads the configuration again, and follows what can be followed. A file with mistakes changes
    /// nothing, and its complaints are the error.
    fn reload(&self) -> BoxFuture<'_, Result<Reloaded, String>>;

    /// What is logged.
    fn log_filter(&self) -> Filter;

    /// Logs by another filter until the next start or reload.
    ///
    /// # Errors
    /// When there is no log to be changed.
    fn set_log_filter(&self, filter: Filter) -> Result<(), String>;

    /// Ends the server after a while; what was planned before is forgotten.
    fn end(&self, ending: Ending, after: Duration);
}

/// How the server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// For good.
    Stop,
    /// To begin again, as the same process.
    Restart,
}

/// The machinery among [`crate::hooks::Hooks::offers`].
pub struct Machine(pub Arc<dyn Machinery>);

/// The configuration among [`crate::hooks::Hooks::offers`], with what was read anew. What it does not
/// follow is as it was at the start.
#[derive(Debug)]
pub struct Live(ArcSwap<Config>);

impl Live {
    /// As it is at the start.
    #[must_use]
    pub fn new(config: Arc<Config>) -> Self {
        Self(ArcSwap::new(config))
    }

    /// As it is now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.0.load_full()
    }

    /// Replaces it.
    pub fn set(&self, config: Arc<Config>) {
        self.0.store(config);
    }
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// What is followed from now on: keys, and files of certificates.
    pub followed: Vec<String>,
    /// Keys that have changed and need a restart.
    pub restart: Vec<String>,
    /// What could not be used; what was there before stays in use.
    pub problems: Vec<String>,
}

/// A certificate as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateView {
    /// Its file.
    pub file: String,
    /// The names in it.
    pub names: Vec<String>,
    /// The hosts that are served with it.
    pub hosts: Vec<String>,
    /// Those of them that it does not name: clients refuse it there.
    pub hosts_not_covered: Vec<String>,
    /// Valid until.
    pub not_after: Timestamp,
    /// Whole days until then, negative afterwards.
    pub days_left: i64,
}
