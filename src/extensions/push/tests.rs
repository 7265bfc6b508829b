//! Push notifications, with a push service that is a client of the same server.

use std::sync::Arc;

use crate::extensions::testing::{Client, House};
use crate::proto::{BareJid, Kind, MessageType, Stanza};
use crate::store::{PushRegistration, Put};

const BODY: &str = "<message type='chat' id='m' to='juliet@localhost'><body>Hi</body></message>";

/// Romeo, who writes; a push service; Juliet, who has enabled it.
async fn verona() -> (House, Client, Client, Client) {
    let house = House::new(&["romeo", "juliet", "push"]).await;
    let (romeo, service) = (house.client("romeo/orchard"), house.client("push/service"));
    let mut juliet = house.client("juliet/phone");
    juliet.send("<presence/>").await;
    let heard = enable(
        &mut juliet,
        "jid='push@localhost/service' node='n1'",
        SECRET,
    )
    .await;
    assert_eq!(heard, ["available juliet@localhost/phone", "result e"]);
    (house, romeo, service, juliet)
}

const SECRET: &str = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
    <value>http://jabber.org/protocol/pubsub#publish-options</value></field>\
    <field var='secret'><value>s3cret</value></field></x>";

async fn enable(client: &mut Client, attributes: &str, inside: &str) -> Vec<String> {
    client
        .send(&format!(
            "<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' {attributes}>{inside}</enable></iq>"
        ))
        .await;
    client.heard()
}

async fn registrations(house: &House) -> usize {
    let juliet = BareJid::new("juliet@localhost").unwrap();
    let registrations = house.router.services().store.push_registrations();
    registrations.list(&juliet).await.unwrap().len()
}

/// Answers the one notification that it got.
async fn answer(service: &mut Client, kind: &str, inside: &str) {
    let got = service.received();
    assert_eq!(got.len(), 1);
    let id = got[0].id.clone().unwrap();
    service
        .send(&format!(
            "<iq type='{kind}' id='{id}' to='localhost'>{inside}</iq>"
        ))
        .await;
    assert_eq!(service.heard(), [""; 0]);
}

fn error(kind: &str) -> String {
    format!(
        "<error type='{kind}'><internal-server-error \
         xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    )
}

#[tokio::test]
async fn a_message_that_nobody_took_is_told_with_the_options_section_7() {
    let (_house, mut romeo, mut service, juliet) = verona().await;
    romeo.send(BODY).await;
    assert_eq!(service.heard(), [""; 0], "a session took it");
    juliet.disconnect().await;
    for quiet in [
        "<message type='chat' to='juliet@localhost'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        "<message type='headline' to='juliet@localhost'><body>News</body></message>",
        "<message type='chat' to='juliet@localhost'><received xmlns='urn:xmpp:receipts' id='m'/></message>",
    ] {
        romeo.send(quiet).await;
        assert_eq!(service.heard(), [""; 0], "{quiet}");
    }
    romeo.send(BODY).await;
    let told = service.received_xml();
    assert_eq!(told.len(), 1);
    for part in [
        "<iq from='localhost' to='push@localhost/service' type='set'",
        "<publish node='n1'><item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data'",
        "<value>urn:xmpp:push:summary</value>",
        // With the receipt, which is kept too.
        "<field var='message-count' type='text-single'><value>2</value>",
        "<publish-options><x xmlns='jabber:x:data' type='submit'>",
        "<value>s3cret</value>",
    ] {
        assert!(told[0].contains(part), "{part} in {}", told[0]);
    }
    assert!(!told[0].contains("romeo") && !told[0].contains("Hi"));
}

#[tokio::test]
async fn a_message_that_waits_for_a_device_wakes_that_device_once() {
    let (house, mut romeo, mut service, mut juliet) = verona().await;
    let mut tablet = house.client("juliet/tablet");
    enable(&mut tablet, "jid='push@localhost/service' node='n2'", "").await;
    romeo.send(BODY).await;
    let mail = juliet.received().pop().unwrap();
    assert_eq!(mail.kind, Kind::Message(MessageType::Chat));
    let services = house.router.services();
    let mail = Arc::new(mail);
    services
        .hooks
        .run_waiting(&juliet.session, &mail, services)
        .await;
    let told = service.received_xml();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("node='n1'"), "{}", told[0]);
    let typing = Arc::new(Stanza::message(MessageType::Chat));
    services
        .hooks
        .run_waiting(&juliet.session, &typing, services)
        .await;
    assert_eq!(service.heard(), [""; 0]);
    // The session ends, and what waited is kept: the other device is told.
    juliet.disconnect().await;
    tablet.disconnect().await;
    house.router.keep(&mail).await;
    let told = service.received_xml();
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("node='n2'"), "{}", told[0]);
}

#[tokio::test]
async fn a_service_that_refuses_is_forgotten_section_7_1() {
    let (house, mut romeo, mut service, juliet) = verona().await;
    juliet.disconnect().await;
    let max = house.router.services().config.push.failures_max;
    for _ in 1..max {
        romeo.send(BODY).await;
        answer(&mut service, "error", &error("wait")).await;
    }
    assert_eq!(registrations(&house).await, 1);
    // One that works in between begins the count anew.
    romeo.send(BODY).await;
    answer(&mut service, "result", "").await;
    for _ in 1..max {
        romeo.send(BODY).await;
        answer(&mut service, "error", &error("wait")).await;
    }
    assert_eq!(registrations(&house).await, 1);
    romeo.send(BODY).await;
    answer(&mut service, "error", &error("wait")).await;
    assert_eq!(registrations(&house).await, 0);
    romeo.send(BODY).await;
    assert_eq!(service.heard(), [""; 0]);
}

#[tokio::test]
async fn a_final_refusal_is_enough_and_only_from_the_service_itself() {
    let (house, mut romeo, mut service, juliet) = verona().await;
    juliet.disconnect().await;
    romeo.send(BODY).await;
    let id = service.received()[0].id.clone().unwrap();
    let refusal = format!(
        "<iq type='error' id='{id}' to='localhost'>{}</iq>",
        error("cancel")
    );
    romeo.send(&refusal).await;
    assert_eq!(registrations(&house).await, 1, "another's answer");
    service.send(&refusal).await;
    assert_eq!(registrations(&house).await, 0);
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_forgotten() {
    let (house, mut romeo, _service, juliet) = verona().await;
    let services = house.router.services();
    let gone = PushRegistration {
        service: "push.nowhere.example".parse().unwrap(),
        node: "n".to_owned(),
        resource: "phone".to_owned(),
        options: None,
        failures: 0,
        enabled_at: services.clock.now(),
    };
    let owner = BareJid::new("juliet@localhost").unwrap();
    let registered = services.store.push_registrations();
    let put = Box::pin(registered.put(&owner, &gone, 20)).await.unwrap();
    assert_eq!(put, Put::Stored);
    assert_eq!(registrations(&house).await, 2);
    juliet.disconnect().await;
    romeo.send(BODY).await;
    assert_eq!(registrations(&house).await, 1);
}

#[tokio::test]
async fn registrations_are_replaced_and_disabled_sections_5_and_6() {
    let (house, _romeo, _service, mut juliet) = verona().await;
    for (node, count) in [("n1", 1), ("n2", 2), ("n3", 3)] {
        let attributes = format!("jid='push@localhost/service' node='{node}'");
        enable(&mut juliet, &attributes, "").await;
        assert_eq!(registrations(&house).await, count);
    }
    for (attributes, count) in [
        ("jid='other.example'", 3),
        ("jid='push@localhost/service' node='n2'", 2),
        ("jid='push@localhost/service'", 0),
    ] {
        juliet
            .send(&format!(
                "<iq type='set' id='d'><disable xmlns='urn:xmpp:push:0' {attributes}/></iq>"
            ))
            .await;
        assert_eq!(juliet.heard(), ["result d"]);
        assert_eq!(registrations(&house).await, count, "{attributes}");
    }
}

#[tokio::test]
async fn what_cannot_be_enabled_is_refused() {
    let (house, _romeo, _service, mut juliet) = verona().await;
    let long = format!("jid='localhost' node='{}'", "n".repeat(1024));
    let good = "jid='rooms.localhost' node='n'";
    let other = SECRET.replace("publish-options", "other");
    let large = SECRET.replace("s3cret", &"s".repeat(5000));
    for (attributes, inside, condition) in [
        ("node='n'", "", "bad-request"),
        ("jid='@'", "", "jid-malformed"),
        ("jid='juliet@localhost'", "", "not-allowed"),
        ("jid='push.example' node='n'", "", "remote-server-not-found"),
        ("jid='nobody@localhost/service'", "", "item-not-found"),
        (&long, "", "bad-request"),
        (
            good,
            "<x xmlns='jabber:x:data' type='form'/>",
            "bad-request",
        ),
        (good, &other, "bad-request"),
        (good, &large, "not-acceptable"),
    ] {
        let heard = enable(&mut juliet, attributes, inside).await;
        assert_eq!(heard, [format!("error e {condition}")], "{attributes}");
    }
    assert_eq!(registrations(&house).await, 1);
    let max = house
        .router
        .services()
        .config
        .push
        .registrations_per_account_max;
    for n in 1..max {
        let attributes = format!("jid='push@localhost/service' node='more{n}'");
        assert_eq!(enable(&mut juliet, &attributes, "").await, ["result e"]);
    }
    let heard = enable(&mut juliet, "jid='push@localhost/service' node='more'", "").await;
    assert_eq!(heard, ["error e resource-constraint"]);
}
