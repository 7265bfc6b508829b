//! Files of message streams.

use parlour::store::{
    NewAttachment, NewUpload, Reserved, Store, TakenOver, UploadFiles, UploadId, UploadLimits,
};

use crate::{NOW, Place, account, jid, on_both};

on_both! {
    an_upload_changes_hands_whole_or_not_at_all,
    what_was_taken_over_counts_as_uploaded_that_day,
}

const LIMITS: UploadLimits = UploadLimits {
    account_bytes_max: 1_000,
    day_bytes_max: 100,
    day_files_max: 10,
    transfer_seconds_max: 60,
};

async fn uploaded(store: &Store, owner: &str, size: u64) -> UploadId {
    let new = slot(owner, size);
    let granted = store.uploads().reserve(&new, &LIMITS).await.unwrap();
    assert_eq!(granted, Reserved::Granted);
    assert!(store.uploads().stored(&new.id, NOW).await.unwrap());
    new.id
}

fn slot(owner: &str, size: u64) -> NewUpload {
    NewUpload {
        id: UploadId::random(),
        owner: jid(owner),
        token_hash: vec![1; 32],
        file_name: "très cool.png".to_owned(),
        media_type: Some("image/png".to_owned()),
        size,
        created_at: NOW,
        put_until: NOW.plus_seconds(60),
        expires_at: Some(NOW.plus_seconds(100)),
    }
}

fn taking(id: &UploadId, owner: &str, stream: &str) -> NewAttachment {
    NewAttachment {
        id: id.clone(),
        owner: jid(owner),
        host: "b.c".to_owned(),
        stream: stream.to_owned(),
        media_type: "image/png",
        at: NOW,
    }
}

async fn an_upload_changes_hands_whole_or_not_at_all(place: Place) {
    let store = place.open().await;
    let (alice, bob) = ("alice@b.c", "bob@b.c");
    account(&store, alice).await;
    account(&store, bob).await;
    let id = uploaded(&store, alice, 60).await;
    let attachments = store.attachments();
    let mut late = taking(&id, alice, "s1");
    late.at = NOW.plus_seconds(100);
    for (new, room, expected) in [
        (taking(&id, bob, "s1"), 100, TakenOver::Gone),
        (
            taking(&UploadId::random(), alice, "s1"),
            100,
            TakenOver::Gone,
        ),
        (late, 100, TakenOver::Gone),
        (taking(&id, alice, "s1"), 59, TakenOver::NoRoom),
        (taking(&id, alice, "s1"), 60, TakenOver::Done),
        (taking(&id, alice, "s1"), 100, TakenOver::Gone),
    ] {
        assert_eq!(attachments.take(&new, room).await.unwrap(), expected);
        let is_upload = store.uploads().find(&id).await.unwrap().is_some();
        let is_attachment = attachments.find(&id).await.unwrap().is_some();
        assert!(is_upload != is_attachment, "{expected:?}");
    }
    let unfinished = slot(alice, 1);
    let granted = store.uploads().reserve(&unfinished, &LIMITS).await.unwrap();
    assert_eq!(granted, Reserved::Granted);
    let new = taking(&unfinished.id, alice, "s1");
    assert_eq!(attachments.take(&new, 100).await.unwrap(), TakenOver::Gone);
    // It outlives the account of who had uploaded it.
    store.accounts().remove(&jid(alice)).await.unwrap();
    let [kept] = attachments
        .of_stream("s1")
        .await
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(
        (kept.file_name.as_str(), kept.size, kept.named),
        ("très cool.png", 60, false)
    );
    assert!(attachments.give(&kept, "s2", NOW).await.unwrap());
    assert!(
        !attachments.give(&kept, "s3", NOW).await.unwrap(),
        "as it was read"
    );
    attachments.name(&[&id]).await.unwrap();
    let [named] = attachments
        .all(("", ""), 10)
        .await
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!((named.stream.as_str(), named.named), ("s2", true));
    assert!(
        !attachments.give(&named, "s3", NOW).await.unwrap(),
        "it is named"
    );
    assert_eq!(attachments.all(("s2", id.as_str()), 10).await.unwrap(), []);
    // Its room is free again.
    let second = uploaded(&store, bob, 60).await;
    let new = taking(&second, bob, "s2");
    assert_eq!(attachments.take(&new, 60).await.unwrap(), TakenOver::NoRoom);
    attachments.remove(&[&id]).await.unwrap();
    attachments.remove(&[&id]).await.unwrap();
    assert_eq!(attachments.take(&new, 60).await.unwrap(), TakenOver::Done);
}

async fn what_was_taken_over_counts_as_uploaded_that_day(place: Place) {
    let store = place.open().await;
    let alice = "alice@b.c";
    account(&store, alice).await;
    let id = uploaded(&store, alice, 60).await;
    let new = taking(&id, alice, "s1");
    let taken = store.attachments().take(&new, 100).await.unwrap();
    assert_eq!(taken, TakenOver::Done);
    let again = Some(NOW.plus_seconds(86_400));
    let refused = store.uploads().reserve(&slot(alice, 41), &LIMITS).await;
    assert_eq!(refused.unwrap(), Reserved::Full(again));
    let granted = store.uploads().reserve(&slot(alice, 40), &LIMITS).await;
    assert_eq!(granted.unwrap(), Reserved::Granted);
}

/// Whenever the server dies, no name of the file is lost before there is another.
#[tokio::test]
async fn a_file_has_two_names_before_it_loses_one() {
    let folder = tempfile::tempdir().unwrap();
    let uploads = UploadFiles::new(folder.path());
    let files = UploadFiles::of_attachments(folder.path());
    let id = UploadId::random();
    let missing = files.link_from(&uploads, &id).await.unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    let mut partial = uploads.begin(&id).await.unwrap();
    partial.write(b"hello").await.unwrap();
    partial.keep().await.unwrap();
    for _ in 0..2 {
        files.link_from(&uploads, &id).await.unwrap();
        let folder = files.place(&id);
        let folder = folder.parent().unwrap().read_dir().unwrap();
        assert_eq!(folder.count(), 1, "nothing beside it");
    }
    uploads.remove(&id).await.unwrap();
    files.link_from(&uploads, &id).await.unwrap_err();
    assert_eq!(std::fs::read(files.place(&id)).unwrap(), b"hello");
}
