//! XEP-0478: Stream Limits Advertisement, version 0.2.0: how large an element may be, and when a
//! quiet client is asked whether it is there.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{Hooks, StreamPhase};
use crate::proto::document::Document;
use crate::proto::ns;
use crate::xml::Element;

/// Registers the stream features, which differ before and after authentication.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    hooks.document(Document::new(
        "XEP-0478",
        "Stream Limits Advertisement",
        "0.2.0",
    ));
    let c2s = &config.c2s;
    // Before authentication the whole negotiation has a time limit; idleness has none.
    let negotiation = limits(c2s.negotiation_bytes_max.as_u64(), None);
    let idle_seconds = Some(c2s.idle_seconds.as_u32());
    let authenticated = limits(c2s.stanza_bytes_max.as_u64(), idle_seconds);
    hooks.stream_feature(StreamPhase::Negotiation, move |_| Some(negotiation.clone()));
    hooks.stream_feature(StreamPhase::Authenticated, move |_| {
        Some(authenticated.clone())
    });
}

/// §3.1.
fn limits(bytes_max: u64, idle_seconds: Option<u32>) -> Element {
    let part = |name, text: String| Element::new(ns::STREAM_LIMITS, name).text(text);
    Element::new(ns::STREAM_LIMITS, "limits")
        .child(part("max-bytes", bytes_max.to_string()))
        .child_opt(idle_seconds.map(|seconds| part("idle-seconds", seconds.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_configuration_in_each_phase() {
        let mut hooks = Hooks::default();
        let config = Arc::new(Config::default());
        register(&mut hooks, &config);
        let host = crate::proto::BareJid::new("localhost").unwrap();
        let told = |phase, name| {
            let features = hooks.stream_features(phase, &host);
            features[0].child_text(ns::STREAM_LIMITS, name)
        };
        let (before, after) = (StreamPhase::Negotiation, StreamPhase::Authenticated);
        assert_eq!(told(before, "max-bytes").as_deref(), Some("16384"));
        assert_eq!(told(before, "idle-seconds"), None);
        assert_eq!(told(after, "max-bytes").as_deref(), Some("262144"));
        assert_eq!(told(after, "idle-seconds").as_deref(), Some("300"));
    }
}
