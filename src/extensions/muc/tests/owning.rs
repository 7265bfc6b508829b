use super::lasting::restart;
use super::{ROOM, admin, cave, configure, enter, say, told};
use crate::extensions::muc::model::history::Wanted;
use crate::proto::{BareJid, Resource};

const OWNER: &str = "http://jabber.org/protocol/muc#owner";

#[tokio::test]
async fn only_owners_configure_and_destroy() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    for inside in ["", "<destroy/>", "<x xmlns='jabber:x:data' type='submit'/>"] {
        let kind = if inside.is_empty() { "get" } else { "set" };
        romeo
            .send(&format!(
                "<iq type='{kind}' id='o' to='{ROOM}'><query xmlns='{OWNER}'>{inside}</query></iq>"
            ))
            .await;
        assert_eq!(told(&mut romeo), ["iq error forbidden"], "{inside}");
    }
    juliet.received();
    configure(&mut juliet, &[("roomconfig_maxusers", "many")]).await;
    assert_eq!(told(&mut juliet), ["iq error bad-request"]);
    juliet
        .send(&format!(
            "<iq type='set' id='o' to='{ROOM}'><query xmlns='{OWNER}'/></iq>"
        ))
        .await;
    assert_eq!(told(&mut juliet), ["iq error bad-request"]);
}

#[tokio::test]
async fn changes_of_the_configuration_are_told_with_their_codes() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    for (var, value, codes) in [
        ("roomconfig_roomname", "Cave", "104"),
        ("roomconfig_enablelogging", "0", "171"),
        ("roomconfig_enablelogging", "1", "170"),
    ] {
        configure(&mut juliet, &[(var, value)]).await;
        assert_eq!(
            told(&mut romeo),
            [format!("message groupchat {codes}")],
            "{var} {value}"
        );
        configure(&mut juliet, &[(var, value)]).await;
        assert_eq!(told(&mut romeo), [""; 0]);
    }
}

#[tokio::test]
async fn when_a_room_becomes_nonanonymous_those_who_saw_nicknames_see_addresses() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    juliet.received();
    configure(&mut juliet, &[("roomconfig_whois", "anyone")]).await;
    assert_eq!(
        told(&mut romeo),
        [
            "message groupchat 172",
            "presence /Jule owner/moderator juliet@localhost/balcony",
        ]
    );
    // A moderator has seen them all the time.
    assert_eq!(told(&mut juliet), ["iq result", "message groupchat 172"]);
    configure(&mut juliet, &[("roomconfig_whois", "moderators")]).await;
    assert_eq!(told(&mut romeo), ["message groupchat 173"]);
    juliet
        .send(&format!(
            "<presence to='{ROOM}/Jule'><show>away</show></presence>"
        ))
        .await;
    assert_eq!(told(&mut romeo), ["presence /Jule owner/moderator"]);
}

#[tokio::test]
async fn everybody_sees_addresses_where_the_room_is_nonanonymous() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    configure(&mut juliet, &[("roomconfig_whois", "anyone")]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    assert_eq!(
        told(&mut romeo),
        [
            "presence /Jule owner/moderator juliet@localhost/balcony",
            "presence /Romy none/participant romeo@localhost/orchard 100 110 170",
            "message groupchat subject",
        ]
    );
}

#[tokio::test]
async fn a_destroyed_room_says_where_to_go() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    let destroy = "<destroy jid='heath@rooms.localhost'><reason>rain</reason></destroy>";
    juliet
        .send(&format!(
            "<iq type='set' id='o' to='{ROOM}'><query xmlns='{OWNER}'>{destroy}</query></iq>"
        ))
        .await;
    let xml = romeo.received_xml().concat();
    assert!(
        xml.contains("<destroy jid='heath@rooms.localhost'><reason>rain</reason></destroy>"),
        "{xml}"
    );
    assert!(xml.contains("type='unavailable'"));
    say(&mut romeo, "x").await;
    assert_eq!(told(&mut romeo), ["message error item-not-found"]);
}

#[tokio::test]
async fn a_persistent_room_is_the_same_after_a_restart() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let fields = [
        ("roomconfig_persistentroom", "1"),
        ("roomconfig_roomname", "A Dark Cave"),
        ("roomconfig_changesubject", "1"),
    ];
    configure(&mut juliet, &fields).await;
    admin(
        &mut juliet,
        "set",
        "<item affiliation='member' jid='romeo@localhost' nick='Romy'/>",
    )
    .await;
    juliet
        .send(&format!(
            "<message to='{ROOM}' type='groupchat'><subject>Love</subject></message>"
        ))
        .await;
    say(&mut juliet, "remember me").await;
    let services = house.router.services();
    let first = restart(&house).await;
    let second = restart(&house).await;
    let (room, again) = (first.lock(), second.lock());
    assert_eq!(room.config.name.as_deref(), Some("A Dark Cave"));
    assert!(room.config.change_subject && room.config.persistent);
    assert_eq!(room.config, again.config);
    let associates: Vec<String> = room
        .associates
        .iter()
        .map(|(jid, it)| {
            format!(
                "{jid} {} {:?}",
                it.affiliation.name(),
                it.nick.as_ref().map(Resource::as_str)
            )
        })
        .collect();
    assert_eq!(
        associates,
        [
            "juliet@localhost owner None",
            "romeo@localhost member Some(\"Romy\")"
        ]
    );
    let subject = room.subject.as_ref().unwrap();
    assert_eq!(
        subject
            .stanza
            .find("jabber:client", "subject")
            .unwrap()
            .text(),
        "Love"
    );
    assert_eq!(
        subject.stanza.from.as_ref().unwrap().to_string(),
        format!("{ROOM}/Jule")
    );
    assert_eq!(subject.at, services.clock.now());
    let said: Vec<_> = room
        .history
        .wanted(&Wanted::default(), services.clock.now(), 20)
        .collect();
    let [said] = &*said else { panic!("{said:?}") };
    assert_eq!(
        said.stanza.find("jabber:client", "body").unwrap().text(),
        "remember me"
    );
    assert!(said.stanza.has("urn:xmpp:sid:0", "stanza-id"));
    assert!(!said.author.is_empty());
}

#[tokio::test]
async fn the_vcard_of_a_room_is_its_owners_to_set() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    let card = "<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>YWJj</BINVAL></PHOTO></vCard>";
    let set = format!("<iq type='set' id='v' to='{ROOM}'>{card}</iq>");
    romeo.send(&set).await;
    assert_eq!(told(&mut romeo), ["iq error forbidden"]);
    juliet.send(&set).await;
    let seen = romeo.received_xml().concat();
    // SHA-1 of "abc" (FIPS 180-4).
    let hash = "a9993e364706816aba3e25717850c26c9cd0d89d";
    assert!(
        seen.contains(&format!(
            "<presence from='{ROOM}' to='romeo@localhost/orchard'>"
        )),
        "{seen}"
    );
    assert!(seen.contains(&format!("<photo>{hash}</photo>")), "{seen}");
    romeo
        .send(&format!(
            "<iq type='get' id='v' to='{ROOM}'><vCard xmlns='vcard-temp'/></iq>"
        ))
        .await;
    assert!(romeo.received_xml().concat().contains(card));
    romeo.send(&format!("<iq type='get' id='d' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")).await;
    assert!(romeo.received_xml().concat().contains(hash));
}

#[tokio::test]
async fn what_was_said_goes_with_the_room() {
    let (house, mut juliet) = cave(&["juliet"]).await;
    configure(&mut juliet, &[("roomconfig_persistentroom", "1")]).await;
    say(&mut juliet, "secret").await;
    let services = house.router.services();
    let room = BareJid::new(ROOM).unwrap();
    let archive = services.store.archive();
    archive.settle().await.unwrap();
    assert!(Box::pin(archive.ends(&room)).await.unwrap().is_some());
    configure(&mut juliet, &[("roomconfig_persistentroom", "0")]).await;
    let kept = services.store.rooms().page("").await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
    assert!(Box::pin(archive.ends(&room)).await.unwrap().is_some());
    juliet.disconnect().await;
    assert!(Box::pin(archive.ends(&room)).await.unwrap().is_none());
}
