use super::*;

const SERVICE: &str = "pubsub.localhost";

async fn asking_node(romeo: &mut Client, to: &str) {
    let config = form("node_config", &[("access_model", "authorize")]);
    let create = format!("<create node='n'/><configure>{config}</configure>");
    assert_eq!(set(romeo, to, &create).await, "result q");
}

fn subscribe(who: &str) -> String {
    format!("<subscribe node='n' jid='{who}@localhost'/>")
}

/// An owner's answer to the form that it was sent.
async fn decide(owner: &mut Client, to: &str, who: &str, allow: &str, kind: &str) {
    owner
        .send(&format!(
            "<message{to} id='a'><x xmlns='jabber:x:data' type='{kind}'><field var='FORM_TYPE'><value>{NS}#subscribe_authorization</value></field><field var='pubsub#node'><value>n</value></field><field var='pubsub#subscriber_jid'><value>{who}@localhost</value></field><field var='pubsub#allow'><value>{allow}</value></field></x></message>"
        ))
        .await;
}

#[tokio::test]
async fn owners_are_asked_whom_they_let_subscribe() {
    for (to, service) in [(" to='pubsub.localhost'", SERVICE), ("", "romeo@localhost")] {
        let house = House::new(&["romeo", "juliet", "paris"]).await;
        let mut romeo = online(&house, "romeo/orchard", &[]).await;
        let mut juliet = online(&house, "juliet/balcony", &[]).await;
        let mut paris = online(&house, "paris/church", &[]).await;
        asking_node(&mut romeo, service).await;
        publish(&mut romeo, service, "n", "1", "old").await;
        assert_eq!(
            get(&mut juliet, service, "<items node='n'/>").await,
            "error q not-authorized"
        );
        for (client, who) in [(&mut juliet, "juliet"), (&mut paris, "paris")] {
            let told = set(client, service, &subscribe(who)).await;
            assert!(told.contains("subscription='pending'"), "{told}");
            // §6.1.3.7.
            assert_eq!(
                set(client, service, &subscribe(who)).await,
                "error q not-authorized"
            );
        }
        let asked = romeo.received_xml();
        assert_eq!(asked.len(), 2, "{asked:?}");
        for part in [
            "subscribe_authorization",
            "<value>n</value>",
            "<value>juliet@localhost</value>",
        ] {
            assert!(asked[0].contains(part), "{part}: {asked:?}");
        }
        publish(&mut romeo, service, "n", "2", "not for them yet").await;
        assert!(events(&mut juliet).is_empty());

        decide(&mut romeo, to, "juliet", "1", "cancel").await;
        assert!(events(&mut juliet).is_empty());
        decide(&mut romeo, to, "juliet", "true", "submit").await;
        let told = events(&mut juliet);
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(
            told[0],
            format!(
                "{service} <subscription node='n' jid='juliet@localhost' subscription='subscribed'/>"
            )
        );
        assert!(
            get(&mut juliet, service, "<items node='n'/>")
                .await
                .starts_with("result")
        );
        decide(&mut romeo, to, "paris", "0", "submit").await;
        assert_eq!(
            events(&mut paris),
            [format!(
                "{service} <subscription node='n' jid='paris@localhost' subscription='none'/>"
            )]
        );
        romeo.received();
        // Nobody waits any more.
        decide(&mut romeo, to, "juliet", "0", "submit").await;
        assert!(romeo.heard().concat().contains("<unexpected-request "));
        publish(&mut romeo, service, "n", "3", "for juliet").await;
        assert_eq!(events(&mut juliet).len(), 1);
        assert!(events(&mut paris).is_empty());
    }
}

#[tokio::test]
async fn only_owners_decide() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    asking_node(&mut romeo, SERVICE).await;
    set(&mut juliet, SERVICE, &subscribe("juliet")).await;
    let to = " to='pubsub.localhost'";
    decide(&mut juliet, to, "juliet", "1", "submit").await;
    assert!(juliet.heard().concat().contains("<forbidden "));
    decide(&mut romeo, to, "juliet", "perhaps", "submit").await;
    assert!(romeo.heard().concat().contains("<bad-request "));
    let list = "<subscriptions node='n'/>";
    let told = ask(&mut romeo, "get", SERVICE, "#owner", list).await;
    assert!(told.contains("subscription='pending'"), "{told}");
    let own = get(&mut juliet, SERVICE, "<subscriptions/>").await;
    assert!(own.contains("subscription='pending'"), "{own}");
    // §6.2: a request can be taken back.
    let back = "<unsubscribe node='n' jid='juliet@localhost'/>";
    let ended = set(&mut juliet, SERVICE, back).await;
    assert!(ended.contains("subscription='none'"), "{ended}");
}

#[tokio::test]
async fn who_is_subscribed_by_an_owner_is_told() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = online(&house, "juliet/balcony", &[]).await;
    set(&mut romeo, SERVICE, "<create node='n'/>").await;
    let state = |state: &str| {
        format!(
            "<subscriptions node='n'><subscription jid='juliet@localhost' subscription='{state}'/></subscriptions>"
        )
    };
    // What the owner says, and how often the subscriber hears of it.
    for (to, heard) in [
        ("subscribed", 1),
        ("subscribed", 0),
        ("none", 1),
        ("none", 0),
    ] {
        assert_eq!(
            ask(&mut romeo, "set", SERVICE, "#owner", &state(to)).await,
            "result q"
        );
        let told = events(&mut juliet);
        assert_eq!(told.len(), heard, "{told:?}");
        assert!(
            told.iter()
                .all(|it| it.contains(&format!("subscription='{to}'"))),
            "{told:?}"
        );
    }
    assert_eq!(
        ask(&mut romeo, "set", SERVICE, "#owner", &state("pending")).await,
        "error q not-acceptable"
    );
}

#[tokio::test]
async fn who_gets_another_affiliation_is_told() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = online(&house, "juliet/balcony", &[]).await;
    set(&mut romeo, SERVICE, "<create node='n'/>").await;
    set(&mut juliet, SERVICE, &subscribe("juliet")).await;
    juliet.received();
    let outcast = "<affiliations node='n'><affiliation jid='juliet@localhost' affiliation='outcast'/></affiliations>";
    assert_eq!(
        ask(&mut romeo, "set", SERVICE, "#owner", outcast).await,
        "result q"
    );
    let told = juliet.received_xml();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("subscription='none'"), "{told:?}");
    assert!(
        told[1].contains(
            "<affiliations node='n'><affiliation jid='juliet@localhost' affiliation='outcast'/>"
        ),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_service_refuses_what_needs_a_roster() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    for model in ["presence", "roster", "telepathy"] {
        let config = form("node_config", &[("access_model", model)]);
        romeo
            .send(&format!(
                "<iq type='set' id='q' to='{SERVICE}'><pubsub xmlns='{NS}'><create node='n'/><configure>{config}</configure></pubsub></iq>"
            ))
            .await;
        let told = romeo.received_xml().concat();
        // §8.1.3.
        assert!(
            told.contains("<not-acceptable ") && told.contains("<unsupported-access-model "),
            "{model}: {told}"
        );
    }
}
