//! What the store asks of a database: its tables, every text of SQL, clear errors.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Executor as _, Row as _};

use parlour::store::{Claim, Db, Limits, Location, Store, StoreError};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    every_query_is_understood,
    opening_again_changes_nothing,
    several_stores_open_an_empty_database_at_once,
    one_server_claims_a_database,
    a_later_schema_is_refused,
    ping_answers_until_the_store_closes,
    what_is_acknowledged_is_on_the_disk,
    a_statement_that_waits_too_long_is_given_up,
);

async fn every_query_is_understood(place: Place) {
    let store = place.open().await;
    let mut count = 0;
    for (name, sql) in parlour::store::queries() {
        let prepared = store.prepare(sql).await;
        assert!(prepared.is_ok(), "{name}: {prepared:?}");
        count += 1;
    }
    assert!(count > 30, "{count}");
    let nonsense = store.prepare("select nothing from nowhere").await;
    assert!(
        matches!(nonsense, Err(StoreError::Statement(_))),
        "{nonsense:?}"
    );
}

async fn one_server_claims_a_database(place: Place) {
    let store = place.open().await;
    let hasty = Limits {
        acquire_timeout: std::time::Duration::from_millis(300),
        ..Limits::default()
    };
    let claim = Claim::take(&place.location, &hasty).await.unwrap();
    let second = Claim::take(&place.location, &hasty).await;
    assert!(matches!(second, Err(StoreError::InUse)), "{second:?}");
    // Who has ended is noticed, if not at once.
    drop(claim);
    Claim::take(&place.location, &Limits::default())
        .await
        .unwrap();
    store.close().await;
}

/// A database that forgets whose it is, as after a restart, is claimed again, or the server learns that another was first.
#[tokio::test]
async fn a_claim_that_is_forgotten_is_made_again_unless_another_was_first() {
    let place = Place::postgres().await;
    let Location::Postgres(options) = &place.location else {
        panic!("{:?}", place.location);
    };
    let store = place.open().await;
    let mut other = options.as_ref().clone().connect().await.unwrap();
    let held = "select pid from pg_locks where locktype = 'advisory' and granted
        and database = (select oid from pg_database where datname = current_database())";
    let end =
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
        and database = (select oid from pg_database where datname = current_database())";
    let hasty = Limits {
        acquire_timeout: std::time::Duration::from_millis(300),
        ..Limits::default()
    };
    let mut claim = Claim::take(&place.location, &hasty).await.unwrap();
    let (told, mut lost) = tokio::sync::oneshot::channel();
    let watching = tokio::spawn(async move {
        claim.lost().await;
        let _ = told.send(());
    });
    let holder = async |other: &mut PgConnection| {
        let row = other.fetch_optional(held).await.unwrap();
        row.map(|row| row.get::<i32, _>(0))
    };
    let first = holder(&mut other).await;
    assert!(first.is_some());
    other.execute(end).await.unwrap();
    // It is claimed again, for nobody else is there, by another connection than before.
    loop {
        let now = holder(&mut other).await;
        if now.is_some() && now != first {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(lost.try_recv().is_err());
    // Now another is first: it waits for the lock when the holder goes.
    let waiting = options.as_ref().clone().connect().await.unwrap();
    let lock = sqlx::postgres::PgAdvisoryLock::new("parlour: the server");
    let theirs = tokio::spawn(async move { lock.acquire(waiting).await.map(|guard| guard.leak()) });
    let waits = "select 1 from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())";
    while other.fetch_optional(waits).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    other.execute(end).await.unwrap();
    let _theirs = theirs.await.unwrap().unwrap();
    lost.await.unwrap();
    watching.await.unwrap();
    store.close().await;
}

/// A text that is not named in a `queries!` block would escape the test above.
#[test]
fn sql_stands_nowhere_but_in_the_lists() {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    let mut calls = 0;
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let in_store = path.components().any(|part| part.as_os_str() == "store");
        // It asks a database for its own tables, and makes SQL of the names that it gets.
        if in_store && path.to_string_lossy().contains("snapshot") {
            continue;
        }
        for (number, line) in (1..).zip(text.lines()) {
            let at = format!("{}:{number}", path.display());
            for call in ["sqlx::query(", "sqlx::query_as(", "sqlx::query_scalar("] {
                let Some((_, argument)) = line.split_once(call) else {
                    continue;
                };
                calls += 1;
                assert!(in_store, "{at}: SQL outside of the store");
                assert!(!argument.starts_with('"'), "{at}: SQL that no list names");
            }
            assert!(!line.contains("AssertSqlSafe"), "{at}: SQL made of values");
        }
    }
    assert!(calls > 30, "{calls}");
    let names: BTreeSet<_> = parlour::store::queries().map(|(_, sql)| sql).collect();
    assert_eq!(
        names.len(),
        parlour::store::queries().count(),
        "a text twice"
    );
}

async fn opening_again_changes_nothing(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let found = store.accounts().find(&alice).await.unwrap();
    store.close().await;
    let store = place.open().await;
    assert_eq!(store.accounts().find(&alice).await.unwrap(), found);
}

async fn several_stores_open_an_empty_database_at_once(place: Place) {
    let opening = (0..3).map(|_| place.open());
    let stores = futures_util::future::join_all(opening).await;
    let alice = account(&stores[0], "alice@example.com").await;
    for store in &stores {
        assert!(store.accounts().find(&alice).await.unwrap().is_some());
    }
    // Each is a writer of its own.
    for (n, store) in stores.iter().enumerate() {
        account(store, &format!("u{n}@example.com")).await;
        let offline = store.offline_messages();
        let _ = offline
            .append(&alice, "<message/>".into(), NOW, 10)
            .await
            .unwrap();
    }
    assert_eq!(stores[0].accounts().count("example.com").await.unwrap(), 4);
    let listed = stores[0].offline_messages().page(&alice, 0, 10).await;
    assert_eq!(listed.unwrap().len(), 3);
}

async fn a_later_schema_is_refused(place: Place) {
    let store = place.open().await;
    store.close().await;
    let later = "insert into _sqlx_migrations
            (version, description, success, checksum, execution_time)
        values (99999, 'of a later version', true, '', 0)";
    match &place.location {
        Location::Sqlite(file) => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
            let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
            sqlx::query(later).execute(&pool).await.unwrap();
            pool.close().await;
        }
        Location::Postgres(options) => {
            let pool = sqlx::PgPool::connect_with(options.as_ref().clone());
            let pool = pool.await.unwrap();
            sqlx::query(later).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
    let refused = Store::open(&place.location, &Limits::default()).await;
    assert!(matches!(refused, Err(StoreError::Schema(_))));
}

async fn ping_answers_until_the_store_closes(place: Place) {
    let store = place.open().await;
    store.ping().await.unwrap();
    store.close().await;
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Closed)));
}

/// That the settings are in force which the promise rests on; pulling the plug is no test.
async fn what_is_acknowledged_is_on_the_disk(place: Place) {
    match Db::open(&place.location, &Limits::default()).await.unwrap() {
        Db::Sqlite { writer, .. } => {
            let mut writer = writer.lend().await.unwrap();
            let writer = writer.connection().unwrap();
            // 2 is `full`.
            for (pragma, value) in [("pragma synchronous", 2_i64), ("pragma foreign_keys", 1)] {
                let row: (i64,) = sqlx::query_as(pragma)
                    .fetch_one(&mut *writer)
                    .await
                    .unwrap();
                assert_eq!(row.0, value, "{pragma}");
            }
            let mode: (String,) = sqlx::query_as("pragma journal_mode")
                .fetch_one(&mut *writer)
                .await
                .unwrap();
            assert_eq!(mode.0, "wal");
        }
        // The test cluster is started with `off`.
        Db::Postgres(pool) => {
            let on: (String,) = sqlx::query_as("show synchronous_commit")
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(on.0, "on");
        }
    }
}

async fn a_statement_that_waits_too_long_is_given_up(place: Place) {
    let limits = Limits {
        statement_timeout: std::time::Duration::from_millis(100),
        ..Limits::default()
    };
    let store = Store::open(&place.location, &limits).await.unwrap();
    let alice = account(&store, "alice@example.com").await;
    // Another process holds what the store needs to write.
    let lock = "update account set role = role";
    match Db::open(&place.location, &Limits::default()).await.unwrap() {
        Db::Sqlite { writer, .. } => {
            let mut writer = writer.lend().await.unwrap();
            let mut other = writer.begin().await.unwrap();
            sqlx::query(lock).execute(&mut *other).await.unwrap();
            let late = store.accounts().disable(&alice).await;
            assert!(matches!(late, Err(StoreError::Timeout(_))), "{late:?}");
            other.rollback().await.unwrap();
        }
        Db::Postgres(pool) => {
            let mut other = pool.begin().await.unwrap();
            sqlx::query(lock).execute(&mut *other).await.unwrap();
            let late = store.accounts().disable(&alice).await;
            assert!(matches!(late, Err(StoreError::Timeout(_))), "{late:?}");
            other.rollback().await.ok();
        }
    }
    assert!(store.accounts().disable(&alice).await.unwrap());
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        acquire_timeout: std::time::Duration::from_millis(200),
        ..Limits::default()
    };
    let open = |location: Location| {
        let limits = limits.clone();
        async move { Store::open(&location, &limits).await.err() }
    };
    let absent = format!("postgres:///x?host={}", folder.path().display());
    let absent = open(absent.parse().unwrap()).await;
    assert!(
        matches!(absent, Some(StoreError::Unavailable(_))),
        "{absent:?}"
    );

    let broken = folder.path().join("broken.sqlite");
    std::fs::write(&broken, vec![b'x'; 8_192]).unwrap();
    let broken = open(Location::Sqlite(broken)).await;
    assert!(
        matches!(broken, Some(StoreError::Corrupt { .. })),
        "{broken:?}"
    );

    let no_file = open(Location::Sqlite(folder.path().to_owned())).await;
    assert!(
        matches!(no_file, Some(StoreError::Unavailable(_))),
        "{no_file:?}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_server_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::sqlite();
    let store = place.open().await;
    account(&store, "alice@example.com").await;
    let Location::Sqlite(file) = &place.location else {
        panic!("not SQLite");
    };
    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", file.display());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
    let found = store.accounts().find(&jid("alice@example.com")).await;
    assert!(found.unwrap().is_some());
}
