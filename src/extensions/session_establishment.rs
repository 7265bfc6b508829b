//! RFC 3921 §3: session establishment, obsolete since RFC 6121.
//!
//! Old clients ask for a session after they have bound a resource, and it exists already. The stream
//! feature says that nobody needs to.

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{At, Hooks, Iq, IqAnswer, StreamPhase};
use crate::proto::ns;
use crate::xml::Element;

/// Registers the stream feature and the answer.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.stream_feature(StreamPhase::Authenticated, |_| {
        let optional = Element::new(ns::SESSION, "optional");
        Some(Element::new(ns::SESSION, "session").child(optional))
    });
    hooks.iq_set(&[At::Own, At::Host], ns::SESSION, "session", answer);
}

async fn answer(_iq: Iq) -> IqAnswer {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extensions::testing::House;
    use crate::proto::BareJid;

    #[tokio::test]
    async fn a_session_is_optional_and_granted() {
        let house = House::with(&["romeo"], register).await;
        let hooks = &house.router.services().hooks;
        let host = BareJid::new("localhost").unwrap();
        let features = hooks.stream_features(StreamPhase::Authenticated, &host);
        assert!(features[0].find(ns::SESSION, "optional").is_some());
        assert!(
            hooks
                .stream_features(StreamPhase::Negotiation, &host)
                .is_empty()
        );
        let mut romeo = house.client("romeo/orchard");
        for to in ["", "to='localhost'"] {
            let session = "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>";
            romeo
                .send(&format!("<iq type='set' id='s' {to}>{session}</iq>"))
                .await;
        }
        assert_eq!(romeo.heard(), ["result s"; 2]);
    }
}
