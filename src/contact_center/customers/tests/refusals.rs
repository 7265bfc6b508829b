//! A row for every refusal, and what nobody may learn.

use super::*;

/// The application's condition of an error.
fn code(answer: &str) -> &str {
    let code = answer.split(" xmlns='urn:parlour:errors:0'").next();
    let code = code.and_then(|it| it.rsplit('<').next());
    code.unwrap_or_default()
}

/// One character more than a name has.
const LONG: &str = "\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxx";

/// What is typed, and how it is refused.
const BAD_PROFILES: &[(&[(&str, &str)], &str)] = &[
    (&[], "customer-nameless"),
    (&[("name", "  ")], "customer-nameless"),
    (&[("name", LONG)], "customer-name-malformed"),
    (&[("name", "A"), ("telephone", "12")], "telephone-malformed"),
    (
        &[("name", "A"), ("telephone", "030 12345678")],
        "telephone-malformed",
    ),
    (&[("name", "A"), ("email", "nobody")], "email-malformed"),
    (
        &[("name", "A"), ("url", "javascript:x")],
        "crm-reference-malformed",
    ),
    (&[("name", "A"), ("crm-id", "1")], "customer-exists"),
];

const BAD_REQUESTS: &[(&str, &str, &str)] = &[
    ("get", "<find xmlns='NS'/>", "field-missing"),
    (
        "get",
        "<find xmlns='NS' address='nobody'/>",
        "telephone-malformed",
    ),
    (
        "get",
        "<find xmlns='NS' address='a b@c'/>",
        "email-malformed",
    ),
    (
        "get",
        "<search xmlns='NS'><text>an</text></search>",
        "query-too-short",
    ),
    ("get", "<search xmlns='NS'/>", "field-missing"),
    (
        "get",
        "<customer xmlns='NS' id='nobody'/>",
        "customer-unknown",
    ),
    ("get", "<customer xmlns='NS' id='a b'/>", "field-malformed"),
    (
        "get",
        "<export xmlns='NS' id='nobody'/>",
        "customer-unknown",
    ),
    ("set", "<export xmlns='NS' id='nobody'/>", "operation-type"),
    (
        "set",
        "<edit xmlns='NS' id='nobody' version='1'><name>A</name></edit>",
        "customer-unknown",
    ),
    (
        "set",
        "<edit xmlns='NS' id='nobody' version='x'><name>A</name></edit>",
        "field-malformed",
    ),
    (
        "set",
        "<edit xmlns='NS' id='nobody'><name>A</name></edit>",
        "field-missing",
    ),
    (
        "set",
        "<edit xmlns='NS' id='nobody' version='1'/>",
        "customer-nameless",
    ),
    (
        "set",
        "<merge xmlns='NS' id='a' version='1' other='b' other-version='1'/>",
        "right-missing",
    ),
    ("set", "<drop xmlns='NS'/>", "operation-unknown"),
];

fn is_attribute(name: &str) -> bool {
    ["crm-id", "url"].contains(&name)
}

#[tokio::test]
async fn a_profile_that_cannot_be_taken_is_refused_through_both_doors() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    create(&mut romeo, " crm-id='1'", "<name>One</name>").await;
    for (fields, expected) in BAD_PROFILES {
        let (mut attributes, mut children) = (String::new(), String::new());
        for (name, text) in *fields {
            match is_attribute(name) {
                true => attributes.push_str(&format!(" {name}='{text}'")),
                false => children.push_str(&format!("<{name}>{text}</{name}>")),
            }
        }
        let answer = create(&mut romeo, &attributes, &children).await;
        assert_eq!(code(&answer), *expected, "{answer}");
        let answer = command(&mut romeo, &format!("{NS}#create"), fields).await;
        assert_eq!(code(&answer), *expected, "{answer}");
    }
    let many: String = (0..21)
        .map(|n| format!("<email>a{n}@example.org</email>"))
        .collect();
    let answer = create(&mut romeo, "", &format!("<name>A</name>{many}")).await;
    assert_eq!(code(&answer), "field-repeated", "{answer}");
}

#[tokio::test]
async fn a_request_that_is_none_is_refused() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    made(&mut romeo, "Ann", "", "ann@example.org").await;
    for (kind, request, expected) in BAD_REQUESTS {
        let answer = ask(&mut romeo, kind, &request.replace("NS", NS)).await;
        assert_eq!(code(&answer), *expected, "{answer}");
    }
    let search = |text: &str, set: &str| {
        let set = format!("<set xmlns='http://jabber.org/protocol/rsm'>{set}</set>");
        format!("<search xmlns='{NS}'><text>{text}</text>{set}</search>")
    };
    let answer = ask(&mut romeo, "get", &search(LONG, "")).await;
    assert_eq!(code(&answer), "query-too-long");
    let answer = ask(&mut romeo, "get", &search("ann", "<after>x</after>")).await;
    assert!(answer.contains("<item-not-found "), "{answer}");
    let answer = ask(&mut romeo, "get", &search("ann", "<index>1</index>")).await;
    assert!(answer.contains("<feature-not-implemented "), "{answer}");
}

/// A stale write gets what is there now, so that it can be shown beside what was typed.
#[tokio::test]
async fn a_stale_write_is_given_the_present_record() {
    let floor = Floor::new(&["romeo", "lady:supervisor"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let ann = made(&mut romeo, "Ann", "", "ann@example.org").await;
    let bob = made(&mut romeo, "Bob", "", "bob@example.org").await;
    let edit = |version: u32, name: &str| {
        format!("<edit xmlns='{NS}' id='{ann}' version='{version}'><name>{name}</name></edit>")
    };
    ask(&mut romeo, "set", &edit(1, "Ann Smith")).await;
    let mut lady = floor.online("lady/desk").await;
    let merge = |version: u32, other: &str, read: u32| {
        format!(
            "<merge xmlns='{NS}' id='{ann}' version='{version}' other='{other}' other-version='{read}'/>"
        )
    };
    for request in [
        edit(1, "Ann Jones"),
        edit(3, "Ann Jones"),
        merge(1, &bob, 1),
    ] {
        let answer = ask(&mut lady, "set", &request).await;
        assert!(answer.contains("<conflict "), "{answer}");
        assert_eq!(code(&answer), "customer-changed", "{answer}");
        assert_eq!(ids(&answer), [ann.as_str()], "{answer}");
        assert!(answer.contains(" version='2' ") && answer.contains("<name>Ann Smith</name>"));
    }
    let answer = ask(&mut lady, "set", &merge(2, &bob, 7)).await;
    assert_eq!(
        (code(&answer), ids(&answer)),
        ("customer-changed", vec![bob.as_str()])
    );
    let answer = ask(&mut lady, "set", &merge(2, &ann, 2)).await;
    assert_eq!(code(&answer), "customer-itself");
    let answer = ask(&mut lady, "set", &merge(2, "nobody", 2)).await;
    assert_eq!(code(&answer), "customer-unknown");
    ask(&mut lady, "set", &merge(2, &bob, 1)).await;
    // Twice, which finds nothing left to do, and what is part of another.
    let answer = ask(&mut lady, "set", &merge(3, &bob, 2)).await;
    assert!(answer.contains("type='result'"), "{answer}");
    let edit = format!("<edit xmlns='{NS}' id='{bob}' version='2'><name>B</name></edit>");
    let answer = ask(&mut romeo, "set", &edit).await;
    assert_eq!(code(&answer), "customer-merged");
}

/// Each of two who merge the same two the other way round cannot make both part of each other.
#[tokio::test]
async fn two_merges_at_once_leave_one_customer() {
    let floor = Floor::new(&["lady:supervisor", "lord:supervisor"]).await;
    let mut lady = floor.online("lady/desk").await;
    let mut lord = floor.online("lord/desk").await;
    for n in 0..10 {
        let (one, two) = (format!("one{n}@example.org"), format!("two{n}@example.org"));
        let one = made(&mut lady, "One", "", &one).await;
        let two = made(&mut lady, "Two", "", &two).await;
        let merge = |id: &str, other: &str| {
            format!("<merge xmlns='{NS}' id='{id}' version='1' other='{other}' other-version='1'/>")
        };
        let (there, back) = (merge(&one, &two), merge(&two, &one));
        let (a, b) = tokio::join!(ask(&mut lady, "set", &there), ask(&mut lord, "set", &back));
        let refused = [&a, &b]
            .into_iter()
            .filter(|it| it.contains("type='error'"));
        assert_eq!(refused.count(), 1, "{a} {b}");
        let shown = get(&mut lady, "customer", &one).await;
        let other = get(&mut lady, "customer", &two).await;
        assert_eq!(ids(&shown), ids(&other));
        assert_eq!(ids(&shown).len(), 1, "{shown}");
    }
}

/// Rights, and customers of another host, of whom is said what is said of nobody.
#[tokio::test]
async fn customers_are_for_those_of_their_host_who_may_know_them() {
    let floor = Floor::new(&["romeo", "peter:member"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut peter = floor.online("peter/desk").await;
    let ann = made(&mut romeo, "Ann", "", "ann@example.org").await;
    for (kind, request) in [
        ("get", format!("<customer xmlns='{NS}' id='{ann}'/>")),
        (
            "get",
            format!("<find xmlns='{NS}' address='ann@example.org'/>"),
        ),
        (
            "get",
            format!("<search xmlns='{NS}'><text>ann</text></search>"),
        ),
        ("get", format!("<export xmlns='{NS}' id='{ann}'/>")),
        (
            "set",
            format!("<create xmlns='{NS}'><name>A</name></create>"),
        ),
        (
            "set",
            format!("<edit xmlns='{NS}' id='{ann}' version='1'><name>A</name></edit>"),
        ),
    ] {
        let answer = ask(&mut peter, kind, &request).await;
        assert_eq!(code(&answer), "right-missing", "{answer}");
    }
    let services = floor.house.router.services();
    let foreign = Customer::new("foreign".parse().unwrap(), "elsewhere.example".to_owned());
    let profile = customer::Profile {
        name: "Foreign".to_owned(),
        emails: vec!["foreign@example.org".to_owned()],
        crm_id: Some("f".to_owned()),
        ..customer::Profile::default()
    };
    let events = customer::decide(
        &foreign,
        customer::Command::Create(profile),
        services.clock.now(),
    );
    let (_, change) = crate::store::customer_change(&foreign, &events.unwrap()).unwrap();
    let write = crate::store::RecordWrite {
        changes: vec![change],
        ..crate::store::RecordWrite::default()
    };
    let written = services.store.records().write(write).await.unwrap();
    assert_eq!(written, crate::store::RecordsWritten::Done);
    let answer = get(&mut romeo, "customer", "foreign").await;
    assert_eq!(code(&answer), "customer-unknown");
    let edit = format!("<edit xmlns='{NS}' id='foreign' version='1'><name>A</name></edit>");
    let answer = ask(&mut romeo, "set", &edit).await;
    assert_eq!(code(&answer), "customer-unknown");
    let answer = found(&mut romeo, "foreign@example.org").await;
    assert!(
        answer.contains("type='result'") && ids(&answer).is_empty(),
        "{answer}"
    );
    let search = format!("<search xmlns='{NS}'><text>foreign</text></search>");
    let answer = ask(&mut romeo, "get", &search).await;
    assert!(
        answer.contains("type='result'") && ids(&answer).is_empty(),
        "{answer}"
    );
    let answer = create(&mut romeo, " crm-id='f'", "<name>Own</name>").await;
    assert_eq!(ids(&answer).len(), 1, "{answer}");
}

/// Addresses as connectors bring them.
#[test]
fn an_address_is_kept_in_one_way_for_each_medium() {
    let none = Region(None);
    for (medium, address, expected) in [
        (Medium::Voice, "+49 30 12345678", Ok("+493012345678")),
        (Medium::Voice, "ann@example.org", Err("telephone-malformed")),
        (Medium::Voice, "anonymous", Err("telephone-malformed")),
        (Medium::Email, " Ann@Example.org ", Ok("ann@example.org")),
        (Medium::Email, "ann", Err("email-malformed")),
        (Medium::Chat, "Ann@Example.org", Ok("ann@example.org")),
        (Medium::Chat, " Visitor 7 ", Ok("Visitor 7")),
        (Medium::Chat, " ", Err("email-malformed")),
        (Medium::Chat, "a\nb", Err("email-malformed")),
        (Medium::Chat, &"x".repeat(1_025), Err("email-malformed")),
    ] {
        let found = normal(&none, medium, address);
        let found = found.map_err(|refused| match refused {
            Refused::Rule(refusal) => refusal.code,
            other => panic!("{other:?}"),
        });
        assert_eq!(
            found.as_deref(),
            expected.as_deref(),
            "{medium:?} {address}"
        );
    }
}
