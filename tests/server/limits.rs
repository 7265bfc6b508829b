//! How much one address and one account may have.

use std::net::Ipv4Addr;

use anyhow::{Result, ensure};

use crate::house::House;
use crate::peer::{Arrival, PASSWORD, Peer};

const PEOPLE: [(&str, &str); 1] = [("romeo@localhost", PASSWORD)];

#[tokio::test]
async fn an_address_holds_no_more_connections_than_configured() -> Result<()> {
    let config = "[c2s]\nconnections_per_address_max = 2\nlimit_loopback = true";
    let house = House::serving(config, &PEOPLE).await?;
    let mut first = Peer::connect(&house, "localhost").await?;
    first.open().await?;
    let mut second = Peer::connect(&house, "localhost").await?;
    second.open().await?;
    let mut third = Peer::connect(&house, "localhost").await?;
    ensure!(
        third.next().await? == Arrival::Disconnected,
        "a third is served"
    );
    // Another address has its own.
    let mut other = Peer::from_address(&house, Ipv4Addr::new(127, 0, 0, 2)).await?;
    other.open().await?;
    // A place that is given back can be taken.
    second.send("</stream:stream>").await?;
    ensure!(second.end().await?.is_none());
    loop {
        let mut again = Peer::connect(&house, "localhost").await?;
        if again.open().await.is_ok() {
            return Ok(());
        }
    }
}

#[tokio::test]
async fn an_address_has_no_more_logins_under_way_than_configured() -> Result<()> {
    let config = "[c2s]\nnegotiations_per_address_max = 1\nlimit_loopback = true";
    let house = House::serving(config, &PEOPLE).await?;
    let mut first = Peer::connect(&house, "localhost").await?;
    first.open().await?;
    let mut second = Peer::connect(&house, "localhost").await?;
    ensure!(
        second.next().await? == Arrival::Disconnected,
        "a second is served"
    );
    // Who is logged in does not count any more.
    first.log_in("romeo", PASSWORD, "desk").await?;
    first.barrier().await?;
    let mut third = Peer::connect(&house, "localhost").await?;
    third.open().await?;
    Ok(())
}

#[tokio::test]
async fn loopback_is_not_limited_unless_configured() -> Result<()> {
    let config = "[c2s]\nconnections_per_address_max = 1\nnegotiations_per_address_max = 1";
    let house = House::serving(config, &PEOPLE).await?;
    let mut peers = Vec::new();
    for _ in 0..5 {
        let mut peer = Peer::connect(&house, "localhost").await?;
        peer.open().await?;
        peers.push(peer);
    }
    Ok(())
}

// RFC 6120 §7.6.2.1
#[tokio::test]
async fn an_account_has_no_more_resources_than_configured() -> Result<()> {
    let house = House::serving("[c2s]\nresources_per_account_max = 2", &PEOPLE).await?;
    let mut sessions = Vec::new();
    for resource in ["one", "two"] {
        let mut peer = Peer::connect(&house, "localhost").await?;
        peer.open().await?;
        peer.log_in("romeo", PASSWORD, resource).await?;
        sessions.push(peer);
    }
    let mut third = Peer::connect(&house, "localhost").await?;
    third.open().await?;
    let refused = third.log_in("romeo", PASSWORD, "three").await;
    let refused = refused
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    ensure!(refused.contains("resource-constraint"), "{refused}");
    // The stream goes on; a resource that is free again is given.
    sessions.pop();
    loop {
        let answer = third.ask_to_bind("three").await?;
        if answer.attribute("type") == Some("result") {
            break;
        }
    }
    third.barrier().await?;
    Ok(())
}

#[tokio::test]
async fn an_account_that_is_disabled_between_login_and_bind_gets_no_session() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let mut peer = Peer::connect(&house, "localhost").await?;
    peer.open().await?;
    let message = format!("\0romeo\0{PASSWORD}");
    let answer = peer.authenticate("PLAIN", message.as_bytes()).await?;
    ensure!(answer.name == "success", "{answer}");
    peer.open().await?;
    house
        .ask(&["account", "disable", "romeo@localhost"])
        .await?;
    let answer = peer.ask_to_bind("desk").await?;
    ensure!(answer.to_string().contains("not-authorized"), "{answer}");
    house.ask(&["account", "enable", "romeo@localhost"]).await?;
    peer.bind("desk").await?;
    Ok(())
}
