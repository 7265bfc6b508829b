//! SRV records of XMPP services (RFC 6120 §3.2.1, XEP-0368 §2) and addresses of hosts, for `parlour check`
//! and for streams to other servers.
//!
//! Asks and reports; it neither connects nor falls back to addresses, which is the business
//! of clients and of `s2s`.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};

/// More records than this for one service are not looked at.
pub const RECORDS_MAX: usize = 64;

/// More addresses than this of one host are not tried.
pub const ADDRESSES_MAX: usize = 16;

/// A service that a domain may announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `_xmpp-client._tcp`: clients, with STARTTLS.
    Client,
    /// `_xmpps-client._tcp`: clients, with TLS from the first byte.
    ClientDirectTls,
    /// `_xmpp-server._tcp`: other servers.
    Server,
    /// `_xmpps-server._tcp`: other servers, with TLS from the first byte.
    ServerDirectTls,
}

impl Service {
    /// The labels in front of the domain.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Client => "_xmpp-client._tcp",
            Self::ClientDirectTls => "_xmpps-client._tcp",
            Self::Server => "_xmpp-server._tcp",
            Self::ServerDirectTls => "_xmpps-server._tcp",
        }
    }
}

/// One SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Srv {
    /// The lowest is tried first.
    pub priority: u16,
    /// The share among those of equal priority.
    pub weight: u16,
    /// The port to connect to.
    pub port: u16,
    /// The host to connect to, without the final dot.
    pub target: String,
}

/// What a domain says of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SrvAnswer {
    /// Records by priority, then by falling weight.
    Records(Vec<Srv>),
    /// A single record with the target `.`: decidedly no such service here.
    NotOffered,
    /// No record: clients connect to the domain itself, at the usual port.
    Absent,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// The resolver could not be set up from the system's configuration.
    #[error("cannot read the system's DNS configuration: {0}")]
    Configuration(String),
    /// The domain cannot be written in DNS.
    #[error("{0} is not a name that DNS can hold")]
    BadName(String),
    /// Nobody answered in time.
    #[error("no answer for {name} within {} s; is the name server reachable?", limit.as_secs_f32())]
    TimedOut {
        /// What was asked for.
        name: String,
        /// How long we waited.
        limit: Duration,
    },
    /// The name server, or the way to it, failed.
    #[error("{name} cannot be looked up: {cause}")]
    Failed {
        /// What was asked for.
        name: String,
        /// Why.
        cause: String,
    },
}

/// Asks one set of name servers.
#[derive(Clone)]
pub struct Dns {
    resolver: TokioResolver,
    limit: Duration,
}

impl Dns {
    /// The name servers of the system (`/etc/resolv.conf`); each question takes at most
    /// `limit`.
    ///
    /// # Errors
    /// When the system's configuration cannot be read.
    pub fn system(limit: Duration) -> Result<Self, DnsError> {
        let configuration = |e: NetError| DnsError::Configuration(e.to_string());
        let resolver = TokioResolver::builder_tokio()
            .map_err(configuration)?
            .build()
            .map_err(configuration)?;
        Ok(Self { resolver, limit })
    }

    /// One name server, asked directly.
    ///
    /// # Errors
    /// When the resolver cannot be set up.
    pub fn at(name_server: SocketAddr, limit: Duration) -> Result<Self, DnsError> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut c| {
            c.port = name_server.port();
            c
        });
        let server = NameServerConfig::new(name_server.ip(), true, connections.into());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(ResolverOpts::default())
            .build()
            .map_err(|e| DnsError::Configuration(e.to_string()))?;
        Ok(Self { resolver, limit })
    }

    /// What `domain`, in Unicode or ASCII form, says of `service`.
    ///
    /// Cancellation safe.
    ///
    /// # Errors
    /// When the domain is no DNS name, or no answer came.
    pub async fn srv(&self, service: Service, domain: &str) -> Result<SrvAnswer, DnsError> {
        let text = format!("{}.{}.", service.prefix(), ascii_domain(domain));
        let Some(answers) = self.lookup(&text, domain, RecordType::SRV).await? else {
            return Ok(SrvAnswer::Absent);
        };
        let records = answers.answers().iter().take(RECORDS_MAX);
        let records = records.filter_map(|record| match &record.data {
            RData::SRV(srv) => Some(Srv {
                priority: srv.priority,
                weight: srv.weight,
                port: srv.port,
                target: srv.target.to_ascii().trim_end_matches('.').to_owned(),
            }),
            _ => None,
        });
        Ok(answer(records.collect()))
    }

    /// The addresses of `host`, in Unicode or ASCII form, those of IPv6 first; none when it has none. An
    /// address is its own answer.
    ///
    /// Cancellation safe.
    ///
    /// # Errors
    /// When the host is no DNS name, or no answer came for either kind.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        if let Ok(address) = host.trim_matches(['[', ']']).parse() {
            return Ok(vec![address]);
        }
        let text = format!("{}.", ascii_domain(host));
        let (six, four) = tokio::join!(
            self.lookup(&text, host, RecordType::AAAA),
            self.lookup(&text, host, RecordType::A),
        );
        // One kind is enough; a failure counts when it leaves nothing.
        let (lookups, failure) = match (six, four) {
            (Ok(six), Ok(four)) => ([six, four], None),
            (Ok(six), Err(error)) => ([six, None], Some(error)),
            (Err(error), Ok(four)) => ([None, four], Some(error)),
            (Err(error), Err(_)) => return Err(error),
        };
        let mut addresses = Vec::new();
        for lookup in lookups.iter().flatten() {
            addresses.extend(lookup.answers().iter().filter_map(|it| match &it.data {
                RData::A(a) => Some(IpAddr::V4(a.0)),
                RData::AAAA(aaaa) => Some(IpAddr::V6(aaaa.0)),
                _ => None,
            }));
        }
        addresses.truncate(ADDRESSES_MAX);
        match failure {
            Some(error) if addresses.is_empty() => Err(error),
            _ => Ok(addresses),
        }
    }

    /// The records of a name; `None` when there are decidedly none.
    async fn lookup(
        &self,
        text: &str,
        domain: &str,
        kind: RecordType,
    ) -> Result<Option<Lookup>, DnsError> {
        let name = Name::from_ascii(text).map_err(|_| DnsError::BadName(domain.to_owned()))?;
        let asked = Box::pin(self.resolver.lookup(name, kind));
        match tokio::time::timeout(self.limit, asked).await {
            Ok(Ok(lookup)) => Ok(Some(lookup)),
            Ok(Err(e)) if e.is_no_records_found() || e.is_nx_domain() => absent_or_failed(text, &e),
            Ok(Err(NetError::Timeout)) | Err(_) => Err(DnsError::TimedOut {
                name: text.to_owned(),
                limit: self.limit,
            }),
            Ok(Err(e)) => Err(failed(text, &e)),
        }
    }
}

/// RFC 2782: by priority; and a lone `.` says no.
fn answer(mut records: Vec<Srv>) -> SrvAnswer {
    records.sort_by(|a, b| {
        let by_priority = a.priority.cmp(&b.priority);
        by_priority.then(b.weight.cmp(&a.weight))
    });
    match records.as_slice() {
        [] => SrvAnswer::Absent,
        [only] if only.target.is_empty() => SrvAnswer::NotOffered,
        _ => SrvAnswer::Records(records),
    }
}

/// The resolver also says "no records found" when the name server refused or failed.
fn absent_or_failed(name: &str, error: &NetError) -> Result<Option<Lookup>, DnsError> {
    use hickory_resolver::net::{DnsError as Reply, NetError};
    use hickory_resolver::proto::op::ResponseCode;
    match error {
        NetError::Dns(Reply::NoRecordsFound(none))
            if !matches!(
                none.response_code,
                ResponseCode::NoError | ResponseCode::NXDomain
            ) =>
        {
            Err(failed(name, error))
        }
        _ => Ok(None),
    }
}

fn failed(name: &str, error: &NetError) -> DnsError {
    DnsError::Failed {
        name: name.to_owned(),
        cause: error.to_string(),
    }
}

/// The form of a domain that DNS and certificates use: A-labels (RFC 5890 §2.3.2.1) in lower
/// case, without a final dot. What IDNA does not know comes back in lower case.
#[must_use]
pub fn ascii_domain(domain: &str) -> String {
    let bare = domain.trim_end_matches('.');
    Name::from_utf8(bare)
        .map_or_else(|_| bare.to_owned(), |name| name.to_ascii())
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use hickory_resolver::proto::op::{Message, ResponseCode};
    use hickory_resolver::proto::rr::Record;
    use hickory_resolver::proto::rr::rdata::{A, AAAA, SRV};
    use tokio::net::UdpSocket;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    /// Answers questions on `socket` as the domain asked for says.
    async fn serve(socket: &UdpSocket) {
        let mut buffer = [0; 1024];
        loop {
            let (bytes, asker) = socket.recv_from(&mut buffer).await.unwrap();
            let question = Message::from_vec(&buffer[..bytes]).unwrap();
            let name = question.queries.first().unwrap().name().clone();
            let mut reply = question.into_response();
            let record = |priority, weight, port, target: &str| {
                let target = Name::from_ascii(target).unwrap();
                let data = RData::SRV(SRV::new(priority, weight, port, target));
                Record::from_rdata(name.clone(), 60, data)
            };
            let asked = name.to_ascii();
            let kind = question_kind(&reply);
            if kind != RecordType::SRV {
                address(&asked, kind, &name, &mut reply);
                let bytes = reply.to_vec().unwrap();
                socket.send_to(&bytes, asker).await.unwrap();
                continue;
            }
            match asked.split_once("._tcp.").unwrap() {
                (_, "none.example.") => {}
                (_, "nx.example.") => reply.metadata.response_code = ResponseCode::NXDomain,
                (_, "broken.example.") => reply.metadata.response_code = ResponseCode::ServFail,
                (_, "refused.example.") => reply.metadata.response_code = ResponseCode::Refused,
                (_, "no.example.") => {
                    reply.add_answer(record(0, 0, 0, "."));
                }
                ("_xmpp-client", "xn--bcher-kva.example.") => {
                    reply.add_answer(record(20, 0, 5222, "backup.example."));
                    reply.add_answer(record(10, 1, 5222, "light.example."));
                    reply.add_answer(record(10, 9, 5222, "heavy.example."));
                }
                ("_xmpps-client", "xn--bcher-kva.example.") => {
                    reply.add_answer(record(5, 0, 5223, "direct.example."));
                }
                other => panic!("{other:?} asked for"),
            }
            let bytes = reply.to_vec().unwrap();
            socket.send_to(&bytes, asker).await.unwrap();
        }
    }

    fn question_kind(reply: &Message) -> RecordType {
        reply.queries.first().unwrap().query_type()
    }

    fn address(asked: &str, kind: RecordType, name: &Name, reply: &mut Message) {
        let four = RData::A(A(Ipv4Addr::new(192, 0, 2, 1)));
        let six = RData::AAAA(AAAA("2001:db8::1".parse().unwrap()));
        let data = match (asked, kind) {
            ("both.example." | "four.example." | "half.example.", RecordType::A) => Some(four),
            ("both.example.", RecordType::AAAA) => Some(six),
            _ => None,
        };
        if let Some(data) = data {
            reply.add_answer(Record::from_rdata(name.clone(), 60, data));
        } else {
            reply.metadata.response_code = match asked {
                "half.example." | "broken.example." => ResponseCode::ServFail,
                "four.example." => ResponseCode::NoError,
                _ => ResponseCode::NXDomain,
            };
        }
    }

    #[tokio::test]
    async fn a_host_has_the_addresses_of_both_kinds_or_none() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let dns = Dns::at(socket.local_addr().unwrap(), LIMIT).unwrap();
        let asking = async {
            for (host, expected) in [
                ("both.example", Some(&["2001:db8::1", "192.0.2.1"][..])),
                ("four.example", Some(&["192.0.2.1"])),
                ("half.example", Some(&["192.0.2.1"])),
                ("none.example", Some(&[])),
                ("broken.example", None),
                ("192.0.2.7", Some(&["192.0.2.7"])),
                ("[2001:db8::7]", Some(&["2001:db8::7"])),
            ] {
                let found = dns.addresses(host).await.ok();
                let found = found.map(|all| all.iter().map(IpAddr::to_string).collect::<Vec<_>>());
                let expected = expected.map(|all| all.iter().map(|&it| it.to_owned()).collect());
                assert_eq!(found, expected, "{host}");
            }
        };
        tokio::select! {
            () = serve(&socket) => unreachable!("serves for ever"),
            () = Box::pin(asking) => {}
        }
    }

    async fn asked(service: Service, domain: &str) -> Result<SrvAnswer, DnsError> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let dns = Dns::at(socket.local_addr().unwrap(), LIMIT).unwrap();
        let answer = async {
            tokio::select! {
                () = serve(&socket) => unreachable!("serves for ever"),
                answer = dns.srv(service, domain) => answer,
            }
        };
        Box::pin(answer).await
    }

    fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Srv {
        Srv {
            priority,
            weight,
            port,
            target: target.to_owned(),
        }
    }

    // RFC 2782
    #[tokio::test]
    async fn records_come_in_the_order_in_which_they_are_tried() {
        let found = asked(Service::Client, "B\u{fc}cher.example").await.unwrap();
        let expected = vec![
            srv(10, 9, 5222, "heavy.example"),
            srv(10, 1, 5222, "light.example"),
            srv(20, 0, 5222, "backup.example"),
        ];
        assert_eq!(found, SrvAnswer::Records(expected));
        let direct = asked(Service::ClientDirectTls, "xn--bcher-kva.example.");
        let expected = vec![srv(5, 0, 5223, "direct.example")];
        assert_eq!(direct.await.unwrap(), SrvAnswer::Records(expected));
    }

    #[tokio::test]
    async fn absence_and_refusal_and_failure_are_told_apart() {
        for (domain, expected) in [
            ("none.example", Some(SrvAnswer::Absent)),
            ("nx.example", Some(SrvAnswer::Absent)),
            ("no.example", Some(SrvAnswer::NotOffered)),
            ("broken.example", None),
            ("refused.example", None),
        ] {
            let found = asked(Service::Server, domain).await;
            match expected {
                Some(answer) => assert_eq!(found.unwrap(), answer, "{domain}"),
                None => assert!(matches!(found, Err(DnsError::Failed { .. })), "{domain}"),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_name_server_is_not_waited_for_without_end() {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let limit = Duration::from_secs(3);
        let dns = Dns::at(socket.local_addr().unwrap(), limit).unwrap();
        let found = dns.srv(Service::Client, "example.com").await;
        assert!(matches!(found, Err(DnsError::TimedOut { .. })), "{found:?}");
    }

    #[tokio::test]
    async fn what_dns_cannot_hold_is_not_asked_for() {
        let dns = Dns::at((Ipv4Addr::LOCALHOST, 9).into(), LIMIT).unwrap();
        for domain in ["a..b", &"a".repeat(64), &"a.".repeat(200), ""] {
            let found = dns.srv(Service::Client, domain).await;
            assert!(matches!(found, Err(DnsError::BadName(_))), "{domain}");
        }
    }

    #[test]
    fn domains_are_written_as_dns_and_certificates_do() {
        for (domain, ascii) in [
            ("Example.COM", "example.com"),
            ("example.com.", "example.com"),
            ("B\u{fc}cher.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
        ] {
            assert_eq!(ascii_domain(domain), ascii);
        }
    }
}
