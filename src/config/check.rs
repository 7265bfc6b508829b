//! Rules that concern more than one key.

use std::path::PathBuf;

use super::Config;
use super::check_auth;
use super::check_component;
use super::component::{Component, ComponentRole};
use super::database::SCHEMES;
use super::email::{Email, EmailTls};
use super::reader::Reader;

/// Complains about every broken rule among the hosts of the file.
pub(super) fn hosts(config: &Config, reader: &mut Reader<'_>) {
    for (index, host) in config.hosts.iter().enumerate() {
        let path = format!("host[{index}]");
        let is_set = |index: usize| reader.is_set(&format!("host[{index}].domain"));
        let mut before = config.hosts.iter().take(index).enumerate();
        if is_set(index) && before.any(|(at, other)| is_set(at) && other.domain == host.domain) {
            let message = format!("{} is a host already", host.domain);
            reader.complain_at(&format!("{path}.domain"), "[[host]] domain", message);
        }
        pair(reader, &path, "[[host]]", &host.certificate, &host.key);
    }
    if config.hosts.is_empty() {
        let message = "expected at least one host".to_owned();
        reader.complain_at("host", "[[host]]", message);
    }
}

/// Complains about every other broken rule.
pub(super) fn rest(config: &Config, reader: &mut Reader<'_>) {
    pair(
        reader,
        "tls",
        "[tls]",
        &config.tls.certificate,
        &config.tls.key,
    );
    encryption(config, reader);
    room_for_a_stanza(config, reader);
    servers(config, reader);
    components(config, reader);
    external_services(config, reader);
    check_auth::check(&config.auth, reader);
    email(&config.contact_center.email, reader);
    roles_of_components(config, reader);
    let url = config.database.url.as_ref().map(|url| url.expose());
    if url.is_some_and(|url| !SCHEMES.iter().any(|scheme| url.starts_with(scheme))) {
        // The URL is not repeated: it may hold a password.
        let message = "expected \"sqlite:path\" or \"postgres://user:password@server/database\"";
        reader.complain_at("database.url", "[database] url", message.to_owned());
    }
}

/// Who is asked about customers, who calls them, and who writes to them, is a component that may.
fn roles_of_components(config: &Config, reader: &mut Reader<'_>) {
    let set = &config.contact_center;
    for (key, named, role) in [
        (
            "lookup_component",
            &set.lookup_component,
            ComponentRole::Crm,
        ),
        (
            "dial_connector",
            &set.dial_connector,
            ComponentRole::Connector,
        ),
        ("delivery", &set.delivery, ComponentRole::Connector),
    ] {
        let Some(domain) = named else { continue };
        let is_it = |it: &Component| it.domain == *domain && it.role == role;
        if !config.components.iter().any(is_it) {
            let role = role.as_str();
            reader.complain_at(
                &format!("contact_center.{key}"),
                &format!("[contact_center] {key}"),
                format!("{domain} is no [[component]] with role = \"{role}\""),
            );
        }
    }
}

fn email(email: &Email, reader: &mut Reader<'_>) {
    const TABLE: &str = "contact_center.email";
    let mut complain = |key: &str, message: &str| {
        let label = format!("[{TABLE}] {key}");
        reader.complain_at(&format!("{TABLE}.{key}"), &label, message.to_owned());
    };
    let Some(host) = &email.host else { return };
    let address = host.parse::<std::net::IpAddr>();
    let here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    if email.tls == EmailTls::None && !here {
        complain(
            "tls",
            "\"none\" is accepted for a relay on this machine only",
        );
    }
    if email.user.is_some() != email.password.is_some() {
        complain("user", "user and password belong together");
    }
    let from = email.from.as_deref().unwrap_or_default();
    if from.parse::<lettre::Address>().is_err() {
        complain("from", "expected an e-mail address, for there is a host");
    }
}

fn pair(
    reader: &mut Reader<'_>,
    path: &str,
    label: &str,
    certificate: &Option<PathBuf>,
    key: &Option<PathBuf>,
) {
    let (given, missing) = match (certificate, key) {
        (Some(_), None) => ("certificate", "key"),
        (None, Some(_)) => ("key", "certificate"),
        (Some(_), Some(_)) | (None, None) => return,
    };
    if reader.is_broken(&format!("{path}.{missing}")) {
        return;
    }
    reader.complain_at(
        &format!("{path}.{given}"),
        &format!("{label} {given}"),
        format!("expected a {missing} with it, found none"),
    );
}

fn encryption(config: &Config, reader: &mut Reader<'_>) {
    let open = config
        .listen
        .c2s
        .iter()
        .find(|address| !address.is_loopback());
    if let Some(open) = open
        && !config.c2s.require_tls
        && !reader.is_broken("listen.c2s")
    {
        let message = format!(
            "false is accepted on loopback addresses only, but [listen] c2s has \"{open}\""
        );
        reader.complain_at("c2s.require_tls", "[c2s] require_tls", message);
    }
}

fn room_for_a_stanza(config: &Config, reader: &mut Reader<'_>) {
    let stanza = config.c2s.stanza_bytes_max;
    let unacknowledged = config.stream_management.unacknowledged_bytes_max;
    for (table, key, bound) in [
        ("c2s", "burst_bytes_max", config.c2s.burst_bytes_max),
        ("c2s", "mailbox_bytes_max", config.c2s.mailbox_bytes_max),
        ("s2s", "queue_bytes_max", config.s2s.queue_bytes_max),
        (
            "stream_management",
            "unacknowledged_bytes_max",
            unacknowledged,
        ),
    ] {
        let paths = [format!("{table}.{key}"), "c2s.stanza_bytes_max".to_owned()];
        let broken = paths.iter().any(|path| reader.is_broken(path));
        if bound < stanza && !broken {
            let message = format!(
                "expected at least stanza_bytes_max, {} bytes, found {}",
                stanza.as_u64(),
                bound.as_u64()
            );
            // Whichever of the two was set is to blame.
            let [own, _] = &paths;
            let blamed = paths.iter().find(|path| reader.is_set(path)).unwrap_or(own);
            reader.complain_at(blamed, &format!("[{table}] {key}"), message);
        }
    }
}

fn servers(config: &Config, reader: &mut Reader<'_>) {
    let s2s = &config.s2s;
    if s2s.backoff_seconds_max < s2s.backoff_seconds_min && !reader.is_broken("s2s") {
        let message = "expected at least backoff_seconds_min".to_owned();
        reader.complain_at(
            "s2s.backoff_seconds_max",
            "[s2s] backoff_seconds_max",
            message,
        );
    }
    if !s2s.require_tls && !s2s.dialback {
        let message = "false needs dialback = true: without TLS no other proof is left".to_owned();
        reader.complain_at("s2s.require_tls", "[s2s] require_tls", message);
    }
}

fn external_services(config: &Config, reader: &mut Reader<'_>) {
    for (index, service) in config.external_services.iter().enumerate() {
        let path = format!("external_service[{index}]");
        if reader.is_set(&format!("{path}.host")) && service.host.trim().is_empty() {
            let message = "expected a domain or an IP address, found none".to_owned();
            reader.complain_at(
                &format!("{path}.host"),
                "[[external_service]] host",
                message,
            );
        }
        if service.secret.is_some() && service.password.is_some() {
            let message = "expected either secret or password, found both".to_owned();
            reader.complain_at(
                &format!("{path}.secret"),
                "[[external_service]] secret",
                message,
            );
        }
    }
}

fn components(config: &Config, reader: &mut Reader<'_>) {
    for (index, component) in config.components.iter().enumerate() {
        let path = format!("component[{index}]");
        if reader.is_set(&format!("{path}.secret")) && component.secret.expose().is_empty() {
            let message = "expected a secret, found an empty one".to_owned();
            reader.complain_at(&format!("{path}.secret"), "[[component]] secret", message);
        }
        room_for_a_stanza_of_a_client(config, component, &path, reader);
        check_component::trust(config, index, reader);
        let is_set = |index: usize| reader.is_set(&format!("component[{index}].domain"));
        if !is_set(index) {
            continue;
        }
        let domain = &component.domain;
        let mut others = config.components.iter().take(index).enumerate();
        let taken = if config.hosts.iter().any(|host| host.domain == *domain) {
            "host"
        } else if services(config).any(|service| service == domain.as_str()) {
            "service"
        } else if others.any(|(at, other)| is_set(at) && other.domain == *domain) {
            "component"
        } else {
            continue;
        };
        let message = format!("{domain} is a {taken} already");
        reader.complain_at(&format!("{path}.domain"), "[[component]] domain", message);
    }
}

/// What a client may send has to find room in the queue of a component.
fn room_for_a_stanza_of_a_client(
    config: &Config,
    component: &Component,
    path: &str,
    reader: &mut Reader<'_>,
) {
    let (stanza, bound) = (config.c2s.stanza_bytes_max, component.queue_bytes_max);
    if bound < stanza && !reader.is_broken("c2s.stanza_bytes_max") {
        let message = format!(
            "expected at least stanza_bytes_max of [c2s], {} bytes, found {}",
            stanza.as_u64(),
            bound.as_u64()
        );
        let key = "queue_bytes_max";
        reader.complain_at(
            &format!("{path}.{key}"),
            "[[component]] queue_bytes_max",
            message,
        );
    }
}

/// The domains that this server's own services have beside the hosts.
fn services(config: &Config) -> impl Iterator<Item = String> {
    config.hosts.iter().flat_map(|served| {
        let host = served.domain.as_str();
        let rooms = config
            .rooms
            .enabled
            .then(|| config.rooms.subdomain.as_str());
        let upload = config.upload.enabled.then_some("upload");
        let below = [rooms, upload].into_iter().flatten();
        let pubsub = config.pubsub.service.under(host);
        let center = config.has_contact_center(served);
        let center = center.then(|| config.contact_center.service.under(host));
        below
            .map(move |name| format!("{name}.{host}"))
            .chain(pubsub.map(|domain| domain.to_string()))
            .chain(center.flatten().map(|domain| domain.to_string()))
    })
}
