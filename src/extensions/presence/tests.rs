//! Presence between accounts, through a router and a database.

use crate::extensions::testing::{Client, House, NOW};
use crate::store::{RosterItem, RosterWrite, Subscription};

/// Two who see each other's presence and are not available yet.
async fn friends(house: &House) -> (Client, Client) {
    let (mut romeo, mut juliet) = (
        house.client("romeo/orchard"),
        house.client("juliet/balcony"),
    );
    romeo
        .send("<presence type='subscribe' to='juliet@localhost'/>")
        .await;
    juliet
        .send("<presence type='subscribed' to='romeo@localhost'/>")
        .await;
    juliet
        .send("<presence type='subscribe' to='romeo@localhost'/>")
        .await;
    romeo
        .send("<presence type='subscribed' to='juliet@localhost'/>")
        .await;
    romeo.received();
    juliet.received();
    (romeo, juliet)
}

#[tokio::test]
async fn presence_reaches_subscribers_from_the_first_to_the_last_sections_4_2_to_4_5() {
    let house = House::new(&["romeo", "juliet", "tybalt"]).await;
    let (mut romeo, mut juliet) = friends(&house).await;
    let mut tybalt = house.client("tybalt/street");
    tybalt.send("<presence/>").await;
    tybalt.received();

    romeo.send("<presence/>").await;
    assert_eq!(romeo.heard(), ["available romeo@localhost/orchard"]);
    assert_eq!(juliet.heard(), [""; 0], "not available yet");
    juliet
        .send("<presence id='p'><show>chat</show><c xmlns='urn:c' v='1'/></presence>")
        .await;
    let content = "<show>chat</show><c xmlns='urn:c' v='1'/>";
    assert_eq!(
        juliet.received_xml(),
        [
            format!(
                "<presence from='juliet@localhost/balcony' to='juliet@localhost' id='p'>{content}</presence>"
            ),
            "<presence from='romeo@localhost/orchard' to='juliet@localhost/balcony'/>".to_owned(),
        ]
    );
    assert_eq!(
        romeo.received_xml(),
        [format!(
            "<presence from='juliet@localhost/balcony' to='romeo@localhost' id='p'>{content}</presence>"
        )]
    );

    juliet.send("<presence><show>dnd</show></presence>").await;
    assert_eq!(
        romeo.heard(),
        ["available juliet@localhost/balcony <show>dnd</show>"]
    );
    juliet
        .send("<presence type='unavailable'><status>gone</status></presence>")
        .await;
    assert_eq!(
        romeo.heard(),
        ["unavailable juliet@localhost/balcony <status>gone</status>"]
    );
    juliet.send("<presence type='unavailable'/>").await;
    juliet.disconnect().await;
    assert_eq!(romeo.heard(), [""; 0], "told already");
    assert_eq!(tybalt.heard(), [""; 0], "a stranger");
}

#[tokio::test]
async fn the_resources_of_an_account_see_each_other_section_4_2_2() {
    let house = House::new(&["romeo"]).await;
    let (mut orchard, mut street) = (house.client("romeo/orchard"), house.client("romeo/street"));
    orchard.send("<presence><show>away</show></presence>").await;
    assert_eq!(
        orchard.heard(),
        ["available romeo@localhost/orchard <show>away</show>"]
    );
    assert_eq!(street.heard(), [""; 0]);
    street.send("<presence/>").await;
    assert_eq!(
        street.heard(),
        [
            "available romeo@localhost/street",
            "available romeo@localhost/orchard <show>away</show>"
        ]
    );
    assert_eq!(orchard.heard(), ["available romeo@localhost/street"]);
    street.disconnect().await;
    assert_eq!(orchard.heard(), ["unavailable romeo@localhost/street"]);
}

#[tokio::test]
async fn directed_presence_ends_for_whom_it_was_directed_to_section_4_6() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut juliet = house.client("juliet/balcony");
    juliet.send("<presence/>").await;
    juliet.received();
    let directed = "<presence to='juliet@localhost/balcony'><show>chat</show></presence>";
    let arrived = "available romeo@localhost/orchard <show>chat</show>";
    let ended = "unavailable romeo@localhost/orchard";

    let mut romeo = house.client("romeo/orchard");
    romeo.send(directed).await;
    assert_eq!(juliet.heard(), [arrived]);
    romeo.send("<presence/>").await;
    romeo.send("<presence><show>xa</show></presence>").await;
    assert_eq!(juliet.heard(), [""; 0], "no subscriber");
    romeo.disconnect().await;
    assert_eq!(juliet.heard(), [ended]);

    let mut romeo = house.client("romeo/orchard");
    romeo.send(directed).await;
    romeo
        .send("<presence type='unavailable'><status>bye</status></presence>")
        .await;
    assert_eq!(
        juliet.heard(),
        [arrived.to_owned(), format!("{ended} <status>bye</status>")]
    );
    romeo.send(directed).await;
    romeo
        .send("<presence type='unavailable' to='juliet@localhost/balcony'/>")
        .await;
    romeo.disconnect().await;
    assert_eq!(juliet.heard(), [arrived, ended], "told once");
}

#[tokio::test]
async fn directed_presence_to_a_subscriber_ends_once_for_each_resource() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut balcony) = friends(&house).await;
    let mut cellar = house.client("juliet/cellar");
    balcony.send("<presence/>").await;
    romeo.send("<presence/>").await;
    for to in [
        "juliet@localhost",
        "juliet@localhost/balcony",
        "juliet@localhost/cellar",
    ] {
        romeo.send(&format!("<presence to='{to}'/>")).await;
    }
    balcony.received();
    assert_eq!(cellar.heard(), ["available romeo@localhost/orchard"]);
    romeo.disconnect().await;
    // The cellar is not available, no broadcast reaches it.
    let ended = ["unavailable romeo@localhost/orchard"];
    assert_eq!(balcony.heard(), ended);
    assert_eq!(cellar.heard(), ended);
}

#[tokio::test]
async fn a_refused_directed_presence_needs_no_end() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut romeo, mut juliet) = (
        house.client("romeo/orchard"),
        house.client("juliet/balcony"),
    );
    romeo
        .send("<presence to='juliet@localhost/balcony' id='p'/>")
        .await;
    juliet
        .send("<presence type='error' to='romeo@localhost/orchard' id='p'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>")
        .await;
    juliet.received();
    assert_eq!(romeo.heard(), ["error p gone"]);
    romeo.disconnect().await;
    assert_eq!(juliet.heard(), [""; 0]);
}

#[tokio::test]
async fn what_was_kept_is_due_when_the_priority_is_no_longer_negative() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    for (presence, backlogs) in [
        ("<presence><priority>-1</priority></presence>", 0),
        (
            "<presence><priority>-1</priority><show>away</show></presence>",
            0,
        ),
        ("<presence/>", 1),
        ("<presence><priority>5</priority></presence>", 1),
        ("<presence><priority>-1</priority></presence>", 1),
        ("<presence><priority>0</priority></presence>", 2),
        ("<presence type='unavailable'/>", 2),
        ("<presence to='x@localhost'/>", 2),
        ("<presence/>", 3),
    ] {
        romeo.send(presence).await;
        assert_eq!(romeo.backlogs, backlogs, "{presence}");
    }
}

#[tokio::test]
async fn directed_presence_that_could_not_be_ended_is_refused() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    for number in 0..1_000 {
        romeo
            .send(&format!("<presence to='r{number}@localhost'/>"))
            .await;
    }
    assert_eq!(romeo.heard(), [""; 0]);
    romeo
        .send("<presence to='one-more@localhost' id='p'/>")
        .await;
    assert_eq!(romeo.heard(), ["error p resource-constraint"]);
    romeo
        .send("<presence to='r7@localhost' type='unavailable'/>")
        .await;
    romeo
        .send("<presence to='one-more@localhost' id='p'/>")
        .await;
    assert_eq!(romeo.heard(), [""; 0]);
}

#[tokio::test]
async fn a_probe_is_answered_to_subscribers_only_section_4_3_2() {
    let house = House::new(&["romeo", "juliet", "tybalt"]).await;
    let (mut romeo, mut juliet) = friends(&house).await;
    let mut tybalt = house.client("tybalt/street");
    let probe = "<presence type='probe' to='juliet@localhost'/>";
    romeo.send(probe).await;
    assert_eq!(romeo.heard(), ["unavailable juliet@localhost"]);
    juliet.send("<presence><show>xa</show></presence>").await;
    juliet.received();
    romeo.send(probe).await;
    assert_eq!(
        romeo.heard(),
        ["available juliet@localhost/balcony <show>xa</show>"]
    );

    // A stranger who believes to be subscribed learns the truth and nothing else.
    let item = RosterItem {
        subscription: Subscription::To,
        ..RosterItem::new("juliet@localhost".parse().unwrap())
    };
    let put = RosterWrite::Put {
        owner: "tybalt@localhost".parse().unwrap(),
        item,
    };
    let rosters = house.router.services().store.clone();
    let _ = rosters.rosters().apply(&[put], 10, NOW).await.unwrap();
    tybalt
        .send("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>")
        .await;
    tybalt.received();
    tybalt.send(probe).await;
    assert_eq!(
        tybalt.heard(),
        [
            "unsubscribed juliet@localhost",
            "push <item jid='juliet@localhost' subscription='none'/>"
        ]
    );
    tybalt.send(probe).await;
    assert_eq!(tybalt.heard(), [""; 0]);
    assert_eq!(juliet.heard(), [""; 0]);
}

#[tokio::test]
async fn a_bad_priority_changes_nothing_section_4_7_2_3() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    romeo
        .send("<presence id='p1'><priority>128</priority></presence>")
        .await;
    assert_eq!(romeo.heard(), ["error p1 bad-request"]);
    assert!(!romeo.session.is_available());
    romeo
        .send("<presence><priority>-1</priority></presence>")
        .await;
    assert_eq!(romeo.session.priority(), Some(-1));
    romeo
        .send("<presence id='p2' to='x@localhost'><priority>high</priority></presence>")
        .await;
    assert_eq!(romeo.session.priority(), Some(-1));
}

#[tokio::test]
async fn a_session_that_took_the_address_over_is_not_ended_by_the_older_one() {
    let house = House::new(&["romeo", "juliet"]).await;
    let (mut older, mut juliet) = friends(&house).await;
    older.send("<presence/>").await;
    juliet.send("<presence/>").await;
    let mut newer = house.client("romeo/orchard");
    newer.send("<presence><show>chat</show></presence>").await;
    juliet.received();
    older.disconnect().await;
    assert_eq!(juliet.heard(), [""; 0]);
    newer.disconnect().await;
    assert_eq!(juliet.heard(), ["unavailable romeo@localhost/orchard"]);
}
