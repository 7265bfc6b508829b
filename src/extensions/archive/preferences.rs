//! XEP-0441: Message Archive Management Preferences, version 0.2.0: whose messages an account wants archived.
//!
//! The advanced configuration of §2.2 is not offered.

use super::policy::{self, Policy};
use crate::config::ArchiveDefault;
use crate::hooks::{At, Hooks, Iq, IqAnswer};
use crate::proto::document::Document;
use crate::proto::{Condition, Jid, StanzaError, ns};
use crate::store::ArchivePreference;
use crate::xml::Element;

/// Registers the answers.
pub(super) fn register(hooks: &mut Hooks) {
    let title = "Message Archive Management Preferences";
    hooks.document(Document::new("XEP-0441", title, "0.2.0"));
    hooks.iq_get(super::OWN_OR_HOST, ns::MAM, "prefs", get);
    hooks.iq_set(super::OWN_OR_HOST, ns::MAM, "prefs", set);
    hooks.iq_get(&[At::Account], ns::MAM, "prefs", super::refuse);
    hooks.iq_set(&[At::Account], ns::MAM, "prefs", super::refuse);
}

async fn get(iq: Iq) -> IqAnswer {
    match Box::pin(policy::load(&iq.services, super::owner(&iq)?)).await? {
        Some(policy) => Ok(Some(policy.to_element())),
        None => Err(Condition::ItemNotFound.into()),
    }
}

/// §2.1: what is applied is said back.
async fn set(iq: Iq) -> IqAnswer {
    let owner = super::owner(&iq)?;
    let addresses_max = iq.services.config.archive.preference_addresses_max;
    let policy = Policy::read(
        &iq.payload,
        usize::try_from(addresses_max).unwrap_or(usize::MAX),
    )?;
    let account = iq.session()?.account();
    let turn = account.slots().find_or(policy::Turn::default);
    let _turn = turn.0.lock().await;
    let archive = iq.services.store.archive();
    archive.set_preference(owner, &policy.to_stored()).await?;
    let answer = policy.to_element();
    account.slots().set(policy);
    Ok(Some(answer))
}

impl Policy {
    fn read(prefs: &Element, addresses_max: usize) -> Result<Self, StanzaError> {
        let word = prefs.attribute("default");
        let otherwise = match word {
            Some("always") => ArchiveDefault::Always,
            Some("never") => ArchiveDefault::Never,
            Some("roster") => ArchiveDefault::Roster,
            Some(_) | None => {
                let text = "expected default to be always, never or roster";
                return Err(StanzaError::bad_request(text));
            }
        };
        let policy = Self {
            otherwise,
            always: addresses(prefs, "always")?,
            never: addresses(prefs, "never")?,
        };
        if policy.always.len() + policy.never.len() > addresses_max {
            let text = format!("at most {addresses_max} addresses can be listed");
            return Err(StanzaError::new(Condition::ResourceConstraint).text(text));
        }
        Ok(policy)
    }

    fn to_element(&self) -> Element {
        let list = |name, jids: &[Jid]| {
            let jids = jids.iter().map(|jid| named("jid").text(jid.to_string()));
            named(name).children_from(jids)
        };
        named("prefs")
            .attr("default", self.otherwise.as_str())
            .child(list("always", &self.always))
            .child(list("never", &self.never))
    }

    fn to_stored(&self) -> ArchivePreference {
        let list = |jids: &[Jid]| jids.iter().map(ToString::to_string).collect();
        ArchivePreference {
            otherwise: self.otherwise.as_str().to_owned(),
            always: list(&self.always),
            never: list(&self.never),
        }
    }
}

fn named(name: &str) -> Element {
    Element::new(ns::MAM, name)
}

/// §2.1.2, §2.1.3: a list that is missing is empty.
fn addresses(prefs: &Element, name: &str) -> Result<Vec<Jid>, StanzaError> {
    let list = prefs.find(ns::MAM, name);
    let jids = list.into_iter().flat_map(Element::children);
    let mut found: Vec<Jid> = Vec::new();
    for jid in jids.filter(|child| child.is(ns::MAM, "jid")) {
        let jid = Jid::parse(jid.text_content().trim());
        let jid = jid.map_err(|_| StanzaError::bad_request("a jid is no address"))?;
        if !found.contains(&jid) {
            found.push(jid);
        }
    }
    Ok(found)
}
