//! What remains when the server stops, asked or not.

use anyhow::{Result, ensure};

use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence, body, chat};

const PEOPLE: [(&str, &str); 2] = [
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
];

// RFC 6120 §4.9.3.21
#[tokio::test]
async fn a_signal_to_stop_closes_every_stream_with_system_shutdown() -> Result<()> {
    for signal in ["TERM", "INT"] {
        let mut house = House::serving("", &PEOPLE).await?;
        let mut bound = Peer::session(&house, "romeo", Presence::Available).await?;
        bound.barrier().await?;
        let mut negotiating = Peer::connect(&house, "localhost").await?;
        negotiating.open().await?;
        house.signal(signal).await?;
        for (who, peer) in [("bound", &mut bound), ("negotiating", &mut negotiating)] {
            let end = peer.end().await?;
            ensure!(
                end.as_deref() == Some("system-shutdown"),
                "{signal}, {who}: {end:?}"
            );
        }
        ensure!(house.ended().await?.success(), "{signal}");
        ensure!(!house.log().contains("were cut off"), "{}", house.log());
    }
    Ok(())
}

/// Romeo writes to Juliet, who is away, and hears that the server has handled it.
async fn write_to_the_absent(house: &House) -> Result<()> {
    let mut romeo = Peer::session(house, "romeo", Presence::Available).await?;
    for number in 0..20 {
        let id = format!("m{number}");
        romeo
            .send(&chat("juliet@localhost", &id, &format!("line {number}")))
            .await?;
    }
    let before = romeo.barrier().await?;
    ensure!(
        before.iter().all(|node| node.name == "presence"),
        "{before:?}"
    );
    Ok(())
}

/// Juliet gets all of them in order.
async fn read_it_all(house: &House) -> Result<()> {
    let mut juliet = Peer::session(house, "juliet", Presence::Available).await?;
    for number in 0..20 {
        let message = juliet.until(|node| node.name == "message").await?;
        ensure!(body(&message) == format!("line {number}"), "{message}");
        ensure!(message.child("delay").is_some(), "{message}");
    }
    Ok(())
}

#[tokio::test]
async fn a_message_that_was_kept_is_there_after_a_stop() -> Result<()> {
    let mut house = House::serving("", &PEOPLE).await?;
    write_to_the_absent(&house).await?;
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());
    house.start().await?;
    read_it_all(&house).await
}

#[tokio::test]
async fn a_message_that_was_kept_is_there_after_a_kill() -> Result<()> {
    let mut house = House::serving("", &PEOPLE).await?;
    write_to_the_absent(&house).await?;
    house.signal("KILL").await?;
    ensure!(!house.ended().await?.success());
    house.start().await?;
    read_it_all(&house).await
}

// XEP-0045 §14.2
#[tokio::test]
async fn occupants_of_rooms_hear_of_the_stop_before_their_streams_end() -> Result<()> {
    let mut house = House::serving("", &PEOPLE).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    let x = "<x xmlns='http://jabber.org/protocol/muc'/>";
    juliet
        .send(&format!(
            "<presence to='cave@rooms.localhost/Jule'>{x}</presence>"
        ))
        .await?;
    let form = "<x xmlns='jabber:x:data' type='submit'/>";
    juliet
        .send(&format!("<iq type='set' id='c' to='cave@rooms.localhost'><query xmlns='http://jabber.org/protocol/muc#owner'>{form}</query></iq>"))
        .await?;
    juliet.barrier().await?;
    romeo
        .send(&format!(
            "<presence to='cave@rooms.localhost/Romy'>{x}</presence>"
        ))
        .await?;
    romeo.barrier().await?;
    house.signal("TERM").await?;
    for (nick, peer) in [("Jule", &mut juliet), ("Romy", &mut romeo)] {
        let told = peer
            .until(|node| node.name == "presence" && node.attribute("type") == Some("unavailable"))
            .await?;
        let from = format!("cave@rooms.localhost/{nick}");
        ensure!(told.attribute("from") == Some(&*from), "{told}");
        let text = told.to_string();
        ensure!(text.contains("'110'") && text.contains("'332'"), "{text}");
        let end = peer.end().await?;
        ensure!(end.as_deref() == Some("system-shutdown"), "{nick}: {end:?}");
    }
    ensure!(house.ended().await?.success());
    Ok(())
}
