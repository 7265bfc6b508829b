//! S4-3 to S4-5: what each of the eight rights shows, and that nothing of the rest shows through.

use super::*;
use crate::store::AuditFilter;

async fn take(floor: &Floor, account: &str, rights: &[&str]) {
    for right in rights {
        let taken = [("jid", account), ("right", right)];
        floor.operate("right take", &taken).await;
    }
}

/// What is set, tagged and replied shows nowhere to whoever lacks the right: not by counts, not by versions, not in lists, not
/// in a search, and not in what is unread.
#[tokio::test]
async fn parts_without_a_right_do_not_show_through() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    take(
        &floor,
        "juliet@localhost",
        &["comment-show", "property-show", "tag-show"],
    )
    .await;
    let id = made(&floor, &mut romeo, "Call", "<recipient>juliet</recipient>").await;
    let bare = stream(&mut juliet, &id).await;
    let one = set(&mut juliet, &format!("<mark-read xmlns='NS' id='{id}'/>")).await;
    assert!(one.contains("type='result'"), "{one}");
    reply(&mut romeo, &id, "Zanzibar").await;
    let tags = format!("<tags xmlns='NS' id='{id}' version='2'><tag>paid</tag></tags>");
    set(&mut romeo, &tags).await;
    let properties = format!(
        "<properties xmlns='NS' id='{id}' version='3' minutes='5' billable='true'>\
         <recipient>juliet</recipient></properties>"
    );
    let answer = set(&mut romeo, &properties).await;
    assert!(answer.contains("version='4'"), "{answer}");
    let after = stream(&mut juliet, &id).await;
    assert_eq!(bare, after);
    for part in [
        "replies=",
        "minutes=",
        "recipients=",
        "<tag>",
        "<recipient>",
    ] {
        assert!(!after.contains(part), "{part}: {after}");
    }
    let listed = streams(&mut juliet, "", "").await;
    assert!(
        listed.contains("version='1'") && !listed.contains("replies="),
        "{listed}"
    );
    let found = streams(&mut juliet, "", "<text>zanzi</text>").await;
    assert!(titles(&found).is_empty(), "{found}");
    assert_eq!(
        titles(&streams(&mut romeo, "", "<text>zanzi</text>").await),
        ["Call"]
    );
    let by_tag = streams(&mut juliet, " tag='paid'", "").await;
    assert_eq!(code(&by_tag), "right-missing");
    let unread = get(&mut juliet, "<unread xmlns='NS'/>").await;
    assert!(unread.contains("messages='0'"), "{unread}");
    // The main message can be written by the version that its author sees.
    let mine = made(&floor, &mut juliet, "Mine", "").await;
    let message = attribute(&stream(&mut juliet, &mine).await, "message", "id");
    reply(&mut romeo, &mine, "x").await;
    let edit = |version: u8| {
        format!(
            "<edit xmlns='NS' id='{mine}' message='{message}' version='{version}'><text>y</text></edit>"
        )
    };
    assert_eq!(code(&set(&mut juliet, &edit(2)).await), "stream-changed");
    let answer = set(&mut juliet, &edit(1)).await;
    assert!(answer.contains("version='2'"), "{answer}");
    // Of a reply it does not see it learns nothing by its id either.
    let theirs = reply(&mut romeo, &mine, "z").await;
    let theirs = theirs.rsplit("<message id='").next().unwrap();
    let theirs = theirs.split('\'').next().unwrap();
    let edit = format!(
        "<edit xmlns='NS' id='{mine}' message='{theirs}' version='2'><text>y</text></edit>"
    );
    assert_eq!(code(&set(&mut juliet, &edit).await), "message-unknown");
}

/// A right that is taken away holds for sessions that are there, in both doors.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn each_right_is_asked_for_at_once_and_without_a_hint() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let id = made(&floor, &mut romeo, "Call", "").await;
    let requests = [
        (
            "message-show",
            "get",
            format!("<stream xmlns='NS' id='{id}'/>"),
        ),
        (
            "message-show",
            "get",
            "<streams xmlns='NS' customer='ann'/>".to_owned(),
        ),
        ("message-show", "get", "<unread xmlns='NS'/>".to_owned()),
        (
            "message-show",
            "set",
            "<watch xmlns='NS' on='true'/>".to_owned(),
        ),
        (
            "message-create",
            "set",
            format!("<complete xmlns='NS' id='{id}'/>"),
        ),
        (
            "message-create",
            "set",
            format!("<delete xmlns='NS' id='{id}' confirm='true'/>"),
        ),
        (
            "message-create",
            "set",
            "<create xmlns='NS' customer='ann'><title>a</title><text>b</text></create>".to_owned(),
        ),
        (
            "comment-create",
            "set",
            format!("<reply xmlns='NS' id='{id}'><text>x</text></reply>"),
        ),
        (
            "property-create",
            "set",
            format!("<properties xmlns='NS' id='{id}' version='1'/>"),
        ),
        (
            "tag-create",
            "set",
            format!("<tags xmlns='NS' id='{id}' version='1'/>"),
        ),
    ];
    for (right, kind, request) in &requests {
        take(&floor, "juliet@localhost", &[right]).await;
        for other in [id.as_str(), "0199f6d4-0000-7000-8000-000000000001"] {
            let request = request.replace("NS", NS).replace(&id, other);
            let answer = ask(&mut juliet, kind, &request).await;
            assert_eq!(code(&answer), "right-missing", "{right} {answer}");
        }
        let name = request.trim_start_matches('<').split(' ').next().unwrap();
        let node = format!("{NS}#{name}");
        let answer = command(&mut juliet, &node, &[]).await;
        assert_eq!(code(&answer), "right-missing", "{right} {answer}");
        let reset = [("jid", "juliet@localhost"), ("right", *right)];
        floor.operate("right reset", &reset).await;
    }
    assert!(stream(&mut juliet, &id).await.contains("About Call."));
    // Without the right to see a write says only that there is nothing.
    take(&floor, "juliet@localhost", &["message-show"]).await;
    assert_eq!(code(&reply(&mut juliet, &id, "x").await), "stream-unknown");
    take(
        &floor,
        "juliet@localhost",
        &["property-create", "tag-create"],
    )
    .await;
    for (attributes, children) in [
        (" minutes='5'", ""),
        (" whisper='true'", ""),
        ("", "<tag>urgent</tag>"),
    ] {
        let text = format!("<text>x</text>{children}");
        let answer = create(&mut juliet, attributes, "Call", &text).await;
        assert_eq!(code(&answer), "right-missing", "{answer}");
    }
}

/// Section J: who has written what, and what supervisors and administrators have read. Never a text.
#[tokio::test]
async fn the_audit_trail_has_what_is_written_and_read() {
    let floor = floor(&["romeo", "boss:administrator"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut boss = floor.online("boss/desk").await;
    let id = made(&floor, &mut romeo, "Zanzibar", "").await;
    stream(&mut romeo, &id).await;
    stream(&mut boss, &id).await;
    streams(&mut boss, "", "<text>zanzibar</text>").await;
    reply(&mut boss, &id, "Zanzibar").await;
    set(
        &mut romeo,
        &format!("<delete xmlns='NS' id='{id}' confirm='1'/>"),
    )
    .await;
    set(
        &mut romeo,
        &format!("<delete xmlns='NS' id='{id}' confirm='1'/>"),
    )
    .await;
    let services = floor.house.router.services();
    let audit = services.store.audit();
    let entries = audit.list(&AuditFilter::default(), 50).await.unwrap();
    let own: Vec<_> = entries
        .iter()
        .filter(|it| it.operation.starts_with("message-stream"))
        .collect();
    assert!(!format!("{own:?}").to_lowercase().contains("zanzibar"));
    let mut seen: Vec<_> = own
        .iter()
        .map(|it| (it.actor.as_str(), it.operation.as_str(), it.target.as_str()))
        .collect();
    seen.sort_unstable();
    let expected = [
        ("boss@localhost", "message-stream list", "ann"),
        ("boss@localhost", "message-stream reply", id.as_str()),
        ("boss@localhost", "message-stream show", id.as_str()),
        ("romeo@localhost", "message-stream create", id.as_str()),
        ("romeo@localhost", "message-stream delete", id.as_str()),
    ];
    assert_eq!(seen, expected);
}

/// S4-35: what an earlier account of the same name was named in or wrote is not its successor's, who is told nothing of it.
#[tokio::test]
async fn an_account_made_anew_sees_nothing_of_its_predecessor() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let private = made(
        &floor,
        &mut romeo,
        "Secret",
        "<recipient>juliet</recipient>",
    )
    .await;
    let own = made(&floor, &mut juliet, "Own", "<recipient>romeo</recipient>").await;
    let open = made(&floor, &mut romeo, "For all", "").await;
    reply(&mut juliet, &open, "I was here.").await;
    let jid = ("jid", "juliet@localhost");
    floor.operate("account remove", &[jid]).await;
    floor.house.clock.advance_seconds(60);
    let given = [jid, ("password", "secret"), ("role", "agent")];
    floor.operate("account add", &given).await;
    let mut juliet = floor.online("juliet/desk").await;
    let answer = set(&mut juliet, "<watch xmlns='NS' on='true'/>").await;
    assert!(answer.contains("on='true'"), "{answer}");
    for id in [&private, &own] {
        reply(&mut romeo, id, "Zanzibar").await;
        assert_eq!(code(&stream(&mut juliet, id).await), "stream-unknown");
        assert_eq!(code(&reply(&mut juliet, id, "x").await), "stream-unknown");
    }
    reply(&mut romeo, &open, "Zanzibar").await;
    assert_eq!(titles(&streams(&mut juliet, "", "").await), ["For all"]);
    let unread = get(&mut juliet, "<unread xmlns='NS'/>").await;
    assert!(unread.contains("messages='0'"), "{unread}");
    // Set with the same recipients nothing is granted; taken off and named again it is the successor's.
    let to = |version: u8, name: &str| {
        format!(
            "<properties xmlns='NS' id='{private}' version='{version}' minutes='{version}'>\
             <recipient>{name}</recipient></properties>"
        )
    };
    set(&mut romeo, &to(2, "juliet")).await;
    assert_eq!(code(&stream(&mut juliet, &private).await), "stream-unknown");
    set(&mut romeo, &to(3, "romeo")).await;
    set(&mut romeo, &to(4, "juliet")).await;
    let heard = until(&mut juliet, "what='added'").await;
    let heard: Vec<_> = heard.iter().filter(|it| it.contains(NS)).collect();
    // Of the one for all, and that this one came into sight.
    assert!(heard.iter().all(|it| !it.contains(&own)), "{heard:?}");
    let of_private = heard.iter().filter(|it| it.contains(&private));
    assert_eq!(of_private.count(), 1, "{heard:?}");
    assert!(stream(&mut juliet, &private).await.contains("About Secret"));
}
