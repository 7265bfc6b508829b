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
use tracing::{error, info};

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
        info!("certificates are the same as before");
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::super::test_authority::TestAuthority;
    use super::*;

    /// The folder of one name as certbot lays it out: links into an archive.
    fn certbot(live: &Path, archive: &Path, version: u32) {
        fs::create_dir_all(live).unwrap();
        for kind in ["fullchain", "privkey"] {
            let link = live.join(format!("{kind}.pem"));
            let _ = fs::remove_file(&link);
            symlink(
                archive
                    .join(version.to_string())
                    .join(format!("{kind}.pem")),
                link,
            )
            .unwrap();
        }
    }

    #[test]
    fn a_swapped_link_is_a_change_and_an_untouched_file_is_none() {
        let root = TempDir::new().unwrap();
        let (live, archive) = (root.path().join("live"), root.path().join("archive"));
        let authority = TestAuthority::new("authority");
        for version in 1..=2 {
            let issued = authority.server(&["example.com"]);
            issued.write(&archive.join(version.to_string()));
        }
        certbot(&live.join("example.com"), &archive, 1);
        let sources = CertificateSources {
            directory: Some(live.clone()),
            ..CertificateSources::default()
        };
        let (store, problems) = CertificateStore::load(sources).unwrap();
        assert!(problems.is_empty());
        let before = store.find(Some("example.com"));
        assert!(store.poll().is_none());

        certbot(&live.join("example.com"), &archive, 2);
        let report = store.poll().unwrap();
        assert_eq!(report.changed, [live.join("example.com/fullchain.pem")]);
        assert!(report.problems.is_empty());
        assert!(!store.find(Some("example.com")).same_leaf(&before));
        assert!(store.poll().is_none());

        let link = live.join("example.com/fullchain.pem");
        let served = store.find(Some("example.com"));
        fs::remove_file(&link).unwrap();
        let report = store.poll().unwrap();
        assert_eq!((report.changed.len(), report.problems.len()), (0, 1));
        assert!(Arc::ptr_eq(&store.find(Some("example.com")), &served));
        certbot(&live.join("example.com"), &archive, 2);
        assert!(store.poll().unwrap().problems.is_empty());

        let issued = authority.server(&["example.net"]);
        issued.write(&live.join("example.net"));
        assert_eq!(
            store.poll().unwrap().changed,
            [live.join("example.net/fullchain.pem")]
        );
        assert!(store.find(Some("example.net")).leaf.covers("example.net"));
    }

    #[test]
    fn a_broken_file_is_reported_once_and_the_old_certificate_stays() {
        let root = TempDir::new().unwrap();
        let authority = TestAuthority::new("authority");
        let files = authority.server(&["example.com"]).write(root.path());
        let sources = CertificateSources {
            default: Some(files.clone()),
            ..CertificateSources::default()
        };
        let (store, _) = CertificateStore::load(sources).unwrap();
        let before = store.find(None);
        let renewed = authority.server(&["example.com"]);
        // The first is what a poll between the two writes of a renewal sees.
        for broken in [renewed.certificate.as_str(), "", "cut off"] {
            fs::write(&files.certificate, broken).unwrap();
            let report = store.poll().unwrap();
            assert_eq!((report.changed.len(), report.problems.len()), (0, 1));
            assert!(store.poll().is_none(), "reported once");
            assert!(Arc::ptr_eq(&store.find(None), &before));
        }
        fs::remove_file(&files.key).unwrap();
        assert_eq!(store.poll().unwrap().problems.len(), 1);
        assert!(Arc::ptr_eq(&store.find(None), &before));

        renewed.write(root.path());
        let report = store.poll().unwrap();
        assert_eq!(report.changed, [files.certificate]);
        assert!(report.problems.is_empty());
        assert!(!store.find(None).same_leaf(&before));
    }

    #[tokio::test(start_paused = true)]
    async fn the_watch_finds_a_change_by_itself_and_ends_when_told() {
        let root = TempDir::new().unwrap();
        let authority = TestAuthority::new("authority");
        let files = authority.server(&["example.com"]).write(root.path());
        let sources = CertificateSources {
            default: Some(files),
            ..CertificateSources::default()
        };
        let (store, _) = CertificateStore::load(sources).unwrap();
        let before = store.find(None);
        authority.server(&["example.com"]).write(root.path());
        let stop = CancellationToken::new();
        let ended = watch(Arc::clone(&store), INTERVAL_DEFAULT, stop.clone());
        let driver = async {
            while store.find(None).same_leaf(&before) {
                tokio::time::advance(INTERVAL_DEFAULT).await;
            }
            stop.cancel();
        };
        tokio::join!(ended, driver);
        assert!(store.poll().is_none());
    }
}
