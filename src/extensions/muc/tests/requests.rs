use super::{ROOM, cave, configure, enter, told};
use crate::extensions::testing::House;

fn get(to: &str, payload: &str) -> String {
    format!("<iq type='get' id='q' to='{to}'>{payload}</iq>")
}

const PING: &str = "<ping xmlns='urn:xmpp:ping'/>";
const INFO: &str = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
const ITEMS: &str = "<query xmlns='http://jabber.org/protocol/disco#items'/>";

#[tokio::test]
async fn a_ping_to_oneself_tells_whether_one_is_in_the_room() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    romeo.send(&get(&format!("{ROOM}/Romy"), PING)).await;
    assert_eq!(told(&mut romeo), ["iq error /Romy not-acceptable"]);
    romeo.send(&get("nowhere@rooms.localhost/Romy", PING)).await;
    assert!(told(&mut romeo)[0].ends_with("not-acceptable"));
    juliet.send(&get(&format!("{ROOM}/Jule"), PING)).await;
    assert_eq!(told(&mut juliet), ["iq result /Jule"]);
}

#[tokio::test]
async fn requests_are_passed_on_without_addresses_and_answered_once() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/house");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    romeo.received();
    let version = "<query xmlns='jabber:iq:version'/>";
    romeo.send(&get(&format!("{ROOM}/Jule"), version)).await;
    let asked = juliet.received();
    let [asked] = &*asked else {
        panic!("{asked:?}")
    };
    assert_eq!(
        asked.from.as_ref().unwrap().to_string(),
        format!("{ROOM}/Romy")
    );
    let id = asked.id.clone().unwrap();
    assert_ne!(id, "q");
    let answer = format!("<iq type='result' id='{id}' to='{ROOM}/Romy'>{version}</iq>");
    nurse.send(&answer).await;
    assert_eq!(romeo.received().len(), 0);
    juliet.send(&answer).await;
    juliet.send(&answer).await;
    let answers = romeo.received_xml();
    assert_eq!(answers.len(), 1);
    assert!(
        answers[0].contains(&format!("from='{ROOM}/Jule'")) && answers[0].contains("id='q'"),
        "{answers:?}"
    );
    for (to, payload, condition) in [("Nobody", version, "item-not-found"), ("Jule", INFO, "")] {
        romeo.send(&get(&format!("{ROOM}/{to}"), payload)).await;
        assert!(told(&mut romeo).concat().ends_with(condition));
    }
    nurse.send(&get(&format!("{ROOM}/Jule"), INFO)).await;
    assert_eq!(told(&mut nurse), ["iq error /Jule bad-request"]);
}

#[tokio::test]
async fn the_vcard_of_an_occupant_is_that_of_its_account() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let card = "<vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard>";
    juliet
        .send(&format!("<iq type='set' id='v'>{card}</iq>"))
        .await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    romeo
        .send(&get(&format!("{ROOM}/Jule"), "<vCard xmlns='vcard-temp'/>"))
        .await;
    let xml = romeo.received_xml().concat();
    assert!(
        xml.contains(card) && xml.contains(&format!("from='{ROOM}/Jule'")),
        "{xml}"
    );
}

#[tokio::test]
async fn the_service_lists_its_public_rooms_in_pages() {
    let house = House::new(&["juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    juliet.send(&get("localhost", ITEMS)).await;
    assert!(juliet.received_xml().concat().contains("rooms.localhost"));
    juliet.send(&get("rooms.localhost", INFO)).await;
    let info = juliet.received_xml().concat();
    assert!(info.contains("category='conference' type='text'"), "{info}");
    assert!(
        info.contains("var='http://jabber.org/protocol/muc'"),
        "{info}"
    );
    for name in ["a", "b", "c"] {
        let room = format!("{name}@rooms.localhost");
        juliet
            .send(&format!(
                "<presence to='{room}/J'><x xmlns='http://jabber.org/protocol/muc'/></presence>"
            ))
            .await;
        let public = u8::from(name != "b");
        let form = format!(
            "<x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_publicroom'><value>{public}</value></field></x>"
        );
        juliet.send(&format!("<iq type='set' id='c' to='{room}'><query xmlns='http://jabber.org/protocol/muc#owner'>{form}</query></iq>")).await;
    }
    juliet.received();
    juliet.send(&get("rooms.localhost", ITEMS)).await;
    let all = juliet.received_xml().concat();
    assert!(
        all.contains("jid='a@") && all.contains("jid='c@") && !all.contains("jid='b@"),
        "{all}"
    );
    let page = "<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set></query>";
    juliet.send(&get("rooms.localhost", page)).await;
    let one = juliet.received_xml().concat();
    assert!(one.contains("jid='a@") && !one.contains("jid='c@"), "{one}");
    assert!(one.contains("<count>2</count>"), "{one}");
    juliet
        .send(&get(
            "rooms.localhost",
            "<unique xmlns='http://jabber.org/protocol/muc#unique'/>",
        ))
        .await;
    assert!(juliet.received_xml().concat().contains("<unique "));
    juliet
        .send(&get("rooms.localhost", "<query xmlns='urn:example'/>"))
        .await;
    assert_eq!(
        told(&mut juliet),
        ["iq error rooms.localhost service-unavailable"]
    );
}

#[tokio::test]
async fn a_room_tells_what_it_is() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let fields = [
        ("roomconfig_roomname", "A Dark Cave"),
        ("roomconfig_membersonly", "1"),
        ("roomconfig_roomdesc", "for witches"),
    ];
    configure(&mut juliet, &fields).await;
    let mut romeo = house.client("romeo/orchard");
    romeo.send(&get(ROOM, INFO)).await;
    let info = romeo.received_xml().concat();
    for part in [
        "name='A Dark Cave'",
        "muc_membersonly",
        "muc_semianonymous",
        "muc_temporary",
        "urn:xmpp:occupant-id:0",
        "<value>for witches</value>",
    ] {
        assert!(info.contains(part), "{part} {info}");
    }
    romeo.send(&get(ROOM, ITEMS)).await;
    assert!(!romeo.received_xml().concat().contains("<item"));
    juliet.received();
    juliet.send(&get(ROOM, ITEMS)).await;
    assert!(
        juliet
            .received_xml()
            .concat()
            .contains(&format!("jid='{ROOM}/Jule'"))
    );
    romeo.send(&get("nowhere@rooms.localhost", INFO)).await;
    assert!(told(&mut romeo)[0].ends_with("item-not-found"));
}

#[tokio::test]
async fn the_archive_is_for_those_who_may_enter() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let query = format!("<iq type='set' id='q' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>");
    let stays = ("roomconfig_persistentroom", "1");
    configure(&mut juliet, &[stays]).await;
    super::say(&mut juliet, "for ever").await;
    juliet.received();
    let mut romeo = house.client("romeo/orchard");
    for (field, expected) in [("0", true), ("1", false)] {
        configure(&mut juliet, &[stays, ("roomconfig_membersonly", field)]).await;
        romeo.send(&query).await;
        let xml = romeo.received_xml().concat();
        assert_eq!(xml.contains("for ever"), expected, "{xml}");
        assert_eq!(xml.contains("<forbidden "), !expected, "{xml}");
    }
    juliet.received();
    juliet.send(&query).await;
    let xml = juliet.received_xml().concat();
    assert!(
        xml.contains(&format!("from='{ROOM}/Jule'")) && xml.contains("<occupant-id "),
        "{xml}"
    );
    assert!(
        !xml.contains("juliet@localhost/balcony' type='groupchat'"),
        "{xml}"
    );
}

#[tokio::test]
async fn the_archive_tells_who_it_was_to_those_who_may_know() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let stays = ("roomconfig_persistentroom", "1");
    configure(&mut juliet, &[stays]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    super::say(&mut juliet, "for ever").await;
    let query = format!("<iq type='set' id='q' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>");
    let item = "<item affiliation='owner' jid='juliet@localhost/balcony' role='moderator'/>";
    for (whois, everybody) in [
        ("moderators", false),
        ("anyone", true),
        ("moderators", false),
    ] {
        configure(&mut juliet, &[stays, ("roomconfig_whois", whois)]).await;
        for (client, knows) in [(&mut juliet, true), (&mut romeo, everybody)] {
            client.received();
            client.send(&query).await;
            let xml = client.received_xml().concat();
            assert!(xml.contains("for ever"), "{whois} {xml}");
            assert_eq!(xml.contains(item), knows, "{whois} {xml}");
            assert_eq!(xml.contains("juliet@localhost"), knows, "{whois} {xml}");
        }
    }
    // Nor does the history, which comes from the archive after a restart.
    let room = super::lasting::restart(&house).await;
    let history = format!("{:?}", room.lock().history);
    assert!(history.contains("for ever"), "{history}");
    assert!(!history.contains("juliet@localhost"), "{history}");
}
