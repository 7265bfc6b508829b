//! Who sees and changes what.

use super::*;
use crate::domain::interaction::Verb;
use crate::store::AuditFilter;

/// Of an interaction exactly as long as it has a part in it; then its own.
#[tokio::test]
async fn an_agent_whose_part_is_over_has_its_own_follow_ups_in_the_list() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let plan = "plan source='interaction-record' source-id='call-1' type='task'";
    let first = ids(&request(&mut ann, "set", plan, "").await).remove(0);
    let list = "follow-ups source='interaction-record' source-id='call-1'";
    let with = "bob@localhost".parse().unwrap();
    call.done(&floor, "ann", Verb::Consult { with }).await;
    call.done(&floor, "bob", Verb::Accept).await;
    let seen = ids(&request(&mut bob, "get", list, "").await);
    assert_eq!(seen, std::slice::from_ref(&first));
    call.done(&floor, "ann", Verb::Retrieve).await;
    assert!(ids(&request(&mut bob, "get", list, "").await).is_empty());
    let own = ids(&request(&mut bob, "set", plan, "").await).remove(0);
    let seen = ids(&request(&mut bob, "get", list, "").await);
    assert_eq!(seen, std::slice::from_ref(&own));
    let mut seen = ids(&request(&mut ann, "get", list, "").await);
    seen.sort();
    let mut both = [first, own];
    both.sort();
    assert_eq!(seen, both);
}

/// Own ones always; those of an interaction and of a customer as long as the agent has a part; who has no right learns nothing.
#[tokio::test]
async fn a_follow_up_is_seen_by_whom_it_concerns() {
    let floor = Floor::new(&["ann", "bob", "carl", "peter:member"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut carl = agent(&floor, "carl/desk").await;
    let mut call = Dealing::talking(&floor, "call-1", Medium::Voice, "ann").await;
    let tag = "plan source='interaction-record' source-id='call-1' type='task'";
    let id = ids(&request(&mut ann, "set", tag, "").await).remove(0);
    let look = format!("follow-up id='{id}'");
    let change = format!("cancel id='{id}'");
    let clipboard = "follow-ups source='interaction-record' source-id='call-1'";
    for (tag, kind) in [(&look, "get"), (&change, "set")] {
        let answer = request(&mut bob, kind, tag, "").await;
        assert_eq!(code(&answer), "follow-up-unknown", "{tag}");
    }
    let answer = request(&mut bob, "get", clipboard, "").await;
    assert_eq!(code(&answer), "interaction-unknown");
    let answer = request(&mut bob, "set", tag, "").await;
    assert_eq!(code(&answer), "interaction-unknown");
    // Who is consulted reads, and changes nothing.
    let with = "bob@localhost".parse().unwrap();
    call.done(&floor, "ann", Verb::Consult { with }).await;
    call.done(&floor, "bob", Verb::Accept).await;
    assert_eq!(
        ids(&request(&mut bob, "get", &look, "").await),
        std::slice::from_ref(&id)
    );
    assert_eq!(
        ids(&request(&mut bob, "get", clipboard, "").await),
        std::slice::from_ref(&id)
    );
    for tag in [
        change.clone(),
        format!("complete id='{id}'"),
        format!("reassign id='{id}' responsible='bob@localhost'"),
        format!("edit id='{id}' version='1' type='task'"),
        format!("note id='{id}' scratch-pad='true'"),
    ] {
        let answer = request(&mut bob, "set", &tag, "").await;
        assert_eq!(code(&answer), "not-your-follow-up", "{tag}");
    }
    let answer = command(&mut bob, &node("follow-up"), &[("id", &id)]).await;
    assert!(answer.contains("status='completed'"), "{answer}");
    call.done(&floor, "ann", Verb::Retrieve).await;
    let answer = request(&mut bob, "get", &look, "").await;
    assert_eq!(code(&answer), "follow-up-unknown");
    // By the customer.
    let of_c1 = planned(&mut ann, "customer='c1'").await;
    let look = format!("follow-up id='{of_c1}'");
    let mut chat = Dealing::talking(&floor, "chat-1", Medium::Chat, "carl").await;
    assert_eq!(
        code(&request(&mut carl, "get", &look, "").await),
        "follow-up-unknown"
    );
    chat.identify(&floor, "c1").await;
    assert_eq!(ids(&request(&mut carl, "get", &look, "").await), [of_c1]);
    // Without the right nothing at all, at once.
    let mut peter = floor.online("peter/home").await;
    assert_eq!(
        code(&request(&mut peter, "get", &look, "").await),
        "right-missing"
    );
    let own = [("jid", "carl@localhost"), ("right", "follow-up")];
    floor.operate("right take", &own).await;
    assert_eq!(
        code(&request(&mut carl, "get", &look, "").await),
        "right-missing"
    );
    let answer = command(&mut carl, &node("follow-ups"), &[]).await;
    assert_eq!(code(&answer), "right-missing");
}

/// The right to those of others: each look and each change is in the audit trail.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn who_sees_by_right_is_in_the_audit_trail() {
    let floor = Floor::new(&["ann", "sue:supervisor"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut sue = agent(&floor, "sue/desk").await;
    let id = planned(&mut ann, "customer='c1'").await;
    let text = "<text xml:lang='en'>Hurry</text>";
    for (kind, tag, children, operation, target) in [
        (
            "get",
            format!("follow-up id='{id}'"),
            "",
            "follow-up show",
            id.as_str(),
        ),
        (
            "set",
            format!("note id='{id}'"),
            text,
            "follow-up note",
            &id,
        ),
        (
            "get",
            format!("notes-history id='{id}' note-type='note'"),
            "",
            "follow-up notes show",
            &id,
        ),
        (
            "set",
            format!("edit id='{id}' version='2' type='email'"),
            "<title>Write</title>",
            "follow-up edit",
            &id,
        ),
        (
            "set",
            format!("reassign id='{id}' responsible='sue@localhost'"),
            "",
            "follow-up reassign",
            &id,
        ),
        (
            "get",
            "follow-ups customer='c1'".to_owned(),
            "",
            "follow-up customer list",
            "c1",
        ),
        (
            "get",
            "follow-ups source='service-ticket' source-id='t-1'".to_owned(),
            "",
            "follow-up source list",
            "t-1",
        ),
    ] {
        let answer = request(&mut sue, kind, &tag, children).await;
        assert!(answer.contains("type='result'"), "{answer}");
        let audit = floor.house.router.services().store.audit();
        let trail = audit.list(&AuditFilter::default(), 20).await.unwrap();
        let noted = trail.iter().any(|it| {
            let who = it.actor == "sue@localhost" && it.host == "localhost";
            who && it.operation == operation && it.target == target
        });
        assert!(noted, "{operation}: {trail:?}");
        assert!(!trail.iter().any(|it| it.arguments.contains("Hurry")));
    }
    let audit = floor.house.router.services().store.audit();
    let before = audit.list(&AuditFilter::default(), 50).await.unwrap().len();
    request(&mut sue, "get", &format!("follow-up id='{id}'"), "").await;
    request(&mut ann, "get", &format!("follow-up id='{id}'"), "").await;
    let audit = floor.house.router.services().store.audit();
    let after = audit.list(&AuditFilter::default(), 50).await.unwrap().len();
    assert_eq!(before, after, "looks at own ones are nobody's business");
}

/// What an earlier account of the same name has planned, and wrote on its scratch pad, is not its successor's.
#[tokio::test]
async fn an_account_made_anew_has_nothing_of_its_predecessor() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let due = "due='2026-09-21T15:00:00Z' responsible='bob@localhost'";
    let id = planned(&mut ann, due).await;
    request(&mut bob, "set", "scratch-pad", "<text>Secret</text>").await;
    floor
        .operate("account remove", &[("jid", "bob@localhost")])
        .await;
    floor.house.clock.advance_seconds(60);
    let given = [
        ("jid", "bob@localhost"),
        ("password", "secret"),
        ("role", "agent"),
    ];
    floor.operate("account add", &given).await;
    let mut bob = floor.online("bob/desk").await;
    let answer = request(&mut bob, "get", "scratch-pad", "").await;
    assert!(
        answer.contains("version='0'") && !answer.contains("Secret"),
        "{answer}"
    );
    let answer = request(&mut bob, "get", &format!("follow-up id='{id}'"), "").await;
    assert_eq!(code(&answer), "follow-up-unknown");
    let answer = request(&mut bob, "get", "follow-ups", "").await;
    assert_eq!(ids(&answer), [""; 0]);
    // Nor does it learn how many there were.
    assert!(
        !answer.contains("<count>") && !answer.contains("<first"),
        "{answer}"
    );
    // It is told nothing of it: the reminder is for who has planned it.
    let edit = format!("edit id='{id}' version='1' type='task' due='2026-09-21T15:00:00Z'");
    let answer = request(&mut ann, "set", &edit, "<title>Later</title>").await;
    assert!(answer.contains("version='2'"), "{answer}");
    floor.house.clock.advance_seconds(3_600);
    let (center, _) = floor.inside();
    let services = std::sync::Arc::clone(floor.house.router.services());
    let done = super::super::time_is_up(center, services, id.clone());
    done.await.unwrap();
    assert_eq!(told(&mut bob), []);
    assert_eq!(told(&mut ann)[0].0, "due");
    // Given to the successor it is its own.
    let tag = format!("reassign id='{id}' responsible='ann@localhost'");
    request(&mut ann, "set", &tag, "").await;
    let tag = format!("reassign id='{id}' responsible='bob@localhost'");
    request(&mut ann, "set", &tag, "").await;
    let answer = request(&mut bob, "get", "follow-ups", "").await;
    assert_eq!(ids(&answer), [id]);
}
