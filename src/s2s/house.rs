//! What the machine of an incoming stream sees of the server around it and of its connection.

use tokio_rustls::rustls::pki_types::CertificateDer;

use super::Federation;
use super::receiving::Surroundings;
use crate::peer::Connection;

/// The server, and the certificates that the other server has shown.
pub(super) struct House<'a> {
    pub(super) federation: &'a Federation,
    pub(super) chain: &'a [CertificateDer<'static>],
}

impl Surroundings for House<'_> {
    fn serves(&self, domain: &str) -> bool {
        self.federation.serves(domain)
    }

    fn permits(&self, domain: &str) -> bool {
        self.federation.config.s2s.permits(domain)
    }

    fn certificate(&self, domain: &str) -> Result<(), String> {
        let now = self.federation.clock.now();
        let judged = self.federation.trust.judge(self.chain, domain, now);
        judged.map_err(|distrust| distrust.to_string())
    }

    fn stream_id(&self) -> String {
        crate::id::random()
    }
}

/// The certificates that the peer has shown; none without TLS.
pub(super) fn chain(connection: &Connection) -> Vec<CertificateDer<'static>> {
    let shown = connection.tls().and_then(|tls| {
        let (_, state) = tls.get_ref();
        state.peer_certificates()
    });
    shown.map(<[_]>::to_vec).unwrap_or_default()
}
