//! Customers through both doors.

mod crm;
mod finding;
mod history;
mod merging;
mod presenting;
mod refusals;
mod trail;

use super::*;
use crate::contact_center::testing::{Floor, ask, command};
use crate::extensions::testing::Client;

/// Asks to make a customer, and gives the answer.
async fn create(client: &mut Client, attributes: &str, children: &str) -> String {
    let request = format!("<create xmlns='{NS}'{attributes}>{children}</create>");
    ask(client, "set", &request).await
}

/// Makes one that is good, and gives its id.
async fn made(client: &mut Client, name: &str, number: &str, email: &str) -> String {
    let name = format!("<name>{name}</name>");
    let number = match number {
        "" => String::new(),
        number => format!("<telephone>{number}</telephone>"),
    };
    let email = match email {
        "" => String::new(),
        email => format!("<email>{email}</email>"),
    };
    let answer = create(client, "", &format!("{name}{number}{email}")).await;
    attribute(&answer, "customer", "id")
}

/// An attribute of the first element of that name.
fn attribute(answer: &str, element: &str, name: &str) -> String {
    let head = answer.split(&format!("<{element} ")).nth(1);
    let head = head.and_then(|it| it.split('>').next());
    let value = head.and_then(|it| it.split(&format!("{name}='")).nth(1));
    let value = value.and_then(|it| it.split('\'').next());
    value.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// The ids of all customers in an answer.
fn ids(answer: &str) -> Vec<&str> {
    let heads = answer.split("<customer ").skip(1);
    let ids = heads.map(|it| it.split("id='").nth(1).unwrap());
    ids.map(|it| it.split('\'').next().unwrap()).collect()
}

async fn get(client: &mut Client, name: &str, id: &str) -> String {
    ask(client, "get", &format!("<{name} xmlns='{NS}' id='{id}'/>")).await
}

async fn found(client: &mut Client, address: &str) -> String {
    let request = format!("<find xmlns='{NS}' address='{address}'/>");
    ask(client, "get", &request).await
}

/// S2-10, S2-12, S2-29: an agent makes a customer, who is known by number and address from then on.
#[tokio::test]
async fn a_customer_is_made_shown_and_changed() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let answer = create(
        &mut romeo,
        " crm-id='4711' url='https://crm.example/4711'",
        "<name> Ann Smith </name><company>Example &amp; Sons</company>\
         <telephone>+49 (30) 12345678</telephone><email>Ann@Example.org</email>",
    )
    .await;
    let id = attribute(&answer, "customer", "id");
    let expected = format!(
        "<customer xmlns='{NS}' id='{id}' version='1' created='2026-09-21T14:13:20Z' crm-id='4711' \
         url='https://crm.example/4711'><name>Ann Smith</name><company>Example &amp; Sons</company>\
         <telephone>+493012345678</telephone><email>Ann@Example.org</email></customer>"
    );
    assert!(answer.contains(&expected), "{answer}");
    let shown = get(&mut romeo, "customer", &id).await;
    assert!(shown.contains(&expected), "{shown}");
    let edit = format!(
        "<edit xmlns='{NS}' id='{id}' version='1' crm-id='4711'><name>Ann Jones</name>\
         <email>jones@example.org</email></edit>"
    );
    let answer = ask(&mut romeo, "set", &edit).await;
    assert!(answer.contains(" version='2' "), "{answer}");
    assert!(!answer.contains("<telephone>"), "{answer}");
    // What is known already is no change.
    let again = edit.replace("version='1'", "version='2'");
    let answer = ask(&mut romeo, "set", &again).await;
    assert!(answer.contains(" version='2' "), "{answer}");
    for (address, count) in [
        ("+493012345678", 0),
        ("ann@example.org", 0),
        ("JONES@example.org", 1),
    ] {
        let answer = found(&mut romeo, address).await;
        assert_eq!(ids(&answer).len(), count, "{answer}");
    }
}

/// The other door: forms.
#[tokio::test]
async fn every_operation_is_a_command_too() {
    let floor = Floor::new(&["romeo", "lady:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let node = |name: &str| format!("{NS}#{name}");
    let fields = [
        ("name", "Ann Smith"),
        ("telephone", "+49 30 12345678\n+39 06 12345678"),
        ("email", "ann@example.org"),
    ];
    let answer = command(&mut romeo, &node("create"), &fields).await;
    assert!(answer.contains("Ann Smith is a customer now."), "{answer}");
    assert!(
        answer.contains("<value>+493012345678, +390612345678</value>"),
        "{answer}"
    );
    let other = [("company", "Example"), ("email", "info@example.org")];
    command(&mut romeo, &node("create"), &other).await;
    let answer = found(&mut romeo, "ann@example.org").await;
    let ann = attribute(&answer, "customer", "id");
    let answer = found(&mut romeo, "info@example.org").await;
    let company = attribute(&answer, "customer", "id");
    for (name, fields, says) in [
        (
            "find",
            vec![("address", "+39 06 12345678")],
            "+390612345678 is Ann Smith.",
        ),
        ("search", vec![("text", "exam")], "Found: 1."),
        (
            "customer",
            vec![("id", ann.as_str())],
            "<value>Ann Smith</value>",
        ),
        (
            "edit",
            vec![
                ("id", ann.as_str()),
                ("version", "1"),
                ("name", "Ann Jones"),
            ],
            "Ann Jones is written down.",
        ),
        ("export", vec![("id", ann.as_str())], "FN:Ann Jones"),
        (
            "find",
            vec![("address", "ann@example.org")],
            "Nobody is known by ann@example.org.",
        ),
    ] {
        let answer = command(&mut romeo, &node(name), &fields).await;
        assert!(answer.contains(says), "{name}: {answer}");
    }
    let mut lady = floor.online("lady/desk").await;
    let merge = [
        ("id", ann.as_str()),
        ("version", "2"),
        ("other", company.as_str()),
        ("other-version", "1"),
    ];
    let answer = command(&mut lady, &node("merge"), &merge).await;
    assert!(answer.contains("Both are Ann Jones now."), "{answer}");
}

/// Two that turn out to be one: what referred to the second finds the first, and so does who looks for either.
#[tokio::test]
async fn a_merged_customer_is_the_one_that_it_turned_out_to_be() {
    let floor = Floor::new(&["romeo", "lady:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let ann = made(&mut romeo, "Ann", "+493012345678", "").await;
    let smith = made(&mut romeo, "A. Smith", "+390612345678", "ann@example.org").await;
    let third = made(&mut romeo, "Third", "", "third@example.org").await;
    let merge = |id: &str, version: u32, other: &str| {
        format!(
            "<merge xmlns='{NS}' id='{id}' version='{version}' other='{other}' other-version='1'/>"
        )
    };
    let mut lady = floor.online("lady/desk").await;
    let answer = ask(&mut lady, "set", &merge(&ann, 1, &smith)).await;
    assert!(
        answer.contains(
            "<name>Ann</name><telephone>+493012345678</telephone>\
             <telephone>+390612345678</telephone><email>ann@example.org</email>"
        ),
        "{answer}"
    );
    for address in ["+493012345678", "+390612345678", "ann@example.org"] {
        let answer = found(&mut romeo, address).await;
        assert_eq!(ids(&answer), [ann.as_str()], "{address}");
    }
    // One that others were merged into can be merged itself.
    let answer = ask(
        &mut lady,
        "set",
        &merge(&third, 1, &ann).replace("other-version='1'", "other-version='2'"),
    )
    .await;
    assert!(answer.contains("<name>Third</name>"), "{answer}");
    for id in [&ann, &smith, &third] {
        let answer = get(&mut romeo, "customer", id).await;
        assert_eq!(ids(&answer), [third.as_str()], "{answer}");
    }
    let answer = ask(
        &mut romeo,
        "get",
        &format!("<search xmlns='{NS}'><text>smith</text></search>"),
    )
    .await;
    assert!(ids(&answer).is_empty(), "{answer}");
}

/// Who reads by a higher role is in the audit trail, for agents do nothing else all day; who changes something always is.
#[tokio::test]
async fn supervisors_and_administrators_are_in_the_audit_trail() {
    use crate::store::AuditFilter;
    let floor = Floor::new(&["romeo", "lady:supervisor", "boss:administrator"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let ann = made(&mut romeo, "Ann", "", "ann@example.org").await;
    get(&mut romeo, "customer", &ann).await;
    found(&mut romeo, "ann@example.org").await;
    let mut lady = floor.online("lady/desk").await;
    get(&mut lady, "customer", &ann).await;
    let mut boss = floor.online("boss/desk").await;
    get(&mut boss, "export", &ann).await;
    get(&mut boss, "customer", "nobody").await;
    let services = floor.house.router.services();
    let audit = services.store.audit();
    let entries = audit.list(&AuditFilter::default(), 10).await.unwrap();
    let mut seen: Vec<_> = entries
        .iter()
        .map(|it| (it.actor.as_str(), it.operation.as_str(), it.target.as_str()))
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            ("boss@localhost", "customer card", ann.as_str()),
            ("lady@localhost", "customer show", ann.as_str()),
            ("romeo@localhost", "customer create", ann.as_str()),
        ]
    );
}

/// RFC 6351 in the IQ.
#[tokio::test]
async fn a_customer_is_a_vcard() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let ann = made(&mut romeo, "Ann", "+493012345678", "ann@example.org").await;
    let answer = get(&mut romeo, "export", &ann).await;
    assert!(
        answer.contains(
            "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Ann</text></fn>\
             <tel><uri>tel:+493012345678</uri></tel><email><text>ann@example.org</text></email></vcard>"
        ),
        "{answer}"
    );
}
