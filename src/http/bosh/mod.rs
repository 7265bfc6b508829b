//! XEP-0124: Bidirectional-streams Over Synchronous HTTP (BOSH), version 1.11.2, and
//! XEP-0206: XMPP Over BOSH, version 1.4.
//!
//! `body` is what is on the wire, `window` the order of requests, `driver` a session's task.
//! Left out: several streams in a session (XEP-0124 §16), acknowledgements (§9.2: answers are
//! kept for as many requests as may be under way), compression of requests, the script syntax,
//! and HTTP error codes for clients of the time before version 1.6.

mod body;
mod driver;
#[cfg(test)]
mod tests;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use super::visitor::{Client, Places, Visitor};
use super::{Web, cors};
use crate::session::transport::Transport;
use crate::session::web::carried;
use crate::session::{Start, serve};
use crate::stream::Framing;
use crate::xml::Limits;
use body::{Condition, Creation, Fate, Request, empty};
use driver::{Driver, Post};

/// How many requests are held at most. One is what clients ask for: with it, one connection
/// waits for news while another brings some.
const HOLD_MAX: u64 = 2;

/// Requests that may wait for a session's driver; beyond them the client breaks the rules.
const POSTS_MAX: usize = 8;

/// The sessions, by the sid that only their clients know.
#[derive(Debug)]
pub(crate) struct Sessions {
    sessions_max: usize,
    posts: Mutex<HashMap<String, mpsc::Sender<Post>>>,
}

impl Sessions {
    pub(super) fn new(sessions_max: usize) -> Self {
        Self {
            sessions_max,
            posts: Mutex::default(),
        }
    }

    /// `None` when there are as many as may be.
    fn insert(&self, sid: String) -> Option<mpsc::Receiver<Post>> {
        let mut posts = self.lock();
        if posts.len() >= self.sessions_max {
            return None;
        }
        let (sender, receiver) = mpsc::channel(POSTS_MAX);
        posts.insert(sid, sender);
        Some(receiver)
    }

    fn find(&self, sid: &str) -> Option<mpsc::Sender<Post>> {
        self.lock().get(sid).cloned()
    }

    fn remove(&self, sid: &str) {
        self.lock().remove(sid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<Post>>> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn routes(web: &Arc<Web>) -> Router {
    Router::new()
        .route(web.http().bosh_path.as_str(), get(about).post(post))
        .layer(from_fn_with_state(Arc::clone(web), cors::allow))
        .with_state(Arc::clone(web))
}

/// For people who look with a browser.
async fn about() -> &'static str {
    "XMPP over BOSH (XEP-0124, XEP-0206) is here, for chat clients: they POST to it.\n"
}

async fn post(
    State(web): State<Arc<Web>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let client = visitor.client(&headers, web.http());
    if let Err(refused) = web.protects(client) {
        return refused.into_response();
    }
    let request = match read(&web, body).await {
        Ok(request) => request,
        Err(condition) => return xml(empty(Fate::Failed(condition))),
    };
    let (reply, answered) = oneshot::channel();
    let posted = match &request.sid {
        Some(sid) => {
            let posts = web.bosh.find(sid);
            forward(posts, Post { request, reply })
        }
        None => {
            let places = match web.admit(&visitor, client) {
                Ok(places) => places,
                Err(refused) => return refused.into_response(),
            };
            begin(&web, client, places, Post { request, reply })
        }
    };
    if let Err(condition) = posted {
        return xml(empty(Fate::Failed(condition)));
    }
    // Answered in any case: the driver lets go of a request only when the session has ended.
    let answer = answered.await;
    xml(answer.unwrap_or_else(|_| empty(Fate::Failed(Condition::OtherRequest))))
}

/// The request, in time and within its bounds.
async fn read(web: &Web, body: Body) -> Result<Request, Condition> {
    let limits = limits(web);
    let reading = axum::body::to_bytes(body, limits.stanza_bytes_max);
    let time = web.http().request_seconds.duration();
    match tokio::time::timeout(time, reading).await {
        Ok(Ok(bytes)) => Request::read(bytes, &limits),
        Ok(Err(error)) => {
            debug!(%error, "a request of BOSH cannot be read");
            Err(Condition::PolicyViolation)
        }
        Err(_) => Err(Condition::PolicyViolation),
    }
}

/// Of a whole request: room for the largest stanza and some smaller ones beside it.
fn limits(web: &Web) -> Limits {
    let stanza = web.listener.session_limits;
    Limits {
        stanza_bytes_max: stanza.stanza_bytes_max.saturating_mul(2),
        depth_max: stanza.depth_max + 1,
        ..stanza
    }
}

fn forward(posts: Option<mpsc::Sender<Post>>, post: Post) -> Result<(), Condition> {
    let posts = posts.ok_or(Condition::ItemNotFound)?;
    posts.try_send(post).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => Condition::PolicyViolation,
        mpsc::error::TrySendError::Closed(_) => Condition::ItemNotFound,
    })
}

/// Begins a session (XEP-0124 §7.1).
fn begin(web: &Arc<Web>, client: Client, places: Places, first: Post) -> Result<(), Condition> {
    let request = &first.request;
    let to = request.to().ok_or(Condition::ImproperAddressing)?;
    let services = web.listener.router.services();
    let host = crate::proto::BareJid::new(to).map_err(|_| Condition::HostUnknown)?;
    if !services.serves(host.as_str()) {
        return Err(Condition::HostUnknown);
    }
    let config = web.http();
    let wait_max = config.bosh_wait_seconds_max.duration();
    let wait = request.number("wait").map_or(wait_max, Duration::from_secs);
    let hold = if wait.is_zero() {
        0
    } else {
        request.number("hold").unwrap_or(1).min(HOLD_MAX)
    };
    let hold = usize::try_from(hold).unwrap_or_default();
    let creation = Creation {
        sid: crate::id::random(),
        host: host.as_str().to_owned(),
        wait: wait.min(wait_max),
        inactivity: config.bosh_inactivity_seconds.duration(),
        polling: config.bosh_polling_seconds.duration(),
        pause_max: config.bosh_pause_seconds_max.duration(),
        hold,
        requests: hold + 1,
        version: request.version(),
    };
    let posts = web.bosh.insert(creation.sid.clone());
    let posts = posts.ok_or(Condition::PolicyViolation)?;
    let tasks = web.listener.tasks.clone();
    tasks.spawn(run(Arc::clone(web), client, places, creation, posts, first));
    Ok(())
}

/// A session to its end.
async fn run(
    web: Arc<Web>,
    client: Client,
    places: Places,
    creation: Creation,
    posts: mpsc::Receiver<Post>,
    first: Post,
) {
    let (slot, place) = places;
    let listener = Arc::clone(&web.listener);
    let stop = listener.stop.clone();
    let limits_max = limits(&web).stanza_bytes_max.saturating_mul(2);
    let limits = listener.session_limits;
    let (session, carrier) = carried(Framing::Bosh, client.carriage(), limits);
    let sid = creation.sid.clone();
    let transport = Transport::Web(Box::new(session));
    let driver = Driver::new(creation, carrier, posts, first, limits_max);
    let session = serve(listener, transport, client.address, Start::Plain, place);
    let driving = async {
        driver.run(stop).await;
        web.bosh.remove(&sid);
    };
    tokio::join!(session, Box::pin(driving));
    drop(slot);
}

fn xml(body: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], body).into_response()
}
