//! SRV records: do they lead clients here (RFC 6120 §3.2.1, XEP-0368)?

use std::time::Duration;

use super::Report;
use crate::config::{Config, ListenAddress};
use crate::net::dns::{Dns, Service, Srv, SrvAnswer, ascii_domain};

const SUBJECT: &str = "dns";

/// For one question.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where clients, or other servers, go without a record (RFC 6120 §14.7); none where TLS begins with the
/// first byte, which only a record tells.
const fn usual_port(service: Service) -> Option<u16> {
    match service {
        Service::Client => Some(5222),
        Service::Server => Some(5269),
        Service::ClientDirectTls | Service::ServerDirectTls => None,
    }
}

pub(super) async fn check(config: &Config, report: &mut Report) {
    let public: Vec<&str> = config
        .hosts
        .iter()
        .map(|host| host.domain.as_str())
        .filter(|domain| !is_local(domain))
        .collect();
    if public.is_empty() {
        report.good(SUBJECT, "only local hosts, which need no records");
        return;
    }
    let dns = match Dns::system(TIMEOUT) {
        Ok(dns) => dns,
        Err(error) => {
            report.warn(SUBJECT, error.to_string(), "look at /etc/resolv.conf");
            return;
        }
    };
    for domain in public {
        let listen = &config.listen;
        let clients = [
            (Service::Client, &listen.c2s),
            (Service::ClientDirectTls, &listen.c2s_direct_tls),
        ];
        let servers = [
            (Service::Server, &listen.s2s),
            (Service::ServerDirectTls, &listen.s2s_direct_tls),
        ];
        let servers = servers.into_iter().filter(|_| config.s2s.enabled);
        for (service, ours) in clients.into_iter().chain(servers) {
            match dns.srv(service, domain).await {
                Ok(answer) => judge(domain, service, ours, &answer, report),
                Err(error) => report.warn(
                    SUBJECT,
                    error.to_string(),
                    "try again, or look at /etc/resolv.conf",
                ),
            }
        }
    }
}

/// Whether a domain is of this machine only (RFC 6761 §6.3, §6.2) or no domain of DNS at all.
pub(super) fn is_local(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or(domain);
    matches!(last, "localhost" | "test" | "invalid" | "local")
        || domain
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok()
}

fn judge(
    domain: &str,
    service: Service,
    ours: &[ListenAddress],
    answer: &SrvAnswer,
    report: &mut Report,
) {
    let name = format!("{}.{}", service.prefix(), ascii_domain(domain));
    let Some(port) = ours.first().map(|address| address.0.port()) else {
        if let SrvAnswer::Records(_) = answer {
            report.warn(
                SUBJECT,
                format!("{name} has records, but nothing listens for it"),
                "take the records out, or set the addresses under [listen]",
            );
        }
        return;
    };
    let record = format!("{name}. 3600 IN SRV 5 0 {port} {}.", ascii_domain(domain));
    match answer {
        SrvAnswer::Records(records) => tell_records(&name, records, ours, report),
        SrvAnswer::NotOffered => report.fail(
            SUBJECT,
            format!("{name} says that the service is not offered (target \".\")"),
            format!("replace the record by: {record}"),
        ),
        SrvAnswer::Absent => tell_absence(domain, service, ours, &record, report),
    }
}

fn tell_absence(
    domain: &str,
    service: Service,
    ours: &[ListenAddress],
    record: &str,
    report: &mut Report,
) {
    let name = format!("{}.{}", service.prefix(), ascii_domain(domain));
    match usual_port(service) {
        Some(usual) if listens(ours, usual) => report.good(
            SUBJECT,
            format!("{name} has no record; they go to {domain}, port {usual}"),
        ),
        Some(usual) => report.fail(
            SUBJECT,
            format!("{name} has no record, and nothing listens on the usual port {usual}"),
            format!("add the record: {record}"),
        ),
        None => report.warn(
            SUBJECT,
            format!("{name} has no record: the port for TLS from the first byte is not found"),
            format!("add the record: {record}"),
        ),
    }
}

fn tell_records(name: &str, records: &[Srv], ours: &[ListenAddress], report: &mut Report) {
    let places: Vec<String> = records
        .iter()
        .map(|srv| format!("{}:{}", srv.target, srv.port))
        .collect();
    let text = format!("{name} leads to {}", places.join(", "));
    if records.iter().any(|srv| listens(ours, srv.port)) {
        report.good(SUBJECT, text);
    } else {
        report.warn(
            SUBJECT,
            format!("{text}, ports on which nothing listens here"),
            "correct the record, unless something in front of this machine forwards the port",
        );
    }
}

fn listens(ours: &[ListenAddress], port: u16) -> bool {
    ours.iter().any(|address| address.0.port() == port)
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn records_are_judged_against_what_is_listened_on() {
        use Service::{Client, ClientDirectTls};
        let at = |port: u16| ListenAddress(([0, 0, 0, 0], port).into());
        let srv = |port: u16| {
            SrvAnswer::Records(vec![Srv {
                priority: 5,
                weight: 0,
                port,
                target: "xmpp.example.org".to_owned(),
            }])
        };
        for (service, ours, answer, level, says) in [
            (
                Client,
                vec![at(5222)],
                srv(5222),
                Level::Good,
                "leads to xmpp.example.org:5222",
            ),
            (
                Client,
                vec![at(5222)],
                srv(5299),
                Level::Warning,
                "nothing listens here",
            ),
            (
                Client,
                vec![at(5222)],
                SrvAnswer::Absent,
                Level::Good,
                "port 5222",
            ),
            (
                Client,
                vec![at(5299)],
                SrvAnswer::Absent,
                Level::Error,
                "no record",
            ),
            (
                Client,
                vec![at(5222)],
                SrvAnswer::NotOffered,
                Level::Error,
                "not offered",
            ),
            (
                ClientDirectTls,
                vec![at(5223)],
                SrvAnswer::Absent,
                Level::Warning,
                "no record",
            ),
            (
                ClientDirectTls,
                vec![],
                srv(5223),
                Level::Warning,
                "nothing listens for it",
            ),
        ] {
            let mut report = Report::default();
            judge("example.org", service, &ours, &answer, &mut report);
            let [found] = &report.findings[..] else {
                panic!("{:?}", report.findings)
            };
            assert_eq!(found.level, level, "{}", found.text);
            assert!(found.text.contains(says), "{}", found.text);
        }
    }

    #[test]
    fn the_fix_is_the_record_to_add() {
        let mut report = Report::default();
        let ours = [ListenAddress(([0, 0, 0, 0], 5223).into())];
        judge(
            "bücher.example",
            Service::ClientDirectTls,
            &ours,
            &SrvAnswer::Absent,
            &mut report,
        );
        assert_eq!(
            report.findings[0].fix.as_deref(),
            Some(
                "add the record: _xmpps-client._tcp.xn--bcher-kva.example. 3600 IN SRV 5 0 5223 xn--bcher-kva.example."
            )
        );
    }

    #[test]
    fn local_hosts_need_no_records() {
        for (domain, local) in [
            ("localhost", true),
            ("a.localhost", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("example.org", false),
        ] {
            assert_eq!(is_local(domain), local, "{domain}");
        }
    }
}
