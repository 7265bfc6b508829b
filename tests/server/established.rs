//! Streams to other servers that are there already, and then break or are not read any more: the other server is a
//! socket in the hands of the test.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Result, ensure};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;

use crate::authority::{Authority, serving};
use crate::dns::{Entry, TestDns};
use crate::federation::{A, B, message, server, session, tell, tell_port};
use crate::house::PATIENCE;
use crate::peer::{Peer, body, chat};
use crate::xml::STREAMS;

/// The domain of the socket.
const C: &str = "c.example";

const MANAGEMENT: &str = "<sm xmlns='urn:xmpp:sm:3'/>";

/// Where streams for [`C`] arrive.
struct Socket {
    listener: TcpListener,
    tls: Arc<ServerConfig>,
}

impl Socket {
    /// With little room for what is not read yet.
    fn open(names: &TestDns, authority: &Authority) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(8)?;
        tell_port(names, Entry::DirectTls, C, listener.local_addr()?.port());
        let tls = serving(&authority.server(C)?)?;
        Ok(Self { listener, tls })
    }

    /// The next stream, taken by certificate; its features are those.
    async fn takes(&self, features: &str) -> Result<Peer> {
        let (socket, _) = timeout(PATIENCE, self.listener.accept()).await??;
        let mut peer = Peer::over(socket, C)?;
        peer.serve(&self.tls).await?;
        let external = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\
                        <mechanism>EXTERNAL</mechanism></mechanisms>";
        answers(&mut peer, "1", external).await?;
        let auth = peer.element().await?;
        ensure!(auth.name == "auth", "{auth}");
        peer.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
            .await?;
        answers(&mut peer, "2", features).await?;
        Ok(peer)
    }

    /// The same with stream management (XEP-0198 §3).
    async fn takes_and_counts(&self) -> Result<Peer> {
        let mut peer = self.takes(MANAGEMENT).await?;
        let enable = peer.element().await?;
        ensure!(enable.name == "enable", "{enable}");
        peer.send("<enabled xmlns='urn:xmpp:sm:3'/>").await?;
        Ok(peer)
    }
}

async fn answers(peer: &mut Peer, id: &str, features: &str) -> Result<()> {
    let header = peer.is_opened().await?;
    ensure!(header.attribute("to") == Some(C), "{header}");
    peer.send(&format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='{STREAMS}' from='{C}' to='{A}' \
         id='{id}' version='1.0'><stream:features>{features}</stream:features>"
    ))
    .await
}

/// The ids of the next messages, up to one and the question that follows it.
async fn ids_up_to(peer: &mut Peer, last: &str) -> Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let node = peer.element().await?;
        match node.name.as_str() {
            "message" => ids.extend(node.attribute("id").map(str::to_owned)),
            "r" if ids.last().is_some_and(|id| id == last) => return Ok(ids),
            _ => {}
        }
    }
}

/// XEP-0198 §4: what another server has not acknowledged when the connection breaks is sent on the next one, in order, and what
/// it has acknowledged is not.
#[tokio::test]
async fn what_is_not_acknowledged_comes_again_over_the_next_connection() -> Result<()> {
    let names = TestDns::start().await?;
    let authority = Authority::new("everybody's")?;
    let a = server(&names, A, &authority, &authority, "").await?;
    let socket = Socket::open(&names, &authority)?;
    let mut here = session(&a, A).await?;
    for id in ["m1", "m2", "m3", "m4", "m5"] {
        here.send(&chat("x@c.example", id, "hello")).await?;
    }
    let mut first = socket.takes_and_counts().await?;
    let ids = ids_up_to(&mut first, "m5").await?;
    ensure!(ids == ["m1", "m2", "m3", "m4", "m5"], "{ids:?}");
    first.send("<a xmlns='urn:xmpp:sm:3' h='2'/>").await?;
    first.hang_up().await?;
    let mut second = socket.takes_and_counts().await?;
    let ids = ids_up_to(&mut second, "m5").await?;
    ensure!(ids == ["m3", "m4", "m5"], "{ids:?}");
    second.send("<a xmlns='urn:xmpp:sm:3' h='3'/>").await?;
    // What comes later goes on from there, and nothing comes back to the sender.
    here.send(&chat("x@c.example", "m6", "hello")).await?;
    let ids = ids_up_to(&mut second, "m6").await?;
    ensure!(ids == ["m6"], "{ids:?}");
    let told = here.barrier().await?;
    ensure!(told.is_empty(), "{told:?}");
    Ok(())
}

/// A server that reads no more fills its own queue, of which the senders are told; messages to others are not touched.
#[tokio::test]
async fn a_server_that_reads_no_more_slows_nobody_else() -> Result<()> {
    const MESSAGES_MAX: usize = 4_000;
    let names = TestDns::start().await?;
    let authority = Authority::new("everybody's")?;
    let limits = "queue_stanzas_max = 32\n[c2s]\nbytes_per_second_max = '64 MiB'\nburst_bytes_max = '64 MiB'";
    let a = server(&names, A, &authority, &authority, limits).await?;
    let b = server(&names, B, &authority, &authority, "").await?;
    tell(&names, Entry::StartTls, B, &b, "s2s")?;
    let socket = Socket::open(&names, &authority)?;
    let (mut here, mut there) = (session(&a, A).await?, session(&b, B).await?);
    here.send(&chat("x@c.example", "first", "hello")).await?;
    let mut other = socket.takes("").await?;
    let first = other.element().await?;
    ensure!(first.attribute("id") == Some("first"), "{first}");
    // From now on it does not read.
    let long = "x".repeat(8 * 1024);
    let mut refused = None;
    for batch in 0..MESSAGES_MAX / 40 {
        for number in 0..40 {
            let id = format!("c{batch}-{number}");
            here.send(&chat("x@c.example", &id, &long)).await?;
        }
        let told = here.barrier().await?;
        refused = told.into_iter().find(|it| it.name == "message");
        if refused.is_some() {
            break;
        }
    }
    let refused = refused.map(|it| it.to_string()).unwrap_or_default();
    ensure!(refused.contains("resource-constraint"), "{refused}");
    // The way to the others is as free as before, in both directions.
    here.send(&chat("romeo@b.example", "free", "hello")).await?;
    ensure!(body(&message(&mut there, "free").await?) == "hello");
    there
        .send(&chat("romeo@a.example", "back", "hello"))
        .await?;
    ensure!(body(&message(&mut here, "back").await?) == "hello");
    Ok(())
}
