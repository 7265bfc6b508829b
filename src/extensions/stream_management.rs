//! XEP-0198: Stream Management, version 1.6.3: announced to clients that have logged in.
//!
//! The session itself counts and resumes, for nothing else sees what passes in both directions
//! (`session/management.rs`). No other `location` is told for coming back.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{Hooks, StreamPhase};
use crate::proto::document::Document;
use crate::proto::ns;
use crate::xml::Element;

/// Registers the stream feature.
pub fn register(hooks: &mut Hooks, _: &Arc<Config>) {
    hooks.document(Document::new("XEP-0198", "Stream Management", "1.6.3"));
    hooks.stream_feature(StreamPhase::Authenticated, |_| {
        Some(Element::new(ns::STREAM_MANAGEMENT, "sm"))
    });
}
