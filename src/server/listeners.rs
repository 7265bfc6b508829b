//! Opens the sockets that the configuration lists, each with the rules of its streams.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::accept::{self, Door};
use super::{House, ServerError};
use crate::component::{self, Components};
use crate::config::{AuthSource, Config, ListenAddress};
use crate::hooks::{Hooks, StreamPhase};
use crate::http::{Site, Watch, Web};
use crate::identity::Identities;
use crate::net::address_limits::{AddressLimits, Limits as AddressRules, Loopback};
use crate::net::listener;
use crate::net::tls::resolver::CertificateStore;
use crate::net::tls::server::{Application, ClientCertificates, server_config};
use crate::proto::scram::ScramHash;
use crate::proto::{BareJid, ns};
use crate::router::Router;
use crate::s2s::{self, Federation};
use crate::session::{Listener, Resumables, Start, TlsSetup};
use crate::stream::sasl::{Decoys, Mechanism, PlainWithoutTls, Policy};
use crate::stream::{Rules, StreamFeatures, Tls};
use crate::xml::{Element, Limits};

/// The file that lists the bound addresses, one `key address` a line, while the server runs:
/// with port 0 the only way to learn them.
pub const LISTENERS_FILE: &str = "listeners";

/// What is behind the listeners.
pub(super) struct Parts<'a> {
    pub(super) house: House<'a>,
    pub(super) router: &'a Arc<Router>,
    pub(super) components: &'a Arc<Components>,
    /// Other servers, where the way to them is open.
    pub(super) federation: Option<&'a Arc<Federation>>,
    /// Behind the keys that unknown accounts seem to have.
    pub(super) secret: &'a [u8; 32],
    pub(super) identities: &'a Arc<Identities>,
    pub(super) watch: &'a Watch,
}

/// Opens all of them, or none; then tells their addresses in [`LISTENERS_FILE`].
pub(super) fn open(parts: &Parts<'_>) -> Result<(), ServerError> {
    let Parts {
        house,
        router,
        federation,
        secret,
        identities,
        watch,
        components: _,
    } = *parts;
    let House {
        config,
        certificates,
        tasks,
        stop,
        ..
    } = house;
    let sockets = bind_all(config)?;
    let xmpp_tls = tls_setup(config, certificates, Application::XmppClient)?;
    let http_tls = tls_setup(config, certificates, Application::Http)?;
    let addresses = Arc::new(AddressLimits::new(address_rules(config)));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let derivations = Arc::new(Semaphore::new(processors));
    let resumables = Arc::new(Resumables::default());
    let listener = |tls: Tls, plain: PlainWithoutTls, setup: Option<&TlsSetup>| {
        Arc::new(Listener {
            router: Arc::clone(router),
            rules: Arc::new(rules(config, router, secret, tls)),
            tls: setup.cloned(),
            plain,
            addresses: Arc::clone(&addresses),
            negotiation_limits: negotiation_limits(config),
            session_limits: session_limits(config),
            derivations: Arc::clone(&derivations),
            identities: Arc::clone(identities),
            tasks: tasks.clone(),
            stop: stop.clone(),
            resumables: Arc::clone(&resumables),
        })
    };
    // HTTP has ended TLS before a stream begins.
    let carried = listener(Tls::Absent, PlainWithoutTls::Refused, None);
    let web = Web::new(Arc::clone(&carried), https_port(&sockets), watch.clone());
    let of_components = of_components(parts, &addresses);
    let servers = Arc::new(AddressLimits::new(server_rules(config)));
    let mut lines = String::new();
    for Bound {
        key,
        kind,
        socket,
        loopback,
    } in sockets
    {
        lines.push_str(&line(key, &socket)?);
        let (listener, door) = match kind {
            Kind::Xmpp(start) => {
                let plain = plain(config, loopback);
                let tls = starttls(config, start, loopback);
                (listener(tls, plain, Some(&xmpp_tls)), Door::Xmpp(start))
            }
            Kind::Http => (Arc::clone(&carried), site(&web, None)),
            Kind::Https => (Arc::clone(&carried), site(&web, Some(http_tls.clone()))),
            Kind::Component => (Arc::clone(&carried), of_components.clone()),
            Kind::Servers(start) => match federation {
                Some(it) => (Arc::clone(&carried), of_servers(it, &servers, start)),
                None => continue,
            },
        };
        let until = kind.ends_with(watch, stop).clone();
        tasks.spawn(accept::accept(socket, listener, door, until));
    }
    write_listeners(&config.data_dir, &lines)
}

/// The line that tells the address of a listener.
fn line(key: &str, socket: &TcpListener) -> Result<String, ServerError> {
    let address = socket.local_addr().map_err(ServerError::Signals)?;
    info!(%address, "listening for {key}");
    Ok(format!("{key} {address}\n"))
}

fn of_components(parts: &Parts<'_>, addresses: &Arc<AddressLimits>) -> Door {
    let services = parts.router.services();
    let House { tasks, stop, .. } = parts.house;
    parts.components.watch(services, tasks, stop);
    Door::Component(component::Setup {
        components: Arc::clone(parts.components),
        services: Arc::clone(services),
        addresses: Arc::clone(addresses),
        stop: stop.clone(),
    })
}

fn of_servers(
    federation: &Arc<Federation>,
    addresses: &Arc<AddressLimits>,
    start: s2s::Start,
) -> Door {
    Door::Servers {
        federation: Arc::clone(federation),
        addresses: Arc::clone(addresses),
        start,
    }
}

fn site(web: &Arc<Web>, tls: Option<TlsSetup>) -> Door {
    Door::Http(Arc::new(Site::new(Arc::clone(web), tls)))
}

/// The port that browsers come to, when nothing else is configured.
fn https_port(sockets: &[Bound]) -> Option<u16> {
    let https = sockets.iter().find(|bound| bound.kind == Kind::Https)?;
    Some(https.socket.local_addr().ok()?.port())
}

/// Every stream of another server counts, for as long as it lasts.
fn server_rules(config: &Config) -> AddressRules {
    AddressRules {
        connections_max: config.s2s.connections_per_address_max,
        negotiations_max: config.s2s.connections_per_address_max,
        ..address_rules(config)
    }
}

fn address_rules(config: &Config) -> AddressRules {
    AddressRules {
        connections_max: config.c2s.connections_per_address_max,
        negotiations_max: config.c2s.negotiations_per_address_max,
        loopback: if config.c2s.limit_loopback {
            Loopback::Limited
        } else {
            Loopback::Exempt
        },
        ..AddressRules::default()
    }
}

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Xmpp(Start),
    Http,
    Https,
    Component,
    Servers(s2s::Start),
}

impl Kind {
    /// When nobody new is let in any more. Whether this server is ready can be asked to the end.
    const fn ends_with<'a>(
        self,
        watch: &'a Watch,
        stop: &'a CancellationToken,
    ) -> &'a CancellationToken {
        match self {
            Self::Xmpp(_) => &watch.draining,
            Self::Component | Self::Servers(_) | Self::Http | Self::Https => stop,
        }
    }
}

struct Bound {
    key: &'static str,
    kind: Kind,
    socket: TcpListener,
    loopback: bool,
}

fn bind_all(config: &Config) -> Result<Vec<Bound>, ServerError> {
    let listen = &config.listen;
    let direct_tls = Kind::Xmpp(Start::DirectTls);
    let servers = |addresses: &[ListenAddress]| -> Vec<ListenAddress> {
        let opened = addresses.iter().filter(|_| config.s2s.enabled);
        opened.copied().collect()
    };
    let (s2s, s2s_direct_tls) = (servers(&listen.s2s), servers(&listen.s2s_direct_tls));
    let keys: [(&'static str, Kind, &[ListenAddress]); 7] = [
        ("c2s", Kind::Xmpp(Start::Plain), &listen.c2s),
        ("c2s_direct_tls", direct_tls, &listen.c2s_direct_tls),
        ("s2s", Kind::Servers(s2s::Start::Plain), &s2s),
        (
            "s2s_direct_tls",
            Kind::Servers(s2s::Start::DirectTls),
            &s2s_direct_tls,
        ),
        ("http", Kind::Http, &listen.http),
        ("https", Kind::Https, &listen.https),
        ("component", Kind::Component, &listen.component),
    ];
    let mut bound = Vec::new();
    for (key, kind, addresses) in keys {
        for address in addresses {
            match listener::bind(address.0) {
                Ok(socket) => bound.push(Bound {
                    key,
                    kind,
                    socket,
                    loopback: address.is_loopback(),
                }),
                Err(cause) if address.may_be_absent() && no_ipv6(&cause) => {
                    info!(address = %address.0, "this machine has no IPv6");
                }
                Err(cause) => {
                    let address = address.0;
                    return Err(ServerError::Bind {
                        key,
                        address,
                        cause,
                    });
                }
            }
        }
    }
    Ok(bound)
}

fn no_ipv6(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    // EAFNOSUPPORT has no kind of its own.
    matches!(
        error.kind(),
        ErrorKind::AddrNotAvailable | ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(97)
}

/// Written whole and then moved into place, so that who reads it reads all of it.
fn write_listeners(data_dir: &Path, lines: &str) -> Result<(), ServerError> {
    let failed = |cause| ServerError::DataDir {
        path: data_dir.display().to_string(),
        cause,
    };
    let temporary = data_dir.join("listeners.new");
    fs::write(&temporary, lines).map_err(failed)?;
    fs::rename(&temporary, data_dir.join(LISTENERS_FILE)).map_err(failed)
}

fn tls_setup(
    config: &Config,
    certificates: &Arc<CertificateStore>,
    application: Application,
) -> Result<TlsSetup, ServerError> {
    let clients = match (&config.tls.client_ca, application) {
        // A browser would ask its user to choose one.
        (_, Application::Http) | (None, _) => ClientCertificates::None,
        (Some(authorities), _) => ClientCertificates::accept(authorities)?,
    };
    let minimum = config.tls.min_version;
    let tls = server_config(certificates, &clients, application, minimum)?;
    Ok(TlsSetup {
        acceptor: TlsAcceptor::from(tls),
        certificates: Arc::clone(certificates),
    })
}

/// Whether STARTTLS is offered: a listener on a loopback address may do without TLS.
const fn starttls(config: &Config, start: Start, loopback: bool) -> Tls {
    match start {
        Start::DirectTls => Tls::Absent,
        Start::Plain if config.c2s.require_tls || !loopback => Tls::Required,
        Start::Plain => Tls::Optional,
    }
}

/// The rules of a listener's streams.
fn rules(config: &Config, router: &Arc<Router>, secret: &[u8; 32], tls: Tls) -> Rules {
    let services = router.services();
    let asks = |source: &AuthSource| config.auth.asks(*source);
    let enabled = |mechanism: &Mechanism| match mechanism {
        Mechanism::External => true,
        Mechanism::Plain => {
            config.auth.plain && [AuthSource::Local, AuthSource::Ldap].iter().any(asks)
        }
        Mechanism::OauthBearer => asks(&AuthSource::Oauth),
        Mechanism::Scram { hash, .. } => {
            asks(&AuthSource::Local)
                && match hash {
                    ScramHash::Sha1 => config.auth.scram_sha_1,
                    ScramHash::Sha256 | ScramHash::Sha512 => true,
                }
        }
    };
    Rules {
        hosts: services.hosts.clone(),
        tls,
        sasl: Policy {
            enabled: Mechanism::ALL.into_iter().filter(enabled).collect(),
        },
        attempts_max: config.auth.attempts_max,
        tokens: config.fast.enabled,
        decoys: Decoys::new(*secret, config.auth.scram_iterations),
        features: Box::new(Features(Arc::clone(&services.hooks))),
    }
}

const fn plain(config: &Config, loopback: bool) -> PlainWithoutTls {
    if loopback && !config.c2s.require_tls {
        PlainWithoutTls::Allowed
    } else {
        PlainWithoutTls::Refused
    }
}

fn negotiation_limits(config: &Config) -> Limits {
    Limits {
        stanza_bytes_max: config.c2s.negotiation_bytes_max.as_usize(),
        ..session_limits(config)
    }
}

fn session_limits(config: &Config) -> Limits {
    Limits {
        stanza_bytes_max: config.c2s.stanza_bytes_max.as_usize(),
        depth_max: config.c2s.depth_max as usize,
        ..Limits::default()
    }
}

/// What extensions add to the features of a stream.
struct Features(Arc<Hooks>);

impl StreamFeatures for Features {
    fn negotiation(&self, host: &BareJid) -> Vec<Element> {
        self.0.stream_features(StreamPhase::Negotiation, host)
    }

    fn authenticated(&self, host: &BareJid) -> Vec<Element> {
        self.0.stream_features(StreamPhase::Authenticated, host)
    }

    fn bind_inline(&self) -> Vec<&'static str> {
        let mut features = self.0.bind_inline_features();
        // Of the session itself, and of no extension.
        features.push(ns::STREAM_MANAGEMENT);
        features
    }
}
