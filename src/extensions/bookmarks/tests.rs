use super::*;
use crate::extensions::testing::{Client, House};
use crate::store::Put;

async fn pubsub(client: &mut Client, kind: &str, inside: &str) -> String {
    client
        .send(&format!(
            "<iq type='{kind}' id='q'><pubsub xmlns='http://jabber.org/protocol/pubsub'>{inside}</pubsub></iq>"
        ))
        .await;
    client.received_xml().concat()
}

async fn publish(client: &mut Client, node: &str, id: &str, payload: &str) {
    let item = format!("<publish node='{node}'><item id='{id}'>{payload}</item></publish>");
    let told = pubsub(client, "set", &item).await;
    assert!(told.contains("type='result'"), "{told}");
}

async fn items(client: &mut Client, node: &str) -> String {
    pubsub(client, "get", &format!("<items node='{node}'/>")).await
}

async fn private(client: &mut Client) -> String {
    client
        .send("<iq type='get' id='p'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query></iq>")
        .await;
    client.received_xml().concat()
}

async fn set_private(client: &mut Client, inside: &str) {
    client
        .send(&format!(
            "<iq type='set' id='p'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>{inside}</storage></query></iq>"
        ))
        .await;
    assert!(client.received_xml().concat().contains("type='result'"));
}

const PLAY: &str = "<conference xmlns='urn:xmpp:bookmarks:1' name='The Play' autojoin='1'><nick>JC</nick><extensions><state xmlns='urn:example'/></extensions></conference>";
const OLD_PLAY: &str = "<conference name='The Play' autojoin='true' jid='play@rooms.localhost'><nick>JC</nick></conference>";

#[tokio::test]
async fn native_bookmarks_are_where_older_clients_look() {
    let house = House::new(&["juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    set_private(
        &mut juliet,
        "<url name='Works' url='https://example.org/'/>",
    )
    .await;
    publish(&mut juliet, NATIVE, "play@rooms.localhost", PLAY).await;
    for told in [private(&mut juliet).await, items(&mut juliet, LEGACY).await] {
        assert!(told.contains(OLD_PLAY) && told.contains("<url "), "{told}");
    }
    let retract = format!("<retract node='{NATIVE}'><item id='play@rooms.localhost'/></retract>");
    pubsub(&mut juliet, "set", &retract).await;
    for told in [private(&mut juliet).await, items(&mut juliet, LEGACY).await] {
        assert!(
            !told.contains("conference") && told.contains("<url "),
            "{told}"
        );
    }
}

#[tokio::test]
async fn what_older_clients_write_is_native() {
    let house = House::new(&["juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    publish(&mut juliet, NATIVE, "play@rooms.localhost", PLAY).await;
    publish(
        &mut juliet,
        NATIVE,
        "gone@rooms.localhost",
        "<conference xmlns='urn:xmpp:bookmarks:1'/>",
    )
    .await;
    let renamed = OLD_PLAY.replace("The Play", "Hamlet");
    let more = "<conference jid='orchard@rooms.localhost'/><conference jid='@'/><conference/>";
    set_private(&mut juliet, &format!("{renamed}{more}")).await;
    let told = items(&mut juliet, NATIVE).await;
    assert_eq!(told.matches("<item ").count(), 2, "{told}");
    assert!(told.contains("id='orchard@rooms.localhost'"), "{told}");
    // What the older format does not know has stayed.
    assert!(
        told.contains("name='Hamlet'") && told.contains("<state xmlns='urn:example'/>"),
        "{told}"
    );
    assert!(items(&mut juliet, LEGACY).await.contains("Hamlet"));

    let storage = format!("<storage xmlns='storage:bookmarks'>{OLD_PLAY}</storage>");
    publish(&mut juliet, LEGACY, "current", &storage).await;
    let told = items(&mut juliet, NATIVE).await;
    assert!(
        told.matches("<item ").count() == 1 && told.contains("The Play"),
        "{told}"
    );
    assert!(private(&mut juliet).await.contains("The Play"));
}

#[tokio::test]
async fn bookmarks_of_before_are_native_when_they_are_looked_for() {
    for first in ["read", "publish", "create"] {
        let house = House::new(&["juliet"]).await;
        let mut juliet = house.client("juliet/balcony");
        // As an older version or another server has left it: nothing was converted.
        let xml = format!("<storage xmlns='storage:bookmarks'>{OLD_PLAY}</storage>");
        let services = house.router.services();
        let owner = juliet.session.account().jid().clone();
        let stored = services.store.private_xml();
        let put = stored.put(&owner, LEGACY, "storage", xml.as_bytes(), 10_000);
        assert_eq!(Box::pin(put).await.unwrap(), Put::Stored);
        let mut rooms = 1;
        match first {
            "publish" => {
                let empty = "<conference xmlns='urn:xmpp:bookmarks:1'/>";
                publish(&mut juliet, NATIVE, "orchard@rooms.localhost", empty).await;
                rooms = 2;
            }
            "create" => {
                let create = format!("<create node='{NATIVE}'/>");
                assert!(
                    pubsub(&mut juliet, "set", &create)
                        .await
                        .contains("conflict")
                );
            }
            _ => {}
        }
        let told = items(&mut juliet, NATIVE).await;
        assert_eq!(told.matches("<item ").count(), rooms, "{first}: {told}");
        assert!(
            told.contains("name='The Play'") && told.contains("<nick>JC</nick>"),
            "{told}"
        );
        for older in [private(&mut juliet).await, items(&mut juliet, LEGACY).await] {
            assert_eq!(
                older.matches("<conference ").count(),
                rooms,
                "{first}: {older}"
            );
        }
        // Once it is there, it is the truth, even when it is empty.
        let purge = format!(
            "<iq type='set' id='q'><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><purge node='{NATIVE}'/></pubsub></iq>"
        );
        juliet.send(&purge).await;
        juliet.received();
        assert!(!items(&mut juliet, NATIVE).await.contains("conference"));
    }
}

#[tokio::test]
async fn nobody_is_told_of_a_bookmark_that_is_the_same() {
    let house = House::new(&["juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    juliet.send("<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='x'/></presence>").await;
    let received = juliet.received();
    let question = received
        .iter()
        .find(|it| it.has("http://jabber.org/protocol/disco#info", "query"))
        .unwrap();
    let id = question.id.clone().unwrap();
    juliet.send(&format!("<iq type='result' id='{id}' to='juliet@localhost'><query xmlns='http://jabber.org/protocol/disco#info'><feature var='{NATIVE}+notify'/></query></iq>")).await;
    set_private(&mut juliet, OLD_PLAY).await;
    publish(&mut juliet, NATIVE, "play@rooms.localhost", PLAY).await;
    juliet.received();
    let one_more = "<conference jid='orchard@rooms.localhost'/>";
    juliet.send(&format!("<iq type='set' id='p'><query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>{OLD_PLAY}{one_more}</storage></query></iq>")).await;
    let told: Vec<String> = juliet
        .received_xml()
        .into_iter()
        .filter(|it| it.contains("#event"))
        .collect();
    assert!(told.len() == 1 && told[0].contains("orchard@"), "{told:?}");
}

#[tokio::test]
async fn bookmarks_are_private_even_when_a_client_forgets_to_say_so() {
    let house = House::new(&["juliet", "romeo"]).await;
    let mut juliet = house.client("juliet/balcony");
    publish(&mut juliet, NATIVE, "play@rooms.localhost", PLAY).await;
    let mut romeo = house.client("romeo/orchard");
    for node in [NATIVE, LEGACY] {
        romeo
            .send(&format!("<iq type='get' id='q' to='juliet@localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='{node}'/></pubsub></iq>"))
            .await;
        assert_eq!(romeo.heard(), ["error q not-allowed"]);
    }
}

#[test]
fn more_rooms_than_anybody_is_in_are_not_converted() {
    let conference = |n: usize| format!("<conference jid='room{n}@rooms.localhost'/>");
    let storage = |count: usize| {
        let rooms: String = (0..count).map(conference).collect();
        let xml = format!("<storage xmlns='storage:bookmarks'>{rooms}{rooms}</storage>");
        crate::xml::document(xml.as_bytes(), &crate::xml::Limits::default()).unwrap()
    };
    assert_eq!(rooms(&storage(ROOMS_MAX)).unwrap().len(), ROOMS_MAX);
    let refused = rooms(&storage(ROOMS_MAX + 1)).unwrap_err();
    assert_eq!(refused.condition, Condition::PolicyViolation);
}
