//! Prosody (Debian: `prosody`, 0.12 and later) with the test name server and the test authority.
//!
//! Prosody resolves names itself, by libunbound when `lua-unbound` is installed, which Debian recommends
//! with it. Only then it can be told in its configuration where to ask; its older resolver knows
//! /etc/resolv.conf and port 53. libunbound asks nobody on loopback unless that is allowed.

use std::path::Path;

use anyhow::Result;
use tokio::process::Command;

use crate::neighbour::{Proof, Settings};
use crate::place::{CLIENTS, SERVERS, SERVERS_DIRECT_TLS};

/// Writes the configuration.
pub(crate) fn configure(settings: &Settings<'_>) -> Result<()> {
    let name_server = settings.name_server;
    let (secure, modules) = match settings.proof {
        Proof::Certificate => ("true", "\"tls\", "),
        Proof::Dialback => ("false", "\"tls\", \"dialback\", "),
        Proof::DialbackInTheClear => ("false", "\"dialback\", "),
    };
    let encryption = settings.proof != Proof::DialbackInTheClear;
    let config = format!(
        r#"
run_as_root = true
pidfile = "{pid}"
data_path = "{folder}"
interfaces = {{ "{address}" }}
c2s_ports = {{ {CLIENTS} }}
s2s_ports = {{ {SERVERS} }}
s2s_direct_tls_ports = {{ {SERVERS_DIRECT_TLS} }}
c2s_require_encryption = false
s2s_require_encryption = {encryption}
s2s_secure_auth = {secure}
unbound = {{
    resolvconf = false, hoststxt = false, forward = "{name_server_ip}@{name_server_port}",
    options = {{ ["do-not-query-localhost:"] = "no" }},
}}
certificates = "{folder}"
ssl = {{ certificate = "{certificate}", key = "{key}", cafile = "{authority}" }}
authentication = "internal_hashed"
allow_registration = true
modules_enabled = {{
    "disco", "roster", "saslauth", {modules}"s2s_auth_certs", "s2s_bidi", "mam", "smacks",
    "register_ibr", "ping", "pep", "posix",
}}
log = {{ {{ levels = {{ min = "debug" }}, to = "file", filename = "{log}" }} }}
default_archive_policy = true
VirtualHost "{domain}"
Component "rooms.{domain}" "muc"
"#,
        pid = settings.path("pid"),
        folder = settings.folder.display(),
        address = settings.place.0,
        name_server_ip = name_server.ip(),
        name_server_port = name_server.port(),
        certificate = settings.path("identity.pem"),
        key = settings.path("identity.key"),
        authority = settings.path("authority.pem"),
        log = settings.path("log"),
        domain = settings.domain,
    );
    Ok(std::fs::write(settings.path("prosody.cfg.lua"), config)?)
}

/// Runs what was configured in `folder`.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new("prosody");
    command
        .arg("-F")
        .arg("--config")
        .arg(folder.join("prosody.cfg.lua"));
    command
}
