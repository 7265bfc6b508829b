//! Which servers stanzas are exchanged with, and what becomes of those that cannot be reached.

use std::net::SocketAddrV4;

use anyhow::{Context as _, Result, ensure};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::dns::Entry;
use crate::house::House;
use crate::neighbour::Kind;
use crate::person::{PASSWORD, is_error, text};
use crate::place::{Place, SERVERS};
use crate::stage::{OURS, Setup, Stage, THEIRS, World, ours, play};
use crate::with_each_neighbour;

with_each_neighbour!(
    only_domains_that_the_lists_let_through_are_talked_to,
    a_server_that_hangs_delays_nobody_else,
    a_stream_without_stanzas_is_closed_and_opened_again,
);

/// Senders of both are told; `deny` counts even where `allow` has the domain.
async fn only_domains_that_the_lists_let_through_are_talked_to(kind: Kind) -> Result<()> {
    for s2s in [
        "deny = ['*.example']\nallow = ['peer.example']",
        "allow = ['friend.example']",
    ] {
        let setup = Setup {
            s2s,
            ..Setup::USUAL
        };
        play(kind, setup, async |stage| {
            let mut romeo = stage.ours("romeo").await?;
            let mut juliet = stage.theirs("juliet").await?;
            romeo.writes(juliet.bare(), "out", "from ours").await?;
            romeo.is_refused("out").await?;
            juliet.writes(romeo.bare(), "in", "from theirs").await?;
            juliet.is_refused("in").await?;
            let passed = |it: &_| text(it).is_some() && !is_error(it);
            ensure!(!romeo.has_heard(passed).await? && !juliet.has_heard(passed).await?);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// A domain whose server takes connections and says nothing.
async fn hanging(stage: &Stage) -> Result<TcpListener> {
    let place = Place::new()?;
    let listener = TcpListener::bind(place.at(SERVERS)).await?;
    stage
        .world
        .announce("hanging.example", Entry::StartTls, place);
    Ok(listener)
}

async fn a_server_that_hangs_delays_nobody_else(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let listener = hanging(stage).await?;
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        romeo
            .writes("nobody@hanging.example", "hangs", "hello?")
            .await?;
        let (mut socket, _) = listener.accept().await?;
        ensure!(socket.read(&mut [0; 64]).await? > 0, "it is spoken to");
        romeo
            .writes("nobody@hanging.example", "hangs too", "hello?")
            .await?;
        romeo
            .writes(juliet.bare(), "out", "in the meantime")
            .await?;
        juliet.reads("in the meantime").await?;
        juliet.writes(romeo.bare(), "in", "an answer").await?;
        romeo.reads("an answer").await?;
        ensure!(
            !romeo.has_heard(is_error).await?,
            "all that happened while the other one was still waited for"
        );
        for id in ["hangs", "hangs too"] {
            let condition = romeo.is_refused(id).await?;
            ensure!(condition == "remote-server-timeout", "{condition}");
        }
        Ok(())
    })
    .await
}

/// RFC 6120 §4.4, §4.6.1
async fn a_stream_without_stanzas_is_closed_and_opened_again(kind: Kind) -> Result<()> {
    let setup = Setup {
        s2s: "idle_seconds = 5",
        ..Setup::USUAL
    };
    play(kind, setup, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        romeo.writes(juliet.bare(), "1", "a first word").await?;
        juliet.reads("a first word").await?;
        let noted = match kind {
            Kind::Prosody => format!("Incoming s2s stream {OURS}->{THEIRS} closed"),
            Kind::Ejabberd => format!("Closing inbound s2s connection {OURS} -> {THEIRS}"),
        };
        stage.neighbour.logs(&noted).await?;
        romeo.writes(juliet.bare(), "2", "a late word").await?;
        juliet.reads("a late word").await?;
        ensure!(!romeo.has_heard(is_error).await?);
        Ok(())
    })
    .await
}

/// As it is installed: nothing leaves, and nobody is listened to.
#[tokio::test]
async fn without_being_switched_on_other_domains_are_not_found() -> Result<()> {
    let people = [("romeo@parlour.example", PASSWORD)];
    let config = format!("[[host]]\ndomain = '{OURS}'\n[listen]\ns2s = ['127.0.0.1:0']");
    let parlour = House::serving(&config, &people).await?;
    let mut romeo = ours(&parlour, "romeo", OURS).await?;
    romeo
        .writes(&format!("juliet@{THEIRS}"), "out", "hello?")
        .await?;
    let condition = romeo.is_refused("out").await?;
    ensure!(condition == "remote-server-not-found", "{condition}");
    ensure!(
        parlour.address("s2s").is_err(),
        "other servers are listened to"
    );
    Ok(())
}

/// RFC 6120 §8.3.3.16, §8.3.3.17
#[tokio::test]
async fn a_domain_whose_servers_are_all_down_is_an_error_for_the_sender() -> Result<()> {
    let world = World::new().await?;
    let parlour = world.parlour(OURS, Entry::StartTls, "").await?;
    let nobody: Vec<SocketAddrV4> = [Place::new()?, Place::new()?]
        .map(|it| it.at(SERVERS))
        .into();
    world.dns.serves("down.example", Entry::StartTls, &nobody);
    let mut romeo = ours(&parlour, "romeo", OURS).await?;
    for id in ["first", "second"] {
        romeo.writes("juliet@down.example", id, "hello?").await?;
        let condition = romeo.is_refused(id).await?;
        ensure!(
            matches!(
                &*condition,
                "remote-server-timeout" | "remote-server-not-found"
            ),
            "{condition}"
        );
    }
    parlour
        .logs("down.example", 1)
        .await
        .context("nothing is noted")
}

/// RFC 6120 §3.2.1: the servers of a domain are tried in the order of their priorities.
#[tokio::test]
async fn the_next_server_of_a_domain_is_tried_when_the_first_is_down() -> Result<()> {
    let world = World::new().await?;
    let one = world.parlour(OURS, Entry::StartTls, "").await?;
    let other = world.parlour("other.example", Entry::StartTls, "").await?;
    let std::net::SocketAddr::V4(up) = other.address("s2s")? else {
        anyhow::bail!("it is not at an address of ours");
    };
    world.dns.serves(
        "other.example",
        Entry::StartTls,
        &[Place::new()?.at(SERVERS), up],
    );
    let mut romeo = ours(&one, "romeo", OURS).await?;
    let mut other = ours(&other, "mercutio", "other.example").await?;
    romeo
        .writes(other.bare(), "out", "by the second way")
        .await?;
    other.reads("by the second way").await.map(drop)
}

/// Two servers of our own, both ways, while both begin at the same time.
#[tokio::test]
async fn two_parlours_talk_to_each_other() -> Result<()> {
    let world = World::new().await?;
    let one = world.parlour(OURS, Entry::StartTls, "").await?;
    let other = world.parlour("other.example", Entry::StartTls, "").await?;
    let mut romeo = ours(&one, "romeo", OURS).await?;
    let mut mercutio = ours(&other, "mercutio", "other.example").await?;
    let (ours, theirs) = (romeo.full.clone(), mercutio.full.clone());
    tokio::try_join!(
        romeo.writes(&theirs, "out", "from the one"),
        mercutio.writes(&ours, "in", "from the other")
    )?;
    mercutio.reads("from the one").await?;
    romeo.reads("from the other").await?;
    let asked = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
    romeo.asks("rooms.other.example", asked).await?;
    mercutio.asks(OURS, asked).await.map(drop)
}
