//! The typed door: `<iq type='set'><not-ready xmlns='urn:parlour:agent:0' reason='lunch'/></iq>`.

use std::sync::Arc;

use super::super::center::{Center, Place};
use super::super::errors::{Refused, malformed};
use super::super::operation::{Act, Field, Kind, Operation, Stands};
use super::super::operations;
use super::super::values::{Given, Values, unknown};
use crate::hooks::{Iq, IqAnswer};
use crate::proto::common::rsm::PageRequest;
use crate::proto::{IqType, ns};
use crate::xml::{Element, Node};

/// Answers a request in one of our namespaces; `None` in another's.
pub(in crate::contact_center) async fn answer(
    center: &Arc<Center>,
    place: &Arc<Place>,
    iq: Iq,
) -> Option<IqAnswer> {
    let operation = match asked(&iq)? {
        Ok(operation) => operation,
        Err(refused) => return Some(Err(refused.into())),
    };
    Some(
        perform(center, place, operation, iq)
            .await
            .map_err(Into::into),
    )
}

/// The operation of that element; `None` when it is of nobody's here.
fn asked(iq: &Iq) -> Option<Result<&'static Operation, Refused>> {
    let act = match iq.kind {
        IqType::Get => Act::Get,
        IqType::Set => Act::Set,
        IqType::Result | IqType::Error => return None,
    };
    let ours = || operations().filter(|operation| operation.ns == iq.payload.ns());
    ours().next()?;
    let named = || ours().filter(|operation| operation.name == iq.payload.name());
    let found = named().find(|operation| operation.act == act);
    Some(found.ok_or_else(|| match named().next() {
        None => malformed("operation-unknown", "There is no such request."),
        Some(_) => malformed(
            "operation-type",
            "This request has the other type of get and set.",
        ),
    }))
}

async fn perform(
    center: &Arc<Center>,
    place: &Arc<Place>,
    operation: &'static Operation,
    iq: Iq,
) -> Result<Option<Element>, Refused> {
    if let Some((visitor, open)) = super::visitor(place, &iq, operation) {
        let (given, page) = given(operation, &iq.payload)?;
        let values = Values::understand(operation, &place.host, given, page)?;
        return Ok(Box::pin((open.run)(visitor, values)).await?.payload);
    }
    let caller = super::caller(center, place, &iq).await?;
    super::require(&caller, operation)?;
    let (given, page) = given(operation, &iq.payload)?;
    let values = Values::understand(operation, &place.host, given, page)?;
    Ok(Box::pin((operation.run)(caller, values)).await?.payload)
}

/// What was given, by the names of the fields.
type Fields = Vec<(&'static str, Given)>;

/// What stands in the element. What it should not have is refused: whoever sent it expects something of it.
fn given(
    operation: &'static Operation,
    element: &Element,
) -> Result<(Fields, PageRequest), Refused> {
    let mut given = Vec::new();
    let mut page = PageRequest::default();
    for attribute in element.attributes() {
        // A prefix is somebody else's business: xml:lang.
        if !attribute.ns.is_empty() {
            continue;
        }
        let field = find(operation, Stands::Attribute, &attribute.name)?;
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
        if child.is(ns::RSM, "set") && operation.fields.iter().any(|it| it.kind == Kind::Page) {
            page = PageRequest::of(element)?;
            continue;
        }
        if child.ns() != operation.ns {
            return Err(unknown(child.name()));
        }
        let field = find(operation, Stands::Child, child.name())?;
        given.push((field.name, Given::Element(child.clone())));
    }
    Ok((given, page))
}

fn find(
    operation: &'static Operation,
    place: Stands,
    name: &str,
) -> Result<&'static Field, Refused> {
    let mut fields = operation.fields.iter();
    let found =
        fields.find(|field| field.name == name && field.place == place && field.kind != Kind::Page);
    found.ok_or_else(|| unknown(name))
}
