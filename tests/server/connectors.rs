//! Interactions over real connections: the server is killed in the middle of an operation, or the connector is, and nothing is stuck
//! or told wrongly afterwards.

use anyhow::{Context as _, Result, ensure};

use crate::component_peer::{BOT, bot, configured};
use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence, body};
use crate::xml::Node;

const CENTER: &str = "center.localhost";
const INTERACTION: &str = "urn:parlour:interaction:0";
const CONNECTOR: &str = "urn:parlour:connector:0";

async fn house() -> Result<House> {
    let people = [("ann@localhost", PASSWORD), ("bob@localhost", PASSWORD)];
    let house = House::serving(&configured("role = 'connector'"), &people).await?;
    for account in ["ann@localhost", "bob@localhost"] {
        house.ask(&["account", "role", account, "agent"]).await?;
    }
    Ok(house)
}

async fn agent(house: &House, name: &str) -> Result<Peer> {
    let mut peer = Peer::session(house, name, Presence::Available).await?;
    ask(&mut peer, "set", "<login xmlns='urn:parlour:agent:0'/>").await?;
    Ok(peer)
}

/// Asks the service; the answer, whichever it is.
async fn ask(peer: &mut Peer, kind: &str, payload: &str) -> Result<Node> {
    peer.send(&format!(
        "<iq type='{kind}' id='ask' to='{CENTER}'>{payload}</iq>"
    ))
    .await?;
    peer.until(|node| node.name == "iq" && node.attribute("id") == Some("ask"))
        .await
}

/// What an agent wants of the call.
async fn want(peer: &mut Peer, what: &str) -> Result<Node> {
    let (name, rest) = what.split_once(' ').unwrap_or((what, ""));
    let kind = if name == "interaction" { "get" } else { "set" };
    let payload = format!("<{name} xmlns='{INTERACTION}' interaction='c1' {rest}/>");
    ask(peer, kind, &payload).await
}

/// Leg and line of the caller.
async fn seen(peer: &mut Peer) -> Result<String> {
    let answer = want(peer, "interaction").await?;
    let seen = answer
        .child("interaction")
        .with_context(|| answer.to_string())?;
    let word = |name| seen.attribute(name).unwrap_or_default();
    Ok(format!("{} {}", word("leg"), word("line")))
}

/// What the connector says.
async fn says(pbx: &mut Peer, payload: &str) -> Result<()> {
    pbx.send(&format!(
        "<iq from='{BOT}' to='{CENTER}' type='set' id='said'>{payload}</iq>"
    ))
    .await?;
    let answer = pbx
        .until(|node| node.attribute("id") == Some("said"))
        .await?;
    ensure!(answer.attribute("type") == Some("result"), "{answer}");
    Ok(())
}

/// The request that the connector is sent next.
async fn request(pbx: &mut Peer) -> Result<Node> {
    pbx.until(|node| node.child("request").is_some()).await
}

async fn answer(pbx: &mut Peer, asked: &Node, inside: &str) -> Result<()> {
    let id = asked.attribute("id").context("no id")?;
    pbx.send(&format!(
        "<iq from='{BOT}' to='{CENTER}' type='result' id='{id}'>{inside}</iq>"
    ))
    .await
}

/// What an agent wants, and the connector does.
async fn done(peer: &mut Peer, pbx: &mut Peer, what: &str) -> Result<()> {
    want(peer, what).await?;
    let asked = request(pbx).await?;
    answer(pbx, &asked, "").await?;
    // What it says next is heard behind that.
    says(
        pbx,
        &format!("<attach xmlns='{CONNECTOR}' interaction='c1'/>"),
    )
    .await
}

/// A call that ann has taken.
async fn talking(house: &House) -> Result<(Peer, Peer)> {
    let mut pbx = bot(house).await?;
    let mut ann = agent(house, "ann").await?;
    offer(&mut pbx).await?;
    done(&mut ann, &mut pbx, "accept").await?;
    Ok((ann, pbx))
}

async fn offer(pbx: &mut Peer) -> Result<()> {
    let offer = format!(
        "<offer xmlns='{CONNECTOR}' interaction='c1' medium='voice' direction='inbound' \
         address='+493012345678' agent='ann@localhost'/>"
    );
    says(pbx, &offer).await
}

/// The connector is back and tells what is so when it is asked.
async fn back(house: &House, told: &str) -> Result<Peer> {
    let mut pbx = bot(house).await?;
    let asked = pbx
        .until(|node| node.child("interactions").is_some())
        .await?;
    let inside = format!("<interactions xmlns='{CONNECTOR}'>{told}</interactions>");
    answer(&mut pbx, &asked, &inside).await?;
    says(
        &mut pbx,
        &format!("<attach xmlns='{CONNECTOR}' interaction='c1'/>"),
    )
    .await?;
    Ok(pbx)
}

const TALKS: &str =
    "<interaction id='c1' line='connected'><agent jid='ann@localhost'/></interaction>";
const WAITS: &str = "<interaction id='c1' line='held'><agent jid='ann@localhost'/></interaction>";
const RINGS: &str = "<interaction id='c1' line='offered'/>";

/// What is wanted, what the connector had done of it when it was asked again, and how the interaction is then.
const CASES: &[(&str, &str, &str)] = &[
    ("hold", WAITS, "connected held"),
    ("hold", TALKS, "connected connected"),
    ("end", "", "wrap-up over"),
    ("transfer queue='sales'", RINGS, "wrap-up offered"),
    ("transfer colleague='bob'", RINGS, "wrap-up offered"),
    ("consult colleague='bob'", WAITS, "connected held"),
];

/// A server that is killed in the middle of an operation makes right what is so when it runs again.
#[tokio::test]
async fn the_server_is_killed_in_the_middle_of_an_operation() -> Result<()> {
    for (what, told, expected) in CASES {
        let mut house = house().await?;
        let (mut ann, mut pbx) = talking(&house).await?;
        let _bob = agent(&house, "bob").await?;
        want(&mut ann, what).await?;
        request(&mut pbx).await?;
        house.signal("KILL").await?;
        ensure!(!house.ended().await?.success());
        house.start().await?;
        let mut ann = agent(&house, "ann").await?;
        ensure!(seen(&mut ann).await? == "connected connected", "{what}");
        let _pbx = back(&house, told).await?;
        ensure!(
            seen(&mut ann).await? == *expected,
            "{what}: {}",
            seen(&mut ann).await?
        );
        let state = ask(&mut ann, "get", "<agent xmlns='urn:parlour:agent:0'/>").await?;
        let engaged = expected.starts_with("connected");
        let expected = if engaged { "engaged" } else { "wrap-up" };
        ensure!(
            state.to_string().contains(&format!("state='{expected}'")),
            "{what}: {state}"
        );
    }
    Ok(())
}

/// A connector that is killed in the middle of an operation: agents are told, want nothing meanwhile, and go on afterwards.
#[tokio::test]
async fn the_connector_is_killed_in_the_middle_of_an_operation() -> Result<()> {
    for (what, told, expected) in CASES {
        let house = house().await?;
        let (mut ann, mut pbx) = talking(&house).await?;
        let _bob = agent(&house, "bob").await?;
        want(&mut ann, what).await?;
        request(&mut pbx).await?;
        drop(pbx);
        ann.until(|node| body(node).contains("is interrupted"))
            .await?;
        let refused = want(&mut ann, "resume").await?;
        ensure!(
            refused.to_string().contains("<interaction-interrupted"),
            "{refused}"
        );
        let _pbx = back(&house, told).await?;
        ensure!(
            seen(&mut ann).await? == *expected,
            "{what}: {}",
            seen(&mut ann).await?
        );
    }
    Ok(())
}

/// XEP-0482: the call rings at a client, which accepts and leaves it, over real connections.
#[tokio::test]
async fn a_client_that_knows_call_invites_takes_a_call() -> Result<()> {
    let house = house().await?;
    let mut pbx = bot(&house).await?;
    let mut ann = agent(&house, "ann").await?;
    let offer = format!(
        "<offer xmlns='{CONNECTOR}' interaction='c1' medium='voice' direction='inbound' \
         address='+493012345678' agent='ann@localhost' uri='sip:c1@pbx.example'/>"
    );
    says(&mut pbx, &offer).await?;
    let invited = ann.until(|node| node.child("invite").is_some()).await?;
    let id = invited.attribute("id").context("no id")?;
    for (said, verb, expected) in [
        ("accept", "accept", "connected connected"),
        ("left", "end", "wrap-up over"),
    ] {
        ann.send(&format!(
            "<message to='{CENTER}' type='chat'><{said} xmlns='urn:xmpp:call-invites:0' id='{id}'/></message>"
        ))
        .await?;
        let asked = request(&mut pbx).await?;
        let wanted = asked.child("request").and_then(|it| it.attribute("verb"));
        ensure!(wanted == Some(verb), "{asked}");
        answer(&mut pbx, &asked, "").await?;
        let attach = format!("<attach xmlns='{CONNECTOR}' interaction='c1'/>");
        says(&mut pbx, &attach).await?;
        let now = seen(&mut ann).await?;
        ensure!(now == expected, "{said}: {now}");
    }
    Ok(())
}

/// An offer that was made before the server was killed is there afterwards, and can be accepted when its connector is back.
#[tokio::test]
async fn an_offer_outlives_a_kill() -> Result<()> {
    let mut house = house().await?;
    let mut pbx = bot(&house).await?;
    let ann = agent(&house, "ann").await?;
    offer(&mut pbx).await?;
    house.signal("KILL").await?;
    ensure!(!house.ended().await?.success());
    drop(ann);
    house.start().await?;
    let mut ann = agent(&house, "ann").await?;
    let mut pbx = back(&house, RINGS).await?;
    // The connector repeats what it has offered.
    offer(&mut pbx).await?;
    ensure!(
        seen(&mut ann).await? == "offered offered",
        "{}",
        seen(&mut ann).await?
    );
    done(&mut ann, &mut pbx, "accept").await?;
    ensure!(seen(&mut ann).await? == "connected connected");
    Ok(())
}
