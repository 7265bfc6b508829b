//! What the connector has refused is nothing that the customer has.

use super::*;

/// The version behind an answer.
fn version(answer: &str) -> String {
    attribute(answer, "stream", "version")
}

/// The connector gets what says that, and refuses it.
async fn refuses(floor: &Floor, romeo: &mut Client, text: &str) {
    let sent = hears(floor, &format!("<text>{text}</text>")).await;
    let id = attribute(sent.last().unwrap(), "message", "id");
    let refused = error(MAILER, &id, "item-not-found", "The mailbox is full.");
    floor.house.component_sends(&refused).await;
    until(romeo, "<not-delivered ").await;
}

/// S4-17: what was refused goes whole when delivery is switched on anew, and nothing else again; an edit of it corrects nothing.
#[tokio::test]
async fn what_the_connector_has_refused_goes_whole_the_next_time() {
    let floor = Box::pin(floor(config(vec![]))).await;
    floor.house.component_comes(MAILER).await;
    let mut romeo = floor.online("romeo/desk").await;
    let (id, made) = begun(&mut romeo).await;
    let message = attribute(&made, "message", "id");
    refuses(&floor, &mut romeo, "one").await;
    // Nothing comes of it by itself.
    let replied = reply(&mut romeo, &id, "two").await;
    assert_eq!(texts(&floor, "two").await, ["two"]);
    let off = switch(&mut romeo, &id, &version(&replied), "").await;
    let on = switch(&mut romeo, &id, &version(&off), "deliver='true'").await;
    assert_eq!(texts(&floor, "one").await, ["one"]);
    let edit = |version: &str, text: &str| {
        format!(
            "<edit xmlns='NS' id='{id}' message='{message}' version='{version}'><text>{text}</text></edit>"
        )
    };
    let edited = set(&mut romeo, &edit(&version(&on), "uno")).await;
    // The customer has the message, and not the correction.
    refuses(&floor, &mut romeo, "uno").await;
    let off = switch(&mut romeo, &id, &version(&edited), "").await;
    let on = switch(&mut romeo, &id, &version(&off), "deliver='true'").await;
    assert_eq!(texts(&floor, "uno").await, ["uno!"]);
    reply(&mut romeo, &id, "three").await;
    assert_eq!(texts(&floor, "three").await, ["three"]);
    assert!(on.contains("type='result'"), "{on}");
}

#[tokio::test]
async fn an_edit_of_what_was_refused_is_no_correction() {
    let floor = Box::pin(floor(config(vec![]))).await;
    floor.house.component_comes(MAILER).await;
    let mut romeo = floor.online("romeo/desk").await;
    let (id, made) = begun(&mut romeo).await;
    let message = attribute(&made, "message", "id");
    refuses(&floor, &mut romeo, "one").await;
    for (at, (text, heard)) in [("uno", "uno"), ("ein", "ein!")].into_iter().enumerate() {
        let version = at + 1;
        let edit = format!(
            "<edit xmlns='NS' id='{id}' message='{message}' version='{version}'><text>{text}</text></edit>"
        );
        set(&mut romeo, &edit).await;
        assert_eq!(texts(&floor, text).await, [heard]);
    }
}
