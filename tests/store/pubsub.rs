//! Nodes, items, affiliations and subscriptions (XEP-0060).

use parlour::proto::jid::{BareJid, Jid};
use parlour::store::{
    Created, LastOf, NewItem, NodeBounds, PublishBounds, Published, PubsubNode, Put, RosterItem,
    RosterWrite, Slice, Store, StoreError, Subscription, SubscriptionState, WhenFull,
};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    a_node_is_made_once_within_its_bound_and_goes_with_its_account,
    items_are_ordered_by_publication_and_bounded,
    the_bytes_of_a_service_are_bounded,
    affiliations_and_subscriptions_are_kept_and_bounded,
    the_last_items_of_contacts_are_found_with_what_lets_them_be_seen,
    an_account_that_goes_leaves_no_right_behind,
    nobody_makes_all_nodes_of_a_service_or_leaves_them_ownerless,
    one_entity_does_not_fill_the_subscriptions_of_a_node,
    what_expired_weighs_nothing,
    who_waits_for_an_owner_is_no_subscriber_yet,
    all_nodes_are_found_in_pages,
);

pub(crate) fn node(name: &str) -> PubsubNode {
    PubsubNode {
        node: name.to_owned(),
        config: b"<x/>".to_vec(),
        creator: "alice@example.com".to_owned(),
        created_at: NOW,
        purge_offline: false,
    }
}

pub(crate) fn item<'a>(id: &'a str, publisher: &'a str, payload: &'a [u8]) -> NewItem<'a> {
    NewItem {
        id,
        publisher,
        published_at: NOW,
        payload,
        own_only: false,
    }
}

pub(crate) const ROOMY: PublishBounds = PublishBounds {
    items_max: 100,
    when_full: WhenFull::DropOldest,
    bytes_max: 1_000,
};

pub(crate) const TWO: NodeBounds = NodeBounds {
    nodes_max: 2,
    nodes_per_creator_max: 2,
};

async fn ids(store: &Store, service: &BareJid, slice: Slice, limit: u32) -> String {
    let found = store
        .pubsub()
        .items(service, "n", slice, limit)
        .await
        .unwrap();
    found.into_iter().map(|item| item.id).collect()
}

async fn a_node_is_made_once_within_its_bound_and_goes_with_its_account(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let pubsub = store.pubsub();
    for (name, answer) in [
        ("a", Created::Made),
        ("a", Created::Exists),
        ("b", Created::Made),
        ("c", Created::Full),
        ("b", Created::Exists),
    ] {
        assert_eq!(
            pubsub.create(&alice, &node(name), TWO).await.unwrap(),
            answer,
            "{name}"
        );
    }
    assert_eq!(pubsub.node(&alice, "a").await.unwrap(), Some(node("a")));
    assert_eq!(pubsub.node(&alice, "c").await.unwrap(), None);
    assert!(pubsub.configure(&alice, "a", b"<y/>", false).await.unwrap());
    assert!(!pubsub.configure(&alice, "c", b"<y/>", false).await.unwrap());
    assert_eq!(
        pubsub.node(&alice, "a").await.unwrap().unwrap().config,
        b"<y/>"
    );
    let nobody = pubsub
        .create(&jid("nobody@example.com"), &node("a"), TWO)
        .await;
    assert!(
        matches!(nobody, Err(StoreError::NoAccount(_))),
        "{nobody:?}"
    );
    let service = jid("pubsub.example.com");
    assert_eq!(
        pubsub.create(&service, &node("a"), TWO).await.unwrap(),
        Created::Made
    );
    assert!(pubsub.delete(&alice, "b").await.unwrap());
    assert!(!pubsub.delete(&alice, "b").await.unwrap());
    let _gone = store.accounts().remove(&alice).await.unwrap();
    assert_eq!(pubsub.nodes(&alice, 10).await.unwrap(), []);
    assert_eq!(pubsub.nodes(&service, 10).await.unwrap(), [node("a")]);
}

async fn items_are_ordered_by_publication_and_bounded(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let pubsub = store.pubsub();
    let none = pubsub
        .publish(&alice, "n", item("1", "a", b""), ROOMY)
        .await;
    assert_eq!(none.unwrap(), Published::NoNode);
    let _made = pubsub.create(&alice, &node("n"), TWO).await.unwrap();
    for id in ["1", "2", "3", "1"] {
        let done = pubsub
            .publish(&alice, "n", item(id, "a", b"<a/>"), ROOMY)
            .await;
        assert_eq!(done.unwrap(), Published::Done(vec![]), "{id}");
    }
    assert_eq!(ids(&store, &alice, Slice::After(0, 0), 10).await, "231");
    assert_eq!(ids(&store, &alice, Slice::After(0, 1), 1).await, "3");
    assert_eq!(ids(&store, &alice, Slice::Before(i64::MAX), 2).await, "31");
    let third = pubsub
        .item(&alice, "n", "3")
        .await
        .unwrap()
        .unwrap()
        .revision;
    assert_eq!(ids(&store, &alice, Slice::After(third, 0), 10).await, "1");
    assert_eq!(ids(&store, &alice, Slice::Before(third), 10).await, "2");
    assert_eq!(pubsub.count_before(&alice, "n", third).await.unwrap(), 1);

    let three = |when_full| PublishBounds {
        items_max: 3,
        when_full,
        ..ROOMY
    };
    let refused = pubsub
        .publish(&alice, "n", item("4", "a", b""), three(WhenFull::Reject))
        .await;
    assert_eq!(refused.unwrap(), Published::NodeFull);
    let replaced = pubsub
        .publish(&alice, "n", item("2", "a", b""), three(WhenFull::Reject))
        .await;
    assert_eq!(replaced.unwrap(), Published::Done(vec![]));
    let done = pubsub
        .publish(
            &alice,
            "n",
            item("4", "a", b""),
            three(WhenFull::DropOldest),
        )
        .await;
    assert_eq!(done.unwrap(), Published::Done(vec!["3".to_owned()]));
    let own_only = NewItem {
        own_only: true,
        ..item("4", "b", b"")
    };
    assert_eq!(
        pubsub.publish(&alice, "n", own_only, ROOMY).await.unwrap(),
        Published::Foreign
    );
    assert!(pubsub.retract(&alice, "n", "4").await.unwrap());
    assert!(!pubsub.retract(&alice, "n", "4").await.unwrap());
    pubsub.drop_oldest(&alice, "n", 1).await.unwrap();
    assert_eq!(ids(&store, &alice, Slice::After(0, 0), 10).await, "2");
    pubsub.expire(&alice, "n", NOW).await.unwrap();
    assert_eq!(ids(&store, &alice, Slice::After(0, 0), 10).await, "2");
    pubsub
        .expire(&alice, "n", NOW.plus_seconds(1))
        .await
        .unwrap();
    assert_eq!(ids(&store, &alice, Slice::After(0, 0), 10).await, "");
}

async fn the_bytes_of_a_service_are_bounded(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let pubsub = store.pubsub();
    let _made = pubsub.create(&alice, &node("n"), TWO).await.unwrap();
    let bounds = PublishBounds {
        bytes_max: 10,
        ..ROOMY
    };
    for (id, payload, answer) in [
        ("1", &b"123456"[..], Published::Done(vec![])),
        ("2", b"12345", Published::ServiceFull),
        ("2", b"1234", Published::Done(vec![])),
        ("1", b"1234567", Published::ServiceFull),
        ("1", b"12345", Published::Done(vec![])),
    ] {
        let done = pubsub
            .publish(&alice, "n", item(id, "a", payload), bounds)
            .await;
        assert_eq!(done.unwrap(), answer, "{id} {payload:?}");
    }
    pubsub.purge(&alice, "n").await.unwrap();
    let done = pubsub
        .publish(&alice, "n", item("3", "a", b"1234567890"), bounds)
        .await;
    assert_eq!(done.unwrap(), Published::Done(vec![]));
}

async fn affiliations_and_subscriptions_are_kept_and_bounded(place: Place) {
    let store = place.open().await;
    let (service, bob) = (jid("pubsub.example.com"), jid("bob@example.com"));
    let pubsub = store.pubsub();
    let _made = pubsub.create(&service, &node("n"), TWO).await.unwrap();
    for (name, affiliation, answer) in [
        ("bob@example.com", Some("member"), Put::Stored),
        ("eve@example.com", Some("outcast"), Put::Full),
        ("bob@example.com", Some("owner"), Put::Stored),
    ] {
        let put = pubsub
            .affiliate(&service, "n", &jid(name), affiliation, 1)
            .await;
        assert_eq!(put.unwrap(), answer, "{name}");
    }
    let found = pubsub.affiliation(&service, "n", &bob).await.unwrap();
    assert_eq!(found.as_deref(), Some("owner"));
    assert_eq!(
        pubsub
            .affiliations_of(&service, &bob, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    let _put = pubsub
        .affiliate(&service, "n", &bob, None, 1)
        .await
        .unwrap();
    assert_eq!(pubsub.affiliations(&service, "n", 10).await.unwrap(), []);

    let full = Jid::parse("bob@example.com/x").unwrap();
    for (who, answer) in [
        (full.clone(), Put::Stored),
        (full.clone(), Put::Stored),
        (bob.clone().into(), Put::Full),
    ] {
        assert_eq!(
            pubsub
                .subscribe(&service, "n", &who, SubscriptionState::Subscribed, 1)
                .await
                .unwrap(),
            answer,
            "{who}"
        );
    }
    assert!(pubsub.is_subscribed(&service, "n", &bob).await.unwrap());
    let found = pubsub.subscriptions_of(&service, &bob, 10).await.unwrap();
    assert_eq!(
        found,
        pubsub.subscriptions(&service, "n", 10).await.unwrap()
    );
    assert!(pubsub.unsubscribe(&service, "n", &full).await.unwrap());
    assert!(!pubsub.unsubscribe(&service, "n", &full).await.unwrap());
    let _put = pubsub
        .subscribe(&service, "n", &full, SubscriptionState::Subscribed, 1)
        .await
        .unwrap();
    pubsub.unsubscribe_all(&service, "n", &bob).await.unwrap();
    assert!(!pubsub.is_subscribed(&service, "n", &bob).await.unwrap());
}

async fn who_waits_for_an_owner_is_no_subscriber_yet(place: Place) {
    use SubscriptionState::{Pending, Subscribed};
    let store = place.open().await;
    let service = jid("pubsub.example.com");
    let pubsub = store.pubsub();
    let _made = pubsub.create(&service, &node("n"), TWO).await.unwrap();
    let bob = jid("bob@example.com");
    let address = Jid::from(bob.clone());
    // What is asked for, what it is then, and whether it counts.
    for (asked, then, counts) in [
        (Pending, Pending, false),
        (Subscribed, Subscribed, true),
        (Pending, Subscribed, true),
    ] {
        let put = pubsub
            .subscribe(&service, "n", &address, asked, 1)
            .await
            .unwrap();
        assert_eq!(put, Put::Stored);
        let found = pubsub.subscription(&service, "n", &address).await.unwrap();
        assert_eq!(found, Some(then));
        assert_eq!(
            pubsub.is_subscribed(&service, "n", &bob).await.unwrap(),
            counts
        );
    }
    assert!(pubsub.unsubscribe(&service, "n", &address).await.unwrap());
    assert_eq!(
        pubsub.subscription(&service, "n", &address).await.unwrap(),
        None
    );
}

async fn all_nodes_are_found_in_pages(place: Place) {
    let store = place.open().await;
    let pubsub = store.pubsub();
    for (service, name) in [
        ("a.example.com", "x"),
        ("a.example.com", "y"),
        ("b.example.com", "a"),
    ] {
        let bounds = NodeBounds {
            nodes_max: 10,
            nodes_per_creator_max: 10,
        };
        let (service, node) = (jid(service), node(name));
        let _made = pubsub.create(&service, &node, bounds).await.unwrap();
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = pubsub.configurations(after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last().cloned() else {
            break;
        };
        found.extend(page.into_iter().map(|it| (it.service, it.node)));
        after = Some(last);
    }
    let found: Vec<_> = found
        .iter()
        .map(|(service, node)| (service.as_str(), node.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("a.example.com", "x"),
            ("a.example.com", "y"),
            ("b.example.com", "a")
        ]
    );
}

async fn the_last_items_of_contacts_are_found_with_what_lets_them_be_seen(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    let carol = account(&store, "carol@example.com").await;
    let pubsub = store.pubsub();
    for owner in [&bob, &carol] {
        let _made = pubsub.create(owner, &node("n"), TWO).await.unwrap();
        for id in ["old", "new"] {
            let _done = pubsub
                .publish(owner, "n", item(id, "b", b"<a/>"), ROOMY)
                .await
                .unwrap();
        }
    }
    let put = |owner: &BareJid, contact: &BareJid, subscription| RosterWrite::Put {
        owner: owner.clone(),
        item: RosterItem {
            subscription,
            groups: vec!["Friends".to_owned(), "Work".to_owned()],
            ..RosterItem::new(contact.clone())
        },
    };
    let steps = [
        put(&alice, &bob, Subscription::To),
        put(&alice, &carol, Subscription::From),
        put(&bob, &alice, Subscription::From),
    ];
    for step in steps {
        let _done = store.rosters().apply(&[step], 10, NOW).await.unwrap();
    }
    let _put = pubsub
        .affiliate(&bob, "n", &alice, Some("member"), 10)
        .await
        .unwrap();
    let found = pubsub
        .last_items(&alice, LastOf::Contacts, &["n", "o"], 10)
        .await
        .unwrap();
    let [last] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((&last.service, last.item.id.as_str()), (&bob, "new"));
    assert_eq!(last.node, "n");
    let own = pubsub.last_items(&bob, LastOf::Owner, &["m", "n"], 10);
    let own = own.await.unwrap();
    let own: Vec<_> = own
        .iter()
        .map(|it| (it.node.as_str(), it.item.id.as_str()))
        .collect();
    assert_eq!(own, [("n", "new")]);
    assert!(last.presence);
    assert_eq!(last.groups, ["Friends", "Work"]);
    assert_eq!(last.affiliation.as_deref(), Some("member"));
    assert!(
        pubsub
            .last_items(&alice, LastOf::Contacts, &["m"], 10)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn an_account_that_goes_leaves_no_right_behind(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let service = jid("pubsub.example.com");
    let pubsub = store.pubsub();
    let _made = pubsub.create(&service, &node("n"), TWO).await.unwrap();
    let _put = pubsub
        .affiliate(&service, "n", &alice, Some("owner"), 10)
        .await
        .unwrap();
    let address = Jid::parse("alice@example.com/x").unwrap();
    let _put = pubsub
        .subscribe(&service, "n", &address, SubscriptionState::Subscribed, 10)
        .await
        .unwrap();
    let _gone = store.accounts().remove(&alice).await.unwrap();
    assert_eq!(
        pubsub.affiliation(&service, "n", &alice).await.unwrap(),
        None
    );
    assert!(!pubsub.is_subscribed(&service, "n", &alice).await.unwrap());
}

async fn nobody_makes_all_nodes_of_a_service_or_leaves_them_ownerless(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    let service = jid("pubsub.example.com");
    let pubsub = store.pubsub();
    let bounds = NodeBounds {
        nodes_max: 10,
        nodes_per_creator_max: 2,
    };
    for (name, creator, answer) in [
        ("a", &alice, Created::Made),
        ("b", &alice, Created::Made),
        ("c", &alice, Created::Full),
        ("a", &alice, Created::Exists),
        ("c", &bob, Created::Made),
    ] {
        let made = PubsubNode {
            creator: creator.to_string(),
            ..node(name)
        };
        assert_eq!(
            pubsub.create(&service, &made, bounds).await.unwrap(),
            answer
        );
        if answer == Created::Made {
            let owner = pubsub.affiliate(&service, name, creator, Some("owner"), 10);
            assert_eq!(owner.await.unwrap(), Put::Stored);
        }
    }
    let second = pubsub.affiliate(&service, "b", &bob, Some("owner"), 10);
    assert_eq!(second.await.unwrap(), Put::Stored);
    let _removed = store.accounts().remove(&alice).await.unwrap();
    let left = pubsub.nodes(&service, 10).await.unwrap();
    let left: String = left.into_iter().map(|node| node.node).collect();
    assert_eq!(left, "bc");
}

async fn one_entity_does_not_fill_the_subscriptions_of_a_node(place: Place) {
    let store = place.open().await;
    let service = jid("pubsub.example.com");
    let pubsub = store.pubsub();
    let _made = pubsub.create(&service, &node("n"), TWO).await.unwrap();
    for number in 0..25 {
        let address = Jid::parse(&format!("mallory@example.org/{number}")).unwrap();
        let put = pubsub
            .subscribe(&service, "n", &address, SubscriptionState::Subscribed, 100)
            .await
            .unwrap();
        let expected = if number < 20 { Put::Stored } else { Put::Full };
        assert_eq!(put, expected, "{number}");
    }
    let again = Jid::parse("mallory@example.org/0").unwrap();
    let put = pubsub
        .subscribe(&service, "n", &again, SubscriptionState::Subscribed, 100)
        .await
        .unwrap();
    assert_eq!(put, Put::Stored);
    let other = Jid::parse("bob@example.org").unwrap();
    let put = pubsub
        .subscribe(&service, "n", &other, SubscriptionState::Subscribed, 100)
        .await
        .unwrap();
    assert_eq!(put, Put::Stored);
    let all = pubsub.subscriptions(&service, "n", 100).await.unwrap();
    assert_eq!(all.len(), 21);
}

async fn what_expired_weighs_nothing(place: Place) {
    let store = place.open().await;
    let service = jid("pubsub.example.com");
    let pubsub = store.pubsub();
    let bounds = PublishBounds {
        bytes_max: 10,
        ..ROOMY
    };
    let _made = pubsub.create(&service, &node("a"), TWO).await.unwrap();
    let _made = pubsub.create(&service, &node("b"), TWO).await.unwrap();
    let full = item("1", "alice@example.com", b"0123456789");
    let put = pubsub.publish(&service, "a", full, bounds).await.unwrap();
    assert_eq!(put, Published::Done(Vec::new()));
    let put = pubsub.publish(&service, "b", full, bounds).await.unwrap();
    assert_eq!(put, Published::ServiceFull);
    let later = NOW.plus_seconds(1);
    pubsub.expire(&service, "a", later).await.unwrap();
    let put = pubsub.publish(&service, "b", full, bounds).await.unwrap();
    assert_eq!(put, Published::Done(Vec::new()));
}
