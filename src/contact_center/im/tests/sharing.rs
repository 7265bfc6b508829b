//! Business context in sessions (S0-27, S0-5): to the other one alone, in the session's thread, while both talk.

use super::*;

async fn share(client: &mut Client, id: &str, to: &str) -> String {
    let object = "<object type='case' id='1'><title>Printer</title></object>";
    let send =
        format!("<send xmlns='urn:parlour:context:0' session='{id}'><to>{to}</to>{object}</send>");
    ask(client, "set", &send).await
}

#[tokio::test]
async fn business_objects_are_shared_in_the_thread_of_a_session_while_both_talk() {
    let floor = Floor::new(&["romeo", "juliet", "nurse"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let mut nurse = agent(&floor, "nurse/desk").await;
    let id = invite(&mut romeo, "juliet", "hello").await;
    juliet.received();
    let answer = share(&mut romeo, &id, "juliet").await;
    assert!(answer.contains("<answer-awaited "), "{answer}");
    let answer = share(&mut juliet, &id, "romeo").await;
    assert!(answer.contains("<invitation-not-answered "), "{answer}");
    set(&mut juliet, &format!("accept id='{id}'")).await;
    for to in ["nurse", "juliet</to><to>nurse"] {
        let answer = share(&mut romeo, &id, to).await;
        assert!(answer.contains("<context-beside-session "), "{answer}");
    }
    let answer = share(&mut nurse, &id, "juliet").await;
    assert!(answer.contains("<im-session-unknown "), "{answer}");
    assert_eq!(juliet.received_xml(), [""; 0]);
    assert_eq!(nurse.received_xml(), [""; 0]);
    let answer = share(&mut romeo, &id, "juliet").await;
    assert!(answer.contains("progress='sent'"), "{answer}");
    let told = juliet.received_xml().concat();
    let thread = format!("<thread>{id}</thread>");
    assert!(
        told.contains(&thread) && told.contains("<body>Case: Printer</body>"),
        "{told}"
    );
    assert!(told.contains(&format!(" session='{id}'")), "{told}");
    let transcript = set(&mut juliet, &format!("transcript id='{id}'")).await;
    assert!(
        transcript.contains("kind='context' sender='romeo@localhost'"),
        "{transcript}"
    );
    set(&mut juliet, &format!("end id='{id}'")).await;
    juliet.received();
    let answer = share(&mut romeo, &id, "juliet").await;
    assert!(answer.contains("<im-session-ended "), "{answer}");
    assert_eq!(juliet.received_xml(), [""; 0]);
}

/// S1-22, S1-30: a form accepts, in which the only invitation is chosen already.
#[tokio::test]
async fn an_invitation_is_accepted_by_form() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = agent(&floor, "romeo/desk").await;
    let mut juliet = agent(&floor, "juliet/desk").await;
    let node = "urn:parlour:im:0#accept";
    let answer = command(&mut juliet, node, &[]).await;
    assert!(answer.contains("<bad-request "), "{answer}");
    let id = invite(&mut romeo, "juliet", "hello").await;
    heard(&mut romeo);
    let answer = command(&mut juliet, node, &[("id", &id)]).await;
    assert!(
        answer.contains("IM session with romeo: connected."),
        "{answer}"
    );
    assert_eq!(heard(&mut romeo), ["event accepted"]);
    assert_eq!(status(&mut romeo, &id).await, "connected");
}
