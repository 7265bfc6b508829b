//! Files on their way to customers.

use super::*;
use crate::contact_center::testing::ask;

/// A link is for the connector that the delivery is sent to, and its term counts from that moment, however long it has waited.
#[tokio::test]
async fn a_link_is_for_who_gets_the_delivery_from_that_moment() {
    let house = Box::pin(House::new(None)).await;
    house.floor.customer("c1", "Ann Smith", "+49301").await;
    let url = Box::pin(house.png("romeo")).await;
    let mut client = house.floor.online("romeo/desk").await;
    let create = format!(
        "<create xmlns='urn:parlour:message-stream:0' customer='c1' deliver='true'><title>T</title><text>x</text><attachment>{url}</attachment></create>"
    );
    let made = ask(&mut client, "set", &create).await;
    assert!(made.contains("<attachment "), "{made}");
    // Another connector is named while it waits, for longer than a link holds.
    let mut config = (*house.services().config).clone();
    config.contact_center.delivery = Domain::parse(OTHER);
    let House { floor, folder } = house;
    let floor = Box::pin(floor.killed_for(Arc::new(config))).await;
    let house = House { floor, folder };
    let clock = &house.floor.house.clock;
    clock.advance_seconds(31 * 86_400);
    house.floor.house.component_comes(OTHER).await;
    let sent = async {
        loop {
            tokio::task::yield_now().await;
            let sent = house.floor.house.component_receives(OTHER);
            if let Some(sent) = sent.into_iter().find(|it| it.contains("<deliver ")) {
                return sent;
            }
        }
    };
    let sent = tokio::time::timeout(std::time::Duration::from_secs(20), sent).await;
    let sent = sent.unwrap();
    let file = sent.split("<attachment ").nth(1).unwrap();
    let file = file.split('>').next().unwrap();
    assert!(
        file.contains("name='a.png' type='image/png' bytes='"),
        "{sent}"
    );
    assert!(!file.contains(" slot='"), "{sent}");
    let url = file
        .split(" url='")
        .nth(1)
        .unwrap()
        .split('\'')
        .next()
        .unwrap();
    assert!(house.shown(url).await.is_some(), "{sent}");
}
