//! Who reads activities and histories, and page by page.

use super::*;

fn page(max: u32, rest: &str) -> String {
    format!("<set xmlns='http://jabber.org/protocol/rsm'><max>{max}</max>{rest}</set>")
}

/// S2-23, S2-24, S2-38, S2-39, S2-43, S2-45: the five fields and the rest, calls as calls, chats and e-mails as chats.
#[tokio::test]
async fn an_activity_has_its_fields() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    floor.customer("c1", "Ann Example", "+390451234567").await;
    for (medium, name, category) in [
        (Medium::Voice, "voice", "phone-call"),
        (Medium::Chat, "chat", "chat"),
        (Medium::Email, "email", "chat"),
    ] {
        let mut dealing = Dealing::talking(&floor, name, medium, "ann").await;
        dealing.identify(&floor, "c1").await;
        floor.house.clock.advance_seconds(90);
        dealing.report(&floor, Fact::Ended).await;
        let known = dealing.activity(&floor, 0).await;
        let created = known.created_at.unwrap();
        let address = &dealing.it.address;
        let tag = format!("activity id='{}'", known.id);
        let answer = request(&mut ann, "get", &tag, "").await;
        let expected = format!(
            "version='4' interaction='{name}' agent='ann@localhost' role='primary' medium='{name}' \
             direction='inbound' category='{category}' address='{address}' customer='c1' \
             name='{address}' created='{created}' connected='{created}' closed='{}' duration='90' \
             notes='0'",
            created.plus_seconds(90),
        );
        assert!(answer.contains(&expected), "{answer}\n{expected}");
        dealing
            .take(&floor, Command::FinishWrapUp { by: id("ann") })
            .await;
        let answer = request(&mut ann, "get", &tag, "").await;
        assert!(answer.contains("finished='"), "{answer}");
        let node = "urn:parlour:activity:0#activity";
        let answer = command(&mut ann, node, &[("id", known.id.as_str())]).await;
        assert!(answer.contains("90 seconds."), "{answer}");
    }
}

/// Writes notes that begin with 1 to 5, three of which fit into an answer.
async fn write_five(client: &mut Client) {
    for number in 1..=5 {
        let text = format!("<text>{number}{}</text>", "x".repeat(10 * 1024));
        request(client, "set", "note", &text).await;
    }
}

/// Notes come page by page, forward and backward.
#[tokio::test]
async fn notes_come_in_pages() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let _call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    write_five(&mut ann).await;
    for (set, expected) in [
        (String::new(), &["1", "2", "3"][..]),
        (page(2, ""), &["1", "2"]),
        (page(9, "<after>3</after>"), &["4", "5"]),
        (page(9, "<before/>"), &["3", "4", "5"]),
        (page(1, "<before>3</before>"), &["2"]),
        (page(2, "<index>3</index>"), &["4", "5"]),
        (page(0, ""), &[]),
        (page(9, "<after>5</after>"), &[]),
    ] {
        let answer = request(&mut ann, "get", "activity", &set).await;
        let notes = answer.split("<note n='").skip(1);
        let notes: Vec<&str> = notes.map(|it| it.split('\'').next().unwrap()).collect();
        assert_eq!(notes, expected, "{set}");
        assert!(answer.contains("<count>5</count>"), "{answer}");
    }
    for bad in ["<after>6</after>", "<after>x</after>", "<before>0</before>"] {
        let answer = request(&mut ann, "get", "activity", &page(1, bad)).await;
        assert!(answer.contains("<item-not-found"), "{answer}");
    }
}

/// The same by form, which begins with the last ones.
#[tokio::test]
async fn a_form_leads_through_all_notes() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let _call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    write_five(&mut ann).await;
    let node = "urn:parlour:activity:0#activity";
    for (before, expected, rest) in [
        ("", "345", Some("Older ones are before 3.")),
        ("3", "12", None),
        ("2", "1", None),
    ] {
        let answer = command(&mut ann, node, &[("before", before)]).await;
        let texts = answer.split("<field var='text'><value>").skip(1);
        let shown: String = texts.filter_map(|it| it.chars().next()).collect();
        assert_eq!(shown, expected, "before {before:?}");
        assert_eq!(answer.contains("Older ones"), rest.is_some(), "{before:?}");
        assert!(rest.is_none_or(|rest| answer.contains(rest)), "{before:?}");
    }
}

/// Own activities, the newest first, page by page (XEP-0059).
#[tokio::test]
async fn own_activities_come_in_pages_the_newest_first() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut own = Vec::new();
    for number in 0..5 {
        let which = format!("call-{number}");
        let mut call = Dealing::talking(&floor, &which, Medium::Voice, "ann").await;
        call.report(&floor, Fact::Ended).await;
        own.insert(0, call.activity(&floor, 0).await.id.to_string());
        floor.house.clock.advance_seconds(1);
        Dealing::offered(&floor, &format!("other-{number}"), Medium::Chat, "bob").await;
    }
    let after = |id: &str| format!("<after>{id}</after>");
    let before = |id: &str| format!("<before>{id}</before>");
    for (set, expected) in [
        (String::new(), &own[..]),
        (page(2, ""), &own[..2]),
        (page(2, &after(&own[1])), &own[2..4]),
        (page(2, "<before/>"), &own[3..]),
        (page(2, &before(&own[3])), &own[1..3]),
        (page(0, ""), &[]),
    ] {
        let answer = request(&mut ann, "get", "activities", &set).await;
        assert_eq!(ids(&answer), expected, "{set}");
        assert!(answer.contains("<count>5</count>"), "{answer}");
    }
    let answer = request(&mut ann, "get", "activities", &page(2, &after("x"))).await;
    assert!(answer.contains("<item-not-found"), "{answer}");
    let answer = request(&mut ann, "get", "activities", &page(2, "<index>1</index>")).await;
    assert!(answer.contains("<feature-not-implemented"), "{answer}");
    let node = "urn:parlour:activity:0#activities";
    let answer = command(&mut ann, node, &[]).await;
    assert!(answer.contains("5 of 5 activities."), "{answer}");
    let tag = "activities customer='c1' interaction='call-1'";
    let answer = request(&mut ann, "get", tag, "").await;
    assert_eq!(code(&answer), "field-repeated");
}

/// S1-33, S1-34, S1-35, S1-36: the history of a customer is there for who deals with it, exactly as long.
#[tokio::test]
async fn a_history_is_read_as_long_as_one_deals_with_the_customer() {
    let floor = Floor::new(&["ann", "bob", "carl"]).await;
    floor.customer("c1", "Ann Example", "+390451234567").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut carl = agent(&floor, "carl/desk").await;
    let mut old = Dealing::talking(&floor, "chat-1", Medium::Chat, "carl").await;
    old.identify(&floor, "c1").await;
    old.report(&floor, Fact::Ended).await;
    old.take(&floor, Command::FinishWrapUp { by: id("carl") })
        .await;
    let oldest = old.activity(&floor, 0).await.id.to_string();
    let tag = "activities customer='c1'";
    let single = format!("activity id='{oldest}'");
    floor.house.clock.advance_seconds(60);
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    // Nobody knows yet who calls.
    let answer = request(&mut ann, "get", tag, "").await;
    assert_eq!(code(&answer), "customer-unknown");
    call.identify(&floor, "c1").await;
    let newest = call.activity(&floor, 0).await.id.to_string();
    let answer = request(&mut ann, "get", tag, "").await;
    assert_eq!(ids(&answer), [&newest, &oldest]);
    let answer = request(&mut ann, "get", &single, "").await;
    assert_eq!(ids(&answer), [&oldest]);
    // Who is consulted reads from the answer to the end of the consultation.
    let with = id("bob");
    call.done(&floor, "ann", Verb::Consult { with }).await;
    assert_eq!(
        code(&request(&mut bob, "get", tag, "").await),
        "customer-unknown"
    );
    call.done(&floor, "bob", Verb::Accept).await;
    let answer = request(&mut bob, "get", tag, "").await;
    assert_eq!(ids(&answer).len(), 3, "{answer}");
    let of_call = "activities interaction='call-1'";
    assert_eq!(ids(&request(&mut bob, "get", of_call, "").await).len(), 2);
    call.done(&floor, "ann", Verb::Retrieve).await;
    for (tag, expected) in [
        (tag, "customer-unknown"),
        (of_call, "interaction-unknown"),
        (&single, "activity-unknown"),
    ] {
        assert_eq!(code(&request(&mut bob, "get", tag, "").await), expected);
    }
    // Who writes up still reads; afterwards, and never having had a part, one reads what is one's own.
    call.report(&floor, Fact::Ended).await;
    assert_eq!(ids(&request(&mut ann, "get", tag, "").await).len(), 3);
    call.take(&floor, Command::FinishWrapUp { by: id("ann") })
        .await;
    for client in [&mut ann, &mut carl] {
        let answer = request(client, "get", tag, "").await;
        assert_eq!(code(&answer), "customer-unknown");
    }
    assert_eq!(ids(&request(&mut carl, "get", &single, "").await).len(), 1);
    let own = request(&mut ann, "get", "activities", "").await;
    assert_eq!(ids(&own), [&newest]);
}

/// S1-33 to S1-36: the same of who is asked by instant messages.
#[tokio::test]
async fn a_history_is_read_during_a_consultation_by_instant_messages() {
    let floor = Floor::new(&["ann", "bob"]).await;
    floor.customer("c1", "Ann Example", "+390451234567").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    call.identify(&floor, "c1").await;
    let tag = "activities customer='c1'";
    let im = "urn:parlour:im:0";
    let invite = format!(
        "<invite xmlns='{im}' colleague='bob@localhost' about='call-1'><text>?</text></invite>"
    );
    let answer = ask(&mut ann, "set", &invite).await;
    let session = ask_id(&answer);
    assert_eq!(
        code(&request(&mut bob, "get", tag, "").await),
        "customer-unknown"
    );
    let accept = format!("<accept xmlns='{im}' id='{session}'/>");
    bob.received();
    ask(&mut bob, "set", &accept).await;
    bob.received();
    assert_eq!(ids(&request(&mut bob, "get", tag, "").await).len(), 1);
    let end = format!("<end xmlns='{im}' id='{session}'/>");
    ask(&mut bob, "set", &end).await;
    bob.received();
    assert_eq!(
        code(&request(&mut bob, "get", tag, "").await),
        "customer-unknown"
    );
}

fn ask_id(answer: &str) -> String {
    let (_, rest) = answer.split_once("<session ").unwrap();
    let (_, rest) = rest.split_once("id='").unwrap();
    rest.split('\'').next().unwrap().to_owned()
}

/// Supervisors read by right, and each look is in the audit trail; agents do not.
#[tokio::test]
async fn who_reads_by_right_is_written_down() {
    let floor = Floor::new(&["ann", "sue:supervisor"]).await;
    floor.customer("c1", "Ann Example", "+390451234567").await;
    let mut sue = agent(&floor, "sue/desk").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    call.identify(&floor, "c1").await;
    let known = call.activity(&floor, 0).await.id.to_string();
    let services = floor.house.router.services();
    let filter = crate::store::AuditFilter::default();
    for (tag, operation, target) in [
        (
            format!("activity id='{known}'"),
            "activity show",
            known.as_str(),
        ),
        (
            "activities customer='c1'".to_owned(),
            "activity history",
            "c1",
        ),
        (
            "activities interaction='call-1'".to_owned(),
            "activity list",
            "call-1",
        ),
    ] {
        let answer = request(&mut sue, "get", &tag, "").await;
        assert_eq!(ids(&answer), [&known]);
        let trail = services.store.audit().list(&filter, 9).await.unwrap();
        let noted = trail.iter().any(|it| {
            it.operation == operation && it.target == target && it.actor == "sue@localhost"
        });
        assert!(noted, "{trail:?}");
    }
    let node = "urn:parlour:activity:0#activities";
    let answer = command(&mut sue, node, &[("customer", "c1")]).await;
    assert!(answer.contains("1 of 1 activities."), "{answer}");
    let answer = request(&mut sue, "get", "activities customer='c9'", "").await;
    assert_eq!(code(&answer), "customer-unknown");
    let own = [("jid", "sue@localhost"), ("right", "activity-show")];
    floor.operate("right take", &own).await;
    let answer = request(&mut sue, "get", &format!("activity id='{known}'"), "").await;
    assert_eq!(code(&answer), "activity-unknown");
}
