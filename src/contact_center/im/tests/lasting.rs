//! What time, restarts, removed accounts and the years do to sessions.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::contact_center::center::Center;

/// The server stops and starts: nothing is left in memory.
async fn restarted(floor: &Floor) -> Arc<Center> {
    let services = Arc::clone(floor.house.router.services());
    services.hooks.run_stopping(&services).await;
    let center = Arc::new(Center::new(&services.config));
    super::super::load_open(&center, &services).await.unwrap();
    let start = Arc::clone(&center).start(services);
    Box::pin(start).await.unwrap();
    center
}

/// Waits until the client is told that.
async fn hears(client: &mut Client, expected: &str) -> Vec<String> {
    let mut all = Vec::new();
    let told = async {
        while !all.iter().any(|it| it == expected) {
            all.extend(heard(client));
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told).await;
    assert!(told.is_ok(), "{expected}: {all:?}");
    all
}

/// S1-9, S1-23: the inviter is told, the invitation stays, and a late answer is not too late; across a restart.
#[tokio::test]
async fn an_invitation_times_out_after_a_restart_and_is_accepted_late() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    heard(&mut romeo);
    heard(&mut juliet);
    floor.house.clock.advance_seconds(31);
    let center = restarted(&floor).await;
    hears(&mut romeo, "event timed-out").await;
    hears(&mut juliet, "event withdrawn").await;
    assert_eq!(status(&mut romeo, &id).await, "timed-out");
    assert_eq!(status(&mut juliet, &id).await, "pending");
    floor.house.clock.advance_seconds(3_600);
    chat(&mut juliet, "romeo@localhost", "sorry", None).await;
    assert_eq!(heard(&mut romeo), ["event accepted", "said sorry"]);
    let of = |own: &str, other: &str| {
        let jid = |name: &str| format!("{name}@localhost").parse().unwrap();
        center.sessions.of(&jid(own), &jid(other)).len()
    };
    assert_eq!((of("romeo", "juliet"), of("juliet", "romeo")), (1, 1));
    center.stop().await;
}

/// S0-9: what was done to accounts while the server was down holds when it starts; the others are told.
#[tokio::test]
async fn who_is_no_agent_at_a_start_talks_no_longer() {
    let people = ["romeo", "juliet", "nurse", "tybalt", "paris", "peter"];
    let floor = Floor::new(&people).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut clients = Vec::new();
    for name in &people[1..] {
        clients.push(agent(&floor, &format!("{name}/desk")).await);
    }
    let mut ids = Vec::new();
    // With paris it stays: only peter takes no more than one.
    for (client, name) in clients.iter_mut().zip(&people[1..]).take(4) {
        let id = invite(&mut romeo, name, "hello").await;
        if *name != "nurse" {
            set(client, &format!("accept id='{id}'")).await;
        }
        ids.push(id);
    }
    let incoming = invite(clients.last_mut().unwrap(), "romeo", "hello").await;
    heard(&mut romeo);
    let store = floor.house.router.services().store.clone();
    let accounts = store.accounts();
    let jid = |name: &str| crate::proto::BareJid::new(&format!("{name}@localhost")).unwrap();
    let member = crate::domain::rights::Role::Member;
    for name in ["juliet", "nurse"] {
        accounts.set_role(&jid(name), member).await.unwrap();
    }
    accounts.remove(&jid("tybalt")).await.unwrap();
    accounts.disable(&jid("peter")).await.unwrap();
    let center = restarted(&floor).await;
    let status: Vec<String> = {
        let mut all = Vec::new();
        for id in ids.iter().chain([&incoming]) {
            all.push(status(&mut romeo, id).await);
        }
        all
    };
    let expected = ["ended", "rejected", "ended", "connected", "cancelled"];
    assert_eq!(status, expected);
    let open = |name: &str| center.sessions.of(&jid("romeo"), &jid(name)).len();
    assert_eq!(people[1..].iter().map(|it| open(it)).sum::<usize>(), 1);
    assert_eq!(open("paris"), 1);
    center.stop().await;
}

/// An account that is removed leaves nothing open, and an account made anew does not read what its predecessor wrote.
#[tokio::test]
async fn the_sessions_of_a_removed_account_end() {
    let floor = Floor::new(&["romeo", "juliet", "nurse"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let mut nurse = agent(&floor, "nurse/desk").await;
    let first = invite(&mut romeo, "juliet", "hello").await;
    let second = invite(&mut juliet, "nurse", "hello").await;
    set(&mut nurse, &format!("accept id='{second}'")).await;
    heard(&mut romeo);
    heard(&mut nurse);
    let services = floor.house.router.services();
    let gone = "juliet@localhost".parse().unwrap();
    services.store.accounts().remove(&gone).await.unwrap();
    services.hooks.run_removed(&gone, services).await;
    assert_eq!(heard(&mut romeo), ["event rejected"]);
    assert_eq!(heard(&mut nurse), ["event ended"]);
    assert_eq!(status(&mut nurse, &second).await, "ended");
    floor.house.clock.advance_seconds(60);
    let role = crate::domain::rights::Role::Agent;
    let now = floor.house.clock.now();
    services
        .store
        .accounts()
        .create(&gone, role, &[], now)
        .await
        .unwrap();
    for request in [
        format!("transcript id='{second}'"),
        format!("session id='{first}'"),
    ] {
        let answer = set(&mut juliet, &request).await;
        assert!(answer.contains("<im-session-unknown "), "{answer}");
    }
    let answer = set(&mut juliet, "sessions all='true'").await;
    let nothing = !answer.contains("<session ") && answer.contains("<count>0</count>");
    assert!(nothing, "{answer}");
    // Its own first session is the first of its list, from both ends.
    ask(&mut juliet, "set", "<login xmlns='urn:parlour:agent:0'/>").await;
    let third = invite(&mut juliet, "nurse", "hello").await;
    for page in ["", "<before/>", "<after>0</after>"] {
        let page = format!("<set xmlns='http://jabber.org/protocol/rsm'><max>1</max>{page}</set>");
        let request = format!("sessions all='true' {page}");
        let answer = set(&mut juliet, &request).await;
        let expected =
            format!("<first index='0'>{third}</first><last>{third}</last><count>1</count>");
        assert!(answer.contains(&expected), "{page}: {answer}");
    }
}

/// S0-9: nor does one that is disabled, or is no agent any more; it may be one again.
#[tokio::test]
async fn the_sessions_of_a_disabled_account_end() {
    let role = ("role", "member");
    for (operation, other) in [("account disable", None), ("account role", Some(role))] {
        let floor = Floor::new(&["romeo", "juliet", "nurse", "paris"]).await;
        let mut romeo = agent(&floor, "romeo/desk").await;
        let mut juliet = agent(&floor, "juliet/desk").await;
        let mut nurse = agent(&floor, "nurse/desk").await;
        let mut paris = agent(&floor, "paris/desk").await;
        invite(&mut romeo, "juliet", "hello").await;
        let connected = invite(&mut juliet, "nurse", "hello").await;
        set(&mut nurse, &format!("accept id='{connected}'")).await;
        invite(&mut juliet, "paris", "hello").await;
        for client in [&mut romeo, &mut nurse, &mut paris] {
            heard(client);
        }
        let given: Vec<_> = std::iter::once(("jid", "juliet@localhost"))
            .chain(other)
            .collect();
        floor.operate(operation, &given).await;
        assert_eq!(heard(&mut romeo), ["event rejected"], "{operation}");
        assert_eq!(heard(&mut nurse), ["event ended"], "{operation}");
        assert_eq!(heard(&mut paris), ["event cancelled"], "{operation}");
        assert_eq!(status(&mut nurse, &connected).await, "ended");
    }
}

/// Nor does one that may neither talk nor end it; whether it is logged in then, and whoever else has its role.
#[tokio::test]
async fn the_sessions_end_of_whoever_may_do_nothing_in_them() {
    for of in [("jid", "juliet@localhost"), ("role", "agent")] {
        let floor = Floor::new(&["romeo:supervisor", "juliet"]).await;
        let mut romeo = agent(&floor, "romeo/desk").await;
        let mut juliet = agent(&floor, "juliet/desk").await;
        let connected = invite(&mut romeo, "juliet", "hello").await;
        set(&mut juliet, &format!("accept id='{connected}'")).await;
        if of.0 == "role" {
            for right in ["agent-state", "instant-message"] {
                let own = [("jid", "romeo@localhost"), ("right", right)];
                floor.operate("right give", &own).await;
            }
        }
        heard(&mut romeo);
        let take = |right| [of, ("right", right)];
        floor.operate("right take", &take("instant-message")).await;
        assert_eq!(status(&mut romeo, &connected).await, "connected");
        floor.operate("right give", &take("instant-message")).await;
        floor.operate("right take", &take("agent-state")).await;
        assert_eq!(status(&mut romeo, &connected).await, "connected");
        floor.operate("right take", &take("instant-message")).await;
        let told = async {
            loop {
                let told = heard(&mut romeo);
                if !told.is_empty() {
                    return told;
                }
                tokio::task::yield_now().await;
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(20), told).await;
        assert_eq!(told.unwrap(), ["event ended"], "{of:?}");
        assert_eq!(status(&mut romeo, &connected).await, "ended");
    }
}

/// Sessions that are over go after a year, with what was said; what is open stays.
#[tokio::test]
async fn old_sessions_are_removed_and_open_ones_are_kept() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let open = invite(&mut romeo, "juliet", "open").await;
    let over = invite(&mut romeo, "juliet", "over").await;
    set(&mut juliet, &format!("reject id='{over}'")).await;
    floor.house.clock.advance_seconds(364 * 86_400);
    let late = invite(&mut romeo, "juliet", "late").await;
    set(&mut juliet, &format!("reject id='{late}'")).await;
    let services = floor.house.router.services();
    services.hooks.run_daily(services).await;
    assert_eq!(status(&mut romeo, &over).await, "rejected");
    floor.house.clock.advance_seconds(2 * 86_400);
    services.hooks.run_daily(services).await;
    let answer = set(&mut romeo, &format!("session id='{over}'")).await;
    assert!(answer.contains("<im-session-unknown "), "{answer}");
    assert_eq!(status(&mut romeo, &late).await, "rejected");
    assert_eq!(status(&mut juliet, &open).await, "pending");
    let events = services
        .store
        .records()
        .events("im-session", &over, 0, 10)
        .await
        .unwrap();
    assert_eq!(events, Vec::<String>::new());
}

/// What was decided before a crash and not sent is sent at the next start, with the copies for its sender's devices.
#[tokio::test]
async fn what_is_left_in_the_outbox_is_said_after_a_restart() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let message = "<message xmlns='jabber:client' from='romeo@localhost' to='juliet@localhost' type='chat' id='m1'>\
        <body>hello</body></message>";
    let outgoing = crate::store::Outgoing {
        id: "0".to_owned(),
        stanza: message.into(),
    };
    let write = crate::store::RecordWrite {
        outbox: vec![outgoing],
        ..crate::store::RecordWrite::default()
    };
    let services = floor.house.router.services();
    let written = services.store.records().write(write).await.unwrap();
    assert_eq!(written, crate::store::RecordsWritten::Done);
    let center = restarted(&floor).await;
    hears(&mut juliet, "chat hello").await;
    assert_eq!(heard(&mut romeo), ["sent chat hello"]);
    center.stop().await;
    let left = services.store.records().outbox("", 10).await.unwrap();
    assert_eq!(left, []);
}
