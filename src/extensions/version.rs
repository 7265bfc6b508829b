//! XEP-0092: Software Version, version 1.1: which server answers.
//!
//! The operating system is not told: it helps nobody but attackers (§5).

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{At, Hooks, Iq, IqAnswer};
use crate::proto::document::Document;
use crate::proto::ns;
use crate::xml::Element;

/// Registers the answer.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0092", "Software Version", "1.1"));
    hooks.feature(&[At::Host], ns::VERSION);
    hooks.iq_get(&[At::Host, At::Service], ns::VERSION, "query", answer);
}

/// §2.
async fn answer(_iq: Iq) -> IqAnswer {
    let part = |name, text: &str| Element::new(ns::VERSION, name).text(text);
    let query = Element::new(ns::VERSION, "query")
        .child(part("name", "Parlour"))
        .child(part("version", env!("CARGO_PKG_VERSION")));
    Ok(Some(query))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extensions::testing::House;

    #[tokio::test]
    async fn the_host_tells_its_name_and_version() {
        let house = House::with(&["romeo"], register).await;
        let mut romeo = house.client("romeo/orchard");
        let query = "<query xmlns='jabber:iq:version'/>";
        romeo
            .send(&format!(
                "<iq type='get' id='v' to='localhost'>{query}</iq>"
            ))
            .await;
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "result v <query xmlns='jabber:iq:version'><name>Parlour</name>\
             <version>{version}</version></query>"
        );
        assert_eq!(romeo.heard(), [expected]);
        // A version cannot be set, and an account has none.
        romeo
            .send(&format!(
                "<iq type='set' id='v' to='localhost'>{query}</iq>"
            ))
            .await;
        romeo
            .send(&format!("<iq type='get' id='v'>{query}</iq>"))
            .await;
        assert_eq!(romeo.heard(), ["error v service-unavailable"; 2]);
    }
}
