//! Streams that customers get, through a connector that the test plays.

mod refusing;

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Component, ComponentRole, Config, Domain};
use crate::contact_center::draft::Draft;
use crate::contact_center::message_streams::tests::{
    attribute, code, create, prepared, reply, set,
};
use crate::contact_center::message_streams::{find, retention};
use crate::contact_center::testing::{CENTER, Floor, until};
use crate::domain::message_stream::Event;
use crate::extensions::testing::Client;

const MAILER: &str = "mail.example";
const OTHER: &str = "pbx.example";

fn config(hosts: Vec<Domain>) -> Config {
    let connector = |domain: &str, hosts: Vec<Domain>| Component {
        domain: Domain::parse(domain).unwrap(),
        role: ComponentRole::Connector,
        hosts,
        ..Component::default()
    };
    let mut config = Config {
        components: vec![connector(MAILER, hosts), connector(OTHER, vec![])],
        ..Config::default()
    };
    config.contact_center.delivery = Domain::parse(MAILER);
    config
}

async fn floor(config: Config) -> Floor {
    let floor = Box::pin(Floor::configured(&["romeo", "juliet"], config)).await;
    Box::pin(prepared(floor)).await
}

/// What the connector is sent, up to the delivery with that in it.
async fn hears(floor: &Floor, part: &str) -> Vec<String> {
    let mut all = Vec::new();
    let heard = async {
        while !all.iter().any(|it: &String| it.contains(part)) {
            tokio::task::yield_now().await;
            let sent = floor.house.component_receives(MAILER);
            all.extend(sent.into_iter().filter(|it| it.contains("<deliver ")));
        }
    };
    let heard = tokio::time::timeout(Duration::from_secs(20), heard).await;
    assert!(heard.is_ok(), "{part} in {all:?}");
    all
}

async fn texts(floor: &Floor, last: &str) -> Vec<String> {
    let all = hears(floor, &format!("<text>{last}</text>")).await;
    let text = |it: &String| {
        let text = it
            .split("<text>")
            .nth(1)
            .unwrap()
            .split('<')
            .next()
            .unwrap();
        let corrects = it.contains(" corrects='true'");
        format!("{text}{}", if corrects { "!" } else { "" })
    };
    all.iter().map(text).collect()
}

/// A stream that is passed on, and its version.
async fn begun(client: &mut Client) -> (String, String) {
    let text = "<text>one</text>";
    let made = create(client, " deliver='true'", "Call back", text).await;
    (attribute(&made, "stream", "id"), made)
}

async fn switch(client: &mut Client, id: &str, version: &str, how: &str) -> String {
    let request = format!("<properties xmlns='NS' id='{id}' version='{version}' {how}/>");
    set(client, &request).await
}

/// S4-17: who it is about, what it says, and what came of it later.
#[tokio::test]
async fn messages_replies_and_edits_go_to_the_connector() {
    let floor = Box::pin(floor(config(vec![]))).await;
    floor.house.component_comes(MAILER).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let (id, made) = begun(&mut romeo).await;
    let message = attribute(&made, "message", "id");
    let first = hears(&floor, "<text>one</text>").await;
    let element = format!(
        "<deliver xmlns='urn:parlour:connector:0' stream='{id}' message='{message}' customer='ann' author='romeo@localhost' at='"
    );
    assert!(first[0].contains(&element), "{first:?}");
    let rest = "'><name>Ann Smith</name><address medium='email'>ann@example.org</address>\
                <title>Call back</title><text>one</text></deliver>";
    assert!(first[0].contains(rest), "{first:?}");
    assert!(first[0].contains(&format!("from='{CENTER}'")), "{first:?}");
    let replied = reply(&mut juliet, &id, "two").await;
    let version = attribute(&replied, "stream", "version");
    let edit = format!(
        "<edit xmlns='NS' id='{id}' message='{message}' version='{version}'><text>uno</text></edit>"
    );
    let edited = set(&mut romeo, &edit).await;
    assert_eq!(texts(&floor, "uno").await, ["two", "uno!"]);
    // What changes no words is no news for the customer.
    let done = set(&mut romeo, &format!("<complete xmlns='NS' id='{id}'/>")).await;
    assert!(done.contains("type='result'"), "{done}");
    let reopened = set(&mut romeo, &format!("<reopen xmlns='NS' id='{id}'/>")).await;
    assert!(reopened.contains("type='result'"), "{reopened} {edited}");
    reply(&mut juliet, &id, "three").await;
    assert_eq!(texts(&floor, "three").await, ["three"]);
}

/// What was written before goes at the moment when delivery is switched on, and nothing while it is off or of a whisper.
#[tokio::test]
async fn switching_it_on_passes_what_the_customer_does_not_have() {
    let floor = Box::pin(floor(config(vec![]))).await;
    floor.house.component_comes(MAILER).await;
    let mut romeo = floor.online("romeo/desk").await;
    let made = create(&mut romeo, "", "Call back", "<text>one</text>").await;
    let id = attribute(&made, "stream", "id");
    let replied = reply(&mut romeo, &id, "two").await;
    let version = attribute(&replied, "stream", "version");
    let on = switch(&mut romeo, &id, &version, "deliver='true'").await;
    assert_eq!(texts(&floor, "two").await, ["one", "two"]);
    let version = attribute(&on, "stream", "version");
    let both = switch(&mut romeo, &id, &version, "deliver='true' whisper='true'").await;
    assert_eq!(code(&both), "whisper-delivered", "{both}");
    switch(&mut romeo, &id, &version, "whisper='true'").await;
    let replied = reply(&mut romeo, &id, "three").await;
    let version = attribute(&replied, "stream", "version");
    switch(&mut romeo, &id, &version, "deliver='true'").await;
    assert_eq!(texts(&floor, "three").await, ["three"]);
}

/// What waits for the connector is neither lost nor late for the agent, keeps its order and its id, and goes with the stream.
#[tokio::test]
async fn a_connector_that_is_away_gets_it_later_and_nothing_that_is_gone() {
    let floor = Box::pin(floor(config(vec![]))).await;
    let mut romeo = floor.online("romeo/desk").await;
    // The order is that of the moments at which they were written.
    let later = || floor.house.clock.advance_seconds(1);
    let (kept, _) = begun(&mut romeo).await;
    later();
    reply(&mut romeo, &kept, "two").await;
    later();
    let (gone, _) = begun(&mut romeo).await;
    let delete = format!("<delete xmlns='NS' id='{gone}' confirm='true'/>");
    let deleted = set(&mut romeo, &delete).await;
    assert!(deleted.contains("type='result'"), "{deleted}");
    // A whisper by now: what waits stays here.
    let (hushed, made) = begun(&mut romeo).await;
    let version = attribute(&made, "stream", "version");
    switch(&mut romeo, &hushed, &version, "whisper='true'").await;
    later();
    let (last, _) = begun(&mut romeo).await;
    let floor = floor.killed().await;
    floor.house.component_comes(MAILER).await;
    let all = hears(&floor, &last).await;
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(
        all[0].contains(&kept) && all[0].contains("<text>one</text>"),
        "{all:?}"
    );
    assert!(
        all[1].contains(&kept) && all[1].contains("<text>two</text>"),
        "{all:?}"
    );
    let ids: std::collections::BTreeSet<String> = all
        .iter()
        .map(|it| attribute(it, "message", "id"))
        .collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

/// What waits for a connector is bounded, and whoever writes more is told; what stays here can be written, and when the connector has
/// come there is room again.
#[tokio::test]
async fn no_more_waits_for_a_connector_than_there_is_room_for() {
    let mut config = config(vec![]);
    config.contact_center.deliveries_waiting_max = 3;
    let floor = Box::pin(floor(config)).await;
    let mut romeo = floor.online("romeo/desk").await;
    // The order is that of the moments at which they were written.
    let later = || floor.house.clock.advance_seconds(1);
    let (id, _) = begun(&mut romeo).await;
    later();
    reply(&mut romeo, &id, "two").await;
    later();
    // Two at once are too many, one is not.
    let made = create(&mut romeo, "", "Other", "<text>x</text>").await;
    let other = attribute(&made, "stream", "id");
    reply(&mut romeo, &other, "y").await;
    let refused = switch(&mut romeo, &other, "2", "deliver='true'").await;
    assert_eq!(code(&refused), "deliveries-full", "{refused}");
    assert!(refused.contains("<resource-constraint "), "{refused}");
    let third = reply(&mut romeo, &id, "three").await;
    assert!(third.contains("type='result'"), "{third}");
    let refused = reply(&mut romeo, &id, "four").await;
    assert_eq!(code(&refused), "deliveries-full", "{refused}");
    // What stays here is written all the same.
    let written = reply(&mut romeo, &other, "z").await;
    assert!(written.contains("type='result'"), "{written}");
    floor.house.component_comes(MAILER).await;
    assert_eq!(texts(&floor, "three").await, ["one", "two", "three"]);
    let room = async {
        while !reply(&mut romeo, &id, "four")
            .await
            .contains("type='result'")
        {
            tokio::task::yield_now().await;
        }
    };
    let room = tokio::time::timeout(Duration::from_secs(20), room).await;
    assert!(room.is_ok(), "there is no room again");
    assert_eq!(texts(&floor, "four").await, ["four"]);
}

/// What waits of a stream that is passed on no more takes no room, and the customer gets what is said when that is switched on again, not
/// what was said before.
#[tokio::test]
async fn what_is_passed_on_no_more_is_taken_back() {
    let mut config = config(vec![]);
    config.contact_center.deliveries_waiting_max = 2;
    let floor = Box::pin(floor(config)).await;
    let mut romeo = floor.online("romeo/desk").await;
    let later = || floor.house.clock.advance_seconds(1);
    let (id, made) = begun(&mut romeo).await;
    let message = attribute(&made, "message", "id");
    later();
    let replied = reply(&mut romeo, &id, "two").await;
    later();
    let refused = create(&mut romeo, " deliver='true'", "Other", "<text>x</text>").await;
    assert_eq!(code(&refused), "deliveries-full", "{refused}");
    let version = attribute(&replied, "stream", "version");
    let off = switch(&mut romeo, &id, &version, "").await;
    let waiting = async || {
        let records = floor.house.router.services().store.records();
        records.outbox_count(10).await.unwrap()
    };
    let taken_back = async {
        while waiting().await > 0 {
            tokio::task::yield_now().await;
        }
    };
    let taken_back = tokio::time::timeout(Duration::from_secs(20), taken_back).await;
    assert!(taken_back.is_ok(), "{} wait", waiting().await);
    // That is nobody's change.
    let version = attribute(&off, "stream", "version");
    let edit = format!(
        "<edit xmlns='NS' id='{id}' message='{message}' version='{version}'><text>uno</text></edit>"
    );
    let edited = set(&mut romeo, &edit).await;
    let version = attribute(&edited, "stream", "version");
    let on = switch(&mut romeo, &id, &version, "deliver='true'").await;
    assert!(on.contains("type='result'"), "{on}");
    floor.house.component_comes(MAILER).await;
    assert_eq!(texts(&floor, "two").await, ["uno", "two"]);
    // The server knows nothing of it after a crash: it looks.
    let floor = floor.killed().await;
    let mut romeo = floor.online("romeo/desk").await;
    let version = attribute(&on, "stream", "version");
    switch(&mut romeo, &id, &version, "").await;
    let made = create(&mut romeo, " deliver='true'", "Other", "<text>x</text>").await;
    assert!(made.contains("type='result'"), "{made}");
}

/// A server that dies when a stream is deleted, and before what waits of it is taken back, does so when it starts again: also where no
/// connector is named any longer, and nothing else that waits is lost.
#[tokio::test]
async fn what_a_crash_has_left_of_a_deleted_stream_is_taken_back_at_the_start() {
    for named in [true, false] {
        let floor = Box::pin(floor(config(vec![]))).await;
        let mut romeo = floor.online("romeo/desk").await;
        let (gone, _) = begun(&mut romeo).await;
        floor.house.clock.advance_seconds(1);
        begun(&mut romeo).await;
        let id = gone.parse().unwrap();
        let (center, place) = floor.inside();
        let services = Arc::clone(floor.house.router.services());
        // As the operation does it, up to the moment of the crash.
        let delete = async |mut draft: Draft| {
            let before = find(&services, &place, &id).await?.unwrap();
            let at = services.clock.now();
            draft.change(&before, &[Event::Deleted { at }])?;
            Ok((draft, ()))
        };
        Box::pin(center.save(&services, delete)).await.unwrap();
        let waiting = async |floor: &Floor| {
            let records = floor.house.router.services().store.records();
            records.outbox_count(10).await.unwrap()
        };
        assert_eq!(waiting(&floor).await, 2);
        let config = match named {
            true => config(vec![]),
            false => Config::default(),
        };
        let floor = Box::pin(floor.killed_for(Arc::new(config))).await;
        let taken_back = async {
            while waiting(&floor).await > 1 {
                tokio::task::yield_now().await;
            }
        };
        let taken_back = tokio::time::timeout(Duration::from_secs(20), taken_back).await;
        assert!(
            taken_back.is_ok(),
            "{named}: {} wait",
            waiting(&floor).await
        );
        let records = floor.house.router.services().store.records();
        let left = records.outbox("", 10).await.unwrap();
        let about = |it: &[u8]| memchr::memmem::find(it, gone.as_bytes()).is_some();
        assert!(!left.iter().any(|it| about(&it.stanza)));
    }
}

/// What is not kept any longer does not go to the customer either, when the connector comes at last.
#[tokio::test]
async fn what_waits_of_a_stream_goes_with_it_when_its_time_is_up() {
    let mut config = config(vec![]);
    config.contact_center.message_stream_days = 1;
    let floor = Box::pin(floor(config)).await;
    let mut romeo = floor.online("romeo/desk").await;
    begun(&mut romeo).await;
    let services = floor.house.router.services();
    let records = services.store.records();
    assert_eq!(records.outbox_count(10).await.unwrap(), 1);
    floor.house.clock.advance_seconds(2 * 86_400);
    let (center, _) = floor.inside();
    Box::pin(retention::forget(center, Arc::clone(services))).await;
    assert_eq!(records.outbox_count(10).await.unwrap(), 0);
}

/// Where no connector passes anything on, nobody is let believe that the customer reads it.
#[tokio::test]
async fn without_a_connector_it_cannot_be_switched_on() {
    let elsewhere = vec![Domain::parse("elsewhere.example").unwrap()];
    for config in [Config::default(), config(elsewhere)] {
        let floor = Box::pin(floor(config)).await;
        let mut romeo = floor.online("romeo/desk").await;
        let refused = create(&mut romeo, " deliver='true'", "T", "<text>x</text>").await;
        assert_eq!(code(&refused), "delivery-not-configured", "{refused}");
        let made = create(&mut romeo, "", "T", "<text>x</text>").await;
        let id = attribute(&made, "stream", "id");
        let refused = switch(&mut romeo, &id, "1", "deliver='true'").await;
        assert_eq!(code(&refused), "delivery-not-configured", "{refused}");
    }
}

fn error(from: &str, id: &str, condition: &str, text: &str) -> String {
    format!(
        "<message type='error' id='{id}' from='{from}' to='{CENTER}'><error type='cancel'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
         <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>{text}</text></error></message>"
    )
}

/// What the connector refuses is told to who has written it, and to nobody by somebody else.
#[tokio::test]
async fn a_refusal_of_the_connector_is_told_to_the_author() {
    let floor = Box::pin(floor(config(vec![]))).await;
    floor.house.component_comes(MAILER).await;
    let mut romeo = floor.online("romeo/desk").await;
    let (stream, made) = begun(&mut romeo).await;
    let message = attribute(&made, "message", "id");
    let sent = hears(&floor, "<text>one</text>").await;
    let id = attribute(&sent[0], "message", "id");
    let unknown = format!("s0/{message}/0");
    for (from, id, condition) in [
        (OTHER, id.as_str(), "item-not-found"),
        (MAILER, "1", "item-not-found"),
        (MAILER, unknown.as_str(), "item-not-found"),
        (MAILER, id.as_str(), "remote-server-timeout"),
    ] {
        let wrong = error(from, id, condition, "Wrong.");
        floor.house.component_sends(&wrong).await;
    }
    let right = error(MAILER, &id, "item-not-found", "The mailbox is full.");
    floor.house.component_sends(&right).await;
    let told = until(&mut romeo, "<not-delivered ").await;
    let told: Vec<&String> = told
        .iter()
        .filter(|it| it.contains("not-delivered"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let body =
        "<body>Your message “Call back” has not reached the customer: The mailbox is full.</body>";
    assert!(told[0].contains(body), "{told:?}");
    let element = format!(
        "<not-delivered xmlns='urn:parlour:message-stream:0' id='{stream}' message='{message}'>The mailbox is full.</not-delivered>"
    );
    assert!(told[0].contains(&element), "{told:?}");
}
