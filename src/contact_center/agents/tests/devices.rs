//! Sessions that come and go, and several of them at once.

use std::time::Duration;

use super::*;

/// S0-21: the last session that goes is not a logout: there is a grace period, then a reason of the system's, then
/// the end.
#[tokio::test]
async fn whoever_is_gone_is_not_ready_after_a_while_and_logged_out_later() {
    let floor = Floor::new(&["romeo", "paris:supervisor"]).await;
    let mut paris = floor.online("paris/desk").await;
    let state = format!("<agent xmlns='{NS}' jid='romeo@localhost'/>");
    let mut desk = floor.online("romeo/desk").await;
    own(&mut desk, "login").await;
    let phone = floor.online("romeo/phone").await;
    desk.disconnect().await;
    let answer = ask(&mut paris, "get", &state).await;
    assert!(
        answer.contains("state='available'") && answer.contains("view='online'"),
        "{answer}"
    );
    phone.disconnect().await;
    let answer = ask(&mut paris, "get", &state).await;
    assert!(
        answer.contains("state='available'") && answer.contains("view='offline'"),
        "{answer}"
    );
    // Back within the grace period: nothing has happened, even without presence.
    let mut desk = floor.house.client("romeo/desk");
    own(&mut desk, "ready").await;
    let answer = ask(&mut paris, "get", &state).await;
    assert!(answer.contains("view='online'"), "{answer}");
    desk.disconnect().await;

    let until = async |paris: &mut Client, part: &str| {
        let mut answer = String::new();
        let reached = async {
            while !answer.contains(part) {
                tokio::task::yield_now().await;
                answer = ask(paris, "get", &state).await;
            }
        };
        let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
        assert!(reached.is_ok(), "{part} in {answer}");
    };
    floor.house.clock.advance_seconds(120);
    start_again(&floor).await;
    until(&mut paris, "state='not-ready' reason='connection-lost'").await;
    // Back before the end: as if nothing had been.
    let desk = floor.online("romeo/desk").await;
    until(&mut paris, "state='available'").await;
    desk.disconnect().await;
    floor.house.clock.advance_seconds(120);
    start_again(&floor).await;
    until(&mut paris, "state='not-ready' reason='connection-lost'").await;
    floor.house.clock.advance_seconds(60);
    start_again(&floor).await;
    until(&mut paris, "state='logged-out' reason='connection-lost'").await;
}

/// S0-21: a desk that falls asleep beside a telephone in use makes nobody busy.
#[tokio::test]
async fn an_agent_is_away_when_all_its_devices_are() {
    let floor = Floor::new(&["romeo"]).await;
    let (mut desk, mut phone) = (
        floor.online("romeo/desk").await,
        floor.online("romeo/phone").await,
    );
    own(&mut desk, "login").await;
    desk.send("<presence><show>away</show></presence>").await;
    assert!(look(&mut desk).await.contains("state='available'"));
    phone.send("<presence><show>xa</show></presence>").await;
    assert!(look(&mut desk).await.contains("state='not-ready'"));
    desk.send("<presence/>").await;
    assert!(look(&mut desk).await.contains("state='available'"));
    phone.send("<presence><show>dnd</show></presence>").await;
    assert!(look(&mut desk).await.contains("state='not-ready'"));
    phone.disconnect().await;
    assert!(look(&mut desk).await.contains("state='available'"));
}

/// Two devices at the same time: one follows the other, and each change is written once.
#[tokio::test]
async fn what_two_devices_say_at_once_follows_each_other() {
    let floor = Floor::new(&["romeo"]).await;
    let (mut desk, mut phone) = (
        floor.online("romeo/desk").await,
        floor.online("romeo/phone").await,
    );
    own(&mut desk, "login").await;
    for _ in 0..20 {
        let (lunch, dnd) = (
            not_ready(&mut desk, "lunch"),
            phone.send("<presence><show>dnd</show></presence>"),
        );
        let (answer, ()) = tokio::join!(lunch, dnd);
        assert!(answer.contains("type='result'"), "{answer}");
        let (ready, free) = (own(&mut desk, "ready"), phone.send("<presence/>"));
        let (answer, ()) = tokio::join!(ready, free);
        assert!(answer.contains("type='result'"), "{answer}");
        let state = look(&mut desk).await;
        assert!(state.contains("state='available'"), "{state}");
    }
    let store = &floor.house.router.services().store;
    let agent = store
        .records()
        .find("agent", "romeo@localhost")
        .await
        .unwrap();
    let records = store.records();
    let events = records.events("agent", "romeo@localhost", 0, 1_000);
    let events = events.await.unwrap();
    assert_eq!(
        usize::try_from(agent.unwrap().version).unwrap(),
        events.len()
    );
}

/// What changes nothing is not written: plain presence of an agent costs no transaction.
#[tokio::test]
async fn presence_that_changes_nothing_writes_nothing() {
    let floor = Floor::new(&["romeo"]).await;
    let mut desk = floor.online("romeo/desk").await;
    own(&mut desk, "login").await;
    let store = &floor.house.router.services().store;
    let version = async || {
        let found = store
            .records()
            .find("agent", "romeo@localhost")
            .await
            .unwrap();
        found.unwrap().version
    };
    let before = version().await;
    for status in ["a", "b", "c"] {
        desk.send(&format!("<presence><status>{status}</status></presence>"))
            .await;
    }
    assert_eq!(version().await, before);
}

/// A presence that is refused says nothing of the agent.
#[tokio::test]
async fn a_refused_presence_changes_no_state() {
    let floor = Floor::new(&["romeo"]).await;
    let mut desk = floor.online("romeo/desk").await;
    own(&mut desk, "login").await;
    desk.received();
    desk.send("<presence id='p'><show>dnd</show><priority>high</priority></presence>")
        .await;
    assert_eq!(desk.heard(), ["error p bad-request"]);
    assert!(look(&mut desk).await.contains("state='available'"));
    not_ready(&mut desk, "lunch").await;
    own(&mut desk, "ready").await;
    assert!(
        !desk
            .heard()
            .concat()
            .contains("<show>dnd</show></presence>")
    );
}

/// Whoever gets the name of a removed account is another agent.
#[tokio::test]
async fn nothing_of_a_removed_account_is_left() {
    let floor = Floor::new(&["romeo"]).await;
    let mut desk = floor.online("romeo/desk").await;
    own(&mut desk, "login").await;
    let services = floor.house.router.services();
    let jid = desk.session.jid().bare().clone();
    services.hooks.run_removed(&jid, services).await;
    assert!(
        look(&mut desk)
            .await
            .contains("state='logged-out' view='offline'")
    );
    let stored = services
        .store
        .records()
        .find("agent", jid.as_str())
        .await
        .unwrap();
    assert_eq!(stored, None);
}
