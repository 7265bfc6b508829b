//! The typed door: `<iq type='set'><not-ready xmlns='urn:parlour:agent:0' reason='lunch'/></iq>`.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::super::center::{Center, Place};
use super::super::errors::{Refused, malformed};
use super::super::operation::{
    Act, Caller, Field, ForComponents, Operation, Outcome, Stands, Visitor,
};
use super::super::values::{Given, Named, Values, unknown};
use super::super::{for_components, operations};
use crate::config::ComponentRole;
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::rsm::PageRequest;
use crate::proto::{IqType, ns};
use crate::xml::{Element, Node};

/// Answers a request in one of our namespaces; `None` in another's.
pub(in crate::contact_center) fn answer(
    center: &Arc<Center>,
    place: &Arc<Place>,
    iq: Iq,
) -> BoxFuture<'static, Option<IqAnswer>> {
    let refuse = |refused: Option<Refused>| -> BoxFuture<'static, Option<IqAnswer>> {
        Box::pin(ready(refused.map(|refused| Err(refused.into()))))
    };
    let Some(kind) = act(iq.kind) else {
        return refuse(None);
    };
    match super::visitor(center, place, &iq) {
        Some((visitor, role)) => match open(role, kind, &iq.payload) {
            Some(Ok(open)) => Box::pin(async move { Some(admit(visitor, open, iq).await) }),
            Some(Err(refused)) => refuse(Some(refused)),
            None => refuse(None),
        },
        None => match asked(kind, &iq.payload) {
            Some(Ok(operation)) => perform(center, place, operation, iq),
            Some(Err(refused)) => refuse(Some(refused)),
            None => refuse(None),
        },
    }
}

const fn act(kind: IqType) -> Option<Act> {
    match kind {
        IqType::Get => Some(Act::Get),
        IqType::Set => Some(Act::Set),
        IqType::Result | IqType::Error => None,
    }
}

/// The operation of that element; `None` when it is of nobody's here.
fn asked(act: Act, payload: &Element) -> Option<Result<&'static Operation, Refused>> {
    // There are many, nearly all of another name and few of another namespace.
    let named = || operations().filter(|it| it.name == payload.name() && it.ns == payload.ns());
    if let Some(found) = named().find(|operation| operation.act == act) {
        return Some(Ok(found));
    }
    if operations().any(|operation| operation.ns == payload.ns()) {
        return Some(Err(not_found(named().next().is_some())));
    }
    let components = for_components().any(|open| open.ns == payload.ns());
    components.then(|| Err(super::stranger()))
}

/// What a component of that role can have done by that element; `None` when it is of nobody's here.
fn open(
    role: ComponentRole,
    act: Act,
    payload: &Element,
) -> Option<Result<&'static ForComponents, Refused>> {
    let ours = || for_components().filter(|open| open.ns == payload.ns());
    let named = || ours().filter(|open| open.name == payload.name());
    if ours().next().is_none() && !operations().any(|it| it.ns == payload.ns()) {
        return None;
    }
    if !named().any(|open| open.role == role) {
        return Some(Err(super::stranger()));
    }
    let found = named().find(|open| open.act == act);
    Some(found.ok_or_else(|| not_found(true)))
}

fn not_found(of_the_other_type: bool) -> Refused {
    match of_the_other_type {
        false => malformed("operation-unknown", "There is no such request."),
        true => malformed(
            "operation-type",
            "This request has the other type of get and set.",
        ),
    }
}

async fn admit(visitor: Visitor, open: &'static ForComponents, iq: Iq) -> IqAnswer {
    let (given, page) = given(open.ns, open.fields, &iq.payload)?;
    let values = Values::understand(open.fields, &visitor.place.host, given, page, Named::Name)?;
    Ok((open.run)(visitor, values).await?.payload)
}

/// What is not needed any more is not kept while the operation waits, as many others may at the same moment.
fn perform(
    center: &Arc<Center>,
    place: &Arc<Place>,
    operation: &'static Operation,
    iq: Iq,
) -> BoxFuture<'static, Option<IqAnswer>> {
    let Some(caller) = super::caller_at_once(center, place, &iq) else {
        let (center, place) = (Arc::clone(center), Arc::clone(place));
        return Box::pin(async move {
            let caller = super::caller(&center, &place, &iq).await;
            let begun = caller.and_then(|caller| begin(caller, operation, &iq.payload));
            drop(iq);
            Some(end(begun).await)
        });
    };
    let begun = caller.and_then(|caller| begin(caller, operation, &iq.payload));
    Box::pin(async move { Some(end(begun).await) })
}

type Begun = BoxFuture<'static, Result<Outcome, Refused>>;

/// Has it done, where the caller may and what is given is understood.
fn begin(
    caller: Caller,
    operation: &'static Operation,
    payload: &Element,
) -> Result<Begun, Refused> {
    super::require(&caller, operation)?;
    let (given, page) = given(operation.ns, operation.fields, payload)?;
    let host = &caller.place.host;
    let values = Values::understand(operation.fields, host, given, page, Named::Name)?;
    Ok((operation.run)(caller, values))
}

async fn end(begun: Result<Begun, Refused>) -> IqAnswer {
    Ok(begun?.await?.payload)
}

/// What was given, by the names of the fields.
type Fields = Vec<(&'static str, Given)>;

/// What stands in the element. What it should not have is refused: whoever sent it expects something of it.
fn given(
    namespace: &str,
    fields: &'static [Field],
    element: &Element,
) -> Result<(Fields, PageRequest), Refused> {
    let mut given = Vec::new();
    let mut page = PageRequest::default();
    for attribute in element.attributes() {
        // A prefix is somebody else's business: xml:lang.
        if !attribute.ns.is_empty() {
            continue;
        }
        let field = find(fields, Stands::Attribute, &attribute.name)?;
        given.push((field.name, Given::Text(attribute.value.to_string())));
    }
    for node in element.nodes() {
        let child = match node {
            Node::Element(child) => child,
            Node::Text(text) if text.trim().is_empty() => continue,
            Node::Text(_) => {
                return Err(malformed(
                    "text-unexpected",
                    "There is text between the elements.",
                ));
            }
        };
        if child.is(ns::RSM, "set") && fields.iter().any(|it| it.kind.is_page()) {
            page = PageRequest::of(element)?;
            continue;
        }
        if child.ns() != namespace {
            return Err(unknown(child.name()));
        }
        let field = find(fields, Stands::Child, child.name())?;
        given.push((field.name, Given::Element(child.clone())));
    }
    Ok((given, page))
}

fn find(fields: &'static [Field], place: Stands, name: &str) -> Result<&'static Field, Refused> {
    let mut fields = fields.iter();
    let found =
        fields.find(|field| field.name == name && field.place == place && !field.kind.is_page());
    found.ok_or_else(|| unknown(name))
}
