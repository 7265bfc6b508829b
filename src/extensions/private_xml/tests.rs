use super::*;
use crate::extensions::testing::{Client, House};

fn small(hooks: &mut Hooks, _config: &Arc<Config>) {
    let file = "[private_storage]\nbytes_max = 200";
    let config = Config::parse("test", file, std::iter::empty()).unwrap();
    register(hooks, &Arc::new(config));
}

async fn ask(client: &mut Client, kind: &str, to: &str, inside: &str) -> String {
    let to = if to.is_empty() {
        String::new()
    } else {
        format!("to='{to}'")
    };
    let query = format!("<query xmlns='jabber:iq:private'>{inside}</query>");
    client
        .send(&format!("<iq type='{kind}' id='p' {to}>{query}</iq>"))
        .await;
    client.heard().concat()
}

#[tokio::test]
async fn what_was_stored_is_found_by_the_name_of_its_element() {
    let house = House::with(&["romeo"], small).await;
    let mut romeo = house.client("romeo/orchard");
    let result =
        |inside: &str| format!("result p <query xmlns='jabber:iq:private'>{inside}</query>");
    let prefs = "<exodus xmlns='exodus:prefs'><nick>Hamlet</nick></exodus>";
    assert_eq!(ask(&mut romeo, "set", "", prefs).await, "result p");
    let asked = "<exodus xmlns='exodus:prefs'/>";
    assert_eq!(ask(&mut romeo, "get", "", asked).await, result(prefs));
    assert_eq!(
        ask(&mut romeo, "get", "romeo@localhost", asked).await,
        result(prefs)
    );
    for other in [
        "<exodus xmlns='exodus:other'/>",
        "<other xmlns='exodus:prefs'/>",
    ] {
        assert_eq!(ask(&mut romeo, "get", "", other).await, result(other));
    }
    assert_eq!(ask(&mut romeo, "set", "", asked).await, "result p");
    assert_eq!(ask(&mut romeo, "get", "", asked).await, result(asked));
}

#[tokio::test]
async fn wrong_requests_are_refused_for_their_reason() {
    let house = House::with(&["romeo", "juliet"], small).await;
    let mut romeo = house.client("romeo/orchard");
    let good = "<a xmlns='b'/>";
    let two = "<a xmlns='b'/><c xmlns='b'/>";
    let large = format!("<a xmlns='b'>{}</a>", "x".repeat(200));
    for (kind, to, inside, expected) in [
        ("get", "juliet@localhost", good, "error p forbidden"),
        ("set", "juliet@localhost", good, "error p forbidden"),
        ("set", "nobody@localhost", good, "error p forbidden"),
        ("get", "localhost", good, "error p service-unavailable"),
        ("get", "", "", "error p bad-request"),
        ("set", "", "", "error p bad-request"),
        ("set", "", two, "error p not-acceptable"),
        ("set", "", "<a/>", "error p not-acceptable"),
        ("set", "", "<a xmlns=''/>", "error p not-acceptable"),
        ("set", "", large.as_str(), "error p resource-constraint"),
    ] {
        assert_eq!(
            ask(&mut romeo, kind, to, inside).await,
            expected,
            "{kind} {to} {inside}"
        );
    }
}

#[tokio::test]
async fn the_bound_is_over_all_elements_together() {
    let house = House::with(&["romeo"], small).await;
    let mut romeo = house.client("romeo/orchard");
    let element = |name: &str| format!("<{name} xmlns='b'>{}</{name}>", "x".repeat(100));
    assert_eq!(ask(&mut romeo, "set", "", &element("a")).await, "result p");
    assert_eq!(
        ask(&mut romeo, "set", "", &element("b")).await,
        "error p resource-constraint"
    );
    assert_eq!(ask(&mut romeo, "set", "", &element("a")).await, "result p");
}
