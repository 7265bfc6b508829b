use super::{ROOM, admin, cave, configure, enter, say, told};
use crate::extensions::testing::{Client, House};

const NONE: [&str; 0] = [];

fn register(inside: &str) -> String {
    format!(
        "<iq type='set' id='r' to='{ROOM}'><query xmlns='jabber:iq:register'>{inside}</query></iq>"
    )
}

fn nickname(nick: &str) -> String {
    register(&format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='muc#register_roomnick'><value>{nick}</value></field></x>"
    ))
}

/// A message to the room with that inside `<x/>`.
fn notice(inside: &str) -> String {
    format!(
        "<message to='{ROOM}'><x xmlns='http://jabber.org/protocol/muc#user'>{inside}</x></message>"
    )
}

async fn two(house: &House) -> (Client, Client) {
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/house");
    romeo.send("<presence/>").await;
    nurse.send("<presence/>").await;
    enter(&mut romeo, "Romy").await;
    enter(&mut nurse, "Angelica").await;
    romeo.received();
    nurse.received();
    (romeo, nurse)
}

#[tokio::test]
async fn registering_is_no_way_around_the_password() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let fields = [
        ("roomconfig_passwordprotectedroom", "1"),
        ("roomconfig_roomsecret", "x"),
        ("roomconfig_persistentroom", "1"),
    ];
    configure(&mut juliet, &fields).await;
    let mut romeo = house.client("romeo/orchard");
    let query = format!("<iq type='set' id='q' to='{ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>");
    romeo.send(&nickname("Romy")).await;
    assert_eq!(told(&mut romeo), ["iq error not-allowed"]);
    romeo.send(&query).await;
    assert_eq!(told(&mut romeo), ["iq error forbidden"]);
    let x = "<x xmlns='http://jabber.org/protocol/muc'><password>x</password></x>";
    romeo
        .send(&format!("<presence to='{ROOM}/Romy'>{x}</presence>"))
        .await;
    romeo.received();
    // Who has given the password may.
    romeo.send(&nickname("Romy")).await;
    assert!(told(&mut romeo).contains(&"iq result".to_owned()));
}

#[tokio::test]
async fn registering_has_a_pace() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    romeo.received();
    let most = usize::try_from(house.router.services().config.rooms.stanzas_burst_max).unwrap();
    for _ in 0..most {
        romeo.send(&nickname("Romy")).await;
        romeo.send(&register("<remove/>")).await;
    }
    let refused = told(&mut romeo)
        .iter()
        .filter(|it| *it == "iq error resource-constraint")
        .count();
    assert!(refused >= most, "{refused}");
    assert!(juliet.received().len() <= most);
}

#[tokio::test]
async fn only_an_invitation_is_declined_and_only_once() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/house");
    romeo.send("<presence/>").await;
    let decline = notice("<decline to='juliet@localhost'><reason>no</reason></decline>");
    romeo.send(&decline).await;
    assert_eq!(told(&mut juliet), NONE);
    juliet.send(&notice("<invite to='romeo@localhost'/>")).await;
    nurse.send(&decline).await;
    assert_eq!(told(&mut juliet), NONE);
    romeo.send(&decline).await;
    romeo.send(&decline).await;
    assert_eq!(told(&mut juliet), ["message reason:no"]);
    juliet.send(&notice("<invite to='romeo@localhost'/>")).await;
    let outcast = "<item affiliation='outcast' jid='romeo@localhost'/>";
    admin(&mut juliet, "set", outcast).await;
    juliet.received();
    romeo.received();
    romeo.send(&decline).await;
    assert_eq!(told(&mut romeo), ["message error forbidden"]);
    assert_eq!(told(&mut juliet), NONE);
    let most = house.router.services().config.rooms.stanzas_burst_max;
    for _ in 0..=most {
        nurse.send(&decline).await;
    }
    assert!(told(&mut nurse).contains(&"message error resource-constraint".to_owned()));
}

#[tokio::test]
async fn one_bad_invitation_lets_nobody_in() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    configure(&mut juliet, &[("roomconfig_membersonly", "1")]).await;
    let outcast = "<item affiliation='outcast' jid='nurse@localhost'/>";
    admin(&mut juliet, "set", outcast).await;
    juliet.received();
    let both = "<invite to='romeo@localhost'/><invite to='nurse@localhost'/>";
    juliet.send(&notice(both)).await;
    assert_eq!(told(&mut juliet), ["message error not-allowed"]);
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    assert_eq!(
        told(&mut romeo),
        ["presence error /Romy registration-required"]
    );
}

#[tokio::test]
async fn who_may_not_enter_learns_neither_subject_nor_number() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    juliet
        .send(&format!(
            "<message to='{ROOM}' type='groupchat'><subject>Plans</subject></message>"
        ))
        .await;
    let ask = format!(
        "<iq type='get' id='d' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    );
    for (field, value, shown) in [
        ("roomconfig_membersonly", "0", true),
        ("roomconfig_membersonly", "1", false),
        ("roomconfig_roomsecret", "x", false),
    ] {
        let protected = if field.ends_with("secret") { "1" } else { "0" };
        let fields = [
            (field, value),
            ("roomconfig_passwordprotectedroom", protected),
        ];
        configure(&mut juliet, &fields).await;
        for (client, shown) in [(&mut romeo, shown), (&mut juliet, true)] {
            client.received();
            client.send(&ask).await;
            let info = client.received_xml().concat();
            for secret in ["Plans", "muc#roominfo_occupants"] {
                assert_eq!(info.contains(secret), shown, "{field} {info}");
            }
        }
    }
}

#[tokio::test]
async fn an_occupant_who_is_blocked_is_neither_heard_nor_seen() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let (mut romeo, mut nurse) = two(&house).await;
    romeo
        .send(&format!(
            "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{ROOM}/Jule'/></block></iq>"
        ))
        .await;
    romeo.received();
    nurse.received();
    say(&mut juliet, "one").await;
    juliet
        .send(&format!(
            "<presence to='{ROOM}/Jule'><show>away</show></presence>"
        ))
        .await;
    juliet
        .send(&format!(
            "<iq type='get' id='v' to='{ROOM}/Romy'><query xmlns='jabber:iq:version'/></iq>"
        ))
        .await;
    say(&mut nurse, "two").await;
    assert_eq!(told(&mut romeo), ["message groupchat /Angelica body:two"]);
    assert_eq!(told(&mut nurse).len(), 3);
    assert!(told(&mut juliet).contains(&"iq error /Romy service-unavailable".to_owned()));
}

#[tokio::test]
async fn who_waits_for_an_answer_learns_that_none_will_come() {
    let (house, _juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let (mut romeo, mut nurse) = two(&house).await;
    romeo.received();
    romeo
        .send(&format!(
            "<message to='{ROOM}/Angelica' type='chat' id='p'><body>psst</body></message>"
        ))
        .await;
    let error = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    nurse
        .send(&format!(
            "<message to='{ROOM}/Romy' type='error' id='p'><body>x</body>{error}</message>"
        ))
        .await;
    assert_eq!(
        told(&mut romeo),
        ["message error /Angelica service-unavailable"]
    );
    romeo
        .send(&format!(
            "<iq type='get' id='v' to='{ROOM}/Angelica'><query xmlns='jabber:iq:version'/></iq>"
        ))
        .await;
    nurse.disconnect().await;
    let heard = told(&mut romeo);
    assert!(
        heard.contains(&"iq error /Angelica recipient-unavailable".to_owned()),
        "{heard:?}"
    );
}
