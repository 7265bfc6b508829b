//! Who asks for more than it reads waits for itself, and nobody waits for it.

use anyhow::{Context as _, Result, ensure};

use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence, body, chat};

const PEOPLE: [(&str, &str); 3] = [
    ("hoarder@localhost", PASSWORD),
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
];

/// Pages of the archive, all asked for before the first is read: more than sockets hold.
#[tokio::test]
async fn a_flood_of_archive_queries_delays_nobody_else() -> Result<()> {
    const MESSAGES: usize = 40;
    const QUERIES: usize = 100;
    let house = House::serving("", &PEOPLE).await?;
    let mut hoarder = Peer::session(&house, "hoarder", Presence::Silent).await?;
    let text = "x".repeat(2000);
    for number in 0..MESSAGES {
        let message = chat("nobody@localhost", &format!("m{number}"), &text);
        hoarder.send(&message).await?;
    }
    hoarder.barrier().await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    juliet.barrier().await?;

    for number in 0..QUERIES {
        let query = format!(
            "<iq type='set' id='q{number}'><query xmlns='urn:xmpp:mam:2'>\
             <set xmlns='http://jabber.org/protocol/rsm'><max>{MESSAGES}</max></set></query></iq>"
        );
        hoarder.send(&query).await?;
    }
    // None of the answers has been read, so that most of the queries still wait.
    for number in 0..50 {
        let said = format!("{number}");
        romeo.send(&chat("juliet@localhost", "r", &said)).await?;
        let heard = juliet.until(|node| node.name == "message").await?;
        ensure!(body(&heard) == said, "{heard}");
    }
    for number in 0..QUERIES {
        for _ in 0..MESSAGES {
            let result = hoarder.element().await?;
            ensure!(result.name == "message", "{result}");
        }
        let answer = hoarder.element().await?;
        let id = answer.attribute("id").context("no id")?;
        ensure!(id == format!("q{number}"), "{answer}");
        ensure!(answer.attribute("type") == Some("result"), "{answer}");
    }
    Ok(())
}

/// Items as large as may be, all published before the first answer is read.
#[tokio::test]
async fn a_flood_of_publications_delays_nobody_else() -> Result<()> {
    const ITEMS: usize = 40;
    let house = House::serving("", &PEOPLE).await?;
    let mut hoarder = Peer::session(&house, "hoarder", Presence::Silent).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    juliet.barrier().await?;
    let text = "x".repeat(64 * 1024);
    for number in 0..ITEMS {
        let publish = format!(
            "<iq type='set' id='p{number}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>\
             <publish node='urn:example:hoard'><item id='{number}'><a xmlns='urn:example'>{text}</a></item></publish>\
             </pubsub></iq>"
        );
        hoarder.send(&publish).await?;
    }
    for number in 0..50 {
        let said = format!("{number}");
        romeo.send(&chat("juliet@localhost", "r", &said)).await?;
        let heard = juliet.until(|node| node.name == "message").await?;
        ensure!(body(&heard) == said, "{heard}");
    }
    for number in 0..ITEMS {
        let id = format!("p{number}");
        let answer = hoarder.until(|node| node.name == "iq").await?;
        ensure!(answer.attribute("id") == Some(&id), "{answer}");
        ensure!(answer.attribute("type") == Some("result"), "{answer}");
    }
    Ok(())
}
