//! Plays a script against a server.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail, ensure};

use super::pattern::{self, Variables};
use super::phrase::{self, Cast};
use super::script::{Act, Order, Script, Step};
use crate::client::{Arrival, Client, Transport};
use crate::login;
use crate::server::Server;
use crate::xml::{Node, STREAMS};

/// Plays `script` over `transport`. The error names the line, and holds all
/// that was said. What the server sent goes into `heard`.
pub(crate) async fn play(
    script: &Script,
    cast: &Cast,
    transport: Transport,
    server: &Server,
    heard: &mut Vec<Node>,
) -> Result<()> {
    let mut stage = Stage {
        cast,
        transport,
        server,
        actors: BTreeMap::new(),
        variables: Variables::new(),
        said: Vec::new(),
        heard,
    };
    for step in &script.steps {
        let played = stage.step(step).await;
        stage.collect();
        if let Err(why) = played {
            let said = cast.scripted(&stage.said.join("\n  "));
            let why = cast.scripted(&format!("{why:#}"));
            let place = format!("{}:{}", script.path.display(), step.line);
            return Err(anyhow!("{place}: {}: {why}\n  {said}", step.actor));
        }
    }
    Ok(())
}

struct Stage<'a> {
    cast: &'a Cast,
    transport: Transport,
    server: &'a Server,
    actors: BTreeMap<String, Actor>,
    variables: Variables,
    said: Vec<String>,
    heard: &'a mut Vec<Node>,
}

struct Actor {
    client: Client,
    /// What the last stream offered.
    features: Option<Node>,
    authenticated: bool,
}

impl Stage<'_> {
    async fn step(&mut self, step: &Step) -> Result<()> {
        let name = step.actor.as_str();
        match &step.act {
            Act::RestartServer => {
                self.collect();
                self.actors.clear();
                self.server.restart().await
            }
            Act::Operate(words) => {
                let words: Vec<String> = words.iter().map(|word| self.cast.real(word)).collect();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                self.server.command(&words).map(drop)
            }
            Act::Connect => self.connect(name).await,
            Act::OpenStream => self.open_stream(name).await,
            Act::BeginTls => self.client(name)?.secure().await,
            Act::Attach(secret) => self.attach(name, secret).await,
            Act::Authenticate(mechanism) => self.authenticate(name, mechanism.as_deref()).await,
            Act::LogIn(mechanism) => self.log_in(name, mechanism.as_deref()).await,
            Act::GoOnline => self.go_online(name).await,
            Act::Send(text) => {
                let text = self.cast.spoken(text, &self.variables)?;
                self.client(name)?.send(text.as_bytes()).await
            }
            Act::SendRaw(text) => {
                let text = self.cast.spoken(text, &self.variables)?;
                let client = self.client(name)?;
                if text.contains("<stream:stream") {
                    client.expect_new_stream();
                }
                client.send(&phrase::unescape(&text)?).await
            }
            Act::Receive(order, text) => self.receive(name, *order, text).await,
            Act::ReceiveHeader(text) => self.receive_header(name, text).await,
            Act::ReceiveError(errors, id) => {
                let node = self.client(name)?.element().await?;
                is_error(&node, errors, id)
            }
            Act::IgnorePushes => {
                let client = self.client(name)?;
                client
                    .send(b"<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
                    .await?;
                client.until_ping().await?;
                client.ignore_roster_pushes = true;
                Ok(())
            }
            Act::ReceiveNothing => {
                let before = self.client(name)?.until_ping().await?;
                let before: Vec<_> = before.iter().map(Node::to_string).collect();
                ensure!(before.is_empty(), "received {}", before.join(""));
                Ok(())
            }
            Act::Settle => self.client(name)?.until_ping().await.map(drop),
            Act::StreamError(conditions) => stream_error(self.client(name)?, conditions).await,
            Act::CloseStream => {
                let client = self.client(name)?;
                client.send(b"</stream:stream>").await?;
                ended(client).await
            }
            Act::Disconnect => {
                self.client(name)?.disconnect();
                self.collect();
                self.actors.remove(name);
                Ok(())
            }
            Act::Disconnected => ended(self.client(name)?).await,
            Act::TurnedAway => turned_away(self.client(name)?).await,
        }
    }

    async fn go_online(&mut self, name: &str) -> Result<()> {
        if !self.actors.contains_key(name) {
            self.log_in(name, None).await?;
        }
        let client = self.client(name)?;
        client.send(b"<presence/>").await?;
        client.until_ping().await.map(drop)
    }

    fn client(&mut self, name: &str) -> Result<&mut Client> {
        let actor = self.actors.get_mut(name).context("is not connected")?;
        Ok(&mut actor.client)
    }

    async fn connect(&mut self, name: &str) -> Result<()> {
        let listener = self.transport.listener();
        self.connect_to(name, listener, self.transport).await
    }

    /// The component of the domain that it is called by.
    async fn attach(&mut self, name: &str, secret: &str) -> Result<()> {
        self.connect_to(name, "component", Transport::Tcp).await?;
        self.client(name)?.attach(name, secret).await
    }

    async fn connect_to(&mut self, name: &str, listener: &str, transport: Transport) -> Result<()> {
        self.collect();
        let domain = self
            .cast
            .account(name)
            .map_or("localhost", |(account, _)| &account.domain);
        let address = self.server.address(listener)?;
        let authority = self.server.authority();
        let client = Client::connect(name, domain, transport, address, authority).await?;
        let actor = Actor {
            client,
            features: None,
            authenticated: false,
        };
        self.actors.insert(name.to_owned(), actor);
        Ok(())
    }

    async fn open_stream(&mut self, name: &str) -> Result<()> {
        if !self.actors.contains_key(name) {
            self.connect(name).await?;
        }
        let actor = self.actors.get_mut(name).context("is not connected")?;
        actor.features = Some(actor.client.open_stream().await?);
        Ok(())
    }

    async fn authenticate(&mut self, name: &str, mechanism: Option<&str>) -> Result<()> {
        let (account, user) = self.cast.account(name).context("has no account")?;
        let credentials = (user, account.password.as_str());
        if self
            .actors
            .get(name)
            .is_none_or(|actor| actor.features.is_none())
        {
            self.open_stream(name).await?;
        }
        let actor = self.actors.get_mut(name).context("is not connected")?;
        let features = actor.features.take().context("has seen no features")?;
        let by_sasl2 = mechanism.and_then(|name| name.strip_prefix("SASL2 "));
        let client = &mut actor.client;
        if let Some(name) = by_sasl2 {
            // The stream goes on without a new header.
            let features = login::authenticate2(client, &features, credentials, name).await?;
            actor.features = Some(features);
        } else {
            login::authenticate(client, &features, credentials, mechanism).await?;
        }
        actor.authenticated = true;
        Ok(())
    }

    async fn log_in(&mut self, name: &str, mechanism: Option<&str>) -> Result<()> {
        // A name that has left the stage comes back as a new connection.
        if self
            .actors
            .get(name)
            .is_none_or(|actor| !actor.authenticated)
        {
            self.authenticate(name, mechanism).await?;
            let actor = self.actors.get(name).context("is not connected")?;
            if actor.features.is_none() {
                self.open_stream(name).await?;
            }
        }
        let resource = name.split_once('/').map(|(_, resource)| resource);
        let jid = self.client(name)?.bind(resource).await?;
        self.variables.insert(format!("jid of {name}"), jid);
        Ok(())
    }

    async fn receive(&mut self, name: &str, order: Order, text: &str) -> Result<()> {
        let mut wanted = pattern::parse(&self.wanted(text)?)?;
        while !wanted.is_empty() {
            let actor = self.actors.get_mut(name).context("is not connected")?;
            let node = actor
                .client
                .element()
                .await
                .with_context(|| awaited(&wanted))?;
            let within = if order == Order::Any { wanted.len() } else { 1 };
            let mut reasons = Vec::new();
            let mut found = None;
            for (at, pattern) in wanted.iter().enumerate().take(within) {
                match pattern::check(pattern, &node, &mut self.variables) {
                    Ok(()) => {
                        found = Some(at);
                        break;
                    }
                    Err(why) => reasons.push(why),
                }
            }
            let Some(at) = found else {
                bail!(
                    "received {node}\n  which is not expected: {}",
                    reasons.join("\n  nor: ")
                );
            };
            wanted.remove(at);
            if node.name == "features" {
                actor.features = Some(node);
            }
        }
        Ok(())
    }

    async fn receive_header(&mut self, name: &str, text: &str) -> Result<()> {
        let wanted = pattern::parse(&self.wanted(text)?)?;
        let node = match self.client(name)?.next().await? {
            Arrival::Header(node) => node,
            other => bail!("expected a stream header, found {other:?}"),
        };
        for pattern in &wanted {
            pattern::check(pattern, &node, &mut self.variables).map_err(|why| anyhow!(why))?;
        }
        Ok(())
    }

    /// A pattern's text with real names; its variables stay for the matching.
    fn wanted(&self, text: &str) -> Result<String> {
        let text = self.cast.real(text);
        if text.contains("${user:") || text.contains("${base64:") || text.contains("${repeat:") {
            return self.cast.spoken(&text, &self.variables);
        }
        Ok(text)
    }

    fn collect(&mut self) {
        for actor in self.actors.values_mut() {
            self.said.append(&mut actor.client.transcript);
            self.heard.append(&mut actor.client.heard);
        }
    }
}

fn awaited(wanted: &[Node]) -> String {
    let wanted: Vec<_> = wanted.iter().map(Node::to_string).collect();
    format!("waiting for {}", wanted.join(" "))
}

/// RFC 6120 §8.3.1: an error of one of these types and conditions, for the stanza `id`.
fn is_error(node: &Node, errors: &[String], id: &str) -> Result<()> {
    let error = node.child("error");
    let kind = error
        .and_then(|error| error.attribute("type"))
        .unwrap_or_default();
    let found: Vec<String> = error
        .map(|error| {
            error
                .children
                .iter()
                .map(|child| format!("{kind}/{}", child.name))
                .collect()
        })
        .unwrap_or_default();
    let fits = node.attribute("type") == Some("error")
        && node.attribute("id") == Some(id)
        && found.iter().any(|found| errors.contains(found));
    ensure!(
        fits,
        "expected the error {} for {id}, received {node}",
        errors.join(" or ")
    );
    Ok(())
}

/// RFC 6120 §4.9.1.1: after a stream error the stream is closed, and the connection.
async fn stream_error(client: &mut Client, conditions: &[String]) -> Result<()> {
    let node = loop {
        match client.next().await? {
            // §4.9.1.2: an error in the header comes after the answering header.
            Arrival::Header(_) => {}
            Arrival::Element(node) if node.name == "features" => {}
            Arrival::Element(node) => break node,
            other => bail!("expected a stream error, found {other:?}"),
        }
    };
    ensure!(
        node.name == "error" && node.ns == STREAMS,
        "expected a stream error, found {node}"
    );
    let fits = conditions
        .iter()
        .any(|condition| node.child(condition).is_some());
    ensure!(fits, "expected {}, found {node}", conditions.join(" or "));
    ended(client).await
}

/// The closing tag, then the end of the connection; a server that gives up may
/// leave out the tag only with the connection.
async fn ended(client: &mut Client) -> Result<()> {
    match client.next().await? {
        Arrival::StreamEnd => match client.next().await? {
            Arrival::Disconnected => Ok(()),
            other => bail!("after the end of the stream there is {other:?}"),
        },
        Arrival::Disconnected => Ok(()),
        other => bail!("expected the end of the stream, found {other:?}"),
    }
}

/// Whatever the server says before it ends the connection, it grants nothing.
async fn turned_away(client: &mut Client) -> Result<()> {
    loop {
        match client.next().await {
            Ok(Arrival::Disconnected) => return Ok(()),
            Ok(Arrival::Element(node))
                if node.name == "success" || node.attribute("type") == Some("result") =>
            {
                bail!("granted {node}")
            }
            Ok(_) => {}
            // Records of TLS are not XML.
            Err(why)
                if why.is::<rxml::Error>()
                    || why.chain().any(|cause| cause.is::<rxml::Error>()) =>
            {
                client.disconnect();
                return Ok(());
            }
            Err(why) => return Err(why),
        }
    }
}
