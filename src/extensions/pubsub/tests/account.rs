use super::*;

const TUNE: &str = "urn:example:tune";

#[tokio::test]
async fn what_is_published_is_there_to_be_read() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let published = publish(&mut romeo, "", TUNE, "now", "Hear").await;
    assert!(
        published.contains("<publish node='urn:example:tune'><item id='now'/>"),
        "{published}"
    );
    let read = get(
        &mut romeo,
        "romeo@localhost",
        &format!("<items node='{TUNE}'/>"),
    )
    .await;
    let item = "<items node='urn:example:tune'><item id='now'><t xmlns='urn:example'>Hear</t></item></items>";
    assert!(read.contains(item), "{read}");
    // XEP-0163 §5: one item is kept.
    publish(&mut romeo, "", TUNE, "later", "Listen").await;
    let read = get(&mut romeo, "", &format!("<items node='{TUNE}'/>")).await;
    assert!(read.contains("later") && !read.contains("'now'"), "{read}");
}

#[tokio::test]
async fn the_server_gives_an_id_to_an_item_without_one() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let item = "<publish node='n'><item><t xmlns='urn:example'/></item></publish>";
    let told = set(&mut romeo, "", item).await;
    let id = told
        .split("<item id='")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    let read = get(
        &mut romeo,
        "",
        &format!("<items node='n'><item id='{id}'/></items>"),
    )
    .await;
    assert!(read.contains(id), "{read}");
}

#[tokio::test]
async fn what_is_no_publication_is_refused() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let long = "n".repeat(1024);
    let item = "<item id='x'><t xmlns='urn:example'/></item>";
    for (inside, expected) in [
        (String::new(), "bad-request"),
        (format!("<publish>{item}</publish>"), "bad-request"),
        (format!("<publish node=''>{item}</publish>"), "bad-request"),
        (
            format!("<publish node='{long}'>{item}</publish>"),
            "bad-request",
        ),
        ("<publish node='n'/>".to_owned(), "bad-request"),
        (
            "<publish node='n'><item id='x'/></publish>".to_owned(),
            "bad-request",
        ),
        (
            format!("<publish node='n'>{item}{item}</publish>"),
            "bad-request",
        ),
        (
            "<publish node='n'><item><a xmlns='urn:a'/><b xmlns='urn:b'/></item></publish>"
                .to_owned(),
            "bad-request",
        ),
        (
            "<publish node='n'><item id=''><t xmlns='urn:a'/></item></publish>".to_owned(),
            "bad-request",
        ),
        ("<sing node='n'/>".to_owned(), "feature-not-implemented"),
    ] {
        assert_eq!(
            set(&mut romeo, "", &inside).await,
            format!("error q {expected}"),
            "{inside}"
        );
    }
}

#[tokio::test]
async fn only_the_account_publishes_on_its_nodes_unless_it_says_otherwise() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    let to = "romeo@localhost";
    assert_eq!(
        publish(&mut juliet, to, "n", "x", "").await,
        "error q forbidden"
    );
    assert_eq!(
        publish(&mut juliet, "nobody@localhost", "n", "x", "").await,
        "error q forbidden"
    );
    publish(&mut romeo, "", "n", "x", "").await;
    assert_eq!(
        publish(&mut juliet, to, "n", "x", "").await,
        "error q forbidden"
    );
    let all = options(&[
        ("publish_model", "open"),
        ("access_model", "open"),
        ("max_items", "max"),
    ]);
    set(&mut romeo, "", &publication("wall", "his", "", &all)).await;
    assert!(
        publish(&mut juliet, to, "wall", "hers", "")
            .await
            .starts_with("result")
    );
    // §7.2.3.1, §12.8: what is another's stays.
    assert_eq!(
        publish(&mut juliet, to, "wall", "his", "mine").await,
        "error q forbidden"
    );
    let retract = |id: &str| format!("<retract node='wall'><item id='{id}'/></retract>");
    assert_eq!(
        set(&mut juliet, to, &retract("his")).await,
        "error q forbidden"
    );
    assert_eq!(set(&mut juliet, to, &retract("hers")).await, "result q");
    assert_eq!(
        set(&mut romeo, "", &retract("hers")).await,
        "error q item-not-found"
    );
    assert_eq!(set(&mut romeo, "", &retract("his")).await, "result q");
}

#[tokio::test]
async fn publish_options_make_a_node_or_are_preconditions() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let private = options(&[
        ("persist_items", "true"),
        ("access_model", "whitelist"),
        ("max_items", "max"),
    ]);
    let first = set(&mut romeo, "", &publication("p", "1", "", &private)).await;
    assert!(first.starts_with("result"), "{first}");
    let again = set(&mut romeo, "", &publication("p", "2", "", &private)).await;
    assert!(again.starts_with("result"), "{again}");
    let read = get(&mut romeo, "", "<items node='p'/>").await;
    assert!(read.contains("'1'") && read.contains("'2'"), "{read}");

    let open = options(&[("access_model", "open")]);
    romeo
        .send(&format!(
            "<iq type='set' id='q'><pubsub xmlns='{NS}'>{}</pubsub></iq>",
            publication("p", "3", "", &open)
        ))
        .await;
    let told = romeo.received_xml().concat();
    assert!(
        told.contains("<conflict ") && told.contains("<precondition-not-met "),
        "{told}"
    );
    let unknown = options(&[("colour", "blue")]);
    for (node, options, expected) in [
        ("p", unknown.as_str(), "conflict"),
        ("q", unknown.as_str(), "conflict"),
        (
            "q",
            "<publish-options><x xmlns='jabber:x:data' type='submit'/></publish-options>",
            "bad-request",
        ),
        ("q", &options_of_another_form(), "bad-request"),
    ] {
        let told = set(&mut romeo, "", &publication(node, "3", "", options)).await;
        assert_eq!(told, format!("error q {expected}"), "{options}");
    }
    let read = get(&mut romeo, "", "<items node='p'/>").await;
    assert!(!read.contains("'3'"), "{read}");
    assert_eq!(
        get(&mut romeo, "", "<items node='q'/>").await,
        "error q item-not-found"
    );
}

fn options_of_another_form() -> String {
    format!(
        "<publish-options>{}</publish-options>",
        form("node_config", &[("access_model", "open")])
    )
}

#[tokio::test]
async fn who_may_not_read_is_told_why() {
    let house = House::new(&["romeo", "juliet", "paris"]).await;
    befriend(&house, "romeo", "juliet").await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    let mut paris = house.client("paris/church");
    for (node, access) in [
        ("o", "open"),
        ("p", "presence"),
        ("r", "roster"),
        ("w", "whitelist"),
    ] {
        let mut fields = vec![("access_model", access)];
        if access == "roster" {
            fields.push(("roster_groups_allowed", "Friends"));
        }
        let told = set(
            &mut romeo,
            "",
            &publication(node, "1", "", &options(&fields)),
        )
        .await;
        assert!(told.starts_with("result"), "{access}: {told}");
    }
    for (node, hers, his) in [
        ("o", "result", "result"),
        ("p", "result", "error q not-authorized"),
        ("r", "result", "error q not-authorized"),
        ("w", "error q not-allowed", "error q not-allowed"),
        ("none", "error q item-not-found", "error q item-not-found"),
    ] {
        let items = format!("<items node='{node}'/>");
        let told = get(&mut juliet, "romeo@localhost", &items).await;
        assert!(told.starts_with(hers), "{node}: {told}");
        let told = get(&mut paris, "romeo@localhost", &items).await;
        assert!(told.starts_with(his), "{node}: {told}");
    }
    // XEP-0163 §6.2: only what she may read is listed.
    juliet.send("<iq type='get' id='d' to='romeo@localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>").await;
    let listed = juliet.received_xml().concat();
    for (node, there) in [("'o'", true), ("'p'", true), ("'r'", true), ("'w'", false)] {
        assert_eq!(
            listed.contains(&format!("node={node}")),
            there,
            "{node} {listed}"
        );
    }
}

#[tokio::test]
async fn items_come_in_the_order_of_publication_and_in_pages() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let many = options(&[("max_items", "max")]);
    for id in ["a", "b", "c", "d"] {
        set(&mut romeo, "", &publication("n", id, "", &many)).await;
    }
    // Republished, it is the newest (§12.1).
    publish(&mut romeo, "", "n", "b", "").await;
    let rsm = |inside: &str| {
        format!("<items node='n'/><set xmlns='http://jabber.org/protocol/rsm'>{inside}</set>")
    };
    for (request, expected) in [
        ("<items node='n'/>".to_owned(), "acdb"),
        ("<items node='n' max_items='2'/>".to_owned(), "db"),
        (
            "<items node='n'><item id='d'/><item id='a'/></items>".to_owned(),
            "da",
        ),
        (rsm("<max>2</max>"), "ac"),
        (rsm("<max>2</max><after>c</after>"), "db"),
        (rsm("<max>2</max><before/>"), "db"),
        (rsm("<max>2</max><before>d</before>"), "ac"),
        (rsm("<max>1</max><index>2</index>"), "d"),
        (rsm("<max>0</max>"), ""),
    ] {
        let told = get(&mut romeo, "", &request).await;
        let ids: String = told
            .split("<item id='")
            .skip(1)
            .filter_map(|it| it.split('\'').next())
            .collect();
        assert_eq!(ids, expected, "{request}: {told}");
        assert_eq!(
            told.contains("<count>4</count>"),
            request.contains("<set"),
            "{told}"
        );
    }
    for (request, expected) in [
        ("<items/>".to_owned(), "bad-request"),
        (
            "<items node='n' max_items='many'/>".to_owned(),
            "bad-request",
        ),
        ("<items node='n' subid='1'/>".to_owned(), "not-acceptable"),
        (
            "<items node='n'><item id='z'/></items>".to_owned(),
            "item-not-found",
        ),
        (rsm("<after>z</after>"), "item-not-found"),
        (rsm("<max>few</max>"), "bad-request"),
    ] {
        assert_eq!(
            get(&mut romeo, "", &request).await,
            format!("error q {expected}"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn items_expire() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let short = options(&[("item_expire", "60"), ("max_items", "max")]);
    set(&mut romeo, "", &publication("n", "old", "", &short)).await;
    house.clock.advance_seconds(50);
    publish(&mut romeo, "", "n", "new", "").await;
    house.clock.advance_seconds(20);
    let read = get(&mut romeo, "", "<items node='n'/>").await;
    assert!(read.contains("'new'") && !read.contains("'old'"), "{read}");
}

#[tokio::test]
async fn what_is_not_kept_is_told_and_gone() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = online(&house, "romeo/orchard", &["n"]).await;
    let transient = options(&[("persist_items", "0")]);
    let request = publication("n", "1", "Hi", &transient);
    romeo
        .send(&format!(
            "<iq type='set' id='q'><pubsub xmlns='{NS}'>{request}</pubsub></iq>"
        ))
        .await;
    assert_eq!(events(&mut romeo).len(), 1);
    let read = get(&mut romeo, "", "<items node='n'/>").await;
    assert!(read.contains("<items node='n'/>"), "{read}");
    let retract = "<retract node='n'><item id='1'/></retract>";
    assert_eq!(
        set(&mut romeo, "", retract).await,
        "error q feature-not-implemented"
    );
}

#[tokio::test]
async fn the_account_announces_what_clients_decide_by() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let info = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    for to in ["romeo@localhost", "localhost"] {
        romeo
            .send(&format!("<iq type='get' id='d' to='{to}'>{info}</iq>"))
            .await;
        let told = romeo.received_xml().concat();
        assert!(
            told.contains("<identity category='pubsub' type='pep'/>"),
            "{told}"
        );
        for feature in [
            "publish-options",
            "config-node-max",
            "multi-items",
            "auto-create",
            "persistent-items",
        ] {
            assert!(
                told.contains(&format!("pubsub#{feature}'")),
                "{to} {feature}"
            );
        }
    }
    romeo
        .send(&format!(
            "<iq type='get' id='d' to='romeo@localhost'>{info}</iq>"
        ))
        .await;
    let told = romeo.received_xml().concat();
    for feature in [
        "urn:xmpp:pep-vcard-conversion:0",
        "urn:xmpp:bookmarks:1#compat",
        "urn:xmpp:bookmarks:1#compat-pep",
    ] {
        assert!(told.contains(&format!("var='{feature}'")), "{feature}");
    }
}
