use super::{ROOM, admin, cave, configure, enter, say, told};

#[tokio::test]
async fn what_is_said_reaches_everybody_in_one_order() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/house");
    enter(&mut romeo, "Romy").await;
    enter(&mut nurse, "Angelica").await;
    for client in [&mut juliet, &mut romeo, &mut nurse] {
        client.received();
    }
    say(&mut romeo, "one").await;
    say(&mut nurse, "two").await;
    let expected = [
        "message groupchat /Romy body:one",
        "message groupchat /Angelica body:two",
    ];
    for client in [&mut juliet, &mut romeo, &mut nurse] {
        assert_eq!(told(client), expected);
    }
}

#[tokio::test]
async fn a_message_has_the_ids_of_room_and_occupant_and_no_forged_ones() {
    let (_house, mut juliet) = cave(&["juliet"]).await;
    let forged = format!(
        "<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='forged'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='CAVE@Rooms.localhost' id='forged'/>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}/Jule' id='forged'/>\
         <delay xmlns='urn:xmpp:delay' from='Cave@ROOMS.localhost' stamp='2000-01-01T00:00:00Z'/>\
         <occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/>\
         <delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='2000-01-01T00:00:00Z'/>"
    );
    juliet
        .send(&format!(
            "<message to='{ROOM}' type='groupchat' id='m1'><body>x</body>{forged}</message>"
        ))
        .await;
    let xml = juliet.received_xml().concat();
    assert!(!xml.contains("forged") && !xml.contains("<delay"), "{xml}");
    assert!(
        xml.contains(" id='m1'") && xml.contains(&format!("by='{ROOM}'")),
        "{xml}"
    );
    assert_eq!(xml.matches("<occupant-id ").count(), 1);
    juliet
        .send(&format!("<message to='{ROOM}' type='groupchat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"))
        .await;
    assert!(!juliet.received_xml().concat().contains("stanza-id"));
}

#[tokio::test]
async fn who_may_not_speak_is_refused() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    say(&mut romeo, "x").await;
    assert_eq!(told(&mut romeo), ["message error not-acceptable"]);
    configure(&mut juliet, &[("roomconfig_moderatedroom", "1")]).await;
    enter(&mut romeo, "Romy").await;
    assert!(told(&mut romeo)[1].contains("none/visitor"));
    say(&mut romeo, "x").await;
    assert_eq!(told(&mut romeo), ["message error forbidden"]);
    admin(&mut juliet, "set", "<item nick='Romy' role='participant'/>").await;
    juliet.received();
    assert_eq!(told(&mut romeo), ["presence /Romy none/participant 110"]);
    say(&mut romeo, "x").await;
    assert_eq!(told(&mut juliet), ["message groupchat /Romy body:x"]);
    let subject = format!("<message to='{ROOM}' type='groupchat'><subject>y</subject></message>");
    romeo.received();
    romeo.send(&subject).await;
    assert_eq!(
        told(&mut romeo),
        ["message error subject:y forbidden"].map(|_| "message error forbidden")
    );
}

#[tokio::test]
async fn a_flood_is_refused_and_so_is_what_is_too_large() {
    let (_house, mut juliet) = cave(&["juliet"]).await;
    let large = "x".repeat(70_000);
    say(&mut juliet, &large).await;
    assert_eq!(told(&mut juliet), ["message error not-acceptable"]);
    let subject = "y".repeat(5_000);
    juliet
        .send(&format!(
            "<message to='{ROOM}' type='groupchat'><subject>{subject}</subject></message>"
        ))
        .await;
    assert_eq!(told(&mut juliet), ["message error not-acceptable"]);
    for _ in 0..60 {
        say(&mut juliet, "x").await;
    }
    let told = told(&mut juliet);
    let refused = told
        .iter()
        .filter(|it| *it == "message error resource-constraint")
        .count();
    assert!((10..=12).contains(&refused), "{refused}");
}

#[tokio::test]
async fn private_messages_go_to_one_occupant_with_the_mark_of_the_room() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/house");
    enter(&mut romeo, "Romy").await;
    enter(&mut nurse, "Angelica").await;
    for client in [&mut juliet, &mut romeo, &mut nurse] {
        client.received();
    }
    let whisper = |to: &str, kind: &str| {
        format!("<message to='{ROOM}/{to}' type='{kind}' id='p'><body>psst</body></message>")
    };
    romeo.send(&whisper("Angelica", "chat")).await;
    let xml = nurse.received_xml().concat();
    assert!(
        xml.contains(&format!(
            "from='{ROOM}/Romy' to='nurse@localhost/house' type='chat' id='p'"
        )),
        "{xml}"
    );
    assert!(
        xml.contains("<x xmlns='http://jabber.org/protocol/muc#user'/>"),
        "{xml}"
    );
    assert!(!xml.contains("romeo@localhost"), "{xml}");
    assert_eq!(told(&mut juliet), [""; 0]);
    for (to, kind, condition) in [
        ("Angelica", "groupchat", "bad-request"),
        ("Nobody", "chat", "item-not-found"),
    ] {
        romeo.send(&whisper(to, kind)).await;
        assert_eq!(
            told(&mut romeo),
            [format!("message error /{to} {condition}")]
        );
    }
    configure(&mut juliet, &[("roomconfig_allowpm", "moderators")]).await;
    romeo.received();
    romeo.send(&whisper("Angelica", "chat")).await;
    assert_eq!(told(&mut romeo), ["message error /Angelica forbidden"]);
    romeo.send(&whisper("Jule", "chat")).await;
    assert!(told(&mut juliet).contains(&"message chat /Romy body:psst".to_owned()));
}

#[tokio::test]
async fn what_is_taken_back_is_not_told_to_those_who_come_later() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    configure(&mut juliet, &[("roomconfig_persistentroom", "1")]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    say(&mut romeo, "regret").await;
    let xml = romeo.received_xml().concat();
    let rest = xml.split_once("<stanza-id ").unwrap().1;
    let id = rest
        .split_once(" id='")
        .unwrap()
        .1
        .split_once('\'')
        .unwrap()
        .0
        .to_owned();
    let retract = format!(
        "<message to='{ROOM}' type='groupchat' id='r'><retract xmlns='urn:xmpp:message-retract:1' id='{id}'/></message>"
    );
    let mut nurse = house.client("nurse/house");
    enter(&mut nurse, "Angelica").await;
    nurse.received();
    nurse.send(&retract).await;
    assert_eq!(told(&mut nurse), ["message error forbidden"]);
    romeo.send(&retract).await;
    nurse.disconnect().await;
    let mut nurse = house.client("nurse/house");
    enter(&mut nurse, "Angelica").await;
    assert!(!nurse.received_xml().concat().contains("regret"));
    let archive = house.router.services().store.archive();
    archive.settle().await.unwrap();
    let room = crate::proto::BareJid::new(ROOM).unwrap();
    let found = archive
        .find(&room, id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let kept = String::from_utf8(found.stanza.to_vec()).unwrap();
    assert!(
        kept.contains("<retracted ") && !kept.contains("regret"),
        "{kept}"
    );
}

#[tokio::test]
async fn a_moderator_takes_back_what_another_said() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    say(&mut romeo, "spam").await;
    let xml = juliet.received_xml().concat();
    let rest = xml.split_once("<stanza-id ").unwrap().1;
    let id = rest
        .split_once(" id='")
        .unwrap()
        .1
        .split_once('\'')
        .unwrap()
        .0
        .to_owned();
    let moderate = |id: &str| {
        format!(
            "<iq type='set' id='q' to='{ROOM}'><moderate xmlns='urn:xmpp:message-moderate:1' id='{id}'>\
             <retract xmlns='urn:xmpp:message-retract:1'/><reason>no</reason></moderate></iq>"
        )
    };
    romeo.received();
    romeo.send(&moderate(&id)).await;
    assert_eq!(told(&mut romeo), ["iq error forbidden"]);
    juliet.send(&moderate("unknown")).await;
    assert_eq!(told(&mut juliet), ["iq error item-not-found"]);
    juliet.send(&moderate(&id)).await;
    let seen = romeo.received_xml().concat();
    assert!(
        seen.contains(&format!(
            "<retract xmlns='urn:xmpp:message-retract:1' id='{id}'>"
        )),
        "{seen}"
    );
    assert!(
        seen.contains("<moderated ") && seen.contains(&format!("by='{ROOM}/Jule'")),
        "{seen}"
    );
    assert!(seen.contains("<reason>no</reason>"), "{seen}");
    romeo.disconnect().await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    assert!(!romeo.received_xml().concat().contains("spam"));
}

#[tokio::test]
async fn voice_is_asked_for_and_granted_by_form() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    configure(&mut juliet, &[("roomconfig_moderatedroom", "1")]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    romeo.received();
    let form = |fields: &str| {
        format!(
            "<message to='{ROOM}'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>\
             <value>http://jabber.org/protocol/muc#request</value></field>\
             <field var='muc#role'><value>participant</value></field>{fields}</x></message>"
        )
    };
    let allow = "<field var='muc#roomnick'><value>Romy</value></field><field var='muc#request_allow'><value>true</value></field>";
    romeo.send(&form(allow)).await;
    let asked = juliet.received_xml().concat();
    assert!(
        asked.contains("romeo@localhost/orchard") && asked.contains("muc#request_allow"),
        "{asked}"
    );
    romeo.send(&form("")).await;
    assert_eq!(told(&mut romeo), ["message error resource-constraint"]);
    juliet.send(&form(allow)).await;
    assert_eq!(told(&mut romeo), ["presence /Romy none/participant 110"]);
    romeo.send(&form("")).await;
    assert_eq!(told(&mut romeo), ["message error not-allowed"]);
}

#[tokio::test]
async fn invitations_go_through_the_room_and_let_members_in() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/house");
    nurse.send("<presence/>").await;
    nurse.received();
    enter(&mut romeo, "Romy").await;
    juliet.received();
    configure(&mut juliet, &[("roomconfig_allowinvites", "0")]).await;
    let invite = |to: &str| {
        let invite = format!("<invite to='{to}'><reason>come</reason></invite>");
        format!(
            "<message to='{ROOM}' id='i'><x xmlns='http://jabber.org/protocol/muc#user'>{invite}</x></message>"
        )
    };
    romeo.send(&invite("nurse@localhost")).await;
    assert_eq!(told(&mut nurse), ["message reason:come"]);
    let decline = format!(
        "<message to='{ROOM}'><x xmlns='http://jabber.org/protocol/muc#user'><decline to='{ROOM}/Romy'><reason>busy</reason></decline></x></message>"
    );
    romeo.received();
    nurse.send(&decline).await;
    assert_eq!(told(&mut romeo), ["message reason:busy"]);
    romeo.send(&invite("@")).await;
    assert_eq!(
        told(&mut romeo),
        ["message error reason:come jid-malformed"].map(|_| "message error jid-malformed")
    );
    juliet.received();
    admin(
        &mut juliet,
        "set",
        "<item affiliation='member' jid='romeo@localhost'/>",
    )
    .await;
    configure(
        &mut juliet,
        &[
            ("roomconfig_membersonly", "1"),
            ("roomconfig_roomsecret", "x"),
        ],
    )
    .await;
    romeo.received();
    romeo.send(&invite("nurse@localhost")).await;
    assert_eq!(told(&mut romeo), ["message error forbidden"]);
    juliet.received();
    juliet.send(&invite("nurse@localhost")).await;
    assert_eq!(told(&mut nurse), ["message reason:come"]);
    enter(&mut nurse, "Angelica").await;
    assert!(
        told(&mut nurse)
            .iter()
            .any(|it| it.contains("/Angelica member/participant"))
    );
}

#[tokio::test]
async fn direct_invitations_name_a_room() {
    let (house, _juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/house");
    nurse.send("<presence/>").await;
    nurse.received();
    for (jid, expected) in [
        (ROOM, ""),
        ("@", "bad-request"),
        ("rooms.localhost", "bad-request"),
    ] {
        romeo
            .send(&format!("<message to='nurse@localhost'><x xmlns='jabber:x:conference' jid='{jid}'/></message>"))
            .await;
        let refused = told(&mut romeo).concat();
        assert!(refused.ends_with(expected), "{jid} {refused}");
        assert_eq!(
            nurse.received().len(),
            usize::from(expected.is_empty()),
            "{jid}"
        );
    }
}
