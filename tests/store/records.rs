//! Records, their events and lists, and what is written together with them.

use parlour::clock::Timestamp;
use parlour::store::{
    ListOrder, Listing, Outgoing, RecordChange, RecordWrite, RecordsWritten, Store,
};

use crate::{NOW, Place};

crate::on_both!(
    a_record_is_found_as_it_was_written_with_its_events,
    a_decision_from_an_old_version_is_not_written,
    two_decisions_from_the_same_guard_are_not_both_written,
    lists_follow_their_records_and_are_paged_both_ways,
    a_walk_meets_each_record_once_whatever_is_written_or_removed_on_its_way,
    what_is_due_comes_in_the_order_of_time,
    what_is_to_be_sent_is_there_until_it_is_sent,
    a_removed_record_leaves_nothing,
    many_decisions_at_once_are_written_each_once,
    changes_of_many_records_at_once_are_written_with_their_events,
    of_many_at_once_only_those_that_hold_are_written,
);

fn change(id: &str, read: i64, events: &[&str]) -> RecordChange {
    RecordChange {
        kind: "thing",
        id: id.into(),
        read,
        version: read + i64::try_from(events.len()).unwrap(),
        snapshot: format!("{{\"after\":{}}}", events.len()).into(),
        events: events.iter().map(|it| (*it).into()).collect(),
        due: None,
        listings: None,
    }
}

fn listed(list: &'static str, owner: &str) -> Listing {
    Listing {
        list,
        owner: owner.to_owned(),
    }
}

async fn write(store: &Store, changes: Vec<RecordChange>) -> RecordsWritten {
    let write = RecordWrite {
        changes,
        ..RecordWrite::default()
    };
    store.records().write(write).await.unwrap()
}

async fn a_record_is_found_as_it_was_written_with_its_events(place: Place) {
    let store = place.open().await;
    let records = store.records();
    assert_eq!(records.find("thing", "a").await.unwrap(), None);
    let made = write(&store, vec![change("a", 0, &["1", "2"])]).await;
    assert_eq!(made, RecordsWritten::Done);
    let changed = write(&store, vec![change("a", 2, &["3"])]).await;
    assert_eq!(changed, RecordsWritten::Done);
    let found = records.find("thing", "a").await.unwrap().unwrap();
    assert_eq!(
        (found.version, found.snapshot.as_str()),
        (3, "{\"after\":1}")
    );
    assert_eq!(records.find("other", "a").await.unwrap(), None);
    for (after, limit, expected) in [(0, 10, &["1", "2", "3"][..]), (1, 1, &["2"]), (3, 10, &[])] {
        let events = records.events("thing", "a", after, limit).await.unwrap();
        assert_eq!(events, expected);
    }
}

async fn a_decision_from_an_old_version_is_not_written(place: Place) {
    let store = place.open().await;
    for (changes, expected) in [
        (vec![change("a", 0, &["1"])], RecordsWritten::Done),
        (vec![change("a", 0, &["x"])], RecordsWritten::Changed),
        (vec![change("a", 2, &["x"])], RecordsWritten::Changed),
        // One that holds does not save one that does not.
        (
            vec![change("b", 0, &["x"]), change("a", 0, &["x"])],
            RecordsWritten::Changed,
        ),
        (
            vec![change("b", 0, &["1"]), change("a", 1, &["2"])],
            RecordsWritten::Done,
        ),
    ] {
        assert_eq!(write(&store, changes).await, expected);
    }
    let records = store.records();
    assert_eq!(
        records.events("thing", "a", 0, 9).await.unwrap(),
        ["1", "2"]
    );
    assert_eq!(records.events("thing", "b", 0, 9).await.unwrap(), ["1"]);
}

async fn two_decisions_from_the_same_guard_are_not_both_written(place: Place) {
    let store = place.open().await;
    let guard = store.records().guard("channels of ann").await.unwrap();
    let of = |id: &str| RecordWrite {
        changes: vec![change(id, 0, &["1"])],
        guards: vec![guard.clone()],
        ..RecordWrite::default()
    };
    let records = store.records();
    let (one, other) = tokio::join!(records.write(of("a")), records.write(of("b")));
    let mut written = [one.unwrap(), other.unwrap()];
    written.sort_by_key(|it| *it == RecordsWritten::Changed);
    assert_eq!(written, [RecordsWritten::Done, RecordsWritten::Changed]);
    assert_eq!(records.all("thing", "", 9).await.unwrap().len(), 1);
    let turned = records.guard("channels of ann").await.unwrap();
    assert_eq!(turned.version, guard.version + 1);
}

async fn lists_follow_their_records_and_are_paged_both_ways(place: Place) {
    let store = place.open().await;
    let records = store.records();
    for id in ["a", "b", "c"] {
        let listings = Some(vec![listed("open", "ann"), listed("all", "ann")]);
        let made = RecordChange {
            listings,
            ..change(id, 0, &["1"])
        };
        assert_eq!(write(&store, vec![made]).await, RecordsWritten::Done);
    }
    let closed = RecordChange {
        listings: Some(vec![listed("all", "ann")]),
        ..change("b", 1, &["2"])
    };
    assert_eq!(write(&store, vec![closed]).await, RecordsWritten::Done);
    // Where nothing is said of lists, they stay.
    let touched = write(&store, vec![change("a", 1, &["2"])]).await;
    assert_eq!(touched, RecordsWritten::Done);
    for (list, from, order, limit, expected) in [
        ("all", None, ListOrder::Ascending, 9, &["a", "b", "c"][..]),
        ("all", None, ListOrder::Descending, 2, &["c", "b"]),
        ("all", Some("b"), ListOrder::Descending, 2, &["a"]),
        ("all", Some("b"), ListOrder::Ascending, 2, &["c"]),
        ("open", None, ListOrder::Ascending, 9, &["a", "c"]),
    ] {
        let listed = records.listed("thing", (list, "ann"), from, order, limit);
        let listed = listed.await.unwrap();
        let ids: Vec<&str> = listed.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, expected, "{list} {from:?} {order:?}");
    }
    for (list, owner, count) in [("all", "ann", 3), ("open", "ann", 2), ("all", "bob", 0)] {
        assert_eq!(records.count("thing", (list, owner)).await.unwrap(), count);
    }
    let before = records.count_before("thing", ("all", "ann"), "c").await;
    assert_eq!(before.unwrap(), 2);
}

async fn a_walk_meets_each_record_once_whatever_is_written_or_removed_on_its_way(place: Place) {
    let store = place.open().await;
    let records = store.records();
    for id in ["a", "b", "c", "d", "e"] {
        let listings = match id {
            "b" => None,
            _ => Some(vec![listed("open", "ann")]),
        };
        let made = RecordChange {
            listings,
            ..change(id, 0, &["1"])
        };
        assert_eq!(write(&store, vec![made]).await, RecordsWritten::Done);
    }
    for (mut walk, expected) in [
        (records.walk("thing", 2), &["a", "b", "c", "d", "e"][..]),
        (records.walk("nothing", 2), &[]),
        (
            records.walk("thing", 9).behind(Some("c".to_owned())),
            &["d", "e"],
        ),
        (
            records.walk_list("thing", ("open", "ann"), 1),
            &["a", "c", "d", "e"],
        ),
        (records.walk_list("thing", ("open", "bob"), 1), &[]),
    ] {
        let mut met = Vec::new();
        while let Some(record) = walk.next().await.unwrap() {
            met.push(record.id);
        }
        assert_eq!(met, expected);
    }
    let mut walk = records.walk("thing", 2);
    let mut met = Vec::new();
    while let Some(record) = walk.next().await.unwrap() {
        assert!(records.remove("thing", &record.id).await.unwrap());
        if record.id == "e" {
            assert_eq!(
                write(&store, vec![change("f", 0, &["1"])]).await,
                RecordsWritten::Done
            );
        }
        met.push(record.id);
    }
    assert_eq!(met, ["a", "b", "c", "d", "e", "f"]);
}

async fn what_is_due_comes_in_the_order_of_time(place: Place) {
    let store = place.open().await;
    let records = store.records();
    assert_eq!(records.next_due(NOW).await.unwrap(), None);
    let due = |id: &str, due: Option<Timestamp>| RecordChange {
        due,
        ..change(id, 0, &["1"])
    };
    let changes = vec![
        due("late", Some(NOW.plus_seconds(60))),
        due("early", Some(NOW)),
        due("never", None),
    ];
    assert_eq!(write(&store, changes).await, RecordsWritten::Done);
    for (now, expected) in [
        (NOW.plus_seconds(-1), &[][..]),
        (NOW, &["early"]),
        (NOW.plus_seconds(60), &["early", "late"]),
    ] {
        let found = records.due(now, None, 9).await.unwrap();
        let ids: Vec<&str> = found.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(ids, expected);
        if let Some(first) = found.first() {
            let behind = records.due(now, Some(first), 9).await.unwrap();
            assert_eq!(behind, found[1..]);
        }
    }
    let next = records.next_due(NOW).await.unwrap();
    assert_eq!(next, Some(NOW.plus_seconds(60)));
    let done = write(&store, vec![change("early", 1, &["2"])]).await;
    assert_eq!(done, RecordsWritten::Done);
    let next = records.next_due(NOW.plus_seconds(-1)).await.unwrap();
    assert_eq!(next, Some(NOW.plus_seconds(60)));
}

async fn what_is_to_be_sent_is_there_until_it_is_sent(place: Place) {
    let store = place.open().await;
    let records = store.records();
    let outgoing = |id: &str| Outgoing {
        id: id.to_owned(),
        stanza: format!("<message id='{id}'/>").into(),
    };
    let refused = RecordWrite {
        changes: vec![change("a", 7, &["1"])],
        guards: vec![],
        outbox: vec![outgoing("0")],
        ..RecordWrite::default()
    };
    let written = records.write(refused).await.unwrap();
    assert_eq!(written, RecordsWritten::Changed);
    let decided = RecordWrite {
        changes: vec![change("a", 0, &["1"])],
        guards: vec![],
        outbox: vec![outgoing("1"), outgoing("2"), outgoing("3")],
        ..RecordWrite::default()
    };
    assert_eq!(records.write(decided).await.unwrap(), RecordsWritten::Done);
    records.sent(&["2".to_owned()]).await.unwrap();
    store.close().await;
    let store = place.open().await;
    let left = store.records().outbox("", 9).await.unwrap();
    assert_eq!(left, [outgoing("1"), outgoing("3")]);
    let behind = store.records().outbox("1", 9).await.unwrap();
    assert_eq!(behind, [outgoing("3")]);
}

async fn a_removed_record_leaves_nothing(place: Place) {
    let store = place.open().await;
    let made = RecordChange {
        listings: Some(vec![listed("all", "ann")]),
        ..change("a", 0, &["1"])
    };
    assert_eq!(write(&store, vec![made]).await, RecordsWritten::Done);
    let records = store.records();
    assert!(records.remove("thing", "a").await.unwrap());
    assert!(!records.remove("thing", "a").await.unwrap());
    assert_eq!(records.count("thing", ("all", "ann")).await.unwrap(), 0);
    assert!(records.events("thing", "a", 0, 9).await.unwrap().is_empty());
}

/// However they fall into groups, of those that are made from the same version one is written.
async fn many_decisions_at_once_are_written_each_once(place: Place) {
    let store = place.open().await;
    let writes = (0..200).map(|number| {
        let store = store.clone();
        let id = format!("{}", number % 50);
        async move { write(&store, vec![change(&id, 0, &["1"])]).await }
    });
    let written = futures_util::future::join_all(writes).await;
    let done = written.iter().filter(|it| **it == RecordsWritten::Done);
    assert_eq!(done.count(), 50);
    assert_eq!(
        store.records().all("thing", "", 99).await.unwrap().len(),
        50
    );
}

/// What many write at the same moment, in its order.
async fn write_at_once(store: &Store, writes: Vec<RecordWrite>) -> Vec<RecordsWritten> {
    let writes = writes
        .into_iter()
        .map(|it| async { store.records().write(it).await.unwrap() });
    futures_util::future::join_all(writes).await
}

fn only(change: RecordChange) -> RecordWrite {
    RecordWrite {
        changes: vec![change],
        ..RecordWrite::default()
    }
}

async fn changes_of_many_records_at_once_are_written_with_their_events(place: Place) {
    let store = place.open().await;
    let records = store.records();
    let ids: Vec<String> = (0..150).map(|number| format!("{number:03}")).collect();
    let made = ids.iter().map(|id| only(change(id, 0, &["1", "2"])));
    write_at_once(&store, made.collect()).await;
    let due = |at: usize| at.is_multiple_of(3).then(|| NOW.plus_seconds(60));
    let changed = ids.iter().enumerate().map(|(at, id)| {
        let events: &[&str] = if at.is_multiple_of(2) {
            &["3"]
        } else {
            &["3", "4"]
        };
        let due = due(at);
        only(RecordChange {
            due,
            ..change(id, 2, events)
        })
    });
    let written = write_at_once(&store, changed.collect()).await;
    assert_eq!(written, vec![RecordsWritten::Done; 150]);
    for (at, id) in ids.iter().enumerate() {
        let found = records.find("thing", id).await.unwrap().unwrap();
        let expected: &[&str] = if at.is_multiple_of(2) {
            &["3"]
        } else {
            &["3", "4"]
        };
        let events = records.numbered_events("thing", id, 2, 9).await.unwrap();
        let expected: Vec<(i64, String)> = (3..)
            .zip(expected.iter().map(|it| (*it).to_owned()))
            .collect();
        assert_eq!(found.version, 2 + expected.len() as i64);
        assert_eq!(events, expected);
        let snapshot = format!("{{\"after\":{}}}", expected.len());
        assert_eq!(found.snapshot, snapshot);
    }
    let soon = records.due(NOW.plus_seconds(60), None, 999).await.unwrap();
    let soon: Vec<&String> = soon.iter().map(|it| &it.id).collect();
    let expected: Vec<&String> = ids.iter().step_by(3).collect();
    assert_eq!(soon, expected);
}

/// One that was decided from an old version, one whose record is gone, and two of the same record do not keep the
/// others from being written.
async fn of_many_at_once_only_those_that_hold_are_written(place: Place) {
    let store = place.open().await;
    let records = store.records();
    let ids: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    let made = ids.iter().map(|id| only(change(id, 0, &["1"])));
    write_at_once(&store, made.collect()).await;
    assert!(records.remove("thing", "07").await.unwrap());
    let read = |id: &str| if id == "03" { 4 } else { 1 };
    let mut writes: Vec<_> = ids
        .iter()
        .map(|id| only(change(id, read(id), &["2"])))
        .collect();
    writes.push(only(change("05", 1, &["x"])));
    writes.push(only(change("new", 0, &["1"])));
    let written = write_at_once(&store, writes).await;
    for (place, done) in written.iter().enumerate() {
        let holds = !matches!(place, 3 | 7 | 40);
        assert_eq!(*done == RecordsWritten::Done, holds, "{place}");
    }
    for (id, expected) in [
        ("03", &["1"][..]),
        ("05", &["1", "2"]),
        ("07", &[]),
        ("39", &["1", "2"]),
        ("new", &["1"]),
    ] {
        let events = records.events("thing", id, 0, 9).await.unwrap();
        assert_eq!(events, expected, "{id}");
    }
}
