//! XEP-0115: Entity Capabilities, version 1.6.0, and XEP-0390: Entity Capabilities 2.0,
//! version 0.3.2: what the server can do as a hash in the stream features, so that a client
//! that knows the hash need not ask.
//!
//! Only the server's own capabilities; those of clients are read for what they want to be told of
//! ([`super::pubsub`]) and pass through. Leaving
//! them out of presences that repeat them (XEP-0115 §8.4) is not done.

mod client;

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use sha3::Sha3_256;

use crate::config::Config;
use crate::hooks::{Ask, At, Hooks, Info, Services, StreamPhase};
use crate::proto::common::forms::{Field, Form};
use crate::proto::document::Document;
use crate::proto::{BareJid, StanzaError, ns};
use crate::xml::Element;

pub(in crate::extensions) use client::CapsHash;
#[cfg(test)]
pub(in crate::extensions) use client::ver_of;

/// Identifies the software (XEP-0115 §4): a URI that is nobody else's, and promises no page.
const NODE: &str = "urn:uuid:d5b68289-aee9-409a-b105-9492eed7e1c2";

/// The capabilities of one host. They change only with the software and its configuration, and where
/// components answer in the server's place (XEP-0355 §7.2), so that they are worked out once for each answer.
#[derive(Debug)]
struct Caps {
    host: BareJid,
    info: Info,
    ver: String,
    hashes: [(&'static str, String); 2],
}

/// What is known of the hosts, and who tells of them anew once the server is built.
#[derive(Default)]
struct Known {
    caps: Mutex<Vec<Arc<Caps>>>,
    services: OnceLock<Weak<Services>>,
}

/// Registers the stream features and the nodes.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    let read = "the server's own; those of clients are read for their interest in nodes";
    hooks.document(Document::new("XEP-0115", "Entity Capabilities", "1.6.0").note(read));
    hooks.document(Document::new("XEP-0390", "Entity Capabilities 2.0", "0.3.2").note(read));
    hooks.feature(&[At::Host], ns::CAPS);
    hooks.feature(&[At::Host], ns::CAPS2);

    let known = Arc::<Known>::default();
    let (found, hosts) = (Arc::clone(&known), Arc::clone(config));
    hooks.complete(move |hooks| {
        let hosts = hosts.hosts.iter().map(|host| host.domain.to_jid());
        let all = hosts.map(|host| Caps::new(hooks.disco().info(At::Host, &host), host));
        *found.lock() = all.map(Arc::new).collect();
    });
    if config
        .components
        .iter()
        .any(|it| !it.delegations.is_empty())
    {
        let known = Arc::clone(&known);
        hooks.starting(move |services| {
            // Started once; a second time would find the same.
            let _ = known.services.set(Arc::downgrade(&services));
            std::future::ready(Ok(()))
        });
    }
    for phase in [StreamPhase::Negotiation, StreamPhase::Authenticated] {
        let features: [fn(&Caps) -> Element; 2] = [Caps::to_element, Caps::to_element2];
        for feature in features {
            let known = Arc::clone(&known);
            hooks.stream_feature(phase, move |host| known.find(host).map(|it| feature(&it)));
        }
    }
    hooks.disco_node(&[At::Host], move |ask| {
        let info = answer(&known, &ask);
        async move { Ok::<_, StanzaError>(info) }
    });
}

impl Known {
    /// The capabilities of a host as they are now.
    fn find(&self, host: &BareJid) -> Option<Arc<Caps>> {
        let services = self.services.get().and_then(Weak::upgrade);
        let now = services.map(|services| services.disco_info(At::Host, host));
        let mut caps = self.lock();
        let known = caps.iter_mut().find(|caps| caps.host == *host)?;
        if let Some(info) = now.filter(|info| *info != known.info) {
            *known = Arc::new(Caps::new(info, host.clone()));
        }
        Some(Arc::clone(known))
    }

    /// A panic while the lock was held cannot have left the list half changed.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Caps>>> {
        self.caps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// XEP-0115 §6.2, XEP-0390 §5.5: the same information on the node made of the hash.
fn answer(known: &Known, ask: &Ask) -> Option<Info> {
    let caps = known.find(&ask.iq.to)?;
    caps.has_node(ask.node.as_deref()?)
        .then(|| caps.info.clone())
}

impl Caps {
    fn new(info: Info, host: BareJid) -> Self {
        let input = input2(&info);
        Self {
            host,
            ver: ver(&info),
            hashes: [
                ("sha-256", BASE64.encode(Sha256::digest(&input))),
                ("sha3-256", BASE64.encode(Sha3_256::digest(&input))),
            ],
            info,
        }
    }

    fn has_node(&self, node: &str) -> bool {
        if let Some(hash) = node.strip_prefix("urn:xmpp:caps#") {
            // The name of the hash has no full stop; base64 neither.
            let parts = hash.rsplit_once('.');
            return parts.is_some_and(|(algo, value)| {
                self.hashes
                    .iter()
                    .any(|(known, hash)| *known == algo && hash == value)
            });
        }
        node.split_once('#') == Some((NODE, &self.ver))
    }

    /// XEP-0115 §6.3.
    fn to_element(&self) -> Element {
        Element::new(ns::CAPS, "c")
            .attr("hash", "sha-1")
            .attr("node", NODE)
            .attr("ver", &self.ver)
    }

    /// XEP-0390 §5.2.
    fn to_element2(&self) -> Element {
        let hashes = self.hashes.iter().map(|(algo, hash)| {
            Element::new(ns::HASHES, "hash")
                .attr("algo", algo)
                .text(hash.as_str())
        });
        Element::new(ns::CAPS2, "c").children_from(hashes)
    }
}

/// XEP-0115 §5.1.
fn ver(info: &Info) -> String {
    BASE64.encode(Sha1::digest(input(info)))
}

/// XEP-0115 §5.1: what is hashed.
fn input(info: &Info) -> String {
    let mut identities = info.identities.clone();
    identities.sort_unstable();
    let mut parts: Vec<String> = identities
        .iter()
        .map(|identity| {
            let lang = identity.lang.as_deref().unwrap_or_default();
            let name = identity.name.as_deref().unwrap_or_default();
            format!("{}/{}/{lang}/{name}", identity.category, identity.kind)
        })
        .collect();
    let mut features: Vec<&str> = info.features.iter().map(AsRef::as_ref).collect();
    features.sort_unstable();
    parts.extend(features.into_iter().map(str::to_owned));
    let mut forms: Vec<&Form> = info.forms.iter().collect();
    forms.sort_by_key(|form| form.type_name());
    for form in forms {
        parts.extend(form.type_name().map(str::to_owned));
        let mut fields: Vec<&Field> = form.fields.iter().collect();
        fields.sort_by_key(|field| field.var.as_deref());
        for field in fields {
            let Some(var) = field.var.as_ref().filter(|var| *var != "FORM_TYPE") else {
                continue;
            };
            parts.push(var.clone());
            let mut values = field.values.clone();
            values.sort_unstable();
            parts.extend(values);
        }
    }
    parts.into_iter().map(|part| part + "<").collect()
}

/// XEP-0390 §4.1: what is hashed, with a separator for each level.
fn input2(info: &Info) -> Vec<u8> {
    let features = info.features.iter().map(|feature| end(feature, LEVEL4));
    let identities = info.identities.iter().map(|identity| {
        let lang = identity.lang.as_deref().unwrap_or_default();
        let name = identity.name.as_deref().unwrap_or_default();
        let parts = [&identity.category, &identity.kind, lang, name];
        let joined: String = parts.into_iter().map(|part| end(part, LEVEL4)).collect();
        end(&joined, LEVEL3)
    });
    let forms = info.forms.iter().map(|form| {
        let fields = form.fields.iter().map(|field| {
            let values = sorted(field.values.iter().map(|value| end(value, LEVEL4)));
            let var = end(field.var.as_deref().unwrap_or_default(), LEVEL4);
            end(&(var + &values), LEVEL3)
        });
        end(&sorted(fields), LEVEL2)
    });
    let parts = [sorted(features), sorted(identities), sorted(forms)];
    let input: String = parts.iter().map(|part| end(part, LEVEL1)).collect();
    input.into_bytes()
}

const LEVEL1: char = '\u{1C}';
const LEVEL2: char = '\u{1D}';
const LEVEL3: char = '\u{1E}';
const LEVEL4: char = '\u{1F}';

fn end(text: &str, separator: char) -> String {
    format!("{text}{separator}")
}

/// In the order of their octets, which is that of UTF-8 strings in Rust.
fn sorted(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<String> = parts.collect();
    parts.sort_unstable();
    parts.concat()
}

#[cfg(test)]
mod tests;
