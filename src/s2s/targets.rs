//! Where the server of a domain is (RFC 6120 §3.2, XEP-0368 §2): both kinds of SRV records together, in
//! the order of RFC 2782, or the domain itself.

use super::failure::{Failure, Step};
use crate::net::dns::{DnsError, Service, Srv, SrvAnswer};

/// Where servers listen without a record (RFC 6120 §14.7).
pub(super) const USUAL_PORT: u16 = 5269;

/// A place to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) host: String,
    pub(super) port: u16,
    /// TLS from the first byte (XEP-0368).
    pub(super) direct_tls: bool,
}

/// The places of a domain, the first to be tried first. `random` gives a number up to and including its
/// argument.
///
/// # Errors
/// When the domain says that it has no server, or could not be looked up.
pub(super) fn targets(
    domain: &str,
    direct: Result<SrvAnswer, DnsError>,
    starttls: Result<SrvAnswer, DnsError>,
    mut random: impl FnMut(u32) -> u32,
) -> Result<Vec<Target>, Failure> {
    let mut records: Vec<(Srv, bool)> = Vec::new();
    let mut refused = 0;
    let mut failure = None;
    for (answer, direct_tls) in [(direct, true), (starttls, false)] {
        match answer {
            Ok(SrvAnswer::Records(found)) => {
                records.extend(found.into_iter().map(|record| (record, direct_tls)));
            }
            Ok(SrvAnswer::NotOffered) => refused += if direct_tls { 0 } else { 1 },
            Ok(SrvAnswer::Absent) => {}
            Err(error) => failure = Some(error),
        }
    }
    if !records.is_empty() {
        return Ok(in_order(records, &mut random));
    }
    if let Some(error) = failure {
        return Err(error.into());
    }
    if refused > 0 {
        let reason = format!("{domain} says by DNS that it has no server");
        return Err(Failure::lasting(Step::Dns, reason));
    }
    Ok(vec![Target {
        host: domain.to_owned(),
        port: USUAL_PORT,
        direct_tls: false,
    }])
}

/// RFC 2782: by priority, and by chance among equals, as their weights say.
fn in_order(mut records: Vec<(Srv, bool)>, random: &mut impl FnMut(u32) -> u32) -> Vec<Target> {
    // Those without weight stand first, as the algorithm asks.
    records.sort_by_key(|(record, _)| (record.priority, record.weight));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|(record, _)| record.priority) {
        let equals = records
            .iter()
            .take_while(|(record, _)| record.priority == priority);
        let weights: Vec<u32> = equals.map(|(record, _)| record.weight.into()).collect();
        let (record, direct_tls) = records.remove(chosen(&weights, random));
        ordered.push(Target {
            host: record.target,
            port: record.port,
            direct_tls,
        });
    }
    ordered
}

/// The first whose running sum reaches a random number up to the whole sum.
fn chosen(weights: &[u32], random: &mut impl FnMut(u32) -> u32) -> usize {
    let number = random(weights.iter().sum());
    let mut sum = 0;
    weights
        .iter()
        .position(|weight| {
            sum += weight;
            sum >= number
        })
        .unwrap_or(0)
}

impl Target {
    /// Which service of a domain leads there.
    pub(super) const SERVICES: [Service; 2] = [Service::ServerDirectTls, Service::Server];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Condition;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv {
            priority,
            weight,
            port: 5269,
            target: target.to_owned(),
        }
    }

    fn hosts(answer: Result<Vec<Target>, Failure>) -> Vec<String> {
        let name = |target: Target| {
            let mark = if target.direct_tls { "!" } else { "" };
            format!("{mark}{}:{}", target.host, target.port)
        };
        answer.unwrap().into_iter().map(name).collect()
    }

    // XEP-0368 §2, RFC 2782
    #[test]
    fn both_kinds_of_records_are_one_list() {
        let direct = || Ok(SrvAnswer::Records(vec![srv(10, 0, "d"), srv(30, 0, "e")]));
        let starttls = || Ok(SrvAnswer::Records(vec![srv(20, 1, "s"), srv(20, 9, "t")]));
        let low = hosts(targets("x", direct(), starttls(), |_| 0));
        assert_eq!(low, ["!d:5269", "s:5269", "t:5269", "!e:5269"]);
        let high = hosts(targets("x", direct(), starttls(), |max| max));
        assert_eq!(high, ["!d:5269", "t:5269", "s:5269", "!e:5269"]);
        let absent = || Ok(SrvAnswer::Absent);
        let fallback = hosts(targets("x", absent(), absent(), |_| 0));
        assert_eq!(fallback, ["x:5269"]);
        let refused = || Ok(SrvAnswer::NotOffered);
        assert_eq!(hosts(targets("x", refused(), absent(), |_| 0)), ["x:5269"]);
        let only = hosts(targets("x", direct(), refused(), |_| 0));
        assert_eq!(only, ["!d:5269", "!e:5269"]);
    }

    #[test]
    fn no_is_told_from_do_not_know() {
        let failed = || {
            Err(DnsError::Failed {
                name: "x".to_owned(),
                cause: "broken".to_owned(),
            })
        };
        for (direct, starttls, condition) in [
            (
                Ok(SrvAnswer::Absent),
                Ok(SrvAnswer::NotOffered),
                Condition::RemoteServerNotFound,
            ),
            (
                Ok(SrvAnswer::Absent),
                failed(),
                Condition::RemoteServerTimeout,
            ),
            (
                failed(),
                Ok(SrvAnswer::Absent),
                Condition::RemoteServerTimeout,
            ),
        ] {
            let failure = targets("x", direct, starttls, |_| 0).unwrap_err();
            assert_eq!(failure.condition, condition);
        }
    }

    #[test]
    fn weights_are_shares() {
        assert_eq!(chosen(&[0, 0], &mut |max| max), 0);
        for (number, expected) in [(0, 0), (1, 0), (2, 1), (10, 1), (11, 2)] {
            assert_eq!(chosen(&[1, 9, 5], &mut |_| number), expected, "{number}");
        }
    }
}
