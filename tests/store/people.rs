//! Blocked addresses (XEP-0191), reports (XEP-0377), push registrations (XEP-0357), invitations (XEP-0401).

use std::slice::from_ref;

use parlour::proto::Jid;
use parlour::store::{AbuseReport, Invitation, PushRegistration, Put, ReportLimits, StoreError};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    blocked_addresses_are_a_set_within_its_bound,
    the_newest_reports_stay,
    nobody_pushes_the_reports_of_others_out,
    push_registrations_are_replaced_counted_and_forgotten,
    an_invitation_is_used_as_often_as_it_says,
    an_invitation_keeps_a_name_and_ends,
);

fn addresses(texts: &[&str]) -> Vec<Jid> {
    texts.iter().map(|text| Jid::parse(text).unwrap()).collect()
}

async fn blocked_addresses_are_a_set_within_its_bound(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let blocked = store.blocked();
    assert_eq!(blocked.list(&alice).await.unwrap(), []);
    let two = addresses(&["a@b.c", "d.e/🦊"]);
    for _ in 0..2 {
        assert_eq!(blocked.put(&alice, &two, 3).await.unwrap(), Put::Stored);
    }
    assert_eq!(blocked.list(&alice).await.unwrap(), two);
    let more = addresses(&["f.g", "h.i"]);
    assert_eq!(blocked.put(&alice, &more, 3).await.unwrap(), Put::Full);
    assert_eq!(blocked.list(&alice).await.unwrap(), two);
    let gone = addresses(&["a@b.c", "not@there.example"]);
    blocked.delete(&alice, &gone).await.unwrap();
    assert_eq!(blocked.list(&alice).await.unwrap(), addresses(&["d.e/🦊"]));
    blocked.clear(&alice).await.unwrap();
    assert_eq!(blocked.list(&alice).await.unwrap(), []);
    let nobody = blocked.put(&jid("nobody@b.c"), &two, 3).await;
    assert!(
        matches!(nobody, Err(StoreError::NoAccount(_))),
        "{nobody:?}"
    );
}

fn report(number: i64) -> AbuseReport {
    let ids = [("alice@example.com", "1"), ("", "2")];
    AbuseReport {
        id: format!("r{number}"),
        reporter: jid("alice@example.com"),
        reported: Jid::parse("spam@b.c/x").unwrap(),
        reason: "urn:xmpp:reporting:spam".to_owned(),
        text: "two\nlines".to_owned(),
        stanza_ids: ids
            .map(|(by, id)| (by.to_owned(), id.to_owned()))
            .into_iter()
            .collect(),
        reported_at: NOW.plus_seconds(number),
    }
}

async fn the_newest_reports_stay(place: Place) {
    let store = place.open().await;
    let reports = store.abuse_reports();
    let three = limits(3, 10);
    reports.put(&[report(1), report(2)], three).await.unwrap();
    reports.put(&[report(4), report(3)], three).await.unwrap();
    let newest = [report(4), report(3), report(2)];
    assert_eq!(reports.list(10).await.unwrap(), newest);
    assert_eq!(reports.list(1).await.unwrap(), [report(4)]);
    assert_eq!(reports.expire(NOW.plus_seconds(3)).await.unwrap(), 1);
    assert_eq!(reports.list(10).await.unwrap(), [report(4), report(3)]);
}

const fn limits(all_max: u32, per_day_max: u32) -> ReportLimits {
    ReportLimits {
        all_max,
        per_day_max,
    }
}

fn report_of(reporter: &str, number: i64) -> AbuseReport {
    AbuseReport {
        reporter: jid(reporter),
        ..report(number)
    }
}

async fn nobody_pushes_the_reports_of_others_out(place: Place) {
    const ABUSER: &str = "abuser@example.com";
    let store = place.open().await;
    let reports = store.abuse_reports();
    let put = async |reporter, number, limits| {
        let report = report_of(reporter, number);
        reports.put(&[report], limits).await.unwrap()
    };
    let kept = async || -> Vec<String> {
        let kept = reports.list(10).await.unwrap();
        kept.into_iter().map(|report| report.id).collect()
    };
    assert_eq!(put("alice@example.com", 1, limits(3, 4)).await, 1);
    for number in 2..6 {
        assert_eq!(put(ABUSER, number, limits(3, 4)).await, 1);
    }
    assert_eq!(kept().await, ["r5", "r4", "r1"]);
    // Somebody new is heard all the same.
    assert_eq!(put("bob@example.com", 6, limits(3, 4)).await, 1);
    assert_eq!(kept().await, ["r6", "r5", "r1"]);

    let many: Vec<_> = (7..11).map(|number| report_of(ABUSER, number)).collect();
    assert_eq!(reports.put(&many, limits(9, 3)).await.unwrap(), 2);
    assert_eq!(put(ABUSER, 12, limits(9, 3)).await, 0);
    assert_eq!(kept().await, ["r8", "r7", "r6", "r5", "r1"]);
    assert_eq!(put(ABUSER, 86_500, limits(9, 3)).await, 1);
    assert_eq!(reports.put(&[], limits(9, 3)).await.unwrap(), 0);
}

fn registration(service: &str, node: &str, seconds: i64) -> PushRegistration {
    PushRegistration {
        service: Jid::parse(service).unwrap(),
        node: node.to_owned(),
        resource: "phone".to_owned(),
        options: (!node.is_empty()).then(|| b"<x/>".to_vec()),
        failures: 0,
        enabled_at: NOW.plus_seconds(seconds),
    }
}

async fn push_registrations_are_replaced_counted_and_forgotten(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let push = store.push_registrations();
    let one = registration("push.example", "", 1);
    let two = registration("push.example", "n", 2);
    for it in [&one, &two, &one] {
        assert_eq!(push.put(&alice, it, 2).await.unwrap(), Put::Stored);
    }
    let third = registration("other.example", "n", 3);
    assert_eq!(push.put(&alice, &third, 2).await.unwrap(), Put::Full);
    assert_eq!(push.put(&alice, &third, 3).await.unwrap(), Put::Stored);
    let failures =
        |list: Vec<PushRegistration>| -> Vec<u32> { list.iter().map(|it| it.failures).collect() };
    push.failed(&alice, &two.service, "n", 3).await.unwrap();
    push.failed(&alice, &two.service, "n", 3).await.unwrap();
    assert_eq!(failures(push.list(&alice).await.unwrap()), [0, 2, 0]);
    push.worked(&alice, &two.service, "n").await.unwrap();
    assert_eq!(failures(push.list(&alice).await.unwrap()), [0, 0, 0]);
    for _ in 0..3 {
        push.failed(&alice, &two.service, "n", 3).await.unwrap();
    }
    assert_eq!(push.list(&alice).await.unwrap(), [one, third.clone()]);
    push.delete(&alice, &two.service, None).await.unwrap();
    push.delete(&alice, &third.service, Some("m"))
        .await
        .unwrap();
    assert_eq!(push.list(&alice).await.unwrap(), from_ref(&third));
    push.delete(&alice, &third.service, Some("n"))
        .await
        .unwrap();
    assert_eq!(push.list(&alice).await.unwrap(), []);
}

fn invitation(token: &str) -> Invitation {
    Invitation {
        token: token.to_owned(),
        host: "example.com".to_owned(),
        inviter: Some(jid("alice@example.com")),
        account: None,
        registers: true,
        subscribes: true,
        uses_left: 2,
        created_at: NOW,
        expires_at: NOW.plus_seconds(60),
    }
}

async fn an_invitation_is_used_as_often_as_it_says(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let invitations = store.invitations();
    let one = invitation("one");
    assert_eq!(invitations.put(&one, 1).await.unwrap(), Put::Stored);
    let another = invitation("another");
    assert_eq!(invitations.put(&another, 1).await.unwrap(), Put::Full);
    assert_eq!(invitations.find("one").await.unwrap(), Some(one));
    assert_eq!(invitations.find("another").await.unwrap(), None);
    for expected in [true, true, false, false] {
        assert_eq!(invitations.take_use("one").await.unwrap(), expected);
    }
    invitations.give_back_use("one").await.unwrap();
    assert!(invitations.take_use("one").await.unwrap());
    assert!(!invitations.take_use("nothing").await.unwrap());
    // One that is used up takes no place.
    let third = invitations.put(&invitation("third"), 1).await;
    assert_eq!(third.unwrap(), Put::Stored);
    Box::pin(store.accounts().remove(&alice)).await.unwrap();
    assert_eq!(invitations.find("one").await.unwrap(), None);
    let orphan = invitations.put(&another, 1).await;
    assert!(
        matches!(orphan, Err(StoreError::NoAccount(_))),
        "{orphan:?}"
    );
}

async fn an_invitation_keeps_a_name_and_ends(place: Place) {
    let store = place.open().await;
    let invitations = store.invitations();
    let bob = jid("bob@example.com");
    let kept = Invitation {
        inviter: None,
        account: Some(bob.clone()),
        uses_left: 1,
        ..invitation("t")
    };
    assert_eq!(invitations.put(&kept, 1).await.unwrap(), Put::Stored);
    let reserves = async |token: &str, at| invitations.reserves(&bob, token, at).await.unwrap();
    assert!(reserves("", NOW).await);
    assert!(!reserves("t", NOW).await, "its holder may");
    assert!(!reserves("", kept.expires_at).await, "it has ended");
    assert_eq!(invitations.list(NOW, 10).await.unwrap(), from_ref(&kept));
    assert_eq!(invitations.list(kept.expires_at, 10).await.unwrap(), []);
    assert_eq!(invitations.expire(NOW).await.unwrap(), 0);
    assert_eq!(invitations.expire(kept.expires_at).await.unwrap(), 1);
    assert!(!invitations.delete("t").await.unwrap());
}
