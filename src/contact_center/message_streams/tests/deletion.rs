//! S4-37, S4-39: what is deleted is nowhere any more.

use super::*;

/// Whether any file of the database has that text.
fn is_kept(floor: &Floor, text: &str) -> bool {
    let files = std::fs::read_dir(floor.house.folder()).unwrap();
    let mut found = false;
    for file in files {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        found |= memchr::memmem::find(&bytes, text.as_bytes()).is_some();
    }
    found
}

#[tokio::test]
async fn nothing_is_left_of_a_deleted_stream_in_the_database() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    // Long enough for pages of their own, which are given free as it grows and goes.
    let long = |word: &str| format!("{word} ").repeat(2_000);
    let id = made(
        &floor,
        &mut romeo,
        "Zanzibar",
        "<recipient>juliet</recipient><tag>urgent</tag>",
    )
    .await;
    let shared = made(&floor, &mut romeo, "Zanzibar again", "").await;
    for id in [&id, &shared] {
        let main = attribute(&stream(&mut romeo, id).await, "message", "id");
        reply(&mut juliet, id, &long("Mombasa")).await;
        let edit = format!(
            "<edit xmlns='NS' id='{id}' message='{main}' version='2'><text>{}</text></edit>",
            long("Nairobi")
        );
        assert!(set(&mut romeo, &edit).await.contains("Nairobi"));
    }
    for word in ["Zanzibar", "Mombasa", "Nairobi", "nairob"] {
        assert!(is_kept(&floor, word), "{word} was never written");
    }
    for id in [&id, &shared] {
        let delete = format!("<delete xmlns='NS' id='{id}' confirm='true'/>");
        assert!(set(&mut juliet, &delete).await.contains("type='result'"));
        assert_eq!(code(&set(&mut juliet, &delete).await), "stream-unknown");
        assert_eq!(code(&stream(&mut romeo, id).await), "stream-unknown");
    }
    for word in ["Zanzibar", "Mombasa", "Nairobi", "nairob", "mombas"] {
        assert!(!is_kept(&floor, word), "{word} is left");
    }
    assert!(titles(&streams(&mut romeo, "", "").await).is_empty());
    assert!(titles(&streams(&mut romeo, "", "<text>mombasa</text>").await).is_empty());
    let store = &floor.house.router.services().store;
    let left = store.records().find("message-stream", &id).await.unwrap();
    let left = left.unwrap().snapshot;
    assert!(!left.contains("romeo") && !left.contains("ann"), "{left}");
}
