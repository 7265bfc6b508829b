//! `/metrics` for Prometheus: what was counted ([`crate::observe::metrics`]), and what is so now.
//!
//! For the networks of operators only: numbers tell how busy a company is.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::gauge;

use super::visitor::{Visitor, is_one_of};
use super::{Watch, Web};
use crate::hooks::{PeerKind, PeerState};
use crate::observe::metrics as names;

pub(super) fn routes(web: &Arc<Web>) -> Router {
    Router::new()
        .route("/metrics", get(page))
        .with_state(Arc::clone(web))
}

async fn page(
    State(web): State<Arc<Web>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let http = web.http();
    let client = visitor.client(&headers, http);
    if !is_one_of(&http.operator_networks, client.address) {
        let why = "only for [http] operator_networks\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let Some(metrics) = &web.watch.metrics else {
        return StatusCode::NOT_FOUND.into_response();
    };
    sessions(&web);
    store(&web);
    peers(&web);
    certificates(&web, &web.watch);
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, metrics.render()).into_response()
}

fn sessions(web: &Web) {
    let accounts = web.listener.router.registry().all();
    let (mut connected, mut waiting) = (0_u32, 0_u32);
    let (mut mail, mut longest) = (0_usize, 0_usize);
    for account in &accounts {
        for session in account.sessions().iter() {
            let count = if session.is_connected() {
                &mut connected
            } else {
                &mut waiting
            };
            *count = count.saturating_add(1);
            let waits = session.mail_count();
            mail = mail.saturating_add(waits);
            longest = longest.max(waits);
        }
    }
    gauge!(names::SESSIONS, "state" => "connected").set(connected);
    gauge!(names::SESSIONS, "state" => "waiting").set(waiting);
    gauge!(names::ACCOUNTS_ONLINE).set(number(accounts.len()));
    gauge!(names::MAILBOXES, "of" => "all").set(number(mail));
    gauge!(names::MAILBOXES, "of" => "longest").set(number(longest));
}

fn store(web: &Web) {
    let store = &web.listener.router.services().store;
    let (archive, offline) = (store.archive().queued(), store.offline_messages().queued());
    gauge!(names::STORE_QUEUE, "queue" => "archive").set(number(archive));
    gauge!(names::STORE_QUEUE, "queue" => "offline").set(number(offline));
}

/// Components and other servers. Every combination is set each time: what is over shall be shown with zero.
fn peers(web: &Web) {
    let connections = web.listener.router.services().peers.connections();
    for (kind, name) in [
        (PeerKind::Server, "server"),
        (PeerKind::Component, "component"),
    ] {
        let of_kind = || connections.iter().filter(|it| it.kind == kind);
        for state in PeerState::ALL {
            let count = of_kind().filter(|it| it.state == state).count();
            gauge!(names::PEERS, "kind" => name, "state" => state.as_str()).set(number(count));
        }
        let waiting = of_kind().map(|it| it.queued_stanzas);
        gauge!(names::PEER_QUEUES, "kind" => name, "of" => "all")
            .set(number(waiting.clone().sum()));
        let longest = waiting.max().unwrap_or(0);
        gauge!(names::PEER_QUEUES, "kind" => name, "of" => "longest").set(number(longest));
    }
    // Of components there are as many as are configured; other servers would be labels that strangers choose.
    for component in connections
        .iter()
        .filter(|it| it.kind == PeerKind::Component)
    {
        let connected = component.state == PeerState::Established;
        let domain = component.domain.clone();
        gauge!(names::COMPONENTS, "domain" => domain).set(u32::from(connected));
    }
}

fn certificates(web: &Web, watch: &Watch) {
    let now = web.listener.router.services().clock.now();
    for status in watch.certificates.status(now) {
        let file = status.files.certificate.display().to_string();
        let days = i32::try_from(status.days_left).unwrap_or(i32::MAX);
        gauge!(names::CERTIFICATES, "file" => file).set(days);
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
