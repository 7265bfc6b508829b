//! A stream from its beginning to its end, and what the forms of plain clients do with it.

use super::*;

/// S4-2, S4-10, S4-12, S4-19, S4-22, S4-26, S4-28, S4-30 to S4-33, S4-36, S4-38.
#[tokio::test]
async fn a_stream_is_made_read_replied_to_edited_tagged_completed_and_reopened() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let answer = create(
        &mut romeo,
        " minutes='5' billable='true'",
        " Call back ",
        "<text>She &amp; he called.</text><tag>paid</tag>",
    )
    .await;
    let id = attribute(&answer, "stream", "id");
    let message = attribute(&answer, "message", "id");
    let expected = format!(
        "<stream xmlns='{NS}' id='{id}' version='1' customer='ann' author='romeo@localhost' \
         created='2026-09-21T14:13:20Z' replies='0' recipients='all' minutes='5' billable='true'>\
         <title>Call back</title><tag>paid</tag><message id='{message}' author='romeo@localhost' \
         at='2026-09-21T14:13:20Z'><text>She &amp; he called.</text></message>"
    );
    assert!(answer.contains(&expected), "{answer}");
    let shown = stream(&mut juliet, &id).await;
    assert!(shown.contains(&expected), "{shown}");
    assert!(shown.contains("<count>1</count>"), "{shown}");

    let answer = reply(&mut juliet, &id, "I will.").await;
    assert!(answer.contains("version='2'"), "{answer}");
    assert!(answer.contains("<text>I will.</text>"), "{answer}");
    floor.house.clock.advance_seconds(10);
    let edit = format!(
        "<edit xmlns='NS' id='{id}' message='{message}' version='2'><text>She called.</text></edit>"
    );
    let answer = set(&mut romeo, &edit).await;
    assert!(
        answer.contains("edited='2026-09-21T14:13:30Z' versions='1'><text>She called.</text>"),
        "{answer}"
    );
    let request = format!("<versions xmlns='NS' id='{id}' message='{message}'/>");
    let versions = get(&mut juliet, &request).await;
    assert!(
        versions
            .contains("<version n='1' until='2026-09-21T14:13:30Z'><title>Call back</title><text>She &amp; he called.</text></version>"),
        "{versions}"
    );

    let tags =
        format!("<tags xmlns='NS' id='{id}' version='3'><tag>paid</tag><tag>urgent</tag></tags>");
    let answer = set(&mut juliet, &tags).await;
    assert!(
        answer.contains("<tag>paid</tag><tag>urgent</tag>"),
        "{answer}"
    );
    let complete = format!("<complete xmlns='NS' id='{id}'/>");
    let answer = set(&mut juliet, &complete).await;
    assert!(
        answer.contains("completed='2026-09-21T14:13:30Z'"),
        "{answer}"
    );
    let again = set(&mut romeo, &complete).await;
    assert!(again.contains("version='5'"), "{again}");
    assert_eq!(
        code(&reply(&mut romeo, &id, "Late.").await),
        "stream-completed"
    );
    let answer = set(&mut romeo, &complete.replace("complete", "reopen")).await;
    assert!(!answer.contains("completed="), "{answer}");
    assert!(
        reply(&mut romeo, &id, "Thanks.")
            .await
            .contains("replies='2'")
    );
}

/// S4-2, S4-11, S4-16, S4-39: everything by forms alone. The tags are offered, and a deletion asks to be confirmed.
#[tokio::test]
async fn plain_clients_write_read_and_delete_by_forms() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let node = |name: &str| format!("{NS}#{name}");
    let begin = format!(
        "<command xmlns='http://jabber.org/protocol/commands' node='{}' action='execute'/>",
        node("create")
    );
    let form = ask(&mut romeo, "set", &begin).await;
    assert!(form.contains("label='paid (billable)'"), "{form}");
    assert!(!form.contains("orders"), "{form}");
    let filled = [
        ("customer", "ann"),
        ("title", "Call back"),
        ("text", "She called.\nTwice."),
        ("recipient", "juliet"),
        ("tag", "very urgent"),
    ];
    let answer = command(&mut romeo, &node("create"), &filled).await;
    let id = answer.split("Its id is ").nth(1).unwrap();
    let id = id.split('.').next().unwrap().to_owned();
    let mut juliet = floor.online("juliet/desk").await;
    let shown = stream(&mut juliet, &id).await;
    assert!(
        shown.contains("recipients='1'")
            && shown.contains("<tag>very urgent</tag>")
            && shown.contains("<text>She called.\nTwice.</text>"),
        "{shown}"
    );
    let answer = command(
        &mut juliet,
        &node("reply"),
        &[("id", &id), ("text", "I will.")],
    )
    .await;
    assert!(answer.contains("Your reply is sent."), "{answer}");
    let listed = command(&mut romeo, &node("streams"), &[("customer", "ann")]).await;
    assert!(
        listed.contains("<value>Call back</value>") && listed.contains(&id),
        "{listed}"
    );
    let read = command(&mut romeo, &node("stream"), &[("id", &id)]).await;
    assert!(read.contains("I will."), "{read}");
    let found = command(&mut romeo, &node("suggest"), &[("text", "jul")]).await;
    assert!(found.contains("juliet@localhost"), "{found}");
    let found = command(&mut romeo, &node("suggest"), &[("text", "urg")]).await;
    assert!(found.contains("<value>urgent</value>"), "{found}");
    let delete = node("delete");
    let answer = command(&mut romeo, &delete, &[("id", &id), ("confirm", "false")]).await;
    assert!(answer.contains("Confirm that"), "{answer}");
    assert!(stream(&mut romeo, &id).await.contains("She called."));
    let answer = command(&mut romeo, &delete, &[("id", &id), ("confirm", "true")]).await;
    assert!(answer.contains("deleted"), "{answer}");
    assert_eq!(code(&stream(&mut romeo, &id).await), "stream-unknown");
}

/// S4-13, S4-14, S4-22: it runs on the server, fills the minutes, and is put away with the draft.
#[tokio::test]
async fn the_stop_watch_of_a_draft_fills_the_minutes() {
    let floor = floor(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let clock = &floor.house.clock;
    let watch = async |romeo: &mut Client, action: &str| {
        let request = format!("<stop-watch xmlns='NS' draft='d1' action='{action}'/>");
        attribute(&set(romeo, &request).await, "stop-watch", "seconds")
    };
    assert_eq!(watch(&mut romeo, "start").await, "0");
    clock.advance_seconds(50);
    assert_eq!(watch(&mut romeo, "start").await, "50");
    assert_eq!(watch(&mut romeo, "stop").await, "50");
    clock.advance_seconds(500);
    assert_eq!(watch(&mut romeo, "show").await, "50");
    watch(&mut romeo, "start").await;
    clock.advance_seconds(20);
    // On another device of the agent it is the same.
    let mut phone = floor.online("romeo/phone").await;
    assert_eq!(watch(&mut phone, "show").await, "70");
    let answer = create(&mut romeo, " draft='d1'", "Call", "<text>x</text>").await;
    assert!(answer.contains("minutes='2'"), "{answer}");
    assert_eq!(watch(&mut romeo, "show").await, "0");
    let answer = create(&mut romeo, " draft='d1'", "Call", "<text>x</text>").await;
    assert_eq!(code(&answer), "draft-unknown");
    // One that shows nothing is one nevertheless.
    watch(&mut romeo, "start").await;
    watch(&mut romeo, "stop").await;
    let answer = create(&mut romeo, " draft='d1'", "Call", "<text>x</text>").await;
    assert!(answer.contains("minutes='0'"), "{answer}");
    watch(&mut romeo, "start").await;
    clock.advance_seconds(20);
    watch(&mut romeo, "stop").await;
    assert_eq!(watch(&mut romeo, "reset").await, "0");
    // But others have room in its place.
    for n in 2..=20 {
        let request = format!("<stop-watch xmlns='NS' draft='d{n}' action='start'/>");
        set(&mut romeo, &request).await;
    }
    let one_more = "<stop-watch xmlns='NS' draft='d21' action='start'/>";
    let answer = set(&mut romeo, one_more).await;
    assert!(answer.contains("since="), "{answer}");
    let one_more = "<stop-watch xmlns='NS' draft='more' action='start'/>";
    assert_eq!(code(&set(&mut romeo, one_more).await), "drafts-full");
}

/// S4-34, S4-35: whoever is taken off a stream loses all of it, on every device at once; whoever is added sees all.
#[tokio::test]
async fn visibility_is_that_of_the_whole_stream() {
    let floor = floor(&["romeo", "juliet", "nurse"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let mut nurse = floor.online("nurse/desk").await;
    let id = made(
        &floor,
        &mut romeo,
        "Secret",
        "<recipient>juliet</recipient>",
    )
    .await;
    reply(&mut romeo, &id, "More of it.").await;
    assert!(stream(&mut juliet, &id).await.contains("More of it."));
    assert_eq!(code(&stream(&mut nurse, &id).await), "stream-unknown");
    assert_eq!(code(&reply(&mut nurse, &id, "x").await), "stream-unknown");
    let set_for = format!(
        "<properties xmlns='NS' id='{id}' version='2'><recipient>nurse@localhost</recipient></properties>"
    );
    let answer = set(&mut romeo, &set_for).await;
    assert!(
        answer.contains("<recipient>nurse@localhost</recipient>"),
        "{answer}"
    );
    assert_eq!(code(&stream(&mut juliet, &id).await), "stream-unknown");
    assert!(titles(&streams(&mut juliet, "", "").await).is_empty());
    assert_eq!(titles(&streams(&mut nurse, "", "").await), ["Secret"]);
    assert!(stream(&mut nurse, &id).await.contains("More of it."));
    // Its author sees it, named or not.
    assert_eq!(titles(&streams(&mut romeo, "", "").await), ["Secret"]);
}

/// S2-13: when two customers turn out to be one, its list has the streams of both.
#[tokio::test]
async fn streams_follow_customers_that_are_merged() {
    let floor = floor(&["romeo", "lady:supervisor"]).await;
    floor
        .customer("smith", "A. Smith", "smith@example.org")
        .await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut lady = floor.online("lady/desk").await;
    made(&floor, &mut romeo, "For all", "").await;
    made(
        &floor,
        &mut romeo,
        "For one",
        "<recipient>romeo</recipient>",
    )
    .await;
    let merge = "<merge xmlns='urn:parlour:customer:0' id='smith' version='1' other='ann' other-version='1'/>";
    assert!(ask(&mut lady, "set", merge).await.contains("type='result'"));
    for customer in ["smith", "ann"] {
        let request = format!("<streams xmlns='NS' customer='{customer}'/>");
        let listed = get(&mut romeo, &request).await;
        assert_eq!(titles(&listed), ["For one", "For all"], "{listed}");
    }
}

/// Who writes in a stream waits until the one before has settled what belongs to it; others are read meanwhile.
#[tokio::test]
async fn a_stream_is_written_by_one_at_a_time() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let id = made(&floor, &mut romeo, "Call", "").await;
    let (center, _) = floor.inside();
    let turn = center.turns.take(id.to_string()).await;
    let writing = reply(&mut romeo, &id, "Zanzibar");
    let reading = async {
        for _ in 0..10 {
            let seen = stream(&mut juliet, &id).await;
            assert!(!seen.contains("Zanzibar"), "{seen}");
        }
        drop(turn);
    };
    let (answer, ()) = tokio::join!(writing, reading);
    assert!(answer.contains("Zanzibar"), "{answer}");
}
