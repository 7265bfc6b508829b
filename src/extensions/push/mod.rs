//! XEP-0357: Push Notifications, version 0.4.1: a service that the client names is told that a message waits.
//!
//! A notification is sent for a message that is worth it (`notification.rs`: words, encrypted or not, invitations, calls
//! that begin) and that
//! - is kept because no session could take it: to every service that the account has enabled, or
//! - waits in a session whose client is not connected and may resume it (XEP-0198 §5): to those that a
//!   session of the same resource has enabled. When such a session ends and its messages are kept, the device
//!   is not told once more.
//!
//! What a connected session took wakes nobody. A service that refuses is forgotten: at once when the
//! error is final, after some in a row when it may be temporary. The notice of changed affiliations (§8) is passed
//! over, since refusals tell the same.

mod asked;
mod notification;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tracing::{debug, warn};

use crate::config::{Config, Push};
use crate::hooks::{At, Hooks, Iq, IqAnswer, Services, Undelivered};
use crate::proto::common::forms::{Form, FormType};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, ErrorType, IqType, Jid, Kind, Stanza, StanzaError, ns};
use crate::store::{PushRegistration, Put, StoreError};
use crate::xml::{Element, write};
use asked::{Asked, Publishing};

/// XEP-0357 §5.
const PUSH: &str = "urn:xmpp:push:0";

/// XEP-0060 §7.1.5.
const PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";

/// The longest node: as long as the parts of addresses.
const NODE_BYTES_MAX: usize = 1023;

/// Registers the answers and the hooks.
pub fn register(hooks: &mut Hooks, _config: &Arc<Config>) {
    hooks.document(Document::new("XEP-0357", "Push Notifications", "0.4.1"));
    hooks.feature(&[At::Own], PUSH);
    hooks.iq_set(&[At::Own], PUSH, "enable", enable);
    hooks.iq_set(&[At::Own], PUSH, "disable", disable);
    let asked = Arc::new(Asked::default());
    let known = Arc::clone(&asked);
    hooks.kept(move |it| kept(it, Arc::clone(&known)));
    let known = Arc::clone(&asked);
    hooks.waiting(move |session, mail, services| {
        let known = Arc::clone(&known);
        async move {
            if !notification::is_worth(&mail) {
                return;
            }
            let (owner, resource) = (session.account().jid(), session.resource().as_str());
            known.note(owner, resource, mail.received_at);
            let here = |it: &PushRegistration| it.resource == resource;
            tell(&services, &known, owner, &mail, here).await;
        }
    });
    hooks.answer_to_host(move |answer, services| answered(answer, services, &asked));
}

/// §5.
async fn enable(iq: Iq) -> IqAnswer {
    let session = iq.session()?;
    let config = &iq.services.config.push;
    let registration = PushRegistration {
        service: service(&iq.payload)?,
        node: node(&iq.payload)?.unwrap_or_default(),
        resource: session.resource().as_str().to_owned(),
        options: options(&iq.payload, config)?,
        failures: 0,
        enabled_at: iq.services.clock.now(),
    };
    if registration.service.bare() == iq.from.bare() {
        return Err(StanzaError::new(Condition::NotAllowed).text("a push service is another's"));
    }
    let registrations = iq.services.store.push_registrations();
    let owner = session.account().jid();
    let put = registrations.put(owner, &registration, config.registrations_per_account_max);
    match Box::pin(put).await? {
        Put::Stored => Ok(None),
        Put::Full => Err(StanzaError::new(Condition::ResourceConstraint)
            .text("the account has enabled too many push services")),
    }
}

/// §6: one node, or all of the service.
async fn disable(iq: Iq) -> IqAnswer {
    let owner = iq.session()?.account().jid();
    let (service, node) = (service(&iq.payload)?, node(&iq.payload)?);
    let registrations = iq.services.store.push_registrations();
    registrations
        .delete(owner, &service, node.as_deref())
        .await?;
    Ok(None)
}

fn service(payload: &Element) -> Result<Jid, StanzaError> {
    let jid = payload
        .attribute("jid")
        .ok_or_else(|| StanzaError::bad_request("the push service has no jid"))?;
    Jid::parse(jid)
        .map_err(|error| StanzaError::new(Condition::JidMalformed).text(error.to_string()))
}

fn node(payload: &Element) -> Result<Option<String>, StanzaError> {
    match payload.attribute("node") {
        Some(node) if node.len() > NODE_BYTES_MAX => {
            Err(StanzaError::bad_request("the node is too long"))
        }
        node => Ok(node.map(str::to_owned)),
    }
}

/// The form of publish options, as it came.
fn options(payload: &Element, config: &Push) -> Result<Option<Vec<u8>>, StanzaError> {
    let Some(element) = payload.find(ns::DATA_FORMS, "x") else {
        return Ok(None);
    };
    let form = Form::parse(element)?;
    if form.kind != FormType::Submit || form.type_name() != Some(PUBLISH_OPTIONS) {
        return Err(StanzaError::bad_request(
            "expected a form of publish options",
        ));
    }
    let mut bytes = Vec::new();
    write::element(&mut bytes, element, "");
    if bytes.len() > config.options_bytes_max.as_usize() {
        return Err(StanzaError::new(Condition::NotAcceptable).text("the options are too large"));
    }
    Ok(Some(bytes))
}

/// A message that no session could take.
async fn kept(it: Undelivered, asked: Arc<Asked>) {
    let Undelivered {
        account,
        stanza,
        services,
    } = it;
    if !notification::is_worth(&stanza) {
        return;
    }
    let untold = |it: &PushRegistration| !asked.knows(&account, &it.resource, stanza.received_at);
    tell(&services, &asked, &account, &stanza, untold).await;
}

/// §7: to those of the account's services for which the answer is true.
async fn tell(
    services: &Arc<Services>,
    asked: &Asked,
    owner: &BareJid,
    message: &Stanza,
    chosen: impl Fn(&PushRegistration) -> bool,
) {
    let registrations = match services.store.push_registrations().list(owner).await {
        Ok(registrations) => registrations,
        Err(error) => return warn!(%error, "push registrations are not read"),
    };
    let mut registrations = registrations.into_iter().filter(chosen).peekable();
    if registrations.peek().is_none() {
        return;
    }
    // At least the one that it is about.
    let count = match services.store.offline_messages().count(owner).await {
        Ok(count) => count.max(1),
        Err(_) => 1,
    };
    let host = BareJid::from_parts(None, owner.domain());
    for registration in registrations {
        let id = crate::id::sorted(services.clock.now());
        let config = &services.config.push;
        let publish = notification::publish(&id, &registration, message, count, config);
        let publishing = Publishing {
            owner: owner.clone(),
            service: registration.service.clone(),
            node: registration.node,
        };
        asked.begin(id, publishing);
        services
            .route(publish.from(host.clone()).to(registration.service))
            .await;
    }
}

/// §7.1: what became of it.
fn answered(
    answer: &Stanza,
    services: &Arc<Services>,
    asked: &Asked,
) -> Option<BoxFuture<'static, ()>> {
    let (id, from) = (answer.id.as_deref()?, answer.from.as_ref()?);
    let publishing = asked.end(id, from)?;
    let refused = answer.kind == Kind::Iq(IqType::Error);
    let temporary = answer.error_type() == Some(ErrorType::Wait);
    let services = Arc::clone(services);
    Some(Box::pin(async move {
        let outcome = follow(&services, &publishing, refused, temporary).await;
        if let Err(error) = outcome {
            warn!(%error, "the answer of a push service is not noted");
        }
    }))
}

async fn follow(
    services: &Services,
    publishing: &Publishing,
    refused: bool,
    temporary: bool,
) -> Result<(), StoreError> {
    let Publishing {
        owner,
        service,
        node,
    } = publishing;
    let registrations = services.store.push_registrations();
    if !refused {
        return registrations.worked(owner, service, node).await;
    }
    debug!(%service, temporary, "a push service refuses");
    if temporary {
        let failures_max = services.config.push.failures_max;
        Box::pin(registrations.failed(owner, service, node, failures_max)).await
    } else {
        registrations.delete(owner, service, Some(node)).await
    }
}
