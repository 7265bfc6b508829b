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

/// Of two who have read the same, the second is told what the first has done, in both doors; who names no version is not asked.
#[tokio::test]
async fn of_two_editors_the_second_is_told_of_the_first() {
    let floor = Floor::new(&["ann", "bob"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    for (name, more, own) in [
        ("complete", "", &[][..]),
        ("cancel", "", &[]),
        (
            "reassign",
            " responsible='bob@localhost'",
            &[("responsible", "bob@localhost")],
        ),
        (
            "note",
            "",
            &[("note-type", "report"), ("text", "It works.")],
        ),
    ] {
        let id = planned(&mut ann, "responsible='bob@localhost'").await;
        // Bob has its form before him, which holds the version, and says which one it is.
        let first = begun(&mut bob, &node(name)).await;
        let form = filled(&mut bob, &node(name), &first, &[("id", &id)]).await;
        for part in [
            "<field var='version' type='hidden'><value>1</value></field>",
            "<instructions>Task: Call back. bob, planned.</instructions>",
        ] {
            assert!(form.contains(part), "{part} in {form}");
        }
        let edit = format!("edit id='{id}' version='1' type='task'");
        let answer = request(&mut ann, "set", &edit, "<title>Do not call</title>").await;
        assert!(answer.contains("version='2'"), "{answer}");
        let held = [("id", id.as_str()), ("version", "1")];
        let answer = filled(&mut bob, &node(name), &form, &[&held[..], own].concat()).await;
        assert!(answer.contains("<follow-up-changed "), "{name}: {answer}");
        let children = match name {
            "note" => "<text>It works.</text>",
            _ => "",
        };
        let tag = format!("{name} id='{id}' version='1'{more}");
        let answer = request(&mut bob, "set", &tag, children).await;
        assert!(answer.contains("<follow-up-changed "), "{name}: {answer}");
        assert!(answer.contains("<title>Do not call</title>"), "{answer}");
        let answer = request(&mut bob, "set", &tag.replace("'1'", "'x'"), children).await;
        assert_eq!(code(&answer), "field-malformed", "{name}: {answer}");
        let answer = request(&mut bob, "set", &tag.replace(" version='1'", ""), children).await;
        assert!(answer.contains("type='result'"), "{name}: {answer}");
    }
}

/// What is due in the past is planned all the same, for it may be late already; who plans it is told.
#[tokio::test]
async fn a_due_date_that_has_passed_is_told() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let tag = |due: &str| format!("plan source='case' source-id='1' type='task' due='{due}'");
    let title = "<title>Call back</title>";
    for (due, overdue) in [
        ("2025-01-31T18:00:00Z", true),
        ("2027-01-31T18:00:00Z", false),
    ] {
        let answer = request(&mut ann, "set", &tag(due), title).await;
        assert_eq!(answer.contains(" overdue='true'"), overdue, "{answer}");
        let fields = [
            ("source", "case"),
            ("source-id", "1"),
            ("type", "task"),
            ("title", "Call back"),
            ("due", due),
        ];
        let answer = command(&mut ann, &node("plan"), &fields).await;
        assert_eq!(answer.contains("<note type='warn'>"), overdue, "{answer}");
        let told = answer.contains("Its due date has passed.");
        assert_eq!(told, overdue, "{answer}");
    }
    // What is done is late no more.
    let id = planned(&mut ann, "due='2025-01-31T18:00:00Z'").await;
    let answer = request(&mut ann, "set", &format!("complete id='{id}'"), "").await;
    assert!(answer.contains("status='completed'"), "{answer}");
    assert!(!answer.contains("overdue"), "{answer}");
}

/// S3-20: nobody has to choose a reason, and that has a name.
#[tokio::test]
async fn no_reason_is_a_choice_with_a_name() {
    let floor = Floor::new(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let form = begun(&mut ann, &node("plan")).await;
    let none = "label='Interaction reason'><option label='None'><value/></option>";
    assert!(form.contains(none), "{form}");
    let fields = [
        ("source", "case"),
        ("source-id", "1"),
        ("type", "task"),
        ("title", "Call back"),
        ("reason", ""),
    ];
    let answer = filled(&mut ann, &node("plan"), &form, &fields).await;
    assert!(answer.contains("status='completed'"), "{answer}");
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
