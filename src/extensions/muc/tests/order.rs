use super::{ROOM, cave, enter, say, told};

#[tokio::test]
async fn who_enters_again_hears_first_what_was_said_before() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    say(&mut juliet, "one").await;
    enter(&mut romeo, "Romy").await;
    say(&mut juliet, "two").await;
    let heard = told(&mut romeo);
    assert_eq!(heard[0], "message groupchat /Jule body:one");
    assert_eq!(heard.last().unwrap(), "message groupchat /Jule body:two");
    assert!(
        heard.contains(&"message groupchat /Jule body:one delayed".to_owned()),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_successor_on_the_same_address_stays_when_the_old_session_ends() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    for how in ["says", "asks"] {
        let mut old = house.client("romeo/orchard");
        enter(&mut old, "Romy").await;
        let mut new = house.client("romeo/orchard");
        juliet.received();
        match how {
            "says" => say(&mut new, "still here").await,
            _ => {
                new.send(&format!(
                    "<iq type='get' id='p' to='{ROOM}/Romy'><ping xmlns='urn:xmpp:ping'/></iq>"
                ))
                .await;
            }
        }
        new.received();
        juliet.received();
        old.disconnect().await;
        assert_eq!(told(&mut juliet), [""; 0], "{how}");
        say(&mut juliet, "hello").await;
        assert_eq!(told(&mut new), ["message groupchat /Jule body:hello"]);
        new.disconnect().await;
    }
}

#[tokio::test]
async fn a_private_message_to_two_sessions_is_archived_once() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut one = house.client("romeo/orchard");
    let mut two = house.client("romeo/garden");
    for client in [&mut one, &mut two] {
        client.send("<presence/>").await;
        enter(client, "Romy").await;
    }
    one.received();
    two.received();
    juliet
        .send(&format!(
            "<message to='{ROOM}/Romy' type='chat' id='p'><body>psst</body></message>"
        ))
        .await;
    let id = |xml: String| {
        assert_eq!(xml.matches("<body>psst</body>").count(), 1, "{xml}");
        let (_, rest) = xml.split_once("<stanza-id ").unwrap();
        rest.split_once('>').unwrap().0.to_owned()
    };
    let ids = [&mut one, &mut two].map(|client| id(client.received_xml().concat()));
    assert_eq!(ids[0], ids[1]);
    one.send("<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>")
        .await;
    let archive = one.received_xml().concat();
    assert_eq!(archive.matches("<result ").count(), 1, "{archive}");
}
