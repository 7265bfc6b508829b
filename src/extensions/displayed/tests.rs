use crate::extensions::testing::House;

const MARKER: &str = "<displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@localhost' id='0423'/></displayed>";

#[tokio::test]
async fn a_marker_in_a_message_is_published_and_goes_no_further() {
    let house = House::new(&["juliet", "romeo"]).await;
    let mut juliet = house.client("juliet/balcony");
    let mut romeo = house.client("romeo/orchard");
    romeo.send("<presence/>").await;
    romeo.received();
    juliet
        .send(&format!("<message to='romeo@localhost' type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='m'/>{MARKER}</message>"))
        .await;
    let told = romeo.received_xml().concat();
    assert!(
        told.contains("chat-markers") && !told.contains("mds"),
        "{told}"
    );
    let read = "<iq type='get' id='q' to='juliet@localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:mds:displayed:0'/></pubsub></iq>";
    juliet.send(read).await;
    let told = juliet.received_xml().concat();
    assert!(
        told.contains("<item id='romeo@localhost'>") && told.contains("id='0423'"),
        "{told}"
    );
    romeo.send(read).await;
    assert_eq!(romeo.heard(), ["error q not-allowed"]);
}

#[tokio::test]
async fn a_marker_that_cannot_be_published_stops_no_message() {
    let house = House::new(&["juliet", "romeo"]).await;
    let mut juliet = house.client("juliet/balcony");
    let mut romeo = house.client("romeo/orchard");
    romeo.send("<presence/>").await;
    romeo.received();
    let large = format!(
        "<displayed xmlns='urn:xmpp:mds:displayed:0'>{}</displayed>",
        "x".repeat(200_000)
    );
    juliet
        .send(&format!(
            "<message to='romeo@localhost' type='chat'><body>Hi</body>{large}</message>"
        ))
        .await;
    let told = romeo.received_xml().concat();
    assert!(told.contains("Hi") && !told.contains("mds"), "{told}");
}
