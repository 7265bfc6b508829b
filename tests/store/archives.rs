//! Message archives (XEP-0313) and what accounts prefer (XEP-0441).

use bytes::Bytes;
use parlour::clock::Timestamp;
use parlour::proto::{BareJid, Jid};
use parlour::store::{
    ArchiveEnd, ArchiveFilter, ArchiveId, ArchivePageLimits, ArchivePreference, Archived, Location,
    NewArchived, Store, archive_word,
};
use sqlx::{AssertSqlSafe, Connection as _};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    messages_come_in_the_order_they_were_archived_in,
    pages_go_on_in_both_directions,
    pages_are_bounded_by_bytes,
    a_large_page_is_whole_from_either_end,
    a_page_is_narrowed_down_by_address,
    a_page_is_narrowed_down_by_time_and_id,
    words_are_found_in_the_own_archive_only,
    words_are_found_in_every_part_of_a_long_archive,
    messages_are_counted_up_to_a_bound,
    the_ends_of_an_archive_are_known,
    old_messages_are_purged_with_their_words,
    an_archive_goes_with_its_account,
    what_is_queued_when_the_store_closes_is_archived,
    nothing_is_lost_or_overtaken_when_the_queue_is_full,
    ids_grow_over_a_restart_with_the_clock_put_back,
    preferences_come_back_as_they_were_set,
);

const PAGE: ArchivePageLimits = ArchivePageLimits {
    messages_max: 50,
    bytes_max: 1 << 20,
};

fn stanza(n: usize) -> Bytes {
    format!("<message><body>{n} \u{1F98A}</body></message>").into()
}

fn message(owner: &BareJid, with: &str, n: usize, words: &[&str]) -> NewArchived {
    NewArchived {
        owner: owner.clone(),
        with: Jid::parse(with).unwrap(),
        stanza: stanza(n),
        words: words.iter().map(|word| archive_word(owner, word)).collect(),
    }
}

async fn append(store: &Store, message: NewArchived, moment: Timestamp) -> ArchiveId {
    let appended = store.archive().append(message, moment);
    assert!(appended.queued);
    appended.written.await.unwrap();
    appended.id
}

/// `count` messages with `bob@example.com/desk`, one a second.
async fn filled(store: &Store, owner: &BareJid, count: usize) -> Vec<ArchiveId> {
    let mut ids = Vec::new();
    for n in 0..count {
        let moment = NOW.plus_seconds(i64::try_from(n).unwrap());
        let message = message(owner, "bob@example.com/desk", n, &[]);
        ids.push(append(store, message, moment).await);
    }
    ids
}

async fn ids(store: &Store, owner: &BareJid, filter: ArchiveFilter) -> Vec<ArchiveId> {
    let archive = store.archive();
    let page = archive
        .page(owner, &filter, ArchiveEnd::Oldest, PAGE)
        .await
        .unwrap();
    let backwards = archive
        .page(owner, &filter, ArchiveEnd::Latest, PAGE)
        .await
        .unwrap();
    assert_eq!(page, backwards, "one page is the same from either end");
    page.messages
        .into_iter()
        .map(|message| message.id)
        .collect()
}

async fn messages_come_in_the_order_they_were_archived_in(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    // All in one moment, and not awaited: one commit.
    let appended: Vec<_> = (0..40)
        .map(|n| {
            store
                .archive()
                .append(message(&alice, "bob@example.com", n, &[]), NOW)
        })
        .collect();
    store.archive().settle().await.unwrap();
    let made: Vec<_> = appended.iter().map(|appended| appended.id).collect();
    assert!(made.is_sorted_by(|a, b| a < b));
    assert_eq!(made[0].moment(), NOW);
    assert_eq!(ids(&store, &alice, ArchiveFilter::default()).await, made);
    let found = store.archive().find(&alice, made[7]).await.unwrap();
    assert_eq!(
        found,
        Some(Archived {
            id: made[7],
            stanza: stanza(7)
        })
    );
    let other = jid("other@example.com");
    assert_eq!(store.archive().find(&other, made[7]).await.unwrap(), None);
}

async fn pages_go_on_in_both_directions(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    let all = filled(&store, &alice, 10).await;
    let limits = ArchivePageLimits {
        messages_max: 4,
        ..PAGE
    };
    let (mut forward, mut after) = (Vec::new(), None);
    loop {
        let filter = ArchiveFilter {
            after,
            ..ArchiveFilter::default()
        };
        let archive = store.archive();
        let page = archive
            .page(&alice, &filter, ArchiveEnd::Oldest, limits)
            .await
            .unwrap();
        forward.extend(page.messages.iter().map(|message| message.id));
        after = page.messages.last().map(|message| message.id);
        if !page.more {
            break;
        }
    }
    assert_eq!(forward, all);
    let (mut backward, mut before) = (Vec::new(), None);
    loop {
        let filter = ArchiveFilter {
            before,
            ..ArchiveFilter::default()
        };
        let archive = store.archive();
        let page = archive
            .page(&alice, &filter, ArchiveEnd::Latest, limits)
            .await
            .unwrap();
        let mut ids: Vec<_> = page.messages.iter().map(|message| message.id).collect();
        assert!(ids.is_sorted());
        before = ids.first().copied();
        ids.extend(backward);
        backward = ids;
        if !page.more {
            break;
        }
    }
    assert_eq!(backward, all);
}

/// More than is taken out of the database at once.
async fn a_large_page_is_whole_from_either_end(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    let made = many(&store, &alice, 200).await;
    let wide = ArchivePageLimits {
        messages_max: 150,
        bytes_max: 1 << 20,
    };
    for (end, expected) in [
        (ArchiveEnd::Oldest, &made[..150]),
        (ArchiveEnd::Latest, &made[50..]),
    ] {
        let filter = ArchiveFilter::default();
        let page = store
            .archive()
            .page(&alice, &filter, end, wide)
            .await
            .unwrap();
        let found: Vec<_> = page.messages.iter().map(|message| message.id).collect();
        assert_eq!(found, expected, "{end:?}");
        assert!(page.more, "{end:?}");
        for message in &page.messages {
            let alone = store.archive().find(&alice, message.id).await.unwrap();
            assert_eq!(alone.as_ref(), Some(message));
        }
    }
    let all = ArchivePageLimits {
        messages_max: 200,
        ..wide
    };
    for end in [ArchiveEnd::Oldest, ArchiveEnd::Latest] {
        let filter = ArchiveFilter::default();
        let page = store
            .archive()
            .page(&alice, &filter, end, all)
            .await
            .unwrap();
        assert_eq!(page.messages.len(), 200, "{end:?}");
        assert!(!page.more, "{end:?}");
    }
}

async fn pages_are_bounded_by_bytes(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    filled(&store, &alice, 5).await;
    for (bytes_max, expected) in [(1, 1), (stanza(0).len() + 1, 2), (1 << 20, 5)] {
        let limits = ArchivePageLimits { bytes_max, ..PAGE };
        let all = ArchiveFilter::default();
        let archive = store.archive();
        let page = archive
            .page(&alice, &all, ArchiveEnd::Oldest, limits)
            .await
            .unwrap();
        assert_eq!((page.messages.len(), page.more), (expected, expected < 5));
    }
}

/// With bob, carol, and bob from another place, one a second.
async fn three_messages(store: &Store, alice: &BareJid) -> Vec<ArchiveId> {
    let with = [
        "bob@example.com/desk",
        "carol@example.com",
        "bob@example.com/phone",
    ];
    let mut all = Vec::new();
    for (n, with) in with.into_iter().enumerate() {
        let moment = NOW.plus_seconds(i64::try_from(n).unwrap());
        all.push(append(store, message(alice, with, n, &[]), moment).await);
    }
    all
}

async fn a_page_is_narrowed_down_by_address(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    let all = three_messages(&store, &alice).await;
    for (with, after, expected) in [
        ("bob@example.com", None, &[all[0], all[2]][..]),
        ("bob@example.com/phone", None, &[all[2]]),
        ("bob@example.com/other", None, &[]),
        ("dave@example.com", None, &[]),
        ("bob@example.com", Some(all[0]), &[all[2]]),
    ] {
        let filter = ArchiveFilter {
            with: Some(Jid::parse(with).unwrap()),
            after,
            ..ArchiveFilter::default()
        };
        assert_eq!(ids(&store, &alice, filter).await, expected, "{with}");
    }
}

async fn a_page_is_narrowed_down_by_time_and_id(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    let all = three_messages(&store, &alice).await;
    let at = |seconds| Some(NOW.plus_seconds(seconds));
    let micros = |micros| Some(Timestamp::from_micros(micros));
    for (start, end, after, before, expected) in [
        (at(1), None, None, None, 1..3),
        (None, at(1), None, None, 0..2),
        (at(1), at(1), None, None, 1..2),
        (at(2), at(1), None, None, 0..0),
        (micros(i64::MIN), None, None, None, 0..3),
        (None, micros(i64::MAX), None, None, 0..3),
        (None, micros(-1), None, None, 0..0),
        (None, None, Some(all[0]), Some(all[2]), 1..2),
        (at(1), at(1), Some(all[0]), None, 1..2),
        (at(0), None, Some(all[1]), None, 2..3),
    ] {
        let filter = ArchiveFilter {
            start,
            end,
            after,
            before,
            ..ArchiveFilter::default()
        };
        let found = ids(&store, &alice, filter.clone()).await;
        assert_eq!(found, all[expected], "{filter:?}");
    }
}

async fn words_are_found_in_the_own_archive_only(place: Place) {
    let store = place.open().await;
    let (alice, eve) = (jid("alice@example.com"), jid("eve@example.com"));
    let mut all = Vec::new();
    for (n, words) in [&["grüße", "an", "alle"][..], &["grüße", "مرحبا"], &["alle"]]
        .into_iter()
        .enumerate()
    {
        all.push(append(&store, message(&alice, "bob@example.com", n, words), NOW).await);
    }
    append(&store, message(&eve, "bob@example.com", 9, &["grüße"]), NOW).await;
    for (words, with, expected) in [
        (&["grüße"][..], None, vec![0, 1]),
        (&["grüße", "alle"], None, vec![0]),
        (&["alle", "grüße", "an"], None, vec![0]),
        (&["مرحبا"], None, vec![1]),
        (&["niemand"], None, vec![]),
        (&["grüße", "niemand"], None, vec![]),
        (&["grüße"], Some("bob@example.com"), vec![0, 1]),
        (&["grüße"], Some("carol@example.com"), vec![]),
    ] {
        let filter = ArchiveFilter {
            with: with.map(|with| Jid::parse(with).unwrap()),
            words: words
                .iter()
                .map(|word| archive_word(&alice, word))
                .collect(),
            ..ArchiveFilter::default()
        };
        let expected: Vec<_> = expected.into_iter().map(|n: usize| all[n]).collect();
        assert_eq!(
            ids(&store, &alice, filter).await,
            expected,
            "{words:?} {with:?}"
        );
    }
}

/// `count` messages with the words `all`, `n` and the last two digits of `n`, many in one commit.
async fn many(store: &Store, owner: &BareJid, count: usize) -> Vec<ArchiveId> {
    let mut ids = Vec::new();
    let mut last = None;
    for n in 0..count {
        let words = ["all", &format!("n{n}"), &format!("d{}", n % 100)];
        let with = if n % 2 == 0 {
            "bob@example.com"
        } else {
            "carol@example.com"
        };
        let appended = store.archive().append(message(owner, with, n, &words), NOW);
        ids.push(appended.id);
        last = Some(appended.written);
    }
    last.unwrap().await.unwrap();
    ids
}

#[expect(
    clippy::too_many_lines,
    reason = "one long archive, looked at in every part"
)]
async fn words_are_found_in_every_part_of_a_long_archive(place: Place) {
    use ArchiveEnd::{Latest, Oldest};
    let store = place.open().await;
    let alice = jid("alice@example.com");
    let all = many(&store, &alice, 2_000).await;
    let found = async |words: &[&str], with: Option<&str>, end, from: Option<usize>, most| {
        let mut filter = ArchiveFilter {
            with: with.map(|with| Jid::parse(with).unwrap()),
            words: words.iter().map(|it| archive_word(&alice, it)).collect(),
            ..ArchiveFilter::default()
        };
        match end {
            Oldest => filter.after = from.map(|n| all[n]),
            Latest => filter.before = from.map(|n| all[n]),
        }
        let limits = ArchivePageLimits {
            messages_max: most,
            ..PAGE
        };
        let archive = store.archive();
        let page = Box::pin(archive.page(&alice, &filter, end, limits));
        let page = page.await.unwrap();
        let place = |it: &Archived| all.iter().position(|id| *id == it.id).unwrap();
        (
            page.messages.iter().map(place).collect::<Vec<_>>(),
            page.more,
        )
    };
    let nothing = (Vec::new(), false);
    for end in [Oldest, Latest] {
        for n in [0, 1, 127, 128, 129, 777, 1_500, 1_999] {
            let word = format!("n{n}");
            assert_eq!(found(&[&word], None, end, None, 50).await, (vec![n], false));
            assert_eq!(found(&[&word, "all"], None, end, None, 50).await.0, [n]);
            assert_eq!(found(&[&word, "none"], None, end, None, 50).await, nothing);
        }
        let every: Vec<_> = (0..20).map(|n| n * 100 + 42).collect();
        assert_eq!(found(&["d42"], None, end, None, 20).await, (every, false));
        assert_eq!(
            found(&["d43"], Some("bob@example.com"), end, None, 20).await,
            nothing
        );
        assert_eq!(
            found(&["d43"], Some("carol@example.com"), end, None, 0).await,
            (vec![], true)
        );
    }
    assert_eq!(
        found(&["d7"], None, Oldest, None, 3).await,
        (vec![7, 107, 207], true)
    );
    assert_eq!(
        found(&["d7"], None, Oldest, Some(1_007), 2).await,
        (vec![1_107, 1_207], true)
    );
    assert_eq!(
        found(&["d7"], None, Oldest, Some(1_806), 3).await,
        (vec![1_807, 1_907], false)
    );
    assert_eq!(
        found(&["d7"], None, Latest, None, 2).await,
        (vec![1_807, 1_907], true)
    );
    assert_eq!(
        found(&["d7"], None, Latest, Some(1_007), 2).await,
        (vec![807, 907], true)
    );
    assert_eq!(
        found(&["d7"], None, Latest, Some(108), 3).await,
        (vec![7, 107], false)
    );
    assert_eq!(
        found(&["all"], None, Latest, Some(300), 300).await.0,
        (0..300).collect::<Vec<_>>()
    );
}

async fn messages_are_counted_up_to_a_bound(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    filled(&store, &alice, 5).await;
    let all = ArchiveFilter::default();
    let bob = ArchiveFilter {
        with: Some(Jid::parse("bob@example.com").unwrap()),
        ..ArchiveFilter::default()
    };
    let nobody = ArchiveFilter {
        with: Some(Jid::parse("nobody@example.com").unwrap()),
        ..ArchiveFilter::default()
    };
    for (filter, count_max, expected) in [
        (&all, 5, Some(5)),
        (&all, 4, None),
        (&bob, 100, Some(5)),
        (&bob, 3, None),
        (&nobody, 0, Some(0)),
    ] {
        let count = store
            .archive()
            .count(&alice, filter, count_max)
            .await
            .unwrap();
        assert_eq!(count, expected, "{filter:?} {count_max}");
    }
}

async fn the_ends_of_an_archive_are_known(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    assert_eq!(store.archive().ends(&alice).await.unwrap(), None);
    let all = filled(&store, &alice, 3).await;
    let ends = store.archive().ends(&alice).await.unwrap();
    assert_eq!(ends, Some((all[0], all[2])));
}

async fn old_messages_are_purged_with_their_words(place: Place) {
    let store = place.open().await;
    let (alice, bob) = (jid("alice@example.com"), jid("bob@example.com"));
    let archive = store.archive();
    let mut all = Vec::new();
    for n in 0..6 {
        let moment = NOW.plus_seconds(i64::try_from(n).unwrap());
        all.push(
            append(
                &store,
                message(&alice, "bob@example.com", n, &["word"]),
                moment,
            )
            .await,
        );
    }
    append(
        &store,
        message(&bob, "alice@example.com", 0, &["word"]),
        NOW,
    )
    .await;
    assert_eq!(
        archive.next_owner("").await.unwrap().as_deref(),
        Some(alice.as_str())
    );
    let next = archive.next_owner(alice.as_str()).await.unwrap();
    assert_eq!(next.as_deref(), Some(bob.as_str()));
    assert_eq!(archive.next_owner(bob.as_str()).await.unwrap(), None);

    let before = NOW.plus_seconds(2);
    assert_eq!(archive.expire(alice.as_str(), before).await.unwrap(), 2);
    assert_eq!(archive.expire(alice.as_str(), before).await.unwrap(), 0);
    assert_eq!(
        ids(&store, &alice, ArchiveFilter::default()).await,
        all[2..]
    );

    let oldest = archive.oldest_of_latest(alice.as_str(), 4).await.unwrap();
    assert_eq!(oldest, None);
    let oldest = archive
        .oldest_of_latest(alice.as_str(), 3)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(archive.purge(alice.as_str(), oldest).await.unwrap(), 1);
    assert_eq!(
        ids(&store, &alice, ArchiveFilter::default()).await,
        all[3..]
    );

    let word = ArchiveFilter {
        words: vec![archive_word(&alice, "word")],
        ..ArchiveFilter::default()
    };
    assert_eq!(ids(&store, &alice, word).await, all[3..]);
    assert_eq!(ids(&store, &bob, ArchiveFilter::default()).await.len(), 1);
    archive.remove(&alice).await.unwrap();
    assert_eq!(archive.ends(&alice).await.unwrap(), None);
}

async fn an_archive_goes_with_its_account(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    filled(&store, &alice, 3).await;
    let _removed = store.accounts().remove(&alice).await.unwrap();
    assert_eq!(store.archive().ends(&alice).await.unwrap(), None);
    // What came while it was being removed is not for whoever takes the name next.
    filled(&store, &alice, 1).await;
    account(&store, "alice@example.com").await;
    assert_eq!(store.archive().ends(&alice).await.unwrap(), None);
}

async fn what_is_queued_when_the_store_closes_is_archived(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    let mut last = None;
    for n in 0..1_000 {
        let appended = store
            .archive()
            .append(message(&alice, "bob@example.com", n, &[]), NOW);
        last = Some(appended.id);
    }
    store.close().await;
    let again = place.open().await;
    let ends = again.archive().ends(&alice).await.unwrap();
    assert_eq!(ends.map(|(_, last)| last), last);
    let all = ArchiveFilter::default();
    let count = again.archive().count(&alice, &all, 2_000).await.unwrap();
    assert_eq!(count, Some(1_000));
}

async fn nothing_is_lost_or_overtaken_when_the_queue_is_full(place: Place) {
    let store = place.open().await;
    let alice = jid("alice@example.com");
    let mut given = Vec::new();
    // Some more after the first for which there was no room.
    let mut left = 500;
    let mut full = false;
    for n in 0..200_000 {
        if left == 0 {
            break;
        }
        let appended = store
            .archive()
            .append(message(&alice, "bob@example.com", n, &[]), NOW);
        given.push(appended.id);
        // Nobody waits for it: the sender's task was dropped.
        full |= !appended.queued;
        left -= usize::from(full);
    }
    assert!(full);
    store.archive().settle().await.unwrap();
    let all = ArchiveFilter::default();
    let count = store.archive().count(&alice, &all, 200_000).await.unwrap();
    assert_eq!(count, u64::try_from(given.len()).ok());
    let ends = store.archive().ends(&alice).await.unwrap();
    assert_eq!(ends, given.first().copied().zip(given.last().copied()));
}

async fn ids_grow_over_a_restart_with_the_clock_put_back(place: Place) {
    let alice = jid("alice@example.com");
    let store = place.open().await;
    let before = append(&store, message(&alice, "bob@example.com", 1, &[]), NOW).await;
    store.close().await;
    let again = place.open().await;
    let hour_ago = NOW.plus_seconds(-3_600);
    let after = append(&again, message(&alice, "bob@example.com", 2, &[]), hour_ago).await;
    assert!(after > before, "{after} {before}");
    assert_eq!(after.moment(), NOW);
}

async fn preferences_come_back_as_they_were_set(place: Place) {
    let store = place.open().await;
    let nobody = jid("nobody@example.com");
    assert_eq!(store.archive().preference(&nobody).await.unwrap(), None);
    let alice = account(&store, "alice@example.com").await;
    assert_eq!(
        store.archive().preference(&alice).await.unwrap(),
        Some(None)
    );
    for (always, never) in [
        (vec![], vec![]),
        (
            vec!["bob@example.com"],
            vec!["carol@example.com/desk", "example.org"],
        ),
    ] {
        let set = ArchivePreference {
            otherwise: "roster".to_owned(),
            always: always.into_iter().map(str::to_owned).collect(),
            never: never.into_iter().map(str::to_owned).collect(),
        };
        store.archive().set_preference(&alice, &set).await.unwrap();
        let found = store.archive().preference(&alice).await.unwrap();
        assert_eq!(found, Some(Some(set)));
    }
    let set = ArchivePreference {
        otherwise: "never".to_owned(),
        always: vec![],
        never: vec![],
    };
    let refused = store.archive().set_preference(&nobody, &set).await;
    assert!(matches!(
        refused,
        Err(parlour::store::StoreError::NoAccount(_))
    ));
}

/// However long an archive is, a page looks at its own rows: no scan, no sorting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_go_by_keys() {
    let place = Place::sqlite();
    let store = place.open().await;
    let alice = jid("alice@example.com");
    filled(&store, &alice, 100).await;
    let Location::Sqlite(file) = &place.location else {
        panic!("not SQLite");
    };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let by_id = "USING INDEX sqlite_autoindex_archive_message_1 (owner=? AND id>? AND id<?)";
    let by_conversation =
        "USING INDEX archive_message_by_conversation (conversation=? AND id>? AND id<?)";
    let by_summary = "USING INDEX sqlite_autoindex_archive_summary_1 (owner=? AND last_id>?)";
    let before = "USING INDEX sqlite_autoindex_archive_summary_1 (owner=? AND last_id<?)";
    for (name, expected) in [
        ("OLDEST", by_id),
        ("LATEST", by_id),
        ("OLDEST_WITH", by_conversation),
        ("LATEST_WITH", by_conversation),
        ("OLDEST_WORDS", by_id),
        ("LATEST_WORDS", by_id),
        ("SUMMARIES_BEHIND", by_summary),
        ("SUMMARIES_BEFORE", before),
    ] {
        let (_, text) = parlour::store::queries().find(|it| it.0 == name).unwrap();
        let explain = AssertSqlSafe(format!("explain query plan {text}"));
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(explain).fetch_all(&pool).await.unwrap();
        let plan: Vec<_> = plan.into_iter().map(|step| step.3).collect();
        let by_key = plan.iter().any(|step| step.contains(expected));
        assert!(by_key, "{name}: {plan:?}");
        // The page itself, when it is put into one row.
        let scans = |step: &str| step.starts_with("SCAN") && step != "SCAN page";
        let long = |step: &String| scans(step) || step.contains("B-TREE");
        assert!(!plan.iter().any(long), "{name}: {plan:?}");
    }
}

/// The same on PostgreSQL. So few rows it would rather read whole, which it may not here: what needs that in spite of it is
/// served by no key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_go_by_keys_on_postgresql() {
    let place = Place::postgres().await;
    let store = place.open().await;
    let alice = jid("alice@example.com");
    filled(&store, &alice, 100).await;
    let Location::Postgres(options) = &place.location else {
        panic!("not PostgreSQL");
    };
    let mut connection = sqlx::PgConnection::connect_with(options).await.unwrap();
    for set in [
        "set enable_seqscan = off",
        "set enable_bitmapscan = off",
        "set plan_cache_mode = force_generic_plan",
    ] {
        sqlx::query(set).execute(&mut connection).await.unwrap();
    }
    for name in [
        "OLDEST",
        "LATEST",
        "OLDEST_WITH",
        "LATEST_WITH",
        "OLDEST_WORDS",
        "LATEST_WORDS",
        "SUMMARIES_BEHIND",
        "SUMMARIES_BEFORE",
    ] {
        let (_, text) = parlour::store::queries().find(|it| it.0 == name).unwrap();
        let prepare = AssertSqlSafe(format!("prepare {name} as {text}"));
        sqlx::raw_sql(prepare)
            .execute(&mut connection)
            .await
            .unwrap();
        let highest = (1..=9)
            .rev()
            .find(|it| text.contains(&format!("${it}")))
            .unwrap();
        let given = vec!["'1'"; highest].join(", ");
        let explain = AssertSqlSafe(format!("explain execute {name}({given})"));
        let plan: Vec<String> = sqlx::query_scalar(explain)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let has = |word: &str| plan.iter().any(|step| step.contains(word));
        assert!(has("Index Cond: "), "{name}: {plan:#?}");
        assert!(!has("Seq Scan") && !has("Sort"), "{name}: {plan:#?}");
    }
}

/// Neither a removed account nor purging leaves summaries of messages that are gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_summaries_are_left_without_their_messages() {
    let place = Place::sqlite();
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let Location::Sqlite(file) = &place.location else {
        panic!("not SQLite");
    };
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let summaries = || async {
        let count = sqlx::query_scalar("select count(*) from archive_summary");
        count.fetch_one(&pool).await.unwrap()
    };
    let all = many(&store, &alice, 1_500).await;
    let before: i64 = summaries().await;
    assert!((1..=11).contains(&before), "{before}");
    let archive = store.archive();
    while archive.purge(alice.as_str(), all[1_000]).await.unwrap() > 0 {}
    let purged: i64 = summaries().await;
    assert!(purged < before, "{purged} of {before}");
    let _removed = store.accounts().remove(&alice).await.unwrap();
    assert_eq!(summaries().await, 0);
    many(&store, &alice, 1_500).await;
    assert!(summaries().await > 0);
    account(&store, "alice@example.com").await;
    assert_eq!(summaries().await, 0);
}
