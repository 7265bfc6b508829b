//! What administrators have done with the running server beyond its hooks ([`Machinery`]): certificates, the
//! log, the configuration, its end.
//!
//! A reload, by command or by SIGHUP, reads the configuration as the start did. With a mistake in it nothing
//! changes. What can be followed is (`Config::revise`); what cannot is named.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tracing::{error, info};

use crate::admin::{CertificateView, Ending, Live, Machinery, Reloaded};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, ConfigErrors};
use crate::net::tls::reload;
use crate::net::tls::resolver::{CertificateStore, ReloadReport};
use crate::observe::{Filter, Handle};

/// Where the server was started from.
pub struct Origin {
    /// Reads the configuration as the start did.
    pub load: fn(&Option<std::path::PathBuf>) -> Result<Config, ConfigErrors>,
    /// The file that was named on the command line.
    pub file: Option<std::path::PathBuf>,
    /// The log; none where somebody else has started it.
    pub log: Option<Handle>,
}

/// When and how the server is to end.
pub(super) type Plan = Option<(Ending, Duration)>;

pub(super) struct Engine {
    origin: Origin,
    live: Arc<Live>,
    certificates: Arc<CertificateStore>,
    clock: Clock,
    started_at: Timestamp,
    filter: Mutex<Filter>,
    plan: watch::Sender<Plan>,
    /// One reload waits for another.
    reloading: tokio::sync::Mutex<()>,
}

impl Engine {
    pub(super) fn new(
        origin: Origin,
        live: Arc<Live>,
        certificates: Arc<CertificateStore>,
        clock: Clock,
    ) -> Self {
        let filter = Mutex::new(live.config().log.level.clone());
        Self {
            origin,
            live,
            certificates,
            started_at: clock.now(),
            clock,
            filter,
            plan: watch::Sender::new(None),
            reloading: tokio::sync::Mutex::default(),
        }
    }

    /// Shows each plan for the end that is made.
    pub(super) fn plans(&self) -> watch::Receiver<Plan> {
        self.plan.subscribe()
    }

    /// Reloads because of a signal: what came of it goes into the log.
    pub(super) async fn hang_up(&self) {
        match self.reload().await {
            Ok(Reloaded {
                followed,
                restart,
                problems,
            }) => info!(?followed, ?restart, ?problems, "configuration reloaded"),
            Err(complaints) => {
                error!(%complaints, "configuration not reloaded, the one before stays in use");
            }
        }
    }

    async fn read_anew(&self) -> Result<Reloaded, String> {
        let _turn = self.reloading.lock().await;
        let (load, file) = (self.origin.load, self.origin.file.clone());
        let read = tokio::task::spawn_blocking(move || load(&file)).await;
        let new = read.map_err(|failure| failure.to_string())?;
        let new = new.map_err(|errors| errors.to_string())?;
        let revision = self.live.config().revise(&new);
        let mut reloaded = Reloaded {
            followed: revision.followed,
            restart: revision.restart,
            problems: Vec::new(),
        };
        let config = Arc::new(revision.config);
        let (certificates, now) = (Arc::clone(&self.certificates), self.clock.now());
        let read = Arc::clone(&config);
        let work = move || {
            let sources = super::certificates::sources(&read, now)?;
            Ok::<_, crate::net::tls::TlsError>(certificates.reload_from(sources))
        };
        let report = tokio::task::spawn_blocking(work).await;
        let report = report.map_err(|failure| failure.to_string())?;
        // Before anything else: without its certificate the rest is not followed either.
        add(&mut reloaded, &report.map_err(|error| error.to_string())?);
        let other_filter = *lock(&self.filter) != config.log.level;
        if other_filter && let Err(problem) = self.set_log_filter(config.log.level.clone()) {
            reloaded.problems.push(problem);
        }
        self.live.set(config);
        Ok(reloaded)
    }
}

impl Machinery for Engine {
    fn started_at(&self) -> Timestamp {
        self.started_at
    }

    fn certificates(&self) -> Vec<CertificateView> {
        let all = self.certificates.status(self.clock.now());
        let view = all.into_iter().map(|it| CertificateView {
            file: it.files.certificate.display().to_string(),
            names: it.names,
            hosts: it.hosts,
            hosts_not_covered: it.hosts_not_covered,
            not_after: it.not_after,
            days_left: it.days_left,
        });
        view.collect()
    }

    fn reload_certificates(&self) -> BoxFuture<'_, Result<Reloaded, String>> {
        Box::pin(async {
            let certificates = Arc::clone(&self.certificates);
            let done = tokio::task::spawn_blocking(move || certificates.reload()).await;
            let mut reloaded = Reloaded::default();
            add(&mut reloaded, &done.map_err(|failure| failure.to_string())?);
            Ok(reloaded)
        })
    }

    fn reload(&self) -> BoxFuture<'_, Result<Reloaded, String>> {
        Box::pin(self.read_anew())
    }

    fn log_filter(&self) -> Filter {
        lock(&self.filter).clone()
    }

    fn set_log_filter(&self, filter: Filter) -> Result<(), String> {
        let log = self.origin.log.as_ref();
        let log = log.ok_or_else(|| "the log is not this server's own".to_owned())?;
        log.set_filter(&filter).map_err(|error| error.to_string())?;
        *lock(&self.filter) = filter;
        Ok(())
    }

    fn end(&self, ending: Ending, after: Duration) {
        info!(?ending, ?after, "the end is planned");
        self.plan.send_replace(Some((ending, after)));
    }
}

fn add(reloaded: &mut Reloaded, report: &ReloadReport) {
    reload::log(report);
    let changed = report.changed.iter();
    reloaded
        .followed
        .extend(changed.map(|file| file.display().to_string()));
    let problems = report.problems.iter();
    reloaded.problems.extend(problems.map(ToString::to_string));
}

fn lock(filter: &Mutex<Filter>) -> std::sync::MutexGuard<'_, Filter> {
    filter.lock().unwrap_or_else(PoisonError::into_inner)
}
