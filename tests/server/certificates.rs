//! Which certificate is served, and when it is renewed.

use anyhow::{Context as _, Result, ensure};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::authority::{ANY, Authority, Issued, client};
use crate::house::House;
use crate::peer::{PASSWORD, Peer, body, chat};

/// What a new connection to `domain` is shown.
async fn shown(
    house: &House,
    authority: &Authority,
    domain: &str,
) -> Result<CertificateDer<'static>> {
    let tls = client(&authority.pem(), None, ANY)?;
    let direct = Peer::direct(house, domain, &tls).await?;
    let starttls = Peer::starttls(house, domain, &tls).await?;
    let leaf = |peer: &Peer| -> Result<CertificateDer<'static>> {
        let chain = peer.tls()?.peer_certificates().context("no certificate")?;
        Ok(chain
            .first()
            .context("an empty chain")?
            .clone()
            .into_owned())
    };
    let (direct, starttls) = (leaf(&direct)?, leaf(&starttls)?);
    ensure!(
        direct == starttls,
        "the listeners show different certificates"
    );
    Ok(direct)
}

/// Files in the folder that the configuration names.
struct Files(House);

impl Files {
    async fn serving(first: &Issued, reload_seconds: u32) -> Result<Self> {
        let mut house = House::with(&format!(
            "[tls]\ncertificate = 'leaf.pem'\nkey = 'leaf.key'\nreload_seconds = {reload_seconds}"
        ))?;
        first.write(&house.path("leaf.pem"), &house.path("leaf.key"))?;
        house.start().await?;
        Ok(Self(house))
    }

    fn renew(&self, issued: &Issued) -> Result<()> {
        issued.write(&self.0.path("leaf.pem"), &self.0.path("leaf.key"))
    }
}

#[tokio::test]
async fn a_hangup_signal_brings_renewed_certificates_to_new_connections() -> Result<()> {
    let authority = Authority::new("servers")?;
    let (first, second) = (
        authority.server("localhost")?,
        authority.server("localhost")?,
    );
    let files = Files::serving(&first, 0).await?;
    let house = &files.0;
    ensure!(shown(house, &authority, "localhost").await? == first.der()?);
    let tls = client(&authority.pem(), None, ANY)?;
    let mut old = Peer::direct(house, "localhost", &tls).await?;
    files.renew(&second)?;
    ensure!(
        shown(house, &authority, "localhost").await? == first.der()?,
        "renewed unasked"
    );
    house.signal("HUP").await?;
    house.logs("certificate loaded", 1).await?;
    ensure!(shown(house, &authority, "localhost").await? == second.der()?);
    // Who is connected stays so.
    old.open().await?;
    Ok(())
}

#[tokio::test]
async fn renewed_files_are_noticed_without_a_signal() -> Result<()> {
    let authority = Authority::new("servers")?;
    let (first, second) = (
        authority.server("localhost")?,
        authority.server("localhost")?,
    );
    let files = Files::serving(&first, 1).await?;
    files.renew(&second)?;
    files.0.logs("certificate loaded", 1).await?;
    ensure!(shown(&files.0, &authority, "localhost").await? == second.der()?);
    Ok(())
}

#[tokio::test]
async fn a_broken_file_leaves_the_certificate_in_use() -> Result<()> {
    let authority = Authority::new("servers")?;
    let first = authority.server("localhost")?;
    let files = Files::serving(&first, 0).await?;
    for (number, broken) in [
        "",
        "-----BEGIN CERTIFICATE-----\nMIIB",
        &authority.server("localhost")?.certificate,
    ]
    .into_iter()
    .enumerate()
    {
        std::fs::write(files.0.path("leaf.pem"), broken)?;
        files.0.signal("HUP").await?;
        files.0.logs("certificate not loaded", number + 1).await?;
        ensure!(
            shown(&files.0, &authority, "localhost").await? == first.der()?,
            "{broken:?}"
        );
    }
    Ok(())
}

/// Two hosts with a certificate each, and an account of the same name.
async fn two_hosts(authority: &Authority) -> Result<(House, [Issued; 2])> {
    let certificates = [
        authority.server("one.example")?,
        authority.server("two.example")?,
    ];
    let mut house = House::with(
        "[[host]]\ndomain = 'one.example'\ncertificate = 'one.pem'\nkey = 'one.key'
         [[host]]\ndomain = 'two.example'\ncertificate = 'two.pem'\nkey = 'two.key'",
    )?;
    certificates[0].write(&house.path("one.pem"), &house.path("one.key"))?;
    certificates[1].write(&house.path("two.pem"), &house.path("two.key"))?;
    for (account, password) in [
        ("anna@one.example", "one's password"),
        ("anna@two.example", "two's password"),
        ("bert@two.example", PASSWORD),
    ] {
        house
            .ask(&["account", "add", account, "--password", password])
            .await?;
    }
    house.start().await?;
    Ok((house, certificates))
}

#[tokio::test]
async fn each_host_is_served_with_its_own_certificate() -> Result<()> {
    let authority = Authority::new("servers")?;
    let (house, certificates) = two_hosts(&authority).await?;
    for (domain, certificate) in ["one.example", "two.example"].iter().zip(&certificates) {
        ensure!(
            shown(&house, &authority, domain).await? == certificate.der()?,
            "{domain}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn hosts_of_one_server_have_separate_accounts() -> Result<()> {
    let (house, _) = two_hosts(&Authority::new("servers")?).await?;
    let mut one = Peer::connect(&house, "one.example").await?;
    one.open().await?;
    for (user, password) in [("anna", "two's password"), ("bert", PASSWORD)] {
        let answer = one
            .authenticate("PLAIN", format!("\0{user}\0{password}").as_bytes())
            .await?;
        ensure!(answer.child("not-authorized").is_some(), "{user}: {answer}");
    }
    let jid = one.log_in("anna", "one's password", "desk").await?;
    ensure!(jid == "anna@one.example/desk", "{jid}");
    one.send("<presence/>").await?;
    one.barrier().await?;

    let mut two = Peer::connect(&house, "two.example").await?;
    two.open().await?;
    two.log_in("anna", "two's password", "desk").await?;
    two.send("<presence/>").await?;
    two.send(&chat("anna@one.example", "m", "across")).await?;
    let message = one.until(|node| node.name == "message").await?;
    ensure!(body(&message) == "across", "{message}");
    ensure!(
        message.attribute("from") == Some("anna@two.example/desk"),
        "{message}"
    );
    one.send(&chat("anna@two.example/desk", "n", "and back"))
        .await?;
    let message = two.until(|node| node.name == "message").await?;
    ensure!(body(&message) == "and back", "{message}");
    Ok(())
}

// RFC 6120 §4.9.3.6
#[tokio::test]
async fn a_stream_cannot_change_hosts_after_authentication() -> Result<()> {
    let (house, _) = two_hosts(&Authority::new("servers")?).await?;
    let mut peer = Peer::connect(&house, "one.example").await?;
    peer.open().await?;
    let answer = peer
        .authenticate("PLAIN", b"\0anna\0one's password")
        .await?;
    ensure!(answer.name == "success", "{answer}");
    peer.restart("two.example").await?;
    let end = peer.end().await?;
    ensure!(end.as_deref() == Some("host-unknown"), "{end:?}");
    Ok(())
}
