//! SCRAM with and without channel binding (RFC 5802, RFC 9266, RFC 5929, XEP-0440), by each hash and
//! version of TLS.

use std::sync::Arc;

use anyhow::{Result, ensure};
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
    }
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
