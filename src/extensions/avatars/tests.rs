use super::*;
use crate::extensions::testing::{Client, House};

/// "picture" in base64.
const DATA64: &str = "cGljdHVyZQ==";
/// The hash of something else.
const WRONG_HASH: &str = "bb6e8e0fe4a7a1c7a4f8a4bb9dc59a2ecc9d6fe5";

fn real_hash() -> String {
    hash(b"picture")
}

async fn publish(client: &mut Client, node: &str, id: &str, payload: &str, access: &str) {
    let options = format!(
        "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='pubsub#access_model'><value>{access}</value></field></x></publish-options>"
    );
    client
        .send(&format!(
            "<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='{node}'><item id='{id}'>{payload}</item></publish>{options}</pubsub></iq>"
        ))
        .await;
    let heard = client.heard();
    assert!(
        heard.iter().any(|it| it.starts_with("result p")),
        "{heard:?}"
    );
}

async fn publish_picture(client: &mut Client, id: &str, access: &str) {
    let data = format!("<data xmlns='{DATA}'>{DATA64}</data>");
    publish(client, DATA, id, &data, access).await;
    let metadata = format!(
        "<metadata xmlns='{METADATA}'><info bytes='7' id='{id}' type='image/png'/></metadata>"
    );
    publish(client, METADATA, id, &metadata, access).await;
}

async fn card(client: &mut Client) -> String {
    client
        .send("<iq type='get' id='v'><vCard xmlns='vcard-temp'/></iq>")
        .await;
    client.received_xml().concat()
}

async fn set_card(client: &mut Client, inside: &str) {
    client
        .send(&format!(
            "<iq type='set' id='v'><vCard xmlns='vcard-temp'>{inside}</vCard></iq>"
        ))
        .await;
    let heard = client.heard();
    assert!(heard.iter().any(|it| it == "result v"), "{heard:?}");
}

async fn items(client: &mut Client, node: &str) -> String {
    client
        .send(&format!(
            "<iq type='get' id='i'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'/></pubsub></iq>"
        ))
        .await;
    client.received_xml().concat()
}

#[tokio::test]
async fn a_published_picture_is_in_the_vcard_beside_what_was_there() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    set_card(&mut romeo, "<FN>Romeo</FN>").await;
    publish_picture(&mut romeo, &real_hash(), "open").await;
    let told = card(&mut romeo).await;
    let photo =
        format!("<FN>Romeo</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>{DATA64}</BINVAL></PHOTO>");
    assert!(told.contains(&photo), "{told}");
    // XEP-0084 §3.4: no picture any more.
    publish(
        &mut romeo,
        METADATA,
        "x",
        &format!("<metadata xmlns='{METADATA}'/>"),
        "open",
    )
    .await;
    let told = card(&mut romeo).await;
    assert!(!told.contains("PHOTO") && told.contains("Romeo"), "{told}");
}

#[tokio::test]
async fn what_is_not_for_everybody_or_not_true_stays_out_of_the_vcard() {
    let house = House::new(&["romeo", "paris"]).await;
    let mut romeo = house.client("romeo/orchard");
    publish_picture(&mut romeo, &real_hash(), "presence").await;
    assert!(!card(&mut romeo).await.contains("PHOTO"));
    let mut paris = house.client("paris/church");
    publish_picture(&mut paris, WRONG_HASH, "open").await;
    assert!(!card(&mut paris).await.contains("PHOTO"));
}

#[tokio::test]
async fn a_picture_in_the_vcard_is_published() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let photo = "<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>\ncGlj\ndHVyZQ==</BINVAL></PHOTO>";
    set_card(&mut romeo, photo).await;
    let id = real_hash();
    let metadata = items(&mut romeo, METADATA).await;
    let info = format!("<info bytes='7' id='{id}' type='image/jpeg'/>");
    assert!(metadata.contains(&info), "{metadata}");
    let data = items(&mut romeo, DATA).await;
    assert!(data.contains(DATA64) && data.contains(&id), "{data}");
    set_card(&mut romeo, "<FN>Romeo</FN>").await;
    let metadata = items(&mut romeo, METADATA).await;
    assert!(
        metadata.contains("<metadata xmlns='urn:xmpp:avatar:metadata'/>"),
        "{metadata}"
    );
    // What is no picture is none.
    set_card(&mut romeo, "<PHOTO><BINVAL>!!!</BINVAL></PHOTO>").await;
    assert!(
        items(&mut romeo, METADATA)
            .await
            .contains("<metadata xmlns='urn:xmpp:avatar:metadata'/>")
    );
}

#[tokio::test]
async fn presences_have_the_hash_of_the_picture() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    publish_picture(&mut romeo, &real_hash(), "open").await;
    let ours = format!("<photo>{}</photo>", real_hash());
    for (sent, expected) in [
        ("<presence/>", ours.as_str()),
        ("<presence><show>away</show></presence>", &ours),
        (
            "<presence><x xmlns='vcard-temp:x:update'/></presence>",
            &ours,
        ),
        (
            "<presence><x xmlns='vcard-temp:x:update'><photo>old</photo></x></presence>",
            &ours,
        ),
        (
            "<presence><x xmlns='vcard-temp:x:update'><photo/></x></presence>",
            "<photo/>",
        ),
        ("<presence to='romeo@localhost/orchard'/>", &ours),
    ] {
        romeo.send(sent).await;
        let told = romeo.received_xml().concat();
        assert!(told.contains(expected), "{sent}: {told}");
        assert_eq!(
            told.matches("vcard-temp:x:update").count(),
            1,
            "{sent}: {told}"
        );
    }
    romeo.send("<presence type='unavailable'/>").await;
    assert!(
        !romeo
            .received_xml()
            .concat()
            .contains("vcard-temp:x:update")
    );
}

#[tokio::test]
async fn who_has_no_picture_has_no_hash() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    romeo.send("<presence/>").await;
    assert!(
        !romeo
            .received_xml()
            .concat()
            .contains("vcard-temp:x:update")
    );
}

#[tokio::test]
async fn a_picture_of_before_hashes_were_noted_has_one() {
    let house = House::new(&["romeo"]).await;
    let xml = format!("<vCard xmlns='vcard-temp'><PHOTO><BINVAL>{DATA64}</BINVAL></PHOTO></vCard>");
    let card = Vcard {
        xml: xml.into_bytes(),
        updated_at: house.clock.now(),
    };
    let owner = BareJid::new("romeo@localhost").unwrap();
    let vcards = house.router.services().store.vcards();
    let _put = vcards.put(&owner, &card, 1_000).await.unwrap();
    let mut romeo = house.client("romeo/orchard");
    romeo.send("<presence/>").await;
    assert!(romeo.received_xml().concat().contains(&real_hash()));
}

#[tokio::test]
async fn who_sees_the_presence_is_told_of_another_picture() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut garden = house.client("romeo/garden");
    let mut hidden = house.client("romeo/hidden");
    let mut juliet = house.client("juliet/balcony");
    juliet
        .send("<presence type='subscribe' to='romeo@localhost'/>")
        .await;
    juliet.send("<presence/>").await;
    romeo
        .send("<presence type='subscribed' to='juliet@localhost'/>")
        .await;
    romeo.send("<presence><show>away</show></presence>").await;
    garden
        .send("<presence><priority>3</priority></presence>")
        .await;
    juliet.received();

    publish_picture(&mut hidden, &real_hash(), "open").await;
    let hash = format!("<photo>{}</photo>", real_hash());
    let told: Vec<String> = presences(&mut juliet);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|it| it.contains(&hash)), "{told:?}");
    assert!(told.concat().contains("<show>away</show>"), "{told:?}");
    assert_eq!(garden.session.priority(), Some(3));
    romeo.received();
    // §5: a client that says that it has no picture is left alone.
    let mut without = house.client("romeo/without");
    let none = "<presence><x xmlns='vcard-temp:x:update'><photo/></x></presence>";
    without.send(none).await;
    juliet.received();
    // The same once more changes nothing.
    publish_picture(&mut hidden, &real_hash(), "open").await;
    assert!(presences(&mut juliet).is_empty());
    // By the vCard as well; without a picture it says so.
    set_card(&mut romeo, "<FN>Romeo</FN>").await;
    let told = presences(&mut juliet);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|it| it.contains("<photo/>")), "{told:?}");
    set_card(
        &mut romeo,
        &format!("<PHOTO><BINVAL>{DATA64}</BINVAL></PHOTO>"),
    )
    .await;
    let told = presences(&mut juliet);
    assert!(
        told.len() == 2 && told.iter().all(|it| it.contains(&hash)),
        "{told:?}"
    );
    assert!(hidden.session.presence().is_none());
    assert!(presences(&mut garden).iter().any(|it| it.contains(&hash)));
}

#[tokio::test]
async fn the_first_directed_presence_has_the_hash() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    let mut romeo = house.client("romeo/orchard");
    publish_picture(&mut romeo, &real_hash(), "open").await;
    romeo.disconnect().await;
    let mut romeo = house.client("romeo/orchard");
    for show in ["away", "dnd"] {
        romeo
            .send(&format!(
                "<presence to='juliet@localhost/balcony'><show>{show}</show></presence>"
            ))
            .await;
        let told = presences(&mut juliet);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains(show) && told[0].contains(&real_hash()),
            "{told:?}"
        );
    }
    // It was remembered who was told.
    romeo.send("<presence type='unavailable'/>").await;
    assert!(presences(&mut juliet).concat().contains("unavailable"));
}

fn presences(client: &mut Client) -> Vec<String> {
    let heard = client.received_xml();
    heard
        .into_iter()
        .filter(|it| it.starts_with("<presence"))
        .collect()
}
