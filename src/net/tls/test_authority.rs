//! For tests: an authority made on the spot, what it signs, and files of it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType, date_time_ymd,
};
use tokio_rustls::rustls::RootCertStore;

use super::certificates::PemFiles;

/// Signs whatever a test asks for.
pub(super) struct TestAuthority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both as PEM.
#[derive(Clone)]
pub(super) struct Issued {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl TestAuthority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(super) fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }

    /// For a server, valid from 1975 to 4096.
    pub(super) fn server(&self, names: &[&str]) -> Issued {
        self.server_until(names, 4096)
    }

    /// For a server, valid up to the beginning of a year.
    pub(super) fn server_until(&self, names: &[&str], year: i32) -> Issued {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params, &KeyPair::generate().unwrap())
    }

    /// For a person, with these `xmppAddr` entries.
    pub(super) fn client(&self, addresses: &[&str]) -> Issued {
        let mut params = CertificateParams::default();
        params.subject_alt_names = addresses.iter().map(|text| xmpp_addr(text)).collect();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&params, &KeyPair::generate().unwrap())
    }

    pub(super) fn issue(&self, params: &CertificateParams, key: &KeyPair) -> Issued {
        Issued {
            certificate: params.signed_by(key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Issued {
    /// Written as certbot names them.
    pub(super) fn write(&self, directory: &Path) -> PemFiles {
        fs::create_dir_all(directory).unwrap();
        let files = PemFiles::in_directory(directory);
        fs::write(&files.certificate, &self.certificate).unwrap();
        fs::write(&files.key, &self.key).unwrap();
        files
    }
}

pub(super) fn xmpp_addr(text: &str) -> SanType {
    SanType::OtherName((vec![1, 3, 6, 1, 5, 5, 7, 8, 5], text.into()))
}

pub(super) fn srv_name(text: &str) -> SanType {
    SanType::OtherName((vec![1, 3, 6, 1, 5, 5, 7, 8, 7], text.into()))
}
