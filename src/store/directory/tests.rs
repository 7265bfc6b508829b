//! What a search costs.

use super::*;
use crate::clock::Timestamp;
use crate::domain::ids::AgentId;
use crate::store::{Limits, Location, Store};

const KINDS: ColleagueKinds = ColleagueKinds {
    agent: "agent",
    profile: "chat-profile",
};

#[test]
fn words_are_bounded_in_number_and_length() {
    let account: AgentId = "max.power@h".parse().unwrap();
    let many: Vec<String> = (0..100).map(|n| format!("w{n}")).collect();
    let names = Names {
        full: Some(many.join(" ")),
        nickname: Some("ä".repeat(100)),
    };
    assert_eq!(words_of(account.jid(), &names).len(), WORDS_MAX);
    let names = Names {
        full: Some("ж".repeat(100)),
        nickname: Some("Max Max".to_owned()),
    };
    let expected = [b"max".to_vec(), b"power".to_vec(), "ж".repeat(32).into()];
    assert_eq!(words_of(account.jid(), &names), expected);
}

/// Each query of a search walks the index of words in its order, sorts nothing and reads single rows beside it, so that what it
/// reads is what it was asked for.
#[tokio::test]
async fn a_search_walks_the_index_of_words_and_sorts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = Location::Sqlite(folder.path().join("parlour.db"));
    let store = Box::pin(Store::open(&file, &Limits::default()))
        .await
        .unwrap();
    for query in [
        SEARCH_UP,
        SEARCH_DOWN,
        CONTACTS_UP,
        CONTACTS_DOWN,
        COUNT_CONTACTS,
    ] {
        let Db::Sqlite { readers, .. } = &store.0.db else {
            panic!("the file is of SQLite");
        };
        let explained: &'static str = format!("explain query plan {query}").leak();
        let explained = sqlx::query_as(explained);
        let plan: Vec<(i64, i64, i64, String)> = {
            let mut reader = readers.lend().await.unwrap();
            let connection = reader.connection().unwrap();
            explained.fetch_all(connection).await.unwrap()
        };
        let plan: Vec<&str> = plan.iter().map(|row| row.3.as_str()).collect();
        let bad = |step: &&&str| step.contains("SCAN") || step.contains("TEMP B-TREE");
        assert_eq!(plan.iter().find(bad), None, "{plan:?}");
        assert!(
            plan[0].starts_with("SEARCH w ") || plan[0].starts_with("SEARCH i "),
            "{plan:?}"
        );
    }
}

/// S1-5, S4-11: ten thousand names, and a page of them costs its rows.
#[tokio::test]
async fn a_page_of_ten_thousand_names_is_read_from_where_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let file = Location::Sqlite(folder.path().join("parlour.db"));
    let store = Box::pin(Store::open(&file, &Limits::default()))
        .await
        .unwrap();
    Box::pin(async {
        let now = Timestamp::from_micros(1);
        let Db::Sqlite { writer, .. } = &store.0.db else {
            panic!("the file is of SQLite");
        };
        // One transaction, for ten thousand of them take a minute.
        let mut lent = writer.lend().await.unwrap();
        let mut tx = sqlx::Connection::begin(lent.connection().unwrap())
            .await
            .unwrap();
        for number in 0..10_000_u32 {
            let jid: AgentId = format!("agent{number}@h").parse().unwrap();
            let names = Names {
                full: Some(format!("Montague{} Romeo{}", number % 100, number)),
                nickname: None,
            };
            fill(&mut tx, jid.jid(), &names, now).await.unwrap();
        }
        tx.commit().await.unwrap();
    })
    .await;
    let directory = store.directory();
    let all = |prefix: &'static str, limit| {
        directory.search("h", prefix, None, ListOrder::Ascending, limit, KINDS)
    };
    let page = all("montague7", 10).await.unwrap();
    assert_eq!(page.len(), 10);
    // Among those of one word by their addresses.
    assert_eq!(
        page[0].colleague.name.as_deref(),
        Some("Montague7 Romeo1007")
    );
    assert_eq!(all("montague77", 1_000).await.unwrap().len(), 100);
    assert_eq!(all("agent9999", 1_000).await.unwrap().len(), 1);
    assert_eq!(all("x", 1_000).await.unwrap(), []);
    // Whatever is asked for, a look reads no more than its bound.
    assert_eq!(all("m", u32::MAX).await.unwrap().len(), 1_000);
    let place = page.last().unwrap().place();
    let back = directory
        .search(
            "h",
            "montague7",
            Some(&place),
            ListOrder::Descending,
            100,
            KINDS,
        )
        .await
        .unwrap();
    assert_eq!(back.len(), 9);
    assert_eq!(back.last(), page.first());
}

async fn fill(
    tx: &mut sqlx::SqliteConnection,
    jid: &BareJid,
    names: &Names,
    now: Timestamp,
) -> Result<(), StoreError> {
    crate::store::account::insert_account!(tx, jid, Role::Agent, now);
    put_names!(tx, jid, names);
    Ok(())
}
