//! A server that is a socket in the hands of a test: it says what the test says, as whoever it likes.

use std::net::SocketAddr;

use anyhow::{Result, bail, ensure};
use tokio::net::TcpStream;

use crate::authority::{ANY, Authority, client};
use crate::identity::Identity;
use crate::peer::{Arrival, Peer, mechanisms};
use crate::xml::{Node, STREAMS};

/// Where a server takes other servers.
pub(crate) struct Door<'a> {
    pub(crate) at: SocketAddr,
    pub(crate) domain: &'static str,
    pub(crate) authority: &'a Authority,
}

/// The header of a stream between servers, with the namespace of dialback (XEP-0220 §2.1.1).
pub(crate) fn header(from: &str, to: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' \
         xmlns:db='jabber:server:dialback' xmlns:stream='{STREAMS}' from='{from}' to='{to}' \
         version='1.0'>"
    )
}

/// Opens a stream and reads its features.
pub(crate) async fn open(peer: &mut Peer, from: &str, to: &str) -> Result<Node> {
    peer.restart_with(&header(from, to)).await?;
    match peer.next().await? {
        Arrival::Header(_) => peer.element().await,
        other => bail!("expected a header, found {other:?}"),
    }
}

impl Door<'_> {
    /// Connects without TLS.
    pub(crate) async fn connected(&self) -> Result<Peer> {
        Peer::over(TcpStream::connect(self.at).await?, self.domain)
    }

    /// Connects as `from` by STARTTLS, with a certificate that may be wrong; gives the features
    /// of the stream within TLS too.
    pub(crate) async fn secured(&self, from: &str, identity: Identity) -> Result<(Peer, Node)> {
        let mut peer = self.connected().await?;
        let features = open(&mut peer, from, self.domain).await?;
        ensure!(features.child("starttls").is_some(), "{features}");
        peer.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            .await?;
        let answer = peer.element().await?;
        ensure!(answer.name == "proceed", "{answer}");
        let own = identity.issue(self.authority, from)?;
        peer.secure(&client(&self.authority.pem(), Some(&own), ANY)?)
            .await?;
        let features = open(&mut peer, from, self.domain).await?;
        Ok((peer, features))
    }

    /// Connects and proves by its certificate that it is the server of `from` (XEP-0178 §3).
    pub(crate) async fn proven(&self, from: &str) -> Result<Peer> {
        let (mut peer, features) = self.secured(from, Identity::Valid).await?;
        ensure!(mechanisms(&features) == ["EXTERNAL"], "{features}");
        let answer = peer.authenticate("EXTERNAL", b"").await?;
        ensure!(answer.name == "success", "{answer}");
        open(&mut peer, from, self.domain).await?;
        Ok(peer)
    }
}
