use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::net::tls::test_authority::TestAuthority;

fn host(domain: &str, files: Option<PemFiles>) -> HostCertificate {
    HostCertificate {
        domain: domain.to_owned(),
        files,
    }
}

/// The folder that the certificate found for `name` lies in.
fn folder(store: &CertificateStore, name: Option<&str>) -> String {
    let certificate = store.find(name);
    let folder = certificate.files.certificate.parent().unwrap();
    folder.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn the_configuration_goes_before_names_and_names_before_wildcards() {
    let root = TempDir::new().unwrap();
    let at = |name: &str| root.path().join(name);
    let authority = TestAuthority::new("authority");
    let own = authority.server(&["own.example"]).write(&at("own"));
    let explicit = authority.server(&["explicit.example", "shared.example"]);
    let explicit = explicit.write(&at("explicit"));
    let live = |name: &str| root.path().join("live").join(name);
    authority
        .server_until(&["*.wild.example", "shared.example", "two.example"], 2030)
        .write(&live("sooner"));
    authority
        .server_until(&["two.example", "b.wild.example"], 2031)
        .write(&live("later"));
    authority
        .server(&["xn--bcher-kva.example"])
        .write(&live("books"));
    fs::write(root.path().join("live/README"), "certbot's").unwrap();
    let sources = CertificateSources {
        default: Some(explicit),
        hosts: vec![
            host("own.example", Some(own.clone())),
            host("other.example", Some(own)),
            host("b\u{fc}cher.example", None),
        ],
        directory: Some(root.path().join("live")),
    };
    let (store, problems) = CertificateStore::load(sources).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    for (name, expected) in [
        (Some("own.example"), "own"),
        (Some("OWN.example."), "own"),
        // The configuration says so, though the certificate does not fit.
        (Some("other.example"), "own"),
        (Some("explicit.example"), "explicit"),
        (Some("shared.example"), "explicit"),
        (Some("two.example"), "later"),
        (Some("a.wild.example"), "sooner"),
        (Some("b.wild.example"), "later"),
        (Some("xn--bcher-kva.example"), "books"),
        // Nobody has these, so they get the first host's.
        (Some("a.b.wild.example"), "own"),
        (Some("wild.example"), "own"),
        (Some("unknown.example"), "own"),
        (Some("localhost"), "own"),
        (None, "own"),
    ] {
        assert_eq!(folder(&store, name), expected, "{name:?}");
    }
}

#[test]
fn the_default_is_the_first_hosts_then_the_configured_one_then_any() {
    let authority = TestAuthority::new("authority");
    for (first_host, with_default, expected) in [
        ("found.example", true, "found"),
        ("absent.example", true, "default"),
        ("absent.example", false, "found"),
    ] {
        let root = TempDir::new().unwrap();
        let live = root.path().join("live");
        authority
            .server(&["found.example"])
            .write(&live.join("found"));
        let default = authority.server(&["default.example"]);
        let default = default.write(&root.path().join("default"));
        let sources = CertificateSources {
            default: with_default.then_some(default),
            hosts: vec![host(first_host, None)],
            directory: Some(live),
        };
        let (store, _) = CertificateStore::load(sources).unwrap();
        assert_eq!(folder(&store, None), expected);
    }
}

#[test]
fn at_start_a_named_file_must_be_good_and_a_found_one_is_only_reported() {
    let root = TempDir::new().unwrap();
    let authority = TestAuthority::new("authority");
    let live = root.path().join("live");
    let good = authority.server(&["example.com"]);
    let files = good.write(&live.join("good"));
    let bad = good.write(&live.join("bad"));
    fs::write(&bad.key, "").unwrap();
    let directory_only = CertificateSources {
        directory: Some(live.clone()),
        ..CertificateSources::default()
    };
    let (store, problems) = CertificateStore::load(directory_only).unwrap();
    assert_eq!(store.status(Timestamp::from_micros(0)).len(), 1);
    assert!(matches!(&problems[..], [TlsError::NoKey { path }] if *path == bad.key));

    for (default, hosts) in [
        (Some(bad.clone()), vec![]),
        (Some(files), vec![host("example.com", Some(bad))]),
    ] {
        let sources = CertificateSources {
            default,
            hosts,
            directory: Some(live.clone()),
        };
        let refused = CertificateStore::load(sources).unwrap_err();
        assert!(matches!(refused, TlsError::NoKey { .. }));
    }

    let nothing = CertificateStore::load(CertificateSources::default()).unwrap_err();
    assert!(matches!(nothing, TlsError::NothingToServe));
    let nowhere = CertificateSources {
        directory: Some(root.path().join("nowhere")),
        ..CertificateSources::default()
    };
    assert!(CertificateStore::load(nowhere).is_err());
}

#[test]
fn a_directory_that_vanishes_takes_no_certificate_along() {
    let root = TempDir::new().unwrap();
    let live = root.path().join("live");
    let issued = TestAuthority::new("authority").server(&["example.com"]);
    issued.write(&live.join("example.com"));
    let sources = CertificateSources {
        directory: Some(live.clone()),
        ..CertificateSources::default()
    };
    let (store, _) = CertificateStore::load(sources).unwrap();
    let before = store.find(None);
    fs::rename(&live, root.path().join("away")).unwrap();
    let report = store.poll().unwrap();
    assert!(report.changed.is_empty() && !report.problems.is_empty());
    assert!(Arc::ptr_eq(&store.find(Some("example.com")), &before));
}

#[test]
fn other_sources_are_taken_without_a_restart() {
    let root = TempDir::new().unwrap();
    let authority = TestAuthority::new("authority");
    let pair = |name: &str| {
        let issued = authority.server(&[name]);
        host(name, Some(issued.write(&root.path().join(name))))
    };
    let sources = |hosts: Vec<HostCertificate>| CertificateSources {
        hosts,
        ..CertificateSources::default()
    };
    let (one, two) = (pair("one.example"), pair("two.example"));
    let (store, _) = CertificateStore::load(sources(vec![one.clone()])).unwrap();
    let report = store.reload_from(sources(vec![one, two]));
    assert_eq!(
        report.changed,
        [root.path().join("two.example/fullchain.pem")]
    );
    assert_eq!(folder(&store, Some("two.example")), "two.example");
    assert_eq!(folder(&store, None), "one.example");
    assert!(store.poll().is_none());
}

#[test]
fn the_status_names_what_will_be_refused() {
    let root = TempDir::new().unwrap();
    let default = TestAuthority::new("authority")
        .server_until(&["example.com"], 2027)
        .write(Path::new(root.path()));
    let sources = CertificateSources {
        default: Some(default.clone()),
        hosts: vec![host("example.com", None), host("example.net", None)],
        directory: None,
    };
    let (store, _) = CertificateStore::load(sources).unwrap();
    for (now, days_left, validity) in [
        ("2026-12-22T00:00:00Z", 10, Validity::Valid),
        ("2027-01-02T00:00:00Z", -1, Validity::Expired),
    ] {
        let now = Timestamp::parse(now).unwrap();
        let expected = CertificateStatus {
            files: default.clone(),
            names: vec!["example.com".to_owned()],
            hosts: vec!["example.com".to_owned(), "example.net".to_owned()],
            hosts_not_covered: vec!["example.net".to_owned()],
            not_before: Timestamp::parse("1975-01-01T00:00:00Z").unwrap(),
            not_after: Timestamp::parse("2027-01-01T00:00:00Z").unwrap(),
            days_left,
            validity,
        };
        assert_eq!(store.status(now), [expected]);
    }
}
