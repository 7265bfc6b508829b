//! XEP-0049: Private XML Storage, version 1.2: what clients keep on the server for themselves.
//!
//! Elements are kept as they came, one for each name. Several in one request (§2.3 allows it for one
//! namespace) are refused, for they could be stored in part only; no client sends them.

use std::sync::Arc;

use tracing::warn;

use crate::config::Config;
use crate::extensions::bookmarks;
use crate::hooks::{At, Hooks, Iq, IqAnswer};
use crate::proto::common::kept;
use crate::proto::document::Document;
use crate::proto::{Condition, StanzaError, ns};
use crate::store::Put;
use crate::xml::Element;

/// Registers the answers.
pub fn register(hooks: &mut Hooks, config: &Arc<Config>) {
    let document = Document::new("XEP-0049", "Private XML Storage", "1.2");
    hooks.document(document.note("one element in a request"));
    hooks.feature(&[At::Own, At::Host], ns::PRIVATE);
    let bytes_max = config.private_storage.bytes_max.as_usize();
    hooks.iq_get(&[At::Own], ns::PRIVATE, "query", get);
    hooks.iq_set(&[At::Own], ns::PRIVATE, "query", move |iq| {
        set(iq, bytes_max)
    });
    hooks.iq_get(&[At::Account], ns::PRIVATE, "query", refuse);
    hooks.iq_set(&[At::Account], ns::PRIVATE, "query", refuse);
}

async fn get(iq: Iq) -> IqAnswer {
    let asked = element(&iq.payload)?;
    let private = iq.services.store.private_xml();
    let stored = match private.find(&iq.to, asked.ns(), asked.name()).await? {
        Some(bytes) => kept::from_bytes(&bytes)?,
        None => Element::new(asked.ns(), asked.name()),
    };
    Ok(Some(Element::new(ns::PRIVATE, "query").child(stored)))
}

async fn set(iq: Iq, bytes_max: usize) -> IqAnswer {
    let given = element(&iq.payload)?;
    let xml = kept::to_bytes(given);
    let private = iq.services.store.private_xml();
    let put = private.put(&iq.to, given.ns(), given.name(), &xml, bytes_max);
    match Box::pin(put).await? {
        Put::Stored => {
            let set = bookmarks::private_set(&iq.services, &iq.to, given);
            if let Err(error) = Box::pin(set).await {
                warn!(
                    condition = error.condition.name(),
                    "bookmarks are not converted"
                );
            }
            Ok(None)
        }
        Put::Full => Err(StanzaError::new(Condition::ResourceConstraint)
            .text(format!("private storage holds at most {bytes_max} bytes"))),
    }
}

/// §2.3: what belongs to another.
async fn refuse(_iq: Iq) -> IqAnswer {
    Err(Condition::Forbidden.into())
}

/// §2.3: the one element, in a namespace of its own.
fn element(query: &Element) -> Result<&Element, StanzaError> {
    let mut children = query.children();
    match (children.next(), children.next()) {
        (Some(child), None) if !child.ns().is_empty() && child.ns() != ns::PRIVATE => Ok(child),
        (Some(_), None) => Err(StanzaError::new(Condition::NotAcceptable)
            .text("the element needs a namespace of its own")),
        (None, _) => Err(StanzaError::bad_request("expected an element")),
        (Some(_), Some(_)) => {
            Err(StanzaError::new(Condition::NotAcceptable).text("expected one element only"))
        }
    }
}

#[cfg(test)]
mod tests;
