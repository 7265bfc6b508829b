//! XEP-0352: Client State Indication, version 1.0.0: announced to clients that have logged in.
//!
//! What an inactive client gets later is decided in its session (`session/client_state.rs`). One
//! that binds (XEP-0386) may say at once that it is inactive.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{Hooks, StreamPhase};
use crate::proto::document::Document;
use crate::proto::ns;
use crate::xml::Element;

/// Registers the stream feature.
pub fn register(hooks: &mut Hooks, _: &Arc<Config>) {
    let title = "Client State Indication";
    hooks.document(Document::new("XEP-0352", title, "1.0.0"));
    hooks.stream_feature(StreamPhase::Authenticated, |_| {
        Some(Element::new(ns::CLIENT_STATE, "csi"))
    });
    hooks.bind_inline(ns::CLIENT_STATE, "inactive", |session, _| {
        session.set_inactive(true);
        None
    });
}
