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
use tokio_xmpp::connect::{DnsConfig, StartTlsServerConnector};
use tokio_xmpp::jid::BareJid;
use tokio_xmpp::xmlstream::Timeouts;
use tokio_xmpp::{Client, Event, Stanza};
use xmpp_parsers::message::{Message, MessageType};
use xmpp_parsers::presence::{Presence, Type};

#[tokio::main]
async fn main() -> Result<()> {
    let jid = BareJid::new(&env::var("BOT_JID").context("BOT_JID is not set")?)?;
    let password = env::var("BOT_PASSWORD").context("BOT_PASSWORD is not set")?;
    let place = match env::var("BOT_SERVER") {
        Ok(address) => DnsConfig::addr(&address),
        Err(_) => DnsConfig::srv_default_client(jid.domain().as_str()),
    };
    // It connects again by itself when the connection is lost.
    let connector = StartTlsServerConnector::from(place);
    let mut client = Client::new_with_connector(jid, password, connector, Timeouts::default());
    while let Some(event) = client.next().await {
        match event {
            Event::Online { bound_jid, .. } => {
                println!("online as {bound_jid}");
                client.send_stanza(Presence::available().into()).await?;
            }
            Event::Disconnected(error) => println!("disconnected: {error}"),
            Event::Stanza(stanza) => {
                if let Some(answer) = answer(stanza) {
                    client.send_stanza(answer).await?;
                }
            }
        }
    }
    Ok(())
}

/// What the bot answers; nothing to most stanzas. Requests are answered by the library.
fn answer(stanza: Stanza) -> Option<Stanza> {
    match stanza {
        Stanza::Message(message) => echo(message).map(Stanza::from),
        // Whoever wants to see whether it is there may.
        Stanza::Presence(presence) if presence.type_ == Type::Subscribe => {
            Some(Presence::subscribed().with_to(presence.from?).into())
        }
        Stanza::Presence(_) | Stanza::Iq(_) => None,
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
    answer.type_ = message.type_;
    answer.thread = message.thread;
    answer.bodies = message.bodies;
    Some(answer)
}
