//! Connectors that go and come back.

use super::*;

/// What the connector answers when it is asked what is so.
async fn tells(floor: &Floor, told: &str) {
    let asked = floor.house.component_receives(PBX);
    let asked = asked.iter().find(|it| it.contains("<interactions "));
    let id = attribute(asked.unwrap(), "iq", "id").unwrap();
    let iq = format!(
        "<iq type='result' id='{id}' from='{PBX}' to='{CENTER}'>\
         <interactions xmlns='urn:parlour:connector:0'>{told}</interactions></iq>"
    );
    floor.house.component_sends(&iq).await;
}

/// While its connector is away nothing can be wanted of an interaction; back again it is as the connector says.
#[tokio::test]
async fn interactions_are_interrupted_and_made_right_again() {
    for (told, expected, line) in [
        (
            "<interaction id='c1' line='connected'><agent jid='ann@localhost'/></interaction>",
            "primary connected connected",
            ": The connection to the telephony or chat system is back (the call with +493012345678).",
        ),
        (
            "<interaction id='c1' line='held'><agent jid='ann@localhost'/></interaction>",
            "primary connected held",
            "is back",
        ),
        (
            "<interaction id='c1' line='offered'/>",
            "primary wrap-up offered",
            "primary wrap-up offered",
        ),
        (
            "",
            "primary wrap-up over",
            "The call with +493012345678 has ended.",
        ),
        (
            "<interaction id='c2' line='connected'/>",
            "primary wrap-up over",
            "has ended",
        ),
        (
            "<strange/><interaction line='held'/>",
            "primary wrap-up over",
            "has ended",
        ),
    ] {
        let floor = floor(&["ann"]).await;
        let mut ann = agent(&floor, "ann/desk").await;
        talking(&floor, &mut ann, "c1").await;
        floor.house.component_goes(PBX).await;
        assert_eq!(
            heard(&mut ann),
            [
                "primary connected connected: The connection to the telephony or chat system is \
              interrupted (the call with +493012345678)."
            ]
        );
        assert_eq!(
            code(&want(&mut ann, "c1", "hold").await),
            "interaction-interrupted"
        );
        floor.house.component_comes(PBX).await;
        tells(&floor, told).await;
        let heard = heard(&mut ann);
        assert!(
            heard.iter().any(|it| it.contains(line)),
            "{told}: {heard:?}"
        );
        assert_eq!(seen(&mut ann, "c1").await, expected, "{told}");
    }
}

/// What was asked before the stream broke counts as done when all is as if it was.
#[tokio::test]
async fn what_was_done_while_the_stream_was_broken_is_taken_over() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    done(&floor, &mut ann, "c1", "consult colleague='bob'").await;
    done(&floor, &mut bob, "c1", "accept").await;
    want(&mut ann, "c1", "complete-transfer").await;
    floor.house.component_goes(PBX).await;
    floor.house.component_comes(PBX).await;
    let told = "<interaction id='c1' line='connected'><agent jid='bob@localhost'/></interaction>";
    tells(&floor, told).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary wrap-up connected");
    assert_eq!(seen(&mut bob, "c1").await, "primary connected connected");
    assert_eq!(state(&mut ann).await, "wrap-up");
    assert_eq!(state(&mut bob).await, "engaged");
}

/// A connector that says something of an interaction is there, whatever it answers; only its own are interrupted, and one that
/// is replaced at once interrupts nothing.
#[tokio::test]
async fn each_connector_has_its_own() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    let chat = "<offer interaction='c2' medium='chat' direction='inbound' address='e@m.example' agent='bob@localhost'/>";
    says(&floor, "chat.example", "set", chat).await;
    bob.received();
    floor.house.component_goes(PBX).await;
    assert_eq!(heard(&mut bob), Vec::<String>::new());
    floor.house.component_comes(PBX).await;
    floor.house.component_receives(PBX);
    let answer = report(&floor, "c1", "held").await;
    assert!(answer.contains("line='held'"), "{answer}");
    assert_eq!(seen(&mut ann, "c1").await, "primary connected held");
    done(&floor, &mut ann, "c1", "resume").await;
    // A component of another role, and one that nobody knows, change nothing.
    ann.received();
    floor.house.component_goes("crm.example").await;
    floor.house.component_goes("fax.example").await;
    assert_eq!(heard(&mut ann), Vec::<String>::new());
}

/// One that answers with an error has told nothing: what is so is known when it says something, or when it was waited for
/// long enough.
#[tokio::test]
async fn a_connector_that_cannot_tell_leaves_its_interactions_interrupted() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    floor.house.component_goes(PBX).await;
    floor.house.component_comes(PBX).await;
    let asked = floor.house.component_receives(PBX).concat();
    assert!(asked.contains("<interaction id='c1'/>"), "{asked}");
    let id = attribute(&asked, "iq", "id").unwrap();
    let error = format!(
        "<iq type='error' id='{id}' from='{PBX}' to='{CENTER}'><error type='cancel'>\
         <feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    );
    floor.house.component_sends(&error).await;
    assert_eq!(
        code(&want(&mut ann, "c1", "hold").await),
        "interaction-interrupted"
    );
    report(&floor, "c1", "talking").await;
    done(&floor, &mut ann, "c1", "hold").await;
}
