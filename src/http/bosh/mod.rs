//! XEP-0124: Bidirectional-streams Over Synchronous HTTP (BOSH), version 1.11.2, and
//! XEP-0206: XMPP Over BOSH, version 1.4.

use std::sync::Arc;

use axum::Router;

use super::Web;

/// All sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    sessions_max: usize,
}

impl Sessions {
    pub(super) fn new(sessions_max: usize) -> Self {
        Self { sessions_max }
    }
}

pub(super) fn routes(_web: &Arc<Web>) -> Router {
    Router::new()
}
