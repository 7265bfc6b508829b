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
    sends(floor, &iq).await;
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

/// What it is asked, with the id of the question, if it is.
fn question(floor: &Floor) -> Option<String> {
    let received = floor.house.component_receives(PBX);
    assert!(received.len() <= 1, "{received:?}");
    let asked = received.first()?;
    assert!(asked.contains("<interaction id='c1'/>"), "{asked}");
    attribute(asked, "iq", "id")
}

/// What is due of the questions is asked after so many seconds.
async fn passes(floor: &Floor, seconds: i64) {
    floor.house.clock.advance_seconds(seconds);
    let (center, _) = floor.inside();
    super::super::asking::turn(&center, floor.house.router.services()).await;
}

/// One that answers with an error, or does not answer, has told nothing: it is asked again, after longer and longer pauses, until
/// it does; what it says meanwhile counts.
#[tokio::test]
async fn a_connector_that_does_not_tell_is_asked_again() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    floor.house.component_goes(PBX).await;
    floor.house.component_comes(PBX).await;
    let id = question(&floor).unwrap();
    let error = format!(
        "<iq type='error' id='{id}' from='{PBX}' to='{CENTER}'><error type='cancel'>\
         <feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    );
    sends(&floor, &error).await;
    assert_eq!(
        code(&want(&mut ann, "c1", "hold").await),
        "interaction-interrupted"
    );
    let mut last = id;
    for pause in [5, 10, 20, 40, 60, 60] {
        passes(&floor, pause - 1).await;
        assert_eq!(question(&floor), None, "{pause}");
        passes(&floor, 1).await;
        last = question(&floor).unwrap_or_else(|| panic!("not asked after {pause}"));
    }
    let told = format!(
        "<iq type='result' id='{last}' from='{PBX}' to='{CENTER}'>\
         <interactions xmlns='urn:parlour:connector:0'>\
         <interaction id='c1' line='held'><agent jid='ann@localhost'/></interaction></interactions></iq>"
    );
    sends(&floor, &told).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected held");
    for _ in 0..2 {
        passes(&floor, 600).await;
        assert_eq!(question(&floor), None);
    }
    // And one that says something of its own accord need not be asked.
    floor.house.component_goes(PBX).await;
    floor.house.component_comes(PBX).await;
    question(&floor).unwrap();
    report(&floor, "c1", "talking").await;
    passes(&floor, 600).await;
    assert_eq!(question(&floor), None);
    done(&floor, &mut ann, "c1", "hold").await;
}

/// One that is there is not given up because it is slow to tell; one that never tells is, in the end.
#[tokio::test]
async fn a_connector_that_is_there_is_waited_for_longer() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    floor.house.component_goes(PBX).await;
    floor.house.component_comes(PBX).await;
    let (center, _) = floor.inside();
    for time in 0..=crate::domain::interaction::PUT_OFF_MAX {
        assert_eq!(
            seen(&mut ann, "c1").await,
            "primary connected connected",
            "{time}"
        );
        floor.house.clock.advance_seconds(600);
        let services = std::sync::Arc::clone(floor.house.router.services());
        let up =
            super::super::time_is_up(std::sync::Arc::clone(&center), services, "c1".to_owned());
        Box::pin(up).await.unwrap();
    }
    assert_eq!(seen(&mut ann, "c1").await, "primary wrap-up over");
}

/// A connector that goes while something of it is decided leaves nothing behind that nobody ends.
#[tokio::test]
async fn what_is_decided_while_the_connector_goes_is_interrupted() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    floor.house.component_goes(PBX).await;
    // It had said that before it was gone.
    let offer = format!(
        "<iq type='set' id='said' from='{PBX}' to='{CENTER}'>\
         <offer xmlns='urn:parlour:connector:0' interaction='c1' medium='voice' direction='inbound' \
         address='{NUMBER}' agent='ann@localhost'/></iq>"
    );
    sends(&floor, &offer).await;
    let told = heard(&mut ann);
    assert!(
        told.iter().any(|it| it.contains("is interrupted")),
        "{told:?}"
    );
    floor.house.component_comes(PBX).await;
    tells(&floor, "").await;
    assert_eq!(seen(&mut ann, "c1").await, "interaction-unknown");
}

/// A request that comes back because nobody was there to take it is not refused by the connector, which may have done it.
#[tokio::test]
async fn what_the_server_gives_back_is_no_refusal() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    want(&mut ann, "c1", "hold").await;
    let asked = request(&floor, PBX);
    floor.house.component_goes(PBX).await;
    let id = attribute(&asked, "request", "id").unwrap();
    let back = format!(
        "<iq type='error' id='{id}' from='{PBX}' to='{CENTER}'><error type='wait'>\
         <remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    );
    sends(&floor, &back).await;
    let services = floor.house.router.services();
    let now = super::super::find(services, &"c1".parse().unwrap()).await;
    assert!(now.unwrap().unwrap().request.is_some());
    floor.house.component_comes(PBX).await;
    tells(
        &floor,
        "<interaction id='c1' line='held'><agent jid='ann@localhost'/></interaction>",
    )
    .await;
    let told = heard(&mut ann);
    assert!(!told.iter().any(|it| it.contains("Not done")), "{told:?}");
    assert_eq!(seen(&mut ann, "c1").await, "primary connected held");
}
