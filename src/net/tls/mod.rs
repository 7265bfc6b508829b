//! TLS for every listener (RFC 6120 §5 and §13.7, RFC 7590, XEP-0368).
//!
//! [`resolver::CertificateStore`] holds the certificates and chooses by the name that the
//! client asks for, [`reload`] swaps them while connections live on,
//! [`server::server_config`] makes of it what rustls wants, and [`facts::TlsFacts`] is what
//! a finished handshake tells the SASL layer. [`self_signed`] makes a certificate for the
//! first run.
//!
//! [`client::connector`] is the other side, towards other servers, and [`trust::Trust`] what is believed of
//! their certificates.
//!
//! Not here: sockets, STARTTLS, ACME (certbot and its kin write files, which are watched).

pub mod certificates;
pub mod client;
pub mod facts;
pub mod identity;
pub mod leaf;
mod pem;
pub mod reload;
pub mod resolver;
pub mod self_signed;
pub mod server;
pub mod trust;

#[cfg(test)]
mod handshake_tests;
#[cfg(test)]
mod test_authority;

use std::io;
use std::path::PathBuf;

/// What is wrong with the files that TLS is made from. Each text names the file and what
/// to do about it, for `parlour check` and the log print it as it is.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is no such file.
    #[error("{}: no such file; correct the path in [tls], or put the file there", path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
    },
    /// The file is there, and the operating system does not let us read it.
    #[error("{}: cannot be read ({source}); let the user that runs parlour read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The file is over 1 MiB.
    #[error("{}: larger than {} bytes; this is no PEM file of certificates", path.display(), pem::FILE_BYTES_MAX)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// A PEM section does not end, or is no base64.
    #[error("{}: not valid PEM ({source}); write the file again", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
        /// What the parser stumbled over.
        source: io::Error,
    },
    /// The file holds no `CERTIFICATE` section.
    #[error("{}: holds no certificate; a file beginning with -----BEGIN CERTIFICATE----- is needed, such as certbot's fullchain.pem", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no private key section.
    #[error("{}: holds no private key; a file with -----BEGIN PRIVATE KEY----- is needed, such as certbot's privkey.pem", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The private key is protected by a passphrase, which nobody is there to type.
    #[error("{0}: the private key has a passphrase; remove it with `openssl pkcs8 -in {0} -out <new file>`", path.display())]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The first certificate of the file is not one of X.509 version 3.
    #[error("{}: bad certificate ({cause}); have it issued again", path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// The key is of a kind that TLS here does not sign with.
    #[error("{}: unusable private key ({cause}); use ECDSA (P-256, P-384), Ed25519, or RSA from 2048 bits", path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// The two files were not made for each other.
    #[error("{}: the private key in {} does not belong to this certificate; name the pair that was issued together", certificate.display(), key.display())]
    KeyMismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// More entries than one server is meant to hold.
    #[error("{}: more than {} entries; name another `directory` in [tls]", path.display(), certificates::DIRECTORY_ENTRIES_MAX)]
    DirectoryTooLarge {
        /// The directory.
        path: PathBuf,
    },
    /// Neither a pair of files nor a directory gave a certificate.
    #[error(
        "no certificate to serve; set `certificate` and `key` in [tls], or a `directory` that holds some"
    )]
    NothingToServe,
    /// A file of ours lies where one that we did not make already is.
    #[error("{}: is in the way, and not a certificate that parlour made; name it in [tls] or move it away", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A certificate of our own could not be made.
    #[error("cannot make a self-signed certificate for {domains}: {cause}")]
    SelfSigned {
        /// The names that it was to be for.
        domains: String,
        /// Why not.
        cause: String,
    },
    /// A file could not be written.
    #[error("{}: cannot be written ({source}); let the user that runs parlour write there", path.display())]
    Unwritable {
        /// The file or its directory.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// rustls refused the configuration as a whole.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// Names the one cryptographic provider of the process, for the libraries that ask rustls
/// for "the" provider. To be called once at start; a second call changes nothing.
pub fn install_provider() {
    // Refused only when one is installed already, and then there is one, which is the point.
    let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
}
