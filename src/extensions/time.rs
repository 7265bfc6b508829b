//! XEP-0202: Entity Time, version 2.0: what time it is here.
//!
//! The server keeps UTC, so that its offset is none whatever the machine's zone is.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::hooks::{At, Hooks, Iq, IqAnswer};
use crate::proto::document::Document;
use crate::proto::ns;
use crate::xml::Element;

/// Registers the answer.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0202", "Entity Time", "2.0"));
    hooks.feature(&[At::Host], ns::TIME);
    hooks.iq_get(&[At::Host, At::Service], ns::TIME, "time", answer);
}

/// §2; whole seconds, for not every client reads fractions.
async fn answer(iq: Iq) -> IqAnswer {
    let now = Timestamp::from_micros(0).plus_seconds(iq.services.clock.now().as_seconds());
    let part = |name, text: &str| Element::new(ns::TIME, name).text(text);
    let time = Element::new(ns::TIME, "time")
        .child(part("tzo", "+00:00"))
        .child(part("utc", &now.to_string()));
    Ok(Some(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extensions::testing::House;

    #[tokio::test]
    async fn the_host_tells_its_time_in_whole_seconds_of_utc() {
        let house = House::with(&["romeo"], register).await;
        house.clock.advance_seconds(5);
        let mut romeo = house.client("romeo/orchard");
        romeo
            .send("<iq type='get' id='t' to='localhost'><time xmlns='urn:xmpp:time'/></iq>")
            .await;
        let expected = "result t <time xmlns='urn:xmpp:time'><tzo>+00:00</tzo>\
             <utc>2026-09-21T14:13:25Z</utc></time>";
        assert_eq!(romeo.heard(), [expected]);
    }
}
