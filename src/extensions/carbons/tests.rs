use crate::extensions::testing::{Client, House};
use crate::proto::{Stanza, ns};

async fn enable(client: &mut Client) {
    client.send("<presence/>").await;
    client
        .send("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
        .await;
    assert!(client.heard().iter().any(|heard| heard == "result c"));
}

/// `sent Hi` for a copy, `Hi` for a message.
fn said(client: &mut Client) -> Vec<String> {
    let messages = client.received().into_iter();
    messages
        .filter_map(|stanza| short(&stanza, client))
        .collect()
}

fn short(stanza: &Stanza, client: &Client) -> Option<String> {
    for way in ["sent", "received"] {
        let Some(copy) = stanza.find(ns::CARBONS, way) else {
            continue;
        };
        if stanza.from.as_ref().is_some_and(|from| !from.is_bare()) {
            continue;
        }
        assert_eq!(
            stanza.from,
            Some(client.session.jid().bare().clone().into())
        );
        assert_eq!(stanza.to, Some(client.session.address()));
        let copy = copy.to_element("").unwrap();
        let forwarded = copy.find(ns::FORWARD, "forwarded").unwrap();
        let message = forwarded.find(ns::CLIENT, "message").unwrap();
        let body = message.child_text(ns::CLIENT, "body").unwrap_or_default();
        return Some(format!("{way} {body}"));
    }
    stanza
        .find(ns::CLIENT, "body")
        .map(|body| body.text().into_owned())
}

/// Romeo at two places with carbons and at one without, and Juliet.
async fn verona(house: &House) -> [Client; 4] {
    let mut clients = [
        house.client("romeo/orchard"),
        house.client("romeo/street"),
        house.client("romeo/cell"),
        house.client("juliet/balcony"),
    ];
    for client in clients.iter_mut().take(2) {
        enable(client).await;
    }
    clients[2].send("<presence/>").await;
    clients[3].send("<presence/>").await;
    for client in &mut clients {
        client.received();
    }
    clients
}

#[tokio::test]
async fn what_one_client_sends_the_others_see_once_section_8() {
    let house = House::new(&["romeo", "juliet"]).await;
    let [mut orchard, mut street, mut cell, mut juliet] = verona(&house).await;
    orchard
        .send("<message to='juliet@localhost' type='chat'><body>Hi</body></message>")
        .await;
    assert_eq!(said(&mut juliet), ["Hi"]);
    assert_eq!(said(&mut orchard), [""; 0]);
    let copy = street.received();
    assert_eq!(copy.len(), 1);
    assert_eq!(short(&copy[0], &street).as_deref(), Some("sent Hi"));
    assert_eq!(said(&mut cell), [""; 0]);
    // The copy tells the id in the own archive, the recipient does not get it.
    let xml = crate::extensions::testing::written(&copy[0]);
    assert!(xml.contains("by='romeo@localhost'"), "{xml}");
    // Whoever sends needs not have switched it on.
    cell.send("<message to='juliet@localhost' type='chat'><body>Ho</body></message>")
        .await;
    let got = juliet.received_xml().concat();
    assert!(
        got.contains("Ho") && !got.contains("by='romeo@localhost'"),
        "{got}"
    );
    assert_eq!(said(&mut orchard), ["sent Ho"]);
    assert_eq!(said(&mut street), ["sent Ho"]);
}

#[tokio::test]
async fn what_one_client_gets_the_others_see_once_section_7() {
    let house = House::new(&["romeo", "juliet"]).await;
    let [mut orchard, mut street, mut cell, mut juliet] = verona(&house).await;
    for (to, expected) in [
        ("romeo@localhost", ["Hi", "Hi", "Hi"]),
        ("romeo@localhost/orchard", ["Hi", "received Hi", ""]),
        ("romeo@localhost/cell", ["received Hi", "received Hi", "Hi"]),
        ("romeo@localhost/gone", ["Hi", "Hi", "Hi"]),
    ] {
        juliet
            .send(&format!(
                "<message to='{to}' type='chat'><body>Hi</body></message>"
            ))
            .await;
        for (client, expected) in [&mut orchard, &mut street, &mut cell]
            .into_iter()
            .zip(expected)
        {
            assert_eq!(said(client).join("|"), expected, "{to}");
        }
    }
    // Refused, so nobody received it.
    juliet
        .send("<message to='romeo@localhost/gone'><body>Hi</body></message>")
        .await;
    assert_eq!(said(&mut street), [""; 0]);
}

#[tokio::test]
async fn a_message_to_oneself_comes_once_to_each() {
    let house = House::new(&["romeo", "juliet"]).await;
    let [mut orchard, mut street, _, _] = verona(&house).await;
    for to in ["romeo@localhost", "romeo@localhost/street"] {
        orchard
            .send(&format!(
                "<message to='{to}' type='chat'><body>note</body></message>"
            ))
            .await;
        assert_eq!(said(&mut street), ["note"], "{to}");
        assert!(said(&mut orchard).len() <= 1, "{to}");
    }
}

#[tokio::test]
async fn what_is_for_one_client_only_is_not_copied_section_9() {
    let house = House::new(&["romeo", "juliet"]).await;
    let [mut orchard, mut street, _, mut juliet] = verona(&house).await;
    for hint in [
        "<private xmlns='urn:xmpp:carbons:2'/>",
        "<no-copy xmlns='urn:xmpp:hints'/>",
    ] {
        let body = format!("<body>Psst</body>{hint}");
        orchard
            .send(&format!(
                "<message to='juliet@localhost' type='chat'>{body}</message>"
            ))
            .await;
        juliet
            .send(&format!(
                "<message to='romeo@localhost/orchard' type='chat'>{body}</message>"
            ))
            .await;
        assert_eq!(said(&mut juliet), ["Psst"]);
        assert_eq!(said(&mut orchard), ["Psst"]);
        assert_eq!(said(&mut street), [""; 0], "{hint}");
    }
}

#[tokio::test]
async fn an_error_is_copied_when_its_message_was_section_6_1() {
    let house = House::new(&["romeo", "juliet"]).await;
    let [mut orchard, mut street, _, mut juliet] = verona(&house).await;
    orchard
        .send("<message to='juliet@localhost' type='chat' id='m1'><body>Hi</body></message>")
        .await;
    assert_eq!(said(&mut street), ["sent Hi"]);
    for (id, expected) in [("m1", 1), ("m2", 0)] {
        juliet
            .send(&format!("<message to='romeo@localhost/orchard' type='error' id='{id}'><body>Hi</body></message>"))
            .await;
        assert_eq!(said(&mut street).len(), expected, "{id}");
        assert_eq!(said(&mut orchard), ["Hi"]);
    }
}

#[tokio::test]
async fn carbons_are_switched_on_and_off_as_often_as_wished_section_10_1() {
    let house = House::new(&["romeo", "juliet"]).await;
    let [mut orchard, mut street, _, mut juliet] = verona(&house).await;
    for (switch, expected) in [("enable", 1), ("disable", 0), ("disable", 0), ("enable", 1)] {
        street
            .send(&format!(
                "<iq type='set' id='s'><{switch} xmlns='urn:xmpp:carbons:2'/></iq>"
            ))
            .await;
        assert_eq!(street.heard(), ["result s"]);
        orchard
            .send("<message to='juliet@localhost' type='chat'><body>Hi</body></message>")
            .await;
        assert_eq!(said(&mut street).len(), expected, "{switch}");
    }
    for (kind, to, expected) in [
        ("set", "romeo@localhost", "error s not-allowed"),
        ("set", "localhost", "error s not-allowed"),
        ("get", "juliet@localhost", "error s service-unavailable"),
    ] {
        let iq =
            format!("<iq type='{kind}' id='s' to='{to}'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
        juliet.received();
        juliet.send(&iq).await;
        assert_eq!(juliet.heard(), [expected]);
    }
}

// A client takes copies from its own bare address only, and nobody else can write as that.
#[tokio::test]
async fn nobody_but_the_server_can_send_a_copy_section_11() {
    let house = House::new(&["romeo", "juliet", "tybalt"]).await;
    let [mut orchard, mut street, _, _] = verona(&house).await;
    let mut tybalt = house.client("tybalt/square");
    let wrapped = "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>\
        <message xmlns='jabber:client' from='juliet@localhost/balcony' to='romeo@localhost/orchard' type='chat'><body>false</body></message>\
        </forwarded></received>";
    for (sender, to) in [
        (&mut tybalt, "romeo@localhost"),
        (&mut orchard, "romeo@localhost/street"),
    ] {
        let from = sender.session.address();
        sender
            .send(&format!(
                "<message to='{to}' type='chat'>{wrapped}</message>"
            ))
            .await;
        let got = street.received();
        assert_eq!(got.len(), 1);
        assert_eq!(got[0].from, Some(from));
    }
}

#[tokio::test]
async fn a_copy_is_not_kept_for_later() {
    let house = House::new(&["romeo", "juliet"]).await;
    let [mut orchard, street, cell, mut juliet] = verona(&house).await;
    cell.disconnect().await;
    orchard
        .send("<message to='juliet@localhost' type='chat'><body>Hi</body></message>")
        .await;
    juliet.received();
    // The copy lay in the mailbox when the connection went.
    let mail = street.session.close_mailbox();
    let messages = mail.iter().filter(|mail| mail.has(ns::CARBONS, "sent"));
    assert_eq!(messages.count(), 1);
    for mail in &mail {
        house.router.keep(mail).await;
    }
    street.disconnect().await;
    orchard.disconnect().await;
    let mut again = house.client("romeo/again");
    again.send("<presence/>").await;
    assert_eq!(said(&mut again), [""; 0]);
}
