//! Forms that hold the plan as it is, and those that show notes page by page.

use super::*;
use crate::contact_center::testing::{begun, filled};

/// S3-18, S3-19, S3-20: which one is meant is asked first; then the form holds the plan, and what is out of use stays where it was chosen.
#[tokio::test]
async fn the_form_of_a_plan_holds_what_is_planned() {
    let floor = Floor::new(&["ann", "bob"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    let label = [
        ("kind", "interaction"),
        ("code", "broken"),
        ("label", "en: Broken"),
    ];
    floor.operate("reason put", &label).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let more = "customer='c1' start='2026-09-28T10:00:00Z' end='2026-09-28T10:30:00Z' \
                due='2026-09-29T00:00:00Z' reason='broken'";
    let id = planned(&mut ann, more).await;
    let retired = [("kind", "interaction"), ("code", "broken")];
    floor.operate("reason retire", &retired).await;
    floor
        .operate("transaction-type remove", &[("code", "task")])
        .await;
    let first = begun(&mut ann, &node("edit")).await;
    assert!(first.contains("<next/>"), "{first}");
    assert!(!first.contains("var='title'"), "{first}");
    let form = filled(&mut ann, &node("edit"), &first, &[("id", &id)]).await;
    for part in [
        "<field var='version' type='hidden'><value>1</value></field>",
        "<value>Call back</value>",
        "<value>c1</value>",
        "<value>2026-09-28T10:00:00Z</value>",
        "<value>2026-09-28T10:30:00Z</value>",
        "<value>2026-09-29T00:00:00Z</value>",
        "<option label='task'><value>task</value></option>",
        "<option label='Broken'><value>broken</value></option>",
    ] {
        assert!(form.contains(part), "{part} in {form}");
    }
    let fields = [
        ("id", id.as_str()),
        ("version", "1"),
        ("type", "task"),
        ("title", "Call her back"),
        ("customer", "c1"),
        ("start", "2026-09-28T10:00:00Z"),
        ("end", "2026-09-28T10:30:00Z"),
        ("due", "2026-09-30T00:00:00Z"),
        ("reason", "broken"),
    ];
    let done = filled(&mut ann, &node("edit"), &form, &fields).await;
    assert!(done.contains("task: Call her back."), "{done}");
    let look = format!("follow-up id='{id}'");
    let answer = request(&mut ann, "get", &look, "").await;
    let expected = "customer='c1' start='2026-09-28T10:00:00Z' end='2026-09-28T10:30:00Z' \
                    due='2026-09-30T00:00:00Z' reason='broken'";
    assert!(answer.contains(expected), "{answer}");
    // Of another's there is nothing to be seen.
    let mut bob = agent(&floor, "bob/desk").await;
    let first = begun(&mut bob, &node("edit")).await;
    let refused = filled(&mut bob, &node("edit"), &first, &[("id", &id)]).await;
    assert!(refused.contains("type='error'"), "{refused}");
    assert!(!refused.contains("Call her back"), "{refused}");
}

/// Who has nothing in hand is asked for a kind and an id, in words that say what they are.
#[tokio::test]
async fn a_form_asks_in_words() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let form = begun(&mut ann, &node("plan")).await;
    for part in [
        "label='Kind of what it follows from'",
        "<option label='Interaction record'><value>interaction-record</value></option>",
        "label='Id of what it follows from'",
        "label='Id of the customer'",
    ] {
        assert!(form.contains(part), "{part} in {form}");
    }
}

/// Who may see those of others is written down when the form shows one.
#[tokio::test]
async fn a_form_that_shows_the_plan_of_another_is_in_the_audit_trail() {
    let floor = Floor::new(&["ann", "sue:supervisor"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut sue = agent(&floor, "sue/desk").await;
    let id = planned(&mut ann, "").await;
    let first = begun(&mut sue, &node("edit")).await;
    let form = filled(&mut sue, &node("edit"), &first, &[("id", &id)]).await;
    assert!(form.contains("<value>Call back</value>"), "{form}");
    let audit = floor.house.router.services().store.audit();
    let filter = crate::store::AuditFilter::default();
    let trail = audit.list(&filter, 9).await.unwrap();
    let noted = trail.iter().filter(|it| it.operation == "follow-up show");
    let noted: Vec<_> = noted
        .map(|it| (it.actor.as_str(), it.target.clone()))
        .collect();
    assert_eq!(noted, [("sue@localhost", id)]);
}

/// A form begins with the notes that were written last, and says how to come to the older ones.
#[tokio::test]
async fn forms_lead_through_all_notes_and_all_versions() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let id = planned(&mut ann, "").await;
    for number in 1..=5 {
        let text = format!("{number}{}", "x".repeat(10 * 1024));
        for (note_type, language) in [("note", "en".to_owned()), ("report", format!("x-{number}"))]
        {
            let tag = format!("note id='{id}' note-type='{note_type}'");
            let text = format!("<text xml:lang='{language}'>{text}</text>");
            let answer = request(&mut ann, "set", &tag, &text).await;
            assert!(answer.contains("type='result'"), "{answer}");
        }
    }
    let shown = |answer: &str| {
        let texts = answer.split("<field var='text'><value>").skip(1);
        texts.filter_map(|it| it.chars().next()).collect::<String>()
    };
    // The note that has five versions stands first, then those that have one each.
    for (name, more, pages) in [
        ("follow-up", None, [("", "345"), ("4", "512")]),
        (
            "notes-history",
            Some(("note-type", "note")),
            [("", "345"), ("3", "12")],
        ),
    ] {
        for (before, expected) in pages {
            let mut fields = vec![("id", id.as_str()), ("before", before)];
            fields.extend(more);
            let answer = command(&mut ann, &node(name), &fields).await;
            assert_eq!(shown(&answer), expected, "{name} before {before:?}");
        }
        let mut fields = vec![("id", id.as_str())];
        fields.extend(more);
        let answer = command(&mut ann, &node(name), &fields).await;
        assert!(answer.contains("Older ones are before "), "{name}");
    }
}
