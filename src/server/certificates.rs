//! Which certificates are loaded, by the order that `[tls]` promises.

use std::sync::Arc;

use tracing::warn;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::net::tls::TlsError;
use crate::net::tls::certificates::PemFiles;
use crate::net::tls::resolver::{CertificateSources, CertificateStore, HostCertificate};
use crate::net::tls::self_signed;

/// Loads the certificates; where none is configured, a self-signed one is made.
pub(super) fn load(config: &Config, now: Timestamp) -> Result<Arc<CertificateStore>, TlsError> {
    let (store, problems) = CertificateStore::load(sources(config, now)?)?;
    for problem in problems {
        warn!(%problem, "a certificate is left out");
    }
    Ok(store)
}

/// Where the configuration says that certificates are.
///
/// # Errors
/// When a self-signed one is needed and cannot be made.
pub(super) fn sources(config: &Config, now: Timestamp) -> Result<CertificateSources, TlsError> {
    let hosts: Vec<_> = config
        .hosts
        .iter()
        .map(|host| HostCertificate {
            domain: host.domain.as_str().to_owned(),
            files: pair(host.certificate.as_ref(), host.key.as_ref()),
        })
        .collect();
    let mut default = pair(config.tls.certificate.as_ref(), config.tls.key.as_ref());
    let all_own = hosts.iter().all(|host| host.files.is_some());
    if default.is_none() && config.tls.directory.is_none() && !all_own {
        let domains: Vec<String> = hosts.iter().map(|host| host.domain.clone()).collect();
        default = Some(self_signed::ensure(&config.data_dir, &domains, now)?);
    }
    Ok(CertificateSources {
        default,
        hosts,
        directory: config.tls.directory.clone(),
    })
}

fn pair(
    certificate: Option<&std::path::PathBuf>,
    key: Option<&std::path::PathBuf>,
) -> Option<PemFiles> {
    Some(PemFiles {
        certificate: certificate?.clone(),
        key: key?.clone(),
    })
}
