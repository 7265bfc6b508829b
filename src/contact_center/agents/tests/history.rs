//! What has become of an agent's state.

use super::*;
use crate::store::AuditFilter;

async fn history(client: &mut Client, whose: &str, set: &str) -> String {
    let set = match set {
        "" => String::new(),
        set => format!("<set xmlns='http://jabber.org/protocol/rsm'>{set}</set>"),
    };
    let request = format!("<history xmlns='{NS}'{whose}>{set}</history>");
    ask(client, "get", &request).await
}

fn changes(answer: &str) -> Vec<&str> {
    let parts = answer.split(" change='").skip(1);
    parts.map(|it| it.split('\'').next().unwrap()).collect()
}

/// S2-6: every change with its time and reason, one's own for everybody, in pages.
#[tokio::test]
async fn every_change_is_recorded_with_time_and_reason() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let answer = history(&mut romeo, "", "").await;
    assert!(
        changes(&answer).is_empty() && answer.contains("<count>0</count>"),
        "{answer}"
    );
    own(&mut romeo, "login").await;
    floor.house.clock.advance_seconds(60);
    not_ready(&mut romeo, "lunch").await;
    own(&mut romeo, "ready").await;
    let answer = history(&mut romeo, "", "").await;
    assert_eq!(changes(&answer), ["login", "not-ready", "available"]);
    assert!(
        answer.contains(
            "<change id='2' at='2026-09-21T14:14:20Z' change='not-ready' reason='lunch' \
             label='Lunch' origin='agent'/>"
        ),
        "{answer}"
    );
    for (set, expected) in [
        ("<max>2</max>", &["login", "not-ready"][..]),
        ("<max>2</max><after>2</after>", &["available"]),
        ("<max>2</max><before/>", &["not-ready", "available"]),
        ("<max>5</max><before>3</before>", &["login", "not-ready"]),
        ("<max>1</max><index>1</index>", &["not-ready"]),
        ("<max>5</max><after>99</after>", &[]),
        ("<max>0</max>", &[]),
    ] {
        let answer = history(&mut romeo, "", set).await;
        assert_eq!(changes(&answer), expected, "{set}");
        assert!(answer.contains("<count>3</count>"), "{answer}");
    }
    let answer = history(&mut romeo, "", "<after>x</after>").await;
    assert!(answer.contains("<item-not-found "), "{answer}");
    let answer = command(&mut romeo, "urn:parlour:agent:0#history", &[]).await;
    assert!(answer.contains("<value>Lunch</value>"), "{answer}");
    assert!(!answer.contains("Older ones"), "{answer}");
}

/// A form shows the last page, and leads to what is older.
#[tokio::test]
async fn a_long_history_is_read_by_form() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    own(&mut romeo, "login").await;
    for _ in 0..30 {
        not_ready(&mut romeo, "lunch").await;
        own(&mut romeo, "ready").await;
    }
    let node = "urn:parlour:agent:0#history";
    let answer = command(&mut romeo, node, &[]).await;
    assert_eq!(answer.matches("<item>").count(), 50, "{answer}");
    assert!(answer.contains("Older ones are before 12."), "{answer}");
    assert!(!answer.contains("<value>login</value>"), "{answer}");
    let answer = command(&mut romeo, node, &[("before", "12")]).await;
    assert_eq!(answer.matches("<item>").count(), 11, "{answer}");
    assert!(answer.contains("<value>login</value>"), "{answer}");
    assert!(!answer.contains("Older ones"), "{answer}");
    let answer = command(&mut romeo, node, &[("before", "never")]).await;
    assert!(answer.contains("<item-not-found "), "{answer}");
}

/// Another's history is for those with the right, and that they look is in the audit trail.
#[tokio::test]
async fn who_looks_at_anothers_history_is_in_the_audit_trail() {
    let floor = Floor::new(&["romeo", "juliet", "paris:supervisor"]).await;
    let (mut romeo, mut juliet) = (
        floor.online("romeo/desk").await,
        floor.online("juliet/desk").await,
    );
    own(&mut romeo, "login").await;
    let whose = " jid='romeo@localhost'";
    let answer = history(&mut juliet, whose, "").await;
    assert!(answer.contains("<right-missing "), "{answer}");
    let audit = floor.house.router.services().store.audit();
    let entries = audit.list(&AuditFilter::default(), 10).await.unwrap();
    assert!(entries.is_empty(), "{entries:?}");
    let mut paris = floor.online("paris/desk").await;
    let answer = history(&mut paris, whose, "").await;
    assert_eq!(changes(&answer), ["login"]);
    history(&mut romeo, whose, "").await;
    let entries = audit.list(&AuditFilter::default(), 10).await.unwrap();
    let entries: Vec<_> = entries
        .iter()
        .map(|it| (it.actor.as_str(), it.operation.as_str(), it.target.as_str()))
        .collect();
    assert_eq!(
        entries,
        [("paris@localhost", "agent history", "romeo@localhost")]
    );
    let answer = history(&mut paris, " jid='nobody@localhost'", "").await;
    assert!(answer.contains("<no-account "), "{answer}");
}

/// What is older than the operator wants it kept goes once a day; the state stays, and the pages are still right.
#[tokio::test]
async fn the_oldest_changes_are_deleted() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    own(&mut romeo, "login").await;
    for _ in 0..300 {
        not_ready(&mut romeo, "lunch").await;
        own(&mut romeo, "ready").await;
    }
    let day = 86_400;
    floor.house.clock.advance_seconds(day * 200);
    not_ready(&mut romeo, "meeting").await;
    let services = floor.house.router.services();
    floor.house.clock.advance_seconds(day * 164);
    services.hooks.run_daily(services).await;
    assert!(
        history(&mut romeo, "", "")
            .await
            .contains("<count>602</count>")
    );
    floor.house.clock.advance_seconds(day * 2);
    services.hooks.run_daily(services).await;
    let answer = history(&mut romeo, "", "<max>10</max><before/>").await;
    assert_eq!(changes(&answer), ["not-ready"]);
    assert!(
        answer.contains("<count>1</count>") && answer.contains("id='602'"),
        "{answer}"
    );
    assert!(look(&mut romeo).await.contains("reason='meeting'"));
    floor.house.clock.advance_seconds(day * 200);
    services.hooks.run_daily(services).await;
    let answer = history(&mut romeo, "", "").await;
    assert!(answer.contains("<count>0</count>"), "{answer}");
    own(&mut romeo, "ready").await;
    assert_eq!(changes(&history(&mut romeo, "", "").await), ["available"]);
}
