//! Ports: free, or held by the running server.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::net::SocketAddr;

use super::Report;
use crate::config::{Config, ListenAddress};
use crate::net::listener;
use crate::server::LISTENERS_FILE;

const SUBJECT: &str = "ports";

pub(super) fn check(config: &Config, running: bool, report: &mut Report) {
    let ours = if running {
        held(config)
    } else {
        HashSet::new()
    };
    let servers = [
        ("s2s", &config.listen.s2s),
        ("s2s_direct_tls", &config.listen.s2s_direct_tls),
    ];
    let servers = servers.into_iter().filter(|_| config.s2s.enabled);
    let others = [
        ("c2s", &config.listen.c2s),
        ("c2s_direct_tls", &config.listen.c2s_direct_tls),
        ("http", &config.listen.http),
        ("https", &config.listen.https),
    ];
    for (key, addresses) in others.into_iter().chain(servers) {
        for address in addresses {
            look(key, *address, &ours, report);
        }
    }
}

fn look(key: &str, address: ListenAddress, ours: &HashSet<SocketAddr>, report: &mut Report) {
    let what = format!("[listen] {key} {address}");
    if ours.contains(&address.0) {
        report.good(SUBJECT, format!("{what} is held by the running parlour"));
        return;
    }
    let Err(error) = listener::bind(address.0) else {
        report.good(SUBJECT, format!("{what} is free"));
        return;
    };
    match error.kind() {
        ErrorKind::AddrInUse => report.fail(
            SUBJECT,
            format!("{what} is held by another program"),
            format!(
                "find it with `ss -tlnp sport = :{}` and stop it, or listen on another port",
                address.0.port()
            ),
        ),
        ErrorKind::PermissionDenied => report.fail(
            SUBJECT,
            format!("{what} is not permitted to this user"),
            "choose a port from 1024, or give the program the capability CAP_NET_BIND_SERVICE",
        ),
        _ if address.may_be_absent() => {
            report.good(
                SUBJECT,
                format!("{what} is passed over: this machine has no IPv6"),
            );
        }
        _ => report.fail(
            SUBJECT,
            format!("{what} cannot be listened on: {error}"),
            "name an address of this machine (`ip address` lists them)",
        ),
    }
}

/// What the running server says that it listens on.
fn held(config: &Config) -> HashSet<SocketAddr> {
    let lines = std::fs::read_to_string(config.data_dir.join(LISTENERS_FILE)).unwrap_or_default();
    lines
        .lines()
        .filter_map(|line| line.split_once(' ')?.1.parse().ok())
        .collect()
}
