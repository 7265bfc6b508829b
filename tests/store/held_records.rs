//! What is written only while something else stays as it was read, and what goes with it: who has had it done.

use futures_util::future::join_all;
use parlour::store::{
    AuditEntry, AuditFilter, Erasure, HeldRecord, ListOrder, Listing, NewAuditEntry, Outgoing,
    RecordChange, RecordWrite, RecordsWritten, Store,
};

use crate::{NOW, Place};

crate::on_both!(
    what_is_held_must_still_be_as_it_was_read,
    nothing_is_left_about_a_record_that_is_erased_meanwhile,
    an_act_is_in_the_trail_if_what_it_wrote_is,
    what_waits_to_be_sent_is_counted_up_to_a_bound,
);

fn change(id: &str, read: i64) -> RecordChange {
    RecordChange {
        kind: "thing",
        id: id.into(),
        read,
        version: read + 1,
        snapshot: "{}".into(),
        events: vec!["1".into()],
        due: None,
        listings: None,
    }
}

fn held(id: &str, read: i64) -> HeldRecord {
    HeldRecord {
        kind: "thing",
        id: id.into(),
        read,
    }
}

/// Makes a thing that is about another, which was read in that version.
fn about(id: &str, other: &str, read: i64) -> RecordWrite {
    let listing = Listing {
        list: "about",
        owner: other.to_owned(),
    };
    RecordWrite {
        changes: vec![RecordChange {
            listings: Some(vec![listing]),
            ..change(id, 0)
        }],
        held: vec![held(other, read)],
        ..RecordWrite::default()
    }
}

async fn make(store: &Store, id: &str, read: i64) {
    let write = RecordWrite {
        changes: vec![change(id, read)],
        ..RecordWrite::default()
    };
    let written = store.records().write(write).await.unwrap();
    assert_eq!(written, RecordsWritten::Done);
}

fn erasure(id: &str) -> Erasure {
    Erasure {
        kind: "thing",
        id: id.into(),
        read: 1,
        left: None,
        unlisted: None,
        journal: None,
        untold: None,
    }
}

async fn what_is_held_must_still_be_as_it_was_read(place: Place) {
    let store = place.open().await;
    let records = store.records();
    make(&store, "ann", 0).await;
    for (write, expected) in [
        (about("a", "ann", 1), RecordsWritten::Done),
        // A second one: it is held, and not used up.
        (about("b", "ann", 1), RecordsWritten::Done),
        (about("c", "ann", 2), RecordsWritten::Changed),
        (about("c", "nobody", 1), RecordsWritten::Changed),
        (about("c", "nobody", 0), RecordsWritten::Changed),
    ] {
        let written = records.write(write.clone()).await.unwrap();
        assert_eq!(written, expected, "{write:?}");
    }
    let ann = records.find("thing", "ann").await.unwrap().unwrap();
    assert_eq!(ann.version, 1);
    // A change of a record that is there already holds, too.
    let with = |read| RecordWrite {
        changes: vec![change("a", 1)],
        held: vec![held("ann", read)],
        ..RecordWrite::default()
    };
    let refused = records.write(with(7)).await.unwrap();
    assert_eq!(refused, RecordsWritten::Changed);
    let kept = records.find("thing", "a").await.unwrap().unwrap();
    assert_eq!(kept.version, 1);
    assert_eq!(records.write(with(1)).await.unwrap(), RecordsWritten::Done);
    make(&store, "ann", 1).await;
    let late = records.write(about("c", "ann", 1)).await.unwrap();
    assert_eq!(late, RecordsWritten::Changed);
    assert_eq!(records.find("thing", "c").await.unwrap(), None);
}

/// Things are made about a record while it is erased, and then what is about it: none is left, whoever was first.
async fn nothing_is_left_about_a_record_that_is_erased_meanwhile(place: Place) {
    const ROUNDS: usize = 10;
    const THINGS: usize = 20;
    let store = place.open().await;
    let records = store.records();
    for round in 0..ROUNDS {
        let ann = format!("ann{round}");
        make(&store, &ann, 0).await;
        let making = (0..THINGS).map(|n| records.write(about(&format!("{ann}-{n}"), &ann, 1)));
        let erasing = async {
            // Somewhere among them.
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            let erased = Box::pin(records.erase(&erasure(&ann))).await.unwrap();
            assert_eq!(erased, RecordsWritten::Done);
            let list = ("about", ann.as_str());
            let left = records.listed("thing", list, None, ListOrder::Ascending, 100);
            let left = left.await.unwrap();
            for thing in &left {
                let erased = Box::pin(records.erase(&erasure(&thing.id))).await;
                assert_eq!(erased.unwrap(), RecordsWritten::Done);
            }
            left.len()
        };
        let (made, erased) = tokio::join!(join_all(making), erasing);
        let made = made.into_iter().map(Result::unwrap);
        let made = made.filter(|it| *it == RecordsWritten::Done).count();
        assert_eq!(made, erased, "in round {round}");
    }
    assert_eq!(records.all("thing", "", 1_000).await.unwrap(), []);
}

async fn an_act_is_in_the_trail_if_what_it_wrote_is(place: Place) {
    let store = place.open().await;
    let records = store.records();
    let by = |id: &str, entries_max| NewAuditEntry {
        entry: AuditEntry {
            id: id.to_owned(),
            at: NOW,
            actor: "romeo@localhost".to_owned(),
            origin: "romeo@localhost/desk".to_owned(),
            operation: "thing make".to_owned(),
            target: id.to_owned(),
            host: "localhost".to_owned(),
            arguments: String::new(),
            done: true,
            result: "done".to_owned(),
        },
        entries_max,
    };
    let write = |change, entry| RecordWrite {
        changes: vec![change],
        audit: Some(Box::new(entry)),
        ..RecordWrite::default()
    };
    let made = records.write(write(change("a", 0), by("1", 9))).await;
    assert_eq!(made.unwrap(), RecordsWritten::Done);
    // Of several that are written together each has its own, and what is not written has none.
    let (two, refused, three) = tokio::join!(
        records.write(write(change("a", 1), by("2", 9))),
        records.write(write(change("b", 7), by("x", 9))),
        records.write(write(change("c", 0), by("3", 9))),
    );
    assert_eq!(two.unwrap(), RecordsWritten::Done);
    assert_eq!(refused.unwrap(), RecordsWritten::Changed);
    assert_eq!(three.unwrap(), RecordsWritten::Done);
    let targets = async || {
        let all = store
            .audit()
            .list(&AuditFilter::default(), 9)
            .await
            .unwrap();
        all.into_iter().map(|it| it.target).collect::<Vec<_>>()
    };
    assert_eq!(targets().await, ["3", "2", "1"]);
    // An entry that cannot be written takes the decision with it, and nothing of the others.
    let (twice, four) = tokio::join!(
        records.write(write(change("d", 0), by("3", 9))),
        records.write(write(change("e", 0), by("4", 9))),
    );
    assert!(twice.is_err());
    assert_eq!(four.unwrap(), RecordsWritten::Done);
    assert_eq!(records.find("thing", "d").await.unwrap(), None);
    let last = records.write(write(change("f", 0), by("5", 2))).await;
    assert_eq!(last.unwrap(), RecordsWritten::Done);
    assert_eq!(targets().await, ["5", "4"]);
}

async fn what_waits_to_be_sent_is_counted_up_to_a_bound(place: Place) {
    let store = place.open().await;
    let records = store.records();
    assert_eq!(records.outbox_count(3).await.unwrap(), 0);
    let outgoing = |n: usize| Outgoing {
        id: n.to_string(),
        stanza: "<message/>".into(),
    };
    let write = RecordWrite {
        changes: vec![change("a", 0)],
        outbox: (0..5).map(outgoing).collect(),
        ..RecordWrite::default()
    };
    assert_eq!(records.write(write).await.unwrap(), RecordsWritten::Done);
    assert_eq!(records.outbox_count(3).await.unwrap(), 3);
    assert_eq!(records.outbox_count(9).await.unwrap(), 5);
}
