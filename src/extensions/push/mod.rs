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

mod notification;
#[cfg(test)]
mod tests;
mod told;

use std::sync::Arc;

use tracing::{debug, warn};

use crate::config::{Config, Push};
use crate::hooks::{Answer, At, Effects, Hooks, Iq, IqAnswer, Services, Undelivered};
use crate::proto::common::forms::{Form, FormType};
use crate::proto::document::Document;
use crate::proto::{BareJid, Condition, ErrorType, Jid, Stanza, StanzaError, ns};
use crate::store::{PushRegistration, Put, StoreError};
use crate::xml::{Element, write};
use told::Told;

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
    let told = Arc::new(Told::default());
    let known = Arc::clone(&told);
    hooks.kept(move |it| kept(it, Arc::clone(&known)));
    hooks.waiting(move |session, mail, services| {
        let told = Arc::clone(&told);
        async move {
            if !notification::is_worth(&mail) {
                return;
            }
            let (owner, resource) = (session.account().jid(), session.resource().as_str());
            told.note(owner, resource, mail.received_at);
            let here = |it: &PushRegistration| it.resource == resource;
            tell(&services, owner, &mail, here).await;
        }
    });
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
    check_way(&iq.services, &registration.service).await?;
    let registrations = iq.services.store.push_registrations();
    let owner = session.account().jid();
    let put = registrations.put(owner, &registration, config.registrations_per_account_max);
    match Box::pin(put).await? {
        Put::Stored => Ok(None),
        Put::Full => Err(StanzaError::new(Condition::ResourceConstraint)
            .text("the account has enabled too many push services")),
    }
}

/// Refuses a service that certainly never gets a notification, so that its client need not wait for
/// the first one to learn of it.
///
/// # Errors
/// `remote-server-not-found` where no way leads to its domain, `item-not-found` for an account that is not there.
async fn check_way(services: &Services, service: &Jid) -> Result<(), StanzaError> {
    if !services.reaches(service.domain()) {
        return Err(StanzaError::new(Condition::RemoteServerNotFound)
            .text("no way leads to the push service"));
    }
    let local = services.serves(service.domain()) && service.local().is_some();
    if local
        && Box::pin(services.store.accounts().find(service.bare()))
            .await?
            .is_none()
    {
        return Err(Condition::ItemNotFound.into());
    }
    Ok(())
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
async fn kept(it: Undelivered, told: Arc<Told>) {
    let Undelivered {
        account,
        stanza,
        services,
    } = it;
    if !notification::is_worth(&stanza) {
        return;
    }
    let untold = |it: &PushRegistration| !told.knows(&account, &it.resource, stanza.received_at);
    tell(&services, &account, &stanza, untold).await;
}

/// §7: to those of the account's services for which the answer is true.
async fn tell(
    services: &Arc<Services>,
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
        let config = &services.config.push;
        let id = crate::id::random();
        let publish = notification::publish(&id, &registration, message, count, config);
        let publish = publish.from(host.clone()).to(registration.service.clone());
        let owner = owner.clone();
        let remembered = services.requests.remember(
            &publish,
            services.clock.now(),
            Box::new(move |answer| Box::pin(answered(answer, owner, registration))),
        );
        if !remembered {
            debug!("too many requests wait; what a push service answers is passed over");
        }
        services.route(publish).await;
    }
}

/// §7.1: what became of it.
async fn answered(answer: Answer, owner: BareJid, registration: PushRegistration) -> Effects {
    let outcome = follow(&answer, &owner, &registration).await;
    if let Err(error) = outcome {
        warn!(%error, "the answer of a push service is not noted");
    }
    Effects::default()
}

async fn follow(
    answer: &Answer,
    owner: &BareJid,
    registration: &PushRegistration,
) -> Result<(), StoreError> {
    let PushRegistration { service, node, .. } = registration;
    let services = &answer.services;
    let registrations = services.store.push_registrations();
    if !answer.refused {
        return registrations.worked(owner, service, node).await;
    }
    let temporary = answer.error_type == Some(ErrorType::Wait);
    debug!(%service, temporary, "a push service refuses");
    if temporary {
        let failures_max = services.config.push.failures_max;
        Box::pin(registrations.failed(owner, service, node, failures_max)).await
    } else {
        registrations.delete(owner, service, Some(node)).await
    }
}
