//! Peers that are slow, silent, or do not speak the protocol.

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::authority::{ANY, client, repository_authority};
use crate::house::{House, PATIENCE};
use crate::peer::{Arrival, PASSWORD, Peer, Presence, header};

const PEOPLE: [(&str, &str); 2] = [
    ("romeo@localhost", PASSWORD),
    ("juliet@localhost", PASSWORD),
];

/// A server that gives a connection one second to log in.
async fn hasty() -> Result<House> {
    House::serving("[c2s]\nnegotiation_timeout_seconds = 1", &PEOPLE).await
}

/// Reads to the end of the connection, however it ends.
async fn drained(socket: &mut TcpStream) -> Result<Vec<u8>> {
    let mut read = Vec::new();
    let _reset = timeout(PATIENCE, socket.read_to_end(&mut read)).await?;
    Ok(read)
}

// RFC 6120 §4.9.1.2: the error comes within a stream.
#[tokio::test]
async fn a_peer_that_says_nothing_is_closed_with_connection_timeout() -> Result<()> {
    let house = hasty().await?;
    let mut peer = Peer::connect(&house, "localhost").await?;
    ensure!(
        matches!(peer.next().await?, Arrival::Header(_)),
        "no header"
    );
    let end = peer.end().await?;
    ensure!(end.as_deref() == Some("connection-timeout"), "{end:?}");
    Ok(())
}

#[tokio::test]
async fn a_peer_that_stops_in_the_middle_is_closed_with_connection_timeout() -> Result<()> {
    let house = hasty().await?;
    let mut peer = Peer::connect(&house, "localhost").await?;
    peer.open().await?;
    let end = peer.end().await?;
    ensure!(
        end.as_deref() == Some("connection-timeout"),
        "before login: {end:?}"
    );

    let mut peer = Peer::connect(&house, "localhost").await?;
    peer.open().await?;
    let answer = peer
        .authenticate("PLAIN", format!("\0romeo\0{PASSWORD}").as_bytes())
        .await?;
    ensure!(answer.name == "success", "{answer}");
    peer.open().await?;
    let end = peer.end().await?;
    ensure!(
        end.as_deref() == Some("connection-timeout"),
        "before binding: {end:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_peer_that_trickles_gains_no_time() -> Result<()> {
    let house = hasty().await?;
    let mut peer = Peer::connect(&house, "localhost").await?;
    let text = header("localhost");
    let (mut reader, mut writer) = peer.raw()?.split();
    let trickle = async {
        for byte in text.bytes().chain(std::iter::repeat(b' ')) {
            writer.write_all(&[byte]).await?;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Ok::<_, std::io::Error>(())
    };
    let mut read = Vec::new();
    tokio::select! {
        _gone = trickle => {}
        _reset = reader.read_to_end(&mut read) => {}
        () = tokio::time::sleep(PATIENCE) => anyhow::bail!("it is still served"),
    }
    let read = String::from_utf8_lossy(&read);
    ensure!(
        read.is_empty() || read.contains("connection-timeout"),
        "{read}"
    );
    Ok(())
}

#[tokio::test]
async fn a_tls_handshake_that_does_not_end_is_given_up() -> Result<()> {
    let house = hasty().await?;
    // A ClientHello is announced, and does not come.
    let mut socket = TcpStream::connect(house.address("c2s_direct_tls")?).await?;
    socket.write_all(&[22, 3, 1, 2, 0, 1]).await?;
    drained(&mut socket).await?;

    let mut peer = Peer::connect(&house, "localhost").await?;
    peer.open().await?;
    peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        .await?;
    ensure!(peer.element().await?.name == "proceed");
    ensure!(peer.next().await? == Arrival::Disconnected);
    Ok(())
}

// RFC 6120 §5.4.3.3: what an attacker put in before the handshake would count as the client's.
#[tokio::test]
async fn what_is_pipelined_behind_starttls_is_never_taken() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let mut peer = Peer::connect(&house, "localhost").await?;
    peer.open().await?;
    let injected = header("localhost");
    peer.send(&format!(
        "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>{injected}"
    ))
    .await?;
    loop {
        match peer.next().await? {
            Arrival::Element(node) => ensure!(node.name == "proceed", "{node}"),
            Arrival::Disconnected => break,
            other => anyhow::bail!("the injected header is answered: {other:?}"),
        }
    }
    // And the next one is served.
    let tls = client(&repository_authority()?, None, ANY)?;
    Peer::starttls(&house, "localhost", &tls)
        .await?
        .open()
        .await?;
    Ok(())
}

#[tokio::test]
async fn garbage_on_the_tls_port_ends_that_connection_only() -> Result<()> {
    let house = House::serving("", &PEOPLE).await?;
    let tls = client(&repository_authority()?, None, ANY)?;
    let mut bystander = Peer::direct(&house, "localhost", &tls).await?;
    bystander.open().await?;
    bystander.log_in("juliet", PASSWORD, "desk").await?;
    for garbage in [
        header("localhost").into_bytes(),
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
        vec![0; 4096],
        vec![0xff; 4096],
        [&[22, 3, 1, 0, 100, 1, 0, 0, 96][..], &[7; 96]].concat(),
    ] {
        let mut socket = TcpStream::connect(house.address("c2s_direct_tls")?).await?;
        socket.write_all(&garbage).await?;
        let read = drained(&mut socket).await?;
        ensure!(
            !String::from_utf8_lossy(&read).contains("stream"),
            "answered in the clear"
        );
        bystander.barrier().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_client_that_is_silent_is_asked_and_then_given_up() -> Result<()> {
    let house = House::serving("[c2s]\nidle_seconds = 1\nidle_answer_seconds = 1", &PEOPLE).await?;
    let mut silent = Peer::session(&house, "romeo", Presence::Silent).await?;
    let mut there = Peer::session(&house, "juliet", Presence::Silent).await?;
    let answers = async {
        // Who answers stays, however often it is asked.
        for _ in 0..3 {
            let ping = there.until(|node| node.child("ping").is_some()).await?;
            let id = ping.attribute("id").unwrap_or_default();
            there
                .send(&format!("<iq type='result' id='{id}' to='localhost'/>"))
                .await?;
        }
        there.barrier().await
    };
    let is_given_up = async {
        let ping = silent.element().await?;
        ensure!(ping.child("ping").is_some(), "{ping}");
        let end = silent.end().await?;
        ensure!(end.as_deref() == Some("connection-timeout"), "{end:?}");
        Ok(())
    };
    let (answered, given_up) = tokio::join!(answers, is_given_up);
    answered?;
    given_up
}
