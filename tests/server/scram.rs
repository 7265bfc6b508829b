//! SCRAM with and without channel binding (RFC 5802, RFC 9266, RFC 5929, XEP-0440), by each hash and
//! version of TLS.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest as _, Sha256};
use tokio_rustls::rustls::{ClientConfig, SupportedProtocolVersion, version};

use crate::authority::{Authority, client};
use crate::house::House;
use crate::peer::{PASSWORD, Peer, mechanisms};
use crate::scram_client::{Hash, Login};
use crate::xml::Node;

static TLS_1_2: &[&SupportedProtocolVersion] = &[&version::TLS12];
static TLS_1_3: &[&SupportedProtocolVersion] = &[&version::TLS13];

/// A server whose certificate is known, and clients of each version of TLS.
struct Place {
    house: House,
    /// `tls-server-end-point` (RFC 5929 §4.1) of a certificate that is signed with SHA-256.
    end_point: Vec<u8>,
    old: Arc<ClientConfig>,
    new: Arc<ClientConfig>,
}

impl Place {
    async fn new() -> Result<Self> {
        let authority = Authority::new("servers")?;
        let certificate = authority.server("localhost")?;
        let mut house = House::with("[tls]\ncertificate = 'leaf.pem'\nkey = 'leaf.key'")?;
        certificate.write(&house.path("leaf.pem"), &house.path("leaf.key"))?;
        house
            .ask(&["account", "add", "anna@localhost", "--password", PASSWORD])
            .await?;
        house.start().await?;
        Ok(Self {
            house,
            end_point: Sha256::digest(certificate.der()?).to_vec(),
            old: client(&authority.pem(), None, TLS_1_2)?,
            new: client(&authority.pem(), None, TLS_1_3)?,
        })
    }

    async fn open(&self, tls: &Arc<ClientConfig>) -> Result<(Peer, Node)> {
        let mut peer = Peer::direct(&self.house, "localhost", tls).await?;
        let features = peer.open().await?;
        Ok((peer, features))
    }
}

/// RFC 9266 §4.1.
fn exporter(peer: &Peer) -> Result<Vec<u8>> {
    let label = b"EXPORTER-Channel-Binding";
    Ok(peer
        .tls()?
        .export_keying_material(vec![0; 32], label, Some(b""))?)
}

fn login<'a>(hash: Hash, plus: bool, flag: &'a str, binding: Vec<u8>) -> Login<'a> {
    Login {
        hash,
        plus,
        flag,
        binding,
        user: "anna",
        password: PASSWORD,
        offered: None,
    }
}

/// XEP-0474 §5.1: the mechanisms and the types of binding of the features, each sorted.
fn offered(features: &Node) -> Result<String> {
    let list = features.child("mechanisms").context("no mechanisms")?;
    let mut mechanisms: Vec<&str> = list.children.iter().map(|it| it.text.as_str()).collect();
    mechanisms.sort_unstable();
    let mut kinds = binding_types(features);
    kinds.sort_unstable();
    Ok(format!(
        "{}\x1f{}",
        mechanisms.join("\x1e"),
        kinds.join("\x1e")
    ))
}

/// XEP-0474: the hash in the server's first message is that of the features that it has really sent, and not that of
/// what somebody in between has left of them.
#[tokio::test]
async fn what_was_offered_is_signed() -> Result<()> {
    let place = Place::new().await?;
    for hash in Hash::ALL {
        let (mut peer, features) = place.open(&place.new).await?;
        let honest = Login {
            offered: Some(offered(&features)?),
            ..login(hash, true, "p=tls-exporter", exporter(&peer)?)
        };
        let outcome = honest.run(&mut peer).await?;
        ensure!(outcome.answer.name == "success", "{}", outcome.answer);
        let (mut peer, features) = place.open(&place.new).await?;
        let robbed = offered(&features)?.replacen("SCRAM-SHA-512-PLUS", "", 1);
        let fooled = Login {
            offered: Some(robbed),
            ..login(hash, false, "n", Vec::new())
        };
        let noticed = fooled.run(&mut peer).await.err().context("not noticed")?;
        ensure!(
            noticed.to_string().contains("somebody has changed"),
            "{noticed}"
        );
    }
    Ok(())
}

/// XEP-0480 §2: who has keys of one hash only gets those of another one with the next login by password.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one step after the other")]
async fn keys_of_a_better_hash_are_made_at_a_login() -> Result<()> {
    let mut place = Place::new().await?;
    place.house.signal("TERM").await?;
    place.house.ended().await?;
    let salt = b"a salt of romeo";
    let [client, server] = [b"Client Key".as_slice(), b"Server Key".as_slice()];
    let salted = Hash::Sha1.salted(PASSWORD, salt, 4096);
    let stored = Hash::Sha1.digest(&Hash::Sha1.hmac(&salted, client)?);
    let keys = [
        ("salt", salt.to_vec()),
        ("server-key", Hash::Sha1.hmac(&salted, server)?),
        ("stored-key", stored),
    ];
    let keys = keys.map(|(name, bytes)| format!("<{name}>{}</{name}>", BASE64.encode(bytes)));
    let document = format!(
        "<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='romeo'>\
         <scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>\
         <iter-count>4096</iter-count>{}</scram-credentials></user></host></server-data>",
        keys.concat()
    );
    std::fs::write(place.house.path("romeo.xml"), document)?;
    place.house.ask(&["import", "romeo.xml"]).await?;
    place.house.start().await?;

    let romeo = |hash| Login {
        user: "romeo",
        ..login(hash, false, "n", Vec::new())
    };
    for (hash, answer) in [(Hash::Sha1, "success"), (Hash::Sha256, "failure")] {
        let (mut peer, _) = place.open(&place.new).await?;
        let outcome = romeo(hash).run(&mut peer).await?;
        ensure!(
            outcome.answer.name == answer,
            "{hash:?}: {}",
            outcome.answer
        );
    }
    let (mut peer, features) = place.open(&place.new).await?;
    let upgrade = features
        .child("authentication")
        .and_then(|it| it.child("upgrade"));
    ensure!(upgrade.is_some(), "{features}");
    let plain = BASE64.encode(format!("\0romeo\0{PASSWORD}"));
    peer.send(&format!(
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>{plain}</initial-response>\
         <upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade></authenticate>"
    ))
    .await?;
    let task = peer.element().await?;
    ensure!(
        task.name == "continue" && task.to_string().contains("UPGR-SCRAM-SHA-256"),
        "{task}"
    );
    peer.send("<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-256'/>")
        .await?;
    let asked = peer.element().await?;
    let salt = asked.child("salt").with_context(|| asked.to_string())?;
    let rounds = salt
        .attribute("iterations")
        .context("no iterations")?
        .parse()?;
    let salted = Hash::Sha256.salted(PASSWORD, &BASE64.decode(&salt.text)?, rounds);
    peer.send(&format!(
        "<task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'>{}</hash></task-data>",
        BASE64.encode(salted)
    ))
    .await?;
    let done = peer.element().await?;
    ensure!(done.name == "success", "{done}");
    for hash in [Hash::Sha1, Hash::Sha256] {
        let (mut peer, _) = place.open(&place.new).await?;
        let outcome = romeo(hash).run(&mut peer).await?;
        ensure!(
            outcome.answer.name == "success",
            "{hash:?}: {}",
            outcome.answer
        );
    }
    Ok(())
}

fn binding_types(features: &Node) -> Vec<&str> {
    let list = features.child("sasl-channel-binding");
    let kinds = list.map(|list| {
        list.children
            .iter()
            .filter_map(|kind| kind.attribute("type"))
            .collect()
    });
    kinds.unwrap_or_default()
}

#[tokio::test]
async fn scram_logs_in_by_each_hash_and_each_channel_binding() -> Result<()> {
    let place = Place::new().await?;
    for hash in Hash::ALL {
        for (tls, plus, flag) in [
            (&place.new, true, "p=tls-exporter"),
            (&place.new, true, "p=tls-server-end-point"),
            (&place.old, true, "p=tls-server-end-point"),
            (&place.new, false, "n"),
            (&place.old, false, "n"),
        ] {
            let (mut peer, _) = place.open(tls).await?;
            let binding = match flag {
                "p=tls-exporter" => exporter(&peer)?,
                "n" => Vec::new(),
                _ => place.end_point.clone(),
            };
            let outcome = login(hash, plus, flag, binding).run(&mut peer).await?;
            ensure!(
                outcome.answer.name == "success",
                "{hash:?} {flag}: {}",
                outcome.answer
            );
            peer.open().await?;
            peer.bind("desk").await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_channel_binding_of_another_channel_is_refused() -> Result<()> {
    let place = Place::new().await?;
    for hash in Hash::ALL {
        let (other, _) = place.open(&place.new).await?;
        let mut damaged = place.end_point.clone();
        damaged[0] ^= 1;
        for (flag, binding) in [
            ("p=tls-exporter", exporter(&other)?),
            ("p=tls-exporter", Vec::new()),
            ("p=tls-server-end-point", damaged),
            // The one kind in the place of the other.
            ("p=tls-exporter", place.end_point.clone()),
        ] {
            let (mut peer, _) = place.open(&place.new).await?;
            let answer = login(hash, true, flag, binding)
                .run(&mut peer)
                .await?
                .answer;
            ensure!(answer.name == "failure", "{hash:?} {flag}: {answer}");
        }
    }
    Ok(())
}

// RFC 5802 §6: somebody between the two has taken -PLUS out of the list.
#[tokio::test]
async fn a_client_that_saw_no_plus_where_it_was_offered_is_refused() -> Result<()> {
    let place = Place::new().await?;
    for tls in [&place.new, &place.old] {
        let (mut peer, features) = place.open(tls).await?;
        ensure!(
            mechanisms(&features)
                .iter()
                .any(|name| name.ends_with("-PLUS")),
            "{features}"
        );
        let answer = login(Hash::Sha256, false, "y", Vec::new())
            .run(&mut peer)
            .await?
            .answer;
        ensure!(answer.name == "failure", "{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn flag_and_mechanism_have_to_agree() -> Result<()> {
    let place = Place::new().await?;
    for (plus, flag) in [
        (true, "n"),
        (true, "y"),
        (false, "p=tls-exporter"),
        (true, "p=tls-unique"),
    ] {
        let (mut peer, _) = place.open(&place.new).await?;
        let binding = if flag.starts_with('p') {
            exporter(&peer)?
        } else {
            Vec::new()
        };
        let answer = login(Hash::Sha256, plus, flag, binding)
            .run(&mut peer)
            .await?
            .answer;
        ensure!(answer.name == "failure", "{plus} {flag}: {answer}");
    }
    Ok(())
}

// RFC 9266 §4.2
#[tokio::test]
async fn the_types_of_binding_announced_are_those_that_the_version_of_tls_has() -> Result<()> {
    let place = Place::new().await?;
    let (_, features) = place.open(&place.new).await?;
    ensure!(
        binding_types(&features) == ["tls-exporter", "tls-server-end-point"],
        "{features}"
    );
    let (mut peer, features) = place.open(&place.old).await?;
    ensure!(
        binding_types(&features) == ["tls-server-end-point"],
        "{features}"
    );
    let exported = exporter(&peer)?;
    let answer = login(Hash::Sha256, true, "p=tls-exporter", exported)
        .run(&mut peer)
        .await?
        .answer;
    ensure!(answer.name == "failure", "{answer}");
    Ok(())
}

#[tokio::test]
async fn without_tls_no_binding_is_offered_and_none_taken() -> Result<()> {
    let place = Place::new().await?;
    let mut peer = Peer::connect(&place.house, "localhost").await?;
    let features = peer.open().await?;
    let offered = mechanisms(&features);
    ensure!(
        offered.iter().any(|name| name == "SCRAM-SHA-512"),
        "{features}"
    );
    ensure!(
        !offered.iter().any(|name| name.ends_with("-PLUS")),
        "{features}"
    );
    ensure!(binding_types(&features).is_empty(), "{features}");
    let plus = login(
        Hash::Sha256,
        true,
        "p=tls-server-end-point",
        place.end_point.clone(),
    );
    let answer = plus.run(&mut peer).await?.answer;
    ensure!(answer.child("invalid-mechanism").is_some(), "{answer}");
    // A client that could bind and was offered nothing is right to say so.
    let answer = login(Hash::Sha512, false, "y", Vec::new())
        .run(&mut peer)
        .await?
        .answer;
    ensure!(answer.name == "success", "{answer}");
    Ok(())
}
