//! Somebody with an account on one of the servers.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};

use crate::client::{Client, Transport};
use crate::judge::complaints;
use crate::login;
use crate::xml::Node;

/// Everybody's password.
pub(crate) const PASSWORD: &str = "with love's light wings";

/// How much of the talk is told when something does not come.
const TOLD_MAX: usize = 30;

/// A session that is available.
pub(crate) struct Person {
    client: Client,
    /// Came, and nobody has asked for it yet.
    waiting: Vec<Node>,
    /// The full JID.
    pub(crate) full: String,
    /// Whether the server is ours, all of whose elements are as their schemas have them.
    pub(crate) is_judged: bool,
}

#[expect(clippy::panic, reason = "a test that hears something wrong has failed")]
impl Drop for Person {
    fn drop(&mut self) {
        if std::thread::panicking() || !self.is_judged {
            return;
        }
        let heard = self.client.heard.drain(..);
        let heard = heard.map(|node| (node.to_string(), (node, self.full.clone())));
        match complaints(&heard.collect()) {
            Ok(wrong) if wrong.is_empty() => {}
            Ok(wrong) => panic!("not as the schemas have it:\n{}", wrong.join("\n")),
            Err(why) => panic!("what was heard cannot be judged: {why:#}"),
        }
    }
}

impl Person {
    /// Registers in band (XEP-0077) where the account is not there yet, and logs in.
    pub(crate) async fn arrive(at: SocketAddr, bare: &str) -> Result<Self> {
        let (user, domain) = bare.split_once('@').context("no JID")?;
        let mut client = Client::connect(user, domain, Transport::Tcp, at, b"").await?;
        let features = client.open_stream().await?;
        client
            .send(
                format!(
                    "<iq type='set' id='register' to='{domain}'><query xmlns='jabber:iq:register'>\
                     <username>{user}</username><password>{PASSWORD}</password></query></iq>"
                )
                .as_bytes(),
            )
            .await?;
        let registered = client.element().await?;
        ensure!(
            registered.attribute("type") == Some("result")
                || condition(&registered).as_deref() == Some("conflict"),
            "not registered: {registered}"
        );
        Self::begin(client, user, &features).await
    }

    /// Logs in to an account that is there.
    pub(crate) async fn log_in(at: SocketAddr, bare: &str) -> Result<Self> {
        let (user, domain) = bare.split_once('@').context("no JID")?;
        let mut client = Client::connect(user, domain, Transport::Tcp, at, b"").await?;
        let features = client.open_stream().await?;
        Self::begin(client, user, &features).await
    }

    async fn begin(mut client: Client, user: &str, features: &Node) -> Result<Self> {
        login::authenticate(&mut client, features, (user, PASSWORD), None).await?;
        client.restart_stream().await?;
        let full = client.bind(Some("desk")).await?;
        let mut person = Self {
            client,
            waiting: Vec::new(),
            full,
            is_judged: false,
        };
        // The roster is asked for, so that its changes are pushed (RFC 6121 §2.1.6).
        person.asks("", "<query xmlns='jabber:iq:roster'/>").await?;
        person.says("<presence/>").await?;
        person.settle().await?;
        Ok(person)
    }

    /// The bare JID.
    pub(crate) fn bare(&self) -> &str {
        self.full
            .split_once('/')
            .map_or(&self.full, |(bare, _)| bare)
    }

    /// Sends these stanzas.
    pub(crate) async fn says(&mut self, stanzas: &str) -> Result<()> {
        self.client.send(stanzas.as_bytes()).await
    }

    /// Sends a chat message.
    pub(crate) async fn writes(&mut self, to: &str, id: &str, body: &str) -> Result<()> {
        self.says(&format!(
            "<message type='chat' to='{to}' id='{id}'><body>{body}</body></message>"
        ))
        .await
    }

    /// Waits for a stanza; the others are kept for later questions.
    pub(crate) async fn hears(
        &mut self,
        what: &str,
        wanted: impl Fn(&Node) -> bool,
    ) -> Result<Node> {
        if let Some(place) = self.waiting.iter().position(&wanted) {
            return Ok(self.waiting.remove(place));
        }
        loop {
            let came = self.client.element().await;
            let node = came.with_context(|| format!("{what}:\n{}", self.told()))?;
            if wanted(&node) {
                return Ok(node);
            }
            self.waiting.push(node);
        }
    }

    /// Waits for a message with this body.
    pub(crate) async fn reads(&mut self, body: &str) -> Result<Node> {
        self.hears(&format!("a message that says {body:?}"), |it| {
            it.name == "message" && text(it) == Some(body) && !is_error(it)
        })
        .await
    }

    /// Waits for the error that answers the stanza with this id; returns its condition.
    pub(crate) async fn is_refused(&mut self, id: &str) -> Result<String> {
        let what = format!("an error for {id:?}");
        let error = self
            .hears(&what, |it| is_error(it) && it.attribute("id") == Some(id))
            .await?;
        condition(&error).with_context(|| format!("without a condition: {error}"))
    }

    /// Sends a request of type `get` and waits for its result.
    pub(crate) async fn asks(&mut self, to: &str, payload: &str) -> Result<Node> {
        self.requests("get", to, payload).await
    }

    /// Sends a request of type `set` and waits for its result.
    pub(crate) async fn orders(&mut self, to: &str, payload: &str) -> Result<Node> {
        self.requests("set", to, payload).await
    }

    async fn requests(&mut self, kind: &str, to: &str, payload: &str) -> Result<Node> {
        let id = format!("request-{}", self.client.transcript.len());
        let to = match to {
            "" => String::new(),
            other => format!(" to='{other}'"),
        };
        self.says(&format!("<iq type='{kind}' id='{id}'{to}>{payload}</iq>"))
            .await?;
        let answer = self
            .hears(&format!("an answer to {payload}"), |it| {
                it.name == "iq" && it.attribute("id") == Some(&id)
            })
            .await?;
        ensure!(!is_error(&answer), "{payload} is answered by {answer}");
        Ok(answer)
    }

    /// Takes in what has come so far: all that the own server had for this session before now.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        let came = self.client.until_ping().await;
        let came = came.with_context(|| format!("a ping:\n{}", self.told()))?;
        self.waiting.extend(came);
        Ok(())
    }

    /// Whether a stanza has come that nobody has asked for yet.
    pub(crate) async fn has_heard(&mut self, what: impl Fn(&Node) -> bool) -> Result<bool> {
        self.settle().await?;
        Ok(self.waiting.iter().any(what))
    }

    /// Closes the stream (RFC 6120 §4.4).
    pub(crate) async fn leaves(mut self) -> Result<()> {
        self.says("</stream:stream>").await
    }

    /// The end of what was said.
    pub(crate) fn told(&self) -> String {
        let talk = &self.client.transcript;
        let end = &talk[talk.len().saturating_sub(TOLD_MAX)..];
        end.join("\n")
    }
}

/// Whether it is an error (RFC 6120 §8.3).
pub(crate) fn is_error(node: &Node) -> bool {
    node.attribute("type") == Some("error")
}

/// The defined condition of an error (RFC 6120 §8.3.3).
pub(crate) fn condition(node: &Node) -> Option<String> {
    let mut conditions = node.child("error")?.children.iter();
    let condition = conditions
        .find(|it| it.ns == "urn:ietf:params:xml:ns:xmpp-stanzas" && it.name != "text")?;
    Some(condition.name.clone())
}

/// The text of a message.
pub(crate) fn text(node: &Node) -> Option<&str> {
    node.child("body").map(|body| body.text.as_str())
}

/// Whether a stanza comes from this address.
pub(crate) fn is_from(node: &Node, jid: &str) -> bool {
    node.attribute("from") == Some(jid)
}

/// A presence of this type from this address; "" is available.
pub(crate) fn is_presence(node: &Node, kind: &str, from: &str) -> bool {
    node.name == "presence"
        && node.attribute("type").unwrap_or_default() == kind
        && is_from(node, from)
}
