//! A simulated connector for telephony, chat and e-mail: a component (XEP-0114) that plays the customers.
//!
//! It uses nothing of the server but its public protocol (schemas/connector.md), so that it runs with any server
//! that speaks it: `examples/connector.rs` starts it alone. People steer it by messages (`orders`).

mod board;
mod desk;
mod orders;
mod stream;
mod wire;

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

pub use stream::StreamEnd;

use crate::clock::Clock;
use crate::observe::Secret;
use crate::proto::{BareJid, IqType, Stanza, ns};
use crate::xml::Element;
use desk::Desk;
use stream::Stream;

/// Between two tries to connect.
const RECONNECT: Duration = Duration::from_secs(2);

/// How long the opening of a stream may take.
const OPENING: Duration = Duration::from_secs(20);

/// After how long without a word of the server it is asked whether it is there, and how long it has for the answer.
const SILENCE: Duration = Duration::from_secs(60);

/// Which server it is for, and who it is there.
pub struct Terms {
    /// Where the server takes components, `host:port`.
    pub address: String,
    /// Its own domain there.
    pub domain: BareJid,
    /// What it proves itself with.
    pub secret: Secret<String>,
    /// The host whose agents it has.
    pub host: BareJid,
    /// The service of the contact center of that host.
    pub center: BareJid,
    /// Is told what happens to the connection.
    pub told: Box<dyn Fn(Told) + Send + Sync>,
}

/// What happens to the connection.
#[derive(Debug)]
pub enum Told {
    /// It is there.
    Connected,
    /// It is not, or not any more; another try follows.
    Lost(StreamEnd),
    /// An agent has written to a customer.
    Written(Written),
}

/// What a customer gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The customer's address.
    pub to: String,
    /// What it says.
    pub text: String,
}

/// Runs until it is dropped. What it knows of its calls outlives its connections.
pub async fn run(terms: Terms) -> Infallible {
    let Terms {
        domain,
        host,
        center,
        ..
    } = &terms;
    let clock = Clock::system();
    let mut desk = Desk::new(domain.clone(), host.clone(), center.clone(), clock);
    loop {
        let opened = Stream::open(&terms.address, domain, terms.secret.expose());
        let end = match timeout(OPENING, opened).await {
            Ok(Ok(stream)) => {
                (terms.told)(Told::Connected);
                talk(&terms, &mut desk, stream).await
            }
            Ok(Err(end)) => end,
            Err(_) => StreamEnd::Silent,
        };
        desk.disconnected();
        (terms.told)(Told::Lost(end));
        sleep(RECONNECT).await;
    }
}

/// One stanza after the other, until the stream is over.
async fn talk(terms: &Terms, desk: &mut Desk, mut stream: Stream) -> StreamEnd {
    for stanza in desk.connected() {
        stream.put(&stanza);
    }
    let mut asked = false;
    let mut patience = Instant::now() + SILENCE;
    loop {
        let due = desk.next_due();
        let said = tokio::select! {
            stanza = stream.next() => {
                asked = false;
                patience = Instant::now() + SILENCE;
                match stanza {
                    Ok(stanza) => desk.take(stanza, Instant::now()),
                    Err(end) => return end,
                }
            }
            () = sleep_until(due.unwrap_or(patience)), if due.is_some() => {
                desk.on_time(Instant::now())
            }
            () = sleep_until(patience) => {
                if asked {
                    return StreamEnd::Silent;
                }
                asked = true;
                patience = Instant::now() + SILENCE;
                vec![ping(terms)]
            }
        };
        for stanza in &said {
            stream.put(stanza);
        }
        for written in desk.written() {
            (terms.told)(Told::Written(written));
        }
    }
}

/// XEP-0199 §4.2: whatever comes back will do.
fn ping(terms: &Terms) -> Stanza {
    Stanza::iq(IqType::Get, &crate::id::random())
        .from(terms.domain.clone())
        .to(terms.host.clone())
        .child(&Element::new(ns::PING, "ping"))
}
