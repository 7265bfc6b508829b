//! What is wrong is refused precisely, through both doors, and changes nothing.

use super::*;
use crate::contact_center::testing::CENTER;

/// S0-22, S1-4, S1-28: who can be invited, and who may; without a message nothing begins.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn invitations_that_are_refused() {
    let floor = Floor::new(&["romeo", "juliet", "nurse", "peter:member"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    ask(
        &mut juliet,
        "set",
        "<not-ready xmlns='urn:parlour:agent:0' reason='lunch'/>",
    )
    .await;
    for (request, condition, code) in [
        (
            "invite colleague='romeo' <text>hi</text>",
            "not-allowed",
            "oneself",
        ),
        (
            "invite colleague='nobody' <text>hi</text>",
            "item-not-found",
            "no-account",
        ),
        (
            "invite colleague='peter' <text>hi</text>",
            "not-allowed",
            "no-agent",
        ),
        (
            "invite colleague='juliet@elsewhere' <text>hi</text>",
            "not-allowed",
            "other-host",
        ),
        (
            "invite colleague='nurse' <text>hi</text>",
            "recipient-unavailable",
            "colleague-offline",
        ),
        (
            "invite colleague='juliet' <text>hi</text>",
            "recipient-unavailable",
            "colleague-not-ready",
        ),
        (
            "invite colleague='a b' <text>hi</text>",
            "bad-request",
            "field-malformed",
        ),
        ("invite colleague='juliet'", "bad-request", "field-missing"),
        ("invite <text>hi</text>", "bad-request", "field-missing"),
        (
            "invite colleague='juliet' <text>a</text><text>b</text>",
            "bad-request",
            "field-repeated",
        ),
        (
            "invite colleague='juliet' since='now' <text>a</text>",
            "bad-request",
            "field-unknown",
        ),
        (
            "invite colleague='juliet' <text since='now'>a</text>",
            "bad-request",
            "field-unknown",
        ),
        (
            "invite colleague='juliet' <text>a<b/></text>",
            "bad-request",
            "field-unknown",
        ),
        (
            "invite colleague='juliet' about='a b' <text>a</text>",
            "bad-request",
            "field-malformed",
        ),
        (
            "invite colleague='juliet' about='call-17' <text>a</text>",
            "item-not-found",
            "interaction-unknown",
        ),
        (
            "accept id='nothing'",
            "item-not-found",
            "im-session-unknown",
        ),
        ("accept", "bad-request", "field-missing"),
        ("leave id='nothing'", "bad-request", "operation-unknown"),
        (
            "transcript id='nothing'",
            "item-not-found",
            "im-session-unknown",
        ),
        (
            "session id='nothing'",
            "item-not-found",
            "im-session-unknown",
        ),
        (
            "say id='nothing' <text>a</text>",
            "item-not-found",
            "im-session-unknown",
        ),
    ] {
        let answer = set(&mut romeo, request).await;
        let good =
            answer.contains(&format!("<{condition} ")) && answer.contains(&format!("<{code} "));
        assert!(good, "{request}: {answer}");
    }
    ask(&mut juliet, "set", "<ready xmlns='urn:parlour:agent:0'/>").await;
    for (body, code) in [
        (" ".to_owned(), "message-empty"),
        ("x".repeat(65_537), "field-malformed"),
    ] {
        let answer = set(
            &mut romeo,
            &format!("invite colleague='juliet' <text>{body}</text>"),
        )
        .await;
        assert!(answer.contains(&format!("<{code} ")), "{answer}");
    }
    let mut peter = floor.online("peter/home").await;
    let answer = set(&mut peter, "invite colleague='juliet' <text>hi</text>").await;
    assert!(
        answer.contains("<forbidden ") && answer.contains("<right-missing "),
        "{answer}"
    );
    assert_eq!(heard(&mut juliet), Vec::<String>::new());
}

/// S0-22: who has blocked somebody is offline for it, and neither learns of the other.
#[tokio::test]
async fn between_who_has_blocked_whom_there_is_no_session() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let id = invite(&mut juliet, "romeo", "hello").await;
    chat(&mut romeo, "juliet@localhost", "yes", None).await;
    let block = "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block></iq>";
    juliet.send(block).await;
    heard(&mut romeo);
    heard(&mut juliet);
    chat(&mut romeo, "juliet@localhost", "lost", Some(&id)).await;
    assert_eq!(heard(&mut romeo), ["error service-unavailable"]);
    // By the other doors it gets no further.
    let answer = set(&mut romeo, &format!("say id='{id}' <text>lost</text>")).await;
    assert!(answer.contains("<service-unavailable "), "{answer}");
    let fields = [("id", id.as_str()), ("text", "lost")];
    let answer = command(&mut romeo, "urn:parlour:im:0#say", &fields).await;
    assert!(answer.contains("<service-unavailable "), "{answer}");
    assert_eq!(heard(&mut juliet), Vec::<String>::new());
    let answer = set(&mut juliet, &format!("say id='{id}' <text>lost</text>")).await;
    assert!(answer.contains("<blocked-by-you "), "{answer}");
    assert_eq!(heard(&mut romeo), Vec::<String>::new());
    let invitation = "<text>hi</text>";
    let answer = set(
        &mut romeo,
        &format!("invite colleague='juliet' {invitation}"),
    )
    .await;
    assert!(answer.contains("<colleague-offline "), "{answer}");
    let answer = set(
        &mut juliet,
        &format!("invite colleague='romeo' {invitation}"),
    )
    .await;
    assert!(answer.contains("<blocked-by-you "), "{answer}");
    let transcript = set(&mut juliet, &format!("transcript id='{id}'")).await;
    assert!(!transcript.contains("lost"), "{transcript}");
}

/// S0-10, S1-4: both need the right to instant messages, whoever of them asks.
#[tokio::test]
async fn who_has_no_right_to_instant_messages_is_not_invited() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let waiting = invite(&mut juliet, "romeo", "hello").await;
    let taken = [("jid", "juliet@localhost"), ("right", "instant-message")];
    floor.operate("right take", &taken).await;
    heard(&mut romeo);
    heard(&mut juliet);
    for request in [
        "invite colleague='juliet' <text>hi</text>".to_owned(),
        format!("accept id='{waiting}'"),
    ] {
        let answer = set(&mut romeo, &request).await;
        let named = answer.contains("<not-allowed ") && answer.contains("<im-not-theirs ");
        assert!(named, "{request}: {answer}");
    }
    chat(&mut romeo, CENTER, "juliet: hi", None).await;
    assert_eq!(heard(&mut romeo), ["error im-not-theirs"]);
    assert_eq!(heard(&mut juliet), Vec::<String>::new());
    floor.operate("right reset", &taken).await;
    invite(&mut romeo, "juliet", "hello").await;
    assert_eq!(heard(&mut juliet), ["invitation hello"]);
}

/// S1-8, S1-9, S1-18, S1-19, S1-30: each command of the wrong one, and in the wrong state.
#[tokio::test]
async fn commands_of_the_wrong_one_and_in_the_wrong_state() {
    let floor = Floor::new(&["romeo", "juliet", "nurse"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let mut nurse = agent(&floor, "nurse/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    let run = async |client: &mut Client, rows: &[(&str, &str)]| {
        for (word, code) in rows {
            let text = if *word == "say" {
                " <text>a</text>"
            } else {
                ""
            };
            let answer = set(client, &format!("{word} id='{id}'{text}")).await;
            let expected = match code.contains('=') {
                true => (*code).to_owned(),
                false => format!("<{code} "),
            };
            assert!(answer.contains(&expected), "{word}: {answer}");
        }
    };
    // A stranger learns of nothing.
    let words = [
        "accept",
        "reject",
        "cancel",
        "end",
        "done",
        "say",
        "session",
        "transcript",
    ];
    run(&mut nurse, &words.map(|word| (word, "im-session-unknown"))).await;
    run(
        &mut romeo,
        &[("accept", "not-the-invitee"), ("reject", "not-the-invitee")],
    )
    .await;
    run(
        &mut juliet,
        &[
            ("cancel", "not-the-inviter"),
            ("end", "invitation-not-answered"),
            ("done", "invitation-not-answered"),
            ("reject", "status='rejected'"),
            ("reject", "status='rejected'"),
            ("accept", "invitation-rejected"),
            ("say", "invitation-rejected"),
        ],
    )
    .await;
    run(
        &mut romeo,
        &[
            ("cancel", "invitation-rejected"),
            ("end", "invitation-rejected"),
            ("say", "invitation-rejected"),
            ("done", "done='true'"),
            ("done", "done='true'"),
        ],
    )
    .await;
    assert_eq!(heard(&mut nurse), Vec::<String>::new());
}

/// S1-18: what is said in a session that has ended comes back, and is in no archive.
#[tokio::test]
async fn a_message_in_a_session_that_has_ended_comes_back() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    chat(&mut juliet, "romeo@localhost", "yes", Some(&id)).await;
    set(&mut juliet, &format!("done id='{id}'")).await;
    heard(&mut romeo);
    heard(&mut juliet);
    chat(&mut romeo, "juliet@localhost", "late", Some(&id)).await;
    assert_eq!(heard(&mut romeo), ["error im-session-ended"]);
    assert_eq!(heard(&mut juliet), Vec::<String>::new());
    // Without the thread it is ordinary chat again.
    chat(&mut romeo, "juliet@localhost", "anyway", None).await;
    assert_eq!(heard(&mut juliet), ["chat anyway"]);
}

/// S1-30: the forms offer what can be answered, and the only one is chosen.
#[tokio::test]
async fn forms_offer_the_callers_sessions() {
    let floor = Floor::new(&["romeo", "juliet", "nurse"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let mut nurse = agent(&floor, "nurse/desk").await;
    let first = invite(&mut romeo, "juliet", "hello").await;
    let form = async |client: &mut Client, name: &str| {
        let node = format!("{NS}#{name}");
        let ns = "http://jabber.org/protocol/commands";
        ask(
            client,
            "set",
            &format!("<command xmlns='{ns}' node='{node}'/>"),
        )
        .await
    };
    let shown = form(&mut juliet, "accept").await;
    assert!(shown.contains("type='list-single'"), "{shown}");
    assert!(
        shown.contains(&format!("<value>{first}</value></field>"))
            || shown.contains(&format!("<value>{first}</value><option")),
        "{shown}"
    );
    let second = invite(&mut nurse, "juliet", "hello").await;
    let shown = form(&mut juliet, "accept").await;
    assert!(shown.contains(&first) && shown.contains(&second), "{shown}");
    assert_eq!(shown.matches(&first).count(), 1, "{shown}");
    assert!(!form(&mut romeo, "cancel").await.contains(&second));
    let fields = [("id", second.as_str())];
    let answer = command(&mut juliet, "urn:parlour:im:0#reject", &fields).await;
    assert!(
        answer.contains("IM session with nurse: rejected."),
        "{answer}"
    );
}
