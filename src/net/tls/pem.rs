//! PEM files (RFC 7468) to certificates and keys: the only file that uses `rustls-pemfile`.
//!
//! That crate is archived upstream (RUSTSEC-2025-0134); it is a thin face of the parser in
//! `rustls-pki-types`, which is maintained. `deny.toml` records the exception.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;

/// A chain of a dozen certificates takes 30 KiB and a file of all public authorities 250.
pub(super) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Every certificate of the file in its order, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let found = rustls_pemfile::certs(&mut text.as_slice())
        .collect::<Result<Vec<_>, io::Error>>()
        .map_err(|source| not_pem(path, source))?;
    if found.is_empty() {
        return Err(TlsError::NoCertificate { path: path.into() });
    }
    Ok(found)
}

/// The first private key of the file: PKCS#8, SEC1 or PKCS#1.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    let found = rustls_pemfile::private_key(&mut text.as_slice())
        .map_err(|source| not_pem(path, source))?;
    found.ok_or_else(|| {
        let path = path.to_path_buf();
        if encrypted(&text) {
            TlsError::EncryptedKey { path }
        } else {
            TlsError::NoKey { path }
        }
    })
}

/// PKCS#8 says it in the label, the older OpenSSL forms in a header line.
fn encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => TlsError::Missing { path: path.into() },
        _ => TlsError::Unreadable {
            path: path.into(),
            source,
        },
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > FILE_BYTES_MAX) {
        return Err(TlsError::TooLarge { path: path.into() });
    }
    Ok(text)
}

fn not_pem(path: &Path, source: io::Error) -> TlsError {
    TlsError::NotPem {
        path: path.into(),
        source,
    }
}
