//! Messages and requests between accounts of two servers, and the errors for those that nobody takes.

use anyhow::{Result, ensure};

use crate::neighbour::Kind;
use crate::person::{is_error, is_from, text};
use crate::stage::{NOWHERE, OURS, Setup, THEIRS, play};
use crate::with_each_neighbour;

/// How many messages are sent one after the other.
const MANY: usize = 200;

with_each_neighbour!(
    messages_go_both_ways_to_bare_and_full_addresses,
    messages_keep_their_order,
    what_nobody_takes_comes_back_as_an_error,
);

/// RFC 6121 §8.5.2, §8.5.3
async fn messages_go_both_ways_to_bare_and_full_addresses(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        let (juliet_bare, romeo_bare) = (juliet.bare().to_owned(), romeo.bare().to_owned());
        for (to, body) in [
            (juliet_bare, "to whoever is there"),
            (juliet.full.clone(), "to this device"),
        ] {
            romeo.writes(&to, "out", body).await?;
            let read = juliet.reads(body).await?;
            ensure!(is_from(&read, &romeo.full), "{read}");
            ensure!(
                read.attribute("to")
                    .is_some_and(|it| it.starts_with(juliet.bare()))
            );
            ensure!(read.attribute("id") == Some("out"), "{read}");
        }
        for (to, body) in [
            (romeo_bare, "an answer to whoever is there"),
            (romeo.full.clone(), "an answer to this device"),
        ] {
            juliet.writes(&to, "in", body).await?;
            let read = romeo.reads(body).await?;
            ensure!(is_from(&read, &juliet.full), "{read}");
            ensure!(read.attribute("id") == Some("in"), "{read}");
        }
        // Requests of both go the same way (RFC 6120 §8.2.3).
        let ping = "<ping xmlns='urn:xmpp:ping'/>";
        romeo.asks(THEIRS, ping).await?;
        juliet.asks(OURS, ping).await.map(drop)
    })
    .await
}

/// RFC 6120 §10.1. One way after the other: where both servers connect at the same moment, a peer that sends in both
/// directions of a stream (XEP-0288) goes over to ours in the middle of its own. And Prosody is connected before: what is
/// routed while it logs in overtakes there what has waited for that.
async fn messages_keep_their_order(kind: Kind) -> Result<()> {
    for way in ["out", "in"] {
        play(kind, Setup::USUAL, async |stage| {
            let (romeo, juliet) = (stage.ours("romeo").await?, stage.theirs("juliet").await?);
            let (mut writer, mut reader) = match way {
                "out" => (romeo, juliet),
                _ => (juliet, romeo),
            };
            if way == "in" {
                writer
                    .writes(&reader.full, "first", "are you there?")
                    .await?;
                reader.reads("are you there?").await?;
            }
            // All of the first ones that go out wait for the connection.
            for number in 0..MANY {
                let body = format!("{way} {number}");
                writer.writes(&reader.full, "many", &body).await?;
            }
            for number in 0..MANY {
                let read = reader
                    .hears("the next message", |it| text(it).is_some())
                    .await?;
                let expected = format!("{way} {number}");
                ensure!(
                    text(&read) == Some(&*expected),
                    "{expected} is due, not {read}"
                );
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// RFC 6120 §10.4.1, §8.3.3.16, §8.3.3.19; RFC 6121 §8.5.1
async fn what_nobody_takes_comes_back_as_an_error(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        romeo
            .writes(&format!("nobody@{THEIRS}"), "theirs", "is anybody there?")
            .await?;
        let condition = romeo.is_refused("theirs").await?;
        ensure!(condition == "service-unavailable", "{condition}");
        juliet
            .writes(&format!("nobody@{OURS}"), "ours", "is anybody there?")
            .await?;
        let condition = juliet.is_refused("ours").await?;
        ensure!(condition == "service-unavailable", "{condition}");
        romeo
            .writes(&format!("nobody@{NOWHERE}"), "nowhere", "is anybody there?")
            .await?;
        let condition = romeo.is_refused("nowhere").await?;
        ensure!(condition == "remote-server-not-found", "{condition}");
        // An error that nobody asked for is not answered (RFC 6120 §8.3.1).
        let error = format!(
            "<message type='error' id='stray' to='nobody@{OURS}'><error type='cancel'>\
             <gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        );
        juliet.says(&error).await?;
        juliet
            .writes(&romeo.full, "after", "after the error")
            .await?;
        romeo.reads("after the error").await?;
        romeo
            .writes(&juliet.full, "after", "nothing before this")
            .await?;
        juliet.reads("nothing before this").await?;
        ensure!(
            !juliet
                .has_heard(|it| is_error(it) && it.attribute("id") == Some("stray"))
                .await?
        );
        Ok(())
    })
    .await
}
