use super::*;

const CAPS: &str =
    "<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='";

#[tokio::test]
async fn the_last_items_of_many_nodes_are_shown() {
    let house = House::new(&["romeo", "juliet"]).await;
    befriend(&house, "romeo", "juliet").await;
    let nodes: Vec<String> = (0..40)
        .map(|number| format!("urn:example:{number}"))
        .collect();
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    let mut romeo = house.client("romeo/orchard");
    let mut juliet = house.client("juliet/balcony");
    for node in &nodes {
        publish(&mut romeo, "", node, "1", "").await;
        publish(&mut juliet, "", node, "old", "").await;
        publish(&mut juliet, "", node, "new", "").await;
    }
    romeo.send(&format!("{CAPS}x'/></presence>")).await;
    assert!(answer_disco(&mut romeo, &nodes).await);
    let told = events(&mut romeo);
    assert_eq!(told.len(), 80);
    assert!(told.iter().all(|it| !it.contains("'old'")), "{told:?}");
}

#[tokio::test]
async fn a_client_that_proves_nothing_is_asked_once() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    publish(&mut romeo, "", "n", "1", "").await;
    romeo.send(&format!("{CAPS}first'/></presence>")).await;
    assert!(answer_disco(&mut romeo, &["n"]).await);
    assert_eq!(events(&mut romeo).len(), 1);
    for ver in ["second", "third"] {
        romeo.send(&format!("{CAPS}{ver}'/></presence>")).await;
        assert!(!answer_disco(&mut romeo, &["m"]).await);
    }
    // What it said once still holds.
    romeo
        .send(&format!(
            "<iq type='set' id='q'><pubsub xmlns='{NS}'>{}</pubsub></iq>",
            publication("n", "2", "", "")
        ))
        .await;
    assert_eq!(events(&mut romeo).len(), 1);
    let mut other = house.client("romeo/garden");
    other.send(&format!("{CAPS}first'/></presence>")).await;
    assert!(answer_disco(&mut other, &["n"]).await);
}

#[tokio::test]
async fn items_that_are_too_old_go_though_nobody_looks() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let short = options(&[("item_expire", "60"), ("max_items", "10")]);
    let long = options(&[("max_items", "10")]);
    set(&mut romeo, "", &publication("short", "1", "", &short)).await;
    set(&mut romeo, "", &publication("long", "1", "", &long)).await;
    let services = house.router.services();
    let left = async |node: &str| {
        let owner = crate::proto::BareJid::new("romeo@localhost").unwrap();
        let store = services.store.pubsub();
        store.count_before(&owner, node, i64::MAX).await.unwrap()
    };
    services.hooks.run_daily(services).await;
    assert_eq!(left("short").await, 1);
    house.clock.advance_seconds(61);
    services.hooks.run_daily(services).await;
    assert_eq!(left("short").await, 0);
    assert_eq!(left("long").await, 1);
}

#[tokio::test]
async fn a_node_takes_no_larger_payload_than_its_owner_allows() {
    let house = House::new(&["romeo"]).await;
    let mut romeo = house.client("romeo/orchard");
    let small = options(&[("max_payload_size", "40")]);
    let told = set(&mut romeo, "", &publication("n", "1", "", &small)).await;
    assert!(told.starts_with("result"), "{told}");
    assert_eq!(
        publish(&mut romeo, "", "n", "2", &"x".repeat(41)).await,
        "error q not-acceptable"
    );
}
