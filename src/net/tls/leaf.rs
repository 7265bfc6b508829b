//! What is read out of a leaf certificate (RFC 5280): names, validity, channel binding.
//!
//! Names are the subject alternative names that RFC 6120 §13.7.1.2 gives a meaning: DNS
//! names, `SRVName` (RFC 4985) and `xmppAddr`. The common name is not read; no client in
//! use accepts a certificate by it any more. Nothing is verified here.

use std::net::IpAddr;

use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use x509_parser::asn1_rs::Any;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::signature_algorithm::SignatureAlgorithm;

use crate::clock::Timestamp;

/// A leaf certificate, as far as the server is concerned with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// `dNSName` entries in lower case, the ones with `*.` in front among them.
    pub dns_names: Vec<String>,
    /// `id-on-xmppAddr` entries (RFC 6120 §13.7.1.4) as written.
    pub xmpp_addresses: Vec<String>,
    /// `id-on-dnsSRV` entries such as `_xmpp-client.example.com`, in lower case.
    pub srv_names: Vec<String>,
    /// `iPAddress` entries.
    pub addresses: Vec<IpAddr>,
    /// Valid from this moment on.
    pub not_before: Timestamp,
    /// Valid up to and including this moment.
    pub not_after: Timestamp,
    /// The channel binding `tls-server-end-point` (RFC 5929 §4.1): the hash of the whole
    /// certificate. `None` where the signature has no single hash (Ed25519), for which the
    /// binding is not defined.
    pub server_end_point: Option<Vec<u8>>,
}

/// Where a moment lies against a certificate's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Before `not_before`: the clock is wrong or the certificate was issued ahead.
    NotYet,
    /// Inside.
    Valid,
    /// After `not_after`; clients refuse the connection.
    Expired,
}

impl Leaf {
    /// Reads the DER form of a certificate.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn read(der: &[u8]) -> Result<Self, String> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|e| e.to_string())?;
        let validity = certificate.validity();
        let seconds = |seconds: i64| Timestamp::from_micros(0).plus_seconds(seconds);
        let mut leaf = Self {
            dns_names: Vec::new(),
            xmpp_addresses: Vec::new(),
            srv_names: Vec::new(),
            addresses: Vec::new(),
            not_before: seconds(validity.not_before.timestamp()),
            not_after: seconds(validity.not_after.timestamp()),
            server_end_point: server_end_point(&certificate, der),
        };
        let names = certificate
            .subject_alternative_name()
            .map_err(|e| e.to_string())?;
        for name in names.iter().flat_map(|found| &found.value.general_names) {
            leaf.add(name);
        }
        Ok(leaf)
    }

    fn add(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.dns_names.push(name.to_ascii_lowercase()),
            GeneralName::IPAddress(octets) => self.addresses.extend(ip_address(octets)),
            GeneralName::OtherName(oid, value) => match oid.to_id_string().as_str() {
                ID_ON_XMPP_ADDR => self.xmpp_addresses.extend(other_name_text(value)),
                ID_ON_DNS_SRV => self
                    .srv_names
                    .extend(other_name_text(value).map(|name| name.to_ascii_lowercase())),
                _ => {}
            },
            _ => {}
        }
    }

    /// Whether a client that connects for `domain` may accept the certificate: RFC 6120
    /// §13.7.2.1, RFC 6125 §6.4 (a wildcard stands for exactly the left-most label).
    #[must_use]
    pub fn covers(&self, domain: &str) -> bool {
        let wildcard = domain.split_once('.').map(|(_, parent)| parent);
        self.dns_names
            .iter()
            .any(|name| match name.strip_prefix("*.") {
                Some(parent) => wildcard == Some(parent),
                None => name == domain,
            })
            || self.service_domains().any(|name| name == domain)
            || domain
                .parse()
                .is_ok_and(|address: IpAddr| self.addresses.contains(&address))
    }

    /// The domains named by `SRVName` of an XMPP service or by an `xmppAddr` without a
    /// localpart.
    pub(super) fn service_domains(&self) -> impl Iterator<Item = &str> {
        let srv = self.srv_names.iter().filter_map(|name| {
            SRV_SERVICES
                .iter()
                .find_map(|service| name.strip_prefix(service))
        });
        let xmpp = self.xmpp_addresses.iter().map(String::as_str);
        srv.chain(xmpp.filter(|address| !address.contains(['@', '/'])))
    }

    /// Where `now` lies against the validity.
    #[must_use]
    pub fn validity(&self, now: Timestamp) -> Validity {
        if now < self.not_before {
            Validity::NotYet
        } else if now > self.not_after {
            Validity::Expired
        } else {
            Validity::Valid
        }
    }

    /// Whole days until `not_after`; negative once it has passed.
    #[must_use]
    pub const fn days_left(&self, now: Timestamp) -> i64 {
        self.not_after.seconds_since(now).div_euclid(86_400)
    }
}

/// RFC 5929 §4.1: the hash of the signature algorithm, but never MD5 or SHA-1.
fn server_end_point(certificate: &X509Certificate<'_>, der: &[u8]) -> Option<Vec<u8>> {
    let algorithm = &certificate.signature_algorithm;
    let oid = match SignatureAlgorithm::try_from(algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(params)) => params.hash_algorithm_oid().to_id_string(),
        _ => algorithm.algorithm.to_id_string(),
    };
    match oid.as_str() {
        // MD5 and SHA-1, with RSA, DSA, ECDSA, and as the hash of RSASSA-PSS.
        "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.2.840.10040.4.3"
        | "1.2.840.10045.4.1" | "1.3.14.3.2.26"
        // SHA-256 of each kind.
        | "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" | "2.16.840.1.101.3.4.3.2"
        | "2.16.840.1.101.3.4.2.1" => Some(Sha256::digest(der).to_vec()),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.2.2" => {
            Some(Sha384::digest(der).to_vec())
        }
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.2.3" => {
            Some(Sha512::digest(der).to_vec())
        }
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" | "2.16.840.1.101.3.4.2.4" => {
            Some(Sha224::digest(der).to_vec())
        }
        _ => None,
    }
}

/// `OtherName` holds `[0] EXPLICIT ANY` (RFC 5280 §4.2.1.6); ours hold a string.
fn other_name_text(value: &[u8]) -> Option<String> {
    let (_, explicit) = Any::from_der(value).ok()?;
    let (_, text) = Any::from_der(explicit.data).ok()?;
    String::from_utf8(text.data.to_vec()).ok()
}

fn ip_address(octets: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(octets)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from))
        .ok()
}

const ID_ON_XMPP_ADDR: &str = "1.3.6.1.5.5.7.8.5";
const ID_ON_DNS_SRV: &str = "1.3.6.1.5.5.7.8.7";
const SRV_SERVICES: [&str; 4] = [
    "_xmpp-client.",
    "_xmpps-client.",
    "_xmpp-server.",
    "_xmpps-server.",
];

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tempfile::TempDir;

    use super::super::pem;
    use super::super::test_authority::{TestAuthority, srv_name, xmpp_addr};
    use super::*;

    fn leaf(params: &CertificateParams, key: &KeyPair) -> Leaf {
        let root = TempDir::new().unwrap();
        let path = root.path().join("leaf.pem");
        let issued = TestAuthority::new("authority").issue(params, key);
        fs::write(&path, issued.certificate).unwrap();
        Leaf::read(pem::certificates(&path).unwrap().first().unwrap()).unwrap()
    }

    // RFC 6120 §13.7.1.2
    #[test]
    fn names_of_every_kind_are_read_and_cover_their_domains() {
        let names = ["Example.com", "*.example.net", "192.0.2.1", "2001:db8::1"];
        let mut params = CertificateParams::new(names.map(str::to_owned).to_vec()).unwrap();
        params.subject_alt_names.extend([
            xmpp_addr("chat.example.org"),
            xmpp_addr("anna@person.example"),
            srv_name("_xmpp-client.Service.example"),
            srv_name("_imap.mail.example"),
        ]);
        let leaf = leaf(&params, &KeyPair::generate().unwrap());
        assert_eq!(leaf.dns_names, ["example.com", "*.example.net"]);
        assert_eq!(
            leaf.xmpp_addresses,
            ["chat.example.org", "anna@person.example"]
        );
        assert_eq!(
            leaf.srv_names,
            ["_xmpp-client.service.example", "_imap.mail.example"]
        );
        for (domain, covered) in [
            ("example.com", true),
            ("www.example.com", false),
            ("a.example.net", true),
            ("a.b.example.net", false),
            ("example.net", false),
            ("chat.example.org", true),
            ("person.example", false),
            ("anna@person.example", false),
            ("service.example", true),
            ("mail.example", false),
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("2001:db8:0:0::1", true),
        ] {
            assert_eq!(leaf.covers(domain), covered, "{domain}");
        }
    }

    #[test]
    fn validity_is_counted_in_whole_days() {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 3, 1);
        let leaf = leaf(&params, &KeyPair::generate().unwrap());
        for (now, validity, days) in [
            ("2025-12-31T23:59:59Z", Validity::NotYet, 59),
            ("2026-01-01T00:00:00Z", Validity::Valid, 59),
            ("2026-02-28T00:00:01Z", Validity::Valid, 0),
            ("2026-03-01T00:00:00Z", Validity::Valid, 0),
            ("2026-03-01T00:00:01Z", Validity::Expired, -1),
        ] {
            let now = Timestamp::parse(now).unwrap();
            assert_eq!(
                (leaf.validity(now), leaf.days_left(now)),
                (validity, days),
                "{now}"
            );
        }
    }

    // RFC 5929 §4.1. The signature is the authority's, so self-signed ones are made here.
    #[test]
    fn the_end_point_is_hashed_as_the_certificate_was_signed() {
        for (algorithm, hash) in [
            (&rcgen::PKCS_ECDSA_P256_SHA256, Some(32)),
            (&rcgen::PKCS_ECDSA_P384_SHA384, Some(48)),
            (&rcgen::PKCS_ED25519, None),
        ] {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let made = CertificateParams::default().self_signed(&key).unwrap();
            let der = made.der();
            let leaf = Leaf::read(der).unwrap();
            let expected = hash.map(|bytes| match bytes {
                32 => Sha256::digest(der).to_vec(),
                _ => Sha384::digest(der).to_vec(),
            });
            assert_eq!(leaf.server_end_point, expected, "{algorithm:?}");
        }
        // A certificate of 2026 signed with SHA-1, by `openssl x509 -req -sha1`.
        let old = include_bytes!("testdata/sha1.der");
        assert_eq!(
            Leaf::read(old).unwrap().server_end_point,
            Some(Sha256::digest(old).to_vec())
        );
        let pss = include_bytes!("testdata/rsassa_pss_sha512.der");
        assert_eq!(
            Leaf::read(pss).unwrap().server_end_point,
            Some(Sha512::digest(pss).to_vec())
        );
    }
}
