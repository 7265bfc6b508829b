//! Calls that agents begin (S2-8, S2-9).

use super::*;
use crate::config::Domain;

async fn dial(client: &mut Client, what: &str) -> String {
    ask(client, "set", &format!("<dial xmlns='{NS}' {what}/>")).await
}

/// S2-8: from the wish to the customer who answers; a connector that cannot leaves nothing behind.
#[tokio::test]
async fn an_agent_calls_a_customer() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    assert_eq!(
        code(&dial(&mut ann, "address='+49 30 12345678'").await),
        "connector-unknown"
    );
    let answer = dial(
        &mut ann,
        "address='+49 30 12345678' connector='pbx.example'",
    )
    .await;
    let id = attribute(&answer, "interaction", "id").unwrap();
    let asked = request(&floor, PBX);
    for part in [
        "verb='dial'",
        "address='+493012345678'",
        "medium='voice'",
        "agent='ann@localhost'",
    ] {
        assert!(asked.contains(part), "{asked}");
    }
    assert_eq!(seen(&mut ann, &id).await, "primary offered dialing");
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, &id).await, "primary connected dialing");
    assert_eq!(state(&mut ann).await, "engaged");
    report(&floor, &id, "talking").await;
    assert_eq!(seen(&mut ann, &id).await, "primary connected connected");
    assert_eq!(
        code(&dial(&mut ann, "address='+493012345678' connector='pbx.example'").await),
        "capacity-full"
    );
    report(&floor, &id, "ended").await;
    ask(&mut ann, "set", "<ready xmlns='urn:parlour:agent:0'/>").await;
    let answer = dial(&mut ann, "address='+493012345678' connector='pbx.example'").await;
    let id = attribute(&answer, "interaction", "id").unwrap();
    let asked = request(&floor, PBX);
    ann.received();
    refuse(&floor, &asked, "All lines are busy.").await;
    let told = heard(&mut ann);
    assert_eq!(
        told,
        ["primary withdrawn over: Not done: dial (All lines are busy)."]
    );
    assert_eq!(seen(&mut ann, &id).await, "interaction-unknown");
    assert_eq!(state(&mut ann).await, "available");
}

/// S2-9: from which objects calls may be started is configured, and which connector calls.
#[tokio::test]
async fn dialing_is_limited_to_types_of_objects_and_goes_to_the_configured_connector() {
    let mut config = config();
    config.contact_center.dial_from = vec!["lead".to_owned()];
    config.contact_center.dial_connector = Domain::parse(PBX);
    let floor = Box::pin(Floor::configured(&["ann"], config)).await;
    let mut ann = agent(&floor, "ann/desk").await;
    for what in [
        "address='+493012345678'",
        "address='+493012345678' object='case'",
    ] {
        assert_eq!(code(&dial(&mut ann, what).await), "dial-not-allowed");
    }
    let lead = "address='+493012345678' object='lead'";
    assert_eq!(code(&dial(&mut ann, lead).await), "interaction-interrupted");
    floor.house.component_comes(PBX).await;
    let fields = [("address", NUMBER), ("object", "lead")];
    let answer = command(&mut ann, &format!("{NS}#dial"), &fields).await;
    assert!(answer.contains("The customer is being called."), "{answer}");
    assert!(request(&floor, PBX).contains("verb='dial'"));
}

/// A row for each reason why nobody is called.
#[tokio::test]
async fn what_cannot_be_called() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    for (what, expected) in [
        ("", "field-missing"),
        ("address='12'", "telephone-malformed"),
        ("address='nobody' medium='email'", "email-malformed"),
        ("customer='nobody'", "customer-unknown"),
        ("address='+493012345678' medium='fax'", "field-malformed"),
        (
            "address='+493012345678' connector='crm.example'",
            "connector-unknown",
        ),
        (
            "address='+493012345678' connector='fax.example'",
            "connector-unknown",
        ),
    ] {
        assert_eq!(code(&dial(&mut ann, what).await), expected, "{what}");
    }
    let lunch = "<not-ready xmlns='urn:parlour:agent:0' reason='lunch'/>";
    ask(&mut ann, "set", lunch).await;
    let answer = dial(&mut ann, "address='+493012345678' connector='pbx.example'").await;
    assert_eq!(code(&answer), "target-not-ready");
}

/// S0-4, S0-23: whoever takes interactions is connected with a colleague by the connector; whoever does not, or where nobody can do
/// it, calls itself.
#[tokio::test]
async fn a_colleague_is_called_by_the_connector() {
    let mut config = config();
    config.contact_center.dial_connector = Domain::parse(PBX);
    // That is for customers.
    config.contact_center.dial_from = vec!["lead".to_owned()];
    let floor = Box::pin(Floor::configured(&["ann", "bob"], config)).await;
    let mut ann = floor.online("ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let card = format!(
        "<vCard xmlns='vcard-temp'><FN>Bob</FN><TEL><NUMBER>{NUMBER}</NUMBER></TEL></vCard>"
    );
    bob.send(&format!("<iq type='set' id='card'>{card}</iq>"))
        .await;
    let by = "<contact-by xmlns='urn:parlour:reach:0' colleague='bob' means='telephone'/>";
    let itself = format!("means='telephone' uri='tel:{NUMBER}'/>");
    let answer = ask(&mut ann, "set", by).await;
    assert!(answer.contains(&itself), "no agent: {answer}");
    ask(&mut ann, "set", "<login xmlns='urn:parlour:agent:0'/>").await;
    let answer = ask(&mut ann, "set", by).await;
    assert!(answer.contains(&itself), "no connector: {answer}");
    floor.house.component_comes(PBX).await;
    floor.house.component_receives(PBX);
    let answer = ask(&mut ann, "set", by).await;
    let id = attribute(&answer, "contact-by", "interaction").unwrap();
    assert!(answer.contains(&format!("uri='tel:{NUMBER}'")), "{answer}");
    let asked = request(&floor, PBX);
    for part in [
        "verb='dial'",
        "agent='ann@localhost'",
        &format!("address='{NUMBER}'"),
    ] {
        assert!(asked.contains(part), "{asked}");
    }
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, &id).await, "primary connected dialing");
    // Whoever talks already has no place for another call.
    let answer = ask(&mut ann, "set", by).await;
    assert!(answer.contains(&itself), "engaged: {answer}");
    report(&floor, &id, "ended").await;
    ask(&mut ann, "set", "<ready xmlns='urn:parlour:agent:0'/>").await;
    let fields = [("colleague", "bob"), ("means", "telephone")];
    let node = "urn:parlour:reach:0#contact-by";
    let answer = command(&mut ann, node, &fields).await;
    assert!(
        answer.contains("You are being connected with bob@localhost."),
        "{answer}"
    );
    assert!(request(&floor, PBX).contains("verb='dial'"));
}
