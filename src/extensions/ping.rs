//! XEP-0199: XMPP Ping, version 2.0.1: is the other end there?
//!
//! Answers for the host and for accounts; pings between resources pass through like any
//! other request.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{At, Hooks, Iq, IqAnswer};
use crate::proto::document::Document;
use crate::proto::ns;

/// Registers the answer.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0199", "XMPP Ping", "2.0.1"));
    hooks.feature(&[At::Host, At::Own], ns::PING);
    hooks.iq_get(&[At::Host, At::Service, At::Own], ns::PING, "ping", pong);
}

/// §4.1, §4.2: an empty result.
async fn pong(_ping: Iq) -> IqAnswer {
    Ok(None)
}
