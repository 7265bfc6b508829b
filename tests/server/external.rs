//! SASL EXTERNAL with a client certificate (XEP-0178 §2).

use std::sync::Arc;

use anyhow::{Result, ensure};
use tokio_rustls::rustls::ClientConfig;

use crate::authority::{ANY, Authority, client, repository_authority};
use crate::house::House;
use crate::peer::{PASSWORD, Peer, mechanisms};

/// A server that takes client certificates of an authority.
async fn house(authority: &Authority) -> Result<House> {
    let people = [("anna@localhost", PASSWORD), ("bert@localhost", PASSWORD)];
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), authority.pem())?;
    let config = format!("[tls]\nclient_ca = {:?}", file.path());
    // The file is read at the start.
    House::serving(&config, &people).await
}

fn showing(authority: &Authority, addresses: &[&str]) -> Result<Arc<ClientConfig>> {
    client(
        &repository_authority()?,
        Some(&authority.client(addresses)?),
        ANY,
    )
}

#[tokio::test]
async fn a_client_certificate_logs_in_over_starttls_and_direct_tls() -> Result<()> {
    let authority = Authority::new("people")?;
    let house = house(&authority).await?;
    let tls = showing(&authority, &["anna@localhost"])?;
    for (direct, authzid) in [(false, ""), (true, ""), (true, "anna@localhost")] {
        let mut peer = connect(&house, &tls, direct).await?;
        let features = peer.open().await?;
        ensure!(
            mechanisms(&features).iter().any(|name| name == "EXTERNAL"),
            "{features}"
        );
        let answer = peer.authenticate("EXTERNAL", authzid.as_bytes()).await?;
        ensure!(answer.name == "success", "{answer}");
        peer.open().await?;
        let jid = peer.bind("card").await?;
        ensure!(jid == "anna@localhost/card", "{jid}");
        peer.barrier().await?;
    }
    Ok(())
}

async fn connect(house: &House, tls: &Arc<ClientConfig>, direct: bool) -> Result<Peer> {
    if direct {
        Peer::direct(house, "localhost", tls).await
    } else {
        Peer::starttls(house, "localhost", tls).await
    }
}

#[tokio::test]
async fn a_certificate_that_names_no_account_of_the_host_is_not_offered_external() -> Result<()> {
    let authority = Authority::new("people")?;
    let house = house(&authority).await?;
    for addresses in [&["anna@elsewhere.example"][..], &["localhost"], &[]] {
        let tls = showing(&authority, addresses)?;
        let mut peer = Peer::direct(&house, "localhost", &tls).await?;
        let features = peer.open().await?;
        let offered = mechanisms(&features);
        ensure!(
            !offered.is_empty() && !offered.iter().any(|name| name == "EXTERNAL"),
            "{features}"
        );
        let answer = peer.authenticate("EXTERNAL", b"anna@localhost").await?;
        ensure!(answer.child("invalid-mechanism").is_some(), "{answer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_certificate_speaks_for_nobody_but_whom_it_names() -> Result<()> {
    let authority = Authority::new("people")?;
    let house = house(&authority).await?;
    let tls = showing(&authority, &["anna@localhost"])?;
    let mut peer = Peer::direct(&house, "localhost", &tls).await?;
    peer.open().await?;
    let answer = peer.authenticate("EXTERNAL", b"bert@localhost").await?;
    ensure!(answer.child("invalid-authzid").is_some(), "{answer}");

    // Where it names two, it has to be said who comes.
    let tls = showing(&authority, &["anna@localhost", "bert@localhost"])?;
    let mut peer = Peer::direct(&house, "localhost", &tls).await?;
    peer.open().await?;
    let answer = peer.authenticate("EXTERNAL", b"").await?;
    ensure!(answer.child("invalid-authzid").is_some(), "{answer}");
    let answer = peer.authenticate("EXTERNAL", b"bert@localhost").await?;
    ensure!(answer.name == "success", "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_taken() -> Result<()> {
    let house = house(&Authority::new("people")?).await?;
    let tls = showing(&Authority::new("strangers")?, &["anna@localhost"])?;
    // With TLS 1.3 the client learns of it with the first thing that it reads.
    let refused = match Peer::direct(&house, "localhost", &tls).await {
        Ok(mut peer) => peer.open().await.is_err(),
        Err(_) => true,
    };
    ensure!(refused, "a stranger's certificate was taken");
    Ok(())
}

#[tokio::test]
async fn a_certificate_does_not_outlive_its_account() -> Result<()> {
    let authority = Authority::new("people")?;
    let house = house(&authority).await?;
    house.ask(&["account", "disable", "anna@localhost"]).await?;
    house.ask(&["account", "remove", "bert@localhost"]).await?;
    for (address, condition) in [
        ("anna@localhost", "account-disabled"),
        ("bert@localhost", "not-authorized"),
        ("carl@localhost", "not-authorized"),
    ] {
        let tls = showing(&authority, &[address])?;
        let mut peer = Peer::direct(&house, "localhost", &tls).await?;
        peer.open().await?;
        let answer = peer.authenticate("EXTERNAL", b"").await?;
        ensure!(answer.child(condition).is_some(), "{address}: {answer}");
        // The stream is not authenticated: nothing can be bound.
        let answer = peer.ask_to_bind("card").await;
        ensure!(
            answer.is_err() || answer?.attribute("type") == Some("error"),
            "{address}"
        );
    }
    Ok(())
}
