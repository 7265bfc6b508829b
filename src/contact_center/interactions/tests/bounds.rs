//! Many at once.

use std::time::Duration;

use super::super::asking::Which;
use super::super::lanes::Pace;
use super::super::states::WRITING_UP_MAX;
use super::*;

/// Of many offers for one agent as many are taken as its profile allows, whatever comes at the same moment; each of the others is
/// refused for that reason.
#[tokio::test]
async fn capacity_is_never_exceeded() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let all = (0..200).map(|number| {
        let medium = if number % 2 == 0 { "chat" } else { "email" };
        let iq = format!(
            "<iq type='set' id='o{number}' from='{PBX}' to='{CENTER}'>\
             <offer xmlns='urn:parlour:connector:0' interaction='c{number}' medium='{medium}' \
             direction='inbound' address='e{number}@m.example' agent='ann@localhost'/></iq>"
        );
        let house = &floor.house;
        async move { house.component_sends(&iq).await }
    });
    futures_util::future::join_all(all).await;
    floor.inside().0.lanes.idle(PBX).await;
    let answers = floor.house.component_receives(PBX);
    let taken = answers.iter().filter(|it| it.contains("type='result'"));
    assert_eq!((answers.len(), taken.count()), (200, 15));
    let refused = answers.iter().filter(|it| it.contains("<capacity-full "));
    assert_eq!(refused.count(), 185);
    let list = ask(&mut ann, "get", &format!("<interactions xmlns='{NS}'/>")).await;
    assert!(list.contains("<count>15</count>"), "{list}");
    // What is over makes room.
    let over = list.split_once("<interaction id='").unwrap().1;
    let over = over.split('\'').next().unwrap();
    let medium = attribute(&list, "interaction", "medium").unwrap();
    report(&floor, over, "ended").await;
    let next = format!(
        "<offer interaction='next' medium='{medium}' direction='inbound' address='e@m.example' agent='ann@localhost'/>"
    );
    assert!(
        says(&floor, PBX, "set", &next)
            .await
            .contains("type='result'")
    );
}

/// The answers of the connector's requests, by what they say: taken, or the code of the refusal.
fn counted(answers: &[String]) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for answer in answers {
        let what = match answer.contains("type='result'") {
            true => "taken",
            false => code(answer),
        };
        *counts.entry(what.to_owned()).or_default() += 1;
    }
    counts
}

/// While a CRM says nothing about who calls, the connector goes on offering, each offer has its answer, colleagues talk,
/// and what the connector says of another call is done.
#[tokio::test]
async fn ten_thousand_offers_hold_nobody_up() {
    const OFFERS: usize = 10_000;
    let mut config = config();
    config.contact_center.lookup_component = Domain::parse("crm.example");
    config.contact_center.lookup_milliseconds = 10_000;
    let waiting_max = usize::try_from(config.contact_center.connector_waiting_max).unwrap();
    let floor = Box::pin(Floor::configured(&["ann", "bob", "carl"], config)).await;
    for domain in [PBX, "crm.example"] {
        floor.house.component_comes(domain).await;
    }
    let (center, _) = floor.inside();
    let _ann = agent(&floor, "ann/desk").await;
    let mut bob = floor.online("bob/desk").await;
    let mut carl = floor.online("carl/desk").await;
    let story = async {
        for number in 0..OFFERS {
            let offer = format!(
                "<iq type='set' id='o{number}' from='{PBX}' to='{CENTER}'>\
                 <offer xmlns='urn:parlour:connector:0' interaction='c{number}' medium='voice' \
                 direction='inbound' address='{NUMBER}' agent='ann@localhost'/></iq>"
            );
            floor.house.component_sends(&offer).await;
            if number % 1_000 == 0 {
                let hello = format!(
                    "<message to='carl@localhost/desk' type='chat'><body>{number}</body></message>"
                );
                bob.send(&hello).await;
                let heard = carl.received_xml().concat();
                assert!(heard.contains(&format!("<body>{number}</body>")), "{heard}");
            }
        }
        // Nobody has said who calls, and so nothing is taken yet.
        let mut asked = Vec::new();
        while asked.is_empty() {
            tokio::task::yield_now().await;
            asked = floor.house.component_receives("crm.example");
        }
        let mut answers = floor.house.component_receives(PBX);
        assert_eq!(counted(&answers)["too-much-waits"], OFFERS - waiting_max);
        assert_eq!(answers.len(), OFFERS - waiting_max);
        let id = attribute(&asked[0], "iq", "id").unwrap();
        let told = format!(
            "<iq type='result' id='{id}' from='crm.example' to='{CENTER}'>\
             <find xmlns='urn:parlour:customer:0'/></iq>"
        );
        floor.house.component_sends(&told).await;
        center.lanes.idle(PBX).await;
        answers.extend(floor.house.component_receives(PBX));
        let counts = counted(&answers);
        assert_eq!(answers.len(), OFFERS);
        assert_eq!(
            (counts["taken"], counts["capacity-full"]),
            (1, waiting_max - 1)
        );
    };
    let told = tokio::time::timeout(Duration::from_secs(120), story).await;
    assert!(told.is_ok(), "somebody waits for the CRM");
}

/// What the connector has done and could not be written is not forgotten: it is tried again, and in the end the connector is asked
/// for all that is so.
#[tokio::test]
async fn a_confirmation_that_cannot_be_written_is_asked_for() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    want(&mut ann, "c1", "hold").await;
    let asked = request(&floor, PBX);
    let services = std::sync::Arc::clone(floor.house.router.services());
    let (center, _) = floor.inside();
    // Found, but not written: the database is gone in between.
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let before = Box::pin(async move { gone.await.unwrap() });
    let way = (PBX, "c1");
    let put = super::super::lanes::put(&center, &services, way, (Pace::Quick, before));
    assert!(put.is_ok());
    let id = attribute(&asked, "request", "id").unwrap();
    let result = format!("<iq type='result' id='{id}' from='{PBX}' to='{CENTER}'/>");
    floor.house.component_sends(&result).await;
    services.store.close().await;
    go.send(()).unwrap();
    center.lanes.idle(PBX).await;
    let now = services.clock.now();
    let all = (PBX.to_owned(), Which::All);
    assert_eq!(center.asking.due(now.plus_seconds(4)), []);
    assert!(center.asking.due(now.plus_seconds(5)).contains(&all));
    // The same without a fault asks nobody.
    let floor = super::floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    done(&floor, &mut ann, "c1", "hold").await;
    let (center, _) = floor.inside();
    let due = center.asking.due(now.plus_seconds(60));
    assert!(due.iter().all(|(_, which)| *which != Which::All), "{due:?}");
}

/// Who goes from one to the next and never writes up keeps the last ones to write up; what is going on is always found.
#[tokio::test]
async fn what_is_to_be_written_up_has_a_bound() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let chat = |id: &str| {
        format!(
            "<offer interaction='{id}' medium='chat' direction='inbound' address='e@m.example' agent='ann@localhost'/>"
        )
    };
    // With this one she is engaged all the time; by its id it is the last.
    says(&floor, PBX, "set", &chat("z")).await;
    report(&floor, "z", "connected ann").await;
    let count = WRITING_UP_MAX + 2;
    for number in 0..count {
        let id = format!("c{number:03}");
        says(&floor, PBX, "set", &chat(&id)).await;
        report(&floor, &id, "connected ann").await;
        report(&floor, &id, "left ann").await;
        report(&floor, &id, "ended").await;
        floor.house.clock.advance_seconds(1);
        ann.received();
    }
    let list = ask(&mut ann, "get", &format!("<interactions xmlns='{NS}'/>")).await;
    let expected = format!("<count>{}</count>", WRITING_UP_MAX + 1);
    assert!(list.contains(&expected), "{list}");
    for (id, expected) in [
        ("c000", "interaction-unknown"),
        ("c001", "interaction-unknown"),
        ("c002", "primary wrap-up over"),
        ("z", "primary connected connected"),
    ] {
        assert_eq!(seen(&mut ann, id).await, expected, "{id}");
    }
}

/// A page ends where a stanza would be too large, and goes on behind it.
#[tokio::test]
async fn pages_have_a_bound_in_bytes() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let long = "x".repeat(4_000);
    let data: String = (0..5)
        .map(|name| format!("<data name='{name}'>{long}</data>"))
        .collect();
    for id in ["c1", "c2", "c3"] {
        let offer = format!(
            "<offer interaction='{id}' medium='chat' direction='inbound' address='e@m.example' \
             agent='ann@localhost'>{data}</offer>"
        );
        let answer = says(&floor, PBX, "set", &offer).await;
        assert!(answer.contains("type='result'"), "{answer}");
    }
    ann.received();
    let rsm = "http://jabber.org/protocol/rsm";
    for (page, first, last) in [
        ("", "c1", "c1"),
        ("<after>c1</after>", "c2", "c2"),
        ("<before/>", "c3", "c3"),
        ("<before>c3</before>", "c2", "c2"),
    ] {
        let request =
            format!("<interactions xmlns='{NS}'><set xmlns='{rsm}'>{page}</set></interactions>");
        let list = ask(&mut ann, "get", &request).await;
        assert!(
            list.len() < 64 * 1024 && list.contains("<count>3</count>"),
            "{page}"
        );
        let ends = format!(">{first}</first><last>{last}</last>");
        assert!(list.contains(&ends), "{page}");
    }
}
