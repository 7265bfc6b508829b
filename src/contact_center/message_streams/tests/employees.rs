//! What streams are for: notes of employees, as many as there are, found by the customer, that nobody else learns of.

use super::*;
use crate::contact_center::operation::Act;

/// S4-1: notes are for employees. A customer with an account here, whatever it asks, learns that it may not; and is told nothing.
#[tokio::test]
async fn a_customer_learns_of_no_note_about_it() {
    let floor = floor(&["romeo", "ann:member"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut ann = floor.online("ann/phone").await;
    floor.customer("she", "Ann Herself", "ann@localhost").await;
    let made =
        "<create xmlns='NS' customer='she'><title>Zanzibar</title><text>Mombasa</text></create>";
    let made = set(&mut romeo, made).await;
    let id = attribute(&made, "stream", "id");
    let message = attribute(&made, "message", "id");
    for operation in super::super::OPERATIONS {
        let name = operation.name;
        let kind = match operation.act {
            Act::Get => "get",
            Act::Set => "set",
        };
        let request = format!("<{name} xmlns='{NS}' id='{id}' message='{message}'/>");
        let answer = ask(&mut ann, kind, &request).await;
        assert_eq!(code(&answer), "right-missing", "{name}: {answer}");
        let answer = command(&mut ann, operation.node, &[("id", &id)]).await;
        assert_eq!(code(&answer), "right-missing", "{name}: {answer}");
        assert!(!answer.contains("Zanzibar"), "{answer}");
    }
    reply(&mut romeo, &id, "Nairobi").await;
    let heard = ann.received_xml().concat();
    for word in ["Zanzibar", "Mombasa", "Nairobi", id.as_str()] {
        assert!(!heard.contains(word), "{heard}");
    }
}

/// S4-8: a customer has any number of messages, all of which are come to.
#[tokio::test]
async fn a_customer_has_any_number_of_messages() {
    const MANY: usize = 130;
    let floor = floor(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    for n in 0..MANY {
        made(&floor, &mut romeo, &format!("n{n}"), "").await;
    }
    let (mut all, mut after): (Vec<String>, String) = (vec![], String::new());
    loop {
        let page = format!("<set xmlns='http://jabber.org/protocol/rsm'>{after}</set>");
        let answer = streams(&mut romeo, " order='ascending'", &page).await;
        all.extend(titles(&answer).into_iter().map(str::to_owned));
        if answer.contains("complete='true'") {
            break;
        }
        let last = answer.split("<last>").nth(1).unwrap();
        let last = last.split('<').next().unwrap();
        after = format!("<after>{last}</after>");
    }
    let expected: Vec<String> = (0..MANY).map(|n| format!("n{n}")).collect();
    assert_eq!(all, expected);
    // By forms, too: each tells how to come to the rest.
    let node = format!("{NS}#streams");
    let mut fields = vec![("customer", "ann".to_owned())];
    let mut found = 0;
    loop {
        let typed: Vec<_> = fields
            .iter()
            .map(|(name, it)| (*name, it.as_str()))
            .collect();
        let answer = command(&mut romeo, &node, &typed).await;
        found += answer.matches("<item>").count();
        let Some(rest) = answer.split("The rest is behind ").nth(1) else {
            break;
        };
        fields.truncate(1);
        fields.push(("after", rest.split('.').next().unwrap().to_owned()));
    }
    assert_eq!(found, MANY);
}

/// S4-9: by a name or an address the customer is found, and by the customer its messages.
#[tokio::test]
async fn messages_are_found_by_who_the_customer_is() {
    let floor = floor(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    floor.customer("bob", "Bob Brown", "+4930777").await;
    made(&floor, &mut romeo, "Of Ann", "").await;
    let about = "<create xmlns='NS' customer='bob'><title>Of Bob</title><text>x</text></create>";
    set(&mut romeo, about).await;
    let customers = "urn:parlour:customer:0";
    for (request, title) in [
        (
            format!("<search xmlns='{customers}'><text>brow</text></search>"),
            "Of Bob",
        ),
        (
            format!("<find xmlns='{customers}' address='+4930777'/>"),
            "Of Bob",
        ),
        (
            format!("<find xmlns='{customers}' address='ann@example.org'/>"),
            "Of Ann",
        ),
    ] {
        let found = ask(&mut romeo, "get", &request).await;
        let id = attribute(&found, "customer", "id");
        let listed = get(
            &mut romeo,
            &format!("<streams xmlns='NS' customer='{id}'/>"),
        )
        .await;
        assert_eq!(titles(&listed), [title], "{request}: {found}");
    }
}

/// S4-18: a whisper has no minutes and is not billed, when it is made and when it becomes one, in both doors; and what has them becomes
/// no whisper while it has.
#[tokio::test]
async fn a_whisper_has_no_minutes_and_is_not_billed() {
    let floor = floor(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let text = "<text>x</text><tag>paid</tag>";
    for both in [
        " whisper='true' minutes='5'",
        " whisper='true' minutes='0'",
        " whisper='true' billable='true'",
    ] {
        let answer = create(&mut romeo, both, "Call", text).await;
        assert_eq!(code(&answer), "whisper-with-minutes", "{both}: {answer}");
    }
    let set_for = |id: &str, version: u8, how: &str| {
        format!("<properties xmlns='NS' id='{id}' version='{version}'{how}/>")
    };
    let whisper = create(&mut romeo, " whisper='true'", "Call", text).await;
    let whisper = attribute(&whisper, "stream", "id");
    let billed = create(&mut romeo, " minutes='5' billable='true'", "Call", text).await;
    let billed = attribute(&billed, "stream", "id");
    for (id, how) in [
        (&whisper, " whisper='true' minutes='5'"),
        (&whisper, " whisper='true' billable='true'"),
        (&billed, " whisper='true' minutes='5' billable='true'"),
        (&billed, " whisper='true' billable='true'"),
    ] {
        let answer = set(&mut romeo, &set_for(id, 1, how)).await;
        assert_eq!(code(&answer), "whisper-with-minutes", "{how}: {answer}");
        let typed = how.replace(['\'', '='], " ");
        let typed: Vec<&str> = typed.split_whitespace().collect();
        let mut fields = vec![("id", id.as_str()), ("version", "1")];
        fields.extend(typed.chunks(2).map(|it| (it[0], it[1])));
        let answer = command(&mut romeo, &format!("{NS}#properties"), &fields).await;
        assert_eq!(code(&answer), "whisper-with-minutes", "{how}: {answer}");
    }
    // Without them it becomes one.
    let answer = set(&mut romeo, &set_for(&billed, 1, " whisper='true'")).await;
    assert!(
        answer.contains("whisper='true'") && !answer.contains("minutes="),
        "{answer}"
    );
}

/// S4-31: that a message is completed stands in the overview, for others as well, who are told of it at once.
#[tokio::test]
async fn what_is_completed_is_marked_in_the_overview() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let id = made(&floor, &mut romeo, "Done", "").await;
    made(&floor, &mut romeo, "To do", "").await;
    let watching = set(&mut juliet, "<watch xmlns='NS' on='true'/>").await;
    assert!(watching.contains("on='true'"), "{watching}");
    set(&mut romeo, &format!("<complete xmlns='NS' id='{id}'/>")).await;
    until(&mut juliet, "what='completed'").await;
    let listed = streams(&mut juliet, "", "").await;
    let marked: Vec<&str> = listed
        .split("<stream ")
        .filter(|it| it.contains("completed='"))
        .collect();
    assert_eq!(marked.len(), 1, "{listed}");
    assert!(marked[0].contains("<title>Done</title>"), "{listed}");
    assert_eq!(
        titles(&streams(&mut juliet, " state='completed'", "").await),
        ["Done"]
    );
    assert_eq!(
        titles(&streams(&mut juliet, " state='open'", "").await),
        ["To do"]
    );
    // Plain clients read it in a column.
    let table = command(
        &mut juliet,
        &format!("{NS}#streams"),
        &[("customer", "ann")],
    )
    .await;
    assert!(table.contains("label='Completed'"), "{table}");
    let at = marked[0].split("completed='").nth(1).unwrap();
    let date = at.split('T').next().unwrap();
    let done = table
        .split("<item>")
        .find(|it| it.contains(">Done<"))
        .unwrap();
    let column = done.split("var='completed'").nth(1).unwrap();
    let column = column.split("</field>").next().unwrap();
    assert!(column.contains(date), "{table}");
}

/// S4-22: who is a recipient already stays one when something else is set, also when that one is no employee any more. A new one
/// must be an employee, and the refusal names who is not; who does not see the recipients learns nothing of them by that.
#[tokio::test]
async fn recipients_who_have_left_are_no_reason_to_refuse_other_changes() {
    let floor = floor(&["romeo", "juliet", "tybalt"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let juliet = "<recipient>juliet@localhost</recipient>";
    let made = create(&mut romeo, "", "Call", &format!("<text>x</text>{juliet}")).await;
    let id = attribute(&made, "stream", "id");
    for name in ["juliet", "tybalt"] {
        let jid = format!("{name}@localhost");
        floor.operate("account disable", &[("jid", &jid)]).await;
    }
    let head = |version: u8| format!("<properties xmlns='NS' id='{id}' version='{version}'");
    let set_to = |version, to: &str| format!("{} minutes='5'>{to}</properties>", head(version));
    let answer = set(&mut romeo, &set_to(1, juliet)).await;
    assert!(answer.contains("minutes='5'"), "{answer}");
    let fields = [
        ("id", id.as_str()),
        ("version", "2"),
        ("recipient", "juliet@localhost"),
        ("minutes", "6"),
    ];
    let node = format!("{NS}#properties");
    let answer = command(&mut romeo, &node, &fields).await;
    assert!(answer.contains("status='completed'"), "{answer}");
    let both = format!("{juliet}<recipient>tybalt@localhost</recipient>");
    let refused = set(&mut romeo, &set_to(3, &both)).await;
    assert_eq!(code(&refused), "recipients-malformed", "{refused}");
    assert!(refused.contains("tybalt@localhost is none"), "{refused}");
    let mut fields = fields.to_vec();
    (fields[1].1, fields[2].1) = ("3", "tybalt@localhost");
    let refused = command(&mut romeo, &node, &fields).await;
    assert_eq!(code(&refused), "recipients-malformed", "{refused}");
    let taken = [("role", "agent"), ("right", "property-show")];
    floor.operate("right take", &taken).await;
    let version = attribute(&stream(&mut romeo, &id).await, "stream", "version");
    let blind = set_to(version.parse().unwrap(), juliet);
    let refused = set(&mut romeo, &blind).await;
    assert_eq!(code(&refused), "recipients-malformed", "{refused}");
}
