//! Who has planned or changed a follow-up is in the audit trail together with what was done, or not at all (section J of the design).

use super::super::KIND;
use super::*;
use crate::contact_center::testing::{trail, watched};

/// Asks for something, and looks at each moment whether the follow-up is changed exactly when the trail has it.
async fn done(
    floor: &Floor,
    client: &mut Client,
    tag: &str,
    children: &str,
    version: i64,
) -> String {
    let before = trail(floor).await.len();
    let looks = async || {
        let records = floor.house.router.services().store.records();
        // The record first: what is written in between is in the trail.
        let stored = records.all(KIND, "", 100).await.unwrap();
        let is_done = stored.iter().any(|it| it.version >= version);
        let noted = trail(floor).await.len() - before;
        assert!(noted <= 1, "{noted}");
        assert!(!is_done || noted == 1, "{tag}: nobody has done it");
    };
    let answer = watched(Box::pin(request(client, "set", tag, children)), looks).await;
    assert!(answer.contains("type='result'"), "{answer}");
    answer
}

#[tokio::test]
async fn what_is_done_to_a_follow_up_is_in_the_trail_at_the_same_moment() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let plan = "plan source='service-ticket' source-id='t-1' type='task'";
    let title = "<title>Call back</title>";
    let answer = done(&floor, &mut ann, plan, title, 1).await;
    let id = ids(&answer).pop().unwrap();
    let edit = format!("edit id='{id}' version='1' type='email'");
    done(&floor, &mut ann, &edit, "<title>Write</title>", 2).await;
    let text = "<text xml:lang='en'>Hurry</text>";
    done(&floor, &mut ann, &format!("note id='{id}'"), text, 3).await;
    // What is refused was done by nobody.
    request(&mut ann, "set", &edit, title).await;
    let reassign = format!("reassign id='{id}' responsible='bob@localhost'");
    done(&floor, &mut ann, &reassign, "", 4).await;
    done(&floor, &mut bob, &format!("complete id='{id}'"), "", 5).await;
    let cancelled = planned(&mut bob, "").await;
    request(&mut bob, "set", &format!("cancel id='{cancelled}'"), "").await;
    request(&mut bob, "set", &format!("cancel id='{cancelled}'"), "").await;
    let entry = |who: &str, what: &str, id: &str| {
        let actor = format!("{who}@localhost");
        (actor, format!("follow-up {what}"), id.to_owned())
    };
    let mut expected = vec![
        entry("ann", "plan", &id),
        entry("ann", "edit", &id),
        entry("ann", "note", &id),
        entry("ann", "reassign", &id),
        entry("bob", "complete", &id),
        entry("bob", "plan", &cancelled),
        entry("bob", "cancel", &cancelled),
    ];
    expected.sort_unstable();
    assert_eq!(trail(&floor).await, expected);
}

/// Of two who decide from the same, one is too late: what was not written has been done by nobody.
#[tokio::test]
async fn what_is_not_written_is_not_in_the_trail() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let id = planned(&mut ann, "responsible='bob@localhost'").await;
    for (tag, other, title) in [
        (
            format!("edit id='{id}' version='1' type='email'"),
            format!("edit id='{id}' version='1' type='phone-call'"),
            "<title>Write</title>",
        ),
        (
            format!("complete id='{id}'"),
            format!("cancel id='{id}'"),
            "",
        ),
    ] {
        let before = trail(&floor).await.len();
        let both = tokio::join!(
            request(&mut ann, "set", &tag, title),
            request(&mut bob, "set", &other, title)
        );
        let refused = [&both.0, &both.1].map(|it| it.contains("type='error'"));
        assert!(refused[0] != refused[1], "{both:?}");
        assert_eq!(trail(&floor).await.len(), before + 1, "{both:?}");
    }
}
