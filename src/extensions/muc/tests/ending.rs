use super::{ROOM, cave, configure, enter, say, told};

#[tokio::test]
async fn every_end_of_a_session_is_the_end_of_its_visit() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    for (how, expected) in [
        (
            "room",
            "presence unavailable /Romy none/none romeo@localhost/orchard",
        ),
        (
            "all",
            "presence unavailable /Romy none/none romeo@localhost/orchard",
        ),
        (
            "lost",
            "presence unavailable /Romy none/none romeo@localhost/orchard 333",
        ),
        (
            "bounce",
            "presence unavailable /Romy none/none romeo@localhost/orchard 333",
        ),
    ] {
        let mut romeo = house.client("romeo/orchard");
        romeo.send("<presence/>").await;
        enter(&mut romeo, "Romy").await;
        juliet.received();
        match how {
            "room" => {
                romeo
                    .send(&format!("<presence to='{ROOM}/Romy' type='unavailable'/>"))
                    .await
            }
            "all" => romeo.send("<presence type='unavailable'/>").await,
            "bounce" => {
                let error = "<error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
                romeo
                    .send(&format!(
                        "<message to='{ROOM}' type='error'>{error}</message>"
                    ))
                    .await;
            }
            _ => {
                romeo.disconnect().await;
                assert_eq!(told(&mut juliet), [expected], "{how}");
                continue;
            }
        }
        assert_eq!(told(&mut juliet), [expected], "{how}");
        romeo.disconnect().await;
        assert_eq!(told(&mut juliet), [""; 0], "{how}");
    }
}

#[tokio::test]
async fn who_comes_back_on_the_same_address_is_not_put_out_by_the_end_of_the_old_session() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut old = house.client("romeo/orchard");
    enter(&mut old, "Romy").await;
    let mut new = house.client("romeo/orchard");
    enter(&mut new, "Romy").await;
    juliet.received();
    old.disconnect().await;
    assert_eq!(told(&mut juliet), [""; 0]);
    new.received();
    say(&mut juliet, "still there?").await;
    assert_eq!(
        told(&mut new),
        ["message groupchat /Jule body:still there?"]
    );
}

#[tokio::test]
async fn parting_words_are_passed_on() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    romeo
        .send(&format!(
            "<presence to='{ROOM}/Romy' type='unavailable'><status>gone</status></presence>"
        ))
        .await;
    assert!(
        juliet
            .received_xml()
            .concat()
            .contains("<status>gone</status>")
    );
}

#[tokio::test]
async fn a_temporary_room_is_gone_with_its_last_occupant_and_a_persistent_one_stays() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let leave = format!("<presence to='{ROOM}/Jule' type='unavailable'/>");
    let info = format!(
        "<iq type='get' id='d' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    );
    juliet.send(&leave).await;
    juliet.received();
    juliet.send(&info).await;
    assert_eq!(told(&mut juliet), ["iq error item-not-found"]);
    enter(&mut juliet, "Jule").await;
    configure(&mut juliet, &[("roomconfig_persistentroom", "1")]).await;
    juliet.send(&leave).await;
    juliet.received();
    juliet.send(&info).await;
    assert!(juliet.received_xml().concat().contains("muc_persistent"));
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    assert!(told(&mut romeo)[0].contains("none/participant"));
}
