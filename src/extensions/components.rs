//! XEP-0114: Jabber Component Protocol, version 1.6: what the server tells of its components.
//!
//! They answer for themselves; here they are listed under the hosts (XEP-0030 §4). The protocol is in
//! [`crate::component`].

use std::sync::Arc;

use crate::config::Config;
use crate::hooks::{At, Hooks, Item};
use crate::proto::document::Document;
use crate::proto::{BareJid, ns};

/// Registers the list.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    hooks.document(
        Document::new("XEP-0114", "Jabber Component Protocol", "1.6")
            .note("components connect to the server, not the server to components"),
    );
    hooks.document(
        Document::new("XEP-0355", "Namespace Delegation", "0.5")
            .note("by the configuration (admin mode); of discovery at unknown nodes, items only"),
    );
    hooks.feature(&[At::Host], ns::DELEGATION);
    hooks.document(Document::new("XEP-0356", "Privileged Entity", "0.4.1").note(
        "of contacts on other servers, the presence that comes while the component is connected",
    ));
    let listed: Arc<[(BareJid, Item)]> = listed(config).into();
    if listed.is_empty() {
        return;
    }
    hooks.disco_items(&[At::Host], move |ask| {
        let here = |(host, _): &&(BareJid, Item)| *host == ask.iq.to;
        let items = listed.iter().filter(here).map(|(_, item)| item.clone());
        let items = ask.node.is_none().then(|| items.collect());
        async move { Ok(items) }
    });
}

/// Each component, and the host that it is listed under: the one that its domain is below, the longest
/// of several, or else the first.
fn listed(config: &Config) -> Vec<(BareJid, Item)> {
    let host_of = |domain: &str| {
        let below = config.hosts.iter().filter(|host| {
            let parent = domain.strip_suffix(host.domain.as_str());
            parent.is_some_and(|rest| rest.ends_with('.'))
        });
        below
            .max_by_key(|host| host.domain.as_str().len())
            .or_else(|| config.hosts.first())
    };
    let components = config.components.iter().filter_map(|component| {
        let host = host_of(component.domain.as_str())?;
        let item = Item {
            jid: component.domain.to_jid().into(),
            node: None,
            name: component.name.clone(),
        };
        Some((host.domain.to_jid(), item))
    });
    components.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_listed_under_the_nearest_host() {
        let text = "[[host]]\ndomain = 'example'\n[[host]]\ndomain = 'a.example'\n\
                    [[component]]\ndomain = 'x.a.example'\nsecret = 's'\nname = 'X'\n\
                    [[component]]\ndomain = 'y.example'\nsecret = 's'\n\
                    [[component]]\ndomain = 'z.elsewhere'\nsecret = 's'\n\
                    [[component]]\ndomain = 'ba.example'\nsecret = 's'\n";
        let config = Config::parse("test", text, std::iter::empty()).unwrap();
        let found: Vec<_> = listed(&config)
            .into_iter()
            .map(|(host, item)| (host.to_string(), item.jid.to_string(), item.name))
            .collect();
        let name = |text: &str| Some(text.to_owned());
        let row = |host: &str, jid: &str, name| (host.to_owned(), jid.to_owned(), name);
        assert_eq!(
            found,
            [
                row("a.example", "x.a.example", name("X")),
                row("example", "y.example", None),
                row("example", "z.elsewhere", None),
                row("example", "ba.example", None),
            ]
        );
    }
}
