//! Two servers and a name server of the test: what they exchange, how they know each other, and what
//! the sender is told when they do not.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context as _, Result, ensure};
use tokio::net::TcpStream;

use crate::authority::Authority;
use crate::dns::{Entry, TestDns};
use crate::house::House;
use crate::peer::{PASSWORD, Peer, Presence, body, chat};

/// From now on that service of the domain is where `listener` of the house listens.
pub(crate) fn tell(
    names: &TestDns,
    entry: Entry,
    domain: &str,
    house: &House,
    listener: &str,
) -> Result<()> {
    tell_port(names, entry, domain, house.address(listener)?.port());
    Ok(())
}

pub(crate) fn tell_port(names: &TestDns, entry: Entry, domain: &str, port: u16) {
    names.serves(
        domain,
        entry,
        &[SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)],
    );
}

/// A server for a domain, whose certificate `authority` has signed, which trusts what `trusted` has.
pub(crate) async fn server(
    names: &TestDns,
    domain: &str,
    authority: &Authority,
    trusted: &Authority,
    s2s: &str,
) -> Result<House> {
    let folder = tempfile::tempdir()?.keep();
    let path = |name: &str| folder.join(name);
    authority
        .server(domain)?
        .write(&path("chain.pem"), &path("key.pem"))?;
    std::fs::write(path("trusted.pem"), trusted.pem())?;
    let config = format!(
        "[[host]]
         domain = '{domain}'
         [listen]
         s2s = ['127.0.0.1:0']
         s2s_direct_tls = ['127.0.0.1:0']
         [tls]
         certificate = {chain:?}
         key = {key:?}
         [s2s]
         enabled = true
         authorities = {authorities:?}
         name_server = '{name_server}'
         backoff_seconds_min = 0
         {s2s}
         ",
        chain = path("chain.pem"),
        key = path("key.pem"),
        authorities = path("trusted.pem"),
        name_server = names.address(),
    );
    let romeo = format!("romeo@{domain}");
    let house = House::serving(&config, &[(&romeo, PASSWORD)]).await;
    std::fs::remove_dir_all(&folder)?;
    house
}

pub(crate) async fn session(house: &House, domain: &str) -> Result<Peer> {
    let mut peer = Peer::connect(house, domain).await?;
    peer.begin("romeo", Presence::Available).await?;
    peer.barrier().await?;
    Ok(peer)
}

pub(crate) async fn message(peer: &mut Peer, id: &str) -> Result<crate::xml::Node> {
    peer.until(|node| node.name == "message" && node.attribute("id") == Some(id))
        .await
}

/// The condition of the error that comes back for that message.
pub(crate) async fn refusal(peer: &mut Peer, id: &str) -> Result<String> {
    let node = message(peer, id).await?;
    ensure!(node.attribute("type") == Some("error"), "{node}");
    let error = node.child("error").context("no error")?;
    let condition = error.children.first().context("no condition")?;
    Ok(condition.name.clone())
}

pub(crate) const A: &str = "a.example";
pub(crate) const B: &str = "b.example";

// XEP-0178, XEP-0288, XEP-0198, RFC 6121 §3 and §4.3
#[tokio::test]
async fn two_servers_with_certificates_exchange_messages_presence_and_requests() -> Result<()> {
    let names = TestDns::start().await?;
    let authority = Authority::new("everybody's")?;
    let a = server(&names, A, &authority, &authority, "").await?;
    let b = server(&names, B, &authority, &authority, "").await?;
    tell(&names, Entry::StartTls, A, &a, "s2s")?;
    tell(&names, Entry::StartTls, B, &b, "s2s")?;
    let (mut here, mut there) = (session(&a, A).await?, session(&b, B).await?);
    here.send(&chat("romeo@b.example", "m1", "hello")).await?;
    let hello = message(&mut there, "m1").await?;
    ensure!(body(&hello) == "hello", "{hello}");
    ensure!(
        hello.attribute("from") == Some("romeo@a.example/desk"),
        "{hello}"
    );
    there
        .send(&chat("romeo@a.example", "m2", "welcome"))
        .await?;
    ensure!(body(&message(&mut here, "m2").await?) == "welcome");
    // Both directions went over the one connection (XEP-0288).
    a.logs("stream established", 1).await?;
    ensure!(!b.log().contains("stream established"), "{}", b.log());

    let ping = "<iq type='get' id='p' to='b.example'><ping xmlns='urn:xmpp:ping'/></iq>";
    here.send(ping).await?;
    let pong = here.until(|node| node.attribute("id") == Some("p")).await?;
    ensure!(pong.attribute("type") == Some("result"), "{pong}");

    here.send("<presence type='subscribe' to='romeo@b.example'/>")
        .await?;
    there
        .until(|node| node.attribute("type") == Some("subscribe"))
        .await?;
    there
        .send("<presence type='subscribed' to='romeo@a.example'/>")
        .await?;
    let seen = |node: &crate::xml::Node| {
        node.name == "presence" && node.attribute("from") == Some("romeo@b.example/desk")
    };
    here.until(seen).await?;
    drop(here);
    // Probed at the next login (RFC 6121 §4.3).
    let mut here = Peer::connect(&a, A).await?;
    here.begin("romeo", Presence::Available).await?;
    here.until(seen).await?;
    drop(there);
    let gone = here.until(seen).await?;
    ensure!(gone.attribute("type") == Some("unavailable"), "{gone}");
    Ok(())
}

// XEP-0368
#[tokio::test]
async fn tls_may_begin_with_the_first_byte() -> Result<()> {
    let names = TestDns::start().await?;
    let authority = Authority::new("everybody's")?;
    let a = server(&names, A, &authority, &authority, "").await?;
    let b = server(&names, B, &authority, &authority, "").await?;
    tell(&names, Entry::DirectTls, B, &b, "s2s_direct_tls")?;
    let (mut here, mut there) = (session(&a, A).await?, session(&b, B).await?);
    here.send(&chat("romeo@b.example", "m1", "hello")).await?;
    ensure!(body(&message(&mut there, "m1").await?) == "hello");
    Ok(())
}

// XEP-0220
#[tokio::test]
async fn without_a_valid_certificate_only_dialback_helps() -> Result<()> {
    for (dialback, expected) in [("false", Some("remote-server-not-found")), ("true", None)] {
        let names = TestDns::start().await?;
        let (one, other) = (Authority::new("one")?, Authority::new("other")?);
        let s2s = format!("dialback = {dialback}");
        let a = server(&names, A, &one, &one, &s2s).await?;
        let b = server(&names, B, &other, &other, &s2s).await?;
        tell(&names, Entry::StartTls, A, &a, "s2s")?;
        tell(&names, Entry::StartTls, B, &b, "s2s")?;
        let (mut here, mut there) = (session(&a, A).await?, session(&b, B).await?);
        here.send(&chat("romeo@b.example", "m1", "hello")).await?;
        match expected {
            Some(condition) => {
                ensure!(refusal(&mut here, "m1").await? == condition);
                a.logs("step=Certificate", 1).await?;
            }
            None => {
                ensure!(body(&message(&mut there, "m1").await?) == "hello");
                there.send(&chat("romeo@a.example", "m2", "hi")).await?;
                ensure!(body(&message(&mut here, "m2").await?) == "hi");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn who_cannot_be_reached_costs_the_others_nothing() -> Result<()> {
    let names = TestDns::start().await?;
    let authority = Authority::new("everybody's")?;
    let a = server(
        &names,
        A,
        &authority,
        &authority,
        "deny = ['denied.example']",
    )
    .await?;
    let b = server(
        &names,
        B,
        &authority,
        &authority,
        "deny = ['other.example']",
    )
    .await?;
    tell(&names, Entry::StartTls, B, &b, "s2s")?;
    // It takes connections and never says a word.
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = silent.local_addr()?.port();
    tell_port(&names, Entry::StartTls, "silent.example", port);
    let (mut here, mut there) = (session(&a, A).await?, session(&b, B).await?);
    here.send(&chat("x@silent.example", "m0", "hello")).await?;
    let _held: (TcpStream, _) = silent.accept().await?;
    here.send(&chat("x@nowhere.example", "m1", "hello")).await?;
    ensure!(refusal(&mut here, "m1").await? == "remote-server-not-found");
    here.send(&chat("x@denied.example", "m2", "hello")).await?;
    ensure!(refusal(&mut here, "m2").await? == "remote-server-not-found");
    here.send(&chat("romeo@b.example", "m3", "hello")).await?;
    ensure!(body(&message(&mut there, "m3").await?) == "hello");
    here.send(&chat("nobody@b.example", "m4", "hello")).await?;
    ensure!(refusal(&mut here, "m4").await? == "service-unavailable");
    // The other server is gone: what was sent to it comes back.
    b.signal("KILL").await?;
    drop(b);
    here.send(&chat("romeo@b.example", "m5", "hello")).await?;
    ensure!(refusal(&mut here, "m5").await? == "remote-server-timeout");
    Ok(())
}
