//! The certificates of the server, and which of them a client is shown (RFC 6066 §3).
//!
//! The table of certificates is immutable and swapped as a whole, so a handshake never
//! sees half a reload and connections keep what they began with. A name is looked up in
//! this order: what the configuration says for the host; names inside the certificates,
//! first of those named in the configuration, then of those found in the directory, the
//! longest valid first; wildcards in the same order; the default. A client that asks for no
//! name, or for one that nobody has, is shown the default, which is the first host's.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::TlsError;
use super::certificates::{PemFiles, ServerCertificate};
use super::leaf::Validity;
use super::reload::Fingerprints;
use crate::clock::Timestamp;
use crate::net::dns::ascii_domain;

/// Where certificates come from, as the configuration has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateSources {
    /// `[tls] certificate, key`: for every host without an own one.
    pub default: Option<PemFiles>,
    /// The hosts served, the first of which gives the default.
    pub hosts: Vec<HostCertificate>,
    /// `[tls] directory`: `<name>/fullchain.pem` and `<name>/privkey.pem`, as in certbot's
    /// `live`; chosen by the names inside, whatever the folders are called.
    pub directory: Option<PathBuf>,
}

/// A host, and the files that the configuration names for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCertificate {
    /// The domain, in Unicode or ASCII form.
    pub domain: String,
    /// `[[host]] certificate, key`.
    pub files: Option<PemFiles>,
}

/// One certificate as `parlour check` and the metrics show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateStatus {
    /// Its files.
    pub files: PemFiles,
    /// DNS names, `SRVName` and `xmppAddr` in it.
    pub names: Vec<String>,
    /// The hosts that are served with it.
    pub hosts: Vec<String>,
    /// Those among `hosts` that it is not valid for: clients will refuse it there.
    pub hosts_not_covered: Vec<String>,
    /// Valid from.
    pub not_before: Timestamp,
    /// Valid until.
    pub not_after: Timestamp,
    /// Whole days until then, negative afterwards.
    pub days_left: i64,
    /// Whether it is valid now.
    pub validity: Validity,
}

/// What a reload did.
#[derive(Debug, Default)]
pub struct ReloadReport {
    /// Certificate files whose leaf is served from now on and was not before.
    pub changed: Vec<PathBuf>,
    /// Files that could not be used. Where they replaced a good certificate, that one is
    /// still served.
    pub problems: Vec<TlsError>,
}

/// All certificates of the server.
#[derive(Debug)]
pub struct CertificateStore {
    table: ArcSwap<Table>,
    /// What the table was read from. The lock makes one reload wait for another; handshakes
    /// never take it.
    origin: Mutex<Origin>,
    generation: AtomicU64,
}

#[derive(Debug)]
struct Origin {
    sources: CertificateSources,
    seen: Fingerprints,
}

impl CertificateStore {
    /// Reads all sources. Blocks on the disk. Beside the store come the entries of the
    /// directory that cannot be used, to be logged.
    ///
    /// # Errors
    /// When files that the configuration names cannot be used, or nothing is found.
    pub fn load(sources: CertificateSources) -> Result<(Arc<Self>, Vec<TlsError>), TlsError> {
        // Taken before reading: what changes in between is seen as a change later.
        let seen = Fingerprints::take(&sources);
        let mut problems = Vec::new();
        let table = Table::read(&sources, None, &mut problems)?;
        let store = Self {
            table: ArcSwap::from_pointee(table),
            origin: Mutex::new(Origin { sources, seen }),
            generation: AtomicU64::new(0),
        };
        Ok((Arc::new(store), problems))
    }

    /// Reads all sources again, for SIGHUP. Blocks on the disk. What cannot be read is
    /// reported, and the certificate that was there before is served on.
    pub fn reload(&self) -> ReloadReport {
        let mut origin = self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        self.reload_locked(&mut origin)
    }

    /// As [`Self::reload`], from other sources: the configuration has changed.
    pub fn reload_from(&self, sources: CertificateSources) -> ReloadReport {
        let mut origin = self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        origin.sources = sources;
        self.reload_locked(&mut origin)
    }

    /// Reloads if a file is not the one that was read last; `None` when all are.
    pub fn poll(&self) -> Option<ReloadReport> {
        let mut origin = self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        if Fingerprints::take(&origin.sources) == origin.seen {
            return None;
        }
        Some(self.reload_locked(&mut origin))
    }

    fn reload_locked(&self, origin: &mut Origin) -> ReloadReport {
        origin.seen = Fingerprints::take(&origin.sources);
        let mut report = ReloadReport::default();
        let before = self.table.load_full();
        match Table::read(&origin.sources, Some(&before), &mut report.problems) {
            Ok(after) => {
                report.changed = after.changes_since(&before);
                self.table.store(Arc::new(after));
                self.generation.fetch_add(1, Ordering::Release);
            }
            Err(problem) => report.problems.push(problem),
        }
        report
    }

    /// The certificate for the name a client asked for.
    #[must_use]
    pub fn find(&self, server_name: Option<&str>) -> Arc<ServerCertificate> {
        Arc::clone(self.table.load().find(server_name))
    }

    /// Every certificate, in the order of the files.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Vec<CertificateStatus> {
        let table = self.table.load();
        table
            .loaded
            .values()
            .map(|certificate| table.status(certificate, now))
            .collect()
    }

    /// How often the table has been swapped.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

impl ResolvesServerCert for CertificateStore {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let certificate = self.find(client_hello.server_name());
        Some(Arc::clone(&certificate.certified))
    }
}

/// Certificates by name.
#[derive(Debug)]
struct Table {
    loaded: BTreeMap<PemFiles, Arc<ServerCertificate>>,
    hosts: Vec<String>,
    by_name: HashMap<String, Arc<ServerCertificate>>,
    /// `example.com` for the wildcard `*.example.com`.
    by_parent: HashMap<String, Arc<ServerCertificate>>,
    default: Arc<ServerCertificate>,
}

impl Table {
    /// At start (`previous` is `None`) a named file that cannot be used is an error; later it
    /// is a problem, answered by what was loaded from the same files before.
    fn read(
        sources: &CertificateSources,
        previous: Option<&Self>,
        problems: &mut Vec<TlsError>,
    ) -> Result<Self, TlsError> {
        let mut loaded = BTreeMap::new();
        let mut load = |files: &PemFiles, problems: &mut Vec<TlsError>| {
            if let Some(known) = loaded.get(files) {
                return Some(Arc::clone(known));
            }
            let found = match ServerCertificate::load(files) {
                Ok(certificate) => Arc::new(certificate),
                Err(problem) => {
                    problems.push(problem);
                    Arc::clone(previous?.loaded.get(files)?)
                }
            };
            loaded.insert(files.clone(), Arc::clone(&found));
            Some(found)
        };

        let mut by_name = HashMap::new();
        let mut named = Vec::new();
        for host in &sources.hosts {
            if let Some(certificate) = host.files.as_ref().and_then(|f| load(f, problems)) {
                by_name.insert(ascii_domain(&host.domain), Arc::clone(&certificate));
                named.push(certificate);
            }
        }
        let default = sources.default.as_ref().and_then(|f| load(f, problems));
        named.extend(default.clone());
        if previous.is_none() && !problems.is_empty() {
            return Err(problems.swap_remove(0));
        }

        let mut found = Vec::new();
        for files in list(sources.directory.as_ref(), previous, problems) {
            found.extend(load(&files, problems));
        }
        found.sort_by_key(|certificate| std::cmp::Reverse(certificate.leaf.not_after));
        named.extend(found);

        let by_parent = index(&named, &mut by_name);
        let hosts: Vec<String> = sources
            .hosts
            .iter()
            .map(|h| ascii_domain(&h.domain))
            .collect();
        let default = hosts
            .first()
            .and_then(|host| lookup(&by_name, &by_parent, host))
            .cloned()
            .or(default)
            .or_else(|| named.first().cloned())
            // What is wrong with the folder says more than that nothing is in it.
            .ok_or_else(|| problems.pop().unwrap_or(TlsError::NothingToServe))?;
        Ok(Self {
            loaded,
            hosts,
            by_name,
            by_parent,
            default,
        })
    }

    fn find(&self, server_name: Option<&str>) -> &Arc<ServerCertificate> {
        server_name
            .and_then(|name| {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                lookup(&self.by_name, &self.by_parent, &name)
            })
            .unwrap_or(&self.default)
    }

    fn changes_since(&self, before: &Self) -> Vec<PathBuf> {
        self.loaded
            .iter()
            .filter(|(files, now)| {
                before
                    .loaded
                    .get(files)
                    .is_none_or(|then| !now.same_leaf(then))
            })
            .map(|(files, _)| files.certificate.clone())
            .collect()
    }

    fn status(&self, certificate: &Arc<ServerCertificate>, now: Timestamp) -> CertificateStatus {
        let leaf = &certificate.leaf;
        let hosts: Vec<String> = self
            .hosts
            .iter()
            .filter(|host| Arc::ptr_eq(self.find(Some(host)), certificate))
            .cloned()
            .collect();
        let hosts_not_covered = hosts
            .iter()
            .filter(|host| !leaf.covers(host))
            .cloned()
            .collect();
        let names = [&leaf.dns_names, &leaf.srv_names, &leaf.xmpp_addresses];
        CertificateStatus {
            files: certificate.files.clone(),
            names: names.into_iter().flatten().cloned().collect(),
            hosts,
            hosts_not_covered,
            not_before: leaf.not_before,
            not_after: leaf.not_after,
            days_left: leaf.days_left(now),
            validity: leaf.validity(now),
        }
    }
}

/// The pairs of the directory; those known before when it cannot be listed just now.
fn list(
    directory: Option<&PathBuf>,
    previous: Option<&Table>,
    problems: &mut Vec<TlsError>,
) -> Vec<PemFiles> {
    let Some(directory) = directory else {
        return Vec::new();
    };
    PemFiles::below(directory).unwrap_or_else(|problem| {
        problems.push(problem);
        let known = previous.into_iter().flat_map(|table| table.loaded.keys());
        known
            .filter(|files| files.certificate.starts_with(directory))
            .cloned()
            .collect()
    })
}

/// Enters every name of `named` that no earlier one has, and returns the wildcards.
fn index(
    named: &[Arc<ServerCertificate>],
    by_name: &mut HashMap<String, Arc<ServerCertificate>>,
) -> HashMap<String, Arc<ServerCertificate>> {
    let mut by_parent = HashMap::new();
    for certificate in named {
        let leaf = &certificate.leaf;
        let names = leaf.dns_names.iter().map(String::as_str);
        for name in names.chain(leaf.service_domains()) {
            let (table, key) = match name.strip_prefix("*.") {
                Some(parent) => (&mut by_parent, parent),
                None => (&mut *by_name, name),
            };
            table
                .entry(key.to_owned())
                .or_insert_with(|| Arc::clone(certificate));
        }
    }
    by_parent
}

fn lookup<'a>(
    by_name: &'a HashMap<String, Arc<ServerCertificate>>,
    by_parent: &'a HashMap<String, Arc<ServerCertificate>>,
    name: &str,
) -> Option<&'a Arc<ServerCertificate>> {
    by_name.get(name).or_else(|| {
        let (_, parent) = name.split_once('.')?;
        by_parent.get(parent)
    })
}

#[cfg(test)]
mod tests;
