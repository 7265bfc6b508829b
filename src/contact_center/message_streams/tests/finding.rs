//! S4-27, S4-29: the streams of a customer in both directions, page by page, filtered and searched; nothing of what is others'.

use super::*;
use crate::contact_center::testing::{begun, filled};

const RSM: &str = "http://jabber.org/protocol/rsm";

fn page(inside: &str) -> String {
    format!("<set xmlns='{RSM}'>{inside}</set>")
}

#[tokio::test]
async fn both_lists_are_one_by_date_in_both_directions() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    for n in 0..9 {
        let recipients = match n % 3 {
            0 => "",
            1 => "<recipient>romeo</recipient>",
            _ => "<recipient>juliet</recipient>",
        };
        made(&floor, &mut romeo, &format!("n{n}"), recipients).await;
    }
    let newest = streams(&mut romeo, "", "").await;
    let all = ["n8", "n7", "n6", "n5", "n4", "n3", "n2", "n1", "n0"];
    assert_eq!(titles(&newest), all);
    assert!(
        newest.contains("order='descending' complete='true'"),
        "{newest}"
    );
    let hers = streams(&mut juliet, " order='ascending'", "").await;
    assert_eq!(titles(&hers), ["n0", "n2", "n3", "n5", "n6", "n8"]);
    // By fours, forward and back.
    let first = streams(&mut romeo, "", &page("<max>4</max>")).await;
    assert_eq!(titles(&first), ["n8", "n7", "n6", "n5"]);
    assert!(first.contains("complete='false'"), "{first}");
    let last = first
        .split("<last>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    let next = page(&format!("<max>4</max><after>{last}</after>"));
    assert_eq!(
        titles(&streams(&mut romeo, "", &next).await),
        ["n4", "n3", "n2", "n1"]
    );
    let back = page(&format!("<max>2</max><before>{last}</before>"));
    assert_eq!(titles(&streams(&mut romeo, "", &back).await), ["n7", "n6"]);
    let back = streams(&mut romeo, " order='ascending'", &back).await;
    assert_eq!(titles(&back), ["n3", "n4"]);
    let end = streams(&mut romeo, "", &page("<max>2</max><before/>")).await;
    assert_eq!(titles(&end), ["n1", "n0"]);
    // What is no place is refused. Behind what one does not see the page goes on, as it does behind what there never was.
    let answer = streams(&mut juliet, "", &page("<after>nothing</after>")).await;
    assert!(answer.contains("<item-not-found "), "{answer}");
    assert!(answer.contains("There is no such place"), "{answer}");
    let hidden = first.split("id='").find(|it| it.contains("<title>n7<"));
    let hidden = hidden.unwrap().split('\'').next().unwrap();
    let never = crate::id::floor(floor.house.clock.now().plus_seconds(1));
    for (behind, expected) in [
        (hidden, &["n6", "n5", "n3", "n2", "n0"][..]),
        (never.as_str(), &["n8", "n6", "n5", "n3", "n2", "n0"]),
    ] {
        let answer = streams(&mut juliet, "", &page(&format!("<after>{behind}</after>"))).await;
        assert_eq!(titles(&answer), expected, "{behind}: {answer}");
        assert!(!answer.contains(behind), "{answer}");
    }
}

/// XEP-0059 §2.2: who leafs through a list goes on where it was when what stood there is deleted or taken from its sight meanwhile.
#[tokio::test]
async fn a_page_goes_on_behind_what_is_gone() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let mut ids = Vec::new();
    for title in ["one", "two", "three", "four"] {
        ids.push(made(&floor, &mut romeo, title, "").await);
    }
    let behind = |id: &str| page(&format!("<max>2</max><after>{id}</after>"));
    let first = streams(&mut juliet, "", &page("<max>2</max>")).await;
    assert_eq!(titles(&first), ["four", "three"]);
    let for_one = format!(
        "<properties xmlns='NS' id='{}' version='1'><recipient>romeo</recipient></properties>",
        ids[2]
    );
    set(&mut romeo, &for_one).await;
    let next = streams(&mut juliet, "", &behind(&ids[2])).await;
    assert_eq!(titles(&next), ["two", "one"]);
    let delete = format!("<delete xmlns='NS' id='{}' confirm='true'/>", ids[2]);
    set(&mut romeo, &delete).await;
    assert_eq!(streams(&mut juliet, "", &behind(&ids[2])).await, next);
    let up = streams(&mut juliet, " order='ascending'", &behind(&ids[2])).await;
    assert_eq!(titles(&up), ["four"]);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn lists_are_filtered_by_state_tag_and_words() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let printer = made(&floor, &mut romeo, "Printer on fire", "<tag>urgent</tag>").await;
    made(&floor, &mut romeo, "Printed matter", "").await;
    let own = "<recipient>romeo</recipient><tag>urgent</tag>";
    made(&floor, &mut romeo, "Printing secrets", own).await;
    reply(&mut juliet, &printer, "Zanzibar!").await;
    for (who, attributes, words, expected) in [
        (
            "romeo",
            "",
            "print",
            &["Printing secrets", "Printed matter", "Printer on fire"][..],
        ),
        (
            "juliet",
            "",
            "print",
            &["Printed matter", "Printer on fire"],
        ),
        ("juliet", "", "PRINTER fir", &["Printer on fire"]),
        ("juliet", "", "secrets", &[]),
        ("juliet", "", "zanz", &["Printer on fire"]),
        ("juliet", "", "matter zanz", &[]),
        (
            "romeo",
            " tag='urgent'",
            "",
            &["Printing secrets", "Printer on fire"],
        ),
        ("juliet", " tag='urgent'", "", &["Printer on fire"]),
        ("juliet", " tag='urgent'", "matter", &[]),
        ("juliet", " tag='paid'", "", &[]),
        (
            "juliet",
            " state='open'",
            "",
            &["Printed matter", "Printer on fire"],
        ),
        ("juliet", " state='completed'", "", &[]),
    ] {
        let words = match words {
            "" => String::new(),
            words => format!("<text>{words}</text>"),
        };
        let client = if who == "romeo" {
            &mut romeo
        } else {
            &mut juliet
        };
        let answer = streams(client, attributes, &words).await;
        assert_eq!(titles(&answer), expected, "{attributes} {words}: {answer}");
    }
    set(
        &mut juliet,
        &format!("<complete xmlns='NS' id='{printer}'/>"),
    )
    .await;
    let done = streams(&mut juliet, " state='completed'", "").await;
    assert_eq!(titles(&done), ["Printer on fire"]);
    let open = streams(&mut juliet, " state='open'", "").await;
    assert_eq!(titles(&open), ["Printed matter"]);
    // What it says no longer does not find it.
    let main = attribute(&stream(&mut romeo, &printer).await, "message", "id");
    let edit = format!(
        "<edit xmlns='NS' id='{printer}' message='{main}' version='3'><text>Quietly.</text></edit>"
    );
    assert!(set(&mut romeo, &edit).await.contains("Quietly."));
    assert!(titles(&streams(&mut juliet, "", "<text>about printer</text>").await).is_empty());
    assert_eq!(
        titles(&streams(&mut juliet, "", "<text>quiet</text>").await),
        ["Printer on fire"]
    );
}

/// S4-30: the title is written anew with the main message, in both doors; the one before is in the history, and finds it no more.
#[tokio::test]
async fn a_title_that_is_written_anew_is_found_and_the_one_before_is_not() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let text = "<text>She called.</text>";
    let answer = create(&mut romeo, "", "Printer on fire", text).await;
    let (id, message) = (
        attribute(&answer, "stream", "id"),
        attribute(&answer, "message", "id"),
    );
    let edit = |title: &str, version: u64| {
        format!(
            "<edit xmlns='NS' id='{id}' message='{message}' version='{version}'>\
             <title>{title}</title>{text}</edit>"
        )
    };
    let answer = set(&mut romeo, &edit("Quiet &amp; cold", 1)).await;
    assert!(
        answer.contains("<title>Quiet &amp; cold</title>"),
        "{answer}"
    );
    let found = async |client: &mut Client, words: &str| {
        let answer = streams(client, "", &format!("<text>{words}</text>")).await;
        titles(&answer).len()
    };
    assert_eq!(found(&mut juliet, "printer").await, 0);
    assert_eq!(found(&mut juliet, "quiet").await, 1);
    let node = format!("{NS}#edit");
    let named = [("id", id.as_str()), ("message", message.as_str())];
    let first = begun(&mut romeo, &node).await;
    let form = filled(&mut romeo, &node, &first, &named).await;
    assert!(form.contains("<value>Quiet &amp; cold</value>"), "{form}");
    let rest = [
        ("version", "2"),
        ("title", "Repaired"),
        ("text", "She called."),
    ];
    let all = [&named[..], &rest[..]].concat();
    let done = filled(&mut romeo, &node, &form, &all).await;
    assert!(done.contains("The message is changed."), "{done}");
    let request = format!("<versions xmlns='NS' id='{id}' message='{message}'/>");
    let versions = get(&mut juliet, &request).await;
    assert_eq!(titles(&versions), ["Printer on fire", "Quiet &amp; cold"]);
    let form = command(&mut juliet, &format!("{NS}#versions"), &named).await;
    assert!(form.contains("<value>Printer on fire</value>"), "{form}");
    // What is no title is refused, and a reply has none.
    for (title, expected) in [("", "stream-title-missing"), (" ", "stream-title-missing")] {
        let answer = set(&mut romeo, &edit(title, 3)).await;
        assert_eq!(code(&answer), expected, "{title}: {answer}");
    }
    let answer = reply(&mut romeo, &id, "So.").await;
    let own = answer.rsplit("<message id='").next().unwrap();
    let own = own.split('\'').next().unwrap();
    let answer = set(&mut romeo, &edit("So", 4).replace(&message, own)).await;
    assert_eq!(code(&answer), "reply-titled", "{answer}");
}

/// Messages come in pages, too.
#[tokio::test]
async fn replies_are_read_page_by_page() {
    let floor = floor(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let id = made(&floor, &mut romeo, "Call", "").await;
    let large = "x".repeat(30 * 1024);
    for _ in 0..3 {
        reply(&mut romeo, &id, &large).await;
    }
    let first = stream(&mut romeo, &id).await;
    assert_eq!(
        first.matches("<message ").count(),
        3,
        "two replies of three fit"
    );
    assert!(first.contains("<count>4</count>"));
    let last = first
        .split("<last>")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap();
    let request = format!(
        "<stream xmlns='NS' id='{id}'>{}</stream>",
        page(&format!("<after>{last}</after>"))
    );
    let rest = get(&mut romeo, &request).await;
    assert_eq!(rest.matches("<message ").count(), 1);
    assert!(rest.contains("<first index='3'>"));
    // A form begins with the newest, as many as fit.
    let form = command(&mut romeo, &format!("{NS}#stream"), &[("id", &id)]).await;
    assert!(form.contains("2 of 4 messages. Older ones are before "));
    assert!(form.len() < 96 * 1024 && !form.contains("About Call."));
    let unknown = request.replace(last, "nothing");
    assert!(get(&mut romeo, &unknown).await.contains("<item-not-found "));
}
