//! A bot with an account of its own, to copy from: it says back what it is told.
//!
//! ```sh
//! parlour account add echo@example.org
//! BOT_JID=echo@example.org BOT_PASSWORD=… cargo run --example echo_bot
//! ```
//!
//! `BOT_SERVER` (`host:port`) is where to connect when DNS does not tell. A program that serves many addresses, or
//! a whole domain, is better a component: see `on_call_bot.py`.

#![expect(
    clippy::print_stdout,
    reason = "whoever started the bot shall see what it does"
)]

use std::env;

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use tokio_xmpp::Stanza;
use tokio_xmpp::connect::{DnsConfig, StartTlsServerConnector};
use tokio_xmpp::jid::{BareJid, Jid};
use tokio_xmpp::stanzastream::{Event, StanzaStream, StreamEvent};
use tokio_xmpp::xmlstream::Timeouts;
use xmpp_parsers::iq::Iq;
use xmpp_parsers::message::{Id, Message, MessageType};
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

/// How many stanzas wait in each direction before who writes them has to.
const WAITING_MAX: usize = 16;

#[tokio::main]
async fn main() -> Result<()> {
    let jid = BareJid::new(&env::var("BOT_JID").context("BOT_JID is not set")?)?;
    let password = env::var("BOT_PASSWORD").context("BOT_PASSWORD is not set")?;
    let place = match env::var("BOT_SERVER") {
        Ok(address) => DnsConfig::addr(&address),
        Err(_) => DnsConfig::srv_default_client(jid.domain().as_str()),
    };
    let connector = StartTlsServerConnector::from(place);
    // It connects again by itself when the connection is lost. Not `Client`, which is made of the two halves of such
    // a stream: with tokio-xmpp 6.0 the half that receives can sleep on when a stanza comes while one is sent.
    let timeouts = Timeouts::default();
    let mut stream = StanzaStream::new_c2s(connector, jid.into(), password, timeouts, WAITING_MAX);
    while let Some(event) = stream.next().await {
        match event {
            Event::Stream(StreamEvent::Reset { bound_jid, .. }) => {
                println!("online as {bound_jid}");
                stream.send(Box::new(Presence::available().into())).await;
            }
            Event::Stream(StreamEvent::Suspended) => println!("disconnected"),
            Event::Stream(StreamEvent::Resumed) => println!("back"),
            Event::Stanza(stanza) => {
                if let Some(answer) = answer(stanza) {
                    stream.send(Box::new(answer)).await;
                }
            }
        }
    }
    Ok(())
}

/// What the bot answers; nothing to most stanzas.
fn answer(stanza: Stanza) -> Option<Stanza> {
    match stanza {
        Stanza::Message(message) => echo(message).map(Stanza::from),
        // Whoever wants to see whether it is there may.
        Stanza::Presence(presence) if presence.type_ == Type::Subscribe => {
            Some(Presence::subscribed().with_to(presence.from?).into())
        }
        Stanza::Presence(_) => None,
        Stanza::Iq(Iq::Get { from, id, .. } | Iq::Set { from, id, .. }) => {
            Some(refusal(from, id).into())
        }
        Stanza::Iq(_) => None,
    }
}

/// Every request is answered, also one that the bot does not know (RFC 6120 §8.2.3, §8.4).
fn refusal(from: Option<Jid>, id: String) -> Iq {
    let condition = DefinedCondition::ServiceUnavailable;
    let text = "I only say back what I am told.";
    let error = StanzaError::new(ErrorType::Cancel, condition, "en", text);
    let refusal = Iq::from_error(id, error);
    match from {
        Some(from) => refusal.with_to(from),
        None => refusal,
    }
}

/// An error is never answered, for the answer could come back as an error, and so on for ever. Neither is what
/// is said in a room, nor a message without words, such as that somebody is typing.
fn echo(message: Message) -> Option<Message> {
    let wanted = matches!(message.type_, MessageType::Chat | MessageType::Normal);
    if !wanted || message.bodies.is_empty() {
        return None;
    }
    let mut answer = Message::new(message.from);
    answer.id = message.id.map(|Id(id)| Id(format!("echo-of-{id}")));
    answer.type_ = message.type_;
    answer.thread = message.thread;
    answer.bodies = message.bodies;
    Some(answer)
}
