//! What was acknowledged (XEP-0198) is nobody's loss, whatever happens to server and connections.

use anyhow::{Context as _, Result, ensure};

use crate::house::House;
use crate::peer::{Arrival, PASSWORD, Peer, Presence, body, chat};
use crate::xml::Node;

const PEOPLE: [(&str, &str); 2] = [
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
];
const NS: &str = "xmlns='urn:xmpp:sm:3'";

/// Enables stream management and gives the SM-ID.
async fn enable(peer: &mut Peer) -> Result<String> {
    peer.send(&format!("<enable {NS} resume='true'/>")).await?;
    let enabled = peer.until(|node| node.name == "enabled").await?;
    let id = enabled.attribute("id").context("not resumable")?;
    Ok(id.to_owned())
}

/// A connection of Juliet's that asks to go on with `id`, and what she is told.
async fn resume(house: &House, id: &str, h: usize) -> Result<(Peer, Node)> {
    let mut juliet = Peer::connect(house, "localhost").await?;
    juliet.open().await?;
    let login = format!("\0juliet\0{PASSWORD}");
    let answer = juliet.authenticate("PLAIN", login.as_bytes()).await?;
    ensure!(answer.name == "success", "{answer}");
    juliet.open().await?;
    juliet
        .send(&format!("<resume {NS} previd='{id}' h='{h}'/>"))
        .await?;
    let answer = juliet.element().await?;
    Ok((juliet, answer))
}

fn count(ack: &Node) -> Result<usize> {
    Ok(ack.attribute("h").context("an ack without h")?.parse()?)
}

/// Another one each time.
fn chance(below: u16) -> u16 {
    let (_, _, number, _) = uuid::Uuid::new_v4().as_fields();
    number % below
}

/// Writes to Juliet, who is away, until the server is killed in the middle of it. Returns how many
/// messages were acknowledged.
async fn write_until_the_kill(house: &House, acks: u16) -> Result<usize> {
    let mut romeo = Peer::session(house, "romeo", Presence::Silent).await?;
    enable(&mut romeo).await?;
    let (mut sent, mut acknowledged) = (0, 0);
    for _ in 0..=acks {
        let mut burst = String::new();
        for _ in 0..20 {
            burst.push_str(&chat(
                "juliet@localhost",
                &format!("m{sent}"),
                &sent.to_string(),
            ));
            sent += 1;
        }
        burst.push_str(&format!("<r {NS}/>"));
        romeo.send(&burst).await?;
        // The rest is told unasked when it is on the disk.
        while acknowledged < sent {
            let ack = romeo.until(|node| node.name == "a").await?;
            acknowledged = count(&ack)?;
        }
    }
    let rest: String = (sent..sent + 500)
        .map(|number| {
            chat("juliet@localhost", "late", &number.to_string()) + "<r xmlns='urn:xmpp:sm:3'/>"
        })
        .collect();
    romeo.send(&rest).await?;
    // Somewhere within what was just sent.
    for _ in 0..chance(20) {
        let ack = romeo.until(|node| node.name == "a").await?;
        acknowledged = count(&ack)?;
    }
    house.signal("KILL").await?;
    // What the server said before its end counts.
    loop {
        match romeo.next().await? {
            Arrival::Element(node) if node.name == "a" => acknowledged = count(&node)?,
            Arrival::Disconnected => return Ok(acknowledged),
            Arrival::Header(_) | Arrival::Element(_) | Arrival::StreamEnd => {}
        }
    }
}

// XEP-0198 §4
#[tokio::test]
async fn no_acknowledged_message_is_lost_by_a_kill_at_any_moment() -> Result<()> {
    for _ in 0..4 {
        let mut house = House::serving("", &PEOPLE).await?;
        let acknowledged = write_until_the_kill(&house, chance(10)).await?;
        ensure!(acknowledged >= 20, "nothing was acknowledged");
        ensure!(!house.ended().await?.success());
        house.start().await?;
        let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
        for number in 0..acknowledged {
            let message = juliet.until(|node| node.name == "message").await?;
            ensure!(
                body(&message) == number.to_string(),
                "of {acknowledged} acknowledged, in place of {number}: {message}"
            );
        }
    }
    Ok(())
}

/// The bodies in Juliet's archive, the oldest first (XEP-0313 §4).
async fn archived(juliet: &mut Peer) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        juliet
            .send(&format!(
                "<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'>\
                 <set xmlns='http://jabber.org/protocol/rsm'><max>50</max>{after}</set></query></iq>"
            ))
            .await?;
        let answer = loop {
            let node = juliet.element().await?;
            let forwarded = node.child("result").and_then(|it| it.child("forwarded"));
            if let Some(message) = forwarded.and_then(|it| it.child("message")) {
                found.push(body(message));
            } else if node.attribute("id") == Some("q") {
                break node;
            }
        };
        let fin = answer.child("fin").with_context(|| answer.to_string())?;
        if fin.attribute("complete") == Some("true") {
            return Ok(found);
        }
        let last = fin.child("set").and_then(|set| set.child("last"));
        let last = last.context("a page without an end")?;
        after = format!("<after>{}</after>", last.text);
    }
}

// XEP-0198 §4, XEP-0313
#[tokio::test]
async fn what_was_acknowledged_is_in_the_archive_of_a_recipient_who_was_online() -> Result<()> {
    for _ in 0..4 {
        let mut house = House::serving("", &PEOPLE).await?;
        let mut online = Peer::session(&house, "juliet", Presence::Available).await?;
        enable(&mut online).await?;
        let acknowledged = write_until_the_kill(&house, chance(10)).await?;
        ensure!(acknowledged >= 20, "nothing was acknowledged");
        ensure!(!house.ended().await?.success());
        house.start().await?;
        let mut juliet = Peer::session(&house, "juliet", Presence::Silent).await?;
        let found = archived(&mut juliet).await?;
        let expected: Vec<_> = (0..acknowledged).map(|number| number.to_string()).collect();
        let first = found.get(..acknowledged);
        ensure!(
            first == Some(expected.as_slice()),
            "{acknowledged}: {found:?}"
        );
    }
    Ok(())
}

// XEP-0198 §5
#[tokio::test]
async fn a_client_that_stopped_reading_resumes_elsewhere_and_lacks_nothing() -> Result<()> {
    let config = "[c2s]
         mailbox_bytes_max = 67_108_864
         mailbox_stanzas_max = 1_000
         burst_bytes_max = 67_108_864
         [stream_management]
         unacknowledged_bytes_max = 67_108_864";
    let house = House::serving(config, &PEOPLE).await?;
    let mut stuck = Peer::narrow(&house, "localhost").await?;
    stuck.begin("juliet", Presence::Available).await?;
    let id = enable(&mut stuck).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    // More than all sockets on the way hold.
    let filler = "x".repeat(20_000);
    for number in 0..400 {
        romeo
            .send(&format!(
                "<message to='juliet@localhost' type='chat'><body>{number} {filler}</body>\
                 <no-store xmlns='urn:xmpp:hints'/></message>"
            ))
            .await?;
    }
    ensure!(romeo.barrier().await?.is_empty());
    let (mut juliet, resumed) = resume(&house, &id, 0).await?;
    ensure!(resumed.name == "resumed", "{resumed}");
    for number in 0..400 {
        let message = juliet.until(|node| node.name == "message").await?;
        let text = body(&message);
        let found = text.split_once(' ').map(|(number, _)| number);
        ensure!(found == Some(&number.to_string()), "{found:?} for {number}");
    }
    Ok(())
}

// XEP-0198 §4
#[tokio::test]
async fn a_client_that_does_not_answer_counts_as_gone_and_may_come_back() -> Result<()> {
    let config = "[stream_management]\nacknowledge_seconds = 1";
    let house = House::serving(config, &PEOPLE).await?;
    let mut silent = Peer::session(&house, "juliet", Presence::Available).await?;
    let id = enable(&mut silent).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    romeo
        .send(&chat("juliet@localhost", "m1", "but soft"))
        .await?;
    silent.until(|node| node.name == "message").await?;
    silent.until(|node| node.name == "r").await?;
    ensure!(silent.next().await? == Arrival::Disconnected);
    house.logs("connection lost, session waits", 1).await?;
    romeo
        .send(&chat("juliet@localhost", "m2", "what light"))
        .await?;
    ensure!(romeo.barrier().await?.is_empty());
    let (mut juliet, resumed) = resume(&house, &id, 0).await?;
    ensure!(resumed.name == "resumed", "{resumed}");
    for text in ["but soft", "what light"] {
        let message = juliet.until(|node| node.name == "message").await?;
        ensure!(body(&message) == text, "{message}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stop_ends_sessions_that_wait_and_keeps_what_they_lack() -> Result<()> {
    let mut house = House::serving("", &PEOPLE).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    let id = enable(&mut juliet).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    romeo.send(&chat("juliet@localhost", "m1", "one")).await?;
    juliet.until(|node| node.name == "message").await?;
    drop(juliet);
    house.logs("connection lost, session waits", 1).await?;
    romeo.send(&chat("juliet@localhost", "m2", "two")).await?;
    ensure!(romeo.barrier().await?.is_empty());
    house.signal("TERM").await?;
    ensure!(house.ended().await?.success());
    ensure!(!house.log().contains("were cut off"), "{}", house.log());
    house.start().await?;
    let (mut juliet, failed) = resume(&house, &id, 0).await?;
    ensure!(failed.name == "failed", "{failed}");
    juliet.bind("desk").await?;
    juliet.send("<presence/>").await?;
    for text in ["one", "two"] {
        let message = juliet.until(|node| node.name == "message").await?;
        ensure!(body(&message) == text, "{message}");
    }
    Ok(())
}

#[tokio::test]
async fn an_account_that_is_removed_takes_its_waiting_sessions_along() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    enable(&mut juliet).await?;
    drop(juliet);
    house.logs("connection lost, session waits", 1).await?;
    house
        .ask(&["account", "remove", "juliet@localhost"])
        .await?;
    house.logs("waiting session ends", 1).await?;
    Ok(())
}

// XEP-0198 §4, XEP-0160
#[tokio::test]
async fn a_kept_message_that_was_not_acknowledged_outlives_a_change_of_presence() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    romeo.send(&chat("juliet@localhost", "m1", "one")).await?;
    ensure!(romeo.barrier().await?.is_empty());
    let mut juliet = Peer::session(&house, "juliet", Presence::Silent).await?;
    enable(&mut juliet).await?;
    juliet.send("<presence/>").await?;
    juliet.until(|node| node.name == "message").await?;
    juliet
        .send(
            "<presence type='unavailable'/><presence/>\
             <iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
        )
        .await?;
    juliet
        .until(|node| node.attribute("id") == Some("p"))
        .await?;
    drop(juliet);
    house.logs("connection lost, session waits", 1).await?;
    let mut again = Peer::session(&house, "juliet", Presence::Available).await?;
    let message = again.until(|node| node.name == "message").await?;
    ensure!(body(&message) == "one", "{message}");
    Ok(())
}
