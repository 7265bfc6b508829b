//! XEP-0482: clients that ring.

use super::*;

const URI: &str = "sip:c1@pbx.example";
const INVITES: &str = "urn:xmpp:call-invites:0";

/// A call for an agent, which its clients can join.
async fn ringing(floor: &Floor, id: &str, agent: &str) {
    let offer = format!(
        "<offer interaction='{id}' medium='voice' direction='inbound' address='{NUMBER}' \
         agent='{agent}@localhost' uri='{URI}'/>"
    );
    let answer = says(floor, PBX, "set", &offer).await;
    assert!(answer.contains("type='result'"), "{answer}");
}

/// What a client was told of calls: `invite call-0-c1`, `retract call-0-c1`.
fn rung(client: &mut Client) -> Vec<String> {
    let all = client.received_xml();
    let own = all.iter().filter(|xml| xml.contains(INVITES));
    let brief = |xml: &String| match attribute(xml, "retract", "id") {
        Some(id) => format!("retract {id}"),
        None => {
            assert!(xml.contains(&format!("<external uri='{URI}'/>")), "{xml}");
            assert!(
                xml.contains("type='chat'") && xml.contains("<store "),
                "{xml}"
            );
            format!("invite {}", attribute(xml, "message", "id").unwrap())
        }
    };
    own.map(brief).collect()
}

/// What a client answers; the error, if it is one.
async fn answers(client: &mut Client, what: &str, id: &str) -> Option<String> {
    let message = format!(
        "<message to='{CENTER}' type='chat' id='m1'><{what} xmlns='{INVITES}' id='{id}'/></message>"
    );
    client.send(&message).await;
    let received = client.received_xml();
    let error = received.iter().find(|it| it.contains("type='error'"));
    error.map(|it| code(it).to_owned())
}

/// S1-42, S2-14: the call rings on the clients; one accepts, talks and hangs up.
#[tokio::test]
async fn a_client_takes_a_call() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    ringing(&floor, "c1", "ann").await;
    assert_eq!(rung(&mut ann), ["invite call-0-c1"]);
    // The offer once more is no other call.
    ringing(&floor, "c1", "ann").await;
    assert_eq!(rung(&mut ann), Vec::<String>::new());
    assert_eq!(answers(&mut ann, "accept", "call-0-c1").await, None);
    let asked = request(&floor, PBX);
    assert!(asked.contains("verb='accept'"), "{asked}");
    confirm(&floor, &asked).await;
    // The others have heard of it by what the client has said: nothing is taken back.
    assert_eq!(rung(&mut ann), Vec::<String>::new());
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    assert_eq!(answers(&mut ann, "left", "call-0-c1").await, None);
    let asked = request(&floor, PBX);
    assert!(asked.contains("verb='end'"), "{asked}");
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary wrap-up over");
    assert_eq!(answers(&mut ann, "left", "call-0-c1").await, None);
    assert!(floor.house.component_receives(PBX).is_empty());
}

/// What nobody has answered on a client is taken back, whatever has become of it.
#[tokio::test]
async fn what_is_over_is_taken_back() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    for (id, how) in [("c1", "ended"), ("c2", "left ann"), ("c3", "connected ann")] {
        ringing(&floor, id, "ann").await;
        assert_eq!(rung(&mut ann), [format!("invite call-0-{id}")], "{how}");
        report(&floor, id, how).await;
        assert_eq!(rung(&mut ann), [format!("retract call-0-{id}")], "{how}");
        report(&floor, id, "ended").await;
        ask(&mut ann, "set", "<ready xmlns='urn:parlour:agent:0'/>").await;
    }
    // A client rejects; offered once more it is another invitation.
    ringing(&floor, "c4", "ann").await;
    ann.received();
    assert_eq!(answers(&mut ann, "reject", "call-0-c4").await, None);
    let asked = request(&floor, PBX);
    assert!(asked.contains("verb='reject'"), "{asked}");
    confirm(&floor, &asked).await;
    assert_eq!(rung(&mut ann), Vec::<String>::new());
    ringing(&floor, "c4", "ann").await;
    assert_eq!(rung(&mut ann), ["invite call-1-c4"]);
    let late = answers(&mut ann, "accept", "call-0-c4").await;
    assert_eq!(late.as_deref(), Some("interaction-unknown"));
}

/// S1-42 to S1-44: the colleague who is consulted joins where the connector has said in its confirmation, and leaves.
#[tokio::test]
async fn a_colleague_who_is_consulted_is_rung() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    want(&mut ann, "c1", "consult colleague='bob'").await;
    let asked = request(&floor, PBX);
    let id = attribute(&asked, "iq", "id").unwrap();
    let done = format!(
        "<iq type='result' id='{id}' from='{PBX}' to='{CENTER}'>\
         <done xmlns='urn:parlour:connector:0' uri='{URI}'/></iq>"
    );
    sends(&floor, &done).await;
    assert_eq!(rung(&mut bob), ["invite call-1-c1"]);
    let other = answers(&mut ann, "accept", "call-1-c1").await;
    assert_eq!(other.as_deref(), Some("interaction-unknown"));
    assert_eq!(answers(&mut bob, "accept", "call-1-c1").await, None);
    let asked = request(&floor, PBX);
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut bob, "c1").await, "consulted connected held");
    assert_eq!(answers(&mut bob, "left", "call-1-c1").await, None);
    let asked = request(&floor, PBX);
    assert!(asked.contains("verb='leave'"), "{asked}");
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected held");
}

/// S0-4, S2-8: whoever calls joins where the connector has said in its confirmation, and is connected when it has; the customer is
/// called then.
#[tokio::test]
async fn an_agent_joins_the_call_that_it_has_placed() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let joined = format!("<done xmlns='urn:parlour:connector:0' uri='{URI}'/>");
    let dial = format!("<dial xmlns='{NS}' address='{NUMBER}' connector='{PBX}'/>");
    let dialed = async |ann: &mut Client| {
        let answer = ask(ann, "set", &dial).await;
        let id = attribute(&answer, "interaction", "id").unwrap();
        let asked = request(&floor, PBX);
        let request = attribute(&asked, "iq", "id").unwrap();
        let done =
            format!("<iq type='result' id='{request}' from='{PBX}' to='{CENTER}'>{joined}</iq>");
        ann.received();
        sends(&floor, &done).await;
        assert_eq!(rung(ann), [format!("invite call-0-{id}")]);
        assert_eq!(seen(ann, &id).await, "primary offered dialing");
        id
    };
    let id = dialed(&mut ann).await;
    assert_eq!(
        answers(&mut ann, "accept", &format!("call-0-{id}")).await,
        None
    );
    let asked = request(&floor, PBX);
    assert!(asked.contains("verb='accept'"), "{asked}");
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, &id).await, "primary connected dialing");
    report(&floor, &id, "talking").await;
    assert_eq!(seen(&mut ann, &id).await, "primary connected connected");
    report(&floor, &id, "ended").await;
    ask(&mut ann, "set", "<ready xmlns='urn:parlour:agent:0'/>").await;
    // A client that does not want to: the connector is told, and nobody has the customer.
    let id = dialed(&mut ann).await;
    assert_eq!(
        answers(&mut ann, "reject", &format!("call-0-{id}")).await,
        None
    );
    let asked = request(&floor, PBX);
    assert!(asked.contains("verb='reject'"), "{asked}");
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, &id).await, "interaction-unknown");
    assert_eq!(state(&mut ann).await, "available");
}

/// A row for each answer and offer that makes no sense.
#[tokio::test]
async fn what_is_no_invitation_is_refused() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = floor.online("bob/desk").await;
    ringing(&floor, "c1", "ann").await;
    ann.received();
    for (id, what) in [
        ("call-0-c2", "accept"),
        ("call-1-c1", "accept"),
        ("call-1-c1", "left"),
        ("c1", "reject"),
    ] {
        let refused = answers(&mut ann, what, id).await;
        assert_eq!(
            refused.as_deref(),
            Some("interaction-unknown"),
            "{what} {id}"
        );
    }
    let refused = answers(&mut bob, "accept", "call-0-c1").await;
    assert_eq!(refused.as_deref(), Some("interaction-unknown"));
    assert!(floor.house.component_receives(PBX).is_empty());
    for uri in ["javascript:alert(1)", "tel:", "not a uri"] {
        let offer = format!(
            "<offer interaction='c2' medium='voice' direction='inbound' address='{NUMBER}' \
             agent='ann@localhost' uri='{uri}'/>"
        );
        let refused = says(&floor, PBX, "set", &offer).await;
        assert_eq!(code(&refused), "field-malformed", "{uri}");
    }
    // A chat has nothing to join.
    let chat = format!(
        "<offer interaction='c3' medium='chat' direction='inbound' address='e@m.example' \
         agent='ann@localhost' uri='{URI}'/>"
    );
    says(&floor, PBX, "set", &chat).await;
    assert_eq!(rung(&mut ann), Vec::<String>::new());
}
