use super::*;

#[tokio::test]
async fn nodes_are_made_once_and_by_their_owner() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    assert_eq!(set(&mut romeo, "", "<create node='n'/>").await, "result q");
    assert_eq!(
        set(&mut romeo, "", "<create node='n'/>").await,
        "error q conflict"
    );
    assert_eq!(
        set(&mut juliet, "romeo@localhost", "<create node='m'/>").await,
        "error q forbidden"
    );
    let instant = set(&mut romeo, "", "<create/>").await;
    assert!(instant.contains("<create node='"), "{instant}");
    let configure = |fields: &[(&str, &str)]| {
        format!(
            "<create node='c'/><configure>{}</configure>",
            form("node_config", fields)
        )
    };
    for (fields, expected) in [
        (
            &[("access_model", "telepathy")][..],
            "error q not-acceptable",
        ),
        (
            &[("access_model", "open"), ("persist_items", "perhaps")],
            "error q bad-request",
        ),
        (&[("max_items", "1000000")], "error q not-acceptable"),
        (&[("access_model", "open")], "result q"),
    ] {
        assert_eq!(
            set(&mut romeo, "", &configure(fields)).await,
            expected,
            "{fields:?}"
        );
    }
    assert!(
        get(&mut juliet, "romeo@localhost", "<items node='c'/>")
            .await
            .starts_with("result")
    );
}

#[tokio::test]
async fn an_owner_sees_and_changes_the_configuration() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = online(&house, "romeo/orchard", &["n"]).await;
    let mut juliet = house.client("juliet/balcony");
    publish(&mut romeo, "", "n", "1", "").await;
    let show = ask(&mut romeo, "get", "", "#owner", "<configure node='n'/>").await;
    assert!(
        show.contains("pubsub#access_model") && show.contains("<value>presence</value>"),
        "{show}"
    );
    let default = ask(&mut romeo, "get", "", "#owner", "<default/>").await;
    assert!(
        default.contains("<value>on_sub_and_presence</value>"),
        "{default}"
    );
    let open = form(
        "node_config",
        &[("access_model", "open"), ("notify_config", "1")],
    );
    let change = format!("<configure node='n'>{open}</configure>");
    assert_eq!(
        ask(&mut juliet, "set", "romeo@localhost", "#owner", &change).await,
        "error q forbidden"
    );
    assert_eq!(
        ask(
            &mut juliet,
            "get",
            "romeo@localhost",
            "#owner",
            "<configure node='n'/>"
        )
        .await,
        "error q forbidden"
    );
    romeo.received();
    romeo
        .send(&format!(
            "<iq type='set' id='q'><pubsub xmlns='{NS}#owner'>{change}</pubsub></iq>"
        ))
        .await;
    let told = events(&mut romeo);
    assert!(
        told.len() == 1 && told[0].contains("<configuration node='n'>"),
        "{told:?}"
    );
    assert!(
        get(&mut juliet, "romeo@localhost", "<items node='n'/>")
            .await
            .starts_with("result")
    );
}

#[tokio::test]
async fn what_is_no_configuration_is_refused() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    publish(&mut romeo, "", "n", "1", "").await;
    for (inside, expected) in [
        (
            "<configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure>",
            "result q",
        ),
        ("<configure node='n'/>", "error q bad-request"),
        ("<configure/>", "error q bad-request"),
        ("<configure node='none'/>", "error q item-not-found"),
        (
            "<configure node='n'><x xmlns='jabber:x:data' type='form'/></configure>",
            "error q bad-request",
        ),
        (
            "<configure node='n'><x xmlns='jabber:x:data' type='poem'/></configure>",
            "error q bad-request",
        ),
    ] {
        assert_eq!(
            ask(&mut romeo, "set", "", "#owner", inside).await,
            expected,
            "{inside}"
        );
    }
}

#[tokio::test]
async fn fewer_items_stay_when_the_owner_wants_fewer() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let many = options(&[("max_items", "10")]);
    for id in ["1", "2", "3"] {
        set(&mut romeo, "", &publication("n", id, "", &many)).await;
    }
    let two = form("node_config", &[("max_items", "2")]);
    ask(
        &mut romeo,
        "set",
        "",
        "#owner",
        &format!("<configure node='n'>{two}</configure>"),
    )
    .await;
    let read = get(&mut romeo, "", "<items node='n'/>").await;
    assert!(
        !read.contains("'1'") && read.contains("'2'") && read.contains("'3'"),
        "{read}"
    );
}

#[tokio::test]
async fn purging_and_deleting_are_told() {
    let house = House::new(&["romeo", "juliet"]).await;
    befriend(&house, "romeo", "juliet").await;
    let mut romeo = online(&house, "romeo/orchard", &[]).await;
    let mut juliet = online(&house, "juliet/balcony", &["n"]).await;
    publish(&mut romeo, "", "n", "1", "").await;
    juliet.received();
    for inside in ["<purge node='n'/>", "<delete node='n'/>"] {
        assert_eq!(
            ask(&mut juliet, "set", "romeo@localhost", "#owner", inside).await,
            "error q forbidden"
        );
    }
    assert_eq!(
        ask(&mut romeo, "set", "", "#owner", "<purge node='n'/>").await,
        "result q"
    );
    assert_eq!(events(&mut juliet), ["romeo@localhost <purge node='n'/>"]);
    let moved = "<delete node='n'><redirect uri='xmpp:pubsub.localhost?;node=m'/></delete>";
    assert_eq!(
        ask(&mut romeo, "set", "", "#owner", moved).await,
        "result q"
    );
    let told = events(&mut juliet);
    assert_eq!(
        told,
        [
            "romeo@localhost <delete node='n'><redirect uri='xmpp:pubsub.localhost?;node=m'/></delete>"
        ]
    );
    for inside in ["<purge node='n'/>", "<delete node='n'/>"] {
        assert_eq!(
            ask(&mut romeo, "set", "", "#owner", inside).await,
            "error q item-not-found"
        );
    }
}

#[tokio::test]
async fn a_retraction_is_told_if_wanted() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = online(&house, "romeo/orchard", &["n"]).await;
    let quiet = options(&[("notify_retract", "0"), ("max_items", "max")]);
    for id in ["1", "2"] {
        set(&mut romeo, "", &publication("n", id, "", &quiet)).await;
    }
    romeo.received();
    for (inside, told) in [
        ("<retract node='n'><item id='1'/></retract>", 0),
        (
            "<retract node='n' notify='true'><item id='2'/></retract>",
            1,
        ),
    ] {
        romeo
            .send(&format!(
                "<iq type='set' id='q'><pubsub xmlns='{NS}'>{inside}</pubsub></iq>"
            ))
            .await;
        assert_eq!(events(&mut romeo).len(), told, "{inside}");
    }
    for inside in [
        "<retract node='n'/>",
        "<retract node='n'><item/></retract>",
        "<retract><item id='1'/></retract>",
        "<retract node='n' notify='loudly'><item id='1'/></retract>",
        "<retract node='n'><item id='1'/><item id='2'/></retract>",
    ] {
        assert_eq!(
            set(&mut romeo, "", inside).await,
            "error q bad-request",
            "{inside}"
        );
    }
}

#[tokio::test]
async fn affiliations_are_the_owners() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    let private = options(&[("access_model", "whitelist")]);
    set(&mut romeo, "", &publication("n", "1", "", &private)).await;
    let give = |jid: &str, affiliation: &str| {
        format!(
            "<affiliations node='n'><affiliation jid='{jid}' affiliation='{affiliation}'/></affiliations>"
        )
    };
    let (to, read) = ("romeo@localhost", "<items node='n'/>");
    assert_eq!(
        ask(
            &mut juliet,
            "set",
            to,
            "#owner",
            &give("juliet@localhost", "owner")
        )
        .await,
        "error q forbidden"
    );
    for (jid, affiliation, expected) in [
        ("juliet@localhost", "king", "bad-request"),
        ("@localhost", "member", "jid-malformed"),
        ("romeo@localhost", "none", "not-acceptable"),
        ("juliet@localhost", "owner", "not-acceptable"),
    ] {
        let told = ask(&mut romeo, "set", "", "#owner", &give(jid, affiliation)).await;
        assert_eq!(told, format!("error q {expected}"), "{jid} {affiliation}");
    }
    assert_eq!(
        ask(&mut romeo, "set", "", "#owner", "<affiliations node='n'/>").await,
        "error q bad-request"
    );
    assert_eq!(get(&mut juliet, to, read).await, "error q not-allowed");
    assert_eq!(
        ask(
            &mut romeo,
            "set",
            "",
            "#owner",
            &give("juliet@localhost", "member")
        )
        .await,
        "result q"
    );
    assert!(get(&mut juliet, to, read).await.starts_with("result"));
    let own = get(&mut juliet, to, "<affiliations/>").await;
    assert!(
        own.contains("<affiliation node='n' affiliation='member'/>"),
        "{own}"
    );
    assert_eq!(
        ask(
            &mut romeo,
            "set",
            "",
            "#owner",
            &give("juliet@localhost", "outcast")
        )
        .await,
        "result q"
    );
    assert_eq!(get(&mut juliet, to, read).await, "error q forbidden");
    let all = ask(&mut romeo, "get", "", "#owner", "<affiliations node='n'/>").await;
    assert!(
        all.contains("jid='juliet@localhost' affiliation='outcast'") && all.contains("'owner'"),
        "{all}"
    );
}
