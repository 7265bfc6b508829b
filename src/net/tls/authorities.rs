//! Whom this server trusts when it is the client: authorities that the operator names.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{TlsError, pem};

/// Connects to what shows a certificate of the authorities in a PEM file, and of no other, that
/// names whom the connection is for. Blocks on the disk.
///
/// # Errors
/// When the file cannot be read or holds no usable authority.
pub fn client_config(authorities: &Path) -> Result<ClientConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Setup(error.to_string()))?;
    let roots = roots(authorities)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The authorities in a PEM file.
pub(super) fn roots(authorities: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in pem::certificates(authorities)? {
        roots
            .add(certificate)
            .map_err(|e| TlsError::BadCertificate {
                path: authorities.into(),
                cause: e.to_string(),
            })?;
    }
    Ok(roots)
}
