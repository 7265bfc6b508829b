//! The configuration that rustls takes: versions, client certificates, ALPN, resumption.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{
    ResolvesServerCert, ServerSessionMemoryCache, StoresServerSessions, WebPkiClientVerifier,
};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::client::Anybody;
use super::resolver::CertificateStore;
use super::{TlsError, pem};
use crate::config::TlsVersion;

/// What is asked of clients. A certificate is never required: who has none uses a password.
#[derive(Clone, Debug)]
pub enum ClientCertificates {
    /// Not asked for.
    None,
    /// Asked for, and verified against these authorities (SASL EXTERNAL, XEP-0178). A
    /// certificate of any other authority ends the handshake.
    Accept(Arc<RootCertStore>),
    /// Asked for, and any is taken: whoever needs to know what it is worth asks afterwards
    /// ([`super::trust::Trust`]). For other servers.
    Any,
}

impl ClientCertificates {
    /// Accepts what the authorities in a PEM file have signed. Blocks on the disk.
    ///
    /// # Errors
    /// When the file cannot be read or holds no usable authority.
    pub fn accept(authorities: &Path) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in pem::certificates(authorities)? {
            roots
                .add(certificate)
                .map_err(|e| TlsError::BadCertificate {
                    path: authorities.into(),
                    cause: e.to_string(),
                })?;
        }
        Ok(Self::Accept(Arc::new(roots)))
    }
}

/// What is spoken inside TLS, as a client may name it by ALPN (RFC 7301). A client that names
/// nothing is served; one that names only other protocols is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Application {
    /// `xmpp-client` (XEP-0368 §4); for STARTTLS as for direct TLS.
    XmppClient,
    /// `xmpp-server` (XEP-0368 §4).
    XmppServer,
    /// HTTP/1.1, which WebSocket (RFC 7395) begins as.
    Http,
}

impl Application {
    pub(super) fn protocols(self) -> Vec<Vec<u8>> {
        let name: &[u8] = match self {
            Self::XmppClient => b"xmpp-client",
            Self::XmppServer => b"xmpp-server",
            Self::Http => b"http/1.1",
        };
        vec![name.to_vec()]
    }
}

/// TLS 1.2 and 1.3 (RFC 7590 §3.1 with RFC 9325), certificates from `store`, which may be
/// reloaded at any time.
///
/// # Errors
/// When the authorities of clients cannot be used.
pub fn server_config(
    store: &Arc<CertificateStore>,
    clients: &ClientCertificates,
    application: Application,
    oldest: TlsVersion,
) -> Result<Arc<ServerConfig>, TlsError> {
    let setup = |cause: String| TlsError::Setup(cause);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions(oldest))
        .map_err(|e| setup(e.to_string()))?;
    let builder = match clients {
        ClientCertificates::None => builder.with_no_client_auth(),
        ClientCertificates::Accept(roots) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|e| setup(e.to_string()))?,
        ),
        ClientCertificates::Any => builder.with_client_cert_verifier(Arc::new(Anybody::new())),
    };
    let resolver: Arc<dyn ResolvesServerCert> = Arc::<CertificateStore>::clone(store);
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = application.protocols();
    config.session_storage = Arc::new(Sessions::new(store));
    // One ticket is enough for the one connection a client opens after this one.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// The versions from the oldest allowed on.
pub(super) fn versions(oldest: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    static FROM_1_2: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];
    static FROM_1_3: [&SupportedProtocolVersion; 1] = [&version::TLS13];
    match oldest {
        TlsVersion::Tls12 => &FROM_1_2,
        TlsVersion::Tls13 => &FROM_1_3,
    }
}

/// Sessions that clients may resume, kept here and not in tickets, so that they end with the
/// certificates they began under: a resumed session shows no certificate, its client holds
/// the one of the first handshake, and the channel binding of another would differ.
///
/// Each configuration has its own, or a client certificate verified by the authorities of
/// one would be taken over into another.
#[derive(Debug)]
struct Sessions {
    cache: Arc<ServerSessionMemoryCache>,
    store: Arc<CertificateStore>,
}

/// A session takes about 200 bytes, more with a client certificate.
const SESSIONS_MAX: usize = 4_096;

impl Sessions {
    fn new(store: &Arc<CertificateStore>) -> Self {
        Self {
            cache: ServerSessionMemoryCache::new(SESSIONS_MAX),
            store: Arc::clone(store),
        }
    }

    /// What was put in under an earlier generation is not found any more, and makes room
    /// as it grows old.
    fn key(&self, key: &[u8]) -> Vec<u8> {
        [&self.store.generation().to_be_bytes(), key].concat()
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.cache.put(self.key(&key), value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.cache.get(&self.key(key))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.cache.take(&self.key(key))
    }

    fn can_cache(&self) -> bool {
        self.cache.can_cache()
    }
}
