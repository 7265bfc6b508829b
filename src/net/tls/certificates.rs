//! Certificate chain and key from files, as certbot writes them.
//!
//! A pair that is wrong in itself is an error; one that has expired is not, for a server
//! that refuses to start helps nobody: it is loaded, and its validity stands in the status.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, InconsistentKeys};

use super::leaf::Leaf;
use super::{TlsError, pem};

/// More entries than this in a `directory` are taken for a wrong path.
pub const DIRECTORY_ENTRIES_MAX: usize = 10_000;

/// The two files that belong together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PemFiles {
    /// The leaf certificate first, then those that lead up to the authority.
    pub certificate: PathBuf,
    /// The private key of the leaf, without a passphrase.
    pub key: PathBuf,
}

impl PemFiles {
    /// `fullchain.pem` and `privkey.pem` in `directory`.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            certificate: directory.join("fullchain.pem"),
            key: directory.join("privkey.pem"),
        }
    }

    /// Every `<name>/fullchain.pem` with its `privkey.pem` below `directory`, in the order
    /// of the names: certbot's `live`. Other entries, such as its README, are passed over.
    ///
    /// # Errors
    /// When the directory cannot be listed, or holds over [`DIRECTORY_ENTRIES_MAX`].
    pub fn below(directory: &Path) -> Result<Vec<Self>, TlsError> {
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => TlsError::Missing {
                path: directory.into(),
            },
            _ => TlsError::Unreadable {
                path: directory.into(),
                source,
            },
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            if found.len() == DIRECTORY_ENTRIES_MAX {
                return Err(TlsError::DirectoryTooLarge {
                    path: directory.into(),
                });
            }
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() {
                found.push(Self::in_directory(&path));
            }
        }
        found.retain(|files| files.certificate.exists());
        found.sort();
        Ok(found)
    }
}

/// A certificate that can be served.
#[derive(Debug)]
pub struct ServerCertificate {
    /// Where it came from.
    pub files: PemFiles,
    /// What the leaf says.
    pub leaf: Leaf,
    /// Chain and key in the form that rustls takes.
    pub certified: Arc<CertifiedKey>,
}

impl ServerCertificate {
    /// Reads both files and checks that the key belongs to the leaf. Blocks on the disk.
    ///
    /// # Errors
    /// See [`TlsError`]; the text names the file and the fix.
    pub fn load(files: &PemFiles) -> Result<Self, TlsError> {
        let chain = pem::certificates(&files.certificate)?;
        let key = pem::private_key(&files.key)?;
        let bad_certificate = |cause: String| TlsError::BadCertificate {
            path: files.certificate.clone(),
            cause,
        };
        let bad_key = |cause: String| TlsError::BadKey {
            path: files.key.clone(),
            cause,
        };
        let leaf = match chain.first() {
            Some(der) => Leaf::read(der).map_err(bad_certificate)?,
            None => return Err(bad_certificate("empty chain".to_owned())),
        };
        let signing_key = aws_lc_rs::default_provider()
            .key_provider
            .load_private_key(key)
            .map_err(|e| bad_key(e.to_string()))?;
        let certified = CertifiedKey::new(chain, signing_key);
        match certified.keys_match() {
            Ok(()) => {}
            Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                return Err(TlsError::KeyMismatch {
                    certificate: files.certificate.clone(),
                    key: files.key.clone(),
                });
            }
            // A key that cannot tell its public half cannot be checked, and we load none such.
            Err(rustls::Error::InconsistentKeys(_)) => {
                return Err(bad_key("its public half is not known".to_owned()));
            }
            Err(other) => return Err(bad_certificate(other.to_string())),
        }
        Ok(Self {
            files: files.clone(),
            leaf,
            certified: Arc::new(certified),
        })
    }

    /// Whether both hold the same leaf, byte for byte.
    pub(super) fn same_leaf(&self, other: &Self) -> bool {
        self.certified.cert.first() == other.certified.cert.first()
    }
}
