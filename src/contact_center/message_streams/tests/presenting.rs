//! Forms that hold what a stream is, as far as who fills them in sees it.

use super::*;
use crate::contact_center::testing::{begun, filled};

fn node(name: &str) -> String {
    format!("{NS}#{name}")
}

/// S4-30: a message is edited where it stands; its files stay unless they are taken out.
#[tokio::test]
async fn the_form_of_a_message_holds_what_it_says() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let text = "<text>First line\n\nThird line</text>";
    let made = create(&mut romeo, "", "Call back", text).await;
    let (id, message) = (
        attribute(&made, "stream", "id"),
        attribute(&made, "message", "id"),
    );
    let named = [("id", id.as_str()), ("message", message.as_str())];
    let first = begun(&mut romeo, &node("edit")).await;
    assert_eq!(first.matches("<field ").count(), 3, "{first}");
    let form = filled(&mut romeo, &node("edit"), &first, &named).await;
    for part in [
        "<instructions>Call back</instructions>",
        "<field var='version' type='hidden'><value>1</value></field>",
        "<value>First line</value><value/><value>Third line</value>",
    ] {
        assert!(form.contains(part), "{part} in {form}");
    }
    let rest = [("version", "1"), ("text", "First line\n\nLast line")];
    let all = [&named[..], &rest[..]].concat();
    let done = filled(&mut romeo, &node("edit"), &form, &all).await;
    assert!(done.contains("The message is changed."), "{done}");
    let shown = stream(&mut juliet, &id).await;
    assert!(shown.contains("First line\n\nLast line"), "{shown}");
    let first = begun(&mut juliet, &node("edit")).await;
    let unknown = [("id", id.as_str()), ("message", "nothing")];
    let refused = filled(&mut juliet, &node("edit"), &first, &unknown).await;
    assert!(refused.contains("type='error'"), "{refused}");
}

/// Of two who have read the same, the second is told what the first has done, in both doors; who names no version is not asked.
#[tokio::test]
async fn of_two_who_complete_reopen_or_delete_the_second_is_told_of_the_first() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    for (name, more) in [
        ("complete", ""),
        ("reopen", ""),
        ("delete", " confirm='true'"),
    ] {
        let id = made(&floor, &mut romeo, "Call back", "").await;
        let first = begun(&mut juliet, &node(name)).await;
        let form = filled(&mut juliet, &node(name), &first, &[("id", &id)]).await;
        for part in [
            "<instructions>Call back (open, 0 replies)</instructions>",
            "<field var='version' type='hidden'><value>1</value></field>",
        ] {
            assert!(form.contains(part), "{part} in {form}");
        }
        reply(&mut romeo, &id, "She has called again.").await;
        let held = [("id", id.as_str()), ("version", "1"), ("confirm", "1")];
        let held = if name == "delete" {
            &held[..]
        } else {
            &held[..2]
        };
        let answer = filled(&mut juliet, &node(name), &form, held).await;
        assert_eq!(code(&answer), "stream-changed", "{name}: {answer}");
        let stale = format!("<{name} xmlns='NS' id='{id}' version='1'{more}/>");
        let answer = set(&mut juliet, &stale).await;
        assert_eq!(code(&answer), "stream-changed", "{name}: {answer}");
        assert!(answer.contains("She has called again."), "{answer}");
        let answer = set(&mut juliet, &stale.replace("'1'", "'x'")).await;
        assert_eq!(code(&answer), "field-malformed", "{name}: {answer}");
        let good = stale.replace("version='1'", "version='2'");
        let answer = set(&mut juliet, &good).await;
        assert!(answer.contains("type='result'"), "{name}: {answer}");
    }
}

/// S4-4, S4-34: what is set is there to be changed, for who sees it; who may set it blindly sees nothing.
#[tokio::test]
async fn the_forms_of_properties_and_tags_hold_what_is_set() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let children = "<text>So.</text><recipient>juliet@localhost</recipient><tag>paid</tag>";
    let made = create(&mut romeo, " minutes='7' billable='true'", "Call", children).await;
    let id = attribute(&made, "stream", "id");
    let mut juliet = floor.online("juliet/desk").await;
    for right in ["property-show", "tag-show"] {
        let taken = [("jid", "juliet@localhost"), ("right", right)];
        floor.operate("right take", &taken).await;
    }
    for (name, parts) in [
        (
            "properties",
            &[
                "<value>juliet@localhost</value>",
                "<value>7</value>",
                "<value>true</value>",
            ][..],
        ),
        ("tags", &["<value>paid</value><option"]),
    ] {
        let first = begun(&mut romeo, &node(name)).await;
        let form = filled(&mut romeo, &node(name), &first, &[("id", &id)]).await;
        for part in parts {
            assert!(form.contains(part), "{part} in {form}");
        }
        let first = begun(&mut juliet, &node(name)).await;
        let form = filled(&mut juliet, &node(name), &first, &[("id", &id)]).await;
        assert!(form.contains("status='executing'"), "{form}");
        for part in parts {
            assert!(!form.contains(part), "{part} in {form}");
        }
    }
}
