//! What agents do: take, hold, pass on, end, write up.

use super::*;

/// S2-2, S2-14, S2-6, S2-46: from the offer to the end of the wrap-up, by a typed client on two devices.
#[tokio::test]
async fn an_agent_takes_holds_resumes_ends_and_writes_up() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut phone = floor.online("ann/phone").await;
    offer(&floor, "c1", "ann").await;
    let told = "primary offered offered: New call from +493012345678. \
                Accept or reject within 30 seconds. No customer is known by this address.";
    assert_eq!(heard(&mut ann), [told]);
    assert_eq!(heard(&mut phone), [told]);
    let answer = want(&mut ann, "c1", "accept").await;
    assert!(answer.contains("pending='accept'"), "{answer}");
    assert_eq!(seen(&mut ann, "c1").await, "primary offered offered");
    let asked = request(&floor, PBX);
    assert!(
        asked.contains("verb='accept' agent='ann@localhost' until='2026-09-21T14:13:30Z'"),
        "{asked}"
    );
    confirm(&floor, &asked).await;
    assert_eq!(state(&mut ann).await, "engaged");
    for (verb, line) in [("hold", "held"), ("resume", "connected")] {
        done(&floor, &mut ann, "c1", verb).await;
        assert_eq!(
            seen(&mut ann, "c1").await,
            format!("primary connected {line}")
        );
    }
    ann.received();
    phone.received();
    done(&floor, &mut ann, "c1", "end").await;
    let told = "primary wrap-up over: The call with +493012345678 has ended.";
    assert_eq!(heard(&mut ann).last().unwrap(), told);
    assert_eq!(heard(&mut phone).last().unwrap(), told);
    assert_eq!(state(&mut ann).await, "wrap-up");
    let answer = want(&mut ann, "c1", "finish-wrap-up").await;
    assert!(answer.contains("leg='done'"), "{answer}");
    assert_eq!(state(&mut ann).await, "available");
    assert_eq!(seen(&mut ann, "c1").await, "interaction-unknown");
}

/// S2-6: the state's own wrap-up writes up what is left, whichever way it ends.
#[tokio::test]
async fn a_wrap_up_that_ends_writes_up_all_interactions() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    report(&floor, "c1", "ended").await;
    assert_eq!(seen(&mut ann, "c1").await, "primary wrap-up over");
    ask(&mut ann, "set", "<ready xmlns='urn:parlour:agent:0'/>").await;
    assert_eq!(seen(&mut ann, "c1").await, "interaction-unknown");
    let list = format!("<interactions xmlns='{NS}'/>");
    let list = ask(&mut ann, "get", &list).await;
    assert!(list.contains("<count>0</count>"), "{list}");
}

/// S2-15, S2-16: to an agent, who is told the same, and to a queue, which finds somebody.
#[tokio::test]
async fn a_call_is_transferred_to_an_agent_and_to_a_queue() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    let asked = done(&floor, &mut ann, "c1", "transfer colleague='bob'").await;
    assert!(
        asked.contains("verb='transfer' agent='ann@localhost' to='bob@localhost'"),
        "{asked}"
    );
    assert_eq!(seen(&mut ann, "c1").await, "primary wrap-up offered");
    let told = heard(&mut bob);
    let expected = "primary offered offered: ann passes the call with +493012345678 on to you.";
    assert!(told[0].starts_with(expected), "{told:?}");
    done(&floor, &mut bob, "c1", "accept").await;
    assert_eq!(state(&mut ann).await, "wrap-up");
    assert_eq!(state(&mut bob).await, "engaged");
    let asked = done(&floor, &mut bob, "c1", "transfer queue='sales'").await;
    assert!(asked.contains("queue='sales'"), "{asked}");
    ask(&mut ann, "set", "<ready xmlns='urn:parlour:agent:0'/>").await;
    ann.received();
    offer(&floor, "c1", "ann").await;
    assert!(heard(&mut ann)[0].starts_with("primary offered offered: "));
}

/// S2-32: so is a chat.
#[tokio::test]
async fn a_chat_is_transferred_to_an_agent_and_to_a_queue() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let chat = "<offer interaction='c1' medium='chat' direction='inbound' \
                address='mary@example.net' agent='ann@localhost'/>";
    says(&floor, PBX, "set", chat).await;
    done(&floor, &mut ann, "c1", "accept").await;
    done(&floor, &mut ann, "c1", "transfer colleague='bob'").await;
    assert!(heard(&mut bob)[0].contains("mary@example.net"));
    done(&floor, &mut bob, "c1", "accept").await;
    assert_eq!(seen(&mut ann, "c1").await, "primary wrap-up connected");
    assert_eq!(seen(&mut bob, "c1").await, "primary connected connected");
    let asked = done(&floor, &mut bob, "c1", "transfer queue='sales'").await;
    assert!(asked.contains("queue='sales'"), "{asked}");
    assert_eq!(seen(&mut bob, "c1").await, "primary wrap-up offered");
}

/// S2-34, S2-35: a chat gets a second agent, and goes on when the first one leaves.
#[tokio::test]
async fn a_conference_goes_on_without_the_agent_who_leaves() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    talking(&floor, &mut ann, "c1").await;
    assert_eq!(code(&want(&mut ann, "c1", "leave").await), "last-agent");
    done(&floor, &mut ann, "c1", "conference colleague='bob'").await;
    assert!(
        heard(&mut bob)[0]
            .starts_with("conferenced offered connected: ann adds you to the call with")
    );
    ann.received();
    done(&floor, &mut bob, "c1", "accept").await;
    assert_eq!(
        heard(&mut ann).last().unwrap(),
        "primary connected connected: bob has accepted."
    );
    bob.received();
    done(&floor, &mut ann, "c1", "leave").await;
    assert_eq!(
        heard(&mut bob).last().unwrap(),
        "primary connected connected: You deal with the customer now."
    );
    assert_eq!(state(&mut ann).await, "wrap-up");
}

/// S2-14: whoever does not want to, does not answer, or is asked no longer.
#[tokio::test]
async fn an_offer_is_rejected_times_out_or_is_withdrawn() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    offer(&floor, "c1", "ann").await;
    done(&floor, &mut ann, "c1", "reject").await;
    assert_eq!(seen(&mut ann, "c1").await, "interaction-unknown");
    offer(&floor, "c2", "ann").await;
    ann.received();
    report(&floor, "c2", "ended").await;
    assert_eq!(
        heard(&mut ann),
        ["primary withdrawn over: The call with +493012345678 is no longer offered to you."]
    );
    offer(&floor, "c3", "ann").await;
    ann.received();
    floor.house.clock.advance_seconds(31);
    Box::pin(time_is_up(&floor, "c3")).await;
    assert_eq!(
        heard(&mut ann),
        [
            "primary timed-out offered: The call with +493012345678 was offered to you, and you have not answered."
        ]
    );
    assert_eq!(state(&mut ann).await, "available");
    // The connector may offer it once more.
    offer(&floor, "c3", "ann").await;
    assert_eq!(seen(&mut ann, "c3").await, "primary offered offered");
}

/// A connector that refuses, or says nothing, leaves everything as it was, and the agent is told.
#[tokio::test]
async fn a_request_that_is_refused_or_not_answered_changes_nothing() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    talking(&floor, &mut ann, "c1").await;
    want(&mut ann, "c1", "hold").await;
    let asked = request(&floor, PBX);
    // The same once more is the same request.
    want(&mut ann, "c1", "hold").await;
    assert!(floor.house.component_receives(PBX).is_empty());
    assert_eq!(code(&want(&mut ann, "c1", "end").await), "request-pending");
    ann.received();
    refuse(&floor, &asked, "No line.").await;
    let told = heard(&mut ann);
    assert_eq!(
        told,
        ["primary connected connected: Not done: hold (No line)."]
    );
    // Answered already.
    confirm(&floor, &asked).await;
    assert_eq!(heard(&mut ann), Vec::<String>::new());
    want(&mut ann, "c1", "hold").await;
    let asked = request(&floor, PBX);
    ann.received();
    floor.house.clock.advance_seconds(11);
    Box::pin(time_is_up(&floor, "c1")).await;
    assert_eq!(
        heard(&mut ann),
        [
            "primary connected connected: Not done: hold (the telephony or chat system has not answered)."
        ]
    );
    confirm(&floor, &asked).await;
    assert_eq!(seen(&mut ann, "c1").await, "primary connected connected");
}

/// S2-46, S2-47, S2-48: several at once, of which one is in front; the other devices follow, and forms name it first.
#[tokio::test]
async fn one_of_several_is_in_front() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut phone = floor.online("ann/phone").await;
    let chat = |id: &str| {
        format!(
            "<offer interaction='{id}' medium='chat' direction='inbound' address='Eve@Mail.example' agent='ann@localhost'/>"
        )
    };
    for id in ["c1", "c2"] {
        says(&floor, PBX, "set", &chat(id)).await;
        done(&floor, &mut ann, id, "accept").await;
        floor.house.clock.advance_seconds(1);
    }
    phone.received();
    want(&mut ann, "c1", "focus").await;
    let told = phone.received_xml().concat();
    assert!(
        told.contains(&format!("<focus xmlns='{NS}' interaction='c1'/>")),
        "{told}"
    );
    want(&mut ann, "c1", "focus").await;
    assert!(phone.received_xml().is_empty());
    // The form's choice is the one in front.
    let held = command(&mut ann, "urn:parlour:interaction:0#hold", &[]).await;
    assert!(
        held.contains("Asked for: hold. The chat with eve@mail.example: connected."),
        "{held}"
    );
    assert!(request(&floor, PBX).contains("interaction='c1' verb='hold'"));
    let list = format!(
        "<interactions xmlns='{NS}'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set></interactions>"
    );
    let list = ask(&mut ann, "get", &list).await;
    assert!(
        list.contains("<interaction id='c1' ")
            && !list.contains("<interaction id='c2'")
            && list.contains("<count>2</count>"),
        "{list}"
    );
}

/// Both doors: the commands of a plain client, from the offer to the wrap-up.
#[tokio::test]
async fn a_plain_client_does_the_same_by_forms() {
    let floor = floor(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let node = |name: &str| format!("{NS}#{name}");
    offer(&floor, "c1", "ann").await;
    for (name, fields, told) in [
        (
            "accept",
            &[][..],
            "Asked for: accept. The call with +493012345678: offered.",
        ),
        (
            "hold",
            &[],
            "Asked for: hold. The call with +493012345678: connected.",
        ),
        ("resume", &[], "Asked for: resume."),
        ("consult", &[("colleague", "bob")], "Asked for: consult."),
        ("retrieve", &[], "Asked for: retrieve."),
        (
            "conference",
            &[("colleague", "bob@localhost")],
            "Asked for: conference.",
        ),
        ("end", &[], "Asked for: end."),
    ] {
        let answer = command(&mut ann, &node(name), fields).await;
        assert!(answer.contains(told), "{name}: {answer}");
        let asked = request(&floor, PBX);
        confirm(&floor, &asked).await;
    }
    let fields = [("name", "order"), ("value", "4711")];
    let answer = command(&mut ann, &node("attach"), &fields).await;
    assert!(answer.contains("Attached. The call with"), "{answer}");
    let answer = command(&mut ann, &node("interaction"), &[]).await;
    assert!(
        answer.contains("The call with +493012345678: over."),
        "{answer}"
    );
    let answer = command(&mut ann, &node("interactions"), &[]).await;
    assert!(answer.contains("1 interactions."), "{answer}");
    let answer = command(&mut ann, &node("finish-wrap-up"), &[]).await;
    assert!(answer.contains("Written up."), "{answer}");
    bob.received();
    let answer = command(&mut bob, &node("hold"), &[("interaction", "c1")]).await;
    assert_eq!(code(&answer), "interaction-over");
}

/// What is due is done by the record's own time.
async fn time_is_up(floor: &Floor, id: &str) {
    let services = floor.house.router.services();
    let id: crate::domain::ids::InteractionId = id.parse().unwrap();
    // As the timers do it; nobody's state changes by it, so that no other memory is needed.
    let due = services
        .store
        .records()
        .due(services.clock.now(), None, 10)
        .await;
    assert!(due.unwrap().iter().any(|it| it.id == id.as_str()));
    let center = std::sync::Arc::new(crate::contact_center::center::Center::new(&services.config));
    let services = std::sync::Arc::clone(services);
    let up = super::super::time_is_up(center, services, id.to_string());
    Box::pin(up).await.unwrap();
}
