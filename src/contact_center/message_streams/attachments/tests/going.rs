//! How files go: with their streams, with their customers, and when nobody names them.

use super::*;
use crate::contact_center::testing::ask;

/// S4-37: with the stream its files go; with an edit those that it names no more.
#[tokio::test]
async fn what_is_named_no_more_is_deleted() {
    let house = Box::pin(House::new(None)).await;
    let (one, two) = (
        Box::pin(house.png("romeo")).await,
        Box::pin(house.png("romeo")).await,
    );
    let (id, romeo) = (stream("s1"), house.caller("romeo").await);
    let mut taken = take(&romeo, &id, &[&one, &two]).await.unwrap();
    let known = Box::pin(house.stream(&id, Recipients::All, taken.clone())).await;
    forget(house.services(), &known.id).await.unwrap();
    assert_eq!(house.files().len(), 2);
    // For a message that is being written.
    let waiting = Box::pin(house.png("romeo")).await;
    take(&romeo, &id, &[&waiting]).await.unwrap();
    let gone = taken.pop().unwrap();
    let edit = Command::Edit {
        by: agent("romeo"),
        read: known.version,
        title: None,
        message: written("m1", taken),
    };
    let url = link(&romeo, &known, &gone).unwrap();
    let known = Box::pin(house.change(&id, "romeo", edit)).await;
    assert!(house.shown(&url).await.is_none());
    // The history tells what it was, and does not lead to it.
    let [version] = &known.messages[0].earlier[..] else {
        panic!("{known:?}");
    };
    assert_eq!(version.taken, [gone]);
    forget(house.services(), &known.id).await.unwrap();
    assert_eq!(house.files().len(), 2);
    let delete = Command::Delete {
        by: agent("romeo"),
        read: None,
        confirmed: true,
    };
    let known = Box::pin(house.change(&id, "romeo", delete)).await;
    forget(house.services(), &known.id).await.unwrap();
    assert_eq!(house.files(), Vec::<PathBuf>::new());
    let attachments = house.services().store.attachments();
    assert_eq!(attachments.of_stream("s1").await.unwrap(), []);
}

/// What no stream names in the end is swept, and what a crash has left beside it; what is being written stays.
#[tokio::test]
async fn what_nobody_names_is_swept() {
    let house = Box::pin(House::new(None)).await;
    let services = Arc::clone(house.services());
    let romeo = house.caller("romeo").await;
    let (named, unnamed) = (
        Box::pin(house.png("romeo")).await,
        Box::pin(house.png("romeo")).await,
    );
    let taken = take(&romeo, &stream("s1"), &[&named]).await.unwrap();
    Box::pin(house.stream(&stream("s1"), Recipients::All, taken)).await;
    take(&romeo, &stream("s2"), &[&unnamed]).await.unwrap();
    sweep(Arc::clone(&services)).await;
    assert_eq!(house.files().len(), 2);
    house.floor.house.clock.advance_seconds(3_601);
    sweep(Arc::clone(&services)).await;
    assert_eq!(house.files().len(), 1);
    // The server died after a stream was deleted and before its files were.
    assert!(services.store.records().remove(KIND, "s1").await.unwrap());
    sweep(Arc::clone(&services)).await;
    assert_eq!(house.files(), Vec::<PathBuf>::new());
    // It died before the row changed hands: the file has no row, and is as young as it is.
    let files = UploadFiles::of_attachments(house.folder.path());
    let mut partial = files.begin(&UploadId::random()).await.unwrap();
    partial.write(PNG).await.unwrap();
    partial.keep().await.unwrap();
    sweep(Arc::clone(&services)).await;
    assert_eq!(house.files().len(), 1);
    let years = 100 * 365 * 86_400;
    house.floor.house.clock.advance_seconds(years);
    sweep(services).await;
    assert_eq!(house.files(), Vec::<PathBuf>::new());
}

/// Retention: what nobody has written in for long goes with its files, what somebody has stays whole.
#[tokio::test]
async fn old_streams_go_with_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config {
        data_dir: folder.path().to_owned(),
        ..Config::default()
    };
    config.contact_center.message_stream_days = 1;
    let house = House {
        floor: Box::pin(Floor::configured(PEOPLE, config)).await,
        folder,
    };
    let services = Arc::clone(house.services());
    let (center, _) = house.floor.inside();
    let romeo = house.caller("romeo").await;
    for id in ["s1", "s2", "s3"] {
        let url = Box::pin(house.png("romeo")).await;
        let taken = take(&romeo, &stream(id), &[&url]).await.unwrap();
        Box::pin(house.stream(&stream(id), Recipients::All, taken)).await;
    }
    house.floor.house.clock.advance_seconds(86_400);
    let reply = Command::Reply {
        by: agent("romeo"),
        message: written("m2", vec![]),
    };
    Box::pin(house.change(&stream("s2"), "romeo", reply)).await;
    let delete = Command::Delete {
        by: agent("romeo"),
        read: None,
        confirmed: true,
    };
    Box::pin(house.change(&stream("s3"), "romeo", delete)).await;
    let left = async || {
        let done = retention::forget(Arc::clone(&center), Arc::clone(&services));
        Box::pin(done).await;
        let left = services.store.records().all(KIND, "", 10).await.unwrap();
        left.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(left().await.len(), 3);
    house.floor.house.clock.advance_seconds(1);
    assert_eq!(left().await, ["s2", "s3"]);
    assert_eq!(house.files().len(), 2);
    house.floor.house.clock.advance_seconds(86_400);
    assert_eq!(left().await, Vec::<String>::new());
    assert_eq!(house.files().len(), 0);
}

#[tokio::test]
async fn a_host_has_no_more_than_its_room() {
    let house = Box::pin(House::new(Some(30))).await;
    let romeo = house.caller("romeo").await;
    let (one, two) = (
        Box::pin(house.png("romeo")).await,
        Box::pin(house.png("romeo")).await,
    );
    let taken = take(&romeo, &stream("s1"), &[&one]).await.unwrap();
    let known = Box::pin(house.stream(&stream("s1"), Recipients::All, taken)).await;
    forget(house.services(), &known.id).await.unwrap();
    let refused = take(&romeo, &stream("s2"), &[&two]).await;
    assert_eq!(code(refused), "attachments-no-room");
    // It is still an upload, and fits when there is room.
    let delete = Command::Delete {
        by: agent("romeo"),
        read: None,
        confirmed: true,
    };
    let known = Box::pin(house.change(&stream("s1"), "romeo", delete)).await;
    forget(house.services(), &known.id).await.unwrap();
    take(&romeo, &stream("s2"), &[&two]).await.unwrap();
}

/// The files of a stream are bounded together. What does not fit is refused before it is taken: its author can send the write again.
#[tokio::test]
async fn a_stream_has_no_more_than_its_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config {
        data_dir: folder.path().to_owned(),
        ..Config::default()
    };
    config.contact_center.stream_attachments_bytes_max = Bytes::new(30);
    let house = House {
        floor: Box::pin(Floor::configured(PEOPLE, config)).await,
        folder,
    };
    house.floor.customer("c1", "Ann Smith", "+49301").await;
    let (one, two) = (
        Box::pin(house.png("romeo")).await,
        Box::pin(house.png("romeo")).await,
    );
    let mut client = house.floor.online("romeo/desk").await;
    let ns = "urn:parlour:message-stream:0";
    let create = format!(
        "<create xmlns='{ns}' customer='c1'><title>T</title><text>x</text><attachment>{one}</attachment></create>"
    );
    let made = ask(&mut client, "set", &create).await;
    assert!(made.contains("<attachment "), "{made}");
    let id = made.split("<stream ").nth(1).unwrap();
    let id = id.split(" id='").nth(1).unwrap();
    let id = id.split('\'').next().unwrap();
    let reply = format!(
        "<reply xmlns='{ns}' id='{id}'><text>x</text><attachment>{two}</attachment></reply>"
    );
    let refused = ask(&mut client, "set", &reply).await;
    assert!(refused.contains("<resource-constraint "), "{refused}");
    assert!(refused.contains("<stream-attachments-full "), "{refused}");
    let romeo = house.caller("romeo").await;
    let uploads = house.services().store.uploads();
    let (slot, _) = two.rsplit_once('/').unwrap();
    let slot = UploadId::parse(slot.rsplit_once('/').unwrap().1).unwrap();
    assert!(uploads.find(&slot).await.unwrap().is_some());
    take(&romeo, &stream("s2"), &[&two]).await.unwrap();
}

/// A running server gives nothing of a customer who is erased, by a link that was good a moment ago neither.
#[tokio::test]
async fn nothing_is_given_of_a_customer_who_is_erased() {
    let house = Box::pin(House::new(None)).await;
    house.floor.customer("c1", "Ann Smith", "+49301").await;
    let (url, id) = (Box::pin(house.png("romeo")).await, stream("s1"));
    let romeo = house.caller("romeo").await;
    let taken = take(&romeo, &id, &[&url]).await.unwrap();
    let known = Box::pin(house.stream(&id, Recipients::All, taken.clone())).await;
    let url = link(&romeo, &known, &taken[0]).unwrap();
    assert!(house.shown(&url).await.is_some());
    let sure = [("id", "c1"), ("confirm", "true")];
    house.floor.operate("customer erase", &sure).await;
    assert!(house.shown(&url).await.is_none());
    assert_eq!(house.files(), Vec::<PathBuf>::new());
    let services = house.services();
    let (_, place) = house.floor.inside();
    assert_eq!(find(services, &place, &id).await.unwrap(), None);
    let customers = services.store.customers();
    assert!(customers.find("localhost", "c1").await.unwrap().is_none());
}

/// What one writer names no more, and another named again before that was settled, stays.
#[tokio::test]
async fn what_a_second_writer_names_again_is_not_deleted() {
    let house = Box::pin(House::new(None)).await;
    let (url, id) = (Box::pin(house.png("romeo")).await, stream("s1"));
    let romeo = house.caller("romeo").await;
    let taken = take(&romeo, &id, &[&url]).await.unwrap();
    let known = Box::pin(house.stream(&id, Recipients::All, taken.clone())).await;
    forget(house.services(), &id).await.unwrap();
    let edit = |read, files| Command::Edit {
        by: agent("romeo"),
        read,
        title: None,
        message: written("m1", files),
    };
    let first = Box::pin(house.change(&id, "romeo", edit(known.version, vec![]))).await;
    let again = take(&romeo, &id, &[&url]).await.unwrap();
    let second = edit(first.version, again.clone());
    let known = Box::pin(house.change(&id, "romeo", second)).await;
    // The first writer comes to its end only now.
    forget(house.services(), &id).await.unwrap();
    let url = link(&romeo, &known, &again[0]).unwrap();
    assert!(house.shown(&url).await.is_some());
    assert_eq!(house.files().len(), 1);
}

/// What was taken once more since the sweep has read it is not swept; what is as it was read is.
#[tokio::test]
async fn what_is_taken_while_the_sweep_goes_on_stays() {
    let house = Box::pin(House::new(None)).await;
    let (url, id) = (Box::pin(house.png("romeo")).await, stream("s1"));
    let romeo = house.caller("romeo").await;
    take(&romeo, &id, &[&url]).await.unwrap();
    let attachments = house.services().store.attachments();
    let read = attachments.of_stream("s1").await.unwrap().remove(0);
    house.floor.house.clock.advance_seconds(3_601);
    take(&romeo, &id, &[&url]).await.unwrap();
    assert!(!Box::pin(attachments.remove_as_read(&read)).await.unwrap());
    sweep(Arc::clone(house.services())).await;
    assert_eq!(house.files().len(), 1);
    let read = attachments.of_stream("s1").await.unwrap().remove(0);
    Box::pin(attachments.name(&[&read.id])).await.unwrap();
    assert!(!Box::pin(attachments.remove_as_read(&read)).await.unwrap());
    let read = attachments.of_stream("s1").await.unwrap().remove(0);
    assert!(Box::pin(attachments.remove_as_read(&read)).await.unwrap());
    assert!(!attachments.renew(&read, romeo.now()).await.unwrap());
}

/// S4-37: the names of the files are gone from the database, too, and from its log.
#[tokio::test]
async fn no_name_of_a_file_is_left_of_a_deleted_stream() {
    let house = Box::pin(House::new(None)).await;
    let given = Some(PNG);
    let url = house.slot("romeo", "zanzibar.png", "image/png", given);
    let (url, id) = (Box::pin(url).await, stream("s1"));
    let romeo = house.caller("romeo").await;
    let taken = take(&romeo, &id, &[&url]).await.unwrap();
    Box::pin(house.stream(&id, Recipients::All, taken)).await;
    let is_kept = || {
        let mut files = std::fs::read_dir(house.floor.house.folder()).unwrap();
        files.any(|it| {
            let bytes = std::fs::read(it.unwrap().path()).unwrap_or_default();
            memchr::memmem::find(&bytes, b"zanzibar").is_some()
        })
    };
    assert!(is_kept());
    let mut client = house.floor.online("romeo/desk").await;
    let delete = "<delete xmlns='urn:parlour:message-stream:0' id='s1' confirm='true'/>";
    let answer = ask(&mut client, "set", delete).await;
    assert!(answer.contains("type='result'"), "{answer}");
    assert_eq!(house.files(), Vec::<PathBuf>::new());
    assert!(!is_kept());
}
