//! Who is believed: certificates that prove nothing, dialback where it is wanted, and how the proof was given.

use anyhow::{Result, ensure};

use crate::dns::Entry;
use crate::identity::Identity;
use crate::neighbour::{Kind, Proof};
use crate::person::{Person, is_error, text};
use crate::stage::{OURS, Setup, Stage, THEIRS, play};
use crate::with_each_neighbour;

with_each_neighbour!(
    valid_certificates_are_the_proof_in_both_directions,
    certificates_for_servers_only_are_enough,
    a_certificate_that_proves_nothing_lets_nothing_pass,
    dialback_is_a_proof_where_it_is_switched_on,
    a_server_without_tls_is_known_by_dialback_where_that_is_allowed,
    streams_with_tls_from_the_first_byte_are_taken_and_opened,
);

/// One message each way.
async fn talk(romeo: &mut Person, juliet: &mut Person) -> Result<()> {
    romeo.writes(juliet.bare(), "out", "from ours").await?;
    juliet.reads("from ours").await?;
    juliet.writes(romeo.bare(), "in", "from theirs").await?;
    romeo.reads("from theirs").await.map(drop)
}

/// XEP-0178 §3, XEP-0288 §2
async fn valid_certificates_are_the_proof_in_both_directions(kind: Kind) -> Result<()> {
    play(kind, Setup::USUAL, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        talk(&mut romeo, &mut juliet).await?;
        match kind {
            Kind::Prosody => {
                stage
                    .neighbour
                    .logs(&format!("Accepting SASL EXTERNAL identity from {OURS}"))
                    .await?;
                // What juliet said went back over the stream that ours had opened.
                stage.neighbour.logs("bidirectional").await?;
                let log = stage.neighbour.log();
                ensure!(!log.contains(&format!("Outgoing s2s connection {THEIRS}->{OURS}")));
            }
            Kind::Ejabberd => {
                for noted in [
                    format!("Accepted inbound s2s EXTERNAL authentication {OURS} -> {THEIRS}"),
                    format!("Accepted outbound s2s EXTERNAL authentication {THEIRS} -> {OURS}"),
                ] {
                    stage.neighbour.logs(&noted).await?;
                }
            }
        }
        Ok(())
    })
    .await
}

/// XEP-0288 §2, the other way: what romeo answers goes back over the stream that Prosody has opened. ejabberd has no such streams.
#[tokio::test]
async fn an_answer_goes_back_over_the_stream_that_prosody_has_opened() -> Result<()> {
    play(Kind::Prosody, Setup::USUAL, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        juliet.writes(romeo.bare(), "in", "from theirs").await?;
        romeo.reads("from theirs").await?;
        romeo.writes(juliet.bare(), "out", "from ours").await?;
        juliet.reads("from ours").await?;
        let log = stage.parlour.log();
        let admitted = log.lines().find(|line| line.contains("stream admitted"));
        ensure!(admitted.is_some_and(|it| it.contains("bidi=true")), "{log}");
        ensure!(!log.contains("stream established"), "{log}");
        Ok(())
    })
    .await
}

/// Public authorities do not issue others any more. Prosody takes them as they are meant; ejabberd 23.01 does
/// not when it is the server of TLS, and wants dialback besides.
async fn certificates_for_servers_only_are_enough(kind: Kind) -> Result<()> {
    let (s2s, proof) = match kind {
        Kind::Prosody => ("", Proof::Certificate),
        Kind::Ejabberd => ("dialback = true", Proof::Dialback),
    };
    let setup = Setup {
        s2s,
        own: Identity::ForServersOnly,
        identity: Identity::ForServersOnly,
        proof,
        ..Setup::USUAL
    };
    play(kind, setup, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        talk(&mut romeo, &mut juliet).await
    })
    .await
}

/// XEP-0178 §3, RFC 6120 §13.7.2: with the defaults nothing goes either way, and both senders are told.
async fn a_certificate_that_proves_nothing_lets_nothing_pass(kind: Kind) -> Result<()> {
    for identity in Identity::WRONG {
        // The other server would believe anything, and would prove itself by dialback.
        let setup = Setup {
            identity,
            proof: Proof::Dialback,
            ..Setup::USUAL
        };
        play(kind, setup, async |stage| {
            nothing_passes(stage, identity).await
        })
        .await?;
    }
    Ok(())
}

async fn nothing_passes(stage: &Stage, identity: Identity) -> Result<()> {
    let mut romeo = stage.ours("romeo").await?;
    let mut juliet = stage.theirs("juliet").await?;
    romeo.writes(juliet.bare(), "out", "from ours").await?;
    let condition = romeo.is_refused("out").await?;
    ensure!(
        matches!(
            &*condition,
            "remote-server-not-found" | "remote-server-timeout"
        ),
        "{condition}"
    );
    juliet.writes(romeo.bare(), "in", "from theirs").await?;
    juliet.is_refused("in").await?;
    let passed = |it: &_| text(it).is_some() && !is_error(it);
    ensure!(!romeo.has_heard(passed).await? && !juliet.has_heard(passed).await?);
    // The operator is told why.
    let reason = match identity {
        Identity::Valid | Identity::ForServersOnly => "nothing",
        Identity::Expired => "expired",
        Identity::OfAnother => "for another.example",
        Identity::UnknownAuthority => "UnknownIssuer",
    };
    stage.parlour.logs(reason, 1).await
}

/// XEP-0220: who controls the domain's DNS record is believed, if the operator says so.
async fn dialback_is_a_proof_where_it_is_switched_on(kind: Kind) -> Result<()> {
    let setup = Setup {
        s2s: "dialback = true",
        identity: Identity::UnknownAuthority,
        proof: Proof::Dialback,
        ..Setup::USUAL
    };
    play(kind, setup, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        talk(&mut romeo, &mut juliet).await
    })
    .await
}

/// XEP-0220 §2.1: TLS comes first where there is any, and it is required unless the operator says otherwise.
async fn a_server_without_tls_is_known_by_dialback_where_that_is_allowed(kind: Kind) -> Result<()> {
    let setup = Setup {
        s2s: "dialback = true\nrequire_tls = false",
        proof: Proof::DialbackInTheClear,
        ..Setup::USUAL
    };
    play(kind, setup, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        talk(&mut romeo, &mut juliet).await
    })
    .await?;
    let setup = Setup {
        s2s: "dialback = true",
        ..setup
    };
    play(kind, setup, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        romeo.writes(juliet.bare(), "out", "from ours").await?;
        romeo.is_refused("out").await?;
        juliet.writes(romeo.bare(), "in", "from theirs").await?;
        juliet.is_refused("in").await.map(drop)
    })
    .await
}

/// XEP-0368 §3
async fn streams_with_tls_from_the_first_byte_are_taken_and_opened(kind: Kind) -> Result<()> {
    let setup = Setup {
        entry: Entry::DirectTls,
        ..Setup::USUAL
    };
    play(kind, setup, async |stage| {
        let mut romeo = stage.ours("romeo").await?;
        let mut juliet = stage.theirs("juliet").await?;
        talk(&mut romeo, &mut juliet).await
    })
    .await
}
