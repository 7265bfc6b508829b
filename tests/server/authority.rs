//! An authority made on the spot, what it signs, and clients that trust it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version,
};

use crate::house::certificate;

/// Signs whatever a test asks for.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key, both as PEM.
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(
            params,
            KeyPair::generate()?,
        )?))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// For a server.
    pub(crate) fn server(&self, name: &str) -> Result<Issued> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(&params)
    }

    /// For a person, with these `xmppAddr` entries (RFC 6120 §13.7.1.4).
    pub(crate) fn client(&self, addresses: &[&str]) -> Result<Issued> {
        const XMPP_ADDR: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 8, 5];
        let mut params = CertificateParams::default();
        let name = |text: &&str| SanType::OtherName((XMPP_ADDR.to_vec(), (*text).into()));
        params.subject_alt_names = addresses.iter().map(name).collect();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&params)
    }

    /// For whatever `params` say.
    pub(crate) fn issue(&self, params: &CertificateParams) -> Result<Issued> {
        let key = KeyPair::generate()?;
        Ok(Issued {
            certificate: params.signed_by(&key, &self.0)?.pem(),
            key: key.serialize_pem(),
        })
    }
}

impl Issued {
    /// Written as two files, each replaced as a whole.
    pub(crate) fn write(&self, certificate: &Path, key: &Path) -> Result<()> {
        for (path, text) in [(key, &self.key), (certificate, &self.certificate)] {
            let new = path.with_extension("new");
            std::fs::write(&new, text)?;
            std::fs::rename(new, path)?;
        }
        Ok(())
    }

    pub(crate) fn der(&self) -> Result<CertificateDer<'static>> {
        Ok(CertificateDer::from_pem_slice(self.certificate.as_bytes())?)
    }
}

/// TLS as most clients have it.
pub(crate) const ANY: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

/// A client that trusts `authority` and shows `own`.
pub(crate) fn client(
    authority: &str,
    own: Option<&Issued>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(root?)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)?
        .with_root_certificates(roots);
    Ok(Arc::new(match own {
        Some(own) => builder.with_client_auth_cert(
            vec![own.der()?],
            PrivateKeyDer::from_pem_slice(own.key.as_bytes())?,
        )?,
        None => builder.with_no_client_auth(),
    }))
}

/// A server that shows `own`.
pub(crate) fn serving(own: &Issued) -> Result<Arc<ServerConfig>> {
    let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes())?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(ANY)?
        .with_no_client_auth();
    Ok(Arc::new(builder.with_single_cert(vec![own.der()?], key)?))
}

/// The authority of the certificate that lies in the repository.
pub(crate) fn repository_authority() -> Result<String> {
    Ok(std::fs::read_to_string(certificate("authority.pem"))?)
}
