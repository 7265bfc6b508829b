use std::sync::Arc;

use super::*;
use crate::config::Config;
use crate::hooks::Hooks;

fn tight(hooks: &mut Hooks, config: &Arc<Config>) {
    *hooks = crate::extensions::hooks(config);
}

const TIGHT: &str = "[pubsub]
nodes_per_account_max = 2
items_per_node_max = 3
payload_bytes_max = 100
bytes_per_account_max = 250
subscriptions_per_node_max = 1
last_items_max = 1
";

async fn house() -> House {
    let config = Config::parse("test", TIGHT, std::iter::empty()).unwrap();
    Box::pin(House::configured(
        &["romeo", "juliet", "paris"],
        config,
        tight,
    ))
    .await
}

#[tokio::test]
async fn no_more_nodes_are_made_than_may() {
    let house = house().await;
    let mut romeo = house.client("romeo/orchard");
    for (node, expected) in [
        ("1", "result q"),
        ("2", "result q"),
        ("3", "error q resource-constraint"),
    ] {
        let told = publish(&mut romeo, "", node, "x", "").await;
        assert!(told.starts_with(expected), "{node}: {told}");
    }
    assert_eq!(
        set(&mut romeo, "", "<create node='3'/>").await,
        "error q resource-constraint"
    );
    assert_eq!(
        set(&mut romeo, "", "<create node='2'/>").await,
        "error q conflict"
    );
    assert_eq!(
        get(&mut romeo, "", "<items node='3'/>").await,
        "error q item-not-found"
    );
}

#[tokio::test]
async fn a_full_node_drops_its_oldest_or_refuses() {
    let house = house().await;
    let mut romeo = house.client("romeo/orchard");
    let drop = options(&[("max_items", "max")]);
    let reject = options(&[("max_items", "max"), ("publish_node_full", "reject")]);
    for (node, options, fourth, left) in [
        ("d", drop, "result", "'2'"),
        ("r", reject, "error q conflict", "'1'"),
    ] {
        for id in ["1", "2", "3"] {
            set(&mut romeo, "", &publication(node, id, "", &options)).await;
        }
        let told = publish(&mut romeo, "", node, "4", "").await;
        assert!(told.starts_with(fourth), "{node}: {told}");
        // One that is there already is no one more.
        assert!(
            publish(&mut romeo, "", node, "3", "again")
                .await
                .starts_with("result")
        );
        let read = get(&mut romeo, "", &format!("<items node='{node}'/>")).await;
        assert!(
            read.contains(left) && read.matches("<item ").count() == 3,
            "{read}"
        );
    }
}

#[tokio::test]
async fn payloads_are_bounded_one_by_one_and_together() {
    let house = house().await;
    let mut romeo = house.client("romeo/orchard");
    let many = options(&[("max_items", "max")]);
    let large = "x".repeat(100);
    let told = set(&mut romeo, "", &publication("n", "0", &large, &many)).await;
    assert_eq!(told, "error q not-acceptable");
    let fits = "x".repeat(60);
    for (id, expected) in [
        ("1", "result"),
        ("2", "result"),
        ("3", "error q resource-constraint"),
    ] {
        let told = set(&mut romeo, "", &publication("n", id, &fits, &many)).await;
        assert!(told.starts_with(expected), "{id}: {told}");
    }
    // Nothing has changed, and there is room again when something goes.
    let read = get(&mut romeo, "", "<items node='n'/>").await;
    assert!(
        read.contains("'1'") && read.contains("'2'") && !read.contains("'3'"),
        "{read}"
    );
    set(&mut romeo, "", "<retract node='n'><item id='1'/></retract>").await;
    assert!(
        publish(&mut romeo, "", "n", "3", &fits)
            .await
            .starts_with("result")
    );
}

#[tokio::test]
async fn a_flood_of_publications_leaves_no_more_than_fits() {
    let house = house().await;
    let (mut romeo, mut paris) = (house.client("romeo/orchard"), house.client("paris/tomb"));
    let many = options(&[("max_items", "max")]);
    let payload = "x".repeat(10);
    for number in 0..50 {
        let id = number.to_string();
        let told = set(&mut romeo, "", &publication("n", &id, &payload, &many)).await;
        assert!(told.starts_with("result"), "{number}: {told}");
    }
    let read = get(&mut romeo, "", "<items node='n'/>").await;
    for (number, is_left) in [(0, false), (46, false), (47, true), (48, true), (49, true)] {
        assert_eq!(
            read.contains(&format!("'{number}'")),
            is_left,
            "{number}: {read}"
        );
    }
    // A node too many is refused each time, and takes nobody's room.
    for number in 0..50 {
        let told = publish(&mut romeo, "", "second", "1", &payload).await;
        assert!(told.starts_with("result"), "{number}: {told}");
        let told = publish(&mut romeo, "", "third", "1", &payload).await;
        assert_eq!(told, "error q resource-constraint", "{number}");
    }
    let told = publish(&mut paris, "", "n", "1", &payload).await;
    assert!(told.starts_with("result"), "{told}");
}

#[tokio::test]
async fn no_more_subscribe_than_may() {
    let house = house().await;
    let mut romeo = house.client("romeo/orchard");
    let open = options(&[("access_model", "open")]);
    set(&mut romeo, "", &publication("n", "1", "", &open)).await;
    let mut juliet = house.client("juliet/balcony");
    let mut paris = house.client("paris/church");
    let to = "romeo@localhost";
    let told = set(
        &mut juliet,
        to,
        "<subscribe node='n' jid='juliet@localhost'/>",
    )
    .await;
    assert!(told.contains("subscription='subscribed'"), "{told}");
    let told = set(
        &mut paris,
        to,
        "<subscribe node='n' jid='paris@localhost'/>",
    )
    .await;
    assert_eq!(told, "error q policy-violation");
    let told = set(
        &mut juliet,
        to,
        "<subscribe node='n' jid='juliet@localhost'/>",
    )
    .await;
    assert!(told.starts_with("result"), "{told}");
}

#[tokio::test]
async fn no_more_last_items_are_shown_than_may() {
    let house = house().await;
    let mut romeo = house.client("romeo/orchard");
    for node in ["a", "b"] {
        publish(&mut romeo, "", node, "1", "").await;
    }
    romeo.send("<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='x'/></presence>").await;
    assert!(answer_disco(&mut romeo, &["a", "b"]).await);
    assert_eq!(events(&mut romeo).len(), 1);
}
