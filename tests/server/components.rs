//! External components (XEP-0114): what they may do, what waits for them, and bad ones.

use anyhow::{Result, ensure};

use crate::component_peer::{
    BOT, COMPONENT, SECRET, barrier, bot, condition, configured, dial, header, open, prove,
};
use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence, body, chat};
use crate::xml::{Node, STREAMS};

const PEOPLE: [(&str, &str); 2] = [
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
];

async fn house(more: &str) -> Result<House> {
    House::serving(&configured(more), &PEOPLE).await
}

/// A message to the bot with a number for its body.
fn numbered(number: usize) -> String {
    chat(
        &format!("shop@{BOT}"),
        &format!("m{number}"),
        &number.to_string(),
    )
}

#[tokio::test]
async fn a_component_and_people_exchange_every_kind_of_stanza() -> Result<()> {
    let house = house("name = 'The Bot'").await?;
    let mut bot = bot(&house).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    romeo.barrier().await?;

    romeo.send(&numbered(1)).await?;
    let message = bot.element().await?;
    ensure!(
        message.ns == COMPONENT && body(&message) == "1",
        "{message}"
    );
    ensure!(
        message.attribute("from") == Some("romeo@localhost/desk"),
        "{message}"
    );
    bot.send(&format!(
        "<message from='shop@{BOT}/till' to='romeo@localhost' type='chat'><body>two</body></message>"
    ))
    .await?;
    let answer = romeo.until(|node| node.name == "message").await?;
    ensure!(
        answer.ns == "jabber:client" && body(&answer) == "two",
        "{answer}"
    );
    ensure!(
        answer.attribute("from") == Some("shop@bot.localhost/till"),
        "{answer}"
    );

    let ask = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    romeo
        .send(&format!("<iq to='{BOT}' type='get' id='d'>{ask}</iq>"))
        .await?;
    let asked = bot.element().await?;
    ensure!(asked.child("query").is_some(), "{asked}");
    bot.send(&format!(
        "<iq from='{BOT}' to='romeo@localhost/desk' type='result' id='d'>{ask}</iq>"
    ))
    .await?;
    let told = romeo
        .until(|node| node.attribute("id") == Some("d"))
        .await?;
    ensure!(told.attribute("type") == Some("result"), "{told}");

    // It is listed where people look for services.
    romeo
        .send("<iq to='localhost' type='get' id='i'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>")
        .await?;
    let items = romeo
        .until(|node| node.attribute("id") == Some("i"))
        .await?;
    let listed = items.child("query").is_some_and(|query| {
        let mut items = query.children.iter();
        items.any(|it| it.attribute("jid") == Some(BOT) && it.attribute("name") == Some("The Bot"))
    });
    ensure!(listed, "{items}");
    ensure!(!house.log().contains(SECRET), "the secret is in the log");
    Ok(())
}

#[tokio::test]
async fn people_and_addresses_of_components_subscribe_to_each_other() -> Result<()> {
    let house = house("").await?;
    let mut bot = bot(&house).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    let shop = format!("shop@{BOT}");
    let presence =
        |kind: &str| format!("<presence from='{shop}' to='romeo@localhost' type='{kind}'/>");

    romeo
        .send(&format!("<presence to='{shop}' type='subscribe'/>"))
        .await?;
    let asked = bot.element().await?;
    ensure!(asked.attribute("type") == Some("subscribe"), "{asked}");
    ensure!(
        asked.attribute("from") == Some("romeo@localhost"),
        "{asked}"
    );
    bot.send(&presence("subscribed")).await?;
    bot.send(&presence("subscribe")).await?;
    romeo
        .until(|node| node.attribute("type") == Some("subscribe"))
        .await?;
    romeo
        .send(&format!("<presence to='{shop}' type='subscribed'/>"))
        .await?;
    romeo.send("<presence><show>dnd</show></presence>").await?;
    let mut types = Vec::new();
    loop {
        let node = bot.element().await?;
        if node.child("show").is_some() {
            break;
        }
        types.push(node.attribute("type").unwrap_or("available").to_owned());
    }
    ensure!(types == ["subscribed", "available"], "{types:?}");

    // A component that was away asks for presence as another server does.
    bot.send(&presence("probe")).await?;
    let found = bot.element().await?;
    ensure!(found.child("show").is_some(), "{found}");
    bot.send(&format!(
        "<presence from='{shop}/till' to='romeo@localhost'/>"
    ))
    .await?;
    let shown = romeo
        .until(|node| node.attribute("from") == Some("shop@bot.localhost/till"))
        .await?;
    ensure!(shown.attribute("type").is_none(), "{shown}");

    // Who comes online asks it, too.
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    juliet.barrier().await?;
    ensure!(
        barrier(&mut bot, "quiet").await?.is_empty(),
        "juliet is no contact"
    );
    drop(romeo);
    let gone = bot.element().await?;
    ensure!(gone.attribute("type") == Some("unavailable"), "{gone}");
    let _romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    let (first, second) = (bot.element().await?, bot.element().await?);
    let types = [&first, &second].map(|node| node.attribute("type"));
    ensure!(
        types.contains(&Some("probe")) && types.contains(&None),
        "{first} {second}"
    );
    Ok(())
}

#[tokio::test]
async fn who_does_not_know_the_secret_does_not_come_in() -> Result<()> {
    let house = house("").await?;
    let hello = "<message from='bot.localhost' to='romeo@localhost'/>";
    for (header, first, expected) in [
        (header("localhost"), "", "host-unknown"),
        (header("other.localhost"), "", "host-unknown"),
        (header(BOT), "<handshake/>", "not-authorized"),
        (header(BOT), "<handshake>00</handshake>", "not-authorized"),
        (header(BOT), hello, "not-authorized"),
        (header(BOT), "<handshake></b>", "not-well-formed"),
        (header("@"), "", "host-unknown"),
        (crate::peer::header(BOT), "", "invalid-namespace"),
        (
            format!("<stream:stream xmlns='{COMPONENT}' xmlns:stream='{STREAMS}'>"),
            "",
            "improper-addressing",
        ),
        ("<!DOCTYPE x>".to_owned(), "", "restricted-xml"),
    ] {
        let mut peer = dial(&house).await?;
        peer.send(&header).await?;
        peer.send(first).await?;
        let end = peer.end().await?;
        ensure!(
            end.as_deref() == Some(expected),
            "{header} {first}: {end:?}"
        );
    }
    let mut peer = dial(&house).await?;
    let id = open(&mut peer, BOT).await?;
    prove(&mut peer, &id, "another").await?;
    let end = peer.end().await?;
    ensure!(end.as_deref() == Some("not-authorized"), "{end:?}");
    // Nothing of this has kept the right one out.
    bot(&house).await?;
    Ok(())
}

#[tokio::test]
async fn what_a_component_may_not_send_ends_its_stream_or_is_refused() -> Result<()> {
    let house = house("stanza_bytes_max = '16KiB'").await?;
    let long = format!(
        "<message from='{BOT}' to='romeo@localhost'><body>{}</body></message>",
        "x".repeat(17 * 1024)
    );
    for (sent, expected) in [
        (
            "<message from='romeo@localhost' to='juliet@localhost'/>",
            "invalid-from",
        ),
        (
            "<message from='x.bot.localhost' to='juliet@localhost'/>",
            "invalid-from",
        ),
        ("<message to='juliet@localhost'/>", "improper-addressing"),
        ("<presence from='bot.localhost'/>", "improper-addressing"),
        ("<handshake/>", "unsupported-stanza-type"),
        ("<message></presence>", "not-well-formed"),
        (long.as_str(), "policy-violation"),
    ] {
        let mut bot = bot(&house).await?;
        bot.send(sent).await?;
        let end = bot.end().await?;
        ensure!(end.as_deref() == Some(expected), "{sent}: {end:?}");
    }
    let mut bot = bot(&house).await?;
    for (sent, expected) in [
        (
            "<iq from='bot.localhost' to='localhost' type='get' id='e'/>",
            "bad-request",
        ),
        (
            "<message from='bot.localhost' to='@' id='e'/>",
            "jid-malformed",
        ),
        (
            "<message from='bot.localhost' to='nobody@localhost' id='e'><body>x</body></message>",
            "service-unavailable",
        ),
        (
            "<message from='bot.localhost' to='a@elsewhere.invalid' id='e'/>",
            "remote-server-not-found",
        ),
    ] {
        bot.send(sent).await?;
        let answer = bot.element().await?;
        ensure!(condition(&answer) == expected, "{sent}: {answer}");
    }
    Ok(())
}

#[tokio::test]
async fn who_connects_twice_replaces_itself_or_is_refused() -> Result<()> {
    let replacing = house("").await?;
    let mut older = bot(&replacing).await?;
    let mut newer = bot(&replacing).await?;
    let end = older.end().await?;
    ensure!(end.as_deref() == Some("conflict"), "{end:?}");
    let mut romeo = Peer::session(&replacing, "romeo", Presence::Silent).await?;
    romeo.send(&numbered(1)).await?;
    ensure!(
        body(&newer.element().await?) == "1",
        "the newer one gets it"
    );

    let refusing = house("conflict = 'refuse'").await?;
    let mut older = bot(&refusing).await?;
    let mut newer = dial(&refusing).await?;
    let id = open(&mut newer, BOT).await?;
    prove(&mut newer, &id, SECRET).await?;
    let end = newer.end().await?;
    ensure!(end.as_deref() == Some("conflict"), "{end:?}");
    ensure!(
        barrier(&mut older, "still").await?.is_empty(),
        "the older one stays"
    );
    Ok(())
}

#[tokio::test]
async fn what_comes_while_a_component_is_away_waits_for_it_in_order() -> Result<()> {
    let mut house = house("queue_stanzas_max = 16").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    // Before its first connection, and after one.
    for round in 0..2 {
        for number in 0..16 {
            romeo.send(&numbered(number)).await?;
        }
        ensure!(romeo.barrier().await?.is_empty(), "all of it waits");
        romeo.send(&numbered(16)).await?;
        let refused = romeo.element().await?;
        ensure!(condition(&refused) == "resource-constraint", "{refused}");
        ensure!(refused.attribute("id") == Some("m16"), "{refused}");
        let mut bot = bot(&house).await?;
        for number in 0..16 {
            let arrived = bot.element().await?;
            ensure!(body(&arrived) == number.to_string(), "{round}: {arrived}");
        }
        ensure!(barrier(&mut bot, "all").await?.is_empty(), "that was all");
        bot.send("</stream:stream>").await?;
        ensure!(bot.end().await?.is_none(), "no error");
    }
    // The end of the server is the end of waiting.
    romeo.send(&numbered(0)).await?;
    romeo.barrier().await?;
    house.signal("TERM").await?;
    let back = romeo.element().await?;
    ensure!(condition(&back) == "remote-server-timeout", "{back}");
    ensure!(house.ended().await?.success(), "{}", house.log());
    Ok(())
}

#[tokio::test]
async fn a_component_that_stays_away_is_given_up() -> Result<()> {
    let house = house("reconnect_seconds = 1").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    drop(bot(&house).await?);
    house
        .logs("the connection of a component is lost", 1)
        .await?;
    // What waits comes back, but for the end of a presence.
    romeo
        .send(&format!("<presence to='{BOT}' type='unavailable'/>"))
        .await?;
    romeo.send(&numbered(0)).await?;
    let back = romeo.element().await?;
    ensure!(back.name == "message", "{back}");
    ensure!(condition(&back) == "remote-server-timeout", "{back}");
    // From now on nothing waits, and the end of a presence is no question.
    romeo
        .send(&format!("<presence to='{BOT}' type='unavailable'/>"))
        .await?;
    romeo
        .send(&format!(
            "<iq to='{BOT}' type='get' id='q'><ping xmlns='urn:xmpp:ping'/></iq>"
        ))
        .await?;
    let back = romeo.element().await?;
    ensure!(back.attribute("id") == Some("q"), "{back}");
    ensure!(condition(&back) == "remote-server-timeout", "{back}");
    let mut bot = bot(&house).await?;
    ensure!(
        barrier(&mut bot, "none").await?.is_empty(),
        "nothing waited"
    );
    romeo.send(&numbered(1)).await?;
    ensure!(body(&bot.element().await?) == "1", "it is served again");
    Ok(())
}

#[tokio::test]
async fn a_component_that_does_not_read_slows_nobody_and_loses_nothing_unwritten() -> Result<()> {
    let house = house("queue_stanzas_max = 400").await?;
    let mut stuck = bot(&house).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    // Far more than sockets and queue hold: what is not taken comes back at once.
    let filler = "x".repeat(16 * 1024);
    let mut refused = None;
    let mut sent = 0;
    while refused.is_none() {
        for _ in 0..50 {
            let text = format!("{sent} {filler}");
            romeo.send(&chat(BOT, &format!("m{sent}"), &text)).await?;
            sent += 1;
        }
        let back = romeo.barrier().await?;
        refused = back
            .first()
            .map(|node| node.attribute("id").map(str::to_owned));
        ensure!(
            back.iter().all(|it| condition(it) == "resource-constraint"),
            "{back:?}"
        );
        ensure!(sent < 20_000, "nothing is full");
    }
    romeo
        .send(&chat("juliet@localhost", "hello", "hello"))
        .await?;
    let heard = juliet.until(|node| node.name == "message").await?;
    ensure!(body(&heard) == "hello", "{heard}");

    // It has read one message, and is killed: its socket is reset with the rest unread.
    let number = |node: &Node| -> Option<usize> { body(node).split(' ').next()?.parse().ok() };
    let first = stuck.element().await?;
    ensure!(number(&first) == Some(0), "{first}");
    drop(stuck);
    let mut again = bot(&house).await?;
    let back = refused.flatten().unwrap_or_default();
    let mut arrived: Vec<usize> = Vec::new();
    while arrived
        .last()
        .is_none_or(|last| format!("m{}", last + 1) != back)
    {
        arrived.extend(number(&again.element().await?));
    }
    ensure!(arrived.len() >= 200, "only {arrived:?}");
    ensure!(
        arrived.is_sorted_by(|one, next| one + 1 == *next),
        "{arrived:?}"
    );
    Ok(())
}

#[tokio::test]
async fn silence_is_asked_about_and_then_ended() -> Result<()> {
    let house = house("idle_seconds = 1\nidle_answer_seconds = 1").await?;
    let mut bot = bot(&house).await?;
    let ping = bot.element().await?;
    ensure!(ping.child("ping").is_some(), "{ping}");
    let id = ping.attribute("id").unwrap_or_default();
    bot.send(&format!(
        "<iq from='{BOT}' to='localhost' type='result' id='{id}'/>"
    ))
    .await?;
    // It is asked again, and this time says nothing.
    let ping = bot.element().await?;
    ensure!(ping.child("ping").is_some(), "{ping}");
    let end = bot.end().await?;
    ensure!(end.as_deref() == Some("connection-timeout"), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn a_stopping_server_says_so() -> Result<()> {
    let mut house = house("").await?;
    let mut bot = bot(&house).await?;
    house.signal("TERM").await?;
    let end = bot.end().await?;
    ensure!(end.as_deref() == Some("system-shutdown"), "{end:?}");
    ensure!(house.ended().await?.success(), "{}", house.log());
    Ok(())
}

// XEP-0198 §4: what waits for a component has not been handled yet.
#[tokio::test]
async fn a_message_is_acknowledged_when_the_component_has_it() -> Result<()> {
    let house = house("").await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    romeo.send("<enable xmlns='urn:xmpp:sm:3'/>").await?;
    romeo.until(|node| node.name == "enabled").await?;
    romeo.send(&numbered(0)).await?;
    let handled = async |romeo: &mut Peer| -> Result<String> {
        romeo.send("<r xmlns='urn:xmpp:sm:3'/>").await?;
        let answer = romeo.until(|node| node.name == "a").await?;
        Ok(answer.attribute("h").unwrap_or_default().to_owned())
    };
    ensure!(handled(&mut romeo).await? == "0", "it only waits");
    let mut bot = bot(&house).await?;
    ensure!(body(&bot.element().await?) == "0", "it arrives");
    let acknowledged = async {
        while handled(&mut romeo).await? != "1" {}
        anyhow::Ok(())
    };
    tokio::time::timeout(crate::house::PATIENCE, acknowledged).await?
}
