//! Follow-ups are planned from five kinds of source, on channels, with all their fields.

use super::*;

/// S3-1, S3-5, S3-8, S3-11: from the record of an interaction, with its customer, which is shown in its activity clipboard.
#[tokio::test]
async fn a_follow_up_is_planned_from_an_interaction() {
    let floor = Floor::new(&["ann"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    call.identify(&floor, "c1").await;
    let tag = "plan source='interaction-record' source-id='call-1' type='phone-call' \
               due='2026-09-28T10:00:00Z'";
    let answer = request(&mut ann, "set", tag, "").await;
    let expected = "version='1' status='planned' source='interaction-record' source-id='call-1' \
                    display-area='activity-clipboard' type='phone-call' type-label='Phone call' \
                    customer='c1' due='2026-09-28T10:00:00Z' responsible='ann@localhost' \
                    author='ann@localhost' planned='2026-09-21T14:13:20Z' notes='0'>\
                    <title>Mary Example</title>";
    assert!(answer.contains(expected), "{answer}");
    // After the call, too: the agent had its part.
    call.report(&floor, Fact::Ended).await;
    let by = "ann@localhost".parse().unwrap();
    call.take(&floor, Command::FinishWrapUp { by }).await;
    let second = request(&mut ann, "set", tag, "<title>Second</title>").await;
    assert!(second.contains("<title>Second</title>"), "{second}");
    let shown = "follow-ups source='interaction-record' source-id='call-1'";
    let answer = request(&mut ann, "get", shown, "").await;
    assert_eq!(ids(&answer).len(), 2, "{answer}");
    assert_eq!(all(&answer, "display-area"), ["activity-clipboard"; 2]);
}

/// S3-7 to S3-10, S3-13: five kinds of source, and each has its place.
#[tokio::test]
async fn where_it_is_shown_depends_on_what_it_was_planned_from() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let _call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    for (source, id, area) in [
        ("interaction-record", "call-1", "activity-clipboard"),
        ("service-ticket", "4711", "business-context"),
        ("service-order", "4711", "business-context"),
        ("complaint", "4711", "business-context"),
        ("case", "case 1", "linked-objects"),
    ] {
        let named = format!("source='{source}' source-id='{id}'");
        let tag = format!("plan {named} type='task'");
        let answer = request(&mut ann, "set", &tag, "<title>So</title>").await;
        assert_eq!(all(&answer, "display-area"), [area], "{answer}");
        let made = ids(&answer);
        let answer = request(&mut ann, "get", &format!("follow-ups {named}"), "").await;
        assert_eq!(ids(&answer), made, "{answer}");
        let (source, id) = (("source", source), ("source-id", id));
        let answer = command(&mut ann, &node("follow-ups"), &[source, id]).await;
        assert!(answer.contains(area), "{answer}");
    }
}

/// S3-4, S3-12, S3-14: what is not permitted on the channel is refused, and forms do not offer it.
#[tokio::test]
async fn only_what_is_permitted_on_the_channel_may_follow() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let visit = [("code", "visit"), ("label", "en: Visit\nde: Besuch")];
    floor.operate("transaction-type put", &visit).await;
    let on = |channel| [("channel", channel), ("type", "visit\nphone-call")];
    floor.operate("channel permit", &on("voice")).await;
    let none = [("channel", "none"), ("type", "task")];
    floor.operate("channel permit", &none).await;
    let form = format!(
        "<command xmlns='http://jabber.org/protocol/commands' node='{}'/>",
        node("plan")
    );
    let offered = async |ann: &mut Client| {
        let form = ask(ann, "set", &form).await;
        let field = form.split("<field ").find(|it| it.contains("var='type'"));
        let options = field.unwrap().split("<value>").skip(1);
        let code = |it: &str| it.split('<').next().unwrap().to_owned();
        options.map(code).collect::<Vec<_>>()
    };
    assert_eq!(offered(&mut ann).await, ["task"]);
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    assert_eq!(offered(&mut ann).await, ["phone-call", "visit"]);
    let plan = |source: &str, kind: &str| format!("plan {source} type='{kind}'");
    let (of_call, of_case) = (
        "source='interaction-record' source-id='call-1'",
        "source='case' source-id='1'",
    );
    for (source, kind, expected) in [
        (of_call, "visit", None),
        (of_call, "task", Some("transaction-type-not-permitted")),
        (of_call, "dance", Some("transaction-type-unknown")),
        (of_case, "task", None),
        (of_case, "visit", Some("transaction-type-not-permitted")),
    ] {
        let answer = request(&mut ann, "set", &plan(source, kind), "<title>So</title>").await;
        match expected {
            None => assert!(answer.contains("<follow-up "), "{answer}"),
            Some(expected) => assert_eq!(code(&answer), expected, "{answer}"),
        }
    }
    // By form: the only interaction in hand is chosen already; what is not offered is not taken.
    let fields = [("from", "interaction-record/call-1"), ("type", "visit")];
    let answer = command(&mut ann, &node("plan"), &fields).await;
    assert!(
        answer.contains("It is planned. Visit: +390451234567."),
        "{answer}"
    );
    let fields = [("from", "interaction-record/call-1"), ("type", "task")];
    let answer = command(&mut ann, &node("plan"), &fields).await;
    assert!(answer.contains("one of its options"), "{answer}");
    // A running server follows at once.
    floor
        .operate("channel reset", &[("channel", "voice")])
        .await;
    assert_eq!(offered(&mut ann).await.len(), 7);
    call.report(&floor, Fact::Ended).await;
}

/// S3-18 to S3-20: every field, written and written anew, by both doors; who has read an old version is told the present one.
#[tokio::test]
async fn every_field_is_kept_and_can_be_changed() {
    let floor = Floor::new(&["ann", "bob"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    let reason = [
        ("kind", "interaction"),
        ("code", "broken"),
        ("label", "en: Broken"),
    ];
    floor.operate("reason put", &reason).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let more = "customer='c1' start='2026-09-28T10:00:00Z' end='2026-09-28T10:30:00+00:00' \
                due='2026-09-29T00:00:00+02:00' reason='broken' responsible='bob@localhost'";
    let id = planned(&mut ann, more).await;
    let look = format!("follow-up id='{id}'");
    let answer = request(&mut ann, "get", &look, "").await;
    let expected = "customer='c1' start='2026-09-28T10:00:00Z' end='2026-09-28T10:30:00Z' \
                    due='2026-09-28T22:00:00Z' reason='broken' reason-label='Broken' \
                    responsible='bob@localhost' author='ann@localhost'";
    assert!(answer.contains(expected), "{answer}");
    let edit = format!("edit id='{id}' version='1' type='email'");
    let answer = request(&mut ann, "set", &edit, "<title>Write</title>").await;
    let expected = "version='2' status='planned' source='service-ticket' source-id='t-1' \
                    display-area='business-context' type='email' type-label='E-mail' \
                    responsible='bob@localhost'";
    assert!(answer.contains(expected), "{answer}");
    let answer = request(&mut ann, "set", &edit, "<title>Other</title>").await;
    assert!(
        answer.contains("<follow-up-changed xmlns='urn:parlour:errors:0'><follow-up "),
        "{answer}"
    );
    assert!(answer.contains("version='2'") && answer.contains("<title>Write</title>"));
    let fields = [
        ("id", id.as_str()),
        ("version", "2"),
        ("type", "sales-order"),
        ("title", "Offer"),
        ("reason", "broken"),
    ];
    let answer = command(&mut ann, &node("edit"), &fields).await;
    assert!(
        answer.contains("Sales order: Offer. bob, planned."),
        "{answer}"
    );
    // What is out of use stays where it was chosen.
    let retired = [("kind", "interaction"), ("code", "broken")];
    floor.operate("reason retire", &retired).await;
    floor
        .operate("transaction-type remove", &[("code", "sales-order")])
        .await;
    let edit = format!("edit id='{id}' version='3' type='sales-order' reason='broken'");
    let answer = request(&mut ann, "set", &edit, "<title>Offer two</title>").await;
    assert!(answer.contains("type-label='sales-order'"), "{answer}");
    assert!(answer.contains("reason-label='Broken'"), "{answer}");
}

/// Who may not look customers up changes the date all the same; another customer it cannot name.
#[tokio::test]
async fn the_customer_that_is_known_stays_whoever_edits() {
    let floor = Floor::new(&["ann", "bob"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    floor.customer("c2", "M. Example", "mary@example.net").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let id = planned(&mut ann, "customer='c1' responsible='bob@localhost'").await;
    let taken = [("role", "agent"), ("right", "customer-show")];
    floor.operate("right take", &taken).await;
    let mut bob = agent(&floor, "bob/desk").await;
    let edit = |customer: &str| {
        format!(
            "edit id='{id}' version='1' type='task' customer='{customer}' due='2026-09-28T10:00:00Z'"
        )
    };
    for other in ["c2", "c3"] {
        let answer = request(&mut bob, "set", &edit(other), "<title>Call</title>").await;
        assert_eq!(code(&answer), "customer-unknown", "{other}");
    }
    let answer = request(&mut bob, "set", &edit("c1"), "<title>Call</title>").await;
    assert!(
        answer.contains("customer='c1' due='2026-09-28T10:00:00Z'"),
        "{answer}"
    );
}

/// S3-11: what is copied is what the rules say of the pair, from displayed fields and from attached data.
#[tokio::test]
async fn what_is_copied_from_the_source_is_configured() {
    let floor = Floor::new(&["ann"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    let reason = [
        ("kind", "interaction"),
        ("code", "broken"),
        ("label", "en: Broken"),
    ];
    floor.operate("reason put", &reason).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let fields = "<field name='Customer'>c1</field><field name='Reason'>broken</field>\
                  <field name='Due'>2026-09-28T10:00:00Z</field><field name='Start'>soon</field>";
    opens(&mut ann, "complaint", "17", "Printer is on fire", fields).await;
    let tag = "plan source='complaint' source-id='17' type='task'";
    let answer = request(&mut ann, "set", tag, "").await;
    assert!(
        answer.contains("<title>Printer is on fire</title>"),
        "{answer}"
    );
    assert!(
        answer.contains("customer='c1'") && !answer.contains("reason="),
        "{answer}"
    );
    let pair = [("source", "complaint"), ("type", "task")];
    let copied = [&pair[..], &[("copy", "title\nreason\ndates")]].concat();
    floor.operate("copy-rule set", &copied).await;
    let answer = request(&mut ann, "set", tag, "").await;
    assert!(
        answer.contains("due='2026-09-28T10:00:00Z' reason='broken'"),
        "{answer}"
    );
    assert!(
        !answer.contains("customer=") && !answer.contains("start="),
        "{answer}"
    );
    // What the agent fills in stays, and of another type nothing has changed.
    let own = format!("{tag} due='2026-10-01T00:00:00Z'");
    let answer = request(&mut ann, "set", &own, "<title>Own</title>").await;
    assert!(answer.contains("due='2026-10-01T00:00:00Z'"), "{answer}");
    assert!(answer.contains("<title>Own</title>"), "{answer}");
    let other = "plan source='complaint' source-id='17' type='email'";
    let answer = request(&mut ann, "set", other, "").await;
    assert!(answer.contains("customer='c1'"), "{answer}");
    // Nothing copied: there is no title then.
    floor.operate("copy-rule set", &pair).await;
    let answer = request(&mut ann, "set", tag, "").await;
    assert_eq!(code(&answer), "follow-up-title-malformed");
    floor.operate("copy-rule reset", &pair).await;
    let answer = request(&mut ann, "set", tag, "").await;
    assert!(
        answer.contains("<title>Printer is on fire</title>"),
        "{answer}"
    );
    // Attached data of an interaction.
    let mut call = Dealing::new("call-2", Medium::Voice);
    call.it.data.insert("subject".to_owned(), "Bill".to_owned());
    let agent = "ann@localhost".parse().unwrap();
    let data = [("subject".to_owned(), "The bill".to_owned())].into();
    let offer = Command::Offer {
        agent,
        queue: None,
        data,
    };
    call.take(&floor, offer).await;
    let tag = "plan source='interaction-record' source-id='call-2' type='task'";
    let answer = request(&mut ann, "set", tag, "").await;
    assert!(answer.contains("<title>The bill</title>"), "{answer}");
}

/// S3-5, S3-13: a form offers what the agent has in hand, then its last ones, and its recent objects of the five kinds.
#[tokio::test]
async fn a_form_offers_what_can_be_followed() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    opens(&mut ann, "case", "c 1", "The case", "").await;
    opens(&mut ann, "lead", "l1", "No source", "").await;
    let mut old = Dealing::talking(&floor, "chat-1", Medium::Chat, "ann").await;
    old.report(&floor, Fact::Ended).await;
    let by = "ann@localhost".parse().unwrap();
    old.take(&floor, Command::FinishWrapUp { by }).await;
    floor.house.clock.advance_seconds(1);
    let _call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let form = format!(
        "<command xmlns='http://jabber.org/protocol/commands' node='{}'/>",
        node("plan")
    );
    let form = ask(&mut ann, "set", &form).await;
    let field = form.split("<field ").find(|it| it.contains("var='from'"));
    let values = field.unwrap().split("<value>").skip(1);
    let values: Vec<_> = values.map(|it| it.split('<').next().unwrap()).collect();
    let call = "interaction-record/call-1";
    let mut expected = vec![call, "interaction-record/chat-1", "case/c 1"];
    expected.sort_unstable();
    let mut options: Vec<_> = values.clone();
    // What is chosen already stands there once more.
    options.sort_unstable();
    options.dedup();
    assert_eq!(options, expected, "{form}");
    assert_eq!(values.iter().filter(|it| **it == call).count(), 2, "{form}");
    let fields = [("from", "case/c 1"), ("type", "task")];
    let answer = command(&mut ann, &node("plan"), &fields).await;
    assert!(answer.contains("Task: The case."), "{answer}");
}
