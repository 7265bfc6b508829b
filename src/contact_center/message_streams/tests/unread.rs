//! What is unread: exact where an agent is named or has written, and new streams for everybody.

use super::*;

async fn unread(client: &mut Client) -> (String, Vec<String>) {
    let answer = get(client, "<unread xmlns='NS'/>").await;
    let titles = titles(&answer).into_iter().map(str::to_owned).collect();
    (attribute(&answer, "unread", "messages"), titles)
}

fn is(count: &str, titles: &[&str]) -> (String, Vec<String>) {
    let titles = titles.iter().map(|it| (*it).to_owned()).collect();
    (count.to_owned(), titles)
}

#[tokio::test]
async fn messages_for_one_are_counted_exactly() {
    let floor = floor(&["romeo", "juliet", "nurse"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let mut nurse = floor.online("nurse/desk").await;
    assert_eq!(unread(&mut juliet).await, is("0", &[]));
    let id = made(&floor, &mut romeo, "Call", "<recipient>juliet</recipient>").await;
    reply(&mut romeo, &id, "one").await;
    let two = reply(&mut romeo, &id, "two").await;
    assert_eq!(unread(&mut juliet).await, is("3", &["Call"]));
    assert_eq!(unread(&mut romeo).await, is("0", &[]));
    assert_eq!(unread(&mut nurse).await, is("0", &[]));
    // Up to a message, then all of it.
    let main = attribute(&two, "message", "id");
    let mark = format!("<mark-read xmlns='NS' id='{id}' message='{main}'/>");
    set(&mut juliet, &mark).await;
    assert_eq!(unread(&mut juliet).await, is("2", &["Call"]));
    set(&mut juliet, &format!("<mark-read xmlns='NS' id='{id}'/>")).await;
    assert_eq!(unread(&mut juliet).await, is("0", &[]));
    // Marking less than was read takes nothing back.
    set(&mut juliet, &mark).await;
    assert_eq!(unread(&mut juliet).await, is("0", &[]));
    reply(&mut juliet, &id, "hers").await;
    assert_eq!(unread(&mut romeo).await, is("1", &["Call"]));
    assert_eq!(unread(&mut juliet).await, is("0", &[]));
    // Whoever is taken off it has nothing unread, and whoever is added all of it.
    let set_for = format!(
        "<properties xmlns='NS' id='{id}' version='4'><recipient>nurse</recipient></properties>"
    );
    set(&mut romeo, &set_for).await;
    assert_eq!(unread(&mut nurse).await, is("4", &["Call"]));
    set(
        &mut romeo,
        &format!("<delete xmlns='NS' id='{id}' confirm='true'/>"),
    )
    .await;
    assert_eq!(unread(&mut nurse).await, is("0", &[]));
}

#[tokio::test]
async fn new_streams_for_everybody_are_unread_until_they_are_marked() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let first = made(&floor, &mut romeo, "First", "").await;
    made(&floor, &mut romeo, "Second", "").await;
    made(&floor, &mut romeo, "Third", "<recipient>juliet</recipient>").await;
    assert_eq!(
        unread(&mut juliet).await,
        is("3", &["Third", "Second", "First"])
    );
    let page = "<unread xmlns='NS'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set></unread>";
    let answer = get(&mut juliet, page).await;
    assert_eq!(titles(&answer), ["Third"]);
    assert!(answer.contains("<count>3</count>"), "{answer}");
    set(
        &mut juliet,
        &format!("<mark-read xmlns='NS' id='{first}'/>"),
    )
    .await;
    assert_eq!(unread(&mut juliet).await, is("2", &["Third", "Second"]));
    // It counts replies where it has written.
    reply(&mut juliet, &first, "hers").await;
    assert_eq!(
        unread(&mut juliet).await,
        is("3", &["Third", "Second", "First"])
    );
    set(
        &mut juliet,
        &format!("<mark-read xmlns='NS' id='{first}'/>"),
    )
    .await;
    reply(&mut romeo, &first, "his").await;
    assert_eq!(
        unread(&mut juliet).await,
        is("3", &["Third", "Second", "First"])
    );
    floor.house.clock.advance_seconds(1);
    set(&mut juliet, "<mark-read xmlns='NS'/>").await;
    assert_eq!(unread(&mut juliet).await, is("0", &[]));
    made(&floor, &mut romeo, "Fourth", "").await;
    assert_eq!(unread(&mut juliet).await, is("1", &["Fourth"]));
}

/// Who has more unread than is counted is told so, and comes to each of them from both ends; what is read meanwhile throws nobody back.
#[tokio::test]
async fn pages_lead_to_all_that_is_unread_however_much_it_is() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let mut all = Vec::new();
    for n in 0..210 {
        let title = format!("n{n:03}");
        let recipients = match n % 40 {
            0 => "<recipient>juliet</recipient>",
            _ => "",
        };
        made(&floor, &mut romeo, &title, recipients).await;
        all.push(title);
    }
    all.reverse();
    let page = async |client: &mut Client, inside: &str| {
        let set = format!("<set xmlns='http://jabber.org/protocol/rsm'>{inside}</set>");
        get(client, &format!("<unread xmlns='NS'>{set}</unread>")).await
    };
    let end = |answer: &str, which: &str| {
        let end = answer.split(&format!("<{which}>")).nth(1);
        end.and_then(|it| it.split('<').next()).map(str::to_owned)
    };
    let mut found: Vec<String> = Vec::new();
    // Of five times 42 each page but the last one tells that there is more.
    let mut answer = page(&mut juliet, "<max>42</max><before/>").await;
    loop {
        let before = titles(&answer).into_iter().map(str::to_owned);
        found.splice(0..0, before);
        if answer.contains(" complete='true'") {
            break;
        }
        let first = end(&answer, "first").unwrap();
        answer = page(
            &mut juliet,
            &format!("<max>42</max><before>{first}</before>"),
        )
        .await;
    }
    assert_eq!(found, all);
    assert_eq!(by_form(&mut juliet).await, [50, 50, 50, 50, 10]);
    found.clear();
    let mut answer = page(&mut juliet, "<max>40</max>").await;
    assert!(answer.contains(" complete='false'"), "{answer}");
    assert!(!answer.contains("<count>"), "{answer}");
    while let Some(last) = end(&answer, "last") {
        found.extend(titles(&answer).into_iter().map(str::to_owned));
        set(&mut juliet, &format!("<mark-read xmlns='NS' id='{last}'/>")).await;
        answer = page(&mut juliet, &format!("<max>40</max><after>{last}</after>")).await;
    }
    assert_eq!(found, all);
    let answer = page(&mut juliet, "<after>nothing</after>").await;
    assert!(answer.contains("<item-not-found "), "{answer}");
}

/// How many streams the pages have to which forms lead.
async fn by_form(client: &mut Client) -> Vec<usize> {
    let node = format!("{NS}#unread");
    let mut rows = Vec::new();
    let mut after = String::new();
    loop {
        let answer = command(client, &node, &[("after", &after)]).await;
        assert!(answer.contains(" messages or more."), "{answer}");
        rows.push(answer.matches("<item>").count());
        let Some(rest) = answer.split("The rest is behind ").nth(1) else {
            return rows;
        };
        after = rest.split('.').next().unwrap().to_owned();
    }
}

/// When too many are marked one by one, all up to the oldest of them are read, and what is gone is forgotten.
#[tokio::test]
async fn marks_have_a_bound() {
    let floor = floor(&["romeo", "juliet"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut juliet = floor.online("juliet/desk").await;
    let before = made(&floor, &mut romeo, "Before", "").await;
    let oldest = made(&floor, &mut romeo, "Oldest", "").await;
    made(&floor, &mut romeo, "Unread", "").await;
    let newest = made(&floor, &mut romeo, "Newest", "").await;
    let gone = (0..499).map(|n| format!("0000-gone-{n}"));
    let read: Vec<String> = gone.chain([oldest.clone()]).collect();
    let inbox = serde_json::json!({
        "agent": "juliet@localhost", "version": 1, "until": 0, "read": read,
    });
    floor
        .set(super::super::unread::KIND, "juliet@localhost", 1, &inbox)
        .await;
    assert_eq!(
        unread(&mut juliet).await,
        is("3", &["Newest", "Unread", "Before"])
    );
    set(
        &mut juliet,
        &format!("<mark-read xmlns='NS' id='{newest}'/>"),
    )
    .await;
    assert_eq!(unread(&mut juliet).await, is("1", &["Unread"]));
    let records = floor.house.router.services().store.records();
    let kept = records.find(super::super::unread::KIND, "juliet@localhost");
    let kept = kept.await.unwrap().unwrap().snapshot;
    assert!(!kept.contains("gone") && !kept.contains(&before), "{kept}");
    assert!(kept.contains(&newest), "{kept}");
}
