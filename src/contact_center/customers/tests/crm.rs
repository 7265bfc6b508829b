//! A CRM that is asked who a customer is.

use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;

use super::*;
use crate::config::{Component, ComponentRole, Config, Domain};
use crate::hooks::{Effects, Hooks, Iq, IqAnswer, Parcel, Service};
use crate::proto::{BareJid, Condition, StanzaError};
use crate::xml::{Element, Limits, document};

const CRM_DOMAIN: &str = "crm.example";

/// Answers as the address asks for.
struct Crm(Mutex<usize>);

impl Service for Crm {
    fn request(self: Arc<Self>, iq: Iq) -> BoxFuture<'static, Option<IqAnswer>> {
        Box::pin(async move {
            let address = iq.payload.attribute("address").unwrap_or_default();
            let customers = match address {
                "silent@example.org" => return std::future::pending().await,
                "refused@example.org" => return Some(Err(Condition::Forbidden.into())),
                "other@example.org" => return Some(Ok(Some(Element::new("urn:other", "find")))),
                "nobody@example.org" => String::new(),
                "broken@example.org" => {
                    "<customer crm-id='9'/><customer><name>B</name></customer>".to_owned()
                }
                "changing@example.org" => {
                    let mut count = self.0.lock().unwrap();
                    *count += 1;
                    format!("<customer crm-id='3'><name>Name {count}</name></customer>")
                }
                "many@example.org" => (0..50)
                    .map(|n| format!("<customer crm-id='m{n}'><name>M {n}</name></customer>"))
                    .collect(),
                address => format!(
                    "<customer crm-id='1' url='https://crm.example/1'><name>Ann of the CRM</name>\
                     <telephone>0</telephone><telephone>+49 30 12345678</telephone><email>{address}</email></customer>\
                     <customer crm-id='2'><company>Example</company></customer>\
                     <customer crm-id='1'><name>Twice</name></customer><other xmlns='urn:other'/>"
                ),
            };
            let answer = format!("<find xmlns='{NS}'>{customers}</find>");
            Some(Ok(document(answer.as_bytes(), &Limits::STORED).ok()))
        })
    }

    fn take(self: Arc<Self>, _parcel: Parcel) -> BoxFuture<'static, Result<Effects, StanzaError>> {
        Box::pin(async { Ok(Effects::default()) })
    }
}

fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    let crm = |hooks: &mut Hooks, _: &Arc<Config>| {
        let domain = BareJid::new(CRM_DOMAIN).unwrap();
        hooks.service(domain, Arc::new(Crm(Mutex::new(0))));
    };
    *hooks = crate::extensions::hooks_with(config, &[crate::contact_center::register, crm]);
}

fn config(hosts: Vec<Domain>) -> Config {
    let crm = Component {
        domain: Domain::parse(CRM_DOMAIN).unwrap(),
        role: ComponentRole::Crm,
        hosts,
        ..Component::default()
    };
    let mut config = Config {
        components: vec![crm],
        ..Config::default()
    };
    config.contact_center.lookup_component = Domain::parse(CRM_DOMAIN);
    config.contact_center.lookup_milliseconds = 50;
    config
}

/// Agents, and the CRM, which is connected.
async fn floor(people: &[&str], config: Config) -> Floor {
    let floor = Box::pin(Floor::beside(people, config, register)).await;
    floor.house.component_comes(CRM_DOMAIN).await;
    floor
}

/// S2-12, S2-13: what the CRM knows becomes records, the same ones each time.
#[tokio::test]
async fn what_the_crm_knows_is_written_down_once() {
    let floor = Box::pin(floor(&["romeo"], config(vec![]))).await;
    let mut romeo = floor.online("romeo/desk").await;
    let first = found(&mut romeo, "ann@example.org").await;
    let known = ids(&first);
    assert_eq!(known.len(), 2, "{first}");
    assert!(
        first.contains(
            " version='1' created='2026-09-21T14:13:20Z' crm-id='1' url='https://crm.example/1'>\
             <name>Ann of the CRM</name><telephone>+493012345678</telephone><email>ann@example.org</email>"
        ),
        "{first}"
    );
    let again = found(&mut romeo, "ann@example.org").await;
    assert_eq!(again, first);
    // What the CRM has changed is changed here.
    let one = found(&mut romeo, "changing@example.org").await;
    let two = found(&mut romeo, "changing@example.org").await;
    assert!(
        one.contains(" version='1' ") && one.contains("<name>Name 1</name>"),
        "{one}"
    );
    assert!(
        two.contains(" version='2' ") && two.contains("<name>Name 2</name>"),
        "{two}"
    );
    assert_eq!(ids(&one), ids(&two));
    // It knows that it is nobody, and more than are shown.
    let nobody = found(&mut romeo, "nobody@example.org").await;
    assert!(
        nobody.contains("type='result'") && ids(&nobody).is_empty(),
        "{nobody}"
    );
    let many = found(&mut romeo, "many@example.org").await;
    assert_eq!(ids(&many).len(), MATCHES_MAX);
}

/// A CRM that is late, refuses or answers nonsense costs nobody the look-up.
#[tokio::test]
async fn without_the_crm_the_own_records_are_looked_at() {
    let floor = Box::pin(floor(&["romeo"], config(vec![]))).await;
    let mut romeo = floor.online("romeo/desk").await;
    for name in ["silent", "refused", "other", "broken"] {
        let address = format!("{name}@example.org");
        let own = made(&mut romeo, name, "", &address).await;
        let answer = found(&mut romeo, &address).await;
        assert_eq!(ids(&answer), [own.as_str()], "{answer}");
    }
}

/// A CRM of another host, and one that is not there.
#[tokio::test]
async fn only_the_crm_of_the_host_is_asked() {
    let elsewhere = vec![Domain::parse("elsewhere.example").unwrap()];
    let floor = Box::pin(floor(&["romeo"], config(elsewhere))).await;
    let mut romeo = floor.online("romeo/desk").await;
    let answer = found(&mut romeo, "ann@example.org").await;
    assert!(ids(&answer).is_empty(), "{answer}");
    let floor = Box::pin(Floor::configured(&["romeo"], config(vec![]))).await;
    let mut romeo = floor.online("romeo/desk").await;
    let own = made(&mut romeo, "Ann", "", "ann@example.org").await;
    let answer = found(&mut romeo, "ann@example.org").await;
    assert_eq!(ids(&answer), [own.as_str()], "{answer}");
}

/// Who was merged stays so, whatever the CRM says of it; many who ask at once make one record.
#[tokio::test]
async fn the_crm_neither_doubles_customers_nor_takes_merged_ones_apart() {
    let floor = Box::pin(floor(&["romeo", "lady:supervisor"], config(vec![]))).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut lady = floor.online("lady/desk").await;
    let (a, b) = tokio::join!(
        found(&mut romeo, "ann@example.org"),
        found(&mut lady, "ann@example.org")
    );
    assert_eq!(ids(&a), ids(&b));
    let known = ids(&a);
    let merge = format!(
        "<merge xmlns='{NS}' id='{}' version='1' other='{}' other-version='1'/>",
        known[1], known[0]
    );
    let merged = ask(&mut lady, "set", &merge).await;
    assert!(merged.contains("type='result'"), "{merged}");
    let answer = found(&mut romeo, "ann@example.org").await;
    assert_eq!(ids(&answer), [known[1]], "{answer}");
}
