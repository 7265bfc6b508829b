//! RFC 7395: An Extensible Messaging and Presence Protocol (XMPP) Subprotocol for WebSocket.
//!
//! One task for each connection: the session's, and beside it the pump that carries
//! messages between it and the WebSocket. Left out: compression of messages (RFC 7692), and channel binding.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::ExtensionRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

use super::visitor::{Client, Places, Visitor};
use super::{Web, cors};
use crate::proto::{StreamCondition, StreamError};
use crate::session::transport::Transport;
use crate::session::web::{Carrier, Incoming, Outgoing, carried};
use crate::session::{Start, serve};
use crate::stream::Framing;

/// RFC 7395 §3.1.
const SUBPROTOCOL: &str = "xmpp";

/// How much a message may exceed the largest stanza and still be refused by what is inside; beyond
/// it the rest is not even read.
const SLACK_BYTES: usize = 64 * 1024;

/// What a connection holds while it reads. Small, for most connections are silent.
const READ_BUFFER_BYTES: usize = 4096;

/// How long a peer may take to read a message, before it counts as gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a peer may take to close its end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn routes(web: &Arc<Web>) -> Router {
    Router::new()
        .route(web.http().websocket_path.as_str(), get(upgrade))
        .with_state(Arc::clone(web))
}

/// The handshake (RFC 7395 §3.1).
async fn upgrade(
    State(web): State<Arc<Web>>,
    visitor: Result<Extension<Visitor>, ExtensionRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let (Extension(visitor), upgrade) = match (visitor, upgrade) {
        (Ok(visitor), Ok(upgrade)) => (visitor, upgrade.protocols([SUBPROTOCOL])),
        (Err(rejection), _) => return rejection.into_response(),
        (_, Err(rejection)) => return rejection.into_response(),
    };
    if upgrade.selected_protocol().is_none() {
        return (StatusCode::BAD_REQUEST, "the subprotocol is xmpp\n").into_response();
    }
    if !cors::admits(&web.http().origins, &headers) {
        return (StatusCode::FORBIDDEN, "not from this page\n").into_response();
    }
    let client = visitor.client(&headers, web.http());
    if let Err(refused) = web.protects(client) {
        return refused.into_response();
    }
    let places = match web.admit(&visitor, client) {
        Ok(places) => places,
        Err(refused) => return refused.into_response(),
    };
    let message_bytes_max = web.listener.session_limits.stanza_bytes_max + SLACK_BYTES;
    upgrade
        .max_message_size(message_bytes_max)
        .max_frame_size(message_bytes_max)
        .read_buffer_size(READ_BUFFER_BYTES)
        .on_upgrade(move |socket| {
            let tasks = web.listener.tasks.clone();
            // The task that waits for the handshake is not ours; this one is waited for.
            tasks.spawn(run(web, socket, client, places));
            std::future::ready(())
        })
}

/// A connection to its end.
async fn run(web: Arc<Web>, socket: WebSocket, client: Client, places: Places) {
    let (slot, place) = places;
    let listener = Arc::clone(&web.listener);
    let limits = listener.session_limits;
    let (session, carrier) = carried(Framing::WebSocket, client.carriage(), limits);
    let ping = web.http().websocket_ping_seconds.duration();
    let transport = Transport::Web(Box::new(session));
    let session = serve(listener, transport, client.address, Start::Plain, place);
    tokio::join!(session, Box::pin(pump(socket, carrier, ping)));
    drop(slot);
}

/// Carries messages both ways until one side has ended.
async fn pump(mut socket: WebSocket, carrier: Carrier, ping: Duration) {
    let close = carry(&mut socket, carrier, ping).await;
    let closing = async {
        if let Some(code) = close {
            let frame = CloseFrame {
                code,
                reason: "".into(),
            };
            if socket.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
        }
        // Until the peer has closed its end, so that what was written last arrives.
        while let Some(Ok(_)) = socket.recv().await {}
    };
    if timeout(CLOSE_TIMEOUT, closing).await.is_err() {
        debug!("the WebSocket was not closed by its peer");
    }
}

/// Returns the code to close with, unless the peer has closed.
async fn carry(socket: &mut WebSocket, carrier: Carrier, ping: Duration) -> Option<u16> {
    let Carrier {
        incoming,
        mut outgoing,
    } = carrier;
    let mut waiting = None;
    let mut refused = false;
    let silence = sleep(ping);
    tokio::pin!(silence);
    loop {
        tokio::select! {
            permit = incoming.reserve(), if waiting.is_some() => match (permit, waiting.take()) {
                (Ok(permit), Some(document)) => permit.send(document),
                // The session has ended; what it says last is still to come.
                (Err(_), _) => refused = true,
                (Ok(_), None) => {}
            },
            message = socket.recv(), if waiting.is_none() && !refused => match received(message) {
                Received::Document(document) => waiting = Some(document),
                Received::Refused(error) => {
                    waiting = Some(Incoming::Refused(error));
                }
                Received::Closed => return None,
                Received::Binary => return Some(close_code::UNSUPPORTED),
            },
            words = outgoing.recv() => match words {
                Some(words) => send(socket, words).await?,
                None => return Some(close_code::NORMAL),
            },
            () = &mut silence => {
                let sent = timeout(WRITE_TIMEOUT, socket.send(Message::Ping(Bytes::new()))).await;
                sent.ok()?.ok()?;
            }
        }
        if matches!(waiting, Some(Incoming::Refused(_))) {
            refused = true;
        }
        silence.as_mut().reset(Instant::now() + ping);
    }
}

/// `None` when the peer does not take it.
async fn send(socket: &mut WebSocket, words: Outgoing) -> Option<()> {
    for element in words.elements() {
        // The text was checked when it came, or written by us.
        let text = String::from_utf8_lossy(element).into_owned();
        let sent = timeout(WRITE_TIMEOUT, socket.send(Message::Text(text.into()))).await;
        sent.ok()?.ok()?;
    }
    words.written();
    Some(())
}

enum Received {
    Document(Incoming),
    Refused(StreamError),
    Binary,
    Closed,
}

fn received(message: Option<Result<Message, axum::Error>>) -> Received {
    match message {
        Some(Ok(Message::Text(text))) => Received::Document(Incoming::Document(text.into())),
        // A sign of life, as white space is; and as that it is limited.
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
            Received::Document(Incoming::Document(Bytes::from_static(b" ")))
        }
        // RFC 7395 §3.2.
        Some(Ok(Message::Binary(_))) => Received::Binary,
        Some(Ok(Message::Close(_))) | None => Received::Closed,
        Some(Err(error)) => failed(&error),
    }
}

/// What the library finds wrong. Its errors can be told apart by their text only; where that
/// says nothing, the connection is broken.
fn failed(error: &axum::Error) -> Received {
    let text = error.to_string();
    debug!(%error, "WebSocket");
    if text.contains("Space limit exceeded") {
        let error = StreamError::new(StreamCondition::PolicyViolation);
        Received::Refused(error.text("the message is too long"))
    } else if text.contains("UTF-8") {
        Received::Refused(StreamCondition::UnsupportedEncoding.into())
    } else {
        Received::Closed
    }
}
