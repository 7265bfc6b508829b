//! Whole handshakes in memory between our configuration and a rustls client.

use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{
    ClientConfig, HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion, version,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::facts::{TlsFacts, TlsVersion};
use super::pem;
use super::resolver::{CertificateSources, CertificateStore, HostCertificate};
use super::server::{Application, ClientCertificates, server_config};
use super::test_authority::{Issued, TestAuthority};
use crate::config::TlsVersion as Oldest;
use crate::proto::jid::BareJid;

type Ends = (
    io::Result<server::TlsStream<DuplexStream>>,
    io::Result<client::TlsStream<DuplexStream>>,
);

async fn handshake(server: &Arc<ServerConfig>, client: &Arc<ClientConfig>, name: &str) -> Ends {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    Box::pin(async {
        tokio::join!(
            TlsAcceptor::from(Arc::clone(server)).accept(near),
            TlsConnector::from(Arc::clone(client)).connect(name, far),
        )
    })
    .await
}

async fn established(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    name: &str,
) -> (
    server::TlsStream<DuplexStream>,
    client::TlsStream<DuplexStream>,
) {
    let (server, client) = handshake(server, client, name).await;
    (server.unwrap(), client.unwrap())
}

/// A client that trusts `roots` and may have a certificate.
fn client(
    roots: Arc<RootCertStore>,
    versions: &[&'static SupportedProtocolVersion],
    certificate: Option<(&Issued, &Path)>,
) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let Some((issued, directory)) = certificate else {
        return builder.with_no_client_auth();
    };
    let files = issued.write(directory);
    let chain = pem::certificates(&files.certificate).unwrap();
    let key = pem::private_key(&files.key).unwrap();
    builder.with_client_auth_cert(chain, key).unwrap()
}

fn shown(client: &client::TlsStream<DuplexStream>) -> CertificateDer<'static> {
    let chain = client.get_ref().1.peer_certificates().unwrap();
    chain.first().unwrap().clone()
}

/// Two hosts: one with an own certificate (the first), one by a wildcard.
fn two_hosts(authority: &TestAuthority, root: &Path) -> Arc<CertificateStore> {
    let first = authority
        .server(&["example.com", "127.0.0.1"])
        .write(&root.join("first"));
    let other = authority
        .server(&["*.example.net"])
        .write(&root.join("other"));
    let sources = CertificateSources {
        default: Some(other),
        hosts: vec![
            HostCertificate {
                domain: "example.com".into(),
                files: Some(first),
            },
            HostCertificate {
                domain: "desk.example.net".into(),
                files: None,
            },
        ],
        directory: None,
    };
    CertificateStore::load(sources).unwrap().0
}

const VERSIONS: [(&SupportedProtocolVersion, TlsVersion); 2] = [
    (&version::TLS12, TlsVersion::Tls12),
    (&version::TLS13, TlsVersion::Tls13),
];

#[tokio::test]
async fn the_certificate_is_chosen_by_the_name_asked_for() {
    let root = TempDir::new().unwrap();
    let authority = TestAuthority::new("authority");
    let store = two_hosts(&authority, root.path());
    let none = ClientCertificates::None;
    let config = server_config(&store, &none, Application::XmppClient, Oldest::Tls12).unwrap();
    for (protocol, agreed) in VERSIONS {
        let client = Arc::new(client(authority.roots(), &[protocol], None));
        // The client verifies the name against the certificate; an address is never asked
        // for by SNI, so it is shown the first host's.
        for (name, asked) in [
            ("example.com", Some("example.com")),
            ("desk.example.net", Some("desk.example.net")),
            ("127.0.0.1", None),
        ] {
            let (server, client) = established(&config, &client, name).await;
            let expected = store.find(asked);
            assert_eq!(
                Some(&shown(&client)),
                expected.certified.cert.first(),
                "{name}"
            );
            let facts = TlsFacts::of(server.get_ref().1, &store).unwrap();
            assert_eq!(facts.version, agreed);
            assert_eq!(
                facts.server_end_point,
                Some(Sha256::digest(shown(&client)).to_vec()),
                "{name}"
            );
            assert_eq!(facts.client_identities, Vec::<BareJid>::new());
        }
        let (_, refused) = handshake(&config, &client, "a.b.example.net").await;
        assert!(refused.is_err(), "a wildcard stands for one label");
    }
}

// RFC 9266 §4.2
#[tokio::test]
async fn both_sides_export_the_same_binding_with_tls_1_3_only() {
    let root = TempDir::new().unwrap();
    let authority = TestAuthority::new("authority");
    let store = two_hosts(&authority, root.path());
    let none = ClientCertificates::None;
    let config = server_config(&store, &none, Application::XmppClient, Oldest::Tls12).unwrap();
    let mut seen = Vec::new();
    for (protocol, agreed) in VERSIONS {
        let client = Arc::new(client(authority.roots(), &[protocol], None));
        let (server, client) = established(&config, &client, "example.com").await;
        let exporter = TlsFacts::of(server.get_ref().1, &store).unwrap().exporter;
        let theirs = client
            .get_ref()
            .1
            .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""))
            .unwrap();
        match agreed {
            TlsVersion::Tls12 => assert_eq!(exporter, None),
            TlsVersion::Tls13 => assert_eq!(exporter, Some(theirs)),
        }
        assert!(!seen.contains(&theirs));
        seen.push(theirs);
    }
}

// XEP-0178 §2
#[tokio::test]
async fn a_client_certificate_is_optional_and_says_who_the_client_is() {
    let root = TempDir::new().unwrap();
    let authority = TestAuthority::new("authority");
    let people = TestAuthority::new("people");
    let strangers = TestAuthority::new("strangers");
    let store = two_hosts(&authority, root.path());
    let file = root.path().join("people.pem");
    std::fs::write(&file, people.pem()).unwrap();
    let accept = ClientCertificates::accept(&file).unwrap();
    let config = server_config(&store, &accept, Application::XmppClient, Oldest::Tls12).unwrap();
    let agent = people.client(&["Anna@Example.com", "example.com", "no jid@"]);
    let nameless = people.client(&[]);
    let stranger = strangers.client(&["anna@example.com"]);
    let anna = BareJid::new("anna@example.com").unwrap();
    for (protocol, _) in VERSIONS {
        for (certificate, expected) in [
            (None, Some(vec![])),
            (Some(&agent), Some(vec![anna.clone()])),
            (Some(&nameless), Some(vec![])),
            (Some(&stranger), None),
        ] {
            let directory = root.path().join("client");
            let own = certificate.map(|issued| (issued, directory.as_path()));
            let client = Arc::new(client(authority.roots(), &[protocol], own));
            let (server, _client) = handshake(&config, &client, "example.com").await;
            let identities = server.ok().map(|server| {
                let facts = TlsFacts::of(server.get_ref().1, &store).unwrap();
                facts.client_identities
            });
            assert_eq!(identities, expected);
        }
    }
}

// XEP-0368 §4
#[tokio::test]
async fn a_client_may_name_the_protocol_but_no_other_one() {
    let root = TempDir::new().unwrap();
    let authority = TestAuthority::new("authority");
    let store = two_hosts(&authority, root.path());
    for (application, offered, agreed) in [
        (Application::XmppClient, &[][..], Ok(None)),
        (
            Application::XmppClient,
            &["xmpp-client"],
            Ok(Some("xmpp-client")),
        ),
        (
            Application::XmppClient,
            &["h2", "xmpp-client"],
            Ok(Some("xmpp-client")),
        ),
        (Application::XmppClient, &["h2"], Err(())),
        (Application::XmppClient, &["xmpp-server"], Err(())),
        (
            Application::XmppServer,
            &["xmpp-server"],
            Ok(Some("xmpp-server")),
        ),
        (Application::Http, &["h2", "http/1.1"], Ok(Some("http/1.1"))),
    ] {
        let config = server_config(
            &store,
            &ClientCertificates::None,
            application,
            Oldest::Tls12,
        )
        .unwrap();
        let mut client = client(authority.roots(), &[&version::TLS13], None);
        client.alpn_protocols = offered
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let (server, _client) = handshake(&config, &Arc::new(client), "example.com").await;
        let found = server.map_err(drop).map(|server| {
            let name = server.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
            name.map(|name| String::from_utf8(name).unwrap())
        });
        assert_eq!(
            found,
            agreed.map(|name| name.map(str::to_owned)),
            "{offered:?}"
        );
    }
}

#[tokio::test]
async fn connections_live_through_a_reload_and_old_sessions_are_not_resumed_after_it() {
    let root = TempDir::new().unwrap();
    let authority = TestAuthority::new("authority");
    let store = two_hosts(&authority, root.path());
    let none = ClientCertificates::None;
    let config = server_config(&store, &none, Application::XmppClient, Oldest::Tls12).unwrap();
    for (protocol, _) in VERSIONS {
        let client = Arc::new(client(authority.roots(), &[protocol], None));
        let (mut near, mut far) = established(&config, &client, "example.com").await;
        exchange(&mut near, &mut far).await;

        let (mut resumed, mut end) = established(&config, &client, "example.com").await;
        let kind = resumed.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Resumed));
        let facts = TlsFacts::of(resumed.get_ref().1, &store).unwrap();
        assert_eq!(
            facts.server_end_point,
            Some(Sha256::digest(shown(&end)).to_vec()),
            "the client holds the certificate of its first handshake"
        );
        exchange(&mut resumed, &mut end).await;

        let renewed = authority.server(&["example.com"]);
        renewed.write(&root.path().join("first"));
        assert_eq!(store.reload().changed.len(), 1);
        exchange(&mut near, &mut far).await;
        let (after, end) = established(&config, &client, "example.com").await;
        let kind = after.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Full));
        assert_eq!(
            shown(&end),
            *store.find(None).certified.cert.first().unwrap()
        );
    }
}

#[tokio::test]
async fn a_session_is_not_resumed_where_other_client_certificates_count() {
    let root = TempDir::new().unwrap();
    let authority = TestAuthority::new("authority");
    let people = TestAuthority::new("people");
    let others = TestAuthority::new("others");
    let store = two_hosts(&authority, root.path());
    let agent = people.client(&["anna@example.com"]);
    for (protocol, _) in VERSIONS {
        let own = Some((&agent, root.path()));
        let client = Arc::new(client(authority.roots(), &[protocol], own));
        let config = |authority: &TestAuthority| {
            let accept = ClientCertificates::Accept(authority.roots());
            server_config(&store, &accept, Application::XmppClient, Oldest::Tls12).unwrap()
        };
        let known = config(&people);
        let (mut near, mut far) = established(&known, &client, "example.com").await;
        exchange(&mut near, &mut far).await;
        let (mut near, mut far) = established(&known, &client, "example.com").await;
        let kind = near.get_ref().1.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::Resumed));
        let facts = TlsFacts::of(near.get_ref().1, &store).unwrap();
        assert_eq!(facts.client_identities.len(), 1);
        exchange(&mut near, &mut far).await;
        let (refused, _) = handshake(&config(&others), &client, "example.com").await;
        assert!(refused.is_err(), "verified anew, by the other authority");
    }
}

/// A byte each way; the client reads its session ticket on the way.
async fn exchange(
    near: &mut server::TlsStream<DuplexStream>,
    far: &mut client::TlsStream<DuplexStream>,
) {
    for byte in [b'a', b'b'] {
        near.write_all(&[byte]).await.unwrap();
        near.flush().await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), byte);
        far.write_all(&[byte]).await.unwrap();
        far.flush().await.unwrap();
        assert_eq!(near.read_u8().await.unwrap(), byte);
    }
}

#[test]
fn facts_are_only_told_of_a_finished_handshake() {
    let root = TempDir::new().unwrap();
    let store = two_hosts(&TestAuthority::new("authority"), root.path());
    let none = ClientCertificates::None;
    let config = server_config(&store, &none, Application::XmppClient, Oldest::Tls12).unwrap();
    let connection = tokio_rustls::rustls::ServerConnection::new(config).unwrap();
    assert_eq!(TlsFacts::of(&connection, &store), None);
}

#[tokio::test]
async fn the_test_certificates_of_the_repository_are_good_for_localhost() {
    let certs = Path::new(env!("CARGO_MANIFEST_DIR")).join("certs");
    let sources = CertificateSources {
        default: Some(super::certificates::PemFiles {
            certificate: certs.join("localhost.pem"),
            key: certs.join("localhost.key"),
        }),
        ..CertificateSources::default()
    };
    let (store, problems) = CertificateStore::load(sources).unwrap();
    assert!(problems.is_empty());
    let none = ClientCertificates::None;
    let config = server_config(&store, &none, Application::XmppClient, Oldest::Tls12).unwrap();
    let mut roots = RootCertStore::empty();
    for der in pem::certificates(&certs.join("authority.pem")).unwrap() {
        roots.add(der).unwrap();
    }
    let client = Arc::new(client(Arc::new(roots), &[&version::TLS13], None));
    for name in ["localhost", "center.localhost", "127.0.0.1", "::1"] {
        established(&config, &client, name).await;
    }
}
