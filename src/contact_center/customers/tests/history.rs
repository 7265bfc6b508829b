//! The history of a customer: what of it who sees, and its pages.

use super::*;
use crate::contact_center::activities::tests::{Dealing, agent, all, code};
use crate::domain::interaction::{Command, Fact, Medium};
use crate::store::AuditFilter;

/// Agents who read and write messages, and a customer `c1`.
async fn floor(people: &[&str]) -> Floor {
    let floor = Floor::new(people).await;
    for right in [
        "message-show",
        "message-create",
        "comment-show",
        "property-create",
    ] {
        let given = [("role", "agent"), ("right", right)];
        floor.operate("right give", &given).await;
    }
    floor.customer("c1", "Ann Example", "+390451234567").await;
    floor
}

async fn plans(client: &mut Client, more: &str, title: &str) {
    let plan = format!(
        "<plan xmlns='urn:parlour:follow-up:0' source='service-ticket' source-id='t-1' type='task' \
         {more}><title>{title}</title></plan>"
    );
    let answer = ask(client, "set", &plan).await;
    assert!(answer.contains("type='result'"), "{answer}");
}

async fn writes(client: &mut Client, title: &str, more: &str) {
    let create = format!(
        "<create xmlns='urn:parlour:message-stream:0' customer='c1'><title>{title}</title>\
         <text>About it.</text>{more}</create>"
    );
    let answer = ask(client, "set", &create).await;
    assert!(answer.contains("type='result'"), "{answer}");
}

async fn talks(floor: &Floor, which: &str, agent: &str) -> Dealing {
    let mut call = Dealing::talking(floor, which, Medium::Voice, agent).await;
    call.identify(floor, "c1").await;
    call
}

/// The agent's part comes to its end, its writing up with it.
async fn ends(floor: &Floor, call: &mut Dealing, agent: &str) {
    call.report(floor, Fact::Ended).await;
    let by = format!("{agent}@localhost").parse().unwrap();
    call.take(floor, Command::FinishWrapUp { by }).await;
}

async fn history(client: &mut Client, page: &str) -> String {
    let page = match page {
        "" => String::new(),
        page => format!("<set xmlns='http://jabber.org/protocol/rsm'>{page}</set>"),
    };
    let request = format!("<history xmlns='{NS}' id='c1'>{page}</history>");
    ask(client, "get", &request).await
}

/// Kinds and titles in an answer.
fn seen(answer: &str) -> Vec<(String, String)> {
    let entries = answer.split("<entry ").skip(1);
    let own = |it: &str| {
        let kind = it.split("kind='").nth(1).unwrap();
        let title = it.split("<title>").nth(1).unwrap();
        let until = |text: &str, end: char| text.split(end).next().unwrap().to_owned();
        (until(kind, '\''), until(title, '<'))
    };
    entries.map(own).collect()
}

fn end(answer: &str, name: &str) -> Option<String> {
    let text = answer.split(&format!("<{name}>")).nth(1)?;
    Some(text.split('<').next().unwrap().to_owned())
}

/// Section G of the design, S1-34: all kinds in one list, the newest first. Pages of every size, in both directions, have
/// each entry once, whatever shares the moment of its making.
#[tokio::test]
async fn a_history_has_all_kinds_and_pages_neither_lose_nor_double() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut calls = Vec::new();
    for moment in 1..=3 {
        for which in ["a", "b"] {
            let call = talks(&floor, &format!("call-{moment}-{which}"), "ann").await;
            calls.push(call);
            let title = format!("{moment}{which}");
            plans(&mut ann, "customer='c1'", &title).await;
            writes(&mut ann, &title, "").await;
        }
        floor.house.clock.advance_seconds(1);
    }
    let whole = history(&mut ann, "<max>50</max>").await;
    let expected = seen(&whole);
    assert!(whole.contains(" complete='true'"), "{whole}");
    for kind in ["interaction", "activity", "follow-up", "message-stream"] {
        let count = expected.iter().filter(|it| it.0 == kind).count();
        assert_eq!(count, 6, "{kind} in {whole}");
    }
    let times = all(&whole, "at");
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    let usual = seen(&history(&mut ann, "").await);
    assert_eq!(usual, expected[..20]);
    for max in [1, 2, 3, 5, 7, 23, 24] {
        for (begin, word, side) in [("", "after", "last"), ("<before/>", "before", "first")] {
            let (mut found, mut from) = (Vec::new(), begin.to_owned());
            loop {
                let answer = history(&mut ann, &format!("<max>{max}</max>{from}")).await;
                let page = seen(&answer);
                let complete = answer.contains(" complete='true'");
                assert!(complete || page.len() == max, "{answer}");
                found = match word {
                    "after" => [found, page].concat(),
                    _ => [page, found].concat(),
                };
                if complete {
                    break;
                }
                from = format!("<{word}>{}</{word}>", end(&answer, side).unwrap());
            }
            assert_eq!(found, expected, "{word} by {max}");
        }
    }
}

/// Each sees what it sees in the lists of the single kinds, and nothing of the rest: not even that there is any.
#[tokio::test]
async fn a_history_has_what_its_reader_may_see() {
    let people = ["ann", "bob", "carl", "sue:supervisor"];
    let floor = floor(&people).await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut bob = agent(&floor, "bob/desk").await;
    let mut carl = agent(&floor, "carl/desk").await;
    let mut sue = agent(&floor, "sue/desk").await;
    let mut first = talks(&floor, "call-1", "bob").await;
    ends(&floor, &mut first, "bob").await;
    plans(&mut bob, "customer='c1'", "Bob's").await;
    let about = "customer='c1' responsible='carl@localhost'";
    plans(&mut ann, about, "Carl's").await;
    plans(&mut ann, "", "Nobody's").await;
    writes(&mut bob, "For all", "").await;
    for number in 0..60 {
        let title = format!("For Bob {number}");
        writes(&mut bob, &title, "<recipient>bob@localhost</recipient>").await;
    }
    let mut call = talks(&floor, "call-2", "ann").await;
    let everything = [
        "activity +390451234567",
        "activity +390451234567",
        "follow-up Bob's",
        "follow-up Carl's",
        "interaction +390451234567",
        "interaction +390451234567",
        "message-stream For all",
    ];
    let of_bob = [
        "activity +390451234567",
        "follow-up Bob's",
        "message-stream For all",
    ];
    let of_carl = ["follow-up Carl's", "message-stream For all"];
    let answer = history(&mut ann, "<max>50</max>").await;
    assert_eq!(kinds(&answer), everything, "{answer}");
    assert!(answer.contains(" complete='true'"), "{answer}");
    let answer = history(&mut carl, "").await;
    assert_eq!(kinds(&answer), of_carl, "{answer}");
    assert!(!answer.contains("<count>"), "{answer}");
    let answer = history(&mut sue, "<max>50</max>").await;
    assert_eq!(kinds(&answer), everything, "{answer}");
    // What is for Bob alone fills his pages and nobody else's.
    let answer = history(&mut bob, "<max>50</max>").await;
    assert_eq!(seen(&answer).len(), 50, "{answer}");
    let last = end(&answer, "last").unwrap();
    let rest = history(&mut bob, &format!("<max>50</max><after>{last}</after>")).await;
    let both = format!("{answer}{rest}");
    assert_eq!(kinds(&both), of_bob, "{both}");
    assert_eq!(seen(&both).len(), 60 + of_bob.len());
    // As long as it lasts.
    ends(&floor, &mut call, "ann").await;
    let answer = history(&mut ann, "").await;
    let of_ann = [
        "activity +390451234567",
        "follow-up Carl's",
        "message-stream For all",
    ];
    assert_eq!(kinds(&answer), of_ann, "{answer}");
    for right in ["message-show", "follow-up", "activity"] {
        let taken = [("jid", "ann@localhost"), ("right", right)];
        floor.operate("right take", &taken).await;
    }
    let answer = history(&mut ann, "").await;
    assert!(seen(&answer).is_empty(), "{answer}");
    // A right to some of it shows that.
    let given = [("jid", "ann@localhost"), ("right", "interaction-show")];
    floor.operate("right give", &given).await;
    let answer = history(&mut ann, "").await;
    let interactions = ["interaction +390451234567"; 2];
    assert_eq!(kinds(&answer), interactions, "{answer}");
    assert_eq!(readers(&floor).await, ["ann@localhost", "sue@localhost"]);
}

/// What a history has, without what is for Bob alone.
fn kinds(answer: &str) -> Vec<String> {
    let mut seen = seen(answer);
    seen.retain(|it| !it.1.starts_with("For Bob "));
    seen.sort();
    let seen = seen
        .into_iter()
        .map(|(kind, title)| format!("{kind} {title}"));
    seen.collect()
}

/// Who has read it by right, in the audit trail.
async fn readers(floor: &Floor) -> Vec<String> {
    let audit = floor.house.router.services().store.audit();
    let trail = audit.list(&AuditFilter::default(), 1_000).await.unwrap();
    let readers = trail
        .into_iter()
        .filter(|it| it.operation == "customer history" && it.target == "c1");
    let mut readers: Vec<String> = readers.map(|it| it.actor).collect();
    // All of one moment.
    readers.sort_unstable();
    readers
}

/// Of whom nobody knows anything there is no history; a page begins at a place (XEP-0059 §2.2), which need not be taken any more.
#[tokio::test]
async fn what_is_no_customer_and_no_place_is_refused() {
    let floor = floor(&["ann", "sue:supervisor"]).await;
    floor.customer("c2", "A. Example", "ann@example.net").await;
    let mut ann = agent(&floor, "ann/desk").await;
    let mut sue = agent(&floor, "sue/desk").await;
    let request = format!("<history xmlns='{NS}' id='c9'/>");
    let answer = ask(&mut ann, "get", &request).await;
    assert_eq!(code(&answer), "customer-unknown");
    for bad in [
        "x",
        "activity/x",
        "case/0199a3c2-0000-7000-8000-000000000000",
    ] {
        let answer = history(&mut ann, &format!("<after>{bad}</after>")).await;
        assert!(answer.contains("<item-not-found"), "{answer}");
    }
    let answer = history(&mut ann, "<index>3</index>").await;
    assert!(answer.contains("<feature-not-implemented"), "{answer}");
    writes(&mut ann, "First", "").await;
    let answer = history(&mut ann, "").await;
    let last = end(&answer, "last").unwrap();
    let id = last.split('/').nth(1).unwrap().to_owned();
    floor.house.clock.advance_seconds(1);
    writes(&mut ann, "Second", "").await;
    let delete = format!("<delete xmlns='urn:parlour:message-stream:0' id='{id}' confirm='true'/>");
    let answer = ask(&mut ann, "set", &delete).await;
    assert!(answer.contains("type='result'"), "{answer}");
    let before = format!("<before>{last}</before>");
    let answer = history(&mut ann, &before).await;
    let second = [("message-stream".to_owned(), "Second".to_owned())];
    assert_eq!(seen(&answer), second, "{answer}");
    // Under both names of one who turned out to be another.
    let merge = format!("<merge xmlns='{NS}' id='c2' version='1' other='c1' other-version='1'/>");
    let answer = ask(&mut sue, "set", &merge).await;
    assert!(answer.contains("type='result'"), "{answer}");
    for known_as in ["c1", "c2"] {
        let request = format!("<history xmlns='{NS}' id='{known_as}'/>");
        let answer = ask(&mut ann, "get", &request).await;
        assert!(
            answer.contains("<history xmlns='urn:parlour:customer:0' id='c2'"),
            "{answer}"
        );
        assert_eq!(seen(&answer), second, "{answer}");
    }
}

/// By form: a table, and how to come to the rest.
#[tokio::test]
async fn a_form_shows_the_history_page_by_page() {
    let floor = floor(&["ann"]).await;
    let mut ann = agent(&floor, "ann/desk").await;
    for number in 0..21 {
        plans(&mut ann, "customer='c1'", &format!("Call {number:02}")).await;
        floor.house.clock.advance_seconds(1);
    }
    let node = format!("{NS}#history");
    let answer = command(&mut ann, &node, &[("id", "c1")]).await;
    assert!(answer.contains("20 about Ann Example, and there is more."));
    let rest = answer.split("The rest is behind ").nth(1).unwrap();
    let rest = rest.split(".<").next().unwrap().to_owned();
    let fields = [("id", "c1"), ("after", rest.as_str())];
    let answer = command(&mut ann, &node, &fields).await;
    assert!(answer.contains("1 about Ann Example."), "{answer}");
    assert!(answer.contains("<value>Call 00</value>"), "{answer}");
    assert!(!answer.contains("The rest is"), "{answer}");
}
