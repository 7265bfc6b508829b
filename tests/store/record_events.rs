//! Events of records: read with their versions, and forgotten from the oldest on.

use parlour::store::{RecordChange, RecordWrite, RecordsWritten, Store};

use crate::Place;

crate::on_both!(events_are_read_with_their_versions_and_forgotten_from_the_oldest_on);

async fn put(store: &Store, read: i64, events: &[&str]) {
    let change = RecordChange {
        kind: "agent",
        id: "romeo@localhost".into(),
        read,
        version: read + i64::try_from(events.len()).unwrap(),
        snapshot: "{}".into(),
        events: events.iter().map(|it| (*it).into()).collect(),
        due: None,
        listings: None,
    };
    let write = RecordWrite {
        changes: vec![change],
        ..RecordWrite::default()
    };
    let written = store.records().write(write).await.unwrap();
    assert_eq!(written, RecordsWritten::Done);
}

async fn events_are_read_with_their_versions_and_forgotten_from_the_oldest_on(place: Place) {
    let store = place.open().await;
    let records = store.records();
    let (kind, id) = ("agent", "romeo@localhost");
    assert_eq!(records.first_event(kind, id).await.unwrap(), None);
    put(&store, 0, &["a", "b", "c"]).await;
    put(&store, 3, &["d"]).await;
    let read = async |after, limit| {
        records
            .numbered_events(kind, id, after, limit)
            .await
            .unwrap()
    };
    let event = |version: i64, event: &str| (version, event.to_owned());
    assert_eq!(read(1, 2).await, [event(2, "b"), event(3, "c")]);
    assert_eq!(records.first_event(kind, id).await.unwrap(), Some(1));
    assert_eq!(records.forget_events(kind, id, 3).await.unwrap(), 3);
    assert_eq!(records.forget_events(kind, id, 3).await.unwrap(), 0);
    assert_eq!(records.first_event(kind, id).await.unwrap(), Some(4));
    assert_eq!(read(0, 10).await, [event(4, "d")]);
    // What they have made of the record stays, and it goes on.
    let found = records.find(kind, id).await.unwrap().unwrap();
    assert_eq!((found.version, found.snapshot.as_str()), (4, "{}"));
    put(&store, 4, &["e"]).await;
    assert_eq!(read(4, 10).await, [event(5, "e")]);
}
