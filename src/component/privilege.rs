//! XEP-0356: Privileged Entity, version 0.4.1: what a component sends in the name of others.
//!
//! It is told on connecting what it may do (§4.2). A message in the name of a host or account (§5.3) and a
//! request in the name of an account (§6.3) come wrapped, are checked, and go on as if from there. Rosters are
//! in `extensions::roster`, presence (§7) is in `extensions::privileged_presence`, but for what there was
//! before the component came. Everything counts for the hosts that the component acts for.

use std::sync::Arc;

use futures_util::FutureExt as _;

use crate::config::{Access, Component, MessagePrivilege, PresencePrivilege, Privileges};
use crate::hooks::{Answer, Effects, Services, refusal};
use crate::proto::common::forward::forwarded;
use crate::proto::{BareJid, Condition, IqType, Jid, Kind, MessageType, Stanza, StanzaError};
use crate::proto::{ns, reading};
use crate::xml::{Element, write};

/// What comes out of a stanza of the component.
pub(super) enum Opened {
    /// It is an ordinary one.
    Ordinary(Stanza),
    /// Something wrapped, to be routed in its place.
    Unwrapped(Stanza),
    /// Something wrapped that is not taken.
    Refused(Option<Box<Stanza>>),
}

/// Looks whether something in the name of another is inside, and whether that is allowed.
pub(super) async fn open(stanza: Stanza, config: &Component, services: &Arc<Services>) -> Opened {
    let Some(wrapped) = Wrapped::find(&stanza, services) else {
        return Opened::Ordinary(stanza);
    };
    let unwrapped = match wrapped {
        Wrapped::Message => message(&stanza, config, services),
        Wrapped::Request(kind, account) => request(&stanza, kind, account, config, services).await,
    };
    match unwrapped {
        Ok(unwrapped) => Opened::Unwrapped(unwrapped),
        Err(error) => Opened::Refused(refusal(&stanza, &error).map(Box::new)),
    }
}

enum Wrapped {
    Message,
    Request(IqType, BareJid),
}

impl Wrapped {
    /// §5.3: a message to a host; §6.3: a request to an account.
    fn find(stanza: &Stanza, services: &Services) -> Option<Self> {
        let to = stanza.to.as_ref().filter(|to| to.is_bare())?;
        if !services.serves(to.domain()) {
            return None;
        }
        match stanza.kind {
            Kind::Message(kind) => (to.local().is_none()
                && kind != MessageType::Error
                && stanza.has(ns::PRIVILEGE, "privilege"))
            .then_some(Self::Message),
            Kind::Iq(kind) => (to.local().is_some()
                && kind.is_request()
                && stanza.has(ns::PRIVILEGE, "privileged_iq"))
            .then(|| Self::Request(kind, to.bare().clone())),
            Kind::Presence(_) => None,
        }
    }
}

/// §5.3: out of the name of a bare address of this server.
fn message(
    stanza: &Stanza,
    config: &Component,
    services: &Services,
) -> Result<Stanza, StanzaError> {
    if config.privileges.message != MessagePrivilege::Outgoing {
        return Err(Condition::Forbidden.into());
    }
    let privilege = element(stanza, "privilege")?;
    let inner = privilege
        .find(ns::FORWARD, "forwarded")
        .and_then(|forwarded| forwarded.find(ns::CLIENT, "message"));
    let inner = inner.ok_or_else(|| StanzaError::bad_request("no message is forwarded"))?;
    let inner = read(inner)?;
    let own = |from: &Jid| {
        from.is_bare() && services.serves(from.domain()) && config.acts_for(from.domain())
    };
    if !inner.from.as_ref().is_some_and(own) {
        return Err(Condition::Forbidden.into());
    }
    if inner.to.is_none() || inner.kind == Kind::Message(MessageType::Error) {
        return Err(StanzaError::bad_request(
            "a message to somebody is expected",
        ));
    }
    Ok(inner)
}

/// §6.3: out of the name of the account; what comes back goes to the component.
async fn request(
    stanza: &Stanza,
    kind: IqType,
    account: BareJid,
    config: &Component,
    services: &Arc<Services>,
) -> Result<Stanza, StanzaError> {
    let privileged = element(stanza, "privileged_iq")?;
    let inner = privileged.find(ns::CLIENT, "iq");
    let inner = read(inner.ok_or_else(|| StanzaError::bad_request("no iq is inside"))?)?;
    let payload = inner.payload.iter().next();
    let namespace = payload.and_then(|it| it.ns()).unwrap_or_default();
    let of_account = inner
        .from
        .as_ref()
        .is_none_or(|from| *from == account.clone().into());
    let may_ask = may_ask(&config.privileges, kind, namespace);
    if !may_ask || !of_account || !config.acts_for(account.domain().as_str()) {
        return Err(Condition::Forbidden.into());
    }
    if inner.kind != Kind::Iq(kind) {
        return Err(StanzaError::bad_request("both have to be of the same type"));
    }
    if services.store.accounts().find(&account).await?.is_none() {
        return Err(Condition::ItemNotFound.into());
    }
    let mut asked = inner.clone().from(account.clone());
    asked.id = Some(crate::id::random().into());
    asked.to = asked.to.or_else(|| Some(account.into()));
    let outer = stanza.clone();
    let next = move |answer: Answer| {
        let mut effects = Effects::default();
        effects.route.extend(wrapped(&outer, &inner, answer.stanza));
        std::future::ready(effects).boxed()
    };
    let now = services.clock.now();
    if !services.requests.remember(&asked, now, Box::new(next)) {
        return Err(Condition::ResourceConstraint.into());
    }
    Ok(asked)
}

/// §6.3, the last example: what came back, under the id that the component gave it.
fn wrapped(outer: &Stanza, inner: &Stanza, mut answer: Stanza) -> Option<Stanza> {
    answer.id.clone_from(&inner.id);
    let forwarded = forwarded(&answer, None)?;
    let privilege = Element::new(ns::PRIVILEGE, "privilege").child(forwarded);
    Some(outer.result(Some(&privilege)))
}

fn may_ask(privileges: &Privileges, kind: IqType, namespace: &str) -> bool {
    let mut granted = privileges.iq.iter();
    granted.any(|it| {
        it.namespace == namespace
            && match kind {
                IqType::Get => it.access.may_get(),
                IqType::Set => it.access.may_set(),
                IqType::Result | IqType::Error => false,
            }
    })
}

fn element(stanza: &Stanza, name: &str) -> Result<Element, StanzaError> {
    let child = stanza.find(ns::PRIVILEGE, name);
    let element = child.and_then(|child| child.to_element(ns::CLIENT).ok());
    element.ok_or_else(|| Condition::BadRequest.into())
}

fn read(element: &Element) -> Result<Stanza, StanzaError> {
    let mut bytes = Vec::new();
    write::element(&mut bytes, element, "");
    let stanza = reading::stored(bytes.into());
    stanza.ok_or_else(|| StanzaError::bad_request("what is inside is no stanza"))
}

/// §4.2, §5.2, §6.2: what the component may do with the accounts of that host; `None` for nothing.
pub(super) fn advertisement(config: &Component, host: &BareJid) -> Option<Stanza> {
    if !config.acts_for(host.as_str()) {
        return None;
    }
    let privileges = &config.privileges;
    let perm = |access: &str| Element::new(ns::PRIVILEGE, "perm").attr("access", access);
    let mut perms = Vec::new();
    if privileges.roster != Access::None {
        let push = privileges.roster.may_get() && privileges.roster_push;
        let roster = perm("roster").attr("type", privileges.roster.as_str());
        perms.push(roster.attr("push", if push { "true" } else { "false" }));
    }
    if privileges.message == MessagePrivilege::Outgoing {
        perms.push(perm("message").attr("type", privileges.message.as_str()));
    }
    if !privileges.iq.is_empty() {
        let namespaces = privileges.iq.iter().map(|it| {
            Element::new(ns::PRIVILEGE, "namespace")
                .attr("ns", &it.namespace)
                .attr("type", it.access.as_str())
        });
        perms.push(perm("iq").children_from(namespaces));
    }
    if privileges.presence != PresencePrivilege::None {
        perms.push(perm("presence").attr("type", privileges.presence.as_str()));
    }
    if perms.is_empty() {
        return None;
    }
    let privilege = Element::new(ns::PRIVILEGE, "privilege").children_from(perms);
    let mut told = Stanza::message(MessageType::Normal)
        .from(host.clone())
        .to(config.domain.to_jid())
        .child(&privilege);
    told.id = Some(crate::id::random().into());
    Some(told)
}

/// §8: the presence of accounts, for a component that may know it and was not there when it came. What
/// changes meanwhile waits in the queue behind.
pub(super) fn presences(config: &Component, services: &Services) -> Vec<Stanza> {
    if config.privileges.presence == PresencePrivilege::None {
        return Vec::new();
    }
    let Some(router) = services.router.upgrade() else {
        return Vec::new();
    };
    let mut presences = Vec::new();
    for account in router.all_online() {
        if config.acts_for(account.jid().domain().as_str()) {
            let sessions = account.sessions();
            let shown = sessions.iter().filter_map(|session| session.presence());
            presences.extend(shown.map(|it| Stanza::clone(&it).to(config.domain.to_jid())));
        }
    }
    presences
}
