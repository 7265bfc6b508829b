//! Who has made, changed or merged a customer is in the audit trail together with what was done, or not at all (section J of the
//! design).

use super::*;
use crate::contact_center::testing::{trail, watched};

/// Asks for something, and looks at each moment whether the record is changed exactly when the trail has it.
async fn done(floor: &Floor, client: &mut Client, request: &str, changed: (&str, i64)) -> String {
    let before = trail(floor).await.len();
    let (id, version) = changed;
    let looks = async || {
        let records = floor.house.router.services().store.records();
        // The record first: what is written in between is in the trail.
        let stored = records.all(CUSTOMER, "", 100).await.unwrap();
        let is_done = stored
            .iter()
            .any(|it| (id.is_empty() || it.id == id) && it.version >= version);
        let noted = trail(floor).await.len() - before;
        assert!(noted <= 1, "{noted}");
        assert!(!is_done || noted == 1, "{request}: nobody has done it");
    };
    watched(Box::pin(ask(client, "set", request)), looks).await
}

#[tokio::test]
async fn what_is_done_to_a_customer_is_in_the_trail_at_the_same_moment() {
    let floor = Floor::new(&["romeo", "lady:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut lady = floor.online("lady/desk").await;
    let create = format!("<create xmlns='{NS}'><name>Ann</name></create>");
    let answer = done(&floor, &mut romeo, &create, ("", 1)).await;
    let ann = attribute(&answer, "customer", "id");
    let edit = format!("<edit xmlns='{NS}' id='{ann}' version='1'><name>Ann Smith</name></edit>");
    done(&floor, &mut romeo, &edit, (&ann, 2)).await;
    // What is so already is no change, and what is refused is none.
    let again = edit.replace("version='1'", "version='2'");
    ask(&mut romeo, "set", &again).await;
    ask(&mut romeo, "set", &edit).await;
    let other = made(&mut romeo, "A. Smith", "", "").await;
    let merge =
        format!("<merge xmlns='{NS}' id='{ann}' version='2' other='{other}' other-version='1'/>");
    done(&floor, &mut lady, &merge, (&other, 2)).await;
    let entry = |who: &str, what: &str, id: &str| {
        let actor = format!("{who}@localhost");
        (actor, format!("customer {what}"), id.to_owned())
    };
    let mut expected = vec![
        entry("romeo", "create", &ann),
        entry("romeo", "edit", &ann),
        entry("romeo", "create", &other),
        entry("lady", "merge", &other),
    ];
    expected.sort_unstable();
    assert_eq!(trail(&floor).await, expected);
}

/// Of two who decide from the same, one is too late: what was not written has been done by nobody.
#[tokio::test]
async fn what_is_not_written_is_not_in_the_trail() {
    let floor = Floor::new(&["romeo", "juliet", "lady:supervisor", "paris:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let mut lady = floor.online("lady/desk").await;
    let mut paris = floor.online("paris/desk").await;
    let create =
        |name: &str| format!("<create xmlns='{NS}' crm-id='1'><name>{name}</name></create>");
    let (one, other) = (create("Ann"), create("Smith"));
    let both = tokio::join!(
        ask(&mut romeo, "set", &one),
        ask(&mut juliet, "set", &other)
    );
    let [ann] = made_by(&both)[..] else {
        panic!("{both:?}");
    };
    let ann = attribute(ann, "customer", "id");
    let edit = |name: &str| {
        format!("<edit xmlns='{NS}' id='{ann}' version='1' crm-id='1'><name>{name}</name></edit>")
    };
    let (one, other) = (edit("Jones"), edit("Miller"));
    let both = tokio::join!(
        ask(&mut romeo, "set", &one),
        ask(&mut juliet, "set", &other)
    );
    assert_eq!(made_by(&both).len(), 1, "{both:?}");
    let smith = made(&mut romeo, "Smith", "", "").await;
    let merge = |(id, version), (other, other_version): (&str, u8)| {
        format!(
            "<merge xmlns='{NS}' id='{id}' version='{version}' other='{other}' other-version='{other_version}'/>"
        )
    };
    let (one, other) = (
        merge((ann.as_str(), 2), (&smith, 1)),
        merge((smith.as_str(), 1), (&ann, 2)),
    );
    let both = tokio::join!(ask(&mut lady, "set", &one), ask(&mut paris, "set", &other));
    assert_eq!(made_by(&both).len(), 1, "{both:?}");
    let trail = trail(&floor).await;
    let mut done: Vec<_> = trail.iter().map(|it| it.1.as_str()).collect();
    done.sort_unstable();
    let expected = ["create", "create", "edit", "merge"];
    assert_eq!(
        done,
        expected.map(|it| format!("customer {it}")),
        "{trail:?}"
    );
}

/// The answers to those that were done.
fn made_by((one, other): &(String, String)) -> Vec<&String> {
    let done = |it: &&String| it.contains("type='result'");
    [one, other].into_iter().filter(done).collect()
}
