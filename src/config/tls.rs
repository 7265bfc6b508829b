//! `[tls]`: certificates.

use std::path::PathBuf;

use super::section::{section, words};
use super::units::Seconds;

section! {
    /// Certificates. A host is served by its own certificate (`[[host]]`), else by the one named
    /// here, else by the one in the directory that names it, else by the first that there is.
    /// Where none is configured at all, a self-signed one is made in data_dir.
    pub struct Tls {
        /// A certificate with its chain for every host without an own one, PEM.
        certificate: Option<PathBuf> = None;
        /// The certificate's private key, PEM.
        key: Option<PathBuf> = None;
        /// A folder with one folder per domain that holds fullchain.pem and privkey.pem, as
        /// certbot writes them (/etc/letsencrypt/live).
        directory: Option<PathBuf> = None;
        /// Authorities whose client certificates may log in (SASL EXTERNAL, XEP-0178), PEM.
        /// Empty: client certificates are not asked for.
        client_ca: Option<PathBuf> = None;
        /// How often the files are looked at for a renewed certificate; 0 for never (SIGHUP
        /// always works). Renewal leaves weeks of time, looking costs nothing.
        reload_seconds: Seconds = Seconds::new(60), in Seconds::new(0)..=Seconds::new(86_400);
        /// The oldest version of TLS that is spoken. "1.2" still serves every client that is
        /// maintained, with forward secrecy; nothing older is spoken at all.
        min_version: TlsVersion = TlsVersion::Tls12;
    }
}

words! {
    /// A version of TLS.
    pub enum TlsVersion {
        /// RFC 5246.
        Tls12 = "1.2",
        /// RFC 8446.
        Tls13 = "1.3",
    }
}
