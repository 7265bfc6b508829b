//! Who sends too much or reads too little slows and loses itself, nobody else.

use anyhow::{Context as _, Result, ensure};

use crate::house::House;
use crate::peer::{Arrival, PASSWORD, Peer, Presence, body, chat};
use crate::xml::Node;

const PEOPLE: [(&str, &str); 5] = [
    ("flooder@localhost", PASSWORD),
    ("sleeper@localhost", PASSWORD),
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
    ("nurse@localhost", PASSWORD),
];

/// A message that says something and is heard.
async fn round_trip(from: &mut Peer, to: &mut Peer, address: &str, text: &str) -> Result<()> {
    from.send(&chat(address, "r", text)).await?;
    let heard = to.until(|node| node.name == "message").await?;
    ensure!(body(&heard) == text, "{heard}");
    Ok(())
}

/// A text of some size that begins with its number.
fn line(number: usize) -> String {
    format!("{number} {}", "x".repeat(2000))
}

fn number(text: &str) -> Option<usize> {
    text.split_once(' ')?.0.parse().ok()
}

/// Sends more to the sleeper than the sockets hold, until it has no session any more: then, and
/// only then, a request to its full address is refused. Returns how many messages that took.
async fn flood(flooder: &mut Peer, romeo: &mut Peer, juliet: &mut Peer) -> Result<usize> {
    let mut sent = 0;
    loop {
        for _ in 0..10 {
            flooder
                .send(&chat("sleeper@localhost", &format!("m{sent}"), &line(sent)))
                .await?;
            sent += 1;
        }
        let probe = "<iq type='get' id='probe' to='sleeper@localhost/desk'><ping xmlns='urn:xmpp:ping'/></iq>";
        flooder.send(probe).await?;
        let answers = flooder.barrier().await?;
        // Others talk as if nothing was.
        round_trip(romeo, juliet, "juliet@localhost", "but soft").await?;
        round_trip(juliet, romeo, "romeo@localhost", "ay me").await?;
        let refused = |node: &Node| node.attribute("type") == Some("error");
        ensure!(
            answers.iter().all(|node| node.name == "iq"),
            "a message came back: {answers:?}"
        );
        if answers.iter().any(refused) {
            return Ok(sent);
        }
        ensure!(sent < 50_000, "the sleeper is still served");
    }
}

/// What the sleeper finds in its socket when it wakes, all of it whole, and the condition of the
/// stream error behind it.
async fn wake(sleeper: &mut Peer) -> Result<(Vec<usize>, Option<String>)> {
    let mut got = Vec::new();
    loop {
        match sleeper.next().await? {
            Arrival::Element(node) if node.name == "message" => {
                got.push(number(&body(&node)).context("not numbered")?);
            }
            Arrival::Element(node) if node.name == "error" => {
                let condition = node.children.first().map(|child| child.name.clone());
                return Ok((got, condition));
            }
            Arrival::Element(_) => {}
            other => anyhow::bail!("after {} messages: {other:?}", got.len()),
        }
    }
}

#[tokio::test]
async fn who_does_not_read_is_closed_and_loses_nothing() -> Result<()> {
    let config = "[c2s]\nmailbox_stanzas_max = 16\nmailbox_bytes_max = '256 KiB'
                  bytes_per_second_max = '1 GiB'\nburst_bytes_max = '1 GiB'
                  [offline]\nmessages_per_account_max = 100000";
    let house = House::serving(config, &PEOPLE).await?;
    let mut sleeper = Peer::narrow(&house, "localhost").await?;
    sleeper.begin("sleeper", Presence::Available).await?;
    sleeper.barrier().await?;
    let mut flooder = Peer::session(&house, "flooder", Presence::Silent).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Available).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    juliet.barrier().await?;

    let mut sent = flood(&mut flooder, &mut romeo, &mut juliet).await?;
    // Some more, for which there is no session.
    for _ in 0..20 {
        flooder
            .send(&chat("sleeper@localhost", &format!("m{sent}"), &line(sent)))
            .await?;
        sent += 1;
    }
    flooder.barrier().await?;

    let (got, end) = wake(&mut sleeper).await?;
    ensure!(end.as_deref() == Some("resource-constraint"), "{end:?}");
    ensure!(
        got == (0..got.len()).collect::<Vec<_>>(),
        "not in order: {got:?}"
    );
    ensure!(got.len() < sent, "nothing was left");

    // The rest was kept, in order; what was on the way then may come twice.
    let mut again = Peer::session(&house, "sleeper", Presence::Available).await?;
    let mut kept = Vec::new();
    while kept.last() != Some(&(sent - 1)) {
        let message = again.until(|node| node.name == "message").await?;
        kept.push(number(&body(&message)).context("not numbered")?);
    }
    let first = *kept.first().context("nothing was kept")?;
    ensure!(
        first <= got.len(),
        "messages {} to {first} are lost",
        got.len()
    );
    let expected: Vec<usize> = (first..sent).collect();
    ensure!(kept == expected, "lost or out of order: {kept:?}");
    Ok(())
}

#[tokio::test]
async fn who_sends_too_fast_is_slowed_and_loses_nothing() -> Result<()> {
    let config = "[c2s]\nbytes_per_second_max = '64 KiB'\nburst_bytes_max = '16 KiB'
                  stanza_bytes_max = 10000\nmailbox_bytes_max = '1 MiB'";
    let house = House::serving(config, &PEOPLE).await?;
    let mut juliet = Peer::session(&house, "juliet", Presence::Available).await?;
    juliet.barrier().await?;
    let mut flooder = Peer::session(&house, "flooder", Presence::Silent).await?;
    let mut romeo = Peer::session(&house, "romeo", Presence::Silent).await?;
    let mut nurse = Peer::session(&house, "nurse", Presence::Available).await?;
    nurse.barrier().await?;

    // Twice the burst and more: read at once it would all be there in the first turn.
    const LINES: usize = 80;
    let start = tokio::time::Instant::now();
    let flood = async {
        for number in 0..LINES {
            flooder
                .send(&chat(
                    "juliet@localhost",
                    &format!("m{number}"),
                    &line(number),
                ))
                .await?;
        }
        anyhow::Ok(())
    };
    let heard = async {
        for expected in 0..LINES {
            let message = juliet.until(|node| node.name == "message").await?;
            ensure!(number(&body(&message)) == Some(expected), "{message}");
        }
        anyhow::Ok(())
    };
    let mut meanwhile = 0_u32;
    let others = async {
        loop {
            round_trip(&mut romeo, &mut nurse, "nurse@localhost", "peter!").await?;
            meanwhile += 1;
            if meanwhile.is_multiple_of(8) {
                // Not to be too fast itself.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    };
    tokio::select! {
        done = async { tokio::try_join!(flood, heard) } => { done?; }
        failed = others => { let never: Result<()> = failed; never?; }
    }
    // 160 KiB less the burst, at 64 KiB a second: no machine is too fast for that.
    ensure!(
        start.elapsed() >= std::time::Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    ensure!(meanwhile > 0, "nobody else was answered");
    Ok(())
}
