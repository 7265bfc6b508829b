//! Everything that is refused, with the code that programs read. Nothing has changed then.

use super::*;
use crate::domain::follow_up::NOTE_BYTES_MAX;

/// What is missing, malformed, too long, unknown, or does not go together in a plan.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn what_is_no_plan_is_refused_with_its_reason() {
    let floor = Floor::new(&["ann", "peter:member"]).await;
    floor.customer("c1", "Mary Example", "+390451234567").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let title = "<title>So</title>";
    let (long_title, long_note) = ("x".repeat(257), "x".repeat(NOTE_BYTES_MAX + 1));
    let long_title = format!("<title>{long_title}</title>");
    let long_note = format!("{title}<note>{long_note}</note>");
    let of = "source='case' source-id='1'";
    let long_id = "x".repeat(129);
    let long_id = format!("source='case' source-id='{long_id}' type='task'");
    let with = |more: &str| format!("{of} type='task' {more}");
    for (attributes, children, expected) in [
        (String::new(), title, "field-missing"),
        ("type='task'".to_owned(), title, "field-missing"),
        (of.to_owned(), title, "field-missing"),
        (
            "source='case' type='task'".to_owned(),
            title,
            "field-missing",
        ),
        (
            "source-id='1' type='task'".to_owned(),
            title,
            "field-missing",
        ),
        (
            "source='lead' source-id='1' type='task'".to_owned(),
            title,
            "field-malformed",
        ),
        (
            "source='case' source-id=' ' type='task'".to_owned(),
            title,
            "source-malformed",
        ),
        (long_id, title, "source-malformed"),
        (
            "source='interaction-record' source-id='call-9' type='task'".to_owned(),
            title,
            "interaction-unknown",
        ),
        (
            "source='interaction-record' source-id='a b' type='task'".to_owned(),
            title,
            "interaction-unknown",
        ),
        (with(""), "", "follow-up-title-malformed"),
        (with(""), &long_title, "follow-up-title-malformed"),
        (with(""), "<title>a\nb</title>", "field-malformed"),
        (with("customer='c9'"), title, "customer-unknown"),
        (with("customer='a b'"), title, "field-malformed"),
        (with("due='tomorrow'"), title, "field-malformed"),
        (with("due='2026-02-30T00:00:00Z'"), title, "field-malformed"),
        (
            with("start='2026-09-28T10:00:00Z' end='2026-09-28T09:59:59Z'"),
            title,
            "dates-crosswise",
        ),
        (with("reason='fun'"), title, "interaction-reason-unknown"),
        (
            with("responsible='nobody@localhost'"),
            title,
            "responsible-no-agent",
        ),
        (
            with("responsible='peter@localhost'"),
            title,
            "responsible-no-agent",
        ),
        (
            with("responsible='ann@elsewhere.example'"),
            title,
            "responsible-no-agent",
        ),
        (with("responsible='@localhost'"), title, "field-malformed"),
        (with("colour='red'"), title, "field-unknown"),
        (with("from='case/1'"), title, "field-unknown"),
        (
            with(""),
            "<title>a</title><title>b</title>",
            "field-repeated",
        ),
        (with(""), "<title>a</title>so", "text-unexpected"),
        (with(""), &long_note, "field-malformed"),
        (
            with(""),
            "<title>a</title><note> </note>",
            "follow-up-note-empty",
        ),
        (
            with(""),
            "<title>a</title><note xml:lang='not a tag'>so</note>",
            "field-malformed",
        ),
        (
            with("note-type='memo'"),
            "<title>a</title><note>so</note>",
            "note-type-unknown",
        ),
        (with("scratch-pad='true'"), title, "scratch-pad-empty"),
        (with("scratch-pad='yes'"), title, "field-malformed"),
    ] {
        let answer = request(&mut ann, "set", &format!("plan {attributes}"), children).await;
        assert_eq!(
            code(&answer),
            expected,
            "{attributes} {children:.60}: {answer:.600}"
        );
    }
    let answer = request(&mut ann, "get", &format!("plan {of} type='task'"), title).await;
    assert_eq!(code(&answer), "operation-type");
    let answer = request(&mut ann, "get", "follow-ups status='any'", "").await;
    assert_eq!(ids(&answer), [""; 0], "nothing was planned");
    // What a form refuses, it refuses in words.
    for (fields, expected) in [
        (&[("type", "task")][..], "source and source-id are missing"),
        (&[("type", "dance")], "one of its options"),
        (
            &[
                ("source", "case"),
                ("source-id", "1"),
                ("type", "task"),
                ("title", "So"),
                ("due", "x"),
            ],
            "due must be a time",
        ),
        (
            &[("source", "case"), ("source-id", "1")],
            "the field “Type of transaction” is required",
        ),
        (
            &[("type", "task"), ("customer", "Ann Smith")],
            "“Id of the customer” must be an id",
        ),
    ] {
        let answer = command(&mut ann, &node("plan"), fields).await;
        assert!(answer.contains("type='error'"), "{answer}");
        assert!(answer.contains(expected), "{expected}: {answer}");
    }
}

/// Every command in every status, from two devices, and of ids that are none.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn every_command_in_every_status() {
    let floor = Floor::new(&["ann"]).await;
    let mut desk = agent(&floor, "ann/desk").await;
    let mut phone = floor.online("ann/phone").await;
    let open = planned(&mut desk, "").await;
    let completed = planned(&mut desk, "").await;
    request(&mut desk, "set", &format!("complete id='{completed}'"), "").await;
    let cancelled = planned(&mut desk, "").await;
    request(&mut desk, "set", &format!("cancel id='{cancelled}'"), "").await;
    let title = "<title>Call back</title>";
    let over = "follow-up-over";
    for (id, tag, children, expected) in [
        (&completed, "edit version='2' type='task'", title, over),
        (&completed, "reassign responsible='ann'", "", over),
        (&completed, "cancel", "", over),
        (&completed, "complete", "", ""),
        (&completed, "note", "<text>After all</text>", ""),
        (&cancelled, "edit version='2' type='task'", title, over),
        (&cancelled, "reassign responsible='ann'", "", over),
        (&cancelled, "complete", "", over),
        (&cancelled, "cancel", "", ""),
        (&cancelled, "note", "<text>After all</text>", ""),
        (&open, "edit version='1' type='task'", title, ""),
        (
            &open,
            "edit version='7' type='task'",
            title,
            "follow-up-changed",
        ),
        (
            &open,
            "edit version='x' type='task'",
            title,
            "field-malformed",
        ),
        (&open, "edit type='task'", title, "field-missing"),
        (&open, "reassign", "", "field-missing"),
        (
            &open,
            "reassign responsible='nobody'",
            "",
            "responsible-no-agent",
        ),
        (&open, "note", "", "field-missing"),
        (
            &open,
            "note note-type='memo'",
            "<text>x</text>",
            "note-type-unknown",
        ),
        (&open, "note", "<text> </text>", "follow-up-note-empty"),
        (&open, "note scratch-pad='true'", "", "scratch-pad-empty"),
    ] {
        for device in [&mut desk, &mut phone] {
            let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
            let full = format!("{name} id='{id}' {rest}");
            let answer = request(device, "set", full.trim(), children).await;
            match expected {
                "" => assert!(answer.contains("type='result'"), "{full}: {answer}"),
                _ => assert_eq!(
                    code(&answer.replace("><follow-up ", "/><follow-up ")),
                    expected,
                    "{full}: {answer}"
                ),
            }
        }
    }
    for (kind, name) in [
        ("set", "edit version='1' type='task'"),
        ("set", "reassign responsible='ann'"),
        ("set", "complete"),
        ("set", "cancel"),
        ("set", "note scratch-pad='true'"),
        ("get", "follow-up"),
        ("get", "notes-history note-type='note'"),
    ] {
        let (name, rest) = name.split_once(' ').unwrap_or((name, ""));
        for (id, expected) in [
            ("id='unknown'", "follow-up-unknown"),
            ("id='a b'", "field-malformed"),
            ("id=''", "field-malformed"),
            ("", "field-missing"),
        ] {
            let tag = format!("{name} {id} {rest}");
            let answer = request(&mut desk, kind, tag.trim(), "").await;
            assert_eq!(code(&answer), expected, "{tag}");
        }
    }
    for (tag, expected) in [
        ("follow-ups customer='c9'", "customer-unknown"),
        (
            "follow-ups customer='c9' source='case' source-id='1'",
            "field-repeated",
        ),
        ("follow-ups source='case'", "field-missing"),
        (
            "follow-ups source='interaction-record' source-id='x'",
            "interaction-unknown",
        ),
        ("follow-ups status='late'", "field-malformed"),
        ("follow-ups list='other'", "field-malformed"),
    ] {
        let answer = request(&mut desk, "get", tag, "").await;
        assert_eq!(code(&answer), expected, "{tag}");
    }
    let answer = request(&mut desk, "get", "follow-ups", "").await;
    assert_eq!(ids(&answer), [open], "{answer}");
}
