//! Another server in the place of ours, to check the scripts themselves:
//! `PARLOUR_TEST_PEER=prosody cargo test --test scripts` plays them to Debian's
//! Prosody. A script that fails there is wrong, or names the difference in a
//! line `differs: prosody …`.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::server::{certificate, within_patience};

/// Whether another server is wanted.
pub(crate) fn chosen() -> bool {
    name().is_some()
}

/// The name of the other server.
pub(crate) fn name() -> Option<String> {
    std::env::var("PARLOUR_TEST_PEER").ok()
}

/// Starts it on free ports of the loopback address, with `accounts`.
pub(crate) fn start(
    folder: &Path,
    accounts: &[(String, String)],
) -> Result<(Child, BTreeMap<String, SocketAddr>)> {
    if name().as_deref() != Some("prosody") {
        bail!("only prosody is known here");
    }
    for (jid, password) in accounts {
        let (local, domain) = jid.split_once('@').context("no JID")?;
        let place = folder
            .join("data")
            .join(domain.replace('.', "%2e"))
            .join("accounts");
        fs::create_dir_all(&place)?;
        let file = place.join(format!("{}.dat", encoded(local)));
        fs::write(
            file,
            format!("return {{ [\"password\"] = {password:?}; }};"),
        )?;
    }
    let (plain, direct) = (free_port()?, free_port()?);
    let config = format!(
        r#"
run_as_root = true
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ debug = "{folder}/server.log" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {plain} }}
c2s_direct_tls_ports = {{ {direct} }}
s2s_ports = {{}}
modules_enabled = {{ "tls", "saslauth", "roster", "disco", "ping", "version", "time",
  "lastactivity", "private", "vcard", "offline", "adhoc", "register", "presence", "message", "iq",
  "posix", "c2s", "uptime" }}
modules_disabled = {{ "s2s" }}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
ssl = {{ certificate = "{chain}", key = "{key}" }}
c2s_direct_tls_ssl = {{ certificate = "{chain}", key = "{key}" }}
VirtualHost "localhost"
"#,
        folder = folder.display(),
        chain = certificate("localhost.pem").display(),
        key = certificate("localhost.key").display(),
    );
    fs::write(folder.join("prosody.cfg.lua"), config)?;
    let child = Command::new("prosody")
        .arg("--config")
        .arg(folder.join("prosody.cfg.lua"))
        .arg("-F")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("starting prosody")?;
    within_patience(|| {
        let open = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        Ok((open(plain) && open(direct)).then_some(()))
    })?;
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let listeners = [("c2s", at(plain)), ("c2s_direct_tls", at(direct))];
    Ok((
        child,
        listeners
            .map(|(name, address)| (name.to_owned(), address))
            .into(),
    ))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Prosody's file names: everything but letters and digits is escaped.
fn encoded(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        other => format!("%{other:02x}"),
    };
    name.bytes().map(encode).collect()
}
