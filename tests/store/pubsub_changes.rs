//! Options of subscriptions, items that go with their publisher, and changes that are made together.

use parlour::proto::jid::Jid;
use parlour::store::{
    Changed, Created, Dropped, PrivateElement, Published, PubsubChange, PubsubNode, Slice,
    SubscriptionState,
};

use crate::pubsub::{ROOMY, TWO, item, node};
use crate::{Place, account, jid};

crate::on_both!(
    options_stay_with_their_subscription,
    what_goes_with_its_publisher_is_found_and_weighs_nothing,
    of_several_changes_all_are_made_or_none,
);

async fn options_stay_with_their_subscription(place: Place) {
    let store = place.open().await;
    let (pubsub, service) = (store.pubsub(), jid("pubsub.example.com"));
    let _made = pubsub.create(&service, &node("n"), TWO).await.unwrap();
    let bob = Jid::from(jid("bob@example.com"));
    let set = || pubsub.configure_subscription(&service, "n", &bob, b"<x/>");
    let known = || pubsub.subscription_options(&service, "n", &bob);
    let subscribe = || pubsub.subscribe(&service, "n", &bob, SubscriptionState::Subscribed, 9);
    assert_eq!(known().await.unwrap(), None);
    assert!(!set().await.unwrap());
    let _put = subscribe().await.unwrap();
    assert_eq!(known().await.unwrap(), Some(None));
    assert!(set().await.unwrap());
    // Who subscribes again is subscribed as before.
    let _put = subscribe().await.unwrap();
    assert_eq!(known().await.unwrap(), Some(Some(b"<x/>".to_vec())));
    let listed = pubsub.subscriptions(&service, "n", 9).await.unwrap();
    assert_eq!(listed[0].options.as_deref(), Some(b"<x/>".as_slice()));
    assert!(pubsub.unsubscribe(&service, "n", &bob).await.unwrap());
    let _put = subscribe().await.unwrap();
    assert_eq!(known().await.unwrap(), Some(None));
}

async fn what_goes_with_its_publisher_is_found_and_weighs_nothing(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    let (pubsub, service) = (store.pubsub(), jid("pubsub.example.com"));
    for (at, name, purge_offline) in [
        (&alice, "a", true),
        (&alice, "stays", false),
        (&bob, "a", true),
        (&service, "a", true),
    ] {
        let made = PubsubNode {
            purge_offline,
            ..node(name)
        };
        let made = pubsub.create(at, &made, TWO).await.unwrap();
        assert_eq!(made, Created::Made);
        for (id, publisher) in [("1", "alice@example.com"), ("2", "bob@example.com")] {
            let put = pubsub.publish(at, name, item(id, publisher, &[0; 600]), ROOMY);
            // Two of them are more than the service may hold.
            let expected = match id {
                "1" => Published::Done(Vec::new()),
                _ => Published::ServiceFull,
            };
            if name == "a" {
                assert_eq!(put.await.unwrap(), expected, "{at} {name} {id}");
            }
        }
    }
    let left = || async {
        let left = pubsub.left_by(&alice, 9).await.unwrap();
        let mut left: Vec<_> = left.into_iter().map(|it| it.service).collect();
        left.sort();
        left
    };
    // What she published at another's is not looked for.
    assert_eq!(left().await, ["alice@example.com", "pubsub.example.com"]);
    assert_eq!(
        pubsub.drop_of(&service, "a", &bob).await.unwrap(),
        Dropped::Some(Vec::new())
    );
    assert_eq!(
        pubsub.drop_of(&service, "a", &alice).await.unwrap(),
        Dropped::All
    );
    assert_eq!(left().await, ["alice@example.com"]);
    let again = pubsub.publish(
        &service,
        "a",
        item("2", "bob@example.com", &[0; 600]),
        ROOMY,
    );
    assert_eq!(again.await.unwrap(), Published::Done(Vec::new()));
    let small = pubsub.publish(
        &service,
        "a",
        item("3", "alice@example.com", b"<a/>"),
        ROOMY,
    );
    assert_eq!(small.await.unwrap(), Published::Done(Vec::new()));
    assert_eq!(
        pubsub.drop_of(&service, "a", &alice).await.unwrap(),
        Dropped::Some(vec!["3".to_owned()])
    );
    assert!(pubsub.configure(&alice, "a", b"<x/>", false).await.unwrap());
    assert_eq!(left().await, Vec::<String>::new());
}

async fn of_several_changes_all_are_made_or_none(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let (pubsub, private) = (store.pubsub(), store.private_xml());
    let publish =
        |id, payload| PubsubChange::Publish("n", item(id, "alice@example.com", payload), ROOMY);
    let stored = |xml| PrivateElement {
        ns: "storage:bookmarks",
        name: "storage",
        xml,
        bytes_max: 10,
    };
    let good = [
        PubsubChange::Store(stored(b"<s/>")),
        PubsubChange::Create(node("n"), TWO),
        publish("1", b"<a/>"),
        publish("2", b"<b/>"),
        PubsubChange::Retract("n", "1"),
        PubsubChange::Retract("n", "never"),
    ];
    let wrong: [(&[PubsubChange<'_>], Changed); 4] = [
        (
            &[publish("3", b"<c/>")],
            Changed::Refused(Published::NoNode),
        ),
        (
            &[publish("3", &[0; 2_000])],
            Changed::Refused(Published::ServiceFull),
        ),
        (
            &[PubsubChange::Store(stored(b"<too long/>"))],
            Changed::Full,
        ),
        (
            &[
                PubsubChange::Create(node("a"), TWO),
                PubsubChange::Create(node("b"), TWO),
            ],
            Changed::Full,
        ),
    ];
    for (n, (last, expected)) in wrong.into_iter().enumerate() {
        // The first of them ends before there is a node.
        let before = if n == 0 { &good[..1] } else { &good[..] };
        let all: Vec<_> = before.iter().chain(last).cloned().collect();
        assert_eq!(pubsub.change(&alice, &all).await.unwrap(), expected);
        assert_eq!(pubsub.node(&alice, "n").await.unwrap(), None, "{n}");
        let kept = private.find(&alice, "storage:bookmarks", "storage").await;
        assert_eq!(kept.unwrap(), None, "{n}");
    }
    for _ in 0..2 {
        let done = pubsub.change(&alice, &good).await.unwrap();
        assert_eq!(done, Changed::Done(Vec::new()));
        let items = pubsub
            .items(&alice, "n", Slice::After(-1, 0), 9)
            .await
            .unwrap();
        let ids: Vec<_> = items.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, ["2"]);
        let kept = private.find(&alice, "storage:bookmarks", "storage").await;
        assert_eq!(kept.unwrap().as_deref(), Some(b"<s/>".as_slice()));
    }
}
