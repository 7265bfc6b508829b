//! Subscriptions between two accounts, through a router and a database.

use crate::extensions::testing::{Client, House};

const GET: &str = "<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>";

/// Asks for the roster and becomes available.
async fn online(house: &House, name: &str) -> Client {
    let mut client = house.client(name);
    client.send(GET).await;
    client.send("<presence/>").await;
    client.received();
    client
}

async fn tell(client: &mut Client, kind: &str, to: &str) {
    client
        .send(&format!("<presence type='{kind}' to='{to}@localhost'/>"))
        .await;
}

/// Each sees the other's presence.
async fn befriend(romeo: &mut Client, juliet: &mut Client) {
    tell(romeo, "subscribe", "juliet").await;
    tell(juliet, "subscribed", "romeo").await;
    tell(juliet, "subscribe", "romeo").await;
    tell(romeo, "subscribed", "juliet").await;
    romeo.received();
    juliet.received();
}

/// The items of the client's roster.
async fn items(client: &mut Client) -> String {
    client.received();
    client.send(GET).await;
    let roster = client.heard().concat();
    match roster.split_once("'><") {
        Some((_, items)) => format!("<{}", items.strip_suffix("</query>").unwrap()),
        None => String::new(),
    }
}

#[tokio::test]
async fn a_request_is_granted_in_both_directions_section_3_1() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    let mut juliet = online(&house, "juliet/balcony").await;

    romeo.send("<presence type='subscribe' to='juliet@localhost/nowhere' id='s1'><status>hi</status></presence>").await;
    assert_eq!(
        romeo.heard(),
        ["push <item jid='juliet@localhost' subscription='none' ask='subscribe'/>"]
    );
    assert_eq!(
        juliet.received_xml(),
        [
            "<presence from='romeo@localhost' to='juliet@localhost' type='subscribe' id='s1'><status>hi</status></presence>"
        ]
    );
    assert_eq!(items(&mut juliet).await, "");
    // Asked again while it waits: not delivered again (A.3.1).
    tell(&mut romeo, "subscribe", "juliet").await;
    assert_eq!(juliet.heard(), [""; 0]);

    tell(&mut juliet, "subscribed", "romeo").await;
    assert_eq!(
        juliet.heard(),
        ["push <item jid='romeo@localhost' subscription='from'/>"]
    );
    assert_eq!(
        romeo.heard(),
        [
            "subscribed juliet@localhost",
            "push <item jid='juliet@localhost' subscription='to'/>",
            "available juliet@localhost/balcony",
        ]
    );

    tell(&mut juliet, "subscribe", "romeo").await;
    assert_eq!(
        juliet.heard(),
        ["push <item jid='romeo@localhost' subscription='from' ask='subscribe'/>"]
    );
    tell(&mut romeo, "subscribed", "juliet").await;
    assert_eq!(
        romeo.heard(),
        [
            "subscribe juliet@localhost",
            "push <item jid='juliet@localhost' subscription='both'/>"
        ]
    );
    assert_eq!(
        juliet.heard(),
        [
            "subscribed romeo@localhost",
            "push <item jid='romeo@localhost' subscription='both'/>",
            "available romeo@localhost/orchard",
        ]
    );
}

#[tokio::test]
async fn a_subscription_is_cancelled_from_either_side_sections_3_2_and_3_3() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    let mut juliet = online(&house, "juliet/balcony").await;
    befriend(&mut romeo, &mut juliet).await;

    tell(&mut juliet, "unsubscribed", "romeo").await;
    assert_eq!(
        juliet.heard(),
        ["push <item jid='romeo@localhost' subscription='to'/>"]
    );
    assert_eq!(
        romeo.heard(),
        [
            "unavailable juliet@localhost/balcony",
            "unsubscribed juliet@localhost",
            "push <item jid='juliet@localhost' subscription='from'/>",
        ]
    );
    tell(&mut juliet, "unsubscribe", "romeo").await;
    assert_eq!(
        romeo.heard(),
        [
            "unsubscribe juliet@localhost",
            "push <item jid='juliet@localhost' subscription='none'/>"
        ]
    );
    assert_eq!(
        juliet.heard(),
        [
            "push <item jid='romeo@localhost' subscription='none'/>",
            "unavailable romeo@localhost/orchard",
        ]
    );
    juliet.send("<presence><show>away</show></presence>").await;
    assert_eq!(romeo.heard(), [""; 0]);
}

#[tokio::test]
async fn removing_an_item_ends_both_directions_section_2_5_2() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    let mut street = online(&house, "romeo/street").await;
    let mut juliet = online(&house, "juliet/balcony").await;
    befriend(&mut romeo, &mut juliet).await;
    street.received();

    romeo.send("<iq type='set' id='r1'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost' subscription='remove'/></query></iq>").await;
    let removed = "push <item jid='juliet@localhost' subscription='remove'/>";
    assert_eq!(
        street.heard(),
        [removed, "unavailable juliet@localhost/balcony"]
    );
    assert_eq!(
        juliet.heard(),
        [
            "unavailable romeo@localhost/orchard",
            "unavailable romeo@localhost/street",
            "unsubscribe romeo@localhost",
            "push <item jid='romeo@localhost' subscription='to'/>",
            "unsubscribed romeo@localhost",
            "push <item jid='romeo@localhost' subscription='none'/>",
        ]
    );
    assert_eq!(items(&mut romeo).await, "");
}

#[tokio::test]
async fn a_request_waits_for_every_resource_until_it_is_answered_section_3_1_3() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    romeo
        .send(
            "<presence type='subscribe' to='juliet@localhost'><status>Shall I?</status></presence>",
        )
        .await;

    for resource in ["juliet/balcony", "juliet/window"] {
        let mut juliet = house.client(resource);
        juliet
            .send("<presence><priority>-1</priority></presence>")
            .await;
        let heard = juliet.heard();
        assert!(
            heard.contains(&"subscribe romeo@localhost <status>Shall I?</status>".to_owned()),
            "{heard:?}"
        );
        juliet.disconnect().await;
    }
    let mut juliet = online(&house, "juliet/door").await;
    romeo.received();
    tell(&mut juliet, "unsubscribed", "romeo").await;
    assert_eq!(
        romeo.heard(),
        [
            "unsubscribed juliet@localhost",
            "push <item jid='juliet@localhost' subscription='none'/>"
        ]
    );
    juliet.disconnect().await;
    let mut juliet = house.client("juliet/garden");
    juliet.send("<presence/>").await;
    assert_eq!(juliet.heard(), ["available juliet@localhost/garden"]);
}

#[tokio::test]
async fn a_request_that_is_taken_back_waits_no_longer_section_3_3_3() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    tell(&mut romeo, "subscribe", "juliet").await;
    tell(&mut romeo, "unsubscribe", "juliet").await;
    let mut juliet = house.client("juliet/balcony");
    juliet.send("<presence/>").await;
    assert_eq!(juliet.heard(), ["available juliet@localhost/balcony"]);
    assert_eq!(
        items(&mut romeo).await,
        "<item jid='juliet@localhost' subscription='none'/>"
    );
}

#[tokio::test]
async fn what_is_approved_before_is_granted_at_once_section_3_4() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    let mut juliet = online(&house, "juliet/balcony").await;
    tell(&mut juliet, "subscribed", "romeo").await;
    let approved = "push <item jid='romeo@localhost' subscription='none' approved='true'/>";
    assert_eq!(juliet.heard(), [approved]);
    assert_eq!(romeo.heard(), [""; 0]);
    // Taken back and given again.
    tell(&mut juliet, "unsubscribed", "romeo").await;
    tell(&mut juliet, "subscribed", "romeo").await;
    assert_eq!(
        juliet.heard(),
        [
            "push <item jid='romeo@localhost' subscription='none'/>",
            approved
        ]
    );
    assert_eq!(romeo.heard(), [""; 0]);

    tell(&mut romeo, "subscribe", "juliet").await;
    assert_eq!(
        juliet.heard(),
        ["push <item jid='romeo@localhost' subscription='from' approved='true'/>"]
    );
    assert_eq!(
        romeo.heard(),
        [
            "push <item jid='juliet@localhost' subscription='none' ask='subscribe'/>",
            "subscribed juliet@localhost",
            "push <item jid='juliet@localhost' subscription='to'/>",
            "available juliet@localhost/balcony",
        ]
    );
}

#[tokio::test]
async fn nothing_comes_of_a_request_to_nobody_or_to_oneself_section_8_5_1() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    tell(&mut romeo, "subscribe", "nobody").await;
    assert_eq!(
        romeo.heard(),
        ["push <item jid='nobody@localhost' subscription='none' ask='subscribe'/>"]
    );
    tell(&mut romeo, "subscribe", "romeo").await;
    romeo.send("<presence type='subscribe'/>").await;
    tell(&mut romeo, "subscribed", "romeo").await;
    assert_eq!(romeo.heard(), [""; 0]);
}

#[tokio::test]
async fn requests_that_cross_each_other_end_in_both() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    let mut juliet = online(&house, "juliet/balcony").await;
    let one = async {
        tell(&mut romeo, "subscribe", "juliet").await;
        tell(&mut romeo, "subscribed", "juliet").await;
    };
    let other = async {
        tell(&mut juliet, "subscribe", "romeo").await;
        tell(&mut juliet, "subscribed", "romeo").await;
    };
    futures_util::future::join(one, other).await;
    let subscription = |items: &str| {
        let (_, rest) = items.split_once("subscription='").unwrap();
        rest.split_once('\'').unwrap().0.to_owned()
    };
    assert_eq!(subscription(&items(&mut romeo).await), "both");
    assert_eq!(subscription(&items(&mut juliet).await), "both");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn devices_that_contradict_each_other_neither_block_nor_break_anything() {
    const REMOVE: &str = "<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='TO@localhost' subscription='remove'/></query></iq>";
    let house = House::new(&["romeo", "juliet"]).await;
    let mut devices = tokio::task::JoinSet::new();
    for number in 0..6 {
        let (name, to) = if number % 2 == 0 {
            ("romeo", "juliet")
        } else {
            ("juliet", "romeo")
        };
        let mut device = online(&house, &format!("{name}/{number}")).await;
        devices.spawn(async move {
            for turn in 0..40 {
                match (turn * 7 + number * 3) % 8 {
                    0 => device.send(&REMOVE.replace("TO", to)).await,
                    1 => device.send("<presence type='unavailable'/>").await,
                    2 => device.send("<presence/>").await,
                    3 | 4 => tell(&mut device, "subscribe", to).await,
                    5 | 6 => tell(&mut device, "subscribed", to).await,
                    _ => tell(&mut device, "unsubscribed", to).await,
                }
                device.received();
            }
            device.disconnect().await;
        });
    }
    let minute = std::time::Duration::from_secs(60);
    tokio::time::timeout(minute, devices.join_all())
        .await
        .expect("nobody is blocked");

    let mut romeo = online(&house, "romeo/orchard").await;
    let mut juliet = online(&house, "juliet/balcony").await;
    for (client, to) in [(&mut romeo, "juliet"), (&mut juliet, "romeo")] {
        tell(client, "unsubscribed", to).await;
        client.send(&REMOVE.replace("TO", to)).await;
    }
    befriend(&mut romeo, &mut juliet).await;
    assert_eq!(
        items(&mut romeo).await,
        "<item jid='juliet@localhost' subscription='both'/>"
    );
    assert_eq!(
        items(&mut juliet).await,
        "<item jid='romeo@localhost' subscription='both'/>"
    );
}

#[tokio::test]
async fn a_subscription_that_only_one_side_knows_of_is_set_right_at_login() {
    let house = House::new(&["romeo", "juliet"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    let mut juliet = online(&house, "juliet/balcony").await;
    befriend(&mut romeo, &mut juliet).await;
    romeo.disconnect().await;
    juliet.disconnect().await;
    // As if the server had died between the two halves of a cancellation.
    let store = &house.router.services().store;
    let (mine, theirs) = (
        "juliet@localhost".parse().unwrap(),
        "romeo@localhost".parse().unwrap(),
    );
    let mut item = store.rosters().find(&mine, &theirs).await.unwrap().unwrap();
    item.subscription = crate::store::Subscription::To;
    let put = crate::store::RosterWrite::Put { owner: mine, item };
    let _ = store
        .rosters()
        .apply(&[put], 10, house.clock.now())
        .await
        .unwrap();

    let _juliet = online(&house, "juliet/balcony").await;
    let mut romeo = online(&house, "romeo/orchard").await;
    assert_eq!(
        items(&mut romeo).await,
        "<item jid='juliet@localhost' subscription='from'/>"
    );
}

#[tokio::test]
async fn a_request_to_a_domain_that_is_not_served_is_refused_and_leaves_no_item() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = online(&house, "romeo/orchard").await;
    romeo
        .send("<presence type='subscribe' id='s1' to='juliet@example.net'/>")
        .await;
    assert_eq!(romeo.heard(), ["error s1 remote-server-not-found"]);
    assert_eq!(items(&mut romeo).await, "");
}
