use super::*;
use crate::extensions::testing::{Client, House};

fn small(hooks: &mut Hooks, _config: &Arc<Config>) {
    let file = "[vcard]\nbytes_max = 100";
    let config = Config::parse("test", file, std::iter::empty()).unwrap();
    register(hooks, &Arc::new(config));
}

async fn ask(client: &mut Client, kind: &str, to: &str, inside: &str) -> String {
    let to = if to.is_empty() {
        String::new()
    } else {
        format!("to='{to}'")
    };
    let card = format!("<vCard xmlns='vcard-temp'>{inside}</vCard>");
    client
        .send(&format!("<iq type='{kind}' id='v' {to}>{card}</iq>"))
        .await;
    client.heard().concat()
}

#[tokio::test]
async fn a_card_is_set_by_its_owner_and_read_by_everybody() {
    let house = House::with(&["romeo", "juliet"], small).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    for (kind, to, inside, expected) in [
        ("get", "", "", "error v item-not-found"),
        ("set", "", "<FN>Romeo &amp; co</FN>", "result v"),
        (
            "set",
            "juliet@localhost",
            "<FN>Mine</FN>",
            "error v forbidden",
        ),
        (
            "set",
            "nobody@localhost",
            "<FN>Mine</FN>",
            "error v forbidden",
        ),
        (
            "set",
            "localhost",
            "<FN>Mine</FN>",
            "error v service-unavailable",
        ),
    ] {
        assert_eq!(
            ask(&mut romeo, kind, to, inside).await,
            expected,
            "{kind} {to}"
        );
    }
    let card = "result v <vCard xmlns='vcard-temp'><FN>Romeo &amp; co</FN></vCard>";
    assert_eq!(ask(&mut romeo, "get", "", "").await, card);
    assert_eq!(ask(&mut juliet, "get", "romeo@localhost", "").await, card);
    assert_eq!(
        ask(&mut juliet, "get", "", "").await,
        "error v item-not-found"
    );
    assert_eq!(
        ask(&mut juliet, "get", "nobody@localhost", "").await,
        "error v item-not-found"
    );
}

#[tokio::test]
async fn a_card_that_is_too_large_is_refused_and_the_old_one_stays() {
    let house = House::with(&["romeo"], small).await;
    let mut romeo = house.client("romeo/orchard");
    assert_eq!(
        ask(&mut romeo, "set", "", "<FN>Romeo</FN>").await,
        "result v"
    );
    let large = format!("<FN>{}</FN>", "R".repeat(100));
    assert_eq!(
        ask(&mut romeo, "set", "", &large).await,
        "error v policy-violation"
    );
    assert!(
        ask(&mut romeo, "get", "", "")
            .await
            .contains("<FN>Romeo</FN>")
    );
}
