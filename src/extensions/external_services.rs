//! XEP-0215: External Service Discovery, version 1.0.0: the STUN and TURN services that the operator names.
//!
//! Where a service shares a secret with this server, each account gets credentials of its own that end by themselves,
//! in the way that coturn calls `use-auth-secret`: the name begins with the moment when they end, and the password is
//! the HMAC-SHA-1 of the name. The account stands in the name as a pseudonym that stays the same, so that the
//! service can count by it. For accounts of this server only. Updates are not pushed: credentials are asked for
//! again.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::clock::Timestamp;
use crate::config::{Config, ExternalService};
use crate::hooks::{At, Hooks, Iq, IqAnswer};
use crate::proto::document::Document;
use crate::proto::scram::ScramHash;
use crate::proto::{BareJid, Condition, StanzaError};
use crate::xml::Element;

/// XEP-0215 §3.
const EXTDISCO: &str = "urn:xmpp:extdisco:2";

/// Registers the answers, where there is something to tell.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    hooks.document(Document::new(
        "XEP-0215",
        "External Service Discovery",
        "1.0.0",
    ));
    if config.external_services.is_empty() {
        return;
    }
    hooks.feature(&[At::Host], EXTDISCO);
    hooks.iq_get(&[At::Host], EXTDISCO, "services", services);
    hooks.iq_get(&[At::Host], EXTDISCO, "credentials", credentials);
}

/// §3.1, §3.2.
async fn services(iq: Iq) -> IqAnswer {
    let account = iq.session()?.account().jid();
    let kind = iq.payload.attribute("type");
    let now = iq.services.clock.now();
    let all = iq.services.config.external_services.iter();
    let asked = all.filter(|it| kind.is_none_or(|kind| it.kind.as_str() == kind));
    Ok(Some(
        Element::new(EXTDISCO, "services")
            .attr_opt("type", kind)
            .children_from(asked.map(|it| described(it, account, now))),
    ))
}

/// §3.3.
async fn credentials(iq: Iq) -> IqAnswer {
    let account = iq.session()?.account().jid();
    let mut asked = iq
        .payload
        .children()
        .filter(|it| it.is(EXTDISCO, "service"));
    let (Some(service), None) = (asked.next(), asked.next()) else {
        return Err(StanzaError::bad_request("exactly one service is asked for"));
    };
    let (Some(host), Some(kind)) = (service.attribute("host"), service.attribute("type")) else {
        return Err(StanzaError::bad_request("a service has a host and a type"));
    };
    let port = service.attribute("port").map(str::parse::<u32>).transpose();
    let port = port.map_err(|_| StanzaError::bad_request("the port is no number"))?;
    let now = iq.services.clock.now();
    let all = iq.services.config.external_services.iter();
    let known: Vec<Element> = all
        .filter(|it| it.host.eq_ignore_ascii_case(host) && it.kind.as_str() == kind)
        .filter(|it| port.is_none_or(|port| it.port == port))
        .map(|it| described(it, account, now))
        .collect();
    if known.is_empty() {
        return Err(Condition::ItemNotFound.into());
    }
    Ok(Some(
        Element::new(EXTDISCO, "credentials").children_from(known),
    ))
}

/// `<service host='…' port='…' transport='…' type='…' …/>`.
fn described(service: &ExternalService, account: &BareJid, now: Timestamp) -> Element {
    let element = Element::new(EXTDISCO, "service")
        .attr("host", &service.host)
        .attr("port", service.port.to_string())
        .attr("transport", service.transport.as_str())
        .attr("type", service.kind.as_str())
        .attr_opt("name", Some(&service.name).filter(|name| !name.is_empty()));
    if let Some(secret) = &service.secret {
        let made = Credentials::until(
            now.plus_seconds(lifetime(service)),
            account,
            secret.expose(),
        );
        return element
            .attr("restricted", "true")
            .attr("username", made.username)
            .attr("password", made.password)
            .attr("expires", made.expires.to_string());
    }
    match &service.password {
        Some(password) => element
            .attr("restricted", "true")
            .attr("username", &service.username)
            .attr("password", password.expose()),
        None => element,
    }
}

fn lifetime(service: &ExternalService) -> i64 {
    i64::try_from(service.lifetime_seconds.duration().as_secs()).unwrap_or(i64::MAX)
}

/// What a TURN server takes that knows the secret.
struct Credentials {
    username: String,
    password: String,
    /// In whole seconds, as it stands in the name.
    expires: Timestamp,
}

impl Credentials {
    fn until(expires: Timestamp, account: &BareJid, secret: &str) -> Self {
        let seconds = expires.as_seconds();
        let keyed = ScramHash::Sha256.hmac(secret.as_bytes(), account.as_str().as_bytes());
        let pseudonym: String = keyed.iter().take(8).map(|it| format!("{it:02x}")).collect();
        let username = format!("{seconds}:{pseudonym}");
        let password = ScramHash::Sha1.hmac(secret.as_bytes(), username.as_bytes());
        Self {
            username,
            password: BASE64.encode(password),
            expires: Timestamp::from_micros(0).plus_seconds(seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ExternalServiceKind, Seconds};
    use crate::extensions::testing::{Client, House, NOW};
    use crate::observe::Secret;

    #[test]
    fn credentials_are_those_that_coturn_computes() {
        // By openssl dgst -sha256 -hmac north and -sha1 -hmac north.
        let account = BareJid::new("romeo@localhost").unwrap();
        let expires = Timestamp::from_micros(1_790_086_400_999_999);
        let made = Credentials::until(expires, &account, "north");
        assert_eq!(made.username, "1790086400:33aa424ac28b8e97");
        assert_eq!(made.password, VECTOR);
        assert_eq!(made.expires.as_micros(), 1_790_086_400_000_000);
        let hmac = ScramHash::Sha1.hmac(b"north", b"1790086400:a3f0c1d2e4b59687");
        assert_eq!(BASE64.encode(hmac), "8TTiMFEqyI8SaKhaqhBojXefSpY=");
    }

    fn configured() -> Config {
        let service = |kind, host: &str| ExternalService {
            kind,
            host: host.to_owned(),
            ..ExternalService::default()
        };
        let secret = |text: &str| Some(Secret::new(text.to_owned()));
        Config {
            external_services: vec![
                service(ExternalServiceKind::Stun, "stun.example"),
                ExternalService {
                    secret: secret("north"),
                    lifetime_seconds: Seconds::new(600),
                    name: "Relay".to_owned(),
                    ..service(ExternalServiceKind::Turn, "turn.example")
                },
                ExternalService {
                    port: 5349,
                    username: "everybody".to_owned(),
                    password: secret("fixed"),
                    ..service(ExternalServiceKind::Turns, "turn.example")
                },
            ],
            ..Config::default()
        }
    }

    async fn ask(client: &mut Client, payload: &str) -> String {
        client
            .send(&format!(
                "<iq type='get' id='s' to='localhost'>{payload}</iq>"
            ))
            .await;
        client.heard().concat()
    }

    #[tokio::test]
    async fn services_are_listed_by_type_and_credentials_by_host_section_3() {
        let house = House::configured(&["romeo"], configured(), register).await;
        let mut romeo = house.client("romeo/orchard");
        let stun = "<service host='stun.example' port='3478' transport='udp' type='stun'/>";
        let expires = NOW.plus_seconds(600);
        let account = BareJid::new("romeo@localhost").unwrap();
        let made = Credentials::until(expires, &account, "north");
        let turn = format!(
            "<service host='turn.example' port='3478' transport='udp' type='turn' name='Relay' \
             restricted='true' username='{}' password='{}' expires='{expires}'/>",
            made.username, made.password
        );
        let turns = "<service host='turn.example' port='5349' transport='udp' type='turns' \
                     restricted='true' username='everybody' password='fixed'/>";
        let open = "<services xmlns='urn:xmpp:extdisco:2'";
        for (asked, expected) in [
            (
                format!("{open}/>"),
                format!("result s {open}>{stun}{turn}{turns}</services>"),
            ),
            (
                format!("{open} type='turn'/>"),
                format!("result s {open} type='turn'>{turn}</services>"),
            ),
            (
                format!("{open} type='ftp'/>"),
                format!("result s {open} type='ftp'/>"),
            ),
        ] {
            assert_eq!(ask(&mut romeo, &asked).await, expected);
        }
        let open = "<credentials xmlns='urn:xmpp:extdisco:2'>";
        for (asked, expected) in [
            (
                "<service host='TURN.example' type='turn'/>",
                format!("result s {open}{turn}</credentials>"),
            ),
            (
                "<service host='turn.example' type='turns' port='5349'/>",
                format!("result s {open}{turns}</credentials>"),
            ),
            (
                "<service host='turn.example' type='turn' port='1'/>",
                "error s item-not-found".to_owned(),
            ),
            (
                "<service host='other.example' type='turn'/>",
                "error s item-not-found".to_owned(),
            ),
            (
                "<service host='turn.example' type='turn' port='-1'/>",
                "error s bad-request".to_owned(),
            ),
            (
                "<service host='turn.example'/>",
                "error s bad-request".to_owned(),
            ),
            ("<service type='turn'/>", "error s bad-request".to_owned()),
            ("", "error s bad-request".to_owned()),
        ] {
            let asked = format!("{open}{asked}</credentials>");
            assert_eq!(ask(&mut romeo, &asked).await, expected, "{asked}");
        }
    }

    /// `printf %s 1790086400:33aa424ac28b8e97 | openssl dgst -sha1 -hmac north -binary | base64`
    const VECTOR: &str = "pBZNq6XzSnoFCtLKwDsp2AqniUs=";
}
