//! Offline messages (XEP-0160) and waiting subscription requests (RFC 6121 §3.1.3).

use bytes::Bytes;
use parlour::proto::jid::BareJid;
use parlour::store::{Appended, Put, Store, StoreError, SubscriptionRequest};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    messages_come_back_in_the_order_they_were_stored_in,
    messages_come_back_in_the_order_they_were_received_in,
    many_senders_at_once_lose_nothing,
    a_message_stays_until_it_is_deleted,
    a_full_mailbox_refuses_and_takes_again_when_emptied,
    a_message_for_nobody_does_not_harm_its_group,
    old_messages_expire,
    what_is_queued_when_the_store_closes_is_stored,
    a_request_replaces_the_earlier_one_and_waits_until_it_is_deleted,
    requests_are_bounded,
);

fn stanza(n: usize) -> Bytes {
    format!("<message><body>{n} \u{1F98A}\0\u{1}</body></message>").into()
}

async fn append(store: &Store, owner: &BareJid, n: usize) -> i64 {
    let offline = store.offline_messages();
    match offline
        .append(owner, stanza(n), NOW, 100_000)
        .await
        .unwrap()
    {
        Appended::Stored(id) => id,
        Appended::Full => panic!("full"),
    }
}

async fn messages_come_back_in_the_order_they_were_stored_in(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(append(&store, &alice, n).await);
    }
    assert!(ids.is_sorted_by(|a, b| a < b));
    let offline = store.offline_messages();
    let first = offline.page(&alice, 0, 3).await.unwrap();
    let rest = offline.page(&alice, first[2].id, 3).await.unwrap();
    let all: Vec<_> = first.into_iter().chain(rest).collect();
    assert_eq!(all.len(), 5);
    for (n, message) in all.into_iter().enumerate() {
        assert_eq!(message.id, ids[n]);
        assert_eq!(message.stanza, stanza(n));
        assert_eq!(message.received_at, NOW);
    }
}

// What waited in a session's mailbox is stored after what came later.
async fn messages_come_back_in_the_order_they_were_received_in(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let offline = store.offline_messages();
    for (n, seconds) in [(2, 7), (0, 5), (1, 5), (3, 8)] {
        let received_at = NOW.plus_seconds(seconds);
        let appended = offline.append(&alice, stanza(n), received_at, 10).await;
        assert!(matches!(appended, Ok(Appended::Stored(_))));
    }
    let messages = offline.page(&alice, 0, 10).await.unwrap();
    let found: Vec<Bytes> = messages.into_iter().map(|m| m.stanza).collect();
    assert_eq!(found, [0, 1, 2, 3].map(stanza));
}

async fn many_senders_at_once_lose_nothing(place: Place) {
    let store = place.open().await;
    let mut owners = Vec::new();
    for n in 0..10 {
        owners.push(account(&store, &format!("u{n}@example.com")).await);
    }
    let sends = (0..2_000).map(|n| {
        let (store, owner) = (store.clone(), owners[n % 10].clone());
        tokio::spawn(async move { append(&store, &owner, n).await })
    });
    for sent in futures_util::future::join_all(sends).await {
        sent.unwrap();
    }
    let offline = store.offline_messages();
    for (k, owner) in owners.iter().enumerate() {
        assert_eq!(offline.count(owner).await.unwrap(), 200);
        let messages = offline.page(owner, 0, 256).await.unwrap();
        let mut found: Vec<Bytes> = messages.into_iter().map(|m| m.stanza).collect();
        let mut expected: Vec<Bytes> = (0..200).map(|n| stanza(n * 10 + k)).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
}

async fn a_message_stays_until_it_is_deleted(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    for n in 0..4 {
        append(&store, &alice, n).await;
    }
    let of_bob = append(&store, &bob, 9).await;
    let offline = store.offline_messages();
    let listed = offline.page(&alice, 0, 10).await.unwrap();
    assert_eq!(offline.page(&alice, 0, 10).await.unwrap(), listed);

    // Another's id, and one that is deleted twice, count for nothing.
    let ids = [listed[0].id, listed[1].id, listed[1].id, of_bob];
    assert_eq!(offline.delete(&alice, &ids).await.unwrap(), 2);
    assert_eq!(offline.page(&alice, 0, 10).await.unwrap(), listed[2..]);
    assert_eq!(offline.count(&alice).await.unwrap(), 2);
    assert_eq!(offline.count(&bob).await.unwrap(), 1);
}

async fn a_full_mailbox_refuses_and_takes_again_when_emptied(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let offline = store.offline_messages();
    let sends = (0..10).map(|n| offline.append(&alice, stanza(n), NOW, 4));
    let answers = futures_util::future::join_all(sends).await;
    let stored = answers
        .iter()
        .filter(|a| matches!(a, Ok(Appended::Stored(_))))
        .count();
    let full = answers
        .iter()
        .filter(|a| matches!(a, Ok(Appended::Full)))
        .count();
    assert_eq!((stored, full), (4, 6));
    assert_eq!(offline.count(&alice).await.unwrap(), 4);

    let listed = offline.page(&alice, 0, 10).await.unwrap();
    assert_eq!(listed.len(), 4);
    offline.delete(&alice, &[listed[0].id]).await.unwrap();
    for expected in [true, false] {
        let answer = offline.append(&alice, stanza(11), NOW, 4).await.unwrap();
        assert_eq!(matches!(answer, Appended::Stored(_)), expected);
    }
}

async fn a_message_for_nobody_does_not_harm_its_group(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let nobody = jid("nobody@example.com");
    let offline = store.offline_messages();
    let sends = (0..40).map(|n| {
        let owner = if n % 8 == 3 { &nobody } else { &alice };
        offline.append(owner, stanza(n), NOW, 100)
    });
    let answers = futures_util::future::join_all(sends).await;
    for (n, answer) in answers.into_iter().enumerate() {
        if n % 8 == 3 {
            assert!(
                matches!(answer, Err(StoreError::NoAccount(_))),
                "{answer:?}"
            );
        } else {
            assert!(matches!(answer, Ok(Appended::Stored(_))), "{answer:?}");
        }
    }
    assert_eq!(offline.count(&alice).await.unwrap(), 35);
    assert_eq!(offline.page(&alice, 0, 100).await.unwrap().len(), 35);
}

async fn old_messages_expire(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    let offline = store.offline_messages();
    for (owner, age) in [(&alice, 10), (&alice, 0), (&bob, 20), (&bob, 10)] {
        let at = NOW.plus_seconds(-age);
        let _ = offline.append(owner, stanza(0), at, 100).await.unwrap();
    }
    assert_eq!(offline.expire(NOW.plus_seconds(-5)).await.unwrap(), 3);
    assert_eq!(offline.expire(NOW.plus_seconds(-5)).await.unwrap(), 0);
    assert_eq!(offline.count(&alice).await.unwrap(), 1);
    assert_eq!(offline.count(&bob).await.unwrap(), 0);
    assert_eq!(
        offline.page(&alice, 0, 10).await.unwrap()[0].received_at,
        NOW
    );
}

async fn what_is_queued_when_the_store_closes_is_stored(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let sends: Vec<_> = (0..100)
        .map(|n| {
            let (store, alice) = (store.clone(), alice.clone());
            tokio::spawn(async move {
                let offline = store.offline_messages();
                offline.append(&alice, stanza(n), NOW, 1_000).await
            })
        })
        .collect();
    store.close().await;
    let mut acknowledged = 0;
    for sent in sends {
        match sent.await.unwrap() {
            Ok(Appended::Stored(_)) => acknowledged += 1,
            Err(StoreError::Closed) => {}
            other => panic!("{other:?}"),
        }
    }
    let later = store.accounts().find(&alice).await;
    assert!(matches!(later, Err(StoreError::Closed)), "{later:?}");

    let store = place.open().await;
    let kept = store.offline_messages().page(&alice, 0, 256).await.unwrap();
    assert_eq!(kept.len(), acknowledged);
}

async fn a_request_replaces_the_earlier_one_and_waits_until_it_is_deleted(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let requests = store.subscription_requests();
    let request = |from: &str, text: &str, seconds| SubscriptionRequest {
        from: jid(from),
        stanza: text.as_bytes().to_vec(),
        received_at: NOW.plus_seconds(seconds),
    };
    let second = request("carol@b.c", "<presence>please</presence>", 1);
    let third = request("bob@b.c", "<presence>again</presence>", 2);
    for sent in [&request("bob@b.c", "<presence/>", 0), &second, &third] {
        assert_eq!(requests.put(&alice, sent, 2).await.unwrap(), Put::Stored);
    }
    let listed = requests.list(&alice).await.unwrap();
    assert_eq!(listed, [second.clone(), third]);
    assert!(requests.contains(&alice, &jid("bob@b.c")).await.unwrap());
    assert!(requests.delete(&alice, &jid("bob@b.c")).await.unwrap());
    assert!(!requests.contains(&alice, &jid("bob@b.c")).await.unwrap());
    assert!(!requests.delete(&alice, &jid("bob@b.c")).await.unwrap());
    let listed = requests.list(&alice).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&second));
    let refused = requests.put(&jid("nobody@b.c"), &second, 2).await;
    assert!(
        matches!(refused, Err(StoreError::NoAccount(_))),
        "{refused:?}"
    );
}

async fn requests_are_bounded(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let requests = store.subscription_requests();
    let of = |n: u32| SubscriptionRequest {
        from: jid(&format!("c{n}@b.c")),
        stanza: Vec::new(),
        received_at: NOW,
    };
    for n in 0..3 {
        assert_eq!(requests.put(&alice, &of(n), 3).await.unwrap(), Put::Stored);
    }
    assert_eq!(requests.put(&alice, &of(3), 3).await.unwrap(), Put::Full);
    assert_eq!(requests.put(&alice, &of(2), 3).await.unwrap(), Put::Stored);
    assert_eq!(requests.list(&alice).await.unwrap().len(), 3);
}
