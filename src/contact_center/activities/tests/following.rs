//! What happens in an interaction, and what each participant's activity is then.

use super::*;
use crate::domain::ids::CustomerId;

/// How an activity is, in short.
fn brief(it: &Activity) -> String {
    let subject = it.subject.as_ref().unwrap();
    let word = |at: bool, word: &'static str| at.then_some(word);
    let customer = subject.customer.as_ref().map(|id| id.as_str());
    let words = [
        Some(subject.agent.logon()),
        Some(super::super::wire::role(subject.role)),
        customer,
        word(it.connected_at.is_some(), "connected"),
        word(it.closed_at.is_some(), "closed"),
        word(it.finished_at.is_some(), "finished"),
    ];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    words.join(" ")
}

async fn briefs(floor: &Floor, dealing: &Dealing) -> Vec<String> {
    let mut briefs = Vec::new();
    for part in 0..dealing.it.participants.len() {
        briefs.push(brief(&dealing.activity(floor, part).await));
    }
    briefs
}

/// S2-17, S2-18, S2-19, S2-33, S2-34, S2-36: each part has an activity of its own, opened at the offer and closed when that
/// agent leaves.
#[tokio::test]
async fn each_part_has_its_activity_from_the_offer_to_the_end() {
    let floor = Floor::new(&["ann", "bob", "carl"]).await;
    let mut call = Dealing::offered(&floor, "call-1", Medium::Voice, "ann").await;
    assert_eq!(briefs(&floor, &call).await, ["ann primary"]);
    call.done(&floor, "ann", Verb::Accept).await;
    assert_eq!(briefs(&floor, &call).await, ["ann primary connected"]);
    let with = id("bob");
    call.done(&floor, "ann", Verb::Consult { with }).await;
    call.done(&floor, "bob", Verb::Accept).await;
    call.done(&floor, "ann", Verb::Conference { with: None })
        .await;
    assert_eq!(
        briefs(&floor, &call).await,
        ["ann primary connected", "bob conferenced connected"]
    );
    call.done(&floor, "ann", Verb::Leave).await;
    assert_eq!(
        briefs(&floor, &call).await,
        ["ann primary connected closed", "bob primary connected"]
    );
    // Not taken, and offered once more later: another part.
    let to = Target::Agent(id("carl"));
    call.done(&floor, "bob", Verb::Transfer { to }).await;
    call.done(&floor, "carl", Verb::Reject).await;
    floor.house.clock.advance_seconds(5);
    call.take(&floor, offer("ann")).await;
    call.report(&floor, Fact::Connected(id("ann"))).await;
    floor.house.clock.advance_seconds(60);
    call.report(&floor, Fact::Ended).await;
    call.take(&floor, Command::FinishWrapUp { by: id("ann") })
        .await;
    assert_eq!(
        briefs(&floor, &call).await,
        [
            "ann primary connected closed",
            "bob primary connected closed",
            "carl primary closed",
            "ann primary connected closed finished",
        ]
    );
    let last = call.activity(&floor, 3).await;
    assert_eq!(last.duration_seconds(floor.house.clock.now()), 60);
}

/// S2-17: what the connector repeats, and an offer that it reports as taken when it was over, give no second activity.
#[tokio::test]
async fn what_is_repeated_or_late_doubles_nothing() {
    let floor = Floor::new(&["ann"]).await;
    let mut call = Dealing::offered(&floor, "call-1", Medium::Voice, "ann").await;
    call.take(&floor, offer("ann")).await;
    floor.house.clock.advance_seconds(31);
    call.take(&floor, Command::TimeIsUp).await;
    assert_eq!(briefs(&floor, &call).await, ["ann primary closed"]);
    call.report(&floor, Fact::Connected(id("ann"))).await;
    call.report(&floor, Fact::Connected(id("ann"))).await;
    assert_eq!(briefs(&floor, &call).await, ["ann primary connected"]);
    let store = &floor.house.router.services().store;
    let all = store.records().all("activity", "", 9).await.unwrap();
    assert_eq!(all.len(), 1);
}

/// S2-21, S2-22, S2-25, S2-29, S2-37, S2-40: named when the screen pops, by the customer or else the address.
#[tokio::test]
async fn an_activity_is_named_when_it_opens() {
    let floor = Floor::new(&["ann"]).await;
    floor.customer("c1", "Ann Example", "+390451234567").await;
    for (which, medium, known, name) in [
        ("known", Medium::Voice, Some("c1"), "Ann Example"),
        ("unknown", Medium::Voice, None, "+390451234567"),
        ("chat", Medium::Chat, None, "ann@example.net"),
        ("gone", Medium::Email, Some("c9"), "ann@example.net"),
    ] {
        let mut dealing = Dealing::new(which, medium);
        dealing.it.customer = known.map(|it| it.parse().unwrap());
        dealing.take(&floor, offer("ann")).await;
        let opened = dealing.activity(&floor, 0).await.subject.unwrap();
        assert_eq!(opened.name, name);
        // Of whom nothing is kept nothing is written down.
        let there = known.filter(|it| *it != "c9");
        assert_eq!(opened.customer.as_ref().map(CustomerId::as_str), there);
    }
    let mut strange = Dealing::new("strange", Medium::Chat);
    strange.it.address = "\u{7} \n".to_owned();
    strange.take(&floor, offer("ann")).await;
    let opened = strange.activity(&floor, 0).await.subject.unwrap();
    assert_eq!(opened.name, "chat");
}

/// Who is erased or merged while it is said that an interaction is with that one, between the decision and its writing.
#[tokio::test]
async fn nobody_is_linked_with_a_customer_who_is_gone_at_that_moment() {
    for (happens, linked) in [("erase", None), ("merge", Some("c2"))] {
        let floor = Floor::new(&["ann", "sue:supervisor"]).await;
        // Not that of the call, by which nobody would be erased who is spoken with.
        floor.customer("c1", "Ann Example", "+390451111111").await;
        floor.customer("c2", "A. Example", "ann@example.net").await;
        let sue = tokio::sync::Mutex::new(agent(&floor, "sue/desk").await);
        let call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
        let services = floor.house.router.services();
        let (center, place) = floor.inside();
        let tries = std::sync::atomic::AtomicUsize::new(0);
        let decided = async |mut draft: Draft| {
            let (before, now) = (&call.it, services.clock.now());
            let customer = "c1".parse().unwrap();
            let command = Command::Identify { by: None, customer };
            let events = interaction::decide(before, command, now, &Facts::default())?;
            let after = draft.change(before, &events)?;
            follow(services, &place, &mut draft, before, &after, &events).await?;
            if tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
                if happens == "erase" {
                    let erased = [("id", "c1"), ("confirm", "true")];
                    floor.operate("customer erase", &erased).await;
                } else {
                    let merge = "<merge xmlns='urn:parlour:customer:0' id='c2' version='1' \
                                 other='c1' other-version='1'/>";
                    let answer = ask(&mut *sue.lock().await, "set", merge).await;
                    assert!(answer.contains("type='result'"), "{answer}");
                }
            }
            Ok((draft, ()))
        };
        let done = Box::pin(center.save(services, decided)).await;
        assert_eq!(done.is_ok(), linked.is_some(), "{happens}: {done:?}");
        let subject = call.activity(&floor, 0).await.subject.unwrap();
        let customer = subject.customer.as_ref().map(CustomerId::as_str);
        assert_eq!(customer, linked, "{happens}");
    }
}

/// S2-26: the customer who is found out later is that of everybody who had a part; the name stays as it was.
#[tokio::test]
async fn a_customer_who_is_identified_is_linked_to_all_parts() {
    let floor = Floor::new(&["ann", "bob"]).await;
    floor.customer("c1", "Ann Example", "+390451234567").await;
    floor.customer("c2", "A. Example", "ann@example.net").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let to = Target::Agent(id("bob"));
    call.done(&floor, "ann", Verb::Transfer { to }).await;
    call.identify(&floor, "c1").await;
    call.identify(&floor, "c1").await;
    assert_eq!(
        briefs(&floor, &call).await,
        ["ann primary c1 connected closed", "bob primary c1"]
    );
    call.identify(&floor, "c2").await;
    assert_eq!(
        briefs(&floor, &call).await,
        ["ann primary c2 connected closed", "bob primary c2"]
    );
    let store = &floor.house.router.services().store;
    for (customer, expected) in [("c1", 0), ("c2", 2)] {
        let owner = format!("localhost {customer}");
        let list = ("customer", owner.as_str());
        let count = store.records().count("activity", list).await.unwrap();
        assert_eq!(count, expected, "{customer}");
    }
}

/// An activity that was dropped is not made again, and keeps nothing from going on.
#[tokio::test]
async fn an_interaction_goes_on_without_an_activity_that_was_dropped() {
    let floor = Floor::new(&["ann"]).await;
    floor.customer("c1", "Ann Example", "+390451234567").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let dropped = call.activity(&floor, 0).await.id;
    let store = &floor.house.router.services().store;
    let records = store.records();
    assert!(records.remove("activity", dropped.as_str()).await.unwrap());
    call.identify(&floor, "c1").await;
    call.report(&floor, Fact::Ended).await;
    assert!(call.it.is_over());
    assert_eq!(records.all("activity", "", 9).await.unwrap(), []);
}

/// Two who decide at the same moment: a note and the end of the call. Both are kept.
#[tokio::test]
async fn a_note_and_the_end_of_a_call_do_not_lose_each_other() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    for round in 0..10 {
        let which = format!("call-{round}");
        let mut call = Dealing::talking(&floor, &which, Medium::Voice, "ann").await;
        let tag = format!("note id='{}'", call.activity(&floor, 0).await.id);
        let (answer, ()) = tokio::join!(
            request(&mut ann, "set", &tag, "<text>so</text>"),
            call.report(&floor, Fact::Ended),
        );
        assert!(answer.contains("type='result'"), "{answer}");
        let kept = call.activity(&floor, 0).await;
        assert_eq!((kept.notes.len(), kept.closed_at.is_some()), (1, true));
    }
}

/// A customer who turned out to be another: the history of that one has the activities, but for those that are with somebody else
/// by now. What is done twice changes nothing.
#[tokio::test]
async fn activities_go_with_a_customer_who_is_merged() {
    let floor = Floor::new(&["ann"]).await;
    for customer in ["c1", "c2", "c3"] {
        let address = format!("{customer}@example.net");
        floor.customer(customer, "Ann Example", &address).await;
    }
    let mut calls = Vec::new();
    for (which, customer) in [("call-1", "c1"), ("call-2", "c1"), ("call-3", "c2")] {
        let mut call = Dealing::talking(&floor, which, Medium::Voice, "ann").await;
        call.identify(&floor, customer).await;
        floor.house.clock.advance_seconds(1);
        calls.push(call);
    }
    let (center, place) = floor.inside();
    let services = floor.house.router.services();
    let one: CustomerId = "c1".parse().unwrap();
    let other: CustomerId = "c3".parse().unwrap();
    for way in [(&one, &other), (&one, &other), (&other, &other)] {
        let done = super::super::relink(&center, services, &place, way);
        Box::pin(done).await.unwrap();
    }
    let mut customers = Vec::new();
    for call in &calls {
        let subject = call.activity(&floor, 0).await.subject.unwrap();
        customers.push(subject.customer.unwrap().to_string());
    }
    assert_eq!(customers, ["c3", "c3", "c2"]);
}
