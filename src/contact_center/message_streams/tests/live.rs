//! Changes are told to everyone entitled and to nobody else.

use super::super::changes::Done;
use super::super::live::What;
use super::super::retention;
use super::*;
use crate::config::Config;

async fn watch(client: &mut Client) {
    let answer = set(client, "<watch xmlns='NS' on='true'/>").await;
    assert!(answer.contains("on='true'"), "{answer}");
}

/// What was told up to something with that in it, without ids of messages.
async fn told(client: &mut Client, part: &str) -> Vec<String> {
    let all = until(client, part).await;
    all.into_iter().filter(|it| it.contains(NS)).collect()
}

/// Makes a stream that only its author sees and one for all, which another watches; gives their ids.
async fn two(floor: &Floor, author: &mut Client, watcher: &mut Client) -> (String, String) {
    let hidden = "<recipient>romeo</recipient>";
    let hidden = made(floor, author, "Hidden", hidden).await;
    let shown = made(floor, author, "Call", "").await;
    watch(watcher).await;
    (hidden, shown)
}

#[tokio::test]
async fn each_change_is_told_to_those_who_see_the_stream_and_to_nobody_else() {
    let floor = floor(&["romeo", "juliet", "nurse", "tybalt"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let mut nurse = floor.online("nurse/desk").await;
    let mut tybalt = floor.online("tybalt/desk").await;
    watch(&mut juliet).await;
    watch(&mut nurse).await;
    let id = made(
        &floor,
        &mut romeo,
        "Zanzibar",
        "<recipient>juliet</recipient>",
    )
    .await;
    let heard = told(&mut juliet, "what='created'").await;
    let expected = format!(
        "<changed xmlns='{NS}' id='{id}' customer='ann' version='1' what='created'/></message>"
    );
    assert!(heard.concat().contains(&expected), "{heard:?}");
    assert!(heard.concat().contains("type='headline'"), "{heard:?}");
    reply(&mut romeo, &id, "Zanzibar").await;
    told(&mut juliet, "version='2' what='replied'").await;
    // The nurse comes into sight of it, and Juliet loses that: an open device is told nothing more.
    let set_for = format!(
        "<properties xmlns='NS' id='{id}' version='2'><recipient>nurse</recipient></properties>"
    );
    set(&mut romeo, &set_for).await;
    let gone = format!("<gone xmlns='{NS}' id='{id}'/>");
    let heard = told(&mut juliet, &gone).await;
    assert!(!heard.concat().contains("what='properties'"), "{heard:?}");
    let heard = told(&mut nurse, "what='added'").await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    set(&mut romeo, &format!("<complete xmlns='NS' id='{id}'/>")).await;
    told(&mut nurse, "what='completed'").await;
    set(
        &mut romeo,
        &format!("<delete xmlns='NS' id='{id}' confirm='true'/>"),
    )
    .await;
    told(&mut nurse, &gone).await;
    // A change that Juliet sees comes last: nothing of the others has come before it.
    made(&floor, &mut romeo, "For all", "").await;
    let heard = told(&mut juliet, "what='created'").await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(!heard.concat().contains("Zanzibar"), "{heard:?}");
    // Who does not watch is told nothing.
    assert!(tybalt.received_xml().iter().all(|it| !it.contains(NS)));
}

/// S4-5: what hangs on a right ends with it, on open devices at once.
#[tokio::test]
async fn rights_that_are_taken_away_end_what_is_told() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    watch(&mut juliet).await;
    let id = made(&floor, &mut romeo, "Call", "").await;
    told(&mut juliet, "what='created'").await;
    let jid = ("jid", "juliet@localhost");
    floor
        .operate("right take", &[jid, ("right", "comment-show")])
        .await;
    told(&mut juliet, &format!("<reload xmlns='{NS}'/>")).await;
    reply(&mut romeo, &id, "x").await;
    set(&mut romeo, &format!("<complete xmlns='NS' id='{id}'/>")).await;
    let heard = told(&mut juliet, "version='2' what='completed'").await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    floor
        .operate("right take", &[jid, ("right", "message-show")])
        .await;
    told(&mut juliet, &format!("<ended xmlns='{NS}'/>")).await;
    floor
        .operate("right reset", &[jid, ("right", "message-show")])
        .await;
    // It has ended: a new one has to be asked for.
    set(&mut romeo, &format!("<reopen xmlns='NS' id='{id}'/>")).await;
    watch(&mut juliet).await;
    set(&mut romeo, &format!("<complete xmlns='NS' id='{id}'/>")).await;
    let heard = told(&mut juliet, "what='completed'").await;
    assert!(!heard.concat().contains("what='reopened'"), "{heard:?}");
}

#[tokio::test]
async fn a_device_watches_until_it_says_so_or_is_gone() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut desk = floor.online("juliet/desk").await;
    let mut phone = floor.online("juliet/phone").await;
    let mut tablet = floor.online("juliet/tablet").await;
    watch(&mut desk).await;
    watch(&mut phone).await;
    watch(&mut tablet).await;
    set(&mut desk, "<watch xmlns='NS' on='false'/>").await;
    phone.disconnect().await;
    made(&floor, &mut romeo, "Call", "").await;
    told(&mut tablet, "what='created'").await;
    assert!(
        desk.received_xml()
            .iter()
            .all(|it| !it.contains("<changed"))
    );
    let mut phone = floor.online("juliet/phone").await;
    made(&floor, &mut romeo, "Call", "").await;
    told(&mut tablet, "what='created'").await;
    assert!(
        phone
            .received_xml()
            .iter()
            .all(|it| !it.contains("<changed"))
    );
}

/// Of a stream that cannot be read nobody is told, but everybody reads anew, and the next change is told.
#[tokio::test]
async fn what_cannot_be_read_is_read_anew() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    watch(&mut juliet).await;
    let id = made(&floor, &mut romeo, "Call", "").await;
    told(&mut juliet, "what='created'").await;
    let (center, place) = floor.inside();
    let services = floor.house.router.services();
    let of = id.parse().unwrap();
    let known = super::super::find(services, &place, &of).await.unwrap();
    let known = known.unwrap();
    floor.set(super::super::KIND, &id, 2, &"no stream").await;
    let done = Done {
        before: known.clone(),
        after: known,
        events: vec![],
        what: What::Tags,
    };
    center.streams.note(&place, &done);
    let heard = told(&mut juliet, &format!("<reload xmlns='{NS}'/>")).await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    made(&floor, &mut romeo, "Another", "").await;
    told(&mut juliet, "what='created'").await;
}

/// S2-13: a stream of a customer who turned out to be another is about that one from then on, which those who see it are told.
#[tokio::test]
async fn who_watches_is_told_that_a_stream_is_about_another_customer() {
    let floor = floor(&["romeo", "juliet", "lady:supervisor"]).await;
    floor
        .customer("smith", "A. Smith", "smith@example.org")
        .await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let mut lady = floor.online("lady/desk").await;
    let (hidden, id) = two(&floor, &mut romeo, &mut juliet).await;
    let merge = "<merge xmlns='urn:parlour:customer:0' id='smith' version='1' other='ann' other-version='1'/>";
    assert!(ask(&mut lady, "set", merge).await.contains("type='result'"));
    let heard = told(&mut juliet, "what='moved'").await.concat();
    let expected =
        format!("<changed xmlns='{NS}' id='{id}' customer='smith' version='2' what='moved'/>");
    assert!(heard.contains(&expected), "{heard}");
    assert!(!heard.contains(&hidden), "{heard}");
}

/// What is erased with its customer is gone for those who saw it, and for nobody else was it ever there.
#[tokio::test]
async fn who_watches_is_told_that_a_stream_is_erased_with_its_customer() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let (hidden, id) = two(&floor, &mut romeo, &mut juliet).await;
    let sure = [("id", "ann"), ("confirm", "true")];
    floor.operate("customer erase", &sure).await;
    let heard = told(&mut juliet, &format!("<gone xmlns='{NS}' id='{id}'/>")).await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert!(!heard.concat().contains(&hidden), "{heard:?}");
}

/// What was kept for long enough is gone on open devices, too.
#[tokio::test]
async fn who_watches_is_told_that_a_stream_is_not_kept_any_longer() {
    let mut config = Config::default();
    config.contact_center.message_stream_days = 1;
    let floor = Box::pin(Floor::configured(&["romeo", "juliet"], config)).await;
    let floor = Box::pin(prepared(floor)).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let (hidden, id) = two(&floor, &mut romeo, &mut juliet).await;
    floor.house.clock.advance_seconds(2 * 86_400);
    let young = made(&floor, &mut romeo, "Young", "").await;
    let (center, _) = floor.inside();
    let services = floor.house.router.services();
    Box::pin(retention::forget(center, std::sync::Arc::clone(services))).await;
    let heard = told(&mut juliet, &format!("<gone xmlns='{NS}' id='{id}'/>")).await;
    let heard = heard.concat();
    assert!(!heard.contains(&hidden), "{heard}");
    assert!(stream(&mut juliet, &young).await.contains("About Young."));
}

/// What somebody has done something to is not old, whatever that is.
#[tokio::test]
async fn a_stream_that_was_reopened_is_kept_for_as_long_once_more() {
    let mut config = Config::default();
    config.contact_center.message_stream_days = 1;
    let floor = Box::pin(Floor::configured(&["romeo"], config)).await;
    let floor = Box::pin(prepared(floor)).await;
    let mut romeo = floor.online("romeo/desk").await;
    let id = made(&floor, &mut romeo, "Call", "").await;
    let left = made(&floor, &mut romeo, "Other", "").await;
    for id in [&id, &left] {
        set(&mut romeo, &format!("<complete xmlns='NS' id='{id}'/>")).await;
    }
    floor.house.clock.advance_seconds(2 * 86_400);
    set(&mut romeo, &format!("<reopen xmlns='NS' id='{id}'/>")).await;
    let (center, _) = floor.inside();
    let services = floor.house.router.services();
    let forget = || {
        let (center, services) = (
            std::sync::Arc::clone(&center),
            std::sync::Arc::clone(services),
        );
        Box::pin(retention::forget(center, services))
    };
    forget().await;
    assert!(stream(&mut romeo, &id).await.contains("About Call."));
    assert!(!stream(&mut romeo, &left).await.contains("About Other."));
    floor.house.clock.advance_seconds(2 * 86_400);
    forget().await;
    assert!(!stream(&mut romeo, &id).await.contains("About Call."));
}
