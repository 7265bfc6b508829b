//! Consultations by instant messages and by voice, and what becomes of them (S1-33 to S1-44, S2-18 to S2-20).

use super::*;

const IM: &str = "urn:parlour:im:0";

/// An IM session about an interaction.
async fn consult_by_im(client: &mut Client, about: &str, colleague: &str) -> String {
    let invite = format!(
        "<invite xmlns='{IM}' colleague='{colleague}@localhost' about='{about}'><text>Please look.</text></invite>"
    );
    let answer = ask(client, "set", &invite).await;
    attribute(&answer, "session", "id").unwrap_or_else(|| panic!("{answer}"))
}

async fn im(client: &mut Client, what: &str, id: &str) {
    let answer = ask(client, "set", &format!("<{what} xmlns='{IM}' id='{id}'/>")).await;
    assert!(answer.contains("type='result'"), "{answer}");
}

/// S0-1, S1-2, S1-7, S1-25, S1-26, S1-27: a session can be about an interaction, which the invitee is told with the first message. Of one that is another's
/// nobody learns by this that there is one.
#[tokio::test]
async fn an_invitation_names_an_interaction_of_the_inviter_and_no_other() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    for about in ["c1", "c2"] {
        let invite = format!(
            "<invite xmlns='{IM}' colleague='ann@localhost' about='{about}'><text>?</text></invite>"
        );
        let answer = ask(&mut bob, "set", &invite).await;
        assert_eq!(code(&answer), "interaction-unknown", "{about}");
    }
    let session = consult_by_im(&mut ann, "c1", "bob").await;
    let received = bob.received_xml();
    let told = received.iter().find(|xml| xml.contains("<invitation "));
    let told = told.unwrap_or_else(|| panic!("{received:?}"));
    assert_eq!(attribute(told, "invitation", "id").unwrap(), session);
    assert_eq!(attribute(told, "invitation", "about").unwrap(), "c1");
}

/// S1-33, S1-34, S1-36, S1-37: who is consulted by instant messages reads exactly while that lasts, and never writes.
#[tokio::test]
async fn who_is_consulted_by_im_reads_as_long_as_both_talk() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    want(&mut ann, "c1", "attach <data name='order'>4711</data>").await;
    let session = consult_by_im(&mut ann, "c1", "bob").await;
    let data = "<data name='order'>4711</data>";
    assert_eq!(
        code(&want(&mut bob, "c1", "interaction").await),
        "interaction-unknown"
    );
    im(&mut bob, "accept", &session).await;
    let read = want(&mut bob, "c1", "interaction").await;
    assert!(
        read.contains(data) && !read.contains(" leg='offered'"),
        "{read}"
    );
    for write in [
        "attach <data name='order'>0</data>",
        "identify customer='x'",
    ] {
        assert_eq!(code(&want(&mut bob, "c1", write).await), "read-only");
    }
    assert_eq!(
        code(&want(&mut bob, "c1", "hold").await),
        "interaction-unknown"
    );
    bob.received();
    want(&mut ann, "c1", "attach <data name='tone'>angry</data>").await;
    let told = bob.received_xml().concat();
    assert!(
        told.contains("type='headline'") && told.contains("angry"),
        "{told}"
    );
    im(&mut ann, "end", &session).await;
    assert_eq!(
        code(&want(&mut bob, "c1", "interaction").await),
        "interaction-unknown"
    );
    bob.received();
    want(&mut ann, "c1", "attach <data name='tone'>calm</data>").await;
    assert_eq!(heard(&mut bob), Vec::<String>::new());
}

/// S1-3, S1-38, S1-39, S1-40, S1-41, S1-42, S1-43, S1-44, S2-18, S2-20: the colleague who is consulted by instant messages is the one who is called; the
/// customer is on hold; when the colleague accepts, both speak, and the customer is retrieved.
#[tokio::test]
async fn an_im_consultation_is_escalated_to_voice_and_the_customer_is_retrieved() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    assert_eq!(
        code(&want(&mut ann, "c1", "consult").await),
        "field-missing"
    );
    let session = consult_by_im(&mut ann, "c1", "bob").await;
    im(&mut bob, "accept", &session).await;
    // The form has the colleague in it already.
    let answer = command(&mut ann, "urn:parlour:interaction:0#consult", &[]).await;
    assert!(answer.contains("Asked for: consult."), "{answer}");
    let asked = request(&floor, PBX);
    assert!(asked.contains("to='bob@localhost'"), "{asked}");
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    bob.received();
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected held");
    let received = bob.received_xml().concat();
    assert!(
        received.contains("ann asks for your advice on the call with")
            && received.contains("<screen-pop "),
        "{received}"
    );
    ann.received();
    done(&floor, &mut bob, "c1", "accept").await;
    assert_eq!(
        heard(&mut ann).last().unwrap(),
        "primary connected held: bob has accepted."
    );
    assert_eq!(state(&mut bob).await, "engaged");
    assert_eq!(code(&want(&mut bob, "c1", "end").await), "not-primary");
    assert_eq!(
        code(&want(&mut ann, "c1", "resume").await),
        "consultation-open"
    );
    bob.received();
    done(&floor, &mut ann, "c1", "retrieve").await;
    assert_eq!(
        heard(&mut bob).last().unwrap(),
        "consulted wrap-up connected: The consultation has ended."
    );
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    // The IM session goes on, and with it the reading.
    assert_eq!(seen(&mut bob, "c1").await, "consulted wrap-up connected");
}

/// S1-43: whatever becomes of the call to the colleague, the customer can be retrieved at once.
#[tokio::test]
async fn a_consultation_that_is_not_taken_leaves_the_customer_retrievable() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    done(&floor, &mut ann, "c1", "consult colleague='bob'").await;
    ann.received();
    done(&floor, &mut bob, "c1", "reject").await;
    assert_eq!(
        heard(&mut ann).last().unwrap(),
        "primary connected held: bob has rejected."
    );
    done(&floor, &mut ann, "c1", "retrieve").await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    want(&mut ann, "c1", "consult colleague='bob'").await;
    let asked = request(&floor, PBX);
    refuse(&floor, &asked, "Busy").await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
    assert_eq!(seen(&mut bob, "c1").await, "interaction-unknown");
    done(&floor, &mut ann, "c1", "consult colleague='bob'").await;
    bob.received();
    done(&floor, &mut ann, "c1", "retrieve").await;
    assert_eq!(
        heard(&mut bob).last().unwrap(),
        "consulted withdrawn connected: The call with +493012345678 is no longer offered to you."
    );
}

/// S2-19: the consulted colleague takes over, or joins.
#[tokio::test]
async fn a_consultation_becomes_a_transfer_or_a_conference() {
    for (verb, ann_is, bob_is) in [
        ("complete-transfer", "primary wrap-up", "primary connected"),
        ("conference", "primary connected", "conferenced connected"),
    ] {
        let floor = floor(&["ann", "bob"]).await;
        let mut ann = agent(&floor, "ann/desk").await;
        let mut bob = agent(&floor, "bob/desk").await;
        talking(&floor, &mut ann, "c1").await;
        assert_eq!(code(&want(&mut ann, "c1", verb).await), "no-consultation");
        done(&floor, &mut ann, "c1", "consult colleague='bob'").await;
        assert_eq!(
            code(&want(&mut ann, "c1", verb).await),
            "consultation-not-accepted"
        );
        done(&floor, &mut bob, "c1", "accept").await;
        bob.received();
        done(&floor, &mut ann, "c1", verb).await;
        let told = heard(&mut bob);
        assert!(told.last().unwrap().contains(": You "), "{told:?}");
        assert_eq!(seen(&mut ann, "c1").await, format!("{ann_is} connected"));
        assert_eq!(seen(&mut bob, "c1").await, format!("{bob_is} connected"));
    }
}

/// The connector has stopped ringing at the colleague: the agent who waits is told, and retrieves the customer.
#[tokio::test]
async fn who_waits_is_told_when_the_connector_gives_a_colleague_up() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let _bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    done(&floor, &mut ann, "c1", "consult colleague='bob'").await;
    ann.received();
    report(&floor, "c1", "left bob").await;
    assert_eq!(
        heard(&mut ann),
        ["primary connected held: bob has not answered."]
    );
    done(&floor, &mut ann, "c1", "consult colleague='bob'").await;
    ann.received();
    // What the agent itself has wanted needs no words.
    done(&floor, &mut ann, "c1", "retrieve").await;
    let told = heard(&mut ann).concat();
    assert!(!told.contains("has not answered"), "{told}");
}
