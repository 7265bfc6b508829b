//! Where follow-ups are found.

use super::*;

const PLANNED: &str = "follow-ups";

/// Own ones, as responsible and as author, the newest first, in pages.
#[tokio::test]
async fn an_agent_finds_its_own_by_status() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut own = Vec::new();
    for _ in 0..3 {
        own.insert(0, planned(&mut ann, "").await);
        floor.house.clock.advance_seconds(1);
    }
    let given = planned(&mut ann, "responsible='bob@localhost'").await;
    assert_eq!(ids(&request(&mut ann, "get", PLANNED, "").await), own);
    assert_eq!(
        ids(&request(&mut bob, "get", PLANNED, "").await),
        std::slice::from_ref(&given)
    );
    let tag = "follow-ups list='author'";
    assert_eq!(ids(&request(&mut ann, "get", tag, "").await).len(), 4);
    let done = format!("complete id='{}'", own[0]);
    request(&mut ann, "set", &done, "").await;
    let fields = [("id", own[1].as_str())];
    let answer = command(&mut ann, &node("cancel"), &fields).await;
    assert!(answer.contains("It is cancelled."), "{answer}");
    for (status, expected) in [
        ("planned", &own[2..]),
        ("completed", &own[..1]),
        ("cancelled", &own[1..2]),
        ("any", &own[..]),
    ] {
        let tag = format!("follow-ups status='{status}'");
        let answer = request(&mut ann, "get", &tag, "").await;
        assert_eq!(ids(&answer), expected, "{answer}");
        assert!(answer.contains(&format!("<count>{}</count>", expected.len())));
        let fields = [("status", status)];
        let answer = command(&mut ann, &node("follow-ups"), &fields).await;
        let told = format!("{0} of {0} follow-ups.", expected.len());
        assert!(answer.contains(&told), "{answer}");
    }
    let page = |rest: &str| {
        format!("<set xmlns='http://jabber.org/protocol/rsm'><max>1</max>{rest}</set>")
    };
    let any = "follow-ups status='any'";
    let after = page(&format!("<after>{}</after>", own[0]));
    assert_eq!(ids(&request(&mut ann, "get", any, &after).await), own[1..2]);
    let last = page("<before/>");
    assert_eq!(ids(&request(&mut ann, "get", any, &last).await), own[2..]);
    // What is another's is a place like one that there never was, and what is none is refused.
    let other = page(&format!("<after>{given}</after>"));
    let answer = request(&mut ann, "get", any, &other).await;
    assert!(ids(&answer).iter().all(|it| own.contains(it)), "{answer}");
    let answer = request(&mut ann, "get", any, &page("<after>nothing</after>")).await;
    assert!(answer.contains("<item-not-found"), "{answer}");
}

/// XEP-0059 §2.2: who completes what stands last on a page goes on behind it.
#[tokio::test]
async fn a_page_goes_on_behind_what_is_done_meanwhile() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut own = Vec::new();
    for _ in 0..4 {
        own.insert(0, planned(&mut ann, "").await);
        floor.house.clock.advance_seconds(1);
    }
    let page = |rest: &str| {
        format!("<set xmlns='http://jabber.org/protocol/rsm'><max>2</max>{rest}</set>")
    };
    let first = request(&mut ann, "get", "follow-ups", &page("")).await;
    assert_eq!(ids(&first), own[..2]);
    let tag = format!("complete id='{}'", own[1]);
    request(&mut ann, "set", &tag, "").await;
    let behind = page(&format!("<after>{}</after>", own[1]));
    let next = request(&mut ann, "get", "follow-ups", &behind).await;
    assert_eq!(ids(&next), own[2..]);
    let before = page(&format!("<before>{}</before>", own[1]));
    let back = request(&mut ann, "get", "follow-ups", &before).await;
    assert_eq!(ids(&back), own[..1]);
}

/// S3-6: the overview of a customer has what is planned, for who deals with that one, also when two turn out to be one.
#[tokio::test]
async fn the_overview_of_a_customer_has_what_is_planned() {
    let floor = Floor::new(&["ann", "bob", "sue:supervisor"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    floor.customer("c2", "M. Example", "mary@example.net").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut sue = agent(&floor, "sue/desk").await;
    let first = planned(&mut ann, "customer='c1'").await;
    let second = planned(&mut ann, "customer='c2'").await;
    let overview = "follow-ups customer='c1'";
    let answer = request(&mut bob, "get", overview, "").await;
    assert_eq!(code(&answer), "customer-unknown");
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "bob").await;
    call.identify(&floor, "c1").await;
    let answer = request(&mut bob, "get", overview, "").await;
    assert_eq!(ids(&answer), std::slice::from_ref(&first), "{answer}");
    assert!(
        answer.contains("customer='c1' status='planned'"),
        "{answer}"
    );
    request(&mut ann, "set", &format!("complete id='{first}'"), "").await;
    let answer = request(&mut bob, "get", overview, "").await;
    assert_eq!(ids(&answer), [""; 0]);
    let any = "follow-ups customer='c1' status='any'";
    assert_eq!(
        ids(&request(&mut bob, "get", any, "").await),
        std::slice::from_ref(&first)
    );
    let merge = "<merge xmlns='urn:parlour:customer:0' id='c1' version='1' other='c2' \
                 other-version='1'/>";
    let answer = ask(&mut sue, "set", merge).await;
    assert!(answer.contains("type='result'"), "{answer}");
    for known_as in ["c1", "c2"] {
        let tag = format!("follow-ups customer='{known_as}'");
        let answer = request(&mut bob, "get", &tag, "").await;
        assert_eq!(ids(&answer), std::slice::from_ref(&second), "{answer}");
    }
    assert_eq!(
        code(&request(&mut ann, "get", overview, "").await),
        "customer-unknown"
    );
}

/// S3-9: of an object of the CRM an agent sees its own and those of customers it deals with; of the others not even how many.
#[tokio::test]
async fn of_an_object_only_what_concerns_the_agent_is_shown() {
    let floor = Floor::new(&["ann", "bob", "sue:supervisor"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut sue = agent(&floor, "sue/desk").await;
    let mut all_of = Vec::new();
    for (who, more) in [(0, "customer='c1'"), (0, ""), (1, ""), (0, "")] {
        let client = [&mut ann, &mut bob].into_iter().nth(who).unwrap();
        all_of.insert(0, planned(client, more).await);
        floor.house.clock.advance_seconds(1);
    }
    let of = "follow-ups source='service-ticket' source-id='t-1'";
    let answer = request(&mut bob, "get", of, "").await;
    assert_eq!(ids(&answer), all_of[1..2], "{answer}");
    assert!(!answer.contains("<count>"), "{answer}");
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "bob").await;
    call.identify(&floor, "c1").await;
    let seen = [all_of[1].clone(), all_of[3].clone()];
    assert_eq!(ids(&request(&mut bob, "get", of, "").await), seen);
    let page = |rest: &str| {
        format!("<set xmlns='http://jabber.org/protocol/rsm'><max>1</max>{rest}</set>")
    };
    for (rest, expected) in [
        (String::new(), &seen[..1]),
        (format!("<after>{}</after>", seen[0]), &seen[1..]),
        (format!("<after>{}</after>", seen[1]), &[]),
        (format!("<before>{}</before>", seen[1]), &seen[..1]),
        ("<before/>".to_owned(), &seen[1..]),
    ] {
        let answer = request(&mut bob, "get", of, &page(&rest)).await;
        assert_eq!(ids(&answer), expected, "{rest}");
    }
    // Behind what is hidden the page goes on as behind what there never was.
    let hidden = page(&format!("<after>{}</after>", all_of[0]));
    let answer = request(&mut bob, "get", of, &hidden).await;
    assert_eq!(ids(&answer), seen[..1], "{answer}");
    let answer = request(&mut bob, "get", of, &page("<after>nothing</after>")).await;
    assert!(answer.contains("<item-not-found"), "{answer}");
    let answer = request(&mut sue, "get", of, "").await;
    assert_eq!(ids(&answer), all_of);
    assert!(answer.contains("<count>4</count>"), "{answer}");
}
