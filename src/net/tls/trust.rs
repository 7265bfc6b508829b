//! What is trusted of other servers' certificates: the path to an authority (RFC 5280 §6) and the names
//! (RFC 9525, RFC 6120 §13.7.1.2.1). Asked after the handshake, which takes any certificate: so the peer
//! can be told in its stream why it is not believed, or prove itself otherwise.
//!
//! Revocation is not checked.

use std::path::Path;
use std::time::Duration;

use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{Error, RootCertStore};

use super::leaf::Leaf;
use super::{TlsError, authorities as named};
use crate::clock::Timestamp;
use crate::net::dns::ascii_domain;

/// Why a certificate does not prove that a server is the one of a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// The peer has shown none.
    #[error("no certificate was shown")]
    None,
    /// It is for others.
    #[error("the certificate is for {0}")]
    OtherNames(String),
    /// It cannot be read, is not valid now, or no trusted authority has signed it.
    #[error("the certificate is not valid: {0}")]
    Invalid(String),
}

/// The authorities whose signatures are believed.
#[derive(Debug)]
pub struct Trust {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Trust {
    /// The authorities of a PEM file, or those of the operating system. Blocks on the disk.
    ///
    /// # Errors
    /// When the file cannot be read or holds none. A system without authorities is no error: then
    /// nobody is believed.
    pub fn load(authorities: Option<&Path>) -> Result<Self, TlsError> {
        let roots = match authorities {
            Some(path) => named::roots(path)?,
            None => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                roots
            }
        };
        Ok(Self::of(roots))
    }

    fn of(roots: RootCertStore) -> Self {
        Self {
            roots,
            algorithms: aws_lc_rs::default_provider().signature_verification_algorithms,
        }
    }

    /// How many authorities there are.
    #[must_use]
    pub fn authorities(&self) -> usize {
        self.roots.len()
    }

    /// Whether the chain that a peer has shown proves that it is the server of `domain`.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        domain: &str,
        now: Timestamp,
    ) -> Result<(), Distrust> {
        let (end, intermediates) = chain.split_first().ok_or(Distrust::None)?;
        let leaf = Leaf::read(end).map_err(Distrust::Invalid)?;
        self.path(end, intermediates, now)
            .map_err(|error| Distrust::Invalid(words(&error)))?;
        if names_server(&leaf, &ascii_domain(domain)) {
            Ok(())
        } else {
            Err(Distrust::OtherNames(names(&leaf)))
        }
    }

    /// RFC 5280 §6. A server that connects shows the certificate of a server, whichever side of TLS it
    /// is on: public authorities do not issue them for clients any more.
    fn path(
        &self,
        end: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(end)?;
        let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )
    }
}

/// RFC 9525 §6: a `dNSName` whose wildcard is the whole left-most label and stands for one label only, an
/// `SRVName` of the service for servers (RFC 6120 §13.7.1.2.1), an `xmppAddr` without a localpart, or
/// the IP address. The common name says nothing.
fn names_server(leaf: &Leaf, domain: &str) -> bool {
    let parent = domain.split_once('.').map(|(_, parent)| parent);
    let by_dns = |name: &String| match name.strip_prefix("*.") {
        Some(below) => parent == Some(below),
        None => name == domain,
    };
    let by_service = |name: &String| {
        SERVICES
            .iter()
            .any(|service| name.strip_prefix(service) == Some(domain))
    };
    let by_address = |name: &String| !name.contains(['@', '/']) && ascii_domain(name) == domain;
    leaf.dns_names.iter().any(by_dns)
        || leaf.srv_names.iter().any(by_service)
        || leaf.xmpp_addresses.iter().any(by_address)
        || domain
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|address| leaf.addresses.contains(&address))
}

const SERVICES: [&str; 2] = ["_xmpp-server.", "_xmpps-server."];

/// More names than this are not told.
const NAMES_TOLD: usize = 5;

fn names(leaf: &Leaf) -> String {
    let all = leaf
        .dns_names
        .iter()
        .chain(&leaf.srv_names)
        .chain(&leaf.xmpp_addresses);
    let told: Vec<&str> = all.map(String::as_str).take(NAMES_TOLD).collect();
    if told.is_empty() {
        "nobody".to_owned()
    } else {
        told.join(", ")
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(cause) => cause.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use tempfile::TempDir;

    use super::super::pem;
    use super::super::test_authority::{Issued, TestAuthority, srv_name, xmpp_addr};
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T00:00:00Z").unwrap()
    }

    fn chain(issued: &Issued) -> Vec<CertificateDer<'static>> {
        let folder = TempDir::new().unwrap();
        pem::certificates(&issued.write(folder.path()).certificate).unwrap()
    }

    fn trust(authority: &TestAuthority) -> Trust {
        Trust::of((*authority.roots()).clone())
    }

    // RFC 9525 §6, RFC 6120 §13.7.1.2.1
    #[test]
    fn a_certificate_names_its_server_in_these_ways_only() {
        let authority = TestAuthority::new("authority");
        let names = [
            "A.example",
            "*.b.example",
            "xn--bcher-kva.example",
            "192.0.2.1",
        ];
        let mut params = CertificateParams::new(names.map(str::to_owned).to_vec()).unwrap();
        params.subject_alt_names.extend([
            xmpp_addr("addr.example"),
            xmpp_addr("anna@person.example"),
            srv_name("_xmpp-server.srv.example"),
            srv_name("_xmpps-server.direct.example"),
            srv_name("_xmpp-client.clients.example"),
            srv_name("_imap.mail.example"),
        ]);
        let name = rcgen::DnType::CommonName;
        params.distinguished_name.push(name, "common.example");
        let issued = authority.issue(&params, &KeyPair::generate().unwrap());
        let (chain, trust) = (chain(&issued), trust(&authority));
        for (domain, expected) in [
            ("a.example", true),
            ("x.a.example", false),
            ("x.b.example", true),
            ("b.example", false),
            ("x.y.b.example", false),
            ("b\u{fc}cher.example", true),
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("addr.example", true),
            ("person.example", false),
            ("srv.example", true),
            ("direct.example", true),
            ("clients.example", false),
            ("mail.example", false),
            ("common.example", false),
        ] {
            let judged = trust.judge(&chain, domain, now());
            assert_eq!(judged.is_ok(), expected, "{domain}: {judged:?}");
        }
    }

    #[test]
    fn only_trusted_authorities_and_their_time_count() {
        let (authority, stranger) = (TestAuthority::new("one"), TestAuthority::new("two"));
        let trust = trust(&authority);
        let judge = |issued: &Issued| trust.judge(&chain(issued), "a.example", now());
        assert_eq!(judge(&authority.server(&["a.example"])), Ok(()));
        for (issued, says) in [
            (stranger.server(&["a.example"]), "not valid"),
            (authority.server_until(&["a.example"], 2026), "not valid"),
            (authority.server(&["b.example"]), "for b.example"),
            (authority.server(&[]), "for nobody"),
            (authority.client(&["a.example"]), "not valid"),
        ] {
            let said = judge(&issued).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
        assert_eq!(trust.judge(&[], "a.example", now()), Err(Distrust::None));
        let garbage = [CertificateDer::from(vec![1, 2, 3])];
        let judged = trust.judge(&garbage, "a.example", now());
        assert!(matches!(judged, Err(Distrust::Invalid(_))));
    }
}
