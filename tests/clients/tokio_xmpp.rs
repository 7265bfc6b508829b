//! Two people talk with tokio-xmpp, as `slixmpp_talk.py` describes.

use std::collections::VecDeque;
use std::env;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_xmpp::Stanza;
use tokio_xmpp::connect::{DirectTlsServerConnector, DnsConfig, StartTlsServerConnector};
use tokio_xmpp::jid::{BareJid, Jid};
use tokio_xmpp::parsers::delay::Delay;
use tokio_xmpp::parsers::iq::{Iq, IqGetPayload};
use tokio_xmpp::parsers::message::{Lang, Message};
use tokio_xmpp::parsers::ping::Ping;
use tokio_xmpp::parsers::presence::{Presence, Type};
use tokio_xmpp::parsers::roster::{Roster, Subscription};
use tokio_xmpp::stanzastream::{Event, StanzaStream, StreamEvent};
use tokio_xmpp::xmlstream::Timeouts;

const PATIENCE: Duration = Duration::from_secs(20);

/// How many stanzas wait in each direction.
const WAITING_MAX: usize = 16;

/// A client that keeps what it sees until somebody asks for it.
struct Person {
    jid: BareJid,
    /// Not the library's `Client`: see `examples/echo_bot.rs`.
    stream: StanzaStream,
    kept: VecDeque<Stanza>,
    asked: usize,
}

impl Person {
    /// Logs in as people's clients do: session, roster, presence.
    async fn arrives(jid: &BareJid) -> Result<Self> {
        let address = format!("{}:{}", env::var("XMPP_HOST")?, env::var("XMPP_PORT")?);
        let password = env::var("XMPP_PASSWORD")?;
        let place = DnsConfig::addr(&address);
        let (whom, limits) = (Jid::from(jid.clone()), Timeouts::tight());
        let stream = match env::var("XMPP_TRANSPORT")?.as_str() {
            "direct-tls" => {
                let by = DirectTlsServerConnector::from(place);
                StanzaStream::new_c2s(by, whom, password, limits, WAITING_MAX)
            }
            _ => {
                let by = StartTlsServerConnector::from(place);
                StanzaStream::new_c2s(by, whom, password, limits, WAITING_MAX)
            }
        };
        let mut person = Self {
            jid: jid.clone(),
            stream,
            kept: VecDeque::new(),
            asked: 0,
        };
        match timeout(PATIENCE, person.stream.next())
            .await
            .context("no session")?
        {
            Some(Event::Stream(StreamEvent::Reset { bound_jid, .. })) => {
                ensure!(bound_jid.to_bare() == *jid, "{bound_jid}");
            }
            other => bail!("{jid} did not get in: {other:?}"),
        }
        person.roster().await?;
        person.tells(Presence::available()).await;
        Ok(person)
    }

    async fn tells(&self, stanza: impl Into<Stanza>) {
        self.stream.send(Box::new(stanza.into())).await;
    }

    /// Asks, its own account when nobody is named, and waits for the answer.
    async fn asks(&mut self, whom: Option<Jid>, payload: impl IqGetPayload) -> Result<Iq> {
        self.asked += 1;
        let id = format!("asked-{}", self.asked);
        let mut request = Iq::from_get(id.as_str(), payload);
        *request.to_mut() = whom;
        self.tells(request).await;
        let is_answer = |stanza: &Stanza| match stanza {
            Stanza::Iq(answer @ (Iq::Result { .. } | Iq::Error { .. })) => answer.id() == id,
            _ => false,
        };
        match self.sees("an answer", is_answer).await? {
            Stanza::Iq(answer) => Ok(answer),
            other => bail!("no answer: {other:?}"),
        }
    }

    async fn roster(&mut self) -> Result<Roster> {
        let query = Roster {
            ver: None,
            items: Vec::new(),
        };
        match self.asks(None, query).await? {
            Iq::Result {
                payload: Some(roster),
                ..
            } => Ok(Roster::try_from(roster)?),
            other => bail!("instead of the roster there is {other:?}"),
        }
    }

    /// Waits for a stanza; what comes before it is kept for later questions.
    async fn sees(&mut self, what: &str, test: impl Fn(&Stanza) -> bool) -> Result<Stanza> {
        let kept = self.kept.iter().position(&test);
        if let Some(stanza) = kept.and_then(|at| self.kept.remove(at)) {
            return Ok(stanza);
        }
        loop {
            let next = timeout(PATIENCE, self.stream.next()).await;
            let next = next
                .with_context(|| format!("{} never saw {what}; kept: {:?}", self.jid, self.kept))?;
            match next {
                Some(Event::Stanza(stanza)) if test(&stanza) => return Ok(stanza),
                Some(Event::Stanza(stanza)) => self.kept.push_back(stanza),
                other => bail!("{} lost the stream: {other:?}", self.jid),
            }
        }
    }

    async fn sees_presence(&mut self, from: &BareJid, wanted: Type) -> Result<()> {
        let test = |stanza: &Stanza| match stanza {
            Stanza::Presence(presence) => {
                let sender = presence.from.as_ref().map(Jid::to_bare);
                presence.type_ == wanted && sender.as_ref() == Some(from)
            }
            _ => false,
        };
        self.sees(&format!("presence of {from}"), test)
            .await
            .map(drop)
    }

    async fn sees_message(&mut self, text: &str) -> Result<Message> {
        let test = |stanza: &Stanza| match stanza {
            Stanza::Message(message) => message.bodies.values().any(|body| body == text),
            _ => false,
        };
        match self.sees(text, test).await? {
            Stanza::Message(message) => Ok(message),
            other => bail!("no message: {other:?}"),
        }
    }

    async fn sends(&self, presence: Presence, to: &BareJid) {
        self.tells(presence.with_to(to.clone())).await;
    }

    async fn says(&self, to: impl Into<Jid>, text: &str) {
        let message = Message::chat(to.into()).with_body(Lang::default(), text.to_owned());
        self.tells(message).await;
    }

    /// Waits until the server has handled all that was sent (RFC 6120 §10.1).
    async fn is_heard(&mut self) -> Result<()> {
        let domain = Jid::new(self.jid.domain().as_str())?;
        match self.asks(Some(domain), Ping).await? {
            Iq::Result { .. } => Ok(()),
            other => bail!("the server is not there: {other:?}"),
        }
    }

    async fn leaves(self) -> Result<()> {
        timeout(PATIENCE, self.stream.close())
            .await
            .context("the stream does not end")
    }
}

/// The whole conversation.
pub(crate) async fn talk() -> Result<()> {
    let romeo_jid = BareJid::new(&env::var("XMPP_ROMEO").context("not told where to go")?)?;
    let juliet_jid = BareJid::new(&env::var("XMPP_JULIET")?)?;
    let mut romeo = Person::arrives(&romeo_jid).await?;
    let mut juliet = Person::arrives(&juliet_jid).await?;

    romeo.sends(Presence::subscribe(), &juliet_jid).await;
    juliet.sees_presence(&romeo_jid, Type::Subscribe).await?;
    juliet.sends(Presence::subscribed(), &romeo_jid).await;
    juliet.sends(Presence::subscribe(), &romeo_jid).await;
    romeo.sees_presence(&juliet_jid, Type::Subscribe).await?;
    romeo.sends(Presence::subscribed(), &juliet_jid).await;
    romeo.sees_presence(&juliet_jid, Type::None).await?;
    juliet.sees_presence(&romeo_jid, Type::None).await?;
    let items = romeo.roster().await?.items;
    let mutual = items
        .iter()
        .any(|item| item.jid == juliet_jid && item.subscription == Subscription::Both);
    ensure!(
        mutual && items.len() == 1,
        "the subscription is not mutual: {items:?}"
    );

    romeo.says(juliet_jid.clone(), "Shall I hear more?").await;
    let heard = juliet.sees_message("Shall I hear more?").await?;
    juliet
        .says(heard.from.context("no sender")?, "What man art thou? 🌹")
        .await;
    romeo.sees_message("What man art thou? 🌹").await?;

    juliet.leaves().await?;
    romeo.sees_presence(&juliet_jid, Type::Unavailable).await?;
    romeo.says(juliet_jid.clone(), "while you slept").await;
    romeo.is_heard().await?;
    let mut juliet = Person::arrives(&juliet_jid).await?;
    let late = juliet.sees_message("while you slept").await?;
    let delayed = late
        .payloads
        .into_iter()
        .any(|payload| Delay::try_from(payload).is_ok());
    ensure!(delayed, "no time of sending");
    juliet.sees_presence(&romeo_jid, Type::None).await?;
    romeo.leaves().await?;
    juliet.leaves().await
}
