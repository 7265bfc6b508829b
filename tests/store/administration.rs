//! What administrators did, what they say to everybody, and whom they keep out.

use parlour::domain::rights::Role;
use parlour::store::{AuditEntry, AuditFilter, AuditLimits, Notice, StoreError};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    the_audit_trail_is_bounded_by_number_and_age,
    entries_of_the_audit_trail_are_found_again,
    refused_attempts_of_one_actor_are_bounded,
    a_notice_is_shown_once_an_edition,
    access_lists_are_replaced_as_a_whole,
    administrators_and_the_disabled_are_counted,
);

fn entry(number: u32, actor: &str, done: bool) -> AuditEntry {
    AuditEntry {
        id: format!("id-{number:04}"),
        at: NOW.plus_seconds(number.into()),
        actor: actor.to_owned(),
        origin: "192.0.2.1 desk".to_owned(),
        operation: "account add".to_owned(),
        target: format!("user{number}@a.example"),
        host: if number.is_multiple_of(2) {
            "a.example"
        } else {
            "b.example"
        }
        .to_owned(),
        arguments: "role=agent".to_owned(),
        done,
        result: "made".to_owned(),
    }
}

async fn the_audit_trail_is_bounded_by_number_and_age(place: Place) {
    let store = place.open().await;
    let audit = store.audit();
    let limits = AuditLimits {
        entries_max: 6,
        refused_per_day_max: 100,
    };
    for number in 0..8 {
        assert!(
            audit
                .put(&entry(number, "chief@a.example", true), limits)
                .await
                .unwrap()
        );
    }
    let all = audit.list(&AuditFilter::default(), 100).await.unwrap();
    let expected: Vec<AuditEntry> = (2..8)
        .rev()
        .map(|number| entry(number, "chief@a.example", true))
        .collect();
    assert_eq!(all, expected);
    assert_eq!(audit.expire(NOW.plus_seconds(7)).await.unwrap(), 5);
    assert_eq!(
        audit
            .list(&AuditFilter::default(), 100)
            .await
            .unwrap()
            .len(),
        1
    );
}

async fn entries_of_the_audit_trail_are_found_again(place: Place) {
    let store = place.open().await;
    let audit = store.audit();
    let limits = AuditLimits {
        entries_max: 6,
        refused_per_day_max: 100,
    };
    for number in 0..8 {
        let put = audit
            .put(&entry(number, "chief@a.example", true), limits)
            .await;
        assert!(put.unwrap());
    }
    let some = |text: &str| Some(text.to_owned());
    for (filter, numbers) in [
        (
            AuditFilter {
                since: Some(NOW.plus_seconds(6)),
                ..AuditFilter::default()
            },
            &[7, 6][..],
        ),
        (
            AuditFilter {
                target: some("user3@a.example"),
                ..AuditFilter::default()
            },
            &[3],
        ),
        (
            AuditFilter {
                host: some("a.example"),
                ..AuditFilter::default()
            },
            &[6, 4, 2],
        ),
        (
            AuditFilter {
                before: some("id-0004"),
                ..AuditFilter::default()
            },
            &[3, 2],
        ),
        (
            AuditFilter {
                actor: some("nobody"),
                ..AuditFilter::default()
            },
            &[],
        ),
        (
            AuditFilter {
                operation: some("account remove"),
                ..AuditFilter::default()
            },
            &[],
        ),
    ] {
        let found = audit.list(&filter, 100).await.unwrap();
        let ids: Vec<String> = found.into_iter().map(|it| it.id).collect();
        let wanted: Vec<String> = numbers.iter().map(|n| format!("id-{n:04}")).collect();
        assert_eq!(ids, wanted, "{filter:?}");
    }
    assert_eq!(
        audit.list(&AuditFilter::default(), 2).await.unwrap().len(),
        2
    );
}

async fn refused_attempts_of_one_actor_are_bounded(place: Place) {
    let store = place.open().await;
    let audit = store.audit();
    let limits = AuditLimits {
        entries_max: 100,
        refused_per_day_max: 2,
    };
    for (number, actor, done, kept) in [
        (0, "eve@a.example", false, true),
        (1, "eve@a.example", false, true),
        (2, "eve@a.example", false, false),
        (3, "eve@a.example", true, true),
        (4, "ann@a.example", false, true),
        // A day later.
        (90_000, "eve@a.example", false, true),
    ] {
        let put = audit
            .put(&entry(number, actor, done), limits)
            .await
            .unwrap();
        assert_eq!(put, kept, "{number}");
    }
    assert_eq!(
        audit
            .list(&AuditFilter::default(), 100)
            .await
            .unwrap()
            .len(),
        5
    );
}

async fn a_notice_is_shown_once_an_edition(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let notices = store.notices();
    let notice = |edition: &str| Notice {
        kind: "motd".to_owned(),
        subject: String::new(),
        body: format!("text {edition}"),
        edition: edition.to_owned(),
    };
    for edition in ["1", "2"] {
        notices.put("example.com", &notice(edition)).await.unwrap();
        assert_eq!(
            notices.list("example.com").await.unwrap(),
            [notice(edition)]
        );
        for first in [true, false] {
            let shown = notices.was_shown(&alice, "motd", edition).await.unwrap();
            assert_eq!(shown, !first);
            assert_eq!(notices.show(&alice, "motd", edition).await.unwrap(), first);
        }
    }
    assert!(notices.list("example.org").await.unwrap().is_empty());
    let nobody = notices.show(&jid("nobody@b.c"), "motd", "1").await;
    assert!(
        matches!(nobody, Err(StoreError::NoAccount(_))),
        "{nobody:?}"
    );
    assert!(notices.delete("example.com", "motd").await.unwrap());
    assert!(!notices.delete("example.com", "motd").await.unwrap());
}

async fn access_lists_are_replaced_as_a_whole(place: Place) {
    let store = place.open().await;
    let lists = store.access_lists();
    for (given, kept) in [
        (
            &["b.example", "a@a.example", "b.example"][..],
            &["a@a.example", "b.example"][..],
        ),
        (&["c.example"], &["c.example"]),
        (&[], &[]),
    ] {
        let given: Vec<_> = given.iter().map(|text| jid(text)).collect();
        lists.replace("blacklist", &given).await.unwrap();
        let found = lists.load("blacklist").await.unwrap();
        assert_eq!(found, kept.iter().map(|text| jid(text)).collect::<Vec<_>>());
        assert!(lists.load("whitelist").await.unwrap().is_empty());
    }
}

async fn administrators_and_the_disabled_are_counted(place: Place) {
    let store = place.open().await;
    for name in ["a@a.example", "b@a.example", "c@b.example"] {
        account(&store, name).await;
    }
    let accounts = store.accounts();
    for name in ["b@a.example", "c@b.example"] {
        assert!(
            accounts
                .set_role(&jid(name), Role::Administrator)
                .await
                .unwrap()
        );
        assert!(accounts.disable(&jid(name)).await.unwrap());
    }
    let found = accounts
        .with_role("a.example", Role::Administrator)
        .await
        .unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|it| (it.jid.as_str(), it.enabled))
        .collect();
    assert_eq!(found, [("b@a.example", false)]);
    assert_eq!(accounts.count_disabled("a.example").await.unwrap(), 1);
    assert_eq!(accounts.count_disabled("c.example").await.unwrap(), 0);
}
