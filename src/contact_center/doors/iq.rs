//! The typed door: `<iq type='set'><not-ready xmlns='urn:parlour:agent:0' reason='lunch'/></iq>`.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::super::center::{Center, Place};
use super::super::errors::{Refused, malformed};
use super::super::operation::{Act, Field, ForComponents, Operation, Stands, Visitor};
use super::super::values::{Given, Named, Values, unknown};
use super::super::{for_components, operations};
use crate::config::ComponentRole;
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::rsm::PageRequest;
use crate::proto::{IqType, ns};
use crate::xml::{Element, Node};

/// Answers a request in one of our namespaces; `None` in another's.
pub(in crate::contact_center) fn answer<'a>(
    center: &'a Arc<Center>,
    place: &'a Arc<Place>,
    iq: Iq,
) -> Option<BoxFuture<'a, IqAnswer>> {
    let kind = act(iq.kind)?;
    Some(match super::visitor(center, place, &iq) {
        Some((visitor, role)) => match open(role, kind, &iq.payload)? {
            Ok(open) => Box::pin(admit(visitor, open, iq)),
            Err(refused) => Box::pin(ready(Err(refused.into()))),
        },
        None => match asked(kind, &iq.payload)? {
            Ok(operation) => Box::pin(perform(center, place, operation, iq)),
            Err(refused) => Box::pin(ready(Err(refused.into()))),
        },
    })
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
    let ours = || operations().filter(|operation| operation.ns == payload.ns());
    let named = || ours().filter(|operation| operation.name == payload.name());
    if ours().next().is_none() {
        let components = for_components().any(|open| open.ns == payload.ns());
        return components.then(|| Err(super::stranger()));
    }
    let found = named().find(|operation| operation.act == act);
    Some(found.ok_or_else(|| not_found(named().next().is_some())))
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

async fn perform(
    center: &Arc<Center>,
    place: &Arc<Place>,
    operation: &'static Operation,
    iq: Iq,
) -> IqAnswer {
    let caller = super::caller(center, place, &iq).await?;
    super::require(&caller, operation)?;
    let done = {
        // What is not needed any more is not kept while the operation waits, as many others may at the same moment.
        let iq = iq;
        let (given, page) = given(operation.ns, operation.fields, &iq.payload)?;
        let values = Values::understand(operation.fields, &place.host, given, page, Named::Name)?;
        (operation.run)(caller, values)
    };
    Ok(done.await?.payload)
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
