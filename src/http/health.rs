//! `/healthz` and `/readyz`, for whoever decides whether to restart this server and whether to send
//! clients to it.
//!
//! Healthy is a process that answers. Ready is one that takes sessions: its database answers, and it is not
//! stopping. Neither says more than that to strangers; why it is not ready is in the log.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tracing::warn;

use super::Web;

/// How long the database may take to answer: those who ask mostly wait for a second or a few.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn routes(web: &Arc<Web>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state(Arc::clone(web))
}

async fn ready(State(web): State<Arc<Web>>) -> (StatusCode, &'static str) {
    if web.watch.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let store = &web.listener.router.services().store;
    match tokio::time::timeout(DATABASE_TIMEOUT, store.ping()).await {
        Ok(Ok(())) => (StatusCode::OK, "ready\n"),
        Ok(Err(error)) => {
            warn!(%error, "not ready: the database failed");
            (StatusCode::SERVICE_UNAVAILABLE, "database\n")
        }
        Err(_) => {
            warn!("not ready: the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "database\n")
        }
    }
}
