//! One of two servers ends and comes back. Nothing vanishes: a message arrives, or its sender gets an error.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::timeout;

use crate::house::House;
use crate::neighbour::Kind;
use crate::person::{Person, is_error, is_presence, text};
use crate::presence::subscribe;
use crate::stage::{Setup, Stage, THEIRS, play};
use crate::with_each_neighbour;
use crate::xml::Node;

with_each_neighbour!(
    the_other_server_ends_and_comes_back,
    the_other_server_is_killed_and_comes_back,
    ours_ends_and_comes_back,
    who_is_there_when_ours_ends_is_seen_to_go,
);

/// How long something is sent until it arrives: a server that has just seen the other one end may refuse
/// for a while.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// How many messages are sent to a server that is not there.
const LOST_MAX: usize = 20;

/// Sends until a message is read. Each that is not read has to come back, and none does both.
async fn reaches(from: &mut Person, to: &mut Person, word: &str) -> Result<()> {
    let tries = async {
        for number in 0.. {
            let (id, body) = (format!("{word}-{number}"), format!("{word} {number}"));
            from.writes(to.bare(), &id, &body).await?;
            let arrived = tokio::select! {
                read = to.reads(&body) => read.map(|_| true),
                refused = from.is_refused(&id) => refused.map(|_| false),
            }?;
            if arrived {
                break;
            }
            ensure!(
                !to.has_heard(|it| text(it) == Some(&*body)).await?,
                "{body} does both"
            );
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    };
    let reached = timeout(PATIENCE, tries).await;
    reached.with_context(|| format!("{word}: nothing arrives"))?
}

/// RFC 6120 §10.4: what cannot be delivered comes back.
async fn the_other_server_ends_and_comes_back(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage: &mut Stage| {
        let mut romeo = before(stage).await?;
        stage.neighbour.stop().await?;
        lost_and_found(stage, &mut romeo).await
    })
    .await
}

/// The same without a word, so that only the connection tells.
async fn the_other_server_is_killed_and_comes_back(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage: &mut Stage| {
        let mut romeo = before(stage).await?;
        stage.neighbour.kill().await?;
        lost_and_found(stage, &mut romeo).await
    })
    .await
}

/// Talks both ways, so that there are streams; gives ours.
async fn before(stage: &Stage) -> Result<Person> {
    let mut romeo = stage.ours("romeo").await?;
    let mut juliet = stage.theirs("juliet").await?;
    reaches(&mut romeo, &mut juliet, "before").await?;
    reaches(&mut juliet, &mut romeo, "back").await?;
    Ok(romeo)
}

/// The other server is gone; what is sent comes back, until it is there again.
async fn lost_and_found(stage: &mut Stage, romeo: &mut Person) -> Result<()> {
    for number in 0..LOST_MAX {
        let id = format!("lost-{number}");
        let to = format!("juliet@{THEIRS}");
        romeo.writes(&to, &id, "is anybody there?").await?;
    }
    for number in 0..LOST_MAX {
        let condition = romeo.is_refused(&format!("lost-{number}")).await?;
        ensure!(
            matches!(
                &*condition,
                "remote-server-timeout" | "remote-server-not-found"
            ),
            "{condition}"
        );
    }
    stage.neighbour.start().await?;
    let mut juliet = stage.theirs("juliet").await?;
    reaches(romeo, &mut juliet, "after").await?;
    reaches(&mut juliet, romeo, "back after").await
}

/// The same when ours is stopped as a service manager does.
async fn ours_ends_and_comes_back(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage: &mut Stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        reaches(&mut romeo, &mut juliet, "before").await?;
        reaches(&mut juliet, &mut romeo, "back").await?;
        drop(romeo);
        stop(&mut stage.parlour).await?;
        // The stream that is open still was closed, so this one comes back at once.
        juliet
            .writes("romeo@parlour.example", "lost", "is anybody there?")
            .await?;
        juliet.is_refused("lost").await?;
        let twice = |it: &Node| {
            let id = it.attribute("id").unwrap_or_default();
            is_error(it) && id.starts_with("back-")
        };
        ensure!(!juliet.has_heard(twice).await?, "an error for what arrived");
        stage.parlour.start().await?;
        let mut romeo = stage.ours("romeo").await?;
        reaches(&mut romeo, &mut juliet, "after").await?;
        reaches(&mut juliet, &mut romeo, "back after").await?;
        ensure!(
            !romeo
                .has_heard(|it| text(it) == Some("is anybody there?"))
                .await?
        );
        Ok(())
    })
    .await
}

/// RFC 6121 §4.5.2: sessions end before the streams over which that is told.
async fn who_is_there_when_ours_ends_is_seen_to_go(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage: &mut Stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        subscribe(&mut juliet, &mut romeo).await?;
        let ours = romeo.full.clone();
        stop(&mut stage.parlour).await?;
        let gone = |it: &Node| is_presence(it, "unavailable", &ours);
        juliet.hears("the end of ours", gone).await?;
        Ok(())
    })
    .await
}

async fn stop(parlour: &mut House) -> Result<()> {
    parlour.signal("TERM").await?;
    let status = parlour.ended().await?;
    ensure!(status.success(), "{status}");
    Ok(())
}
