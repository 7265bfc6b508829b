use super::*;

const TUNE: &str = "urn:example:tune";

#[tokio::test]
async fn own_clients_and_contacts_that_want_to_know_are_told() {
    let house = House::new(&["romeo", "juliet", "paris"]).await;
    befriend(&house, "romeo", "juliet").await;
    let mut romeo = online(&house, "romeo/orchard", &[TUNE]).await;
    let mut deaf = online(&house, "romeo/deaf", &["urn:example:mood"]).await;
    let mut juliet = online(&house, "juliet/balcony", &[TUNE]).await;
    let mut silent = online(&house, "juliet/silent", &[]).await;
    let mut paris = online(&house, "paris/church", &[TUNE]).await;
    for client in [&mut romeo, &mut deaf, &mut juliet, &mut silent] {
        client.received();
    }
    publish(&mut deaf, "", TUNE, "1", "Hear").await;
    let told = "romeo@localhost <items node='urn:example:tune'><item id='1'><t xmlns='urn:example'>Hear</t></item></items>";
    assert_eq!(events(&mut romeo), [told]);
    assert_eq!(events(&mut juliet), [told]);
    for client in [&mut deaf, &mut silent, &mut paris] {
        assert!(events(client).is_empty());
    }
}

#[tokio::test]
async fn notifications_are_headlines_to_full_addresses() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = online(&house, "romeo/orchard", &[TUNE]).await;
    romeo
        .send(&format!(
            "<iq type='set' id='q'><pubsub xmlns='{NS}'>{}</pubsub></iq>",
            publication(TUNE, "1", "", "")
        ))
        .await;
    let heard = romeo.received_xml();
    let event = heard.iter().find(|it| it.contains("#event")).unwrap();
    for part in [
        "<message ",
        "type='headline'",
        "to='romeo@localhost/orchard'",
        "from='romeo@localhost'",
        "id='",
    ] {
        assert!(event.contains(part), "{part}: {event}");
    }
}

#[tokio::test]
async fn private_nodes_are_told_to_their_owner_only() {
    let house = House::new(&["romeo", "juliet"]).await;
    befriend(&house, "romeo", "juliet").await;
    let mut romeo = online(&house, "romeo/orchard", &["secret"]).await;
    let mut juliet = online(&house, "juliet/balcony", &["secret"]).await;
    let private = options(&[("access_model", "whitelist")]);
    romeo
        .send(&format!(
            "<iq type='set' id='q'><pubsub xmlns='{NS}'>{}</pubsub></iq>",
            publication("secret", "1", "", &private)
        ))
        .await;
    assert_eq!(events(&mut romeo).len(), 1);
    assert!(events(&mut juliet).is_empty());
}

#[tokio::test]
async fn who_comes_online_is_shown_the_last_items_once() {
    let house = House::new(&["romeo", "juliet"]).await;
    befriend(&house, "romeo", "juliet").await;
    let mut romeo = house.client("romeo/orchard");
    publish(&mut romeo, "", TUNE, "1", "Hear").await;
    let private = options(&[("access_model", "whitelist")]);
    set(
        &mut romeo,
        "",
        &publication("urn:example:secret", "1", "", &private),
    )
    .await;
    let quiet = options(&[("send_last_published_item", "never")]);
    set(
        &mut romeo,
        "",
        &publication("urn:example:quiet", "1", "", &quiet),
    )
    .await;

    let all = [TUNE, "urn:example:secret", "urn:example:quiet"];
    let presence = "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='x'/></presence>";
    let mut juliet = house.client("juliet/balcony");
    juliet.send(presence).await;
    assert!(answer_disco(&mut juliet, &all).await);
    let heard = juliet.received_xml();
    let events: Vec<_> = heard.iter().filter(|it| it.contains("#event")).collect();
    assert_eq!(events.len(), 1, "{heard:?}");
    assert!(
        events[0].contains("node='urn:example:tune'") && events[0].contains("<delay "),
        "{events:?}"
    );
    // XEP-0163 §4.3.3: a later presence brings nothing.
    juliet.send(presence).await;
    assert!(!answer_disco(&mut juliet, &all).await);
    juliet.send("<presence type='unavailable'/>").await;
    juliet.received();
    juliet.send(presence).await;
    // Nor is it asked again, but shown them as one that comes anew.
    assert_eq!(super::events(&mut juliet).len(), 1);

    romeo.send(presence).await;
    assert!(answer_disco(&mut romeo, &all).await);
    let own: Vec<_> = super::events(&mut romeo);
    assert_eq!(own.len(), 2, "{own:?}");
}

#[tokio::test]
async fn a_hash_that_is_known_is_not_asked_for() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    publish(&mut romeo, "", TUNE, "1", "").await;
    let features = "<feature var='urn:example:tune+notify'/>";
    let query = format!("<query xmlns='http://jabber.org/protocol/disco#info'>{features}</query>");
    let element = crate::xml::document(query.as_bytes(), &crate::xml::Limits::default()).unwrap();
    let ver = crate::extensions::caps::ver_of(&element).unwrap();
    let presence = format!(
        "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='{ver}'/></presence>"
    );
    let mut juliet = house.client("juliet/balcony");
    juliet.send(&presence).await;
    assert!(answer_disco(&mut juliet, &[TUNE]).await);
    romeo.send(&presence).await;
    let heard = romeo.received_xml().concat();
    assert!(
        !heard.contains("disco#info") && heard.contains("#event"),
        "{heard}"
    );
}

#[tokio::test]
async fn what_nobody_asked_is_not_believed() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    romeo.send("<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='x'/></presence>").await;
    let received = romeo.received();
    let question = received
        .iter()
        .find(|it| it.has("http://jabber.org/protocol/disco#info", "query"))
        .unwrap();
    let id = question.id.clone().unwrap();
    let lie = format!(
        "<iq type='result' id='{id}' to='romeo@localhost'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='n+notify'/></query></iq>"
    );
    juliet.send(&lie).await;
    romeo
        .send(&format!(
            "<iq type='error' id='{id}' to='romeo@localhost'><error type='cancel'/></iq>"
        ))
        .await;
    romeo.send(&lie).await;
    romeo
        .send(&format!(
            "<iq type='set' id='q'><pubsub xmlns='{NS}'>{}</pubsub></iq>",
            publication("n", "1", "", "")
        ))
        .await;
    assert!(events(&mut romeo).is_empty());
}

#[tokio::test]
async fn more_last_items_than_a_mailbox_holds_end_no_session() {
    let names: Vec<String> = (0..300).map(|number| format!("friend{number}")).collect();
    let mut accounts: Vec<&str> = names.iter().map(String::as_str).collect();
    accounts.push("romeo");
    let house = House::new(&accounts).await;
    for name in &names {
        befriend(&house, "romeo", name).await;
        let mut friend = house.client(&format!("{name}/x"));
        publish(&mut friend, "", TUNE, "1", "").await;
        friend.disconnect().await;
    }
    let mut romeo = house.client("romeo/orchard");
    romeo.send("<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='x'/></presence>").await;
    assert!(answer_disco(&mut romeo, &[TUNE]).await);
    assert_eq!(events(&mut romeo).len(), 300);
}

#[tokio::test]
async fn who_is_let_see_the_presence_is_shown_the_last_items() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut juliet = online(&house, "juliet/balcony", &[]).await;
    publish(&mut juliet, "", TUNE, "1", "Hear").await;
    let private = options(&[("access_model", "whitelist")]);
    set(&mut juliet, "", &publication("secret", "1", "", &private)).await;
    let mut romeo = online(&house, "romeo/orchard", &[TUNE, "secret"]).await;
    // Nobody asked: it means nothing.
    juliet
        .send("<presence type='subscribed' to='romeo@localhost'/>")
        .await;
    assert!(events(&mut romeo).is_empty());
    romeo
        .send("<presence type='subscribe' to='juliet@localhost'/>")
        .await;
    juliet
        .send("<presence type='subscribed' to='romeo@localhost'/>")
        .await;
    let told = events(&mut romeo);
    assert!(told.len() == 1 && told[0].contains(TUNE), "{told:?}");
}
