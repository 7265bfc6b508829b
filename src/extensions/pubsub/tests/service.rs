use super::*;

const SERVICE: &str = "pubsub.localhost";

async fn with_node(house: &House) -> Client {
    let mut romeo = house.client("romeo/orchard");
    assert_eq!(
        set(&mut romeo, SERVICE, "<create node='news'/>").await,
        "result q"
    );
    romeo
}

#[tokio::test]
async fn a_service_is_listed_and_says_what_it_is() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = with_node(&house).await;
    publish(&mut romeo, SERVICE, "news", "1", "").await;
    let items = "<query xmlns='http://jabber.org/protocol/disco#items'";
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'";
    for (to, query, expected) in [
        ("localhost", format!("{items}/>"), "jid='pubsub.localhost'"),
        (
            SERVICE,
            format!("{info}/>"),
            "<identity category='pubsub' type='service'",
        ),
        (
            SERVICE,
            format!("{info} node='news'/>"),
            "<identity category='pubsub' type='leaf'/>",
        ),
        (SERVICE, format!("{info} node='news'/>"), "pubsub#meta-data"),
        (SERVICE, format!("{items}/>"), "node='news'"),
        (SERVICE, format!("{items} node='news'/>"), "name='1'"),
        (SERVICE, format!("{info} node='none'/>"), "item-not-found"),
        (SERVICE, format!("{items} node='none'/>"), "item-not-found"),
        (
            SERVICE,
            "<ping xmlns='urn:xmpp:ping'/>".to_owned(),
            "type='result'",
        ),
        (
            "x@pubsub.localhost",
            format!("{info}/>"),
            "service-unavailable",
        ),
    ] {
        romeo
            .send(&format!("<iq type='get' id='q' to='{to}'>{query}</iq>"))
            .await;
        let told = romeo.received_xml().concat();
        assert!(told.contains(expected), "{to} {query}: {told}");
    }
}

#[tokio::test]
async fn subscribers_are_told_and_shown_the_last_item() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = with_node(&house).await;
    publish(&mut romeo, SERVICE, "news", "1", "First").await;
    let mut juliet = house.client("juliet/balcony");
    juliet.send("<presence/>").await;
    juliet.received();
    juliet.send(&format!("<iq type='set' id='q' to='{SERVICE}'><pubsub xmlns='{NS}'><subscribe node='news' jid='juliet@localhost'/></pubsub></iq>")).await;
    assert_eq!(events(&mut juliet).len(), 1);
    publish(&mut romeo, SERVICE, "news", "2", "Second").await;
    let told = events(&mut juliet);
    assert!(
        told.len() == 1 && told[0].starts_with("pubsub.localhost <items node='news'><item id='2'>"),
        "{told:?}"
    );
    assert!(events(&mut romeo).is_empty());

    let list = get(&mut juliet, SERVICE, "<subscriptions/>").await;
    assert!(
        list.contains("node='news' jid='juliet@localhost' subscription='subscribed'"),
        "{list}"
    );
    let all = ask(
        &mut romeo,
        "get",
        SERVICE,
        "#owner",
        "<subscriptions node='news'/>",
    )
    .await;
    assert!(all.contains("jid='juliet@localhost'"), "{all}");
    let end = "<unsubscribe node='news' jid='juliet@localhost'/>";
    let ended = set(&mut juliet, SERVICE, end).await;
    assert!(ended.contains("subscription='none'"), "{ended}");
    assert_eq!(
        set(&mut juliet, SERVICE, end).await,
        "error q unexpected-request"
    );
    publish(&mut romeo, SERVICE, "news", "3", "Third").await;
    assert!(events(&mut juliet).is_empty());
}

#[tokio::test]
async fn who_subscribes_wrongly_is_told_how() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = with_node(&house).await;
    let closed = form("node_config", &[("access_model", "whitelist")]);
    let create = format!("<create node='closed'/><configure>{closed}</configure>");
    assert_eq!(set(&mut romeo, SERVICE, &create).await, "result q");
    let mut juliet = house.client("juliet/balcony");
    for (inside, expected) in [
        (
            "<subscribe node='news' jid='romeo@localhost'/>",
            "bad-request",
        ),
        ("<subscribe node='news' jid='@'/>", "bad-request"),
        ("<subscribe node='news'/>", "bad-request"),
        ("<subscribe jid='juliet@localhost'/>", "bad-request"),
        (
            "<subscribe node='none' jid='juliet@localhost'/>",
            "item-not-found",
        ),
        (
            "<subscribe node='closed' jid='juliet@localhost'/>",
            "not-allowed",
        ),
        (
            "<unsubscribe node='news' jid='romeo@localhost'/>",
            "forbidden",
        ),
        (
            "<unsubscribe node='news' jid='juliet@localhost'/>",
            "unexpected-request",
        ),
        (
            "<options node='news' jid='juliet@localhost'/>",
            "unexpected-request",
        ),
        ("<retract node='news'><item id='1'/></retract>", "forbidden"),
    ] {
        assert_eq!(
            set(&mut juliet, SERVICE, inside).await,
            format!("error q {expected}"),
            "{inside}"
        );
    }
    assert_eq!(
        publish(&mut juliet, SERVICE, "news", "x", "").await,
        "error q forbidden"
    );
}

#[tokio::test]
async fn a_node_keeps_an_owner() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = with_node(&house).await;
    let mut juliet = house.client("juliet/balcony");
    let one = |jid: &str, affiliation: &str| {
        format!("<affiliation jid='{jid}' affiliation='{affiliation}'/>")
    };
    let give = |inside: &str| format!("<affiliations node='news'>{inside}</affiliations>");
    let leave = give(&one("romeo@localhost", "none"));
    assert_eq!(
        ask(&mut romeo, "set", SERVICE, "#owner", &leave).await,
        "error q not-acceptable"
    );
    let hand_over = give(&(one("romeo@localhost", "none") + &one("juliet@localhost", "owner")));
    assert_eq!(
        ask(&mut romeo, "set", SERVICE, "#owner", &hand_over).await,
        "result q"
    );
    assert_eq!(
        ask(
            &mut romeo,
            "set",
            SERVICE,
            "#owner",
            "<delete node='news'/>"
        )
        .await,
        "error q forbidden"
    );
    let back = "<subscriptions node='news'><subscription jid='romeo@localhost' subscription='subscribed'/></subscriptions>";
    assert_eq!(
        ask(&mut juliet, "set", SERVICE, "#owner", back).await,
        "result q"
    );
    let pending = back.replace("'subscribed'", "'pending'");
    assert_eq!(
        ask(&mut juliet, "set", SERVICE, "#owner", &pending).await,
        "error q not-acceptable"
    );
    let malformed = back.replace("romeo@", "@");
    assert_eq!(
        ask(&mut juliet, "set", SERVICE, "#owner", &malformed).await,
        "error q jid-malformed"
    );
    assert_eq!(
        ask(
            &mut juliet,
            "set",
            SERVICE,
            "#owner",
            "<delete node='news'/>"
        )
        .await,
        "result q"
    );
}
