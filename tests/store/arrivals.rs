//! Accounts that come with all they had on another server: with everything or not at all.

use bytes::Bytes;
use parlour::domain::rights::Role;
use parlour::proto::scram::ScramHash;
use parlour::store::{
    ArchiveEnd, ArchiveFilter, ArchiveId, ArchiveIds, ArchivePageLimits, ArchivePreference,
    Arrival, ArrivedElement, ArrivedItem, ArrivedMessage, ArrivedNode, NewArchived, RosterItem,
    Slice, StoreError, Subscription, SubscriptionRequest, SubscriptionState, archive_word,
};

use crate::{NOW, Place, account, jid, keys};

crate::on_both!(
    all_that_an_account_had_is_there,
    what_cannot_be_there_whole_is_not_there_at_all,
    archives_go_on_behind_what_arrived,
);

fn arrival(text: &str, ids: &[ArchiveId]) -> Arrival {
    let owner = jid(text);
    let message = |id: &ArchiveId| {
        let message = NewArchived {
            owner: owner.clone(),
            with: "juliet@example.com/b".parse().unwrap(),
            stanza: Bytes::from_static(b"<message/>"),
            words: vec![archive_word(&owner, "romeo")],
        };
        (*id, message)
    };
    let mut contact = RosterItem::new(jid("juliet@example.com"));
    contact.subscription = Subscription::Both;
    contact.groups = vec!["Verona".to_owned(), "Friends".to_owned()];
    let item = |id: &str, payload: &[u8]| ArrivedItem {
        id: id.to_owned(),
        publisher: owner.to_string(),
        payload: payload.to_vec(),
    };
    Arrival {
        jid: owner.clone(),
        role: Role::Member,
        keys: vec![keys(ScramHash::Sha1, 7)],
        roster: vec![contact],
        requests: vec![SubscriptionRequest {
            from: jid("nurse@example.com"),
            stanza: b"<presence/>".to_vec(),
            received_at: NOW,
        }],
        vcard: Some(b"<vCard/>".to_vec()),
        private: vec![ArrivedElement {
            ns: "n".to_owned(),
            name: "a".to_owned(),
            xml: b"<a/>".to_vec(),
        }],
        blocked: vec!["tybalt@example.com".parse().unwrap()],
        offline: vec![ArrivedMessage {
            received_at: NOW,
            stanza: b"<message id='1'/>".to_vec(),
            archived: ids.first().copied(),
        }],
        nodes: vec![ArrivedNode {
            name: "node".to_owned(),
            config: b"<x/>".to_vec(),
            items: vec![item("1", b"<one/>"), item("2", b""), item("1", b"<uno/>")],
            affiliations: vec![(jid("mercutio@example.com"), "member".to_owned())],
            subscriptions: vec![("mercutio@example.com/x".parse().unwrap(), true)],
        }],
        archive: ids.iter().map(message).collect(),
        preference: Some(ArchivePreference {
            otherwise: "roster".to_owned(),
            always: vec!["a@b.c".to_owned(), "d@e.f".to_owned()],
            never: Vec::new(),
        }),
    }
}

fn ids(count: u32) -> Vec<ArchiveId> {
    let mut ids = ArchiveIds::default();
    (0..count).map(|_| ids.next(NOW, 5)).collect()
}

#[expect(
    clippy::too_many_lines,
    reason = "one account with a thing of every kind"
)]
async fn all_that_an_account_had_is_there(place: Place) {
    let store = place.open().await;
    // More rows than one statement has.
    let arrival = arrival("romeo@example.com", &ids(600));
    store.arrivals().take(&arrival, NOW).await.unwrap();
    let owner = &arrival.jid;
    let login = store
        .credentials()
        .find(owner, ScramHash::Sha1)
        .await
        .unwrap();
    assert_eq!(login.unwrap().keys.as_ref(), arrival.keys.first());
    let mut roster = store.rosters().load(owner).await.unwrap().items;
    roster.iter_mut().for_each(|item| item.version = 0);
    assert_eq!(roster, arrival.roster);
    assert_eq!(
        store.subscription_requests().list(owner).await.unwrap(),
        arrival.requests
    );
    assert_eq!(store.blocked().list(owner).await.unwrap(), arrival.blocked);
    assert_eq!(
        store
            .vcards()
            .find(owner)
            .await
            .unwrap()
            .map(|card| card.xml),
        arrival.vcard
    );
    assert_eq!(store.private_xml().all(owner).await.unwrap(), [b"<a/>"]);
    assert_eq!(
        store.archive().preference(owner).await.unwrap(),
        Some(arrival.preference.clone())
    );

    let items = store
        .pubsub()
        .items(owner, "node", Slice::After(0, 0), 10)
        .await
        .unwrap();
    let items: Vec<_> = items
        .iter()
        .map(|item| (item.id.as_str(), item.payload.as_slice()))
        .collect();
    assert_eq!(items, [("2", &b""[..]), ("1", b"<uno/>")]);
    let given = store
        .pubsub()
        .affiliations(owner, "node", 10)
        .await
        .unwrap();
    assert_eq!(given.len(), 1);
    let told = store
        .pubsub()
        .subscriptions(owner, "node", 10)
        .await
        .unwrap();
    assert_eq!(
        told.first().map(|one| one.state),
        Some(SubscriptionState::Pending)
    );

    let words = vec![archive_word(owner, "romeo")];
    let filter = ArchiveFilter {
        words,
        ..ArchiveFilter::default()
    };
    let limits = ArchivePageLimits {
        messages_max: 1_000,
        bytes_max: usize::MAX,
    };
    let found = store
        .archive()
        .page(owner, &filter, ArchiveEnd::Oldest, limits)
        .await
        .unwrap();
    assert_eq!(found.messages.len(), 600);
    // A client that got it from the archive does not get it again.
    let given: Vec<_> = found
        .messages
        .iter()
        .take(1)
        .map(|message| message.id)
        .collect();
    assert_eq!(store.offline_messages().count(owner).await.unwrap(), 1);
    assert_eq!(
        store
            .offline_messages()
            .delete_archived(owner, &given)
            .await
            .unwrap(),
        1
    );
    assert_eq!(store.offline_messages().count(owner).await.unwrap(), 0);
}

async fn what_cannot_be_there_whole_is_not_there_at_all(place: Place) {
    let store = place.open().await;
    let romeo = account(&store, "romeo@example.com").await;
    let taken = store
        .arrivals()
        .take(&arrival("romeo@example.com", &[]), NOW)
        .await;
    assert!(matches!(taken, Err(StoreError::Conflict(_))), "{taken:?}");
    assert_eq!(store.vcards().find(&romeo).await.unwrap(), None);
    // The last thing that is written is there twice.
    let id = ids(1);
    let mut twice = arrival(
        "paris@example.com",
        &[id.as_slice(), id.as_slice()].concat(),
    );
    let refused = store.arrivals().take(&twice, NOW).await;
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(store.accounts().find(&twice.jid).await.unwrap(), None);
    twice.archive.pop();
    store.arrivals().take(&twice, NOW).await.unwrap();
    assert!(store.accounts().find(&twice.jid).await.unwrap().is_some());
}

async fn archives_go_on_behind_what_arrived(place: Place) {
    let store = place.open().await;
    let last = *ids(3).last().unwrap();
    let arrival = arrival("romeo@example.com", &ids(3));
    store.arrivals().take(&arrival, NOW).await.unwrap();
    store.close().await;
    // The clock was put back meanwhile.
    let store = place.open().await;
    let message = arrival.archive.first().unwrap().1.clone();
    let appended = store.archive().append(message, NOW.plus_seconds(-60));
    assert!(appended.id > last, "{} {last}", appended.id);
    appended.written.await.unwrap();
}
