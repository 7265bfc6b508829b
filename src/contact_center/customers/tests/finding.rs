//! Looking up and searching.

use super::*;

async fn search(client: &mut Client, text: &str, set: &str) -> String {
    let set = match set {
        "" => String::new(),
        set => format!("<set xmlns='http://jabber.org/protocol/rsm'>{set}</set>"),
    };
    let request = format!("<search xmlns='{NS}'><text>{text}</text>{set}</search>");
    ask(client, "get", &request).await
}

/// S2-12, S2-13, S2-30, S2-31: nobody, one, several, by number and by address, however these are written.
#[tokio::test]
async fn customers_are_looked_up_by_number_and_address() {
    let mut config = crate::config::Config::default();
    config.contact_center.region = Region(Some(phonenumber::country::Id::DE));
    let floor = Box::pin(Floor::configured(&["romeo"], config)).await;
    let mut romeo = floor.online("romeo/desk").await;
    let ann = made(&mut romeo, "Ann", "030 12345678", "ann@example.org").await;
    let bob = made(&mut romeo, "Bob", "+493012345678", "bob@example.org").await;
    for (address, normal, expected) in [
        ("+49 30 12345678", "+493012345678", vec![&ann, &bob]),
        ("(030) 123-45678", "+493012345678", vec![&ann, &bob]),
        ("tel:+49-30-12345678", "+493012345678", vec![&ann, &bob]),
        ("Ann@Example.ORG", "ann@example.org", vec![&ann]),
        ("bob@example.org", "bob@example.org", vec![&bob]),
        ("+493012345679", "+493012345679", vec![]),
        ("ann@example.com", "ann@example.com", vec![]),
    ] {
        let answer = found(&mut romeo, address).await;
        assert_eq!(attribute(&answer, "find", "address"), normal, "{answer}");
        let mut found = ids(&answer);
        // Those of one moment come in any order.
        found.sort();
        let mut expected: Vec<&String> = expected;
        expected.sort();
        assert_eq!(found, expected, "{address}");
    }
    // S2-13: no more than a screen pop lists.
    for n in 0..25 {
        made(&mut romeo, &format!("Heir {n}"), "+390612345678", "").await;
    }
    let answer = found(&mut romeo, "+390612345678").await;
    assert_eq!(ids(&answer).len(), MATCHES_MAX);
}

/// By beginnings, in pages, each once though several of its words begin so.
#[tokio::test]
async fn customers_are_searched_by_beginnings_in_pages() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let mut all = Vec::new();
    for n in 0..5 {
        let email = format!("mont{n}@example.org");
        all.push(made(&mut romeo, &format!("Montague Monty {n}"), "", &email).await);
    }
    let capulet = made(&mut romeo, "Capulet", "+493012345678", "").await;
    for (text, expected) in [
        ("capu", vec![&capulet]),
        ("+49 30 12", vec![&capulet]),
        ("mont3@", vec![&all[3]]),
        ("mont mont3", vec![&all[3]]),
        ("nobody", vec![]),
        ("monta capu", vec![]),
    ] {
        let answer = search(&mut romeo, text, "").await;
        assert_eq!(ids(&answer), expected, "{text}");
        assert!(answer.contains(" complete='true'"), "{answer}");
    }
    let whole = search(&mut romeo, "mon", "").await;
    let whole: Vec<&str> = ids(&whole);
    assert_eq!(whole.len(), 5);
    let (mut forwards, mut after) = (Vec::new(), String::new());
    loop {
        let set = match after.as_str() {
            "" => "<max>2</max>".to_owned(),
            after => format!("<max>2</max><after>{after}</after>"),
        };
        let page = search(&mut romeo, "mon", &set).await;
        let Some(last) = ids(&page).last().map(|it| (*it).to_owned()) else {
            break;
        };
        let complete = page.contains(" complete='true'");
        forwards.extend(ids(&page).iter().map(|it| (*it).to_owned()));
        assert_eq!(complete, forwards.len() == 5, "{page}");
        if complete {
            break;
        }
        after = last;
    }
    assert_eq!(forwards, whole);
    let page = search(&mut romeo, "mon", "<max>2</max><before/>").await;
    assert_eq!(ids(&page), &whole[3..]);
    let set = format!("<max>2</max><before>{}</before>", whole[3]);
    let page = search(&mut romeo, "mon", &set).await;
    assert_eq!(ids(&page), &whole[1..3]);
}

/// Whoever leafs through a search goes on where it was when the last of a page is called otherwise meanwhile, or is gone: nobody is left
/// out, and nobody comes twice.
#[tokio::test]
async fn a_search_goes_on_where_a_customer_was() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    for n in ["Mona", "Monb", "Monc", "Mond", "Mone"] {
        made(&mut romeo, n, "", "").await;
    }
    let last_of = |page: &str| {
        let last = page.split("<last>").nth(1).unwrap();
        last.split('<').next().unwrap().to_owned()
    };
    let first = search(&mut romeo, "mon", "<max>2</max>").await;
    let (last, id) = (last_of(&first), ids(&first)[1].to_owned());
    assert_eq!(names(&first), ["Mona", "Monb"]);
    for (version, name) in [(1, "Monz"), (2, "Zelda")] {
        let edit =
            format!("<edit xmlns='{NS}' id='{id}' version='{version}'><name>{name}</name></edit>");
        let answer = ask(&mut romeo, "set", &edit).await;
        assert_eq!(names(&answer), [name], "{answer}");
        let set = format!("<max>2</max><after>{last}</after>");
        let rest = search(&mut romeo, "mon", &set).await;
        assert_eq!(names(&rest), ["Monc", "Mond"], "{name}");
        let before = format!("<before>{}</before>", last_of(&rest));
        let back = search(&mut romeo, "mon", &before).await;
        assert_eq!(names(&back), ["Mona", "Monc"], "{name}");
        // By form it is named in the same way.
        let fields = [("text", "mon"), ("after", last.as_str())];
        let answer = command(&mut romeo, &format!("{NS}#search"), &fields).await;
        let found = |name: &str| answer.contains(&format!("<value>{name}</value>"));
        assert!(found("Monc") && found("Mone") && !found("Mona"), "{answer}");
    }
    // A place is in the own host, and one that is none is refused.
    for after in ["x/", "/6d", "x/6D", "x/mon", "x"] {
        let set = format!("<after>{after}</after>");
        let answer = search(&mut romeo, "mon", &set).await;
        assert!(answer.contains("<item-not-found "), "{after}: {answer}");
    }
}

fn names(answer: &str) -> Vec<&str> {
    let names = answer.split("<name>").skip(1);
    names.filter_map(|it| it.split('<').next()).collect()
}

/// An answer fits into a stanza, however large the customers are.
#[tokio::test]
async fn a_page_of_large_customers_is_short() {
    let floor = Floor::new(&["romeo"]).await;
    let mut romeo = floor.online("romeo/desk").await;
    let emails: String = (0..20)
        .map(|n| format!("<email>{}{n}@example.org</email>", "x".repeat(220)))
        .collect();
    for n in 0..30 {
        let answer = create(&mut romeo, "", &format!("<name>Large {n}</name>{emails}")).await;
        assert_eq!(ids(&answer).len(), 1, "{answer}");
    }
    let (mut seen, mut set) = (Vec::new(), String::new());
    loop {
        let page = search(&mut romeo, "large", &set).await;
        assert!(page.len() < 256 * 1024, "{}", page.len());
        let shown: Vec<String> = ids(&page).iter().map(|it| (*it).to_owned()).collect();
        seen.extend(shown);
        if page.contains(" complete='true'") {
            break;
        }
        set = format!("<after>{}</after>", seen.last().unwrap());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 30);
}
