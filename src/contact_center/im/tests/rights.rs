//! What needs the right to instant messages, and what who has lost it still does (S1-4).

use super::*;
use crate::contact_center::testing::CENTER;

const RIGHT: [(&str, &str); 2] = [("jid", "juliet@localhost"), ("right", "instant-message")];

/// Asks through one of the two doors.
async fn asks(client: &mut Client, is_typed: bool, word: &str, fields: &[(&str, &str)]) -> String {
    if !is_typed {
        return command(client, &format!("{NS}#{word}"), fields).await;
    }
    let mut request = format!("{word} ");
    let (texts, attributes): (Vec<_>, Vec<_>) = fields.iter().partition(|it| it.0 == "text");
    for (name, value) in attributes {
        request.push_str(&format!("{name}='{value}' "));
    }
    for (_, value) in texts {
        request.push_str(&format!("<text>{value}</text>"));
    }
    set(client, &request).await
}

/// Who may talk no longer invites nobody, accepts nothing and says nothing, but looks at what is open and ends it.
#[tokio::test]
async fn who_has_lost_the_right_ends_what_is_open() {
    for is_typed in [true, false] {
        let floor = Floor::new(&["romeo", "juliet"]).await;
        let mut romeo = agent(&floor, "romeo/desk").await;
        let mut juliet = agent(&floor, "juliet/desk").await;
        let to_cancel = invite(&mut juliet, "romeo", "one").await;
        let to_end = invite(&mut juliet, "romeo", "two").await;
        let to_do = invite(&mut juliet, "romeo", "three").await;
        for id in [&to_end, &to_do] {
            set(&mut romeo, &format!("accept id='{id}'")).await;
        }
        let to_reject = invite(&mut romeo, "juliet", "four").await;
        floor.operate("right take", &RIGHT).await;
        for (word, fields) in [
            ("invite", &[("colleague", "romeo"), ("text", "hi")][..]),
            ("accept", &[("id", &to_reject)]),
            ("say", &[("id", &to_end), ("text", "hi")]),
        ] {
            let answer = asks(&mut juliet, is_typed, word, fields).await;
            let refused = answer.contains("<forbidden ") && answer.contains("<right-missing ");
            assert!(refused, "{word}: {answer}");
        }
        for (word, id) in [
            ("sessions", None),
            ("session", Some(&to_reject)),
            ("transcript", Some(&to_end)),
            ("reject", Some(&to_reject)),
            ("cancel", Some(&to_cancel)),
            ("end", Some(&to_end)),
            ("done", Some(&to_do)),
        ] {
            let fields: Vec<_> = id.iter().map(|id| ("id", id.as_str())).collect();
            let answer = asks(&mut juliet, is_typed, word, &fields).await;
            assert!(answer.contains("type='result'"), "{word}: {answer}");
            assert!(!answer.contains("type='error'"), "{word}: {answer}");
        }
        for (id, now) in [
            (&to_reject, "rejected"),
            (&to_cancel, "cancelled"),
            (&to_end, "ended"),
            (&to_do, "ended"),
        ] {
            assert_eq!(status(&mut romeo, id).await, now);
        }
        // Without the right to be an agent nobody has anything of this done.
        let agent = [("jid", "juliet@localhost"), ("right", "agent-state")];
        floor.operate("right take", &agent).await;
        for word in [
            "sessions",
            "session",
            "transcript",
            "reject",
            "cancel",
            "end",
            "done",
        ] {
            let fields = match word {
                "sessions" => &[][..],
                _ => &[("id", to_end.as_str())],
            };
            let answer = asks(&mut juliet, is_typed, word, fields).await;
            assert!(answer.contains("<right-missing "), "{word}: {answer}");
        }
    }
}

/// The same by words: to the service, and in the session itself.
#[tokio::test]
async fn words_of_who_has_lost_the_right() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    floor.operate("right take", &RIGHT).await;
    heard(&mut juliet);
    chat(&mut juliet, "romeo@localhost", "yes", None).await;
    assert_eq!(heard(&mut juliet), ["error right-missing"]);
    for word in ["accept", "romeo: hi"] {
        chat(&mut juliet, CENTER, word, None).await;
        assert_eq!(heard(&mut juliet), ["error right-missing"], "{word}");
    }
    assert_eq!(status(&mut juliet, &id).await, "pending");
    chat(&mut juliet, CENTER, "help", None).await;
    let told = heard(&mut juliet);
    assert!(told[0].starts_with("chat Write "), "{told:?}");
    chat(&mut juliet, CENTER, "reject", None).await;
    assert_eq!(heard(&mut juliet), ["event rejected"]);
    assert_eq!(status(&mut romeo, &id).await, "rejected");
    floor.operate("right reset", &RIGHT).await;
    let id = invite(&mut romeo, "juliet", "again").await;
    chat(&mut juliet, "romeo@localhost", "yes", None).await;
    assert_eq!(status(&mut romeo, &id).await, "connected");
    floor.operate("right take", &RIGHT).await;
    heard(&mut juliet);
    chat(&mut juliet, CENTER, "end", Some(&id)).await;
    assert_eq!(heard(&mut juliet), ["event ended"]);
    chat(&mut juliet, CENTER, "done", Some(&id)).await;
    assert_eq!(heard(&mut juliet), ["event done"]);
}

/// S1-13: who reads transcripts by a right of its own need be no agent, and does nothing else here.
#[tokio::test]
async fn who_reads_transcripts_need_be_no_agent() {
    let floor = Floor::new(&["romeo", "juliet", "peter:member"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let _juliet = agent(&floor, "juliet/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    let mut peter = floor.online("peter/desk").await;
    let right = [("jid", "peter@localhost"), ("right", "transcript-show")];
    for is_typed in [true, false] {
        let fields = [("id", id.as_str())];
        let answer = asks(&mut peter, is_typed, "transcript", &fields).await;
        assert!(answer.contains("<right-missing "), "{answer}");
        floor.operate("right give", &right).await;
        let answer = asks(&mut peter, is_typed, "transcript", &fields).await;
        assert!(answer.contains("hello"), "{answer}");
        for word in ["session", "reject", "end", "done"] {
            let answer = asks(&mut peter, is_typed, word, &fields).await;
            assert!(answer.contains("<right-missing "), "{word}: {answer}");
        }
        floor.operate("right reset", &right).await;
    }
}

/// Who may talk without the right to an agent's state ends what it has begun, too, by whichever way.
#[tokio::test]
async fn who_may_talk_ends_what_it_has_begun() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let state = [("jid", "juliet@localhost"), ("right", "agent-state")];
    floor.operate("right take", &state).await;
    for is_typed in [true, false] {
        let to_cancel = invite(&mut juliet, "romeo", "one").await;
        let to_end = invite(&mut juliet, "romeo", "two").await;
        let to_do = invite(&mut juliet, "romeo", "three").await;
        for id in [&to_end, &to_do] {
            set(&mut romeo, &format!("accept id='{id}'")).await;
        }
        for (word, id) in [
            ("sessions", None),
            ("session", Some(&to_cancel)),
            ("transcript", Some(&to_end)),
            ("cancel", Some(&to_cancel)),
            ("end", Some(&to_end)),
            ("done", Some(&to_do)),
        ] {
            let fields: Vec<_> = id.iter().map(|id| ("id", id.as_str())).collect();
            let answer = asks(&mut juliet, is_typed, word, &fields).await;
            assert!(answer.contains("type='result'"), "{word}: {answer}");
        }
        for (id, now) in [
            (&to_cancel, "cancelled"),
            (&to_end, "ended"),
            (&to_do, "ended"),
        ] {
            assert_eq!(status(&mut romeo, id).await, now);
        }
    }
    invite(&mut juliet, "romeo", "four").await;
    heard(&mut juliet);
    chat(&mut juliet, CENTER, "cancel", None).await;
    assert_eq!(heard(&mut juliet), ["event cancelled"]);
    chat(&mut juliet, CENTER, "help", None).await;
    let told = heard(&mut juliet);
    assert!(told[0].starts_with("chat Write "), "{told:?}");
}

/// S1-13: also who has sessions of its own, which the form offers, reads those of others.
#[tokio::test]
async fn a_form_takes_the_id_of_a_session_that_it_does_not_offer() {
    let floor = Floor::new(&["romeo", "juliet", "nurse", "prince:supervisor"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let _juliet = agent(&floor, "juliet/desk").await;
    let mut prince = agent(&floor, "prince/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    let own = invite(&mut prince, "juliet", "own words").await;
    let node = format!("{NS}#transcript");
    let other = [("id", own.as_str()), ("other", id.as_str())];
    let answer = command(&mut prince, &node, &other).await;
    assert!(answer.contains("hello"), "{answer}");
    assert!(!answer.contains("own words"), "{answer}");
    let answer = command(&mut prince, &node, &[("id", &own)]).await;
    assert!(answer.contains("own words"), "{answer}");
    // Of others nobody learns anything by it.
    let answer = command(&mut romeo, &node, &[("id", &id), ("other", &own)]).await;
    assert!(answer.contains("<im-session-unknown "), "{answer}");
    let mut nurse = floor.online("nurse/desk").await;
    let answer = command(&mut nurse, &node, &[]).await;
    assert!(
        answer.contains("The id of a session is missing."),
        "{answer}"
    );
    let answer = set(&mut romeo, "transcript").await;
    assert!(answer.contains("<field-missing "), "{answer}");
    let answer = set(&mut romeo, &format!("transcript other='{id}'")).await;
    assert!(answer.contains("<field-unknown "), "{answer}");
}
