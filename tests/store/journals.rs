//! Journals: places in the order of the writes, followers, and what is forgotten.

use parlour::clock::Timestamp;
use parlour::store::{
    JournalBounds, JournalFollower, NewJournalEntry, RecordChange, RecordWrite, RecordsWritten,
    Store,
};

use crate::{NOW, Place};

crate::on_both!(
    changes_have_places_in_the_order_of_their_writes,
    what_is_not_written_has_no_place,
    a_follower_is_where_it_has_said_and_not_before,
    what_every_follower_has_is_forgotten_when_it_is_old,
    of_more_entries_than_are_kept_the_oldest_go,
);

fn write(journal: &str, ids: &[&str], at: Timestamp) -> RecordWrite {
    let entry = |id: &&str| NewJournalEntry {
        journal: journal.to_owned(),
        id: (*id).to_owned(),
        version: 1,
        at,
    };
    RecordWrite {
        journal: ids.iter().map(entry).collect(),
        ..RecordWrite::default()
    }
}

async fn put(store: &Store, journal: &str, ids: &[&str], at: Timestamp) {
    let written = store
        .records()
        .write(write(journal, ids, at))
        .await
        .unwrap();
    assert_eq!(written, RecordsWritten::Done);
}

/// Place and id of each entry behind that place.
async fn after(store: &Store, journal: &str, place: i64) -> Vec<(i64, String)> {
    let entries = store.journals().after(journal, place, 999).await.unwrap();
    entries.into_iter().map(|it| (it.place, it.id)).collect()
}

async fn places(store: &Store, journal: &str) -> Vec<i64> {
    let entries = after(store, journal, 0).await;
    entries.into_iter().map(|(place, _)| place).collect()
}

async fn changes_have_places_in_the_order_of_their_writes(place: Place) {
    let store = place.open().await;
    let journals = store.journals();
    assert_eq!(journals.last("j").await.unwrap(), 0);
    assert_eq!(journals.first("j").await.unwrap(), None);
    put(&store, "j", &["a", "b"], NOW).await;
    put(&store, "other", &["x"], NOW).await;
    put(&store, "j", &["a"], NOW).await;
    let entry = |place, id: &str| (place, id.to_owned());
    assert_eq!(
        after(&store, "j", 0).await,
        [entry(1, "a"), entry(2, "b"), entry(3, "a")]
    );
    assert_eq!(after(&store, "j", 2).await, [entry(3, "a")]);
    assert_eq!(after(&store, "other", 0).await, [entry(1, "x")]);
    let page = journals.after("j", 0, 1).await.unwrap();
    assert_eq!((page.len(), page[0].version), (1, 1));
    assert_eq!(journals.last("j").await.unwrap(), 3);
    assert_eq!(journals.first("j").await.unwrap(), Some(1));
    // Many at once get one place each.
    let writes = (0..100).map(|_| put(&store, "many", &["m"], NOW));
    futures_util::future::join_all(writes).await;
    let expected: Vec<i64> = (1..=100).collect();
    assert_eq!(places(&store, "many").await, expected);
}

async fn what_is_not_written_has_no_place(place: Place) {
    let store = place.open().await;
    let stale = RecordWrite {
        changes: vec![RecordChange {
            kind: "thing",
            id: "a".into(),
            read: 7,
            version: 8,
            snapshot: "{}".into(),
            events: vec!["8".into()],
            due: None,
            listings: None,
        }],
        ..write("j", &["a"], NOW)
    };
    let written = store.records().write(stale).await.unwrap();
    assert_eq!(written, RecordsWritten::Changed);
    assert_eq!(store.journals().last("j").await.unwrap(), 0);
    put(&store, "j", &["a"], NOW).await;
    assert_eq!(places(&store, "j").await, [1]);
}

async fn a_follower_is_where_it_has_said_and_not_before(place: Place) {
    let store = place.open().await;
    let journals = store.journals();
    let at = async |who: &str| {
        let found = journals.follower("j", who).await.unwrap();
        found.map(|it| it.acknowledged)
    };
    journals.acknowledge("j", "crm", 5).await.unwrap();
    assert_eq!(at("crm").await, None);
    journals.follow("j", "crm", 3).await.unwrap();
    for (said, expected) in [(5, 5), (4, 5), (9, 9)] {
        journals.acknowledge("j", "crm", said).await.unwrap();
        assert_eq!(at("crm").await, Some(expected));
    }
    // Who wants to go back is back.
    journals.follow("j", "crm", 2).await.unwrap();
    journals.follow("j", "bi", 7).await.unwrap();
    journals.follow("other", "crm", 1).await.unwrap();
    let follower = |name: &str, acknowledged| JournalFollower {
        follower: name.to_owned(),
        acknowledged,
    };
    assert_eq!(
        journals.followers("j").await.unwrap(),
        [follower("bi", 7), follower("crm", 2)]
    );
    journals.unfollow("j", "crm").await.unwrap();
    journals.unfollow("j", "crm").await.unwrap();
    assert_eq!(journals.followers("j").await.unwrap(), [follower("bi", 7)]);
    assert_eq!(journals.followers("other").await.unwrap().len(), 1);
}

async fn what_every_follower_has_is_forgotten_when_it_is_old(place: Place) {
    let store = place.open().await;
    let journals = store.journals();
    for day in 0..5 {
        put(&store, "j", &["a"], NOW.plus_seconds(day)).await;
    }
    put(&store, "other", &["a"], NOW).await;
    let bounds = |seconds| JournalBounds {
        before: NOW.plus_seconds(seconds),
        entries_max: 1_000,
    };
    journals.follow("j", "crm", 2).await.unwrap();
    journals.follow("j", "bi", 4).await.unwrap();
    assert_eq!(journals.forget("j", bounds(1)).await.unwrap(), 1);
    assert_eq!(places(&store, "j").await, [2, 3, 4, 5]);
    assert_eq!(journals.forget("j", bounds(9)).await.unwrap(), 1);
    assert_eq!(places(&store, "j").await, [3, 4, 5]);
    journals.unfollow("j", "crm").await.unwrap();
    journals.forget("j", bounds(9)).await.unwrap();
    assert_eq!(places(&store, "j").await, [5]);
    journals.unfollow("j", "bi").await.unwrap();
    journals.forget("j", bounds(9)).await.unwrap();
    assert_eq!(places(&store, "j").await, [0; 0]);
    assert_eq!(places(&store, "other").await, [1]);
    // What is new goes on behind what was.
    put(&store, "j", &["a"], NOW).await;
    assert_eq!(places(&store, "j").await, [6]);
}

async fn of_more_entries_than_are_kept_the_oldest_go(place: Place) {
    let store = place.open().await;
    let journals = store.journals();
    journals.follow("j", "crm", 0).await.unwrap();
    let ids = ["a"; 100];
    for _ in 0..25 {
        put(&store, "j", &ids, NOW).await;
    }
    let bounds = JournalBounds {
        before: NOW,
        entries_max: 10,
    };
    assert_eq!(journals.forget("j", bounds).await.unwrap(), 2_490);
    assert_eq!(journals.first("j").await.unwrap(), Some(2_491));
    assert_eq!(journals.forget("j", bounds).await.unwrap(), 0);
}
