//! A whole database, read as it was at one moment and written into another, of either kind.

use std::collections::BTreeMap;

use parlour::domain::rights::Role;
use parlour::proto::scram::ScramHash;
use parlour::store::{
    Limits, LoadError, Loading, Put, Snapshot, SnapshotRow, Store, StoreError, Value, Vcard,
};

use crate::{NOW, Place, account, jid, keys};

crate::on_both!(
    everything_goes_into_either_database_and_comes_back_the_same,
    a_database_with_something_in_it_is_not_filled,
    what_is_written_meanwhile_is_not_in_a_snapshot,
    what_is_not_finished_leaves_nothing,
    rows_that_do_not_fit_are_refused,
);

type Everything = BTreeMap<String, Vec<SnapshotRow>>;

async fn read(place: &Place) -> Everything {
    let snapshot = Snapshot::begin(&place.location, &Limits::default()).await;
    let mut snapshot = snapshot.unwrap().unwrap();
    all(&mut snapshot).await
}

/// The rows of all tables, sorted, for a database gives them in any order.
async fn all(snapshot: &mut Snapshot) -> Everything {
    let mut everything = Everything::new();
    for table in snapshot.tables() {
        let mut rows = Vec::new();
        let take = async |more: Vec<SnapshotRow>| -> Result<(), StoreError> {
            rows.extend(more);
            Ok(())
        };
        snapshot.rows(&table, take).await.unwrap();
        rows.sort_by_key(|row| format!("{row:?}"));
        everything.insert(table.name.clone(), rows);
    }
    everything
}

async fn copy(from: &Place, to: &Place) -> Result<(), LoadError> {
    let limits = Limits::default();
    let snapshot = Snapshot::begin(&from.location, &limits).await?;
    let mut snapshot = snapshot.unwrap();
    let mut loading = Loading::begin(&to.location, &limits, snapshot.version()).await?;
    for table in snapshot.tables() {
        let write = async |rows: Vec<SnapshotRow>| -> Result<(), LoadError> {
            loading.write(&table, &rows).await
        };
        snapshot.rows(&table, write).await?;
    }
    loading.finish(&to.location, &limits).await
}

/// Values of every type, more rows than are handed on at once, and rows that refer to others.
async fn fill(store: &Store) {
    for number in 0..612 {
        let name = format!("agent{number}@example.com");
        let role = Role::ALL[number % Role::ALL.len()];
        let keys = [keys(ScramHash::Sha256, 7), keys(ScramHash::Sha1, 0)];
        store
            .accounts()
            .create(&jid(&name), role, &keys, NOW)
            .await
            .unwrap();
    }
    let alice = account(store, "alice@example.com").await;
    let vcard = Vcard {
        xml: "<vCard>\u{1F600} \" ' \\ \u{7f}</vCard>".into(),
        updated_at: NOW,
    };
    let put = store.vcards().put(&alice, &vcard, 10_000).await.unwrap();
    assert_eq!(put, Put::Stored);
    let xml = b"<a>\x00\xff</a>";
    let private = store.private_xml();
    let put = private.put(&alice, "n", "a", xml, 1_000).await.unwrap();
    assert_eq!(put, Put::Stored);
    store.accounts().disable(&alice).await.unwrap();
    store
        .settings()
        .find_or_create("s", || vec![0, 255])
        .await
        .unwrap();
}

async fn everything_goes_into_either_database_and_comes_back_the_same(place: Place) {
    let store = place.open().await;
    fill(&store).await;
    store.close().await;
    let before = read(&place).await;
    assert!(before["account"].len() == 613 && before["setting"].len() == 1);
    for other in [Place::sqlite(), Place::postgres().await] {
        copy(&place, &other).await.unwrap();
        assert!(read(&other).await == before);
        // It is one that the server can use, and goes back again.
        let store = other.open().await;
        assert!(
            store
                .accounts()
                .find(&jid("agent7@example.com"))
                .await
                .unwrap()
                .is_some()
        );
        store.close().await;
        let back = Place::sqlite();
        copy(&other, &back).await.unwrap();
        assert!(read(&back).await == before);
    }
}

async fn a_database_with_something_in_it_is_not_filled(place: Place) {
    let from = Place::sqlite();
    let store = from.open().await;
    fill(&store).await;
    store.close().await;
    let store = place.open().await;
    account(&store, "bob@example.com").await;
    store.close().await;
    let before = read(&place).await;
    let refused = copy(&from, &place).await;
    assert!(
        matches!(&refused, Err(LoadError::NotEmpty(table)) if table == "account"),
        "{refused:?}"
    );
    assert!(read(&place).await == before);
}

async fn what_is_written_meanwhile_is_not_in_a_snapshot(place: Place) {
    let store = place.open().await;
    account(&store, "alice@example.com").await;
    let snapshot = Snapshot::begin(&place.location, &Limits::default()).await;
    let mut snapshot = snapshot.unwrap().unwrap();
    account(&store, "bob@example.com").await;
    store
        .accounts()
        .remove(&jid("alice@example.com"))
        .await
        .unwrap();
    let accounts = all(&mut snapshot).await.remove("account").unwrap();
    assert!(accounts.len() == 1, "{accounts:?}");
    assert!(accounts[0].contains(&Value::Text("alice@example.com".to_owned())));
    store.close().await;
}

async fn what_is_not_finished_leaves_nothing(place: Place) {
    let from = Place::sqlite();
    let store = from.open().await;
    fill(&store).await;
    store.close().await;
    let limits = Limits::default();
    let snapshot = Snapshot::begin(&from.location, &limits).await;
    let mut snapshot = snapshot.unwrap().unwrap();
    let mut loading = Loading::begin(&place.location, &limits, snapshot.version())
        .await
        .unwrap();
    let table = snapshot
        .tables()
        .into_iter()
        .find(|table| table.name == "account")
        .unwrap();
    let write = async |rows: Vec<SnapshotRow>| -> Result<(), LoadError> {
        loading.write(&table, &rows).await
    };
    snapshot.rows(&table, write).await.unwrap();
    drop(loading);
    copy(&from, &place).await.unwrap();
    assert!(read(&place).await == read(&from).await);
}

async fn rows_that_do_not_fit_are_refused(place: Place) {
    let limits = Limits::default();
    let from = Place::sqlite();
    from.open().await.close().await;
    let snapshot = Snapshot::begin(&from.location, &limits).await;
    let snapshot = snapshot.unwrap().unwrap();
    let version = snapshot.version();
    let later = Loading::begin(&place.location, &limits, version + 1).await;
    assert!(matches!(later, Err(LoadError::Later { .. })), "{later:?}");
    let mut loading = Loading::begin(&place.location, &limits, version)
        .await
        .unwrap();
    let table = snapshot
        .tables()
        .into_iter()
        .find(|table| table.name == "setting")
        .unwrap();
    let mut other = table.clone();
    other.name = "no_such".to_owned();
    let mut short = table.clone();
    short.columns.pop();
    for (table, row) in [
        (&other, vec![Value::Null; table.columns.len()]),
        (&short, vec![Value::Null; short.columns.len()]),
        (&table, vec![Value::Null]),
        (&table, vec![Value::Integer(1); table.columns.len()]),
    ] {
        let refused = loading.write(table, &[row]).await;
        assert!(
            matches!(refused, Err(LoadError::Unfit { .. })),
            "{refused:?}"
        );
    }
}
