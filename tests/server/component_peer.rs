//! A component that does what a test says (XEP-0114), on the same connection as other peers.

use anyhow::{Context as _, Result, bail, ensure};

use crate::component::handshake;
pub(crate) use crate::component::{COMPONENT, header};
use crate::house::House;
use crate::peer::{Arrival, Peer};
use crate::xml::Node;

/// The domain of the component in most tests, and what it proves itself with.
pub(crate) const BOT: &str = "bot.localhost";
pub(crate) const SECRET: &str = "honey-tongued Boyet";

/// The configuration of [`BOT`], with more keys.
pub(crate) fn configured(more: &str) -> String {
    format!(
        "[listen]\ncomponent = ['127.0.0.1:0']\n\
         [[component]]\ndomain = '{BOT}'\nsecret = '{SECRET}'\n{more}"
    )
}

/// A connection to the listener of components, without a word said.
pub(crate) async fn dial(house: &House) -> Result<Peer> {
    Peer::narrow_at(house, "component", "localhost").await
}

/// Sends a header and returns the id of the server's.
pub(crate) async fn open(peer: &mut Peer, domain: &str) -> Result<String> {
    peer.send(&header(domain)).await?;
    match peer.next().await? {
        Arrival::Header(node) => {
            ensure!(node.attribute("from") == Some(domain), "{node}");
            ensure!(node.attribute("version").is_none(), "{node}");
            Ok(node.attribute("id").context("no id")?.to_owned())
        }
        other => bail!("expected a header, found {other:?}"),
    }
}

/// Proves that the component knows the secret.
pub(crate) async fn prove(peer: &mut Peer, id: &str, secret: &str) -> Result<()> {
    peer.send(&handshake(id, secret)).await
}

/// [`BOT`], connected.
pub(crate) async fn bot(house: &House) -> Result<Peer> {
    let mut peer = dial(house).await?;
    let id = open(&mut peer, BOT).await?;
    prove(&mut peer, &id, SECRET).await?;
    let done = peer.element().await?;
    ensure!(done.name == "handshake" && done.text.is_empty(), "{done}");
    Ok(peer)
}

/// What arrives before the answer to a ping that is sent now.
pub(crate) async fn barrier(peer: &mut Peer, id: &str) -> Result<Vec<Node>> {
    let ping = "<ping xmlns='urn:xmpp:ping'/>";
    peer.send(&format!(
        "<iq from='{BOT}' to='localhost' type='get' id='{id}'>{ping}</iq>"
    ))
    .await?;
    let mut before = Vec::new();
    loop {
        let node = peer.element().await?;
        if node.attribute("id") == Some(id) {
            ensure!(node.ns == COMPONENT, "{node}");
            return Ok(before);
        }
        before.push(node);
    }
}

/// The condition of a stanza of type error.
pub(crate) fn condition(node: &Node) -> String {
    let error = node.child("error").and_then(|error| error.children.first());
    error.map(|it| it.name.clone()).unwrap_or_default()
}
