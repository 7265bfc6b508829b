//! XEP-0355: Namespace Delegation, version 0.5, in admin mode: requests to hosts and accounts that a component
//! answers in the server's place.
//!
//! On connecting it is told what is delegated (§4.2) and asked what it can do with that (§7.2). A request is
//! wrapped, sent, and remembered in [`Delegated`]; what comes back is unwrapped, checked, and goes to whoever
//! asked (§4.3). No task waits for it: who asks goes on, so that answers may come in another order than the
//! questions (§8). An answer that is wrong, late, or never comes is `service-unavailable`.

mod nested;
mod waiting;

use std::sync::Arc;

use tracing::debug;

use super::place::Place;
use crate::config::{Component, Delegation};
use crate::hooks::{Info, Services, refusal};
use crate::proto::common::forward::forwarded;
use crate::proto::{BareJid, Condition, IqType, Jid, Kind, MessageType, Stanza, StanzaError};
use crate::proto::{ns, reading};
use crate::xml::{Element, write};

pub(super) use nested::{Nested, Scope};
pub(super) use waiting::{Delegated, watch};

/// One request to the component, sent by a host.
pub(super) struct Asked {
    /// The host that sent it.
    host: BareJid,
    what: What,
}

enum What {
    /// Somebody's request, to be answered in the server's place.
    Request(Box<Stanza>),
    /// What it can do with a namespace.
    Info(Scope, String),
}

/// What a stanza of the component turned out to be.
pub(super) enum Answered {
    /// Nothing of this.
    Other(Stanza),
    /// An answer for somebody.
    Tell(Stanza),
    /// An answer to the server itself.
    Done,
}

/// §4.2: what of that host is delegated to the component; `None` for nothing.
pub(super) fn advertisement(config: &Component, host: &BareJid) -> Option<Stanza> {
    if config.delegations.is_empty() || !config.acts_for(host.as_str()) {
        return None;
    }
    let delegated = config.delegations.iter().map(|it| {
        let attributes = it.attributes.iter();
        Element::new(ns::DELEGATION, "delegated")
            .attr("namespace", &it.namespace)
            .children_from(
                attributes.map(|it| Element::new(ns::DELEGATION, "attribute").attr("name", it)),
            )
    });
    let delegation = Element::new(ns::DELEGATION, "delegation").children_from(delegated);
    let mut told = Stanza::message(MessageType::Normal)
        .from(host.clone())
        .to(config.domain.to_jid())
        .child(&delegation);
    told.id = Some(crate::id::random().into());
    Some(told)
}

/// §7.2: the questions what it can do with what is delegated, at that host and at its accounts.
pub(super) fn questions(place: &Place, host: &BareJid) -> Vec<Stanza> {
    let config = place.config();
    if !config.acts_for(host.as_str()) {
        return Vec::new();
    }
    let mut namespaces: Vec<&str> = config
        .delegations
        .iter()
        .map(|it| it.namespace.as_str())
        .filter(|it| *it != Delegation::ITEMS)
        .collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut questions = Vec::new();
    for namespace in namespaces {
        for scope in [Scope::Host, Scope::Account] {
            let query = Element::new(ns::DISCO_INFO, "query").attr("node", scope.node(namespace));
            let id = crate::id::random();
            questions.push(
                Stanza::iq(IqType::Get, &id)
                    .from(host.clone())
                    .to(place.domain().clone())
                    .child(&query),
            );
            let what = What::Info(scope, namespace.to_owned());
            let host = host.clone();
            place.delegated().ask(id, Asked { host, what });
        }
    }
    questions
}

/// Takes a request for `asked`, an address of one of `hosts`, where it is delegated to the component.
pub(super) fn delegate(
    place: &Place,
    hosts: &[BareJid],
    request: &Stanza,
    asked: &BareJid,
) -> Option<Result<(), StanzaError>> {
    let config = place.config();
    if config.delegations.is_empty() {
        return None;
    }
    let host = hosts
        .iter()
        .find(|it| it.as_str() == asked.domain().as_str())?;
    let from = request.from.as_ref()?;
    // §4.3.1: not what the component sends itself. What comes from a bare address of this server is the
    // server's own, or sent by a component in the name of an account (XEP-0356 §6.3).
    let own = from.is_bare() && hosts.iter().any(|it| it.as_str() == from.domain());
    if own || from.domain() == place.domain().as_str() || !config.acts_for(host.as_str()) {
        return None;
    }
    let mut delegations = config.delegations.iter();
    delegations
        .any(|it| is_meant(it, request, asked))
        .then(|| send(place, host, request))
}

/// §4.1, §7.2.
fn is_meant(delegation: &Delegation, request: &Stanza, asked: &BareJid) -> bool {
    let Some(child) = request.payload.iter().next() else {
        return false;
    };
    if delegation.namespace == Delegation::ITEMS {
        return asked.node().is_some() && child.is(Some(ns::DISCO_ITEMS), "query");
    }
    if child.ns() != Some(delegation.namespace.as_str()) {
        return false;
    }
    let mut attributes = delegation.attributes.iter();
    delegation.attributes.is_empty()
        || child
            .to_element(ns::CLIENT)
            .is_ok_and(|payload| attributes.all(|name| payload.attribute(name).is_some()))
}

/// §4.3: wraps a request and puts it into the component's queue.
fn send(place: &Place, host: &BareJid, request: &Stanza) -> Result<(), StanzaError> {
    let forwarded = forwarded(request, None).ok_or_else(unavailable)?;
    let delegation = Element::new(ns::DELEGATION, "delegation").child(forwarded);
    let id = crate::id::random();
    let wrapped = Stanza::iq(IqType::Set, &id)
        .from(host.clone())
        .to(place.domain().clone())
        .child(&delegation);
    let asked = Asked {
        host: host.clone(),
        what: What::Request(Box::new(request.clone().detached())),
    };
    let delegated = place.delegated();
    if !delegated.try_to_ask(id.clone(), asked) {
        return Err(StanzaError::new(Condition::ResourceConstraint)
            .text("too much waits for the component that answers this"));
    }
    place.send_at_once(Arc::new(wrapped)).inspect_err(|_| {
        delegated.forget(&id);
    })
}

/// Whether a stanza of the component answers what it was asked, and what comes of it.
pub(super) fn answered(place: &Place, stanza: Stanza) -> Answered {
    let Kind::Iq(kind @ (IqType::Result | IqType::Error)) = stanza.kind else {
        return Answered::Other(stanza);
    };
    let (Some(id), Some(from), Some(to)) = (&stanza.id, &stanza.from, &stanza.to) else {
        return Answered::Other(stanza);
    };
    let itself = *from == Jid::from(place.domain().clone());
    let asked = itself.then(|| place.delegated().answered(id, to));
    match asked.flatten().map(|it| (it.host, it.what)) {
        None => Answered::Other(stanza),
        Some((host, What::Info(scope, namespace))) => {
            let query = stanza.find(ns::DISCO_INFO, "query");
            let query = query.and_then(|it| it.to_element(ns::CLIENT).ok());
            match query
                .as_ref()
                .filter(|_| kind == IqType::Result)
                .and_then(Info::parse)
            {
                Some(info) => place.nested().set(host, scope, namespace, info),
                None => debug!(namespace, "a component does not tell what it can do"),
            }
            Answered::Done
        }
        Some((_, What::Request(request))) => match unwrapped(&request, &stanza) {
            Some(answer) => Answered::Tell(answer),
            None => refused(&request).map_or(Answered::Done, Answered::Tell),
        },
    }
}

/// §4.3: the answer inside; `None` when anything of it is wrong.
fn unwrapped(request: &Stanza, outer: &Stanza) -> Option<Stanza> {
    let delegation = outer.find(ns::DELEGATION, "delegation")?;
    let delegation = delegation.to_element(ns::CLIENT).ok()?;
    let forwarded = delegation.find(ns::FORWARD, "forwarded")?;
    let mut bytes = Vec::new();
    write::element(&mut bytes, forwarded.find(ns::CLIENT, "iq")?, "");
    let inner = reading::stored(bytes.into())?;
    // The document's examples leave out the sender where it is the address that was asked.
    let asked = request.to.as_ref().or(request.from.as_ref())?;
    let sender = match (&inner.from, &request.to) {
        (None, _) => true,
        (Some(from), Some(to)) => from == to,
        (Some(from), None) => *from == asked.to_bare(),
    };
    let fits = inner.kind == Kind::Iq(IqType::Result)
        && inner.id == request.id
        && inner.to == request.from
        && inner.payload.len() <= 1;
    (sender && fits).then(|| {
        let mut answer = request.result(None);
        answer.lang = inner.lang;
        answer.payload = inner.payload;
        answer
    })
}

/// §4.3: all that is told of what the component has not answered well.
fn refused(request: &Stanza) -> Option<Stanza> {
    refusal(request, &unavailable())
}

pub(super) fn unavailable() -> StanzaError {
    Condition::ServiceUnavailable.into()
}

/// Routes the refusals of requests that nobody answers any more.
async fn give_back(requests: Vec<Stanza>, services: &Services) {
    for refusal in requests.iter().filter_map(refused) {
        services.route(refusal).await;
    }
}

#[cfg(test)]
mod tests;
