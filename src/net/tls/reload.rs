//! New certificates without a restart: files are looked at every few seconds.
//!
//! Polling, not the operating system's notifications: certbot replaces a symbolic link in
//! one folder that points into another, container platforms swap a link to a whole folder,
//! and network file systems notify of nothing. A watch on the file that was opened first
//! misses all three; asking for its identity does not, and a handful of `stat` calls every
//! ten seconds is nothing. A certificate is renewed weeks before it ends, so seconds
//! do not matter either.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::certificates::PemFiles;
use super::resolver::{CertificateSources, CertificateStore, ReloadReport};

/// How often files are looked at when the configuration does not say.
pub const INTERVAL_DEFAULT: Duration = Duration::from_secs(10);

/// Polls until `stop`, logging what each reload did. The task itself never ends by an error.
///
/// Cancellation safe: a reload that has begun runs to its end on the blocking pool.
pub async fn watch(store: Arc<CertificateStore>, interval: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(interval.max(INTERVAL_MIN));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let polled = Arc::clone(&store);
        match tokio::task::spawn_blocking(move || polled.poll()).await {
            Ok(None) => {}
            Ok(Some(report)) => log(&report),
            Err(failure) => error!(%failure, "certificate reload broke off"),
        }
    }
}

/// Writes what a reload did to the log; for SIGHUP as for [`watch`].
pub fn log(report: &ReloadReport) {
    for file in &report.changed {
        info!(file = %file.display(), "certificate loaded");
    }
    for problem in &report.problems {
        error!(%problem, "certificate not loaded, the one before stays in use");
    }
    if report.changed.is_empty() && report.problems.is_empty() {
        warn!("certificate files touched, certificates the same");
    }
}

/// What tells one version of the files from another, links followed to their end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fingerprints(BTreeMap<PathBuf, Option<Fingerprint>>);

#[derive(Debug, PartialEq, Eq)]
struct Fingerprint {
    device: u64,
    inode: u64,
    modified_s: i64,
    modified_ns: i64,
    bytes: u64,
}

impl Fingerprints {
    pub(super) fn take(sources: &CertificateSources) -> Self {
        let explicit = sources.hosts.iter().filter_map(|host| host.files.clone());
        // A directory that cannot be listed changes the result too, by its absent files.
        let found = sources
            .directory
            .as_deref()
            .and_then(|directory| PemFiles::below(directory).ok());
        let pairs = explicit
            .chain(sources.default.clone())
            .chain(found.into_iter().flatten());
        let files = pairs.flat_map(|pair| [pair.certificate, pair.key]);
        Self(
            files
                .map(|path| (path.clone(), fingerprint(&path)))
                .collect(),
        )
    }
}

fn fingerprint(path: &Path) -> Option<Fingerprint> {
    let metadata = fs::metadata(path).ok()?;
    Some(Fingerprint {
        device: metadata.dev(),
        inode: metadata.ino(),
        modified_s: metadata.mtime(),
        modified_ns: metadata.mtime_nsec(),
        bytes: metadata.size(),
    })
}

/// `tokio::time::interval` panics at zero, and polling faster serves nobody.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
