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
