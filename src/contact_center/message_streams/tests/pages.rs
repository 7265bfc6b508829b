//! S4-28, S4-30: long streams and long histories by pages, in both doors.

use super::*;

/// Half of what one answer takes.
const HALF: usize = 30 * 1024;

fn rsm(inside: &str) -> String {
    format!("<set xmlns='http://jabber.org/protocol/rsm'>{inside}</set>")
}

/// The beginnings of the texts that are in an answer, in their order.
fn texts(answer: &str) -> Vec<&str> {
    let words = ["zero", "one", "two", "three", "four"];
    let mut found: Vec<_> = words
        .iter()
        .filter_map(|word| Some((answer.find(&format!(">{word} "))?, *word)))
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, word)| word).collect()
}

/// The item that an answer in words names for the rest.
fn older(answer: &str) -> String {
    let before = answer.split("Older ones are before ").nth(1);
    let before = before.and_then(|it| it.split_once('.'));
    before.unwrap_or_else(|| panic!("{answer}")).0.to_owned()
}

fn long(word: &str) -> String {
    format!("{word} {}", "x".repeat(HALF))
}

#[tokio::test]
async fn forms_and_requests_come_to_each_message_of_a_long_stream() {
    let floor = floor(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let text = format!("<text>{}</text>", long("zero"));
    let answer = create(&mut romeo, "", "Long", &text).await;
    let id = attribute(&answer, "stream", "id");
    for word in ["one", "two", "three", "four"] {
        reply(&mut romeo, &id, &long(word)).await;
    }
    let node = format!("{NS}#stream");
    // The form begins with the end, and leads to the beginning.
    let last = command(&mut romeo, &node, &[("id", &id)]).await;
    assert_eq!(texts(&last), ["three", "four"]);
    assert!(last.contains("2 of 5 messages."), "{last}");
    let middle = [("id", id.as_str()), ("before", &older(&last))];
    let middle = command(&mut romeo, &node, &middle).await;
    assert_eq!(texts(&middle), ["one", "two"]);
    let first = [("id", id.as_str()), ("before", &older(&middle))];
    let first = command(&mut romeo, &node, &first).await;
    assert_eq!(texts(&first), ["zero"]);
    assert!(!first.contains("Older ones"), "{first}");
    let wrong = [("id", id.as_str()), ("before", "nothing")];
    let wrong = command(&mut romeo, &node, &wrong).await;
    assert!(wrong.contains("<item-not-found "), "{wrong}");
    // A request begins with the beginning, and can ask for the end.
    let page = async |romeo: &mut Client, inside: &str| {
        let request = format!("<stream xmlns='NS' id='{id}'>{}</stream>", rsm(inside));
        get(romeo, &request).await
    };
    assert_eq!(texts(&page(&mut romeo, "").await), ["zero", "one"]);
    let end = page(&mut romeo, "<max>1</max><before/>").await;
    assert_eq!(texts(&end), ["four"]);
    let first = attribute(&end, "message", "id");
    let before = page(&mut romeo, &format!("<max>1</max><before>{first}</before>")).await;
    assert_eq!(texts(&before), ["three"]);
}

#[tokio::test]
async fn forms_come_to_each_version_of_a_message() {
    let floor = floor(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let text = format!("<text>{}</text>", long("zero"));
    let mut answer = create(&mut romeo, "", "Long", &text).await;
    let id = attribute(&answer, "stream", "id");
    let message = attribute(&answer, "message", "id");
    for word in ["one", "two", "three", "four"] {
        let version = attribute(&answer, "stream", "version");
        let edit = format!(
            "<edit xmlns='NS' id='{id}' message='{message}' version='{version}'><text>{}</text></edit>",
            long(word)
        );
        answer = set(&mut romeo, &edit).await;
    }
    let node = format!("{NS}#versions");
    let of = [("id", id.as_str()), ("message", message.as_str())];
    let last = command(&mut romeo, &node, &of).await;
    assert_eq!(texts(&last), ["two", "three"]);
    let older = older(&last);
    assert_eq!(older, "3");
    let first = [of[0], of[1], ("before", older.as_str())];
    let first = command(&mut romeo, &node, &first).await;
    assert_eq!(texts(&first), ["zero", "one"]);
    assert!(!first.contains("Older ones"), "{first}");
}

/// The form leads through all that is unread, and each stream is on one page only.
#[tokio::test]
async fn forms_come_to_each_stream_that_is_unread() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let node = format!("{NS}#unread");
    let named: Vec<String> = (0..55).map(|n| format!("Stream {n:02}")).collect();
    for title in &named {
        made(&floor, &mut romeo, title, "").await;
    }
    let shown = |answer: &str| {
        let cells = answer.split("<field var='title'><value>").skip(1);
        let cells = cells.map(|it| it.split('<').next().unwrap().to_owned());
        cells.collect::<Vec<_>>()
    };
    let newest = command(&mut juliet, &node, &[]).await;
    assert!(
        newest.contains("You have not read 55 messages."),
        "{newest}"
    );
    let rest = newest.split("The rest is behind ").nth(1);
    let rest = rest.and_then(|it| it.split_once('.'));
    let rest = rest.unwrap_or_else(|| panic!("{newest}")).0.to_owned();
    let oldest = command(&mut juliet, &node, &[("after", &rest)]).await;
    assert!(!oldest.contains("The rest is behind"), "{oldest}");
    let (newest, oldest) = (shown(&newest), shown(&oldest));
    assert_eq!((newest.len(), oldest.len()), (50, 5));
    let all: Vec<String> = newest.into_iter().chain(oldest).rev().collect();
    assert_eq!(all, named);
}
