//! Blocking between accounts, through a router and a database.

use crate::extensions::testing::{Client, House};
use crate::proto::{BareJid, Jid};

const SERVICE_UNAVAILABLE: &str = "<service-unavailable ";

/// Two who see each other, both available.
async fn friends(house: &House) -> (Client, Client) {
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    for (kind, to) in [("subscribe", "juliet"), ("subscribed", "juliet")] {
        let stanza = format!("<presence type='{kind}' to='{to}@localhost'/>");
        romeo.send(&stanza).await;
    }
    for kind in ["subscribed", "subscribe"] {
        let stanza = format!("<presence type='{kind}' to='romeo@localhost'/>");
        juliet.send(&stanza).await;
    }
    for client in [&mut romeo, &mut juliet] {
        client.send("<presence/>").await;
    }
    romeo.received();
    juliet.received();
    (romeo, juliet)
}

async fn command(client: &mut Client, name: &str, jids: &[&str]) -> Vec<String> {
    let items: String = jids
        .iter()
        .map(|jid| format!("<item jid='{jid}'/>"))
        .collect();
    client
        .send(&format!(
            "<iq type='set' id='b'><{name} xmlns='urn:xmpp:blocking'>{items}</{name}></iq>"
        ))
        .await;
    client.heard()
}

async fn list(client: &mut Client) -> Vec<String> {
    client
        .send("<iq type='get' id='l'><blocklist xmlns='urn:xmpp:blocking'/></iq>")
        .await;
    client.heard()
}

#[tokio::test]
async fn the_list_is_told_and_pushed_to_who_asked_sections_3_2_to_3_5() {
    let house = House::new(&["juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    let mut chamber = house.client("juliet/chamber");
    assert_eq!(
        list(&mut juliet).await,
        ["result l <blocklist xmlns='urn:xmpp:blocking'/>"]
    );
    let jids = ["romeo@localhost", "mercutio@verona.example/x"];
    let items = "<item jid='romeo@localhost'/><item jid='mercutio@verona.example/x'/>";
    let push = format!("<block xmlns='urn:xmpp:blocking'>{items}</block>");
    assert_eq!(
        command(&mut juliet, "block", &jids).await,
        ["result b", push.as_str()]
    );
    assert_eq!(chamber.heard(), [""; 0], "has not asked");
    let sorted = "<item jid='mercutio@verona.example/x'/><item jid='romeo@localhost'/>";
    assert_eq!(
        list(&mut chamber).await,
        [format!(
            "result l <blocklist xmlns='urn:xmpp:blocking'>{sorted}</blocklist>"
        )]
    );
    let push = "<unblock xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></unblock>";
    assert_eq!(
        command(&mut chamber, "unblock", &["romeo@localhost"]).await,
        ["result b", push]
    );
    assert_eq!(juliet.heard(), [push]);
    assert_eq!(
        command(&mut juliet, "unblock", &[]).await,
        ["result b", "<unblock xmlns='urn:xmpp:blocking'/>"]
    );
    assert_eq!(
        list(&mut juliet).await,
        ["result l <blocklist xmlns='urn:xmpp:blocking'/>"]
    );
}

#[tokio::test]
async fn what_cannot_be_blocked_is_refused_and_changes_nothing() {
    let house = House::new(&["juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    for (jids, condition) in [
        (&[][..], "bad-request"),
        (&["@localhost"], "jid-malformed"),
        (&["romeo@localhost", "juliet@localhost"], "not-allowed"),
        (
            &["romeo@localhost", "juliet@localhost/chamber"],
            "not-allowed",
        ),
        (&["localhost"], "not-allowed"),
        (&["localhost/x"], "not-allowed"),
    ] {
        let heard = command(&mut juliet, "block", jids).await;
        assert_eq!(heard, [format!("error b {condition}")], "{jids:?}");
    }
    juliet
        .send("<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item/></block></iq>")
        .await;
    assert_eq!(juliet.heard(), ["error b bad-request"]);
    let max = house.router.services().config.blocking.items_max;
    let many: Vec<String> = (0..=max).map(|n| format!("n{n}@a.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let heard = command(&mut juliet, "block", &many).await;
    assert_eq!(heard, ["error b resource-constraint"]);
    assert_eq!(
        list(&mut juliet).await,
        ["result l <blocklist xmlns='urn:xmpp:blocking'/>"]
    );
}

/// Stanzas, and whether their sender is told that they were refused.
const FROM_A_BLOCKED_ADDRESS: &[(&str, bool)] = &[
    (
        "<message id='s' type='chat' to='juliet@localhost'><body>?</body></message>",
        true,
    ),
    (
        "<message id='s' to='juliet@localhost/balcony'><body>?</body></message>",
        true,
    ),
    (
        "<message id='s' type='headline' to='juliet@localhost'><body>?</body></message>",
        false,
    ),
    (
        "<message id='s' type='groupchat' to='juliet@localhost/balcony'><body>?</body></message>",
        false,
    ),
    ("<presence id='s' to='juliet@localhost'/>", false),
    (
        "<presence id='s' type='probe' to='juliet@localhost'/>",
        false,
    ),
    (
        "<presence id='s' type='subscribe' to='juliet@localhost'/>",
        false,
    ),
    (
        "<iq id='s' type='get' to='juliet@localhost/balcony'><ping xmlns='urn:xmpp:ping'/></iq>",
        true,
    ),
    (
        "<iq id='s' type='get' to='juliet@localhost'><vCard xmlns='vcard-temp'/></iq>",
        true,
    ),
    (
        "<iq id='s' type='result' to='juliet@localhost/balcony'/>",
        false,
    ),
    (
        "<iq id='s' type='error' to='juliet@localhost/balcony'><error/></iq>",
        false,
    ),
];

#[tokio::test]
async fn nothing_passes_in_either_direction_section_3_3() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = friends(&house).await;
    command(&mut juliet, "block", &["romeo@localhost"]).await;
    romeo.received();
    for (stanza, refused) in FROM_A_BLOCKED_ADDRESS {
        let refused = *refused;
        romeo.send(stanza).await;
        let answer = romeo.received_xml().concat();
        if refused {
            assert!(answer.contains(SERVICE_UNAVAILABLE), "{stanza} {answer}");
        } else {
            assert_eq!(answer, "", "{stanza}");
        }
        assert_eq!(juliet.heard(), [""; 0], "{stanza}");
    }
    for stanza in [
        "<message id='s' type='chat' to='romeo@localhost'><body>?</body></message>",
        "<presence id='s' to='romeo@localhost/orchard'/>",
        "<iq id='s' type='get' to='romeo@localhost/orchard'><ping xmlns='urn:xmpp:ping'/></iq>",
    ] {
        juliet.send(stanza).await;
        let answer = juliet.received_xml().concat();
        assert!(answer.contains("<not-acceptable "), "{stanza} {answer}");
        let blocked = "<blocked xmlns='urn:xmpp:blocking:errors'/>";
        assert!(answer.contains(blocked), "{stanza} {answer}");
        assert_eq!(romeo.heard(), [""; 0], "{stanza}");
    }
    command(&mut juliet, "unblock", &["romeo@localhost"]).await;
    romeo.received();
    romeo
        .send("<message type='chat' to='juliet@localhost'><body>!</body></message>")
        .await;
    assert_eq!(juliet.received().len(), 1);
}

#[tokio::test]
async fn presence_is_hidden_and_shown_again_sections_3_3_and_3_4() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = friends(&house).await;
    command(
        &mut juliet,
        "block",
        &["localhost.example", "romeo@localhost"],
    )
    .await;
    assert_eq!(romeo.heard(), ["unavailable juliet@localhost/balcony"]);
    // Neither change is seen by the other.
    for (one, other) in [(&mut juliet, &mut romeo)] {
        one.send("<presence><show>dnd</show></presence>").await;
        one.received();
        assert_eq!(other.heard(), [""; 0]);
        other.send("<presence><show>away</show></presence>").await;
        other.received();
        assert_eq!(one.heard(), [""; 0]);
    }
    // Nor by a session that comes.
    let mut phone = house.client("romeo/phone");
    phone.send("<presence/>").await;
    assert!(!phone.heard().concat().contains("juliet"));
    let mut chamber = house.client("juliet/chamber");
    chamber.send("<presence/>").await;
    assert!(!chamber.heard().concat().contains("romeo"));
    romeo.received();
    juliet.received();
    let shown = command(&mut juliet, "unblock", &[]).await;
    assert!(
        shown.contains(&"available romeo@localhost/orchard <show>away</show>".to_owned()),
        "{shown:?}"
    );
    let seen = romeo.heard();
    assert!(
        seen.contains(&"available juliet@localhost/balcony <show>dnd</show>".to_owned()),
        "{seen:?}"
    );
}

#[tokio::test]
async fn who_was_told_directly_is_told_of_the_end() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        house.client("romeo/orchard"),
        house.client("juliet/balcony"),
    );
    romeo.send("<presence/>").await;
    juliet
        .send("<presence to='romeo@localhost/orchard'/>")
        .await;
    romeo.received();
    command(&mut juliet, "block", &["romeo@localhost/orchard"]).await;
    assert_eq!(romeo.heard(), ["unavailable juliet@localhost/balcony"]);
    juliet.disconnect().await;
    assert_eq!(romeo.heard(), [""; 0], "told already");
}

#[tokio::test]
async fn an_account_that_is_offline_blocks_as_well() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = friends(&house).await;
    let message = "<message id='m' type='chat' to='juliet@localhost'><body>?</body></message>";
    juliet.disconnect().await;
    romeo.received();
    romeo.send(message).await;
    assert_eq!(romeo.heard(), [""; 0], "kept");
    juliet = house.client("juliet/balcony");
    command(&mut juliet, "block", &["romeo@localhost"]).await;
    juliet.disconnect().await;
    romeo.received();
    let juliets = BareJid::new("juliet@localhost").unwrap();
    let offline = house.router.services().store.offline_messages();
    let before = offline.count(&juliets).await.unwrap();
    for _ in 0..2 {
        romeo.send(message).await;
        let answer = romeo.received_xml().concat();
        assert!(answer.contains(SERVICE_UNAVAILABLE), "{answer}");
    }
    assert_eq!(offline.count(&juliets).await.unwrap(), before);
    // An account that is made anew blocks nobody, a minute later at the latest.
    let accounts = house.router.services().store.accounts();
    Box::pin(accounts.remove(&juliets)).await.unwrap();
    let role = crate::domain::rights::Role::Member;
    let made = accounts.create(&juliets, role, &[], house.clock.now());
    Box::pin(made).await.unwrap();
    house.clock.advance_seconds(60);
    romeo.send(message).await;
    assert_eq!(romeo.heard(), [""; 0], "kept");
}

#[tokio::test]
async fn the_list_holds_in_the_next_session_from_its_first_stanza() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = friends(&house).await;
    command(&mut juliet, "block", &["romeo@localhost"]).await;
    juliet.disconnect().await;
    romeo.received();
    juliet = house.client("juliet/balcony");
    juliet
        .send("<message id='s' type='chat' to='romeo@localhost'><body>?</body></message>")
        .await;
    assert!(juliet.received_xml().concat().contains("<not-acceptable "));
    juliet.disconnect().await;
    juliet = house.client("juliet/balcony");
    juliet.send("<presence/>").await;
    assert_eq!(juliet.heard(), ["available juliet@localhost/balcony"]);
    assert_eq!(romeo.heard(), [""; 0]);
    juliet.disconnect().await;
    juliet = house.client("juliet/balcony");
    // Bound, and nothing sent: the list is read for the stanza that comes.
    romeo
        .send("<iq id='s' type='get' to='juliet@localhost/balcony'><ping xmlns='urn:xmpp:ping'/></iq>")
        .await;
    assert!(romeo.received_xml().concat().contains(SERVICE_UNAVAILABLE));
    assert_eq!(juliet.heard(), [""; 0]);
}

#[tokio::test]
async fn a_request_that_waited_for_the_list_is_answered_as_any_other() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = house.client("romeo/orchard");
    romeo
        .send("<iq id='s' type='get' to='juliet@localhost'><vCard xmlns='vcard-temp'/></iq>")
        .await;
    let first = romeo.heard();
    romeo
        .send("<iq id='s' type='get' to='juliet@localhost'><vCard xmlns='vcard-temp'/></iq>")
        .await;
    assert_eq!(first.len(), 1);
    assert_eq!(first, romeo.heard());
}

#[tokio::test]
async fn events_in_the_name_of_who_blocks_do_not_pass() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = friends(&house).await;
    command(&mut juliet, "block", &["romeo@localhost"]).await;
    romeo.received();
    let services = house.router.services();
    let event = |from: &str, to: &str| {
        crate::proto::Stanza::message(crate::proto::MessageType::Headline)
            .from(Jid::parse(from).unwrap())
            .to(Jid::parse(to).unwrap())
    };
    services
        .route(event("juliet@localhost", "romeo@localhost"))
        .await;
    assert_eq!(romeo.heard(), [""; 0]);
    services
        .route(event("romeo@localhost", "juliet@localhost"))
        .await;
    assert_eq!(juliet.heard(), [""; 0]);
    services.route(event("localhost", "juliet@localhost")).await;
    assert_eq!(juliet.received().len(), 1, "the server is heard");
}

#[tokio::test]
async fn a_report_is_kept_with_the_block_xep_0377_section_6() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    let report = |inside: &str, reason: &str| {
        format!(
            "<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'>\
             <report xmlns='urn:xmpp:reporting:1' {reason}>{inside}</report></item></block></iq>"
        )
    };
    let long = format!("<text>{}</text>", "x".repeat(5000));
    let bad_id = "<stanza-id xmlns='urn:xmpp:sid:0' by='romeo@localhost'/>";
    let spam = "reason='urn:xmpp:reporting:spam'";
    for (inside, reason) in [("", ""), ("", "reason=''"), (&long, spam), (bad_id, spam)] {
        juliet.send(&report(inside, reason)).await;
        assert_eq!(juliet.heard(), ["error b bad-request"], "{inside}");
    }
    let blocked = house.router.services().store.blocked();
    let jid = BareJid::new("juliet@localhost").unwrap();
    assert_eq!(blocked.list(&jid).await.unwrap(), []);
    juliet
        .send(&report(
            "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@localhost' id='28482'/>\
             <text xml:lang='en'> Never came trouble. </text><report-origin/>",
            spam,
        ))
        .await;
    assert_eq!(juliet.heard(), ["result b"]);
    assert_eq!(blocked.list(&jid).await.unwrap().len(), 1);
    let reports = house.router.services().store.abuse_reports();
    let reports = reports.list(10).await.unwrap();
    assert_eq!(reports.len(), 1);
    let kept = &reports[0];
    assert_eq!(kept.reporter, jid);
    assert_eq!(kept.reported.to_string(), "romeo@localhost");
    assert_eq!(kept.reason, "urn:xmpp:reporting:spam");
    assert_eq!(kept.text, "Never came trouble.");
    assert_eq!(
        kept.stanza_ids,
        [("juliet@localhost".to_owned(), "28482".to_owned())]
    );
}
