//! The walks of the seeds: invited, answered, talked, ended, done.

use super::*;
use crate::contact_center::testing::CENTER;

/// S0-1, S0-2, S1-17, S1-21: agents write to each other without any interaction; the invitation is a message that every client announces.
/// S1-8, S1-9, S1-10, S1-11, S1-12, S1-18, S1-19, S1-22, S1-29, S1-31, S1-32: two clients that know the extension.
#[tokio::test]
async fn two_agents_talk_from_the_invitation_to_done() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    assert_eq!(status(&mut romeo, &id).await, "pending");
    let seen = set(&mut romeo, &format!("session id='{id}'")).await;
    assert_eq!(attribute(&seen, "session", "logon").unwrap(), "juliet");
    let received = juliet.received_xml();
    let message = received
        .iter()
        .find(|it| it.contains("<invitation "))
        .unwrap();
    assert!(
        message.starts_with("<message from='romeo@localhost' to='juliet@localhost' type='chat'")
    );
    assert!(
        message.contains(&format!("<thread>{id}</thread>")),
        "{message}"
    );
    assert_eq!(
        attribute(message, "invitation", "from").unwrap(),
        "romeo@localhost"
    );
    // Half a minute of the profile.
    assert_eq!(
        attribute(message, "invitation", "until").unwrap(),
        "2026-09-21T14:13:50Z"
    );
    let answer = set(&mut juliet, &format!("accept id='{id}'")).await;
    assert_eq!(
        attribute(&answer, "session", "status").unwrap(),
        "connected"
    );
    assert_eq!(heard(&mut juliet), Vec::<String>::new());
    assert_eq!(heard(&mut romeo), ["event accepted"]);
    let said = set(&mut romeo, &format!("say id='{id}' <text>fine</text>")).await;
    assert!(said.contains("status='connected'"), "{said}");
    assert_eq!(heard(&mut juliet), ["said fine"]);
    chat(&mut juliet, "romeo@localhost/desk", "bye", Some(&id)).await;
    assert_eq!(heard(&mut romeo), ["said bye"]);
    set(&mut romeo, &format!("end id='{id}'")).await;
    assert_eq!(heard(&mut juliet), ["event ended"]);
    for client in [&mut romeo, &mut juliet] {
        assert_eq!(status(client, &id).await, "ended");
    }
    set(&mut juliet, &format!("done id='{id}'")).await;
    let listed = async |client: &mut Client| set(client, "sessions").await.contains(&id);
    assert!(!listed(&mut juliet).await && listed(&mut romeo).await);
}

/// S1-6, S1-20, S1-22, S1-24: an ad-hoc command invites, a reply accepts; no client knows our namespaces.
#[tokio::test]
async fn a_plain_client_invites_by_a_form_and_another_accepts_by_replying() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut phone = device(floor.online("romeo/phone").await).await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let fields = [("colleague", "juliet"), ("text", "hello\nyou")];
    let answer = command(&mut romeo, "urn:parlour:im:0#invite", &fields).await;
    assert!(
        answer.contains("IM session with juliet: pending."),
        "{answer}"
    );
    // The command's device has not sent the message itself: it is told as the others are.
    assert_eq!(heard(&mut romeo), Vec::<String>::new());
    assert_eq!(heard(&mut phone), ["sent invitation hello\nyou"]);
    assert_eq!(heard(&mut juliet), ["invitation hello\nyou"]);
    chat(&mut juliet, "romeo@localhost", "yes", None).await;
    assert_eq!(heard(&mut romeo), ["event accepted", "said yes"]);
    assert_eq!(heard(&mut phone), ["event accepted", "said yes"]);
    assert_eq!(heard(&mut juliet), ["event connected"]);
    chat(&mut romeo, "juliet@localhost/desk", "good", None).await;
    assert_eq!(heard(&mut juliet), ["said good"]);
    assert_eq!(heard(&mut phone), ["sent said good"]);
    let answer = command(&mut juliet, "urn:parlour:im:0#end", &[]).await;
    // The only one was chosen already.
    assert!(answer.contains("IM session with romeo: ended."), "{answer}");
}

/// S1-6, S1-22, S1-30: messages to the service do what clients without ad-hoc commands cannot.
#[tokio::test]
async fn words_to_the_service_invite_and_answer() {
    let floor = Floor::new(&["romeo", "juliet", "peter:member"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    chat(&mut romeo, CENTER, "juliet: can you help me?", None).await;
    assert_eq!(heard(&mut juliet), ["invitation can you help me?"]);
    let told = heard(&mut romeo);
    assert_eq!(
        told,
        [
            "sent invitation can you help me?",
            "chat juliet is invited."
        ]
    );
    chat(&mut juliet, CENTER, "Accept!", None).await;
    assert_eq!(heard(&mut romeo), ["event accepted"]);
    assert_eq!(heard(&mut juliet), ["event connected"]);
    chat(&mut romeo, CENTER, "end", None).await;
    assert_eq!(heard(&mut juliet), ["event ended"]);
    assert_eq!(heard(&mut romeo), ["event ended"]);
    for (word, first) in [
        ("help", "chat Write "),
        ("hello there", "chat Write "),
        ("end", "chat There is no IM session that this fits. Write "),
        (
            "accept",
            "chat There is no IM session that this fits. Write ",
        ),
    ] {
        chat(&mut romeo, CENTER, word, None).await;
        let told = heard(&mut romeo);
        assert!(told[0].starts_with(first), "{word}: {told:?}");
    }
    for (body, code) in [("nobody: hi", "no-account"), ("peter: hi", "no-agent")] {
        chat(&mut romeo, CENTER, body, None).await;
        assert_eq!(heard(&mut romeo), [format!("error {code}")]);
    }
    romeo
        .send(&format!("<message to='{CENTER}' type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/></message>"))
        .await;
    assert_eq!(heard(&mut romeo), Vec::<String>::new());
    let mut peter = floor.online("peter/home").await;
    chat(&mut peter, CENTER, "juliet: hi", None).await;
    assert_eq!(heard(&mut peter), ["error right-missing"]);
}

/// S1-22: of several invitations one is answered by a second word, and who says none is told which there are.
#[tokio::test]
async fn of_several_invitations_one_is_answered_by_words() {
    let floor = Floor::new(&["romeo", "juliet", "nurse"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut nurse = agent(&floor, "nurse/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let first = invite(&mut romeo, "juliet", "hello").await;
    let second = invite(&mut nurse, "juliet", "hello").await;
    heard(&mut juliet);
    for word in ["reject", "reject paris"] {
        chat(&mut juliet, CENTER, word, None).await;
        let told = heard(&mut juliet);
        let several = "chat Several IM sessions fit, with nurse, romeo. Write ";
        let expected = match word.contains(' ') {
            false => several,
            true => "chat There is no IM session that this fits. Write ",
        };
        assert!(told[0].starts_with(expected), "{told:?}");
    }
    assert_eq!(status(&mut juliet, &first).await, "pending");
    chat(&mut juliet, CENTER, "Reject Nurse!", None).await;
    assert_eq!(heard(&mut juliet), ["event rejected"]);
    assert_eq!(status(&mut juliet, &second).await, "rejected");
    // Also in the thread of another one.
    let third = invite(&mut nurse, "juliet", "again").await;
    heard(&mut juliet);
    chat(&mut juliet, CENTER, "accept nurse@localhost", Some(&first)).await;
    assert_eq!(heard(&mut juliet), ["event connected"]);
    assert_eq!(status(&mut juliet, &third).await, "connected");
    assert_eq!(status(&mut juliet, &first).await, "pending");
}

/// S1-1: chat outside of sessions is what it was, and what looks like the server's word is taken away.
#[tokio::test]
async fn chat_outside_of_sessions_goes_its_way() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut phone = device(floor.online("romeo/phone").await).await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    chat(&mut romeo, "juliet@localhost", "before", None).await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    chat(&mut juliet, "romeo@localhost", "elsewhere", Some("other")).await;
    let unknown = crate::id::sorted(floor.house.clock.now());
    chat(&mut juliet, "romeo@localhost", "unknown", Some(&unknown)).await;
    assert_eq!(status(&mut romeo, &id).await, "pending");
    let forged = format!(
        "<message to='juliet@localhost' type='chat'><body>forged</body><thread>t</thread>\
         <event xmlns='{NS}' id='{id}' type='ended' at='2026-01-01T00:00:00Z'/></message>"
    );
    romeo.send(&forged).await;
    let told = heard(&mut juliet);
    assert_eq!(told, ["chat before", "invitation hello", "chat forged"]);
    let copied = heard(&mut phone);
    assert_eq!(copied[..2], ["sent chat before", "sent invitation hello"]);
    assert_eq!(
        copied[2..],
        ["chat elsewhere", "chat unknown", "sent chat forged"]
    );
    juliet
        .send("<message to='romeo@localhost' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
        .await;
    assert_eq!(status(&mut romeo, &id).await, "pending");
    // Two sessions of the two: without thread it is said in neither.
    invite(&mut romeo, "juliet", "again").await;
    chat(&mut juliet, "romeo@localhost", "which", None).await;
    assert!(heard(&mut romeo).contains(&"chat which".to_owned()));
}

/// S1-23: an unthreaded message accepts an invitation only of the one whom it goes to, and only by the one who is invited.
#[tokio::test]
async fn a_message_accepts_the_invitation_of_the_two_alone() {
    let floor = Floor::new(&["romeo", "juliet", "nurse"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let mut nurse = agent(&floor, "nurse/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    for client in [&mut romeo, &mut juliet, &mut nurse] {
        heard(client);
    }
    // The invitee to somebody else, somebody else to both, and the inviter.
    chat(&mut juliet, "nurse@localhost", "aside", None).await;
    chat(&mut nurse, "romeo@localhost", "aside", None).await;
    chat(&mut nurse, "juliet@localhost", "aside", None).await;
    assert_eq!(heard(&mut nurse), ["chat aside"]);
    assert_eq!(heard(&mut juliet), ["chat aside"]);
    chat(&mut romeo, "juliet@localhost", "there?", None).await;
    assert_eq!(status(&mut romeo, &id).await, "pending");
    // In the thread of others nobody says anything.
    chat(&mut nurse, "romeo@localhost", "threaded", Some(&id)).await;
    assert_eq!(status(&mut romeo, &id).await, "pending");
    heard(&mut romeo);
    chat(&mut juliet, "romeo@localhost", "hi", None).await;
    assert_eq!(status(&mut romeo, &id).await, "connected");
    assert_eq!(status(&mut juliet, &id).await, "connected");
}
