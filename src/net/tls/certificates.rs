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
        // One of the two, or a link to nowhere, is enough: it is what a poll sees in the
        // middle of a renewal, and that must not look like a removal.
        found.retain(|files| {
            let lies_there = |path: &Path| fs::symlink_metadata(path).is_ok();
            lies_there(&files.certificate) || lies_there(&files.key)
        });
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
    use tempfile::TempDir;
    use x509_parser::asn1_rs::{Any, FromDer as _};

    use super::super::test_authority::{Issued, TestAuthority};
    use super::*;

    fn pem(label: &str, der: &[u8]) -> String {
        let body = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    /// PKCS#8 (RFC 5208 §5) is version, algorithm, and the key in its own older form.
    fn inside_pkcs8(key: &KeyPair) -> Vec<u8> {
        let (_, outer) = Any::from_der(key.serialized_der()).unwrap();
        let (rest, _version) = Any::from_der(outer.data).unwrap();
        let (rest, _algorithm) = Any::from_der(rest).unwrap();
        let (_, inner) = Any::from_der(rest).unwrap();
        inner.data.to_vec()
    }

    #[test]
    fn keys_are_read_in_every_form_in_use() {
        let root = TempDir::new().unwrap();
        let authority = TestAuthority::new("authority");
        let params = CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
        let ecdsa = KeyPair::generate().unwrap();
        let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        for (key, text) in [
            (&ecdsa, ecdsa.serialize_pem()),
            (&ecdsa, pem("EC PRIVATE KEY", &inside_pkcs8(&ecdsa))),
            (&rsa, rsa.serialize_pem()),
            (&rsa, pem("RSA PRIVATE KEY", &inside_pkcs8(&rsa))),
        ] {
            let mut issued = authority.issue(&params, key);
            issued.key = text;
            // What certbot's fullchain.pem holds: the leaf, then who signed it.
            issued.certificate.push_str(&authority.pem());
            let loaded = ServerCertificate::load(&issued.write(root.path())).unwrap();
            assert_eq!(loaded.certified.cert.len(), 2);
            assert_eq!(loaded.leaf.dns_names, ["example.com"]);
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_file_and_fix() {
        let authority = TestAuthority::new("authority");
        let good = authority.server(&["example.com"]);
        let other = authority.server(&["example.com"]);
        let text = |certificate: &str, key: &str| Issued {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        };
        let cut: String = good.certificate.chars().take(200).collect();
        let garbage = pem("CERTIFICATE", b"no certificate");
        let bad_key = pem("PRIVATE KEY", b"no key");
        let encrypted = pem("ENCRYPTED PRIVATE KEY", b"secret");
        let long = "x".repeat(1024 * 1024 + 1);
        for (files, file, says) in [
            (
                text(&good.certificate, &other.key),
                "fullchain.pem",
                "does not belong",
            ),
            (text("", &good.key), "fullchain.pem", "holds no certificate"),
            (
                text(&good.key, &good.key),
                "fullchain.pem",
                "holds no certificate",
            ),
            (text(&cut, &good.key), "fullchain.pem", "not valid PEM"),
            (
                text(&garbage, &good.key),
                "fullchain.pem",
                "bad certificate",
            ),
            (text(&long, &good.key), "fullchain.pem", "larger than"),
            (
                text(&good.certificate, ""),
                "privkey.pem",
                "holds no private key",
            ),
            (
                text(&good.certificate, &good.certificate),
                "privkey.pem",
                "holds no private key",
            ),
            (
                text(&good.certificate, &encrypted),
                "privkey.pem",
                "passphrase",
            ),
            (
                text(&good.certificate, &bad_key),
                "privkey.pem",
                "unusable private key",
            ),
        ] {
            let root = TempDir::new().unwrap();
            let problem = ServerCertificate::load(&files.write(root.path())).unwrap_err();
            let said = problem.to_string();
            let file = root.path().join(file).display().to_string();
            assert!(said.starts_with(&file) && said.contains(says), "{said}");
        }
        let root = TempDir::new().unwrap();
        let files = good.write(root.path());
        fs::remove_file(&files.key).unwrap();
        let problem = ServerCertificate::load(&files).unwrap_err();
        assert!(matches!(problem, TlsError::Missing { path } if path == files.key));
        fs::create_dir(&files.key).unwrap();
        let problem = ServerCertificate::load(&files).unwrap_err();
        assert!(matches!(problem, TlsError::Unreadable { path, .. } if path == files.key));
    }

    #[test]
    fn an_expired_certificate_is_loaded_all_the_same() {
        let root = TempDir::new().unwrap();
        let issued = TestAuthority::new("authority").server_until(&["example.com"], 2020);
        ServerCertificate::load(&issued.write(root.path())).unwrap();
    }
}
