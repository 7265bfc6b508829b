//! A self-signed certificate for the first run and for machines without a public name.
//!
//! Not an authority: it signs nothing but itself. Clients have to be told to trust it.

use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, SanType,
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::certificates::{PemFiles, ServerCertificate};
use super::{TlsError, pem};
use crate::clock::Timestamp;
use crate::net::dns::ascii_domain;

/// Apple's systems refuse any server certificate that is valid for over 825 days, even one
/// the user chose to trust.
pub const VALID_DAYS: i64 = 820;

/// Renewed when less than this is left.
pub const RENEW_DAYS: i64 = 30;

/// Makes `self-signed.pem` and `self-signed.key` in `directory`, valid for all `domains` (the
/// first of which it is named for), unless they are there already, cover the domains,
/// and stay valid for [`RENEW_DAYS`]. With `localhost` come the loopback addresses. The key
/// can be read by nobody else. Blocks on the disk.
///
/// # Errors
/// When a certificate lies there that this function did not make, a domain is not fit for
/// a certificate, or the files cannot be written.
pub fn ensure(directory: &Path, domains: &[String], now: Timestamp) -> Result<PemFiles, TlsError> {
    let files = PemFiles {
        certificate: directory.join("self-signed.pem"),
        key: directory.join("self-signed.key"),
    };
    let mut names: Vec<String> = domains.iter().map(|name| ascii_domain(name)).collect();
    names.dedup();
    match fs::symlink_metadata(&files.certificate) {
        Ok(_) if !ours(&files.certificate) => {
            return Err(TlsError::NotOurs {
                path: files.certificate,
            });
        }
        Ok(_) => {
            if let Ok(present) = ServerCertificate::load(&files)
                && present.leaf.days_left(now) >= RENEW_DAYS
                && now >= present.leaf.not_before
                && names.iter().all(|name| present.leaf.covers(name))
            {
                return Ok(files);
            }
        }
        Err(_) => {}
    }
    let (certificate, key) = make(&names, now).map_err(|cause| TlsError::SelfSigned {
        domains: names.join(", "),
        cause,
    })?;
    fs::create_dir_all(directory).map_err(|source| TlsError::Unwritable {
        path: directory.into(),
        source,
    })?;
    // The key first: should the second write fail, the pair does not match, and the next
    // start makes both again.
    replace(&files.key, &key, 0o600)?;
    replace(&files.certificate, &certificate, 0o644)?;
    Ok(files)
}

/// Whether the file carries the mark of [`make`].
fn ours(certificate: &Path) -> bool {
    let Ok(chain) = pem::certificates(certificate) else {
        return false;
    };
    chain.iter().take(1).any(|der| {
        X509Certificate::from_der(der).is_ok_and(|(_, leaf)| {
            leaf.subject()
                .iter_organization()
                .any(|name| name.as_str() == Ok(ORGANIZATION))
        })
    })
}

fn make(names: &[String], now: Timestamp) -> Result<(String, String), String> {
    let first = names.first().ok_or("no domain given")?;
    let mut params = CertificateParams::new(names.to_vec()).map_err(|e| e.to_string())?;
    if names.iter().any(|name| name == "localhost") {
        let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let loopback = loopback.map(SanType::IpAddress);
        params.subject_alt_names.extend(loopback);
    }
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::OrganizationName, ORGANIZATION);
    // The common name may have 64 characters (RFC 5280 Appendix A.1); nobody matches by it.
    let common_name: String = first.chars().take(64).collect();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A day back, for clients whose clocks are behind ours.
    // rcgen counts time in a type of a crate that we do not use, and offers this way in.
    let (year, month, day) = date(now.plus_seconds(-DAY_S))?;
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date(now.plus_seconds(VALID_DAYS * DAY_S))?;
    params.not_after = rcgen::date_time_ymd(year, month, day);
    let key = KeyPair::generate().map_err(|e| e.to_string())?;
    let certificate = params.self_signed(&key).map_err(|e| e.to_string())?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Year, month and day in UTC.
fn date(moment: Timestamp) -> Result<(i32, u8, u8), String> {
    let date = jiff::Timestamp::from_microsecond(moment.as_micros())
        .map_err(|e| e.to_string())?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let part = |number: i8| u8::try_from(number).map_err(|e| e.to_string());
    Ok((date.year().into(), part(date.month())?, part(date.day())?))
}

/// Written beside and renamed, so that no reader ever finds half a file.
fn replace(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let mut beside: PathBuf = path.to_path_buf();
    beside.as_mut_os_string().push(".new");
    let write = || -> io::Result<()> {
        // Left over from an interrupted run, perhaps with another mode.
        match fs::remove_file(&beside) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|source| TlsError::Unwritable {
        path: path.into(),
        source,
    })
}

/// The mark by which our own certificates are known.
const ORGANIZATION: &str = "Parlour self-signed";
const DAY_S: i64 = 86_400;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use rcgen::generate_simple_self_signed;
    use tempfile::TempDir;

    use super::super::leaf::Validity;
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn domains(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn it_is_made_once_and_again_when_it_ends_or_a_domain_is_new() {
        let root = TempDir::new().unwrap();
        let directory = root.path().join("data");
        let make = |names: &[&str], now: &str| {
            let files = ensure(&directory, &domains(names), at(now)).unwrap();
            let loaded = ServerCertificate::load(&files).unwrap();
            assert_eq!(loaded.leaf.validity(at(now)), Validity::Valid);
            assert!(names.iter().all(|name| loaded.leaf.covers(name)));
            let mode = fs::metadata(&files.key).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            loaded
        };
        let first = make(&["localhost", "center.localhost"], "2026-11-21T20:00:00Z");
        assert!(first.leaf.covers("127.0.0.1") && first.leaf.covers("::1"));
        let valid_s = first.leaf.not_after.seconds_since(first.leaf.not_before);
        assert!(valid_s <= 825 * DAY_S);
        let same = make(&["localhost"], "2028-12-31T00:00:00Z");
        assert!(same.same_leaf(&first), "still valid for long enough");
        let second = make(&["localhost"], "2029-01-25T00:00:00Z");
        assert!(!second.same_leaf(&first), "less than thirty days were left");
        let third = make(&["localhost", "example.com"], "2029-01-25T00:00:00Z");
        assert!(!third.same_leaf(&second), "example.com is new");
        fs::write(directory.join("self-signed.key"), "cut off").unwrap();
        let fourth = make(&["localhost"], "2029-01-25T00:00:00Z");
        assert!(!fourth.same_leaf(&third), "the key was unusable");
    }

    #[test]
    fn what_somebody_else_put_there_is_left_alone() {
        for text in [
            generate_simple_self_signed(domains(&["localhost"]))
                .unwrap()
                .cert
                .pem(),
            "notes".to_owned(),
        ] {
            let root = TempDir::new().unwrap();
            let path = root.path().join("self-signed.pem");
            fs::write(&path, &text).unwrap();
            let now = at("2026-11-21T20:00:00Z");
            let refused = ensure(root.path(), &domains(&["localhost"]), now).unwrap_err();
            assert!(matches!(refused, TlsError::NotOurs { .. }), "{refused}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn names_of_other_scripts_are_written_as_certificates_do() {
        let root = TempDir::new().unwrap();
        let now = at("2026-11-21T20:00:00Z");
        let files = ensure(root.path(), &domains(&["B\u{fc}cher.example"]), now).unwrap();
        let loaded = ServerCertificate::load(&files).unwrap();
        assert_eq!(loaded.leaf.dns_names, ["xn--bcher-kva.example"]);
    }

    #[test]
    fn no_domain_and_no_place_are_errors() {
        let root = TempDir::new().unwrap();
        let now = at("2026-11-21T20:00:00Z");
        let none = ensure(root.path(), &[], now).unwrap_err();
        assert!(matches!(none, TlsError::SelfSigned { .. }));
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let nowhere = ensure(&file, &domains(&["localhost"]), now).unwrap_err();
        assert!(matches!(nowhere, TlsError::Unwritable { .. }));
    }
}
