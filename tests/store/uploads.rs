//! Uploads (XEP-0363): slots, room, and what becomes old.

use parlour::clock::Timestamp;
use parlour::proto::jid::BareJid;
use parlour::store::{
    FileRows, NewUpload, Reserved, Store, StoreError, UploadFiles, UploadId, UploadLimits,
};

use crate::{NOW, Place, account, jid};

crate::on_both!(
    a_slot_becomes_a_file_once,
    an_account_has_no_more_than_it_may_whoever_asks_first,
    what_is_old_or_unused_is_taken_and_the_rest_stays,
    files_without_a_row_are_swept_and_others_stay,
);

const LIMITS: UploadLimits = UploadLimits {
    account_bytes_max: 1_000,
    day_bytes_max: 500,
    day_files_max: 10,
    transfer_seconds_max: 60,
};

const DAY: i64 = 86_400;

fn new(owner: &BareJid, size: u64, created_at: Timestamp) -> NewUpload {
    NewUpload {
        id: UploadId::random(),
        owner: owner.clone(),
        token_hash: vec![0, 7, 255],
        file_name: "très cool.jpg".to_owned(),
        media_type: Some("image/jpeg".to_owned()),
        size,
        created_at,
        put_until: created_at.plus_seconds(300),
        expires_at: None,
    }
}

async fn reserve(store: &Store, new: &NewUpload) -> Reserved {
    store.uploads().reserve(new, &LIMITS).await.unwrap()
}

async fn a_slot_becomes_a_file_once(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let asked = NewUpload {
        expires_at: Some(NOW.plus_seconds(9)),
        ..new(&alice, 42, NOW)
    };
    let uploads = store.uploads();
    assert!(uploads.find(&asked.id).await.unwrap().is_none());
    assert_eq!(reserve(&store, &asked).await, Reserved::Granted);
    let slot = uploads.find(&asked.id).await.unwrap().unwrap();
    assert_eq!(slot.token_hash, asked.token_hash);
    assert_eq!(slot.file_name, asked.file_name);
    assert_eq!(slot.media_type, asked.media_type);
    assert_eq!((slot.size, slot.put_until), (42, asked.put_until));
    assert_eq!((slot.stored_at, slot.expires_at), (None, asked.expires_at));
    let later = NOW.plus_seconds(1);
    assert!(uploads.stored(&asked.id, later).await.unwrap());
    assert!(!uploads.stored(&asked.id, later).await.unwrap(), "twice");
    assert!(!uploads.stored(&UploadId::random(), later).await.unwrap());
    let file = uploads.find(&asked.id).await.unwrap().unwrap();
    assert_eq!(file.stored_at, Some(later));
    let of_alice = uploads.of_owner(&alice).await.unwrap();
    assert_eq!(of_alice, std::slice::from_ref(&asked.id));
    let nobody = uploads
        .reserve(&new(&jid("nobody@b.c"), 1, NOW), &LIMITS)
        .await;
    assert!(
        matches!(nobody, Err(StoreError::NoAccount(_))),
        "{nobody:?}"
    );
    store.accounts().remove(&alice).await.unwrap();
    assert!(uploads.find(&asked.id).await.unwrap().is_none());
}

async fn an_account_has_no_more_than_it_may_whoever_asks_first(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let bob = account(&store, "bob@example.com").await;
    // Ten at once, where there is room for five.
    let asks = (0..10).map(|_| {
        let (store, asked) = (store.clone(), new(&alice, 100, NOW));
        tokio::spawn(async move { reserve(&store, &asked).await })
    });
    let mut granted = 0;
    for asked in futures_util::future::join_all(asks).await {
        match asked.unwrap() {
            Reserved::Granted => granted += 1,
            Reserved::Full(until) => assert_eq!(until, Some(NOW.plus_seconds(DAY))),
        }
    }
    assert_eq!(granted, 5);
    assert_eq!(
        reserve(&store, &new(&bob, 500, NOW)).await,
        Reserved::Granted
    );
    // All of bob's are files, so that they stay; the next day has room for a day more, the third none.
    for (day, answer) in [(1, Reserved::Granted), (2, Reserved::Full(None))] {
        for id in store.uploads().of_owner(&bob).await.unwrap() {
            store.uploads().stored(&id, NOW).await.unwrap();
        }
        let asked = new(&bob, 500, NOW.plus_seconds(day * DAY + 1));
        assert_eq!(reserve(&store, &asked).await, answer, "day {day}");
    }
    // Slots that were not used give their room back.
    let asked = new(&alice, 500, NOW.plus_seconds(361));
    assert_eq!(reserve(&store, &asked).await, Reserved::Granted);
    assert_eq!(store.uploads().of_owner(&alice).await.unwrap(), [asked.id]);
}

async fn what_is_old_or_unused_is_taken_and_the_rest_stays(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let uploads = store.uploads();
    let mut ids = Vec::new();
    for (is_stored, expires) in [
        (true, None),
        (true, Some(1_000)),
        (true, Some(1_001)),
        (false, None),
        (false, Some(10_000)),
    ] {
        let asked = NewUpload {
            expires_at: expires.map(|seconds| NOW.plus_seconds(seconds)),
            ..new(&alice, 1, NOW)
        };
        assert_eq!(reserve(&store, &asked).await, Reserved::Granted);
        if is_stored {
            assert!(uploads.stored(&asked.id, NOW).await.unwrap());
        }
        ids.push(asked.id);
    }
    let take = async |seconds: i64| {
        let mut taken = uploads
            .take_old(NOW.plus_seconds(seconds), &LIMITS)
            .await
            .unwrap();
        taken.sort();
        taken
    };
    assert_eq!(take(360).await, []);
    let mut unused = vec![ids[3].clone(), ids[4].clone()];
    unused.sort();
    assert_eq!(take(361).await, unused);
    assert_eq!(take(999).await, []);
    assert_eq!(take(1_000).await, [ids[1].clone()]);
    assert_eq!(take(1_000).await, []);
    assert_eq!(take(i64::from(u32::MAX)).await, [ids[2].clone()]);
    assert!(uploads.find(&ids[0]).await.unwrap().is_some());
}

async fn files_without_a_row_are_swept_and_others_stay(place: Place) {
    let store = place.open().await;
    let alice = account(&store, "alice@example.com").await;
    let folder = tempfile::tempdir().unwrap();
    let files = UploadFiles::new(folder.path());
    let write = async |id: &UploadId| {
        let mut partial = files.begin(id).await.unwrap();
        partial.write(b"hello").await.unwrap();
        partial.keep().await.unwrap();
    };
    let known = new(&alice, 5, NOW);
    assert_eq!(reserve(&store, &known).await, Reserved::Granted);
    write(&known.id).await;
    let lost = UploadId::random();
    write(&lost).await;
    // What is no upload is none of our business.
    let strange = files.place(&lost).with_file_name("notes.txt");
    std::fs::write(&strange, "mine").unwrap();
    assert_eq!(
        files
            .sweep(FileRows::Uploads(store.uploads()))
            .await
            .unwrap(),
        1
    );
    assert!(!files.place(&lost).exists());
    assert!(files.place(&known.id).exists() && strange.exists());
    store.accounts().remove(&alice).await.unwrap();
    assert_eq!(
        files
            .sweep(FileRows::Uploads(store.uploads()))
            .await
            .unwrap(),
        1
    );
    assert!(!files.place(&known.id).exists());
}
