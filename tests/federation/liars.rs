//! Servers that lie, break the rules, or stop in the middle: each ends with the error of the standard, and
//! nobody hears from it.

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::dns::Entry;
use crate::house::House;
use crate::identity::Identity;
use crate::neighbour::{Kind, Proof};
use crate::peer::mechanisms;
use crate::person::{is_error, text};
use crate::stage::{OURS, Setup, THEIRS, World, ours, play};
use crate::stranger::{Door, header, open};
use crate::with_each_neighbour;

/// Who lies; the certificate is in order.
const LIAR: &str = "liar.example";

with_each_neighbour!(a_forged_dialback_key_is_refused);

/// Where Parlour takes other servers.
fn door<'a>(world: &'a World, parlour: &House) -> Result<Door<'a>> {
    Ok(Door {
        at: parlour.address("s2s")?,
        domain: OURS,
        authority: &world.authority,
    })
}

fn message(from: &str, to: &str) -> String {
    format!("<message id='lie' from='{from}' to='{to}'><body>trust me</body></message>")
}

/// What a server that has proved who it is may not send, and the stream error that it is told.
#[tokio::test]
async fn a_proven_server_that_breaks_the_rules_is_told_the_error_of_the_rule() -> Result<()> {
    let world = World::new().await?;
    let parlour = world
        .parlour(OURS, Entry::StartTls, "stanza_bytes_max = '64 KiB'")
        .await?;
    let door = door(&world, &parlour)?;
    let mut romeo = ours(&parlour, "romeo", OURS).await?;
    let to = romeo.full.clone();
    let somebody = format!("somebody@{LIAR}");
    let large = "x".repeat(100_000);
    for (sent, condition) in [
        // RFC 6120 §4.9.3.9: whom it has not proved to be.
        (message("somebody@peer.example", &to), "invalid-from"),
        (message(OURS, &to), "invalid-from"),
        (
            message(&format!("somebody@sub.{LIAR}"), &to),
            "invalid-from",
        ),
        // §4.9.3.7, §8.1.1.2 and §8.1.2.2: between servers both are told.
        (
            format!("<message to='{to}'><body>trust me</body></message>"),
            "improper-addressing",
        ),
        (
            format!("<message from='{somebody}'><body>trust me</body></message>"),
            "improper-addressing",
        ),
        // §4.9.3.6: relaying for others is nobody's business.
        (message(&somebody, "juliet@peer.example"), "host-unknown"),
        // §4.9.3.14, §13.12.
        (
            format!("<message from='{somebody}' to='{to}'><body>{large}</body></message>"),
            "policy-violation",
        ),
        // §4.9.3.13, §11.4 and §4.9.3.18.
        (
            "<message from=".to_owned() + "></message>",
            "not-well-formed",
        ),
        ("<!-- a comment -->".to_owned(), "restricted-xml"),
        // §4.9.3.24
        (
            "<letter xmlns='jabber:server'/>".to_owned(),
            "unsupported-stanza-type",
        ),
    ] {
        let mut peer = door.proven(LIAR).await?;
        peer.send(&sent).await?;
        let end = peer
            .end()
            .await
            .with_context(|| format!("{condition} is due"))?;
        let shown: String = sent.chars().take(120).collect();
        ensure!(
            end.as_deref() == Some(condition),
            "{shown} is answered by {end:?}"
        );
    }
    ensure!(!romeo.has_heard(|it| text(it).is_some()).await?);
    // And whoever keeps to the rules is heard.
    let mut peer = door.proven(LIAR).await?;
    peer.send(&message(&somebody, &to)).await?;
    romeo.reads("trust me").await.map(drop)
}

/// RFC 6120 §4.9.3.12, XEP-0178 §3
#[tokio::test]
async fn a_server_that_has_proved_nothing_is_not_authorized() -> Result<()> {
    let world = World::new().await?;
    let parlour = world.parlour(OURS, Entry::StartTls, "").await?;
    let door = door(&world, &parlour)?;
    let mut romeo = ours(&parlour, "romeo", OURS).await?;
    let lie = message(&format!("somebody@{LIAR}"), &romeo.full);

    // Before TLS no way to prove anything is on offer, and TLS is required (RFC 6120 §5.3.1).
    let mut peer = door.connected().await?;
    let features = open(&mut peer, LIAR, OURS).await?;
    ensure!(mechanisms(&features).is_empty(), "{features}");
    ensure!(
        features
            .child("starttls")
            .is_some_and(|it| it.child("required").is_some())
    );
    peer.send(&lie).await?;
    ensure!(peer.end().await?.as_deref() == Some("not-authorized"));

    let (mut peer, _) = door.secured(LIAR, Identity::Valid).await?;
    peer.send(&lie).await?;
    ensure!(peer.end().await?.as_deref() == Some("not-authorized"));

    for identity in Identity::WRONG {
        let (mut peer, features) = door.secured(LIAR, identity).await?;
        ensure!(
            mechanisms(&features).is_empty(),
            "{identity:?} is offered {features}"
        );
        ensure!(
            peer.end().await?.as_deref() == Some("not-authorized"),
            "{identity:?}"
        );
    }
    // It is itself only, whatever it would like to be called.
    let (mut peer, _) = door.secured(LIAR, Identity::Valid).await?;
    let answer = peer.authenticate("EXTERNAL", THEIRS.as_bytes()).await?;
    ensure!(answer.name == "failure", "{answer}");

    ensure!(!romeo.has_heard(|it| text(it).is_some()).await?);
    Ok(())
}

/// RFC 6120 §4.9.3.6, §4.9.3.10, §4.9.3.5, §4.9.3.4
#[tokio::test]
async fn a_stream_that_is_none_for_us_ends_with_the_error_that_says_so() -> Result<()> {
    let world = World::new().await?;
    let parlour = world.parlour(OURS, Entry::StartTls, "").await?;
    let door = door(&world, &parlour)?;
    for (sent, condition) in [
        (header(LIAR, "elsewhere.example"), "host-unknown"),
        (
            header(LIAR, OURS).replace("'jabber:server'", "'jabber:client'"),
            "invalid-namespace",
        ),
        (header(OURS, OURS), "invalid-from"),
    ] {
        let mut peer = door.connected().await?;
        peer.send(&sent).await?;
        let end = peer.end().await?;
        ensure!(
            end.as_deref() == Some(condition),
            "{sent}: {end:?} and not {condition}"
        );
    }
    Ok(())
}

/// XEP-0220 §2.3: of what we never said we know nothing.
#[tokio::test]
async fn a_key_that_was_never_given_is_invalid() -> Result<()> {
    let world = World::new().await?;
    let parlour = world
        .parlour(OURS, Entry::StartTls, "dialback = true")
        .await?;
    let door = door(&world, &parlour)?;
    let (mut peer, _) = door.secured(LIAR, Identity::Valid).await?;
    peer.send(&format!(
        "<db:verify from='{LIAR}' to='{OURS}' id='never-heard-of'>key</db:verify>"
    ))
    .await?;
    let answer = peer.element().await?;
    ensure!(answer.name == "verify", "{answer}");
    for (name, value) in [
        ("type", "invalid"),
        ("id", "never-heard-of"),
        ("from", OURS),
        ("to", LIAR),
    ] {
        ensure!(answer.attribute(name) == Some(value), "{answer}");
    }
    Ok(())
}

/// XEP-0220 §2.4, §4: the real server is asked, and does not know the key.
async fn a_forged_dialback_key_is_refused(kind: Kind) -> Result<()> {
    let setup = Setup {
        s2s: "dialback = true",
        proof: Proof::Dialback,
        ..Setup::USUAL
    };
    play(kind, setup, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let door = door(&stage.world, &stage.parlour)?;
        let identity = Identity::UnknownAuthority;
        let (mut peer, _) = door.secured(THEIRS, identity).await?;
        let key = BASE64.encode("forged");
        peer.send(&format!(
            "<db:result from='{THEIRS}' to='{OURS}'>{key}</db:result>"
        ))
        .await?;
        let answer = peer.element().await?;
        ensure!(answer.name == "result", "{answer}");
        ensure!(answer.attribute("type") == Some("invalid"), "{answer}");
        peer.send(&message(&format!("juliet@{THEIRS}"), &romeo.full))
            .await?;
        peer.end().await?;
        let passed = |it: &_| text(it).is_some() && !is_error(it);
        ensure!(!romeo.has_heard(passed).await?);
        Ok(())
    })
    .await
}

/// XEP-0220 §1: where dialback is not switched on, it proves nothing.
#[tokio::test]
async fn dialback_that_is_not_switched_on_is_refused() -> Result<()> {
    let world = World::new().await?;
    let parlour = world.parlour(OURS, Entry::StartTls, "").await?;
    let door = door(&world, &parlour)?;
    let mut romeo = ours(&parlour, "romeo", OURS).await?;
    for (identity, claimed) in [
        (Identity::UnknownAuthority, LIAR),
        (Identity::Valid, LIAR),
        (Identity::Valid, THEIRS),
    ] {
        let (mut peer, features) = door.secured(LIAR, identity).await?;
        ensure!(features.child("dialback").is_none(), "{features}");
        peer.send(&format!(
            "<db:result from='{claimed}' to='{OURS}'>key</db:result>"
        ))
        .await?;
        peer.send(&message(&format!("somebody@{claimed}"), &romeo.full))
            .await?;
        if identity == Identity::Valid {
            let result = peer.element().await?;
            ensure!(result.attribute("type") == Some("error"), "{result}");
        }
        let end = peer.end().await?;
        ensure!(end.as_deref() == Some("not-authorized"), "{end:?}");
    }
    ensure!(!romeo.has_heard(|it| text(it).is_some()).await?);
    Ok(())
}
