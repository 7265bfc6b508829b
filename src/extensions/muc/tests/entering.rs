use super::{ROOM, admin, cave, configure, enter, say, told};
use crate::extensions::testing::House;

#[tokio::test]
async fn a_room_is_made_by_entering_it_and_is_locked_until_it_is_configured() {
    let house = House::new(&["juliet", "romeo"]).await;
    let mut juliet = house.client("juliet/balcony");
    let mut romeo = house.client("romeo/orchard");
    enter(&mut juliet, "Jule").await;
    assert_eq!(
        told(&mut juliet),
        [
            "presence /Jule owner/moderator juliet@localhost/balcony 110 170 201",
            "message groupchat subject",
        ]
    );
    enter(&mut romeo, "Romy").await;
    assert_eq!(told(&mut romeo), ["presence error /Romy item-not-found"]);
    configure(&mut juliet, &[]).await;
    assert_eq!(told(&mut juliet), ["iq result"]);
    enter(&mut romeo, "Romy").await;
    assert_eq!(
        told(&mut romeo),
        [
            "presence /Jule owner/moderator",
            "presence /Romy none/participant 110 170",
            "message groupchat subject",
        ]
    );
    assert_eq!(
        told(&mut juliet),
        ["presence /Romy none/participant romeo@localhost/orchard"]
    );
}

#[tokio::test]
async fn a_locked_room_is_gone_with_its_creator() {
    let house = House::new(&["juliet", "romeo"]).await;
    let mut juliet = house.client("juliet/balcony");
    let mut romeo = house.client("romeo/orchard");
    enter(&mut juliet, "Jule").await;
    juliet
        .send(&format!("<presence to='{ROOM}/Jule' type='unavailable'/>"))
        .await;
    enter(&mut romeo, "Romy").await;
    let told = told(&mut romeo);
    assert!(
        told[0].starts_with("presence /Romy owner/moderator"),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_door_has_the_errors_of_section_7_2() {
    let (house, mut juliet) = cave(&["juliet", "romeo", "nurse"]).await;
    let mut romeo = house.client("romeo/orchard");
    let long = "n".repeat(200);
    for (to, expected) in [
        (ROOM.to_owned(), "presence error jid-malformed"),
        (format!("{ROOM}/Jule"), "presence error /Jule conflict"),
        (format!("{ROOM}/ "), "presence error /  not-acceptable"),
        (format!("{ROOM}/{long}"), "not-acceptable"),
        ("rooms.localhost/x".to_owned(), "service-unavailable"),
    ] {
        let x = "<x xmlns='http://jabber.org/protocol/muc'/>";
        romeo
            .send(&format!("<presence to='{to}'>{x}</presence>"))
            .await;
        let told = told(&mut romeo).concat();
        // An unreachable address is silent (RFC 6121 §4).
        if expected == "service-unavailable" {
            assert_eq!(told, "");
        } else {
            assert!(told.ends_with(expected), "{to} {told}");
        }
    }
    admin(
        &mut juliet,
        "set",
        "<item affiliation='outcast' jid='romeo@localhost'/>",
    )
    .await;
    enter(&mut romeo, "Romy").await;
    assert_eq!(told(&mut romeo), ["presence error /Romy forbidden"]);
    configure(&mut juliet, &[("roomconfig_membersonly", "1")]).await;
    let mut nurse = house.client("nurse/house");
    enter(&mut nurse, "Angelica").await;
    assert_eq!(
        told(&mut nurse),
        ["presence error /Angelica registration-required"]
    );
    let secret = [
        ("roomconfig_membersonly", "0"),
        ("roomconfig_passwordprotectedroom", "1"),
        ("roomconfig_roomsecret", "burn"),
    ];
    configure(&mut juliet, &secret).await;
    enter(&mut nurse, "Angelica").await;
    assert_eq!(
        told(&mut nurse),
        ["presence error /Angelica not-authorized"]
    );
    let x = "<x xmlns='http://jabber.org/protocol/muc'><password>burn</password></x>";
    nurse
        .send(&format!("<presence to='{ROOM}/Angelica'>{x}</presence>"))
        .await;
    assert_eq!(told(&mut nurse).len(), 3);
}

#[tokio::test]
async fn a_full_room_takes_admins_only() {
    let names: Vec<String> = (0..11).map(|number| format!("user{number}")).collect();
    let mut accounts: Vec<&str> = names.iter().map(String::as_str).collect();
    accounts.extend(["juliet", "nurse"]);
    let (house, mut juliet) = cave(&accounts).await;
    configure(&mut juliet, &[("roomconfig_maxusers", "10")]).await;
    for (number, name) in names.iter().enumerate() {
        let mut client = house.client(&format!("{name}/x"));
        enter(&mut client, name).await;
        let told = told(&mut client);
        if number < 9 {
            assert_eq!(told.last().unwrap(), "message groupchat subject");
        } else {
            assert_eq!(
                told,
                [format!("presence error /{name} service-unavailable")]
            );
        }
    }
    admin(
        &mut juliet,
        "set",
        "<item affiliation='admin' jid='nurse@localhost'/>",
    )
    .await;
    let mut nurse = house.client("nurse/house");
    enter(&mut nurse, "Angelica").await;
    assert_eq!(
        told(&mut nurse).last().unwrap(),
        "message groupchat subject"
    );
}

#[tokio::test]
async fn history_comes_before_the_subject_and_within_its_limits() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    juliet
        .send(&format!(
            "<message to='{ROOM}' type='groupchat'><subject>Love</subject></message>"
        ))
        .await;
    for text in ["one", "two", "three"] {
        say(&mut juliet, text).await;
    }
    for (history, expected) in [
        ("", &["one", "two", "three"][..]),
        ("<history maxstanzas='2'/>", &["two", "three"]),
        ("<history maxchars='0'/>", &[]),
        ("<history seconds='60'/>", &["one", "two", "three"]),
        ("<history since='2100-01-01T00:00:00Z'/>", &[]),
    ] {
        let mut romeo = house.client("romeo/orchard");
        let x = format!("<x xmlns='http://jabber.org/protocol/muc'>{history}</x>");
        romeo
            .send(&format!("<presence to='{ROOM}/Romy'>{x}</presence>"))
            .await;
        let told: Vec<String> = told(&mut romeo).split_off(2);
        let mut lines: Vec<String> = expected
            .iter()
            .map(|text| format!("message groupchat /Jule body:{text} delayed"))
            .collect();
        lines.push("message groupchat /Jule subject:Love delayed".to_owned());
        assert_eq!(told, lines, "{history}");
        romeo.disconnect().await;
    }
}

#[tokio::test]
async fn another_session_of_the_account_shares_the_nickname() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut tablet = house.client("romeo/tablet");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    romeo.received();
    enter(&mut tablet, "Romy").await;
    let seen = told(&mut tablet);
    assert_eq!(seen[1], "presence /Romy none/participant 110 170");
    say(&mut juliet, "hi").await;
    assert!(told(&mut romeo).contains(&"message groupchat /Jule body:hi".to_owned()));
    assert_eq!(told(&mut tablet), ["message groupchat /Jule body:hi"]);
    juliet.received();
    romeo.disconnect().await;
    assert_eq!(told(&mut juliet), [""; 0]);
    tablet.disconnect().await;
    assert_eq!(
        told(&mut juliet),
        ["presence unavailable /Romy none/none romeo@localhost/tablet 333"]
    );
}

#[tokio::test]
async fn who_enters_again_is_told_everything_again() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    let first = told(&mut romeo);
    juliet.received();
    enter(&mut romeo, "Romy").await;
    assert_eq!(told(&mut romeo), first);
    assert_eq!(told(&mut juliet), [""; 0]);
}

#[tokio::test]
async fn presence_without_entering_is_answered_with_an_end() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    romeo.send(&format!("<presence to='{ROOM}/Romy'/>")).await;
    assert_eq!(
        told(&mut romeo),
        ["presence unavailable /Romy none/none 110 307 333"]
    );
    romeo
        .send(&format!("<presence to='{ROOM}/Romy' type='unavailable'/>"))
        .await;
    romeo
        .send(&format!("<presence to='{ROOM}/Romy' type='probe'/>"))
        .await;
    assert_eq!(told(&mut romeo), [""; 0]);
    assert_eq!(told(&mut juliet), [""; 0]);
}

#[tokio::test]
async fn a_nickname_is_changed_for_all_sessions_and_only_to_a_free_one() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, "Romy").await;
    juliet.received();
    romeo.received();
    romeo.send(&format!("<presence to='{ROOM}/Jule'/>")).await;
    assert_eq!(told(&mut romeo), ["presence error /Jule conflict"]);
    romeo
        .send(&format!("<presence to='{ROOM}/Montague'/>"))
        .await;
    assert_eq!(
        told(&mut romeo),
        [
            "presence unavailable /Romy none/participant nick=Montague 110 303",
            "presence /Montague none/participant 110",
        ]
    );
    assert_eq!(
        told(&mut juliet),
        [
            "presence unavailable /Romy none/participant romeo@localhost/orchard nick=Montague 303",
            "presence /Montague none/participant romeo@localhost/orchard",
        ]
    );
}

#[tokio::test]
async fn what_a_client_says_of_roles_is_not_passed_on() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let x = "<x xmlns='http://jabber.org/protocol/muc'/>";
    let forged = "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='owner' role='moderator'/></x>\
        <occupant-id xmlns='urn:xmpp:occupant-id:0' id='forged'/><show>away</show>";
    romeo
        .send(&format!(
            "<presence to='{ROOM}/Romy'>{x}{forged}</presence>"
        ))
        .await;
    let seen = juliet.received_xml().concat();
    assert!(
        seen.contains("<show>away</show>") && !seen.contains("forged"),
        "{seen}"
    );
    assert!(!seen.contains("owner"), "{seen}");
    assert_eq!(seen.matches("<occupant-id ").count(), 1);
}

#[tokio::test]
async fn coming_and_going_has_a_pace_too() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let mut refused = 0;
    for _ in 0..60 {
        enter(&mut romeo, "Romy").await;
        let seen = told(&mut romeo);
        if seen == ["presence error /Romy resource-constraint"] {
            refused += 1;
        }
        romeo
            .send(&format!("<presence to='{ROOM}/Romy' type='unavailable'/>"))
            .await;
        romeo.received();
        juliet.received();
    }
    assert_eq!(refused, 10);
    house.clock.advance_seconds(1);
    enter(&mut romeo, "Romy").await;
    assert_eq!(told(&mut romeo).len(), 3);
}

#[tokio::test]
async fn two_hundred_see_each_other_and_nobody_twice() {
    let names: Vec<String> = (0..200).map(|number| format!("user{number}")).collect();
    let mut accounts = vec!["juliet"];
    accounts.extend(names.iter().map(String::as_str));
    let (house, mut juliet) = cave(&accounts).await;
    let mut clients = Vec::new();
    for (before, name) in names.iter().enumerate() {
        let mut client = house.client(&format!("{name}/x"));
        enter(&mut client, name).await;
        // Those before, itself, and the subject; more than a mailbox takes.
        assert_eq!(client.received().len(), before + 1 + 2);
        clients.push(client);
    }
    assert_eq!(juliet.received().len(), names.len());
    for (after, client) in clients.iter_mut().rev().enumerate() {
        assert_eq!(client.received().len(), after);
    }
    say(&mut juliet, "welcome").await;
    for client in &mut clients {
        assert_eq!(told(client), ["message groupchat /Jule body:welcome"]);
    }
}

#[tokio::test]
async fn a_nickname_without_its_spaces_is_told_with_code_210() {
    let (house, mut juliet) = cave(&["juliet", "romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    enter(&mut romeo, " Romy ").await;
    assert_eq!(
        told(&mut juliet),
        ["presence /Romy none/participant romeo@localhost/orchard"]
    );
    let own = told(&mut romeo);
    assert_eq!(own[1], "presence /Romy none/participant 110 170 210");
    // The client may go on with what it asked for.
    romeo
        .send(&format!(
            "<presence to='{ROOM}/ Romy '><show>away</show></presence>"
        ))
        .await;
    assert_eq!(
        told(&mut juliet),
        ["presence /Romy none/participant romeo@localhost/orchard"]
    );
    romeo.received();
    romeo
        .send(&format!("<presence to='{ROOM}/Montague '/>"))
        .await;
    let own = told(&mut romeo);
    assert_eq!(own[1], "presence /Montague none/participant 110 210");
    let mut nurse = house.client("romeo/street");
    enter(&mut nurse, "Jule ").await;
    assert_eq!(told(&mut nurse), ["presence error /Jule  conflict"]);
}
