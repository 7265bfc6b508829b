//! Rosters and their versions (RFC 6121 §2).

use parlour::proto::jid::BareJid;
use parlour::store::{
    Applied, CHANGES_MAX, RosterChange, RosterItem, RosterWrite, Store, StoreError, Subscription,
    TOMBSTONES_MAX,
};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    an_item_is_loaded_as_it_was_stored,
    both_sides_of_a_subscription_change_together_or_not_at_all,
    an_item_that_has_changed_meanwhile_is_not_overwritten,
    a_full_roster_takes_changes_but_no_new_items,
    a_client_that_was_away_is_told_the_changes_in_order,
    versions_that_mean_nothing_get_the_whole_roster,
    old_tombstones_are_forgotten_and_the_whole_roster_is_told,
    writers_of_two_rosters_crosswise_all_get_through,
    holders_of_a_contact_are_paged,
);

fn put(owner: &BareJid, item: RosterItem) -> RosterWrite {
    RosterWrite::Put {
        owner: owner.clone(),
        item,
    }
}

fn remove(owner: &BareJid, contact: &BareJid) -> RosterWrite {
    RosterWrite::Remove {
        owner: owner.clone(),
        contact: contact.clone(),
    }
}

/// Applies and returns the versions.
async fn apply(store: &Store, steps: &[RosterWrite]) -> Vec<Option<i64>> {
    match store.rosters().apply(steps, 1_000, NOW).await.unwrap() {
        Applied::Done(versions) => versions,
        other => panic!("{other:?}"),
    }
}

async fn an_item_is_loaded_as_it_was_stored(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let empty = store.rosters().load(&alice).await.unwrap();
    assert_eq!((empty.version, empty.items.len()), (0, 0));

    for (number, subscription) in (0..).zip(Subscription::ALL) {
        let mut item = RosterItem {
            name: Some("B\u{f6}b, \u{1F98A}".to_owned()),
            subscription,
            ask: number % 2 == 0,
            approved: number % 2 == 1,
            groups: ["Friends", "", "with, comma\nand line"]
                .map(str::to_owned)
                .into_iter()
                .take(number)
                .collect(),
            ..RosterItem::new(jid(&format!("bob{number}@example.com")))
        };
        let versions = apply(&store, &[put(&alice, item.clone())]).await;
        item.version = versions[0].unwrap();
        let found = store.rosters().find(&alice, &item.contact).await.unwrap();
        assert_eq!(found.as_ref(), Some(&item));
        let roster = store.rosters().load(&alice).await.unwrap();
        assert_eq!(roster.version, item.version);
        assert!(roster.items.contains(&item));
        assert_eq!(roster.items.len(), number + 1);
    }
}

async fn both_sides_of_a_subscription_change_together_or_not_at_all(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    let steps = [
        put(&bob, RosterItem::new(alice.clone())),
        put(&alice, RosterItem::new(bob.clone())),
    ];
    let versions = apply(&store, &steps).await;
    let rosters = store.rosters();
    let of_bob = rosters.load(&bob).await.unwrap();
    let of_alice = rosters.load(&alice).await.unwrap();
    assert_eq!(versions, [Some(of_bob.version), Some(of_alice.version)]);

    // The second step is refused: the first must not stay.
    let nobody = jid("nobody@example.com");
    let steps = [
        remove(&alice, &bob),
        put(&nobody, RosterItem::new(alice.clone())),
    ];
    let refused = rosters.apply(&steps, 10, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::NoAccount(_))),
        "{refused:?}"
    );
    assert_eq!(rosters.load(&alice).await.unwrap(), of_alice);
}

async fn an_item_that_has_changed_meanwhile_is_not_overwritten(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = jid("bob@example.com");
    let rosters = store.rosters();
    let fresh = RosterItem::new(bob.clone());
    apply(&store, &[put(&alice, fresh.clone())]).await;
    let again = rosters.apply(&[put(&alice, fresh.clone())], 10, NOW).await;
    assert_eq!(again.unwrap(), Applied::Changed);

    let loaded = rosters.find(&alice, &bob).await.unwrap().unwrap();
    let renamed = RosterItem {
        name: Some("Bob".to_owned()),
        ..loaded.clone()
    };
    apply(&store, &[put(&alice, renamed)]).await;
    let late = RosterItem {
        ask: true,
        ..loaded
    };
    let late = rosters.apply(&[put(&alice, late)], 10, NOW).await;
    assert_eq!(late.unwrap(), Applied::Changed);
    let kept = rosters.find(&alice, &bob).await.unwrap().unwrap();
    assert_eq!((kept.name.as_deref(), kept.ask), (Some("Bob"), false));

    apply(&store, &[remove(&alice, &bob)]).await;
    let buried = rosters.apply(&[put(&alice, kept)], 10, NOW).await;
    assert_eq!(buried.unwrap(), Applied::Changed);
    apply(&store, &[put(&alice, fresh)]).await;
}

async fn a_full_roster_takes_changes_but_no_new_items(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let rosters = store.rosters();
    let contact = |n: u32| jid(&format!("c{n}@example.com"));
    for n in 0..2 {
        let step = put(&alice, RosterItem::new(contact(n)));
        let done = rosters.apply(&[step], 2, NOW).await.unwrap();
        assert!(matches!(done, Applied::Done(_)));
    }
    let third = put(&alice, RosterItem::new(contact(2)));
    let over = rosters
        .apply(std::slice::from_ref(&third), 2, NOW)
        .await
        .unwrap();
    assert_eq!(over, Applied::Full);
    let item = rosters.find(&alice, &contact(0)).await.unwrap().unwrap();
    let change = rosters.apply(&[put(&alice, item)], 2, NOW).await.unwrap();
    assert!(matches!(change, Applied::Done(_)));
    // A removed item makes room.
    let steps = [remove(&alice, &contact(0)), third];
    let swap = rosters.apply(&steps, 2, NOW).await.unwrap();
    assert!(matches!(swap, Applied::Done(_)));
}

async fn a_client_that_was_away_is_told_the_changes_in_order(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let [bob, carol, dave] = ["bob@b.c", "carol@b.c", "dave@b.c"].map(jid);
    let rosters = store.rosters();
    for contact in [&bob, &carol] {
        apply(&store, &[put(&alice, RosterItem::new(contact.clone()))]).await;
    }
    let known = rosters.load(&alice).await.unwrap().version;
    assert_eq!(
        rosters.changes_since(&alice, known).await.unwrap(),
        Some(vec![])
    );

    let nothing = apply(&store, &[remove(&alice, &dave)]).await;
    assert_eq!(nothing, [None]);
    let steps = [
        put(&alice, RosterItem::new(dave.clone())),
        remove(&alice, &bob),
    ];
    let versions = apply(&store, &steps).await;
    let changes = rosters.changes_since(&alice, known).await.unwrap().unwrap();
    let dave = rosters.find(&alice, &dave).await.unwrap().unwrap();
    assert_eq!(Some(dave.version), versions[0]);
    let expected = vec![
        RosterChange::Put(dave),
        RosterChange::Removed {
            contact: bob,
            version: versions[1].unwrap(),
        },
    ];
    assert_eq!(changes, expected);
    assert_eq!(
        rosters.load(&alice).await.unwrap().version,
        versions[1].unwrap()
    );
}

async fn versions_that_mean_nothing_get_the_whole_roster(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let rosters = store.rosters();
    assert_eq!(rosters.changes_since(&alice, 7).await.unwrap(), None);
    apply(&store, &[put(&alice, RosterItem::new(jid("bob@b.c")))]).await;
    let known = rosters.load(&alice).await.unwrap().version;
    for version in [0, -1, known - 1, known + 1, i64::MAX, i64::MIN] {
        let changes = rosters.changes_since(&alice, version).await.unwrap();
        assert_eq!(changes, None, "{version}");
    }
    // Another account of the same address: what a client kept of the first is worth nothing.
    store.accounts().remove(&alice).await.unwrap();
    let alice = account(&store, "alice@example.com").await;
    let later = NOW.plus_seconds(1);
    let step = put(&alice, RosterItem::new(jid("eve@b.c")));
    let _ = rosters.apply(&[step], 10, later).await.unwrap();
    assert_eq!(rosters.changes_since(&alice, known).await.unwrap(), None);
}

async fn old_tombstones_are_forgotten_and_the_whole_roster_is_told(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let rosters = store.rosters();
    apply(&store, &[put(&alice, RosterItem::new(jid("stays@b.c")))]).await;
    let start = rosters.load(&alice).await.unwrap().version;
    let count = usize::try_from(TOMBSTONES_MAX).unwrap() + 2;
    let contacts: Vec<_> = (0..count).map(|n| jid(&format!("c{n}@b.c"))).collect();
    let puts: Vec<_> = contacts
        .iter()
        .map(|contact| put(&alice, RosterItem::new(contact.clone())))
        .collect();
    apply(&store, &puts).await;
    let removals: Vec<_> = contacts.iter().map(|c| remove(&alice, c)).collect();
    let versions = apply(&store, &removals).await;
    assert_eq!(rosters.changes_since(&alice, start).await.unwrap(), None);
    // The first two are forgotten; from the second on the changes are known.
    let second = versions[1].unwrap();
    assert_eq!(
        rosters.changes_since(&alice, second - 1).await.unwrap(),
        None
    );
    let changes = rosters
        .changes_since(&alice, second)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(changes.len(), usize::try_from(CHANGES_MAX).unwrap());
    assert_eq!(rosters.load(&alice).await.unwrap().items.len(), 1);
}

async fn writers_of_two_rosters_crosswise_all_get_through(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    let writes = (0..32).map(|n| {
        let contact = RosterItem::new(jid(&format!("c{n}@example.com")));
        let mut steps = vec![put(&alice, contact.clone()), put(&bob, contact)];
        if n % 2 == 0 {
            steps.reverse();
        }
        let store = store.clone();
        tokio::spawn(async move { apply(&store, &steps).await })
    });
    let mut seen = std::collections::BTreeSet::new();
    for (n, versions) in futures_util::future::join_all(writes)
        .await
        .into_iter()
        .enumerate()
    {
        let mut versions = versions.unwrap();
        if n % 2 == 0 {
            versions.reverse();
        }
        assert!(
            seen.insert(versions[0].unwrap()),
            "a version was given twice"
        );
    }
    for owner in [&alice, &bob] {
        assert_eq!(store.rosters().load(owner).await.unwrap().items.len(), 32);
    }
}

async fn holders_of_a_contact_are_paged(place: Place) {
    let store = place.open().await;
    let star = jid("star@example.com");
    let mut fans = Vec::new();
    for name in ["a@b.c", "b@b.c", "c@b.c", "d@b.c"] {
        let fan = account(&store, name).await;
        apply(&store, &[put(&fan, RosterItem::new(star.clone()))]).await;
        fans.push(fan);
    }
    apply(&store, &[remove(&fans[1], &star)]).await;
    let rosters = store.rosters();
    let first = rosters.holders(&star, None, 2).await.unwrap();
    assert_eq!(first, [fans[0].clone(), fans[2].clone()]);
    let rest = rosters.holders(&star, Some(&fans[2]), 2).await.unwrap();
    assert_eq!(rest, [fans[3].clone()]);
}
