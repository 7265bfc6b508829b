use super::{ROOM, admin, cave, configure, enter, told};

#[tokio::test]
async fn kicking_has_its_code_reason_and_actor() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    romeo.received();
    admin(&mut romeo, "set", "<item nick='Jule' role='none'/>").await;
    assert_eq!(told(&mut romeo), ["iq error forbidden"]);
    admin(&mut juliet, "set", "<item nick='Nobody' role='none'/>").await;
    assert_eq!(told(&mut juliet), ["iq error item-not-found"]);
    admin(
        &mut juliet,
        "set",
        "<item nick='Romy' role='none'><reason>out</reason></item>",
    )
    .await;
    let xml = romeo.received_xml().concat();
    assert!(
        xml.contains("<actor nick='Jule'/>") && xml.contains("<reason>out</reason>"),
        "{xml}"
    );
    assert!(
        xml.contains("<status code='110'/><status code='307'/>"),
        "{xml}"
    );
    assert_eq!(
        told(&mut juliet),
        [
            "iq result",
            "presence unavailable /Romy none/none romeo@localhost/orchard 307 reason:out",
        ]
    );
    enter(&mut romeo, "Romy").await;
    assert_eq!(told(&mut romeo).len(), 3);
}

#[tokio::test]
async fn banning_puts_out_and_keeps_out_until_it_is_lifted() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    admin(
        &mut juliet,
        "set",
        "<item affiliation='outcast' jid='romeo@localhost'><reason>no</reason></item>",
    )
    .await;
    assert_eq!(
        told(&mut romeo),
        ["presence unavailable /Romy outcast/none 110 301 reason:no"]
    );
    juliet.received();
    admin(&mut juliet, "get", "<item affiliation='outcast'/>").await;
    assert_eq!(
        told(&mut juliet),
        ["iq result outcast/ romeo@localhost reason:no"]
    );
    admin(
        &mut juliet,
        "set",
        "<item affiliation='outcast' jid='juliet@localhost'/>",
    )
    .await;
    assert_eq!(told(&mut juliet), ["iq error conflict"]);
    admin(
        &mut juliet,
        "set",
        "<item affiliation='none' jid='romeo@localhost'/>",
    )
    .await;
    enter(&mut romeo, "Romy").await;
    assert_eq!(told(&mut romeo).len(), 3);
}

#[tokio::test]
async fn what_is_wrong_with_one_item_changes_nothing() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    romeo.received();
    let good = "<item affiliation='member' jid='romeo@localhost'/>";
    for (items, condition) in [
        ("", "bad-request"),
        ("<item/>", "bad-request"),
        (
            "<item affiliation='member' role='visitor' nick='Romy'/>",
            "bad-request",
        ),
        ("<item affiliation='member'/>", "bad-request"),
        (
            "<item affiliation='lord' jid='romeo@localhost'/>",
            "bad-request",
        ),
        ("<item affiliation='member' jid='@'/>", "jid-malformed"),
        ("<item role='king' nick='Romy'/>", "bad-request"),
        ("<item role='visitor'/>", "bad-request"),
        (
            "<item affiliation='none' jid='juliet@localhost'/>",
            "conflict",
        ),
    ] {
        admin(
            &mut juliet,
            "set",
            &format!("{}{items}", if items.is_empty() { "" } else { good }),
        )
        .await;
        assert_eq!(
            told(&mut juliet),
            [format!("iq error {condition}")],
            "{items}"
        );
    }
    assert_eq!(told(&mut romeo), [""; 0]);
}

#[tokio::test]
async fn what_comes_with_an_affiliation_is_told_to_all() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    for (affiliation, expected) in [
        (
            "admin",
            "presence /Romy admin/moderator romeo@localhost/orchard 110",
        ),
        ("member", "presence /Romy member/participant 110"),
        (
            "owner",
            "presence /Romy owner/moderator romeo@localhost/orchard 110",
        ),
        ("none", "presence /Romy none/participant 110"),
    ] {
        admin(
            &mut juliet,
            "set",
            &format!("<item affiliation='{affiliation}' jid='romeo@localhost'/>"),
        )
        .await;
        assert_eq!(told(&mut romeo), [expected]);
    }
}

#[tokio::test]
async fn members_only_rooms_put_out_who_is_none() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/house");
    enter(&mut romeo, "Romy").await;
    enter(&mut nurse, "Angelica").await;
    admin(
        &mut juliet,
        "set",
        "<item affiliation='member' jid='romeo@localhost'/>",
    )
    .await;
    romeo.received();
    nurse.received();
    configure(&mut juliet, &[("roomconfig_membersonly", "1")]).await;
    assert_eq!(
        told(&mut nurse),
        [
            "message groupchat 104",
            "presence unavailable /Angelica none/none 110 322"
        ]
    );
    romeo.received();
    admin(
        &mut juliet,
        "set",
        "<item affiliation='none' jid='romeo@localhost'/>",
    )
    .await;
    assert_eq!(
        told(&mut romeo),
        ["presence unavailable /Romy none/none 110 321"]
    );
}

#[tokio::test]
async fn lists_are_for_those_who_may_see_them() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    romeo.received();
    for list in [
        "affiliation='member'",
        "affiliation='owner'",
        "affiliation='outcast'",
        "role='participant'",
        "role='moderator'",
    ] {
        admin(&mut romeo, "get", &format!("<item {list}/>")).await;
        assert_eq!(told(&mut romeo), ["iq error forbidden"], "{list}");
    }
    juliet.received();
    for (list, expected) in [
        ("affiliation='owner'", "iq result owner/ juliet@localhost"),
        ("affiliation='member'", "iq result"),
        (
            "role='participant'",
            "iq result none/participant romeo@localhost/orchard nick=Romy",
        ),
        (
            "role='moderator'",
            "iq result owner/moderator juliet@localhost/balcony nick=Jule",
        ),
        ("affiliation='none'", "iq error bad-request"),
    ] {
        admin(&mut juliet, "get", &format!("<item {list}/>")).await;
        assert_eq!(told(&mut juliet), [expected], "{list}");
    }
    configure(&mut juliet, &[("roomconfig_whois", "anyone")]).await;
    romeo.received();
    admin(&mut romeo, "get", "<item affiliation='owner'/>").await;
    assert_eq!(told(&mut romeo), ["iq result owner/ juliet@localhost"]);
}

#[tokio::test]
async fn a_nickname_is_reserved_by_registering() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut nurse = house.client("nurse/house");
    let register = |nick: &str| {
        format!(
            "<iq type='set' id='r' to='{ROOM}'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>\
             <field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#register</value></field>\
             <field var='muc#register_roomnick'><value>{nick}</value></field></x></query></iq>"
        )
    };
    let ask = format!("<iq type='get' id='r' to='{ROOM}'><query xmlns='jabber:iq:register'/></iq>");
    romeo.send(&ask).await;
    assert!(
        romeo
            .received_xml()
            .concat()
            .contains("muc#register_roomnick")
    );
    romeo.send(&register("Jule")).await;
    assert_eq!(told(&mut romeo), ["iq error conflict"]);
    romeo.send(&register("Romy")).await;
    assert_eq!(told(&mut romeo), ["iq result"]);
    romeo.send(&ask).await;
    assert!(
        romeo
            .received_xml()
            .concat()
            .contains("<registered/><username>Romy</username>")
    );
    let reserved = format!(
        "<iq type='get' id='r' to='{ROOM}'><query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/></iq>"
    );
    romeo.send(&reserved).await;
    assert!(romeo.received_xml().concat().contains("name='Romy'"));
    nurse.send(&reserved).await;
    assert!(!nurse.received_xml().concat().contains("<identity"));
    enter(&mut nurse, "Romy").await;
    assert_eq!(told(&mut nurse), ["presence error /Romy conflict"]);
    nurse.send(&register("Romy")).await;
    assert_eq!(told(&mut nurse), ["iq error conflict"]);
    configure(&mut juliet, &[("roomconfig_moderatedroom", "1")]).await;
    nurse.send(&register("Angelica")).await;
    assert_eq!(told(&mut nurse), ["iq error not-allowed"]);
    romeo.send(&format!("<iq type='set' id='r' to='{ROOM}'><query xmlns='jabber:iq:register'><remove/></query></iq>")).await;
    assert_eq!(told(&mut romeo), ["iq result"]);
}
