//! ejabberd (Debian: `ejabberd`, 23.01 and later) with the test name server and the test authority.
//!
//! It is started as `ejabberdctl foreground` does, without the change of user and without Erlang's
//! distribution, which would leave a daemon behind. SRV records it looks up by Erlang's resolver, which reads the file
//! that `ERL_INETRC` names; `resolv_conf` has to stand before `nameserver` there, for it forgets the name servers.
//! The addresses of their targets it asks the system for (`net:getaddrinfo`), which is why the test name
//! server has targets that are numbers.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::neighbour::{Proof, Settings};
use crate::place::{CLIENTS, SERVERS, SERVERS_DIRECT_TLS};

/// Writes the configuration.
pub(crate) fn configure(settings: &Settings<'_>) -> Result<()> {
    let name_server = settings.name_server;
    let inetrc = format!(
        "{{resolv_conf, \"\"}}.\n{{hosts_file, \"\"}}.\n{{cache_size, 0}}.\n\
         {{nameserver, {{{}}}, {}}}.\n{{lookup, [dns]}}.\n",
        name_server.ip().to_string().replace('.', ","),
        name_server.port(),
    );
    std::fs::write(settings.path("inetrc"), inetrc)?;
    // Key and certificate in one file, which it reads for every domain that it names.
    let read = |name| std::fs::read_to_string(settings.path(name));
    let both = read("identity.key")? + &read("identity.pem")?;
    std::fs::write(settings.path("both.pem"), both)?;
    // Without translations it starts in two thirds of the time.
    std::fs::create_dir_all(settings.path("messages"))?;
    let (starttls, dialback) = match settings.proof {
        Proof::Certificate => ("required", ""),
        Proof::Dialback => ("optional", "  mod_s2s_dialback: {}\n"),
        Proof::DialbackInTheClear => ("false", "  mod_s2s_dialback: {}\n"),
    };
    let config = format!(
        r#"
loglevel: info
log_rotate_count: 0
hosts: ["{domain}"]
certfiles: ["{both}"]
ca_file: "{authority}"
s2s_cafile: "{authority}"
s2s_use_starttls: {starttls}
s2s_max_retry_delay: 1
listen:
  - {{port: {CLIENTS}, ip: "{address}", module: ejabberd_c2s, max_stanza_size: 262144}}
  - {{port: {SERVERS}, ip: "{address}", module: ejabberd_s2s_in, max_stanza_size: 262144}}
  - {{port: {SERVERS_DIRECT_TLS}, ip: "{address}", module: ejabberd_s2s_in, tls: true}}
auth_method: internal
auth_password_format: scram
registration_timeout: infinity
modules:
  mod_disco: {{}}
  mod_roster: {{}}
  mod_ping: {{}}
  mod_offline: {{}}
  mod_register: {{ip_access: all, access: all}}
  mod_mam: {{default: always}}
  mod_muc: {{hosts: ["rooms.{domain}"]}}
{dialback}"#,
        domain = settings.domain,
        both = settings.path("both.pem"),
        authority = settings.path("authority.pem"),
        address = settings.place.0,
    );
    Ok(std::fs::write(settings.path("ejabberd.yml"), config)?)
}

/// Runs what was configured in `folder`.
pub(crate) fn command(folder: &Path) -> Result<Command> {
    let mut command = Command::new("erl");
    command
        .args(["+K", "true", "-noinput", "-mnesia", "dir"])
        .arg(format!("{:?}", folder.join("data").display().to_string()))
        .args(["-s", "ejabberd"])
        .env("HOME", folder)
        .env("ERL_LIBS", libraries()?)
        .env("ERL_INETRC", folder.join("inetrc"))
        .env("ERL_CRASH_DUMP_BYTES", "0")
        .env("EJABBERD_CONFIG_PATH", folder.join("ejabberd.yml"))
        .env("EJABBERD_LOG_PATH", folder.join("log"))
        .env("EJABBERD_MSGS_PATH", folder.join("messages"))
        .env("CONTRIB_MODULES_PATH", folder.join("modules"))
        .env("CONTRIB_MODULES_CONF_DIR", folder.join("modules"));
    Ok(command)
}

/// The folder in which Debian keeps ejabberd, which has the name of the architecture.
fn libraries() -> Result<PathBuf> {
    for folder in std::fs::read_dir("/usr/lib")? {
        let folder = folder?.path();
        let Ok(libraries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for library in libraries {
            if library?
                .file_name()
                .to_string_lossy()
                .starts_with("ejabberd-")
            {
                return Ok(folder);
            }
        }
    }
    None.context("ejabberd is missing: tests/run installs it")
}
