//! Forms that hold what is known of a customer.

use super::*;
use crate::contact_center::testing::{begun, filled};

/// XEP-0050 §3.3: who is meant is asked first; then the form holds everything, and changes what was changed in it alone.
#[tokio::test]
async fn the_form_of_a_customer_holds_what_is_known() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let children = "<name>Ann Smith</name><company>Example</company><telephone>+493012345678</telephone>\
                    <telephone>+390612345678</telephone><email>ann@example.org</email>";
    let made = create(&mut romeo, " crm-id='4711'", children).await;
    let id = attribute(&made, "customer", "id");
    let node = format!("{NS}#edit");
    let first = begun(&mut romeo, &node).await;
    assert!(
        first.contains("<actions execute='next'><next/></actions>"),
        "{first}"
    );
    assert_eq!(first.matches("<field ").count(), 2, "{first}");
    // Whoever is not there can be named anew.
    let refused = filled(&mut romeo, &node, &first, &[("id", "nobody")]).await;
    assert!(refused.contains("<customer-unknown "), "{refused}");
    let form = filled(&mut romeo, &node, &first, &[("id", &id)]).await;
    for part in [
        "<actions execute='complete'><prev/><complete/></actions>",
        &format!("<field var='id' type='hidden'><value>{id}</value></field>"),
        "<field var='version' type='hidden'><value>1</value></field>",
        "<value>Ann Smith</value>",
        "<value>Example</value>",
        "<value>+493012345678</value><value>+390612345678</value>",
        "<value>ann@example.org</value>",
        "<value>4711</value>",
    ] {
        assert!(form.contains(part), "{part} in {form}");
    }
    let fields = [
        ("id", id.as_str()),
        ("version", "1"),
        ("name", "Ann Jones"),
        ("company", "Example"),
        ("telephone", "+493012345678\n+390612345678"),
        ("email", "ann@example.org"),
        ("crm-id", "4711"),
    ];
    let done = filled(&mut romeo, &node, &form, &fields).await;
    assert!(done.contains("Ann Jones is written down."), "{done}");
    let shown = get(&mut romeo, "customer", &id).await;
    assert!(shown.contains(" version='2' "), "{shown}");
    let kept = children.replace("Smith", "Jones");
    assert!(shown.contains(&kept), "{shown}");
}

/// The version is that which was shown: what somebody else has changed meanwhile is not written over.
#[tokio::test]
async fn a_form_that_was_overtaken_is_refused_with_what_is_now() {
    let floor = Floor::new(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let id = made(&mut romeo, "Ann Smith", "", "ann@example.org").await;
    let node = format!("{NS}#edit");
    let first = begun(&mut romeo, &node).await;
    let form = filled(&mut romeo, &node, &first, &[("id", &id)]).await;
    let edit = format!("<edit xmlns='{NS}' id='{id}' version='1'><name>Ann Jones</name></edit>");
    let answer = ask(&mut juliet, "set", &edit).await;
    assert!(answer.contains(" version='2' "), "{answer}");
    let fields = [("id", id.as_str()), ("version", "1"), ("name", "A. Smith")];
    let refused = filled(&mut romeo, &node, &form, &fields).await;
    assert!(
        refused.contains("<customer-changed xmlns='urn:parlour:errors:0'>"),
        "{refused}"
    );
    // A client that gives back nothing of what it was not shown changes nothing.
    let fields = [("name", "A. Smith")];
    let refused = filled(&mut romeo, &node, &form, &fields).await;
    assert!(refused.contains("the field id is required"), "{refused}");
    let shown = get(&mut romeo, "customer", &id).await;
    assert!(shown.contains("<name>Ann Jones</name>"), "{shown}");
}

/// XEP-0050 §3.4: back to the first form and on again; what there is no form for is refused.
#[tokio::test]
async fn the_steps_go_forward_and_back() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let ann = made(&mut romeo, "Ann", "", "ann@example.org").await;
    let bob = made(&mut romeo, "Bob", "", "bob@example.org").await;
    let node = format!("{NS}#edit");
    let first = begun(&mut romeo, &node).await;
    let session = attribute(&first, "command", "sessionid");
    let step = |action: &str, id: &str| {
        let form = format!(
            "<x xmlns='jabber:x:data' type='submit'><field var='id'><value>{id}</value></field></x>"
        );
        let form = if id.is_empty() { "" } else { form.as_str() };
        format!(
            "<command xmlns='http://jabber.org/protocol/commands' node='{node}' \
             sessionid='{session}' action='{action}'>{form}</command>"
        )
    };
    let answer = ask(&mut romeo, "set", &step("prev", "")).await;
    assert!(answer.contains("<bad-action "), "{answer}");
    let answer = ask(&mut romeo, "set", &step("next", &ann)).await;
    assert!(answer.contains("<value>Ann</value>"), "{answer}");
    let answer = ask(&mut romeo, "set", &step("next", &ann)).await;
    assert!(answer.contains("<bad-action "), "{answer}");
    let answer = ask(&mut romeo, "set", &step("prev", "")).await;
    assert!(answer.contains("<next/>"), "{answer}");
    let answer = ask(&mut romeo, "set", &step("next", &bob)).await;
    assert!(answer.contains("<value>Bob</value>"), "{answer}");
    let answer = ask(&mut romeo, "set", &step("cancel", "")).await;
    assert!(answer.contains("status='canceled'"), "{answer}");
    let answer = ask(&mut romeo, "set", &step("complete", &bob)).await;
    assert!(answer.contains("<session-expired "), "{answer}");
}

/// Who is to become one with whom is shown before it is done.
#[tokio::test]
async fn the_form_of_a_merge_says_who_gets_what() {
    let floor = Floor::new(&["romeo", "lady:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut lady = floor.online("lady/desk").await;
    let ann = made(&mut romeo, "Ann", "+493012345678", "").await;
    let smith = made(&mut romeo, "A. Smith", "", "ann@example.org").await;
    let node = format!("{NS}#merge");
    let first = begun(&mut lady, &node).await;
    let named = [("id", ann.as_str()), ("other", smith.as_str())];
    let form = filled(&mut lady, &node, &first, &named).await;
    let says = "<instructions>Ann (+493012345678) gets what A. Smith (ann@example.org) has.</instructions>";
    assert!(form.contains(says), "{form}");
    assert_eq!(form.matches("type='hidden'").count(), 5, "{form}");
    let hidden = [("version", "1"), ("other-version", "1")];
    let all = [&named[..], &hidden[..]].concat();
    let done = filled(&mut lady, &node, &form, &all).await;
    assert!(done.contains("Both are Ann now."), "{done}");
}
