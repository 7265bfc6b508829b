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
