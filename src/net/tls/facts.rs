//! What a finished handshake tells the layers above: channel bindings and who the client is.

use tokio_rustls::rustls::{ProtocolVersion, ServerConnection};

use super::identity;
use super::resolver::CertificateStore;
use crate::proto::jid::BareJid;

/// The version that was agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// Facts about one established connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// The version that was agreed on.
    pub version: TlsVersion,
    /// The channel binding `tls-exporter` (RFC 9266 §4.2). Only with TLS 1.3: before, it binds
    /// nothing without the extended master secret, which rustls does not tell of.
    pub exporter: Option<[u8; 32]>,
    /// The channel binding `tls-server-end-point` (RFC 5929 §4) of the certificate shown.
    pub server_end_point: Option<Vec<u8>>,
    /// The addresses in the client's verified certificate (XEP-0178 §2); empty without one.
    pub client_identities: Vec<BareJid>,
}

impl TlsFacts {
    /// To be taken right after the handshake, before a byte is read: the certificate shown is
    /// found by asking `store` again for the name that the client asked for. (Should a
    /// reload fall between the two, the binding fails once, and the client tries again.)
    ///
    /// `None` while the handshake is not finished.
    #[must_use]
    pub fn of(connection: &ServerConnection, store: &CertificateStore) -> Option<Self> {
        if connection.is_handshaking() {
            return None;
        }
        let version = match connection.protocol_version()? {
            ProtocolVersion::TLSv1_3 => TlsVersion::Tls13,
            _ => TlsVersion::Tls12,
        };
        let exporter = match version {
            TlsVersion::Tls12 => None,
            TlsVersion::Tls13 => connection
                .export_keying_material([0; 32], EXPORTER_LABEL, Some(b""))
                .ok(),
        };
        let shown = store.find(connection.server_name());
        let client = connection.peer_certificates().and_then(<[_]>::first);
        Some(Self {
            version,
            exporter,
            server_end_point: shown.leaf.server_end_point.clone(),
            client_identities: client.map(|der| identity::of(der)).unwrap_or_default(),
        })
    }
}

const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";
